"""The benchmarks, one after another, each figure with what is demanded of it.

    python benchmarks/run.py [NAME …] [--quick] [--figures FILE]

NAME: one of those below; all without. Those of the whole path are modules beside this one, each of which starts
processes of its own; those of the parts are files bench_NAME.py for pytest. --quick: small numbers, to see that a
benchmark works; what it misses then does not count. FILE: where the figures are kept for `report.py`; what is there of
other benchmarks stays. Exit code 1: something that is demanded is missed. Ctrl-C ends it and all that it started.
"""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import figures

HERE = Path(__file__).parent
WHOLE = ("fleet", "large_fleet", "large_station", "durable", "replay", "memory", "tls", "imports", "gate")
PARTS = tuple(sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")))
NAMES = (*WHOLE, *PARTS)


def run(name: str, *, is_quick: bool) -> bool:
    """False if the benchmark says that something is missed, or failed."""
    print(f"\n{name}", flush=True)
    if name in WHOLE:
        try:
            importlib.import_module(name).run(is_quick=is_quick)
        except (RuntimeError, AssertionError) as error:
            print(f"{name} failed: {error}", file=sys.stderr)
            return False
        return True
    options = ["-c", str(HERE.parent / "pyproject.toml"), "--rootdir", str(HERE.parent), "-p", "no:randomly"]
    options += ["-p", "no:xdist", "-s", *["--benchmark-disable"] * is_quick]
    return not subprocess.run([sys.executable, "-m", "pytest", *options, HERE / f"bench_{name}.py"]).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description="the benchmarks")
    parser.add_argument("name", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="small numbers: does it work?")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="keep the figures there, as lines of JSON")
    given = parser.parse_args()
    unknown = [name for name in given.name if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as folder:
        path = (given.figures or Path(folder) / "figures").absolute()
        path.touch()
        os.environ["OCPP16_FIGURES"] = str(path)
        passed = [run(name, is_quick=given.quick) for name in given.name or NAMES]
        missed = [figure for figure in figures.read(path).values() if figure.is_missed]
    for figure in missed:
        print(f"missed: {figure.text}: {figure.measured}, demanded {figure.demanded}", file=sys.stderr)
    return not all(passed) or (bool(missed) and not given.quick)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

"""The benchmarks of the whole path, one after another, each figure with what is demanded of it.

    python benchmarks/run.py [NAME …] [--quick] [--figures FILE]

NAME: one of those below; all without. --quick: small numbers, to see that a benchmark works; what it misses then does
not count. FILE: where the figures are kept for `report.py` (`figures.py`); what is there of other benchmarks stays.
Exit code 1: something that is demanded is missed. Ctrl-C ends it and all that it started.
"""

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

import figures

NAMES = ("fleet",)


def main() -> int:
    parser = argparse.ArgumentParser(description="the benchmarks of the whole path")
    parser.add_argument("name", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="small numbers: does it work?")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="keep the figures there, as lines of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (given.figures or Path(folder) / "figures").absolute()
        os.environ["OCPP16_FIGURES"] = str(path)
        for name in given.name or NAMES:
            print(f"\n{name}", flush=True)
            importlib.import_module(name).run(is_quick=given.quick)
        missed = [figure for figure in figures.read(path).values() if figure.is_missed]
    for figure in missed:
        print(f"missed: {figure.text}: {figure.measured}, demanded {figure.demanded}", file=sys.stderr)
    return 1 if missed and not given.quick else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

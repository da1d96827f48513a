"""The gate: instructions and bytes of the paths that matter, compared with what was recorded.

    python benchmarks/gate.py            # what is 3 % worse than recorded fails, if packages are the same
    python benchmarks/gate.py --record   # what is found is the baseline of this Python, compiler and machine

Instructions are counted under valgrind's callgrind, bytes by tracemalloc, both without start and warming up
(`counted.py`): no other load on the machine moves them, and two runs differ by half a percent at most. What the
interpreter does is in them. Without valgrind, bytes alone are compared, and the reason is printed.
"""

import argparse
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from children import central_system, measured, progress
from compiled import compiled
from figures import note

BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.03
PACKAGES = ("trio", "wsproto", "orjson", "Cython")
"""Those whose versions move the counts; so do the build of the interpreter and the C library."""
BARS = {"MeterValues, 20 at once": 300_000.0}
"""Instructions at most."""
HEADER = Path("valgrind") / "callgrind.h"

Counts = dict[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one benchmark; `was` None: it is not in the baseline, `now` None: it is there alone."""

    name: str
    unit: str
    was: float | None
    now: float | None

    @property
    def change(self) -> float:
        """As a share of what was recorded."""
        return self.now / self.was - 1 if self.was and self.now is not None else 0.0

    @property
    def is_worse(self) -> bool:
        return self.change > TOLERANCE

    @property
    def is_to_be_recorded(self) -> bool:
        return self.was is None or self.now is None or self.change < -TOLERANCE

    def __str__(self) -> str:
        if self.now is None:
            return f"{self.name}: recorded, and not measured any more"
        if self.was is None:
            return f"{self.name}: {self.now:,.0f} {self.unit}, not recorded yet"
        return f"{self.name}: {self.now:,.0f} {self.unit}, recorded {self.was:,.0f} ({self.change:+.1%})"


def compared(recorded: Mapping[str, float], found: Mapping[str, float], unit: str) -> list[Verdict]:
    """In the order found, then what is only recorded."""
    return [Verdict(name, unit, recorded.get(name), found.get(name)) for name in {**found, **recorded}]


def judged(verdicts: list[Verdict]) -> tuple[list[str], bool]:
    """What to say, and whether that is a failure."""
    said = [f"WORSE   {verdict}" for verdict in verdicts if verdict.is_worse]
    fails = bool(said)
    to_record = [f"record  {verdict}" for verdict in verdicts if verdict.is_to_be_recorded]
    if to_record:
        to_record.append("what is meant to stay is recorded by: python benchmarks/gate.py --record")
    return said + to_record, fails


def key() -> str:
    """What the counts depend on, besides our code."""
    compiler = re.match(r"\D*\d+", platform.python_compiler())
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{platform.python_implementation()} {python}, {compiler[0] if compiler else '?'}, {platform.machine()}"


def _versions() -> dict[str, str]:
    of_packages = {name: version(name) for name in PACKAGES}
    return {**of_packages, "Python": " ".join(sys.version.split()), "libc": platform.libc_ver()[1]}


def measure() -> dict[str, Counts]:
    """By unit; without instructions where they cannot be counted, of which the reason is printed."""
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
    found: dict[str, Counts] = {}
    with central_system() as server, tempfile.TemporaryDirectory() as folder:
        missing = _missing()
        if missing:
            print(f"gate: instructions are not counted: {missing}", flush=True)
        else:
            progress("gate: counting instructions")
            found["instructions"] = _instructions(server.port, Path(folder), environment)
        progress("gate: weighing")
        found["bytes"] = measured("counted.py", "memory", server.port, environment=environment)
    return found


def _missing() -> str:
    if shutil.which("valgrind") is None:
        return "valgrind is not installed"
    if not any((Path(root) / HEADER).exists() for root in ("/usr/include", "/usr/local/include")):
        return f"valgrind's header {HEADER} is not installed"
    return ""


def _instructions(port: int, folder: Path, environment: dict[str, str]) -> Counts:
    compiled("counter", folder)
    callgrind = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no"]
    under = [*callgrind, f"--callgrind-out-file={folder / 'counts'}"]
    measured("counted.py", "instructions", port, folder, under=under, environment=environment)
    counts: Counts = {}
    for path in sorted(folder.glob("counts.*"), key=lambda path: int(path.suffix[1:])):
        dump = path.read_text()
        of, total = re.search(r"Client Request: (.+)/(\d+)$", dump, re.M), re.search(r"^totals: (\d+)", dump, re.M)
        assert of is not None
        assert total is not None
        counts[of[1]] = round(int(total[1]) / int(of[2]), 1)
    return counts


def run(*, is_quick: bool) -> None:
    """For `run.py`."""
    for unit, counts in measure().items():
        for name, value in counts.items():
            is_instructions = unit == "instructions"
            bar = BARS.get(name) if is_instructions else None
            note(f"gate.{unit}.{name}", name, value, unit, at_most=bar)


def main() -> int:
    parser = argparse.ArgumentParser(description="instructions and bytes, compared with the baseline")
    parser.add_argument("--record", action="store_true", help="what is found is the baseline from here on")
    given = parser.parse_args()
    found = measure()
    baseline: dict[str, Any] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    versions = _versions()
    if given.record:
        baseline[key()] = {"with": versions, **found}
        BASELINE.write_text(json.dumps(baseline, indent=1, sort_keys=True) + "\n")
        print(f"recorded for {key()}")
        return 0
    recorded = baseline.get(key())
    for unit, counts in found.items():
        for name, value in counts.items():
            print(f"{name:36} {value:14,.0f} {unit}")
    if recorded is None:
        print(f"gate: nothing is recorded for {key()}: passed; to record: python benchmarks/gate.py --record")
        return 0
    verdicts = [verdict for unit in found for verdict in compared(recorded.get(unit, {}), found[unit], unit)]
    said, fails = judged(verdicts)
    print("\n".join(said))
    others = {name: now for name, now in versions.items() if now != recorded["with"].get(name)}
    if fails and others:
        print(f"gate: that is not held against us, for it was recorded with others: {recorded['with']}; now {others}")
        fails = False
    print(f"gate: {'failed' if fails else 'passed'} ({key()})")
    return fails


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

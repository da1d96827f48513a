"""How long imports take, each in a process of its own, in turn; the best of each counts.

With bytecode at hand, as where the package is installed: the first round writes it, to a place of its own.

python benchmarks/run.py imports [--quick]
"""

import os
import subprocess
import sys
import tempfile

from children import progress
from figures import note

STATEMENTS = {
    "codec": "import ocpp16.codec",
    "trio": "import trio",
    "whole": "from ocpp16 import open_charge_point",
    "example": "from ocpp16 import DataTransferResponse, open_charge_point; from ocpp16.enums import UnlockStatus",
    "behind": "from ocpp16 import preload; preload()",
}
TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def seconds(statement: str, folder: str) -> float:
    command = [sys.executable, "-c", TIMED.format(statement)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = folder
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment)
    return float(done.stdout)


def run(*, is_quick: bool) -> None:
    rounds = 3 if is_quick else 15
    best = dict.fromkeys(STATEMENTS, float("inf"))
    with tempfile.TemporaryDirectory() as folder:  # where nothing lies that could be imported
        for number in range(rounds):
            progress(f"imports: round {number + 1} of {rounds}")
            for name, statement in STATEMENTS.items():
                best[name] = min(best[name], seconds(statement, folder))
    note("imports.codec", STATEMENTS["codec"], best["codec"] * 1e3, "ms", at_most=60)
    note("imports.trio", STATEMENTS["trio"], best["trio"] * 1e3, "ms")
    note("imports.whole", STATEMENTS["whole"], best["whole"] * 1e3, "ms")
    text = f"{STATEMENTS['whole']}, beside trio's own"
    note("imports.ratio", text, best["whole"] / best["trio"], "times", at_most=1.2)
    text = "what the README's charge point imports, beside trio's own"
    note("imports.example", text, best["example"] / best["trio"], "times")
    text = f"{STATEMENTS['behind']}: all that a first opening would import, beside trio's own"
    note("imports.behind", text, best["behind"] / best["trio"], "times")

"""Instructions per call of the hot paths: a figure that no other load on the machine moves.

    python benchmarks/instructions.py               # the table; needs valgrind
    python benchmarks/instructions.py NAME COUNT    # one child: makes everything ready, then calls NAME that often

Each figure is the difference of two runs under valgrind's cachegrind, one that calls the path and one that does not,
per call. It counts the interpreter's part of the call, too.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import orjson
from bench_schedule import calculation, installed
from payloads import REQUESTS, UNIQUE_ID

from ocpp16.codec import Call, parse, serialize, validate

CALLS = 1000
SIZES = (1, 10, 100, 300)


def receiving(action: str, payload: dict[str, Any]) -> Callable[[], None]:
    text = orjson.dumps([2, UNIQUE_ID, action, payload])

    def receive() -> None:
        frame = parse(text)
        assert isinstance(frame, Call)
        validate(frame.action, "request", frame.payload)

    return receive


def sending(action: str, payload: dict[str, Any]) -> Callable[[], None]:
    def send() -> None:
        validate(action, "request", payload)
        serialize(Call(UNIQUE_ID, action, payload))

    return send


def paths() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    for name, request in REQUESTS.items():
        found[f"receive {name}"] = receiving(*request)
        found[f"send {name}"] = sending(*request)
    for size in SIZES:
        found[f"composite schedule of {size} profiles"] = calculation(installed("mixed", size), 1)
    return found


def instructions(name: str, count: int) -> int:
    """Of a whole child process."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    child = subprocess.run(
        [*command, sys.executable, __file__, name, str(count)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", child.stderr)
    if found is None:
        raise RuntimeError(f"valgrind did not tell how many:\n{child.stderr}")
    return int(found[1].replace(",", ""))


def main() -> int:
    if len(sys.argv) == 3:
        name, count = sys.argv[1], int(sys.argv[2])
        call = paths()[name]
        for _ in range(count + 1):
            call()
        return 0
    if shutil.which("valgrind") is None:
        print("instructions.py: valgrind is not installed; nothing was counted")
        return 0
    for name in paths():
        each = (instructions(name, CALLS) - instructions(name, 0)) / CALLS
        print(f"{name:36} {each:10,.0f} instructions", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

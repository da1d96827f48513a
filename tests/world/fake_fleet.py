"""A child of Locust that has no charge points: it tells what it is told, and misbehaves as it is asked.

    python fake_fleet.py FILE MODE

What it reads goes to FILE, line by line. Each charge point that is added calls once. Modes: "good"; "dies" after the
first charge point; "fails": says so; "dies once", when FILE is new; "lies": tells what is no call; "deaf": reads its
first line only. One with a scenario plays it: it passes where its number is odd. "invents": tells what is no story.
"links": the first one connects, after two attempts that were refused.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from patience import PATIENCE


def driven(folder: Path, mode: str, code: str) -> tuple[Any, list[Any]]:
    """What the code prints in a process of its own, and what the child, whose command is its argument, was told."""
    heard = folder / "heard"
    command = json.dumps([sys.executable, __file__, str(heard), mode])
    done = subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    lines = heard.read_text().splitlines() if heard.exists() else []
    return json.loads(done.stdout), [json.loads(line) if line.startswith("{") else line for line in lines]


def tell(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main(path: Path, mode: str) -> int:
    is_new = not path.exists()
    with path.open("a", encoding="utf-8") as file:
        for line in sys.stdin:
            file.write(line)
            file.flush()
            message = json.loads(line)
            if message["do"] == "run":
                tell({"second": {"at": 1.0}})
            elif message["do"] == "add":
                tell({"calls": [["BootNotification", 0.012, "result"], ["Heartbeat", 0.5, "error", "InternalError"]]})
                if "scenario" in message:
                    unmet = "" if message["number"] % 2 else "step 1: wait_sent"
                    tell({"stories": [[message["scenario"], message["charge_point"], 1.5, unmet, unmet and "for 9 s"]]})
                if mode == "links":
                    tell({"links": [["", 1], ["handshake 503", 2]]})
                if mode == "invents":
                    tell({"stories": [["boot", "CP1", "long", "", ""]]})
                if mode == "dies" or (mode == "dies once" and is_new):
                    return 3
                if mode == "fails":
                    tell({"wrong": "a line was strange"})
                    tell({"failed": "no room"})
                if mode == "lies":
                    tell({"calls": [["Heartbeat", -1, "result"]]})
            elif message["do"] == "stop":
                tell({"outcome": {}})
                return 0
            if mode == "deaf":
                time.sleep(3600)
        file.write("end of input\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))

"""The child of a process of Locust, driven by greenlets in a process of their own; the child only pretends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fake_fleet
import pytest
from patience import PATIENCE

DRIVER = """
import json, sys
import gevent
from ocpp16.load import locust_child
from ocpp16.load.locust_child import ChildFleet, FleetLost

def wait_until(condition):
    with gevent.Timeout(60):
        while not condition():
            gevent.sleep(0.01)

command, first = json.loads(sys.argv[1]), {"do": "run", "csms": "ws://x"}
calls, losses = [], []
fleet = ChildFleet(command, first, calls.append, lambda *lost: losses.append((str(lost[0]), lost[1])), pause=0.01)
"""


def driven(tmp_path: Path, mode: str, code: str) -> tuple[Any, list[Any]]:
    return fake_fleet.driven(tmp_path, mode, DRIVER + code)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(process_id: int) -> bool:
    """Nobody's child any more, or only not yet waited for."""
    try:
        return ") Z " in Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return True


RUN = {"do": "run", "csms": "ws://x"}


def added(identity: str) -> dict[str, str]:
    return {"do": "add", "charge_point": identity}


def test_charge_points_come_and_go_and_their_calls_are_told(tmp_path: Path) -> None:
    told, heard = driven(
        tmp_path,
        "good",
        """
fleet.add("A"); fleet.add("B")
wait_until(lambda: len(calls) == 4)
fleet.remove("A"); fleet.remove("A"); fleet.remove("nobody")
fleet.close()
print(json.dumps([calls[:2], losses, fleet.process_id]))
""",
    )
    assert told == [[["BootNotification", 0.012, "result", ""], ["Heartbeat", 0.5, "error", "InternalError"]], [], None]
    assert heard == [RUN, added("A"), added("B"), {"do": "remove", "charge_point": "A"}, {"do": "stop"}]


def test_a_child_that_dies_is_begun_again_with_its_charge_points(tmp_path: Path) -> None:
    told, heard = driven(
        tmp_path,
        "dies once",
        """
fleet.add("A")
wait_until(lambda: losses)
fleet.add("B")
wait_until(lambda: len(calls) == 6)
fleet.close()
print(json.dumps(losses))
""",
    )
    assert told == [["the process with the charge points ended with exit code 3", False]]
    assert heard[:2] == [RUN, added("A")]
    assert heard[2:] == [RUN, added("A"), added("B"), {"do": "stop"}]


def test_a_child_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    told, heard = driven(
        tmp_path,
        "dies",
        """
fleet.add("A")
wait_until(lambda: losses and losses[-1][1])
try:
    fleet.add("B")
except FleetLost as error:
    losses.append(str(error))
fleet.close()
print(json.dumps(losses))
""",
    )
    why = "the process with the charge points ended with exit code 3"
    given_up = f"{why}; given up after 4 beginnings"
    assert told == [*[[why, False]] * 3, [given_up, True], given_up]
    assert heard == [RUN, added("A")] * 4


def test_a_command_that_is_not_there_is_a_loss(tmp_path: Path) -> None:
    told, _ = driven(
        tmp_path,
        "good",
        """
command[:] = ["/nowhere/at/all"]
fleet = ChildFleet(command, first, calls.append, lambda *lost: losses.append((str(lost[0]), lost[1])), pause=0.01)
fleet.add("A")
wait_until(lambda: len(losses) == 4)
fleet.close()
print(json.dumps(losses[0]))
""",
    )
    assert told[0].startswith("the process with the charge points cannot be begun: ")


def test_a_child_that_tells_what_cannot_be_is_lost(tmp_path: Path) -> None:
    told, _ = driven(
        tmp_path,
        "lies",
        """
fleet.add("A")
wait_until(lambda: losses)
fleet.close()
print(json.dumps([losses[0], calls[:3]]))
""",
    )
    assert told[0] == [
        "the process with the charge points told what cannot be: seconds of a call must be a number from 0 on, not -1",
        False,
    ]
    assert [call[0] for call in told[1]][:2] == ["BootNotification", "Heartbeat"], "what was told before counts"


def test_a_child_that_tells_of_a_story_that_cannot_be_is_lost(tmp_path: Path) -> None:
    told, _ = driven(
        tmp_path,
        "invents",
        """
fleet.add("A")
wait_until(lambda: losses)
fleet.close()
print(json.dumps(losses[0]))
""",
    )
    why, is_final = told
    assert why.endswith("told what cannot be: seconds of a story must be a number from 0 on, not long")
    assert is_final is False


def test_a_child_that_says_why_it_fails_is_quoted(tmp_path: Path) -> None:
    told, _ = driven(
        tmp_path,
        "fails",
        """
fleet.add("A")
wait_until(lambda: losses)
fleet.close()
print(json.dumps(losses[0]))
""",
    )
    assert told == ["the process with the charge points could not go on: no room", False]


def test_a_child_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    told, heard = driven(
        tmp_path,
        "deaf",
        """
locust_child.WRITING = 0.3
fleet.add("A")
wait_until(lambda: fleet.process_id)
fleet.add("B" * 1_000_000)
wait_until(lambda: losses)
locust_child.GRACE = 0.3
fleet.close()
print(json.dumps(losses[0]))
""",
    )
    assert told == ["the process with the charge points was killed by signal 9", False]
    assert heard[0] == RUN


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    code = 'fleet.add("A"); wait_until(lambda: calls); print(fleet.process_id, flush=True); gevent.sleep(3600)'
    command = json.dumps([sys.executable, fake_fleet.__file__, str(heard), "good"])
    with subprocess.Popen([sys.executable, "-c", DRIVER + code, command], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: heard.read_text().endswith("end of input\n"))
    wait_until(lambda: is_gone(child))


CHECK = """
import sys
from ocpp16.load.locust_child import _calls, _links, _read
try:
    told = _read(sys.stdin.buffer.read())
    _calls(told), _links(told)
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[]", "a line must be an object, not []"),
        (b"no json", "Expecting value: line 1 column 1 (char 0)"),
        (b"[" * 200_000, "a line is nested too deeply"),
        (b'{"calls": {}}', "calls must be a list, not {}"),
        (b'{"calls": [7]}', "a call must be a list of action, seconds and outcome, not 7"),
        (b'{"calls": [["A", 1]]}', "a call must be a list of action, seconds and outcome, not ['A', 1]"),
        (b'{"calls": [["", 1, "result"]]}', "an action must be a text, not "),
        (b'{"calls": [["A", NaN, "result"]]}', "seconds of a call must be a number from 0 on, not nan"),
        (b'{"calls": [["A", true, "result"]]}', "seconds of a call must be a number from 0 on, not True"),
        (b'{"calls": [["A", 1, []]]}', "an outcome must be one of error, lost, result, timeout, not []"),
        (b'{"links": [["refused"]]}', "links must be a list of reason and count, not ['refused']"),
        (b'{"links": [["", 1e9]]}', "links must be so many times from 1 to 100,000, not 1000000000.0"),
    ],
)
def test_what_a_child_tells_is_checked(line: bytes, why: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], input=line, capture_output=True, timeout=PATIENCE, check=True)
    assert done.stdout.decode().rstrip("\n") == why

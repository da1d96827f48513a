"""Locust drives charge points. All of it elsewhere: what Locust does to its process must not be done to ours."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fake_fleet
import pytest
import trio
from patience import PATIENCE

from ocpp16.load.locust_command import LOCUSTFILE, LocustMissing, master, worker
from ocpp16.testing import CentralSystem

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


def driven(tmp_path: Path, mode: str, code: str, driver: str = DRIVER) -> tuple[Any, list[Any]]:
    """What the code prints of a fleet whose child behaves so, and what the child was told."""
    heard = tmp_path / "heard"
    command = json.dumps([sys.executable, fake_fleet.__file__, str(heard), mode])
    done = subprocess.run(
        [sys.executable, "-c", driver + code, command], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    lines = heard.read_text().splitlines() if heard.exists() else []
    return json.loads(done.stdout), [json.loads(line) if line.startswith("{") else line for line in lines]


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
from ocpp16.load.locust_child import _calls, _read
try:
    _calls(_read(sys.stdin.buffer.read()))
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
    ],
)
def test_what_a_child_tells_is_checked(line: bytes, why: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], input=line, capture_output=True, timeout=PATIENCE, check=True)
    assert done.stdout.decode().rstrip("\n") == why


def test_importing_it_loads_no_trio() -> None:
    code = "import sys, ocpp16.load.locust; print('trio' in sys.modules, 'locust' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "False True\n"


ALONE = """
import json, sys
import gevent
from locust.env import Environment
from ocpp16.load import locust as adapter, locust_child
from ocpp16.load.locust import ChargePointUser

locust_child.PAUSE = 0.01
locust_child.ChildFleet.__init__.__kwdefaults__["pause"] = 0.01

class Depot(ChargePointUser):
    host = "ws://csms.example"
    charge_point = "DEPOT-{worker}-{number}"
    command = json.loads(sys.argv[1])

def wait_until(condition):
    with gevent.Timeout(60):
        while not condition():
            gevent.sleep(0.01)

environment = Environment(user_classes=[Depot], catch_exceptions=False)
runner = environment.create_local_runner()
errors = []
environment.events.user_error.add_listener(lambda user_instance, exception, tb: errors.append(str(exception)))
stats = runner.stats
"""
"""Locust in one process, without master and page."""


def alone(tmp_path: Path, mode: str, code: str) -> tuple[Any, list[Any]]:
    return driven(tmp_path, mode, code, ALONE)


def test_a_user_is_a_charge_point_and_a_call_a_request(tmp_path: Path) -> None:
    told, heard = alone(
        tmp_path,
        "good",
        """
runner.start(3, spawn_rate=1000)
wait_until(lambda: stats.total.num_requests == 6)
runner.start(1, spawn_rate=1000)
wait_until(lambda: runner.user_count == 1)
runner.start(2, spawn_rate=1000)
wait_until(lambda: stats.total.num_requests == 8)
runner.stop()
environment.events.quitting.fire(environment=environment)
child = getattr(environment, adapter.PLACE) or not getattr(environment, adapter.GOING).ready()
found = stats.entries.items()
rows = {name: [one.num_requests, one.num_failures, one.max_response_time] for (name, kind), one in found}
failures = [[one.method, one.name, str(one.error), one.occurrences] for one in stats.errors.values()]
print(json.dumps([rows, failures, child, errors]))
runner.start(2, spawn_rate=1000)
wait_until(lambda: stats.total.num_requests == 4)
runner.quit()
""",
    )
    rows, failures, child, errors = told
    assert rows == {"BootNotification": [4, 0, 12], "Heartbeat": [4, 4, 500]}
    assert [one[:2] + one[3:] for one in failures] == [["OCPP", "Heartbeat", 4]]
    assert "CALLERROR InternalError" in failures[0][2]
    assert child is False, "none is left after the test"
    assert errors == []
    assert heard[0] == {"do": "run", "csms": "ws://csms.example", "tell_calls": True}
    names = [line["charge_point"] for line in heard if line["do"] == "add"]
    assert sorted(names[:3]) == ["DEPOT-0-1", "DEPOT-0-2", "DEPOT-0-3"]
    removed = [line["charge_point"] for line in heard if line["do"] == "remove"]
    assert names[3] == min(removed[:2]), "the least number that is free"
    assert [line["do"] for line in heard].count("run") == 2, "the next test has a child of its own"


def test_users_of_a_child_that_is_given_up_fail_and_end(tmp_path: Path) -> None:
    told, _ = alone(
        tmp_path,
        "dies",
        """
runner.start(2, spawn_rate=1000)
wait_until(lambda: errors and errors[-1].endswith("given up after 4 beginnings"))
wait_until(lambda: runner.user_count == 0)
failures = [[one.name, one.occurrences] for one in stats.errors.values() if one.name.startswith("process")]
runner.start(1, spawn_rate=1000)
wait_until(lambda: len(errors) > 8)
print(json.dumps([errors, failures]))
runner.quit()
""",
    )
    errors, failures = told
    why = "the process with the charge points ended with exit code 3"
    assert set(errors) == {why, f"{why}; given up after 4 beginnings"}
    assert sum(occurrences for _, occurrences in failures) == 4


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("Depot.host = None", "no host: give the address of the Central System"),
        (
            "class Other(Depot): host = 'ws://other.example'\nenvironment.user_classes.append(Other)",
            "their hosts differ",
        ),
    ],
)
def test_users_without_one_central_system_are_told(tmp_path: Path, code: str, why: str) -> None:
    told, _ = alone(
        tmp_path,
        "good",
        f"""
{code}
users = [kind(environment) for kind in environment.user_classes]
for user in users:
    try:
        user.on_start()
    except Exception as error:
        errors.append(f"{{type(error).__name__}}: {{error}}")
environment.events.test_stop.fire(environment=environment)
print(json.dumps(errors))
""",
    )
    assert len(told) == 1
    assert told[0].startswith("FleetLost: ")
    assert why in told[0]


def test_commands_of_locust() -> None:
    start = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)]
    assert master("ws://csms", 10) == [*start, "--master", "--host", "ws://csms", "--users", "10"]
    assert master("ws://csms", 10, 2.5, 90.2, ["--headless"])[-5:] == [
        "--spawn-rate",
        "2.5",
        "--run-time",
        "90s",
        "--headless",
    ]
    assert worker("10.0.0.1") == [*start, "--worker", "--master-host", "10.0.0.1"]
    assert worker("h:5557", ["--loglevel", "DEBUG"])[-6:] == [
        "--master-host",
        "h",
        "--master-port",
        "5557",
        "--loglevel",
        "DEBUG",
    ]
    assert worker("[::1]")[-2:] == ["--master-host", "::1"]
    assert worker("[::1]:80")[-4:] == ["--master-host", "::1", "--master-port", "80"]
    for wrong in ("", ":5557", "h:0", "h:65536", "h:x", "h:²", "h:", "::1", "[]", "a b"):
        with pytest.raises(ValueError, match="HOST:PORT"):
            worker(wrong)


def test_locust_is_missed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp16.load.locust_command.find_spec", lambda name: None)
    with pytest.raises(LocustMissing, match=r"ocpp16\[locust\]"):
        master("ws://csms", 1)


PAGE = Path(__file__).parents[2] / "docs" / "locust.md"


def locust(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "locust", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.world
@pytest.mark.real_time
async def test_a_master_and_two_workers_drive_charge_points(tmp_path: Path) -> None:
    """All of it real, with the file for Locust that the page shows."""
    shown = re.search(r"^```py\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    (tmp_path / "locustfile.py").write_text(shown[1])
    with socket.create_server(("127.0.0.1", 0)) as free:
        of_master = str(free.getsockname()[1])
    file = ("-f", "locustfile.py")
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        workers = [locust(*file, "--worker", "--master-port", of_master, folder=tmp_path) for _ in range(2)]
        master = locust(
            *file,
            *("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", of_master, "--headless", "--json"),
            *("--expect-workers", "2", "--users", "10", "--spawn-rate", "50"),
            *("--host", f"ws://127.0.0.1:{port}/ocpp"),
            folder=tmp_path,
        )
        ended: dict[str, tuple[str, str]] = {}
        async with trio.open_nursery() as nursery:
            for name, one in {"master": master, "worker 0": workers[0], "worker 1": workers[1]}.items():
                nursery.start_soon(_wait, name, one, ended)
            try:
                await csms.wait_for_call("BootNotification", 10, timeout=PATIENCE)
                await csms.wait_for_call("StatusNotification", 20, timeout=PATIENCE)
                await trio.sleep(1)  # until the answers are told, too
            finally:
                master.terminate()
    assert [one.returncode for one in (master, *workers)] == [0, 0, 0], ended
    rows = {row["name"]: row for row in json.loads(ended["master"][0])}
    boots = rows["BootNotification"]
    assert boots["method"] == "OCPP"
    assert boots["num_requests"] == 10
    assert boots["num_failures"] == 0
    assert 0 < boots["min_response_time"] < boots["max_response_time"] < PATIENCE * 1000
    assert rows["StatusNotification"]["num_requests"] >= 20, "of connectors 0 and 1 of each"
    expected = {f"CP{worker:02}{number:05}" for worker in (0, 1) for number in range(1, 6)}
    assert {call.identity for call in csms.calls("BootNotification")} == expected


async def _wait(name: str, process: subprocess.Popen[str], ended: dict[str, tuple[str, str]]) -> None:
    ended[name] = await trio.to_thread.run_sync(process.communicate)

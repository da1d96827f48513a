"""Locust drives charge points. All of it elsewhere: what Locust does to its process must not be done to ours."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import fake_fleet
import pytest
import trio
from patience import PATIENCE

from ocpp16.load.locust_command import LOCUSTFILE, LocustMissing, master, worker
from ocpp16.testing import CentralSystem


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
    return fake_fleet.driven(tmp_path, mode, ALONE + code)


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


def test_a_scenario_of_a_user_is_a_request_as_well(tmp_path: Path) -> None:
    told, heard = alone(
        tmp_path,
        "good",
        """
class Office(Depot):
    charge_point = "OFFICE-{number}"
    scenario = "office-day"
    values = {"card": "A"}

contexts = []
environment.events.request.add_listener(lambda context, **more: contexts.append(context))
for kind in (Office, Office, Depot):
    kind(environment).on_start()
wait_until(lambda: stats.total.num_requests == 8)
row = stats.get("office-day", "scenario")
failures = [[one.method, one.name, str(one.error)] for one in stats.errors.values() if one.method == "scenario"]
played = getattr(environment, adapter.VERDICT).played
row = [row.num_requests, row.num_failures, row.max_response_time]
print(json.dumps([row, failures, [c for c in contexts if c], played]))
environment.events.test_stop.fire(environment=environment)
getattr(environment, adapter.GOING).join()
""",
    )
    row, failures, contexts, played = told
    assert row == [2, 1, 1500]
    assert played == {"office-day": 2}
    assert [one[:2] for one in failures] == [["scenario", "office-day"]]
    assert "not met: step 1: wait_sent" in failures[0][2]
    assert contexts == [
        {"charge_point": "OFFICE-1", "why": ""},
        {"charge_point": "OFFICE-2", "why": "for 9 s"},
    ]
    added = [line for line in heard if line["do"] == "add"]
    more = {"scenario": "office-day", "values": {"card": "A"}}
    assert added == [
        {"do": "add", "charge_point": "OFFICE-1", "number": 1, **more},
        {"do": "add", "charge_point": "OFFICE-2", "number": 2, **more},
        {"do": "add", "charge_point": "DEPOT-0-3"},
    ]


def test_connections_are_requests_without_a_time(tmp_path: Path) -> None:
    told, _ = alone(
        tmp_path,
        "links",
        """
Depot(environment).on_start()
wait_until(lambda: stats.total.num_requests == 5)
row = stats.get("connection", "WebSocket")
failures = [[one.name, str(one.error), one.occurrences] for one in stats.errors.values() if one.method == "WebSocket"]
print(json.dumps([row.num_requests, row.num_none_requests, failures, stats.total.avg_response_time]))
environment.events.test_stop.fire(environment=environment)
getattr(environment, adapter.GOING).join()
""",
    )
    requests, without_time, failures, average = told
    assert (requests, without_time) == (3, 3)
    assert [(name, times) for name, _, times in failures] == [("connection", 2)]
    assert failures[0][1] == "handshake 503"
    assert average == (12 + 500) / 2, "that of the calls alone"


NAMES = {
    "DEPOT": "must have {number}, which tells one from the next",
    "DEPOT-{nr}": "is no pattern: KeyError('nr')",
    "DEPOT-{number": "is no pattern: ValueError(",
    "DEPOT-{number}": "must have {worker}: others have the same numbers",
}


def test_charge_points_that_would_have_one_name_are_refused(tmp_path: Path) -> None:
    told, _ = alone(
        tmp_path,
        "good",
        f"""
from types import SimpleNamespace
from locust.runners import WorkerRunner

def why(runner, pattern):
    try:
        return adapter.LocustFleet(SimpleNamespace(runner=runner), [], "ws://csms.example", {{}})._name(pattern, 1)
    except adapter.FleetLost as error:
        return str(error)

worker = WorkerRunner.__new__(WorkerRunner)
print(json.dumps([[why(worker, pattern) for pattern in {[*NAMES]!r}], why(runner, "DEPOT-{{number}}")]))
""",
    )
    of_worker, alone_there = told
    assert [name in why for name, why in zip(NAMES.values(), of_worker, strict=True)] == [True] * 4
    assert alone_there == "DEPOT-1"


MASTER = """
import locust
from locust.runners import STATE_MISSING, STATE_RUNNING, WorkerNode
environment = Environment(user_classes=[Depot], events=locust.events)
runner = environment.create_master_runner("127.0.0.1", 0)
runner.quit = lambda: None
environment.events.init.fire(environment=environment)
for name, state in (("a", STATE_RUNNING), ("b", STATE_MISSING)):
    runner.clients[name] = WorkerNode(name, state=state)
report = lambda worker, played: environment.events.worker_report.fire(
    client_id=worker, data={"user_classes_count": {}, "ocpp16": played}
)
judge = lambda: environment.events.quitting.fire(environment=environment, reverse=True)
adapter.LOOK = 0.01
"""


def test_a_master_whose_worker_is_lost_or_whose_scenario_never_ended_has_failed(tmp_path: Path) -> None:
    told, _ = alone(
        tmp_path,
        "good",
        MASTER
        + """
codes = []
def judged():
    environment.process_exit_code = None
    judge()
    codes.append(environment.process_exit_code)

gevent.sleep(1)
judged()  # b was missing before the test began
environment.events.test_start.fire(environment=environment)
report("a", {"soak": 0, "boot": 1})
report("b", {"soak": 1})
judged()
report("b", {"soak": 0})
judged()
report("a", {"soak": 1})
runner.state = STATE_RUNNING
verdict = getattr(environment, adapter.VERDICT)
wait_until(lambda: verdict.problems(["a"]))
judged()
runner.clients["b"].state = STATE_RUNNING  # it was only slow
judged()
print(json.dumps(codes))
""",
    )
    assert told == [None, None, 1, 1, None]


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

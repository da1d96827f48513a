"""The plugin as pytest runs it, in projects of others: each a process of its own."""

from typing import Any

import pytest
from host_faces import Server

from ocpp16.lint.trace import Trace
from ocpp16.testing import Fault


@pytest.fixture
def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/ocpp"


def test_fixtures_serve_tests_of_every_kind(project: Any, url: str, server: Server) -> None:
    project.write(
        "test_kinds.py",
        """
import asyncio
import anyio
import pytest
import sniffio

def charges(charge_point):
    charge_point.plug_in(1, plug_after=0)
    charge_point.present_id_tag("CARD1")

def test_plain(charge_point):
    charge_point.wait_registered()
    charges(charge_point)
    assert charge_point.wait_sent("StartTransaction").answer["transactionId"] > 0

@pytest.mark.asyncio
async def test_asyncio(charge_point):
    await charge_point.wait_registered()
    charges(charge_point)
    assert (await charge_point.wait_sent("StartTransaction")).answer["transactionId"] > 0

def test_a_loop_of_its_own(charge_point):
    async def main():
        await charge_point.wait_registered()
        charges(charge_point)
        return await charge_point.wait_sent("StartTransaction")
    assert asyncio.run(main()).answer["transactionId"] > 0

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio", "asyncio"])
async def test_anyio(charge_point, anyio_backend):
    assert sniffio.current_async_library() == anyio_backend
    async with anyio.create_task_group() as group:
        group.start_soon(charge_point.wait_registered)
    charges(charge_point)
    assert (await charge_point.wait_sent("StartTransaction")).answer["transactionId"] > 0

@pytest.mark.trio
async def test_trio(charge_point):
    assert sniffio.current_async_library() == "trio"
    await charge_point.wait_registered()

@pytest.mark.ocpp16(count=3, id="F-{worker}-{number}", blueprint="ac-22kw-twin")
def test_fleet(fleet, charge_point_factory):
    one = charge_point_factory("ONE", blueprint="ac-hub")
    fleet.wait_registered()
    assert len(fleet) == 4 and fleet["ONE"] is one
    one.wait_status(12, "Available")

@pytest.mark.ocpp16(keys={"Core": {"ResetRetries": 1}})
class TestMarked:
    @pytest.mark.ocpp16(keys={"Core": {"ConnectionTimeOut": 2}}, end="cut")
    def test_keys(self, charge_point):
        told = charge_point.get_configuration(["ResetRetries", "ConnectionTimeOut"])["configurationKey"]
        assert sorted(row["value"] for row in told) == ["1", "2"]

def test_shared_1(module_fleet):
    module_fleet.add("SHARED").wait_registered()

def test_shared_2(module_fleet, session_fleet):
    module_fleet["SHARED"].wait_registered()
    assert len(session_fleet) == 0
""",
    )
    outcome = project.run("-o", "asyncio_mode=strict", url=url, plugins=("anyio", "pytest_trio.plugin"))
    assert outcome == {"passed": 10, "code": 0}, project.text
    boots = {call.identity for call in server.system.calls("BootNotification")}
    assert {"ONE", "SHARED", "PYTEST-main-1"} <= boots
    stopped = [call.payload["reason"] for call in server.system.calls("StopTransaction")]
    assert set(stopped) == {"Other"}
    assert len(stopped) == 2, "a test in a loop leaves its charge point as a power failure would"


def test_workers_of_xdist_have_ids_of_their_own(project: Any, url: str, server: Server) -> None:
    project.write(
        "test_many.py",
        """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_one(charge_point, number):
    charge_point.wait_registered()
""",
    )
    assert project.run("-n", "2", url=url, plugins=("xdist",)) == {"passed": 6, "code": 0}, project.text
    boots = [call.identity for call in server.system.calls("BootNotification")]
    assert len(boots) == len(set(boots)) == 6
    assert {name.split("-")[1] for name in boots} == {"gw0", "gw1"}


def test_without_a_fixture_nothing_of_the_library_is_loaded(project: Any) -> None:
    project.write(
        "test_light.py",
        """
import sys

def test_nothing():
    ours = {name for name in sys.modules if name.startswith("ocpp16.")}
    assert ours == {"ocpp16._version", "ocpp16.pytest_plugin", "ocpp16.pytest_plugin.settings"}
    assert not {"trio", "orjson", "wsproto"} & set(sys.modules)
""",
    )
    assert project.run() == {"passed": 1, "code": 0}, project.text


def test_a_failure_shows_the_traffic_and_writes_it(project: Any, url: str) -> None:
    project.write(
        "test_wrong.py",
        """
import pytest

@pytest.mark.ocpp16(id="CP1", timeout=0.2)
def test_wrong(charge_point, charge_point_factory):
    charge_point.wait_registered(30)
    charge_point.wait_sent("StartTransaction")

def test_right(charge_point):
    charge_point.wait_registered()

@pytest.mark.parametrize("ocpp16_url", ["ws://127.0.0.1:1/nobody"])
def test_nothing_was_said(charge_point):
    raise RuntimeError("not ours")

@pytest.fixture
def broken(charge_point):
    charge_point.wait_registered()
    raise RuntimeError("not ours")

def test_setup(broken):
    pass
""",
    )
    outcome = project.run("--ocpp16-trace-dir=traces", url=url)
    assert outcome == {"passed": 1, "failed": 2, "error": 1, "code": 1}, project.text
    assert "CP1: StartTransaction sent was not seen within 0.2 s; it is connected, and Accepted" in project.text
    assert "- ocpp16 CP1 -" in project.text
    assert "watch.py" not in project.text, "the inside of the plugin says nothing to the author of a test"
    files = sorted(path.name for path in (project.folder / "traces").iterdir())
    assert files == ["test_wrong.py-test_setup-PYTEST-main-4.jsonl", "test_wrong.py-test_wrong-CP1.jsonl"]
    trace = Trace(project.folder / "traces" / files[1])
    assert [frame.action for frame in trace][:2] == ["BootNotification", "BootNotification"]
    assert trace.wrong == []
    assert f"traces/{files[1]}" in project.text


def test_what_is_not_awaited_fails_the_test(project: Any, url: str) -> None:
    project.write(
        "test_forgotten.py",
        """
async def test_forgotten(charge_point):
    await charge_point.wait_registered()
    charge_point.wait_status(1, "Charging")
""",
    )
    assert project.run(url=url) == {"failed": 1, "code": 1}, project.text
    assert "wait_status(1, 'Charging') was never awaited: it has checked nothing" in project.text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ocpp16-timeout=never"], "ERROR: --ocpp16-timeout: timeout must be a number of seconds, not 'never'"),
        (["-o", "ocpp16_lint=loud"], "ERROR: ini option ocpp16_lint: lint must be error, warning or off, not 'loud'"),
        ([], "which Central System is to be tested? Say so by --ocpp16-url=ws://"),
        (["--ocpp16-url=localhost:9000"], "ocpp16_url must be a text that begins with ws:// or wss://, not 'localhost"),
    ],
)
def test_what_cannot_be_set_is_said(project: Any, options: list[str], told: str) -> None:
    project.write("test_any.py", "def test_any(charge_point):\n    pass\n")
    assert project.run(*options)["code"] != 0
    assert told in project.text
    assert "INTERNALERROR" not in project.text


def test_a_wrong_marker_is_said(project: Any, url: str) -> None:
    project.write(
        "test_any.py",
        """
import pytest

@pytest.mark.ocpp16("CP1")
def test_by_place(charge_point):
    pass

@pytest.mark.ocpp16(lint_ignore=["schemas"])
def test_unknown_rule(charge_point):
    charge_point.wait_registered()

@pytest.mark.ocpp16(kind=1)
def test_unknown_argument(charge_point):
    pass

def test_goes_on(charge_point):
    charge_point.wait_registered()
""",
    )
    counted = project.run(url=url)
    assert (counted["passed"], counted.get("error", 0) + counted.get("failed", 0)) == (1, 3), (
        "what is wrong in one ends not all"
    )
    assert "the marker ocpp16 has no argument kind; did you mean" in project.text
    assert "the marker ocpp16 takes arguments by name only, as in id='CP1'" in project.text
    assert "lint_ignore: there is no rule 'schemas'; did you mean schema?" in project.text
    assert "INTERNALERROR" not in project.text


def test_the_linter_fails_tests_unless_it_is_told_otherwise(project: Any, url: str, server: Server) -> None:
    server.system.answers["Authorize"] = {"idTagInfo": {"status": "Perhaps"}}
    project.write(
        "test_lint.py",
        """
import pytest

def asks(charge_point):
    charge_point.wait_registered()
    charge_point.present_id_tag("CARD1")
    charge_point.wait_sent("Authorize")

def test_default(charge_point):
    asks(charge_point)

@pytest.mark.ocpp16(lint="off")
def test_off(charge_point):
    asks(charge_point)

@pytest.mark.ocpp16(lint_ignore=["schema"])
def test_ignored(charge_point):
    asks(charge_point)

def test_shared_by_many(module_fleet):
    asks(module_fleet.add("SHARED"))

def test_told_once(module_fleet):
    module_fleet["SHARED"].wait_registered()
""",
    )
    assert project.run(url=url) == {"failed": 2, "passed": 3, "code": 1}, project.text
    text = project.text
    assert "PYTEST-main-1: error of the Central System, rule schema (OCPP 1.6 6, 7): " in text
    assert '← [3,"' in text
    assert "FAILED test_lint.py::test_default" in text
    assert "FAILED test_lint.py::test_shared_by_many" in text
    assert "short test summary" in text


def test_an_answer_that_nobody_asked_for_is_found(project: Any, url: str, server: Server) -> None:
    server.system.misbehave(Fault.DUPLICATE, "Heartbeat")
    project.write(
        "test_twice.py",
        """
def test_twice(charge_point):
    charge_point.wait_registered()
    charge_point.heartbeat()
    charge_point.wait_sent("Heartbeat")
    charge_point.data_transfer("V")
""",
    )
    assert project.run(url=url) == {"failed": 1, "code": 1}, project.text
    assert "error of the Central System, rule answered-twice (OCPP-J 4.1.1)" in project.text


def test_a_plain_test_beside_a_central_system_in_a_loop_is_told_why_it_waits_in_vain(project: Any) -> None:
    project.write(
        "test_asleep.py",
        """
import asyncio
import pytest
import pytest_asyncio

@pytest_asyncio.fixture
async def csms():
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0) as server:
        yield server

@pytest_asyncio.fixture
async def ocpp16_url(csms):
    return f"ws://127.0.0.1:{csms.sockets[0].getsockname()[1]}/ocpp"

def test_plain(charge_point):
    charge_point.wait_registered(timeout=0.2)

@pytest.mark.asyncio
async def test_async(charge_point):
    await charge_point.wait_registered(timeout=0.2)
""",
    )
    outcome = project.run("-o", "ocpp16_end=cut")
    assert outcome["failed"] == 2
    told = [line for line in project.text.splitlines() if "not seen within" in line and line.startswith("E ")]
    assert all("it is not connected (its attempt to connect was not answered yet)" in line for line in told)
    assert len(told) == 2
    named = "The fixtures csms, ocpp16_url are asynchronous: a Central System"
    # Where pytest thinks it runs in CI its summary has each failure once more.
    assert [named in line for line in project.text.splitlines() if line.startswith("E ")].count(True) == 1

"""The programs of the tutorials, as they lie in docs/examples: run as their pages say, against a Central System
that shares no code with us, in a process of its own. What a page says that is printed is printed."""

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from patience import PATIENCE
from programs import CentralSystemProgram
from typed_program import TypedProgram, status

pytestmark = pytest.mark.world

DOCS = Path(__file__).resolve().parents[2] / "docs"
Folders = Callable[[str], Path]
HOSTS = ("firmware-trio", "firmware-asyncio", "firmware-threads")
NOTHING_FLOWS = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "ChargePointMaxProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
    },
}


def blocks(page: str, language: str) -> list[list[str]]:
    """The lines of the blocks of a page of one language."""
    text = (DOCS / page).read_text()
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in found]


def pattern(line: str) -> str:
    """What is left out on a page, …, may be anything."""
    return ".*".join(map(re.escape, line.split("…")))


# Firmware


@pytest.mark.parametrize("example", HOSTS)
def test_the_first_program_is_accepted_and_ends_in_order(
    example: str, csms: CentralSystemProgram, folder_of: Folders
) -> None:
    with TypedProgram("first.py", f"{csms.url}/", folder=folder_of(example)) as program:
        program.prints("accepted; Ctrl-C ends this")
        boot = csms.wait_for_request("BootNotification")
        assert boot == {"chargePointVendor": "Example", "chargePointModel": "Wallbox"}
        status(csms, 1, "Available")
        assert program.ends(signal.SIGINT) == 0
        assert program.lines[-1] == "ended in order"


def test_a_method_that_is_misspelt_is_named(folder_of: Folders) -> None:
    folder = folder_of("firmware-trio")
    text = (folder / "first.py").read_text().replace("def unlock_connector", "def unlock_conector")
    (folder / "first.py").write_text(text)
    (said,) = [line for lines in blocks("tutorials/firmware-trio.md", "text") for line in lines if "Error:" in line]
    with TypedProgram("first.py", folder=folder) as program:
        assert program.ends() == 1
        assert said in program.lines[-1]


@pytest.mark.parametrize("example", HOSTS)
def test_the_wallbox_charges_obeys_and_survives(example: str, csms: CentralSystemProgram, folder_of: Folders) -> None:
    folder = folder_of(example)
    arguments = ("wallbox.py", f"{csms.url}/")
    with TypedProgram(*arguments, folder=folder) as wallbox:
        status(csms, 1, "Available")
        wallbox.typed("plug")
        wallbox.typed("plug")
        status(csms, 1, "Preparing")
        wallbox.typed("card ABC")
        wallbox.prints("^welcome$")
        assert csms.wait_for_request("StartTransaction")["idTag"] == "ABC"
        status(csms, 1, "Charging")
        answer = csms.call("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": NOTHING_FLOWS})
        assert answer == {"status": "Accepted"}
        status(csms, 1, "SuspendedEVSE")
        assert csms.call("ClearChargingProfile") == {"status": "Accepted"}
        status(csms, 1, "Charging", 2)
        wallbox.typed("card OTHER")
        wallbox.prints("^not free$")
        wallbox.typed("card abc")
        wallbox.prints("^stopped$")
        stopped = csms.wait_for_request("StopTransaction")
        assert (stopped["reason"], stopped["idTag"]) == ("Local", "abc")
        status(csms, 1, "Finishing")
        wallbox.typed("unplug")
        status(csms, 1, "Available", 2)
        wallbox.typed("plug")
        status(csms, 1, "Preparing", 2)
        assert csms.call("RemoteStartTransaction", {"idTag": "R", "connectorId": 1}) == {"status": "Accepted"}
        assert csms.wait_for_request("StartTransaction", 2)["idTag"] == "R"
        status(csms, 1, "Charging", 3)
        wallbox.process.kill()
        wallbox.process.wait()
    with TypedProgram(*arguments, folder=folder) as wallbox:
        assert csms.wait_for_request("StopTransaction", 2)["reason"] == "PowerLoss"
        status(csms, 1, "Available", 3)
        assert csms.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        csms.wait_for_request("BootNotification", 3)
        status(csms, 1, "Available", 4)
        wallbox.typed("card ABC")
        wallbox.prints("^welcome$")
        assert wallbox.ends(signal.SIGTERM) == 0, wallbox.text
    # The kill may have come before the answer was on disk: then the request came once more, with the same content.
    assert {one["idTag"] for one in csms.received("StartTransaction")} == {"ABC", "R"}


def test_the_wallbox_charges_a_known_card_without_a_central_system(
    csms: CentralSystemProgram, folder_of: Folders
) -> None:
    folder = folder_of("firmware-trio")
    program = folder / "wallbox.py"
    soon = (
        '"Internal": {"RetryBackoffWaitMinimum": 1, "RetryBackoffRandomRange": 0,'  # else it is away for half a minute
    )
    program.write_text(program.read_text().replace('"Internal": {', soon))
    with TypedProgram(program.name, f"{csms.url}/", folder=folder) as wallbox:
        status(csms, 1, "Available")
        for number, line in enumerate(("plug", "card ABC", "card ABC", "unplug"), 1):
            wallbox.typed(line)
            if line.startswith("card"):
                wallbox.prints("^(welcome|stopped)$", number - 1)
        csms.wait_for_request("StopTransaction")
        csms.do("stop")
        wallbox.prints("no connection|connection lost|Connection refused")
        for line in ("plug", "card NEW", "card ABC"):
            wallbox.typed(line)
        assert wallbox.prints("^refused: ") != "refused: Invalid, "
        wallbox.prints("^welcome$", 2)
        wallbox.typed("card ABC")
        wallbox.prints("^stopped$", 2)
        csms.do("listen")
        assert csms.wait_for_request("StartTransaction", 2)["idTag"] == "ABC"
        assert csms.wait_for_request("StopTransaction", 2)["reason"] == "Local"
        assert wallbox.ends() == 0, wallbox.text


def test_the_page_of_the_wallbox_tells_what_is_printed(folder_of: Folders) -> None:
    """Against the Central System of the page, with what the page has typed into it."""
    said = [*blocks("tutorials/firmware-trio.md", "text"), *blocks("tutorials/parts/try.md", "text")]
    (order,) = [line for lines in said for line in lines if line.startswith("call ")]
    wanted = [line for lines in said for line in lines if line.startswith("wallbox ")]
    folder = folder_of("firmware-trio")
    central = ("-m", "ocpp16", "central-system", "--port", "0", "--control")
    with TypedProgram(*central, folder=folder.parent) as csms:
        url = csms.prints("listening on ws://").rpartition(" ")[2]
        with TypedProgram("wallbox.py", url, folder=folder) as wallbox:
            csms.prints("connectorId=1 .*status=Available")
            wallbox.typed("plug")
            csms.prints("status=Preparing")
            wallbox.typed("card ABC")
            csms.prints("status=Charging")
            csms.prints("→ MeterValues")
            csms.typed(order)
            csms.prints("status=SuspendedEVSE")
            csms.typed("call wallbox ClearChargingProfile {}")
            csms.prints("status=Charging", 2)
            wallbox.process.kill()
            wallbox.process.wait()
        with TypedProgram("wallbox.py", url, folder=folder) as wallbox:
            csms.prints("reason=PowerLoss")
            assert wallbox.ends() == 0
        assert len(wanted) > 10
        assert [line for line in wanted if not re.search(pattern(line), csms.text)] == []
    assert list((folder / "logs").glob("*.html"))
    assert (folder / "data" / "wallbox.db").exists()


# What others have


def test_the_port_of_an_integration_of_libocpp(csms: CentralSystemProgram, folder_of: Folders) -> None:
    with TypedProgram("integration.py", f"{csms.url}/", folder=folder_of("from-libocpp")) as program:
        program.prints("^connected$")
        status(csms, 1, "Available")
        program.typed("plug")
        status(csms, 1, "Preparing")
        program.typed("card ABC")
        program.prints("^welcome$")
        status(csms, 1, "Charging")
        csms.call("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": NOTHING_FLOWS})
        status(csms, 1, "SuspendedEVSE")
        csms.call("ClearChargingProfile")
        status(csms, 1, "Charging", 2)
        assert csms.call("Reset", {"type": "Soft"}) == {"status": "Rejected"}, "somebody charges"
        program.typed("card ABC")
        assert csms.wait_for_request("StopTransaction")["reason"] == "Local"
        program.typed("unplug")
        status(csms, 1, "Available", 2)
        program.typed("plug")
        status(csms, 1, "Preparing", 2)
        csms.call("RemoteStartTransaction", {"idTag": "R", "connectorId": 1})
        csms.wait_for_request("StartTransaction", 2)
        csms.call("UnlockConnector", {"connectorId": 1})
        assert csms.wait_for_request("StopTransaction", 2)["reason"] == "UnlockCommand"
        assert csms.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        assert program.process.wait(PATIENCE) == 0


def test_the_page_of_the_port_tells_what_is_printed(folder_of: Folders) -> None:
    said = blocks("tutorials/from-libocpp.md", "text")
    wanted = [line for lines in said for line in lines if line.startswith("wallbox ")]
    folder = folder_of("from-libocpp")
    with TypedProgram("-m", "ocpp16", "central-system", "--port", "0", "--control", folder=folder) as csms:
        url = csms.prints("listening on ws://").rpartition(" ")[2]
        with TypedProgram("integration.py", url, folder=folder) as program:
            csms.prints("connectorId=1 .*status=Available")
            for line, seen in (
                ("plug", "status=Preparing"),
                ("card ABC", "status=Charging"),
                ("card ABC", "status=Finishing"),
            ):
                program.typed(line)
                csms.prints(seen)
            program.typed("unplug")
            csms.prints("connectorId=1 .*status=Available", 2)
            assert program.ends(signal.SIGINT) == 0, program.text
        assert len(wanted) == 7
        assert [line for line in wanted if not re.search(pattern(line), csms.text)] == []


def test_before_and_after_say_the_same(csms: CentralSystemProgram, folder_of: Folders) -> None:
    """Of a session that is stopped from afar, with the package `ocpp` and with this library."""
    folder = folder_of("from-ocpp")
    said = []
    for number, (name, answer) in enumerate((("before", {"error": "NotImplemented"}), ("after", {})), 1):
        begin = len(csms.frames("received"))
        with TypedProgram(f"{name}.py", f"{csms.url}/", folder=folder) as program:
            csms.wait_for_request("StartTransaction", number)
            keys = csms.call("GetConfiguration", {"key": ["NumberOfConnectors"]})
            assert keys.items() >= answer.items()
            status(csms, 1, "Charging", number)
            results = [frame[2] for frame in csms.frames("sent") if frame[0] == 3]
            transaction = [result["transactionId"] for result in results if "transactionId" in result][-1]
            assert csms.call("RemoteStopTransaction", {"transactionId": transaction}) == {"status": "Accepted"}
            csms.wait_for_request("StopTransaction", number)
            assert program.ends() == 0, program.text
        said.append({frame[2] for frame in csms.frames("received")[begin:] if frame[0] == 2})
    both = {"BootNotification", "StatusNotification", "Authorize", "StartTransaction", "StopTransaction"}
    assert said[0] - {"MeterValues"} == both  # which come after five seconds, on a slow machine
    assert said[1] - {"MeterValues", "SecurityEventNotification"} == both


# The codec


def test_the_judge_says_what_its_page_says(folder_of: Folders) -> None:
    (shown,) = [
        lines for lines in blocks("tutorials/codec.md", "console") if lines[0] == "$ python judge.py traffic.txt"
    ]
    with TypedProgram("judge.py", "traffic.txt", folder=folder_of("codec")) as program:
        assert program.ends() == 1
        assert program.lines == shown[1:]


def test_the_answers_are_those_of_the_page(folder_of: Folders) -> None:
    (shown,) = [lines for lines in blocks("tutorials/codec.md", "text") if lines[0].startswith("[2,")]
    with TypedProgram("answer.py", folder=folder_of("codec")) as program:
        for line in shown[::2]:
            program.typed(line)
        assert program.ends() == 0
    assert len(program.lines) == len(shown) // 2 == 4
    for line, wanted in zip(program.lines, shown[1::2], strict=True):
        assert re.fullmatch(pattern(wanted), line)


# Testing a Central System


@pytest.fixture
def tester(folder_of: Folders) -> Path:
    folder = folder_of("tester")
    shutil.copy(DOCS / "examples" / "central-system-tests" / "central_system.py", folder)
    return folder


def run(*arguments: str, folder: Path) -> tuple[int, str]:
    with TypedProgram(*arguments, folder=folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1") as program:
        return program.ends(), program.text


@pytest.mark.parametrize("is_right", [True, False])
def test_the_tests_of_the_tester_pass_and_find_a_fault(tester: Path, is_right: bool) -> None:
    program = tester / "central_system.py"
    if not is_right:
        (line,) = next(lines for lines in blocks("tutorials/testing.md", "python") if "soon" in lines[0])
        program.write_text(program.read_text().replace("        return call_result.StopTransaction()", line))
    with TypedProgram("central_system.py", "0", folder=tester) as csms:
        url = csms.prints("^ws://")
        code, text = run("-m", "pytest", "-p", "ocpp16.pytest_plugin", f"--ocpp16-url={url}", folder=tester)
    if is_right:
        assert code == 0, text
    else:
        assert code == 1
        shown = next(lines for lines in blocks("tutorials/testing.md", "text") if "rule schema" in lines[0])
        assert [line for line in shown if not re.search(pattern(line), text)] == []


def test_the_load_test_fails_and_then_passes_as_the_page_says(tester: Path, tmp_path: Path) -> None:
    """Both at once, of four charge points, and with a threshold that no machine is too slow for. Its time is not
    hurried: whoever comes before a charge point is accepted would be refused."""
    mended = shutil.copytree(tester, tmp_path / "mended")
    (addition,) = [lines for lines in blocks("tutorials/testing.md", "python") if "Security" in lines[0]]
    before = '    @on("StopTransaction")'
    program = mended / "central_system.py"
    program.write_text(program.read_text().replace(before, "\n".join([*addition, "", before])))
    command = ["-m", "ocpp16", "load", "--scenario", "morning.toml", "--charge-points", "4"]
    command += ["--threshold", "BootNotification.p99 < 3600s", "--threshold", "all.error_rate < 1%"]
    command += ["--json", "load.json", "--html", "load.html", "--junit", "load.xml", "--csms"]
    shown = [line for lines in blocks("tutorials/testing.md", "text") for line in lines]
    met = [line.replace("50", "4") for line in shown if line.startswith("met     every")]
    assert len(met) == 3
    with (
        TypedProgram("central_system.py", "0", folder=tester) as csms,
        TypedProgram("central_system.py", "0", folder=mended) as other,
        TypedProgram(*command, csms.prints("^ws://"), folder=tester) as failing,
        TypedProgram(*command, other.prints("^ws://"), folder=mended) as passing,
    ):
        assert passing.ends() == 0, passing.text
        assert failing.ends() == 1, failing.text
    assert "4 x CALLERROR NotImplemented SecurityEventNotification" in failing.text
    for load, verdict in ((failing, "FAILED"), (passing, "passed")):
        assert verdict in shown
        assert verdict in load.lines
        assert [line for line in met if line not in load.lines] == []
    assert {"load.json", "load.html", "load.xml"} <= {path.name for path in mended.iterdir()}

"""The programs of tutorials and how-tos, as they lie in docs/examples: run as their pages say, against a Central System
that shares no code with us, in a process of its own. What a page says that is printed is printed."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from patience import PATIENCE
from programs import CentralSystemProgram

pytestmark = pytest.mark.world

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = DOCS / "examples"
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


class Program:
    """One of the reader's: typed to, and read. It is killed where the test leaves it running."""

    def __init__(self, *arguments: str, folder: Path, **environment: str) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def prints(self, pattern: str, count: int = 1) -> str:
        """Wait for the line number `count` that fits a pattern."""

        def there() -> list[str]:
            return [line for line in self.lines if re.search(pattern, line)]

        with self._news:
            self._news.wait_for(lambda: len(there()) >= count or not self._reader.is_alive(), PATIENCE)
        assert len(there()) >= count, f"no {pattern}: {self.text}"
        return there()[count - 1]

    def typed(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ends(self, number: int | None = None) -> int:
        """Wait for its end, which a signal or the end of its input asks for. Returns the exit code."""
        assert self.process.stdin is not None
        if number is not None:
            self.process.send_signal(number)
        else:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


@pytest.fixture
def csms() -> Iterator[CentralSystemProgram]:
    with CentralSystemProgram() as program:
        yield program
        assert program.objections == []


def folder_of(example: str, tmp_path: Path) -> Path:
    """An empty folder of a reader who has saved what lies there."""
    return shutil.copytree(EXAMPLES / example, tmp_path / example)


def status(csms: CentralSystemProgram, connector: int, name: str, count: int = 1) -> None:
    """Wait until it was told so often."""

    def told() -> bool:
        statuses = csms.received("StatusNotification")
        return sum((one["connectorId"], one["status"]) == (connector, name) for one in statuses) >= count

    csms.wait_until(told, f"{name} of connector {connector}, time {count}")


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
    example: str, csms: CentralSystemProgram, tmp_path: Path
) -> None:
    with Program("first.py", f"{csms.url}/", folder=folder_of(example, tmp_path)) as program:
        program.prints("accepted; Ctrl-C ends this")
        boot = csms.wait_for_request("BootNotification")
        assert boot == {"chargePointVendor": "Example", "chargePointModel": "Wallbox"}
        status(csms, 1, "Available")
        assert program.ends(signal.SIGINT) == 0
        assert program.lines[-1] == "ended in order"


def test_a_method_that_is_misspelt_is_named(tmp_path: Path) -> None:
    folder = folder_of("firmware-trio", tmp_path)
    text = (folder / "first.py").read_text().replace("def unlock_connector", "def unlock_conector")
    (folder / "first.py").write_text(text)
    (said,) = [line for lines in blocks("tutorials/firmware-trio.md", "text") for line in lines if "Error:" in line]
    with Program("first.py", folder=folder) as program:
        assert program.ends() == 1
        assert said in program.lines[-1]


@pytest.mark.parametrize("example", HOSTS)
def test_the_wallbox_charges_obeys_and_survives(example: str, csms: CentralSystemProgram, tmp_path: Path) -> None:
    folder = folder_of(example, tmp_path)
    arguments = ("wallbox.py", f"{csms.url}/")
    with Program(*arguments, folder=folder) as wallbox:
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
    with Program(*arguments, folder=folder) as wallbox:
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


def test_the_page_of_the_wallbox_tells_what_is_printed(tmp_path: Path) -> None:
    """Against the Central System of the page, with what the page has typed into it."""
    said = [*blocks("tutorials/firmware-trio.md", "text"), *blocks("tutorials/parts/try.md", "text")]
    (order,) = [line for lines in said for line in lines if line.startswith("call ")]
    wanted = [line for lines in said for line in lines if line.startswith("wallbox ")]
    folder = folder_of("firmware-trio", tmp_path)
    central = ("-m", "ocpp16", "central-system", "--port", "0", "--control")
    with Program(*central, folder=tmp_path) as csms:
        url = csms.prints("listening on ws://").rpartition(" ")[2]
        with Program("wallbox.py", url, folder=folder) as wallbox:
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
        with Program("wallbox.py", url, folder=folder) as wallbox:
            csms.prints("reason=PowerLoss")
            assert wallbox.ends() == 0
        assert len(wanted) > 10
        assert [line for line in wanted if not re.search(pattern(line), csms.text)] == []
    assert list((folder / "logs").glob("*.html"))
    assert (folder / "data" / "wallbox.db").exists()


# What others have


def test_the_port_of_an_integration_of_libocpp(csms: CentralSystemProgram, tmp_path: Path) -> None:
    with Program("integration.py", f"{csms.url}/", folder=folder_of("from-libocpp", tmp_path)) as program:
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


def test_before_and_after_say_the_same(csms: CentralSystemProgram, tmp_path: Path) -> None:
    """Of a session that is stopped from afar, with the package `ocpp` and with this library."""
    folder = folder_of("from-ocpp", tmp_path)
    said = []
    for number, (name, answer) in enumerate((("before", {"error": "NotImplemented"}), ("after", {})), 1):
        begin = len(csms.frames("received"))
        with Program(f"{name}.py", f"{csms.url}/", folder=folder) as program:
            csms.wait_for_request("StartTransaction", number)
            keys = csms.call("GetConfiguration", {"key": ["NumberOfConnectors"]})
            assert keys.items() >= answer.items()
            status(csms, 1, "Charging", number)
            csms.call("RemoteStopTransaction", {"transactionId": number})
            csms.wait_for_request("StopTransaction", number)
            assert program.ends() == 0, program.text
        said.append({frame[2] for frame in csms.frames("received")[begin:] if frame[0] == 2})
    both = {"BootNotification", "StatusNotification", "Authorize", "StartTransaction", "StopTransaction"}
    assert said[0] - {"MeterValues"} == both  # they come after five seconds, if there are so many
    assert said[1] - {"MeterValues", "SecurityEventNotification"} == both


# The codec


def test_the_judge_says_what_its_page_says(tmp_path: Path) -> None:
    (shown,) = [
        lines for lines in blocks("tutorials/codec.md", "console") if lines[0] == "$ python judge.py traffic.txt"
    ]
    with Program("judge.py", "traffic.txt", folder=folder_of("codec", tmp_path)) as program:
        assert program.ends() == 1
        assert program.lines == shown[1:]


def test_the_answers_are_those_of_the_page(tmp_path: Path) -> None:
    (shown,) = [lines for lines in blocks("tutorials/codec.md", "text") if lines[0].startswith("[2,")]
    with Program("answer.py", folder=folder_of("codec", tmp_path)) as program:
        for line in shown[::2]:
            program.typed(line)
        assert program.ends() == 0
    assert len(program.lines) == len(shown) // 2 == 4
    for line, wanted in zip(program.lines, shown[1::2], strict=True):
        assert re.fullmatch(pattern(wanted), line)


# Testing a Central System


@pytest.fixture
def tester(tmp_path: Path) -> Path:
    folder = folder_of("tester", tmp_path)
    shutil.copy(EXAMPLES / "central-system-tests" / "central_system.py", folder)
    return folder


def run(*arguments: str, folder: Path) -> tuple[int, str]:
    with Program(*arguments, folder=folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1") as program:
        return program.ends(), program.text


@pytest.mark.parametrize("is_right", [True, False])
def test_the_tests_of_the_tester_pass_and_find_a_fault(tester: Path, is_right: bool) -> None:
    program = tester / "central_system.py"
    if not is_right:
        (line,) = next(lines for lines in blocks("tutorials/testing.md", "python") if "soon" in lines[0])
        program.write_text(program.read_text().replace("        return call_result.StopTransaction()", line))
    with Program("central_system.py", "0", folder=tester) as csms:
        url = csms.prints("^ws://")
        code, text = run("-m", "pytest", "-p", "ocpp16.pytest_plugin", f"--ocpp16-url={url}", folder=tester)
    if is_right:
        assert code == 0, text
    else:
        assert code == 1
        shown = next(lines for lines in blocks("tutorials/testing.md", "text") if "rule schema" in lines[0])
        assert [line for line in shown if not re.search(pattern(line), text)] == []


@pytest.mark.parametrize("is_mended", [False, True])
def test_the_load_test_fails_and_passes_as_the_page_says(tester: Path, is_mended: bool) -> None:
    """Faster than the page has it, and of fewer charge points; and no machine is too slow for its thresholds."""
    program = tester / "central_system.py"
    if is_mended:
        (addition,) = [lines for lines in blocks("tutorials/testing.md", "python") if "Security" in lines[0]]
        before = '    @on("StopTransaction")'
        program.write_text(program.read_text().replace(before, "\n".join([*addition, "", before])))
    command = ["-m", "ocpp16", "load", "--scenario", "morning.toml", "--speed", "5", "--charge-points", "10"]
    thresholds = ("--threshold", "BootNotification.p99 < 3600s", "--threshold", "all.error_rate < 1%")
    reports = ["--json", "load.json", "--html", "load.html", "--junit", "load.xml"]
    with Program("central_system.py", "0", folder=tester) as csms:
        url = csms.prints("^ws://")
        code, text = run(*command, *thresholds, "--csms", url, *reports, folder=tester)
    shown = [line for lines in blocks("tutorials/testing.md", "text") for line in lines]
    verdict = "passed" if is_mended else "FAILED"
    assert verdict in shown
    assert verdict in text.splitlines(), text
    assert code == (0 if is_mended else 1)
    if not is_mended:
        assert "10 x CALLERROR NotImplemented SecurityEventNotification" in text
        met = [line for line in shown if line.startswith("met     every")]
        assert len(met) == 3
        assert [line for line in met if line.partition(" (")[0] not in text] == []
    assert {"load.json", "load.html", "load.xml"} <= {path.name for path in tester.iterdir()}


# How to


@pytest.mark.parametrize("stays", [True, False])
def test_a_session_goes_on_after_a_power_cut(csms: CentralSystemProgram, tmp_path: Path, stays: bool) -> None:
    folder = folder_of("power-loss", tmp_path)
    contact = folder / "contact"
    contact.touch()
    with Program("resume.py", f"{csms.url}/", folder=folder) as program:
        program.prints("^begins$")
        csms.wait_for_request("MeterValues")
        program.process.kill()
        program.process.wait()
    if not stays:
        contact.unlink()
    with Program("resume.py", f"{csms.url}/", folder=folder) as program:
        if stays:
            assert int(program.prints("goes on at").split()[3]) > 1000
            status(csms, 1, "Charging", 2)
            contact.unlink()
        stopped = csms.wait_for_request("StopTransaction")
        assert stopped["reason"] == ("EVDisconnected" if stays else "PowerLoss")
        assert stopped["meterStop"] > 1000
        assert program.ends() == 0, program.text
    assert len({one["timestamp"] for one in csms.received("StartTransaction")}) == 1
    assert len(csms.received("StopTransaction")) == 1


def test_the_service_tells_that_it_is_ready_lives_and_ends(
    csms: CentralSystemProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of("systemd", tmp_path)
    for name in ("state", "logs", "configuration"):
        (folder / name).mkdir()
    who = {"ChargePointId": "cp001", "CentralSystemURI": csms.url, "ChargePointVendor": "V", "ChargePointModel": "M"}
    (folder / "configuration" / "config.json").write_text(json.dumps({"Internal": who}))
    directories = {f"{name.upper()}_DIRECTORY": str(folder / name) for name in ("state", "logs", "configuration")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        monkeypatch.chdir(folder)  # addresses of sockets are short
        systemd.bind("notify")
        systemd.settimeout(PATIENCE)
        environment = {**directories, "NOTIFY_SOCKET": "notify", "WATCHDOG_USEC": "400000"}
        with Program("station.py", folder=folder, **environment) as program:
            told = [systemd.recv(100) for _ in range(4)]
            assert sorted(told) == [b"READY=1", *[b"WATCHDOG=1"] * 3]
            csms.wait_for_request("BootNotification")
            assert program.ends(signal.SIGTERM) == 0, program.text
            while b"STOPPING=1" not in told:
                told.append(systemd.recv(100))
    assert {path.name for path in folder.iterdir()} == {
        "station.py",
        "station.service",
        "notify",
        "state",
        "logs",
        "configuration",
    }
    assert (folder / "state" / "cp001.db").exists()
    assert list((folder / "logs").iterdir())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_is_one() -> None:
    unit = EXAMPLES / "systemd" / "station.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line and "not executable" not in line]
    assert complaints == []
    rating = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(unit)], capture_output=True, text=True, check=False
    )
    if found := re.search(r"exposure level for station.service: ([\d.]+)", rating.stdout):
        assert float(found[1]) < 2

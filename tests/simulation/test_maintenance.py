"""Firmware and files of the simulated station, with a charge point and a Central System on the virtual clock."""

import io
import json
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.enums import BootReason
from ocpp16.models import FirmwareUpdate
from ocpp16.simulation import CommandError, SimulatedStation
from ocpp16.simulation.diagnostics import MOST_LOG_BYTES, pack
from ocpp16.simulation.maintenance import Maintenance
from ocpp16.simulation.transfer import PlayedTransfer, UrlTransfer
from ocpp16.transfer import TransferError, TransferFailure, TransferService

PROFILES = "Core,FirmwareManagement,RemoteTrigger"
URL = "ftp://user:p4ssw0rd@files.example/"
UPDATE = {"location": URL + "firmware.bin", "retrieveDate": "2030-01-01T08:00:00Z"}


class Line(PlayedTransfer):
    """Fails as often as it is told to, and keeps what it was asked."""

    def __init__(self, failures: int = 0, *, is_right: bool = True) -> None:
        super().__init__()
        self.failures = failures
        self.is_right = is_right
        self.asked: list[tuple[float, str]] = []
        self.taken: bytes = b""
        self.resumed: list[bool] = []

    async def _attempt(self, url: str) -> None:
        self.asked.append((trio.current_time(), url))
        if self.failures:
            self.failures -= 1
            raise OSError(f"connection refused by {url}")

    async def download(self, url: str, path: Path) -> None:
        await self._attempt(url)

    async def upload(self, path: Path, url: str, *, is_resumed: bool) -> None:
        self.resumed.append(is_resumed)
        await self._attempt(url)
        self.taken = contents(path)

    async def verify(self, path: Path, certificate: str, signature: str) -> bool:
        return self.is_right


def contents(path: Path) -> bytes:
    return path.read_bytes()


def told(here: Any, action: str) -> list[str]:
    return [call.payload["status"] for call in here.csms.calls(action)]


def firmware(here: Any) -> list[str]:
    return told(here, "FirmwareStatusNotification")


async def call(here: Any, action: str, **payload: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await here.csms.call("cp001", action, payload)
    return answer


async def test_an_update(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        await call(here, "UpdateFirmware", **UPDATE)
        began = trio.current_time()
        await here.csms.wait_for_call("FirmwareStatusNotification", 4)
        assert firmware(here) == ["Downloading", "Downloaded", "Installing", "Installed"]
        assert trio.current_time() - began == pytest.approx(4, abs=0.5), "transfer_step between the steps"
        await trio.sleep(1)
        seen = here.statuses()
        assert sorted(seen[:2]) + sorted(seen[2:]) == ["1 Unavailable", "2 Unavailable", "1 Available", "2 Available"]


async def test_it_waits_for_a_car_that_charges(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        await here.charge(1)
        await call(here, "UpdateFirmware", **UPDATE)
        await trio.sleep(60)
        assert firmware(here) == ["Downloading", "Downloaded"]
        here.station.unplug(1)
        await trio.sleep(10)
        assert firmware(here)[2:] == ["Installing", "Installed"]


@pytest.mark.parametrize(("failures", "last"), [(2, "Installed"), (3, "DownloadFailed")])
async def test_retries_count_further_attempts(site: Any, autojump_clock: Any, failures: int, last: str) -> None:
    async with site(profiles=PROFILES) as here:
        line = here.station._transfer = Line(failures)
        await call(here, "UpdateFirmware", **UPDATE, retries=2, retryInterval=30)
        await trio.sleep(200)
        assert firmware(here)[-1] == last
        times = [time for time, _ in line.asked]
        assert [round(late - early) for early, late in pairwise(times)] == [30, 30]


async def test_a_url_of_no_kind_fails(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        await call(here, "UpdateFirmware", **{**UPDATE, "location": "gopher://user:p4ssw0rd@x/"})
        await trio.sleep(10)
        assert firmware(here) == ["Downloading", "DownloadFailed"]


@pytest.mark.parametrize("stopped_after", [1, 3, 5])
async def test_an_update_goes_on_over_a_restart(site: Any, autojump_clock: Any, stopped_after: float) -> None:
    async with site(profiles=PROFILES) as here:
        await call(here, "UpdateFirmware", **UPDATE)
        await trio.sleep(stopped_after)
        assert await here.operation.stop()
        await trio.sleep(30)
        assert await here.operation.restart()
        await trio.sleep(30)
        steps = firmware(here)
        assert steps[-1] == "Installed"
        assert list(dict.fromkeys(steps)) == ["Downloading", "Downloaded", "Installing", "Installed"]
        await trio.sleep(5)
        assert sorted(here.statuses()[-2:]) == ["1 Available", "2 Available"]


async def test_a_newer_update_takes_the_place(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES, transfer_step=20) as here:
        line = here.station._transfer = Line()
        await call(here, "UpdateFirmware", **UPDATE)
        await trio.sleep(5)
        await call(here, "UpdateFirmware", **{**UPDATE, "location": "ftp://newer/"})
        await trio.sleep(100)
        assert [url for _, url in line.asked] == [UPDATE["location"], "ftp://newer/"]
        assert firmware(here) == ["Downloading", "Downloading", "Downloaded", "Installing", "Installed"]


async def test_what_is_being_installed_is_not_given_up(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES, transfer_step=20) as here:
        await call(here, "UpdateFirmware", **UPDATE)
        await trio.sleep(30)
        assert firmware(here)[-1] == "Installing"
        with pytest.raises(Exception, match="GenericError"):
            await call(here, "UpdateFirmware", **UPDATE)


async def test_what_a_start_finds_being_installed_is_not_given_up(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES, transfer_step=20) as here:
        await call(here, "UpdateFirmware", **UPDATE)
        await trio.sleep(30)
        await here.operation.stop()
        await here.operation.restart()
        await trio.sleep(5)
        with pytest.raises(Exception, match="GenericError"):
            await call(here, "UpdateFirmware", **UPDATE)
        await trio.sleep(30)
        assert firmware(here)[-1] == "Installed"


async def test_a_signed_one_reboots(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        boots = len(here.csms.calls("BootNotification"))
        await here.station.signed_update_firmware(None)
        maintenance = here.station.maintenance
        assert isinstance(maintenance, Maintenance)
        for is_right, steps in (
            (False, ["Downloading", "Downloaded", "InvalidSignature"]),
            (True, ["Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"]),
        ):
            maintenance._transfer = Line(is_right=is_right)
            seen = len(told(here, "SignedFirmwareStatusNotification"))
            maintenance.update_firmware(signed(here, 7 if is_right else 6))
            await trio.sleep(60)
            assert told(here, "SignedFirmwareStatusNotification")[seen:] == steps
        assert len(here.csms.calls("BootNotification")) == boots + 1
        assert here.station.boot_reason is BootReason.FIRMWARE_UPDATE


def signed(here: Any, request_id: int) -> Any:
    now = here.charge_point.for_station.clock.now_datetime()
    return FirmwareUpdate(request_id, URL, now, signing_certificate="PEM", signature="c2ln")


async def test_diagnostics(site: Any, autojump_clock: Any, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "messages.log").write_text("a line")
    (tmp_path / "more" / "older.log").write_text("an older line")
    async with site(profiles=PROFILES, core={"ConnectionTimeOut": 77}) as here:
        line = here.station._transfer = Line(1)
        here.station.logs = tmp_path
        answer = await call(here, "GetDiagnostics", location=URL, retries=1, retryInterval=5)
        await trio.sleep(20)
        assert answer == {"fileName": "cp001-diagnostics-20300101T080000.tar.gz"}
        assert told(here, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"]
        files = unpacked(line.taken)
        assert files.keys() == {"configuration.json", "state.json", "logs/messages.log", "logs/more/older.log"}
        assert files["logs/messages.log"] == b"a line"
        configuration = json.loads(files["configuration.json"])
        assert configuration["ConnectionTimeOut"] == "77"
        assert "AuthorizationKey" not in configuration
        state = json.loads(files["state.json"])
        assert state["connection"]["queue_depth"] >= 0
        assert state["connectors"]["1"]["status"] == "Available"
        assert b"p4ssw0rd" not in b"".join(files.values())
        assert line.resumed == [False, True], "the second attempt goes on where the first one ended"


def unpacked(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {member.name: opened.extractfile(member).read() for member in opened.getmembers()}  # type: ignore[union-attr]


async def test_an_upload_that_fails(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        here.station._transfer = Line(9)
        log = {"remoteLocation": URL}
        answer = await call(here, "GetLog", requestId=3, logType="SecurityLog", log=log, retries=1)
        assert answer == {"status": "Accepted", "filename": "cp001-security-20300101T080000.tar.gz"}
        await trio.sleep(100)
        assert told(here, "LogStatusNotification") == ["Uploading", "UploadFailure"]


class Broken(PlayedTransfer):
    """Fails of this."""

    def __init__(self, failure: TransferFailure) -> None:
        super().__init__()
        self._failure = failure

    async def upload(self, path: Path, url: str, *, is_resumed: bool) -> None:
        raise TransferError(self._failure, "it failed")


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        (TransferFailure.AUTHENTICATION, "PermissionDenied"),
        (TransferFailure.REFUSED, "PermissionDenied"),
        (TransferFailure.UNSUPPORTED_SCHEME, "NotSupportedOperation"),
        (TransferFailure.MISSING_LIBRARY, "NotSupportedOperation"),
        (TransferFailure.BAD_URL, "BadMessage"),
        (TransferFailure.PROTOCOL, "BadMessage"),
        (TransferFailure.REMOTE_FULL, "UploadFailure"),
        (TransferFailure.CERTIFICATE, "UploadFailure"),
    ],
)
async def test_what_an_upload_failed_of(site: Any, autojump_clock: Any, failure: TransferFailure, word: str) -> None:
    """A log has words for some of it; diagnostics have one for all."""
    async with site(profiles=PROFILES) as here:
        here.station._transfer = Broken(failure)
        await call(here, "GetLog", requestId=3, logType="SecurityLog", log={"remoteLocation": URL})
        await call(here, "GetDiagnostics", location=URL)
        await trio.sleep(10)
        assert told(here, "LogStatusNotification") == ["Uploading", word]
        assert told(here, "DiagnosticsStatusNotification") == ["Uploading", "UploadFailed"]


def test_protocols_are_those_that_have_a_word() -> None:
    """Not a carrier of one's own, which no Central System would know, and nothing that is not installed."""
    service = TransferService(carriers={"box": object()})  # type: ignore[dict-item]
    usable = {"ftp", "ftps", "http", "https", "sftp"} & set(service.schemes())
    assert UrlTransfer(service).protocols() == sorted(scheme.upper() for scheme in usable)


async def test_what_is_played_lies_in_a_folder(site: Any, autojump_clock: Any, tmp_path: Path) -> None:
    async with site(profiles=PROFILES) as here:
        here.station._transfer = PlayedTransfer(tmp_path / "files")
        answer = await call(here, "GetDiagnostics", location=URL)
        await trio.sleep(10)
        assert [path.name for path in (tmp_path / "files").iterdir()] == [answer["fileName"]]


async def test_long_logs_are_cut_at_their_beginning(site: Any, autojump_clock: Any, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "long.log").write_bytes(b"old" + bytes(MOST_LOG_BYTES - 3) + b"new")
    (logs / "link.log").symlink_to(tmp_path / "elsewhere")
    async with site(profiles=PROFILES) as here:
        await pack(tmp_path / "packed", here.charge_point, logs)
        files = unpacked((tmp_path / "packed").read_bytes())
        content = files.pop("logs/long.log")
        assert (len(content), content[-3:], content[:3]) == (MOST_LOG_BYTES, b"new", bytes(3))
        assert files.keys() == {"configuration.json", "state.json"}


async def test_the_commands(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        run = here.commands.run
        await run("overrule", {"question": "update_firmware", "answer": None})
        await run("overrule", {"question": "upload_diagnostics", "answer": {"status": "Accepted", "filename": "x"}})
        await call(here, "UpdateFirmware", **UPDATE)
        assert await call(here, "GetDiagnostics", location=URL) == {"fileName": "x"}
        await trio.sleep(10)
        await run("firmware_status", {"status": "Downloading"})
        await run("log_status", {"status": "Uploading"})
        assert await run("maintenance") == {
            "firmware": {"request_id": -1, "status": "Downloading"},
            "diagnostics": {"request_id": -1, "status": "Uploading"},
            "log": None,
        }
        await run("log_status", {"status": "PermissionDenied"})
        with pytest.raises(CommandError, match="request_id"):
            await run("firmware_status", {"status": "Installed", "request_id": 5})
        await run("firmware_status", {"status": "InstallationFailed"})
        await trio.sleep(1)
        assert firmware(here) == ["Downloading", "InstallationFailed"]
        assert told(here, "DiagnosticsStatusNotification") == ["Uploading", "UploadFailed"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("upload_diagnostics", {"status": "Perhaps"}),
        ("upload_diagnostics", {"status": "Accepted", "filename": ""}),
        ("upload_logs", {"name": "x"}),
        ("upload_logs", 7),
        ("signed_update_firmware", "Perhaps"),
        ("cancel_firmware_update", "yes"),
        ("update_firmware", 1),
    ],
)
def test_an_answer_that_cannot_be_is_refused(question: str, answer: Any) -> None:
    with pytest.raises(ValueError, match="the answer"):
        SimulatedStation().overrules.add(question, answer)

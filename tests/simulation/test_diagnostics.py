"""The archive of a simulated station, from a folder of logs to which others write."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from ocpp16.models import FirmwareUpdate
from ocpp16.simulation import diagnostics
from ocpp16.simulation.diagnostics import MOST_LOG_BYTES, MOST_LOGS, pack
from ocpp16.simulation.maintenance import Maintenance
from ocpp16.simulation.transfer import PlayedTransfer

PROFILES = "Core,FirmwareManagement,RemoteTrigger"
URL = "ftp://files.example/"
SECRET = b"s3cr3t"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    made = tmp_path / "logs"
    made.mkdir()
    return made


async def packed(here: Any, logs: Path) -> dict[str, bytes]:
    path = logs.parent / "packed"
    with trio.fail_after(60):
        await pack(path, here.charge_point, logs)
    archive = io.BytesIO(contents(path))
    with tarfile.open(fileobj=archive) as opened:
        members = opened.getmembers()
        assert all(member.isreg() for member in members)
        found = {member.name: opened.extractfile(member).read() for member in members}  # type: ignore[union-attr]
    assert len(found) == len(members), "no name twice"
    assert {"configuration.json", "state.json"} <= found.keys()
    assert SECRET not in b"".join(found.values())
    return {name: content for name, content in found.items() if name.startswith("logs/")}


def contents(path: Path) -> bytes:
    return path.read_bytes()


async def test_what_is_beside_the_logs_stays_here(site: Any, autojump_clock: Any, logs: Path) -> None:
    (logs / "certs").mkdir()
    for name in ("cp.db", "cp.db.key", "certs/csms.key", "certs/root.pem", "id_rsa", "user.conf", "log", "x.log.key"):
        (logs / name).write_bytes(SECRET)
    kept = {"a.log", "a.log.3", "A.LOG", "a.html", "a.jsonl.20260101000000-2", "a.txt"}
    for name in kept:
        (logs / name).write_bytes(b"a line")
    async with site() as here:
        assert (await packed(here, logs)).keys() == {f"logs/{name}" for name in kept}


async def test_no_way_leads_out_of_the_folder(site: Any, autojump_clock: Any, logs: Path) -> None:
    outside = logs.parent / "outside"
    outside.mkdir()
    (outside / "outside.log").write_bytes(SECRET)
    (logs / "file.log").symlink_to(outside / "outside.log")
    (logs / "folder").symlink_to(outside)
    (logs / "folder.log").symlink_to(outside)
    (logs / "circle").symlink_to(logs)
    (logs / "nowhere.log").symlink_to(logs / "nothing")
    os.mkfifo(logs / "pipe.log")
    (logs / "in.log").write_bytes(b"a line")
    async with site() as here:
        assert await packed(here, logs) == {"logs/in.log": b"a line"}


@pytest.mark.parametrize("change", ["file", "folder", "pipe", "gone", "shorter", "longer"])
async def test_files_that_change_between_look_and_grasp(
    site: Any, autojump_clock: Any, logs: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    outside = logs.parent / "outside"
    outside.mkdir()
    (outside / "a.log").write_bytes(SECRET)
    folder = logs / "inner"
    folder.mkdir()
    file = folder / "a.log"
    file.write_bytes(b"a line")
    (logs / "other.log").write_bytes(b"another")
    look = diagnostics._newest

    async def look_and_change(*arguments: Any) -> list[str]:
        found = await look(*arguments)
        if change == "folder":
            file.unlink()
            folder.rmdir()
            folder.symlink_to(outside)
        elif change in ("file", "pipe", "gone"):
            file.unlink()
            if change == "file":
                file.symlink_to(outside / "a.log")
            elif change == "pipe":
                os.mkfifo(file)
        else:
            file.write_bytes(b"" if change == "shorter" else bytes(2 * MOST_LOG_BYTES))
        return found

    monkeypatch.setattr(diagnostics, "_newest", look_and_change)
    async with site() as here:
        found = await packed(here, logs)
    inner = found.pop("logs/inner/a.log", None)
    if change == "longer":
        assert inner is not None
        assert len(inner) + sum(map(len, found.values())) <= MOST_LOG_BYTES
    else:
        assert found == {"logs/other.log": b"another"}
        assert inner == (b"" if change == "shorter" else None)


async def test_names_that_no_text_has(site: Any, autojump_clock: Any, logs: Path) -> None:
    names = [b"\xff\xfe.log", b"line\nend.log", b"\x1b[31m.log", ("ü" * 100).encode() + b".log", b"-rf .log"]
    for name in names:
        (logs / os.fsdecode(name)).write_bytes(b"a line")
    async with site() as here:
        found = await packed(here, logs)
        assert {os.fsencode(name) for name in found} == {b"logs/" + name for name in names}


async def test_many_files_and_one_that_is_huge(
    site: Any, autojump_clock: Any, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3_000):
        file = logs / f"{number}.log"
        file.touch()
        os.utime(file, (number, number))
    with (logs / "huge.log").open("wb") as file_:
        file_.truncate(10 * 1024**3)
    os.utime(logs / "huge.log", (2_999.5, 2_999.5))
    async with site() as here:
        found = await packed(here, logs)
        assert found.keys() == {"logs/huge.log"}, "the newest that have something, and then there is no room"
        assert len(found["logs/huge.log"]) == MOST_LOG_BYTES
        (logs / "huge.log").unlink()
        assert (await packed(here, logs)).keys() == {f"logs/{number}.log" for number in range(2_900, 3_000)}
        assert MOST_LOGS == 100
        monkeypatch.setattr(diagnostics, "MOST_ENTRIES", 50)
        assert len(await packed(here, logs)) == 50


async def test_others_have_their_turn_meanwhile(site: Any, autojump_clock: Any, logs: Path) -> None:
    for number in range(1_000):
        (logs / f"{number}.log").write_bytes(b"a line")
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with site() as here, trio.open_nursery() as nursery:
        nursery.start_soon(take_turns)
        await trio.lowlevel.checkpoint()
        before = turns
        await packed(here, logs)
        assert turns - before > 50
        nursery.cancel_scope.cancel()


async def test_folders_without_an_end(site: Any, autojump_clock: Any, logs: Path) -> None:
    here_fd = os.open(logs, os.O_RDONLY)
    for depth in range(150):  # longer than a path can be
        os.close(os.open("a.log", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=here_fd))
        os.mkdir(f"{depth:040}", dir_fd=here_fd)
        inner = os.open(f"{depth:040}", os.O_RDONLY, dir_fd=here_fd)
        os.close(here_fd)
        here_fd = inner
    os.close(here_fd)
    async with site() as here:
        assert len(await packed(here, logs)) == diagnostics.DEEPEST + 1


async def test_a_folder_that_is_not_there_or_may_not_be_read(site: Any, autojump_clock: Any, logs: Path) -> None:
    async with site() as here:
        assert await packed(here, logs / "nothing") == {}
        (logs / "a.log").touch()
        assert await packed(here, logs / "a.log") == {}


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_is_done_to_the_folder(site: Any, autojump_clock: Any, logs: Path, seed: int) -> None:
    """Somebody changes it all the time that it is packed."""
    random = Random(seed)
    outside = logs.parent / "outside"
    outside.mkdir()
    (outside / "a.log").write_bytes(SECRET)
    changes = hostile(random, logs, outside)
    for _ in range(60):
        next(changes)

    async def change() -> None:
        for _ in changes:
            await trio.lowlevel.checkpoint()

    async with site() as here, trio.open_nursery() as nursery:
        nursery.start_soon(change)
        for _ in range(5):
            found = await packed(here, logs)
            assert len(found) <= MOST_LOGS
            assert sum(map(len, found.values())) <= MOST_LOG_BYTES
        nursery.cancel_scope.cancel()


def hostile(random: Random, logs: Path, outside: Path) -> Iterator[None]:
    names = [*(f"{number}.log" for number in range(60)), "inner", "inner.log", "\udcff.log"]
    while True:
        folder = random.choice([logs, logs / "inner", logs / "inner.log"])
        path = folder / random.choice(names)
        act = random.choice(["write", "write", "link", "folder link", "pipe", "folder", "remove", "swap", "huge"])
        try:
            if act == "write":
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
                with open(os.open(path, flags), "wb") as file:
                    file.write(b"x" * random.choice([0, 10, 100_000]))
            elif act == "link":
                path.symlink_to(outside / "a.log")
            elif act == "folder link":
                path.symlink_to(outside)
            elif act == "pipe" and not path.exists():
                os.mkfifo(path)
            elif act == "folder":
                path.mkdir()
            elif act == "remove":
                path.unlink()
            elif act == "swap":
                path.rename(folder / random.choice(names))
            elif act == "huge" and path.is_file() and not path.is_symlink():
                os.truncate(path, 1024**3)
        except OSError:
            pass
        yield


# What has no place here


async def test_no_place_for_the_archive_is_an_upload_that_failed(
    site: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with site(profiles=PROFILES) as here:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nothing"))
        log = {"remoteLocation": URL}
        await here.csms.call("cp001", "GetLog", {"requestId": 3, "logType": "SecurityLog", "log": log})
        await here.csms.call("cp001", "GetDiagnostics", {"location": URL})
        await here.csms.call("cp001", "UpdateFirmware", {"location": URL, "retrieveDate": "2030-01-01T08:00:00Z"})
        await trio.sleep(30)
        for action, end in (
            ("LogStatusNotification", ["Uploading", "UploadFailure"]),
            ("DiagnosticsStatusNotification", ["Uploading", "UploadFailed"]),
            ("FirmwareStatusNotification", ["Downloading", "DownloadFailed"]),
        ):
            assert [call.payload["status"] for call in here.csms.calls(action)] == end
        assert here.charge_point.for_station.maintenance() == {"firmware": None, "diagnostics": None, "log": None}


def put(path: Path) -> None:
    path.write_bytes(b"firmware")


class Real(PlayedTransfer):
    """Brings a file, and proves what is there only."""

    def __init__(self) -> None:
        super().__init__()
        self.downloads = 0

    async def download(self, url: str, path: Path) -> None:
        self.downloads += 1
        put(path)

    async def verify(self, path: Path, certificate: str, signature: str) -> bool:
        return contents(path) == b"firmware"


@pytest.mark.parametrize(("status", "downloads"), [("Downloaded", 1), ("SignatureVerified", 0)])
async def test_signed_firmware_is_there_again_before_it_is_proved(
    site: Any, autojump_clock: Any, status: Any, downloads: int
) -> None:
    """The file of the start before is gone; the steps that were told are not told again."""
    async with site(profiles=PROFILES) as here:
        await here.station.signed_update_firmware(None)
        maintenance = here.station.maintenance
        assert isinstance(maintenance, Maintenance)
        transfer = maintenance._transfer = Real()
        now = here.charge_point.for_station.clock.now_datetime()
        update = FirmwareUpdate(7, URL, now, signing_certificate="PEM", signature="c2ln", status=status)
        for step in ("Downloaded", "SignatureVerified"):
            here.charge_point.on_firmware_update_status_notification(7, step)
            if step == status:
                break
        await trio.sleep(1)
        maintenance.update_firmware(update)
        await trio.sleep(1)
        maintenance.go_ahead()
        await trio.sleep(60)
        words = [call.payload["status"] for call in here.csms.calls("SignedFirmwareStatusNotification")]
        assert words == ["Downloaded", "SignatureVerified", "Installing", "Installed"]
        assert transfer.downloads == downloads

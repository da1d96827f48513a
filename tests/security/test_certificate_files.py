"""The disk under certificates and keys: power cuts, full and read-only disks, others who change at the same time."""

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from forged import NOW, root
from patience import PATIENCE

from ocpp16.security import certificate_files, certificate_store
from ocpp16.security.certificate import certificates_in
from ocpp16.security.certificate_files import DiskFiles
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateType,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificateStatus,
    LeafCertificateType,
)
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.lab_pki import Authority
from ocpp16.security.private_keys import made_key
from ocpp16.testing.evse_security import MemoryEvseSecurity

CSMS = LeafCertificateType.CSMS
ROOTS = CaCertificateType.CSMS
Install = InstallCertificateResult
OPERATIONS = ("open", "fsync", "replace", "unlink", "mkdir")


class PowerCut(BaseException):
    """Nothing after it happens."""


class Disk:
    """Counts what is done to the disk, and lets all fail from a moment on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.last: float = float("inf")
        self.error: BaseException = PowerCut()
        for name in OPERATIONS:
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **named: Any) -> Any:
            writes = real is not REAL_OPEN or arguments[1] & (os.O_WRONLY | os.O_RDWR)
            if writes:
                self.count += 1
                if self.count > self.last:
                    raise self.error
            return real(*arguments, **named)

        return operation


REAL_OPEN = os.open


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    with monkeypatch.context() as patched:
        yield Disk(patched)


def made(certs: Path) -> FileEvseSecurity:
    return FileEvseSecurity(certs, now=lambda: NOW)


async def prepared(certs: Path) -> tuple[Authority, str]:
    """A store with two roots, a certificate, and a request that waits."""
    security = made(certs)
    authority = Authority("Root", NOW)
    for text in (authority.certificate, root("Other").pem):
        assert await security.install_ca_certificate(text, ROOTS) is Install.ACCEPTED
    csrs = [
        (await security.generate_certificate_signing_request(CSMS, "NL", "O", f"cp{number}", False)).csr
        for number in range(2)
    ]
    between = Authority("Below", NOW, above=authority)
    first = between.sign_request(csrs[0], days=100).chain
    assert await security.update_leaf_certificate(first, CSMS) is Install.ACCEPTED
    return authority, between.sign_request(csrs[1], days=200).chain


def copy(place: Path, moment: int) -> Path:
    return Path(shutil.copytree(place / "first", place / str(moment)))


def files_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


async def roots(security: FileEvseSecurity) -> int:
    return len(await security.get_installed_certificates([CertificateType.CSMS_ROOT_CERTIFICATE]))


async def _install(security: FileEvseSecurity, chain: str) -> object:
    return await security.install_ca_certificate(root("New").pem, ROOTS)


async def _delete(security: FileEvseSecurity, chain: str) -> object:
    found = await security.get_installed_certificates([CertificateType.CSMS_ROOT_CERTIFICATE])
    other = next(one for one in certificates_of(security) if one.name == "CN=Other")
    serial = format(other.serial_number, "x")
    return await security.delete_certificate(next(one.hash_data for one in found if one.hash_data[3] == serial))


def certificates_of(security: FileEvseSecurity) -> list[Any]:
    return [installed.certificate for _, installed in security._store.roots()]


async def _update(security: FileEvseSecurity, chain: str) -> object:
    return await security.update_leaf_certificate(chain, CSMS)


async def _request(security: FileEvseSecurity, chain: str) -> object:
    return (await security.generate_certificate_signing_request(CSMS, "NL", "O", "cp", False)).status


CHANGES: dict[str, tuple[Callable[[FileEvseSecurity, str], Awaitable[object]], object, object]] = {
    "install": (_install, Install.ACCEPTED, Install.WRITE_ERROR),
    "delete": (_delete, DeleteCertificateResult.ACCEPTED, DeleteCertificateResult.FAILED),
    "update": (_update, Install.ACCEPTED, Install.WRITE_ERROR),
    "request": (_request, CsrStatus.ACCEPTED, CsrStatus.KEY_GEN_ERROR),
}


async def whole(certs: Path) -> None:
    """Whatever is there can be used, and lets itself be changed."""
    security = made(certs)
    for path in files_below(certs):
        if path.suffix == ".pem":
            assert certificates_in(path.read_bytes()), path
        if path.suffix == ".key":
            assert b"END" in path.read_bytes(), path
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.status is LeafCertificateStatus.ACCEPTED
    assert info.chain is not None
    assert certificates_in(info.chain.read_bytes())
    assert await roots(security) >= 1
    assert await security.install_ca_certificate(root("Later").pem, ROOTS) is Install.ACCEPTED


@pytest.mark.parametrize("change", CHANGES)
async def test_power_that_goes_at_any_moment(tmp_path: Path, disk: Disk, change: str) -> None:
    do, accepted, _ = CHANGES[change]
    _, chain = await prepared(tmp_path / "first")
    for moment in range(200):
        disk.last = float("inf")
        certs = copy(tmp_path, moment)
        security = made(certs)
        disk.count, disk.last = 0, moment
        try:
            assert await do(security, chain) is accepted
        except PowerCut:
            disk.last = float("inf")
            await whole(certs)
            continue
        disk.last = float("inf")
        await whole(certs)
        assert moment >= 2, "there were moments before"
        return
    raise AssertionError("it never ended")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_disk_that_fails_at_any_moment(
    tmp_path: Path, disk: Disk, change: str, number: int, caplog: Any
) -> None:
    """What was refused is not in force."""
    do, accepted, refused = CHANGES[change]
    _, chain = await prepared(tmp_path / "first")
    for moment in range(200):
        disk.last = float("inf")
        certs = copy(tmp_path, moment)
        security = made(certs)
        before = await security.get_leaf_certificate_info(CSMS)
        disk.count, disk.last, disk.error = 0, moment, OSError(number, os.strerror(number))
        answer = await do(security, chain)
        disk.last = float("inf")
        if answer is accepted:
            await whole(certs)
            return
        assert answer is refused
        assert os.strerror(number) in caplog.text
        if change == "update" and disk.count == moment + 1:
            assert await security.get_leaf_certificate_info(CSMS) == before
        await whole(certs)
    raise AssertionError("it never ended")


async def test_nothing_of_a_refused_change_stays_when_the_disk_is_well_again(tmp_path: Path, disk: Disk) -> None:
    """The disk fails in the moment between the two files of a chain, and only then."""
    _, chain = await prepared(tmp_path)
    security = made(tmp_path)
    before = await security.get_leaf_certificate_info(CSMS)
    replace, calls = os.replace, 0

    def second_fails(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.EIO, "Input/output error")
        replace(*arguments)

    os.replace = second_fails  # type: ignore[assignment]
    assert await security.update_leaf_certificate(chain, CSMS) is Install.WRITE_ERROR
    assert await security.get_leaf_certificate_info(CSMS) == before
    assert await security.update_leaf_certificate(chain, CSMS) is Install.ACCEPTED


async def test_a_disk_without_space_in_memory() -> None:
    security = MemoryEvseSecurity(lambda: NOW)
    security.files.error = OSError(errno.ENOSPC, "No space left on device")
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.WRITE_ERROR
    security.files.error = None
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.ACCEPTED


CHILD = """
import sys, time, trio
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.evse_security import CaCertificateType
from ocpp16.security.lab_pki import Authority
from ocpp16.security.private_keys import made_key
async def main():
    now = float(sys.argv[3])
    security = FileEvseSecurity(sys.argv[1], csms_ca_bundle=sys.argv[1] + "/roots.pem", now=lambda: now)
    for number in range(10):
        text = Authority(f"{sys.argv[2]} {number}", now).certificate
        print(await security.install_ca_certificate(text, CaCertificateType.CSMS))
trio.run(main)
"""


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    """Both rewrite one file."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), name, str(NOW)], stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "other")
    ]
    for process in started:
        output, _ = process.communicate(timeout=PATIENCE)
        assert output.split() == ["Accepted"] * 10
    assert len(certificates_in((tmp_path / "roots.pem").read_bytes())) == 20


async def test_somebody_who_keeps_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_files, "LOCK_TIMEOUT", 0.2)
    security = made(tmp_path)
    assert await security.install_ca_certificate(root("First").pem, ROOTS) is Install.ACCEPTED
    with DiskFiles().locked([tmp_path / "ca" / "csms"]):
        assert await security.install_ca_certificate(root("Second").pem, ROOTS) is Install.WRITE_ERROR
        assert await roots(security) == 1, "who only looks does not wait"
    assert await security.install_ca_certificate(root("Second").pem, ROOTS) is Install.ACCEPTED


async def test_who_is_cancelled_does_not_wait_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    security = made(tmp_path)
    await security.install_ca_certificate(root("First").pem, ROOTS)
    began, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    real = DiskFiles.apply

    def slow(self: DiskFiles, changes: Any, is_wanted: Any) -> None:
        def asked() -> bool:
            began.set()
            go_on.wait(PATIENCE)
            return bool(is_wanted())

        try:
            real(self, changes, asked)
        finally:
            ended.set()

    monkeypatch.setattr(DiskFiles, "apply", slow)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(security.install_ca_certificate, root("Second").pem, ROOTS)
        await trio.to_thread.run_sync(began.wait, PATIENCE)
        assert await roots(security) == 1, "who looks is not held up"
        nursery.cancel_scope.cancel()
    assert not ended.is_set(), "the thread is still in there"
    go_on.set()
    await trio.to_thread.run_sync(ended.wait, PATIENCE)
    assert await roots(security) == 1
    assert [path.suffix for path in (tmp_path / "ca" / "csms").iterdir()] == [".pem"]
    assert await security.install_ca_certificate(root("Third").pem, ROOTS) is Install.ACCEPTED


async def test_changes_come_one_after_another(tmp_path: Path) -> None:
    bundle = tmp_path / "roots.pem"
    security = FileEvseSecurity(tmp_path / "certs", csms_ca_bundle=bundle, now=lambda: NOW)
    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(security.install_ca_certificate, root(f"Root {number}").pem, ROOTS)
    assert len(certificates_in(bundle.read_bytes())) == 8


async def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    security = made(tmp_path / "certs")
    (tmp_path / "certs").write_text("")
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.WRITE_ERROR
    assert not await security.is_ca_certificate_installed(ROOTS)


async def test_half_made_files_of_ours_are_collected(tmp_path: Path) -> None:
    await prepared(tmp_path)
    folder = tmp_path / "client" / "csms"
    left = folder / f".{next(folder.glob('*.key')).name}.tmp0123abcd.tmp"
    other = folder / ".other.tmp"
    a_root = tmp_path / "ca" / "csms" / ".CSMS_ROOT_0123.pem.tmp"
    kept = tmp_path / "ca" / "csms" / "..CSMS_ROOT_0123.pem.tmp0123abcd.tmp"
    fresh = tmp_path / "ca" / "csms" / ".CSMS_ROOT_4567.pem.tmp"
    for path in (left, other, a_root, kept, fresh):
        path.write_text("x")
        written = NOW if path is fresh else NOW - 100_000
        os.utime(path, (written, written))
    assert await made(tmp_path).collect_garbage() == 3
    assert [path.exists() for path in (left, other, a_root, kept, fresh)] == [False, True, False, False, True]


async def test_one_family_without_a_place_does_not_keep_the_others_from_changing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    security = FileEvseSecurity(tmp_path / "certs", mo_ca_bundle=tmp_path / "file" / "mo", now=lambda: NOW)
    assert await security.install_ca_certificate(root().pem, CaCertificateType.MO) is Install.WRITE_ERROR
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.ACCEPTED


async def test_one_family_whose_place_cannot_be_looked_at_does_not_keep_the_others_from_changing(
    tmp_path: Path,
) -> None:
    (tmp_path / "mo").symlink_to("mo")
    security = FileEvseSecurity(tmp_path / "certs", mo_ca_bundle=tmp_path / "mo", now=lambda: NOW)
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.ACCEPTED
    made = await security.generate_certificate_signing_request(LeafCertificateType.CSMS, "DE", "O", "CP", False)
    assert made.status is CsrStatus.ACCEPTED


async def test_a_key_that_takes_long_to_make_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()
    real = made_key

    def slow(*arguments: Any) -> Any:
        began.set()
        go_on.wait(PATIENCE)
        return real(*arguments)

    monkeypatch.setattr(certificate_store, "made_key", slow)
    security = made(tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_request, security, "")
        await trio.to_thread.run_sync(began.wait, PATIENCE)
        assert await security.install_ca_certificate(root().pem, ROOTS) is Install.ACCEPTED
        go_on.set()
    assert len(list((tmp_path / "client" / "csms").iterdir())) == 1


async def test_on_a_virtual_clock(autojump_clock: Any, tmp_path: Path) -> None:
    """Threads would let hours pass."""
    security = FileEvseSecurity(tmp_path, now=lambda: NOW, inline=True)
    begin = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 3600)
        assert await security.install_ca_certificate(root().pem, ROOTS) is Install.ACCEPTED
        assert trio.current_time() == begin

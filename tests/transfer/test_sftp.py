"""SFTP against paramiko's server on loopback: whom we believe, fetched, resumed, sent; what is refused."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
import trio
from loopback import content_of, left_beside, names_in, threads_of_others
from sftp_file_server import SftpFileServer

from ocpp16.transfer import SftpAccess, TransferError, TransferFailure, TransferService

pytestmark = pytest.mark.world

Content = Callable[[int], bytes]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    (path / "logs").mkdir(parents=True)
    return path


@pytest.fixture
def server(root: Path) -> Iterator[SftpFileServer]:
    with SftpFileServer(root) as running:
        yield running


@pytest.fixture
def service(server: SftpFileServer) -> TransferService:
    return TransferService(sftp=SftpAccess(fingerprints=frozenset({server.key.fingerprint})))


async def fails(service: TransferService, url: str, path: Path) -> TransferError:
    with pytest.raises(TransferError) as caught:
        await service.download(url, path)
    assert threads_of_others() == []
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
async def test_fetched_with_progress(
    service: TransferService, server: SftpFileServer, root: Path, here: Path, content: Content, size: int
) -> None:
    (root / "fw 1.bin").write_bytes(content(size))
    told: list[tuple[int, int | None]] = []
    done = await service.download(server.url("fw%201.bin"), here / "fw", progress=lambda *now: told.append(now))
    assert content_of(here / "fw") == content(size)
    assert (done.location, done.size) == (f"sftp://127.0.0.1:{server.port}/fw%201.bin", size)
    assert (told[0], told[-1]) == ((0, size), (size, size))
    server.transports[0].join()
    assert threads_of_others() == []


async def test_a_cut_download_goes_on(
    service: TransferService, server: SftpFileServer, root: Path, here: Path, content: Content
) -> None:
    (root / "fw").write_bytes(content(3_000_000))
    server.cut_after = 1_000_000
    error = await fails(service, server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.CUT_OFF
    served, server.cut_after = server.served, None
    done = await service.download(server.url("fw"), here / "fw")
    assert content_of(here / "fw") == content(3_000_000)
    assert done.resumed_at > 900_000
    assert server.served - served == 3_000_000 - done.resumed_at


async def test_a_new_version_begins_anew(
    service: TransferService, server: SftpFileServer, root: Path, here: Path, content: Content
) -> None:
    (root / "fw").write_bytes(content(3_000_000))
    server.cut_after = 1_000_000
    await fails(service, server.url("fw"), here / "fw")
    server.cut_after = None
    (root / "fw").write_bytes(content(2_000_000))
    assert (await service.download(server.url("fw"), here / "fw")).resumed_at == 0
    assert content_of(here / "fw") == content(2_000_000)
    assert left_beside(here / "fw") == []


async def test_a_key_that_nobody_knows_is_refused_and_the_way_told(
    server: SftpFileServer, root: Path, here: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))  # no known hosts
    (root / "fw").write_bytes(b"data")
    error = await fails(TransferService(), server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.HOST_KEY
    assert not error.is_temporary
    assert server.key.fingerprint in str(error)
    assert "accept_unknown_host_keys=True" in str(error)
    taking = TransferService(sftp=SftpAccess(accept_unknown_host_keys=True))
    await taking.download(server.url("fw"), here / "fw")
    assert any("is not known, and is not verified" in record.message for record in caplog.records)
    other = TransferService(sftp=SftpAccess(fingerprints=frozenset({"SHA256:" + "A" * 43})))
    assert (await fails(other, server.url("fw"), here / "fw")).failure is TransferFailure.HOST_KEY


def known_hosts(path: Path, server: SftpFileServer, *keys: paramiko.PKey) -> Path:
    lines = [f"[127.0.0.1]:{server.port} {key.get_name()} {key.get_base64()}\n" for key in keys]
    path.write_text("# known\n\nnonsense\n" + "".join(lines))
    return path


@pytest.mark.parametrize("by_name", [True, False])
async def test_known_hosts(
    server: SftpFileServer, root: Path, here: Path, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    (root / "fw").write_bytes(b"data")
    monkeypatch.setenv("HOME", str(here))
    (here / ".ssh").mkdir()
    path = known_hosts(here / ".ssh" / "known_hosts", server, server.key)
    access = SftpAccess(known_hosts=path) if by_name else SftpAccess()
    await TransferService(sftp=access).download(server.url("fw"), here / "fw")


async def test_a_key_that_contradicts_is_refused_even_if_any_is_taken(
    server: SftpFileServer, root: Path, here: Path
) -> None:
    (root / "fw").write_bytes(b"data")
    path = known_hosts(here / "known", server, paramiko.ECDSAKey.generate())
    access = SftpAccess(known_hosts=path, accept_unknown_host_keys=True)
    error = await fails(TransferService(sftp=access), server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.HOST_KEY
    assert "somebody else" in str(error)
    trusted = replace(access, fingerprints=frozenset({server.key.fingerprint}))
    await TransferService(sftp=trusted).download(server.url("fw"), here / "fw")


async def test_of_several_keys_the_one_that_is_known_is_asked_for(root: Path, here: Path) -> None:
    (root / "fw").write_bytes(b"data")
    rsa = paramiko.RSAKey.generate(2048)
    with SftpFileServer(root) as server:
        server.more_keys.append(rsa)
        access = SftpAccess(known_hosts=known_hosts(here / "known", server, rsa))
        await TransferService(sftp=access).download(server.url("fw"), here / "fw")


async def test_known_hosts_have_old_keys_and_lines_for_others(server: SftpFileServer, root: Path, here: Path) -> None:
    (root / "fw").write_bytes(b"data")
    path = known_hosts(here / "known", server, paramiko.ECDSAKey.generate(), server.key)
    authority = f"@cert-authority *.example.com {server.key.get_name()} {server.key.get_base64()}\n"
    path.write_text(f"{authority}[127.0.0.1]:{server.port} ssh-ed25519 AAA\n{path.read_text()}")
    await TransferService(sftp=SftpAccess(known_hosts=path)).download(server.url("fw"), here / "fw")


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_key_that_was_taken_back_is_refused_even_if_any_is_taken(
    server: SftpFileServer, root: Path, here: Path, is_known: bool
) -> None:
    (root / "fw").write_bytes(b"data")
    path = known_hosts(here / "known", server, *[server.key] * is_known)
    path.write_text(f"{path.read_text()}@revoked * {server.key.get_name()} {server.key.get_base64()}\n")
    access = SftpAccess(known_hosts=path, accept_unknown_host_keys=True)
    error = await fails(TransferService(sftp=access), server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.HOST_KEY
    assert "@revoked" in str(error)


async def test_known_hosts_that_cannot_be_read(server: SftpFileServer, here: Path) -> None:
    access = SftpAccess(known_hosts=here / "none")
    error = await fails(TransferService(sftp=access), server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.HOST_KEY
    assert "No such file" in str(error)


async def test_who_may(service: TransferService, server: SftpFileServer, root: Path, here: Path) -> None:
    (root / "fw").write_bytes(b"data")
    error = await fails(service, server.url("fw", password="wrong-one"), here / "fw")
    assert error.failure is TransferFailure.AUTHENTICATION
    assert "wrong-one" not in str(error)
    error = await fails(service, f"sftp://127.0.0.1:{server.port}/fw", here / "fw")
    assert error.failure is TransferFailure.AUTHENTICATION
    assert "needs a user" in str(error)


async def test_by_key(service: TransferService, server: SftpFileServer, root: Path, here: Path) -> None:
    (root / "fw").write_bytes(b"data")
    server.user_key = paramiko.ECDSAKey.generate()
    server.user_key.write_private_key_file(str(here / "key"), password="of-the-key")
    access = replace(service.sftp, private_key=here / "key", private_key_password="of-the-key")
    assert "of-the-key" not in repr(TransferService(sftp=access))
    url = f"sftp://station@127.0.0.1:{server.port}/fw"
    await TransferService(sftp=access).download(url, here / "fw")
    for wrong in (None, "another"):
        by = TransferService(sftp=replace(access, private_key_password=wrong))
        error = await fails(by, url, here / "fw")
        assert error.failure is TransferFailure.AUTHENTICATION
    server.user_key = paramiko.ECDSAKey.generate()  # it knows another one
    assert (await fails(TransferService(sftp=access), url, here / "fw")).failure is TransferFailure.AUTHENTICATION
    await TransferService(sftp=access).download(server.url("fw"), here / "fw")  # then by password


async def test_what_cannot_be_fetched(
    service: TransferService, server: SftpFileServer, root: Path, here: Path, content: Content
) -> None:
    assert (await fails(service, server.url("none"), here / "fw")).failure is TransferFailure.NOT_FOUND
    assert (await fails(service, server.url("logs"), here / "fw")).failure is TransferFailure.REFUSED
    (root / "fw").write_bytes(content(1_001))
    small = replace(service, max_bytes=1_000)
    assert (await fails(small, server.url("fw"), here / "fw")).failure is TransferFailure.TOO_LARGE
    assert names_in(here) == []


@pytest.mark.parametrize("lie", [-1, 1])
async def test_a_size_that_is_a_lie(
    service: TransferService, server: SftpFileServer, root: Path, here: Path, content: Content, lie: int
) -> None:
    (root / "fw").write_bytes(content(100_000))
    server.size_lie = lie
    error = await fails(service, server.url("fw"), here / "fw")
    assert error.failure is (TransferFailure.PROTOCOL if lie < 0 else TransferFailure.CUT_OFF)
    assert "fw" not in names_in(here)


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("", "log 1.gz"),
        ("logs/", "logs/log 1.gz"),
        ("logs", "logs/log 1.gz"),  # a folder that does not say so
        ("~/logs/x", "logs/x"),
        ("logs/other.gz", "logs/other.gz"),
    ],
)
async def test_sent_to_a_folder_or_a_file(
    service: TransferService, server: SftpFileServer, root: Path, here: Path, content: Content, url: str, there: str
) -> None:
    (here / "log 1.gz").write_bytes(content(700_000))
    told: list[tuple[int, int | None]] = []
    await service.upload(here / "log 1.gz", server.url(url), progress=lambda *now: told.append(now))
    assert content_of(root / there) == content(700_000)
    assert told[-1] == (700_000, 700_000)


async def test_a_cut_upload_goes_on(
    service: TransferService, server: SftpFileServer, root: Path, here: Path, content: Content
) -> None:
    (here / "log").write_bytes(content(300_000))
    (root / "log").write_bytes(content(300_000)[:100_000])  # what an attempt left
    done = await service.upload(here / "log", server.url("log"), is_resumed=True)
    assert content_of(root / "log") == content(300_000)
    assert done.resumed_at == 100_000
    (root / "log").write_bytes(bytes(400_000))  # that is none of ours
    done = await service.upload(here / "log", server.url("log"), is_resumed=True)
    assert content_of(root / "log") == content(300_000)
    (root / "log").write_bytes(bytes(100_000))
    assert (await service.upload(here / "log", server.url("log"))).resumed_at == 0
    assert content_of(root / "log") == content(300_000)


async def test_what_cannot_be_sent(
    service: TransferService, server: SftpFileServer, here: Path, content: Content
) -> None:
    (here / "log").write_bytes(content(3_000_000))
    with pytest.raises(TransferError) as caught:
        await service.upload(here / "log", server.url("none/"))
    assert caught.value.failure is TransferFailure.NOT_FOUND
    server.full_after = 1_000_000
    with pytest.raises(TransferError) as caught:
        await service.upload(here / "log", server.url("log"))
    assert caught.value.failure is TransferFailure.UNAVAILABLE  # it says no more than "Failure"
    assert caught.value.is_temporary
    assert threads_of_others() == []


async def test_a_server_that_is_none(here: Path) -> None:
    from http_file_server import HttpFileServer

    with HttpFileServer() as server:
        error = await fails(TransferService(), f"sftp://a:bcdef@127.0.0.1:{server.port}/fw", here / "fw")
    assert error.failure in (TransferFailure.PROTOCOL, TransferFailure.CUT_OFF)
    error = await fails(TransferService(), "sftp://a:bcdef@127.0.0.1:1/fw", here / "fw")
    assert error.failure is TransferFailure.UNREACHABLE


async def test_a_server_that_falls_silent_in_its_handshake_leaves_no_thread(here: Path) -> None:
    """Between its banner and its keys a thread of paramiko's runs that ends by itself only when the handshake does."""
    service = TransferService(sftp=SftpAccess())
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener, trio.open_nursery() as nursery:
        nursery.start_soon(service.download, f"sftp://u:p@127.0.0.1:{port}/fw", here / "fw")
        stream = await listener.accept()
        await stream.send_all(b"SSH-2.0-silent\r\n")
        came = b""
        while b"diffie-hellman" not in came:  # its own keys are sent: the handshake has begun
            came += await stream.receive_some()
        nursery.cancel_scope.cancel()
    await stream.aclose()
    assert threads_of_others() == []
    assert names_in(here) == []


async def test_what_paramiko_stumbles_over_is_no_fault_of_ours(server: SftpFileServer, here: Path) -> None:
    goodbye = b"\x01\0\0\0\x02\0\0\0\x04\xfcber\0\0\0\0"  # SSH_MSG_DISCONNECT, with a reason in no UTF-8
    server.banner, server.is_silent = b"SSH-2.0-x\r\n\0\0\0\x1c\x0a" + goodbye + bytes(10), True
    error = await fails(TransferService(), server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.PROTOCOL
    assert error.is_temporary


async def test_without_paramiko_it_is_said_what_to_install(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("ocpp16.transfer.sftp"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    error = await fails(TransferService(), "sftp://a@127.0.0.1:1/fw", here / "fw")
    assert error.failure is TransferFailure.MISSING_LIBRARY
    assert str(error) == "sftp:// needs paramiko, which is not installed: pip install 'ocpp16[transfer]'"

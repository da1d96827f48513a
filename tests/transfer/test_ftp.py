"""FTP and FTPS against pyftpdlib on loopback: fetched, resumed, sent; what is refused, and how it is called."""

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import trio
from ftp_file_server import FtpFileServer
from loopback import content_of, has_ipv6, left_beside, names_in

from ocpp16.transfer import Location, TransferError, TransferFailure, TransferService, ftp
from ocpp16.transfer.part_file import PartFile

pytestmark = pytest.mark.world

Content = Callable[[int], bytes]
service = TransferService()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    (path / "logs" / "deep").mkdir(parents=True)
    return path


@pytest.fixture
def server(root: Path) -> Iterator[FtpFileServer]:
    with FtpFileServer(root) as running:
        yield running


async def fails(url: str, path: Path, by: TransferService = service) -> TransferError:
    with pytest.raises(TransferError) as caught:
        await by.download(url, path)
    return caught.value


async def refuses(path: Path, url: str, is_resumed: bool = False) -> TransferError:
    with pytest.raises(TransferError) as caught:
        await service.upload(path, url, is_resumed=is_resumed)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
async def test_fetched_with_progress(
    server: FtpFileServer, root: Path, here: Path, content: Content, size: int
) -> None:
    (root / "fw 1.bin").write_bytes(content(size))
    told: list[tuple[int, int | None]] = []
    done = await service.download(server.url("fw%201.bin"), here / "fw", progress=lambda *now: told.append(now))
    assert content_of(here / "fw") == content(size)
    assert (done.location, done.size) == (f"ftp://127.0.0.1:{server.port}/fw%201.bin", size)
    assert (told[0], told[-1]) == ((0, size), (size, size))


async def test_a_cut_download_goes_on(server: FtpFileServer, root: Path, here: Path, content: Content) -> None:
    (root / "fw").write_bytes(content(3_000_000))
    server.cut_after = 1_000_000
    error = await fails(server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.CUT_OFF
    assert error.is_temporary
    served, server.cut_after = server.served, None
    done = await TransferService().download(server.url("fw"), here / "fw")
    assert content_of(here / "fw") == content(3_000_000)
    assert done.resumed_at > 500_000
    assert f"REST {done.resumed_at}" in server.commands
    assert server.served - served == 3_000_000 - done.resumed_at


async def test_a_new_version_begins_anew(server: FtpFileServer, root: Path, here: Path, content: Content) -> None:
    (root / "fw").write_bytes(content(3_000_000))
    server.cut_after = 1_000_000
    await fails(server.url("fw"), here / "fw")
    server.cut_after = None
    (root / "fw").write_bytes(content(2_999_999))
    done = await service.download(server.url("fw"), here / "fw")
    assert content_of(here / "fw") == content(2_999_999)
    assert done.resumed_at == 0


@pytest.mark.parametrize("command", ["MDTM", "SIZE", "REST"])
async def test_a_server_that_cannot_go_on(
    server: FtpFileServer, root: Path, here: Path, content: Content, command: str
) -> None:
    server.answers[command] = "502 What?"
    (root / "fw").write_bytes(content(3_000_000))
    server.cut_after = 1_000_000
    await fails(server.url("fw"), here / "fw")
    server.cut_after = None
    done = await service.download(server.url("fw"), here / "fw")
    assert content_of(here / "fw") == content(3_000_000)
    assert done.resumed_at == 0
    assert left_beside(here / "fw") == []


async def test_all_of_it_was_here(server: FtpFileServer, root: Path, here: Path, content: Content) -> None:
    """But for its name: the process was killed in between."""
    (root / "fw").write_bytes(content(300_000))
    server.answers["MDTM"] = "213 20260101000000"
    part = PartFile(here / "fw", Location.parse(server.url("fw")).fingerprint)
    part.begin(0, None, "size 300000 time 20260101000000")
    part.write(content(300_000))
    part.leave(is_kept=True)
    done = await service.download(server.url("fw"), here / "fw")
    assert content_of(here / "fw") == content(300_000)
    assert done.resumed_at == 300_000
    assert server.served == 0


@pytest.mark.parametrize("is_implicit", [False, True])
async def test_ftps(
    root: Path, here: Path, certificate: Path, trusted: ssl.SSLContext, content: Content, is_implicit: bool
) -> None:
    (root / "fw").write_bytes(content(3_000_000))
    secure = TransferService(ssl_context=trusted)
    with FtpFileServer(root, certificate, is_implicit) as server:
        scheme = "ftps" if is_implicit else "ftpes"
        await secure.download(server.url("fw", scheme), here / "fw")
        assert content_of(here / "fw") == content(3_000_000)
        assert "PROT P" in server.commands
        assert ("AUTH TLS" in server.commands) is not is_implicit
        await secure.upload(here / "fw", server.url("logs/", scheme))
        assert content_of(root / "logs" / "fw") == content(3_000_000)
        error = await fails(server.url("fw", scheme), here / "other")
        assert error.failure is TransferFailure.CERTIFICATE


async def test_ftps_at_the_port_of_ftp_is_explicit(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many a Central System writes ftps:// for FTP with AUTH TLS."""
    asked: list[tuple[str, int]] = []

    async def opened(host: str, port: int) -> None:
        asked.append((host, port))
        raise TransferError(TransferFailure.UNREACHABLE, "nobody is there")

    monkeypatch.setattr(ftp, "open_tcp", opened)
    await fails("ftps://127.0.0.1/fw", here / "fw")
    await fails("ftps://127.0.0.1:21/fw", here / "fw")
    await fails("ftpes://127.0.0.1/fw", here / "fw")
    assert [port for _, port in asked] == [990, 21, 21]


async def test_no_tls_no_transfer(server: FtpFileServer, root: Path, here: Path, trusted: ssl.SSLContext) -> None:
    (root / "fw").write_bytes(b"data")
    error = await fails(server.url("fw", "ftpes"), here / "fw", TransferService(ssl_context=trusted))
    assert error.failure is TransferFailure.REFUSED
    assert not [command for command in server.commands if command.startswith(("USER", "PASS"))]


@pytest.mark.parametrize("command", ["PBSZ", "PROT"])
async def test_no_protection_no_transfer(
    root: Path, here: Path, certificate: Path, trusted: ssl.SSLContext, command: str
) -> None:
    (root / "fw").write_bytes(b"data")
    with FtpFileServer(root, certificate) as server:
        server.answers[command] = "534 No."
        error = await fails(server.url("fw", "ftpes"), here / "fw", TransferService(ssl_context=trusted))
    assert error.failure is TransferFailure.REFUSED
    assert not any(command.startswith("RETR") for command in server.commands)


async def test_who_may(server: FtpFileServer, root: Path, here: Path) -> None:
    (root / "fw").write_bytes(b"data")
    error = await fails(server.url("fw", password="wrong-one"), here / "fw")
    assert error.failure is TransferFailure.AUTHENTICATION
    assert "wrong-one" not in str(error)
    await service.download(f"ftp://127.0.0.1:{server.port}/fw", here / "fw")
    assert "USER anonymous" in server.commands


@pytest.mark.parametrize(
    ("command", "said", "failure"),
    [
        ("RETR", "550 No such file.", TransferFailure.NOT_FOUND),
        ("RETR", "450 Busy.", TransferFailure.UNAVAILABLE),
        ("RETR", "501 Syntax.", TransferFailure.REFUSED),
        ("USER", "421 Too many users.", TransferFailure.UNAVAILABLE),
        ("USER", "530 s3cret-Pass/word is no password.", TransferFailure.AUTHENTICATION),
        ("TYPE", "99 what", TransferFailure.PROTOCOL),
        ("TYPE", "Hello!", TransferFailure.PROTOCOL),
        ("TYPE", "200-" + "x" * 20_000, TransferFailure.PROTOCOL),
        ("TYPE", "200-a\r\n" * 5_000, TransferFailure.PROTOCOL),
        ("PASV", "227 Entering (127,0,0,1,0,0)", TransferFailure.PROTOCOL),
        ("PASV", "227 Entering (127,0,0,1,999,9)", TransferFailure.PROTOCOL),
    ],
)
async def test_refusals(
    server: FtpFileServer, root: Path, here: Path, command: str, said: str, failure: TransferFailure
) -> None:
    (root / "fw").write_bytes(b"data")
    server.answers[command] = said
    error = await fails(server.url("fw"), here / "fw")
    assert error.failure is failure
    assert "s3cret" not in str(error)
    assert len(str(error)) < 400
    assert names_in(here) == []


async def test_what_is_not_there(server: FtpFileServer, here: Path) -> None:
    assert (await fails(server.url("none"), here / "fw")).failure is TransferFailure.NOT_FOUND
    (here / "log").write_bytes(b"log")
    assert (await refuses(here / "log", server.url("none/"))).failure is TransferFailure.NOT_FOUND


async def test_without_pasv_by_epsv(server: FtpFileServer, root: Path, here: Path, content: Content) -> None:
    (root / "fw").write_bytes(content(100_000))
    server.answers["PASV"] = "502 Not here."
    await service.download(server.url("fw"), here / "fw")
    assert content_of(here / "fw") == content(100_000)
    assert "EPSV" in server.commands
    server.answers["EPSV"] = "229 Extended (|||0|)"
    assert (await fails(server.url("fw"), here / "fw")).failure is TransferFailure.PROTOCOL


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on loopback")
async def test_over_ipv6(root: Path, here: Path, content: Content) -> None:
    (root / "fw").write_bytes(content(100_000))
    with FtpFileServer(root, host="::1") as server:
        await service.download(server.url("fw"), here / "fw")
        await service.upload(here / "fw", server.url("logs/"))
    assert content_of(root / "logs" / "fw") == content(100_000)
    assert "PASV" not in server.commands


async def test_the_address_that_a_server_tells_is_not_believed(server: FtpFileServer, root: Path, here: Path) -> None:
    """It may be wrong behind a router, and an attack on somebody else."""
    (root / "fw").write_bytes(b"data")
    server.is_elsewhere = True
    await service.download(server.url("fw"), here / "fw")
    assert content_of(here / "fw") == b"data"


@pytest.mark.parametrize("size_told", ["213 10", "213 300000000000000000"])
async def test_a_size_that_is_a_lie(
    server: FtpFileServer, root: Path, here: Path, content: Content, size_told: str
) -> None:
    (root / "fw").write_bytes(content(100_000))
    server.answers["SIZE"] = size_told
    error = await fails(server.url("fw"), here / "fw", TransferService(max_bytes=1_000_000))
    assert error.failure in (TransferFailure.PROTOCOL, TransferFailure.CUT_OFF, TransferFailure.TOO_LARGE)
    assert "fw" not in names_in(here)


async def test_less_than_was_told(server: FtpFileServer, root: Path, here: Path, content: Content) -> None:
    (root / "fw").write_bytes(content(100_000))
    server.answers["SIZE"] = "213 100001"
    error = await fails(server.url("fw"), here / "fw")
    assert error.failure is TransferFailure.CUT_OFF
    assert "100,000 of 100,001 bytes" in str(error)


async def test_no_end_where_no_size_is_told(server: FtpFileServer, root: Path, here: Path, content: Content) -> None:
    (root / "fw").write_bytes(content(5_000_000))
    server.answers["SIZE"] = "502 No."
    error = await fails(server.url("fw"), here / "fw", TransferService(max_bytes=1_000_000))
    assert error.failure is TransferFailure.TOO_LARGE
    assert names_in(here) == []


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("", "log 1.gz"),
        ("logs/", "logs/log 1.gz"),
        ("logs", "logs/log 1.gz"),  # a folder that does not say so
        ("logs/deep", "logs/deep/log 1.gz"),
        ("logs/other.gz", "logs/other.gz"),
        ("logs/other.gz;type=i", "logs/other.gz"),
    ],
)
async def test_sent_to_a_folder_or_a_file(
    server: FtpFileServer, root: Path, here: Path, content: Content, url: str, there: str
) -> None:
    (here / "log 1.gz").write_bytes(content(300_000))
    told: list[tuple[int, int | None]] = []
    done = await service.upload(here / "log 1.gz", server.url(url), progress=lambda *now: told.append(now))
    assert content_of(root / there) == content(300_000)
    assert told[-1] == (300_000, 300_000)
    assert done.location.removesuffix(";type=i").endswith(there.replace(" ", "%20"))
    assert "s3cret" not in done.location


async def test_a_cut_upload_goes_on(server: FtpFileServer, root: Path, here: Path, content: Content) -> None:
    (here / "log").write_bytes(content(300_000))
    (root / "log").write_bytes(content(300_000)[:100_000])  # what an attempt left
    done = await service.upload(here / "log", server.url("log"), is_resumed=True)
    assert content_of(root / "log") == content(300_000)
    assert done.resumed_at == 100_000
    done = await service.upload(here / "log", server.url("log"), is_resumed=True)
    assert done.resumed_at == 0, "there whole, and an attempt that failed"
    (root / "log").write_bytes(bytes(400_000))  # that is none of ours
    await service.upload(here / "log", server.url("log"), is_resumed=True)
    assert content_of(root / "log") == content(300_000)
    (root / "log").write_bytes(bytes(100_000))
    await service.upload(here / "log", server.url("log"))
    assert content_of(root / "log") == content(300_000)


async def test_what_is_there_is_more_than_was_told(
    server: FtpFileServer, root: Path, here: Path, content: Content
) -> None:
    """The server still wrote what came over the connection before when it was asked how much it has."""
    (here / "log").write_bytes(content(300_000))
    (root / "log").write_bytes(content(300_000)[:150_000])
    server.answers["SIZE"] = "213 100000"
    error = await refuses(here / "log", server.url("log"), is_resumed=True)
    assert error.failure is TransferFailure.CUT_OFF
    del server.answers["SIZE"]
    await service.upload(here / "log", server.url("log"), is_resumed=True)
    assert content_of(root / "log") == content(300_000)


async def test_no_room_there(server: FtpFileServer, here: Path, content: Content) -> None:
    (here / "log").write_bytes(content(50_000_000))
    server.answers["STOR"] = "552 No room."
    assert (await refuses(here / "log", server.url("log"))).failure is TransferFailure.REMOTE_FULL
    del server.answers["STOR"]
    server.full_after = 1_000_000
    error = await refuses(here / "log", server.url("log"))
    assert error.failure is TransferFailure.REMOTE_FULL
    assert "No space left" in str(error)


async def test_a_server_that_is_not_ready_yet(server: FtpFileServer, root: Path, here: Path) -> None:
    """What it says later is not taken for the answer to something else."""
    (root / "fw").write_bytes(b"data")
    server.banner = "120 Ready in a minute.\r\n220 Ready."
    await service.download(server.url("fw"), here / "fw")
    await service.upload(here / "fw", server.url("log"))
    assert content_of(root / "log") == b"data"


async def test_a_server_that_hangs_up_before_the_data(here: Path) -> None:
    """The kernel knows no peer any more by the time that its address is asked for."""

    async def hangs_up(stream: trio.SocketStream) -> None:
        replies = [b"220 hi", b"331 who?", b"230 in", b"200 ok", b"550 no"]
        for reply in replies:
            await stream.send_all(reply + b"\r\n")
            if reply is not replies[-1]:
                await stream.receive_some()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.socket.close()

    (here / "log").write_bytes(b"data")
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, hangs_up, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        error = await refuses(here / "log", f"ftp://u:p@127.0.0.1:{port}/log")
        nursery.cancel_scope.cancel()
    assert error.failure is TransferFailure.CUT_OFF
    assert error.is_temporary


async def test_nobody_listens(here: Path) -> None:
    error = await fails("ftp://127.0.0.1:1/fw", here / "fw")
    assert error.failure is TransferFailure.UNREACHABLE
    assert str(error) == "ftp://127.0.0.1:1/fw: cannot connect to 127.0.0.1:1: Connection refused"

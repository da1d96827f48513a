"""Sent by HTTP to a server on loopback: as a file or a form, refused early or late."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from http_file_server import HttpFileServer
from loopback import content_of

from ocpp16.transfer import TransferError, TransferFailure, TransferService

pytestmark = pytest.mark.world

Content = Callable[[int], bytes]
service = TransferService()


@pytest.fixture
def server() -> Iterator[HttpFileServer]:
    with HttpFileServer() as running:
        yield running


async def refuses(path: Path, url: str, by: TransferService = service) -> TransferError:
    with pytest.raises(TransferError) as caught:
        await by.upload(path, url)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 300_000])
async def test_put(server: HttpFileServer, tmp_path: Path, content: Content, size: int) -> None:
    (tmp_path / "log file.gz").write_bytes(content(size))
    told: list[tuple[int, int | None]] = []
    done = await service.upload(tmp_path / "log file.gz", server.base + "/up/", progress=lambda *now: told.append(now))
    assert server.bodies["/up/log%20file.gz"] == content(size)
    assert (done.location, done.size) == (server.base + "/up/log%20file.gz", size)
    assert told[-1] == (size, size)
    await service.upload(tmp_path / "log file.gz", server.base + "/up/other")
    assert server.bodies["/up/other"] == content(size)


async def test_post_as_a_form(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    (tmp_path / 'a"b.gz').write_bytes(content(100_000))
    by = TransferService(http_upload="POST", http_field="upload")
    await by.upload(tmp_path / 'a"b.gz', server.base + "/up/")
    method, path, headers = server.requests[0]
    assert (method, path) == ("POST", "/up/")
    boundary = headers["content-type"].partition("boundary=")[2]
    head, _, rest = server.bodies["/up/"].partition(b"\r\n\r\n")
    assert head.startswith(f"--{boundary}\r\n".encode())
    assert b'form-data; name="upload"; filename="a%22b.gz"' in head
    assert rest == content(100_000) + f"\r\n--{boundary}--\r\n".encode()
    assert int(headers["content-length"]) == len(server.bodies["/up/"])


async def test_a_name_that_no_url_can_say(server: HttpFileServer, tmp_path: Path) -> None:
    (tmp_path / "a\nb\udcff.gz").write_bytes(b"data")
    done = await service.upload(tmp_path / "a\nb\udcff.gz", server.base + "/up/")
    assert done.location == server.base + "/up/a_b_.gz"
    assert server.bodies["/up/a_b_.gz"] == b"data"


async def test_a_form_that_is_thanked_for_elsewhere(server: HttpFileServer) -> None:
    def seen(handler: Any) -> None:
        handler.send_response_only(100)
        handler.end_headers()
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.answer(303, b"", {"Location": "/thanks"})

    server.scripts["/up"] = seen
    await TransferService(http_upload="POST").upload(__file__, server.base + "/up")
    assert len(server.requests) == 1
    assert (await refuses(Path(__file__), server.base + "/up")).failure is TransferFailure.REFUSED


async def test_a_redirected_upload_is_sent_there(server: HttpFileServer) -> None:
    server.scripts["/a"] = lambda handler: handler.answer(307, b"", {"Location": "/b", "Connection": "close"})
    done = await service.upload(__file__, server.base + "/a")
    assert server.bodies["/b"] == content_of(__file__)
    assert done.location == server.base + "/b"


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, TransferFailure.AUTHENTICATION),
        (403, TransferFailure.REFUSED),
        (413, TransferFailure.TOO_LARGE),
        (507, TransferFailure.REMOTE_FULL),
        (503, TransferFailure.UNAVAILABLE),
    ],
)
async def test_an_upload_is_refused_before_it_is_sent(
    server: HttpFileServer, tmp_path: Path, content: Content, status: int, failure: TransferFailure
) -> None:
    (tmp_path / "log").write_bytes(content(50_000_000))
    server.scripts["/up"] = lambda handler: handler.say(f"HTTP/1.1 {status} No", "Connection: close")
    told: list[int] = []
    with pytest.raises(TransferError) as caught:
        await service.upload(tmp_path / "log", server.base + "/up", progress=lambda done, total: told.append(done))
    assert caught.value.failure is failure
    assert told == []


async def test_a_server_with_no_room_says_so_in_the_middle(
    server: HttpFileServer, tmp_path: Path, content: Content
) -> None:
    (tmp_path / "log").write_bytes(content(50_000_000))

    def full(handler: Any) -> None:
        handler.send_response_only(100)
        handler.end_headers()
        handler.rfile.read(1_000_000)
        handler.answer(507, b"", {"Connection": "close"})
        handler.wait()

    server.scripts["/up"] = full
    told: list[int] = []
    with pytest.raises(TransferError) as caught:
        await service.upload(tmp_path / "log", server.base + "/up", progress=lambda done, total: told.append(done))
    assert caught.value.failure is TransferFailure.REMOTE_FULL
    assert told[-1] < 50_000_000


async def test_a_server_that_knows_no_expect(server: HttpFileServer) -> None:
    def refuses_it(handler: Any) -> None:
        if "Expect" in handler.headers:
            handler.say("HTTP/1.1 417 What?", "Connection: close")
        else:
            handler.owner.bodies["/up"] = handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.answer(204)

    server.scripts["/up"] = refuses_it
    await service.upload(__file__, server.base + "/up")
    assert server.bodies["/up"] == content_of(__file__)


async def test_a_server_that_ignores_expect(server: HttpFileServer, still_clock: Any) -> None:
    """As one of HTTP/1.0: the body comes after a while, unasked."""

    def only_reads(handler: Any) -> None:
        handler.owner.bodies["/up"] = handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.answer(201)

    server.scripts["/up"] = only_reads
    async with trio.open_nursery() as nursery:
        nursery.start_soon(service.upload, __file__, server.base + "/up")
        while not server.requests:
            await trio.lowlevel.checkpoint()
        await still_clock.advance_when_all_wait(2)
    assert server.bodies["/up"] == content_of(__file__)


async def test_a_server_that_thanks_too_early(server: HttpFileServer) -> None:
    server.scripts["/up"] = lambda handler: handler.say("HTTP/1.1 201 Thanks", "Connection: close")
    error = await refuses(Path(__file__), server.base + "/up")
    assert error.failure is TransferFailure.PROTOCOL


@pytest.mark.parametrize(("by", "status"), [("PUT", 200), ("POST", 303)])
async def test_thanks_for_a_part_are_none(
    server: HttpFileServer, tmp_path: Path, content: Content, by: Any, status: int
) -> None:
    (tmp_path / "log").write_bytes(content(20_000_000))

    def thanks(handler: Any) -> None:
        handler.send_response_only(100)
        handler.end_headers()
        handler.rfile.read(1_000)
        handler.answer(status, b"", {"Location": "/thanks", "Connection": "close"})
        handler.close_connection = True

    server.scripts["/up"] = thanks
    error = await refuses(tmp_path / "log", server.base + "/up", TransferService(http_upload=by))
    assert error.failure is TransferFailure.CUT_OFF


async def test_an_upload_that_is_cut(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    (tmp_path / "log").write_bytes(content(20_000_000))

    def cut(handler: Any) -> None:
        handler.send_response_only(100)
        handler.end_headers()
        handler.rfile.read(1_000_000)
        handler.close_connection = True

    server.scripts["/up"] = cut
    assert (await refuses(tmp_path / "log", server.base + "/up")).failure is TransferFailure.CUT_OFF


async def test_what_cannot_be_sent(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    assert (await refuses(tmp_path / "none", server.base + "/up")).failure is TransferFailure.LOCAL_FILE
    assert (await refuses(tmp_path, server.base + "/up")).failure is TransferFailure.LOCAL_FILE
    (tmp_path / "log").write_bytes(content(1_001))
    error = await refuses(tmp_path / "log", server.base + "/up", TransferService(max_bytes=1_000))
    assert error.failure is TransferFailure.TOO_LARGE
    assert server.bodies == {}


async def test_a_file_that_becomes_shorter_while_it_is_sent(
    server: HttpFileServer, tmp_path: Path, content: Content
) -> None:
    path = tmp_path / "log"
    path.write_bytes(content(1_000_000))

    def shorten(done: int, total: int | None) -> None:
        if done > 100_000:
            path.write_bytes(b"")

    with pytest.raises(TransferError, match="became shorter") as caught:
        await service.upload(path, server.base + "/up", progress=shorten)
    assert caught.value.failure is TransferFailure.LOCAL_FILE


async def test_a_file_that_grows_while_it_is_sent(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    path = tmp_path / "log"
    path.write_bytes(content(300_000))

    def append(done: int, total: int | None) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    await service.upload(path, server.base + "/up", progress=append)
    assert server.bodies["/up"] == content(300_000)

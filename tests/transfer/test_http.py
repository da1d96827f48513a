"""HTTP and HTTPS against a server on loopback: fetched and resumed; what is refused, and how it is called."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from http_file_server import HttpFileServer
from loopback import CA, EXPIRED, left_beside, names_in

from ocpp16.transfer import TransferError, TransferFailure, TransferService

pytestmark = pytest.mark.world

Content = Callable[[int], bytes]
service = TransferService()


@pytest.fixture
def server() -> Iterator[HttpFileServer]:
    with HttpFileServer() as running:
        yield running


async def fails(url: str, path: Path, by: TransferService = service) -> TransferError:
    with pytest.raises(TransferError) as caught:
        await by.download(url, path)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 300_000, 5_000_000])
async def test_fetched_with_progress(server: HttpFileServer, tmp_path: Path, content: Content, size: int) -> None:
    server.files["/fw.bin"] = content(size)
    told: list[tuple[int, int | None]] = []
    done = await service.download(server.base + "/fw.bin", tmp_path / "fw", progress=lambda *now: told.append(now))
    assert (tmp_path / "fw").read_bytes() == content(size)
    assert (done.location, done.size, done.resumed_at) == (server.base + "/fw.bin", size, 0)
    assert told[0] == (0, size)
    assert told[-1] == (size, size)
    assert told == sorted(told)
    assert left_beside(tmp_path / "fw") == []


async def test_a_length_that_is_not_told(server: HttpFileServer, tmp_path: Path) -> None:
    def in_chunks(handler: Any) -> None:
        handler.say("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5", "01234", "3;x=y", "567", "0", "")

    def until_the_end(handler: Any) -> None:
        handler.say("HTTP/1.1 200 OK", "", "01234567")

    server.scripts |= {"/chunks": in_chunks, "/end": until_the_end}
    told: list[tuple[int, int | None]] = []
    await service.download(server.base + "/chunks", tmp_path / "a", progress=lambda *now: told.append(now))
    assert (tmp_path / "a").read_bytes() == b"01234567"
    assert told[-1] == (8, None)
    await service.download(server.base + "/end", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"01234567\r\n\r\n"


async def test_a_cut_download_goes_on(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    server.files["/fw.bin"] = data = content(3_000_000)
    (tmp_path / "fw").write_bytes(b"old")
    server.cut_after = 1_000_000
    error = await fails(server.base + "/fw.bin", tmp_path / "fw")
    assert error.failure is TransferFailure.CUT_OFF
    assert error.is_temporary
    assert (tmp_path / "fw").read_bytes() == b"old"
    server.cut_after = 500_000
    await fails(server.base + "/fw.bin", tmp_path / "fw")
    server.cut_after = None
    done = await TransferService().download(server.base + "/fw.bin", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == data
    assert done.resumed_at == 1_500_000
    assert server.served == 3_000_000  # every byte once


async def test_by_time_of_change_where_there_is_no_tag(
    server: HttpFileServer, tmp_path: Path, content: Content
) -> None:
    server.has_etags, server.has_dates = False, True
    server.files["/fw.bin"] = data = content(400_000)
    server.cut_after = 100_000
    await fails(server.base + "/fw.bin", tmp_path / "fw")
    server.cut_after = None
    await service.download(server.base + "/fw.bin", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == data
    assert server.served == 400_000


async def test_without_a_validator_it_begins_anew(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    server.has_etags = False
    server.files["/fw.bin"] = data = content(400_000)
    server.cut_after = 100_000
    await fails(server.base + "/fw.bin", tmp_path / "fw")
    assert left_beside(tmp_path / "fw") == []
    server.cut_after = None
    await service.download(server.base + "/fw.bin", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == data
    assert "range" not in server.requests[-1][2]


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": 'W/"weak"'},
        {"ETag": "unquoted"},
        {"Last-Modified": "yesterday", "Date": "today"},
        {"Last-Modified": "Fri, 30 Jan 2099 00:00:00 GMT"},  # not past when it was served
        {"Last-Modified": f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"},
    ],
)
async def test_weak_validators_are_none(
    server: HttpFileServer, tmp_path: Path, content: Content, headers: dict[str, str]
) -> None:
    data = content(200_000)
    server.scripts["/fw"] = lambda handler: handler.answer(200, data, headers)
    server.cut_after = 100_000
    assert (await fails(server.base + "/fw", tmp_path / "fw")).failure is TransferFailure.CUT_OFF
    assert left_beside(tmp_path / "fw") == []


async def test_a_new_version_begins_anew(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    server.files["/fw.bin"] = content(400_000)
    server.cut_after = 100_000
    await fails(server.base + "/fw.bin", tmp_path / "fw")
    server.cut_after = None
    server.files["/fw.bin"] = data = content(300_000)
    done = await service.download(server.base + "/fw.bin", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == data
    assert done.resumed_at == 0
    assert "if-range" in server.requests[-1][2]


async def test_another_url_begins_anew(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    server.files["/one"] = server.files["/two"] = content(400_000)
    server.cut_after = 100_000
    await fails(server.base + "/one", tmp_path / "fw")
    server.cut_after = None
    done = await service.download(server.base + "/two", tmp_path / "fw")
    assert done.resumed_at == 0
    assert left_beside(tmp_path / "fw") == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 99999-399999/400000"},  # not where the part ends
        {"Content-Range": "bytes 100000-399999/400000", "ETag": '"another"'},
        {"Content-Range": "100000"},
        {},
    ],
)
async def test_a_range_that_does_not_fit_is_not_taken(
    server: HttpFileServer, tmp_path: Path, content: Content, headers: dict[str, str]
) -> None:
    server.files["/fw"] = data = content(400_000)
    server.cut_after = 100_000
    await fails(server.base + "/fw", tmp_path / "fw")
    server.cut_after = None

    def lie(handler: Any) -> None:
        if "Range" in handler.headers:
            handler.answer(206, bytes(300_000), headers)
        else:
            handler.answer(200, data)

    server.scripts["/fw"] = lie
    done = await service.download(server.base + "/fw", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == data
    assert done.resumed_at == 0


async def test_a_range_of_a_whole_that_is_not_told_is_not_taken(
    server: HttpFileServer, tmp_path: Path, content: Content
) -> None:
    """It may end before the file does, and then nobody would notice."""
    server.files["/fw"] = data = content(400_000)
    server.cut_after = 100_000
    await fails(server.base + "/fw", tmp_path / "fw")
    server.cut_after = None

    def some(handler: Any) -> None:
        if "Range" in handler.headers:
            headers = {"Content-Range": "bytes 100000-199999/*", "ETag": handler.headers["If-Range"]}
            handler.answer(206, data[100_000:200_000], headers)
        else:
            handler.answer(200, data)

    server.scripts["/fw"] = some
    await service.download(server.base + "/fw", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == data


async def test_a_part_that_is_longer_than_the_file(server: HttpFileServer, tmp_path: Path, content: Content) -> None:
    server.files["/fw"] = content(400_000)
    server.cut_after = 399_999
    await fails(server.base + "/fw", tmp_path / "fw")
    server.cut_after = None
    whole = server.files["/fw"]

    def unsatisfiable(handler: Any) -> None:
        if "Range" in handler.headers:
            handler.answer(416)
        else:
            handler.answer(200, whole)

    server.scripts["/fw"] = unsatisfiable
    await service.download(server.base + "/fw", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == whole


@pytest.mark.parametrize(
    ("status", "failure", "is_temporary"),
    [
        (204, TransferFailure.PROTOCOL, True),
        (206, TransferFailure.PROTOCOL, True),
        (304, TransferFailure.REFUSED, False),
        (401, TransferFailure.AUTHENTICATION, False),
        (403, TransferFailure.REFUSED, False),
        (404, TransferFailure.NOT_FOUND, False),
        (410, TransferFailure.NOT_FOUND, False),
        (418, TransferFailure.REFUSED, False),
        (429, TransferFailure.UNAVAILABLE, True),
        (500, TransferFailure.UNAVAILABLE, True),
        (503, TransferFailure.UNAVAILABLE, True),
        (507, TransferFailure.REMOTE_FULL, True),
    ],
)
async def test_refusals(
    server: HttpFileServer, tmp_path: Path, status: int, failure: TransferFailure, is_temporary: bool
) -> None:
    server.scripts["/fw"] = lambda handler: handler.say(f"HTTP/1.1 {status} Because", "Content-Length: 0")
    error = await fails(server.base + "/fw", tmp_path / "fw")
    assert (error.failure, error.is_temporary) == (failure, is_temporary)
    assert str(error) == f"{server.base}/fw: HTTP {status} (Because)"
    assert names_in(tmp_path) == []


async def test_credentials(server: HttpFileServer, tmp_path: Path) -> None:
    server.password, server.files["/fw"] = "st@tion:p:ä/w", b"data"
    host = server.base.removeprefix("http://")
    await service.download(f"http://st%40tion:p:%C3%A4%2Fw@{host}/fw", tmp_path / "fw")
    error = await fails(f"http://st%40tion:wrong-one@{host}/fw", tmp_path / "fw")
    assert error.failure is TransferFailure.AUTHENTICATION
    assert "wrong-one" not in str(error)


async def test_redirects_are_followed(server: HttpFileServer, tmp_path: Path) -> None:
    server.password, server.files["/c"] = "u:p", b"data"
    server.scripts["/a"] = lambda handler: handler.answer(302, b"moved", {"Location": "/b?x=1"})
    server.scripts["/b?x=1"] = lambda handler: handler.answer(308, b"", {"Location": server.base + "/c"})
    done = await service.download(server.base.replace("//", "//u:p@") + "/a", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == b"data"
    assert done.location.endswith("/a")


async def test_a_redirect_to_a_path_as_people_write_it(server: HttpFileServer, tmp_path: Path) -> None:
    server.files["/%C3%B6l/%C3%A0"] = b"data"
    written = "/öl/à".encode().decode("latin-1")
    server.scripts["/a"] = lambda handler: handler.answer(302, b"", {"Location": written})
    await service.download(server.base + "/a", tmp_path / "fw")
    assert (tmp_path / "fw").read_bytes() == b"data"
    server.scripts["/a"] = lambda handler: handler.answer(302, b"", {"Location": "/not here"})
    error = await fails(server.base + "/a", tmp_path / "fw")
    assert error.failure is TransferFailure.REDIRECTED
    assert "redirects to what is no URL: the URL has a space" in str(error)


async def test_credentials_go_to_nobody_else(server: HttpFileServer, tmp_path: Path) -> None:
    with HttpFileServer() as other:
        other.files["/fw"] = b"data"
        server.scripts["/a"] = lambda handler: handler.answer(307, b"", {"Location": other.base + "/fw"})
        await service.download(server.base.replace("//", "//u:p@") + "/a", tmp_path / "fw")
        assert "authorization" in server.requests[0][2]
        assert "authorization" not in other.requests[0][2]


async def test_redirects_have_an_end(server: HttpFileServer, tmp_path: Path) -> None:
    server.scripts["/a"] = lambda handler: handler.answer(301, b"", {"Location": "/a"})
    error = await fails(server.base + "/a", tmp_path / "fw", TransferService(redirects=3))
    assert error.failure is TransferFailure.REDIRECTED
    assert len(server.requests) == 4
    server.scripts["/b"] = lambda handler: handler.answer(301)
    assert (await fails(server.base + "/b", tmp_path / "fw")).failure is TransferFailure.PROTOCOL


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/fw", "ftp://127.0.0.1:1/fw", "file://localhost/etc/passwd"])
async def test_no_redirect_leads_to_less(
    server_context: ssl.SSLContext, trusted: ssl.SSLContext, tmp_path: Path, target: str
) -> None:
    with HttpFileServer(server_context) as server:
        server.scripts["/a"] = lambda handler: handler.answer(302, b"", {"Location": target})
        error = await fails(server.base + "/a", tmp_path / "fw", TransferService(ssl_context=trusted))
    assert error.failure is TransferFailure.REDIRECTED


async def test_https(server_context: ssl.SSLContext, trusted: ssl.SSLContext, tmp_path: Path, content: Content) -> None:
    with HttpFileServer(server_context) as server:
        server.files["/fw"] = content(700_000)
        server.cut_after = 300_000
        secure = TransferService(ssl_context=trusted)
        assert (await fails(server.base + "/fw", tmp_path / "fw", secure)).failure is TransferFailure.CUT_OFF
        server.cut_after = None
        await secure.download(server.base + "/fw", tmp_path / "fw")
        assert (tmp_path / "fw").read_bytes() == content(700_000)
        assert server.served == 700_000
        await secure.upload(tmp_path / "fw", server.base + "/up/")
        assert server.bodies["/up/fw"] == content(700_000)


async def test_over_tls_an_end_that_is_not_told_is_a_cut(
    server_context: ssl.SSLContext, trusted: ssl.SSLContext, tmp_path: Path
) -> None:
    with HttpFileServer(server_context) as server:
        server.scripts["/fw"] = lambda handler: handler.say("HTTP/1.1 200 OK", "", "only a part of i")
        error = await fails(server.base + "/fw", tmp_path / "fw", TransferService(ssl_context=trusted))
    assert error.failure is TransferFailure.CUT_OFF


@pytest.mark.parametrize("what", ["another CA", "expired", "another name"])
async def test_a_certificate_that_is_not_believed(trusted: ssl.SSLContext, tmp_path: Path, what: str) -> None:
    issuer = trustme.CA() if what == "another CA" else CA
    name = "else.example" if what == "another name" else "127.0.0.1"
    issued = issuer.issue_cert(name, not_after=EXPIRED if what == "expired" else None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    with HttpFileServer(context) as server:
        server.files["/fw"] = b"data"
        error = await fails(server.base + "/fw", tmp_path / "fw", TransferService(ssl_context=trusted))
        assert error.failure is TransferFailure.CERTIFICATE
        assert not error.is_temporary
    assert names_in(tmp_path) == []


async def test_the_cas_of_the_system_are_believed_by_default(server_context: ssl.SSLContext, tmp_path: Path) -> None:
    with HttpFileServer(server_context) as server:
        server.files["/fw"] = b"data"
        assert (await fails(server.base + "/fw", tmp_path / "fw")).failure is TransferFailure.CERTIFICATE


async def test_old_tls_is_refused(certificate: Path, trusted: ssl.SSLContext, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    trusted.minimum_version = ssl.TLSVersion.TLSv1_3
    with HttpFileServer(context) as server:
        error = await fails(server.base + "/fw", tmp_path / "fw", TransferService(ssl_context=trusted))
    assert error.failure is TransferFailure.TLS


class NoNames(trio.abc.HostnameResolver):
    """A resolver without a network."""

    async def getaddrinfo(self, *arguments: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def getnameinfo(self, *arguments: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


async def test_nobody_is_there(tmp_path: Path) -> None:
    error = await fails("http://127.0.0.1:1/fw", tmp_path / "fw")
    assert error.failure is TransferFailure.UNREACHABLE
    assert error.is_temporary
    assert str(error) == "http://127.0.0.1:1/fw: cannot connect to 127.0.0.1:1: Connection refused"
    before = trio.socket.set_custom_hostname_resolver(NoNames())
    try:
        error = await fails("https://user:s3cret@files.example/fw", tmp_path / "fw")
    finally:
        trio.socket.set_custom_hostname_resolver(before)
    assert error.failure is TransferFailure.UNREACHABLE
    assert str(error).startswith("https://files.example/fw: cannot connect to files.example:443: there is no such name")


async def test_https_at_a_port_of_http(server: HttpFileServer, tmp_path: Path) -> None:
    error = await fails(server.base.replace("http", "https") + "/fw", tmp_path / "fw")
    assert error.failure is TransferFailure.TLS

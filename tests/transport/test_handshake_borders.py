"""Whatever a server answers, a client asks or a caller wants to be written ends in one kind of exception."""

# ruff: noqa: PT017  # what else an exception tells, if there is one, is the question here

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.errors import ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.transport.websocket import Accept, Reject, WebSocket

SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=150)

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
REQUEST = (
    b"GET /CP HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)
EXTENSIONS = [
    b"permessage-deflate; server_max_window_bits=abc",
    b"permessage-deflate; server_max_window_bits=-1",
    b"permessage-deflate; client_max_window_bits=99999999999999999999",
    b"permessage-deflate; client_max_window_bits=" + b"9" * 5000,
    b"permessage-deflate; server_max_window_bits=8",
    b"permessage-deflate; server_max_window_bits=",
    b"permessage-deflate, permessage-deflate",
    b"permessage-d\xe9flate",
    b";",
    b"x" * 3000,
]


async def dialled(answer: bytes, **options: Any) -> WebSocket | ConnectionFailed:
    """What `connect` makes of a server that answers so; anything but a ConnectionFailed fails the test."""
    near, far = trio.testing.memory_stream_pair()
    await far.send_all(answer)
    await far.send_eof()
    try:
        return await WebSocket.connect(near, host="csms", target="/CP", **options)
    except ConnectionFailed as failed:
        return failed


@pytest.mark.parametrize("compression", [False, True])
@pytest.mark.parametrize("extensions", EXTENSIONS)
async def test_extensions_that_a_server_must_not_choose(upgrade: Any, extensions: bytes, compression: bool) -> None:
    headers = b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Extensions: " + extensions + b"\r\n"
    with pytest.RaisesGroup(HandshakeRefused, flatten_subgroups=True) as caught:
        await upgrade(headers, compression=compression)
    assert str(caught.value.exceptions[0]).isprintable()


def run(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """In a trio run of its own, on a clock that jumps: what waits ends by its timeout."""
    return trio.run(function, *arguments, clock=trio.testing.MockClock(autojump_threshold=0))


HTTP_PIECES = st.sampled_from(
    [
        HEAD,
        b"HTTP/1.1 ",
        b"200 OK\r\n",
        b"101 x\r\n",
        b"999 \r\n",
        b"503 No\r\nRetry-After: 120\r\n",
        b"\r\n",
        b": ",
        b"Sec-WebSocket-Accept: x\r\n",
        b"Sec-WebSocket-Protocol: \xff\r\n",
        b"Sec-WebSocket-Extensions: permessage-deflate; =\r\n",
        b"Location: \x1b[2J\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        b"Host: \xff\r\n",
        b"GET //[ HTTP/1.1\r\n",
        b"GET \xff HTTP/1.1\r\n",
        REQUEST[:-2],
    ]
)
HTTP = st.lists(HTTP_PIECES | st.binary(max_size=8), max_size=8).map(b"".join)


@given(HTTP, st.booleans())
@SETTINGS
def test_any_answer(answer: bytes, compression: bool) -> None:
    async def connect() -> None:
        result = await dialled(answer, compression=compression)
        assert isinstance(result, ConnectionFailed), "no such answer fits our key"
        assert str(result)

    run(connect)


@given(HTTP, st.booleans())
@SETTINGS
def test_any_request(request: bytes, compression: bool) -> None:
    async def accept() -> None:
        near, far = trio.testing.memory_stream_pair()
        await far.send_all(request)
        await far.send_eof()
        try:
            await WebSocket.accept(near, decide=lambda request: Accept(None), compression=compression)
        except ConnectionFailed as failed:
            answer = bytes(await far.receive_some(10_000))
            assert answer.startswith(b"HTTP/1.1 4") or not isinstance(failed, HandshakeRefused)
        else:
            assert bytes(await far.receive_some(10_000)).startswith(b"HTTP/1.1 101 ")

    run(accept)


async def served(request: bytes, decide: Any, **options: Any) -> tuple[WebSocket | ConnectionFailed, bytes]:
    """What `accept` makes of a request, and what it answered."""
    near, far = trio.testing.memory_stream_pair()
    await far.send_all(request)
    try:
        result: WebSocket | ConnectionFailed = await WebSocket.accept(near, decide=decide, **options)
    except ConnectionFailed as failed:
        result = failed
    return result, bytes(await far.receive_some(10_000))


@pytest.mark.parametrize(
    "line",
    [
        b"Host: \xff\xfe",
        b"Host: xn--\x80",
        b"Connection: \xff",
        b"Sec-WebSocket-Protocol: \xe9",
        b"Sec-WebSocket-Extensions: \xff",
    ],
)
async def test_requests_with_letters_that_nobody_can_read(line: bytes) -> None:
    name = line.partition(b":")[0]
    request = b"\r\n".join(
        one for one in REQUEST.split(b"\r\n") if not one.startswith(name) or one.startswith(name + b"-")
    )
    request = request.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\n" + line + b"\r\n")
    refused, answer = await served(request, lambda request: Accept("ocpp1.6"))
    assert isinstance(refused, HandshakeRefused)
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("extensions", EXTENSIONS[:6])
async def test_offers_out_of_range_are_declined(extensions: bytes) -> None:
    """RFC 7692 §7.1: the connection goes on without compression."""
    request = REQUEST[:-2] + b"Sec-WebSocket-Extensions: " + extensions + b"\r\n\r\n"
    server, answer = await served(request, lambda request: Accept("ocpp1.6"), compression=True)
    assert isinstance(server, WebSocket)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"permessage" not in answer.lower()


async def test_of_several_offers_the_first_good_one_is_taken() -> None:
    offers = (
        b"permessage-deflate; server_max_window_bits=99, permessage-deflate, permessage-deflate; client_max_window_bits"
    )
    server, answer = await served(
        REQUEST[:-2] + b"Sec-WebSocket-Extensions: " + offers + b"\r\n\r\n",
        lambda request: Accept("ocpp1.6"),
        compression=True,
    )
    assert isinstance(server, WebSocket)
    assert answer.lower().count(b"permessage-deflate") == 1


def raising(request: Any) -> Accept:
    raise ValueError("Invalid IPv6 URL")


@pytest.mark.parametrize(
    "decide",
    [
        raising,
        lambda request: Accept("never asked for"),
        lambda request: Accept("\ud800"),
        lambda request: Reject(7),
        lambda request: Reject(401, "", (("WWW-Authenticate", "a\r\nX-Evil: b"),)),
        lambda request: Reject(401, "", (("WWW-Authenticate", "東"),)),
        lambda request: None,
    ],
)
async def test_a_decision_that_cannot_be_made_or_written_is_a_500(decide: Any) -> None:
    refused, answer = await served(REQUEST, decide)
    assert isinstance(refused, HandshakeRefused)
    assert refused.status == 500
    assert refused.__cause__ is not None
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Evil" not in answer


async def test_a_refusal_with_a_body_that_is_no_text() -> None:
    refused, answer = await served(REQUEST, lambda request: Reject(403, "\ud800 no"))
    assert isinstance(refused, HandshakeRefused)
    assert answer.endswith(b"? no")


# What we may write

SECRET = "c2VjcmV0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("User-Host", f"a\r\nX: {SECRET}"),
        ("User-Host", f"a\n{SECRET}"),
        ("User-Host", f"\x00{SECRET}"),
        ("User-Host", f"\x7f{SECRET}"),
        ("User-Host", f"\ud800{SECRET}"),
        ("User Host", SECRET),
        ("Üser", SECRET),
        ("", SECRET),
        ("a:b", SECRET),
        ("x\r\ny", SECRET),
    ],
)
async def test_headers_that_cannot_be_sent(name: str, value: str) -> None:
    near, far = trio.testing.memory_stream_pair()
    with pytest.raises(ConnectionFailed) as caught:
        await WebSocket.connect(near, host="csms", target="/", headers=[(name, value)])
    assert SECRET not in str(caught.value)
    assert str(caught.value).isprintable()
    assert bytes(await far.receive_some(1000)) == b"", "nothing was sent"


@pytest.mark.parametrize(
    "options",
    [
        {"host": "x" * 64 + ".ü", "target": "/"},
        {"host": "a\r\nb", "target": "/"},
        {"host": "\ud800", "target": "/"},
        {"host": "csms", "target": "/é"},
        {"host": "csms", "target": "/ x"},
        {"host": "csms", "target": "/\r\n"},
        {"host": "csms", "target": "/", "subprotocols": ["ö"]},
    ],
)
async def test_requests_that_cannot_be_written(options: dict[str, Any]) -> None:
    near, far = trio.testing.memory_stream_pair()
    with pytest.raises(ConnectionFailed, match="cannot stand in a request"):
        await WebSocket.connect(near, **options)
    assert bytes(await far.receive_some(1000)) == b""


@pytest.mark.parametrize("host", ["x" * 63 + ":9000", "bücher.example:9000", "bücher:9000", "a.bücher", "[::1]:9000"])
async def test_hosts_that_can(host: str) -> None:
    near, far = trio.testing.memory_stream_pair()
    await far.send_eof()
    with pytest.raises(ConnectionFailed, match="without an answer"):
        await WebSocket.connect(near, host=host, target="/")
    request = bytes(await far.receive_some(10_000))
    assert b"\r\nHost: " + host.replace("bücher", "xn--bcher-kva").encode() + b"\r\n" in request


# When to come again


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (b"Retry-After: 120\r\n", 120),
        (b"retry-after: Fri, 30 Jan 2026 12:05:00 GMT\r\nDate: Fri, 30 Jan 2026 12:00:00 GMT\r\n", 300),
        (b"Retry-After: Fri, 30 Jan 2026 12:05:00 GMT\r\n", 60),
        (b"Retry-After: soon\r\n", None),
        (b"", None),
    ],
)
async def test_a_server_says_when_to_come_again(headers: bytes, expected: float | None) -> None:
    answer = b"HTTP/1.1 503 Busy\r\n" + headers + b"Content-Length: 0\r\n\r\n"
    refused = await dialled(answer, now=lambda: 1_769_774_640.0)
    assert isinstance(refused, HandshakeRefused)
    assert refused.retry_after == expected
    assert ("left alone" in str(refused)) is (expected is not None)


async def test_what_a_server_says_is_shown_without_its_control_characters() -> None:
    body = b"\x1b[2Jno\r\nWARNING forged"
    refused = await dialled(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert isinstance(refused, HandshakeRefused)
    assert str(refused).isprintable()
    assert refused.body == body.decode()
    assert str(ConnectionClosed(1011, "\x1b[2J\n")).isprintable()

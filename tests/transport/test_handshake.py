"""The upgrade: what each side may answer, and what our side then says about it."""

from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.transport.websocket import Accept, Reject, WebSocket


async def dial(answer: Any, *, close: Any = True, **options: Any) -> Any:
    """What `connect` makes of a server that sends `answer` to any request; also the request it saw."""
    near, far = trio.testing.memory_stream_pair()
    seen = bytearray()

    async def serve() -> None:
        while b"\r\n\r\n" not in seen:
            seen.extend(await far.receive_some(4096))
        if answer:
            await far.send_all(answer)
        if close:
            await far.send_eof()

    result: Any = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        try:
            result = await WebSocket.connect(near, host="csms:9000", target="/ocpp/CP%201", **options)
        except ConnectionFailed as exc:
            result = exc
        nursery.cancel_scope.cancel()
    if isinstance(result, Exception):
        with pytest.raises(trio.ClosedResourceError):
            await near.send_all(b"x")
    return result, bytes(seen)


async def test_the_request(autojump_clock: Any) -> None:
    _, request = await dial(b"", headers=[("Authorization", "Basic QUw6"), ("User-Host", "böx")])
    lines = request.split(b"\r\n")
    assert lines[0] == b"GET /ocpp/CP%201 HTTP/1.1"
    assert b"Host: csms:9000" in lines
    assert b"Sec-WebSocket-Protocol: ocpp1.6" in lines
    assert b"Authorization: Basic QUw6" in lines
    assert "User-Host: böx".encode() in lines
    assert not [line for line in lines if b"xtensions" in line], "compression is not offered unless asked for"


async def test_compression_is_offered_without_context(autojump_clock: Any) -> None:
    _, request = await dial(b"", compression=True)
    line = next(line for line in request.split(b"\r\n") if b"xtensions" in line)
    assert b"client_no_context_takeover" in line
    assert b"server_no_context_takeover" in line


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 426, 429, 500, 503])
@pytest.mark.parametrize("style", ["length", "chunked", "until end", "none"])
async def test_refusal_tells_status_and_body(status: Any, style: Any) -> None:
    head = b"HTTP/1.1 %d No\r\n" % status
    body = b"unknown charge point"
    answer, expected = {
        "length": (head + b"Content-Length: %d\r\n\r\n" % len(body) + body, body.decode()),
        "chunked": (
            head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
            body.decode(),
        ),
        "until end": (head + b"\r\n" + body, body.decode()),
        "none": (head + b"Content-Length: 0\r\n\r\n", ""),
    }[style]
    refused, _ = await dial(answer)
    assert isinstance(refused, HandshakeRefused)
    assert (refused.status, refused.body) == (status, expected)


async def test_refusal_whose_body_never_ends(autojump_clock: Any) -> None:
    refused, _ = await dial(b"HTTP/1.1 401 No\r\nContent-Length: 1000\r\n\r\nwho?", close=False)
    assert (refused.status, refused.body) == (401, "who?")
    assert trio.current_time() < 10


async def test_a_long_body_is_cut_and_need_not_be_text() -> None:
    refused, _ = await dial(b"HTTP/1.1 500 No\r\n\r\n" + b"\xff" + b"x" * 100_000)
    assert refused.body == "\N{REPLACEMENT CHARACTER}" + "x" * 1023


async def test_redirects_are_named_but_not_followed() -> None:
    refused, _ = await dial(b"HTTP/1.1 301 Moved\r\nLocation: https://new/\r\nContent-Length: 0\r\n\r\n")
    assert "https://new/" in str(refused)


FAILURES = {
    b"": "without an answer",
    b"SSH-2.0-OpenSSH_9.6\r\n": "began with b'SSH-2.0-OpenSSH_9.6",
    b"SSH-2.0-OpenSSH_9.6\r\n\r\n": "not HTTP",
    b"HTTP/1.1 101 Switch": "in the middle of an answer",
    b"\x15\x03\x01\x00\x02\x02\x46": "use wss://",
    b"\x00" * 40_000: "not HTTP",
}


@pytest.mark.parametrize("answer", FAILURES)
async def test_answers_that_are_no_http(answer: Any) -> None:
    failed, _ = await dial(answer)
    assert type(failed) is ConnectionFailed
    assert FAILURES[answer] in str(failed)


async def test_no_answer_at_all(autojump_clock: Any) -> None:
    failed, _ = await dial(b"", close=False, timeout=12)
    assert "within 12 s" in str(failed)
    assert trio.current_time() == 12


BAD_UPGRADES = {
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n": "accept token",
    b"Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n": "Connection: Upgrade",
    b"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n": "Upgrade: websocket",
}


@pytest.mark.parametrize("headers", BAD_UPGRADES)
async def test_a_101_that_is_no_upgrade(headers: Any) -> None:
    refused, _ = await dial(b"HTTP/1.1 101 Switching Protocols\r\n" + headers + b"\r\n")
    assert refused.status == 101
    assert BAD_UPGRADES[headers].lower() in refused.reason.lower()  # wsproto's versions spell it differently


@pytest.mark.parametrize(
    "headers",
    [
        b"Sec-WebSocket-Protocol: ocpp1.5\r\n",
        b"Sec-WebSocket-Protocol: OCPP1.6\r\n",
        b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
        b"Sec-WebSocket-Protocol: \xff\r\n",
        b"",
    ],
)
async def test_what_was_not_agreed_is_refused(upgrade: Any, headers: Any) -> None:
    with pytest.RaisesGroup(HandshakeRefused, flatten_subgroups=True) as caught:
        await upgrade(headers)
    assert getattr(caught.value.exceptions[0], "status", None) == 101


async def test_unreadable_extension_parameters(upgrade: Any) -> None:
    headers = (
        b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    )
    with pytest.RaisesGroup(HandshakeRefused, flatten_subgroups=True):
        await upgrade(headers, compression=True)


async def test_without_subprotocol_if_the_caller_can_live_with_it(upgrade: Any) -> None:
    client, _ = await upgrade(b"", require_subprotocol=False)
    assert client.subprotocol is None
    assert client.is_open


async def test_the_server_is_told_why_we_leave_without_subprotocol() -> None:
    near, far = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:

        async def serve() -> None:
            server = await WebSocket.accept(far, decide=lambda request: Accept(None))
            with pytest.raises(ConnectionClosed) as caught:
                await server.receive()
            assert caught.value.code == 1002

        nursery.start_soon(serve)
        with pytest.raises(HandshakeRefused, match="no subprotocol"):
            await WebSocket.connect(near, host="csms", target="/")


async def serve_raw(request: Any, decide: Any = lambda request: Accept("ocpp1.6"), **options: Any) -> Any:
    near, far = trio.testing.memory_stream_pair()
    answer = b""
    problem = None
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            nonlocal answer
            while data := bytes(await far.receive_some(4096)):
                answer += data

        await far.send_all(request)
        if not request:
            await far.send_eof()
        nursery.start_soon(read)
        try:
            websocket = await WebSocket.accept(near, decide=decide, **options)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            return websocket, answer
        except ConnectionFailed as exc:
            problem = exc
    return problem, answer


HEAD = (
    b"GET /a/CP?x=1 HTTP/1.1\r\nHost: csms\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


async def test_server_sees_the_request_and_answers_the_rfc_example() -> None:
    server, answer = await serve_raw(HEAD + b"Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6\r\nX-A: b\r\n\r\n")
    assert server.request.target == "/a/CP?x=1"
    assert server.request.subprotocols == ("ocpp2.0.1", "ocpp1.6")
    assert server.request.header("x-a") == "b"
    assert server.request.header("authorization") is None
    assert server.subprotocol == "ocpp1.6"
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer, "RFC 6455 §1.3"


async def test_server_refuses_with_status_body_and_headers() -> None:
    verdict = Reject(401, "who are you?", (("WWW-Authenticate", "Basic"),))
    refused, answer = await serve_raw(HEAD + b"\r\n", decide=lambda request: verdict)
    assert refused.status == 401
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: basic" in answer.lower()
    assert answer.endswith(b"\r\n\r\nwho are you?")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /CP HTTP/1.1\r\nHost: csms\r\nContent-Length: 0\r\n\r\n", 400),
        (b"GET /CP HTTP/1.1\r\nHost: csms\r\n\r\n", 400),
        (HEAD.replace(b"Version: 13", b"Version: 8") + b"\r\n", 426),
        (b"\x16\x03\x01 a TLS hello\r\n\r\n", 400),
    ],
)
async def test_server_answers_broken_requests(request_bytes: Any, status: Any) -> None:
    refused, answer = await serve_raw(request_bytes)
    assert isinstance(refused, HandshakeRefused)
    assert answer.startswith(b"HTTP/1.1 %d " % status)


async def test_server_and_a_client_that_says_nothing(autojump_clock: Any) -> None:
    failed, _ = await serve_raw(b"")
    assert "no request" in str(failed)
    failed, _ = await serve_raw(b"GET /", timeout=5)
    assert "within 5 s" in str(failed)

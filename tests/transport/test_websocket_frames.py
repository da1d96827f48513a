"""What bytes on the wire may and may not do (RFC 6455 §5, §7.4; the cases Autobahn's test suite made known)."""

import struct
import zlib
from typing import Any

import pytest
import trio

from ocpp16.errors import ConnectionClosed
from ocpp16.transport.assembly import MAX_FRAGMENTS
from ocpp16.transport.websocket import WebSocket

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def close(code: Any, reason: Any = b"") -> Any:
    return struct.pack("!H", code) + reason


REFUSED: dict[str, tuple[list[tuple[int, bytes, dict[str, Any]]], int]] = {
    # name: (frames as (opcode, payload, options), close code)
    "reserved bit 1 without compression": ([(TEXT, b"x", {"rsv": 4})], 1002),
    "reserved bit 2": ([(TEXT, b"x", {"rsv": 2})], 1002),
    "reserved bit 3 on a ping": ([(PING, b"", {"rsv": 1})], 1002),
    "unknown data opcode": ([(3, b"x", {})], 1002),
    "unknown control opcode": ([(11, b"", {})], 1002),
    "ping above 125 bytes": ([(PING, b"p" * 126, {})], 1002),
    "fragmented ping": ([(PING, b"p", {"fin": False})], 1002),
    "fragmented close": ([(CLOSE, close(1000), {"fin": False})], 1002),
    "continuation of nothing": ([(CONTINUATION, b"x", {})], 1002),
    "new text inside a message": ([(TEXT, b"a", {"fin": False}), (TEXT, b"b", {})], 1002),
    "masked frame from a server": ([(TEXT, b"x", {"mask": b"1234"})], 1002),
    "close with one byte": ([(CLOSE, b"\x03", {})], 1002),
    "close with a code below 1000": ([(CLOSE, close(999), {})], 1002),
    "close with a code that is only local": ([(CLOSE, close(1006), {})], 1002),
    "close with a code above 4999": ([(CLOSE, close(5000), {})], 1002),
    "close with a bad reason": ([(CLOSE, close(1000, b"\xff"), {})], 1007),
    "binary": ([(BINARY, b"[2]", {})], 1003),
    "binary in fragments": ([(BINARY, b"[2", {"fin": False})], 1003),
    "no UTF-8": ([(TEXT, b"ok \xff\xfe", {})], 1007),
    "cut UTF-8 at the end": ([(TEXT, "é".encode()[:1], {})], 1007),
    "overlong UTF-8": ([(TEXT, b"\xc0\xaf", {})], 1007),
    "a surrogate in UTF-8": ([(TEXT, b"\xed\xa0\x80", {})], 1007),
    "UTF-8 that fails in the second fragment": (
        [(TEXT, b"\xce", {"fin": False}), (CONTINUATION, b"\xff", {})],
        1007,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_frames_close_with_the_right_code(bare_server: Any, frame: Any, name: Any) -> None:
    frames, code = REFUSED[name]
    client, stream = await bare_server()
    await stream.send_all(frame(TEXT, b"before") + b"".join(frame(op, data, **more) for op, data, more in frames))
    assert await client.receive() == ["before"]
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == code
    await client.flush()
    answer = bytes(await stream.receive_some(4096))
    assert answer[0] == 0x88
    mask, masked = answer[2:6], answer[6:8]
    assert struct.unpack("!H", bytes(a ^ b for a, b in zip(mask, masked, strict=False)))[0] == code


async def test_unmasked_frame_from_a_client(bare_client: Any, frame: Any) -> None:
    server, stream = await bare_client()
    await stream.send_all(frame(TEXT, b"x"))
    with pytest.raises(ConnectionClosed) as caught:
        await server.receive()
    assert caught.value.code == 1002
    await server.flush()
    assert bytes(await stream.receive_some(4096)).startswith(b"\x88")


ACCEPTED: dict[str, tuple[list[tuple[int, bytes, dict[str, Any]]], str]] = {
    "fragments": (
        [(TEXT, b"a", {"fin": False}), (CONTINUATION, b"b", {"fin": False}), (CONTINUATION, b"c", {})],
        "abc",
    ),
    "empty fragments": (
        [(TEXT, b"", {"fin": False}), (CONTINUATION, b"", {"fin": False}), (CONTINUATION, b"", {})],
        "",
    ),
    "a character cut in two": (
        [(TEXT, "é".encode()[:1], {"fin": False}), (CONTINUATION, "é".encode()[1:], {})],
        "é",
    ),
    "ping between fragments": (
        [(TEXT, b"a", {"fin": False}), (PING, b"!", {}), (PONG, b"unasked", {}), (CONTINUATION, b"b", {})],
        "ab",
    ),
    "ping with 125 bytes before": ([(PING, b"p" * 125, {}), (TEXT, b"t", {})], "t"),
}


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
@pytest.mark.parametrize("name", ACCEPTED)
async def test_accepted_frames(bare_server: Any, frame: Any, name: Any, chunk: Any) -> None:
    frames, text = ACCEPTED[name]
    client, stream = await bare_server()
    data = b"".join(frame(op, payload, **more) for op, payload, more in frames)

    async def feed() -> None:
        for start in range(0, len(data), chunk):
            await stream.send_all(data[start : start + chunk])
            await trio.testing.wait_all_tasks_blocked()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed)
        assert await client.receive() == [text]
    assert client.is_open


async def test_a_frame_that_spans_two_reads_is_one_message(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    data = frame(TEXT, b"x" * 2000) + frame(TEXT, b"y")

    async def feed() -> None:
        await stream.send_all(data[:700])
        await trio.testing.wait_all_tasks_blocked()
        await stream.send_all(data[700:])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed)
        assert await client.receive() == ["x" * 2000, "y"]


async def test_frames_that_come_with_the_handshake(bare_server: Any, frame: Any) -> None:
    client, _ = await bare_server(trailing=frame(TEXT, b"early") + frame(PING, b"p") + frame(TEXT, b"bird"))
    assert await client.receive() == ["early", "bird"]
    assert client.unsent


async def test_fragments_above_the_limit_are_not_collected(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server(max_message_size=100)
    await stream.send_all(frame(TEXT, b"x" * 60, fin=False) + frame(CONTINUATION, b"x" * 41, fin=False))
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1009


async def test_a_huge_announced_frame_ends_at_the_limit(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server(max_message_size=100)
    await stream.send_all(frame(TEXT, b"x" * 101, announced=1 << 40))
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1009


async def test_close_without_a_code_is_echoed_without_one(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    await stream.send_all(frame(CLOSE))
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1005
    await client.flush()
    assert bytes(await stream.receive_some(100))[:2] == b"\x88\x80"


async def test_nothing_after_a_close_frame_counts(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    await stream.send_all(frame(CLOSE, close(4000, b"why")) + frame(TEXT, b"ghost"))
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert (caught.value.code, caught.value.reason) == (4000, "why")


@pytest.mark.parametrize("with_ping", [False, True])
async def test_compressed_fragments_with_a_ping_between(frame: Any, with_ping: Any, compressed_server: Any) -> None:
    client, stream = await compressed_server()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = (deflate.compress(b"hello " * 100) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    parts = frame(TEXT, data[:5], fin=False, rsv=4) + (frame(PING, b"!") if with_ping else b"")
    await stream.send_all(parts + frame(CONTINUATION, data[5:]) + frame(TEXT, b"plain"))
    assert await client.receive() == ["hello " * 100, "plain"]


@pytest.mark.parametrize(
    ("opcode", "payload", "code"),
    [(TEXT, b"\xff\xff\xff", 1007), (PING, b"", 1002), (CONTINUATION, b"", 1002)],
)
async def test_compressed_flag_where_it_does_not_belong(
    frame: Any, opcode: Any, payload: Any, code: Any, compressed_server: Any
) -> None:
    client, stream = await compressed_server()
    await stream.send_all(frame(opcode, payload, rsv=4))
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == code


@pytest.fixture
def compressed_server(upgrade: Any) -> Any:
    async def connect() -> Any:
        return await upgrade(
            b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Extensions: permessage-deflate\r\n", compression=True
        )

    return connect


def test_a_websocket_has_no_dictionary() -> None:
    assert not hasattr(WebSocket.__new__(WebSocket), "__dict__")


@pytest.mark.parametrize("chunk", [1, 1000])
async def test_binary_fragments_that_cut_a_character(bare_server: Any, frame: Any, chunk: Any) -> None:
    client, stream = await bare_server()
    taken: list[None] = []
    client.on_binary = lambda: taken.append(None)
    text = "[2,é]".encode()
    data = frame(BINARY, text[:4], fin=False) + frame(PING, b"!") + frame(CONTINUATION, b"", fin=False)
    data += frame(CONTINUATION, text[4:]) + frame(TEXT, b"text")
    async with trio.open_nursery() as nursery:

        async def feed() -> None:
            for start in range(0, len(data), chunk):
                await stream.send_all(data[start : start + chunk])
                await trio.testing.wait_all_tasks_blocked()

        nursery.start_soon(feed)
        found: list[str] = []
        while len(found) < 2:
            found += await client.receive()
    assert found == ["[2,é]", "text"]
    assert taken == [None]


async def test_binary_messages_have_the_limit_of_texts(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server(max_message_size=100)
    client.on_binary = lambda: None
    await stream.send_all(frame(BINARY, b"x" * 60, fin=False) + frame(CONTINUATION, b"x" * 41))
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1009


async def test_a_binary_message_that_came_with_the_handshake_is_taken_too(bare_server: Any, frame: Any) -> None:
    client, _ = await bare_server(trailing=frame(BINARY, b"[]"))
    client.on_binary = lambda: None
    assert await client.receive() == ["[]"]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_message_in_very_many_pieces(bare_server: Any, frame: Any, opcode: Any) -> None:
    client, stream = await bare_server()
    client.on_binary = lambda: None
    pieces = [bytes([97 + number % 26]) for number in range(3000)]
    frames = [frame(opcode, pieces[0], fin=False)] + [frame(CONTINUATION, piece, fin=False) for piece in pieces[1:]]
    await stream.send_all(b"".join(frames) + frame(CONTINUATION))
    assert await client.receive() == [b"".join(pieces).decode()]


@pytest.mark.parametrize("payload", [b"", b"x"])
async def test_fragments_without_end_have_one(bare_server: Any, frame: Any, payload: Any) -> None:
    client, stream = await bare_server()
    await stream.send_all(frame(TEXT, b"[", fin=False) + frame(CONTINUATION, payload, fin=False) * MAX_FRAGMENTS)
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1008


async def test_binary_messages_are_text_where_that_is_tolerated(bare_server: Any, frame: Any) -> None:
    text = '[2,"ä"]'.encode()
    client, stream = await bare_server()
    taken: list[None] = []
    client.on_binary = lambda: taken.append(None)
    frames = frame(BINARY, text[:5], fin=False) + frame(CONTINUATION, text[5:])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, frames)
        assert await client.receive() == [text.decode()]
    assert taken == [None]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, frame(BINARY, b"\xff"))
        with pytest.raises(ConnectionClosed) as caught:
            await client.receive()
    assert caught.value.code == 1007

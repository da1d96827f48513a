"""The work of one turn is bounded, whatever one read brings: other tasks get theirs."""

import itertools
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import ConnectionClosed
from ocpp16.transport.frames import BYTES_PER_TURN, FRAMES_PER_TURN
from ocpp16.transport.handshake import Upgraded
from ocpp16.transport.plain_socket import READ_SIZE
from ocpp16.transport.websocket import WebSocket

TEXT, PING, PONG, CONTINUATION, CLOSE = 1, 9, 10, 0, 8


class Turns:
    """What a connection did in each turn between those of another task."""

    def __init__(self) -> None:
        self.work: list[int] = [0]
        self.is_over = False

    def add(self, *_: object) -> None:
        self.work[-1] += 1

    async def count(self) -> None:
        while not self.is_over:
            await trio.lowlevel.checkpoint()
            self.work.append(0)


FLOODS = {"pongs": (PONG, b""), "pings": (PING, b""), "texts": (TEXT, b"[]"), "empty texts": (TEXT, b"")}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_in_one_read_is_taken_in_turns(bare_server: Any, frame: Any, name: Any) -> None:
    client, stream = await bare_server()
    opcode, payload = FLOODS[name]
    one = frame(opcode, payload)
    count = READ_SIZE // len(one) - 4
    turns = Turns()
    client.on_ping = client.on_pong = turns.add
    await stream.send_all(one * count + frame(TEXT, b"end"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns.count)
        found: list[str] = []
        while "end" not in found:
            texts = await client.receive()
            assert 1 <= len(texts) <= FRAMES_PER_TURN
            found += texts
            if opcode == TEXT:
                turns.work[-1] += len(texts)
        turns.is_over = True
    assert sum(turns.work) == count + (opcode == TEXT)
    # Tasks that may run do so in any order: behind one turn of ours the next may begin.
    assert max(turns.work) <= 2 * FRAMES_PER_TURN
    assert len(turns.work) > count / FRAMES_PER_TURN - 1


async def test_fragments_without_end_let_others_run(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    await stream.send_all(frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 10_000)
    turns = Turns()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns.count)
        nursery.start_soon(client.receive)
        while len(turns.work) < 10_000 // FRAMES_PER_TURN:
            await trio.lowlevel.checkpoint()
        turns.is_over = True
        nursery.cancel_scope.cancel()
    assert client.is_open


class Generous(trio.abc.Stream):
    """A stream that gives all it has, however little is asked for."""

    def __init__(self, inner: Any, given: bytes) -> None:
        self.inner = inner
        self.given = given

    async def receive_some(self, max_bytes: Any = None) -> Any:
        if self.given:
            data, self.given = self.given, b""
            return bytearray(data)
        return await self.inner.receive_some(max_bytes)

    async def send_all(self, data: Any) -> None: ...

    async def wait_send_all_might_not_block(self) -> None: ...

    async def aclose(self) -> None: ...


async def test_large_messages_are_bounded_in_bytes(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    data = b"".join(frame(TEXT, letter.encode() * (BYTES_PER_TURN - 10)) for letter in "abcdefgh")
    assert len(data) > 7 * READ_SIZE
    client._stream = Generous(client._stream, data)
    found: list[str] = []
    while len(found) < 8:
        texts = await client.receive()
        assert sum(map(len, texts)) < 2 * BYTES_PER_TURN
        found += texts
    assert [text[0] for text in found] == list("abcdefgh")
    assert {len(text) for text in found} == {BYTES_PER_TURN - 10}
    await stream.send_all(frame(TEXT, b"after"))
    assert await client.receive() == ["after"]


async def test_what_inflates_is_bounded_by_what_comes_of_it(pair: Any) -> None:
    """A megabyte in one read of a few hundred bytes."""
    client, server = await pair(compression=True)
    for letter in "abcdefghijklmnop":
        client.send_text(letter * (BYTES_PER_TURN - 10))
    assert client.unsent_bytes < READ_SIZE
    found: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.flush)
        while len(found) < 16:
            texts = await server.receive()
            assert sum(map(len, texts)) < 2 * BYTES_PER_TURN
            found += texts
    assert "".join(text[0] for text in found) == "abcdefghijklmnop"


async def test_a_receive_cancelled_in_a_flood_loses_nothing(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    numbers = range(FRAMES_PER_TURN * 5)
    await stream.send_all(b"".join(frame(PONG) * 3 + frame(TEXT, b"%d" % number) for number in numbers))
    found: list[str] = []
    for attempt in itertools.count():
        if len(found) == len(numbers):
            break
        with trio.CancelScope() as scope:
            if attempt % 2:
                scope.cancel()
            found += await client.receive()
    assert found == [str(number) for number in numbers]


async def test_what_waits_when_the_connection_is_given_up_is_not_told(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    await stream.send_all(frame(TEXT, b"x") * 1000)
    await client.receive()
    client.abort("enough")
    with pytest.raises(ConnectionClosed, match="enough"):
        await client.receive()


async def until_closed(websocket: WebSocket) -> tuple[int, int]:
    """Number of messages until the end, and its code."""
    found = 0
    while True:
        try:
            found += len(await websocket.receive())
        except ConnectionClosed as closed:
            return found, closed.code


async def test_messages_before_the_end_are_told_all_the_same(bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    await stream.send_all(frame(TEXT, b"x") * 1000 + frame(CLOSE, b"\x03\xe8"))
    await stream.send_eof()
    assert await until_closed(client) == (1000, 1000)


async def test_closing_in_a_flood_has_an_end(autojump_clock: Any, bare_server: Any, frame: Any) -> None:
    client, stream = await bare_server()
    async with trio.open_nursery() as nursery:

        async def flood() -> None:
            try:
                while True:
                    await stream.send_all(frame(PONG) * 1000)
                    await trio.sleep(0.1)
            except trio.BrokenResourceError:
                return

        nursery.start_soon(flood)
        await client.aclose()
    assert trio.current_time() <= 3.2


class Sudden(Generous):
    """A stream that never lets anybody else run."""

    async def receive_some(self, max_bytes: Any = None) -> Any:
        return self.given


@pytest.mark.parametrize("data", [b"\x8a\x00", b"\x81\x02[]", b"\x01\x00"])
async def test_a_stream_that_never_waits_does_not_stop_the_others(data: Any) -> None:
    sudden = WebSocket(Sudden(None, data), Upgraded(None, None, b""), request=None, max_message_size=1 << 20)
    turns = Turns()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns.count)
        nursery.start_soon(until_closed, sudden)
        while len(turns.work) < 100:
            await trio.lowlevel.checkpoint()
        turns.is_over = True
        sudden.abort()

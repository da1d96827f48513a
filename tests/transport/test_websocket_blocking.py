"""Streams that block, break or take half: one case for each moment in which a connection can be given up."""

import socket
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import ConnectionClosed, ConnectionFailed
from ocpp16.transport.frames import NOTHING
from ocpp16.transport.websocket import Accept, WebSocket


class Stuck(trio.abc.Stream):
    """A stream on which one operation never ends, or fails, from the moment the test says so."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.stuck: set[str] = set()
        self.broken: set[str] = set()
        self.freed = trio.Event()
        self.is_closed = False

    async def _pass(self, operation: Any) -> None:
        if operation in self.broken:
            raise trio.BrokenResourceError("reset by peer")
        if operation in self.stuck:
            await self.freed.wait()

    async def send_all(self, data: Any) -> None:
        await self._pass("send")
        await self.inner.send_all(data)

    async def receive_some(self, max_bytes: Any = None) -> Any:
        await self._pass("receive")
        return await self.inner.receive_some(max_bytes)

    async def wait_send_all_might_not_block(self) -> None:
        await self._pass("send")

    async def aclose(self) -> None:
        self.is_closed = True
        try:
            await self._pass("close")
        finally:
            self.close()

    def close(self) -> None:
        self.is_closed = True
        self.inner.send_stream.close()
        self.inner.receive_stream.close()


@pytest.fixture
async def stuck(pair: Any) -> Any:
    """`client, server, stream`: a connection whose client end can be made to block."""
    streams = []

    def make() -> Any:
        near, far = trio.testing.memory_stream_pair()
        streams.append(Stuck(near))
        return streams[0], far

    client, server = await pair(make)
    return client, server, streams[0]


@pytest.mark.parametrize("role", ["client", "server"])
@pytest.mark.parametrize("operation", ["send", "receive", "silence"])
@pytest.mark.parametrize("how", ["cancel", "timeout"])
async def test_handshake_given_up(autojump_clock: Any, role: Any, operation: Any, how: Any) -> None:
    near, far = trio.testing.memory_stream_pair()
    stream = Stuck(near)
    stream.stuck.add(operation)
    if role == "server" and operation == "send":
        await far.send_all(
            b"GET / HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
            b"dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
        )
    limit = 5 if how == "timeout" else 1000

    async def shake() -> None:
        if role == "client":
            await WebSocket.connect(stream, host="csms", target="/", timeout=limit)
        else:
            await WebSocket.accept(stream, decide=lambda request: Accept("ocpp1.6"), timeout=limit)

    if how == "timeout":
        with pytest.raises(ConnectionFailed, match="within 5 s"):
            await shake()
    else:
        with trio.move_on_after(7) as scope:
            await shake()
        assert scope.cancelled_caught
    assert stream.is_closed
    assert trio.current_time() == (5 if how == "timeout" else 7)


async def test_cancelled_receive_loses_nothing(stuck: Any) -> None:
    client, server, _ = stuck
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.receive)
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
    server.send_text("after")
    await server.flush()
    assert await client.receive() == ["after"]


@pytest.mark.parametrize("how", ["cancel", "deadline"])
async def test_a_flush_given_up_aborts_and_the_reader_learns_of_it(autojump_clock: Any, stuck: Any, how: Any) -> None:
    client, _, stream = stuck
    stream.stuck.add("send")
    client.send_text("half a frame")
    ended = []

    async def read() -> None:
        with pytest.raises(ConnectionClosed) as caught:
            await client.receive()
        ended.append(caught.value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        with trio.CancelScope(deadline=trio.current_time() + 10) as scope:
            if how == "cancel":
                scope.cancel()
            await client.flush()
        assert scope.cancelled_caught
    assert stream.is_closed
    assert (ended[0].code, ended[0].reason) == (1006, "a write was given up")
    assert not client.unsent
    with pytest.raises(ConnectionClosed):
        client.send_text("never again")


async def test_while_a_flush_waits_others_only_append(stuck: Any) -> None:
    client, server, stream = stuck
    stream.stuck.add("send")
    client.send_text("first")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.flush)
        await trio.testing.wait_all_tasks_blocked()
        client.send_text("second")
        assert client.unsent
        assert not client.flush_now()
        nursery.cancel_scope.cancel()
    with pytest.raises(ConnectionClosed):
        await server.receive()


@pytest.mark.parametrize("operation", ["send", "receive"])
async def test_a_broken_stream_is_told_to_the_reader_only(stuck: Any, operation: Any) -> None:
    client, _, stream = stuck
    stream.broken.add(operation)
    client.send_text("x")
    await client.flush()
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1006
    assert "reset by peer" in caught.value.reason


@pytest.mark.parametrize("stuck_at", ["send", "receive", "close", "peer does not answer"])
@pytest.mark.parametrize("how", ["let it end", "cancel", "cancelled before"])
async def test_aclose_ends_in_any_case(autojump_clock: Any, stuck: Any, stuck_at: Any, how: Any) -> None:
    client, _, stream = stuck
    stream.stuck.add(stuck_at)
    deadline = {"let it end": 100, "cancel": 1, "cancelled before": 0}[how]
    start = trio.current_time()
    with trio.CancelScope(deadline=start + deadline):
        await client.aclose()
    assert stream.is_closed
    assert trio.current_time() - start <= 3
    with pytest.raises(ConnectionClosed):
        await client.receive()
    await client.aclose()


async def test_aclose_from_beside_the_reader_and_the_pump(autojump_clock: Any, stuck: Any) -> None:
    client, _, stream = stuck
    stream.stuck.add("send")

    async def read() -> None:
        with pytest.raises(ConnectionClosed):
            await client.receive()

    client.send_text("x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as pump:
                pump.start_soon(client.flush)
                await trio.testing.wait_all_tasks_blocked()
                await client.aclose()
                scope.cancel()
    assert stream.is_closed


async def test_a_peer_that_breaks_the_rules_gets_time_to_read_why(
    autojump_clock: Any, bare_server: Any, frame: Any
) -> None:
    client, stream = await bare_server()
    await stream.send_all(frame(2, b"binary"))
    with pytest.raises(ConnectionClosed):
        await client.receive()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.aclose)
        await trio.testing.wait_all_tasks_blocked()
        assert bytes(await stream.receive_some(100)).startswith(b"\x88")
        await stream.send_all(frame(1, b"still talking"))
    assert trio.current_time() == 1


async def test_the_close_frame_goes_out_behind_what_another_task_writes(autojump_clock: Any, stuck: Any) -> None:
    client, server, stream = stuck
    stream.stuck.add("send")
    client.send_text("first")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.flush)
        await trio.testing.wait_all_tasks_blocked()
        client.send_text("second")
        assert client.unsent_bytes == 23, "two frames, one of them in the hands of the stream"
        nursery.start_soon(client.aclose, 1001, "maintenance")
        await trio.testing.wait_all_tasks_blocked()
        stream.freed.set()
        assert [*await server.receive(), *await server.receive()] == ["first", "second"]
        with pytest.raises(ConnectionClosed) as caught:
            await server.receive()
        await server.aclose()
    assert (caught.value.code, caught.value.reason) == (1001, "maintenance")
    assert client.unsent_bytes == 0
    assert trio.current_time() == 0


async def test_a_close_behind_a_write_that_never_ends_is_bounded(autojump_clock: Any, stuck: Any) -> None:
    client, _, stream = stuck
    stream.stuck.add("send")
    client.send_text("x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.flush)
        await trio.testing.wait_all_tasks_blocked()
        await client.aclose()
        assert trio.current_time() == 3
        nursery.cancel_scope.cancel()
    assert stream.is_closed


# Real sockets: what the kernel takes at once


def small_sockets() -> tuple[trio.SocketStream, trio.SocketStream]:
    left, right = trio.socket.socketpair()
    for end in (left, right):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    return trio.SocketStream(left), trio.SocketStream(right)


@pytest.fixture
async def sockets(pair: Any) -> Any:
    """`client, server`: two ends over a socket pair with small buffers."""
    client, server = await pair(small_sockets)
    yield client, server
    client.abort()
    server.abort()


async def test_flush_now_writes_without_waiting(sockets: Any) -> None:
    client, server = sockets
    client.send_text("at once")
    assert client.flush_now()
    assert not client.unsent
    assert client.flush_now(), "nothing to do is done"
    assert await server.receive() == ["at once"]


async def test_partial_writes_keep_the_order(sockets: Any) -> None:
    client, server = sockets
    texts = [letter * 30_000 for letter in "abc"]
    for text in texts:
        client.send_text(text)
    assert not client.flush_now()
    assert not client.flush_now()
    assert client.unsent
    client.send_text("d")
    got: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.flush)
        while len(got) < 4:
            got += await server.receive()
    assert got == [*texts, "d"]
    assert not client.unsent


async def test_many_that_write_by_turns_share_one_buffer(sockets: Any, pair: Any) -> None:
    """What is written at once needs no memory of its own; what the kernel does not take keeps it."""
    client, server = sockets
    text = "x" * 100_000
    client.send_text(text)
    assert not client.flush_now()
    stuck, left = client._outgoing, client.unsent_bytes
    assert 0 < left < len(text)
    others = [await pair(small_sockets) for _ in range(3)]
    for number in range(30):
        ours, theirs = others[number % 3]
        ours.send_text(f"message {number}")
        assert ours.flush_now()
        assert ours._outgoing is NOTHING
        assert await theirs.receive() == [f"message {number}"]
    assert client._outgoing is stuck
    assert client.unsent_bytes == left
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.flush)
        assert await server.receive() == [text]
    assert client.unsent_bytes == len(NOTHING) == 0
    for one, other in others:
        one.abort()
        other.abort()


async def test_flush_now_on_a_dead_socket_is_no_error(sockets: Any) -> None:
    client, server = sockets
    server.abort()
    client.send_text("x")
    assert client.flush_now()
    with pytest.raises(ConnectionClosed):
        await client.receive()


async def test_abort_wakes_the_reader_of_a_socket(sockets: Any) -> None:
    client, _ = sockets
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(ConnectionClosed) as caught:
                await client.receive()
            assert caught.value.reason == "pong overdue"

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        client.abort("pong overdue")
    with pytest.raises(ConnectionClosed):
        await client.receive()


async def test_memory_streams_know_no_write_at_once(pair: Any) -> None:
    client, _ = await pair()
    client.send_text("x")
    assert not client.flush_now()
    assert client.unsent


async def test_a_socket_closes_regularly(sockets: Any) -> None:
    client, server = sockets
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.aclose)
        with pytest.raises(ConnectionClosed) as caught:
            await server.receive()
        await server.aclose()
    assert caught.value.code == 1000


async def test_while_it_closes_a_pump_finds_nothing_to_do(autojump_clock: Any, stuck: Any) -> None:
    client, _, stream = stuck
    stream.stuck.add("send")
    client.send_text("x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.aclose)
        await trio.testing.wait_all_tasks_blocked()
        assert not client.unsent
        assert client.flush_now()
        await client.flush()
    assert stream.is_closed

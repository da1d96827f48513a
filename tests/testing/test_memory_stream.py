"""The stream in memory of the test kit: a stream as trio's contract has it, which also takes bytes without waiting."""

from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import ConnectionClosed
from ocpp16.testing.memory_stream import memory_stream_pair
from ocpp16.transport.websocket import Accept, WebSocket


async def connected(client_stream: trio.abc.Stream, server_stream: trio.abc.Stream) -> tuple[WebSocket, WebSocket]:
    ends: dict[str, WebSocket] = {}

    async def client() -> None:
        ends["client"] = await WebSocket.connect(client_stream, host="csms", target="/CP")

    async def server() -> None:
        ends["server"] = await WebSocket.accept(server_stream, decide=lambda request: Accept("ocpp1.6"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client)
        nursery.start_soon(server)
    return ends["client"], ends["server"]


async def test_it_is_a_stream() -> None:
    async def make() -> Any:
        return memory_stream_pair()

    await trio.testing.check_half_closeable_stream(make, None)


async def test_a_frame_leaves_without_a_task() -> None:
    client, server = await connected(*memory_stream_pair())
    for number in range(3):
        client.send_text(f"text {number}")
        assert client.flush_now()
        assert not client.unsent
    assert await server.receive() == ["text 0", "text 1", "text 2"]


async def test_a_peer_that_is_gone_ends_the_connection_and_raises_nothing() -> None:
    near, far = memory_stream_pair()
    client, _ = await connected(near, far)
    await far.aclose()
    client.send_text("to nobody")
    assert client.flush_now(), "nothing is left to do"
    assert not client.is_open


class Wrapped(trio.abc.Stream):
    """Counts what is written, and hands on whatever else it is asked for."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def send_all(self, data: Any) -> None:
        self.written += len(data)
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self.inner.receive_some(max_bytes))

    async def aclose(self) -> None:
        await self.inner.aclose()


async def test_what_wraps_the_stream_is_not_gone_round() -> None:
    near, far = memory_stream_pair()
    stream = Wrapped(near)
    client, server = await connected(stream, far)
    before = stream.written
    client.send_text("through the wrapper")
    assert not client.flush_now()
    await client.flush()
    assert stream.written > before
    assert await server.receive() == ["through the wrapper"]


class Faulty(Wrapped):
    """Its own write that does not wait is a fault."""

    answer: Any = None

    def send_now(self, data: bytes) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("answer", [RuntimeError("no modem"), None, -1, 1_000_000, True, 2.0, "2"])
async def test_a_fault_of_a_stream_is_the_end_of_its_connection_only(answer: Any) -> None:
    near, far = memory_stream_pair()
    stream = Faulty(near)
    client, _ = await connected(stream, far)
    stream.answer = answer
    client.send_text("into the fault")
    assert client.flush_now()
    assert not client.is_open
    with pytest.raises(ConnectionClosed, match=r"no modem|send_now"):
        await client.receive()


async def test_what_a_stream_did_not_take_is_written_by_the_flush() -> None:
    near, far = memory_stream_pair()

    class Slow(Wrapped):
        def send_now(self, data: bytes) -> int:
            return near.send_now(data[:3])

    client, server = await connected(Slow(near), far)
    client.send_text("a text that comes in parts")
    assert not client.flush_now()
    await client.flush()
    assert await server.receive() == ["a text that comes in parts"]


async def test_an_empty_write_is_no_end() -> None:
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            assert await far.receive_some() == b"x"

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        await near.send_all(b"")
        await trio.testing.wait_all_tasks_blocked()
        await near.send_all(b"x")


async def test_a_read_that_is_given_up_loses_nothing() -> None:
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.receive_some)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    await far.send_all(b"afterwards")
    assert await near.receive_some(5) == b"after"
    assert await near.receive_some() == b"wards"


async def test_a_read_that_is_cancelled_when_something_came_loses_nothing() -> None:
    near, far = memory_stream_pair()
    got: list[bytes] = []
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            got.append(await near.receive_some())

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        far.send_now(b"just in time")
        nursery.cancel_scope.cancel()
    assert got == [b"just in time"]


async def test_closing_wakes_who_reads_at_either_end() -> None:
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:

        async def read_here() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await near.receive_some()

        async def read_there() -> None:
            assert await far.receive_some() == b""

        nursery.start_soon(read_here)
        nursery.start_soon(read_there)
        await trio.testing.wait_all_tasks_blocked()
        far.send_now(b"nobody reads this")
        await near.aclose()
        with pytest.raises(trio.BrokenResourceError):
            far.send_now(b"into the void")


@pytest.mark.parametrize("first", ["send_all", "send_eof", "wait_send_all_might_not_block", "receive_some"])
@pytest.mark.parametrize("second", ["send_all", "send_eof", "wait_send_all_might_not_block", "receive_some"])
async def test_two_tasks_at_once_are_refused_in_each_direction(first: str, second: str) -> None:
    near, far = memory_stream_pair()
    await far.send_all(b"to read")
    refused: list[str] = []

    async def use(name: str) -> None:
        try:
            await (near.send_all(b"x") if name == "send_all" else getattr(near, name)())
        except trio.BusyResourceError:
            refused.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(use, first)
        nursery.start_soon(use, second)
    is_same_direction = (first == "receive_some") == (second == "receive_some")
    assert len(refused) == is_same_direction

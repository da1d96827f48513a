"""The stream in memory of the test kit: a stream as trio's contract has it, which also takes bytes without waiting."""

from typing import Any

import pytest
import trio
import trio.testing

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
        return getattr(self.inner.send_stream, name)

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


class Refusing(Wrapped):
    """Its own write that does not wait is a fault."""

    def send_now(self, data: bytes) -> int:
        raise RuntimeError("no modem")


async def test_a_fault_of_a_stream_is_the_end_of_its_connection_only() -> None:
    near, far = memory_stream_pair()
    client, _ = await connected(Refusing(near), far)
    client.send_text("into the fault")
    assert client.flush_now()
    assert not client.is_open
    with pytest.raises(Exception, match="no modem"):
        await client.receive()

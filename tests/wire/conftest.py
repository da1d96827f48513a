"""What the tests of bad wires share: two WebSockets with a disturbed stream between them, and the clock of the test."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import trio
import trio.testing

from ocpp16.errors import ConnectionClosed
from ocpp16.testing.memory_stream import memory_stream_pair
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.websocket import Accept, WebSocket
from ocpp16.wire import Disturbed, WireFaults, disturbed


def run_at_once(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run with the clock of the test, or one that jumps."""
    return trio.run(*arguments, clock=clock or trio.testing.MockClock(autojump_threshold=0), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        is_here = item.path.parent == Path(__file__).parent
        if is_async and is_here and not item.get_closest_marker("real_time"):
            item.add_marker(pytest.mark.trio(run=run_at_once), append=False)


class Ends(NamedTuple):
    """Both ends of one connection: ours is behind the faults."""

    ours: WebSocket
    theirs: WebSocket
    opener: Disturbed

    async def send(self, *texts: str) -> None:
        for text in texts:
            self.ours.send_text(text)
            await self.ours.flush()

    async def answer(self, *texts: str) -> None:
        for text in texts:
            self.theirs.send_text(text)
            await self.theirs.flush()


async def received(websocket: WebSocket, seconds: float = 60.0) -> list[str]:
    """All texts that come within so many seconds, and how the connection ended, if it did."""
    found: list[str] = []
    with trio.move_on_after(seconds):
        while True:
            try:
                found += await websocket.receive()
            except ConnectionClosed as closed:
                return [*found, f"closed with {closed.code}"]
    return found


Connected = Callable[..., AbstractAsyncContextManager[Ends]]


@pytest.fixture
def connected() -> Connected:
    """Called with faults, as a table, a `WireFaults` or a function: both ends of a connection on which they happen."""

    @asynccontextmanager
    async def made(faults: Any, seed: int = 1) -> AsyncIterator[Ends]:
        near, far = memory_stream_pair()

        async def open_stream(endpoint: Endpoint) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            return near

        found = WireFaults.load(faults) if isinstance(faults, dict) else faults
        opener = disturbed(open_stream, found, Random(seed))
        accepted: list[WebSocket] = []

        async def accept() -> None:
            accepted.append(await WebSocket.accept(far, decide=lambda request: Accept("ocpp1.6")))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            stream = await opener(Endpoint(False, "csms.example", 80, "/CP1"))
            ours = await WebSocket.connect(stream, host="csms.example", target="/CP1")
        try:
            yield Ends(ours, accepted[0], opener)
        finally:
            ours.abort()
            accepted[0].abort()

    return made

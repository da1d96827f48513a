"""What the tests of the proxy share: one between memory streams, and the clock of the test."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import ConnectionFailed
from ocpp16.proxy import Happening, Kind, Proxy, open_proxy
from ocpp16.testing import CentralSystem
from ocpp16.testing.memory_stream import memory_stream_pair
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.websocket import Accept, Reject, UpgradeRequest, WebSocket


def run_at_once(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run with the clock of the test, or one that jumps."""
    return trio.run(*arguments, clock=clock or trio.testing.MockClock(autojump_threshold=0), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        is_here = item.path.parent == Path(__file__).parent
        if is_async and is_here and not item.get_closest_marker("real_time"):
            item.add_marker(pytest.mark.trio(run=run_at_once), append=False)


def answering(websocket: WebSocket) -> WebSocket:
    """The same, which writes its answers to pings and closes while it is read."""
    websocket.on_unsent = websocket.flush_now  # type: ignore[assignment]
    return websocket


class Between:
    """A proxy, the way in for charge points, and a Central System that does what a test says.

    `decide` answers its upgrade requests; `requests` are those that came, `theirs` the connections.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.proxy: Proxy
        self.happenings: list[Happening] = []
        self.requests: list[UpgradeRequest] = []
        self.theirs: list[WebSocket] = []
        self.is_reachable = True
        self.pair: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]] = memory_stream_pair
        """What a connection to the Central System is made of."""
        self.decide: Callable[[UpgradeRequest], Accept | Reject] = lambda request: Accept(
            request.subprotocols[0] if request.subprotocols else None
        )

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        """For the charge point, or for `WebSocket.connect`."""
        await trio.lowlevel.checkpoint()
        near, far = memory_stream_pair()
        self.proxy.take(far)
        return near

    async def connect(self, target: str = "/CP1", **options: Any) -> WebSocket:
        stream = await self.connector(Endpoint(False, "proxy", 80, target))
        return answering(await WebSocket.connect(stream, host="proxy", target=target, **options))

    async def dial(self, endpoint: Endpoint) -> trio.abc.Stream:
        """The way to the Central System."""
        await trio.lowlevel.checkpoint()
        if not self.is_reachable:
            raise ConnectionFailed("TCP: nobody is there")
        near, far = self.pair()
        self.nursery.start_soon(self._accept, far)
        return near

    async def _accept(self, stream: trio.abc.Stream) -> None:
        def decide(request: UpgradeRequest) -> Accept | Reject:
            self.requests.append(request)
            return self.decide(request)

        try:
            self.theirs.append(answering(await WebSocket.accept(stream, decide=decide)))
        except ConnectionFailed:
            await stream.aclose()

    def told(self, kind: Kind) -> list[str]:
        return [happening.text for happening in self.happenings if happening.kind is kind]


Opened = Callable[..., AbstractAsyncContextManager[Between]]


@pytest.fixture
def between() -> Opened:
    """Called with options of `open_proxy`, and `csms` for a whole Central System behind it."""

    @asynccontextmanager
    async def made(csms: CentralSystem | None = None, **options: Any) -> AsyncIterator[Between]:
        async with trio.open_nursery() as nursery:
            found = Between(nursery)
            connector = found.dial if csms is None else csms.connector
            options.setdefault("now", lambda: 1_767_225_600_000_000 + round(trio.current_time() * 1e6))
            async with open_proxy(
                "ws://csms.example/ocpp", connector=connector, on_happening=found.happenings.append, **options
            ) as found.proxy:
                yield found
            nursery.cancel_scope.cancel()

    return made

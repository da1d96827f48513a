"""A charge point of a few lines, which says whatever the test wants.

Tests name `autojump_clock` themselves: pytest-trio takes a clock only from the arguments of the test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import trio

from ocpp16.codec import Call, CallResult, parse, serialize
from ocpp16.errors import ConnectionClosed
from ocpp16.testing import CentralSystem
from ocpp16.transport.websocket import WebSocket

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


class BareChargePoint:
    """Sends CALLs, collects what comes; answers CALLs by `replies` (action -> function of the Call to text)."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.received: list[str] = []
        self.replies: dict[str, Callable[[Call], bytes]] = {}
        self.ended: ConnectionClosed | None = None
        self.changed = trio.Event()
        self.number = 0
        self.one_writer = trio.Lock()

    async def read(self) -> None:
        try:
            while True:
                for text in await self.websocket.receive():
                    self.received.append(text)
                    await self._reply(text)
                await self.send()
                self._tell()
        except ConnectionClosed as exc:
            self.ended = exc
            self._tell()
            await self.websocket.aclose()

    async def _reply(self, text: str) -> None:
        try:
            frame = parse(text)
        except ValueError:
            return
        if isinstance(frame, Call) and frame.action in self.replies:
            await self.send(self.replies[frame.action](frame))

    def _tell(self) -> None:
        self.changed.set()
        self.changed = trio.Event()

    async def send(self, *texts: bytes | str) -> None:
        for text in texts:
            self.websocket.send_text(text)
        async with self.one_writer:
            await self.websocket.flush()

    async def say(self, action: str, payload: dict[str, Any], unique_id: str | None = None) -> str:
        self.number += 1
        unique_id = unique_id or f"cp-{self.number}"
        await self.send(serialize(Call(unique_id, action, payload)))
        return unique_id

    async def ask(self, action: str, payload: dict[str, Any], timeout: float = 30) -> Any:
        """The frame that answers, or None after `timeout` seconds."""
        unique_id = await self.say(action, payload)
        with trio.move_on_after(timeout):
            while True:
                for text in self.received:
                    frame = parse(text) if text.startswith("[") and text.endswith("]") else None
                    if frame is not None and not isinstance(frame, Call) and frame.unique_id == unique_id:
                        return frame
                await self.changed.wait()
        return None

    async def boot(self) -> None:
        assert isinstance(await self.ask("BootNotification", dict(BOOT)), CallResult)


Connect = Callable[..., Awaitable[BareChargePoint]]


@pytest.fixture
async def csms() -> AsyncIterator[CentralSystem]:
    async with CentralSystem() as central_system:
        yield central_system


@pytest.fixture
async def connect(nursery: trio.Nursery) -> Connect:
    """`charge_point = await connect(csms, "CP1")`."""

    async def join(csms: CentralSystem, identity: str = "CP1", **options: Any) -> BareChargePoint:
        stream = options.pop("stream", None) or csms.stream()
        websocket = await WebSocket.connect(stream, host="csms", target=f"/ocpp/{identity}", **options)
        charge_point = BareChargePoint(websocket)
        nursery.start_soon(charge_point.read)
        await csms.wait_connected(identity)
        return charge_point

    return join

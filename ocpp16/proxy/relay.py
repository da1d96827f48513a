"""One charge point and its Central System: what either says goes to the other, and so does how it ends.

Rules of this file:
1. A message goes on as it came, text or binary, in its order, and the next is taken when the other side has it: who
   reads slowly slows down who writes.
2. A close code goes on as it came; where none was said, the other side's connection is broken off, too.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from ocpp16.errors import ConnectionClosed
from ocpp16.proxy.side import Message, Side
from ocpp16.texts import shown
from ocpp16.transport.websocket import WebSocket

_UNSAYABLE: Final = frozenset({1004, 1006, 1015})
"""Close codes that stand in no frame (RFC 6455 §7.4.1); 1005 does, as a close frame without one."""
CHARGE_POINT: Final = "charge point"
CENTRAL_SYSTEM: Final = "Central System"
STOPPED: Final = "the proxy stops"
SENT: Final = "sent"
RECEIVED: Final = "received"
Passed = Callable[[str, Message], Awaitable[None]]


class Relay:
    """Parameters: `passed` is told each message and the way it goes, before it goes; `is_silent`: see `Side`.

    ended: who ended it and how, in words, once `run` has returned.
    """

    def __init__(
        self, charge_point: WebSocket, central_system: WebSocket, passed: Passed, is_silent: Callable[[], bool]
    ) -> None:
        self._charge_point = charge_point
        self._central_system = central_system
        self._passed = passed
        self._is_silent = is_silent
        self._closed: ConnectionClosed | None = None
        self.ended: str = ""

    async def run(self, ping_interval: float) -> None:
        """Until one of them ends; the other has ended then, too. ping_interval: seconds of silence after which a side
        is pinged; 0: never."""
        try:
            async with trio.open_nursery() as nursery:
                ours = Side(CHARGE_POINT, self._charge_point, nursery, self._is_silent)
                theirs = Side(CENTRAL_SYSTEM, self._central_system, nursery, self._is_silent)
                nursery.start_soon(_hurry_at_the_end, ours, theirs)
                nursery.start_soon(self._relay, ours, theirs, SENT, nursery.cancel_scope)
                nursery.start_soon(self._relay, theirs, ours, RECEIVED, nursery.cancel_scope)
                if ping_interval:
                    nursery.start_soon(ours.watch, ping_interval)
                    nursery.start_soon(theirs.watch, ping_interval)
        finally:
            self._charge_point.on_unsent = self._central_system.on_unsent = None
            with trio.CancelScope(shield=True):  # bounded inside
                await self._close()

    async def _relay(self, source: Side, target: Side, way: str, both: trio.CancelScope) -> None:
        while True:
            try:
                messages = await source.receive()
            except ConnectionClosed as closed:
                if self._closed is None:
                    self._closed = closed
                    self.ended = f"{source.name}: {closed.code} {shown(closed.reason)}".rstrip()
                both.cancel()
                return
            for message in messages:
                await self._passed(way, message)
                try:
                    await target.send(message)
                except ConnectionClosed:
                    return  # the task that reads there knows how it ended
            if self._is_silent():
                self._charge_point.answers_pings = False

    async def _close(self) -> None:
        """Both, as one of them was; nobody has said how: the proxy ends."""
        closed = self._closed or ConnectionClosed(1001, STOPPED)
        self.ended = self.ended or STOPPED
        both = (self._charge_point, self._central_system)
        if closed.code in _UNSAYABLE or not 1000 <= closed.code <= 4999:
            for websocket in both:
                websocket.abort("the other side broke off")
        async with trio.open_nursery() as nursery:
            for websocket in both:
                nursery.start_soon(websocket.aclose, closed.code if websocket.is_open else 1000, closed.reason)


async def _hurry_at_the_end(*sides: Side) -> None:
    try:
        await trio.sleep_forever()
    finally:
        for side in sides:
            side.hurry()

"""What of a link waits: for bytes of the peer until its end, and for the peer to take ours.

A link decides, and is told what was read; this is its way to a task. In a block of many charge points one task waits
for the sockets of all (`transport.readiness`), and that of the charge point only for the end.
"""

from contextlib import suppress
from typing import Any

import trio

from ocpp16.charge_point.link import Link
from ocpp16.errors import ConnectionClosed
from ocpp16.transport.readiness import Readiness

WRITE_TIMEOUT = 10.0
"""Seconds after which a write that does not get through means a broken connection (libocpp)."""


async def read(link: Link, readiness: Readiness | None = None) -> None:
    """Hand in what arrives until the connection ends. Raises ConnectionClosed with the cause."""
    websocket = link.websocket
    try:
        if readiness is not None and websocket.socket is not None:
            await _SharedReader(link, readiness).read()
        while True:
            texts = await websocket.receive()
            link.take_in(lambda texts=texts: texts)  # type: ignore[misc]
    finally:
        link.ended()


async def flush(link: Link) -> None:
    """Write the rest; a write that gets stuck ends the connection."""
    try:
        with trio.move_on_after(WRITE_TIMEOUT) as limit:
            await link.websocket.flush()
        if limit.cancelled_caught:
            link.websocket.abort(f"a write did not get through within {WRITE_TIMEOUT:g} s")
    finally:
        link.flushed()


class _SharedReader:
    """Reads one plain socket when the task of all sockets says that there is something."""

    __slots__ = ("_link", "_readiness", "_task", "closed")

    def __init__(self, link: Link, readiness: Readiness) -> None:
        self._link = link
        self._readiness = readiness
        self._task: trio.lowlevel.Task | None = None
        self.closed: ConnectionClosed | None = None

    async def read(self) -> None:
        """Until the connection ends. Raises ConnectionClosed."""
        websocket = self._link.websocket
        websocket.on_end = self._ended
        assert websocket.socket is not None
        number = websocket.socket.fileno()
        try:
            self._readiness.watch(number, self._readable, is_ready=websocket.waits)
            self._task = trio.lowlevel.current_task()
            if websocket.is_ended:
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_task_rescheduled(self._abort)
        finally:
            self._task = None
            websocket.on_end = None
            self._readiness.forget(number)
        while self.closed is None:  # it was ended by others than the peer: what came before that counts
            self._readable()
        raise self.closed

    def _readable(self) -> bool:
        """Take in what there is. True: there is more, which the socket does not tell of."""
        websocket = self._link.websocket
        try:
            self._link.take_in(websocket.read_now)
        except ConnectionClosed as closed:
            self.closed = closed
            self._wake()
            return False
        return websocket.waits

    def _ended(self) -> None:
        """The connection is over; its socket may be closed from here on, and the number be another's."""
        assert self._link.websocket.socket is not None
        with suppress(OSError, ValueError):
            self._readiness.forget(self._link.websocket.socket.fileno())
        self._wake()

    def _wake(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task)

    def _abort(self, raise_cancel: Any) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

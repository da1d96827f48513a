"""What of a link waits: for bytes of the peer until its end, and for the peer to take ours.

A link decides, and is told what was read; this is its way to a task. In a block of many charge points one task waits
for the sockets of all (`transport.readiness`), and that of the charge point only for the end.
"""

from typing import Any

import trio

from ocpp16.charge_point.link import Link
from ocpp16.faults import obey_exit
from ocpp16.transport.readiness import Readiness

WRITE_TIMEOUT = 10.0
"""Seconds after which a write that does not get through means a broken connection (libocpp)."""


async def read(link: Link, readiness: Readiness | None = None) -> None:
    """Hand in what arrives until the connection ends. Raises ConnectionClosed with the cause, or a fault of ours."""
    websocket = link.websocket
    try:
        if readiness is not None and websocket.socket is not None:
            await _SharedReader(link, readiness).read()
        while True:
            link.take_in(await websocket.receive())
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

    __slots__ = ("_end", "_link", "_readiness", "_task")

    def __init__(self, link: Link, readiness: Readiness) -> None:
        self._link = link
        self._readiness = readiness
        self._task: trio.lowlevel.Task | None = None
        self._end: BaseException | None = None
        """What reading raised: ConnectionClosed, or a fault."""

    async def read(self) -> None:
        """Until the connection ends, which raises as `link_tasks.read`; returns if the socket is not watched."""
        websocket = self._link.websocket
        assert websocket.socket is not None
        number = websocket.socket.fileno()
        websocket.on_end = self._ended
        try:
            self._readiness.watch(number, self, is_ready=websocket.waits)
            self._task = trio.lowlevel.current_task()
            if websocket.is_ended:
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_task_rescheduled(self._abort)
        except (OSError, ValueError):
            return
        finally:
            self._task = None
            websocket.on_end = None
            self._readiness.forget(number, self)
        while self._end is None and websocket.is_ended:  # by others than the peer: what came before that counts
            self.readable()
        if self._end is not None:
            raise self._end

    def readable(self) -> bool:
        """Take in what there is. True: there is more, which the socket does not tell of."""
        websocket = self._link.websocket
        try:
            self._link.take_in()
        except BaseException as end:
            obey_exit(end)
            self._end = end
            self._wake()
            return False
        return websocket.waits

    def unwatched(self) -> None:
        """Whoever reads does so alone from here on."""
        self._wake()

    def _ended(self) -> None:
        """The connection is over; its socket may be closed from here on, and the number be another's."""
        assert self._link.websocket.socket is not None
        self._readiness.forget(self._link.websocket.socket.fileno(), self)
        self._wake()

    def _wake(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task)

    def _abort(self, raise_cancel: Any) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

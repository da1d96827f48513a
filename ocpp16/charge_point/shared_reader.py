"""Who reads the plain socket of one link when the task of all sockets says that there is something.

The task of the charge point waits for the end meanwhile (`link_tasks`).
"""

from typing import Any

import trio

from ocpp16.charge_point.link import Link
from ocpp16.faults import obey_exit
from ocpp16.transport.watched_sockets import WatchedSockets


class SharedReader:
    """One of `sockets`, for `link`. `task` is whose it is, while that waits; `end` is what reading raised:
    ConnectionClosed, or a fault."""

    __slots__ = ("_link", "_sockets", "end", "task")

    def __init__(self, link: Link, sockets: WatchedSockets) -> None:
        self._link = link
        self._sockets = sockets
        self.task: trio.lowlevel.Task | None = None
        self.end: BaseException | None = None

    def readable(self) -> bool:
        """Take in what there is. True: there is more, which the socket does not tell of."""
        if self.end is not None:
            return False  # the socket is watched until the task had its turn
        try:
            self._link.take_in(None)
        except BaseException as end:
            obey_exit(end)
            self.end = end
            self._wake()
            return False
        return self._link.websocket.waits

    def unwatched(self) -> None:
        """Whoever reads does so alone from here on."""
        self._wake()

    def ended(self) -> None:
        """The connection is over; its socket may be closed from here on, and the number be another's."""
        socket = self._link.websocket.socket
        assert socket is not None
        self._sockets.forget(socket.fileno(), self)
        self._wake()

    def _wake(self) -> None:
        if self.task is not None:
            task, self.task = self.task, None
            trio.lowlevel.reschedule(task)

    def abort(self, raise_cancel: Any) -> trio.lowlevel.Abort:
        """The task was cancelled."""
        self.task = None
        return trio.lowlevel.Abort.SUCCEEDED

"""The one place where time passes: due timers, response timeouts, and every frame that goes out.

The charge point's monotonic clock is trio's, so deadlines are the timers' own numbers.

Runs from the opening of the charge point to its end, connected or not. It never waits for the store: a frame that tells
of something not yet on disk stays back, and everything else goes on. Whoever makes something ready calls `kick`, any
number of times; a timer earlier than the head of the heap only moves the deadline of the sleep.
"""

from collections.abc import Callable
from typing import Protocol

import trio

from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timers


class Writable(Protocol):
    """The link as the pump needs it."""

    @property
    def unsent(self) -> bool: ...

    @property
    def is_open(self) -> bool: ...

    def take(self, now: float, durable: int) -> None: ...

    async def flush(self) -> None: ...


class Pump:
    """`session` and `link` may be replaced at any time: a restart makes a new session, a connection a new link."""

    __slots__ = ("_durable", "_sleep", "_wakeup", "clock", "link", "on_turn", "session", "timers")

    def __init__(self, clock: Clock, timers: Timers, durable: Callable[[], int]) -> None:
        self.clock = clock
        self.timers = timers
        self.session: Session | None = None
        self.link: Writable | None = None
        self.on_turn: Callable[[], None] | None = None
        """Called after every turn: whoever waits for the queue to be empty looks then."""
        self._durable = durable
        self._wakeup = trio.Event()
        self._sleep = trio.CancelScope()
        timers.on_earlier = self._earlier

    def kick(self) -> None:
        """Something may be ready to go."""
        self._wakeup.set()

    async def run(self) -> None:
        while True:
            self._wakeup = trio.Event()  # before looking: a kick from here on is not lost
            now = self.clock.monotonic()
            self.timers.run_due(now)  # due means <= now: a virtual clock lands exactly on deadlines
            if self.session is not None:
                self.session.on_time(now)
            self.turn()
            link = self.link
            if link is not None and link.unsent:
                # The socket was full, or the stream knows no non-blocking write (TLS, memory).
                await link.flush()
            else:
                with trio.CancelScope(deadline=self._deadline()) as self._sleep:
                    await self._wakeup.wait()

    def turn(self) -> None:
        """Write what is ready. Synchronous; the reader calls it too, after each read."""
        link = self.link
        if link is not None:
            link.take(self.clock.monotonic(), self._durable())
            if link.unsent:
                self._wakeup.set()
        self._sleep.deadline = self._deadline()  # moving a deadline wakes nobody
        if self.on_turn is not None:
            self.on_turn()

    def _deadline(self) -> float:
        """When something is due by time alone: what the session has to write counts only while it can be written."""
        due = self.timers.deadline()
        if self.session is not None and self.link is not None and self.link.is_open:
            due = min(due, self.session.deadline(self._durable()))
        return due

    def _earlier(self, due: float) -> None:
        if due < self._sleep.deadline:
            self._sleep.deadline = due

"""The one place where time passes: due timers, response timeouts, and every frame that goes out.

The charge point's monotonic clock is trio's, so deadlines are the timers' own numbers.

Runs from the opening of the charge point to its end, connected or not. It waits neither for the store (a frame that
tells of something not yet on disk stays back, and everything else goes on) nor for a write: what a socket does not take
at once is written by a task of the link. Whoever makes something ready calls `kick`, any number of times; a timer
earlier than the head of the heap only moves the deadline of the sleep.
"""

from collections.abc import Callable
from typing import Protocol

import trio

from ocpp16.faults import obey_exit
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timers

AFTER_FAILURE = 1.0
"""Seconds until the next turn after one that failed, if nobody kicks: a fault must not make a loop without a pause."""


class Writable(Protocol):
    """The link as the pump needs it."""

    @property
    def takes_frames(self) -> bool: ...

    def take(self, now: float, durable: int) -> None: ...


class Pump:
    """`take_over` gives it session and timers of a start; `link` is there while there is a connection.

    Parameters: `host_timers` of the station, which go on over starts; `durable` tells the highest journal number on
    disk; `failed(place, error)` is told of exceptions, which end nothing.
    """

    __slots__ = (
        "_durable",
        "_failed",
        "_host_timers",
        "_session",
        "_sleep",
        "_timers",
        "_wakeup",
        "clock",
        "link",
        "on_turn",
    )

    def __init__(
        self,
        clock: Clock,
        host_timers: Timers,
        durable: Callable[[], int],
        failed: Callable[[str, BaseException], None],
    ) -> None:
        self.clock = clock
        self.link: Writable | None = None
        self.on_turn: Callable[[], None] | None = None
        """Called after every turn: whoever waits for the queue to be empty looks then."""
        self._host_timers = host_timers
        self._timers: Timers | None = None
        self._session: Session | None = None
        self._durable = durable
        self._failed = failed
        self._wakeup = trio.Event()
        self._sleep = trio.CancelScope()
        host_timers.on_earlier = self._earlier

    def take_over(self, session: Session, timers: Timers) -> None:
        """From here on it is the turn of another start; the timers of the one before do not run any more."""
        self._session = session
        self._timers = timers
        timers.on_earlier = self._earlier
        self.kick()

    def kick(self) -> None:
        """Something may be ready to go."""
        self._wakeup.set()

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._wakeup = trio.Event()  # before looking: a kick from here on is not lost
            try:
                self._run_due()
            except BaseException as error:
                obey_exit(error)
                self._failed("pump", error)
            with trio.CancelScope(deadline=self.turn()) as self._sleep:
                await self._wakeup.wait()

    def _run_due(self) -> None:
        monotonic = self.clock.monotonic
        now = monotonic()  # due means <= now: a virtual clock lands exactly on deadlines
        self._host_timers.run_due(now, clock=monotonic)
        if self._timers is not None:
            self._timers.run_due(monotonic(), clock=monotonic)
        if self._session is not None:
            self._session.on_time(now)

    def turn(self) -> float:
        """Write what is ready. Synchronous, raises nothing; the reader calls it too, after each read.

        Returns when the next turn is due.
        """
        try:
            link = self.link
            if link is not None:
                link.take(self.clock.monotonic(), self._durable())
            if self.on_turn is not None:
                self.on_turn()
            deadline = self._deadline()
        except BaseException as error:
            obey_exit(error)
            self._failed("pump", error)
            deadline = self.clock.monotonic() + AFTER_FAILURE
        self._sleep.deadline = deadline  # moving a deadline wakes nobody
        return deadline

    def _deadline(self) -> float:
        """When something is due by time alone: what the session has to write counts only while it can be written."""
        due = self._host_timers.deadline()
        if self._timers is not None:
            due = min(due, self._timers.deadline())
        if self._session is not None and self.link is not None and self.link.takes_frames:
            due = min(due, self._session.deadline(self._durable()))
        return due

    def _earlier(self, due: float) -> None:
        if due < self._sleep.deadline:
            self._sleep.deadline = due

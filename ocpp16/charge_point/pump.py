"""The one place where time passes: due timers, response timeouts, and every frame that goes out.

The charge point's monotonic clock is trio's, so deadlines are the timers' own numbers. The task is that of `pumps`, for
all charge points of a block.

Works from the opening of the charge point to its end, connected or not. It waits neither for the store (a frame that
tells of something not yet on disk stays back, and everything else goes on) nor for a write: what a socket does not take
at once is written by a task of the link.

Rules of this file:
1. A turn is everything that follows from one cause (bytes that came, a timer, a call of the host), in one step of one
   task: the reader makes its own (`begin`, `turn`), and nobody is woken for what a turn does anyway.
2. Whoever makes something ready outside of a turn calls `kick`, any number of times: there is one turn for all.
"""

from collections.abc import Callable
from math import inf
from typing import Any, Protocol

from ocpp16.charge_point.link import Link
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import log
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timers

AFTER_FAILURE = 1.0
"""Seconds until the next turn after one that failed, if nobody kicks: a fault must not make a loop without a pause."""


def _failed_after_its_end(place: str, error: BaseException) -> None:
    log.error("%s failed after its end: %s", place, sentence(error))


class Numbered(Protocol):
    """The journal as the pump needs it."""

    @property
    def durable(self) -> int: ...


class Waker(Protocol):
    """Whose task it is: `pumps.Pumps`."""

    def kick(self, pump: Any) -> None: ...

    def wake_at(self, due: float, pump: Any, *, is_moved: bool) -> None: ...

    def forget(self, pump: Any) -> None: ...


class Reports(Protocol):
    """Of the connectors, as the pump knows them."""

    @property
    def is_behind(self) -> bool: ...


class Pump:
    """`take_over` gives it session, timers and reports of a start; `link` is there while there is a connection.

    Parameters: `waker` calls `take_turn` when it is kicked or due; `host_timers` of the station, which go on over
    starts; `journal` tells the highest number on disk; `failed(place, error)` is told of exceptions, which end
    nothing.
    """

    __slots__ = (
        "_failed",
        "_has_ended",
        "_host_timers",
        "_is_in_turn",
        "_is_kicked",
        "_journal",
        "_reports",
        "_session",
        "_timers",
        "_waker",
        "clock",
        "deadline",
        "is_wanted",
        "link",
        "on_turn",
    )

    def __init__(
        self,
        clock: Clock,
        waker: Waker,
        host_timers: Timers,
        journal: Numbered,
        failed: Callable[[str, BaseException], None],
    ) -> None:
        self.clock: Clock = clock
        self.link: Link | None = None
        self.on_turn: Callable[[], None] | None = None
        """Called after every turn: whoever waits for the queue to be empty looks then."""
        self.deadline: float = inf
        """When the waker is to call, kicked or not; no later than when something is due."""
        self.is_wanted: bool = False
        """There may be something to do that no turn has looked at."""
        self._waker = waker
        self._host_timers = host_timers
        self._timers: Timers | None = None
        self._session: Session | None = None
        self._reports: Reports | None = None
        self._journal = journal
        self._failed = failed
        self._is_in_turn = False
        self._is_kicked = False
        """The waker knows, and has not called yet."""
        self._has_ended = False
        host_timers.on_earlier = self._earlier

    def take_over(self, session: Session, timers: Timers, reports: Reports) -> None:
        """From here on it is the turn of another start; the timers of the one before do not run any more."""
        self._session = session
        self._reports = reports
        self._timers = timers
        timers.on_earlier = self._host_timers.on_earlier  # `_earlier`, bound already
        self.kick()

    def end(self) -> None:
        """No turn any more. Whoever still knows the pump, as a deadline that the waker has not come to, does not keep
        the charge point by it."""
        if not self._has_ended:
            self._has_ended = True
            self.deadline = -inf
            self._waker.forget(self)
            self._session = self._timers = self._reports = self.on_turn = None
            self._host_timers.on_earlier = None
            self._host_timers = Timers()
            self._failed = _failed_after_its_end

    def kick(self) -> None:
        """Something may be ready to go."""
        self.is_wanted = True
        if not (self._is_in_turn or self._is_kicked or self._has_ended):
            self._is_kicked = True
            self._waker.kick(self)

    def take_turn(self) -> None:
        """For the waker: time may have passed, or somebody kicked. Raises nothing."""
        self._is_kicked = False
        if self.is_wanted and not self._has_ended:  # else the reader had its turn meanwhile
            self.begin()
            self._run_due()
            self.turn()

    def _run_due(self) -> None:
        try:
            monotonic = self.clock.monotonic
            now = monotonic()  # due means <= now: a virtual clock lands exactly on deadlines
            self._host_timers.run_due(now, clock=monotonic)
            if self._timers is not None:
                self._timers.run_due(now, clock=monotonic)
            if self._session is not None:
                self._session.on_time(now)
        except BaseException as error:
            obey_exit(error)
            self._failed("pump", error)

    def is_all_answered(self) -> bool:
        """Was BootNotification answered, is nothing left to send or to be answered, and nothing due that is not made
        yet?"""
        session, timers, reports = self._session, self._timers, self._reports
        if session is None or timers is None or reports is None or not session.is_idle:
            return False
        # What is due now may be a message yet, as those of many connectors are, which are made one after another.
        return timers.deadline() > self.clock.monotonic() and not reports.is_behind

    def begin(self) -> None:
        """A turn begins: `turn` ends it, and sends what has become ready until then."""
        self._is_in_turn = True
        self.is_wanted = False

    def turn(self) -> None:
        """Write what is ready. Synchronous, raises nothing; the reader calls it too, after each read."""
        self._is_in_turn = True
        due = inf
        try:
            link = self.link
            if link is not None:
                self.is_wanted = False  # but for what becomes ready by the writing
                link.take(self.clock.monotonic(), self._journal.durable)
            if self.on_turn is not None:
                self.on_turn()
            due = self._due()
        except BaseException as error:
            obey_exit(error)
            self._failed("pump", error)
            due = self.clock.monotonic() + AFTER_FAILURE
        finally:
            self._is_in_turn = False
        self._earlier(due)
        if self.is_wanted:
            self.kick()

    def _due(self) -> float:
        """When something is due by time alone: what the session has to write counts only while it can be written."""
        due = self._host_timers.deadline()
        if self._timers is not None:
            due = min(due, self._timers.deadline())
        if self._session is not None and self.link is not None and self.link.takes_frames():
            due = min(due, self._session.deadline(self._journal.durable))
        return due

    def _earlier(self, due: float) -> None:
        if due < self.deadline:
            is_moved = self.deadline < inf
            self.deadline = due
            self._waker.wake_at(due, self, is_moved=is_moved)

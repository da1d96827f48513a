"""Work on many connectors, one after another, so that other work goes on between them.

Each connector's turn is a timer that is due at once: how many have theirs in one turn of the loop is the timers' to
bound (timers.py, rule 6). The work looks at things as they are when the turn comes; what was done meanwhile is taken
out of the round by `discard`.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from ocpp16.state.timers import Timer, Timers


class Seconds(Protocol):
    """A clock that gives the timers' seconds."""

    def monotonic(self) -> float: ...


class Round:
    """`work` is called with the id of each connector."""

    __slots__ = ("_clock", "_timer", "_timers", "_waiting", "_work")

    def __init__(self, timers: Timers, clock: Seconds, work: Callable[[int], None]) -> None:
        self._timers = timers
        self._clock = clock
        self._work = work
        self._waiting: dict[int, None] | None = None
        """In reverse, so that `popitem` gives the next one. None while nobody waits:
        ten thousand charge points have nothing to do.
        """
        self._timer: Timer | None = None

    def __len__(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting) if self._waiting else 0

    def begin(self, connector_ids: Iterable[int], at_once: int = 1) -> None:
        """Work on these, behind those that wait already, once each; on the first `at_once` now."""
        order = list(dict.fromkeys((*reversed(self._waiting or {}), *connector_ids)))
        self._waiting = dict.fromkeys(reversed(order))
        try:
            for _ in range(min(at_once, len(order))):
                if self._waiting:
                    self._work(self._waiting.popitem()[0])
        finally:
            self._arm()

    def discard(self, connector_id: int) -> None:
        """Its work is done, or not to be done."""
        if self._waiting:
            self._waiting.pop(connector_id, None)

    def stop(self) -> None:
        """Nobody's turn comes any more."""
        self._waiting = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if not self._waiting:
            self._waiting = None
        elif self._timer is None:
            self._timer = self._timers.at(self._clock.monotonic(), self._next)

    def _next(self) -> None:
        self._timer = None
        if self._waiting:
            connector_id = self._waiting.popitem()[0]
            self._arm()  # before the work, which may raise
            self._work(connector_id)

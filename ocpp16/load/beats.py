"""An open model: heartbeats of all charge points at a rate that nothing slows down.

Each has a grid of its own in the timers of its charge point, so a heartbeat counts from when it was due, whatever kept
it from going: a slow answer before it, or a loop that is behind. Where one takes the place of another that waits, it is
due when that one was.
"""

from collections.abc import Callable
from functools import partial
from math import floor

from ocpp16.errors import Ocpp16Error
from ocpp16.fleet import Member


class Beats:
    """Parameters: `count` charge points send `rate` heartbeats each second of the clock `now`."""

    def __init__(self, count: int, rate: float, now: Callable[[], float]) -> None:
        self._now = now
        self._interval = count / rate
        self._gap = 1.0 / rate
        self._began = now()
        self._firsts: list[float] = []
        self._counted = 0
        self._missed = 0

    def added(self, member: Member) -> None:
        """It begins with the next of its moments: where an interval is longer than the test, too, some are in it."""
        first = self._began + len(self._firsts) * self._gap
        grid = _Grid(first, self._moments(first))
        self._firsts.append(first + grid.told * self._interval)
        member.on_open = partial(self._follow, grid)
        self._follow(grid, member)

    def _moments(self, first: float) -> int:
        """How many there were, of a grid that begins so."""
        return max(0, floor((self._now() - first) / self._interval) + 1)

    def _follow(self, grid: "_Grid", member: Member) -> None:
        """By the timers of its charge point; of the next one, where the power failed: what fell between was for
        nobody."""
        moments = self._moments(grid.first)
        self._missed += moments - grid.told
        grid.told = moments
        timers = member.charge_point.for_station.timers
        timers.every(self._interval, partial(self._beat, grid, member), grid.first + moments * self._interval)

    def due(self) -> int:
        """How many were due since this was last asked."""
        now = self._now()
        total = sum(floor((now - first) / self._interval) + 1 for first in self._firsts if first <= now)
        found, self._counted = total - self._counted, total
        return found

    def missed(self) -> int:
        """How many of them were for nobody, since this was last asked: not connected, or not accepted."""
        found, self._missed = self._missed, 0
        return found

    def _beat(self, grid: "_Grid", member: Member) -> None:
        grid.told += 1
        try:
            is_sent = member.charge_point.heartbeat_now()
        except Ocpp16Error:  # it is between two starts
            is_sent = False
        self._missed += not is_sent


class _Grid:
    """Of one charge point. told: moments that have passed, as far as it was told of them."""

    __slots__ = ("first", "told")

    def __init__(self, first: float, told: int) -> None:
        self.first: float = first
        self.told: int = told

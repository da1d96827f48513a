"""An open model: heartbeats of all charge points at a rate that nothing slows down.

Each has a grid of its own in the timers of its charge point, so a heartbeat counts from when it was due, whatever kept
it from going: a slow answer before it, or a loop that is behind. Where one takes the place of another that waits, it is
due when that one was, and all that were due between have waited for its answer: each is a latency, though one was sent.
"""

from collections.abc import Callable
from functools import partial
from math import ceil, floor, nan
from typing import Final

from ocpp16.errors import Ocpp16Error
from ocpp16.fleet import CallEnded, Member

NEAR: Final = 1e-6
"""Part of an interval that the sums of floats may be wrong by."""
MOST_WAITING: Final = 100_000
"""Moments of one charge point that one answer stands for; of more the first are told."""


class Beats:
    """Parameters: `count` charge points send `rate` heartbeats each second of the clock `now`."""

    def __init__(self, count: int, rate: float, now: Callable[[], float]) -> None:
        self._now = now
        self._interval = count / rate
        self._gap = 1.0 / rate
        self._began = now()
        self._firsts: list[float] = []
        self._grids: dict[str, _Grid] = {}
        self._counted = 0
        self._missed = 0

    def added(self, member: Member) -> None:
        """It begins with the next of its moments: where an interval is longer than the test, too, some are in it."""
        first = self._began + len(self._firsts) * self._gap
        grid = _Grid(first, self._moments(first))
        self._firsts.append(first + grid.told * self._interval)
        self._grids[member.identity] = grid
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

    def ended(self, call: CallEnded) -> list[float]:
        """A Heartbeat came to its end. Returns how long those waited that gave way to the one before: all that were
        due between the two, and not later than that one was sent."""
        grid = self._grids.get(call.charge_point)
        if grid is None:
            return []
        last = min(grid.moment(call.due, self._interval, -NEAR), grid.moment(grid.sent, self._interval, NEAR))
        found = self._waited(grid, last, grid.ended)
        grid.due, grid.sent, grid.ended = call.due, call.sent, call.ended
        return found

    def stopped(self, charge_point: str, patience: float) -> list[float]:
        """It was stopped, and what waits is never sent. Returns what `lost` does, and how long those waited that did so
        for longer than `patience`; the others are nobody's fault."""
        grid = self._grids.get(charge_point)
        if grid is None:
            return []
        now = self._now()
        found = self._gave_way(grid) if grid.ended < now else []  # else it was ended by this, and not answered
        found += self._waited(grid, min(grid.taken, grid.moment(now - patience, self._interval, NEAR)), now)
        grid.forget()
        return found

    def lost(self, charge_point: str) -> list[float]:
        """Its connection ended, and what waited with it. Returns how long those waited that gave way to the last that
        was answered: none comes after it that would tell."""
        grid = self._grids.get(charge_point)
        if grid is None:
            return []
        found = self._gave_way(grid)
        grid.forget()
        return found

    def _gave_way(self, grid: "_Grid") -> list[float]:
        found = self._waited(grid, min(grid.taken, grid.moment(grid.sent, self._interval, NEAR)), grid.ended)
        grid.due = grid.sent
        return found

    def _waited(self, grid: "_Grid", last: float, until: float) -> list[float]:
        if grid.due != grid.due:
            return []
        begin = grid.moment(grid.due, self._interval, NEAR) + 1
        moments = range(int(begin), int(min(last, begin + MOST_WAITING - 1)) + 1)
        return [until - (grid.first + number * self._interval) for number in moments]

    def due(self) -> int:
        """How many were due since this was last asked; those of this very moment count the next time, when they can
        have been sent."""
        now = self._now()
        total = sum(ceil((now - first) / self._interval - NEAR) for first in self._firsts if first < now)
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
        if is_sent:
            grid.taken = grid.told - 1
        else:
            self._missed += 1


class _Grid:
    """Of one charge point. told: moments that have passed, as far as it was told of them; taken: the last of them that
    was not for nobody, as those are at which it is about to stop. due, sent, ended: of the Heartbeat that ended last on
    this connection; nan: none did."""

    __slots__ = ("due", "ended", "first", "sent", "taken", "told")

    def __init__(self, first: float, told: int) -> None:
        self.first: float = first
        self.told: int = told
        self.taken: int = told - 1
        self.forget()

    def forget(self) -> None:
        self.due: float = nan
        self.sent: float = nan
        self.ended: float = nan

    def moment(self, at: float, interval: float, near: float) -> int:
        """The number of the last one until then; of none, -1. near: what counts as the same, in intervals."""
        return max(-1, floor((at - self.first) / interval + near)) if at == at else -1

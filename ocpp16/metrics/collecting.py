"""The numbers of many charge points added up, when somebody asks.

Rules of this file:
1. Who does not ask pays nothing: durations are kept from the first asking on.
2. What counts never falls: what a charge point has counted stays in the sum of a `Watch` when it is closed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from types import MappingProxyType
from typing import Final

from ocpp16.charge_point.snapshot import AnyChargePoint, in_their_thread, snapshot
from ocpp16.enums import ChargePointStatus
from ocpp16.histogram import Histogram
from ocpp16.models import Counters

_NUMBERS: Final = tuple(field.name for field in fields(Counters) if field.type in (int, "int"))


@dataclass(frozen=True, slots=True)
class Durations:
    """How often something took how long. `counts` go with `BOUNDS`: at most so many seconds, and longer than the bound
    before; the last is of what took longer than all. `seconds` is their sum."""

    counts: tuple[int, ...]
    seconds: float

    @property
    def number(self) -> int:
        """How many there were."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Seconds; None of nothing."""
        number = self.number
        return self.seconds / number if number else None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of all charge points that were asked, together."""

    charge_points: int
    """How many were asked."""
    running: int
    """Started, and neither stopped nor stopping."""
    connected: int
    """With an open WebSocket."""
    registered: int
    """Running, and accepted by the Central System."""
    queue_depth: int
    """Messages that wait to be sent or for their answer."""
    dead_letters: int
    """Messages that were given up and are kept."""
    running_transactions: int
    """Over all connectors."""
    connectors: Mapping[ChargePointStatus, int]
    """How many are in each status, zeros among them; connectors 0 are not counted."""
    counters: Counters
    """The sums: a copy, which grows no more."""
    answer_times: Durations
    """Seconds from the writing of a CALL of ours to its answer, whatever that was."""
    commit_times: Durations
    """Seconds that commits to disks took, of those that succeeded."""


def collect(charge_points: Iterable[AnyChargePoint]) -> Metrics:
    """What is now, and what was counted since each was opened.

    Durations are kept from the first time on that a charge point is asked. Takes some 10 µs for each charge
    point, in one step of the loop. Raises RuntimeError in another thread than that of the charge points; those of one
    block of `ocpp16.blocking` or `ocpp16.aio` are asked from any thread, and raise ChargePointStopped after its end.
    """
    return Watch(charge_points).collect()


class Watch:
    """Asks the same charge points again and again.

    charge_points: what can be gone through again, such as `[charge_point]`, or the `ChargePoints` of
    `open_charge_points`: those that are open then are asked. What was counted by others that are gone stays in the
    sums, as it was when they ended.
    """

    __slots__ = ("_charge_points", "_commits", "_counters", "_ended", "_ended_answers", "_ended_commits")

    def __init__(self, charge_points: Iterable[AnyChargePoint]) -> None:
        self._charge_points = charge_points
        self._counters: dict[int, Counters] = {}
        """By identity, of those that were there the last time."""
        self._commits: dict[int, Histogram] = {}
        self._ended = Counters()
        self._ended_answers, self._ended_commits = Histogram(), Histogram()

    def collect(self) -> Metrics:
        """As the function of this name."""
        asked = list(self._charge_points)
        return in_their_thread(asked, partial(self._collect, asked))

    def _collect(self, asked: list[AnyChargePoint]) -> Metrics:
        found = list(map(snapshot, asked))
        self._end_those_missing(
            {id(one.counters): one.counters for one in found},
            {id(times): times for times in (one.journal.commit_times() for one in found)},
        )
        counters, answers, commits = Counters(), Histogram(), Histogram()
        for each in (self._ended, *self._counters.values()):
            _include(counters, answers, each)
        answers.include(self._ended_answers)
        for times in (self._ended_commits, *self._commits.values()):
            commits.include(times)
        statuses = dict.fromkeys(ChargePointStatus, 0)
        for one in found:
            for status in one.statuses:
                statuses[status] += 1
        return Metrics(
            charge_points=len(found),
            running=sum(one.is_running for one in found),
            connected=sum(one.is_connected for one in found),
            registered=sum(one.is_registered for one in found),
            queue_depth=sum(one.queue_depth for one in found),
            dead_letters=sum(one.dead_letters for one in found),
            running_transactions=sum(one.running_transactions for one in found),
            connectors=MappingProxyType(statuses),
            counters=counters,
            answer_times=_durations(answers),
            commit_times=_durations(commits),
        )

    def _end_those_missing(self, counters: dict[int, Counters], commits: dict[int, Histogram]) -> None:
        """An identity is not given anew as long as it is kept here."""
        for key, each in self._counters.items():
            if key not in counters:
                _include(self._ended, self._ended_answers, each)
        for key, times in self._commits.items():
            if key not in commits:
                self._ended_commits.include(times)
        for each in counters.values():
            if each.answer_times is None:
                each.answer_times = Histogram()
        self._counters, self._commits = counters, commits


def _include(into: Counters, answers: Histogram, one: Counters) -> None:
    for name in _NUMBERS:
        number = getattr(one, name)
        if number:
            setattr(into, name, getattr(into, name) + number)
    for repair, number in one.repairs.items():
        into.repairs[repair] = into.repairs.get(repair, 0) + number
    if one.answer_times is not None:
        answers.include(one.answer_times)


def _durations(histogram: Histogram) -> Durations:
    return Durations(tuple(histogram.counts), histogram.seconds)

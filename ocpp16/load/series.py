"""The seconds of a test, as many as are worth a picture: in a long test neighbours are put together.

At first an entry is one second. When there are too many, the two neighbours that are the shortest together become one,
the oldest such first: all entries come to 2 s, then to 4 s, while memory stays as it is. Latencies are kept by action.
"""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final, NamedTuple

from ocpp16.load.latency import Counts, coarse, coarse_percentiles, longest
from ocpp16.load.results import Second

MOST_SECONDS: Final = 1_200
SHORTEST: Final = 0.5
"""Seconds of an entry; what is shorter, at the end of a test, is part of the one before."""
MOST_ACTIONS: Final = 24
"""Whose latencies are kept apart."""
OTHERS: Final = ""
"""Stands for those of all others."""


Latencies = Mapping[str, tuple[float, float]]
"""By action p50 and p99, in seconds, of the calls that ended in one entry."""


class _Entry(NamedTuple):
    second: Second
    latencies: Latencies
    counts: Mapping[str, "array[int]"]
    """By action coarse latencies, value and count by turns: what percentiles of neighbours together are made from."""


class Series:
    """Parameters: `most` entries there are."""

    def __init__(self, most: int = MOST_SECONDS) -> None:
        self._most = most
        self._entries: list[_Entry] = []
        self._names: dict[str, None] = {}

    def copied(self) -> "Series":
        """As it is now."""
        made = Series(self._most)
        made._entries = list(self._entries)
        made._names = dict(self._names)
        return made

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, second: Second, counts: Mapping[str, Counts]) -> None:
        """One more, whose percentiles are made here from the latencies, by action, that ended in it."""
        kept: dict[str, Counts] = {}
        for name, its in counts.items():
            if its:
                kept.setdefault(self._name(name), Counter()).update(coarse(its))
        if kept:
            second = _measured(second, kept, max(longest(its) for its in counts.values() if its))
        made = _entry(second, kept)
        if second.span < SHORTEST and self._entries:  # as a second of its own it would have any rate
            self._entries[-1] = _joined(self._entries[-1], made)
            return
        self._entries.append(made)
        if len(self._entries) > self._most:
            self._join_two()

    def _name(self, action: str) -> str:
        if action not in self._names:
            if len(self._names) >= MOST_ACTIONS:
                return OTHERS
            self._names[action] = None
        return action

    def _join_two(self) -> None:
        entries = self._entries
        spans = [entry.second.span for entry in entries]
        sums = [one + other for one, other in pairwise(spans)]
        first = sums.index(min(sums))
        entries[first : first + 2] = [_joined(*entries[first : first + 2])]

    def seconds(self) -> tuple[Second, ...]:
        """As results have them."""
        return tuple(entry.second for entry in self._entries)

    def latencies(self) -> list[Latencies]:
        """Of each entry."""
        return [entry.latencies for entry in self._entries]

    @property
    def longest_span(self) -> float:
        """Seconds of the entry that is made of the most."""
        return max((entry.second.span for entry in self._entries), default=1.0)


def _entry(second: Second, actions: Mapping[str, Counts]) -> _Entry:
    latencies: dict[str, tuple[float, float]] = {}
    for name, counts in actions.items():
        p50, p99 = coarse_percentiles(counts, 50, 99)
        latencies[name] = p50, p99
    return _Entry(second, latencies, {name: _packed(counts) for name, counts in actions.items()})


def _measured(second: Second, actions: Mapping[str, Counts], most: float) -> Second:
    together: Counts = Counter()
    for counts in actions.values():
        together.update(counts)
    p50, p95, p99 = (min(one, most) for one in coarse_percentiles(together, 50, 95, 99))
    return replace(second, p50=p50, p95=p95, p99=p99, max=most)


def _joined(one: _Entry, other: _Entry) -> _Entry:
    first, second = one.second, other.second
    made = replace(
        second,
        span=first.span + second.span,
        loop_delay=max(first.loop_delay, second.loop_delay),
        cpu=max(first.cpu, second.cpu),
        is_late=first.is_late or second.is_late,
        **{name: getattr(first, name) + getattr(second, name) for name in _ADDED},
    )
    kept: dict[str, Counts] = {}
    for entry in (one, other):
        for name, its in entry.counts.items():
            kept.setdefault(name, Counter()).update(_unpacked(its))
    if kept:
        most = max(value for value in (first.max, second.max) if value is not None)
        made = _measured(made, kept, most)
    return _entry(made, kept)


_ADDED: Final = ("sent", "answered", "errors", "timeouts", "lost")


def _packed(counts: Counts) -> "array[int]":
    return array("Q", [number for pair in counts.items() for number in pair])


def _unpacked(packed: "array[int]") -> Counts:
    return Counter(dict(zip(packed[::2], packed[1::2], strict=True)))

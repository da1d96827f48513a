"""The seconds of a test, as many as are worth a picture: in a long test neighbours are put together.

At first an entry is one second. When there are too many, the two neighbours that are the shortest together become one,
the oldest such first: all entries come to 2 s, then to 4 s, while memory stays as it is.
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


class _Entry(NamedTuple):
    second: Second
    counts: "array[int]"
    """Coarse latencies, value and count by turns: what percentiles of two neighbours together are made from."""


class Series:
    """Parameters: `most` entries there are."""

    def __init__(self, most: int = MOST_SECONDS) -> None:
        self._most = most
        self._entries: list[_Entry] = []

    def copied(self) -> "Series":
        """As it is now."""
        made = Series(self._most)
        made._entries = list(self._entries)
        return made

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, second: Second, counts: Mapping[int, int]) -> None:
        """One more, whose percentiles are made here from the latencies that ended in it."""
        if counts:
            kept = coarse(counts)
            self._entries.append(_Entry(_measured(second, kept, longest(counts)), _packed(kept)))
        else:
            self._entries.append(_Entry(second, array("Q")))
        if len(self._entries) > self._most:
            self._join_two()

    def _join_two(self) -> None:
        entries = self._entries
        spans = [entry.second.span for entry in entries]
        sums = [one + other for one, other in pairwise(spans)]
        first = sums.index(min(sums))
        entries[first : first + 2] = [_joined(*entries[first : first + 2])]

    def seconds(self) -> tuple[Second, ...]:
        """As results have them."""
        return tuple(entry.second for entry in self._entries)

    @property
    def longest_span(self) -> float:
        """Seconds of the entry that is made of the most."""
        return max((entry.second.span for entry in self._entries), default=1.0)


def _measured(second: Second, kept: Counts, most: float) -> Second:
    p50, p95, p99 = (min(one, most) for one in coarse_percentiles(kept, 50, 95, 99))
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
    counts = _unpacked(one.counts) + _unpacked(other.counts)
    if not counts:
        return _Entry(made, array("Q"))
    most = max(value for value in (first.max, second.max) if value is not None)
    return _Entry(_measured(made, counts, most), _packed(counts))


_ADDED: Final = ("sent", "answered", "errors", "timeouts", "lost")


def _packed(counts: Counts) -> "array[int]":
    return array("Q", [number for pair in counts.items() for number in pair])


def _unpacked(packed: "array[int]") -> Counts:
    return Counter(dict(zip(packed[::2], packed[1::2], strict=True)))

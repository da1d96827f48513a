"""Latencies, counted: HdrHistograms of microseconds, and the sparse counts that they are made of.

Rules of this file:
1. What is counted is rounded down to the place that an HdrHistogram of three digits has for it, so that counts of many
   processes and seconds can be added up without any further loss.
2. Nothing is longer than an hour, and nothing shorter than a microsecond.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from math import ceil
from typing import Final

from ocpp16.load.results import Latencies

SHORTEST: Final = 1
LONGEST: Final = 3_600_000_000
"""Microseconds."""
DIGITS: Final = 3
_BITS: Final = 11
"""Of the places of a histogram of three digits: 2,048, of which the upper half is of each octave."""
_COARSE_BITS: Final = 8
"""Of the places that are kept of each second: values within 0.8 %."""
_PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}

Counts = Counter[int]
"""Microseconds, as of `place`, and how many."""


def place(microseconds: int, bits: int = _BITS) -> int:
    """The lowest value that a histogram does not tell from this one."""
    value = min(max(microseconds, SHORTEST), LONGEST)
    shift = value.bit_length() - bits
    return value if shift <= 0 else value >> shift << shift


def top(value: int, bits: int = _BITS) -> int:
    """The highest value of the place of this one."""
    shift = value.bit_length() - bits
    return value if shift <= 0 else value | (1 << shift) - 1


def counted(seconds: Iterable[float], microseconds_each: float = 1e6) -> Counts:
    """These latencies, of which a second has so many microseconds: fewer where the clock is quick."""
    return Counter([place(int(one * microseconds_each)) for one in seconds])


def coarse(counts: Mapping[int, int]) -> Counts:
    """The same with fewer places, to be kept by the thousand."""
    found: Counts = Counter()
    for value, count in counts.items():
        found[place(value, _COARSE_BITS)] += count
    return found


def percentiles(counts: Mapping[int, int], *wanted: float, bits: int = _BITS) -> list[float]:
    """In seconds, of counts that are not empty."""
    values = sorted(counts)
    sums = list(accumulate(counts[value] for value in values))
    return [top(values[bisect_left(sums, _rank(sums[-1], one))], bits) / 1e6 for one in wanted]


def coarse_percentiles(counts: Mapping[int, int], *wanted: float) -> list[float]:
    """The same of what `coarse` gave."""
    return percentiles(counts, *wanted, bits=_COARSE_BITS)


def _rank(total: int, percent: float) -> int:
    return max(1, ceil(total * percent / 100 - 1e-9))


def longest(counts: Mapping[int, int]) -> float:
    """In seconds, of counts that are not empty."""
    return top(max(counts)) / 1e6


def mean(counts: Mapping[int, int]) -> float:
    """In seconds, of counts that are not empty: of the middles of their places."""
    total = sum((value + top(value)) / 2 * count for value, count in counts.items())
    return total / sum(counts.values()) / 1e6


def percentile(counts: Mapping[int, int], percent: float) -> float:
    """In seconds, of counts that are not empty."""
    return percentiles(counts, percent)[0]


def latencies(counts: Mapping[int, int], *, has_histogram: bool = True) -> Latencies:
    """As results have it; the text of the histogram takes most of the time."""
    if not counts:
        return Latencies()
    found = dict(zip(_PERCENTILES, percentiles(counts, *_PERCENTILES.values()), strict=True))
    text = encoded(counts) if has_histogram else ""
    return Latencies(text, min(counts) / 1e6, mean(counts), **found, max=longest(counts))


def encoded(counts: Mapping[int, int]) -> str:
    """The HdrHistogram of the counts as its V2 text."""
    from hdrh.histogram import HdrHistogram  # an extra: all else here does without

    histogram = HdrHistogram(SHORTEST, LONGEST, DIGITS)
    for value, count in counts.items():
        histogram.record_value(value, count)
    text: bytes = histogram.encode()
    return text.decode("ascii")


def decoded(text: str) -> Counts:
    """The counts of a histogram that `encoded` gave. Raises ValueError for what is none."""
    from hdrh.histogram import HdrHistogram

    try:
        steps = HdrHistogram.decode(text).get_recorded_iterator()
        return Counter({place(step.value_iterated_to): steps.count_at_this_value for step in steps})
    except Exception as error:  # of the library: each step of it has errors of its own
        raise ValueError(f"no histogram: {error}") from error

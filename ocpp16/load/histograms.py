"""Histograms of results as reports read them: curves, and counts below fixed bounds.

The text of a histogram may come out of a file that somebody has edited: what cannot be read is as if nothing had been
measured, and the figures beside it stay.
"""

import binascii
import zlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

MICROSECONDS: Final = 1e6
_PER_HALF: Final = 5
"""Points of a curve for each halving of what is left above."""
LONGEST: Final = 1_000_000
"""Characters of a histogram's text."""


class CurvePoint(NamedTuple):
    """So many percent of the calls took at most so many seconds."""

    percent: float
    seconds: float


def curve(text: str) -> list[CurvePoint]:
    """From the fastest call to the slowest, denser to the end; empty for a histogram without any, or none at all."""
    histogram = _read(text)
    if histogram is None:
        return []
    points = histogram.get_percentile_iterator(_PER_HALF)
    found = [CurvePoint(one.percentile_level_iterated_to, one.value_iterated_to / MICROSECONDS) for one in points]
    while len(found) > 1 and found[-2].seconds == found[-1].seconds:  # all percents of the slowest call
        found.pop()
    return found


def counts_within(text: str, bounds: Sequence[float]) -> list[int]:
    """How many calls took at most so many seconds, for each of the ascending `bounds`; at last, how many there are."""
    histogram = _read(text)
    if histogram is None:
        return [0] * (len(bounds) + 1)
    counts = histogram.counts
    found, so_far, begin = [], 0, 0
    for bound in bounds:
        end = histogram.get_counts_array_index(int(bound * MICROSECONDS)) + 1
        so_far += sum(counts[begin:end])  # whole slices: step by step it would hold a loop for a tenth of a second
        begin = end
        found.append(so_far)
    return [*found, histogram.get_total_count()]


def _read(text: str) -> Any | None:
    if not text or len(text) > LONGEST:
        return None
    from hdrh.codec import HdrCookieException, HdrLengthException  # an extra: the command says so where it is missing
    from hdrh.histogram import HdrHistogram

    try:
        histogram = HdrHistogram.decode(text.encode())
    except (binascii.Error, zlib.error, HdrCookieException, HdrLengthException, ValueError, OverflowError, MemoryError):
        return None
    return histogram if histogram is not None and histogram.get_total_count() else None

"""How long things took, in few numbers: for metrics, with bounds that never change, so that many can be added up."""

from bisect import bisect_left
from typing import Final

__all__ = ["BOUNDS", "Histogram"]

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds. From a commit of a fast disk to a CALL that is nearly given up."""


class Histogram:
    """Durations by size, and their sum."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts: list[int] = [0] * (len(BOUNDS) + 1)
        """How many were at most so long as the bound of the same place, and longer than the one before; the last:
        longer than all."""
        self.seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def include(self, other: "Histogram") -> None:
        """Count all of another one, too."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds

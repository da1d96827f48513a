"""How long leaving a block may take: one time for all that happens then, not one for each part of it."""

from math import inf

import trio

LAST_MOMENT = 1.0
"""Seconds that what can end at once has for it, where all the time is used up."""


class Leaving:
    """`by` is trio's time until which everything is to be done; whoever leaves the block sets it."""

    __slots__ = ("by",)

    def __init__(self) -> None:
        self.by: float = inf

    def seconds(self, most: float) -> float:
        """How many seconds are left for the next part, of `most` that it may take."""
        return min(most, max(self.by - trio.current_time(), LAST_MOMENT))

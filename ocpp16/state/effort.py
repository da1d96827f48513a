"""How much work of one kind was done in this turn of the loop: whoever has done much leaves the rest to its end."""

from math import inf

from ocpp16.state.round import Seconds

TURN = 0.002
"""Seconds after which it is another turn, whatever the loop does."""


class Effort:
    """Work is counted in steps of its own kind; more than `most` of them in one turn are much."""

    __slots__ = ("_clock", "_done", "_most", "_since")

    def __init__(self, clock: Seconds, most: int) -> None:
        self._clock = clock
        self._most = most
        self._done = 0
        self._since = -inf

    def is_much(self, steps: int) -> bool:
        """Would it be much, with so many steps more?"""
        now = self._clock.monotonic()
        if now >= self._since + TURN:
            self._done, self._since = 0, now
        return self._done + steps > self._most

    def note(self, steps: int) -> None:
        """So many were done."""
        self._done += steps

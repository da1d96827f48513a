"""Where the Central System may be: its addresses in order, which of them has its turn, and when the first has it again.

Decides only; who connects tells what happened. With one address there is nothing to decide.
"""

from collections.abc import Callable, Sequence

MOST_PATIENT = 16
"""The wait for the first address grows to so many times FallbackReturnInterval, where that does not keep what it
promises."""
WORTH_WAITING = 60.0
"""Seconds that an address may ask to be left alone without losing its turn to another."""


class Addresses:
    """`attempts`: as many have to fail at one address before the next has its turn."""

    __slots__ = ("_attempts", "_failures", "_patience", "_place", "_uris")

    def __init__(self, uris: Sequence[str], attempts: int) -> None:
        self._uris = tuple(uris)
        self._attempts = attempts
        self._failures = 0
        self._place = 0
        self._patience = 1

    @property
    def present(self) -> str:
        return self._uris[self._place]

    @property
    def is_first(self) -> bool:
        return self._place == 0

    @property
    def first(self) -> str:
        return self._uris[0]

    def failed(self, left_alone_for: Callable[[str], float] = lambda _: 0.0) -> bool:
        """An attempt failed. `left_alone_for` gives the seconds that an address asks to be left alone: they are not
        waited for while another one asks for less. Whether another address has its turn now."""
        if len(self._uris) == 1:
            return False
        before = self._place
        self._failures += 1
        if self._failures >= self._attempts:
            self._failures = 0
            if self.is_first:
                self._patience = min(2 * self._patience, MOST_PATIENT)
            self._place = (before + 1) % len(self._uris)
        self._place = self._next_wanted(left_alone_for)
        if self._place == before:
            return False
        self._failures = 0
        return True

    def _next_wanted(self, left_alone_for: Callable[[str], float]) -> int:
        def too_long(place: int) -> float:
            return max(left_alone_for(self._uris[place]) - WORTH_WAITING, 0.0)

        count = len(self._uris)
        return min(((self._place + step) % count for step in range(count)), key=too_long)

    def proved(self, uri: str) -> None:
        """A connection to this address was good for something."""
        if uri != self.present:  # another one has its turn already
            return
        self._failures = 0
        if self.is_first:
            self._patience = 1

    def wait_for_first(self, interval: float) -> float:
        """Seconds until it is looked whether the first one answers again; `interval`: FallbackReturnInterval."""
        return interval * self._patience

    def back_to_first(self) -> None:
        """It answers again. One failed attempt is enough to go on to the next."""
        self._place = 0
        self._failures = self._attempts - 1

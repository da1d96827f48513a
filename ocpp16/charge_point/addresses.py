"""Where the Central System may be: its addresses in order, which of them has its turn, and when the first has it again.

Decides only; who connects tells what happened. With one address there is nothing to decide.
"""

from collections.abc import Sequence

MOST_PATIENT = 16
"""The wait for the first address grows to so many times FallbackReturnInterval, where that does not keep what it
promises."""


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

    def failed(self) -> bool:
        """An attempt failed. Whether another address has its turn now."""
        if len(self._uris) == 1:
            return False
        self._failures += 1
        if self._failures < self._attempts:
            return False
        self._failures = 0
        if self.is_first:
            self._patience = min(2 * self._patience, MOST_PATIENT)
        self._place = (self._place + 1) % len(self._uris)
        return True

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

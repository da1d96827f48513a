"""What is told over and over is told once, and then counted: "… 4,769 more", at most once a minute.

Must not know: who tells whom, what a cause is. Time is monotonic seconds and given.
"""

from collections.abc import Hashable

__all__ = ["VARIANTS", "Folding"]


VARIANTS = 8
"""Variants of a cause that are told in an interval; one that finds ever new ones is known by then."""


class Folding:
    """Which of many reports are to be told.

    Parameters: `interval` seconds in which repeats of a cause are only counted; `causes` told apart at most, so that
    varied noise does not grow: beyond them the one told longest ago is forgotten, and told anew when it comes again.
    """

    __slots__ = ("_causes", "_interval", "_seen")

    def __init__(self, interval: float = 60.0, causes: int = 64) -> None:
        self._interval = interval
        self._causes = causes
        self._seen: dict[Hashable, tuple[float, int, tuple[Hashable, ...]]] = {}

    def note(self, cause: Hashable, now: float, variant: Hashable = None) -> int | None:
        """It happened. None: do not tell it; else tell it, and that it happened so often untold since the last time.

        `variant`: how it looks this time; of each cause `VARIANTS` are told, the others are repeats.
        """
        until, untold, variants = self._seen.get(cause, (now, 0, ()))
        if now < until:
            if variant in variants or len(variants) >= VARIANTS:
                self._seen[cause] = (until, untold + 1, variants)
                return None
            self._seen[cause] = (until, untold, (*variants, variant))
            return 0
        self._seen.pop(cause, None)  # to the end: the first is then the one told longest ago
        self._seen[cause] = (now + self._interval, 0, (variant,))
        if len(self._seen) > self._causes:
            del self._seen[next(iter(self._seen))]
        return untold

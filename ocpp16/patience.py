"""How long the other side of a network may take, on a clock of trio on which time may pass faster than in the world.

Whoever is behind a network lives in the world: who waits for 30 s on a clock that is two hundred times faster gives it
the time that is meant, not 0.15 s of it.
"""

import trio

__all__ = ["calendar_rate", "of_others"]


def calendar_rate() -> float:
    """Seconds that pass in the world in one of trio's clock. A clock that is faster than the world may say so by an
    attribute of this name; others are as fast, and so is the time of who decides outside of trio."""
    if not trio.lowlevel.in_trio_run():
        return 1.0
    rate: float = getattr(trio.lowlevel.current_clock(), "calendar_rate", 1.0)
    return rate


def of_others(seconds: float) -> float:
    """On trio's clock so many seconds of the world."""
    return seconds / calendar_rate()

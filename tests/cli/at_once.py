"""The command where the clock is one that jumps: `python at_once.py demo …`.

A story that is told in one process then needs no patience, and no time-out in it depends on the machine's speed.
"""

import sys

from trio.testing import MockClock

from ocpp16.cli import main, scaled_clock


def jumping(rate: float, *, is_calendar: bool) -> MockClock:
    """In the place of the clock that runs faster."""
    return MockClock(autojump_threshold=0)


if __name__ == "__main__":
    scaled_clock.ScaledClock = jumping  # type: ignore[assignment, misc]
    sys.exit(main())

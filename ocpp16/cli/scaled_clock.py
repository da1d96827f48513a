"""A clock for trio on which time passes faster (or slower) than in reality.

Everything timed runs on it: timers, timeouts, time stamps, energy. The network does not, so its delays look longer.
"""

import time

import trio


class ScaledClock(trio.abc.Clock):
    """Starts at 0 and passes `rate` seconds in each real one."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._started = 0.0

    def start_clock(self) -> None:
        self._started = time.monotonic()

    def current_time(self) -> float:
        return (time.monotonic() - self._started) * self.rate

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return (deadline - self.current_time()) / self.rate

"""A clock for trio on which time passes faster (or slower) than in reality.

Everything timed runs on it: timers, timeouts, energy. The network does not, so its delays look longer. Time stamps do
where the other side lives on the same clock; else they are those of the world, or all that is told would be to come.
"""

import time

import trio


class ScaledClock(trio.abc.Clock):
    """Starts at 0 and passes `rate` seconds in each real one. `is_calendar`: do days pass as fast?

    `calendar_rate`: seconds of the calendar in one of this clock, for the clocks of charge points.
    """

    def __init__(self, rate: float, *, is_calendar: bool = False) -> None:
        self.rate = rate
        self.calendar_rate: float = 1.0 if is_calendar else 1.0 / rate
        self._started = 0.0

    def start_clock(self) -> None:
        self._started = time.monotonic()

    def current_time(self) -> float:
        return (time.monotonic() - self._started) * self.rate

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return (deadline - self.current_time()) / self.rate

"""Does this process keep up? How late a task of it wakes, and how much of a core the process takes.

A process that is behind measures itself: what it then says of latency is in part its own doing, and is to be marked.
"""

from collections.abc import Callable
from math import inf
from typing import Final

import trio

PERIOD: Final = 0.05
"""Real seconds between two looks."""
LATE: Final = 0.1
"""Real seconds that the loop may be late by before the figures of that second are marked."""
BUSY: Final = 0.97
"""Share of one core from which on the process has none left."""


class Probe:
    """Parameters: `now` is trio's time, `speed` times faster than reality; `cpu` tells the processor's seconds that the
    process has used."""

    def __init__(self, now: Callable[[], float], cpu: Callable[[], float], speed: float = 1.0) -> None:
        self._now = now
        self._cpu = cpu
        self._speed = speed
        self._worst = 0.0
        self._due = inf
        self._cut_at = now()
        self._used = cpu()

    def look(self, due: float) -> None:
        """It is `due`, by trio's time, when a task should have been woken."""
        self._worst = max(self._worst, (self._now() - due) / self._speed)

    async def run(self) -> None:
        """Look until cancelled."""
        self._due = self._now()
        while True:
            self._due = max(self._due + PERIOD * self._speed, self._now())
            await trio.sleep_until(self._due)
            self.look(self._due)

    def cut(self) -> tuple[float, float]:
        """The worst delay since the last time, in real seconds, and the share of one core."""
        now, used = self._now(), self._cpu()
        if now > self._due:  # the task is to be woken, too, and its turn is after this one: the delay is of this second
            self.look(self._due)
            self._due = now
        passed = (now - self._cut_at) / self._speed
        share = (used - self._used) / passed if passed > 0 else 0.0
        worst, self._worst = self._worst, 0.0
        self._cut_at, self._used = now, used
        return worst, min(share, 64.0)


def is_late(loop_delay: float, cpu: float) -> bool:
    """Are the figures of that second in part the tool's own?"""
    return loop_delay > LATE or cpu >= BUSY


def why(seconds: float, worst_delay: float, worst_cpu: float) -> str:
    """In words; "" if there were no such seconds."""
    if not seconds:
        return ""
    length = f"{round(seconds, 1):g}" if seconds >= 0.05 else "less than 0.1"
    reasons = []
    if worst_delay > LATE:
        reasons.append(f"a task woke up to {worst_delay * 1000:.0f} ms too late")
    if worst_cpu >= BUSY:
        reasons.append(f"a process took {worst_cpu:.0%} of a core")
    return (
        f"in {length} s this tool itself was behind ({' and '.join(reasons)}):"
        " latencies of these seconds are in part its own. Use fewer charge points in each process, more processes, or"
        " another machine."
    )

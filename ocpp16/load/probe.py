"""Does this process keep up? How late a task wakes, and a charge point has its turn, and how much of a core it takes.

A process that is behind measures itself: what it then says of latency is in part its own doing, and is to be marked.
What charge points have to do is done a little in each step of the loop, so a loop that others slow down, or that has
too much to do, can be in time while they wait for seconds.
"""

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Final

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.errors import Ocpp16Error
from ocpp16.fleet import Member, MemberState

PERIOD: Final = 0.05
"""Real seconds between two looks."""
LATE: Final = 0.1
"""Real seconds that the loop may be late by before the figures of that second are marked."""
MOST_TRIED: Final = 16
"""Members that are looked at for one that runs."""
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
        self._members: list[Member] = []
        self._number = 0
        self._asked: tuple[Member, ChargePoint] | None = None
        """Who is to have a turn, since `_asked_at`; one at a time."""
        self._asked_at = inf
        self._cut_at = now()
        self._used = cpu()

    def look(self, due: float) -> None:
        """It was `due`, by trio's time, and is done now."""
        self._worst = max(self._worst, (self._now() - due) / self._speed)

    async def run(self) -> None:
        """Look until cancelled."""
        self._due = self._now()
        while True:
            self._due = max(self._due + PERIOD * self._speed, self._now())
            await trio.sleep_until(self._due)
            self.look(self._due)
            self._ask()

    def added(self, member: Member) -> None:
        """One more whose turns can be looked at."""
        self._members.append(member)

    def _ask(self) -> None:
        """Have one of them say when it has its turn; nothing while one is asked that is there yet."""
        if self._is_waiting():
            return
        self._asked = None
        for _ in range(min(len(self._members), MOST_TRIED)):
            self._number = (self._number + 1) % len(self._members)
            member = self._members[self._number]
            if member.state is MemberState.RUNNING:
                self._ask_one(member, member.charge_point)
                return

    def _ask_one(self, member: Member, charge_point: ChargePoint) -> None:
        now = self._now()
        try:
            charge_point.for_station.timers.at(now, partial(self._had_its_turn, charge_point))
        except Ocpp16Error:  # it is being closed
            return
        self._asked, self._asked_at = (member, charge_point), now

    def _is_waiting(self) -> bool:
        if self._asked is None:
            return False
        member, charge_point = self._asked
        return member.charge_point is charge_point and member.state is MemberState.RUNNING

    def _had_its_turn(self, charge_point: ChargePoint) -> None:
        if self._asked is not None and self._asked[1] is charge_point:
            self._asked = None
            self.look(self._asked_at)

    def cut(self) -> tuple[float, float]:
        """The worst delay since the last time, in real seconds, and the share of one core."""
        now, used = self._now(), self._cpu()
        if now > self._due:  # the task is to be woken, too, and its turn is after this one: the delay is of this second
            self.look(self._due)
            self._due = now
        if self._is_waiting():
            self.look(self._asked_at)
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
        reasons.append(f"it did what was due up to {worst_delay * 1000:.0f} ms too late")
    if worst_cpu >= BUSY:
        reasons.append(f"a process took {worst_cpu:.0%} of a core")
    return (
        f"in {length} s this tool itself was behind ({' and '.join(reasons)}):"
        " latencies of these seconds are in part its own. Use fewer charge points in each process, more processes, or"
        " another machine."
    )

"""Which pumps are to have a turn, and when: what `pumps` does when it is woken.

Must not know: what a turn does, nor how the task waits. Rules of this file:
1. What one step of the task takes is bounded; the rest has its turn after the other tasks.
2. A deadline that moves later is left where it is: the pump looks when it has come, and says the next one.
"""

from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import inf

import trio

from ocpp16.charge_point.pump import Pump

LONGEST_STEP = 0.002
"""Seconds of one step; what a single turn takes comes on top."""
_COMPACTED_FROM = 64
"""Entries of the heap that mean nothing any more before it is made anew without them."""


class PumpQueue:
    """`now`: trio's time, by whatever way is short. `asleep` is the task while it waits for the next kick or deadline,
    `scope` what wakes it at a deadline."""

    __slots__ = ("_deadline", "_heap", "_now", "_pushed", "_stale", "asleep", "kicked", "scope")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.kicked: deque[Pump] = deque()
        self._heap: list[tuple[float, int, Pump]] = []
        """(due, order of entering, pump); it counts while the pump says the same deadline."""
        self._pushed = 0
        self._stale = 0
        self.asleep: trio.lowlevel.Task | None = None
        self.scope: trio.CancelScope | None = None
        self._deadline = inf
        """That of `scope`."""

    def kick(self, pump: Pump) -> None:
        """Give it a turn; not before the present step of the present task is over."""
        self.kicked.append(pump)
        if self.asleep is not None:
            self.wake()

    def wake(self) -> None:
        """The task goes on, if it waits."""
        if self.asleep is not None:
            task, self.asleep = self.asleep, None
            trio.lowlevel.reschedule(task)

    def wake_at(self, due: float, pump: Pump, *, is_moved: bool) -> None:
        """Give it a turn at trio's time `due`, its deadline from now on; `is_moved`: it had a later one."""
        self._pushed += 1
        heappush(self._heap, (due, self._pushed, pump))
        if is_moved:
            self._outdated()
        if due < self._deadline:
            self._deadline = due
            if self.scope is not None:
                self.scope.deadline = due

    def forget(self, pump: Pump) -> None:
        """It has ended, and has a turn no more."""
        self._outdated()

    def _outdated(self) -> None:
        self._stale += 1
        if self._stale > _COMPACTED_FROM and 2 * self._stale > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].deadline == entry[0]]
            heapify(self._heap)
            self._stale = 0

    def wake_by(self, scope: trio.CancelScope) -> None:
        """It ends when somebody is due, from here on."""
        self.scope = scope
        self._deadline = scope.deadline = self._heap[0][0] if self._heap else inf

    def take_turns(self) -> None:
        """Those that are due, and those that were kicked, as far as one step goes. Raises nothing but exits."""
        now = self._now()
        heap, kicked = self._heap, self.kicked
        while heap and heap[0][0] <= now:
            due, _, pump = heappop(heap)
            if pump.deadline == due:
                pump.deadline = inf
                pump.is_wanted = True
                kicked.append(pump)
            elif self._stale:
                self._stale -= 1
        until = now + LONGEST_STEP
        for _ in range(len(kicked)):
            kicked.popleft().take_turn()
            if self._now() > until:
                break

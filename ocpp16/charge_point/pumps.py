"""The task of all pumps of a block: woken by the first kick or deadline of any, it gives each concerned its turn.

It also says when tasks go on that have more of one kind to do than others have of any (`others_first`).
Must not know: what a turn does. Rules of this file:
1. However many charge points have something to do at once, there is one task that is scheduled once.
2. What one step of the task takes is bounded; the rest has its turn after the other tasks.
3. Of all tasks that let others go first, a few go on in each step: each of them did its step's work alone, and many
   together are what the others would wait for.
4. A deadline that moves later is left where it is: the pump looks when it has come, and says the next one.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Any

import trio

from ocpp16.charge_point.pump import Pump

LONGEST_STEP = 0.002
"""Seconds of one step; what a single turn takes comes on top."""
AT_ONCE = 4
"""Tasks that let others go first, and go on in one step of the loop."""
_COMPACTED_FROM = 64
"""Entries of the heap that mean nothing any more before it is made anew without them."""


class Pumps:
    """Of the charge points that were opened in one block."""

    __slots__ = ("_asleep", "_deadline", "_heap", "_kicked", "_now", "_pushed", "_scope", "_stale", "_waiting")

    def __init__(self, now: Callable[[], float] = trio.current_time) -> None:
        """`now`: trio's time, by whatever way is short."""
        self._now = now
        self._kicked: deque[Pump] = deque()
        self._waiting: OrderedDict[trio.lowlevel.Task, None] = OrderedDict()
        """Those that let others go first, in the order of their coming."""
        self._heap: list[tuple[float, int, Pump]] = []
        """(due, order of entering, pump); it counts while the pump says the same deadline."""
        self._pushed = 0
        self._stale = 0
        self._asleep: trio.lowlevel.Task | None = None
        """The task, while it waits for the next kick or deadline."""
        self._scope: trio.CancelScope | None = None
        self._deadline = inf
        """That of `_scope`."""

    def kick(self, pump: Pump) -> None:
        """Give it a turn; not before the present step of the present task is over."""
        self._kicked.append(pump)
        if self._asleep is not None:
            self._wake()

    async def others_first(self) -> None:
        """Wait until the other tasks had their turn, and those of this kind that came before."""
        task = trio.lowlevel.current_task()
        self._waiting[task] = None
        self._wake()

        def abort(_: Any) -> trio.lowlevel.Abort:
            del self._waiting[task]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def _wake(self) -> None:
        if self._asleep is not None:
            task, self._asleep = self._asleep, None
            trio.lowlevel.reschedule(task)

    def wake_at(self, due: float, pump: Pump, *, is_moved: bool) -> None:
        """Give it a turn at trio's time `due`, its deadline from now on; `is_moved`: it had a later one."""
        self._pushed += 1
        heappush(self._heap, (due, self._pushed, pump))
        if is_moved:
            self._outdated()
        if due < self._deadline:
            self._deadline = due
            if self._scope is not None:
                self._scope.deadline = due

    def forget(self, pump: Pump) -> None:
        """It has ended, and has a turn no more."""
        self._outdated()

    def _outdated(self) -> None:
        self._stale += 1
        if self._stale > _COMPACTED_FROM and 2 * self._stale > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].deadline == entry[0]]
            heapify(self._heap)
            self._stale = 0

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._take_turns()
            self._deadline = self._heap[0][0] if self._heap else inf
            with trio.CancelScope(deadline=self._deadline) as self._scope:
                while True:
                    await self._woken()
                    self._take_turns()
            # The deadline came: a scope that was cancelled is over, and there is another one.

    async def _woken(self) -> None:
        """Until a kick; while turns are left over, until other tasks had theirs."""
        if self._kicked or self._waiting:
            await trio.lowlevel.checkpoint()
            return
        self._asleep = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, raise_cancel: Any) -> trio.lowlevel.Abort:
        self._asleep = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _take_turns(self) -> None:
        """Those that are due, and those that were kicked, as far as one step goes. Raises nothing but exits."""
        for _ in range(min(len(self._waiting), AT_ONCE)):
            trio.lowlevel.reschedule(self._waiting.popitem(last=False)[0])
        now = self._now()
        heap, kicked = self._heap, self._kicked
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

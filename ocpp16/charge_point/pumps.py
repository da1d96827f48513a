"""The task of all pumps of a block: woken by the first kick or deadline of any, it gives each concerned its turn
(`pump_queue`).

It also says when tasks go on that have more of one kind to do than others have of any (`others_first`).
Must not know: what a turn does. Rules of this file:
1. However many charge points have something to do at once, there is one task that is scheduled once.
2. Of all tasks that let others go first, a few go on in each step: each of them did its step's work alone, and many
   together are what the others would wait for.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import trio

from ocpp16.charge_point.pump_queue import PumpQueue

AT_ONCE = 4
"""Tasks that let others go first, and go on in one step of the loop."""


class Pumps(PumpQueue):
    """Of the charge points that were opened in one block."""

    __slots__ = ("_waiting",)

    def __init__(self, now: Callable[[], float] = trio.current_time) -> None:
        """`now`: trio's time, by whatever way is short."""
        super().__init__(now)
        self._waiting: OrderedDict[trio.lowlevel.Task, None] = OrderedDict()
        """Those that let others go first, in the order of their coming."""

    async def others_first(self) -> None:
        """Wait until the other tasks had their turn, and those of this kind that came before."""
        task = trio.lowlevel.current_task()
        self._waiting[task] = None
        self.wake()

        def abort(_: Any) -> trio.lowlevel.Abort:
            del self._waiting[task]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._step()
            with trio.CancelScope() as scope:
                self.wake_by(scope)
                while True:
                    await self._woken()
                    self._step()
            # The deadline came: a scope that was cancelled is over, and there is another one.

    async def _woken(self) -> None:
        """Until a kick; while turns are left over, until other tasks had theirs."""
        if self.kicked or self._waiting:
            await trio.lowlevel.checkpoint()
            return
        self.asleep = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, raise_cancel: Any) -> trio.lowlevel.Abort:
        self.asleep = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _step(self) -> None:
        for _ in range(min(len(self._waiting), AT_ONCE)):
            trio.lowlevel.reschedule(self._waiting.popitem(last=False)[0])
        self.take_turns()

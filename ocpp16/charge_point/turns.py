"""Who waits until something holds: looked at after each turn of the pump, and only while somebody waits.

Must not know: what is waited for. A condition is a function without arguments; what brings it about is followed by a
turn of the pump.
"""

from collections.abc import Callable
from typing import Any

import trio

from ocpp16.charge_point.pump import Pump

Condition = Callable[[], bool]


class Turns:
    """Of one charge point; `pump` is the one whose turns count."""

    __slots__ = ("_pump", "_waiting")

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._waiting: dict[trio.lowlevel.Task, Condition] | None = None

    async def until(self, condition: Condition) -> None:
        """Return when `condition` holds, at once, but for a checkpoint, if it does already; or at `release`."""
        if condition():
            await trio.lowlevel.checkpoint()
            return
        task = trio.lowlevel.current_task()
        if self._waiting is None:
            self._waiting = {}
            self._pump.on_turn = self._look
        self._waiting[task] = condition

        def abort(_: Any) -> trio.lowlevel.Abort:
            self._remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def _look(self) -> None:
        """Wake everybody whose condition holds."""
        if self._waiting is None:
            return
        for task, condition in tuple(self._waiting.items()):
            if condition():
                self._remove(task)
                trio.lowlevel.reschedule(task)

    def release(self) -> None:
        """Let go everybody: what they wait for belongs to a start that is over."""
        for task in tuple(self._waiting or ()):
            self._remove(task)
            trio.lowlevel.reschedule(task)

    def _remove(self, task: trio.lowlevel.Task) -> None:
        assert self._waiting is not None
        del self._waiting[task]
        if not self._waiting:
            self._waiting = None
            self._pump.on_turn = None

"""Who waits until something holds: looked at after each turn of the pump, and only while somebody waits.

Must not know: what is waited for. A condition is a function without arguments; what brings it about is followed by a
turn of the pump. Thousands of charge points wait at a time, and the garbage collector looks at what each of them holds:
so it is little.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import trio

from ocpp16.charge_point.pump import Pump

Condition = Callable[[], bool]


class _Waiting:
    """A task, and until what it waits; called, it is the function that trio calls when the task is cancelled."""

    __slots__ = ("condition", "task", "turns")

    def __init__(self, turns: "Turns", task: trio.lowlevel.Task, condition: Condition | None) -> None:
        self.turns = turns
        self.task = task
        self.condition = condition

    def __call__(self, _: Any) -> trio.lowlevel.Abort:
        self.turns._remove(self)
        return trio.lowlevel.Abort.SUCCEEDED


class Turns:
    """Of one charge point; `pump` is the one whose turns count."""

    __slots__ = ("_pump", "_waiting")

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._waiting: list[_Waiting] = []

    def until(self, condition: Condition | None = None) -> Coroutine[Any, Any, Any]:
        """To be awaited at once: returns when `condition` holds, at once, but for a checkpoint, if it does already; or
        at `release`. None is what is waited for most: that all is answered (`Pump.is_all_answered`).

        It is no coroutine of its own, for this module is compiled.
        """
        if self._holds(condition):
            return trio.lowlevel.checkpoint()  # noqa: ASYNC105 - whoever asks awaits it
        waiting = _Waiting(self, trio.lowlevel.current_task(), condition)
        self._waiting.append(waiting)
        self._pump.on_turn = self
        return trio.lowlevel.wait_task_rescheduled(waiting)  # noqa: ASYNC105 - the same

    def __call__(self) -> None:
        """A turn is over: wake everybody whose condition holds."""
        for waiting in tuple(self._waiting):
            if self._holds(waiting.condition):
                self._wake(waiting)

    def release(self) -> None:
        """Let go everybody: what they wait for belongs to a start that is over."""
        for waiting in tuple(self._waiting):
            self._wake(waiting)

    def _holds(self, condition: Condition | None) -> bool:
        return self._pump.is_all_answered() if condition is None else condition()

    def _wake(self, waiting: _Waiting) -> None:
        self._remove(waiting)
        trio.lowlevel.reschedule(waiting.task)

    def _remove(self, waiting: _Waiting) -> None:
        self._waiting.remove(waiting)
        if not self._waiting:
            self._pump.on_turn = None

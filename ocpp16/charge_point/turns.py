"""Who waits until something holds: looked at after each turn of the pump, and only while somebody waits.

Must not know: what is waited for. A condition is a function without arguments; what brings it about is followed by a
turn of the pump. Thousands of charge points wait at a time, and the garbage collector looks at what each of them holds:
so it is little.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import trio

from ocpp16._core.unseen import unseen
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

    __slots__ = ("_more", "_one", "_pump")

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._one: _Waiting | None = None
        """Mostly there is no other."""
        self._more: list[_Waiting] | None = None

    def until(self, condition: Condition | None = None) -> Coroutine[Any, Any, Any]:
        """To be awaited at once: returns when `condition` holds, at once, but for a checkpoint, if it does already; or
        at `release`. None is what is waited for most: that all is answered (`Pump.is_all_answered`).

        It is no coroutine of its own, for this module is compiled.
        """
        if self._holds(condition):
            return trio.lowlevel.checkpoint()  # noqa: ASYNC105 - whoever asks awaits it
        waiting = _Waiting(self, trio.lowlevel.current_task(), condition)
        unseen(waiting)  # its circle with the task ends when that is woken or cancelled; one of both comes
        if self._one is None:
            self._one = waiting
        elif self._more is None:
            self._more = [waiting]
        else:
            self._more.append(waiting)
        self._pump.on_turn = self
        return trio.lowlevel.wait_task_rescheduled(waiting)  # noqa: ASYNC105 - the same

    def __call__(self) -> None:
        """A turn is over: wake everybody whose condition holds."""
        one = self._one
        if one is not None and self._holds(one.condition):
            self._wake(one)
        if self._more is not None:
            for waiting in tuple(self._more):
                if self._holds(waiting.condition):
                    self._wake(waiting)

    def release(self) -> None:
        """Let go everybody: what they wait for belongs to a start that is over."""
        if self._one is not None:
            self._wake(self._one)
        for waiting in tuple(self._more or ()):
            self._wake(waiting)

    def _holds(self, condition: Condition | None) -> bool:
        return self._pump.is_all_answered() if condition is None else condition()

    def _wake(self, waiting: _Waiting) -> None:
        self._remove(waiting)
        trio.lowlevel.reschedule(waiting.task)

    def _remove(self, waiting: _Waiting) -> None:
        if waiting is self._one:
            self._one = None
        elif self._more is not None:
            self._more.remove(waiting)
            if not self._more:
                self._more = None
        if self._one is None and self._more is None:
            self._pump.on_turn = None

"""TimeOffset, and its change at NextTimeOffsetTransitionDateTime (California pricing note).

At that instant TimeOffset becomes what TimeOffsetNextTransition says, on disk first; the other two keys keep their
values. It happens once for each pair of them: who sets TimeOffset afterwards is not overruled by the next start, which
makes up for a change that came while the charge point was off. A clock that nobody has set yet may be ahead by years,
and what happened once would not be undone: the Central System is waited for, `IN_DOUBT` seconds at most.
"""

from typing import Any

from ocpp16._core import parse_datetime_tolerant
from ocpp16.configuration.keys import cost_and_price as keys
from ocpp16.errors import StoreError
from ocpp16.observer import TimeOffsetChanged
from ocpp16.profiles.base import Others, Stored
from ocpp16.profiles.context import Context
from ocpp16.state.clock import IN_DOUBT
from ocpp16.state.local_time import offset
from ocpp16.state.signals import ConfigurationChanged
from ocpp16.state.timers import Timer
from ocpp16.store.tables.jobs import ROWS, JobRow, put

KIND = "time offset"
TRY_AGAIN = 60.0
"""Seconds, where it could not be stored."""
LONGEST_WAIT = 86_400.0
"""Seconds after which the clock is looked at again."""
_NEXT = (keys.NEXT_TIME_OFFSET_TRANSITION_DATE_TIME.name, keys.TIME_OFFSET_NEXT_TRANSITION.name)


class TimeOffsets:
    """Of one start."""

    __slots__ = ("_certain_at", "_ctx", "_done", "_is_changing", "_others", "_timer")

    def __init__(self, ctx: Context, others: Others) -> None:
        self._ctx = ctx
        self._others = others
        self._done = ""
        """The transition that was made last."""
        self._timer: Timer | None = None
        self._is_changing = False
        self._certain_at = 0.0
        """By the monotonic clock; not before that does anything happen by a clock that nobody has set."""

    def restore(self, stored: Stored) -> None:
        for row in stored.read(ROWS):
            if row.kind == KIND and isinstance(row.state.get("done"), str):
                self._done = row.state["done"]

    def start(self) -> None:
        self._certain_at = self._ctx.clock.monotonic() + IN_DOUBT
        self.begin()

    def begin(self) -> None:
        """The clock, or what is to come, is something else."""
        self.stop()
        due = self._due()
        if due is not None and not self._is_changing:
            clock = self._ctx.clock
            at = min(clock.monotonic_at(due), clock.monotonic() + LONGEST_WAIT)
            if not (clock.is_trusted or clock.is_settled):
                at = max(at, self._certain_at)
            self._timer = self._ctx.timers.at(at, self._time)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def changed(self, signal: ConfigurationChanged) -> None:
        if signal.key in _NEXT:
            self.begin()
        elif signal.key == keys.TIME_OFFSET.name:
            self._ctx.tell(TimeOffsetChanged(offset(self._ctx.configuration[keys.TIME_OFFSET])), 0)

    def _name(self) -> str:
        configuration = self._ctx.configuration
        return (
            f"{configuration[keys.NEXT_TIME_OFFSET_TRANSITION_DATE_TIME]}"
            f" {configuration[keys.TIME_OFFSET_NEXT_TRANSITION]}"
        )

    def _due(self) -> int | None:
        """When, µs UTC; None: nothing is to come."""
        configuration = self._ctx.configuration
        text = configuration[keys.NEXT_TIME_OFFSET_TRANSITION_DATE_TIME]
        if text is None or configuration[keys.TIME_OFFSET_NEXT_TRANSITION] is None or self._name() == self._done:
            return None
        return parse_datetime_tolerant(text)

    def _time(self) -> None:
        self._timer = None
        due = self._due()
        if due is not None and due <= self._ctx.clock.now():
            self._is_changing = True
            self._ctx.spawn(self._change)
        else:
            self.begin()

    async def _change(self) -> None:
        name = self._name()
        values: dict[Any, Any] = {
            keys.TIME_OFFSET: self._ctx.configuration[keys.TIME_OFFSET_NEXT_TRANSITION],
        }
        try:
            await self._others.set_keys(lambda: values)
        except StoreError as error:
            self._ctx.log.error("TimeOffset cannot be changed: %s", error)
            self._timer = self._ctx.timers.at(self._ctx.clock.monotonic() + TRY_AGAIN, self._time)
            return
        finally:
            self._is_changing = False
        self._done = name
        self._ctx.journal.append(put(JobRow(KIND, {"done": name})))
        self.begin()

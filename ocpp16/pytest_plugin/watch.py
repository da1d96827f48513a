"""The one who watches a charge point for a test: is told all of it, and waits for what a test expects.

All of it runs in trio's thread. A condition is a function that gives what was waited for, or None; it is asked anew
whenever something was told.

Each wait for a call goes on behind the call that the last such wait returned: who waits twice gets two calls.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

import trio

from ocpp16.enums import RegistrationStatus
from ocpp16.observer import ConnectionStateChanged, InternalError, MessageExchanged, ObserverEvent
from ocpp16.pytest_plugin.seen import CONNECTED, Call, Direction, Seen
from ocpp16.pytest_plugin.telling import lines_of
from ocpp16.simulation import Commands
from ocpp16.texts import shown

T = TypeVar("T")
MOST_TOLD: Final = 12
"""Frames in the text of a failure."""
_MOST_FAULTS: Final = 20
Where = Callable[[dict[str, Any]], object]
"""Is this payload meant?"""


class NotSeen(AssertionError):
    """What a test waited for did not come in time. Its text says what came instead."""


class WasSeen(AssertionError):
    """What a test wanted to be absent came. Its text says when, and among what."""


class Watched(Protocol):
    """The member of the fleet that is watched, as far as it is looked at."""

    @property
    def charge_point(self) -> Any: ...
    @property
    def commands(self) -> Commands: ...
    @property
    def failure(self) -> str: ...


class Watch:
    """The `Observer` of one charge point. `member` is set as soon as it is there."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.seen: Seen = Seen(identity)
        self.member: Watched | None = None
        self.faults: list[str] = []
        """Exceptions that were caught within the charge point, in words: faults of ours; the first of them."""
        self._pulse = trio.Event()
        self._reason = ""
        """Why there is no connection, as far as it was told."""
        self._was_connected = False
        self._next: dict[tuple[str, str], int] = {}
        """Direction and action → number of the first call that no wait has returned yet."""
        self._status_from: dict[int, int] = {}
        """Connector → number of the StatusNotification that the last wait has seen."""

    async def notify(self, event: ObserverEvent) -> None:
        """As of every Observer."""
        match event:
            case MessageExchanged(direction, text):
                self.seen.take(self._now(), trio.current_time(), direction, text)
            case ConnectionStateChanged(is_connected, reason):
                self._reason = "" if is_connected else reason
                if is_connected or self._was_connected:  # attempts are none
                    self.seen.connection(self._now(), CONNECTED if is_connected else shown(reason, 300))
                self._was_connected = is_connected
            case InternalError(place, reason) if len(self.faults) < _MOST_FAULTS:
                self.faults.append(f"{place}: {reason}")
        self._pulse.set()
        self._pulse = trio.Event()

    async def until(self, condition: Callable[[], T | None], seconds: float, wanted: str) -> T:
        """What the condition gives. Raises NotSeen when it has given nothing for so long."""
        with trio.move_on_after(seconds):
            while (found := condition()) is None:
                await self._pulse.wait()
            return found
        raise NotSeen(self._instead(wanted, seconds))

    async def wait_call(
        self,
        direction: Direction,
        action: str,
        fields: Mapping[str, Any],
        where: Where | None,
        seconds: float,
        *,
        answered: bool,
    ) -> Call:
        """The next call of this kind, and its answer if it is to be waited for."""
        number: int | None = None

        def found() -> Call | None:
            nonlocal number
            if number is None:
                call = self._next_call(direction, action, fields, where)
                if call is None:
                    return None
                number = call.number
            call = self.seen.call(number)
            return call if call is not None and (call.is_answered or not answered) else None

        try:
            call = await self.until(found, seconds, _wanted(direction, action, fields, where))
        except NotSeen:
            if number is None:
                raise
            call_, side = self.seen.call(number), "the Central System" if direction == "sent" else "the charge point"
            payload = "" if call_ is None else f" {shown(call_.payload, 200)}"
            raise NotSeen(
                f"{self.identity}: {action}{payload} was {direction}, but {side} has not answered it within"
                f" {seconds:g} s{self._frames()}"
            ) from None
        self._next[direction, action] = call.number + 1
        return call

    async def wait_absent(
        self, direction: Direction, action: str, fields: Mapping[str, Any], where: Where | None, seconds: float
    ) -> None:
        """That there is no such call for so long. Raises WasSeen if there is one."""
        try:
            call = await self.until(
                lambda: self._next_call(direction, action, fields, where), seconds, _wanted(direction, action, {}, None)
            )
        except NotSeen:
            return
        payload = shown(call.payload, 200)
        raise WasSeen(f"{self.identity}: {action} {payload} was {direction}, and should not have been{self._frames()}")

    async def wait_status(self, connector: int, status: str, seconds: float) -> Call:
        """The StatusNotification that says so, answered: the newest that the last wait has seen, or one behind it."""

        def found() -> Call | None:
            told = [
                call
                for call in self.seen.calls_from(self._status_from.get(connector, 0))
                if call.action == "StatusNotification"
                and call.direction == "sent"
                and call.is_answered
                and call.has({"connectorId": connector})
            ]
            if len(told) > 1 and told[0].number == self._status_from.get(connector):
                del told[0]  # it is over
            return next((call for call in told if call.has({"status": status})), None)

        call = await self.until(found, seconds, f"status {status} of connector {connector}")
        self._status_from[connector] = call.number
        return call

    async def wait_registered(self, seconds: float) -> None:
        """Connected, and its BootNotification accepted: who waits for one afterwards waits for another."""
        await self.until(lambda: self._is_registered() or None, seconds, "an accepted BootNotification")
        boot = self._last_boot()
        if boot is not None:
            self._next["sent", "BootNotification"] = boot.number + 1

    async def wait_connected(self, seconds: float) -> None:
        """An open WebSocket."""
        await self.until(lambda: self._is_connected() or None, seconds, "a connection")

    async def wait_disconnected(self, seconds: float) -> None:
        """None."""
        await self.until(lambda: not self._is_connected() or None, seconds, "the end of the connection")

    def calls(self, action: str | None, direction: Direction | None) -> list[Call]:
        """Of this action and direction, or all, oldest first."""
        return [
            call
            for call in self.seen.calls
            if (action is None or call.action == action) and (direction is None or call.direction == direction)
        ]

    def _next_call(
        self, direction: Direction, action: str, fields: Mapping[str, Any], where: Where | None
    ) -> Call | None:
        return next(
            (
                call
                for call in self.seen.calls_from(self._next.get((direction, action), 0))
                if call.direction == direction
                and call.action == action
                and call.has(fields)
                and (where is None or (isinstance(call.payload, dict) and where(call.payload)))
            ),
            None,
        )

    def _now(self) -> int:
        """The charge point's time, in µs since 1970."""
        return 0 if self.member is None else int(self.member.charge_point.for_station.clock.now())

    def _is_connected(self) -> bool:
        return self.member is not None and bool(self.member.charge_point.connection.is_connected)

    def _is_registered(self) -> bool:
        """As the charge point knows, and as its frames have shown: these are told a moment later."""
        if not self._is_connected() or self.member is None:
            return False
        boot = next((call for call in reversed(self.seen.calls) if _is_boot(call) or _is_reset(call)), None)
        if boot is None:
            is_shown = self.seen.is_full  # it was long ago
        else:
            is_accepted = isinstance(boot.answer, dict) and boot.answer.get("status") == "Accepted"
            is_shown = is_accepted and not _is_reset(boot)  # behind which it boots anew
        return is_shown and self.member.charge_point.connection.registration is RegistrationStatus.ACCEPTED

    def _last_boot(self) -> Call | None:
        return next((call for call in reversed(self.seen.calls) if _is_boot(call)), None)

    def _instead(self, wanted: str, seconds: float) -> str:
        return f"{self.identity}: {wanted} was not seen within {seconds:g} s; {self.standing()}{self._frames()}"

    def standing(self) -> str:
        """How it is now, in one sentence."""
        told = []
        if self.member is None:
            told.append("it was not begun")
        elif not self._is_connected():
            reason = self.member.failure or self._reason or "its attempt to connect was not answered yet"
            told.append(f"it is not connected ({shown(reason, 300)})")
        else:
            registration = self.member.charge_point.connection.registration
            told.append("it is connected" + (", and " + str(registration) if registration else ", and not registered"))
        statuses: dict[int, str] = {}
        for call in self.calls("StatusNotification", "sent"):
            if isinstance(call.payload, dict):
                statuses[call.payload.get("connectorId", 0)] = str(call.payload.get("status"))
        told += [f"connector {number} is {status}" for number, status in sorted(statuses.items()) if number]
        for direction in ("sent", "received"):
            counted = Counter(call.action for call in self.seen.calls if call.direction == direction)
            named = [shown(name, 40) + (f" ×{count}" if count > 1 else "") for name, count in counted.items()]
            if named:
                told.append(f"{direction}: {', '.join(named[:20])}")
        return "; ".join(told)

    def _frames(self) -> str:
        records = self.seen.records_from(self.seen.count - MOST_TOLD)
        return "\nlast frames:\n" + "\n".join(f"  {line}" for line in lines_of(records)) if records else ""


def _is_boot(call: Call) -> bool:
    return call.action == "BootNotification" and call.direction == "sent"


def _is_reset(call: Call) -> bool:
    return call.action == "Reset" and call.direction == "received" and call.answer == {"status": "Accepted"}


def _wanted(direction: Direction, action: str, fields: Mapping[str, Any], where: Where | None) -> str:
    with_fields = ", ".join(f"{name}={value!r}" for name, value in fields.items())
    text = f"{action} {direction}" + (f" with {shown(with_fields, 300)}" if fields else "")
    return text + (" that `where` takes" if where is not None else "")

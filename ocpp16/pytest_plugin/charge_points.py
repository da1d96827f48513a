"""The charge point that a test has in hand: what a person does in front of it, what it sends, what is waited for.

Methods called `wait_…`, and those verbs that ask the Central System, take their time: a test without a loop waits
there, one of asyncio or trio awaits them. All else is done at once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, Final

import trio

from ocpp16.codec import check
from ocpp16.enums import ChargePointStatus
from ocpp16.hosts.trio_thread import TrioThread
from ocpp16.messages.actions import ACTIONS
from ocpp16.pytest_plugin.seen import Call, Direction, Frame
from ocpp16.pytest_plugin.settings import patience
from ocpp16.pytest_plugin.waiting import Waits, given
from ocpp16.pytest_plugin.watch import NotSeen, Watch, Where
from ocpp16.simulation.arguments import REQUIRED
from ocpp16.simulation.command import Command
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.spelling import did_you_mean
from ocpp16.state.clock import to_datetime
from ocpp16.texts import shown

if TYPE_CHECKING:
    from ocpp16.pytest_plugin.seen import Done, Told
    from ocpp16.pytest_plugin.verbs import Verbs
else:
    Verbs = object  # they are made of the table of commands, below

_NOT_HERE: Final = frozenset({"help", "power_off"})
"""Commands for a process of its own."""
_STATUSES: Final = frozenset(map(str, ChargePointStatus))
_LIKE: Final = 0.85
"""How like an action another text is that can only be a slip of it; a Central System may send actions that we do not
know, a charge point sends none."""


class ChargePoint(Verbs):
    """One charge point with its simulated station; made by the fixtures, and by `Fleet.add`.

    Each command of the simulated station is a method of its name (`plug_in`, `present_id_tag`, …). It raises
    CommandError for arguments that cannot be, and for what is not possible now.
    """

    def __init__(self, watch: Watch, thread: TrioThread, waits: Waits, timeout: float) -> None:
        self._watch = watch
        self._thread = thread
        self._waits = waits
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<ChargePoint {self.id}>"

    @property
    def id(self) -> str:
        """The id it connects with."""
        return self._watch.identity

    # What was seen

    @property
    def traffic(self) -> list[Frame]:
        """All frames, oldest first; the newest 50,000 at most."""
        frames: list[Frame] = self._thread.look(self._watch.seen.frames)
        return frames

    def calls(self, action: str | None = None, direction: Direction | None = None) -> list[Call]:
        """The calls with their answers so far, oldest first: of an action ("StartTransaction") and of a direction
        ("sent" or "received" by the charge point), or all. Raises ValueError for another direction, and for an action
        that is misspelled."""
        if direction is not None:
            _check_direction(direction)
        if action is not None:
            _check_action(action, direction or "received")
        calls: list[Call] = self._thread.look(self._watch.calls, action, direction)
        return calls

    @property
    def is_connected(self) -> bool:
        """Is there an open WebSocket?"""
        return bool(self._thread.look(lambda: self._member.charge_point.connection.is_connected))

    @property
    def registration(self) -> str | None:
        """What the last BootNotification was answered with: Accepted, Pending, Rejected; None before that."""
        status = self._thread.look(lambda: self._member.charge_point.connection.registration)
        return None if status is None else str(status)

    @property
    def time(self) -> datetime:
        """Its clock, which the Central System sets."""
        return to_datetime(self._thread.look(lambda: self._member.charge_point.for_station.clock.now()))

    # What is waited for: each raises NotSeen, an AssertionError, when it does not come within `timeout` seconds (None:
    # that of the test), with what came instead.

    def wait_registered(self, timeout: float | None = None) -> "Done":
        """Until it is connected, and its BootNotification accepted."""
        __tracebackhide__ = True
        outcome: Done = self._wait("wait_registered()", self._watch.wait_registered, self._seconds(timeout))
        return outcome

    def wait_connected(self, timeout: float | None = None) -> "Done":
        """Until there is an open WebSocket."""
        __tracebackhide__ = True
        outcome: Done = self._wait("wait_connected()", self._watch.wait_connected, self._seconds(timeout))
        return outcome

    def wait_disconnected(self, timeout: float | None = None) -> "Done":
        """Until there is none."""
        __tracebackhide__ = True
        outcome: Done = self._wait("wait_disconnected()", self._watch.wait_disconnected, self._seconds(timeout))
        return outcome

    def wait_status(self, connector: int, status: str, timeout: float | None = None) -> "Told":
        """Until a StatusNotification says that the connector is so, and was answered; gives that `Call`.

        What the last such wait has seen counts as long as it holds, and what came behind it.
        """
        __tracebackhide__ = True
        if str(status) not in _STATUSES:
            raise ValueError(f"no connector is ever {shown(repr(status), 60)}{did_you_mean(status, _STATUSES)}")
        what = f"wait_status({connector!r}, {status!r})"
        outcome: Told = self._wait(what, self._watch.wait_status, connector, str(status), self._seconds(timeout))
        return outcome

    def wait_sent(
        self,
        action: str,
        where: Where | None = None,
        *,
        answered: bool = True,
        timeout: float | None = None,
        **fields: Any,
    ) -> "Told":
        """Until it has sent a call of this action, and the Central System has answered it; gives the `Call`.

        fields: members of the payload, as idTag="CARD1"; where: a function of the payload that says whether it is
        meant. Each call is given once: a second wait goes on behind the first. answered: False does not wait for
        the answer.
        """
        __tracebackhide__ = True
        _check_action(action, "sent")
        _check_fields(action, "sent", fields)
        wait = partial(self._watch.wait_call, answered=answered)
        outcome: Told = self._wait(
            f"wait_sent({action!r})", wait, "sent", action, fields, where, self._seconds(timeout)
        )
        return outcome

    def wait_received(
        self,
        action: str,
        where: Where | None = None,
        *,
        answered: bool = True,
        timeout: float | None = None,
        **fields: Any,
    ) -> "Told":
        """The same of a call that the Central System has sent, and the charge point has answered."""
        __tracebackhide__ = True
        _check_action(action, "received")
        _check_fields(action, "received", fields)
        wait = partial(self._watch.wait_call, answered=answered)
        outcome: Told = self._wait(
            f"wait_received({action!r})", wait, "received", action, fields, where, self._seconds(timeout)
        )
        return outcome

    def wait_absent(
        self,
        action: str,
        where: Where | None = None,
        *,
        direction: Direction = "sent",
        timeout: float = 1.0,
        **fields: Any,
    ) -> "Done":
        """That no such call comes for so many seconds; one that no wait has given yet counts as well.
        Raises WasSeen if one does."""
        __tracebackhide__ = True
        _check_direction(direction)
        _check_action(action, direction)
        _check_fields(action, direction, fields)
        what = f"wait_absent({action!r})"
        outcome: Done = self._wait(
            what, self._watch.wait_absent, direction, action, fields, where, self._seconds(timeout)
        )
        return outcome

    # What is done

    def run(self, command: str, **arguments: Any) -> Any:
        """Carry out a command of the simulated station by its name; see docs/simulated-station.md.

        Raises CommandError, also for an unknown name.
        """
        __tracebackhide__ = True
        row = COMMANDS.get(command)
        call = partial(self._run, command, arguments)
        if row is not None and row.is_deferred:
            return self._wait(f"{command}()", call)
        return given(self._thread.run(call).future)

    async def _run(self, command: str, arguments: Mapping[str, Any]) -> Any:
        with trio.move_on_after(self._timeout):
            return await self._member.commands.run(command, arguments)
        raise NotSeen(f"{self.id}: {command} took more than {self._timeout:g} s; {self._watch.standing()}")

    @property
    def _member(self) -> Any:
        assert self._watch.member is not None
        return self._watch.member

    def _seconds(self, timeout: float | None) -> float:
        return patience(timeout, self._timeout)

    def _wait(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        __tracebackhide__ = True
        return self._waits.outcome(self._thread.run(function, *arguments), f"{self.id}: {what}")


def _check_direction(direction: object) -> None:
    __tracebackhide__ = True
    if direction not in ("sent", "received"):
        raise ValueError(f'direction must be "sent" or "received", not {direction!r}')


def _check_action(action: object, direction: Direction) -> None:
    """What is misspelled, or of the other side, would be waited for in vain, or be absent. Raises ValueError."""
    __tracebackhide__ = True
    if action in ACTIONS and (direction == "received" or ACTIONS[str(action)].initiator != "CentralSystem"):
        return
    if direction == "sent" or get_close_matches(str(action)[:100], ACTIONS, n=1, cutoff=_LIKE):
        who = "charge point" if direction == "sent" else "Central System"
        hint = "" if action in ACTIONS else did_you_mean(action, ACTIONS)
        raise ValueError(f"no {who} sends {shown(repr(action), 60)}{hint}")


def _check_fields(action: str, direction: Direction, fields: Mapping[str, Any]) -> None:
    """The same of members of the payload: no charge point sends one that the schema has not. Raises ValueError."""
    __tracebackhide__ = True
    for name in fields if action in ACTIONS else ():
        wrong = check(action, "request", {name: None})
        if wrong is None or wrong.rule != "additionalProperties":
            continue
        known: tuple[str, ...] = wrong.limit
        hint = did_you_mean(name, known)
        if hint or direction == "sent":
            there_are = hint or (f"; there are {', '.join(known)}" if known else "; it has none")
            raise ValueError(f"{action} has no member {shown(repr(name), 60)}{there_are}")


def _verb(command: Command) -> Callable[..., Any]:
    """The method for a command of the station, with its arguments in the order of the table."""
    signature = Signature(
        [
            Parameter(
                one.name,
                Parameter.POSITIONAL_OR_KEYWORD,
                default=Parameter.empty if one.default is REQUIRED else one.default,
            )
            for one in command.arguments
        ]
    )

    def verb(self: ChargePoint, *arguments: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        try:
            given = signature.bind(*arguments, **named).arguments
        except TypeError as error:
            raise TypeError(f"{command.name}{signature}: {shown(error)}") from None
        return self.run(command.name, **given)

    verb.__name__ = command.name
    verb.__qualname__ = f"ChargePoint.{command.name}"
    waits = " It asks the Central System: to be awaited where a loop runs." if command.is_deferred else ""
    verb.__doc__ = f"{command.text[:1].upper()}{command.text[1:]}.{waits}"
    own = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    verb.__signature__ = signature.replace(parameters=[own, *signature.parameters.values()])  # type: ignore[attr-defined]
    return verb


for _command in COMMANDS.values():
    if _command.name not in _NOT_HERE:
        setattr(ChargePoint, _command.name, _verb(_command))

"""The commands of a whole fleet, for the JSON lines face: those of any of its stations, and a few of its own.

    → {"id": 1, "do": "add", "charge_point": "CP7", "blueprint": "ac-22kw-twin"}
    → {"id": 2, "do": "plug_in", "charge_point": "CP7", "connector": 2}
    ← {"event": "status", "charge_point": "CP7", "time": "2026-01-01T00:00:00.000Z", "connector": 2, …}

Rules of this file:
1. A command of a station names the station by `charge_point`; all else about it is as for one alone.
2. Every event has the `charge_point` it is of.
"""

from typing import Any

from ocpp16.errors import ChargePointStopped
from ocpp16.fleet.fleet import Fleet
from ocpp16.fleet.member import Member
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import CommandError, ControlInterface
from ocpp16.simulation.arguments import OBJECT, REQUIRED, Argument, text, whole
from ocpp16.simulation.command import Command
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.simulation.commands import find
from ocpp16.simulation.events import Events
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown

WHO = "charge_point"
MOST_LISTED = 1_000
"""Members in one answer of `list`."""
_NAME = text(1_000, 1)


async def _add(fleet: Fleet, charge_point: str, blueprint: str | None, keys: dict[str, Any] | None) -> dict[str, Any]:
    return _described(await fleet.add(charge_point, blueprint, keys=keys))


async def _remove(fleet: Fleet, charge_point: str) -> bool:
    return await fleet.remove(charge_point)


async def _list(fleet: Fleet, first: int, most: int) -> dict[str, Any]:
    members = list(fleet)
    return {"count": len(members), "members": [_described(member) for member in members[first : first + most]]}


async def _wait_registered(fleet: Fleet) -> int:
    await fleet.wait_registered()
    return len(fleet)


def _described(member: Member) -> dict[str, Any]:
    connection = member.charge_point.connection
    return {
        WHO: member.identity,
        "blueprint": member.blueprint.name,
        "state": str(member.state),
        "connected": connection.is_connected,
        "registration": None if connection.registration is None else str(connection.registration),
        "failures": member.failures,
        "failure": member.failure,
    }


FLEET_COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(
            "add",
            "add a charge point",
            _add,
            (
                Argument(WHO, _NAME, REQUIRED),
                Argument("blueprint", text(100, 1), None),
                Argument("keys", OBJECT, None),
            ),
        ),
        Command(
            "remove",
            "stop a charge point, and let go of it",
            _remove,
            (Argument(WHO, _NAME, REQUIRED),),
            is_deferred=True,
        ),
        Command(
            "list",
            "members, and how they are",
            _list,
            (
                Argument("first", whole("number", 0, 10_000_000), 0),
                Argument("most", whole("number", 1, MOST_LISTED), MOST_LISTED),
            ),
        ),
        Command("wait_registered", "until all are accepted; how many", _wait_registered, is_deferred=True),
    )
}


class FleetCommands:
    """Of all members, and of the fleet as a whole. Implements `simulation.control.Commanded`."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def is_deferred(self, name: str) -> bool:
        """Raises CommandError if there is no command of the name."""
        own = FLEET_COMMANDS.get(name)
        if own is None and name not in COMMANDS:
            raise CommandError(
                "unknown_command", f"no command {shown(name, 64)}" + did_you_mean(name, {**FLEET_COMMANDS, **COMMANDS})
            )
        return find(name).is_deferred if own is None else own.is_deferred

    async def run(self, name: str, arguments: dict[str, Any]) -> Any:
        """Carry out a command; the result is one that JSON can say. Raises CommandError, and every Ocpp16Error."""
        own = FLEET_COMMANDS.get(name)
        if own is None:
            member, others = self._of(name, arguments)
            return await member.commands.run(name, others)
        try:
            return await own.handler(self._fleet, **own.check(arguments, 0))
        except ChargePointStopped as error:
            raise CommandError("refused", str(error)) from error
        except ValueError as error:
            raise CommandError("bad_value", shown(error)) from error

    def reason(self, name: str, arguments: dict[str, Any], result: Any) -> str:
        """Why a command was refused, if that is what `result` says and the reason is known; else empty."""
        if name in FLEET_COMMANDS:
            return ""
        try:
            member, others = self._of(name, arguments)
        except CommandError:  # removed meanwhile
            return ""
        return member.commands.reason(name, others, result)

    def _of(self, name: str, arguments: dict[str, Any]) -> tuple[Member, dict[str, Any]]:
        others = dict(arguments)
        who = others.pop(WHO, None)
        if not isinstance(who, str):
            raise CommandError("bad_value", f"{name} needs the argument {WHO}, the id of one of the fleet")
        if who not in self._fleet:
            raise CommandError("bad_value", f"the fleet has no {WHO} {shown(who, 64)}")
        return self._fleet[who], others


class FleetEvents:
    """Tells what happens to all members by the face of all. `observer_of` is what `open_fleet` takes; `fleet` is set
    when that is open."""

    def __init__(self, control: ControlInterface) -> None:
        self.control = control
        self.fleet: Fleet | None = None

    def observer_of(self, identity: str) -> "MemberEvents":
        """That of a member."""
        return MemberEvents(self, identity)


class MemberEvents:
    """The `Observer` of one member."""

    __slots__ = ("_events", "_identity", "_of")

    def __init__(self, of: FleetEvents, identity: str) -> None:
        self._of = of
        self._identity = identity
        self._events = Events()

    async def notify(self, event: ObserverEvent) -> None:
        """Print what the charge point tells."""
        fleet = self._of.fleet
        if fleet is not None and self._identity in fleet:  # not while it is being opened
            self._events.follow(fleet[self._identity].charge_point)
        for record in self._events.records(event):
            name = record.pop("event")
            await self._of.control.write({"event": name, WHO: self._identity, **record})

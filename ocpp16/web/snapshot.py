"""What a charge point and its station are just now, in named parts: what the console's commands tell, and the cars.

Parts: `station`, `connector/N`, `queue`, `profiles`, `reservations`, `dead_letters`, `counters`. Everything is what
JSON can say. What the charge point has not built in, or what cannot be told while it is stopped, is null.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from ocpp16.configuration.keys import core, internal
from ocpp16.configuration.keys import security as security_keys
from ocpp16.errors import Ocpp16Error
from ocpp16.measurement import Measurement, PhaseValues
from ocpp16.models import Counters
from ocpp16.redaction import redacted, without_logins
from ocpp16.simulation import CommandError, Commands
from ocpp16.simulation.car import Car
from ocpp16.simulation.evse import Evse
from ocpp16.simulation.noise import Noise

MOST_LISTED: Final = 100
"""Messages of the queue, and dead letters, that are shown; how many there are is said."""
_QUIET: Final = Noise(0, None)
"""To look at a meter must not change what it will show."""


class Snapshot:
    """Of the station that `commands` work."""

    __slots__ = ("_commands", "_identity")

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._identity = self._describe()

    @property
    def identity(self) -> str:
        name: str = self._identity["identity"]
        return name

    @property
    def number_of_connectors(self) -> int:
        return len(self._commands.station.evses)

    def _describe(self) -> dict[str, Any]:
        keys = self._commands.charge_point.configuration
        return {
            "identity": keys[internal.CHARGE_POINT_ID],
            "vendor": keys[internal.CHARGE_POINT_VENDOR],
            "model": keys[internal.CHARGE_POINT_MODEL],
        }

    async def look(self, connectors: Iterable[int]) -> dict[str, Any]:
        """All parts but those of connectors; of these the ones that are named."""
        parts: dict[str, Any] = {"station": await self._station()}
        for number in connectors:
            parts[f"connector/{number}"] = await self._connector(number)
        queue = await self._told("queue", most=MOST_LISTED)
        parts["queue"] = None if queue is None else {**queue, "messages": list(map(without_secrets, queue["messages"]))}
        letters = await self._told("dead_letters") or []
        parts["dead_letters"] = {
            "count": len(letters),
            "messages": list(map(without_secrets, letters[:MOST_LISTED])),
        }
        parts["profiles"] = await self._told("charging_profiles")
        parts["reservations"] = await self._told("reservations")
        parts["counters"] = _counted(self._commands.charge_point.counters)
        return parts

    async def _told(self, command: str, **arguments: Any) -> Any:
        """What a command tells; None where it is refused."""
        try:
            return await self._commands.run(command, arguments)
        except (CommandError, Ocpp16Error):
            return None

    async def _station(self) -> dict[str, Any]:
        charge_point = self._commands.charge_point
        keys, connection = charge_point.configuration, charge_point.connection
        registration = connection.registration
        return {
            **self._identity,
            "firmware": keys[internal.FIRMWARE_VERSION],
            "connectors": self.number_of_connectors,
            "csms": without_logins(keys[internal.CENTRAL_SYSTEM_URI]),
            "security_profile": keys[security_keys.SECURITY_PROFILE],
            "heartbeat_interval": keys[core.HEARTBEAT_INTERVAL],
            "is_running": charge_point.is_running,
            "is_connected": connection.is_connected,
            "registration": None if registration is None else str(registration),
            "status": str(charge_point.connector_status(0).status),
            "limit": await self._told("explain_limit", connector=0),
        }

    async def _connector(self, number: int) -> dict[str, Any]:
        charge_point, evse = self._commands.charge_point, self._commands.station.evse(number)
        report = charge_point.connector_status(number)
        transaction = charge_point.transaction(number)
        running = None
        if transaction is not None:
            register = evse.register()
            running = {
                "transaction_id": transaction.transaction_id,
                "id_tag": transaction.id_tag,
                "started_at": transaction.started_at // 1000,
                "energy": max(round(register) - transaction.meter_start, 0),
                "is_refused": transaction.is_refused,
            }
        return {
            "connector": number,
            "status": str(report.status),
            "error": str(report.error_code),
            "info": report.info,
            "is_dc": evse.outlet.is_dc,
            "is_enabled": evse.is_enabled,
            "session": evse.session_id,
            "id_tag": evse.id_tag,
            "transaction": running,
            "car": None if evse.car is None else _car(evse.car),
            "meter": _meter(evse),
            "limit": await self._told("explain_limit", connector=number),
        }


def _car(car: Car) -> dict[str, Any]:
    pack = car.pack
    return {
        "is_plugged": car.is_plugged,
        "is_drawing": car.is_drawing,
        "has_begun": car.has_begun,
        "has_failed": car.has_failed,
        "current": car.current,
        "phases": car.phases,
        "soc": None if pack is None else round(pack.soc, 1),
        "capacity": None if pack is None else pack.battery.capacity,
    }


def _meter(evse: Evse) -> dict[str, Any]:
    """W, A, V, Wh; the numbers that a person reads."""
    outlet = evse.outlet
    energy = outlet.register()
    shown: Measurement = outlet.external or outlet.meter.measurement(outlet.now, _QUIET, None)
    return {
        "energy": round(energy),
        "power": _total(shown.power),
        "current": _phases(shown.current),
        "voltage": _phases(shown.voltage),
    }


def _total(values: PhaseValues | None) -> float | None:
    if values is None:
        return None
    if values.total is not None:
        return round(values.total, 1)
    known = [value for value in (values.l1, values.l2, values.l3) if value is not None]
    return round(sum(known), 1) if known else None


def _phases(values: PhaseValues | None) -> list[float]:
    """Of each phase; of DC the one there is."""
    if values is None:
        return []
    known = [round(value, 1) for value in (values.l1, values.l2, values.l3) if value is not None]
    return known or ([] if values.total is None else [round(values.total, 1)])


def _counted(counters: Counters) -> dict[str, Any]:
    """Those that are numbers, and the repairs one by one."""
    numbers = {name: value for name in Counters.__slots__ if type(value := getattr(counters, name)) is int}
    return {**numbers, "repairs": dict(counters.repairs)}


def without_secrets(message: dict[str, Any]) -> dict[str, Any]:
    """A message that waits, as its frame would be shown."""
    try:
        frame = [2, "", message["action"], message["payload"]]
        shown = orjson.loads(redacted(orjson.dumps(frame).decode()))
        return {**message, "payload": shown[3]}
    except (TypeError, orjson.JSONDecodeError):
        return {**message, "payload": None}

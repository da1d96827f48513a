"""The table of what a change of a configuration key does: key → scenario. Each scenario shows the old value at work,
changes the key over the wire, and shows the new one at work, without a restart.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio

from ocpp16.configuration.key import Access, Key
from ocpp16.configuration.keys.security import SECURITY_PROFILE
from ocpp16.enums import Reason
from ocpp16.models import IdTagInfo
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.stations import RecordingStation


class Changing:
    """What a scenario has in hand: a bench, and the key that it changes."""

    def __init__(self, bench: Any, key: Key[Any], profile: Callable[..., dict[str, Any]]) -> None:
        self.bench = bench
        self.csms = bench.csms
        self.station = bench.station
        self.charge_point = bench.charge_point
        self.profile = profile
        self.key = key
        self.changes: list[str] = []

    async def change(self, value: str, name: str | None = None) -> None:
        """ChangeConfiguration, which is Accepted: the new value is in force and reported. `name`: that on the wire."""
        wire_name = name or self.key.name
        answer = await self.bench.call("ChangeConfiguration", {"key": wire_name, "value": value})
        assert answer == {"status": "Accepted"}
        if self.key.is_secret or self.key is SECURITY_PROFILE:
            await trio.sleep(0.5)  # for the connection that follows from it
        reported = await self.bench.call("GetConfiguration", {"key": [wire_name]})
        if self.key.access is Access.WO:
            assert reported == {"unknownKey": [wire_name]}
        else:
            assert [(row["key"], row["value"]) for row in reported["configurationKey"]] == [(wire_name, value)]
        self.changes.append(value)

    async def authorize(self, id_tag: str) -> str:
        info: IdTagInfo = await self.charge_point.authorize_id_token(id_tag)
        return str(info.status)

    @asynccontextmanager
    async def offline(self) -> AsyncIterator[None]:
        self.charge_point.connection.disconnect()
        await self.csms.wait_disconnected("cp001")
        yield
        self.charge_point.connection.connect()
        await self.csms.wait_connected("cp001")
        await trio.sleep(1)

    async def pending(self, seconds: int) -> None:
        """The next BootNotification is answered with Pending, and repeated after so many seconds; sent now."""
        self.csms.refuse_boot("Pending", interval=seconds)
        await self.bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(0.5)

    def end(self, connector_id: int, session_id: str, reason: Reason = Reason.LOCAL, energy: float = 2000) -> None:
        self.charge_point.on_transaction_stopped(connector_id, session_id, reason, energy)

    def count(self, action: str) -> int:
        return len(self.bench.sent(action))


Scenario = Callable[[Changing], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Effect:
    """Parameters: `document` the values at first, by `Section__Key`; `csms` makes another Central System;
    `security` is an EvseSecurity; `station` makes one of another kind."""

    key: Key[Any]
    scenario: Scenario
    document: dict[str, Any]
    csms: Callable[[], CentralSystem] | None
    security: object | None
    station: Callable[[], RecordingStation] | None


EFFECTS: dict[str, Effect] = {}
"""By name of the key."""


def effect(
    key: Key[Any],
    csms: Callable[[], CentralSystem] | None = None,
    security: object | None = None,
    station: Callable[[], RecordingStation] | None = None,
    **document: Any,
) -> Callable[[Scenario], Scenario]:
    """The decorated scenario is that of this key."""

    def added(scenario: Scenario) -> Scenario:
        assert key.name not in EFFECTS, f"two scenarios for {key.name}"
        EFFECTS[key.name] = Effect(key, scenario, document, csms, security, station)
        return scenario

    return added


def samples(payloads: list[dict[str, Any]]) -> list[set[str]]:
    """The measurands of each reading in MeterValues."""
    return [
        {str(sampled.get("measurand", "Energy.Active.Import.Register")) for sampled in value["sampledValue"]}
        for payload in payloads
        for value in payload["meterValue"]
    ]

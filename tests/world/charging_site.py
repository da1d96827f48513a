"""A simulated station with its charge point before a scripted Central System."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.open import open_charge_point
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.simulation import Commands, ControlInterface, Operation, SimulatedStation
from ocpp16.testing import CentralSystem
from ocpp16.testing.central_system import START

CP = "cp001"
CONFIG: dict[str, dict[str, Any]] = {
    "Internal": {
        "ChargePointId": CP,
        "CentralSystemURI": "ws://127.0.0.1:9000/",
        "ChargePointModel": "Simulated",
        "ChargePointVendor": "ocpp16",
    },
    "Core": {"NumberOfConnectors": 2, "ConnectionTimeOut": 30, "MeterValueSampleInterval": 0},
}


class Site:
    """A Central System, and the station with its charge point before it."""

    def __init__(self, csms: CentralSystem, station: SimulatedStation, charge_point: ChargePoint) -> None:
        self.csms = csms
        self.station = station
        self.charge_point = charge_point
        self.operation = Operation(station, charge_point)
        self.commands = Commands(station, charge_point, self.operation)
        self._seen = 0

    def news(self) -> list[str]:
        """The calls received since the last time but for heartbeats, each as one short line."""
        calls = self.csms.calls()[self._seen :]
        self._seen += len(calls)
        return [line(call.action, call.payload) for call in calls if call.action != "Heartbeat"]

    async def charge(self, connector_id: int = 1, id_tag: str = "TAG") -> None:
        """Plug in and charge; 3 s pass."""
        self.station.plug_in(connector_id, draw_for=100_000)
        await trio.sleep(1.5)
        self.station.present_id_tag(id_tag, [connector_id])
        await trio.sleep(1.5)


def line(action: str, payload: Mapping[str, Any]) -> str:
    if action == "StatusNotification":
        error = "" if payload["errorCode"] == "NoError" else f" {payload['errorCode']}"
        return f"{payload['connectorId']} {payload['status']}{error}"
    if action == "StopTransaction":
        return f"Stop {payload['transactionId']} {payload['reason']} {payload.get('idTag', '-')}"
    if action == "StartTransaction":
        return f"Start {payload['connectorId']} {payload['idTag']}"
    return action


@asynccontextmanager
async def site(
    csms: CentralSystem,
    database_path: Path | None = None,
    config: Mapping[str, Any] = CONFIG,
    control: ControlInterface | None = None,
    security: EvseSecurity | None = None,
    **options: Any,
) -> AsyncIterator[Site]:
    station = SimulatedStation({"meter_interval": 0, "meter_noise": 0, **options})
    async with open_charge_point(
        config,
        station,
        database_path=database_path,
        connector=csms.connector,
        observer=control,
        evse_security=security,
        anchor=START / 1e6 if security is not None else None,
        seed=1,
    ) as charge_point:
        station.attach(charge_point)
        place = Site(csms, station, charge_point)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(place.operation.run)
            await csms.wait_for_call("StatusNotification", 3)
            await trio.sleep(1)
            place.news()
            yield place
            nursery.cancel_scope.cancel()
    assert csms.violations == []

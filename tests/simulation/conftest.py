"""A station with a charge point that records what it is told; and with a real one that has smart charging."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio
from recording_charge_point import RecordingChargePoint

from ocpp16.charge_point.open import open_charge_point
from ocpp16.models import ChargingLimit
from ocpp16.simulation import Commands, ControlInterface, Operation, SimulatedStation
from ocpp16.testing import CentralSystem


class Bench:
    """A station with its recording charge point."""

    def __init__(self, count: int = 1, **options: Any) -> None:
        self.charge_point = RecordingChargePoint(count)
        self.station = SimulatedStation({"meter_interval": 0, "meter_noise": 0, **options})

    def attach(self, connection_timeout: int = 60) -> "Bench":
        self.station.attach(self.charge_point)  # type: ignore[arg-type]
        self.ask(self.station.set_connection_timeout(connection_timeout))
        self.station.power_up()
        self.take()
        return self

    @staticmethod
    def ask(question: Coroutine[Any, Any, Any]) -> Any:
        """Await a question that does not wait."""
        try:
            question.send(None)
        except StopIteration as answer:
            return answer.value
        raise AssertionError("the station waited")

    def advance(self, seconds: float) -> None:
        self.charge_point.advance(seconds)

    def limit(self, connector_id: int, limit: float | None, unit: str = "A", phases: int | None = None) -> None:
        """Smart charging lets a connector have so much from now on."""
        self.station.charging_limit_changed(connector_id, ChargingLimit(limit, unit, phases, None))

    def take(self, *, all_of_it: bool = False) -> list[tuple[Any, ...]]:
        return self.charge_point.take(all_of_it=all_of_it)


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """Makes a bench that is attached and powered: `make_bench(count of connectors, timeout, **options)`."""

    def make(count: int = 1, connection_timeout: int = 60, **options: Any) -> Bench:
        return Bench(count, **options).attach(connection_timeout)

    return make


@pytest.fixture
def new_bench() -> type[Bench]:
    """The class itself, to attach by hand."""
    return Bench


# With a real charge point

START = datetime(2030, 1, 1, 8, tzinfo=UTC)
PURPOSES = {"max": "ChargePointMaxProfile", "default": "TxDefaultProfile", "tx": "TxProfile"}


def make_configuration(units: str, profiles: str, zero: bool) -> dict[str, dict[str, Any]]:
    return {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://127.0.0.1:9000/",
            "ChargePointModel": "Simulated",
            "ChargePointVendor": "ocpp16",
        },
        "Core": {
            "NumberOfConnectors": 2,
            "MeterValueSampleInterval": 0,
            "SupportedFeatureProfiles": profiles,
        },
        "SmartCharging": {"ChargingScheduleAllowedChargingRateUnit": units},
        "Reservation": {"ReserveConnectorZeroSupported": zero},
    }


def make_profile(
    purpose: str, *periods: tuple[float, float], unit: str = "A", phases: int | None = None, **members: Any
) -> dict[str, Any]:
    """A charging profile of (start, limit) periods, counted from `START` or from the transaction."""
    kind = "Relative" if purpose == "tx" else "Absolute"
    named = {} if phases is None else {"numberPhases": phases}
    schedule: dict[str, Any] = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": start, "limit": limit, **named} for start, limit in periods],
    }
    if kind == "Absolute":
        schedule["startSchedule"] = "2030-01-01T08:00:00Z"
    return {
        "chargingProfileId": {"max": 1, "default": 2, "tx": 3}[purpose],
        "stackLevel": 0,
        "chargingProfilePurpose": PURPOSES[purpose],
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
        **members,
    }


class SmartSite:
    """A station, its charge point and its Central System; time begins at `START`."""

    def __init__(self, csms: CentralSystem, station: SimulatedStation, charge_point: Any, out: list[bytes]) -> None:
        self.csms = csms
        self.station = station
        self.charge_point = charge_point
        self.operation = Operation(station, charge_point)
        self.commands = Commands(station, charge_point, self.operation)
        self.out = out
        self._seen = 0

    profile = staticmethod(make_profile)

    @property
    def amperes(self) -> list[float]:
        """What flows on the first phase of each connector."""
        currents = [self.station.measurement(evse.connector_id).current for evse in self.station.evses]  # type: ignore[union-attr]
        return [round(current.l1, 6) for current in currents]  # type: ignore[union-attr, arg-type]

    async def charge(self, connector_id: int = 1, **plan: Any) -> None:
        """A car comes and draws, unless it is not let: 1 s passes."""
        self.station.plug_in(connector_id, **{"plug_after": 0, "draw_after": 0.5, "draw_for": 1e6, **plan})
        self.station.present_id_tag(f"TAG{connector_id}", [connector_id])
        await trio.sleep(1)

    async def set(self, connector_id: int, profile: dict[str, Any]) -> None:
        payload = {"connectorId": connector_id, "csChargingProfiles": profile}
        assert await self.csms.call("cp001", "SetChargingProfile", payload) == {"status": "Accepted"}

    async def clear(self, **which: Any) -> None:
        assert await self.csms.call("cp001", "ClearChargingProfile", which) == {"status": "Accepted"}

    def statuses(self) -> list[str]:
        """The statuses received since the last time."""
        calls = self.csms.calls("StatusNotification")[self._seen :]
        self._seen += len(calls)
        return [f"{call.payload['connectorId']} {call.payload['status']}" for call in calls]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [record for record in map(orjson.loads, self.out) if record["event"] == name]

    async def until(self, seconds: float) -> None:
        """Wait until so long after `START`."""
        await trio.sleep(START.timestamp() + seconds - self.charge_point.for_station.clock.now() / 1e6)


@asynccontextmanager
async def smart_site(
    database_path: Path | None = None,
    *,
    units: str = "Current,Power",
    profiles: str = "Core,SmartCharging,RemoteTrigger",
    core: dict[str, Any] | None = None,
    internal: dict[str, Any] | None = None,
    zero: bool = True,
    **options: Any,
) -> AsyncIterator[SmartSite]:
    began = trio.current_time()
    out: list[bytes] = []
    configuration = make_configuration(units, profiles, zero)
    configuration["Core"].update(core or {})
    configuration["Internal"].update(internal or {})
    station = SimulatedStation({"meter_interval": 0, "meter_noise": 0, "fuse_limit": 200, **options})
    async with (
        CentralSystem(now=lambda: round((START.timestamp() + trio.current_time() - began) * 1e6)) as csms,
        open_charge_point(
            configuration,
            station,
            database_path=database_path,
            connector=csms.connector,
            observer=ControlInterface(out.append),
            anchor=START.timestamp(),
            seed=1,
        ) as charge_point,
    ):
        station.attach(charge_point)
        place = SmartSite(csms, station, charge_point, out)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(place.operation.run)
            await csms.wait_for_call("StatusNotification", len(station.evses) + 1)
            await trio.sleep(0.5)
            place.statuses()
            yield place
            nursery.cancel_scope.cancel()
        assert csms.violations == []


@pytest.fixture
def site() -> Any:
    """`async with site(database_path, units=…, profiles=…, core=…, **options of the station) as here:`"""
    return smart_site

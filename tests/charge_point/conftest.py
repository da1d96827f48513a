"""A charge point and a scripted Central System on the virtual clock, joined by memory streams."""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from power_cut import contents, put_back

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.open import open_charge_point
from ocpp16.errors import CallFailed, StoreError
from ocpp16.models import Measurement, PhaseValues
from ocpp16.observer import ObserverEvent, SecurityEvent
from ocpp16.state.clock import to_datetime
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.stations import RecordingStation

CONFIG: dict[str, dict[str, Any]] = {
    "Internal": {
        "ChargePointId": "cp001",
        "CentralSystemURI": "ws://csms.example/ocpp/",
        "ChargePointModel": "M1",
        "ChargePointVendor": "V1",
        "RetryBackoffWaitMinimum": 1,
        "RetryBackoffRandomRange": 0,
    },
    "Core": {
        "NumberOfConnectors": 2,
        "MeterValueSampleInterval": 0,
        "TransactionMessageAttempts": 3,
        "TransactionMessageRetryInterval": 10,
    },
    "Security": {"SecurityProfile": 0, "DisableSecurityEventNotifications": True},
}


def config(**keys: Any) -> dict[str, dict[str, Any]]:
    """The configuration above with other values, by `Section__Key`."""
    document = {section: dict(values) for section, values in CONFIG.items()}
    for name, value in keys.items():
        section, _, key = name.partition("__")
        document.setdefault(section, {})[key] = value
    return document


def charging_profile(number: int = 1, limit: float = 16, **members: Any) -> dict[str, Any]:
    """A charging profile: a TxDefaultProfile of level 0 that began an hour ago, `limit` in A for ever.

    `members` replace those of the profile or of its schedule, by their names on the wire; None leaves one out.
    """
    schedule: dict[str, Any] = {
        "startSchedule": "2025-12-31T23:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    made: dict[str, Any] = {
        "chargingProfileId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    for name, value in members.items():
        of_schedule = name in schedule or name in ("duration", "minChargingRate")
        member = schedule if of_schedule else made
        member[name] = value
        if value is None:
            del member[name]
    return made


class FullDisk(MemoryStore):
    """A store that outlives its charge point, and takes nothing while it `is_full`."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.is_full = False

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        return super().apply(batches)


class Events:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.seen: list[ObserverEvent] = []

    async def notify(self, event: ObserverEvent) -> None:
        self.seen.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kind)]

    def of_security(self) -> list[SecurityEvent]:
        """Those after the one of the start."""
        return self.of(SecurityEvent)[1:]


class Bench:
    """What a test works with."""

    def __init__(self, csms: CentralSystem, station: RecordingStation | None) -> None:
        self.csms = csms
        self.station = station or RecordingStation()
        self.events = Events()
        self.charge_point: ChargePoint
        self.station.answers["stop_transaction"] = self._stop

    def _stop(self, connector_id: int, reason: Any) -> bool:
        transaction = self.charge_point.transaction(connector_id)
        assert transaction is not None
        self.charge_point.on_transaction_stopped(connector_id, transaction.session_id, reason, 1500)
        return True

    def measure(self, connector_id: int, energy: float, **values: Any) -> Measurement:
        """What the meter of a connector says now."""
        measurement = Measurement(self.charge_point.for_station.clock.now_datetime(), PhaseValues(energy), **values)
        self.station.measurements[connector_id] = measurement
        return measurement

    def begin(
        self, connector_id: int = 1, session_id: str = "s1", id_tag: str = "TAG1", meter_start: float = 1000
    ) -> None:
        self.charge_point.on_transaction_started(connector_id, session_id, id_tag, meter_start)

    async def put_clock(self, ahead: float) -> None:
        """Have Heartbeats set the clock to so many seconds ahead of the true time from now on; done at once."""

        def answer(payload: dict[str, Any], call: Any) -> dict[str, Any]:
            return {"currentTime": to_datetime(START + round((trio.current_time() + ahead) * 1e6)).isoformat()}

        self.csms.answers["Heartbeat"] = answer
        await self.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(0.5)

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        return await self.csms.call("cp001", action, payload)

    async def install(self, connector_id: int, profile: dict[str, Any]) -> str:
        """SetChargingProfile: the status, or the code of the CALLERROR."""
        try:
            request = {"connectorId": connector_id, "csChargingProfiles": profile}
            answer = await self.csms.call("cp001", "SetChargingProfile", request, validated=False)
        except CallFailed as error:
            return str(error.code)
        return str(answer["status"])

    async def clear(self, **members: Any) -> str:
        return str((await self.call("ClearChargingProfile", members))["status"])

    async def schedule(self, connector_id: int, duration: int = 600, **members: Any) -> list[list[Any]]:
        """The periods of GetCompositeSchedule: [start, limit], and the number of phases where it is stated."""
        request = {"connectorId": connector_id, "duration": duration, **members}
        answer = await self.call("GetCompositeSchedule", request)
        return [list(period.values()) for period in answer["chargingSchedule"]["chargingSchedulePeriod"]]

    def limits(self) -> list[float | None]:
        """What the station was told last, by connector."""
        return [self.station.limits[number].limit for number in sorted(self.station.limits)]

    def installed(self) -> list[int]:
        return sorted(profile.profile_id for profile in self.charge_point.smart_charging.charging_profiles)

    def sent(self, action: str | None = None) -> list[dict[str, Any]]:
        return [call.payload for call in self.csms.calls(action)]


@asynccontextmanager
async def bench(
    *,
    start: bool = True,
    csms: CentralSystem | None = None,
    station: RecordingStation | None = None,
    document: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Bench]:
    async with csms or CentralSystem() as central:
        made = Bench(central, station)
        options.setdefault("observer", made.events)
        options.setdefault("anchor", START / 1e6)
        async with open_charge_point(
            document or config(), made.station, connector=central.connector, seed=1, **options
        ) as charge_point:
            made.charge_point = charge_point
            if start:
                await charge_point.start()
                await trio.sleep(0.1)
            yield made
        assert list(central.violations) == []


@asynccontextmanager
async def power_cut(*, database_path: Path, **options: Any) -> AsyncIterator[Bench]:
    """A bench that ends as by a power cut: what lies on the disk then is what the next one finds."""
    async with bench(database_path=database_path, **options) as made:
        yield made
        await made.charge_point.stored()
        at_the_cut = contents(database_path)
    put_back(database_path, at_the_cut)


BenchFactory = Callable[..., AbstractAsyncContextManager[Bench]]


def run_virtual(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run on the virtual clock: pytest-trio takes a clock only from a test's own arguments."""
    return trio.run(*arguments, clock=clock or trio.testing.MockClock(autojump_threshold=0), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        if is_async and item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.trio(run=run_virtual), append=False)


@pytest.fixture(scope="session")
def virtual_run() -> Callable[..., Any]:
    """trio.run on the virtual clock, for tests of many examples."""
    return run_virtual


@pytest.fixture(scope="session")
def open_bench() -> BenchFactory:
    return bench


@pytest.fixture
def until_power_fails() -> BenchFactory:
    return power_cut


@pytest.fixture
def disk() -> FullDisk:
    return FullDisk()


@pytest.fixture
def profile() -> Callable[..., dict[str, Any]]:
    return charging_profile


@pytest.fixture
def make_config() -> Callable[..., dict[str, dict[str, Any]]]:
    return config

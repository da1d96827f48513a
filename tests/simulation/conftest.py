"""A charge point that records what it is told, with a clock moved by hand; and a real one that has smart charging."""

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Generator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.enums import AuthorizationStatus, ConfigurationStatus
from ocpp16.errors import FeatureNotBuilt
from ocpp16.models import ChargingLimit, Counters, DataTransferResponse, DeadLetter, IdTagInfo
from ocpp16.simulation import Commands, ControlInterface, Operation, SimulatedStation
from ocpp16.state.clock import Clock
from ocpp16.state.keys import core
from ocpp16.state.timers import Timers
from ocpp16.state.transaction import Transaction, Transactions
from ocpp16.testing import CentralSystem

ANCHOR = 1_700_000_000_000_000
"""µs; any time will do."""

QUIET = ("on_max_current_offered", "on_max_power_offered", "on_meter_values")


class Held:
    """An awaitable that waits until somebody steps its task again."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class RecordingChargePoint:
    """What the station sees of a `ChargePoint`. Facts land in `told`, as (name without on_, arguments…)."""

    def __init__(self, connectors: int) -> None:
        self.seconds = 0.0
        self.number_of_connectors = connectors
        self.clock = Clock(lambda: self.seconds, ANCHOR)
        self.timers = Timers()
        self.transactions = Transactions()
        self.told: list[tuple[Any, ...]] = []
        self.details: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.parents: dict[str, str | None] = {}
        self.refused: set[str] = set()
        self.checkpoints: dict[int, int] = {}
        self.holds_answers = False
        self.tasks: list[Coroutine[Any, Any, Any]] = []
        self.is_running = self.is_connected = True
        self.has_smart_charging = False
        self.registration = None
        self.configuration = {core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT: True}
        self.queue_depth = 0
        self.started_with: list[dict[str, Any]] = []
        self.transfer: DataTransferResponse | Exception | None = None
        self.sessions: dict[int, str] = {}
        self.counters = Counters()
        self.letters: list[DeadLetter] = []

    # Time and tasks

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.seconds + seconds
        while self.timers.deadline() <= end:
            self.seconds = self.timers.deadline()
            self.timers.run_due(self.seconds)
        self.seconds = end

    def spawn(self, async_fn: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> None:
        self.tasks.append(async_fn(*args))
        self.step()

    def step(self) -> None:
        """Let every task go on to where it waits, or to its end."""
        for task in tuple(self.tasks):
            try:
                task.send(None)
            except StopIteration:
                self.tasks.remove(task)

    # What the station asks

    async def authorize_id_token(self, id_tag: str) -> IdTagInfo:
        self.asked.append(id_tag)
        while self.holds_answers:
            await Held()
        status = AuthorizationStatus.INVALID if id_tag in self.refused else AuthorizationStatus.ACCEPTED
        return IdTagInfo(status, parent_id_tag=self.parents.get(id_tag))

    def transaction(self, connector_id: int) -> Transaction | None:
        return self.transactions.running(connector_id)

    def meter_checkpoint(self, connector_id: int) -> int | None:
        return self.checkpoints.get(connector_id)

    # What the commands and the operation ask

    def connector_status(self, connector_id: int) -> Any:
        return SimpleNamespace(status="Available", error_code="NoError")

    def connect_websocket(self) -> None:
        self.is_connected = True

    def disconnect_websocket(self) -> None:
        self.is_connected = False

    def get_configuration_key(self, keys: Any = ()) -> dict[str, Any]:
        return {"configurationKey": [], "unknownKey": list(keys)}

    async def set_configuration_key(self, key: str, value: str) -> ConfigurationStatus:
        return ConfigurationStatus.ACCEPTED

    async def data_transfer(
        self, vendor_id: str, message_id: str | None, data: str | None
    ) -> DataTransferResponse | None:
        if isinstance(self.transfer, Exception):
            raise self.transfer
        return self.transfer

    async def dead_letters(self) -> tuple[DeadLetter, ...]:
        return tuple(self.letters)

    async def resend_dead_letters(self, sequences: Collection[int] | None = None) -> int:
        return self._take_letters(sequences)

    async def discard_dead_letters(self, sequences: Collection[int] | None = None) -> int:
        return self._take_letters(sequences)

    def _take_letters(self, sequences: Collection[int] | None) -> int:
        kept = [one for one in self.letters if sequences is not None and one.sequence not in sequences]
        taken, self.letters = len(self.letters) - len(kept), kept
        return taken

    def composite_schedule(self, *arguments: Any) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")

    charging_limit = explain_limit = composite_schedule

    async def set_charging_profile(self, *arguments: Any) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")

    async def clear_charging_profiles(self, **which: Any) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")

    @property
    def charging_profiles(self) -> Any:
        raise FeatureNotBuilt("smart charging is not built in: by a test")

    async def on_change_availability(self, connector_id: int, kind: Any) -> str:
        self.told.append(("change_availability", connector_id, kind))
        return "Accepted"

    async def start(self, **how: Any) -> None:
        self.started_with.append(how)
        for transaction in self.transactions.all_running():
            if transaction.session_id not in how["resuming_session_ids"]:
                self.transactions.stop(transaction)
        self.is_running = True

    async def stop(self) -> bool:
        was_running, self.is_running = self.is_running, False
        return was_running

    async def restart(self, **how: Any) -> bool:
        if self.is_running:
            return False
        self.started_with.append(how)
        self.is_running = True
        return True

    # What it is told

    def on_transaction_started(
        self, connector_id: int, session_id: str, id_tag: str, meter_start: float, **details: Any
    ) -> None:
        key = self.transactions.next_key
        self.transactions.add(Transaction(key, connector_id, session_id, id_tag, self.clock.now(), round(meter_start)))
        self._tell("transaction_started", connector_id, id_tag, meter_start, **details)

    def on_transaction_stopped(
        self, connector_id: int, session_id: str, reason: str, energy_wh: float, **details: Any
    ) -> None:
        transaction = self.transactions.running(connector_id)
        assert transaction is not None
        assert transaction.session_id == session_id
        self.transactions.stop(transaction)
        self._tell("transaction_stopped", connector_id, str(reason), energy_wh, **details)

    def on_session_started(self, connector_id: int, session_id: str, reason: str) -> None:
        transaction = self.transactions.running(connector_id)
        assert transaction is None or transaction.session_id == session_id
        self.sessions[connector_id] = session_id
        self._tell("session_started", connector_id, str(reason))

    def on_session_stopped(self, connector_id: int, session_id: str) -> None:
        # What the real one refuses.
        assert self.transactions.running(connector_id) is None
        assert self.sessions.pop(connector_id) == session_id
        self._tell("session_stopped", connector_id)

    def on_error(self, connector_id: int, error: Any) -> None:
        self._tell("error", connector_id, str(error.error_code), error.is_fault)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *arguments: self._tell(name.removeprefix("on_"), *arguments)

    def _tell(self, name: str, *arguments: Any, **details: Any) -> None:
        self.told.append((name, *arguments))
        self.details.append(details)

    def take(self, *, all_of_it: bool = False) -> list[tuple[Any, ...]]:
        """What was told since the last call, without offers and meter values unless asked for."""
        told, self.told = self.told, []
        self.details = []
        return [fact for fact in told if all_of_it or f"on_{fact[0]}" not in QUIET]


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


def make_configuration(units: str, profiles: str) -> dict[str, dict[str, Any]]:
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
        await trio.sleep(START.timestamp() + seconds - self.charge_point.clock.now() / 1e6)


@asynccontextmanager
async def smart_site(
    database_path: Path | None = None,
    *,
    units: str = "Current,Power",
    profiles: str = "Core,SmartCharging,RemoteTrigger",
    **options: Any,
) -> AsyncIterator[SmartSite]:
    began = trio.current_time()
    out: list[bytes] = []
    station = SimulatedStation({"meter_interval": 0, "meter_noise": 0, "fuse_limit": 200, **options})
    async with (
        CentralSystem(now=lambda: round((START.timestamp() + trio.current_time() - began) * 1e6)) as csms,
        open_charge_point(
            make_configuration(units, profiles),
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
    """`async with site(database_path, units=…, profiles=…, **options of the station) as here:`"""
    return smart_site

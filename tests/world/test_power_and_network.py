"""Power cuts, outages, late and wrong answers, a disk that fails: what is told of transactions stays whole.

In one process, on the virtual clock, with the real database.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio
from power_cut import contents, put_back

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.open import open_charge_point
from ocpp16.errors import CallFailed, StoreError
from ocpp16.observer import MessageGivenUp, ObserverEvent, StoreFailing, StoreRecovered
from ocpp16.simulation import CarPlan, Operation, SimulatedStation
from ocpp16.store.base import ChargePointChanges, Row, Table
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import dead_letters
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault

Load = Callable[[str], ModuleType]

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
"""What the Central System's clock shows when a test begins."""
SAMPLE = 60
CAR = CarPlan(plug_after=0, draw_after=0, draw_for=10_000)


def configuration(**core: Any) -> dict[str, Any]:
    return {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://csms.example/ocpp",
            "ChargePointModel": "Model",
            "ChargePointVendor": "Vendor",
            "RetryBackoffWaitMinimum": 1,
            "RetryBackoffRandomRange": 0,
        },
        "Core": {
            "NumberOfConnectors": 2,
            "AllowOfflineTxForUnknownId": True,
            "MeterValueSampleInterval": SAMPLE,
            "TransactionMessageRetryInterval": 10,
            **core,
        },
        "Security": {"SecurityProfile": 0},
    }


@dataclass
class Machine:
    """A station and its charge point, running, and what was told of them."""

    station: SimulatedStation
    charge_point: ChargePoint
    events: list[ObserverEvent] = field(default_factory=list)

    async def notify(self, event: ObserverEvent) -> None:
        self.events.append(event)

    async def charge(self, connector_id: int, id_tag: str, seconds: float) -> None:
        self.station.plug_in(connector_id, CAR)
        self.station.present_id_tag(id_tag, [connector_id])
        await trio.sleep(seconds)
        self.station.unplug(connector_id)

    def told(self, kind: type[ObserverEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def machine(csms: CentralSystem, folder: Path, station: dict[str, Any] | None = None, **options: Any) -> Any:
    """Leaving the block is a power cut: what lies on the disk then is what the next one finds."""
    made = Machine(SimulatedStation({"meter_interval": 5, "meter_noise": 0, **(station or {})}), None)  # type: ignore[arg-type]
    if "store" not in options:
        options["database_path"] = folder
    async with open_charge_point(
        configuration(), made.station, connector=csms.connector, observer=made, seed=1, **options
    ) as charge_point:
        made.charge_point = charge_point
        made.station.attach(charge_point)
        charge_point.for_station.spawn(Operation(made.station, charge_point).run)
        await trio.sleep(0.5)
        yield made
        at_the_cut = contents(folder)
        if charge_point.connection.is_connected:
            csms.abort("cp001")
        csms.is_reachable, was_reachable = False, csms.is_reachable  # nobody hears what is said after the cut
    csms.is_reachable = was_reachable
    put_back(folder, at_the_cut)


def transaction_requests(csms: CentralSystem) -> list[tuple[str, dict[str, Any]]]:
    return [
        (call.action, call.payload)
        for call in csms.calls()
        if call.action in {"StartTransaction", "StopTransaction", "MeterValues"}
    ]


def problems(world: Load, csms: CentralSystem) -> list[str]:
    """The verdict of transaction_check.py, with this Central System's ids."""
    check = world("transaction_check")
    ids = {content[1:]: number for content, number in csms.standard_answers.transactions.items()}
    requests = []
    for action, payload in transaction_requests(csms):
        content = tuple(payload.get(member) for member in ("connectorId", "idTag", "timestamp", "meterStart"))
        requests.append(check.Request(action, payload, ids.get(content)))
    found: list[str] = check.check(requests)
    return found + [f"{violation.rule}: {violation.text}" for violation in csms.violations]


def seconds(text: str) -> float:
    """After the beginning of the test."""
    return (datetime.fromisoformat(text) - NEW_YEAR) / timedelta(seconds=1)


async def test_a_car_charges_before_there_ever_was_a_central_system(
    world: Load, tmp_path: Path, autojump_clock: Any
) -> None:
    async with CentralSystem() as csms:
        csms.is_reachable = False
        async with machine(csms, tmp_path, anchor=0) as made:
            await trio.sleep(9.5)
            await made.charge(1, "A", 150)
            await trio.sleep(100)
            await made.charge(2, "B", 70)
            await trio.sleep(3600)
            assert made.charge_point.connection.queue_depth == 2 + 4 + 3, "of the start two, and two transactions wait"
            csms.is_reachable = True
            await trio.sleep(10)
            assert made.charge_point.connection.queue_depth == 0
    assert problems(world, csms) == []
    told = transaction_requests(csms)
    assert [(action, payload.get("transactionId")) for action, payload in told] == [
        ("StartTransaction", None),
        ("MeterValues", 1),
        ("MeterValues", 1),
        ("StopTransaction", 1),
        ("StartTransaction", None),
        ("MeterValues", 2),
        ("StopTransaction", 2),
    ]
    times = [payload.get("timestamp") or payload["meterValue"][0]["timestamp"] for _, payload in told]
    assert [round(seconds(text)) for text in times] == [10, 70, 130, 160, 260, 320, 330]


@pytest.mark.parametrize("policy", ["stop", "resume"])
@pytest.mark.parametrize("anchor", [0, NEW_YEAR.timestamp()], ids=["1970", "right clock"])
async def test_power_cuts_while_charging_offline(
    world: Load, tmp_path: Path, autojump_clock: Any, policy: str, anchor: float
) -> None:
    """Three lives without a Central System, whose clock may begin in 1970 each time, and a fourth with one."""
    async with CentralSystem() as csms:
        csms.is_reachable = False
        for life in range(3):
            now = anchor and anchor + trio.current_time()
            async with machine(csms, tmp_path, {"power_loss_policy": policy}, anchor=now) as made:
                if life == 0 or policy == "stop":
                    made.station.plug_in(1, CAR)
                    made.station.present_id_tag(f"TAG{life}", [1])
                await trio.sleep(200)
            await trio.sleep(1000)
        csms.is_reachable = True
        now = anchor and anchor + trio.current_time()
        async with machine(csms, tmp_path, {"power_loss_policy": policy}, anchor=now) as made:
            await trio.sleep(100)
            made.station.unplug(1)
            await trio.sleep(10)
            assert made.charge_point.connection.queue_depth == 0
            assert len(made.charge_point._runtime.ctx.transactions) == 0
    assert problems(world, csms) == []
    starts = [payload for action, payload in transaction_requests(csms) if action == "StartTransaction"]
    stops = [payload for action, payload in transaction_requests(csms) if action == "StopTransaction"]
    if policy == "resume":
        assert [stop["reason"] for stop in stops] == ["EVDisconnected"]
    else:
        assert [stop["reason"] for stop in stops] == ["PowerLoss"] * 3
        assert [start["idTag"] for start in starts] == ["TAG0", "TAG1", "TAG2"]
        # Without a clock nobody knows how long the power was away, but all ended before the last life began.
        assert all(seconds(stop["timestamp"]) <= 3601.5 for stop in stops)
        lengths = [
            seconds(stop["timestamp"]) - seconds(start["timestamp"]) for start, stop in zip(starts, stops, strict=True)
        ]
        assert all(200 - SAMPLE <= length <= 200 for length in lengths), "the last reading on disk is that old at most"
    if anchor:
        assert seconds(starts[0]["timestamp"]) == pytest.approx(0.5, abs=0.1)


async def test_a_power_cut_between_end_and_delivery(world: Load, tmp_path: Path, autojump_clock: Any) -> None:
    """The answer to StartTransaction came, the end happened offline, then the power went: one end, with the real id."""
    async with CentralSystem(first_transaction_id=500) as csms:
        async with machine(csms, tmp_path) as made:
            made.station.plug_in(1, CAR)
            made.station.present_id_tag("A", [1])
            await trio.sleep(100)
            csms.is_reachable = False
            csms.abort("cp001")
            await trio.sleep(100)
            made.station.unplug(1)
            await trio.sleep(5)
        csms.is_reachable = True
        async with machine(csms, tmp_path, anchor=NEW_YEAR.timestamp() + trio.current_time()) as made:
            await trio.sleep(20)
            assert made.charge_point.connection.queue_depth == 0
    assert problems(world, csms) == []
    stops = [payload for action, payload in transaction_requests(csms) if action == "StopTransaction"]
    assert [(stop["transactionId"], stop["reason"]) for stop in stops] == [(500, "EVDisconnected")]


@pytest.mark.parametrize(("delay", "starts"), [(35, 1), (45, 2), (75, 2)])
async def test_a_late_answer_counts(
    world: Load, tmp_path: Path, autojump_clock: Any, delay: float, starts: int
) -> None:
    """It is waited 30 s, and sent again 10 s later; an answer to any of the ids is the answer."""
    async with CentralSystem() as csms, machine(csms, tmp_path) as made:
        csms.misbehave(Fault.DELAY, "StartTransaction", seconds=delay)
        if delay > 70:
            csms.misbehave(Fault.DROP, "StartTransaction")
        await made.charge(1, "A", 200)
        await trio.sleep(100)
        assert made.charge_point.connection.queue_depth == 0
    assert problems(world, csms) == []
    assert len(csms.calls("StartTransaction")) == starts
    assert len({call.unique_id for call in csms.calls("StartTransaction")}) == starts
    assert len({str(call.payload) for call in csms.calls("StartTransaction")}) == 1


async def test_a_start_that_is_refused_for_good(world: Load, tmp_path: Path, autojump_clock: Any) -> None:
    """Dead letter after the last attempt; the end is told all the same, also after a power cut."""
    async with CentralSystem() as csms:
        csms.answers["StartTransaction"] = CallErrorAnswer("InternalError")
        async with machine(csms, tmp_path) as made:
            made.station.plug_in(1, CAR)
            made.station.present_id_tag("A", [1])
            await trio.sleep(100)
            assert [event.action for event in made.told(MessageGivenUp)] == ["StartTransaction"]
            attempts = [round(call.time) for call in csms.calls("StartTransaction")]
            assert [later - attempts[0] for later in attempts] == [0, 10, 30]
        with closing(SqliteStore.open(tmp_path / "cp001.db")) as store:
            assert len(store.load("cp001", dead_letters.TABLE)) == 1
        async with machine(csms, tmp_path, anchor=NEW_YEAR.timestamp() + trio.current_time()) as made:
            await trio.sleep(20)
            assert made.charge_point.connection.queue_depth == 0
            assert len(made.charge_point._runtime.ctx.transactions) == 0
    told = [(action, payload.get("transactionId")) for action, payload in transaction_requests(csms)]
    assert told[3:] == [("MeterValues", None), ("StopTransaction", -1)]


async def test_an_end_that_is_refused_for_good(tmp_path: Path, autojump_clock: Any) -> None:
    """It is not made up again after the next start, and what follows is not held up."""
    async with CentralSystem() as csms:
        csms.answers["StopTransaction"] = CallErrorAnswer("GenericError")
        async with machine(csms, tmp_path) as made:
            await made.charge(1, "A", 30)
            await made.charge(2, "B", 5)
            await trio.sleep(100)
            assert [event.action for event in made.told(MessageGivenUp)] == ["StopTransaction"] * 2
        csms.answers.clear()
        async with machine(csms, tmp_path, anchor=NEW_YEAR.timestamp() + trio.current_time()):
            await trio.sleep(50)
    assert len(csms.calls("StartTransaction")) == 2
    assert len(csms.calls("StopTransaction")) == 6


class FailingStore:
    """The database, on a disk that is full while `is_failing`."""

    is_volatile = False

    def __init__(self, folder: Path) -> None:
        self.is_failing = False
        self._store = SqliteStore.open(folder / "cp001.db")

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        return self._store.load(charge_point_id, table, key)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_failing:
            raise StoreError("disk full")
        return self._store.apply(batches)

    def close(self) -> None:
        self._store.close()


@asynccontextmanager
async def failing_machine(
    csms: CentralSystem, folder: Path, **options: Any
) -> AsyncIterator[tuple[FailingStore, Machine]]:
    store = FailingStore(folder)
    async with machine(csms, folder, store=store, **options) as made:
        yield store, made


async def test_nothing_of_a_transaction_leaves_before_it_is_stored(
    world: Load, tmp_path: Path, autojump_clock: Any
) -> None:
    async with CentralSystem(interval=60) as csms, failing_machine(csms, tmp_path) as (store, made):
        await trio.sleep(1)
        store.is_failing = True
        await made.charge(1, "A", 150)
        assert transaction_requests(csms) == []
        assert [event.reason for event in made.told(StoreFailing)] == ["disk full"]
        assert len(csms.calls("Heartbeat")) >= 2, "what depends on nothing goes on"
        assert csms.calls("StatusNotification")[-1].payload["status"] == "Preparing", "Charging would tell of it"
        store.is_failing = False
        await trio.sleep(60)
        assert len(made.told(StoreRecovered)) == 1
        assert [action for action, _ in transaction_requests(csms)] == [
            "StartTransaction",
            "MeterValues",
            "MeterValues",
            "StopTransaction",
        ]
        assert made.charge_point.connection.queue_depth == 0
        assert problems(world, csms) == []


async def test_an_answer_waits_for_what_it_changed(tmp_path: Path, autojump_clock: Any) -> None:
    change = {"key": "MeterValueSampleInterval", "value": "17"}
    async with CentralSystem() as csms, failing_machine(csms, tmp_path) as (store, _):
        await trio.sleep(1)
        store.is_failing = True
        assert (await csms.call("cp001", "GetConfiguration", {"key": ["HeartbeatInterval"]}))["configurationKey"]

        began = trio.current_time()
        async with trio.open_nursery() as nursery:

            async def repair() -> None:
                await trio.sleep(10)
                store.is_failing = False

            nursery.start_soon(repair)
            assert await csms.call("cp001", "ChangeConfiguration", change, 60) == {"status": "Accepted"}
        assert 10 <= trio.current_time() - began < 30

        store.is_failing = True
        with pytest.raises(CallFailed) as failed:
            await csms.call("cp001", "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}, 60)
        assert failed.value.code == "InternalError"
        store.is_failing = False
        await trio.sleep(60)
        assert await csms.call("cp001", "ChangeConfiguration", change, 60) == {"status": "Accepted"}
        assert list(csms.violations) == []


async def test_what_was_timed_by_a_wrong_clock_goes_once_its_correction_is_stored(
    world: Load, tmp_path: Path, autojump_clock: Any
) -> None:
    """Else a repeat after a power cut could carry other times, and count as another transaction."""
    async with CentralSystem() as csms:
        csms.is_reachable = False
        async with failing_machine(csms, tmp_path, anchor=0) as (store, made):
            await made.charge(1, "A", 20)
            await trio.sleep(1)
            store.is_failing = True
            csms.is_reachable = True
            await trio.sleep(25)
            assert len(csms.calls("StatusNotification")) == 3
            assert transaction_requests(csms) == []
            store.is_failing = False
            await trio.sleep(60)
            assert made.charge_point.connection.queue_depth == 0
    assert problems(world, csms) == []
    assert [action for action, _ in transaction_requests(csms)] == ["StartTransaction", "StopTransaction"]

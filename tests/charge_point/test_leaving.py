"""Stopping and leaving take StopTimeout and 10 seconds in all, whatever disk, observer, network and station do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.charge_point.feed import ObserverFeed
from ocpp16.charge_point.open import open_charge_point
from ocpp16.errors import StoreError
from ocpp16.models import Counters
from ocpp16.observer import ObserverEvent, ResetRequested, StoreFailing, StoreRecovered
from ocpp16.store.base import ChargePointChanges, Row, Table
from ocpp16.store.leaving import LAST_MOMENT
from ocpp16.store.memory import MemoryStore
from ocpp16.store.open import open_store
from ocpp16.store.tables import transactions
from ocpp16.testing import CentralSystem
from ocpp16.testing.stations import RecordingStation

STOP_TIMEOUT = 7
BOUND = STOP_TIMEOUT + 10 + LAST_MOMENT


class Disk(MemoryStore):
    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.is_full = False

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        return super().apply(batches)


class HungObserver:
    async def notify(self, event: ObserverEvent) -> None:
        await trio.sleep_forever()


class ShieldedStation(RecordingStation):
    """Its method cannot be cancelled, as one that waits for a thread."""

    seconds = 1000.0

    async def disable_evse(self, connector_id: int) -> bool:
        with trio.CancelScope(shield=True):
            await trio.sleep(self.seconds)
        return True


@pytest.fixture
def document(make_config: Any) -> Any:
    return make_config(Internal__StopTimeout=STOP_TIMEOUT)


@pytest.mark.parametrize("stops_before", [False, True])
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("is_observer_hung", [False, True])
@pytest.mark.parametrize("is_silent", [False, True])
async def test_one_deadline_for_all_of_it(
    open_bench: Any, document: Any, is_full: bool, is_observer_hung: bool, is_silent: bool, stops_before: bool
) -> None:
    disk = Disk()
    options = {"observer": HungObserver()} if is_observer_hung else {}
    async with open_bench(store=disk, document=document, **options) as bench:
        bench.begin()
        await trio.sleep(1)
        disk.is_full = is_full
        if is_silent:
            bench.csms.answers["StopTransaction"] = None
        left_at = trio.current_time()
        if stops_before:
            await bench.charge_point.stop()
            assert trio.current_time() - left_at <= STOP_TIMEOUT + 10
    assert trio.current_time() - left_at <= BOUND


async def test_a_disk_that_had_its_time_does_not_get_it_twice(open_bench: Any, document: Any) -> None:
    disk = Disk()
    async with open_bench(store=disk, document=document) as bench:
        bench.begin()
        disk.is_full = True
        await bench.charge_point.stop()
        await trio.sleep(3600)
        left_at = trio.current_time()
    assert trio.current_time() - left_at <= LAST_MOMENT


async def test_after_a_stop_that_stored_all_leaving_has_its_time(open_bench: Any, document: Any) -> None:
    disk = Disk()
    async with open_bench(store=disk, document=document) as bench:
        await bench.charge_point.stop()
        await trio.sleep(3600)
        disk.is_full = True
        bench.begin()
        trio.lowlevel.spawn_system_task(_empty_later, disk, 5)
    assert len(disk.load("cp001", transactions.TABLE)) == 1


async def _empty_later(disk: Disk, seconds: float) -> None:
    await trio.sleep(seconds)
    disk.is_full = False


async def test_a_station_that_cannot_be_cancelled(
    open_bench: Any, document: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """`stop` is bounded and names it; the block is held up by it, but all that is to be stored is."""
    station, disk = ShieldedStation(), Disk()
    async with open_bench(store=disk, document=document, station=station) as bench:
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        await trio.sleep(5)
        left_at = trio.current_time()
        await bench.charge_point.stop()
        assert trio.current_time() - left_at <= STOP_TIMEOUT + 10
        assert "ShieldedStation.disable_evse (test_leaving.py:" in caplog.text
        assert "not on disk" not in caplog.text
        caplog.clear()
    assert trio.current_time() - left_at == pytest.approx(ShieldedStation.seconds - 5, abs=5)
    assert "the block is left only when this task ends: ShieldedStation.disable_evse" in caplog.text


async def test_the_store_is_closed_before_a_task_is_waited_for(open_bench: Any, document: Any, tmp_path: Path) -> None:
    closed_after: list[float] = []

    async def look(left_at: float) -> None:
        while True:
            await trio.sleep(1)
            try:
                async with open_store(tmp_path / "cp001.db"):
                    closed_after.append(trio.current_time() - left_at)
                    return
            except StoreError:
                pass

    options = {"database_path": tmp_path, "document": document, "station": ShieldedStation()}
    async with trio.open_nursery() as nursery, open_bench(**options) as bench:
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        await trio.sleep(1)
        nursery.start_soon(look, trio.current_time())
    assert closed_after[0] <= BOUND + 1


async def test_a_reset_that_hangs_ends_with_the_block(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        bench.station.delays["reset"] = 1e6
        await bench.call("Reset", {"type": "Soft"})
        await trio.sleep(1)
        assert bench.events.of(ResetRequested)
        left_at = trio.current_time()
    assert trio.current_time() - left_at <= BOUND


async def test_nothing_begins_while_the_block_is_left(open_bench: Any, document: Any) -> None:
    async with trio.open_nursery() as nursery, open_bench(document=document) as bench:
        await bench.charge_point.stop()

        async def restart() -> None:
            with pytest.raises(Exception, match=r"closed|left"):
                await bench.charge_point.restart()

        nursery.start_soon(restart)


async def test_cut_short(open_bench: Any, document: Any) -> None:
    """What the commands do at a second signal, and when their time is up."""
    disk = Disk()
    async with open_bench(store=disk, document=document) as bench:
        bench.csms.answers["StopTransaction"] = None
        bench.begin()
        await trio.sleep(1)
        left_at = trio.current_time()
        with trio.move_on_after(2):
            await bench.charge_point.stop()
        disk.is_full = True
        bench.charge_point.abandon()
    assert trio.current_time() - left_at <= 2 + 2 * LAST_MOMENT


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("is_connected", [True, False])
@pytest.mark.parametrize("is_stopping", [False, True])
async def test_abandoned_with_a_running_transaction(
    open_bench: Any, document: Any, is_stopping: bool, is_connected: bool, is_full: bool
) -> None:
    """Nobody waits for its end, which nobody may tell any more; it lies on disk as it is."""
    disk = Disk()
    async with trio.open_nursery() as nursery, open_bench(store=disk, document=document) as bench:
        bench.station.delays["stop_transaction"] = 5
        if not is_connected:
            bench.csms.is_reachable = False
            bench.csms.abort("cp001")
        bench.begin()
        await trio.sleep(1)
        disk.is_full = is_full
        left_at = trio.current_time()
        if is_stopping:
            nursery.start_soon(bench.charge_point.stop)
            while bench.charge_point.is_running:
                await trio.lowlevel.checkpoint()
        bench.charge_point.abandon()
        assert not bench.charge_point.is_running
    assert trio.current_time() - left_at <= (2 * LAST_MOMENT if is_full else 0)
    assert len(disk.load("cp001", transactions.TABLE)) == 1
    disk.is_full = False
    async with open_bench(store=disk, document=document, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        assert bench.charge_point.transaction(1).session_id == "s1"


@pytest.mark.parametrize("is_stopping", [False, True])
async def test_abandoned_it_does_not_wait_for_the_other_side(
    open_bench: Any, document: Any, is_stopping: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Which would have to answer that the connection is closed."""
    async with trio.open_nursery() as nursery, open_bench(document=document) as bench:
        bench.csms.go_half_open("cp001")
        if is_stopping:
            nursery.start_soon(bench.charge_point.stop)
            await trio.sleep(1)
        left_at = trio.current_time()
        bench.charge_point.abandon()
    assert trio.current_time() == left_at
    assert "goes on" not in caplog.text


async def test_a_slow_observer_is_told_one_after_another_at_the_end() -> None:
    clock = trio.current_time
    told: list[tuple[float, int]] = []

    class Slow:
        async def notify(self, event: Any) -> None:
            told.append((clock(), event))
            await trio.sleep(2)

    feed = ObserverFeed(Slow(), Counters(), lambda: 10)
    await feed.finish()  # was not begun: there is nothing to wait for
    async with trio.open_nursery() as nursery:
        for number in range(3):
            feed.tell(number, number)  # type: ignore[arg-type]
        nursery.start_soon(feed.run)
        await trio.testing.wait_all_tasks_blocked()
        began = clock()
        await feed.finish()
        assert told == [(began, 0), (began + 2, 1), (began + 4, 2)]
        assert clock() == began + 6
        await feed.finish()
        nursery.cancel_scope.cancel()


async def test_database_and_files_are_told_apart(open_bench: Any, tmp_path: Path) -> None:
    """StoreRecovered comes when nothing fails any more."""
    disk = Disk()
    user = tmp_path / "user" / "u.json"
    async with open_bench(store=disk, user_config_path=user) as bench:
        user.with_name("u.json.tmp").mkdir(parents=True)
        disk.is_full = True
        bench.begin()
        with pytest.raises(StoreError):
            await bench.charge_point.configuration.set("HeartbeatInterval", "55")
        await trio.sleep(0.1)
        assert len(bench.events.of(StoreFailing)) == 2
        user.with_name("u.json.tmp").rmdir()
        await bench.charge_point.configuration.set("HeartbeatInterval", "66")
        await trio.sleep(1)
        assert bench.events.of(StoreRecovered) == []
        disk.is_full = False
        await trio.sleep(60)
        assert len(bench.events.of(StoreRecovered)) == 1


async def test_a_damaged_database_is_told(open_bench: Any, tmp_path: Path) -> None:
    (tmp_path / "cp001.db").write_bytes(b"no database at all")
    async with open_bench(database_path=tmp_path) as bench:
        (event,) = bench.events.of(StoreRecovered)
        assert "was damaged (it is no SQLite database)" in event.detail


class Repaired(MemoryStore):
    """Finds that it `is_damaged` when it is read or written, and puts that right."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.detail = ""
        self.is_damaged = False

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        if self.is_damaged:
            raise StoreError("database disk image is malformed")
        return super().load(charge_point_id, table, key)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self.put_right()
        return super().apply(batches)

    def put_right(self) -> bool:
        if self.is_damaged:
            self.detail += "the database was damaged;"
            self.is_damaged = False
        return True


async def test_damage_found_while_it_runs_is_told(open_bench: Any) -> None:
    store = Repaired()
    async with open_bench(store=store) as bench:
        await trio.sleep(1)
        store.is_damaged = True
        await bench.charge_point.stop()  # writes nothing
        await bench.charge_point.restart()
        await trio.sleep(1)
        (event,) = bench.events.of(StoreRecovered)
        assert event.detail == "the database was damaged;"
        store.is_damaged = True
        bench.begin()
        await trio.sleep(1)
        assert len(bench.events.of(StoreRecovered)) == 2
        assert bench.events.of(StoreFailing) == []


async def test_a_journal_that_was_left_is_an_outage(make_config: Any, tmp_path: Path) -> None:
    """Whoever opened the store has closed it while the charge point goes on: it is told, not kept silent."""
    told: list[ObserverEvent] = []

    class Observer:
        async def notify(self, event: ObserverEvent) -> None:
            told.append(event)

    may_leave, lent = trio.Event(), list[Any]()

    async def own(path: Path) -> None:
        async with open_store(path) as journal:
            lent.append(journal)
            await may_leave.wait()

    async with trio.open_nursery() as nursery, CentralSystem() as csms:
        nursery.start_soon(own, tmp_path / "db")
        await trio.testing.wait_all_tasks_blocked()
        async with open_charge_point(
            make_config(), RecordingStation(), store=lent[0], observer=Observer(), connector=csms.connector
        ) as charge_point:
            await charge_point.start()
            await charge_point.wait_registered()
            may_leave.set()
            await trio.sleep(5)
            charge_point.on_transaction_started(1, "s1", "TAG", 1)
            await trio.sleep(5)
            (failing,) = [event for event in told if isinstance(event, StoreFailing)]
            assert "whoever opened it has left" in failing.reason
            assert lent[0].outage == failing.reason
            with pytest.raises(StoreError):
                await charge_point.stored()

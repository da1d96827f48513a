"""A change that was asked for, and what happens while it is on its way to the disk: facts, other changes, the end.

An answer depends on its own change and on nothing else. What a start has not stored when it ends is not done.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from copy import copy
from datetime import timedelta
from typing import Any

import pytest
import trio

from ocpp16.enums import AvailabilityType, DataTransferStatus, Reason, SessionStartedReason, UnlockStatus
from ocpp16.errors import ChargePointStopped, StoreError
from ocpp16.models import DataTransferResponse
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import reservations
from ocpp16.testing import CallErrorAnswer


class Disk(MemoryStore):
    """Outlives a charge point. While `is_full` nothing can be written. `after[table]` is called once, after a commit
    with a row of that table; the disk is full from then on."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.is_full = False
        self.after: dict[str, Callable[[], None]] = {}

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        refused = super().apply(batches)
        for table in {change.table.name for _, changes in batches for change in changes} & self.after.keys():
            self.is_full = True
            self.after.pop(table)()
        return refused

    def copy(self) -> "Disk":
        """What a power cut leaves now."""
        left = Disk()
        left._rows = {who: {name: copy(rows) for name, rows in tables.items()} for who, tables in self._rows.items()}
        return left


# What is told meanwhile, and cannot be stored, is no matter of the answer


async def test_availability_in_force_is_answered_and_acted_on(open_bench: Any) -> None:
    disk = Disk()
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        disk.after["availability"] = lambda: bench.begin(2)
        answer = await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        assert answer == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.station.asked("disable_evse") == [(1,)]


async def test_a_key_in_force_is_answered(open_bench: Any, tmp_path: Any) -> None:
    """In a file of its own: the database has nothing to do with it."""
    disk = Disk()
    async with open_bench(store=disk, user_config_path=tmp_path / "user_config.json") as bench:
        await trio.sleep(1)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_call_accepted, bench, "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "7"})
            while not bench.charge_point._runtime.ctx.session.calls_in_work:
                await trio.lowlevel.checkpoint()
            bench.begin()
        assert trio.current_time() < 3


async def test_who_is_cancelled_while_what_follows_is_stored_is_told_what_is_in_force(open_bench: Any) -> None:
    """A reservation that somebody plugged in before; its row is still to be taken back. Cancelled at the next wait."""
    disk, told = Disk(), []
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        charge_point = bench.charge_point
        plug = SessionStartedReason.EV_CONNECTED
        disk.after["reservations"] = lambda: charge_point.on_session_started(1, "s1", plug)
        expiry = charge_point.for_station.clock.now_datetime() + timedelta(hours=1)
        with trio.move_on_after(2) as scope:
            told.append(await charge_point.for_station.reservations.reserve(1, "TAG1", expiry, 7))
            await trio.lowlevel.checkpoint()
            told.append("went on")
        assert scope.cancelled_caught
        assert told == ["Occupied"]
        assert trio.current_time() < 4
        disk.is_full = False
        await charge_point.stored()
        assert disk.load("cp001", reservations.TABLE) == []


async def _call_accepted(bench: Any, action: str, payload: dict[str, Any]) -> None:
    assert await bench.call(action, payload) == {"status": "Accepted"}


@pytest.mark.parametrize("action", ["SetChargingProfile", "ClearChargingProfile"])
async def test_profiles_in_force_are_answered(open_bench: Any, profile: Any, action: str) -> None:
    disk = Disk()
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        if action == "ClearChargingProfile":
            await bench.install(1, profile())
        disk.after["charging_profiles"] = lambda: bench.begin(2)
        payload = {"connectorId": 1, "csChargingProfiles": profile()} if action == "SetChargingProfile" else {}
        await _call_accepted(bench, action, payload)
        assert bench.installed() == ([1] if action == "SetChargingProfile" else [])


async def test_what_the_station_did_is_answered(open_bench: Any) -> None:
    disk = Disk()
    async with open_bench(store=disk) as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        await trio.sleep(1)
        disk.is_full = True
        stopped = bench.charge_point.on_transaction_stopped

        def unlock(connector_id: int) -> UnlockStatus:
            stopped(connector_id, "s1", Reason.UNLOCK_COMMAND, 2000)
            return UnlockStatus.UNLOCKED

        def transfer(*arguments: Any) -> DataTransferResponse:
            stopped(2, "s2", Reason.LOCAL, 2000)
            return DataTransferResponse(DataTransferStatus.ACCEPTED, "done")

        bench.station.answers.update(unlock_connector=unlock, data_transfer=transfer)
        assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        answer = await bench.call("DataTransfer", {"vendorId": "v"})
        assert answer == {"status": "Accepted", "data": "done"}
        assert trio.current_time() < 3


async def test_a_reset_happens_although_nothing_can_be_stored(open_bench: Any) -> None:
    disk = Disk()
    async with open_bench(store=disk) as bench:
        disk.is_full = True
        bench.station.delays["is_reset_allowed"] = 2
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_call_accepted, bench, "Reset", {"type": "Hard"})
            await trio.sleep(1)
            bench.begin()
        await trio.sleep(100)
        assert len(bench.station.asked("reset")) == 1


async def test_an_answer_waits_for_the_rows_that_its_change_added(open_bench: Any, profile: Any) -> None:
    """A profile that takes the place of another, which came into force when it was on its way already: a power cut in
    the moment of the answer leaves the new one."""
    disk, at_the_answer = Disk(), {}
    async with open_bench(store=disk) as bench:

        async def install(number: int, limit: float) -> None:
            await bench.charge_point.smart_charging.set_charging_profile(1, profile(number, limit))
            at_the_answer[number] = disk.copy()

        await trio.sleep(1)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(install, 9, 10)
            await trio.sleep(0.1)
            nursery.start_soon(install, 5, 6)
            await trio.sleep(0.1)
            disk.after["charging_profiles"] = lambda: None
            disk.is_full = False
            await trio.sleep(3)
            assert bench.installed() == [5]
            disk.is_full = False
    async with open_bench(store=at_the_answer[5]) as bench:
        assert bench.installed() == [5]


async def test_an_answer_waits_for_its_rows_where_a_withdrawn_change_put_back_others(
    open_bench: Any, make_config: Any
) -> None:
    """Both were asked for on a full disk: the first was given up, and its rows were put right behind the second's."""
    disk, at_the_answer = Disk(), []
    async with open_bench(store=disk, document=make_config(Internal__StoreTimeout=15)) as bench:

        async def change() -> None:
            with suppress(StoreError):
                await bench.charge_point.on_change_availability(1, AvailabilityType.INOPERATIVE)
                at_the_answer.append(disk.copy())

        await trio.sleep(1)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(change)
            await trio.sleep(5)
            nursery.start_soon(change)
            await trio.sleep(11)
            disk.after["availability"] = lambda: None  # full again after the next commit
            disk.is_full = False
            await trio.sleep(3)
            disk.is_full = False
    (left,) = at_the_answer
    async with open_bench(store=left, start=False) as bench:
        assert bench.charge_point.connector_status(1).status == "Unavailable"


async def test_what_is_in_force_is_not_refused_for_the_rows_that_follow(open_bench: Any, profile: Any) -> None:
    """Neither by a disk that fails again, nor by a caller that is cancelled then."""
    disk, said = Disk(), []
    async with open_bench(store=disk) as bench:

        async def install(number: int, limit: float) -> None:
            with trio.move_on_after(20):
                said.append(await bench.charge_point.smart_charging.set_charging_profile(1, profile(number, limit)))

        await trio.sleep(1)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(install, 9, 10)
            await trio.sleep(0.1)
            nursery.start_soon(install, 5, 6)
            await trio.sleep(0.1)
            disk.after["charging_profiles"] = lambda: None
            disk.is_full = False
        assert [str(status) for status in said] == ["Accepted", "Accepted"]
        assert bench.installed() == [5]
        disk.is_full = False
        await trio.sleep(60)
    async with open_bench(store=disk) as bench:
        assert bench.installed() == [5]


# What a start has not stored when it ends


async def _prepare(bench: Any, profile: Any) -> None:
    """A profile and a dead letter are there."""
    await bench.charge_point.smart_charging.set_charging_profile(1, profile(1))
    bench.csms.answers["StopTransaction"] = CallErrorAnswer("GenericError", "no")
    bench.begin()
    await trio.sleep(1)
    bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
    await trio.sleep(100)
    del bench.csms.answers["StopTransaction"]


async def _state(bench: Any) -> dict[str, Any]:
    charge_point = bench.charge_point
    return {
        "key": charge_point.configuration.get(["HeartbeatInterval"])["configurationKey"][0]["value"],
        "availability": str(charge_point._runtime.ctx.connectors[1].availability),
        "profiles": bench.installed(),
        "dead letters": len(await charge_point.dead_letters()),
        "waiting": charge_point.connection.queue_depth,
    }


CHANGES: dict[str, Callable[[Any, Any], Awaitable[Any]]] = {
    "key": lambda charge_point, profile: charge_point.configuration.set("HeartbeatInterval", "7"),
    "availability": lambda charge_point, profile: charge_point.on_change_availability(1, "Inoperative"),
    "profile": lambda charge_point, profile: charge_point.smart_charging.set_charging_profile(1, profile(2)),
    "no profile": lambda charge_point, profile: charge_point.smart_charging.clear_charging_profiles(),
    "resent": lambda charge_point, profile: charge_point.dead_letters.resend(),
    "discarded": lambda charge_point, profile: charge_point.dead_letters.discard(),
}


@pytest.mark.parametrize("ends", ["stop and restart", "end of the block"])
@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_ends_with_its_start(open_bench: Any, profile: Any, name: str, ends: str) -> None:
    """Two ask: the second one waits for its turn, where changes take turns."""
    disk, said = Disk(), []

    async def ask(charge_point: Any) -> None:
        try:
            said.append(await CHANGES[name](charge_point, profile))
        except ChargePointStopped as error:
            said.append(error)

    async with trio.open_nursery() as nursery, open_bench(store=disk) as bench:
        await _prepare(bench, profile)
        before = await _state(bench)
        disk.is_full = True
        for _ in range(2):
            nursery.start_soon(ask, bench.charge_point)
            await trio.sleep(0.5)
        if ends == "stop and restart":
            await bench.charge_point.stop()
            assert await bench.charge_point.restart()
            disk.is_full = False
            await trio.sleep(60)
            assert await _state(bench) == before
    assert [type(one) for one in said] == 2 * [ChargePointStopped]
    disk.is_full = False
    async with open_bench(store=disk.copy()) as bench:
        await trio.sleep(60)
        assert await _state(bench) == before


async def test_what_is_asked_while_another_start_is_read_is_refused(open_bench: Any) -> None:
    disk = Disk()
    async with open_bench(store=disk) as bench:
        await bench.charge_point.stop()
        earlier = bench.charge_point._runtime.ctx
        await bench.charge_point.restart()
        with pytest.raises(ChargePointStopped):
            await earlier.asked.commit([], apply=lambda: None, restore=list)


async def test_what_is_asked_of_a_stopped_charge_point_is_there_in_the_next_start(open_bench: Any) -> None:
    async with open_bench(store=Disk()) as bench:
        await bench.charge_point.stop()
        assert await bench.charge_point.configuration.set("ConnectionTimeOut", "7") == "Accepted"
        assert await bench.charge_point.on_change_availability(1, "Inoperative") == "Accepted"
        bench.station.calls.clear()
        await bench.charge_point.restart()
        await trio.sleep(1)
        assert bench.station.asked("set_connection_timeout") == [(7,)]
        assert bench.station.asked("disable_evse") == [(1,)]


# Facts stay facts


async def test_what_was_told_on_a_full_disk_goes_on_after_a_restart(open_bench: Any) -> None:
    """Transactions, their messages and dead letters: not yet stored, and not forgotten; sent once they are on disk."""
    disk = Disk()
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        disk.is_full = True
        bench.begin(1, "s1")
        bench.begin(2, "s2")
        bench.charge_point.on_transaction_stopped(2, "s2", Reason.LOCAL, 1700)
        await bench.charge_point.stop()
        await bench.charge_point.restart()
        bench.begin(2, "s3")
        await trio.sleep(20)
        assert bench.sent("StartTransaction") == [], "not before it is on disk"
        disk.is_full = False
        await trio.sleep(60)
        assert len(bench.sent("StartTransaction")) == 3
        assert sorted(stop["meterStop"] for stop in bench.sent("StopTransaction")) == [1500, 1700]
        assert bench.charge_point.transaction(2).session_id == "s3"
    assert bench.charge_point.counters.internal_errors == 0


async def test_a_fact_that_is_told_while_the_next_start_is_read_is_not_forgotten(open_bench: Any) -> None:
    disk = Disk()
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        await bench.charge_point.stop()
        load = disk.load

        def load_later(*arguments: Any) -> Any:
            disk.load = load  # type: ignore[method-assign]
            rows = load(*arguments)
            bench.begin()
            return rows

        disk.load = load_later  # type: ignore[assignment,method-assign]
        await bench.charge_point.restart(resuming_session_ids=["s1"])
        await trio.sleep(10)
        assert len(bench.sent("StartTransaction")) == 1
        assert bench.charge_point.transaction(1).session_id == "s1"

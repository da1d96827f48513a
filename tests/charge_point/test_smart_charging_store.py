"""Charging profiles and the disk: how often it is written, and what holds while it does not work."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import charging_profiles
from ocpp16.testing.central_system import START, CentralSystem

TX = {"chargingProfilePurpose": "TxProfile"}


class CountingStore(MemoryStore):
    """`commits`: number of changes of each. While `is_broken` there are none."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.commits: list[int] = []
        self.is_broken = False

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_broken:
            raise StoreError("disk full")
        self.commits.append(sum(len(changes) for _, changes in batches))
        return super().apply(batches)

    def profiles(self) -> list[Any]:
        """Ids in the store."""
        return [row[0] for row in self.load("cp001", charging_profiles.TABLE)]


async def test_changes_of_one_turn_are_one_commit(open_bench: Any, profile: Any) -> None:
    store = CountingStore()
    async with open_bench(store=store) as bench:
        bench.begin()
        await trio.sleep(1)

        async def commits() -> list[int]:
            await trio.sleep(0.01)
            found, store.commits = store.commits, []
            return found

        await commits()
        for number in range(1, 11):
            await bench.install(1, profile(number, stackLevel=number))
        assert await commits() == [1] * 10
        await bench.install(1, profile(10, stackLevel=3))
        assert await commits() == [2], "one goes, one is changed"
        for number in range(11, 21):
            await bench.install(1, profile(number, stackLevel=number, **TX))
        assert await commits() == [1] * 10
        await bench.clear(chargingProfilePurpose="TxDefaultProfile")
        assert await commits() == [9]
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        assert (await commits())[0] >= 11, "with the end of the transaction"
        assert store.profiles() == []
        await bench.clear()
        assert await commits() == []


async def test_a_profile_that_is_not_stored_is_not_accepted(open_bench: Any, make_config: Any, profile: Any) -> None:
    """Not in time; nor is its repeat. Nothing of it is in force then, or later."""
    store = CountingStore()
    async with open_bench(store=store, document=make_config(Internal__StoreTimeout=5)) as bench:
        bench.begin()
        await trio.sleep(1)
        store.is_broken = True
        assert await bench.install(1, profile(1, 9)) == "InternalError"
        assert store.profiles() == []
        assert bench.limits() == [None, None]
        assert await bench.install(1, profile(1, 9)) == "InternalError"
        store.is_broken = False
        await trio.sleep(60)  # the disk is tried again in ever longer intervals
        assert store.profiles() == []
        assert bench.installed() == []
        assert await bench.install(1, profile(1, 9)) == "Accepted"
        assert store.profiles() == [1]
        assert bench.limits() == [9, None]


async def test_a_profile_for_a_transaction_that_ended_meanwhile_is_refused(open_bench: Any, profile: Any) -> None:
    store = CountingStore()
    async with open_bench(store=store) as bench:
        bench.begin()
        await trio.sleep(1)
        store.is_broken = True
        async with trio.open_nursery() as nursery:

            async def end() -> None:
                await trio.sleep(1)
                bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
                store.is_broken = False

            nursery.start_soon(end)
            assert await bench.install(1, profile(1, 9, **TX)) == "Rejected"
        await trio.sleep(1)
        assert (bench.installed(), store.profiles()) == ([], [])
        bench.begin(session_id="s2")
        assert bench.limits() == [None, None]


async def test_volatile_purposes_do_not_wait_for_a_broken_disk(open_bench: Any, make_config: Any, profile: Any) -> None:
    store = CountingStore()
    document = make_config(Internal__VolatileChargingProfilePurposes="TxProfile")
    async with open_bench(store=store, document=document) as bench:
        bench.begin()
        await trio.sleep(1)
        store.is_broken = True
        before = trio.current_time()
        assert await bench.install(1, profile(1, 9, **TX)) == "Accepted"
        assert await bench.install(1, profile(1, 8, **TX)) == "Accepted"
        await trio.sleep(0.01)
        assert bench.limits() == [8, None]
        assert trio.current_time() - before < 1
        store.is_broken = False


@pytest.mark.parametrize("status", ["Accepted", "Pending"])
async def test_a_clock_that_nobody_set_ends_no_profile(
    open_bench: Any, profile: Any, tmp_path: Path, status: str
) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        assert await bench.install(0, profile(1, 16, validTo="2027-01-01T00:00:00Z")) == "Accepted"
    csms = CentralSystem()
    csms.answers["BootNotification"] = {"status": status, "currentTime": "0001-01-01T00:00:00Z", "interval": 300}
    ahead = START / 1e6 + 4 * 365 * 86_400
    async with open_bench(database_path=tmp_path, csms=csms, anchor=ahead, start=False) as bench:
        await bench.charge_point.start()
        await trio.sleep(1)
        assert bench.installed() == [1]


async def test_a_default_of_all_connectors_leaves_a_later_one_of_one_alone(
    open_bench: Any, profile: Any, tmp_path: Path
) -> None:
    """The rows are found by their ids, not in the order in which they came."""
    async with open_bench(database_path=tmp_path) as bench:
        assert await bench.install(0, profile(9, 16)) == "Accepted"
        assert await bench.install(1, profile(3, 8)) == "Accepted"
        assert bench.installed() == [3, 9]
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.installed() == [3, 9]


async def test_a_row_under_another_number_is_left_out(open_bench: Any, profile: Any) -> None:
    """It could be cleared under neither."""
    store = CountingStore()
    row = charging_profiles.ChargingProfileRow(7, 1, profile(1, 8), None)
    store.apply([("cp001", [charging_profiles.put(row)])])
    async with open_bench(store=store) as bench:
        assert bench.installed() == []
        assert bench.charge_point.counters.internal_errors == 1
        assert await bench.install(1, profile(1, 9)) == "Accepted"
        assert bench.installed() == [1]


@pytest.mark.parametrize(("key_is_another", "installed"), [(False, [1]), (True, [])])
async def test_a_profile_of_another_transaction_does_not_count(
    open_bench: Any, profile: Any, key_is_another: bool, installed: list[int]
) -> None:
    store = CountingStore()
    async with open_bench(store=store) as bench:
        bench.begin()
        await trio.sleep(1)
        assert await bench.install(1, profile(1, 9, **TX)) == "Accepted"
        (row,) = (charging_profiles.ROWS.record(row) for row in store.load("cp001", charging_profiles.TABLE))
        assert row.transaction_key == 1
        await bench.charge_point.stored()
        rows = deepcopy(store._rows)
    store._rows = rows  # as a power cut leaves it
    if key_is_another:
        store.apply([("cp001", [charging_profiles.put(row._replace(transaction_key=2))])])
    async with open_bench(store=store, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=("s1",))
        assert bench.installed() == installed
        await bench.charge_point.stored()
        assert store.profiles() == installed


async def test_the_last_room_is_taken_while_the_disk_takes_its_time(
    open_bench: Any, make_config: Any, profile: Any
) -> None:
    """By a profile that came with a remote start, and begins to count by a fact."""
    store = CountingStore()
    document = make_config(SmartCharging__MaxChargingProfilesInstalled=1)
    async with open_bench(store=store, document=document) as bench:
        request = {"idTag": "R", "connectorId": 1, "chargingProfile": profile(1, 8, **TX)}
        assert await bench.call("RemoteStartTransaction", request) == {"status": "Accepted"}
        store.is_broken = True
        async with trio.open_nursery() as nursery:

            async def begin() -> None:
                await trio.sleep(1)
                bench.begin(id_tag="R")
                assert bench.installed() == [1]
                store.is_broken = False

            nursery.start_soon(begin)
            assert await bench.install(2, profile(3, 9)) == "Rejected"
        await trio.sleep(1)
        assert (bench.installed(), store.profiles()) == ([1], [1])


async def test_volatile_ones_can_be_cleared(open_bench: Any, make_config: Any, profile: Any) -> None:
    store = CountingStore()
    document = make_config(Internal__VolatileChargingProfilePurposes="TxDefaultProfile")
    async with open_bench(store=store, document=document) as bench:
        assert await bench.install(1, profile(1, 9)) == "Accepted"
        assert (bench.installed(), store.profiles()) == ([1], [])
        assert await bench.clear(id=1) == "Accepted"
        assert bench.installed() == []
        await trio.sleep(0.01)
        assert bench.limits() == [None, None]


async def test_a_default_of_all_connectors_that_is_sent_again_takes_the_place_of_others(
    open_bench: Any, profile: Any
) -> None:
    """Though it is installed just so: it is the last one that was set."""
    async with open_bench() as bench:
        assert await bench.install(0, profile(1, 16)) == "Accepted"
        assert await bench.install(1, profile(2, 8)) == "Accepted"
        assert bench.installed() == [1, 2]
        assert await bench.install(0, profile(1, 16)) == "Accepted"
        assert bench.installed() == [1]


@pytest.mark.parametrize(("volatile", "kept"), [("ChargePointMaxProfile", [1]), ("TxProfile", [])])
async def test_what_came_with_a_remote_start_goes_on_after_a_power_cut(
    until_power_fails: Any,
    open_bench: Any,
    make_config: Any,
    profile: Any,
    tmp_path: Path,
    volatile: str,
    kept: list[int],
) -> None:
    document = make_config(Internal__VolatileChargingProfilePurposes=volatile)
    async with until_power_fails(database_path=tmp_path, document=document) as bench:
        request = {"idTag": "R", "connectorId": 1, "chargingProfile": profile(1, 8, **TX)}
        assert await bench.call("RemoteStartTransaction", request) == {"status": "Accepted"}
        bench.begin(id_tag="R")
        assert bench.installed() == [1]
    async with open_bench(database_path=tmp_path, document=document, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=("s1",))
        assert bench.installed() == kept
        assert bench.limits() == [8 if kept else None, None]

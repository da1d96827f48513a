"""Charging profiles and the disk: how often it is written, and what holds while it does not work."""

from collections.abc import Sequence
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

"""Outages, threads and the end: the batch is kept, told of once, and written as soon as that is possible."""

import gc
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from patience import PATIENCE

from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges, Put
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.open import shared_journal
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings
from ocpp16.testing.contracts import LossyStore


def nothing() -> None:
    pass


class Flaky(MemoryStore):
    """Fails while `broken` says why; `attempts` are the times of all calls."""

    def __init__(self, *, is_volatile: bool = False) -> None:
        super().__init__(is_volatile=is_volatile)
        self.broken = ""
        self.attempts: list[float] = []
        self.sizes: list[int] = []

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self.attempts.append(trio.current_time())
        self.sizes.append(sum(len(changes) for _, changes in batches))
        if self.broken:
            raise StoreError(self.broken)
        return super().apply(batches)


class Outages:
    def __init__(self, store: MemoryStore, flush_timeout: float = 10.0) -> None:
        self.told: list[str] = []
        self.journal = Journal(
            store,
            inline=True,
            retry_delays=(1.0, 2.0, 5.0),
            on_failing=self.told.append,
            on_recovered=lambda: self.told.append("recovered"),
            flush_timeout=flush_timeout,
        )


def setting(key: str, value: int = 1) -> Put:
    return settings.put(settings.SettingRow(key, value))


async def test_outage_is_told_once_and_tried_again(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    store = Flaky()
    outage = Outages(store)
    journal = outage.journal
    store.broken = "disk full"
    began = trio.current_time()
    nursery.start_soon(journal.run)
    journal.append("a", setting("1"))
    await trio.sleep(14)
    assert [round(at - began) for at in store.attempts] == [0, 1, 3, 8, 13]
    assert outage.told == ["disk full"]
    assert (journal.is_failing, journal.durable) == (True, 0)
    journal.append("a", setting("1", 2))
    journal.append("b", setting("1"))
    store.broken = ""
    await journal.wait_durable(3)
    assert round(trio.current_time() - began) == 18
    assert store.sizes[-2:] == [1, 2]  # what failed and what came since, in one commit; a's row once
    assert outage.told == ["disk full", "recovered"]
    assert settings.read(store.load("a", settings.TABLE))[0].value == 2
    store.broken = "again"
    journal.append("a", setting("2"))
    await trio.sleep(1.5)
    assert outage.told[2:] == ["again"]
    store.broken = ""
    await journal.wait_durable(4)


async def test_recovery_is_told_only_when_something_was_written(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    store = Flaky()
    store.broken = "disk full"
    outage = Outages(store)
    nursery.start_soon(outage.journal.run)
    proposal = outage.journal.propose("a", [setting("x")], apply=nothing, restore=tuple)
    await trio.sleep(0.5)
    proposal.withdraw()
    await outage.journal.wait_durable(1)
    await trio.sleep(10)
    assert (outage.told, outage.journal.is_failing) == (["disk full"], True)


async def test_cancelled_during_an_outage_it_tries_for_a_bounded_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    store = Flaky()
    outage = Outages(store, flush_timeout=4.0)
    store.broken = "disk full"
    outage.journal.append("a", setting("1"))
    waiting: list[str] = []

    async def wait() -> None:
        with trio.CancelScope(shield=True), pytest.raises(StoreError, match="ended before"):
            await outage.journal.wait_durable(1)
        waiting.append("told")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(outage.journal.run)
        nursery.start_soon(wait)
        await trio.sleep(0.5)
        cancelled = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - cancelled == pytest.approx(4.0, abs=0.1)
    assert waiting == ["told"]
    assert outage.journal.durable == 0
    with pytest.raises(StoreError, match="ended before"):
        await outage.journal.wait_durable(1)


async def test_cancelled_during_an_outage_that_ends_in_time(autojump_clock: trio.testing.MockClock) -> None:
    store = Flaky()
    outage = Outages(store, flush_timeout=10.0)
    store.broken = "disk full"
    outage.journal.append("a", setting("1"))

    async def repair() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
        store.broken = ""

    async with trio.open_nursery() as nursery:
        nursery.start_soon(outage.journal.run)
        nursery.start_soon(repair)
        await trio.sleep(0.5)
        nursery.cancel_scope.cancel()
    assert outage.journal.durable == 1
    assert len(store.load("a", settings.TABLE)) == 1


async def test_volatile_store_that_fails_waits_for_the_committer(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    store = Flaky(is_volatile=True)
    outage = Outages(store)
    journal = outage.journal
    nursery.start_soon(journal.run)
    assert journal.append("a", setting("0")) == journal.durable == 1
    store.broken = "no room"
    journal.append("a", setting("1"))
    journal.append("a", setting("2"))
    assert (journal.durable, outage.told) == (1, ["no room"])
    store.broken = ""
    await journal.wait_durable(3)
    assert outage.told[1:] == ["recovered"]
    assert journal.append("a", setting("3")) == journal.durable == 4
    assert len(store.load("a", settings.TABLE)) == 4


async def test_fault_of_a_driver_is_an_outage(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(Flaky):
        def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
            if self.broken:
                raise LookupError(self.broken)
            return super().apply(batches)

    store = Wrong()
    store.broken = "a driver's own fault"
    outage = Outages(store)
    nursery.start_soon(outage.journal.run)
    outage.journal.append("a", setting("1"))
    await trio.sleep(10)
    assert outage.told == ["LookupError: a driver's own fault"]
    assert caplog.text.count("Traceback") == 1
    store.broken = ""
    await outage.journal.wait_durable(1)
    assert outage.told[1:] == ["recovered"]


async def test_watchers_are_told_and_may_raise(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(*arguments: object) -> None:
        raise RuntimeError("a watcher's own fault")

    store, told = Flaky(), list[str]()
    outage = Outages(store)
    journal = outage.journal
    journal.watch("a", on_failing=wrong, on_recovered=wrong)
    end = journal.watch("b", on_failing=told.append, on_recovered=lambda: told.append("b"))
    nursery.start_soon(journal.run)
    store.broken = "disk full"
    journal.append("a", setting("1"))
    await trio.sleep(2)
    late: list[str] = []
    journal.watch("c", on_failing=late.append, on_recovered=lambda: late.append("c"))
    store.broken = ""
    await journal.wait_durable(1)
    assert told == ["disk full", "b"]
    assert late == ["disk full", "c"]
    assert caplog.text.count("a watcher's own fault") >= 2
    end()
    end()
    store.broken = "again"
    journal.append("a", setting("2"))
    await trio.sleep(1)
    assert len(told) == 2
    store.broken = ""
    await journal.wait_durable(2)


class Slow(MemoryStore):
    """Commits in a worker thread, and only when the test lets it."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.began = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.threads: set[int] = set()

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self.threads.add(threading.get_ident())
        self.began.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        return super().apply(batches)


async def test_slow_commit_holds_up_nobody_else_and_is_never_left_half_way() -> None:
    store = Slow()
    journal = Journal(store)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.run)
        assert journal.append("a", setting("1")) == 1
        assert await trio.to_thread.run_sync(store.began.acquire)
        assert journal.append("a", setting("2")) == 2  # while the first is being written
        assert journal.durable == 0
        nursery.cancel_scope.cancel()
        store.may_end.release(2)
    assert journal.durable == 2
    assert len(store.load("a", settings.TABLE)) == 2
    assert threading.get_ident() not in store.threads


async def test_commit_whose_committer_went_is_taken_up_by_the_next() -> None:
    store = Slow()
    journal = Journal(store)
    first_scope = trio.CancelScope()

    async def first() -> None:
        with first_scope:
            await journal.run()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(journal.run)
        await trio.testing.wait_all_tasks_blocked()
        journal.append("a", setting("1"))
        assert await trio.to_thread.run_sync(store.began.acquire)
        first_scope.cancel()
        journal.append("a", setting("2"))
        await trio.testing.wait_all_tasks_blocked()
        assert not store.began.acquire(blocking=False)  # not begun beside the first one
        store.may_end.release(2)
        await journal.wait_durable(2)
        nursery.cancel_scope.cancel()
    assert len(store.load("a", settings.TABLE)) == 2


async def test_hanging_disk_bounds_the_end_and_everything_that_waits(still_clock: Any, nursery: trio.Nursery) -> None:
    """The thread never comes back while the test looks; time passes all the same."""
    store = Slow()
    told: list[str] = []
    journal = Journal(store, inline=False, flush_timeout=4, hang_timeout=3, on_failing=told.append)
    async with trio.open_nursery() as serving:
        serving.start_soon(journal.run)
        journal.append("a", setting("1"))
        proposal = journal.propose("a", [setting("2")], apply=nothing, restore=tuple)
        assert await trio.to_thread.run_sync(store.began.acquire)
        await still_clock.advance_when_all_wait(3)
        while not told:
            await trio.lowlevel.checkpoint()
        nursery.start_soon(still_clock.advance_when_all_wait, 3)
        with pytest.raises(StoreError, match="no answer within 3 s"):
            await journal.load("a", settings.TABLE)
        nursery.start_soon(still_clock.advance_when_all_wait, 2)
        with pytest.raises(StoreError, match="not stored within 2 s: the store has not answered for 3 s"):
            await proposal.wait(2)
        nursery.start_soon(still_clock.advance_when_all_wait, 4)
        serving.cancel_scope.cancel()
    assert (journal.has_ended, journal.durable, journal.left()) == (True, 0, 2)
    # It comes back after the end: what it did is settled when the journal is served again.
    store.may_end.release(2)
    async with trio.open_nursery() as serving:
        await serving.start(journal.run)
        await journal.wait_durable(1)
        serving.cancel_scope.cancel()
    assert journal.left() == 0


async def test_sqlite_behind_the_journal(tmp_path: Path) -> None:
    """R14: when `wait_durable` returns, a second look at the file finds the rows."""
    store = SqliteStore.open(tmp_path / "db")
    journal = Journal(store)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.run)
        for n in range(20):
            number = journal.append("a", setting(f"{n:02}"))
            if n % 5 == 0:
                await journal.wait_durable(number)
                assert len(store.load("a", settings.TABLE)) == n + 1
        nursery.cancel_scope.cancel()
    assert journal.durable == 20
    store.close()
    store = SqliteStore.open(tmp_path / "db")
    assert [row[0] for row in store.load("a", settings.TABLE)] == [f"{n:02}" for n in range(20)]
    store.close()


async def test_lost_commit_would_be_noticed(tmp_path: Path) -> None:
    sqlite = SqliteStore.open(tmp_path / "db")
    store = LossyStore(sqlite, lose=lambda batches: any(who == "b" for who, _ in batches))
    journal = Journal(store)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.run)
        for who in "abc":
            await journal.wait_durable(journal.append(who, setting("1")))
        nursery.cancel_scope.cancel()
    assert [len(sqlite.load(who, settings.TABLE)) for who in "abc"] == [1, 0, 1]
    assert store.lost == 1
    store.close()


def test_one_store_in_two_runs_of_trio_with_clocks_of_their_own() -> None:
    store = Flaky()

    async def full() -> None:
        await trio.sleep(50_000)
        store.broken = "disk is full"
        async with shared_journal(store, inline=True, flush_timeout=2) as journal:
            journal.append("a", setting("1"))

    async def there_again() -> None:
        store.broken = ""
        async with shared_journal(store) as journal:
            with trio.fail_after(1):
                await journal.wait_durable(1)

    for run in (full, there_again):
        trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
        gc.collect()
    assert len(store.load("a", settings.TABLE)) == 1


def test_a_thread_that_hung_in_an_earlier_run_of_trio_is_waited_for_in_the_next() -> None:
    store = Slow()

    async def hung() -> None:
        async with shared_journal(store, inline=False, flush_timeout=0.01) as journal:
            journal.append("a", setting("1"))
            assert await trio.to_thread.run_sync(store.began.acquire)

    async def comes_back() -> None:
        async with shared_journal(store, inline=False) as journal:
            journal.append("a", setting("2"))
            await trio.testing.wait_all_tasks_blocked()
            assert not store.began.acquire(blocking=False)  # not begun beside the first one
            store.may_end.release(2)
            with trio.fail_after(PATIENCE):
                await journal.wait_durable(2)

    trio.run(hung)
    trio.run(comes_back)
    assert len(store.load("a", settings.TABLE)) == 2

"""A volatile store: what is appended is in it before `append` returns, and only the journal is at it meanwhile."""

import threading
from collections.abc import Callable, Sequence

import pytest
import trio
import trio.testing

from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges, Delete, Put
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import message_queue, settings


def setting(key: str, value: int = 1) -> Put:
    return settings.put(settings.SettingRow(key, value))


TOO_SHORT = Put(settings.TABLE, ("only a key",))


async def test_rows_are_there_at_once_and_nobody_is_woken_for_them() -> None:
    store = MemoryStore()
    journal = Journal(store)
    kicks: list[str] = []
    journal.subscribe(lambda: kicks.append("all"))
    journal.subscribe(lambda: kicks.append("a"), "a")
    number = journal.append("a", setting("x"), message_queue.put_written(1, 1, "A", "{}", 0, None, 0))
    assert (number, journal.number, journal.durable, journal.left()) == (1, 1, 1, 0)
    assert store.load("a", settings.TABLE) == [("x", "1")]
    journal.append("a", setting("x", 2), Delete(message_queue.TABLE, (1,)))
    assert store.reopen().load("a", settings.TABLE) == [("x", "2")]
    assert store.load("a", message_queue.TABLE) == []
    assert kicks == ["all", "all"]
    assert (journal.append("a"), journal.append("b")) == (2, 2)
    await journal.wait_durable(2)


def test_a_shelf_is_one_whoever_asks_for_it() -> None:
    store = MemoryStore()
    first, other = Journal(store), Journal(store.reopen())
    shelf = first.shelf("a")
    assert store.charge_points() == [], "nothing was told of it yet"
    for number, journal in enumerate((first, other, first), 1):
        journal.take("a", (setting(f"x{number}", number),), journal.shelf("a") if number == 2 else shelf)
    assert store.load("a", settings.TABLE) == [("x1", "1"), ("x2", "2"), ("x3", "3")]
    assert store.charge_points() == ["a"]


async def test_what_waits_for_a_proposal_is_kicked() -> None:
    journal = Journal(MemoryStore())
    kicks: list[int] = []
    journal.subscribe(lambda: kicks.append(journal.durable), "a")
    proposal = journal.propose("a", [setting("x")], apply=lambda: None, restore=lambda: ())
    assert (proposal.is_applied, kicks) == (True, [1])


async def test_impossible_append_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    told: list[str] = []
    journal = Journal(store, on_internal_error=lambda place, error: told.append(f"{place}: {error}"))
    journal.append("a", setting("before"))
    assert journal.append("a", setting("with"), TOO_SHORT) == 2
    assert journal.append("a", setting("after")) == journal.durable == 3
    assert [row[0] for row in store.load("a", settings.TABLE)] == ["after", "before"]
    assert told == ["store: settings has 2 columns, not 1"]
    assert "it is left out" in caplog.text


async def test_what_is_appended_by_apply_comes_after_what_was_applied() -> None:
    store = MemoryStore()
    journal = Journal(store)

    def apply() -> None:
        journal.append("a", setting("x", 2))

    journal.propose("a", [setting("x", 1)], apply=apply, restore=lambda: [setting("x", 2)])
    assert store.load("a", settings.TABLE) == [("x", "2")]
    assert journal.durable == journal.number


async def test_closed_store_is_an_outage(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    reasons: list[str] = []
    journal = Journal(store, inline=True, on_failing=reasons.append)
    journal.append("a", setting("x"))
    store.close()
    assert journal.append("a", setting("x", 2)) == 2
    assert (journal.durable, journal.is_failing, journal.left()) == (1, True, 1)
    assert reasons == ["the store is closed"]


async def test_apply_of_a_kind_of_its_own_is_asked() -> None:
    applied: list[str] = []

    class Counting(MemoryStore):
        def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
            applied.extend(charge_point_id for charge_point_id, _ in batches)
            return super().apply(batches)

    Journal(Counting()).append("a", setting("x"))
    assert applied == ["a"]


class Slow(MemoryStore):
    """Fails once; then every commit waits in its thread until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = True
        self.is_busy = False
        self.collisions = 0
        self.may_go = threading.Semaphore(0)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.fails:
            self.fails = False
            raise StoreError("not now")
        if self.is_busy:
            self.collisions += 1
            raise StoreError("two at the store")
        self.is_busy = True
        assert self.may_go.acquire(timeout=3)
        refused = super().apply(batches)
        self.is_busy = False
        return refused


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(5):
        while not condition():
            await trio.lowlevel.checkpoint()


@pytest.mark.real_time
async def test_after_an_outage_it_waits_its_turn(nursery: trio.Nursery) -> None:
    """What a thread still writes is older than what is appended now."""
    store = Slow()
    journal = Journal(store, retry_delays=[0.0])
    await nursery.start(journal.run)
    journal.append("a", setting("x", 1))
    await until(lambda: store.is_busy)
    journal.append("a", setting("x", 2))
    store.may_go.release()
    await until(lambda: journal.durable == 1)
    await until(lambda: store.is_busy)
    assert not journal.is_failing
    journal.append("a", setting("x", 3))
    assert (journal.durable, store.collisions) == (1, 0)
    store.may_go.release()
    store.may_go.release()
    await journal.wait_durable(3)
    assert store.load("a", settings.TABLE) == [("x", "3")]

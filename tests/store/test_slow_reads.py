"""A read that takes longer than `hang_timeout`: an outage while it lasts, and no longer."""

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import trio
from patience import PATIENCE

from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges, Row, Table
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import settings


class SlowToRead(MemoryStore):
    """Reads when the test lets it: `problem`, if there is one by then."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.began = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.problem = ""

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        self.began.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        if self.problem:
            raise StoreError(self.problem)
        return super().load(charge_point_id, table, key)


async def test_a_slow_read_is_an_outage_until_it_comes_back(still_clock: Any, nursery: trio.Nursery) -> None:
    """Nothing need be written for that; one that comes back with an error proves nothing."""
    store = SlowToRead()
    told: list[str] = []
    journal = Journal(
        store, hang_timeout=3, on_failing=told.append, on_recovered=lambda: told.append(f"over: {journal.is_failing}")
    )
    await nursery.start(journal.run)

    async def read(told_by_then: int) -> None:
        async with trio.open_nursery() as reading:
            reading.start_soon(partial(journal.in_turn, lambda store: store.load("a", settings.TABLE), timeout=60))
            assert await trio.to_thread.run_sync(store.began.acquire)
            await still_clock.advance_when_all_wait(3)
            while len(told) < told_by_then:
                await trio.lowlevel.checkpoint()
            store.may_end.release()

    store.problem = "I/O error"
    with pytest.raises(ExceptionGroup):
        await read(1)
    assert (told, journal.is_failing) == (["the store has not answered for 3 s"], True)
    store.problem = ""
    await read(1)
    assert (told[1:], journal.outage) == (["over: False"], "")
    await read(3)
    assert told[2:] == [told[0], told[1]]


async def test_a_read_does_not_end_the_outage_of_a_commit(nursery: trio.Nursery, still_clock: Any) -> None:
    class Full(MemoryStore):
        is_full = True

        def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
            if self.is_full:
                raise StoreError("disk full")
            return super().apply(batches)

    store, told = Full(is_volatile=False), list[str]()
    journal = Journal(store, on_failing=told.append, on_recovered=lambda: told.append("recovered"))
    await nursery.start(journal.run)
    journal.append("a", settings.put(settings.SettingRow("a", 1)))
    while not told:
        await trio.lowlevel.checkpoint()
    journal.fail("the store has not answered for 3 s", is_slow=True)
    assert await journal.load("a", settings.TABLE) == []
    found = (list(told), journal.is_failing)
    store.is_full = False  # what is left is written at the end
    assert found == (["disk full"], True)

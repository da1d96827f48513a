"""What one start leaves to the next: as much as was known of messages and transactions, and nothing that is over."""

from pathlib import Path
from typing import Any

import trio

from ocpp16.enums import Reason
from ocpp16.store.base import Table
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import message_queue, samples, transactions
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault


def stored(folder: Path, table: Table) -> int:
    """How many rows of a table there are."""
    store = SqliteStore.open(folder / "cp001.db")
    try:
        return len(store.load("cp001", table))
    finally:
        store.close()


async def test_attempts_are_counted_over_it(until_power_fails: Any, open_bench: Any, tmp_path: Path) -> None:
    """TransactionMessageAttempts is 3: twice before the cut, and once after it."""
    refused = CallErrorAnswer("GenericError", "no")
    async with until_power_fails(database_path=tmp_path) as bench:
        bench.csms.answers["StartTransaction"] = refused
        bench.begin()
        await trio.sleep(12)
        assert len(bench.sent("StartTransaction")) == 2
    csms = CentralSystem()
    csms.answers["StartTransaction"] = refused
    async with open_bench(database_path=tmp_path, csms=csms) as bench:
        await trio.sleep(600)
        assert len(bench.sent("StartTransaction")) == 1
        (letter,) = await bench.charge_point.dead_letters()
        assert (letter.action, letter.attempts) == ("StartTransaction", 3)


async def test_a_transaction_that_is_over_leaves_nothing(until_power_fails: Any, tmp_path: Path) -> None:
    async with until_power_fails(database_path=tmp_path) as bench:
        bench.measure(1, 1000.0)
        bench.begin()
        await bench.charge_point.wait_all_answered()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await bench.charge_point.wait_all_answered()
    for table in (transactions.TABLE, message_queue.TABLE, samples.TABLE):
        assert stored(tmp_path, table) == 0, table.name


async def test_a_stop_does_not_wait_for_what_begins_meanwhile(open_bench: Any) -> None:
    """That is of the next start."""
    async with open_bench() as bench, trio.open_nursery() as nursery:
        bench.csms.misbehave(Fault.DELAY, "StopTransaction", seconds=2)
        bench.begin()
        await trio.sleep(1)
        before = trio.current_time()
        nursery.start_soon(bench.charge_point.stop)
        await trio.sleep(1)
        bench.begin(2, "s2", "TAG2")
        await bench.charge_point.stop()
        assert trio.current_time() - before < 3
        assert await bench.charge_point.restart()
        assert bench.charge_point.for_station.running_sessions() == ["s2"]

"""What durability costs: commits of one message, of a hundred, through the journal, and loading a long queue.

    ci/bench store

The peer is the bare insert into a table of SQLite with the same settings, without contract, savepoint and record.
"""

import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trio
from figures import note

from ocpp16.store.base import Put
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import message_queue

PAYLOAD = {
    "connectorId": 1,
    "meterValue": [
        {
            "timestamp": "2026-01-01T00:00:00.000Z",
            "sampledValue": [
                {"value": "1234567.00", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                {"value": "11040.00", "measurand": "Power.Active.Import", "unit": "W"},
            ],
        }
    ],
}
_NUMBERS = count(1)


def message() -> Put:
    return message_queue.put(message_queue.MessageRow(next(_NUMBERS), 1, "MeterValues", PAYLOAD, transaction_key=1))


@pytest.fixture(autouse=True)
def noted(benchmark: Any) -> Iterator[None]:
    """Each of these benchmarks is a figure of the report: the best of its rounds."""
    yield
    if benchmark.stats:
        text = benchmark.name.removeprefix("test_").replace("_", " ").replace("[", " (").replace("]", ")")
        note(f"store.{benchmark.name}", text, benchmark.stats.stats.min * 1e6, "µs")


@pytest.fixture(params=["FULL", "NORMAL"])
def synchronous(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(synchronous: str, tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(tmp_path / "db", synchronous=synchronous)
    yield store
    store.close()


def test_insert_one(benchmark: Any, store: SqliteStore) -> None:
    benchmark(lambda: store.apply([("cp", [message()])]))


def test_insert_one_bare(benchmark: Any, store: SqliteStore, synchronous: str) -> None:
    store.close()
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA wal_autocheckpoint = 256")
    row = message().row
    sql = f"INSERT INTO message_queue VALUES ({', '.join('?' * 8)})"
    benchmark(lambda: connection.execute(sql, ("cp", next(_NUMBERS), *row[1:])))
    connection.close()


def test_insert_batch_of_100(benchmark: Any, store: SqliteStore) -> None:
    benchmark(lambda: store.apply([("cp", [message() for _ in range(100)])]))


def test_replace_of_100_charge_points(benchmark: Any, store: SqliteStore) -> None:
    def one_each() -> None:
        row = message_queue.MessageRow(1, 1, "MeterValues", PAYLOAD, attempts=next(_NUMBERS))
        store.apply([(f"cp{n}", [message_queue.put(row)]) for n in range(100)])

    benchmark(one_each)


def test_message_comes_and_goes(benchmark: Any, store: SqliteStore) -> None:
    def both() -> None:
        put = message()
        store.apply([("cp", [put])])
        store.apply([("cp", [message_queue.delete(put.row[0])])])  # type: ignore[arg-type]

    benchmark(both)


@pytest.mark.parametrize("appended", [1, 100])
def test_journal(benchmark: Any, store: SqliteStore, appended: int) -> None:
    """From `append` to `wait_durable`, with the hop to the worker thread; so many charge points at once."""

    async def rounds(number_of: int) -> None:
        journal = Journal(store)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.run)
            for _ in range(number_of):
                for n in range(appended):
                    journal.append(f"cp{n}", message())
                await journal.wait_durable(journal.number)
            nursery.cancel_scope.cancel()

    benchmark.pedantic(trio.run, args=(rounds, 100), rounds=5)
    benchmark.extra_info["appends in a round"] = 100 * appended


def test_journal_of_a_volatile_store(benchmark: Any) -> None:
    journal = Journal(MemoryStore())

    def both() -> None:
        put = message()
        journal.append("cp", put)
        journal.append("cp", message_queue.delete(put.row[0]))  # type: ignore[arg-type]

    benchmark(both)


def test_load_10000_queued(benchmark: Any, store: SqliteStore) -> None:
    store.apply([("cp", [message() for _ in range(10_000)])])
    rows = benchmark(lambda: message_queue.read(store.load("cp", message_queue.TABLE)))
    assert len(rows) == 10_000


def test_open(benchmark: Any, store: SqliteStore) -> None:
    """With the check of a file of some 4 MB."""
    store.apply([("cp", [message() for _ in range(10_000)])])
    store.close()
    benchmark(lambda: SqliteStore.open(store.path).close())

"""Records and rows: every table agrees with the schema, and a record comes back as it went."""

import re
import sqlite3
from math import inf, nan
from pathlib import Path
from typing import Any, get_type_hints

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.enums import AuthorizationStatus, AvailabilityType, Reason
from ocpp16.errors import StoreError
from ocpp16.state.transaction import Transaction, TransactionPhase
from ocpp16.store.base import Put, Row, Table
from ocpp16.store.loading import load_all
from ocpp16.store.memory import MemoryStore
from ocpp16.store.migrations import create, load_schema
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import (
    ALL_ROWS,
    TABLES,
    availability,
    charging_profiles,
    clock_corrections,
    dead_letters,
    id_tag_cache,
    jobs,
    local_list,
    local_list_version,
    message_queue,
    meters,
    reservations,
    samples,
    settings,
    transactions,
)

MESSAGE = message_queue.MessageRow(7, 1, "StopTransaction", {"meterStop": 5, "é": [1.5, None]}, 2, 3, 4)


def made(rows: Any) -> Any:
    """Some record of a table, by its annotations."""
    values = {int: 2**40, str: "☃", bool: True}
    hints = get_type_hints(rows._record)
    return rows._record(*(values.get(hint, {"nested": [1, "☃"]}) for hint in hints.values()))


TOLD: dict[str, Any] = {
    "settings": settings.SettingRow("boot", {"nested": [1, "☃"]}),
    "availability": availability.AvailabilityRow(0, AvailabilityType.INOPERATIVE),
    "message_queue": MESSAGE,
    "dead_letters": dead_letters.DeadLetterRow(*MESSAGE, "attempts used up", 1_700_000_000_000_000),
    "samples": samples.SampleRow(3, 1, 0, {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": []}),
    "meters": meters.MeterRow(1, 2**40, 12, 3),
    "clock_corrections": clock_corrections.ClockCorrectionRow(3, -(2**50)),
    "id_tag_cache": id_tag_cache.CachedTagRow("0123", AuthorizationStatus.BLOCKED, None, "P", 9),
    "local_list": local_list.ListedTagRow("0123", AuthorizationStatus.ACCEPTED, 5, None),
    "local_list_version": local_list_version.ListVersionRow(12),
    "reservations": reservations.ReservationRow(-1, 2, "TAG", None, 77),
    "charging_profiles": charging_profiles.ChargingProfileRow(4, 0, {"stackLevel": 1}, 3),
    "jobs": jobs.JobRow("firmware", {"requestId": 1}),
}
RECORDS = {
    rows.table.name: TOLD.get(rows.table.name) or made(rows) for rows in ALL_ROWS if rows.table != transactions.TABLE
}
DOCS = Path(__file__).parents[2] / "docs" / "storage.md"


def test_schema_and_records_agree() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create(connection, load_schema(), 1)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {table.name for table in TABLES}
    for table in TABLES:
        info = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
        assert tuple(column[1] for column in info) == ("charge_point_id", *table.columns)
        key = [column[1] for column in sorted(info, key=lambda column: column[5]) if column[5]]
        assert key == ["charge_point_id", *table.key_columns]
    connection.close()


def test_every_table_is_told_of_in_the_docs() -> None:
    kept = DOCS.read_text().partition("| kept | where | until |")[2].partition("\n\n")[0]
    assert {table.name for table in TABLES} <= set(re.findall(r"`(\w+)`", kept))


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_record_comes_back(tmp_path: Path, name: str, kind: str) -> None:
    store = MemoryStore() if kind == "memory" else SqliteStore.open(tmp_path / "db")
    (rows,) = (rows for rows in ALL_ROWS if rows.table.name == name)
    record = RECORDS[name]
    assert store.apply([("cp", [rows.put(record)])]) == {}
    (found,) = rows.read(store.load("cp", rows.table))
    assert found == record
    assert [type(value) for value in found] == [type(value) for value in record]
    store.apply([("cp", [rows.delete(*record[: len(rows.table.key_columns)])])])
    assert store.load("cp", rows.table) == []
    store.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_transaction_comes_back(tmp_path: Path, kind: str) -> None:
    store = MemoryStore() if kind == "memory" else SqliteStore.open(tmp_path / "db")
    new = Transaction(1, 2, "0042", "TAG", started_at=10, meter_start=20)
    stopped = Transaction(2, 1, "s", "TAG", 10, 20, start_given_up=True, transaction_id=-5, reservation_id=3)
    stopped.phase, stopped.stop_reason, stopped.id_tag_end = TransactionPhase.STOPPED, Reason.EV_DISCONNECTED, "0042"
    put = transactions.put(new)
    new.meter_last = 99  # after it was put: not in the row
    store.apply([("cp", [put, transactions.put(stopped)])])
    first, second = transactions.read(store.load("cp", transactions.TABLE))
    for column in transactions.TABLE.columns:
        assert getattr(second, column) == getattr(stopped, column)
    assert (first.session_id, first.meter_last, first.is_running, first.stop_reason) == ("0042", 0, True, None)
    assert second.phase is TransactionPhase.STOPPED
    assert second.stop_reason is Reason.EV_DISCONNECTED
    assert second.start_given_up is True
    store.close()


def test_message_keeps_its_link_and_not_the_id() -> None:
    """What a message depends on is in its row; the payload waits for the id."""
    put = message_queue.put(message_queue.MessageRow(1, 1, "MeterValues", {"connectorId": 1}, transaction_key=5))
    assert put.row == (1, 1, "MeterValues", '{"connectorId":1}', 0, 5, 0)


@given(
    st.dictionaries(st.text(), st.none() | st.text() | st.integers(-(2**63), 2**63 - 1), max_size=3),
    st.integers(0, 9),
    st.none() | st.integers(1, 9),
)
def test_a_payload_that_is_written_already_makes_the_same_row(
    payload: dict[str, Any], attempts: int, transaction_key: int | None
) -> None:
    row = message_queue.MessageRow(7, 1, "MeterValues", payload, attempts, transaction_key, clock_boot=2)
    written = orjson.dumps(payload).decode()
    put = message_queue.put_written(7, 1, "MeterValues", written, attempts, transaction_key, 2)
    assert put == message_queue.put(row)
    assert message_queue.read([put.row]) == [row]


def test_attempts_are_stored_and_the_order_is_by_sequence(tmp_path: Path) -> None:
    """Attempts survive a restart. The order does not depend on that of insertion or rewriting."""
    store = SqliteStore.open(tmp_path / "db")
    rows = [message_queue.MessageRow(n, 1, "MeterValues", {}) for n in (3, 1, 2)]
    store.apply([("cp", [message_queue.put(row) for row in rows])])
    store.apply([("cp", [message_queue.put(rows[1]._replace(attempts=2))])])
    store.close()
    store = SqliteStore.open(tmp_path / "db")
    found = message_queue.read(store.load("cp", message_queue.TABLE))
    assert [(row.sequence, row.attempts) for row in found] == [(1, 2), (2, 0), (3, 0)]
    store.close()


@pytest.mark.parametrize(
    ("queued", "dead", "expected"), [([], [], 1), ([4, 9], [], 10), ([4], [12], 13), ([], [3], 4), ([8], [2], 9)]
)
def test_sequence_numbers_are_not_used_again(queued: list[int], dead: list[int], expected: int) -> None:
    store = MemoryStore()
    letters = [dead_letters.DeadLetterRow(n, 1, "A", {}, 0, None, 0, "", 0) for n in dead]
    messages = [message_queue.MessageRow(n, 1, "A", {}) for n in queued]
    store.apply([("cp", [*map(dead_letters.put, letters), *map(message_queue.put, messages)])])
    loaded = load_all(store, "cp")
    assert dead_letters.next_sequence(loaded) == expected
    numbers = store.load("cp", dead_letters.NUMBERS)
    assert [len(row) for row in numbers] == [2] * len(dead)
    assert dead_letters.next_sequence({**loaded, "dead_letters": numbers}) == expected
    assert dead_letters.next_sequence({}) == 1


GOOD = transactions.put(Transaction(1, 1, "s", "TAG", 1, 2)).row


def _spoilt(column: str, value: int | str | None) -> Row:
    return tuple(value if name == column else old for name, old in zip(transactions.TABLE.columns, GOOD, strict=True))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (_spoilt("meter_start", "x"), "meter_start: 'x' is no integer"),
        (_spoilt("id_tag", 5), "id_tag: 5 is no text"),
        (_spoilt("key", None), "key: None is no integer"),
        (_spoilt("phase", "jumping"), "phase: 'jumping' is not a valid TransactionPhase"),
        (_spoilt("is_refused", 2), "is_refused: 2 is neither 0 nor 1"),
        (GOOD[:-1], "columns"),
    ],
)
def test_unreadable_row_does_not_hide_the_others(row: Row, reason: str) -> None:
    unreadable: list[tuple[Row, str]] = []
    found = transactions.read([GOOD, row, GOOD], lambda row, error: unreadable.append((row, str(error))))
    assert len(found) == 2
    assert unreadable[0][0] == row
    assert reason in unreadable[0][1]
    with pytest.raises(StoreError, match="unreadable"):
        transactions.read([row])


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"a"', '{"a":1}x', None, 5])
def test_payload_that_is_no_object_is_unreadable(text: str | int | None) -> None:
    unreadable: list[Row] = []
    row: Row = (1, 1, "A", text, 0, None, 0)
    assert message_queue.read([row], lambda row, error: unreadable.append(row)) == []
    assert unreadable == [row]


def test_what_json_cannot_hold_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"settings\.value is no JSON"):
        settings.put(settings.SettingRow("a", object()))


NOT_JSON = st.sampled_from([nan, inf, -inf, "\ud800", 2**64, -(2**63) - 1, object(), b"", {1: 2}, {"\udfff": 1}])


@given(NOT_JSON, st.lists(st.sampled_from(["list", "dict", "null"]), max_size=5))
def test_no_value_that_is_no_json_gets_in(value: Any, around: list[str]) -> None:
    for kind in around:
        value = {"list": [1.5, value], "dict": {"a": None, "b": value}, "null": [None, value, None]}[kind]
    with pytest.raises(ValueError, match=r"^message_queue\.payload is no JSON"):
        message_queue.put(message_queue.MessageRow(1, 1, "A", {"value": value}))


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False), st.lists))
def test_json_comes_back(value: Any) -> None:
    assert settings.read([settings.put(settings.SettingRow("a", value)).row])[0].value == value


def test_table_wants_its_key_first() -> None:
    with pytest.raises(ValueError, match="first"):
        Table("t", ("b",), ("a", "b"))


def test_put_snapshots_the_payload() -> None:
    payload = {"a": 1}
    put = jobs.put(jobs.JobRow("log", payload))
    payload["a"] = 2
    assert put == Put(jobs.TABLE, ("log", '{"a":1}'))


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.just("\ud800"),
    st.just("[" * 100_000),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(), st.integers(), max_size=2),
)


@pytest.mark.parametrize("rows", ALL_ROWS, ids=lambda rows: rows.table.name)
@given(data=st.data())
def test_row_of_anything_is_read_or_a_value_error(rows: Any, data: st.DataObject) -> None:
    columns = len(rows.table.columns)
    row: Any = data.draw(st.tuples(*[ANYTHING] * columns) | st.lists(ANYTHING, max_size=columns + 1) | ANYTHING)
    unreadable: list[ValueError] = []
    found = rows.read([row], lambda row, error: unreadable.append(error))
    assert len(found) + len(unreadable) == 1
    for error in unreadable:
        assert str(error).startswith(rows.table.name)
        assert len(str(error)) < 250

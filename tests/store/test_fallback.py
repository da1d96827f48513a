"""A file that cannot be opened now: memory stands in for it, and gets into the file when that can be opened."""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from failing_disk import FULL, MANNER, NOW, Disk, fallen_back, file_with, message, put, setting
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocpp16.enums import AuthorizationStatus, AvailabilityType
from ocpp16.errors import SchemaTooNew, StoreError
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import ChargePointChanges, Delete, Put, Row, RowChange, Store
from ocpp16.store.fallback import FallbackStore, open_or_fall_back
from ocpp16.store.loading import load_all
from ocpp16.store.memory import MemoryStore
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import (
    TABLES,
    availability,
    dead_letters,
    local_list,
    local_list_version,
    message_queue,
    meters,
    samples,
    settings,
    transactions,
)
from ocpp16.testing.contracts import check_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db"


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of any file can be read but by SQLite."""
    with monkeypatch.context() as patch:

        def refused(descriptor: int, length: int, offset: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        patch.setattr(os, "pread", refused)
        yield


def content(store: Store, who: str = "cp") -> dict[str, list[Row]]:
    return {table.name: rows for table in TABLES if (rows := store.load(who, table))}


@pytest.mark.parametrize(
    "code",
    [
        *(errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT, errno.EMFILE),
        *(errno.ENOENT, errno.ELOOP),  # a folder that is being replaced, a link somebody can take away
    ],
)
def test_what_may_pass_is_no_reason_not_to_start(path: Path, disk: Disk, code: int) -> None:
    file_with(path, setting("a"))
    store = fallen_back(path, disk, OSError(code, os.strerror(code)))
    assert store.is_degraded
    assert os.strerror(code) in store.reason
    assert content(store) == {"settings": [("a", "1")]}
    put(store, setting("b"))
    store.adopt(store.try_open())
    put(store, setting("c"))
    assert content(store).keys() == {"settings"}
    store.close()
    again = SqliteStore.open(path)
    assert [row[0] for row in again.load("cp", settings.TABLE)] == ["a", "b", "c"]
    again.close()


@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY"])
def test_errors_of_sqlite_that_may_pass(path: Path, disk: Disk, name: str) -> None:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorcode = getattr(sqlite3, name)
    store = fallen_back(path, disk, error)
    assert name in store.reason
    store.close()


def test_what_will_never_do_is_an_error(path: Path, tmp_path: Path, disk: Disk) -> None:
    holder = SqliteStore.open(path)
    with pytest.raises(StoreError, match="process has it"):
        open_or_fall_back(path, MANNER)
    holder.close()
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for impossible in (tmp_path / "folder", tmp_path / "file" / "db", tmp_path / ("x" * 300), tmp_path / "nul\0"):
        with pytest.raises(StoreError, match="cannot be opened"):
            open_or_fall_back(impossible, MANNER)
    other = sqlite3.connect(tmp_path / "other")
    other.execute("PRAGMA application_id = 77")
    other.execute("CREATE TABLE t (a)")
    other.close()
    file_with(path, setting("a"))
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    for disk.error in (None, FULL):
        with pytest.raises(StoreError, match="belongs to another program"):
            open_or_fall_back(tmp_path / "other", MANNER)
        with pytest.raises(SchemaTooNew, match="99"):
            open_or_fall_back(path, MANNER)
    disk.error = None
    with pytest.raises(SchemaTooNew):  # the lock was given back
        SqliteStore.open(path)


def test_contract_holds_before_and_after(path: Path, disk: Disk) -> None:
    def open_store() -> Store:
        return fallen_back(path, disk)

    assert "rows_are_there_after_a_restart" in check_store(open_store)


def test_nobody_else_gets_in_meanwhile(path: Path, disk: Disk) -> None:
    store = fallen_back(path, disk)
    with pytest.raises(StoreError, match="process has it"):
        SqliteStore.open(path)
    store.adopt(store.try_open())
    with pytest.raises(StoreError, match="process has it"):
        SqliteStore.open(path)
    store.close()
    SqliteStore.open(path).close()


def test_lock_of_one_that_was_opened_too_late_is_taken_over(path: Path, disk: Disk) -> None:
    late = fallen_back(path, disk)
    store = FallbackStore(path, MANNER, "no answer from the disk", None, None)
    store.take_over(late)
    with pytest.raises(StoreError, match="process has it"):
        SqliteStore.open(path)
    store.close()
    SqliteStore.open(path).close()


def test_log_of_an_empty_file_is_read_too(path: Path, disk: Disk, tmp_path: Path) -> None:
    first = SqliteStore.open(tmp_path / "first")
    put(first, setting("only in the log"))
    shutil.copy(tmp_path / "first-wal", f"{path}-wal")
    path.touch()
    first.close()
    store = fallen_back(path, disk)
    assert content(store) == {"settings": [("only in the log", "1")]}
    store.adopt(store.try_open())
    assert content(store) == {"settings": [("only in the log", "1")]}
    store.close()


def test_log_that_was_not_taken_in_is_read_too(path: Path, disk: Disk, tmp_path: Path) -> None:
    first = SqliteStore.open(tmp_path / "first")
    put(first, setting("only in the log"))
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"first{suffix}", f"{path}{suffix}")
    first.close()
    store = fallen_back(path, disk)
    assert content(store) == {"settings": [("only in the log", "1")]}
    store.close()


def test_file_that_cannot_take_it_yet_is_closed_and_memory_goes_on(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fallen_back(path, disk)
    put(store, setting("a"))

    def full(self: SqliteStore, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        raise StoreError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "apply", full)
        with pytest.raises(StoreError, match="disk is full"):
            store.adopt(store.try_open())
    assert (store.is_degraded, store.reason) == (True, "database or disk is full")
    with pytest.raises(StoreError, match="process has it"):
        SqliteStore.open(path)
    put(store, setting("b"))
    store.adopt(store.try_open())
    assert [row[0] for row in store.load("cp", settings.TABLE)] == ["a", "b"]
    store.close()


def test_closing_is_the_last_attempt(path: Path, disk: Disk) -> None:
    store = fallen_back(path, disk)
    put(store, setting("a"))
    store.close()
    store.close()
    again = SqliteStore.open(path)
    assert content(again) == {"settings": [("a", "1")]}
    again.close()
    store = fallen_back(path, disk)
    disk.error = FULL
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.apply([])
    disk.error = None
    SqliteStore.open(path).close()


def test_damaged_file_on_a_full_disk(path: Path, disk: Disk) -> None:
    """What can be read is in memory at once; the file is repaired when there is room."""
    file_with(path, *(message(n) for n in range(300)), transactions.put(Transaction(1, 1, "s", "TAG", 1, 2)))
    os.truncate(path, path.stat().st_size - 4096)
    store = fallen_back(path, disk)
    found = len(store.load("cp", message_queue.TABLE))
    assert found > 100
    put(store, message(2**45))
    store.adopt(store.try_open())
    assert "was damaged" in store.detail
    assert len(store.load("cp", message_queue.TABLE)) == found + 1
    store.close()


# The file and memory become one

WHO = st.sampled_from(["one", "two"])
CHANGE = st.one_of(
    st.builds(setting, st.sampled_from("abc"), st.integers(0, 3)),
    st.builds(lambda key: settings.delete(key), st.sampled_from("abc")),
    st.just(settings.delete()),
    st.builds(message, st.integers(1, 4)),
    st.builds(lambda n: message_queue.delete(n), st.integers(1, 4)),
    st.builds(lambda key, n: Put(samples.TABLE, (key, n, 0, "{}")), st.integers(1, 2), st.integers(1, 3)),
    st.builds(lambda key: samples.delete(key), st.integers(1, 2)),
    st.builds(lambda n: Put(local_list_version.TABLE, (n,)), st.integers(1, 9)),
    st.builds(lambda tag: local_list.put(local_list.ListedTagRow(tag, AuthorizationStatus.ACCEPTED)), st.text("ab")),
)
STORY = st.lists(st.tuples(WHO, st.lists(CHANGE, max_size=4)), max_size=8)


@hypothesis_settings(deadline=None, max_examples=40)  # files are written
@given(before=STORY, during=STORY)
def test_file_is_what_it_would_be_without_the_outage(
    before: list[tuple[str, list[RowChange]]], during: list[tuple[str, list[RowChange]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        disk, path, plain = Disk(monkeypatch), Path(folder) / "db", MemoryStore()
        for who, changes in before:
            file_with(path, *changes, who=who)
            put(plain, *changes, who=who)
        store = fallen_back(path, disk)
        for who, changes in during:
            put(store, *changes, who=who)
            put(plain, *changes, who=who)
        for who in ("one", "two"):
            assert content(store, who) == content(plain, who)
        store.adopt(store.try_open())
        for who in ("one", "two"):
            assert content(store, who) == content(plain, who)
        store.close()


@pytest.mark.usefixtures("unreadable")
class TestNothingCouldBeRead:
    def test_union_loses_nothing_of_either(self, path: Path, disk: Disk) -> None:
        old = Transaction(1, 1, "old", "TAG", 1, 2)
        file_with(path, transactions.put(old), message(1, 1), message(2), setting(settings.BOOT, 57))
        file_with(path, meters.put(meters.MeterRow(1, 100, 5)), meters.put(meters.MeterRow(2, 200, 5)))
        file_with(path, setting("only in the file"), who="another")
        store = fallen_back(path, disk)
        loaded = load_all(store, "cp")
        values = {row.key: row.value for row in settings.read(loaded["settings"])}
        first = values[settings.FIRST_NUMBER]
        assert values == {settings.BOOT: first, settings.FIRST_NUMBER: first}
        assert NOW < first < 2**53
        number = first + 1
        new = Transaction(number, 1, "new", "TAG", 1, 2)
        put(store, transactions.put(new), message(number, number), setting(settings.BOOT, first + 1))
        put(store, meters.put(meters.MeterRow(1, 150, 6)))
        put(store, message(number + 1), message_queue.delete(number + 1))
        store.adopt(store.try_open())
        assert [row[0] for row in store.load("cp", message_queue.TABLE)] == [1, 2, number]
        assert [row[2] for row in store.load("cp", transactions.TABLE)] == ["old", "new"]
        assert store.load("cp", meters.TABLE) == [(1, 150, 6, 0), (2, 200, 5, 0)]
        assert store.load("cp", settings.TABLE, (settings.BOOT,)) == [(settings.BOOT, f"{first + 1}")]
        assert len(store.load("another", settings.TABLE)) == 1
        store.close()

    def test_what_was_deleted_meanwhile_is_deleted_there_too(self, path: Path, disk: Disk) -> None:
        file_with(path, availability.put(availability.AvailabilityRow(1, AvailabilityType.INOPERATIVE)))
        tags = [local_list.put(local_list.ListedTagRow(tag, AuthorizationStatus.ACCEPTED)) for tag in "abc"]
        file_with(path, *tags, Put(local_list_version.TABLE, (7,)), setting("a"), setting("b"), setting("c"))
        store = fallen_back(path, disk)
        put(store, availability.delete(1), settings.delete("a"), settings.delete("b"), setting("b", 2))
        put(store, Put(local_list_version.TABLE, (8,)), tags[0])
        store.adopt(store.try_open())
        assert store.load("cp", availability.TABLE) == []
        assert store.load("cp", settings.TABLE) == [("b", "2"), ("c", "1")]
        assert [row[0] for row in store.load("cp", local_list.TABLE)] == ["a"]  # of two lists there is no half
        store.close()

    def test_changed_keys_of_both_hold(self, path: Path, disk: Disk) -> None:
        file_with(path, setting("configuration", {"Core": {"a": 1, "b": 1}, "Other": {"c": 1}}), setting("list", [1]))
        store = fallen_back(path, disk)
        put(store, setting("configuration", {"Core": {"b": 2}, "New": {"d": 2}}), setting("list", {"e": 2}))
        store.adopt(store.try_open())
        rows = {row.key: row.value for row in settings.read(store.load("cp", settings.TABLE))}
        assert rows["configuration"] == {"Core": {"a": 1, "b": 2}, "Other": {"c": 1}, "New": {"d": 2}}
        assert rows["list"] == {"e": 2}
        store.close()

    def test_two_outages_of_which_nobody_knows_the_time_share_no_number(self, path: Path, disk: Disk) -> None:
        """As of `open_store` without `now`: the second would take the place of what the first left in the file."""
        file_with(path, setting("a"))
        numbers = []
        for _ in range(2):
            disk.error = FULL
            store = open_or_fall_back(path, MANNER._replace(now=0))
            assert isinstance(store, FallbackStore)
            disk.error = None
            (row,) = settings.read(store.load("cp", settings.TABLE, (settings.FIRST_NUMBER,)))
            numbers.append(row.value + 1)
            put(store, message(numbers[-1]))
            store.adopt(store.try_open())
            left = [row[0] for row in store.load("cp", message_queue.TABLE)]
            store.close()
        assert left == sorted(numbers)
        assert len(set(left)) == 2

    def test_a_clock_that_is_wild_still_gives_numbers(self, path: Path, disk: Disk) -> None:
        file_with(path, setting("a"))
        for now in (-(2**62), 0, 2**62):
            disk.error = FULL
            store = open_or_fall_back(path, MANNER._replace(now=now))
            (row,) = settings.read(store.load("cp", settings.TABLE, (settings.FIRST_NUMBER,)))
            assert 2**40 <= row.value <= 2**52
            store.close()
        disk.error = None


def test_row_that_makes_no_sense_stays_for_a_person_to_see(path: Path, disk: Disk) -> None:
    file_with(path, message(1), message(2))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE message_queue SET payload = 'no json' WHERE sequence = 1")
    connection.commit()
    connection.close()
    store = fallen_back(path, disk)
    assert [row[0] for row in store.load("cp", message_queue.TABLE)] == [2]
    put(store, message_queue.delete(2))
    store.adopt(store.try_open())
    assert [row[0] for row in store.load("cp", message_queue.TABLE)] == [1]
    store.close()


def test_new_file_counts_from_one(path: Path, disk: Disk) -> None:
    store = fallen_back(path, disk)
    assert content(store) == {}
    assert dead_letters.next_sequence(load_all(store, "cp")) == 1
    store.close()


def test_delete_of_everything_reaches_the_file(path: Path, disk: Disk) -> None:
    file_with(path, setting("a"), message(1))
    store = fallen_back(path, disk)
    put(store, *(Delete(table, ()) for table in TABLES))
    store.adopt(store.try_open())
    assert content(store) == {}
    store.close()

"""The SQLite driver: its settings, its errors, its lock. The contract itself is in test_contract.py."""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.errors import StoreError
from ocpp16.store import connection as connections
from ocpp16.store.base import ChargePointChanges, Delete, Put, RowChange
from ocpp16.store.memory import MemoryStore
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.statements import grouped
from ocpp16.store.tables import message_queue, samples, settings


def setting(key: str, value: str = "1") -> Put:
    return settings.put(settings.SettingRow(key, value))


def pragma(store: SqliteStore, name: str) -> Any:
    assert store._connection is not None
    return store._connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(tmp_path / "db")
    yield store
    store.close()


KEYS = st.tuples(st.integers(1, 2), st.integers(1, 2))
CHANGES = st.one_of(
    st.builds(lambda key, value: Put(samples.TABLE, (*key, value, "{}")), KEYS, st.integers(0, 9)),
    st.builds(lambda key, length: Delete(samples.TABLE, key[:length]), KEYS, st.integers(0, 2)),
    st.builds(lambda key: setting(key), st.sampled_from("xy")),
    st.sampled_from([settings.delete("x"), settings.delete()]),
)


@given(st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.lists(CHANGES, max_size=8)), max_size=3), max_size=3))
def test_statements_put_together_leave_what_changes_one_by_one_leave(commits: list[list[ChargePointChanges]]) -> None:
    memory = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore.open(Path(folder) / "db", synchronous="NORMAL")
        for commit in commits:
            assert store.apply(commit) == memory.apply(commit) == {}
        for charge_point_id, table in product("ab", (samples.TABLE, settings.TABLE)):
            assert store.load(charge_point_id, table) == memory.load(charge_point_id, table)
        store.close()


def test_many_charge_points_are_few_statements() -> None:
    each: list[RowChange] = [settings.delete("a"), setting("b"), samples.delete(1), Put(samples.TABLE, (1, 2, 0, "{}"))]
    statements = grouped([(f"cp{n}", each) for n in range(100)])
    assert [len(parameters) for _, parameters in statements] == [100] * 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
        ("wal_autocheckpoint", 256),
        ("journal_size_limit", 2 * 1024 * 1024),
        ("auto_vacuum", 2),
        ("secure_delete", 2),
        ("application_id", connections.APPLICATION_ID),
    ],
)
def test_settings_of_the_connection(store: SqliteStore, name: str, value: object) -> None:
    assert pragma(store, name) == value
    assert store.warnings == ()


def test_normal_is_an_option(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "db", synchronous="NORMAL")
    assert pragma(store, "synchronous") == 1
    store.close()


def test_off_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="synchronous is one of FULL, NORMAL, EXTRA, not OFF"):
        SqliteStore.open(tmp_path / "db", synchronous="OFF")
    SqliteStore.open(tmp_path / "db").close()


def test_files_are_private(store: SqliteStore) -> None:
    store.apply([("cp", [setting("a")])])
    modes = {entry.name: entry.stat().st_mode & 0o777 for entry in store.path.parent.iterdir()}
    assert {"db", "db-wal", "db-shm", "db-lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_write_ahead_log_stays_small(store: SqliteStore) -> None:
    for n in range(60):
        store.apply([("cp", [setting(str(n), "x" * 60_000)])])
    assert store.path.with_name("db-wal").stat().st_size < 3 * 1024 * 1024


def test_unchanged_row_writes_nothing(store: SqliteStore) -> None:
    store.apply([("cp", [setting("a")])])
    log = store.path.with_name("db-wal")
    before = log.stat().st_size
    store.apply([("cp", [setting("a")])])
    store.apply([("cp", [settings.delete("not there")])])
    assert log.stat().st_size == before
    store.apply([("cp", [setting("a", "2")])])
    assert log.stat().st_size > before


def test_close_leaves_one_file_and_the_lock(store: SqliteStore) -> None:
    store.apply([("cp", [setting("a")])])
    store.close()
    assert {entry.name for entry in store.path.parent.iterdir()} == {"db", "db-lock"}


def _old_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A way of SQLite to lock files that knows no shared memory, and so no write-ahead log."""

    def connect(path: Path) -> sqlite3.Connection:
        address = f"{path.as_uri()}?vfs=unix-dotfile"
        return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)

    monkeypatch.setattr(connections, "connect", connect)


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_without_write_ahead_log_it_is_durable_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str
) -> None:
    _old_file_system(monkeypatch)
    store = SqliteStore.open(tmp_path / "db", synchronous=synchronous)
    (warning,) = store.warnings
    assert "write-ahead log" in warning
    assert pragma(store, "journal_mode") == "delete"
    assert pragma(store, "synchronous") == 2
    store.apply([("cp", [setting("a")])])
    store.close()
    store = SqliteStore.open(tmp_path / "db")
    assert len(store.load("cp", settings.TABLE)) == 1
    store.close()


def test_database_in_memory_only_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "connect", lambda path: sqlite3.connect(":memory:", isolation_level=None))
    with pytest.raises(StoreError, match="journal mode memory"):
        SqliteStore.open(tmp_path / "db")


def test_second_opening_is_refused_until_the_first_is_closed(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="this process has it open already"):
        SqliteStore.open(store.path)
    store.apply([("cp", [setting("a")])])
    store.close()
    SqliteStore.open(store.path).close()


CHILD = """
import sys
from ocpp16.store.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.world
def test_kill_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "db"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match=rf"another process has it open \(process {child.pid}\)"):
            SqliteStore.open(path)
        child.kill()
    SqliteStore.open(path).close()


FORKED = """
import os, sys
from ocpp16.errors import StoreError
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings

def in_a_fork(do):
    process = os.fork()
    if not process:
        try:
            do()
        except StoreError as error:
            os._exit(3 if sys.argv[2] in str(error) else 1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

def put():
    return store.apply([("cp", [settings.put(settings.SettingRow("a", 1))])])

store = SqliteStore.open(sys.argv[1])
for use in (put, lambda: store.load("cp", settings.TABLE)):
    assert in_a_fork(use) == 3, "used"
assert in_a_fork(store.close) == 0
sys.argv[2] = "another process has it open"
assert in_a_fork(lambda: SqliteStore.open(sys.argv[1])) == 3, "the lock was given back by a fork"
assert put() == {}
waiting, telling = os.pipe()
process = os.fork()
if not process:
    os.close(telling)
    os.read(waiting, 1)
    os._exit(0)
store.close()
store = SqliteStore.open(sys.argv[1])
assert store.load("cp", settings.TABLE) == [("a", "1")]
os.close(telling)
os.waitpid(process, 0)
"""


def test_a_forked_process_neither_uses_nor_keeps_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKED, str(tmp_path / "db"), "was opened by another process"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_someone_may_look_meanwhile(store: SqliteStore) -> None:
    store.apply([("cp", [setting("a")])])
    reader = sqlite3.connect(f"{store.path.as_uri()}?mode=ro", uri=True)
    assert reader.execute("SELECT key FROM settings").fetchall() == [("a",)]
    reader.close()


def test_other_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE transactions (id)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore.open(tmp_path)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore.open(tmp_path / "file" / "db")


def test_full_disk_acknowledges_nothing_and_passes(tmp_path: Path) -> None:
    """SQLite answers the limit of pages as it answers a full disk: SQLITE_FULL."""
    store = SqliteStore.open(tmp_path / "db", size_limit=200_000)
    for n in range(3):
        assert store.apply([("cp", [setting(f"{n}", "x" * 20_000)])]) == {}
    with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
        store.apply([("cp", [setting("small"), setting("large", "x" * 200_000)]), ("other", [setting("a")])])
    assert len(store.load("cp", settings.TABLE)) == 3
    assert store.load("other", settings.TABLE) == []
    store.apply([("cp", [settings.delete()])])
    assert store.apply([("other", [setting("a", "x" * 60_000)])]) == {}
    store.close()


class Failing(sqlite3.Connection):
    """A connection whose statements fail from a certain text on."""

    fails_at: str | None = None
    error: sqlite3.Error

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if self.fails_at is not None and sql.startswith(self.fails_at):
            raise self.error
        return super().execute(sql, *arguments)

    def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if self.fails_at is not None and sql.startswith(self.fails_at):
            raise self.error
        return super().executemany(sql, *arguments)


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SqliteStore, Failing]]:
    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Failing)

    monkeypatch.setattr(connections, "connect", connect)
    store = SqliteStore.open(tmp_path / "db")
    assert isinstance(store._connection, Failing)
    yield store, store._connection
    store.close()


def _error(name: str) -> sqlite3.Error:
    code = getattr(sqlite3, name)
    error = sqlite3.OperationalError(name) if name != "SQLITE_CORRUPT" else sqlite3.DatabaseError(name)
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


@pytest.mark.parametrize(
    "name", ["SQLITE_IOERR_FSYNC", "SQLITE_READONLY", "SQLITE_BUSY", "SQLITE_FULL", "SQLITE_CORRUPT"]
)
@pytest.mark.parametrize("place", ["BEGIN", "INSERT INTO settings", "SAVEPOINT", "ROLLBACK TO", "RELEASE", "COMMIT"])
def test_error_anywhere_leaves_nothing_half_done(failing: tuple[SqliteStore, Failing], name: str, place: str) -> None:
    store, connection = failing
    store.apply([("cp", [setting("before")])])
    connection.fails_at, connection.error = place, _error(name)
    batches = [("cp", [message_queue.put(message_queue.MessageRow(1, 1, "A", {})), setting("a")])]
    if place in ("SAVEPOINT", "ROLLBACK TO", "RELEASE"):  # only where a charge point is refused
        batches.append(("refused", [Put(settings.TABLE, (None, "null"))]))
    with pytest.raises(StoreError, match=f"cannot be written: {name}"):
        store.apply(batches)
    connection.fails_at = None
    assert not connection.in_transaction
    assert [row[0] for row in store.load("cp", settings.TABLE)] == ["before"]
    assert store.load("cp", message_queue.TABLE) == []
    assert store.apply([("cp", [setting("a")])]) == {}
    assert store.path.with_name("db.suspect").exists() == (name == "SQLITE_CORRUPT")


def test_unexpected_exception_leaves_no_transaction_open(failing: tuple[SqliteStore, Failing]) -> None:
    store, connection = failing
    connection.fails_at, connection.error = "COMMIT", MemoryError()  # type: ignore[assignment]
    with pytest.raises(MemoryError):
        store.apply([("cp", [setting("a")])])
    connection.fails_at = None
    assert store.apply([("cp", [setting("b")])]) == {}
    assert [row[0] for row in store.load("cp", settings.TABLE)] == ["b"]


def test_failing_read_is_a_store_error(failing: tuple[SqliteStore, Failing]) -> None:
    store, connection = failing
    connection.fails_at, connection.error = "SELECT", _error("SQLITE_IOERR_READ")
    with pytest.raises(StoreError, match="cannot be read"):
        store.load("cp", settings.TABLE)
    assert store.path.with_name("db.suspect").exists()
    connection.fails_at = None


def test_text_that_is_no_utf8_does_not_hide_the_others(store: SqliteStore) -> None:
    store.apply([("cp", [setting("a"), setting("b"), message_queue.put(message_queue.MessageRow(1, 1, "A", {}))])])
    assert store._connection is not None
    store._connection.execute("UPDATE settings SET value = CAST(x'ff22' AS TEXT) WHERE key = 'a'")
    rows = store.load("cp", settings.TABLE)
    assert rows == [("a", '\ufffd"'), ("b", '"1"')]
    unreadable: list[object] = []
    assert len(settings.read(rows, lambda row, error: unreadable.append(row))) == 1
    assert len(unreadable) == 1
    assert store._connection.text_factory is str


def test_free_space_is_given_back_at_the_opening(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "db", synchronous="NORMAL")
    store.apply([("cp", [setting(f"{n}", "x" * 100_000) for n in range(60)])])
    store.apply([("cp", [settings.delete()])])
    store.close()
    assert store.path.stat().st_size > 6_000_000
    SqliteStore.open(tmp_path / "db").close()
    assert store.path.stat().st_size < 500_000

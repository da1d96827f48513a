"""Looking into a database without taking part in it."""

import sqlite3
from pathlib import Path

import pytest

from ocpp16.errors import SchemaTooNew, StoreError
from ocpp16.store.base import Row
from ocpp16.store.snapshot import is_database, take_snapshot
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import TABLES, settings
from ocpp16.store.tables.settings import SettingRow


def fill(store: SqliteStore, charge_point_id: str, **values: int) -> None:
    changes = [settings.put(SettingRow(key, value)) for key, value in values.items()]
    assert store.apply([(charge_point_id, changes)]) == {}


def found(path: Path, charge_point_id: str = "cp001") -> list[Row]:
    return take_snapshot(path, charge_point_id).rows["settings"]


def test_while_the_store_is_open_and_after(tmp_path: Path) -> None:
    path = tmp_path / "cp.db"
    store = SqliteStore.open(path)
    fill(store, "cp001", boot=1)
    fill(store, "cp002", boot=9)
    assert found(path) == [("boot", "1")]
    fill(store, "cp001", boot=2)
    assert found(path) == [("boot", "2")]
    assert take_snapshot(path, "nobody").rows["settings"] == []
    assert take_snapshot(path, "nobody").charge_point_ids == ("cp001", "cp002")
    assert take_snapshot(path, "cp001").rows == {table.name: store.load("cp001", table) for table in TABLES}
    store.close()
    assert found(path) == [("boot", "2")]


def test_by_a_symbolic_link(tmp_path: Path) -> None:
    path, link = tmp_path / "data" / "cp.db", tmp_path / "cp.db"
    store = SqliteStore.open(path)
    fill(store, "cp001", boot=1)
    link.symlink_to(path)
    assert found(link) == [("boot", "1")]  # it is in the log
    store.close()


def test_nothing_is_left_beside_a_database_at_rest(tmp_path: Path) -> None:
    path = tmp_path / "cp.db"
    store = SqliteStore.open(path)
    fill(store, "cp001", boot=1)
    store.close()
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    assert found(path) == [("boot", "1")]
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before
    SqliteStore.open(path).close()


def test_what_a_killed_process_left_in_the_log(tmp_path: Path) -> None:
    path, copy = tmp_path / "cp.db", tmp_path / "copy" / "cp.db"
    copy.parent.mkdir()
    store = SqliteStore.open(path)
    fill(store, "cp001", boot=7)
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    store.close()
    assert found(copy) == [("boot", "7")]


def test_texts_that_are_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "cp.db"
    store = SqliteStore.open(path)
    fill(store, "cp001", boot=1)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO settings VALUES ('cp001', 'odd', CAST(x'ff' AS TEXT))")
    connection.commit()
    connection.close()
    assert found(path) == [("boot", "1"), ("odd", "\ufffd")]


def test_what_is_refused(tmp_path: Path) -> None:
    text, foreign, empty = tmp_path / "text", tmp_path / "foreign.db", tmp_path / "empty"
    text.write_text("hello" * 50)
    empty.touch()
    sqlite3.connect(foreign).execute("CREATE TABLE t (x)").connection.close()
    for path, reason in (
        (tmp_path / "nope", "No such file"),
        (text, "not a database"),
        (empty, "another program"),
        (foreign, "another program"),
        (tmp_path, "directory"),
    ):
        with pytest.raises(StoreError, match=reason):
            take_snapshot(path, "cp001")
    assert [is_database(path) for path in (foreign, text, empty, tmp_path, tmp_path / "nope")] == [True, *[False] * 4]


@pytest.mark.parametrize(("version", "error"), [(0, StoreError), (99, SchemaTooNew)])
def test_other_versions(version: int, error: type[StoreError], tmp_path: Path) -> None:
    path = tmp_path / "cp.db"
    SqliteStore.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(error, match="schema version"):
        take_snapshot(path, "cp001")


def test_damage(tmp_path: Path) -> None:
    path = tmp_path / "cp.db"
    SqliteStore.open(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    with pytest.raises(StoreError, match="cannot be read"):
        take_snapshot(path, "cp001")

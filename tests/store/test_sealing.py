"""Secrets in a database: sealed on the disk, as they were for who loads them, and lost with their key, loudly."""

import logging
import os
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from failing_disk import Disk, fallen_back

from ocpp16.errors import StoreError
from ocpp16.store import sealing
from ocpp16.store.base import Put, Row, Store
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import jobs, settings

SECRET = "s3cret-w0rd"
KEYS = settings.put(settings.SettingRow(settings.SECRETS, {"Security": {"AuthorizationKey": SECRET}}))
JOB = jobs.put(jobs.JobRow("firmware", {"location": f"ftp://user:{SECRET}@files.example/fw"}))
OPEN = settings.put(settings.SettingRow(settings.CONFIGURATION, {"Core": {"HeartbeatInterval": 7}}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cp.db"


def key_of(path: Path) -> Path:
    return path.with_name("cp.db.key")


def filled(path: Path) -> SqliteStore:
    store = SqliteStore.open(path)
    assert store.apply([("cp", [KEYS, OPEN, JOB])]) == {}
    return store


def loaded(store: Store, identity: str = "cp") -> list[Row]:
    return [*store.load(identity, settings.TABLE), *store.load(identity, jobs.TABLE)]


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file())


def at_rest(path: Path) -> list[Row]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT key, value FROM settings UNION SELECT kind, state FROM jobs").fetchall()
    connection.close()
    return rows


def test_nothing_of_them_is_in_a_file_and_all_of_them_is_loaded(path: Path) -> None:
    store = filled(path)
    assert SECRET.encode() not in content(path.parent)
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    assert store.load("cp", settings.TABLE, (settings.SECRETS,)) == [KEYS.row]
    assert store.load("cp", jobs.TABLE.narrowed()) == [("firmware",)]
    store.close()
    assert SECRET.encode() not in content(path.parent)
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()


def test_the_key_is_for_its_owner_alone_and_is_not_made_for_nothing(path: Path) -> None:
    store = SqliteStore.open(path)
    store.apply([("cp", [OPEN, jobs.put(jobs.JobRow("pricing", {"a": 1}))])])
    assert not key_of(path).exists()
    store.apply([("cp", [KEYS])])
    assert stat.S_IMODE(key_of(path).stat().st_mode) == 0o600
    assert len(key_of(path).read_bytes()) == 32
    store.close()


def test_the_same_secret_never_looks_the_same(path: Path) -> None:
    store = filled(path)
    store.apply([("other", [KEYS])])
    store.close()
    connection = sqlite3.connect(path)
    texts = [value for (value,) in connection.execute("SELECT value FROM settings WHERE key = 'secrets'")]
    connection.close()
    assert len(set(texts)) == 2


def test_what_is_put_in_another_place_does_not_open(path: Path) -> None:
    filled(path).close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO settings SELECT 'thief', key, value FROM settings")
    connection.execute("INSERT INTO jobs SELECT charge_point_id, 'log', state FROM jobs")
    connection.commit()
    connection.close()
    store = SqliteStore.open(path)
    assert loaded(store, "thief") == [OPEN.row]
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()


@pytest.mark.parametrize("left", [None, b"", b"no key of ours", bytes(32)])
def test_without_its_key_they_are_lost_and_it_is_told_once(
    path: Path, left: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path).close()
    key_of(path).unlink()
    if left is not None:
        key_of(path).write_bytes(left)
    caplog.set_level(logging.ERROR)
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row]
    assert loaded(store) == [OPEN.row]
    (record,) = caplog.records
    assert "cp.db.key is gone, or another" in record.message
    store.apply([("cp", [KEYS])])
    assert loaded(store) == [OPEN.row, KEYS.row]
    store.close()
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row, KEYS.row]
    store.close()
    damaged = path.with_name("cp.db.key.damaged")
    assert damaged.exists() is (left is not None and len(left) != 32)


def test_rows_of_before_there_was_a_seal_are_read(path: Path) -> None:
    store = SqliteStore.open(path)
    store.apply([("cp", [OPEN])])
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO jobs VALUES ('cp', 'log', '{\"sealed\": 1, \"a\": 2}')")
    connection.execute("INSERT INTO settings VALUES ('cp', 'secrets', '{\"Security\": {}}')")
    connection.commit()
    connection.close()
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row, ("secrets", '{"Security": {}}'), ("log", '{"sealed": 1, "a": 2}')]
    store.close()


def test_a_key_that_cannot_be_written_holds_up_the_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that it would have sealed is written, sealed or not; then it can be."""
    store = SqliteStore.open(path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "write_synced", full)
        with pytest.raises(StoreError, match=r"cp\.db\.key cannot be written: No space left"):
            store.apply([("cp", [OPEN, KEYS])])
    assert loaded(store) == []
    assert not key_of(path).exists()
    assert store.apply([("cp", [OPEN, KEYS])]) == {}
    assert loaded(store) == [OPEN.row, KEYS.row]
    store.close()


def test_a_key_that_cannot_be_read_is_an_outage_and_not_overwritten(path: Path) -> None:
    filled(path).close()
    key_of(path).rename(path.with_name("kept"))
    key_of(path).mkdir()
    store = SqliteStore.open(path)
    with pytest.raises(StoreError, match=r"cp\.db\.key cannot be read: Is a directory"):
        store.load("cp", jobs.TABLE)
    with pytest.raises(StoreError, match=r"cp\.db\.key cannot be written: Is a directory"):
        store.apply([("cp", [KEYS])])
    key_of(path).rmdir()
    path.with_name("kept").rename(key_of(path))
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()


def test_one_that_others_could_read_is_restricted(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(path).close()
    key_of(path).chmod(0o644)
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()
    assert stat.S_IMODE(key_of(path).stat().st_mode) == 0o600
    assert "could be read by others" in caplog.text


def test_it_comes_back_with_a_database_that_is_begun_anew(path: Path) -> None:
    store = filled(path)
    for name in os.listdir(path.parent):
        path.with_name(name).unlink()
    for _ in range(40):
        try:
            store.apply([("cp", [OPEN])])
        except StoreError:
            continue
    store.close()
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()


def test_it_comes_back_with_the_next_secret_when_it_alone_was_removed(path: Path) -> None:
    store = filled(path)
    key_of(path).unlink()
    store.apply([("cp", [JOB])])
    store.close()
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()


def test_beside_a_row_that_is_refused(path: Path) -> None:
    store = SqliteStore.open(path)
    refused = store.apply([("bad", [Put(jobs.TABLE, ("short",))]), ("cp", [KEYS, JOB])])
    assert list(refused) == ["bad"]
    assert loaded(store) == [KEYS.row, JOB.row]
    store.close()
    assert SECRET.encode() not in content(path.parent)


def test_a_database_that_is_repaired_keeps_them(path: Path) -> None:
    filled(path).close()
    data = bytearray(path.read_bytes())
    data[18] = 9  # a format that SQLite does not know
    path.write_bytes(data)
    store = SqliteStore.open(path)
    assert "damaged" in store.detail
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()


def test_a_copy_without_the_key_tells_nothing(path: Path, tmp_path: Path) -> None:
    filled(path).close()
    other = tmp_path / "elsewhere"
    other.mkdir()
    shutil.copy(path, other / "cp.db")
    store = SqliteStore.open(other / "cp.db")
    assert loaded(store) == [OPEN.row]
    store.close()


def test_a_file_that_cannot_be_opened_is_read_with_its_secrets(path: Path, disk: Disk) -> None:
    """Nor are they sealed twice when it can be opened again."""
    filled(path).close()
    before = at_rest(path)
    store = fallen_back(path, disk)
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.adopt(store.try_open())
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()
    assert at_rest(path) == before
    key_of(path).unlink()
    store = fallen_back(path, disk)
    assert loaded(store) == [OPEN.row]
    store.adopt(store.try_open())
    assert loaded(store) == [OPEN.row]
    store.close()
    assert at_rest(path) == before


def test_what_does_not_open_while_the_file_cannot_be_opened_is_not_lost(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a row that was written meanwhile, both hold; what was deleted meanwhile is deleted."""

    def failing(*_: Any, **__: Any) -> bytes:
        raise OSError(5, os.strerror(5))

    filled(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "read_regular", failing)
        store = fallen_back(path, disk)
        assert loaded(store) == [OPEN.row]
        assert f"{key_of(path)} cannot be read: Input/output error" in caplog.text
    other = settings.put(settings.SettingRow(settings.SECRETS, {"Custom": {"Password": "another"}}))
    store.apply([("cp", [other])])
    store.adopt(store.try_open())
    both = ('{"Security":{"AuthorizationKey":"s3cret-w0rd"},"Custom":{"Password":"another"}}',)
    assert loaded(store) == [OPEN.row, (settings.SECRETS, *both), JOB.row]
    store.close()
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "read_regular", failing)
        store = fallen_back(path, disk)
    store.apply([("cp", [jobs.delete("firmware"), settings.delete(settings.SECRETS), other])])
    store.adopt(store.try_open())
    assert loaded(store) == [OPEN.row, other.row]
    store.close()


def test_one_whose_mode_cannot_be_changed_opens_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path).close()
    key_of(path).chmod(0o644)

    def refused(*_: Any, **__: Any) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(Path, "chmod", refused)
    store = SqliteStore.open(path)
    assert loaded(store) == [OPEN.row, KEYS.row, JOB.row]
    store.close()

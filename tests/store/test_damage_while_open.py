"""A database that is emptied, cut or overwritten while it is open: noticed at the next commit, told, and put right."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp16.errors import StoreError
from ocpp16.store import recovery
from ocpp16.store.base import Put
from ocpp16.store.loading import load_rows
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings
from ocpp16.store.write_ahead_log import log_of


def setting(key: str) -> Put:
    return settings.put(settings.SettingRow(key, "x" * 100))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(tmp_path / "folder" / "db")
    yield store
    store.close()


def keys(store: SqliteStore) -> list[object]:
    return [row[0] for row in store.load("cp", settings.TABLE)]


def put(store: SqliteStore, key: str) -> None:
    assert store.apply([("cp", [setting(key)])]) == {}


def emptied(store: SqliteStore) -> None:
    os.truncate(store.path, 0)


def log_cut(store: SqliteStore) -> None:
    os.truncate(log_of(store.path), 0)


def log_halved(store: SqliteStore) -> None:
    os.truncate(log_of(store.path), log_of(store.path).stat().st_size // 2)


def log_overwritten(store: SqliteStore) -> None:
    overwrite(log_of(store.path), 0, log_of(store.path).stat().st_size)


def header_of_log_overwritten(store: SqliteStore) -> None:
    overwrite(log_of(store.path), 0, 32)


def pages_overwritten(store: SqliteStore) -> None:
    """In the file, after its log was taken into it."""
    take_in(store)
    overwrite(store.path, 4096 * 2, 4096 * 12)


def halved(store: SqliteStore) -> None:
    take_in(store)
    os.truncate(store.path, store.path.stat().st_size // 2)


def take_in(store: SqliteStore) -> None:
    assert store._connection is not None
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def overwrite(path: Path, place: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(os.urandom(length))


@pytest.mark.parametrize(
    "damage",
    [emptied, log_cut, log_halved, log_overwritten, header_of_log_overwritten, pages_overwritten, halved],
)
def test_damage_is_told_once_and_put_right(tmp_path: Path, damage: Callable[[SqliteStore], None]) -> None:
    """The connection still has it all."""
    store = SqliteStore.open(tmp_path / "db", now=1_778_327_625_000_000)
    for n in range(100):
        put(store, f"{n:03}")
    damage(store)
    with pytest.raises(StoreError, match=r"(emptied|damaged) while it was open"):
        put(store, "told")
    put(store, "told")
    put(store, "later")
    expected = [f"{n:03}" for n in range(100)] + ["later", "told"]
    assert keys(store) == expected
    assert "nothing is lost of it; it was kept as db.damaged-20260509T115345Z" in store.detail
    # What another process would find if this one were killed now.
    for suffix in ("", "-wal"):
        shutil.copy(f"{store.path}{suffix}", tmp_path / f"copy{suffix}")
    store.close()
    for path in (tmp_path / "copy", tmp_path / "db"):
        again = SqliteStore.open(path)
        assert (keys(again), again.detail) == (expected, "")
        again.close()


def test_what_the_connection_has_not_is_saved_from_the_disk(store: SqliteStore) -> None:
    assert store._connection is not None
    store._connection.execute("PRAGMA cache_size = 10")
    for n in range(200):
        store.apply([("cp", [settings.put(settings.SettingRow(f"{n:03}", "x" * 2000))])])
    take_in(store)
    overwrite(store.path, 4096 * 40, 4096)
    with pytest.raises(StoreError, match="was damaged while it was open"):
        put(store, "told")
    put(store, "told")
    assert 150 < len(keys(store)) < 201
    assert "was damaged" in store.detail


def test_a_tool_that_writes_does_no_harm(store: SqliteStore) -> None:
    put(store, "a")
    tool = sqlite3.connect(store.path)
    tool.execute("UPDATE settings SET value = '5'")
    tool.commit()
    put(store, "b")
    tool.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    put(store, "c")
    tool.close()
    put(store, "d")
    assert keys(store) == ["a", "b", "c", "d"]
    assert (store.load("cp", settings.TABLE, ("a",)), store.detail) == ([("a", "5")], "")


CUT_THE_INDEX = """
import os, sys
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings

store = SqliteStore.open(sys.argv[1])
size = int(sys.argv[2])

def put(key):
    assert store.apply([("cp", [settings.put(settings.SettingRow(key, key))])]) == {}

def keys():
    return [row[0] for row in store.load("cp", settings.TABLE)]

put("a")
os.truncate(store.path.with_name("db-shm"), size)
put("b")
os.truncate(store.path.with_name("db-shm"), size)
assert keys() == ["a", "b"]
os.truncate(store.path.with_name("db-shm"), size)
store.path.with_name("db-wal").unlink() if sys.argv[3] == "and the log" else None
store.close()
store = SqliteStore.open(sys.argv[1])
assert (keys(), store.detail) == (["a", "b"], "")
"""


@pytest.mark.parametrize("size", [0, 1, 16384])
@pytest.mark.parametrize("more", ["alone", "and the log"])
def test_a_cut_index_of_the_log_does_not_kill_the_process(tmp_path: Path, size: int, more: str) -> None:
    """SQLite has it mapped: what is not there any more cannot be touched (SIGBUS)."""
    command = [sys.executable, "-c", CUT_THE_INDEX, str(tmp_path / "db"), str(size), more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("files", [("-wal", "-shm"), ("", "-wal", "-shm")])
def test_what_even_the_connection_has_lost_is_told(store: SqliteStore, files: tuple[str, ...]) -> None:
    put(store, "a")
    take_in(store)
    put(store, "in the log only")
    for suffix in files:
        os.truncate(f"{store.path}{suffix}", 0)
    found = [row[0] for row in load_rows(store, "cp", settings.TABLE)]
    if store.detail == "":
        with pytest.raises(StoreError, match=r"was (emptied|damaged) while it was open"):
            put(store, "b")
    put(store, "b")
    assert keys(store) == [*found, "b"]
    assert "saved from it" in store.detail


def test_a_cut_index_that_cannot_be_put_back_is_an_outage(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    put(store, "a")
    os.truncate(store.path.with_name("db-shm"), 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", no_room)
        for call in (lambda: put(store, "b"), lambda: keys(store)):
            with pytest.raises(StoreError, match="No space left"):
                call()
    put(store, "b")
    assert keys(store) == ["a", "b"]


def test_what_lies_in_the_place_of_the_index_is_left_alone(store: SqliteStore) -> None:
    put(store, "a")
    index = store.path.with_name("db-shm")
    index.unlink()
    index.mkdir()
    put(store, "b")
    assert keys(store) == ["a", "b"]
    index.rmdir()


def test_a_replacement_that_could_not_be_finished_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was damaged is as before again, and goes on: the next start must not find what was to take its place."""
    store = SqliteStore.open(tmp_path / "db")
    put(store, "a")
    log, content = log_of(store.path), log_of(store.path).read_bytes()
    os.truncate(log, 0)
    replace = os.replace

    def fails(source: Path, target: Path) -> None:
        if ".damaged-" in str(target):
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        for _ in range(2):
            with pytest.raises(StoreError, match="was damaged"):
                put(store, "b")
    with log.open("r+b") as file:
        file.write(content)
    fresh = store.path.with_name("db.fresh")
    assert fresh.exists()
    with monkeypatch.context() as patch:
        patch.setattr(recovery, "give_up_replacement", lambda path: fails(path, Path(".damaged-")))
        with pytest.raises(StoreError, match="cannot be removed"):
            put(store, "b")
    put(store, "b")
    assert not fresh.exists()
    store.close()
    again = SqliteStore.open(store.path)
    assert (keys(again), again.detail) == (["a", "b"], "")
    again.close()

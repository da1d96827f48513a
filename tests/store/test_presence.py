"""A database that is removed, moved or replaced while it is open: noticed at the next commit, told, and put right."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import StoreError
from ocpp16.store import presence, sqlite
from ocpp16.store.base import Put
from ocpp16.store.fallback import open_or_fall_back
from ocpp16.store.journal import Journal
from ocpp16.store.migrations import load_schema
from ocpp16.store.opening import Manner
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings


def setting(key: str) -> Put:
    return settings.put(settings.SettingRow(key, "x" * 100))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(tmp_path / "folder" / "db")
    yield store
    store.close()


def noticed(store: SqliteStore, match: str) -> None:
    """Commits go on for a while where the file only has another name; then they are refused."""
    with pytest.raises(StoreError, match=match):  # noqa: PT012 - at which of them does not matter
        for n in range(16):
            put(store, f"unnoticed {n:02}")


def keys(store: SqliteStore) -> list[object]:
    return [row[0] for row in store.load("cp", settings.TABLE)]


def put(store: SqliteStore, key: str) -> None:
    assert store.apply([("cp", [setting(key)])]) == {}


def everything(path: Path) -> None:
    for entry in path.parent.glob("db*"):
        entry.unlink()


def only_the_file(path: Path) -> None:
    path.unlink()


def the_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def moved_away(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.with_name("db-wal").unlink()


def only_the_log(path: Path) -> None:
    path.with_name("db-wal").unlink()


def log_and_its_index(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(f"db{suffix}").unlink()


@pytest.mark.parametrize("has_descriptors", [True, False])
@pytest.mark.parametrize("remove", [everything, only_the_file, the_folder, moved_away, only_the_log, log_and_its_index])
def test_removed_is_told_once_and_begun_anew(
    tmp_path: Path, remove: Callable[[Path], None], has_descriptors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_descriptors:
        monkeypatch.setattr(presence, "_PATH_ONLY", 0)
    store = SqliteStore.open(tmp_path / "folder" / "db")
    for n in range(50):
        put(store, f"{n:02}")
    remove(store.path)
    noticed(store, "was removed while it was open")
    put(store, "told")
    put(store, "later")
    expected = keys(store)
    assert [key for key in expected if "unnoticed" not in str(key)] == [f"{n:02}" for n in range(50)] + [
        "later",
        "told",
    ]
    with pytest.raises(StoreError, match="process has it"):
        SqliteStore.open(store.path)
    # What another process would find if this one were killed now.
    reader = sqlite3.connect(f"{store.path.as_uri()}?mode=ro", uri=True)
    assert [key for (key,) in reader.execute("SELECT key FROM settings ORDER BY 1")] == expected
    assert reader.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    reader.close()
    assert store.path.stat().st_mode & 0o777 == 0o600
    remove(store.path)  # and once more
    noticed(store, "was removed while it was open")
    put(store, "again")
    expected = keys(store)
    store.close()
    again = SqliteStore.open(store.path)
    assert (again.detail, keys(again)) == ("", expected)
    assert "again" in expected
    again.close()


def test_removed_and_closed_leaves_all_that_was_stored(store: SqliteStore) -> None:
    put(store, "a")
    everything(store.path)
    store.close()
    again = SqliteStore.open(store.path)
    assert keys(again) == ["a"]
    again.close()


def test_removed_and_put_back_goes_on(store: SqliteStore) -> None:
    put(store, "a")
    away = store.path.with_name("away")
    store.path.rename(away)
    noticed(store, "removed")
    away.rename(store.path)
    identity = store.path.stat().st_ino
    put(store, "b")
    assert store.path.stat().st_ino == identity
    store.path.rename(away)
    noticed(store, "removed")  # told anew
    away.rename(store.path)


def test_another_file_is_not_overwritten(store: SqliteStore) -> None:
    put(store, "a")
    everything(store.path)
    store.path.write_bytes(b"somebody's")
    for _ in range(3):
        with pytest.raises(StoreError, match="another file than the one that was opened"):
            put(store, "b")
    store.close()
    assert store.path.read_bytes() == b"somebody's"


def test_another_log_is_not_overwritten(store: SqliteStore) -> None:
    put(store, "a")
    log = store.path.with_name("db-wal")
    log.unlink()
    log.write_bytes(b"somebody's")
    noticed(store, "write-ahead log is another than before")
    with pytest.raises(StoreError, match="write-ahead log is another than before"):
        put(store, "b")
    log.unlink()
    put(store, "b")
    assert {"a", "b"} <= set(keys(store))


def test_file_that_comes_in_the_last_moment_is_not_overwritten(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a")
    everything(store.path)
    link = os.link

    def late(source: Path, target: Path) -> None:
        target.write_bytes(b"somebody's")
        link(source, target)

    with pytest.raises(StoreError, match="removed"):
        put(store, "b")
    monkeypatch.setattr(os, "link", late)
    with pytest.raises(StoreError, match=r"cannot be begun anew: .*exists"):
        put(store, "b")
    monkeypatch.setattr(os, "link", link)
    assert store.path.read_bytes() == b"somebody's"
    store.path.unlink()
    put(store, "b")
    assert keys(store) == ["a", "b"]


def test_file_system_without_links(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    put(store, "a")
    everything(store.path)
    monkeypatch.setattr(os, "link", no_link)
    with pytest.raises(StoreError, match="removed"):
        put(store, "b")
    put(store, "b")
    assert keys(store) == ["a", "b"]


def test_no_room_for_a_new_one_is_an_outage_that_passes(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "a")
    everything(store.path)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="removed"):
        put(store, "b")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot be begun anew: .*No space left"):
        put(store, "b")
    monkeypatch.setattr(os, "fsync", fsync)
    put(store, "b")
    assert keys(store) == ["a", "b"]


def test_what_cannot_be_looked_at_is_not_removed(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = os.stat

    def refused(path: Any, **options: Any) -> os.stat_result:
        if isinstance(path, str) and path.startswith(str(store.path)):
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refused)
    put(store, "a")
    monkeypatch.setattr(os, "stat", stat)
    put(store, "b")


def test_replacement_that_cannot_be_opened_yet(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "a")
    everything(store.path)
    with pytest.raises(StoreError, match="removed"):
        put(store, "b")

    def full(*arguments: Any) -> Any:
        raise StoreError("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "open_database", full)
        for _ in range(2):
            with pytest.raises(StoreError, match="disk is full"):
                put(store, "b")
    put(store, "b")
    assert keys(store) == ["a", "b"]


@pytest.mark.parametrize("by", ["the driver", "the opener"])
def test_a_symbolic_link_is_the_file_it_points_to(tmp_path: Path, by: str) -> None:
    """As it is for SQLite: log and index lie beside that file, and so does all that belongs to it."""

    def opened() -> SqliteStore:
        if by == "the driver":
            return SqliteStore.open(link)
        found = open_or_fall_back(link, Manner(load_schema(), "NORMAL", None, 0))
        assert isinstance(found, SqliteStore)
        return found

    link, real = tmp_path / "db", tmp_path / "real" / "db"
    link.symlink_to(real)  # not there yet, nor its folder
    store = opened()
    put(store, "a")
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("db")] == ["db"]
    with pytest.raises(StoreError, match="process has it open"):
        SqliteStore.open(real)
    real.unlink()
    with pytest.raises(StoreError, match="removed"):
        put(store, "b")
    put(store, "b")
    store.close()
    real.write_bytes(b"no database")
    store = opened()
    assert "was damaged" in store.detail
    assert link.is_symlink()
    put(store, "c")
    shutil.copy(f"{real}-wal", tmp_path / "log")
    store.close()
    real.unlink()
    shutil.copy(tmp_path / "log", f"{real}-wal")
    store = opened()
    assert keys(store) == ["c"]
    store.close()


def test_removed_lock_is_taken_again(store: SqliteStore) -> None:
    store.path.with_name("db-lock").unlink()
    for n in range(16):
        put(store, f"{n}")
    with pytest.raises(StoreError, match="process has it open"):
        SqliteStore.open(store.path)
    store.close()
    SqliteStore.open(store.path).close()


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    for _ in range(3):
        store = SqliteStore.open(tmp_path / "db")
        put(store, "a")
        everything(store.path)
        with pytest.raises(StoreError, match="removed"):
            put(store, "b")
        put(store, "b")
        store.close()
    assert descriptors() == before


async def test_host_is_told_and_nothing_is_lost(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    store, told = SqliteStore.open(tmp_path / "db"), list[str]()
    journal = Journal(store, inline=True, on_failing=told.append, on_recovered=lambda: told.append("recovered"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.run)
        await journal.wait_durable(journal.append("cp", setting("a")))
        everything(store.path)
        await journal.wait_durable(journal.append("cp", setting("b")))
        assert told == [f"{store.path} was removed while it was open", "recovered"]
        nursery.cancel_scope.cancel()
    store.close()
    again = SqliteStore.open(tmp_path / "db")
    assert keys(again) == ["a", "b"]
    again.close()


@pytest.mark.parametrize("removed", [only_the_log, log_and_its_index, only_the_file, everything])
@pytest.mark.parametrize("step", ["unlink", "replace", "link"])
def test_a_power_cut_while_it_is_begun_anew_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: Callable[[Path], None], step: str
) -> None:
    """What lies in the folder before each step is what the next start would find."""
    store = SqliteStore.open(tmp_path / "folder" / "db")
    put(store, "a")
    put(store, "b")
    removed(store.path)
    noticed(store, "removed")
    cuts = list[Path]()
    original = getattr(os, step)

    def cut(*arguments: Any, **options: Any) -> Any:
        if store.path.with_name("db.fresh").exists():
            cuts.append(tmp_path / f"cut {len(cuts)}")
            shutil.copytree(store.path.parent, cuts[-1], ignore=shutil.ignore_patterns("db-shm"))
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, step, cut)
        put(store, "c")
    store.close()
    is_linked = removed in (only_the_file, everything)
    assert bool(cuts) is (step == "unlink" or is_linked is (step == "link"))
    for folder in cuts:
        again = SqliteStore.open(folder / "db")
        assert {"a", "b"} <= set(keys(again))
        again.close()

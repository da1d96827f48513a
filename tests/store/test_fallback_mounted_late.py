"""A disk that is not there yet, or another than before: memory deletes nothing of what it did not read."""

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from failing_disk import MANNER, Disk, fallen_back, file_with, message, put, setting

from ocpp16.errors import StoreError
from ocpp16.store import fallback
from ocpp16.store.fallback import FallbackStore, open_or_fall_back
from ocpp16.store.lock import FileLock
from ocpp16.store.opening import Unavailable
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import (
    message_queue,
    settings,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db"


def test_a_disk_that_is_mounted_later_keeps_what_it_has(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the folder cannot be locked, a file that is not there is none that is new."""
    file_with(path, setting("a"), message(1), message(2))
    folder, elsewhere = path.parent, path.parent.with_name("not mounted yet")
    folder.rename(elsewhere)

    def read_only(*arguments: object) -> FileLock:
        raise Unavailable(f"{path} cannot be opened: Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(fallback, "take_lock", read_only)
        store = open_or_fall_back(path, MANNER)
    assert isinstance(store, FallbackStore)
    first = next(json.loads(str(row[1])) for row in store.load("cp", settings.TABLE, (settings.FIRST_NUMBER,)))
    assert first > 2**40
    put(store, message(first))
    elsewhere.rename(folder)
    store.adopt(store.try_open())
    assert [row[0] for row in store.load("cp", message_queue.TABLE)] == [1, 2, first]
    assert ("a", "1") in store.load("cp", settings.TABLE)
    store.close()


@pytest.mark.parametrize("was_there", [True, False])
@pytest.mark.parametrize("how", ["mounted over", "put there"])
def test_another_file_than_the_one_that_was_read_is_not_overwritten(
    path: Path, disk: Disk, tmp_path: Path, was_there: bool, how: str
) -> None:
    path = path.with_name("folder") / "db"
    if was_there:
        file_with(path, message(1))
    store = fallen_back(path, disk)
    put(store, message(7))
    other = tmp_path / "other" / "db"
    file_with(other, message(5))
    if how == "mounted over":
        path.parent.rename(tmp_path / "covered")
        other.parent.rename(path.parent)
    else:
        other.rename(path)
    for _ in range(2):
        with pytest.raises(StoreError, match="not overwritten"):
            store.try_open()
    assert "not overwritten" in store.reason
    path.unlink()
    store.adopt(store.try_open())
    assert [row[0] for row in store.load("cp", message_queue.TABLE)] == ([1, 7] if was_there else [7])
    store.close()


@pytest.mark.parametrize("trouble", ["cannot be opened", "cannot be read", "is a folder", "rollback journal"])
def test_what_may_be_in_an_unreadable_log_is_not_deleted(
    path: Path, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    first = SqliteStore.open(tmp_path / "first")
    put(first, message(1))
    assert first._connection is not None
    first._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    put(first, message(2))
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"first{suffix}", f"{path}{suffix}")
    first.close()
    log, opens, reads = path.with_name("db-wal"), os.open, os.pread
    descriptors: set[int] = set()

    def checked_open(file: Any, *arguments: Any, **options: Any) -> int:
        if Path(file) == log and trouble == "cannot be opened":
            raise OSError(errno.EACCES, "Permission denied")
        descriptor = opens(file, *arguments, **options)
        (descriptors.add if Path(file) == log else descriptors.discard)(descriptor)
        return descriptor

    def checked_read(descriptor: int, length: int, offset: int) -> bytes:
        if descriptor in descriptors and trouble == "cannot be read" and offset + length > 100:
            raise OSError(errno.EIO, "Input/output error")
        return reads(descriptor, length, offset)

    aside = tmp_path / "aside"
    if trouble == "is a folder":
        log.rename(aside)
        log.mkdir()
    if trouble == "rollback journal":
        log.rename(aside)
        path.with_name("db-journal").write_bytes(b"pages")
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", checked_open)
        patch.setattr(os, "pread", checked_read)
        store = fallen_back(path, disk)
        assert [row[0] for row in store.load("cp", message_queue.TABLE)] == [1]
    if trouble == "is a folder":
        log.rmdir()
    if trouble == "rollback journal":
        path.with_name("db-journal").unlink()
    if aside.exists():
        aside.rename(log)
    store.adopt(store.try_open())
    assert [row[0] for row in store.load("cp", message_queue.TABLE)] == [1, 2]
    store.close()

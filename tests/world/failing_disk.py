"""A disk on which files cannot be opened for a while, and what the tests of a store in its place need."""

import errno
from pathlib import Path

import pytest

from ocpp16.store import connection as connections
from ocpp16.store.base import Put, RowChange, Store
from ocpp16.store.fallback import FallbackStore, open_or_fall_back
from ocpp16.store.migrations import load_schema
from ocpp16.store.opening import Manner
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import message_queue, settings

NOW = 1_790_000_000_000_000
MANNER = Manner(load_schema(), "NORMAL", None, NOW)
FULL = OSError(errno.ENOSPC, "No space left on device")


class Disk:
    """Opening files to write raises `error`, while there is one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        create_private = connections.create_private

        def checked(path: Path) -> None:
            if self.error is not None:
                raise self.error
            create_private(path)

        monkeypatch.setattr(connections, "create_private", checked)


def setting(key: str, value: object = 1) -> Put:
    return settings.put(settings.SettingRow(key, value))


def message(sequence: int, transaction_key: int | None = None) -> Put:
    return message_queue.put(message_queue.MessageRow(sequence, 1, "A", {"n": sequence}, 0, transaction_key))


def put(store: Store, *changes: RowChange, who: str = "cp") -> None:
    assert store.apply([(who, changes)]) == {}


def file_with(path: Path, *changes: RowChange, who: str = "cp") -> None:
    store = SqliteStore.open(path)
    put(store, *changes, who=who)
    store.close()


def fallen_back(path: Path, disk: Disk, error: Exception = FULL) -> FallbackStore:
    disk.error = error
    store = open_or_fall_back(path, MANNER)
    assert isinstance(store, FallbackStore)
    disk.error = None
    return store

"""What has the name of a database, and is no file: it is not opened, and stays."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ocpp16.errors import StoreError
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings

NOW = 1_778_327_625_000_000


@pytest.mark.parametrize("make", [os.mkdir, lambda name: socket.socket(socket.AF_UNIX).bind(name)])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_is_no_file_is_not_opened_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[str], object]
) -> None:
    """Read as a database, a pipe would be waited for; set aside as a damaged one, a device would get another name."""
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    make("db")
    with pytest.raises(StoreError, match="cannot be opened: it is no regular file"):
        SqliteStore.open("db", now=NOW)
    assert os.listdir() == ["db"]


def test_what_is_no_file_takes_the_place_of_no_database(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "db")
    store.apply([("cp", [settings.put(settings.SettingRow("key", 1))])])
    store.close()
    (tmp_path / "db.fresh").mkdir()
    store = SqliteStore.open(tmp_path / "db", now=NOW)
    assert store.load("cp", settings.TABLE) == [("key", "1")]
    store.close()

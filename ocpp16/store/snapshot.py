"""What a database holds at this moment, for those who only look: the station it belongs to may go on running.

Rules of this file:
1. Nothing is written: no repair, no migration, no lock. Where no write-ahead log is waiting, not even SQLite's own side
   files are made beside the database.
2. All rows are of one moment.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ocpp16.errors import StoreError
from ocpp16.store import connection as connections
from ocpp16.store import migrations
from ocpp16.store.base import Row
from ocpp16.store.opening import real_path
from ocpp16.store.pages import MAGIC
from ocpp16.store.statements import SELECT
from ocpp16.store.write_ahead_log import is_empty, is_orphaned, log_of

_WRITE_AHEAD = 2
"""Byte 18 of a file that is written through a write-ahead log (SQLite's file format, 1.3.3)."""


class Snapshot(NamedTuple):
    """What was found."""

    rows: dict[str, list[Row]]
    """As `Store.load` gives them, of one charge point."""
    charge_point_ids: tuple[str, ...]
    """Whom the database knows."""


def is_database(path: Path) -> bool:
    """Is this a file, and one that begins like a database of SQLite? False also where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def take_snapshot(path: Path, charge_point_id: str) -> Snapshot:
    """Look at a database. Blocks, up to some seconds where another process is just writing.

    Raises StoreError when it cannot be read, belongs to another program, or is of another version of this library;
    SchemaTooNew when that version is a newer one.
    """
    path = real_path(path)
    try:
        with closing(sqlite3.connect(_address(path), uri=True, isolation_level=None)) as connection:
            connection.text_factory = connections.decoded
            connection.execute("BEGIN")
            _check(connection, path)
            rows = {name: connection.execute(sql, (charge_point_id,)).fetchall() for name, sql in SELECT.items()}
            known = connection.execute("SELECT DISTINCT charge_point_id FROM settings ORDER BY 1").fetchall()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    return Snapshot(rows, tuple(str(row[0]) for row in known))


def _address(path: Path) -> str:
    with path.open("rb") as file:
        header = file.read(100)
    if is_orphaned(path):  # SQLite would delete the log
        raise StoreError(f"{path} is empty, and its write-ahead log is not; the station puts that right when it starts")
    is_logged = len(header) == 100 and header[18] == _WRITE_AHEAD
    # Without a log everything is in the file; SQLite need not coordinate with anybody, for which it would make files.
    is_all_there = is_logged and is_empty(log_of(path))
    return f"{path.absolute().as_uri()}?{'immutable=1' if is_all_there else 'mode=ro'}"


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if int(connection.execute("PRAGMA application_id").fetchone()[0]) != connections.APPLICATION_ID:
        raise StoreError(f"{path} belongs to another program")
    schema = migrations.load_schema()
    version = migrations.version_of(connection)
    migrations.check_version(version, schema)
    if version != schema.version:
        raise StoreError(
            f"{path} has schema version {version}; the station brings it to {schema.version} when it starts next"
        )

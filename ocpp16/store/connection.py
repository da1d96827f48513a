"""A connection to a database file with the settings durability asks for, and what SQLite's errors mean.

Rules of this file:
1. Every connection gets its settings here. `synchronous=FULL` syncs each commit; NORMAL only keeps the file
   consistent and may lose the last commits with the power.
2. The write-ahead log is bounded. Where it is not to be had (some network and overlay file systems) the rollback
   journal is used, always with FULL, and a warning says so.
3. An error is an outage (may pass: disk full, locked, no permission) or damage (will not pass).
"""

import os
import sqlite3
from pathlib import Path

from ocpp16.errors import StoreError
from ocpp16.store.pages import MAGIC

APPLICATION_ID = 0x4F433136
""""OC16" in the header of the file: a database of another program is never touched."""

_BUSY_TIMEOUT = 5.0
_WAL_PAGES = 256
_WAL_BYTES = 2 * 1024 * 1024
_SYNCHRONOUS = ("FULL", "NORMAL", "EXTRA")

_OUTAGES = frozenset(
    (
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    )
)
# What was written cannot be read back: waiting does not help.
_LOST_DATA = frozenset((sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS))


READ_ERRORS: tuple[type[Exception], ...] = (sqlite3.Error, UnicodeDecodeError)
"""What can be raised where a file is read; the second when even the text of the error is damaged."""


def is_damage(error: Exception) -> bool:
    """Whether one of `READ_ERRORS` means that the file itself is bad."""
    if isinstance(error, UnicodeDecodeError):
        return True
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    # Without a code it is Python's own: a text that is no UTF-8.
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code in _LOST_DATA or code & 0xFF not in _OUTAGES


def header_problem(path: Path) -> str | None:
    """What is wrong with the first bytes of a file that should be a database; None if nothing is, or it is empty."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        return None
    if len(header) < 100 or not header.startswith(MAGIC):
        return "it is no SQLite database"
    # Versions SQLite would answer by refusing to write, and a format it does not know (its file format, 1.3.3, 1.3.6).
    if not {header[18], header[19]} <= {1, 2} or int.from_bytes(header[44:48], "big") > 4:
        return "its header makes no sense"
    return None


def decoded(text: bytes) -> str:
    """For `text_factory`: a text that is no UTF-8 any more must not hide the other rows."""
    return text.decode("utf-8", "replace")


def create_private(path: Path) -> None:
    """Make an empty file of mode 0600 if there is none; SQLite gives its side files the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def connect(path: Path) -> sqlite3.Connection:
    """Open the file without reading it. The one place where a connection is made."""
    return sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
    )


def check_synchronous(synchronous: str) -> None:
    """Raises ValueError for what is none of the settings."""
    if synchronous not in _SYNCHRONOUS:
        raise ValueError(f"synchronous is one of {', '.join(_SYNCHRONOUS)}, not {synchronous}")


def prepare(connection: sqlite3.Connection, synchronous: str, size_limit: int | None) -> str | None:
    """Apply the settings. Returns a warning, or None. Raises sqlite3.Error.

    Parameters: `synchronous` "FULL", "NORMAL" or "EXTRA"; `size_limit` of the file in bytes, None for no limit.
    """
    check_synchronous(synchronous)
    execute = connection.execute
    execute("PRAGMA foreign_keys = ON")
    execute("PRAGMA secure_delete = FAST")  # id tags are personal data
    execute("PRAGMA auto_vacuum = INCREMENTAL")  # of effect in a new file only
    mode = str(execute("PRAGMA journal_mode = WAL").fetchone()[0])
    warning = None
    if mode != "wal":
        warning = f"there is no write-ahead log on this file system (the journal mode is {mode}): commits take longer"
        if mode in ("memory", "off"):
            raise StoreError(f"SQLite chose the journal mode {mode}, which loses the database with the power")
        if synchronous == "NORMAL":
            synchronous = "FULL"
    execute(f"PRAGMA synchronous = {synchronous}")
    execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    if size_limit is not None:
        page_size = int(execute("PRAGMA page_size").fetchone()[0])
        execute(f"PRAGMA max_page_count = {max(1, size_limit // page_size)}")
    return warning

"""Is the database still where it was opened? A file that was removed goes on being written, into nothing.

Rules of this file:
1. A glance costs one call of the system, a microsecond: it is made at every commit, and sees that the file has no name
   any more. What was moved away, and the log, are looked at now and then.
2. A file that was removed is begun anew with all that the open connection still has. One that another took the place of
   is left alone: only a person knows which is right.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from ocpp16.store import connection as connections

_Identity = tuple[int, int]
_PATH_ONLY: int = getattr(os, "O_PATH", 0)  # not everywhere


class Presence:
    """Of one open database and its write-ahead log. To be closed."""

    __slots__ = ("_descriptor", "_file", "_log", "_log_path", "_path")

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._log_path = f"{path}-wal"
        self._file = _identity(self._path, None)
        self._log = _identity(self._log_path, None)
        # Of a kind that holds no locks: closing another would free those of SQLite (fcntl).
        self._descriptor = -1
        if _PATH_ONLY:
            with suppress(OSError):
                self._descriptor = os.open(path, _PATH_ONLY | os.O_CLOEXEC)

    def close(self) -> None:
        if self._descriptor != -1:
            os.close(self._descriptor)
            self._descriptor = -1

    def is_doubtful(self) -> bool:
        """Whether the file seems to have no name any more; `problem` knows."""
        try:
            return os.fstat(self._descriptor).st_nlink == 0
        except OSError:
            return True

    def problem(self) -> str:
        """What happened to it, in a clause; empty if it is where it was."""
        there = _identity(self._path, self._file)
        if there != self._file:
            return "was removed while it was open" if there is None else "is another file than the one that was opened"
        there = _identity(self._log_path, self._log)
        if there != self._log:
            if self._log is not None:
                name = "its write-ahead log"
                return f"{name} was removed while it was open" if there is None else f"{name} is another than before"
            self._log = there  # begun with the first commit
        return ""

    def is_removed(self) -> bool:
        """Whether nothing of another lies in the place of what was removed."""
        is_free = _identity(self._path, self._file) in (None, self._file)
        return is_free and _identity(self._log_path, self._log) in (None, self._log)


def begin_anew(connection: sqlite3.Connection, path: Path) -> None:
    """Write all that an open connection has into a new file at `path`, and close the connection.

    Raises OSError or sqlite3.Error when that is not possible now; the connection is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unready = path.with_name(path.name + ".fresh-unready")
    for suffix in ("", "-journal", "-wal", "-shm"):
        unready.with_name(unready.name + suffix).unlink(missing_ok=True)
    connections.create_private(unready)
    copy = connections.connect(unready)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # all in one file
    finally:
        copy.close()
    descriptor = os.open(unready, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    # The copy has everything: what is left of the old log must not be found beside it.
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    if path.exists():  # only its log was removed
        os.replace(unready, path)
    else:
        _take_place(unready, path)
    # Closed before the new one is opened: SQLite removes what is called like its log.
    with suppress(sqlite3.Error):
        connection.close()
    with suppress(OSError):  # it is in its place; the next commit will tell
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _take_place(new: Path, path: Path) -> None:
    """Give the new file the name; what has come there meanwhile is not overwritten."""
    try:
        os.link(new, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.replace(new, path)
    else:
        new.unlink()


def _identity(path: str, unknown: _Identity | None) -> _Identity | None:
    """Which file it is; None if there is none, `unknown` if that cannot be said."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return unknown
    return found.st_dev, found.st_ino

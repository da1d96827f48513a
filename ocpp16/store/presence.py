"""Is the database still where and what it was when it was opened? What was removed or emptied goes on being written.

Rules of this file:
1. A glance costs two calls of the system, some microseconds: it is made at every commit, and sees that a file has no
   name any more, and that somebody else wrote, cut or emptied it or its log. What was moved away is looked at now and
   then.
2. What somebody else did is no fault in itself: `problem` reads what is there as the next start would find it.
3. The index of the log is memory that SQLite shares by a file: where somebody cut that, touching it kills the process
   (SIGBUS). It is put back, empty, before SQLite comes near it, and SQLite makes it anew from the log.
4. A file that was removed is begun anew with all that the open connection still has. One that another took the place of
   is left alone: only a person knows which is right.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from ocpp16.durable_file import sync_folder
from ocpp16.store import connection as connections
from ocpp16.store import recovery
from ocpp16.store.write_ahead_log import has_all, log_of

_Identity = tuple[int, int]
_Mark = tuple[int, int]
"""Size in bytes, and when it was written last, in ns."""
_PATH_ONLY: int = getattr(os, "O_PATH", 0)  # not everywhere


class Presence:
    """Of one open database and its write-ahead log. To be closed, after the database."""

    __slots__ = (
        "_descriptor",
        "_file",
        "_index",
        "_index_path",
        "_index_size",
        "_log",
        "_log_path",
        "_marks",
        "_path",
        "is_damaged",
        "is_lost",
    )

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._log_path = str(log_of(path))
        self._file = identity(self._path, None)
        self._log = identity(self._log_path, None)
        # Of a kind that holds no locks: closing another would free those of SQLite (fcntl).
        self._descriptor = -1
        if _PATH_ONLY:
            with suppress(OSError):
                self._descriptor = os.open(path, _PATH_ONLY | os.O_CLOEXEC)
        self._index_path = f"{path}-shm"
        self._index: int | None = None
        """Of the log, as SQLite has it, whatever becomes of its name. Kept open for the same reason."""
        self._index_size = 0
        """Bytes of it that SQLite may touch."""
        self.is_damaged: bool = False
        """Whether the last `problem` is one of what the files hold, not of where they are."""
        self.is_lost: bool = False
        """Whether even the open connection does not have all any more."""
        self.note()

    def close(self) -> None:
        for descriptor in (self._descriptor, self._index):
            if descriptor not in (-1, None):
                os.close(descriptor)
        self._descriptor, self._index = -1, None

    def note(self) -> None:
        """What is there now was written by us, or is sound."""
        self._marks = self._present()
        if self._index is None:
            with suppress(OSError):
                self._index = os.open(self._index_path, os.O_RDWR | os.O_CLOEXEC)
        self._index_size = 0 if self._index is None else os.fstat(self._index).st_size

    def put_index_back(self) -> None:
        """To be called before SQLite is. Raises OSError where the disk has no room for it."""
        if self._index is not None and os.fstat(self._index).st_size < self._index_size:
            os.pwrite(self._index, bytes(self._index_size), 0)
            log, known = self._present()[1], self._marks[1]
            self.is_lost = self.is_lost or (known is not None and (log is None or log[0] < known[0]))

    def is_doubtful(self) -> bool:
        """Whether the file seems to have no name any more, or to be another's work; `problem` knows."""
        try:
            return os.fstat(self._descriptor).st_nlink == 0 or self._present() != self._marks
        except OSError:
            return True

    def problem(self) -> str:
        """What happened to it, in a clause; empty if it is where it was, and sound."""
        self.is_damaged = False
        there = identity(self._path, self._file)
        if there != self._file:
            return "was removed while it was open" if there is None else "is another file than the one that was opened"
        there = identity(self._log_path, self._log)
        if there != self._log:
            if self._log is not None:
                name = "its write-ahead log"
                return f"{name} was removed while it was open" if there is None else f"{name} is another than before"
            self._log = there  # begun with the first commit
        present = self._present()
        if present != self._marks:
            damage = self._damage(present)
            if damage:
                self.is_damaged = True
                return damage
            self._marks = present
        return ""

    def is_removed(self) -> bool:
        """Whether nothing of another lies in the place of what was removed."""
        is_free = identity(self._path, self._file) in (None, self._file)
        return is_free and identity(self._log_path, self._log) in (None, self._log)

    def _present(self) -> tuple[_Mark | None, _Mark | None]:
        return _mark(self._path), _mark(self._log_path)

    def _damage(self, present: tuple[_Mark | None, _Mark | None]) -> str:
        if present[0] is not None and present[0][0] == 0:
            return "was emptied while it was open"
        if self.is_lost:
            return "was damaged while it was open: its write-ahead log was cut, and so was the index of it"
        if not has_all(Path(self._log_path), self._index):
            return "was damaged while it was open: its write-ahead log is not what was written"
        found = self.unsound()
        return f"was damaged while it was open: {found}" if found else ""

    def unsound(self) -> str:
        """What SQLite finds wrong with what lies on the disk; empty if nothing, or if that cannot be said now."""
        uri = f"{Path(self._path).as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as reader:
                found = str(reader.execute("PRAGMA quick_check(1)").fetchone()[0])
        except connections.READ_ERRORS as error:
            found = str(error) if connections.is_damage(error) else "ok"
        return "" if found == "ok" else found


def begin_anew(connection: sqlite3.Connection, path: Path) -> bool:
    """Write all that an open connection has into a new file at `path`, and close the connection.

    False if that is not whole. Raises OSError or sqlite3.Error when it is not possible now. The connection is as it was
    in both cases.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unready = recovery.copied(connection, path)
    if unready is None:
        return False
    fresh = recovery.make_ready(unready, path)
    try:
        # The copy has everything: what is left of the old log must not be found beside it.
        log_of(path).unlink(missing_ok=True)
        if path.exists():  # only its log was removed
            os.replace(fresh, path)
        else:
            _take_place(fresh, path)
    except BaseException:
        with suppress(OSError):
            recovery.give_up_replacement(path)
        raise
    # Closed before the new one is opened: SQLite removes what is called like its log.
    with suppress(sqlite3.Error):
        connection.close()
    with suppress(OSError):  # it is in its place; the next commit will tell
        sync_folder(path.parent)
    return True


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


def identity(path: str | Path, unknown: _Identity | None) -> _Identity | None:
    """Which file it is; None if there is none, `unknown` if that cannot be said."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return unknown
    return found.st_dev, found.st_ino


def _mark(path: str) -> _Mark | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns

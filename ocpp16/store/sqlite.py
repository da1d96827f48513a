"""A store in one SQLite file, for one charge point or for many.

`SqliteStore.open` either gives a usable store or says in one sentence why not. A damaged file is no reason not to:
it is set aside, and `detail` says so (`recovery`).

Rules of this file:
1. `apply` is one transaction with one COMMIT, and as few statements as it takes. Where one is refused it is begun again
   with a savepoint for each charge point.
2. Nothing is acknowledged that was not committed. After an error the connection is not inside a transaction.
3. The connection is used by one thread at a time, which may be another one each time; in no other process: one that was
   forked is refused, and its `close` leaves everything to the owner.
4. A file that was removed, emptied or damaged while it was open is told as an outage, and begun anew with all that is
   known (`presence`). So is one in which damage is found by reading (`put_right`) or by writing (the next commit does).
"""

import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ocpp16.errors import StoreError
from ocpp16.log import log
from ocpp16.store import connection as connections
from ocpp16.store import migrations, recovery
from ocpp16.store.base import ChargePointChanges, Row, Table
from ocpp16.store.lock import FileLock
from ocpp16.store.opening import Manner, Opened, open_database, real_path, suspicion, take_lock
from ocpp16.store.presence import Presence, begin_anew
from ocpp16.store.sealing import Seal
from ocpp16.store.statements import grouped, select, statement
from ocpp16.store.tables import TABLES
from ocpp16.texts import shown

_TABLES = {table.name: table for table in TABLES}
# What a single row can be at fault for; everything else concerns the whole store.
_REFUSALS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    TypeError,
    ValueError,
)
_LOOKED_AT = 16
"""Commits after which names are looked at: of the file, its log, and the lock that keeps another process out."""
# What SQLite cannot even be asked for: no row has such a key.
_NO_KEY = (OverflowError, UnicodeEncodeError, sqlite3.InterfaceError, sqlite3.ProgrammingError)


class SqliteStore:
    """The contract of `Store` on a file. Made by `open`."""

    is_volatile = False

    def __init__(self, path: Path, opened: Opened, lock: FileLock, manner: Manner) -> None:
        self.path = path
        self.detail: str = ""
        """What happened to a damaged file; empty if nothing did."""
        self.warnings: tuple[str, ...] = (opened.warning,) if opened.warning else ()
        self._connection: sqlite3.Connection | None = opened.connection
        self._is_closed = False
        self._process = os.getpid()
        self._lock: FileLock | None = lock
        self._manner = manner
        self._mutex = threading.Lock()
        self._presence = Presence(path)
        self._seal = Seal(path)
        self._is_missed = False
        self._damage = ""
        """What SQLite said of the file; empty if nothing."""
        self._commits = 0
        for warning in self.warnings:
            log.warning("%s: %s", path, shown(warning, 1000))
        self._tell(opened.detail)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        synchronous: str = "FULL",
        now: int = 0,
        share_path: Path | None = None,
        size_limit: int | None = None,
    ) -> "SqliteStore":
        """Open the database, make it if there is none, bring it to the newest schema, replace it if it is damaged.

        Parameters: `path` of the file (its folder is made, its mode is 0600); `synchronous` "FULL", or "NORMAL" for a
        store that may lose its last commits with the power; `now` in µs UTC for the name of a file set aside;
        `share_path` of other SQL files; `size_limit` of the file in bytes. Blocks.

        Raises StoreError when another process has it, when it belongs to another program, or when it cannot be written
        (Unavailable where that may pass); SchemaTooNew when a newer version of this library wrote it.
        """
        path = real_path(path)
        manner = Manner(migrations.load_schema(share_path), synchronous, size_limit, now)
        lock = take_lock(path)
        try:
            return cls.locked(path, manner, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def locked(cls, path: Path, manner: Manner, lock: FileLock) -> "SqliteStore":
        """Open a database whose lock is there; it becomes the store's if that works. Raises what `open` raises."""
        return cls(path, open_database(path, manner), lock, manner)

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        whole = _TABLES.get(table.name)
        if whole is None:
            raise ValueError(f"there is no table {table.name}")
        whole.places(table)
        if len(key) > len(whole.key_columns):
            raise ValueError(f"a key of {table.name} has fewer than {len(key)} columns")
        self._check_process()
        with self._mutex:
            try:
                rows = _rows(self._opened(), select(table, len(key)), (charge_point_id, *key))
            except _NO_KEY:
                return []
            except connections.READ_ERRORS as error:
                raise self._failure(error, "read") from error
            rows = self._seal.opened(charge_point_id, table, rows)
        # For SQLite a number is equal to its digits.
        return [row for row in rows if row[: len(key)] == key] if key else rows

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        refused: dict[str, Exception] = {}
        self._check_process()
        with self._mutex:
            self._look()
            connection = self._opened()
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    for sql, parameters in grouped(batches):
                        connection.executemany(sql, self._seal.sealed(sql, parameters))
                except UnicodeDecodeError:
                    raise
                except _REFUSALS:
                    connection.execute("ROLLBACK")
                    connection.execute("BEGIN IMMEDIATE")
                    refused = _apply_apart(connection, batches, self._seal)
                connection.execute("COMMIT")
                self._presence.note()
            except connections.READ_ERRORS as error:
                _roll_back(connection)
                raise self._failure(error, "written") from error
            except BaseException:
                _roll_back(connection)
                raise
        return refused

    def close(self) -> None:
        """Also takes the write-ahead log into the file."""
        if self._process != os.getpid():
            return
        with self._mutex:
            if self._is_closed:
                return
            with suppress(StoreError):
                self._put_index_back()
            if self._connection is not None and self._presence.problem():
                # The last chance for what is only in the open connection.
                with suppress(StoreError):
                    self._put_right()
            self._is_closed = True
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
            self._presence.close()
            if self._lock is not None:
                self._lock.release()

    def put_right(self) -> bool:
        """After `load` raised StoreError: if the file is damaged, replace it by what can be saved, as at the opening.

        True: loading is worth another attempt. Blocks. Raises StoreError.
        """
        with self._mutex:
            if not self._damage or self._connection is None:
                return False
            is_worth_it = bool(self._presence.problem() or self._presence.unsound())
            if is_worth_it:
                self._put_right()
            else:
                self._go_on()
            self._damage = ""
            return is_worth_it

    def give_up(self) -> FileLock:
        """Close it, but for the lock, which is the caller's from here on."""
        with self._mutex:
            lock, self._lock = self._lock, None
        assert lock is not None
        self.close()
        return lock

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise StoreError(f"{self.path} was opened by another process ({self._process}) from which this was forked")

    def _look(self) -> None:
        """See whether commits still go where they are looked for. Raises StoreError when a file was found missing.

        The next attempt puts that right: the outage has been told by then.
        """
        if self._connection is None:
            return
        self._put_index_back()
        self._commits = (self._commits + 1) % _LOOKED_AT
        is_due = not self._commits or self._is_missed or self._damage
        if self._is_closed or not (is_due or self._presence.is_doubtful()):
            return
        problem = self._presence.problem()
        was_told = self._is_missed or self._damage
        if problem and not was_told:
            self._is_missed = True
            raise StoreError(f"{self.path} {problem}")
        if problem or (self._damage and self._presence.unsound()):
            self._put_right()
        else:
            if was_told:
                self._go_on()
            if not self._is_locked():
                self._lock_again()
        self._is_missed, self._damage = False, ""

    def _put_right(self) -> None:
        """What was removed, emptied or damaged is begun anew with all that the connection has or the disk holds."""
        connection = self._opened()
        problem = self._presence.problem()
        if problem and not self._presence.is_damaged and not self._presence.is_removed():
            raise StoreError(f"{self.path} {problem}: it is not overwritten")
        if not self._is_locked():
            self._lock_again()
        now = self._manner.now
        try:
            detail: str | None = None
            if problem and not self._presence.is_damaged:
                detail = "" if begin_anew(connection, self.path) else None
            elif not self._damage and not self._presence.is_lost:
                detail = recovery.replace_by_copy(self.path, now, problem, connection)
            if detail is None:
                why = problem or self._damage
                detail = recovery.replace_damaged(self.path, self._manner.schema, now, why, connection)
            self._seal.put_back()
        except (OSError, sqlite3.Error) as error:
            what = problem or f"is damaged ({self._damage})"
            raise StoreError(f"{self.path} {what} and cannot be begun anew: {error}") from error
        # Closed before the new one is opened: SQLite removes what is called like its log.
        with suppress(sqlite3.Error):
            connection.close()
        self._presence.close()
        self._connection, self._damage = None, ""
        self._tell(detail)
        self._opened()

    def _go_on(self) -> None:
        """Nothing is wrong any more. A replacement that could not be finished would undo what is stored from now on."""
        try:
            recovery.give_up_replacement(self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: what was to replace it cannot be removed: {error}") from error

    def _tell(self, detail: str) -> None:
        if detail:
            self.detail = detail
            log.error("%s: %s", self.path, shown(detail, 1000))

    def _is_locked(self) -> bool:
        return self._lock is not None and self._lock.is_in_place()

    def _lock_again(self) -> None:
        lock = take_lock(self.path)
        if self._lock is not None:
            self._lock.release()
        self._lock = lock

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise StoreError("the store is closed")
        if self._connection is None:
            opened = open_database(self.path, self._manner)
            self._connection = opened.connection
            self._presence = Presence(self.path)
            self._tell(opened.detail)
        self._put_index_back()
        return self._connection

    def _put_index_back(self) -> None:
        try:
            self._presence.put_index_back()
        except OSError as error:
            raise StoreError(f"{self.path}: the index of its log was cut and cannot be put back: {error}") from error

    def _failure(self, error: Exception, what: str) -> StoreError:
        if connections.is_damage(error):
            self._damage = f"cannot be {what}: {error}"
            # Should it not be put right now: large files are not checked at every opening, this one will be.
            with suppress(OSError):
                suspicion(self.path).touch(0o600)
        return StoreError(f"{self.path} cannot be {what}: {error}")


def _apply_apart(
    connection: sqlite3.Connection, batches: Sequence[ChargePointChanges], seal: Seal
) -> dict[str, Exception]:
    """Carry out what is possible, with a savepoint for each charge point. Returns who was refused, and why."""
    refused: dict[str, Exception] = {}
    execute = connection.execute
    for charge_point_id, changes in batches:
        execute("SAVEPOINT part")
        try:
            for change in changes:
                sql, parameters = statement(charge_point_id, change)
                execute(sql, *seal.sealed(sql, [parameters]))
        except UnicodeDecodeError:
            raise
        except _REFUSALS as error:
            execute("ROLLBACK TO part")
            refused[charge_point_id] = error
        execute("RELEASE part")
    return refused


def _rows(connection: sqlite3.Connection, sql: str, parameters: Row) -> list[Row]:
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.OperationalError as error:
        if hasattr(error, "sqlite_errorcode"):
            raise
        # A text that is no UTF-8 any more: its row shall not hide the others. Who reads it decides what it is worth.
        cursor = connection.cursor()
        connection.text_factory = connections.decoded
        try:
            return cursor.execute(sql, parameters).fetchall()
        finally:
            connection.text_factory = str


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):  # the error at hand is the one to tell
            connection.execute("ROLLBACK")

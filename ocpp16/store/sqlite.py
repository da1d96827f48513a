"""A store in one SQLite file, for one charge point or for many.

`SqliteStore.open` either gives a usable store or says in one sentence why not. A damaged file is no reason not to:
it is set aside, and `detail` says so (`recovery`).

Rules of this file:
1. `apply` is one transaction with one COMMIT; each charge point's part is a savepoint.
2. Nothing is acknowledged that was not committed. After an error the connection is not inside a transaction.
3. The connection is used by one thread at a time, which may be another one each time.
"""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from ocpp16.errors import StoreError
from ocpp16.store import connection as connections
from ocpp16.store import migrations, recovery
from ocpp16.store.base import Batch, Put, Row
from ocpp16.store.lock import FileLock
from ocpp16.store.statements import DELETE, PUT, SELECT
from ocpp16.store.tables import TABLES

_ALWAYS_CHECKED = 16 * 1024 * 1024
"""Bytes. A file up to this size is checked at every opening (some 20 ms), a larger one after an unclean end."""
_FREE_PAGES_KEPT = 1024

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


class _Damage(Exception):
    """The file cannot go on being used."""


class SqliteStore:
    """The contract of `Store` on a file. Made by `open`."""

    is_volatile = False

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock) -> None:
        self.path = path
        self.detail = ""
        """What happened to a damaged file at the opening; empty if nothing did."""
        self.warnings: tuple[str, ...] = ()
        self._connection: sqlite3.Connection | None = connection
        self._lock = lock
        self._mutex = threading.Lock()

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

        Raises StoreError when another process has it, when it belongs to another program, or when it cannot be written;
        SchemaTooNew when a newer version of this library wrote it.
        """
        path = Path(path).absolute()
        schema = migrations.load_schema(share_path)
        with ExitStack() as undo:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = FileLock(path.with_name(path.name + "-lock"), path)
                undo.callback(lock.release)
                recovery.finish_replacement(path, now)
                try:
                    connection, warning = _open_checked(path, schema, synchronous, size_limit)
                    detail = ""
                except _Damage as damage:
                    detail = recovery.replace_damaged(path, schema, now, str(damage))
                    connection, warning = _open_checked(path, schema, synchronous, size_limit)
            except (OSError, sqlite3.Error, _Damage) as error:
                raise StoreError(f"{path} cannot be opened: {error}") from error
            undo.pop_all()
        store = cls(path, connection, lock)
        store.detail = detail
        store.warnings = (warning,) if warning else ()
        return store

    def load(self, charge_point_id: str) -> dict[str, list[Row]]:
        with self._mutex:
            connection = self._opened()
            try:
                return {name: _rows(connection, sql, charge_point_id) for name, sql in SELECT.items()}
            except connections.READ_ERRORS as error:
                raise self._failure(error, "read") from error

    def apply(self, batches: Sequence[Batch]) -> dict[str, Exception]:
        refused: dict[str, Exception] = {}
        with self._mutex:
            connection = self._opened()
            execute = connection.execute
            try:
                execute("BEGIN IMMEDIATE")
                for charge_point_id, changes in batches:
                    execute("SAVEPOINT part")
                    try:
                        for change in changes:
                            name = change.table.name
                            if _TABLES.get(name) != change.table:
                                raise ValueError(f"there is no table {name} of these columns")
                            if isinstance(change, Put):
                                execute(PUT[name], (charge_point_id, *change.row))
                            elif len(change.key) <= len(change.table.key_columns):
                                execute(DELETE[name][len(change.key)], (charge_point_id, *change.key))
                            else:
                                raise ValueError(f"a key of {name} has fewer than {len(change.key)} columns")
                    except UnicodeDecodeError:
                        raise
                    except _REFUSALS as error:
                        execute("ROLLBACK TO part")
                        refused[charge_point_id] = error
                    execute("RELEASE part")
                execute("COMMIT")
            except connections.READ_ERRORS as error:
                _roll_back(connection)
                raise self._failure(error, "written") from error
            except BaseException:
                _roll_back(connection)
                raise
        return refused

    def close(self) -> None:
        """Also takes the write-ahead log into the file."""
        with self._mutex:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
                self._lock.release()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("the store is closed")
        return self._connection

    def _failure(self, error: Exception, what: str) -> StoreError:
        if connections.is_damage(error):
            # Large files are not checked at every opening: this one will be.
            with suppress(OSError):
                _suspicion(self.path).touch(0o600)
        return StoreError(f"{self.path} cannot be {what}: {error}")


def _rows(connection: sqlite3.Connection, sql: str, charge_point_id: str) -> list[Row]:
    try:
        return connection.execute(sql, (charge_point_id,)).fetchall()
    except sqlite3.OperationalError as error:
        if hasattr(error, "sqlite_errorcode"):
            raise
        # A text that is no UTF-8 any more: its row shall not hide the others. Who reads it decides what it is worth.
        cursor = connection.cursor()
        connection.text_factory = _decode
        try:
            return cursor.execute(sql, (charge_point_id,)).fetchall()
        finally:
            connection.text_factory = str


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):  # the error at hand is the one to tell
            connection.execute("ROLLBACK")


def _suspicion(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")


def _backups(path: Path) -> list[Path]:
    return [entry for entry in path.parent.iterdir() if entry.name.startswith(f"{path.name}.backup-v")]


def _open_checked(
    path: Path, schema: migrations.Schema, synchronous: str, size_limit: int | None
) -> tuple[sqlite3.Connection, str | None]:
    """A connection to a healthy database of the newest schema, and a warning. Or _Damage, sqlite3.Error, OSError."""
    connections.create_private(path)
    problem = connections.header_problem(path)
    if problem is not None:
        raise _Damage(problem)
    write_ahead_log = path.with_name(path.name + "-wal")
    was_unclean = write_ahead_log.exists() and write_ahead_log.stat().st_size > 0
    is_suspect = _suspicion(path).exists()
    connection = connections.connect(path)
    try:
        is_new = _check(connection, was_unclean or is_suspect or path.stat().st_size <= _ALWAYS_CHECKED)
        version = migrations.version_of(connection)
        migrations.check_version(version, schema)
        warning = connections.prepare(connection, synchronous, size_limit)
        if is_new:
            migrations.create(connection, schema, connections.APPLICATION_ID)
        elif version != schema.version:
            _back_up(connection, path.with_name(f"{path.name}.backup-v{version}"))
            try:
                migrations.migrate(connection, schema, schema.version)
            except StoreError as error:
                raise _Damage(str(error)) from error
        else:
            # The newest schema has come up once before: the copy made before it is not needed any more.
            for backup in _backups(path):
                backup.unlink()
        _check_columns(connection)
        if int(connection.execute("PRAGMA freelist_count").fetchone()[0]) > _FREE_PAGES_KEPT:
            # A step for each page, which `execute` would not make.
            connection.executescript("PRAGMA incremental_vacuum")
    except connections.READ_ERRORS as error:
        connection.close()
        raise (_Damage(str(error)) if connections.is_damage(error) else error) from error
    except BaseException:
        connection.close()
        raise
    _suspicion(path).unlink(missing_ok=True)
    return connection, warning


def _check(connection: sqlite3.Connection, thoroughly: bool) -> bool:
    """Look whether the file is sound and ours. Returns whether it is new, that is, empty."""
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if not tables and application_id in (0, connections.APPLICATION_ID):
        return True
    if application_id != connections.APPLICATION_ID:
        raise StoreError("the database belongs to another program")
    if thoroughly:
        result = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if result != "ok":
            raise _Damage(result.replace("\n", " "))
    if migrations.version_of(connection) < 1:
        raise _Damage("its schema has no version")
    return False


def _check_columns(connection: sqlite3.Connection) -> None:
    for table in TABLES:
        columns = tuple(str(column[1]) for column in connection.execute(f"PRAGMA table_info({table.name})"))
        if columns != ("charge_point_id", *table.columns):
            raise _Damage(f"the table {table.name} has other columns than it should")


def _back_up(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the database as it is before the migration; an earlier copy of the same version is replaced."""
    target.unlink(missing_ok=True)
    connections.create_private(target)
    copy = sqlite3.connect(target)
    try:
        connection.backup(copy)
    finally:
        copy.close()

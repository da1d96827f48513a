"""Opening a database file: lock, check, repair, migrate. And whether a failure to do so may pass.

Rules of this file:
1. A file of another program, or of a newer version of this library, is not touched, and nothing but a regular file is
   opened: a pipe would be waited for without end, a device be renamed. Where the name is a symbolic link, the file it
   points to is meant, and all that belongs to it lies there, as it does for SQLite.
2. A damaged file is replaced by what could be saved from it (`recovery`).
3. What may pass by waiting (disk full, read-only, no permission, an I/O error, a tool that locks the file) is told
   apart from what never will (a folder in the place of the file, another process that has it).
"""

import errno
import os
import sqlite3
import stat
from pathlib import Path
from typing import NamedTuple

from ocpp16.errors import SchemaTooNew, StoreError
from ocpp16.store import connection as connections
from ocpp16.store import migrations, recovery
from ocpp16.store.lock import FileLock
from ocpp16.store.pages import MAGIC, Pages
from ocpp16.store.tables import TABLES
from ocpp16.store.write_ahead_log import is_empty, is_orphaned, log_of

_ALWAYS_CHECKED = 16 * 1024 * 1024
"""Bytes. A file up to this size is checked at every opening (some 20 ms), a larger one after an unclean end."""
_FREE_PAGES_KEPT = 1024

_MAY_PASS = frozenset(
    (
        errno.EACCES,
        errno.EAGAIN,
        errno.EBUSY,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EINTR,
        errno.EIO,
        errno.ELOOP,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENODEV,
        errno.ENOENT,
        errno.ENOLCK,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.ENXIO,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    )
)


class Unavailable(StoreError):
    """The file cannot be opened now; later it may."""


class _Damage(Exception):
    """The file cannot go on being used."""


class Opened(NamedTuple):
    connection: sqlite3.Connection
    warning: str
    """What else should be known; empty if nothing."""
    detail: str
    """What happened to a damaged file; empty if nothing did."""


class Manner(NamedTuple):
    """How a database is to be opened: see `SqliteStore.open`."""

    schema: migrations.Schema
    synchronous: str
    size_limit: int | None
    now: int


def real_path(path: Path | str) -> Path:
    """The database that is meant by a name. Blocks. Raises StoreError, Unavailable if that may pass."""
    try:
        absolute = Path(path).absolute()
        return Path(os.path.realpath(absolute)) if absolute.is_symlink() else absolute
    except OSError as error:  # no permission for its folder, or no working folder any more
        raise _unopened(Path(path), error) from error


def take_lock(path: Path) -> FileLock:
    """The lock of a database whose folder is made if there is none. Raises StoreError, Unavailable if that may pass."""
    try:
        _check_kind(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path.with_name(path.name + "-lock"), path)
    except (OSError, ValueError) as error:
        raise _unopened(path, error) from error


def _check_kind(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise StoreError(f"{path} cannot be opened: it is no regular file")


def open_database(path: Path, manner: Manner) -> Opened:
    """Who calls has the lock. Raises StoreError, Unavailable if that may pass; ValueError for `synchronous`."""
    connections.check_synchronous(manner.synchronous)
    try:
        recovery.finish_replacement(path, manner.now)
        try:
            connection, warning = _open_checked(path, manner)
            detail = ""
        except _Damage as damage:
            detail = recovery.replace_damaged(path, manner.schema, manner.now, str(damage))
            connection, warning = _open_checked(path, manner)
    except (OSError, sqlite3.Error, _Damage) as error:
        raise _unopened(path, error) from error
    return Opened(connection, warning or "", detail)


def check_owner(path: Path, first: bytes, schema: migrations.Schema) -> None:
    """By the first page of a database, as far as it is one. Raises StoreError if it belongs to another program,
    SchemaTooNew if it is of a newer version.
    """
    if not first.startswith(MAGIC):
        return
    owner, version = (int.from_bytes(first[place : place + 4], "big") for place in (68, 60))
    if owner not in (0, connections.APPLICATION_ID):
        raise StoreError(f"{path}: the database belongs to another program")
    if version > schema.version:
        raise SchemaTooNew(f"{path} has schema version {version}, and this library knows {schema.version} at most")


def suspicion(path: Path) -> Path:
    """A file that says: reading failed, have a look at the next opening."""
    return path.with_name(path.name + ".suspect")


def _unopened(path: Path, error: Exception) -> StoreError:
    if isinstance(error, OSError):
        may_pass = error.errno in _MAY_PASS
    else:
        may_pass = isinstance(error, sqlite3.Error) and not connections.is_damage(error)
    return (Unavailable if may_pass else StoreError)(f"{path} cannot be opened: {error}")


def _backups(path: Path) -> list[Path]:
    return [entry for entry in path.parent.iterdir() if entry.name.startswith(f"{path.name}.backup-v")]


def _open_checked(path: Path, manner: Manner) -> tuple[sqlite3.Connection, str | None]:
    """A connection to a healthy database of the newest schema, and a warning. Or _Damage, sqlite3.Error, OSError."""
    schema = manner.schema
    if is_orphaned(path):
        with Pages(path) as pages:
            check_owner(path, pages.page(1) or b"", schema)
        raise _Damage("it is empty or gone, and its write-ahead log is not")
    connections.create_private(path)
    problem = connections.header_problem(path)
    if problem is not None:
        raise _Damage(problem)
    was_unclean = not is_empty(log_of(path))
    is_suspect = suspicion(path).exists()
    connection = connections.connect(path)
    try:
        is_new = _check(connection, was_unclean or is_suspect or path.stat().st_size <= _ALWAYS_CHECKED)
        version = migrations.version_of(connection)
        migrations.check_version(version, schema)
        warning = connections.prepare(connection, manner.synchronous, manner.size_limit)
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
    suspicion(path).unlink(missing_ok=True)
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

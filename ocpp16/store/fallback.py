"""A store that works from memory while its file cannot be opened, and goes over to the file when it can.

A station starts and charges on a full or read-only disk: what it could read of the file is in memory, and counts as
stored there. That is the decided trade: the power must not go before the disk comes back.

Rules of this file:
1. Only what may pass by waiting (`Unavailable`) leads here. Another process or program, a newer version never do.
2. When the file can be opened, all that memory has goes into it in one commit; until that is made, memory is the store.
3. What was read completely, with the lock held, is memory's to decide: what is not there any more is deleted in the
   file too. Where something could not be read, both are united: memory wins where both have a row, the rest of the file
   is not touched. A file that is not there is a new one only where its folder could be locked: else it may be on a disk
   that is not mounted yet. A secret that does not open now (`sealing`) was not read: of such a row, both are united.
4. Where something could not be read, numbers that are counted here (`FIRST_NUMBER`, `BOOT`) begin far above whatever
   may lie in the file, and not where those of an outage before began, which may lie there too.
5. A file that was not read, in the place of the one that was, is not overwritten: the outage lasts until it is gone.
6. `try_open` blocks beside `load` and `apply` and touches no memory; `adopt` is called when no commit is being made.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import randbelow
from typing import Any

import orjson

from ocpp16.errors import StoreError
from ocpp16.log import log
from ocpp16.state.clock import plausible
from ocpp16.store import migrations
from ocpp16.store.base import ChargePointChanges, Delete, Put, Row, RowChange, Store, Table
from ocpp16.store.lock import FileLock
from ocpp16.store.memory import MemoryStore
from ocpp16.store.opening import Manner, Unavailable, check_owner, real_path, take_lock
from ocpp16.store.pages import Pages
from ocpp16.store.presence import identity
from ocpp16.store.sealing import Seal
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import ALL_ROWS, TABLES, local_list, local_list_version, settings
from ocpp16.store.trees import Found, read_trees
from ocpp16.store.write_ahead_log import is_empty, is_orphaned, log_of

_FAR_ABOVE = 2**40
_ROWS = {rows.table.name: rows for rows in ALL_ROWS}


def open_or_fall_back(path: Path, manner: Manner) -> "SqliteStore | FallbackStore":
    """The database, or a store in its place where it cannot be opened now. Blocks.

    Raises StoreError when waiting will not help; SchemaTooNew.
    """
    lock: FileLock | None = None
    try:
        path = real_path(path)
        lock = take_lock(path)
        return SqliteStore.locked(path, manner, lock)
    except Unavailable as error:
        reason = str(error)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    try:
        return FallbackStore(path, manner, reason, _read(path, manner.schema), lock)
    except BaseException:
        if lock is not None:
            lock.release()
        raise


class FallbackStore:
    """The contract of `Store`, from memory and later from the file.

    Parameters: `reason` why the file cannot be opened; `found` what could be read of it, None if nothing; `lock` of the
    file, if it could be had.
    """

    is_volatile = False

    def __init__(self, path: Path, manner: Manner, reason: str, found: Found | None, lock: FileLock | None) -> None:
        self.path: Path = path
        self.reason: str = reason
        """Why it works from memory."""
        self.detail: str = ""
        self.warnings: tuple[str, ...] = ()
        self._manner = manner
        self._lock = lock
        self._mutex = threading.Lock()
        self._file: SqliteStore | None = None
        self._is_closed = False
        self._memory = MemoryStore(is_volatile=False)
        self._seal = Seal(path)
        self._is_whole = found is not None and found.is_whole and lock is not None
        self._read = identity(path, None)
        """Which file memory has the rows of."""
        self._first_number = _far_above(manner.now)
        self._counting: set[str] = set()
        self._deleted: dict[tuple[str, str, Row], Delete] = {}
        self._unopened: set[tuple[str, str, Row]] = set()
        for name, rows in ({} if found is None else found.rows).items():
            if self._is_whole or not _ROWS[name].is_whole:
                self._take(_ROWS[name].table, rows)

    @property
    def is_degraded(self) -> bool:
        """Whether it still works from memory."""
        return self._file is None

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        with self._mutex:
            if self._file is None and not self._is_whole and table.name == settings.TABLE.name:
                self._count_from_above(charge_point_id)
            return self._store.load(charge_point_id, table, key)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        with self._mutex:
            refused = self._store.apply(batches)
            if self._file is None:
                for charge_point_id, changes in batches:
                    if charge_point_id not in refused:
                        self._note_deleted(charge_point_id, changes)
            return refused

    def close(self) -> None:
        """A last attempt to bring what is in memory to the file."""
        if self._file is None and not self._is_closed:
            with suppress(StoreError):
                self.adopt(self.try_open())
        with self._mutex:
            self._is_closed = True
            self._store.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def put_right(self) -> bool:
        """As of `SqliteStore`, where there is a file."""
        with self._mutex:
            if self._file is None or not self._file.put_right():
                return False
            self.detail = self._file.detail
            return True

    def try_open(self) -> SqliteStore:
        """Open the file, for `adopt`. Blocks. Raises StoreError."""
        try:
            if self._lock is not None and not self._lock.is_in_place():  # its folder was removed, or mounted over
                self._lock.release()
                self._lock = None
            self._lock = self._lock or take_lock(self.path)
            if self._is_whole and identity(self.path, self._read) not in (None, self._read):
                raise StoreError(f"{self.path} is another file than the one that was read: it is not overwritten")
            try:
                return SqliteStore.locked(self.path, self._manner, self._lock)
            finally:
                self._read = identity(self.path, self._read)  # opening may have made or replaced it
        except StoreError as error:
            self.reason = str(error)
            raise

    def adopt(self, file: SqliteStore) -> None:
        """Bring all that is in memory into the file, in one commit, and go on with that. Blocks.

        Raises StoreError when that cannot be written; then the file is closed, but for its lock, and memory goes on.
        """
        with self._mutex:
            self._lock = None  # it is the file's
            try:
                if self._is_closed:
                    raise StoreError("the store is closed")
                changes = [(who, tuple(self._changes(who, file))) for who in self._memory.charge_points()]
                for who, error in file.apply([(who, those) for who, those in changes if those]).items():
                    raise StoreError(f"the file cannot take what is in memory of {who}: {error}")
            except BaseException as error:
                self.reason = str(error)
                if self._is_closed:
                    file.close()
                else:
                    self._lock = file.give_up()
                raise
            self._file = file
            self.detail, self.warnings = file.detail, file.warnings
            self._memory = MemoryStore(is_volatile=False)
            self._deleted.clear()
            self._unopened.clear()

    def take_over(self, late: "FallbackStore") -> None:
        """The lock of another one for the same file, that was opened too late to be used."""
        self.path = late.path
        if self._lock is None:
            self._lock, late._lock = late._lock, None
        late._is_closed = True

    @property
    def _store(self) -> Store:
        return self._memory if self._file is None else self._file

    def _take(self, table: Table, rows: list[tuple[str, Row]]) -> None:
        """Rows of the file into memory, with their secrets opened."""
        told = False
        taken: dict[str, list[RowChange]] = {}
        for who, row in rows:
            try:
                opened = self._seal.opened(who, table, [row])
            except StoreError as error:  # the key can be read no more than the file can be opened
                opened = []
                if not told:
                    told = True
                    log.error("%s: what it sealed in %s is left out until then", error, table.name)
            taken.setdefault(who, []).extend(Put(table, found) for found in opened)
            if not opened:
                self._unopened.add((who, table.name, table.key_of(row)))
        self._memory.apply([(who, changes) for who, changes in taken.items() if changes])

    def _count_from_above(self, charge_point_id: str) -> None:
        if charge_point_id not in self._counting:
            self._counting.add(charge_point_id)
            rows = [
                settings.put(settings.SettingRow(key, self._first_number))
                for key in (settings.BOOT, settings.FIRST_NUMBER)
            ]
            self._memory.apply([(charge_point_id, rows)])

    def _note_deleted(self, charge_point_id: str, changes: Sequence[RowChange]) -> None:
        for change in changes:
            if not isinstance(change, Delete):
                continue
            those = (charge_point_id, change.table.name, change.key)
            if self._unopened:
                self._unopened = {one for one in self._unopened if (*one[:2], one[2][: len(change.key)]) != those}
            if not self._is_whole:
                number = change.key[0] if _ROWS[change.table.name].is_counted and change.key else None
                # What was counted here is not in the file.
                if not isinstance(number, int) or number <= self._first_number:
                    self._deleted[those] = change

    def _changes(self, charge_point_id: str, file: SqliteStore) -> Iterator[RowChange]:
        """What makes the file agree with memory, of one charge point."""
        mine = {table: _by_key(self._memory, charge_point_id, table) for table in TABLES}
        if not self._is_whole:
            for (who, _, _), delete in self._deleted.items():
                if who == charge_point_id:
                    yield delete
            if mine[local_list_version.TABLE]:
                yield Delete(local_list.TABLE, ())
        for table in TABLES:
            there = _by_key(file, charge_point_id, table)
            unread = {key for who, name, key in self._unopened if (who, name) == (charge_point_id, table.name)}
            if self._is_whole:
                for key in there.keys() - mine[table].keys() - unread:
                    yield Delete(table, key)
            for key, row in mine[table].items():
                if table == settings.TABLE and key in there and (key in unread or not self._is_whole):
                    yield Put(table, _united(there[key], row))
                elif self._is_whole and there.get(key) == row:
                    continue
                else:
                    yield Put(table, row)


def _far_above(now: int) -> int:
    """By the time, so that what came later is sent later; by chance where nobody knows that."""
    return _FAR_ABOVE + (now if plausible(now) else randbelow(_FAR_ABOVE))


def _read(path: Path, schema: migrations.Schema) -> Found | None:
    """All rows of a file that cannot be opened; None if not even the first page can be read.

    Raises StoreError if it belongs to another program, SchemaTooNew.
    """
    try:
        if is_empty(path) and not is_orphaned(path):
            return Found({}, is_whole=True)
    except OSError:
        return None
    with Pages(path) as pages:
        first = pages.page(1)
        if first is None:
            return None
        check_owner(path, first, schema)
        found = read_trees(pages, ALL_ROWS)
        has_log = pages.has_log
    # What a log or a rollback journal has may say otherwise than the file.
    is_all = (has_log or _is_missing(log_of(path))) and _is_missing(path.with_name(path.name + "-journal"))
    return found._replace(is_whole=found.is_whole and is_all)


def _is_missing(path: Path) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def _by_key(store: Store, charge_point_id: str, table: Table) -> dict[Row, Row]:
    return {table.key_of(row): row for row in store.load(charge_point_id, table)}


def _united(there: Row, mine: Row) -> Row:
    """A setting of both, ours first; sections that both have are united too, as changed keys of the configuration."""
    try:
        old, new = (orjson.loads(str(row[1])) for row in (there, mine))
    except orjson.JSONDecodeError:
        return mine
    return settings.put(settings.SettingRow(str(mine[0]), _over(old, new))).row


def _over(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{name: _over(old.get(name), value) for name, value in new.items()}}

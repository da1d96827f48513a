"""A damaged database: what can be read is saved into a fresh one, which takes its place; the old file is kept.

Rules of this file:
1. A charge point starts, whatever its database looks like. What can be read of open transactions and queued messages
   is carried over; what the Central System can send again (the local list) or can be asked for (the id tag cache)
   is not. What SQLite refuses to read is read without it, page by page (`trees`).
2. A power cut during the repair loses nothing: the fresh file is complete before the damaged one is touched, and
   `finish_replacement` goes on at the next start.
3. The damaged file gets a name with the time, which is passed in, and is kept for support: the newest three.
4. A write-ahead log is moved before its database: it must never be found beside another one.
5. What a connection that is still open reads is surer than what lies on the disk: it may be the only one to have it.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from ocpp16.durable_file import sync_folder
from ocpp16.store import connection as connections
from ocpp16.store import migrations
from ocpp16.store.base import Row
from ocpp16.store.pages import Pages
from ocpp16.store.rows import Rows
from ocpp16.store.statements import PUT, select_all
from ocpp16.store.tables import ALL_ROWS
from ocpp16.store.trees import read_trees
from ocpp16.store.write_ahead_log import is_empty

_KEPT = 3
_SIDE_FILES = ("-wal", "-shm", "-journal")
_SAVED: tuple[Rows[Any], ...] = tuple(rows for rows in ALL_ROWS if not rows.is_whole)

Saved = Mapping[str, Sequence[tuple[str, Row]]]
"""Name of a table → charge point id and row."""


def replace_damaged(
    path: Path, schema: migrations.Schema, now: int, reason: str, live: sqlite3.Connection | None = None
) -> str:
    """Put a fresh database with all that could be saved in the place of the damaged one.

    Parameters: `now` in µs UTC, `reason` what is wrong, `live` a connection that has the damaged one open still.
    Returns a sentence for people. Raises OSError or sqlite3.Error when even a fresh file cannot be written; the damaged
    one is then where it was.
    """
    saved = salvage(path, live)
    _fill(_fresh(path), schema, saved)
    aside = finish_replacement(path, now)
    counts = f"{len(saved.get('transactions', ()))} open transactions, {len(saved.get('message_queue', ()))} messages"
    return f"the database was damaged ({reason}); saved from it: {counts}; it was kept as {aside}"


def replace_by_copy(path: Path, now: int, reason: str, live: sqlite3.Connection) -> str | None:
    """The same with a copy of all that an open connection has, where that is whole; None if it is not."""
    unready = copied(live, path)
    if unready is None:
        return None
    make_ready(unready, path)
    return f"the database was damaged ({reason}); nothing is lost of it; it was kept as {finish_replacement(path, now)}"


def copied(live: sqlite3.Connection, path: Path) -> Path | None:
    """A file beside `path` with all that an open connection has, on the disk; None if that is not whole.

    Raises OSError or sqlite3.Error when it cannot be written now.
    """
    unready = _unready(_fresh(path))
    copy = connections.connect(unready)
    try:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # all in one file
        if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return None
    except connections.READ_ERRORS as error:
        if connections.is_damage(error):
            return None
        raise
    finally:
        copy.close()
    descriptor = os.open(unready, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return unready


def finish_replacement(path: Path, now: int) -> str | None:
    """If a fresh database is ready, set the present one aside and put the fresh one in its place.

    Returns the new name of the one set aside ("" if there was none), or None if there was nothing to do.
    """
    fresh = _fresh(path)
    if not fresh.is_file():
        return None
    aside = _free_name(path, now)
    was_there = False
    for suffix in (*_SIDE_FILES, ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            os.replace(part, aside.with_name(aside.name + suffix))
            was_there = True
    if was_there and not aside.exists():  # its log was all that was left of it
        aside.touch(0o600)
    os.replace(fresh, path)
    sync_folder(path.parent)
    _drop_oldest(path)
    return aside.name if was_there else ""


def make_ready(unready: Path, path: Path) -> Path:
    """From here on a power cut leads to what `copied` gave: the next start finds it ready. Returns its new name."""
    fresh = _fresh(path)
    os.replace(unready, fresh)
    sync_folder(path.parent)
    return fresh


def give_up_replacement(path: Path) -> None:
    """The present database goes on: a fresh one that was ready does not take its place any more. Raises OSError."""
    _fresh(path).unlink(missing_ok=True)


def salvage(path: Path, live: sqlite3.Connection | None = None) -> dict[str, list[tuple[str, Row]]]:
    """Every row that can be read and makes sense, of the tables worth it. Never raises for what the file holds."""
    saved: dict[str, list[tuple[str, Row]]] = {}
    damaged: list[Rows[Any]] = []
    is_readable = live is not None or _is_readable(path)
    most = _most_rows(path, live)
    for rows in _SAVED:
        found, is_whole = _read_table(path, live, rows, most) if is_readable else ({}, False)
        saved[rows.table.name] = [(charge_point_id, row) for (charge_point_id, _), row in found.items()]
        if not is_whole:
            damaged.append(rows)
    if damaged:
        with Pages(path) as pages:
            by_pages = read_trees(pages, ALL_ROWS).rows
        for rows in damaged:
            table = rows.table
            # What SQLite read is surer than what lies about in pages.
            merged = {(who, table.key_of(row)): row for who, row in by_pages.get(table.name, ())}
            merged.update({(who, table.key_of(row)): row for who, row in saved[table.name]})
            saved[table.name] = [
                (charge_point_id, row) for (charge_point_id, _), row in sorted(merged.items(), key=_key)
            ]
    return {name: found for name, found in saved.items() if found}


def _is_readable(path: Path) -> bool:
    """Whether it is worth asking SQLite, which deletes the log of an empty file."""
    try:
        return not is_empty(path) and connections.header_problem(path) is None
    except OSError:
        return False


def _most_rows(path: Path, live: sqlite3.Connection | None) -> int:
    """More than a table can have: a tree that leads back into itself has no end."""
    with Pages(path) as pages:
        count, size = pages.count, pages.size
    if live is not None:
        with suppress(*connections.READ_ERRORS):
            count = max(count, int(live.execute("PRAGMA page_count").fetchone()[0]))
    return count * size


def _read_table(
    path: Path, live: sqlite3.Connection | None, rows: Rows[Any], most: int
) -> tuple[dict[tuple[str, Row], Row], bool]:
    """What SQLite reads of a table, `most` rows at most, and whether that is all of it."""
    table = rows.table
    found: dict[tuple[str, Row], Row] = {}
    # From both ends, since reading stops at a bad page.
    for direction in ("ASC", "DESC"):
        try:
            with _reader(path, live) as connection:
                present = {str(column[1]) for column in connection.execute(f"PRAGMA table_info({table.name})")}
                columns = tuple(column for column in table.columns if column in present)
                selected = connection.execute(select_all(table, columns, direction))
                for charge_point_id, *values in islice(selected, most):
                    try:
                        row = rows.completed(dict(zip(columns, values, strict=True)))
                    except ValueError:
                        continue
                    if isinstance(charge_point_id, str):
                        found[charge_point_id, table.key_of(row)] = row
                return found, True
        except (sqlite3.Error, UnicodeDecodeError, OverflowError):
            continue
    return found, False


@contextmanager
def _reader(path: Path, live: sqlite3.Connection | None) -> Iterator[sqlite3.Connection]:
    # Read-only, so that the file stays as it was found.
    connection = live or sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.text_factory = connections.decoded
    try:
        yield connection
    finally:
        connection.text_factory = str
        if live is None:
            connection.close()


def _key(item: tuple[tuple[str, Row], Row]) -> tuple[str, Row]:
    return item[0]


def _fill(fresh: Path, schema: migrations.Schema, saved: Saved) -> None:
    unready = _unready(fresh)
    connection = connections.connect(unready)
    try:
        connections.prepare(connection, "FULL", None)
        migrations.create(connection, schema, connections.APPLICATION_ID)
        connection.execute("BEGIN IMMEDIATE")
        for name, found in saved.items():
            for charge_point_id, row in found:
                try:
                    connection.execute(PUT[name], (charge_point_id, *row))
                except (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError):
                    continue
        connection.execute("COMMIT")
        # Everything into the main file, which alone is renamed.
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
    os.replace(unready, fresh)
    sync_folder(fresh.parent)


def _fresh(path: Path) -> Path:
    return path.with_name(path.name + ".fresh")


def _unready(fresh: Path) -> Path:
    """An empty file in which a fresh database is made before it gets that name."""
    unready = fresh.with_name(fresh.name + "-unready")
    for suffix in ("", *_SIDE_FILES):
        unready.with_name(unready.name + suffix).unlink(missing_ok=True)
    connections.create_private(unready)
    return unready


def _free_name(path: Path, now: int) -> Path:
    try:
        time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)
    except OverflowError:
        time = datetime(1970, 1, 1, tzinfo=UTC)
    base = f"{path.name}.damaged-{time:%Y%m%dT%H%M%SZ}"
    candidate, count = path.with_name(base), 1
    # A station whose clock is not set yet may be here twice in the same second of 1970.
    while candidate.exists():
        count += 1
        candidate = path.with_name(f"{base}-{count}")
    return candidate


def _drop_oldest(path: Path) -> None:
    kept = [
        entry
        for entry in path.parent.iterdir()
        if entry.name.startswith(f"{path.name}.damaged-") and not entry.name.endswith(_SIDE_FILES)
    ]
    kept.sort(key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
    for entry in kept[:-_KEPT]:
        for suffix in ("", *_SIDE_FILES):
            entry.with_name(entry.name + suffix).unlink(missing_ok=True)

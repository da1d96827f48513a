"""The rows of a database, found by walking its trees page by page: what SQLite refuses to read, as far as it is there.

A table without a rowid is one tree whose cells, also the inner ones, are its rows ("Database File Format", 1.6, 2.4). A
tree is walked from its root; where an inner page is lost, the map of pages (1.8) says whose the pages below it are.

Rules of this file:
1. Nothing here raises for what a file holds. Every page of a tree is looked at once, and chains are followed only as
   far as there are pages: garbage costs no more time than content.
2. Only what is known to be live is read: free pages hold rows that were deleted.
3. Where the schema is lost, tables are where a new database has them, or are known by their rows.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ocpp16.store.base import Row
from ocpp16.store.pages import Pages
from ocpp16.store.rows import Rows

_TABLE_LEAF, _TABLE_INNER, _LEAF, _INNER = 0x0D, 0x05, 0x0A, 0x02
_MAP_ROOT, _MAP_TREE = 1, 5
_FIRST_ROOT = 3
"""Page 1 is the schema, 2 the map of pages; the tables follow in the order in which they were made."""
_TABLE_SQL = re.compile(r"CREATE TABLE \"?(\w+)\"?\s*\(", re.IGNORECASE)


class _Root(NamedTuple):
    page: int
    columns: tuple[str, ...] | None
    """As they are stored; None if the schema does not say."""


class Found(NamedTuple):
    """What trees hold."""

    rows: dict[str, list[tuple[str, Row]]]
    """Name of the table → charge point id and row."""
    is_whole: bool
    """Whether nothing was in the way: no page lost, no row that makes no sense."""


def read_trees(pages: Pages, tables: tuple[Rows[Any], ...]) -> Found:
    """Every row of these tables that can be found.

    Parameter: `tables` in the order in which a new database has them.
    """
    walk = _Walk(pages)
    found: dict[str, list[tuple[str, Row]]] = {}
    known = {name: root for name, root in walk.schema().items() if any(name == rows.table.name for rows in tables)}
    walk.claim(known)
    for rows in tables:
        root = known.get(rows.table.name)
        if root is not None:
            found[rows.table.name] = list(walk.rows(root.page, rows, root.columns))
    is_whole = walk.is_whole
    unknown = [rows for rows in tables if rows.table.name not in known]
    if unknown:
        _guess(walk, tables, unknown, found)
    return Found(found, is_whole and not unknown)


def _guess(
    walk: "_Walk", tables: tuple[Rows[Any], ...], unknown: list[Rows[Any]], found: dict[str, list[tuple[str, Row]]]
) -> None:
    """Find the trees of tables that the schema does not name any more."""
    for rows in list(unknown):
        root = _FIRST_ROOT + tables.index(rows)
        if root not in walk.claimed and walk.may_be_root(root):
            candidate = list(walk.rows(root, rows, None))
            if 2 * len(candidate) > walk.cells(root):
                walk.claimed.add(root)
                unknown.remove(rows)
                found[rows.table.name] = candidate
    for root in walk.roots_of_map():
        if root in walk.claimed:
            continue
        fitting = [(rows, list(walk.rows(root, rows, None))) for rows in unknown]
        fitting = [(rows, candidate) for rows, candidate in fitting if candidate and len(candidate) == walk.cells(root)]
        if len(fitting) == 1:
            ((rows, candidate),) = fitting
            walk.claimed.add(root)
            unknown.remove(rows)
            found[rows.table.name] = candidate


class _Walk:
    def __init__(self, pages: Pages) -> None:
        self.claimed: set[int] = set()
        """Roots whose table is known."""
        self.is_whole = True
        self._pages = pages
        self._records: dict[int, list[list[Any]]] = {}
        self._chains_left = 4 * pages.count + 16
        self._below: dict[int, list[int]] | None = None
        """Root → pages of its tree that the map names."""

    def schema(self) -> dict[str, _Root]:
        """Name of the table → its root, as far as the schema can be read."""
        found: dict[str, _Root] = {}
        for record in self._walk(1, _TABLE_LEAF, _TABLE_INNER):
            if len(record) >= 5 and record[0] == "table" and isinstance(record[3], int):
                columns = _columns(record[4])
                if columns is not None:
                    found[columns[0]] = _Root(record[3], columns[1:])
        return found

    def claim(self, known: dict[str, _Root]) -> None:
        self.claimed.update(root.page for root in known.values())

    def may_be_root(self, root: int) -> bool:
        kind = self._entry(root)
        return kind is None or kind[0] == _MAP_ROOT

    def roots_of_map(self) -> list[int]:
        return [number for number in range(_FIRST_ROOT, self._pages.count + 1) if self._is_map_root(number)]

    def cells(self, root: int) -> int:
        """How many rows the tree has, of whatever table."""
        return len(self._tree(root))

    def rows(self, root: int, rows: Rows[Any], columns: tuple[str, ...] | None) -> Iterator[tuple[str, Row]]:
        """Those of its rows that make sense as rows of this table."""
        names = ("charge_point_id", *rows.table.columns) if columns is None else columns
        for record in self._tree(root):
            if len(record) > len(names):
                self.is_whole = False
                continue
            values = dict(zip(names, record, strict=False))
            charge_point_id = values.pop("charge_point_id", None)
            if isinstance(charge_point_id, str) and "\ufffd" not in charge_point_id:
                try:
                    yield charge_point_id, rows.completed({name: values[name] for name in values})
                    continue
                except ValueError:
                    pass
            self.is_whole = False

    def _tree(self, root: int) -> list[list[Any]]:
        records = self._records.get(root)
        if records is None:
            seen: set[int] = set()
            records = list(self._walk(root, _LEAF, _INNER, seen))
            for number in self._named_by_map().get(root, ()):
                if number not in seen:
                    records += self._walk(number, _LEAF, _INNER, seen)
            self._records[root] = records
        return records

    def _walk(self, root: int, leaf: int, inner: int, seen: set[int] | None = None) -> Iterator[list[Any]]:
        seen = set() if seen is None else seen
        waiting = [root]
        while waiting:
            number = waiting.pop()
            page = None if number in seen else self._pages.page(number)
            seen.add(number)
            start = 100 if number == 1 else 0
            kind = 0 if page is None else page[start]
            if page is None or kind not in (leaf, inner):
                self.is_whole = False
                continue
            if kind == inner:
                waiting.append(int.from_bytes(page[start + 8 : start + 12], "big"))
            for cell in _cells(page, start, kind, self._pages.usable):
                if kind == inner:
                    waiting.append(int.from_bytes(page[cell : cell + 4], "big"))
                if kind != _TABLE_INNER:
                    record = self._record(page, cell, kind)
                    if record is not None:
                        yield record
                    else:
                        self.is_whole = False

    def _record(self, page: bytes, cell: int, kind: int) -> list[Any] | None:
        try:
            place = cell + 4 if kind == _INNER else cell
            length, place = _varint(page, place)
            if kind == _TABLE_LEAF:
                _, place = _varint(page, place)  # the rowid
            payload = self._payload(page, place, length, kind)
            return None if payload is None else _values(payload)
        except (IndexError, ValueError, OverflowError):
            return None

    def _payload(self, page: bytes, place: int, length: int, kind: int) -> bytes | None:
        """All of a payload, also what is in overflow pages (1.6); None if some of it is not there."""
        usable = self._pages.usable
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        least = (usable - 12) * 32 // 255 - 23
        local = length
        if length > most:
            local = least + (length - least) % (usable - 4)
            local = local if local <= most else least
        if length > self._pages.count * self._pages.size or place + local > usable:
            return None
        parts = [page[place : place + local]]
        missing = length - local
        following = int.from_bytes(page[place + local : place + local + 4], "big")
        seen: set[int] = set()
        while missing > 0:
            self._chains_left -= 1
            overflow = None if following in seen or self._chains_left < 0 else self._pages.page(following)
            if overflow is None:
                return None
            seen.add(following)
            parts.append(overflow[4 : min(usable, 4 + missing)])
            missing -= usable - 4
            following = int.from_bytes(overflow[:4], "big")
        return b"".join(parts)

    # The map of pages

    def _entry(self, number: int) -> tuple[int, int] | None:
        """What the map says of a page: its kind, and the page above. None if the map is lost, or says nonsense."""
        in_a_page = self._pages.usable // 5
        at = number - (number - 2) % (in_a_page + 1)
        page = self._pages.page(at) if number > 2 and at != number else None
        if page is None:
            return None
        place = 5 * (number - at - 1)
        kind, above = page[place], int.from_bytes(page[place + 1 : place + 5], "big")
        return (kind, above) if 1 <= kind <= 5 else None

    def _is_map_root(self, number: int) -> bool:
        entry = self._entry(number)
        return entry is not None and entry[0] == _MAP_ROOT

    def _named_by_map(self) -> dict[int, list[int]]:
        if self._below is None:
            self._below = {}
            for number in range(_FIRST_ROOT, self._pages.count + 1):
                root = self._root_above(number)
                if root is not None:
                    self._below.setdefault(root, []).append(number)
        return self._below

    def _root_above(self, number: int) -> int | None:
        for _ in range(20):  # no tree is deeper
            entry = self._entry(number)
            if entry is None:
                return None
            if entry[0] == _MAP_ROOT:
                return number
            if entry[0] != _MAP_TREE:
                return None
            number = entry[1]
        return None


def _columns(sql: object) -> tuple[str, ...] | None:
    """Name of the table and its columns in the order in which they are stored: the primary key first."""
    match = _TABLE_SQL.match(sql) if isinstance(sql, str) else None
    if match is None or not isinstance(sql, str):
        return None
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(sql)
        info = connection.execute(f"PRAGMA table_info({match[1]})").fetchall()
    except sqlite3.Error:
        return None
    finally:
        connection.close()
    key = sorted((column for column in info if column[5]), key=lambda column: int(column[5]))
    return (match[1], *(str(column[1]) for column in (*key, *(column for column in info if not column[5]))))


def _cells(page: bytes, start: int, kind: int, usable: int) -> Iterator[int]:
    """Where the cells of a page begin, as far as that can be."""
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    first = start + (12 if kind in (_INNER, _TABLE_INNER) else 8)
    for place in range(first, min(first + 2 * count, usable - 1), 2):
        cell = int.from_bytes(page[place : place + 2], "big")
        if first <= cell < usable:
            yield cell


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """An integer of up to nine bytes, and where it ends (1.6)."""
    value = 0
    for _ in range(8):
        byte = content[place]
        place += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place
    return value << 8 | content[place], place + 1


_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_CONSTANTS: dict[int, Any] = {0: None, 8: 0, 9: 1}


def _values(payload: bytes) -> list[Any] | None:
    """The columns of a record (2.1); None if it is none of ours."""
    end, place = _varint(payload, 0)
    if end > len(payload):
        return None
    body = end
    values: list[Any] = []
    while place < end:
        kind, place = _varint(payload, place)
        if kind in _CONSTANTS:
            values.append(_CONSTANTS[kind])
            continue
        decode: Callable[[bytes], Any]
        if kind in _INTEGERS:
            length, decode = _INTEGERS[kind], _integer
        elif kind >= 13 and kind % 2:
            length, decode = (kind - 13) // 2, _text
        else:  # numbers with a point, and binary: no column of ours has them
            return None
        if body + length > len(payload):
            return None
        values.append(decode(payload[body : body + length]))
        body += length
    return values


def _integer(content: bytes) -> int:
    return int.from_bytes(content, "big", signed=True)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")

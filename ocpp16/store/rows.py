"""Typed records and the rows that hold them: a table's columns are derived from the record's annotations.

A record is a NamedTuple or a dataclass with slots. An annotation says what a column holds: `int`, `str`, `bool` (0 or
1), an enumeration (its value), any of them `| None`, and `dict[str, Any]` or `Any` for JSON text.

Rule of this file: a row that cannot be turned into its record never stops the others from being read, if the caller
says where such rows go. Bits rot, and a charge point must start all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from ocpp16._core.records import Shape, plain_row
from ocpp16.errors import StoreError
from ocpp16.store.base import Delete, Put, Row, Table, Value
from ocpp16.store.json_text import json_text
from ocpp16.texts import shown

R = TypeVar("R")
_SHOWN = 120
"""Characters of a value that are shown in an error."""
_Convert = Callable[[Any], Any]


class Rows(Generic[R]):
    """One table and its record type.

    Parameters: `name` of the table, `record` the NamedTuple or dataclass of its rows, `key` how many of its first
    columns follow `charge_point_id` in the primary key. `is_whole`: half of it is worse than nothing, so nothing is
    taken from a damaged file. `is_counted`: its first column is a number that is counted here, and not given twice.
    """

    __slots__ = (
        "_from_row",
        "_json_columns",
        "_record",
        "_shape",
        "_undisguise",
        "is_counted",
        "is_whole",
        "table",
    )

    def __init__(
        self,
        name: str,
        record: type[R],
        *,
        key: int = 1,
        is_whole: bool = False,
        is_counted: bool = False,
    ) -> None:
        self.is_whole: bool = is_whole
        self.is_counted: bool = is_counted
        hints = get_type_hints(record)
        columns = tuple(hints)
        self.table: Table = Table(name, columns[:key], columns)
        self._record = record
        self._from_row: tuple[_Convert, ...] = tuple(_converter(hint) for hint in hints.values())
        self._json_columns = tuple(
            (index, f"{name}.{column}") for index, (column, hint) in enumerate(hints.items()) if _is_json(hint)
        )
        self._undisguise = tuple(_undisguise(hint) for hint in hints.values())
        self._shape = None if issubclass(record, tuple) else Shape(record, columns)

    def put(self, record: R) -> Put:
        """The change that stores `record` as it is now; changing it later changes nothing.

        Raises ValueError when a JSON column holds what JSON cannot.
        """
        row = plain_row(record, self._undisguise) if self._shape is None else self._shape.row(record, self._undisguise)
        if self._json_columns:
            values = list(row)
            for index, what in self._json_columns:
                values[index] = json_text(values[index], what).decode()
            row = tuple(values)
        return Put(self.table, row)

    def put_values(self, *values: Value) -> Put:
        """`put` of the record whose columns are these, in their order and their form; they are not looked at."""
        return Put(self.table, values)

    def delete(self, *key: int | str) -> Delete:
        """The change that deletes the row with this key, or all rows whose key begins with it."""
        return Delete(self.table, key)

    def record(self, row: Row) -> R:
        """The record of one row; ValueError, and nothing else, says which column does not fit."""
        from_row = self._from_row
        if not isinstance(row, tuple | list) or len(row) != len(from_row):
            raise ValueError(f"{self.table.name} has {len(from_row)} columns, not {shown(row, _SHOWN)}")
        try:
            return self._record(*[convert(value) for convert, value in zip(from_row, row, strict=True)])
        except Exception:  # which column it is takes a second look
            return self._made(zip(self.table.columns, from_row, row, strict=True))

    def read(self, rows: Iterable[Row], on_unreadable: Callable[[Row, ValueError], None] | None = None) -> list[R]:
        """The records of `rows`, in their order.

        A row that does not fit is given to `on_unreadable` and left out; without it, StoreError is raised.
        """
        records = []
        for row in rows:
            try:
                records.append(self.record(row))
            except ValueError as error:
                if on_unreadable is None:
                    raise StoreError(f"a stored row is unreadable: {error}") from error
                on_unreadable(row, error)
        return records

    def completed(self, values: Mapping[str, Value]) -> Row:
        """The row of which only some columns are known, the others by the record's defaults; ValueError if it has none.

        For rows saved from a damaged database that may be of an older schema.
        """
        return self.put(
            self._made(
                (column, convert, values[column])
                for column, convert in zip(self.table.columns, self._from_row, strict=True)
                if column in values
            )
        ).row

    def _made(self, values: Iterable[tuple[str, _Convert, Any]]) -> R:
        converted = {}
        column = ""
        try:
            for column, convert, value in values:
                converted[column] = convert(value)
            column = ""
            return self._record(**converted)
        except Exception as error:  # what a file or a driver gives may be anything
            where = f"{self.table.name}.{column}" if column else self.table.name
            raise ValueError(f"{where}: {shown(error, _SHOWN)}") from None


def _is_json(hint: Any) -> bool:
    return hint is Any or get_origin(hint) is dict


def _undisguise(hint: Any) -> _Convert | None:
    """What makes the plain number or text of a flag or a member; None for other columns.

    A driver takes the one as it is, and looks for an adapter of the other each time: that is half of a row's cost.
    """
    kinds = [hint] if isinstance(hint, type) else [kind for kind in get_args(hint) if kind is not NoneType]
    for kind in kinds:
        if kind is bool:
            return int
        if isinstance(kind, type) and issubclass(kind, Enum):
            return attrgetter("_value_")
    return None


def _converter(hint: Any) -> _Convert:
    if hint is Any:
        return orjson.loads
    if get_origin(hint) is dict:
        return _json_object
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (argument for argument in get_args(hint) if argument is not NoneType)
        return _optional(_converter(inner))
    plain = _PLAIN.get(hint)
    if plain is None and issubclass(hint, Enum):
        plain = hint
    assert plain is not None, f"no column can hold {hint}"
    return plain


def _optional(convert: _Convert) -> _Convert:
    return lambda value: None if value is None else convert(value)


def _integer(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{value!r:.40} is no integer")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no text")
    return value


def _flag(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value!r:.40} is neither 0 nor 1")
    return bool(value)


_PLAIN: dict[Any, _Convert] = {int: _integer, str: _text, bool: _flag}


def _json_object(value: Any) -> dict[str, Any]:
    document = orjson.loads(value)
    if not isinstance(document, dict):
        raise ValueError("is no JSON object")
    return document

# cython: nonecheck=True
"""What a change does to the rows of its table, and which changes no store can carry out.

Rules of this file:
1. It is told everything and keeps nothing: no store, no clock, no tasks.
2. Every value that goes into memory passes here: nothing is done twice or made for nothing.
3. None is no change and no table. Compiled, that is asked at each access (nonecheck): else it would end the process.
"""

from collections.abc import Iterable
from typing import Any

from ocpp16._core.by_number import ByNumber
from ocpp16._core.records import are_plain
from ocpp16.store.table import Delete, Put, Row, RowChange, Value

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def check_change(change: RowChange) -> None:
    """Raises ValueError, TypeError or OverflowError for a change of this shape that no store can carry out.

    Whether the table exists, and what else its columns demand, only the store knows.
    """
    if isinstance(change, Put):
        put = change
        table, values = put.table, put.row
    else:
        delete = change
        table, values = delete.table, delete.key
    if not isinstance(values, tuple):
        raise TypeError(f"a row of {table.name} is a tuple, not {type(values).__name__}")
    width, keys = len(values), table.keys
    if isinstance(change, Delete):
        if width > keys:
            raise ValueError(f"a key of {table.name} has fewer than {width} columns")
        keys = 0
    elif width != table.width:
        raise ValueError(f"{table.name} has {table.width} columns, not {width}")
    if are_plain(values, keys):
        return
    for value in values:
        if value is None:
            if keys > 0:
                raise ValueError(f"{table.name}: a key has no nulls")
        else:
            check_value(value)
        keys -= 1


def check_value(value: Value) -> None:
    """Raises TypeError, OverflowError or ValueError for a value that no column can hold."""
    if isinstance(value, str):
        if not value.isascii():
            value.encode()  # UnicodeEncodeError, a ValueError, for a lone surrogate
    elif isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            raise OverflowError("integers have at most 64 bits")
    elif value is not None:
        raise TypeError(f"a column cannot hold {type(value).__name__}")


def are_possible(changes: Iterable[RowChange]) -> bool:
    """Whether a store can hold them."""
    try:
        for change in changes:
            check_change(change)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def place_of(key: Row) -> Any:
    """Where `carry_out` keeps the row of a whole key: of one column, as most are, by its value alone; of none, which is
    the only row, at 0."""
    return key[0] if len(key) == 1 else key or 0


def carry_out(change: RowChange, rows: ByNumber[Row]) -> None:
    """Make a possible change to the rows of its table, each in its place (`place_of`)."""
    if isinstance(change, Put):
        put = change
        row = put.row
        place: Any = row[0] if put.table.keys == 1 else row[: put.table.keys] or 0
        rows[place] = row
        return
    delete = change
    values = delete.key
    length = len(values)
    if length == 0:
        rows.clear()
    elif length == delete.table.keys:
        rows.pop(place_of(values))
    else:
        keys: Any = tuple(rows)
        for key in keys:
            if key[:length] == values:
                del rows[key]

"""A table, its rows, and what can be changed in them; rules 1 and 2 of `base`."""

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "int | str | None"
"""What a column can hold: an integer of 64 bits, a text (any Unicode but lone surrogates), or nothing."""
Row: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the store. `columns` are all columns but `charge_point_id`; the key columns come first.

    Without key columns the table has at most one row per charge point.
    """

    name: str
    key_columns: tuple[str, ...]
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.columns[: len(self.key_columns)] != self.key_columns:
            raise ValueError(f"table {self.name}: the key columns must come first")

    def key_of(self, row: Row) -> Row:
        """The key of a row of this table."""
        return row[: len(self.key_columns)]

    def narrowed(self, *columns: str) -> "Table":
        """The same table with its key and some other columns only, to be loaded without the rest."""
        return Table(self.name, self.key_columns, (*self.key_columns, *columns))

    def places(self, narrowed: "Table") -> tuple[int, ...] | None:
        """Where the columns of a narrowed table are in a row of this one; None if it has the same columns.

        Raises ValueError for columns this table does not have, or another key.
        """
        if narrowed.columns == self.columns and narrowed.key_columns == self.key_columns:
            return None
        missing = [column for column in narrowed.columns if column not in self.columns]
        if missing or narrowed.key_columns != self.key_columns:
            raise ValueError(
                f"{self.name} has no columns {', '.join(missing)}" if missing else f"{self.name}: other key"
            )
        return tuple(self.columns.index(column) for column in narrowed.columns)


class Put:
    """Insert `row`, or replace the row that has its key. Equal to another one of the same table and row."""

    __slots__ = ("row", "table")

    def __init__(self, table: Table, row: Row) -> None:
        self.table = table
        self.row = row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Put) and self.table == other.table and self.row == other.row

    def __hash__(self) -> int:
        return hash((self.table, self.row))

    def __repr__(self) -> str:
        return f"Put({self.table.name}, {self.row!r})"


class Delete:
    """Delete all rows whose key begins with `key`: a full key is one row, () is all of this charge point's table."""

    __slots__ = ("key", "table")

    def __init__(self, table: Table, key: Row) -> None:
        self.table = table
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delete) and self.table == other.table and self.key == other.key

    def __hash__(self) -> int:
        return hash((self.table, self.key))

    def __repr__(self) -> str:
        return f"Delete({self.table.name}, {self.key!r})"


RowChange: TypeAlias = Put | Delete

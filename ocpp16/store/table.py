"""A table, its rows, and what can be changed in them; rules 1 and 2 of `base`."""

from typing import TypeAlias

Value: TypeAlias = "int | str | None"
"""What a column can hold: an integer of 64 bits, a text (any Unicode but lone surrogates), or nothing."""
Row: TypeAlias = tuple[Value, ...]


class Table:
    """A table of the store. `columns` are all columns but `charge_point_id`; the `key_columns` come first. `keys` and
    `width` count both.

    Without key columns the table has at most one row per charge point. Equal to another one of the same name and
    columns. Raises ValueError if the key columns do not come first.
    """

    __slots__ = ("columns", "key_columns", "keys", "name", "width")

    def __init__(self, name: str, key_columns: tuple[str, ...], columns: tuple[str, ...]) -> None:
        if columns[: len(key_columns)] != key_columns:
            raise ValueError(f"table {name}: the key columns must come first")
        self.name: str = name
        self.key_columns: tuple[str, ...] = key_columns
        self.columns: tuple[str, ...] = columns
        self.keys: int = len(key_columns)
        self.width: int = len(columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (
            (self.name, self.key_columns, self.columns) == (other.name, other.key_columns, other.columns)
        )

    def __hash__(self) -> int:
        return hash((self.name, self.key_columns, self.columns))

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self.key_columns!r}, {self.columns!r})"

    def key_of(self, row: Row) -> Row:
        """The key of a row of this table."""
        return row[: self.keys]

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


class Change:
    """Of one or more rows of a table."""

    __slots__ = ("table",)
    table: Table


class Put(Change):
    """Insert `row`, or replace the row that has its key. Equal to another one of the same table and row."""

    __slots__ = ("row",)

    def __init__(self, table: Table, row: Row) -> None:
        self.table = table
        self.row: Row = row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Put) and self.table == other.table and self.row == other.row

    def __hash__(self) -> int:
        return hash((self.table, self.row))

    def __repr__(self) -> str:
        return f"Put({self.table.name}, {self.row!r})"


class Delete(Change):
    """Delete all rows whose key begins with `key`: a full key is one row, () is all of this charge point's table."""

    __slots__ = ("key",)

    def __init__(self, table: Table, key: Row) -> None:
        self.table = table
        self.key: Row = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delete) and self.table == other.table and self.key == other.key

    def __hash__(self) -> int:
        return hash((self.table, self.key))

    def __repr__(self) -> str:
        return f"Delete({self.table.name}, {self.key!r})"


RowChange: TypeAlias = Put | Delete

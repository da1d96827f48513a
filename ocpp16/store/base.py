"""What a store is: rows by charge point, applied in batches, each batch one commit.

A driver (`SqliteStore`, `MemoryStore`, a user's own) knows tables and rows and nothing of what they mean. It is
checked by `ocpp16.testing.contracts.check_store`.

Rules of this file:
1. Every row belongs to one charge point; a table's primary key is `charge_point_id` followed by `key_columns`.
2. A change is idempotent: applied twice it leaves what it left when applied once. So a batch whose fate is unknown
   can be applied again.
3. Nothing here knows of clocks, tasks or messages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

Value: TypeAlias = int | str | None
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


class Put(NamedTuple):
    """Insert `row`, or replace the row that has its key."""

    table: Table
    row: Row


class Delete(NamedTuple):
    """Delete all rows whose key begins with `key`: a full key is one row, () is all of this charge point's table."""

    table: Table
    key: Row


class FileWrite(Protocol):
    """A file that is written beside the rows, as the overlay of the configuration."""

    @property
    def target(self) -> Path:
        """Which file: of several writes of one batch to the same target only the last is carried out."""
        ...

    def write(self) -> None:
        """Replace the file durably; blocks. Raises OSError when that is not possible now. May be called again."""
        ...


RowChange: TypeAlias = Put | Delete
Change: TypeAlias = Put | Delete | FileWrite
Batch: TypeAlias = tuple[str, Sequence[RowChange]]
"""A charge point's id and its changes, in order."""


class Store(Protocol):
    """Where rows are kept. Methods block, and are called one at a time, though from changing threads."""

    @property
    def is_volatile(self) -> bool:
        """True when nothing outlives the process: then there is no point in waiting for a commit."""
        ...

    def load(self, charge_point_id: str) -> dict[str, list[Row]]:
        """All rows of one charge point: name of the table → rows in the order of their keys.

        Every table is there, also one without rows. Raises StoreError when the store cannot be read.
        """
        ...

    def apply(self, batches: Sequence[Batch]) -> dict[str, Exception]:
        """Make all changes durable in one commit. Returns the charge points that were refused, and why.

        A charge point one of whose changes is impossible (number of columns, a value no column can hold, an unknown
        table) has none of its changes applied; the others have all of theirs. Raises StoreError when nothing was
        acknowledged: the caller then applies the same changes again later.
        """
        ...

    def close(self) -> None:
        """Give everything back. A second call does nothing; after the first, load and apply raise StoreError."""
        ...

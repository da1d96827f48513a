"""What a store is: rows by charge point, applied in batches, each batch one commit.

A driver (`SqliteStore`, `MemoryStore`, a user's own) knows tables and rows and nothing of what they mean. It is
checked by `ocpp16.testing.contracts.check_store`.

Rules of this file:
1. Every row belongs to one charge point; a table's primary key is `charge_point_id` followed by `key_columns`.
2. A change is idempotent: applied twice it leaves what it left when applied once. So a batch whose fate is unknown
   can be applied again.
3. What a driver cannot hold it refuses for the one charge point, and goes on with the others.
4. Nothing here knows of clocks, tasks or messages.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from ocpp16.store.table import Delete, Put, Row, RowChange, Table, Value

__all__ = ["ChargePointChanges", "Delete", "Put", "Row", "RowChange", "Store", "Table", "Value"]

ChargePointChanges: TypeAlias = tuple[str, Sequence[RowChange]]
"""A charge point's id and its changes, in order."""


class Store(Protocol):
    """Where rows are kept. Methods block, and are called one at a time, though from changing threads."""

    @property
    def is_volatile(self) -> bool:
        """True when nothing outlives the process: then there is no point in waiting for a commit."""
        ...

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        """The rows of one charge point in one table whose key begins with `key`, in the order of their keys.

        Parameters: `table` may have fewer columns than are stored (`Table.narrowed`): then only these are given. `key`:
        () is all of this charge point's table, a full key is at most one row; one that no row can have finds nothing.

        Raises StoreError when the store cannot be read, ValueError for a table or column that is not there and for a
        key of too many columns.
        """
        ...

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        """Make all changes durable in one commit. Returns the charge points that were refused, and why.

        A charge point one of whose changes is impossible (number of columns, a value no column can hold, an unknown
        table) has none of its changes applied; the others have all of theirs. Raises StoreError when nothing was
        acknowledged: the caller then applies the same changes again later.
        """
        ...

    def close(self) -> None:
        """Give everything back. A second call does nothing; after the first, load and apply raise StoreError."""
        ...

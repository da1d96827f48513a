# cython: nonecheck=True
"""A store in dictionaries: for fleets that may forget, and for tests. It keeps rule 3 of `changes`."""

from collections.abc import Sequence
from typing import Any, Self

from ocpp16._core.by_number import ByNumber
from ocpp16._core.unseen import unseen
from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges, Row, RowChange
from ocpp16.store.changes import carry_out, check_change, place_of
from ocpp16.store.table import Table
from ocpp16.store.tables import TABLES

Shelf = dict[str, ByNumber[Row]]
"""The rows of one charge point, of each table as `carry_out` keeps them."""
_ALL = {table.name: table for table in TABLES}
_NO_TABLES: Shelf = {}
_NO_ROWS: ByNumber[Row] = ByNumber()


class MemoryStore:
    """The contract of `Store`, without a disk. Refuses what SqliteStore refuses for the shape of a row.

    Parameters: `is_volatile=False` makes the journal commit behind, as it does for a disk, and lets the same object be
    "opened again" after a simulated crash. `tables` are the tables it has.
    """

    __slots__ = ("_is_closed", "_rows", "_tables", "is_volatile")

    def __init__(self, *, is_volatile: bool = True, tables: Sequence[Table] = TABLES) -> None:
        self.is_volatile: bool = is_volatile
        self._tables = _ALL if tables is TABLES else {table.name: table for table in tables}
        self._rows: dict[str, Shelf] = {}
        """Of each charge point."""
        self._is_closed = False

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        self._check_open()
        whole = self._tables.get(table.name)
        if whole is None:
            raise ValueError(f"there is no table {table.name}")
        places = whole.places(table)
        length, width = len(key), len(whole.key_columns)
        if length > width:
            raise ValueError(f"a key of {table.name} has fewer than {length} columns")
        rows = self._rows.get(charge_point_id, _NO_TABLES).get(table.name, _NO_ROWS)
        if length == width:
            one = rows.get(place_of(key))
            found = [] if one is None else [one]
        else:
            keys: list[Any] = sorted(rows)
            found = [rows[other] for other in keys if width == 1 or other[:length] == key]
        return found if places is None else [tuple(row[place] for place in places) for row in found]

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self._check_open()
        refused: dict[str, Exception] = {}
        for charge_point_id, changes in batches:
            try:
                self._check(changes)
            except (ValueError, TypeError, OverflowError) as error:
                refused[charge_point_id] = error
                continue
            self._carry_out(self.shelf(charge_point_id), changes)
        return refused

    def shelf(self, charge_point_id: str) -> Shelf:
        """Where the rows of this charge point are, for `take`: whoever has it need not look for it each time."""
        shelf = self._rows.get(charge_point_id)
        if shelf is None:
            shelf = self._rows[charge_point_id] = {}
        return shelf

    def take(self, shelf: Shelf, changes: Sequence[RowChange]) -> bool:
        """For the journal, which need not wait for this store: `apply` for one charge point, without its ceremony.

        False where `apply` would refuse or raise; nothing is done then.
        """
        if self._is_closed:
            return False
        try:
            self._check(changes)
        except (ValueError, TypeError, OverflowError):
            return False
        self._carry_out(shelf, changes)
        return True

    def close(self) -> None:
        self._is_closed = True

    def reopen(self) -> Self:
        """The same rows as a store of its own that is open: what a process finds that starts again."""
        again = type(self)(is_volatile=self.is_volatile)
        again._tables, again._rows = self._tables, self._rows
        return again

    def charge_points(self) -> list[str]:
        """Whose changes it ever took."""
        return [charge_point_id for charge_point_id, shelf in self._rows.items() if shelf]

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError("the store is closed")

    def _check(self, changes: Sequence[RowChange]) -> None:
        for change in changes:
            table = change.table
            known = self._tables.get(table.name)
            if known is not table and (known is None or known != table):
                raise ValueError(f"there is no table {table.name} of these columns")
            check_change(change)

    def _carry_out(self, shelf: Shelf, changes: Sequence[RowChange]) -> None:
        for change in changes:
            name = change.table.name
            rows = shelf.get(name)
            if rows is None:
                rows = shelf[name] = unseen(ByNumber())
            carry_out(change, rows)

"""What a charge point reads when it starts: everything that is stored of it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from ocpp16._core.by_number import ByNumber
from ocpp16.errors import StoreError
from ocpp16.faults import sentence
from ocpp16.store.base import Row, Store, Table
from ocpp16.store.batch import Batch
from ocpp16.store.changes import are_possible, carry_out, place_of
from ocpp16.store.tables import TABLES
from ocpp16.values import described, is_a

T = TypeVar("T")

_LOADED = TABLES


class Reader(Protocol):
    """The journal, as far as reading needs it."""

    async def in_turn(self, errand: Callable[[Store], T], *, timeout: float | None = None) -> T: ...

    def subscribe(self, kick: Callable[[], None], charge_point_id: str | None = None) -> Callable[[], None]: ...


def load_all(store: Store, charge_point_id: str) -> dict[str, list[Row]]:
    """Name of the table → rows of one charge point. Blocks. Raises StoreError."""
    try:
        return {table.name: load_rows(store, charge_point_id, table) for table in _LOADED}
    except ValueError as error:  # these tables every store has
        raise _unreadable(error) from error


def load_rows(store: Store, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
    """What `Store.load` gives, as it should be. Blocks. Raises StoreError and ValueError, whatever the driver does.

    A store that can put itself right (`SqliteStore.put_right`) is asked to where it cannot be read.
    """
    try:
        try:
            return _rows(store.load(charge_point_id, table, key), table)
        except StoreError:
            put_right = getattr(store, "put_right", None)
            if put_right is None or not put_right():
                raise
            return _rows(store.load(charge_point_id, table, key), table)
    except (StoreError, ValueError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a driver's own fault, as the cancellation of another loop
        raise _unreadable(error) from error


def _rows(given: Iterable[Row], table: Table) -> list[Row]:
    rows = []
    for row in given:
        if not is_a(row, (tuple, list)):
            raise StoreError(f"the store cannot be read: a row of {table.name} must be a tuple, not {described(row)}")
        rows.append(tuple(row))
    return rows


def _unreadable(error: BaseException) -> StoreError:
    return StoreError(f"the store cannot be read: {sentence(error)}")


async def load_as_told(
    journal: Reader, charge_point_id: str, unstored: Callable[[], Sequence[Batch]], timeout: float | None = None
) -> dict[str, list[Row]]:
    """`load_all`, and what was told and is not stored yet: a start on a full disk must not forget it.

    `unstored` gives that, the newest batch first; of proposals nothing is taken. Raises StoreError, also when reading
    takes longer than `timeout` seconds.
    """
    committed: list[None] = []
    unsubscribe = journal.subscribe(lambda: committed.append(None), charge_point_id)
    try:
        loaded = await journal.in_turn(lambda store: load_all(store, charge_point_id), timeout=timeout)
        while committed:  # what it stored was not read, and does not wait any more
            committed.clear()
            loaded = await journal.in_turn(lambda store: load_all(store, charge_point_id), timeout=timeout)
    finally:
        unsubscribe()
    parts = [batch.parts[charge_point_id] for batch in reversed(unstored()) if charge_point_id in batch.parts]
    if not parts:
        return loaded
    rows = {table.name: ByNumber({place_of(table.key_of(row)): row for row in loaded[table.name]}) for table in _LOADED}
    for part in parts:
        for piece in part.pieces():
            if piece.proposal is None and are_possible(piece.changes):
                for change in piece.changes:
                    carry_out(change, rows.get(change.table.name, ByNumber()))
    return {name: list(found.values()) for name, found in rows.items()}

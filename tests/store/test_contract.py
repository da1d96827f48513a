"""The conformance suite: both stores pass it, and each way of breaking the contract is found by it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges, Delete, Put, Row, Table
from ocpp16.store.memory import MemoryStore
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import TABLES, settings
from ocpp16.testing.contracts import LossyStore, check_store


def test_memory_store_keeps_the_contract() -> None:
    assert "closed_store_refuses" in check_store(MemoryStore)


def test_memory_store_that_is_opened_again_keeps_the_contract() -> None:
    first = MemoryStore(is_volatile=False)
    assert "rows_are_there_after_a_restart" in check_store(first.reopen)


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_sqlite_store_keeps_the_contract(tmp_path: Path, synchronous: str) -> None:
    checked = check_store(lambda: SqliteStore.open(tmp_path / "new folder" / "db", synchronous=synchronous))
    assert "rows_are_there_after_a_restart" in checked


class Unordered(MemoryStore):
    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        rows = super().load(charge_point_id, table, key)
        return sorted(rows, key=str) if table.name == "message_queue" else rows


class Caseless(MemoryStore):
    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        return super().load(charge_point_id.lower(), table, key)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        return super().apply([(charge_point_id.lower(), changes) for charge_point_id, changes in batches])


class WithoutSavepoints(MemoryStore):
    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        refused: dict[str, Exception] = {}
        for charge_point_id, changes in batches:
            for change in changes:
                refused |= super().apply([(charge_point_id, [change])])
        return refused


class AllOrNothing(MemoryStore):
    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        refused = super().apply(batches)
        if refused:
            for charge_point_id, _ in batches:
                self._rows.pop(charge_point_id, None)
        return refused


class ForgetsPrefixes(MemoryStore):
    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        def kept(change: Put | Delete) -> bool:
            return isinstance(change, Put) or not 0 < len(change.key) < len(change.table.key_columns)

        return super().apply([(who, [change for change in changes if kept(change)]) for who, changes in batches])


class NumberLike(MemoryStore):
    """Keeps texts as a column of integer affinity does."""

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        def spoilt(value: int | str | None) -> int | str | None:
            return int(value) if isinstance(value, str) and value.isdecimal() else value

        return [tuple(spoilt(value) for value in row) for row in super().load(charge_point_id, table, key)]


class WithoutKeys(MemoryStore):
    """Reads whole tables, whatever is asked for."""

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        return super().load(charge_point_id, table)


class WholeRows(MemoryStore):
    """Has one idea of each table."""

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        whole = next((known for known in TABLES if known.name == table.name), table)
        whole.places(table)
        return super().load(charge_point_id, whole, key)


class Untyped(MemoryStore):
    """Compares keys by their text, as some databases do."""

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        rows = super().load(charge_point_id, table)
        return [row for row in rows if list(map(str, row[: len(key)])) == list(map(str, key))]


class Lenient(MemoryStore):
    """Has no rows where there is no table."""

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        return (
            [] if table not in TABLES and table.name == "no_such_table" else super().load(charge_point_id, table, key)
        )


class OpenForEver(MemoryStore):
    def close(self) -> None:
        pass


class ForgetsOnClose(MemoryStore):
    def close(self) -> None:
        self._rows.clear()
        super().close()


BROKEN: dict[str, Callable[[], Callable[[], MemoryStore | LossyStore]]] = {
    "rows_come_in_the_order_of_their_keys": lambda: Unordered,
    "charge_points_do_not_see_each_other": lambda: Caseless,
    "a_refused_charge_point_leaves_the_others_alone: rows of the refused": lambda: WithoutSavepoints,
    "a_refused_charge_point_leaves_the_others_alone: rows of the neighbour": lambda: AllOrNothing,
    "a_prefix_deletes_the_rows_below_it": lambda: ForgetsPrefixes,
    "a_row_comes_back_as_it_was_put": lambda: NumberLike,
    "closed_store_refuses": lambda: OpenForEver,
    "a_key_finds_the_rows_that_begin_with_it": lambda: WithoutKeys,
    "a_key_that_no_row_can_have_finds_nothing": lambda: Untyped,
    "a_narrowed_table_gives_its_columns_only": lambda: WholeRows,
    "loading_what_is_not_there_is_a_mistake": lambda: Lenient,
    "rows_are_there_after_a_restart": lambda: ForgetsOnClose(is_volatile=False).reopen,
    "a_put_replaces_the_row_of_its_key": lambda: lambda: LossyStore(MemoryStore(), lose=_any_replacement),
}


def _any_replacement(batches: Sequence[ChargePointChanges]) -> bool:
    return any(charge_point_id == "replace" for charge_point_id, _ in batches)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_store_is_found(rule: str) -> None:
    open_store = BROKEN[rule]()
    with pytest.raises(AssertionError, match=f"^{rule}"):
        check_store(open_store)


def test_forgetting_store_passes_where_nothing_need_be_kept() -> None:
    check_store(ForgetsOnClose)


def test_lossy_store_loses_only_what_it_was_asked_to() -> None:
    store = LossyStore(MemoryStore(), lose=lambda batches: batches[0][0] == "lost")
    assert store.is_volatile
    row = settings.SettingRow("a", 1)
    assert store.apply([("kept", [settings.put(row)])]) == {}
    assert store.apply([("lost", [settings.put(row)])]) == {}
    assert settings.read(store.load("kept", settings.TABLE)) == [row]
    assert store.load("lost", settings.TABLE) == []
    assert store.lost == 1
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.load("kept", settings.TABLE)

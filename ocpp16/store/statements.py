"""SQL text for the tables: one statement per table and purpose, so that SQLite prepares each only once.

What many charge points do in one commit is the same few statements with other values: `grouped` puts them together.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ocpp16.store.base import ChargePointChanges, Put, Row, RowChange, Table
from ocpp16.store.tables import TABLES

_BY_NAME = {table.name: table for table in TABLES}
Statement: TypeAlias = tuple[str, Row]
"""SQL text and its parameters."""


def _put(table: Table) -> str:
    columns = ("charge_point_id", *table.columns)
    values = table.columns[len(table.key_columns) :]
    places = ", ".join("?" * len(columns))
    insert = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  names of our own
    if not values:
        return f"{insert} ON CONFLICT DO NOTHING"
    # A row that changes nothing dirties no page: flash is spared (the comparison costs less than a written page).
    return (
        f"{insert} ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in values)}"
        f" WHERE ({', '.join(values)}) IS NOT ({', '.join(f'excluded.{name}' for name in values)})"
    )


def _where(table: Table, key_length: int) -> str:
    return " AND ".join(f"{name} = ?" for name in ("charge_point_id", *table.key_columns[:key_length]))


def _order(table: Table, direction: str = "ASC") -> str:
    return ", ".join(f"{name} {direction}" for name in ("charge_point_id", *table.key_columns))


def _delete(table: Table) -> tuple[str, ...]:
    return tuple(
        f"DELETE FROM {table.name} WHERE {_where(table, length)}"  # noqa: S608
        for length in range(len(table.key_columns) + 1)
    )


def select(table: Table, key_length: int) -> str:
    """The columns of a table of one charge point whose key begins so; parameters: charge_point_id and these."""
    return (
        f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608
        f" WHERE {_where(table, key_length)} ORDER BY {_order(table)}"
    )


def select_all(table: Table, columns: tuple[str, ...], direction: str) -> str:
    """All rows of all charge points in the order of the key, "ASC" or "DESC"; some columns, charge_point_id first."""
    names = ", ".join(("charge_point_id", *columns))
    return f"SELECT {names} FROM {table.name} ORDER BY {_order(table, direction)}"  # noqa: S608


PUT: Mapping[str, str] = {table.name: _put(table) for table in TABLES}
"""Name of the table → insert or replace; parameters: charge_point_id and the columns."""
DELETE: Mapping[str, tuple[str, ...]] = {table.name: _delete(table) for table in TABLES}
"""Name of the table → by number of key columns given; parameters: charge_point_id and these."""
SELECT: Mapping[str, str] = {table.name: select(table, 0) for table in TABLES}
"""Name of the table → all rows of one charge point, in the order of their keys."""


def statement(charge_point_id: str, change: RowChange) -> Statement:
    """What carries out a change. Raises ValueError for a table that is not there, or a key of too many columns."""
    table = change.table
    name = table.name
    known = _BY_NAME.get(name)
    if known is not table and known != table:
        raise ValueError(f"there is no table {name} of these columns")
    if isinstance(change, Put):
        return PUT[name], (charge_point_id, *change.row)
    if len(change.key) > len(table.key_columns):
        raise ValueError(f"a key of {name} has fewer than {len(change.key)} columns")
    return DELETE[name][len(change.key)], (charge_point_id, *change.key)


def grouped(batches: Iterable[ChargePointChanges]) -> Sequence[tuple[str, Sequence[Row]]]:
    """The statements that leave what the changes leave in their order, each with the parameters of all who need it.

    Changes of the same rows of one charge point keep their order, in rounds; others have none to keep. Raises what
    `statement` raises, and TypeError for a key that is none.
    """
    rounds: dict[tuple[int, str], list[Row]] = {}
    # Charge point → table and key → the first round in which that may be changed again; and the same of whole tables,
    # for changes of one row, and for deletions of many.
    places: dict[str, tuple[dict[tuple[str, Row], int], dict[str, int], dict[str, int]]] = {}
    for charge_point_id, changes in batches:
        free, first, last = places.setdefault(charge_point_id, ({}, {}, {}))
        for change in changes:
            sql, parameters = statement(charge_point_id, change)
            table = change.table
            name, keys = table.name, len(table.key_columns)
            values = change.row if isinstance(change, Put) else change.key
            if len(values) < keys:  # a deletion of many: after all that was before it, and before all after
                number = last.get(name, 0)
                first[name] = number + 1
            else:
                key = (name, values[:keys])
                number = max(free.get(key, 0), first.get(name, 0))
                free[key] = number + 1
                last[name] = max(last.get(name, 0), number + 1)
            rounds.setdefault((number, sql), []).append(parameters)
    return [(sql, rounds[number, sql]) for number, sql in sorted(rounds)]

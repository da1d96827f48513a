"""SQL text for the tables: one statement per table and purpose, so that SQLite prepares each only once."""

from collections.abc import Mapping

from ocpp16.store.base import Table
from ocpp16.store.tables import TABLES


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

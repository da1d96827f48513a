"""What a charge point reads when it starts: everything but what may be large and is looked up row by row."""

from ocpp16.errors import StoreError
from ocpp16.store.base import Row, Store
from ocpp16.store.tables import TABLES, id_tag_cache, local_list

LOOKED_UP = (id_tag_cache.TABLE, local_list.TABLE)
"""Tables that may be large: `Store.load` with a full key finds one row."""

_LOADED = tuple(table for table in TABLES if table not in LOOKED_UP)


def load_all(store: Store, charge_point_id: str) -> dict[str, list[Row]]:
    """Name of the table → rows of one charge point, without those that are looked up. Blocks. Raises StoreError."""
    try:
        return {table.name: list(store.load(charge_point_id, table)) for table in _LOADED}
    except StoreError:
        raise
    except Exception as error:  # a driver's own fault
        raise StoreError(f"the store cannot be read: {type(error).__name__}: {error}") from error

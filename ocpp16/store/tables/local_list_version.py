"""The version of the local authorization list: one row, or none when no list was ever sent."""

from typing import Final, NamedTuple

from ocpp16.store.rows import Rows


class ListVersionRow(NamedTuple):
    version: int


ROWS = Rows("local_list_version", ListVersionRow, key=0, is_whole=True)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read

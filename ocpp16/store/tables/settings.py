"""Single values: the boot counter, and in fleets the changed configuration keys."""

from typing import Any, NamedTuple

from ocpp16.store.rows import Rows


class SettingRow(NamedTuple):
    key: str
    value: Any
    """Anything JSON can hold."""


ROWS = Rows("settings", SettingRow)
TABLE = ROWS.table
put, delete, read = ROWS.put, ROWS.delete, ROWS.read

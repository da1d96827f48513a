"""Single values: the boot counter, and the changed configuration keys of who has no file for them."""

from typing import Any, Final, NamedTuple

from ocpp16.store.rows import Rows

BOOT = "boot"
"""How often the charge point was started."""
FIRST_NUMBER = "first number"
"""Sequence and transaction numbers begin above this one, where it is set: below it there may be some that nobody could
read when they were to be counted."""
CONFIGURATION = "configuration"
"""Changed configuration keys, where there is no file for them; without secrets."""
SECRETS = "secrets"
"""The secrets among them, in the same form."""
INTERVALS = "intervals "
"""And the number of a connector: from where the interval energies of its transaction are counted."""


class SettingRow(NamedTuple):
    key: str
    value: Any
    """Anything JSON can hold."""


ROWS = Rows("settings", SettingRow)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read

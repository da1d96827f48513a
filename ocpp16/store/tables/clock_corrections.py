"""How wrong the clock was in a boot that began without the time: to be added to times taken in it."""

from typing import Final, NamedTuple

from ocpp16.store.rows import Rows


class ClockCorrectionRow(NamedTuple):
    boot: int
    shift: int
    """µs."""


ROWS = Rows("clock_corrections", ClockCorrectionRow)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read

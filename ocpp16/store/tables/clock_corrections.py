"""How wrong the clock was in a boot that began without the time: to be added to times taken in it."""

from typing import NamedTuple

from ocpp16.store.rows import Rows


class ClockCorrectionRow(NamedTuple):
    boot: int
    shift: int
    """µs."""


ROWS = Rows("clock_corrections", ClockCorrectionRow)
TABLE = ROWS.table
put, delete, read = ROWS.put, ROWS.delete, ROWS.read

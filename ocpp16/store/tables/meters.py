"""The last register value of each connector, kept at an interval of its own, so that a power cut can be billed."""

from collections.abc import Callable
from typing import Final, NamedTuple

from ocpp16.store.base import Put
from ocpp16.store.rows import Rows


class MeterRow(NamedTuple):
    connector_id: int
    energy: int
    """Wh, imported."""
    at: int
    """µs UTC."""
    clock_boot: int = 0
    """Boot whose clock was not set at that time; 0 if it was."""


ROWS = Rows("meters", MeterRow)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read
put_reading: Final[Callable[[int, int, int, int], Put]] = ROWS.put_values
"""`put` of a `MeterRow` of these: one is written with every sample, and the record would be taken apart at once."""

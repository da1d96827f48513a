"""What ChangeAvailability asked for, by connector; a scheduled change is stored at once (OCPP 1.6 ed. 2 §5.2)."""

from typing import Final, NamedTuple

from ocpp16.enums import AvailabilityType
from ocpp16.store.rows import Rows


class AvailabilityRow(NamedTuple):
    connector_id: int
    availability: AvailabilityType


ROWS = Rows("availability", AvailabilityRow)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read

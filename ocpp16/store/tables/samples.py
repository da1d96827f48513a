"""Meter values collected for StopTransaction.transactionData (OCPP 1.6 ed. 2 §6.49), until that message is queued.

`delete(transaction_key)` removes all of one transaction.
"""

from typing import Any, Final, NamedTuple

from ocpp16.store.rows import Rows


class SampleRow(NamedTuple):
    transaction_key: int
    sequence: int
    """Order of sampling within the transaction."""
    clock_boot: int
    payload: dict[str, Any]
    """One MeterValue as on the wire, and `UNTOLD`."""


PAYLOAD = SampleRow._fields.index("payload")
"""Its place in a row, where it is text."""
UNTOLD = "untold"
"""Member of a stored payload: its measurands that no MeterValues has told as well; all, if it is missing."""


ROWS = Rows("samples", SampleRow, key=2, is_counted=True)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read

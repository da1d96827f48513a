"""Messages that must survive a restart, in the order in which they go out.

All transaction-related requests are here, and others with QueueAllMessages. The payload is kept as it was before late
binding: without `transactionId` and with uncorrected timestamps. What it depends on are columns of their own, so a
row is never patched, and a restart loses no link between a MeterValues and its transaction (OCPP 1.6 ed. 2 §4.8).
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ocpp16.store.base import Put
from ocpp16.store.rows import Rows


class MessageRow(NamedTuple):
    sequence: int
    """Order of entering; unique per charge point over this table and `dead_letters` (see `next_sequence` there)."""
    lane: int
    action: str
    payload: dict[str, Any]
    attempts: int = 0
    """Failed transmissions that count; stored each time, so that a restart does not begin at zero again."""
    transaction_key: int | None = None
    """Key of the transaction whose id the payload gets when it is sent."""
    clock_boot: int = 0
    """Boot whose clock was not set when the timestamps were taken; 0 if it was."""


PAYLOAD = MessageRow._fields.index("payload")
"""Its place in a row, where it is text."""
DATA_BOOTS = "clockBoots"
"""Member that the stored payload of a StopTransaction has besides: `clock_boot` of each entry of its transactionData,
where these are not all that of the message."""

ROWS = Rows("message_queue", MessageRow, is_counted=True)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read
put_written: Final[Callable[[int, int, str, str, int, int | None, int], Put]] = ROWS.put_values
"""`put` of a message whose payload is written already, for the wire: row and frame share the text.

Parameters: as of `MessageRow`, but for the payload: the JSON text of an object that was checked before it was written.
It is not looked at again.
"""

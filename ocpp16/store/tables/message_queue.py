"""Messages that must survive a restart, in the order in which they go out.

All transaction-related requests are here, and others with QueueAllMessages. The payload is kept as it was before late
binding: without `transactionId` and with uncorrected timestamps. What it depends on are columns of their own, so a
row is never patched, and a restart loses no link between a MeterValues and its transaction (OCPP 1.6 ed. 2 §4.8).
"""

from typing import Any, NamedTuple

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


DATA_BOOTS = "clockBoots"
"""Member that the stored payload of a StopTransaction has besides: `clock_boot` of each entry of its transactionData,
where these are not all that of the message."""

ROWS = Rows("message_queue", MessageRow)
TABLE = ROWS.table
put, delete, read = ROWS.put, ROWS.delete, ROWS.read


def put_written(
    sequence: int, lane: int, action: str, text: str, attempts: int, transaction_key: int | None, clock_boot: int
) -> Put:
    """`put` for a payload that is JSON `text` already: the wire has the same."""
    return Put(TABLE, (sequence, lane, action, text, attempts, transaction_key, clock_boot))

"""Messages that were given up: kept to be looked at, and sent again by a person's decision."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ocpp16.store.base import Row
from ocpp16.store.rows import Rows
from ocpp16.store.tables import message_queue


class DeadLetterRow(NamedTuple):
    sequence: int
    lane: int
    action: str
    payload: dict[str, Any]
    attempts: int
    transaction_key: int | None
    clock_boot: int
    reason: str
    given_up_at: int
    """µs UTC."""


SESSION = "sessionId"
"""Member that the stored payload of a StartTransaction has besides: the session that its transaction had."""
END = "stopTransaction"
"""Another one: the payload of its StopTransaction, which was answered, with no id to tell it under."""
BESIDE: Final = frozenset({SESSION, END})
"""What is stored of a message and not sent."""

ROWS = Rows("dead_letters", DeadLetterRow, is_counted=True)
TABLE: Final = ROWS.table
NUMBERS = TABLE.narrowed("transaction_key")
"""Their numbers alone, without the payloads: a sequence number and a transaction key are not given twice."""
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read


def next_sequence(loaded: Mapping[str, Sequence[Row]]) -> int:
    """The first sequence number that no stored message has: beyond the queue's and the dead letters'.

    Parameter: `loaded` is name of the table → rows in the order of keys; of the dead letters `NUMBERS` will do.
    """
    last = 0
    for table in (message_queue.TABLE, TABLE):
        rows = loaded.get(table.name, ())
        if rows and isinstance(rows[-1][0], int):
            last = max(last, rows[-1][0])
    return last + 1

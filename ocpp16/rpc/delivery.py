"""Who keeps what the messages tell of, as the session knows it; `charge_point.delivery` is one."""

from typing import Protocol

from ocpp16.rpc.pending import Entry, Payload


class Delivery(Protocol):
    """Called synchronously, before the next frame is chosen."""

    def corrected(self, entry: Entry) -> Payload | None:
        """The payload with the times that it is told with, if these are others; asked once, at the first write."""

    def transaction_id(self, entry: Entry) -> int | None:
        """What is to be added to the payload as its transactionId; asked once, at the first write."""

    def confirmed(self, entry: Entry, payload: Payload) -> None:
        """A transaction-related or stored message was answered: delete its row, learn what the answer says.

        `payload` has what could be read of the answer (`rpc.salvage`): of StartTransaction the transactionId, while
        idTagInfo may be absent.
        """

    def partly_confirmed(self, entry: Entry, payload: Payload) -> None:
        """A StartTransaction was answered without an id that can be read, but with a status: obey it.

        `payload` holds an idTagInfo and no transactionId. The message counts as refused and is sent again, so that this
        may be told several times; it is told before `attempted` or `given_up`.
        """

    def set_aside(self, entry: Entry, waiting: int) -> None:
        """The message holds up its lane (`silence`): it and `waiting` - 1 others that need it wait apart.

        Told once each time it happens; nothing is lost, and there is nothing to store.
        """

    def attempted(self, entry: Entry) -> None:
        """`entry.attempts` changed: store it."""

    def given_up(self, entry: Entry, reason: str) -> None:
        """The message will not be sent again; it belongs to the dead letters."""

    def dropped(self, entry: Entry) -> None:
        """A stored message is not sent because it may not wait, a newer one tells it better, or the queue is full:
        delete its row."""

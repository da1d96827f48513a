"""What becomes of stored messages: bound when written, deleted when answered, kept among the dead letters.

Implements `rpc.delivery.Delivery` for one charge point. Rows and state change in one synchronous block, so that a crash
finds either the message and the old state, or the new state and no message.
"""

from functools import partial

from ocpp16._core import json_value, parse_datetime
from ocpp16.observer import MessageGivenUp, MessageSetAside
from ocpp16.profiles import status_report
from ocpp16.profiles.context import Context, Payload
from ocpp16.profiles.dead_letters import UNKNOWN_TRANSACTION, DeadLetters
from ocpp16.rpc.pending import Entry
from ocpp16.state.clock import correct_timestamps
from ocpp16.state.transaction import Transaction
from ocpp16.store.tables import message_queue
from ocpp16.texts import shown

_NOT_KEPT = status_report.ACTIONS | {"SecurityEventNotification", "StatusNotification"}
"""What does not become a dead letter when it is given up."""


class StoredDelivery:
    """Needs its Context after construction: session and context know each other."""

    __slots__ = ("ctx", "dead_letters")

    ctx: Context
    dead_letters: DeadLetters

    def transaction_id(self, entry: Entry) -> int | None:
        """The id of its transaction as it is known now; what outlived that one has it already."""
        if entry.action == "StopTransaction":
            unknown: int | None = UNKNOWN_TRANSACTION
        elif entry.action == "MeterValues" and entry.transaction is not None:
            unknown = None
        else:
            return None
        if not entry.lacks_transaction and _has_transaction_id(entry.text()):
            return None
        transaction = entry.transaction
        known = transaction.transaction_id if isinstance(transaction, Transaction) else None
        return unknown if known is None else known

    def corrected(self, entry: Entry) -> Payload | None:
        """The payload with corrected times, where these are others.

        Nothing of a transaction is told with a time before it began, and no status with one ahead of the clock.
        """
        clock = self.ctx.clock
        payload = self._with_corrected_times(entry.payload, entry) if entry.has_marks else None
        if entry.action == "StatusNotification" and clock.is_set:
            now = clock.now()
            if payload is not None or entry.latest > now:
                payload = correct_timestamps(entry.payload if payload is None else payload, partial(min, now))
        return payload

    def _with_corrected_times(self, payload: Payload, entry: Entry) -> Payload:
        transaction = entry.transaction if isinstance(entry.transaction, Transaction) else None
        if not entry.data_boots:
            return correct_timestamps(payload, partial(self._corrected, transaction, entry.clock_boot))
        data = payload["transactionData"]
        payload = correct_timestamps(
            {**payload, "transactionData": []}, partial(self._corrected, transaction, entry.clock_boot)
        )
        end = parse_datetime(payload["timestamp"])

        def within_it(clock_boot: int, micros: int) -> int:
            return min(self._corrected(transaction, clock_boot, micros), end)

        payload["transactionData"] = [
            correct_timestamps(value, partial(within_it, clock_boot))
            for value, clock_boot in zip(data, entry.data_boots, strict=True)
        ]
        return payload

    def _corrected(self, transaction: Transaction | None, clock_boot: int, micros: int) -> int:
        clock = self.ctx.clock
        corrected = clock.corrected(micros, clock_boot)
        if transaction is not None:
            started_at, mark = clock.settled(transaction.started_at, transaction.clock_boot)
            return corrected if mark else max(corrected, started_at)
        return corrected

    def confirmed(self, entry: Entry, payload: Payload) -> None:
        self.ctx.journal.append(message_queue.delete(entry.sequence))
        ended = _ended_without_id(entry)
        if ended is not None:
            if self._is_told_again(entry, ended):
                return
            end = json_value(entry.bound or b"")
            del end["transactionId"]
            self.dead_letters.keep_end(ended, end)
        if entry.action == "MeterValues":
            return  # there is nothing in its confirmation
        hook = self.ctx.sender.confirmations.get(entry.action)
        if hook is not None:
            hook(entry, payload)

    def partly_confirmed(self, entry: Entry, payload: Payload) -> None:
        """The answer has a status but no id: the status is obeyed, and the message is sent again."""
        hook = self.ctx.sender.confirmations.get(entry.action)
        if hook is not None:
            hook(entry, payload)

    def attempted(self, entry: Entry) -> None:
        self.ctx.journal.append(self.ctx.sender.row(entry))

    def set_aside(self, entry: Entry, waiting: int) -> None:
        """The message would hold up the others: its transaction's messages wait apart."""
        ctx = self.ctx
        transaction = entry.transaction if isinstance(entry.transaction, Transaction) else None
        ctx.counters.set_aside += 1
        ctx.log.warning(
            "%s is left unanswered, or is to be tried much later: %d messages of its transaction are set aside",
            entry.action,
            waiting,
        )
        connector_id = None if transaction is None else transaction.connector_id
        session_id = None if transaction is None else transaction.session_id
        ctx.tell(MessageSetAside(entry.action, connector_id, session_id, waiting), 0)

    def given_up(self, entry: Entry, reason: str) -> None:
        ctx = self.ctx
        reason = shown(reason)
        ended = _ended_without_id(entry)
        if ended is not None and self._is_told_again(entry, ended):
            ctx.journal.append(message_queue.delete(entry.sequence))
            ctx.counters.dead_letters -= 1
            return
        # Many Central Systems do not know a security event; a status that is resent would be told as the present.
        if entry.action in _NOT_KEPT:
            number = ctx.journal.append(message_queue.delete(entry.sequence))
        else:
            number = self.dead_letters.put(entry, reason)
        ctx.log.warning("%s given up after %d attempts: %s", entry.action, entry.attempts, reason, about=entry.action)
        ctx.tell(MessageGivenUp(entry.action, reason), number)
        hook = ctx.sender.confirmations.get(entry.action)
        if hook is not None:
            hook(entry, None)

    def _is_told_again(self, entry: Entry, transaction: Transaction) -> bool:
        """Queue an end anew that was told without an id, if that is known by now, or may yet come: a dead letter, its
        StartTransaction, was sent again meanwhile."""
        ctx = self.ctx
        if (
            transaction.transaction_id in (None, UNKNOWN_TRANSACTION)
            and not self.dead_letters.is_coming(transaction)
            and all(one.action != "StartTransaction" for one in ctx.session.unanswered_of(transaction))
        ):
            return False
        payload, marks = entry.payload, entry.data_boots
        ctx.sender.queue("StopTransaction", payload, transaction, clock_boot=entry.clock_boot, data_boots=marks)
        return True

    def dropped(self, entry: Entry) -> None:
        self.ctx.journal.append(message_queue.delete(entry.sequence))


def _has_transaction_id(text: bytes | str) -> bool:
    return '"transactionId":' in text if isinstance(text, str) else b'"transactionId":' in text


def _ended_without_id(entry: Entry) -> Transaction | None:
    """The transaction whose end this message told without its id."""
    if entry.action != "StopTransaction" or not isinstance(entry.transaction, Transaction) or entry.bound is None:
        return None
    return entry.transaction if entry.bound.endswith(b'"transactionId":%d}' % UNKNOWN_TRANSACTION) else None

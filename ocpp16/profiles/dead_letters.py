"""Messages that were given up: kept, bounded, to be looked at, sent again or thrown away by the host.

A dead letter holds the message as it would have gone out, with transactionId and times bound as far as they were known,
so that it can be sent again when its transaction is long gone. Beyond `MOST` the oldest goes: flash must not fill.

A StartTransaction that is sent again when its end was told already, with transactionId -1, begins a transaction at the
Central System that nothing would end. So that end is kept with the letter and goes with it, to be told under the id.
"""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Any

from orjson import loads

from ocpp16._core import parse_datetime
from ocpp16.configuration.keys.internal import STORE_TIMEOUT
from ocpp16.enums import Reason
from ocpp16.models import DeadLetter
from ocpp16.profiles.context import Context, Payload
from ocpp16.profiles.turn import Turn
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.state.clock import to_datetime
from ocpp16.state.transaction import Transaction, TransactionPhase
from ocpp16.store.base import RowChange
from ocpp16.store.tables import dead_letters, message_queue, transactions
from ocpp16.store.tables.dead_letters import DeadLetterRow

MOST = 1000
"""Dead letters of a charge point that are kept."""
UNKNOWN_TRANSACTION = -1
"""transactionId of a StopTransaction whose StartTransaction was given up (OCPP 1.6 ed. 2 §4.8)."""


class DeadLetters:
    """Of one start of a charge point. `rows` are those found in the store, the oldest first."""

    __slots__ = ("_coming", "_ctx", "_rows", "_turn")

    def __init__(self, ctx: Context, rows: Collection[DeadLetterRow]) -> None:
        self._ctx = ctx
        self._rows = {row.sequence: row for row in rows}
        self._turn = Turn()
        self._coming: frozenset[int] = frozenset()
        """Keys of the transactions whose StartTransaction is on its way from here to the queue."""

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, entry: Entry, reason: str) -> int:
        """The message of `entry` was given up: its row leaves the queue. Returns the journal number."""
        transaction = entry.transaction
        bound = entry.bound
        payload: Payload = entry.payload if bound is None else loads(bound)
        if entry.action == "StartTransaction" and isinstance(transaction, Transaction):
            payload = {**payload, dead_letters.SESSION: transaction.session_id}
        row = DeadLetterRow(
            sequence=entry.sequence,
            lane=int(entry.lane),
            action=entry.action,
            payload=payload,
            attempts=entry.attempts,
            transaction_key=transaction.key if isinstance(transaction, Transaction) else None,
            clock_boot=entry.clock_boot if bound is None else 0,
            reason=reason,
            given_up_at=self._ctx.clock.now(),
        )
        self._rows[row.sequence] = row
        changes: list[RowChange] = [message_queue.delete(entry.sequence), dead_letters.put(row)]
        while len(self._rows) > MOST:
            oldest = next(iter(self._rows))
            del self._rows[oldest]
            self._ctx.counters.dead_letters_dropped += 1
            changes.append(dead_letters.delete(oldest))
        return self._ctx.journal.append(*changes)

    def is_coming(self, transaction: Transaction) -> bool:
        """Is its StartTransaction about to be queued again?"""
        return transaction.key in self._coming

    def keep_end(self, transaction: Transaction, payload: Payload) -> None:
        """Its StopTransaction, `payload`, was answered, and had no id: keep it if the StartTransaction is here."""
        for row in self._rows.values():
            if row.action == "StartTransaction" and row.transaction_key == transaction.key:
                row = self._rows[row.sequence] = row._replace(payload={**row.payload, dead_letters.END: payload})
                self._ctx.journal.append(dead_letters.put(row))
                return

    def all(self) -> tuple[DeadLetter, ...]:
        """All of them, the oldest first."""
        return tuple(
            DeadLetter(row.sequence, row.action, _message(row), row.reason, row.attempts, to_datetime(row.given_up_at))
            for row in self._rows.values()
        )

    async def discard(self, sequences: Collection[int] | None) -> int:
        """Delete these, or all; once that is on disk. Returns how many there were."""
        discarded: list[DeadLetterRow] = []
        async with self._alone():
            chosen = self._chosen(sequences)

            def apply() -> None:
                discarded.extend(row for row in chosen if self._rows.pop(row.sequence, None) is not None)

            if chosen:
                await self._ctx.asked.commit(
                    [dead_letters.delete(row.sequence) for row in chosen],
                    apply=apply,
                    restore=lambda: self._restored(chosen),
                )
        return len(discarded)

    async def resend(self, sequences: Collection[int] | None) -> int:
        """Queue these, or all, again; once that is on disk. Returns how many."""
        async with self._alone():
            chosen = self._with_ends(self._chosen(sequences))
            staying = self._staying(chosen)
            ended = self._ended(chosen)
            entries = [entry for row in chosen for entry in self._entries(row, ended)]
            queued: list[Entry] = []

            def apply() -> None:
                for row in chosen:
                    if self._rows.pop(row.sequence, None) is None:  # made room meanwhile, and goes out all the same
                        self._ctx.counters.dead_letters_dropped -= 1
                self._rows.update((row.sequence, row) for row in staying if row.sequence in self._rows)
                for transaction in ended.values():
                    self._ctx.transactions.add(transaction)
                queued.extend(entries)
                # As what is found at a start: it may wait, whatever the queue is open for now.
                self._ctx.session.outbox.restore(entries)
                self._ctx.kick()

            def restore() -> list[RowChange]:
                rows = self._restored([*chosen, *staying])
                if not queued:
                    rows += [message_queue.delete(entry.sequence) for entry in entries]
                    rows += [transactions.delete(key) for key in ended]
                return rows

            if chosen:
                changes: list[RowChange] = [dead_letters.delete(row.sequence) for row in chosen]
                changes += [dead_letters.put(row) for row in staying]
                changes += [transactions.put(transaction) for transaction in ended.values()]
                changes += [self._ctx.sender.row(entry) for entry in entries]
                self._coming = _begun(chosen)
                try:
                    await self._ctx.asked.commit(changes, apply=apply, restore=restore)
                finally:
                    self._coming = frozenset()
        return len(chosen) if queued else 0

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One change at a time: two that overlap would each count, and one of them queue, what is the other's."""
        await self._turn.acquire(self._ctx.configuration[STORE_TIMEOUT])
        try:
            yield
        finally:
            self._turn.release()

    def _chosen(self, sequences: Collection[int] | None) -> list[DeadLetterRow]:
        if sequences is None:
            return list(self._rows.values())
        return [self._rows[sequence] for sequence in sorted(set(sequences)) if sequence in self._rows]

    def _with_ends(self, chosen: list[DeadLetterRow]) -> list[DeadLetterRow]:
        """With a StartTransaction goes, and behind it, the StopTransaction that was given up without its id."""
        begun = _begun(chosen)
        ends = {row.sequence: row for row in self._rows.values() if row.transaction_key in begun and _lacks_id(row)}
        return [*(row for row in chosen if row.sequence not in ends), *ends.values()]

    def _staying(self, chosen: Collection[DeadLetterRow]) -> list[DeadLetterRow]:
        """The letters of StartTransactions that stay here while their end goes without an id: they keep it."""
        ends = {row.transaction_key: row.payload for row in chosen if _lacks_id(row)}
        staying = []
        for row in self._rows.values():
            key, end = row.transaction_key, ends.get(row.transaction_key)
            if row.action == "StartTransaction" and key is not None and end is not None and row not in chosen:
                end = {name: value for name, value in end.items() if name != "transactionId"}
                staying.append(row._replace(payload={**row.payload, dead_letters.END: end}))
        return staying

    def _ended(self, chosen: Collection[DeadLetterRow]) -> dict[int, Transaction]:
        """Key → transaction of those that are over and forgotten, and begin again to be ended under their id."""
        ends = {row.transaction_key: row.payload for row in chosen if _lacks_id(row)}
        ended: dict[int, Transaction] = {}
        for row in chosen:
            key = row.transaction_key
            if row.action == "StartTransaction" and key is not None and self._ctx.transactions.by_key(key) is None:
                end = row.payload.get(dead_letters.END) or ends.get(key)
                transaction = None if end is None else self._transaction(key, row, end)
                if transaction is not None:
                    ended[key] = transaction
        return ended

    def _transaction(self, key: int, row: DeadLetterRow, end: Any) -> Transaction | None:
        """What a StartTransaction and its end tell of; None if one of them cannot be sent anyway."""
        start, session = _message(row), row.payload.get(dead_letters.SESSION)
        try:
            self._ctx.sender.check("StartTransaction", start)
            self._ctx.sender.check("StopTransaction", {**end, "transactionId": UNKNOWN_TRANSACTION})
            stopped_at = parse_datetime(end["timestamp"])
            return Transaction(
                key=key,
                connector_id=start["connectorId"],
                session_id=session if isinstance(session, str) else "",
                id_tag=start["idTag"],
                started_at=parse_datetime(start["timestamp"]),
                meter_start=start["meterStart"],
                reservation_id=start.get("reservationId"),
                clock_boot=row.clock_boot,
                start_given_up=True,
                meter_last=end["meterStop"],
                meter_last_at=stopped_at,
                phase=TransactionPhase.STOPPED,
                stopped_at=stopped_at,
                meter_stop=end["meterStop"],
                stop_reason=Reason(end.get("reason", Reason.LOCAL)),
                id_tag_end=end.get("idTag"),
            )
        except (TypeError, ValueError):
            return None

    def _restored(self, rows: Collection[DeadLetterRow]) -> list[RowChange]:
        """These as memory has them, where what is told meanwhile may have changed them."""
        known = ((row.sequence, self._rows.get(row.sequence)) for row in rows)
        return [dead_letters.delete(number) if row is None else dead_letters.put(row) for number, row in known]

    def _entries(self, row: DeadLetterRow, ended: dict[int, Transaction]) -> Iterator[Entry]:
        """The message as a new one: its attempts begin anew. Its place in the queue is the last, but in a transaction
        whose StopTransaction is not answered it has its own: a start that came behind its end would never be ended.
        Of one in `ended` the end follows.
        """
        key, payload, sequence = row.transaction_key, _message(row), row.sequence
        transaction = None if key is None else self._ctx.transactions.by_key(key)
        if transaction is None:
            sequence, transaction = self._ctx.sender.new_sequence(), None if key is None else ended.get(key)
        if transaction is not None and _lacks_id(row):
            payload.pop("transactionId", None)
        yield Entry(
            action=row.action,
            payload=payload,
            lane=Lane.TRANSACTION if row.lane == Lane.TRANSACTION else Lane.NORMAL,
            sequence=sequence,
            transaction=transaction,
            clock_boot=row.clock_boot,
            is_persistent=True,
        )
        if key in ended and row.action == "StartTransaction" and (end := row.payload.get(dead_letters.END)):
            yield Entry(
                action="StopTransaction",
                payload=end,
                lane=Lane.TRANSACTION,
                sequence=self._ctx.sender.new_sequence(),
                transaction=transaction,
                is_persistent=True,
            )


def _begun(rows: Collection[DeadLetterRow]) -> frozenset[int]:
    """Keys of the transactions whose StartTransaction is among these."""
    return frozenset(
        row.transaction_key for row in rows if row.action == "StartTransaction" and row.transaction_key is not None
    )


def _message(row: DeadLetterRow) -> Payload:
    """What was sent, and is sent again."""
    return {name: value for name, value in row.payload.items() if name not in dead_letters.BESIDE}


def _lacks_id(row: DeadLetterRow) -> bool:
    """Is it the end of a transaction whose id is not known?"""
    return row.action == "StopTransaction" and row.payload.get("transactionId", -1) == UNKNOWN_TRANSACTION

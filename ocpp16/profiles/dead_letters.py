"""Messages that were given up: kept, bounded, to be looked at, sent again or thrown away by the host.

A dead letter holds the message as it would have gone out, with transactionId and times bound as far as they were known,
so that it can be sent again when its transaction is long gone. Beyond `MOST` the oldest goes: flash must not fill.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from orjson import loads

from ocpp16.configuration.keys.internal import STORE_TIMEOUT
from ocpp16.models import DeadLetter
from ocpp16.profiles.context import Context
from ocpp16.profiles.turn import Turn
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.state.clock import to_datetime
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import RowChange
from ocpp16.store.tables import dead_letters, message_queue
from ocpp16.store.tables.dead_letters import DeadLetterRow

MOST = 1000
"""Dead letters of a charge point that are kept."""


class DeadLetters:
    """Of one start of a charge point. `rows` are those found in the store, the oldest first."""

    __slots__ = ("_ctx", "_rows", "_turn")

    def __init__(self, ctx: Context, rows: Collection[DeadLetterRow]) -> None:
        self._ctx = ctx
        self._rows = {row.sequence: row for row in rows}
        self._turn = Turn()

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, entry: Entry, reason: str) -> int:
        """The message of `entry` was given up: its row leaves the queue. Returns the journal number."""
        transaction = entry.transaction
        bound = entry.bound
        row = DeadLetterRow(
            sequence=entry.sequence,
            lane=int(entry.lane),
            action=entry.action,
            payload=entry.payload if bound is None else loads(bound),
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

    def all(self) -> tuple[DeadLetter, ...]:
        """All of them, the oldest first."""
        return tuple(
            DeadLetter(row.sequence, row.action, row.payload, row.reason, row.attempts, to_datetime(row.given_up_at))
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
            chosen = self._chosen(sequences)
            entries = [self._entry(row) for row in chosen]
            queued: list[Entry] = []

            def apply() -> None:
                for row in chosen:
                    if self._rows.pop(row.sequence, None) is None:  # made room meanwhile, and goes out all the same
                        self._ctx.counters.dead_letters_dropped -= 1
                queued.extend(entries)
                # As what is found at a start: it may wait, whatever the queue is open for now.
                self._ctx.session.outbox.restore(entries)
                self._ctx.kick()

            def restore() -> list[RowChange]:
                return [
                    *self._restored(chosen),
                    *(message_queue.delete(entry.sequence) for entry in entries if entry not in queued),
                ]

            if chosen:
                changes: list[RowChange] = [dead_letters.delete(row.sequence) for row in chosen]
                changes += [self._ctx.sender.row(entry) for entry in entries]
                await self._ctx.asked.commit(changes, apply=apply, restore=restore)
        return len(queued)

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

    def _restored(self, rows: Collection[DeadLetterRow]) -> list[RowChange]:
        return [
            dead_letters.put(row) if row.sequence in self._rows else dead_letters.delete(row.sequence) for row in rows
        ]

    def _entry(self, row: DeadLetterRow) -> Entry:
        """The message as a new one: its attempts begin anew. Its place in the queue is the last, but in a transaction
        whose StopTransaction is not answered it has its own: a start that came behind its end would never be ended.
        """
        transaction = None if row.transaction_key is None else self._ctx.transactions.by_key(row.transaction_key)
        return Entry(
            action=row.action,
            payload=row.payload,
            lane=Lane.TRANSACTION if row.lane == Lane.TRANSACTION else Lane.NORMAL,
            sequence=self._ctx.sender.new_sequence() if transaction is None else row.sequence,
            transaction=transaction,
            clock_boot=row.clock_boot,
            is_persistent=True,
        )

"""What is collected during a transaction for StopTransaction.transactionData (OCPP 1.6 ed. 2 §6.49, §9.1).

Every sample is a row of its own until the StopTransaction that carries it is queued, so a restart loses none, signed
values included. No more is kept than a StopTransaction of MaxMessageSize has room for (thinned_samples.py); where what
has to stay is too much alone, not the largest of it. What leaves goes ahead as MeterValues, in the block in which its
row is deleted, as far as no MeterValues has told it yet: nothing is lost, and a transaction of days is no larger than
one of hours.

A transaction may go on over restarts, and clocks be set meanwhile: each sample keeps the mark of its own time until the
StopTransaction is written, which is when all of them are known (state/clock.py).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import orjson

from ocpp16.configuration.keys import internal
from ocpp16.enums import ReadingContext, ValueFormat
from ocpp16.profiles.base import Collected, Context, Payload
from ocpp16.profiles.signed_readings import OVERHEAD, SampledValue
from ocpp16.profiles.thinned_samples import ThinnedSamples
from ocpp16.state.clock import correct_timestamps
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import Put, RowChange
from ocpp16.store.tables import samples
from ocpp16.store.tables.samples import UNTOLD, SampleRow

SIGNED = ValueFormat.SIGNED_DATA.value
"""Names a signed value where others go by their measurand."""


@lru_cache(maxsize=64)
def _besides(kept: tuple[str, ...], told: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in kept if name not in told)


class TransactionData:
    """The samples of all running transactions of a charge point."""

    __slots__ = ("_ctx", "_of")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._of: dict[int, ThinnedSamples] = {}
        """By key of the transaction."""

    def restore(self, rows: list[SampleRow]) -> None:
        for row in rows:
            self._kept(row.transaction_key).restore(row)

    def has_signed_begin(self, transaction: Transaction) -> bool:
        """Is the value that the meter signed at its begin kept?"""
        kept = self._of.get(transaction.key)
        return kept is not None and any(
            value.get("format") == SIGNED and value.get("context") == ReadingContext.TRANSACTION_BEGIN
            for row in kept.rows[:1]
            for value in row.payload["sampledValue"]
        )

    def begin(self, transaction: Transaction, value: Payload | None, signed: SampledValue | None) -> None:
        if signed is not None:
            self.add(transaction, self._stamped(transaction.started_at, signed))
        if value is not None:
            self.add(transaction, value)

    def add(
        self, transaction: Transaction, value: Payload, measurands: tuple[str, ...] = (), told: tuple[str, ...] = ()
    ) -> None:
        """Keep a sample of these measurands, of which a MeterValues has `told` some (or all) at the same time."""
        if told:
            value = {**value, UNTOLD: _besides(measurands, told)}
        kept = self._kept(transaction.key)
        clock = self._ctx.clock
        row = SampleRow(transaction.key, kept.sequence + 1, clock.clock_boot, value)
        change = samples.put(row)
        self._ctx.journal.append(change)
        self._leave(transaction, kept.add(row, _size(change)), clock.now(), clock.clock_boot)

    def end(
        self, transaction: Transaction, values: Sequence[Payload], signed: SampledValue | None, at: int, clock_boot: int
    ) -> Collected:
        """All samples as they were taken, for StopTransaction; what does not fit is queued before it.

        `values`: the last ones of the meter. `at`: the time of that StopTransaction, which no sample lies behind;
        `clock_boot`: how its times are marked.
        """
        kept = self._of.pop(transaction.key, None) or self._none()
        last = [*values]
        if signed is not None:
            last.append(self._stamped(at, signed))
        surplus = []
        for value in last:
            row = SampleRow(transaction.key, kept.sequence + 1, clock_boot, value)
            surplus += kept.add(row, len(orjson.dumps(value)))
        while (largest := kept.largest_out()) is not None:
            surplus.append(largest)
        self._leave(transaction, sorted(surplus), at, clock_boot)
        data = [self._timed(row, transaction, at, clock_boot) for row in kept.rows]
        is_mixed = any(mark != clock_boot for _, mark in data)
        return Collected([entry for entry, _ in data], tuple(mark for _, mark in data) if is_mixed else ())

    def _kept(self, transaction_key: int) -> ThinnedSamples:
        kept = self._of.get(transaction_key)
        if kept is None:
            kept = self._of[transaction_key] = self._none()
        return kept

    def _none(self) -> ThinnedSamples:
        return ThinnedSamples(self._ctx.configuration[internal.MAX_MESSAGE_SIZE] - OVERHEAD)

    def _leave(self, transaction: Transaction, rows: Iterable[SampleRow], at: int, clock_boot: int) -> None:
        """Tell these samples by MeterValues, as far as they are not told. `at`, `clock_boot`: as of `end`."""
        for row in rows:
            changes: tuple[RowChange, ...] = (samples.delete(row.transaction_key, row.sequence),)
            untold = row.payload.get(UNTOLD)
            values = row.payload["sampledValue"]
            if untold is not None:
                values = [value for value in values if _name(value) in untold]
            if not values:
                self._ctx.journal.append(*changes)
                continue
            entry, mark = self._timed(row, transaction, at, clock_boot)
            payload = {"connectorId": transaction.connector_id, "meterValue": [{**entry, "sampledValue": values}]}
            self._ctx.sender.queue("MeterValues", payload, transaction, *changes, clock_boot=mark)

    def _timed(self, row: SampleRow, transaction: Transaction, latest: int, clock_boot: int) -> tuple[Payload, int]:
        """A sample, as on the wire, with its time and mark as they are known now.

        It is `latest`, marked with `clock_boot`, if a clock that was set back since gave a later one; and the begin of
        the transaction, if it was taken by a clock of which nobody knew that it was behind.
        """
        settled, mark = self._ctx.clock.settled, row.clock_boot
        _, now = settled(latest, mark)
        started_at, start_mark = settled(transaction.started_at, transaction.clock_boot)

        def time(micros: int) -> int:
            micros, _ = settled(micros, mark)
            if now == start_mark:
                micros = max(micros, started_at)
            return min(micros, latest) if now == clock_boot else micros

        entry = correct_timestamps(row.payload, time)
        entry.pop(UNTOLD, None)
        return entry, now

    def _stamped(self, at: int, signed: SampledValue) -> Payload:
        return {"timestamp": self._ctx.time_text(at), "sampledValue": [signed]}


def _name(value: Payload) -> str | None:
    name: str | None = SIGNED if value.get("format") == SIGNED else value.get("measurand")
    return name


def _size(change: Put) -> int:
    """Bytes of the sample in its row."""
    text = change.row[samples.PAYLOAD]
    assert isinstance(text, str)
    return len(text) if text.isascii() else len(text.encode())

"""What is collected during a transaction for StopTransaction.transactionData (OCPP 1.6 ed. 2 §6.49, §9.1).

Every sample is a row of its own until the StopTransaction that carries it is queued, so a restart loses none, signed
values included. A StopTransaction that would be larger than MaxMessageSize keeps its first and last entries, its signed
ones and every other one of the rest until it fits; where the former alone are too much, not the largest of them. What
was taken out goes ahead of it as MeterValues: nothing is lost.

A transaction may go on over restarts, and clocks be set meanwhile: each sample keeps the mark of its own time until the
StopTransaction is written, which is when all of them are known (state/clock.py).
"""

from collections.abc import Sequence

import orjson

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal
from ocpp16.enums import ReadingContext, ValueFormat
from ocpp16.profiles.base import Collected, Context, Payload
from ocpp16.state.clock import correct_timestamps
from ocpp16.state.transaction import Transaction
from ocpp16.store.tables import samples
from ocpp16.values import text

_Marked = tuple[Payload, int]
"""An entry of transactionData, and the mark of its time."""
_OVERHEAD = 400
"""Bytes of a StopTransaction frame without its data, generously."""
_SIGNED_OVERHEAD = 200
"""Bytes of an entry with one signed value, without that, generously."""


def signed_value(value: str, name: str, configuration: Configuration) -> str:
    """`value`, if it is text of which two, of begin and end, fit into one StopTransaction. Raises ValueError."""
    value = text(value, name)
    size = len(orjson.dumps(value))
    most = (configuration[internal.MAX_MESSAGE_SIZE] - _OVERHEAD) // 2 - _SIGNED_OVERHEAD
    if size > most:
        raise ValueError(f"{name} must be text of {most} bytes at most as JSON (MaxMessageSize), not of {size}")
    return value


class TransactionData:
    """The samples of all running transactions of a charge point."""

    __slots__ = ("_ctx", "_rows")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._rows: dict[int, list[samples.SampleRow]] = {}

    def restore(self, rows: list[samples.SampleRow]) -> None:
        for row in rows:
            self._rows.setdefault(row.transaction_key, []).append(row)

    def begin(self, transaction: Transaction, value: Payload | None, signed: str | None) -> None:
        if signed is not None:
            self.add(transaction, self._signed(transaction.started_at, signed, ReadingContext.TRANSACTION_BEGIN))
        if value is not None:
            self.add(transaction, value)

    def add(self, transaction: Transaction, value: Payload) -> None:
        rows = self._rows.setdefault(transaction.key, [])
        sequence = rows[-1].sequence + 1 if rows else 1
        row = samples.SampleRow(transaction.key, sequence, self._ctx.clock.clock_boot, value)
        rows.append(row)
        self._ctx.journal.append(samples.put(row))

    def end(
        self, transaction: Transaction, values: Sequence[Payload], signed: str | None, at: int, clock_boot: int
    ) -> Collected:
        """All samples as they were taken, for StopTransaction; what does not fit is queued before it.

        `values`: the last ones of the meter. `at`: the time of that StopTransaction, which no sample lies behind;
        `clock_boot`: how its times are marked.
        """
        data = [self._timed(row, transaction, at, clock_boot) for row in self._rows.pop(transaction.key, ())]
        data += [(value, clock_boot) for value in values]
        if signed is not None:
            data.append((self._signed(at, signed, ReadingContext.TRANSACTION_END), clock_boot))
        data, surplus = _thinned(data, self._ctx.configuration[internal.MAX_MESSAGE_SIZE] - _OVERHEAD)
        for entry, mark in surplus:
            payload = {"connectorId": transaction.connector_id, "meterValue": [entry]}
            self._ctx.queue("MeterValues", payload, transaction, clock_boot=mark)
        is_mixed = any(mark != clock_boot for _, mark in data)
        return Collected([entry for entry, _ in data], tuple(mark for _, mark in data) if is_mixed else ())

    def _timed(self, row: samples.SampleRow, transaction: Transaction, latest: int, clock_boot: int) -> _Marked:
        """A sample with its time and mark as they are known now.

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

        return correct_timestamps(row.payload, time), now

    def _signed(self, at: int, text: str, context: ReadingContext) -> Payload:
        value = {"value": text, "context": str(context), "format": str(ValueFormat.SIGNED_DATA)}
        return {"timestamp": self._ctx.time_text(at), "sampledValue": [value]}


def _is_signed(entry: Payload) -> bool:
    return any(value.get("format") == ValueFormat.SIGNED_DATA for value in entry["sampledValue"])


def _thinned(data: list[_Marked], limit: int) -> tuple[list[_Marked], list[_Marked]]:
    """`data` cut to `limit` bytes of JSON, and what was taken out, both in their order."""
    kept = [(index, entry, len(orjson.dumps(entry)) + 1) for index, (entry, _) in enumerate(data)]
    while sum(kept[place][2] for place in _to_stay(kept)) > limit:
        del kept[max(_to_stay(kept), key=lambda place: kept[place][2])]
    while sum(length for _, _, length in kept) > limit:
        others = set(range(len(kept))) - _to_stay(kept)
        taken = set(sorted(others)[::2])
        kept = [entry for place, entry in enumerate(kept) if place not in taken]
    stay = {index for index, _, _ in kept}
    return (
        [entry for index, entry in enumerate(data) if index in stay],
        [entry for index, entry in enumerate(data) if index not in stay],
    )


def _to_stay(kept: list[tuple[int, Payload, int]]) -> set[int]:
    """Where the entries are that stay while there are others: the first, the last, the signed ones."""
    ends = {0, len(kept) - 1} if kept else set()
    return ends | {place for place, (_, entry, _) in enumerate(kept) if _is_signed(entry)}

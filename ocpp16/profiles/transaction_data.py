"""What is collected during a transaction for StopTransaction.transactionData (OCPP 1.6 ed. 2 §6.49, §9.1).

Every sample is a row of its own until the StopTransaction that carries it is queued, so a restart loses none, signed
values included. A StopTransaction that would be larger than MaxMessageSize keeps its first and last entries, its signed
ones and every other one of the rest until it fits; where the former alone are too much, not the largest of them. What
was taken out goes ahead of it as MeterValues: nothing is lost.
"""

from collections.abc import Sequence

import orjson

from ocpp16._core import parse_datetime
from ocpp16.enums import ReadingContext, ValueFormat
from ocpp16.profiles.base import Context, Payload
from ocpp16.state.clock import correct_timestamps
from ocpp16.state.configuration import Configuration
from ocpp16.state.keys import internal
from ocpp16.state.transaction import Transaction
from ocpp16.store.tables import samples
from ocpp16.values import text

_OVERHEAD = 400
"""Bytes of a StopTransaction frame without its data, generously."""
_SIGNED_OVERHEAD = 200
"""Bytes of an entry with one signed value, without that, generously."""


def signed_value(value: str, name: str, configuration: Configuration) -> str:
    """`value`, if it is text of which two, of begin and end, fit into one StopTransaction. Raises ValueError."""
    size = len(orjson.dumps(text(value, name)))
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
    ) -> list[Payload]:
        """All samples as they were taken, for StopTransaction; what does not fit is queued before it.

        `values`: the last ones of the meter. `at`: the time of that StopTransaction, which no sample lies behind;
        `clock_boot`: how its times are marked.
        """
        data = self._told_with(transaction, at, clock_boot)
        data += values
        if signed is not None:
            data.append(self._signed(at, signed, ReadingContext.TRANSACTION_END))
        data, surplus = _thinned(data, self._ctx.configuration[internal.MAX_MESSAGE_SIZE] - _OVERHEAD)
        for entry in surplus:
            payload = {"connectorId": transaction.connector_id, "meterValue": [entry]}
            self._ctx.queue("MeterValues", payload, transaction, clock_boot=clock_boot)
        return data

    def _told_with(self, transaction: Transaction, at: int, clock_boot: int) -> list[Payload]:
        """The samples that a message whose times are marked with `clock_boot` can carry, none after `at`.

        Those of another mark go ahead of it, each under its own: a message that is sent is corrected as a whole.
        """
        told: list[Payload] = []
        for row in self._rows.pop(transaction.key, ()):
            _, mark = self._ctx.clock.settled(at, row.clock_boot)
            if mark == clock_boot:
                told.append(self._timed(row, at))
            else:
                payload = {"connectorId": transaction.connector_id, "meterValue": [row.payload]}
                self._ctx.queue("MeterValues", payload, transaction, clock_boot=row.clock_boot)
        return told

    def _timed(self, row: samples.SampleRow, latest: int) -> Payload:
        """A sample with its time as it is known now: `latest`, if a clock that was set back since gave a later one."""
        settled = self._ctx.clock.settled
        return correct_timestamps(row.payload, lambda micros: min(settled(micros, row.clock_boot)[0], latest))

    def _signed(self, at: int, text: str, context: ReadingContext) -> Payload:
        value = {"value": text, "context": str(context), "format": str(ValueFormat.SIGNED_DATA)}
        return {"timestamp": self._ctx.time_text(at), "sampledValue": [value]}


def _is_signed(entry: Payload) -> bool:
    return any(value.get("format") == ValueFormat.SIGNED_DATA for value in entry["sampledValue"])


def _thinned(data: list[Payload], limit: int) -> tuple[list[Payload], list[Payload]]:
    """`data` cut to `limit` bytes of JSON, and what was taken out, both in order of time."""
    kept = [(entry, len(orjson.dumps(entry)) + 1) for entry in data]
    surplus: list[Payload] = []
    while sum(kept[index][1] for index in _to_stay(kept)) > limit:
        largest = max(_to_stay(kept), key=lambda index: kept[index][1])
        surplus.append(kept.pop(largest)[0])
    while sum(length for _, length in kept) > limit:
        others = set(range(len(kept))) - _to_stay(kept)
        taken = set(sorted(others)[::2])
        surplus += [kept[index][0] for index in taken]
        kept = [entry for index, entry in enumerate(kept) if index not in taken]
    surplus.sort(key=lambda entry: parse_datetime(entry["timestamp"]))
    return [entry for entry, _ in kept], surplus


def _to_stay(kept: list[tuple[Payload, int]]) -> set[int]:
    """Where the entries are that stay while there are others: the first, the last, the signed ones."""
    ends = {0, len(kept) - 1} if kept else set()
    return ends | {index for index, (entry, _) in enumerate(kept) if _is_signed(entry)}

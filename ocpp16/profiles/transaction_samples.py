"""The first and the last values of a transaction: what its begin and its end say of the meter.

Rules of this file:
1. Transaction.Begin and Transaction.End say the register that StartTransaction and StopTransaction say, at the same
   instant; of all else they have what was measured near that instant. What was measured last, but earlier, comes with
   Transaction.End under its own time.
2. No interval energy is lost: the first one begins at the transaction's begin, and the last one is closed by its end,
   in transactionData and, where intervals are reported while it runs, by one more MeterValues with context
   Transaction.End. A measurand of both the sampled and the aligned list is closed as a sampled one.
3. What the meter signed at the begin, and what StartTxnSampledData names, is in a MeterValues of its own right behind
   StartTransaction, if a key asks for it (application note *Signed Meter Values in OCPP*).
"""

from collections.abc import Sequence

from ocpp16.configuration.keys import core, signed_meter_values
from ocpp16.enums import Measurand, ReadingContext
from ocpp16.models import Measurement, PhaseValues, SignedMeterValue
from ocpp16.profiles.base import Collected, Context, Payload
from ocpp16.profiles.meter_sampling import MeterSampling
from ocpp16.state.measurands import INTERVALS, has_intervals, intervals_of
from ocpp16.state.transaction import Transaction

_C = ReadingContext
_OF_THE_REGISTER = frozenset({Measurand.ENERGY_ACTIVE_IMPORT_REGISTER, *INTERVALS})
"""What Transaction.End tells of the register at its instant."""


class TransactionSamples:
    """Of all transactions of one charge point."""

    __slots__ = ("_ctx", "_sampling")

    def __init__(self, ctx: Context, sampling: MeterSampling) -> None:
        self._ctx = ctx
        self._sampling = sampling

    def begin(self, transaction: Transaction, signed: SignedMeterValue | None) -> None:
        """Note the first values; `signed`: what the meter says under its signature."""
        sampling, samples = self._sampling, self._sampling.samples
        kept = sampling.measurands(core.STOP_TXN_SAMPLED_DATA)
        connector_id, at = transaction.connector_id, transaction.started_at
        wanted = sampling.measurands(signed_meter_values.START_TXN_SAMPLED_DATA)
        taken = samples.readings.present(connector_id) if kept or wanted or sampling.reports_intervals else None
        registers = samples.at_register(taken, transaction.meter_start, at)
        values = samples.values(connector_id, registers, kept, _C.TRANSACTION_BEGIN, None)
        samples.bases.begin(connector_id, registers)
        if has_intervals(kept) or sampling.reports_intervals:
            self._ctx.journal.append(samples.intervals_row(transaction))
        sampling.data.begin(
            transaction, samples.stamped(at, values), sampling.signed.to_keep(transaction, signed, _C.TRANSACTION_BEGIN)
        )
        if wanted or signed is not None:
            self._report_begin(transaction, registers, wanted, signed)

    def _report_begin(
        self,
        transaction: Transaction,
        registers: Measurement,
        wanted: Sequence[str],
        signed: SignedMeterValue | None,
    ) -> None:
        """Rule 3."""
        sampling = self._sampling
        samples, connector_id, at = sampling.samples, transaction.connector_id, transaction.started_at
        values = samples.values(connector_id, registers, wanted, _C.TRANSACTION_BEGIN, None)
        if signed is not None:
            told = sampling.signed.to_report(connector_id, signed, _C.TRANSACTION_BEGIN, transaction)
            if told is not None:
                values.append(told)
        stamped = samples.stamped(at, values)
        if stamped is not None:
            self._ctx.sender.queue("MeterValues", {"connectorId": connector_id, "meterValue": [stamped]}, transaction)

    def resume(self, transaction: Transaction) -> None:
        """Its intervals go on from where they were. If that was not kept, because nobody asked for intervals then, from
        the last register that is known.
        """
        if self._sampling.data.has_signed_begin(transaction):
            self._sampling.signed.resume(transaction)
        bases = self._sampling.samples.bases
        if not bases.is_known(transaction.connector_id):
            bases.begin(transaction.connector_id, _imported(transaction.meter_last))

    def end(
        self,
        transaction: Transaction,
        signed: SignedMeterValue | None,
        meter_stop: int,
        at: int,
        clock_boot: int,
        *,
        is_periodic: bool,
        signed_begin: SignedMeterValue | None = None,
    ) -> Collected:
        """Returns what was collected, with the last values of the meter. `at`, `clock_boot`: the time of the end, and
        how that is marked. `is_periodic`: were there periodic samples to the end? `signed_begin`: what the meter signed
        at the begin, told only now; nothing where that is known.
        """
        sampling, samples = self._sampling, self._sampling.samples
        connector_id = transaction.connector_id
        kept = sampling.measurands(core.STOP_TXN_SAMPLED_DATA)
        aligned = sampling.measurands(core.STOP_TXN_ALIGNED_DATA)
        taken = samples.readings.present(connector_id) if kept or sampling.reports_intervals else None
        registers = samples.at_register(taken, meter_stop, at)
        self._close_intervals(transaction, registers, at, is_periodic=is_periodic)
        earlier = None
        time = None if taken is None or samples.is_of(taken, at) else samples.time(taken, transaction)
        if taken is not None and time is not None and time < at:
            others = [name for name in kept if name not in _OF_THE_REGISTER]
            earlier = samples.value(time, connector_id, taken.measurement, others, _C.TRANSACTION_END)
        last = self._last_values(connector_id, registers, kept, aligned)
        samples.bases.begin(connector_id, registers)
        begin = self._late_begin(transaction, signed_begin)
        values = [value for value in (begin, earlier, samples.stamped(at, last)) if value is not None]
        return self._collected(transaction, values, signed, at, clock_boot)

    def _late_begin(self, transaction: Transaction, signed: SignedMeterValue | None) -> Payload | None:
        if self._sampling.data.has_signed_begin(transaction):
            return None
        told = self._sampling.signed.to_keep(transaction, signed, _C.TRANSACTION_BEGIN)
        return None if told is None else self._sampling.samples.stamped(transaction.started_at, [told])

    def end_recovered(
        self, transaction: Transaction, signed: SignedMeterValue | None, at: int, clock_boot: int
    ) -> Collected:
        """As `end`, of one that a power cut ended: there are no last values but those stored, and what they make of the
        last interval.
        """
        sampling, samples = self._sampling, self._sampling.samples
        connector_id = transaction.connector_id
        values: list[Payload] = []
        if samples.bases.is_known(connector_id):
            registers = _imported(transaction.meter_last)
            is_periodic = self._ctx.configuration[core.METER_VALUE_SAMPLE_INTERVAL] > 0
            self._close_intervals(transaction, registers, at, is_periodic=is_periodic, clock_boot=clock_boot)
            kept = sampling.measurands(core.STOP_TXN_SAMPLED_DATA)
            aligned = sampling.measurands(core.STOP_TXN_ALIGNED_DATA)
            last = self._last_values(connector_id, registers, intervals_of(kept), aligned)
            stamped = samples.stamped(at, last)
            if stamped is not None:
                values.append(stamped)
            samples.bases.forget(connector_id)
        return self._collected(transaction, values, signed, at, clock_boot)

    def _collected(
        self,
        transaction: Transaction,
        values: Sequence[Payload],
        signed: SignedMeterValue | None,
        at: int,
        clock_boot: int,
    ) -> Collected:
        sampling = self._sampling
        told = sampling.signed.to_keep(transaction, signed, _C.TRANSACTION_END)
        sampling.signed.end(transaction)
        return sampling.data.end(transaction, values, told, at, clock_boot)

    def _last_values(
        self, connector_id: int, registers: Measurement, kept: Sequence[str], aligned: Sequence[str]
    ) -> list[dict[str, str]]:
        """What transactionData says of the end, the last intervals of both series included."""
        samples = self._sampling.samples
        values = samples.values(connector_id, registers, kept, _C.TRANSACTION_END, _C.SAMPLE_PERIODIC)
        besides = intervals_of(aligned, besides=kept)
        return values + samples.values(connector_id, registers, besides, _C.TRANSACTION_END, _C.SAMPLE_CLOCK)

    def _close_intervals(
        self,
        transaction: Transaction,
        registers: Measurement,
        at: int,
        *,
        is_periodic: bool,
        clock_boot: int | None = None,
    ) -> None:
        """Report the last interval of each series that was reported while the transaction ran (rule 2)."""
        sampling, samples = self._sampling, self._sampling.samples
        is_aligned = self._ctx.configuration[core.CLOCK_ALIGNED_DATA_INTERVAL] > 0
        sampled = sampling.measurands(core.METER_VALUES_SAMPLED_DATA) if is_periodic else ()
        aligned = sampling.measurands(core.METER_VALUES_ALIGNED_DATA) if is_aligned else ()
        connector_id = transaction.connector_id
        value = samples.values(connector_id, registers, intervals_of(sampled), _C.TRANSACTION_END, _C.SAMPLE_PERIODIC)
        value += samples.values(
            connector_id, registers, intervals_of(aligned, besides=sampled), _C.TRANSACTION_END, _C.SAMPLE_CLOCK
        )
        stamped = samples.stamped(at, value)
        if stamped is not None and any(float(sampled["value"]) for sampled in value):
            payload: Payload = {"connectorId": connector_id, "meterValue": [stamped]}
            self._ctx.sender.queue("MeterValues", payload, transaction, clock_boot=clock_boot)


def _imported(energy: int) -> Measurement:
    return Measurement(energy_import=PhaseValues(float(energy)))

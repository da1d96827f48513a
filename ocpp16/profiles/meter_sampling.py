"""One sample of one connector: sent as MeterValues, and kept for the StopTransaction of its transaction.

A sample of a transaction is queued and kept like StartTransaction; the last register value goes to disk in the same
block, so that a stop made up after a power cut never lies behind what the Central System knows. When samples are taken,
and which measurands they have, is not decided here.
"""

from ocpp16._core import json_bytes, json_value
from ocpp16.configuration.configuration import Key
from ocpp16.configuration.keys import core
from ocpp16.enums import ReadingContext
from ocpp16.models import Measurement
from ocpp16.profiles.context import Context, Payload
from ocpp16.profiles.meter_samples import MeterSamples
from ocpp16.profiles.signed_readings import SignedReadings
from ocpp16.profiles.transaction_data import SIGNED, TransactionData
from ocpp16.state.measurands import has_intervals
from ocpp16.state.transaction import Transaction

_END = "]}]}"
"""Of the text of a MeterValues: of its sampled values, its one MeterValue, and of it."""
_LISTS = (core.METER_VALUES_SAMPLED_DATA, core.METER_VALUES_ALIGNED_DATA, core.STOP_TXN_ALIGNED_DATA)


class MeterSampling:
    """Of one charge point. `samples` makes the values, `data` keeps what StopTransaction will tell, `signed` decides
    where signed values go."""

    __slots__ = ("_ctx", "data", "samples", "signed")

    def __init__(self, ctx: Context, samples: MeterSamples, data: TransactionData) -> None:
        self._ctx = ctx
        self.samples: MeterSamples = samples
        self.data: TransactionData = data
        self.signed: SignedReadings = SignedReadings(ctx)

    def measurands(self, key: Key[tuple[str, ...]]) -> tuple[str, ...]:
        """The measurands of one of the lists."""
        return self._ctx.configuration[key]

    @property
    def reports_intervals(self) -> bool:
        """Does one of the lists name the energy of an interval?"""
        return any(has_intervals(self.measurands(key)) for key in _LISTS)

    def take(
        self,
        connector_id: int,
        reported: tuple[str, ...],
        kept: tuple[str, ...],
        context: ReadingContext,
        transaction: Transaction | None,
        at: int | None = None,
    ) -> bool:
        """Take a sample of the measurands `reported` and `kept`, if anything of them is known. `at`: the instant it is
        for, µs; None: now.

        Returns whether a MeterValues is queued; it is not without a transaction while it could not be sent.
        """
        if not reported and (transaction is None or not kept):
            return False
        samples = self.samples
        taken = samples.readings.present(connector_id)
        time = None if taken is None else samples.time(taken, transaction, at)
        if taken is None or time is None:
            return False
        ctx = self._ctx
        measurement = taken.measurement
        report = samples.text(time, connector_id, measurement, reported, context)
        data = None
        if transaction is not None:
            data = samples.value(time, connector_id, measurement, kept, context)
        if measurement.signed_meter_value is not None:
            report, reported, kept = self._with_signed(
                connector_id, measurement, context, transaction, report, data, reported, kept
            )
        is_queued = False
        if report:
            if transaction is None:
                is_queued = ctx.sender.send("MeterValues", json_value(report))
            else:
                ctx.sender.queue_text("MeterValues", report, transaction, *samples.note(connector_id, taken, time))
                is_queued = True
        if transaction is not None and data is not None:
            self.data.add(transaction, data, kept, reported)
            if not report:
                ctx.journal.append(*samples.note(connector_id, taken, time))
        if has_intervals(reported) or has_intervals(kept):
            samples.bases.sampled(connector_id, context, measurement)
            if transaction is not None:
                ctx.journal.append(samples.intervals_row(transaction))
        return is_queued

    def _with_signed(
        self,
        connector_id: int,
        measurement: Measurement,
        context: ReadingContext,
        transaction: Transaction | None,
        report: str,
        data: Payload | None,
        reported: tuple[str, ...],
        kept: tuple[str, ...],
    ) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Put what the meter signed of this reading behind its values, as far as it is asked for: returns the text of
        the report, and what is reported and kept; it is a part of `data` then."""
        given = measurement.signed_meter_value
        assert given is not None
        signed = self.signed
        if transaction is not None and data is not None:
            to_keep = signed.to_keep(transaction, given, context)
            if to_keep is not None:
                data["sampledValue"].append(to_keep)
                kept = (*kept, SIGNED)
        if report:
            to_report = signed.to_report(connector_id, given, context, transaction)
            if to_report is not None:
                report = "".join((report[: -len(_END)], ",", json_bytes(to_report).decode(), _END))
                reported = (*reported, SIGNED)
        return report, reported, kept

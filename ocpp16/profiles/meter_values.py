"""MeterValues and the data of StopTransaction (OCPP 1.6 ed. 2 §4.7, §9.1).

Three kinds of sample: periodic ones of a transaction, clock-aligned ones of every connector, and what a trigger asks
for. Those of a transaction are queued and kept like StartTransaction; the last register value goes to disk in the same
block, so that a stop made up after a power cut never lies behind what the Central System knows.

A sample is stamped with the time of its reading (an aligned one with the aligned instant, if the reading is fresh), but
never with one before its transaction began.
"""

from collections.abc import Sequence
from functools import partial

from ocpp16._core import parse_datetime
from ocpp16.enums import ReadingContext
from ocpp16.models import Measurement
from ocpp16.profiles.base import Context, FeatureProfile, Payload, log
from ocpp16.profiles.transaction_data import TransactionData
from ocpp16.state.alignment import next_aligned
from ocpp16.state.clock import to_micros
from ocpp16.state.keys import core
from ocpp16.state.measurands import sample
from ocpp16.state.signals import ClockSet, ConfigurationChanged
from ocpp16.state.timers import Timer
from ocpp16.state.transaction import Transaction, watt_hours
from ocpp16.store.base import Change
from ocpp16.store.tables import meters, transactions

CHECKPOINT_INTERVAL = 60.0
"""Seconds between two stored readings of a connector at most: flash wears out (storage on flash, rate-limited)."""
FRESH = 10_000_000
"""µs: an older reading is not passed off as one of the aligned instant."""


class MeterValues(FeatureProfile):
    __slots__ = ("_aligned", "_checkpoints", "_data", "_instant", "_latest", "_offered", "_periodic", "_previous")

    def __init__(self, ctx: Context, data: TransactionData) -> None:
        super().__init__(ctx)
        self._data = data
        self._latest: dict[int, Measurement] = {}
        self._previous: dict[tuple[int, str], Measurement] = {}
        self._offered: dict[int, tuple[float | None, float | None]] = {}
        self._checkpoints: dict[int, float] = {}
        self._periodic: dict[int, Timer] = {}
        self._aligned: Timer | None = None
        self._instant = 0

    def attach(self) -> None:
        self.ctx.signals.on(ConfigurationChanged, self._key_changed)
        self.ctx.signals.on(ClockSet, self._clock_set)

    def start(self) -> None:
        self._arm_aligned()

    def stop(self) -> None:
        for timer in self._periodic.values():
            timer.cancel()
        self._periodic.clear()
        if self._aligned is not None:
            self._aligned.cancel()
            self._aligned = None

    # What the station tells

    def measured(self, connector_id: int, measurement: Measurement) -> None:
        """Take in a reading; it goes to disk at most once a minute, and only if the register moved."""
        self._latest[connector_id] = measurement
        changes = self._note(connector_id, measurement)
        now = self.ctx.clock.monotonic()
        if changes and now >= self._checkpoints.get(connector_id, 0.0):
            self._checkpoints[connector_id] = now + CHECKPOINT_INTERVAL
            self.ctx.journal.append(*changes)

    def offered_current(self, connector_id: int, amperes: float) -> None:
        self._offered[connector_id] = (amperes, self._offered.get(connector_id, (None, None))[1])

    def offered_power(self, connector_id: int, watts: float) -> None:
        self._offered[connector_id] = (self._offered.get(connector_id, (None, None))[0], watts)

    def _reading(self, connector_id: int) -> Measurement | None:
        """What the station measures now, else what it told last."""
        try:
            measured = self.ctx.station.measurement(connector_id)
        except Exception:
            log.exception("%s: station failed in measurement", self.ctx.charge_point_id)
            measured = None
        return measured or self._latest.get(connector_id)

    def _note(self, connector_id: int, measurement: Measurement, told_at: int = 0) -> list[Change]:
        """The last register value, in memory at once; returns the rows that keep it.

        `told_at`: the time that the Central System is told for it, µs; a stop made up later must not lie before.
        """
        clock = self.ctx.clock
        at = to_micros(measurement.timestamp)
        energy = measurement.energy_import.total
        changes: list[Change] = []
        if energy is not None:
            row = meters.MeterRow(connector_id, watt_hours(energy), at, clock.clock_boot)
            changes.append(meters.put(row))
        transaction = self.ctx.transactions.running(connector_id)
        if transaction is not None and max(at, told_at) >= transaction.meter_last_at:
            if energy is not None:
                transaction.meter_last = max(watt_hours(energy), transaction.meter_last)
            transaction.meter_last_at = max(at, told_at)
            transaction.meter_last_clock_boot = clock.clock_boot
            changes.append(transactions.put(transaction))
        return changes

    # Transactions

    def begin(self, transaction: Transaction, signed: str | None) -> None:
        """A transaction started: begin to sample, and note its first values."""
        self._start_periodic(transaction)
        kept = self.ctx.configuration[core.STOP_TXN_SAMPLED_DATA]
        value = self._sample(
            transaction.connector_id,
            kept,
            ReadingContext.TRANSACTION_BEGIN,
            transaction,
            at=transaction.started_at,
        )
        self._data.begin(transaction, value, signed)

    def resume(self, transaction: Transaction) -> None:
        """A transaction goes on after a restart."""
        self._start_periodic(transaction)

    def end(
        self, transaction: Transaction, signed: str | None, meter_stop: int, at: int, *, is_recovered: bool
    ) -> list[Payload]:
        """A transaction is over: stop to sample. Returns its transactionData, with the last values of the meter.

        `is_recovered`: it was ended by a power cut, so there are no last values but those stored.
        """
        timer = self._periodic.pop(transaction.connector_id, None)
        if timer is not None:
            timer.cancel()
        self._previous = {key: value for key, value in self._previous.items() if key[0] != transaction.connector_id}
        value = None
        clock_boot = transaction.meter_last_clock_boot if is_recovered else self.ctx.clock.clock_boot
        if not is_recovered:
            kept = self.ctx.configuration[core.STOP_TXN_SAMPLED_DATA]
            value = self._sample(
                transaction.connector_id,
                kept,
                ReadingContext.TRANSACTION_END,
                transaction,
                at=at,
            )
        return self._data.end(transaction, value, signed, at, clock_boot)

    def _start_periodic(self, transaction: Transaction) -> None:
        interval = self.ctx.configuration[core.METER_VALUE_SAMPLE_INTERVAL]
        if interval > 0:
            first = self.ctx.clock.monotonic() + interval
            self._periodic[transaction.connector_id] = self.ctx.timers.every(
                interval, partial(self._sample_periodic, transaction), first
            )

    def _sample_periodic(self, transaction: Transaction) -> None:
        reported = self.ctx.configuration[core.METER_VALUES_SAMPLED_DATA]
        kept = self.ctx.configuration[core.STOP_TXN_SAMPLED_DATA]
        self._take(
            transaction.connector_id,
            reported,
            kept,
            ReadingContext.SAMPLE_PERIODIC,
            transaction,
        )

    def _take(
        self,
        connector_id: int,
        reported: Sequence[str],
        kept: Sequence[str],
        context: ReadingContext,
        transaction: Transaction | None,
        at: int | None = None,
    ) -> None:
        """One sample: sent as MeterValues, and kept for StopTransaction."""
        ctx = self.ctx
        measurement = self._reading(connector_id)
        if measurement is None:
            return
        value = self._sample(connector_id, reported, context, transaction, at=at, measurement=measurement)
        if value is not None:
            payload: Payload = {"connectorId": connector_id, "meterValue": [value]}
            if transaction is None:
                ctx.send("MeterValues", payload)
            else:
                told_at = parse_datetime(value["timestamp"])
                ctx.queue("MeterValues", payload, transaction, *self._note(connector_id, measurement, told_at))
        if transaction is not None and kept:
            data = self._sample(connector_id, kept, context, transaction, at=at, measurement=measurement)
            if data is not None:
                self._data.add(transaction, data)
        self._previous[connector_id, context] = measurement

    def _sample(
        self,
        connector_id: int,
        wanted: Sequence[str],
        context: ReadingContext,
        transaction: Transaction | None,
        *,
        at: int | None = None,
        measurement: Measurement | None = None,
    ) -> Payload | None:
        """One MeterValue of these measurands, or None if nothing of it was measured since the transaction began.

        `at`: the instant it is for, µs; it is stamped with that if the reading is fresh.
        """
        if not wanted:
            return None
        measurement = measurement or self._reading(connector_id)
        if measurement is None:
            return None
        taken = to_micros(measurement.timestamp)
        if at is not None and abs(at - taken) <= FRESH:
            taken = at
        if transaction is not None:
            energy = measurement.energy_import.total
            if taken < transaction.started_at and energy is not None and watt_hours(energy) < transaction.meter_start:
                return None
            taken = max(taken, transaction.started_at)
        current, power = self._offered.get(connector_id, (None, None))
        values = sample(
            measurement,
            wanted,
            context,
            current,
            power,
            previous=self._previous.get((connector_id, context)),
        )
        if not values:
            return None
        return {"timestamp": self.ctx.time_text(taken), "sampledValue": values}

    # Clock-aligned

    def _arm_aligned(self) -> None:
        if self._aligned is not None:
            self._aligned.cancel()
            self._aligned = None
        interval = self.ctx.configuration[core.CLOCK_ALIGNED_DATA_INTERVAL]
        if interval > 0:
            clock = self.ctx.clock
            self._instant = next_aligned(clock.now(), interval)
            self._aligned = self.ctx.timers.at(clock.monotonic_at(self._instant), self._sample_aligned)

    def _sample_aligned(self) -> None:
        ctx = self.ctx
        reported = ctx.configuration[core.METER_VALUES_ALIGNED_DATA]
        kept = ctx.configuration[core.STOP_TXN_ALIGNED_DATA]
        for connector_id in ctx.connectors:
            if connector_id:
                self._take(
                    connector_id,
                    reported,
                    kept,
                    ReadingContext.SAMPLE_CLOCK,
                    ctx.transactions.running(connector_id),
                    at=self._instant,
                )
        self._arm_aligned()

    def _clock_set(self, signal: ClockSet) -> None:
        self._arm_aligned()

    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == core.METER_VALUE_SAMPLE_INTERVAL.name:
            for timer in self._periodic.values():
                timer.cancel()
            self._periodic.clear()
            for transaction in self.ctx.transactions.all_running():
                self._start_periodic(transaction)
        elif signal.key == core.CLOCK_ALIGNED_DATA_INTERVAL.name:
            self._arm_aligned()

    # Triggered

    def has_values(self, connector_id: int) -> bool:
        """Is there anything a triggered MeterValues of this connector could say?"""
        wanted = self.ctx.configuration[core.METER_VALUES_SAMPLED_DATA]
        transaction = self.ctx.transactions.running(connector_id)
        return self._sample(connector_id, wanted, ReadingContext.TRIGGER, transaction) is not None

    def trigger(self, connector_ids: Sequence[int]) -> None:
        """Send the present values of these connectors; one without any is left out."""
        ctx = self.ctx
        wanted = ctx.configuration[core.METER_VALUES_SAMPLED_DATA]
        for connector_id in connector_ids:
            measurement = self._reading(connector_id)
            if measurement is None:
                continue
            transaction = ctx.transactions.running(connector_id)
            value = self._sample(connector_id, wanted, ReadingContext.TRIGGER, transaction, measurement=measurement)
            if value is None:
                continue
            number = 0
            if transaction is not None:
                # What the Central System is told must not be newer than what a power cut leaves behind.
                told_at = parse_datetime(value["timestamp"])
                number = ctx.journal.append(*self._note(connector_id, measurement, told_at))
            payload: Payload = {"connectorId": connector_id, "meterValue": [value]}
            ctx.send("MeterValues", payload, transaction=transaction, number=number, is_triggered=True)

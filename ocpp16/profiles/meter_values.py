"""MeterValues and the data of StopTransaction (OCPP 1.6 ed. 2 §4.7, §6.31, §9.1).

Three kinds of sample: periodic ones of a transaction, clock-aligned ones of every connector, and what a trigger asks
for. Those of a transaction are queued and kept like StartTransaction; the last register value goes to disk in the same
block, so that a stop made up after a power cut never lies behind what the Central System knows.

Rules of this file:
1. A sample is stamped with the time of its reading (an aligned one with the aligned instant, if the reading is fresh),
   but never with one before its transaction began. Times are compared only after correction.
2. Transaction.Begin and Transaction.End say the register that StartTransaction and StopTransaction say, at the same
   instant; of all else they have what was measured near that instant. What was measured last, but earlier, comes with
   Transaction.End under its own time.
3. No interval energy is lost: the first one begins at the transaction's begin, and the last one is closed by its end,
   in transactionData and, where intervals are reported while it runs, by one more MeterValues with context
   Transaction.End. A measurand of both the sampled and the aligned list is closed as a sampled one.
4. Connector 0 is the main meter: it has clock-aligned samples once `on_meter_values(0, …)` told of one. From then on
   the station is asked for it, too. A trigger without connector asks for it as for all others.
5. Aligned samples of many connectors are taken one after another by a timer, so that other work goes on between them.
6. No aligned instant comes twice because the clock was set back by less than an interval (state/alignment.py).
"""

from collections.abc import Mapping, Sequence
from functools import partial

from ocpp16.configuration.configuration import Key
from ocpp16.configuration.keys import core
from ocpp16.enums import Measurand, ReadingContext
from ocpp16.models import Measurement, PhaseValues
from ocpp16.profiles.base import Collected, Context, FeatureProfile, Payload
from ocpp16.profiles.meter_readings import Taken
from ocpp16.profiles.meter_samples import MeterSamples
from ocpp16.profiles.transaction_data import TransactionData
from ocpp16.state.alignment import next_aligned
from ocpp16.state.measurands import INTERVALS, has_intervals, intervals_of
from ocpp16.state.signals import ClockSet, ConfigurationChanged
from ocpp16.state.timers import Timer
from ocpp16.state.transaction import Transaction, watt_hours

CHECKPOINT_INTERVAL = 60.0
"""Seconds between two stored readings of a connector at most: flash wears out (storage on flash, rate-limited)."""

_C = ReadingContext
_LISTS = (core.METER_VALUES_SAMPLED_DATA, core.METER_VALUES_ALIGNED_DATA, core.STOP_TXN_ALIGNED_DATA)
_OF_THE_REGISTER = frozenset({Measurand.ENERGY_ACTIVE_IMPORT_REGISTER, *INTERVALS})
"""What Transaction.End tells of the register at its instant."""


class MeterValues(FeatureProfile):
    __slots__ = (
        "_aligned",
        "_checkpoints",
        "_data",
        "_due",
        "_instant",
        "_periodic",
        "_rest",
        "_samples",
        "_waiting",
    )

    def __init__(self, ctx: Context, data: TransactionData, stored: Mapping[str, object]) -> None:
        """`stored`: the settings found at the start."""
        super().__init__(ctx)
        self._data = data
        self._samples = MeterSamples(ctx)
        self._samples.restore_intervals(stored)
        self._checkpoints: dict[int, float] = {}
        self._periodic: dict[int, Timer] = {}
        self._aligned: Timer | None = None
        self._rest: Timer | None = None
        self._waiting: list[int] = []
        self._due = 0.0
        self._instant: int | None = None

    def attach(self) -> None:
        self.ctx.signals.on(ConfigurationChanged, self._key_changed)
        self.ctx.signals.on(ClockSet, self._clock_set)

    def start(self) -> None:
        self._arm_aligned()

    def stop(self) -> None:
        for timer in (*self._periodic.values(), self._aligned, self._rest):
            if timer is not None:
                timer.cancel()
        self._periodic.clear()
        self._waiting.clear()
        self._aligned = self._rest = None

    # What the station tells

    def measured(self, connector_id: int, measurement: Measurement) -> None:
        """Take in a reading; it goes to disk at most once a minute, and only if the register moved.

        Raises ValueError, before anything changes, if it is none.
        """
        changes = self._samples.note(connector_id, self._samples.readings.told(connector_id, measurement))
        now = self.ctx.clock.monotonic()
        if changes and now >= self._checkpoints.get(connector_id, 0.0):
            self._checkpoints[connector_id] = now + CHECKPOINT_INTERVAL
            self.ctx.journal.append(*changes)

    def register(self, connector_id: int) -> tuple[int, float] | None:
        """The import register of a connector, in Wh, and when it was read, in monotonic seconds; None: not known."""
        taken = self._samples.readings.present(connector_id)
        energy = None if taken is None else taken.measurement.energy_import.total
        return None if taken is None or energy is None else (watt_hours(energy), taken.made)

    def offered_current(self, connector_id: int, amperes: float) -> None:
        """For Current.Offered. Raises ValueError if it is no finite number."""
        self._samples.offered_current(connector_id, amperes)

    def offered_power(self, connector_id: int, watts: float) -> None:
        """For Power.Offered. Raises ValueError if it is no finite number."""
        self._samples.offered_power(connector_id, watts)

    # Transactions

    def begin(self, transaction: Transaction, signed: str | None) -> None:
        """A transaction started: begin to sample, and note its first values."""
        self._start_periodic(transaction)
        kept = self._list(core.STOP_TXN_SAMPLED_DATA)
        connector_id, at = transaction.connector_id, transaction.started_at
        taken = self._samples.readings.present(connector_id) if kept or self._reports_intervals() else None
        registers = self._samples.at_register(taken, transaction.meter_start, at)
        values = self._samples.values(connector_id, registers, kept, _C.TRANSACTION_BEGIN, None)
        self._samples.bases.begin(connector_id, registers)
        if has_intervals(kept) or self._reports_intervals():
            self.ctx.journal.append(self._samples.intervals_row(transaction))
        self._data.begin(transaction, self._samples.stamped(at, values), signed)

    def resume(self, transaction: Transaction) -> None:
        """A transaction goes on after a restart, and its intervals from where they were.

        If that was not kept, because nobody asked for intervals then, from the last register that is known.
        """
        if transaction.connector_id not in self._periodic:  # one that began before the start is sampled already
            self._start_periodic(transaction)
        if not self._samples.bases.is_known(transaction.connector_id):
            self._samples.bases.begin(transaction.connector_id, _imported(transaction.meter_last))

    def end(
        self,
        transaction: Transaction,
        signed: str | None,
        meter_stop: int,
        at: int,
        clock_boot: int,
        *,
        is_recovered: bool,
    ) -> Collected:
        """A transaction is over: stop to sample. Returns its transactionData, with the last values of the meter.

        `at`, `clock_boot`: the time of its end, and how that is marked. `is_recovered`: it was ended by a power cut, so
        there are no last values but those stored, and what they make of the last interval.
        """
        connector_id = transaction.connector_id
        if is_recovered:
            return self._end_recovered(transaction, signed, at, clock_boot)
        timer = self._periodic.pop(connector_id, None)
        if timer is not None:
            timer.cancel()
        kept, aligned = self._list(core.STOP_TXN_SAMPLED_DATA), self._list(core.STOP_TXN_ALIGNED_DATA)
        taken = self._samples.readings.present(connector_id) if kept or self._reports_intervals() else None
        registers = self._samples.at_register(taken, meter_stop, at)
        self._close_intervals(transaction, registers, at, is_periodic=timer is not None)
        earlier = None
        time = None if taken is None or self._samples.is_of(taken, at) else self._samples.time(taken, transaction)
        if taken is not None and time is not None and time < at:
            others = [name for name in kept if name not in _OF_THE_REGISTER]
            earlier = self._samples.value(time, connector_id, taken.measurement, others, _C.TRANSACTION_END)
        last = self._last_values(connector_id, registers, kept, aligned)
        self._samples.bases.begin(connector_id, registers)
        values = [value for value in (earlier, self._samples.stamped(at, last)) if value is not None]
        return self._data.end(transaction, values, signed, at, clock_boot)

    def _end_recovered(self, transaction: Transaction, signed: str | None, at: int, clock_boot: int) -> Collected:
        connector_id = transaction.connector_id
        values: list[Payload] = []
        if self._samples.bases.is_known(connector_id):
            registers = _imported(transaction.meter_last)
            is_periodic = self.ctx.configuration[core.METER_VALUE_SAMPLE_INTERVAL] > 0
            self._close_intervals(transaction, registers, at, is_periodic=is_periodic, clock_boot=clock_boot)
            kept, aligned = self._list(core.STOP_TXN_SAMPLED_DATA), self._list(core.STOP_TXN_ALIGNED_DATA)
            last = self._last_values(connector_id, registers, intervals_of(kept), aligned)
            stamped = self._samples.stamped(at, last)
            if stamped is not None:
                values.append(stamped)
            self._samples.bases.forget(connector_id)
        return self._data.end(transaction, values, signed, at, clock_boot)

    def _last_values(
        self, connector_id: int, registers: Measurement, kept: Sequence[str], aligned: Sequence[str]
    ) -> list[dict[str, str]]:
        """What transactionData says of the end, the last intervals of both series included."""
        values = self._samples.values(connector_id, registers, kept, _C.TRANSACTION_END, _C.SAMPLE_PERIODIC)
        besides = intervals_of(aligned, besides=kept)
        return values + self._samples.values(connector_id, registers, besides, _C.TRANSACTION_END, _C.SAMPLE_CLOCK)

    def _reports_intervals(self) -> bool:
        return any(has_intervals(self._list(key)) for key in _LISTS)

    def _list(self, key: Key[tuple[str, ...]]) -> tuple[str, ...]:
        """The measurands of one of the four lists."""
        return self.ctx.configuration[key]

    def _close_intervals(
        self,
        transaction: Transaction,
        registers: Measurement,
        at: int,
        *,
        is_periodic: bool,
        clock_boot: int | None = None,
    ) -> None:
        """Report the last interval of each series that was reported while the transaction ran (rule 3)."""
        is_aligned = self.ctx.configuration[core.CLOCK_ALIGNED_DATA_INTERVAL] > 0
        sampled = self._list(core.METER_VALUES_SAMPLED_DATA) if is_periodic else ()
        aligned = self._list(core.METER_VALUES_ALIGNED_DATA) if is_aligned else ()
        connector_id = transaction.connector_id
        value = self._samples.values(
            connector_id, registers, intervals_of(sampled), _C.TRANSACTION_END, _C.SAMPLE_PERIODIC
        )
        value += self._samples.values(
            connector_id, registers, intervals_of(aligned, besides=sampled), _C.TRANSACTION_END, _C.SAMPLE_CLOCK
        )
        stamped = self._samples.stamped(at, value)
        if stamped is not None and any(float(sampled["value"]) for sampled in value):
            payload: Payload = {"connectorId": connector_id, "meterValue": [stamped]}
            self.ctx.queue("MeterValues", payload, transaction, clock_boot=clock_boot)

    def _start_periodic(self, transaction: Transaction) -> None:
        interval = self.ctx.configuration[core.METER_VALUE_SAMPLE_INTERVAL]
        if interval > 0:
            first = self.ctx.clock.monotonic() + interval
            self._periodic[transaction.connector_id] = self.ctx.timers.every(
                interval, partial(self._sample_periodic, transaction), first
            )

    def sample_now(self, connector_id: int) -> bool:
        """A periodic sample out of turn; False if no transaction runs there."""
        transaction = self.ctx.transactions.running(connector_id)
        if transaction is None:
            return False
        self._sample_periodic(transaction)
        return True

    def _sample_periodic(self, transaction: Transaction) -> None:
        self._take(
            transaction.connector_id,
            self._list(core.METER_VALUES_SAMPLED_DATA),
            self._list(core.STOP_TXN_SAMPLED_DATA),
            _C.SAMPLE_PERIODIC,
            transaction,
        )

    # Samples

    def _take(
        self,
        connector_id: int,
        reported: tuple[str, ...],
        kept: tuple[str, ...],
        context: ReadingContext,
        transaction: Transaction | None,
        at: int | None = None,
    ) -> None:
        """One sample: sent as MeterValues, and kept for StopTransaction."""
        if not reported and (transaction is None or not kept):
            return
        taken = self._samples.readings.present(connector_id)
        time = None if taken is None else self._samples.time(taken, transaction, at)
        if taken is None or time is None:
            return
        ctx = self.ctx
        measurement = taken.measurement
        report = self._samples.value(time, connector_id, measurement, reported, context)
        data = None
        if transaction is not None:
            data = self._samples.value(time, connector_id, measurement, kept, context)
        if report is not None:
            payload: Payload = {"connectorId": connector_id, "meterValue": [report]}
            if transaction is None:
                ctx.send("MeterValues", payload)
            else:
                ctx.queue("MeterValues", payload, transaction, *self._samples.note(connector_id, taken, time))
        if transaction is not None and data is not None:
            self._data.add(transaction, data)
            if report is None:
                ctx.journal.append(*self._samples.note(connector_id, taken, time))
        if has_intervals(reported) or has_intervals(kept):
            self._samples.bases.sampled(connector_id, context, measurement)
            if transaction is not None:
                ctx.journal.append(self._samples.intervals_row(transaction))

    # Clock-aligned

    def _arm_aligned(self) -> None:
        """Wait for the next aligned instant (rule 6)."""
        if self._aligned is not None:
            self._aligned.cancel()
            self._aligned = None
        interval = self.ctx.configuration[core.CLOCK_ALIGNED_DATA_INTERVAL]
        if interval > 0:
            clock = self.ctx.clock
            instant = next_aligned(clock.now(), interval, after=self._instant)
            self._aligned = self.ctx.timers.at(clock.monotonic_at(instant), partial(self._sample_aligned, instant))

    def _sample_aligned(self, instant: int) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._instant = instant
        self._due = self.ctx.clock.monotonic_at(instant)
        self._waiting = [number for number in self.ctx.connectors if number or self._samples.readings.was_told(0)]
        self._waiting.reverse()
        self._arm_aligned()
        self._sample_next()

    def _sample_next(self) -> None:
        """The next connector; the one after it has its turn as a timer that is due at once."""
        ctx = self.ctx
        connector_id = self._waiting.pop()
        self._rest = ctx.timers.at(self._due, self._sample_next) if self._waiting else None
        self._take(
            connector_id,
            self._list(core.METER_VALUES_ALIGNED_DATA),
            self._list(core.STOP_TXN_ALIGNED_DATA),
            _C.SAMPLE_CLOCK,
            ctx.transactions.running(connector_id),
            at=self._instant,
        )

    def _clock_set(self, signal: ClockSet) -> None:
        self._samples.clock_set(signal.shift)
        if signal.is_first and self._instant is not None:
            self._instant += signal.shift
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
        return self._triggered(connector_id) is not None

    def trigger(self, connector_ids: Sequence[int]) -> None:
        """Send the present values of these connectors; one without any is left out."""
        ctx = self.ctx
        for connector_id in connector_ids:
            found = self._triggered(connector_id)
            if found is None:
                continue
            taken, time, value = found
            transaction = ctx.transactions.running(connector_id)
            number = 0
            if transaction is not None:
                # What the Central System is told must not be newer than what a power cut leaves behind.
                number = ctx.journal.append(*self._samples.note(connector_id, taken, time))
            payload: Payload = {"connectorId": connector_id, "meterValue": [value]}
            ctx.send("MeterValues", payload, transaction=transaction, number=number, is_triggered=True)
            if has_intervals(self._list(core.METER_VALUES_SAMPLED_DATA)):
                self._samples.bases.sampled(connector_id, _C.TRIGGER, taken.measurement)

    def _triggered(self, connector_id: int) -> tuple[Taken, int, Payload] | None:
        """A reading, the time and the value of a triggered sample."""
        wanted = self._list(core.METER_VALUES_SAMPLED_DATA)
        taken = self._samples.readings.present(connector_id) if wanted else None
        if taken is None:
            return None
        time = self._samples.time(taken, self.ctx.transactions.running(connector_id))
        if time is None:
            return None
        value = self._samples.value(time, connector_id, taken.measurement, wanted, _C.TRIGGER)
        return None if value is None else (taken, time, value)


def _imported(energy: int) -> Measurement:
    return Measurement(energy_import=PhaseValues(float(energy)))

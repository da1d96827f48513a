"""MeterValues and the data of StopTransaction (OCPP 1.6 ed. 2 §4.7, §6.31, §9.1).

Four kinds of sample, each with a file of its own but the last: periodic ones of a transaction, clock-aligned ones of
every connector, the first and last ones of a transaction, and what a trigger asks for.

Rules of all of them:
1. A sample is stamped with the time of its reading (an aligned one with the aligned instant, if the reading is fresh),
   but never with one before its transaction began. Times are compared only after correction.
2. Connector 0 is the main meter: it has clock-aligned samples once `on_meter_values(0, …)` told of one. From then on
   the station is asked for it, too. A trigger without connector asks for it as for all others.
3. Samples of many connectors are taken one after another, so that other work goes on between them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ocpp16._core.by_number import ByNumber
from ocpp16.configuration.keys import core
from ocpp16.enums import MessageTrigger, ReadingContext
from ocpp16.models import Measurement, SignedMeterValue
from ocpp16.profiles.aligned_samples import AlignedSamples
from ocpp16.profiles.base import Collected, Context, FeatureProfile, Payload, hears, triggered
from ocpp16.profiles.meter_readings import Taken
from ocpp16.profiles.meter_samples import MeterSamples
from ocpp16.profiles.meter_sampling import MeterSampling
from ocpp16.profiles.periodic_samples import PeriodicSamples
from ocpp16.profiles.transaction_data import TransactionData
from ocpp16.profiles.transaction_samples import TransactionSamples
from ocpp16.state.measurands import has_intervals
from ocpp16.state.round import Round
from ocpp16.state.signals import ClockSet, ConfigurationChanged
from ocpp16.state.transaction import Transaction, watt_hours

CHECKPOINT_INTERVAL = 60.0
"""Seconds between two stored readings of a connector, at least: flash wears out."""
_NEVER: tuple[float, int | None] = (0.0, None)
AT_ONCE = 16
"""Connectors whose triggered samples are taken in one turn."""


class MeterValues(FeatureProfile):
    __slots__ = (
        "_aligned",
        "_checkpoints",
        "_of_transactions",
        "_periodic",
        "_samples",
        "_sampling",
        "_waiting",
        "on_measured",
    )

    def __init__(self, ctx: Context, data: TransactionData, stored: Mapping[str, object]) -> None:
        """`stored`: the settings found at the start."""
        super().__init__(ctx)
        self._samples = MeterSamples(ctx)
        self._samples.restore_intervals(stored)
        self._sampling = MeterSampling(ctx, self._samples, data)
        self._periodic = PeriodicSamples(ctx, self._sampling)
        self._aligned = AlignedSamples(ctx, self._sampling)
        self._of_transactions = TransactionSamples(ctx, self._sampling)
        self._waiting: Round | None = None
        """Connectors whose triggered samples are still to be taken; made with the first."""
        self._checkpoints: ByNumber[tuple[float, int | None]] = ByNumber()
        """Connector → when its next reading may be stored, monotonic seconds, and the register that is, Wh."""
        self.on_measured: Callable[[int, Measurement], None] | None = None
        """Told each reading that the station tells of; None: nobody wants to know."""

    def start(self) -> None:
        self._aligned.begin()

    def stop(self) -> None:
        self._periodic.stop()
        self._aligned.stop()
        if self._waiting is not None:
            self._waiting.stop()

    @hears(ClockSet)
    def _clock_set(self, signal: ClockSet) -> None:
        self._samples.clock_set(signal.shift)
        self._aligned.clock_set(signal)

    @hears(ConfigurationChanged)
    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == core.METER_VALUE_SAMPLE_INTERVAL.name:
            self._periodic.begin_anew()
        elif signal.key == core.CLOCK_ALIGNED_DATA_INTERVAL.name:
            self._aligned.begin()

    # What the station tells

    def measured(self, connector_id: int, measurement: Measurement) -> None:
        """Take in a reading; it goes to disk at most once a minute and, where no transaction runs, whose end it could
        tell, only if the register moved.

        Raises ValueError, before anything changes, if it is none.
        """
        taken = self._samples.readings.told(connector_id, measurement)
        changes = self._samples.note(connector_id, taken)
        now = self.ctx.clock.monotonic()
        due, stored = self._checkpoints.get(connector_id, _NEVER)
        if changes and now >= due:
            energy = taken.measurement.energy_import.total
            register = None if energy is None else watt_hours(energy)
            if register != stored or self.ctx.transactions.running(connector_id) is not None:
                self._checkpoints[connector_id] = (now + CHECKPOINT_INTERVAL, register)
                self.ctx.journal.append(*changes)
        if self.on_measured is not None:
            self.on_measured(connector_id, taken.measurement)  # as it was checked, whatever a subclass says next

    def present(self, connector_id: int) -> Measurement | None:
        """What the meter of a connector says now; None: not known."""
        taken = self._samples.readings.present(connector_id)
        return None if taken is None else taken.measurement

    def report(self, connector_id: int, measurands: tuple[str, ...]) -> bool:
        """Take a sample of these measurands now, of no series (context Other): of the connector's transaction, durable
        as its periodic ones. Returns whether a MeterValues is queued."""
        transaction = self.ctx.transactions.running(connector_id)
        return self._sampling.take(connector_id, measurands, (), ReadingContext.OTHER, transaction)

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

    def sample_now(self, connector_id: int) -> bool:
        """Take a periodic sample of this connector now: of its transaction, durable as every one of these, and kept for
        StopTransaction; without a transaction it is sent if it can be.

        Returns whether a MeterValues is queued: not if the meter tells nothing that MeterValuesSampledData names.
        """
        return self._periodic.take_now(connector_id)

    def signed(self, connector_id: int, value: object, name: str) -> SignedMeterValue:
        """`value`, if it is what a meter signed, and can be told. Raises ValueError that names it."""
        return self._sampling.signed.checked(connector_id, value, name)

    # Transactions

    def begin(self, transaction: Transaction, signed: SignedMeterValue | None) -> None:
        """A transaction started: begin to sample, and note its first values."""
        self._periodic.begin(transaction)
        self._of_transactions.begin(transaction, signed)

    def resume(self, transaction: Transaction) -> None:
        """A transaction goes on after a restart."""
        if not self._periodic.are_taken(transaction.connector_id):  # one that began before the start is sampled already
            self._periodic.begin(transaction)
        self._of_transactions.resume(transaction)

    def end(
        self,
        transaction: Transaction,
        signed: SignedMeterValue | None,
        meter_stop: int,
        at: int,
        clock_boot: int,
        *,
        is_recovered: bool,
        signed_begin: SignedMeterValue | None = None,
    ) -> Collected:
        """A transaction is over: stop to sample. Returns its transactionData, with the last values of the meter.

        `at`, `clock_boot`: the time of its end, and how that is marked. `is_recovered`: it was ended by a power cut.
        `signed_begin`: of the begin, where the meter tells it only now.
        """
        if is_recovered:
            return self._of_transactions.end_recovered(transaction, signed, at, clock_boot)
        is_periodic = self._periodic.end(transaction.connector_id)
        return self._of_transactions.end(
            transaction, signed, meter_stop, at, clock_boot, is_periodic=is_periodic, signed_begin=signed_begin
        )

    # Triggered

    @triggered(MessageTrigger.METER_VALUES)
    def _trigger(self, connector_ids: Sequence[int]) -> Callable[[], None] | None:
        """One without any values is left out."""
        if not any(self._triggered(number) is not None for number in connector_ids):
            return None
        if self._waiting is None:
            self._waiting = Round(self.ctx.timers, self.ctx.clock, self._send_triggered)
        return partial(self._waiting.begin, connector_ids, AT_ONCE)

    def _send_triggered(self, connector_id: int) -> None:
        ctx = self.ctx
        found = self._triggered(connector_id)
        if found is None:
            return
        taken, time, value = found
        transaction = ctx.transactions.running(connector_id)
        number = 0
        if transaction is not None:
            # What the Central System is told must not be newer than what a power cut leaves behind.
            number = ctx.journal.append(*self._samples.note(connector_id, taken, time))
        payload: Payload = {"connectorId": connector_id, "meterValue": [value]}
        ctx.sender.send("MeterValues", payload, transaction=transaction, number=number, is_triggered=True)
        if has_intervals(self._sampling.measurands(core.METER_VALUES_SAMPLED_DATA)):
            self._samples.bases.sampled(connector_id, ReadingContext.TRIGGER, taken.measurement)

    def _triggered(self, connector_id: int) -> tuple[Taken, int, Payload] | None:
        """A reading, the time and the value of a triggered sample."""
        wanted = self._sampling.measurands(core.METER_VALUES_SAMPLED_DATA)
        taken = self._samples.readings.present(connector_id) if wanted else None
        if taken is None:
            return None
        time = self._samples.time(taken, self.ctx.transactions.running(connector_id))
        if time is None:
            return None
        value = self._samples.value(time, connector_id, taken.measurement, wanted, ReadingContext.TRIGGER)
        return None if value is None else (taken, time, value)

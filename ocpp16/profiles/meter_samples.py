"""One MeterValue of one connector: from a reading to sampled values, their time, and what is kept of the register.

A sample is stamped with the time of its reading (one for an instant with that instant, if the reading is fresh), but
never with one before its transaction began. Times are compared only after correction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import ReadingContext
from ocpp16.models import Measurement, PhaseValues
from ocpp16.profiles.context import Context, Payload
from ocpp16.profiles.meter_readings import MeterReadings, Taken
from ocpp16.state.clock import put_right
from ocpp16.state.intervals import IntervalBases
from ocpp16.state.measurands import sample, sample_text
from ocpp16.state.transaction import Transaction, watt_hours
from ocpp16.store.base import RowChange
from ocpp16.store.tables import meters, settings, transactions
from ocpp16.values import finite

_NOTHING = (0.0, 0.0)
FRESH = 10_000_000
"""µs: an older reading is not passed off as one of another instant."""


class MeterSamples:
    """Makes the MeterValues of all connectors; when they are taken is not its business."""

    __slots__ = ("_ctx", "_offered", "bases", "readings")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._offered: ByNumber[tuple[float, float]] = ByNumber()
        """Current and power; nothing is offered before the host tells of it."""
        self.readings: MeterReadings = MeterReadings(ctx)
        self.bases: IntervalBases = IntervalBases()
        """From where interval energies are counted."""

    def offered_current(self, connector_id: int, amperes: float) -> None:
        """Raises ValueError if `amperes` is no finite number."""
        finite(amperes, "amperes")
        self._offered[connector_id] = (amperes, self._offered.get(connector_id, _NOTHING)[1])

    def offered_power(self, connector_id: int, watts: float) -> None:
        """Raises ValueError if `watts` is no finite number."""
        finite(watts, "watts")
        self._offered[connector_id] = (self._offered.get(connector_id, _NOTHING)[0], watts)

    def time(self, taken: Taken, transaction: Transaction | None, at: int | None = None) -> int | None:
        """The time of a sample from this reading, µs; None if it is of before the transaction, and none of it.

        `at`: the instant it is for; it is stamped with that if the reading is fresh.
        """
        time = self.readings.time(taken)
        if at is not None and abs(at - time) <= FRESH:
            time = at
        if transaction is None:
            return time
        clock = self._ctx.clock
        if not clock.is_before(time, clock.clock_boot, transaction.started_at, transaction.clock_boot):
            return time
        energy = taken.measurement.energy_import.total
        if energy is not None and watt_hours(energy) < transaction.meter_start:
            return None
        return clock.corrected(transaction.started_at, transaction.clock_boot)

    def value(
        self, at: int, connector_id: int, measurement: Measurement, wanted: Sequence[str], context: ReadingContext
    ) -> Payload | None:
        """One MeterValue of these measurands, or None if nothing of it was measured. `at`: its time, µs."""
        return self.stamped(at, self.values(connector_id, measurement, wanted, context, context))

    def text(
        self, at: int, connector_id: int, measurement: Measurement, wanted: Sequence[str], context: ReadingContext
    ) -> str:
        """The payload of a MeterValues with the same, as JSON; it is valid. Empty if nothing of it was measured."""
        if not wanted:
            return ""
        current, power = self._offered.get(connector_id, _NOTHING)
        base = self.bases.base(connector_id, context)
        before = b'{"connectorId":%d,"meterValue":[{"timestamp":"%b","sampledValue":' % (
            connector_id,
            self._ctx.time_text(at).encode(),
        )
        return sample_text(measurement, wanted, context, current, power, previous=base, before=before, after=b"}]}")

    def values(
        self,
        connector_id: int,
        measurement: Measurement,
        wanted: Sequence[str],
        context: ReadingContext,
        series: ReadingContext | None,
    ) -> list[dict[str, str]]:
        """SampledValues; intervals are those of `series`, None: there is none yet."""
        if not wanted:
            return []
        current, power = self._offered.get(connector_id, _NOTHING)
        base = None if series is None else self.bases.base(connector_id, series)
        return sample(measurement, wanted, context, current, power, previous=base)

    def stamped(self, at: int, values: list[dict[str, str]]) -> Payload | None:
        return {"timestamp": self._ctx.time_text(at), "sampledValue": values} if values else None

    def is_of(self, taken: Taken, at: int) -> bool:
        return abs(self.readings.time(taken) - at) <= FRESH

    def intervals_row(self, transaction: Transaction) -> RowChange:
        """The row that keeps from where the intervals of a transaction are counted, as it is now."""
        number = transaction.connector_id
        value = {"transaction": transaction.key, "series": self.bases.stored(number)}
        return settings.put(settings.SettingRow(f"{settings.INTERVALS}{number}", value))

    def restore_intervals(self, found: Mapping[str, object]) -> None:
        """Take from the stored settings what running transactions go on from."""
        for transaction in self._ctx.transactions.all_running():
            number = transaction.connector_id
            value = found.get(f"{settings.INTERVALS}{number}")
            if isinstance(value, dict) and value.get("transaction") == transaction.key:
                try:
                    self.bases.restore(number, value.get("series", ()))
                except ValueError as error:
                    self._ctx.log.error("connector %d: %s", number, error)

    def at_register(self, taken: Taken | None, energy: int, at: int) -> Measurement:
        """What the meter showed at `at`, where its import register is known to have been `energy` Wh."""
        if taken is None or not self.is_of(taken, at):
            return Measurement(energy_import=PhaseValues(float(energy)))
        measurement = taken.measurement
        return replace(measurement, energy_import=replace(measurement.energy_import, total=float(energy)))

    def note(self, connector_id: int, taken: Taken, told_at: int | None = None) -> list[RowChange]:
        """The last register value, in memory at once; returns the rows that keep it.

        `told_at`: the time that the Central System is told for it, µs; a stop made up later must not lie before.
        """
        clock = self._ctx.clock
        at = self.readings.time(taken)
        energy = taken.measurement.energy_import.total
        whole = None if energy is None else watt_hours(energy)
        changes: list[RowChange] = []
        if whole is not None:
            changes.append(meters.put_reading(connector_id, whole, at, clock.clock_boot))
        transaction = self._ctx.transactions.running(connector_id)
        if transaction is None:
            return changes
        at = at if told_at is None else max(at, told_at)
        if clock.is_before(at, clock.clock_boot, transaction.started_at, transaction.clock_boot):
            return changes  # of before the transaction
        if whole is not None and whole > transaction.meter_last:
            transaction.meter_last = whole
        if not clock.is_before(at, clock.clock_boot, transaction.meter_last_at, transaction.meter_last_clock_boot):
            transaction.meter_last_at = at
            transaction.meter_last_clock_boot = clock.clock_boot
        changes.append(transactions.put(transaction))
        return changes

    def clock_set(self, shift: int) -> None:
        """The clock was set, perhaps back: nothing was measured ahead of it, and no stop made up later lies there."""
        self.readings.clock_set()
        clock = self._ctx.clock
        now = clock.now()
        for transaction in self._ctx.transactions.all_running():
            last = clock.corrected(transaction.meter_last_at, transaction.meter_last_clock_boot)
            if last > now:
                started_at = clock.corrected(transaction.started_at, transaction.clock_boot)
                transaction.meter_last_at = max(put_right(last, now, shift), started_at)
                transaction.meter_last_clock_boot = 0
                self._ctx.journal.append(transactions.put(transaction))

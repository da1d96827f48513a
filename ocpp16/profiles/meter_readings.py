"""What the meters say, taken in: checked, and dated by the charge point's own clock.

This is the border to the host's meter. What `station.measurement` gives may be anything; a reading that cannot be is as
good as none: the last one told by `on_meter_values` stands in for it, under its own time, as where the station says
None; but not for a newer one that the station has answered since, or a register would fall. It is counted each time,
and logged once for each connector and cause.

A reading is dated by our clock, so that all times of a transaction are of one clock: without a time of its own it was
made now; one stamped ahead was made now, too (the host's clock is ahead of ours); and so was one whose time cannot be
(a meter whose clock was never set). An older one keeps its time. What was dated before anybody set the clock is marked
with the boot, and compared only after correction.
"""

from collections.abc import Coroutine
from typing import Any

from ocpp16._core.by_number import ByNumber
from ocpp16.faults import obey_exit, sentence, text_of
from ocpp16.models import Measurement
from ocpp16.profiles.context import Context
from ocpp16.redaction import redacted_prose
from ocpp16.state.clock import SMALLEST_SHIFT, dated, to_micros
from ocpp16.texts import kind_of, shown
from ocpp16.values import described, exactly, is_a

_CAUSES = 8
"""Different causes that are logged for a connector; one that finds ever new ones is known by then."""


class Taken:
    """A reading that was taken in.

    at: µs, by the charge point's clock as it was then, marked with `clock_boot`. made: when it was made, in monotonic
    seconds: its age, whoever sets the clock meanwhile.
    """

    __slots__ = ("at", "clock_boot", "made", "measurement")

    def __init__(self, measurement: Measurement, at: int, clock_boot: int, made: float) -> None:
        self.measurement: Measurement = measurement
        self.at: int = at
        self.clock_boot: int = clock_boot
        self.made: float = made


class MeterReadings:
    """The present reading of each connector; connector 0 is the main meter."""

    __slots__ = ("_answered", "_causes", "_ctx", "_told")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._told: ByNumber[Taken] = ByNumber()
        self._answered: ByNumber[Taken | float] = ByNumber()
        """What the station answered last, if it has a time of its own: such a one is known again. Of others, which are
        ten values in thirty places of the memory, only when they were made."""
        self._causes: dict[int, tuple[str, ...]] | None = None
        """Why readings were refused, by connector: each is said once. Made with the first one."""

    def told(self, connector_id: int, measurement: Measurement) -> Taken:
        """The host tells a reading. Raises ValueError, and keeps nothing of it, if it is none."""
        taken = self._told[connector_id] = self._taken(_checked(measurement))
        return taken

    def was_told(self, connector_id: int) -> bool:
        """Did the host ever tell a reading of this connector?"""
        return connector_id in self._told

    def present(self, connector_id: int) -> Taken | None:
        """What the station measures now, else what it told last, if it has measured nothing newer."""
        try:
            given = self._ctx.station.host.measurement(connector_id)
            if given is None:
                return self._told_last(connector_id)
            checked = _checked(given)
            known = self._answered.get(connector_id)
            if checked.timestamp is None:
                taken = self._taken(checked)
                self._answered[connector_id] = taken.made
                return taken
            if isinstance(known, Taken) and _is_same(known.measurement, checked, given):
                return known  # the same reading once more was made when it was made
            taken = self._answered[connector_id] = self._taken(checked)
        except BaseException as error:
            obey_exit(error)
            self._refused(connector_id, error)
            return self._told_last(connector_id)
        return taken

    def _told_last(self, connector_id: int) -> Taken | None:
        """What the host told, unless the station has answered with a newer reading."""
        told, answered = self._told.get(connector_id), self._answered.get(connector_id)
        if told is None or answered is None:
            return told
        return None if told.made < (answered.made if isinstance(answered, Taken) else answered) else told

    def time(self, taken: Taken) -> int:
        """When it was made, µs, as our clock knows now."""
        return self._ctx.clock.corrected(taken.at, taken.clock_boot) if taken.clock_boot else taken.at

    def clock_set(self) -> None:
        """The clock was set, perhaps back: no reading was made ahead of it."""
        clock = self._ctx.clock
        now, monotonic = clock.now(), clock.monotonic()
        for readings in (self._told, self._answered):
            for connector_id, taken in readings.items():
                if isinstance(taken, Taken) and self.time(taken) > now:
                    at = now - clock.passed(monotonic - taken.made)
                    readings[connector_id] = Taken(taken.measurement, at, 0, taken.made)

    def _taken(self, measurement: Measurement) -> Taken:
        clock = self._ctx.clock
        now = at = clock.now()
        if measurement.timestamp is not None:
            stamp = to_micros(measurement.timestamp)
            at = dated(stamp, now)
            if abs(at - stamp) >= SMALLEST_SHIFT:
                self._ctx.counters.readings_clamped += 1
        return Taken(measurement, at, clock.clock_boot, clock.monotonic_at(at))

    def _refused(self, connector_id: int, error: BaseException) -> None:
        self._ctx.counters.readings_refused += 1
        kind = shown(kind_of(error), 60)
        said = shown(redacted_prose(text_of(error))) or kind
        cause = f"{kind}: {said.partition(', not ')[0]}"
        if self._causes is None:
            self._causes = {}
        known = self._causes.get(connector_id, ())
        if cause in known or len(known) >= _CAUSES:
            return
        self._causes[connector_id] = (*known, cause)
        self._ctx.log.warning(
            "connector %d: a reading of the meter is refused, and others for this reason will be: %s",
            connector_id,
            said,
            about=(connector_id, cause),
            error=None if type(error) is _NoReading else error,
        )


class _NoReading(ValueError):
    """What was given as a reading is none."""


def _is_same(known: Measurement, checked: Measurement, given: Any) -> bool:
    """Is it the reading that is known? Of a subclass each answer has a copy of its own."""
    return known is checked or (checked is not given and known == checked)


def _checked(given: Any) -> Measurement:
    if type(given) is Measurement:
        return given
    if is_a(given, Measurement):
        try:
            Measurement.__post_init__(given)  # a subclass may have forgotten to
            return exactly(Measurement, given, "measurement")  # and what it says later may be something else
        except BaseException as fault:
            obey_exit(fault)
            if is_a(fault, ValueError):
                raise
            raise _NoReading(f"measurement must be a Measurement, not {described(given)}: {sentence(fault)}") from fault
    if is_a(given, Coroutine):
        given.close()
        raise _NoReading("measurement must be a Measurement, not a coroutine: the method must not be async")
    raise _NoReading(f"measurement must be a Measurement, not {described(given)}")

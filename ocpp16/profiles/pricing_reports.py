"""MeterValues that a cost asked for: at a time, a register, a power, a status (California pricing note,
triggerMeterValue). When each is due is `state.price_triggers`; here the meter is looked at, and the clock.

Rules of this file:
1. A time is absolute, and no offset of local time moves it. One that has just passed is reported at once; one that
   passed `JUST_PASSED` before it was named is none. What came while the charge point was off is reported when it is on.
2. Readings are looked at when the station tells them, and each `LOOK_INTERVAL`, for a station that is only asked.
3. Two reports of a session by its meter or by a time are `SHORTEST_DISTANCE` apart: a Central System that answers each
   with what is due already makes no storm.
4. What was reported is stored with the report, so that a restart does not repeat it.
"""

from functools import partial

from ocpp16.models import Measurement
from ocpp16.profiles.base import MeterReports
from ocpp16.profiles.context import Context
from ocpp16.profiles.pricing_sessions import PricedSession, PricedSessions
from ocpp16.state.price_triggers import WantedReports
from ocpp16.state.timers import Timer
from ocpp16.values import finite

JUST_PASSED = 300_000_000
"""µs."""
LOOK_INTERVAL = 5.0
"""Seconds between two looks at a meter."""
FIRST_LOOK = 1.0
"""Seconds from a cost to the first of them: what follows from a CALL comes after its answer."""
SHORTEST_DISTANCE = 1.0
"""Seconds."""
_ENERGY = ("Energy.Active.Import.Register",)
_ENERGY_AND_POWER = ("Energy.Active.Import.Register", "Power.Active.Import")


class PriceReports:
    """Of one start."""

    __slots__ = ("_ctx", "_due", "_earliest", "_looking", "_meter", "_sessions")

    def __init__(self, ctx: Context, sessions: PricedSessions, meter: MeterReports) -> None:
        self._ctx = ctx
        self._sessions = sessions
        self._meter = meter
        self._due: dict[int, Timer] = {}
        """By connector, as the next two: waits for the time."""
        self._looking: dict[int, Timer] = {}
        self._earliest: dict[int, float] = {}
        """Monotonic seconds before which there is no other report by meter or time."""

    def still_wanted(self, wanted: WantedReports) -> WantedReports:
        """Without a time that is long past."""
        now = self._ctx.clock.now()
        if wanted.at_time is None or wanted.at_time >= now - JUST_PASSED:
            return wanted
        self._ctx.log.info("a meter report for %s is not made: it is over", self._ctx.time_text(wanted.at_time))
        return WantedReports(wanted.energy, wanted.power, wanted.statuses)

    def begin(self, session: PricedSession) -> None:
        """Other reports of a session that runs are wanted from now on."""
        number = session.connector_id
        self.end(number)
        session.triggers.status = self._ctx.connectors[number].look(self._ctx.clock.now()).status
        now = self._ctx.clock.monotonic()
        if session.triggers.needs_readings:
            look = partial(self._look, session)
            self._looking[number] = self._ctx.timers.every(LOOK_INTERVAL, look, now + FIRST_LOOK)
        self._await_time(session)

    def _await_time(self, session: PricedSession) -> None:
        at_time, number = session.triggers.wanted.at_time, session.connector_id
        if at_time is not None:
            due = max(self._ctx.clock.monotonic_at(at_time), self._earliest.get(number, 0.0))
            self._due[number] = self._ctx.timers.at(due, partial(self._time, session))

    def end(self, connector_id: int) -> None:
        for timers in (self._due, self._looking):
            timer = timers.pop(connector_id, None)
            if timer is not None:
                timer.cancel()

    def stop(self) -> None:
        for number in (*self._due, *self._looking):
            self.end(number)

    def begin_anew(self) -> None:
        """The clock was set, or a start goes on with what it found."""
        for session in self._sessions:
            if session.triggers and self._sessions.transaction(session) is not None:
                self.begin(session)

    def _is_running(self, session: PricedSession) -> bool:
        if self._sessions.transaction(session) is not None:
            return True
        self.end(session.connector_id)
        return False

    def _time(self, session: PricedSession) -> None:
        if not self._is_running(session):
            return
        is_too_soon = self._ctx.clock.monotonic() < self._earliest.get(session.connector_id, 0.0)
        if not is_too_soon and session.triggers.time_has_come(self._ctx.clock.now()):
            self._report(session, _ENERGY)
        else:
            self._await_time(session)  # a timer may be a little early, too

    def _look(self, session: PricedSession) -> None:
        if self._is_running(session):
            measurement = self._meter.present(session.connector_id)
            if measurement is not None:
                self._read(session, measurement)

    def measured(self, connector_id: int, measurement: Measurement) -> None:
        """The station told a reading."""
        if connector_id in self._looking:
            transaction = self._ctx.transactions.running(connector_id)
            if transaction is not None:
                self._read(self._sessions.of(transaction), measurement)

    def _read(self, session: PricedSession, measurement: Measurement) -> None:
        if self._ctx.clock.monotonic() < self._earliest.get(session.connector_id, 0.0):
            return
        energy, power = measurement.energy_import.total, measurement.power
        found = session.triggers.measured(
            None if energy is None else finite(energy, "energy"),
            None if power is None or power.total is None else finite(power.total, "power"),
        )
        if found is not None:
            self._report(session, _ENERGY if found == "energy" else _ENERGY_AND_POWER)

    def status_changed(self, connector_id: int) -> None:
        """The status of a connector is another one."""
        transaction = self._ctx.transactions.running(connector_id)
        if transaction is None:
            return
        session = self._sessions.of(transaction)
        status = self._ctx.connectors[connector_id].look(self._ctx.clock.now()).status
        if session.triggers.came_into(status):
            self._meter.report(connector_id, _ENERGY)

    def _report(self, session: PricedSession, measurands: tuple[str, ...]) -> None:
        number = session.connector_id
        self._earliest[number] = self._ctx.clock.monotonic() + SHORTEST_DISTANCE
        if not self._meter.report(number, measurands):
            self._ctx.log.warning("connector %d: no reading for the report that a cost asked for", number)
        self._ctx.journal.append(session.row())
        if number in self._looking and not session.triggers.needs_readings:
            self._looking.pop(number).cancel()

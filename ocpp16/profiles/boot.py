"""BootNotification, Heartbeat and the time (OCPP 1.6 ed. 2 §4.2, §4.6).

The session repeats an unanswered BootNotification by itself; here is what its answers mean. Every answer counts, also
one to a triggered BootNotification: an accepted charge point can be set back to Pending or Rejected.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ocpp16._core import parse_datetime
from ocpp16.configuration.configuration import Key
from ocpp16.configuration.keys import core, internal
from ocpp16.enums import MessageTrigger, RegistrationStatus
from ocpp16.errors import CallFailed
from ocpp16.observer import BootNotificationResponse
from ocpp16.profiles.base import Context, FeatureProfile, Payload, hears, triggered
from ocpp16.profiles.configuration_changes import ConfigurationChanges
from ocpp16.rpc.pending import Lane
from ocpp16.state.clock import plausible, to_datetime
from ocpp16.state.registration import Registration
from ocpp16.state.signals import ClockSet, ClockSettled, ConfigurationChanged, RegistrationChanged
from ocpp16.state.timers import Timer
from ocpp16.store.tables import clock_corrections

_IDENTITY: tuple[tuple[str, Key[Any]], ...] = (
    ("chargePointVendor", internal.CHARGE_POINT_VENDOR),
    ("chargePointModel", internal.CHARGE_POINT_MODEL),
    ("chargePointSerialNumber", internal.CHARGE_POINT_SERIAL_NUMBER),
    ("chargeBoxSerialNumber", internal.CHARGE_BOX_SERIAL_NUMBER),
    ("firmwareVersion", internal.FIRMWARE_VERSION),
    ("iccid", internal.ICCID),
    ("imsi", internal.IMSI),
    ("meterType", internal.METER_TYPE),
    ("meterSerialNumber", internal.METER_SERIAL_NUMBER),
)
_IDENTITY_NAMES = frozenset(key.name for _, key in _IDENTITY)


class Boot(FeatureProfile):
    """Announces the charge point, keeps it registered, keeps its clock right."""

    __slots__ = ("_changes", "_heartbeat", "_is_waiting", "_retry", "registration")

    def __init__(self, ctx: Context, *, changes: ConfigurationChanges) -> None:
        super().__init__(ctx)
        self._changes = changes
        self.registration: Registration = Registration()
        self._retry: Timer | None = None
        self._heartbeat: Timer | None = None
        self._is_waiting = False

    def start(self) -> None:
        self.send_boot_notification()

    def stop(self) -> None:
        for timer in (self._retry, self._heartbeat):
            if timer is not None:
                timer.cancel()
        self._retry = self._heartbeat = None

    def send_boot_notification(self, *, is_triggered: bool = False) -> None:
        """Queue a BootNotification, in place of one that waits, maybe for its next attempt; an open one will do."""
        if self._is_waiting and self.ctx.session.outbox.boot is None:
            return
        self.ctx.sender.send(
            "BootNotification",
            self._identity(),
            lane=Lane.BOOT,
            is_triggered=is_triggered,
            on_confirmation=self._boot_answered,
            on_failure=self._boot_failed,
        )
        self._is_waiting = True  # last: the one that it takes the place of is told that it failed

    def send_triggered_boot(self) -> None:
        """One that is asked for while we are known: where it is not taken in, nothing else waits for it any more."""
        self.send_boot_notification(is_triggered=True)

    def _identity(self) -> Payload:
        configuration = self.ctx.configuration
        return {member: value for member, key in _IDENTITY if (value := configuration[key])}

    @triggered(MessageTrigger.BOOT_NOTIFICATION)
    def _triggered_boot(self, connector_ids: Sequence[int]) -> Callable[[], None]:
        return self.send_triggered_boot

    @triggered(MessageTrigger.HEARTBEAT)
    def _triggered_heartbeat(self, connector_ids: Sequence[int]) -> Callable[[], None]:
        return partial(self.send_heartbeat, is_triggered=True)

    def send_heartbeat(self, *, is_triggered: bool) -> None:
        self.ctx.sender.send(
            "Heartbeat", {}, is_triggered=is_triggered, on_confirmation=self._heartbeat_answered, topic="Heartbeat"
        )

    def _boot_failed(self, error: CallFailed) -> None:
        """The session gave it up, which it does only when the charge point stops, or for a newer one."""
        self._is_waiting = False

    def _boot_answered(self, payload: Payload) -> None:
        self._is_waiting = False
        ctx = self.ctx
        status = RegistrationStatus(payload["status"])
        # What could not be read of the answer is not there (rpc.salvage).
        interval = payload.get("interval", 0)
        micros = parse_datetime(payload["currentTime"]) if "currentTime" in payload else None
        if micros is not None:
            self._set_clock(micros)
        if status is RegistrationStatus.ACCEPTED:
            self._settle_times()
        plan = self.registration.answered(status, interval)
        now = ctx.clock.monotonic()
        ctx.session.set_registration(status, now)
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if plan.heartbeat is not None:
            self._changes.adopt(core.HEARTBEAT_INTERVAL, plan.heartbeat)
        if plan.boot_retry is None:
            self._restart_heartbeat()
        else:
            self._stop_heartbeat()
            self._retry = ctx.timers.at(now + plan.boot_retry, self._send_again)
        current_time = ctx.clock.now_datetime() if micros is None else to_datetime(micros)
        ctx.tell(BootNotificationResponse(status, interval, current_time), 0)
        ctx.signals.emit(RegistrationChanged(status))
        ctx.kick()

    def _send_again(self) -> None:
        self._retry = None
        self.send_boot_notification()

    def _heartbeat_answered(self, payload: Payload) -> None:
        if "currentTime" in payload:
            self._set_clock(parse_datetime(payload["currentTime"]))

    def _set_clock(self, micros: int) -> None:
        """Follow the Central System's time, unless it cannot be the present: then it is no time."""
        ctx = self.ctx
        if not plausible(micros):
            ctx.counters.times_ignored += 1
            ctx.log.warning("currentTime %s cannot be the present: not followed", ctx.time_text(micros))
            return
        was_set, was_settled = ctx.clock.is_set, ctx.clock.is_settled
        shift = ctx.clock.set(self._present(micros))
        if not was_settled:
            self._settled()
        if shift:
            ctx.signals.emit(ClockSet(shift, is_first=not was_set))
        question = ctx.station.set_system_time
        ctx.station_side.command(
            question, ctx.clock.now_datetime(), connectors=("set_system_time",), topic="set_system_time"
        )

    def _settle_times(self) -> None:
        """Accepted, messages go out with the times that are known, even if the answer had none.

        A repeat after a power cut has to say the same, so what the Central System tells later does not change them.
        """
        if not self.ctx.clock.is_settled:
            self.ctx.clock.settle()
            self._settled()

    def _settled(self) -> None:
        ctx = self.ctx
        number = ctx.journal.append(
            *(
                clock_corrections.put(clock_corrections.ClockCorrectionRow(boot, shift))
                for boot, shift in ctx.clock.corrections.items()
            )
        )
        ctx.sender.corrected(number)
        ctx.signals.emit(ClockSettled())

    def _present(self, micros: int) -> int:
        """What time it is, if the Central System answers that it is `micros`: as near to our clock as that may mean.

        The answer was written at some time since we asked. If it comes late, or in place of another one, its time is
        as old as that at most, and may still be the present by our clock.
        """
        clock = self.ctx.clock
        age = clock.passed(clock.monotonic() - self.ctx.session.asked_at)
        return min(max(micros, clock.now()), micros + age)

    @hears(ConfigurationChanged)
    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == core.HEARTBEAT_INTERVAL.name and self.ctx.sender.is_accepted:
            self._restart_heartbeat()
        boot = self.ctx.session.outbox.boot
        if boot is not None and signal.key in _IDENTITY_NAMES:
            boot.payload = self._identity()
            boot.bind(None)

    def _restart_heartbeat(self) -> None:
        self._stop_heartbeat()
        interval = self.ctx.configuration[core.HEARTBEAT_INTERVAL]
        if interval > 0:
            first = self.ctx.clock.monotonic() + interval
            self._heartbeat = self.ctx.timers.every(interval, self._beat, first)

    def _stop_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            self._heartbeat = None

    def _beat(self) -> None:
        if self.ctx.sender.is_online:
            self.send_heartbeat(is_triggered=False)

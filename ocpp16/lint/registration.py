"""Before and after the Central System accepts a charge point, and its heartbeats (OCPP 1.6 §4.2, §4.6)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from ocpp16.lint.docket import SECOND, Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import FROM_CHARGE_POINT, Frame
from ocpp16.lint.members import text, time, whole
from ocpp16.lint.subject import OnAnswer, OnCall, Subject
from ocpp16.texts import shown

ACCEPTED, PENDING, REJECTED = "Accepted", "Pending", "Rejected"
_BOOT: Final = "BootNotification"
_OF_EACH: Final = frozenset({"StatusNotification", "MeterValues"})
"""Messages that a trigger without a connector asks for each of them."""
_EARLY_BEATS: Final = 5
"""Heartbeats in a row that come in half of the interval or less: one or two may have been asked for."""
OFF: Final = 120 * SECOND
"""By which the Central System's time may differ from that of whoever wrote the trace."""
SET_WITHIN: Final = 30 * SECOND
"""After which whoever wrote it has not set its clock by that time."""
_SLOW: Final = 2 * SECOND
"""An answer that comes later was written at some time since it was asked for: its time may be as old."""


class Registration(Subject):
    __slots__ = (
        "_answered_at",
        "_beat_at",
        "_before",
        "_early",
        "_heard_at",
        "_highest",
        "_interval",
        "_is_off",
        "_is_owed",
        "_is_told",
        "_of_each",
        "_off",
        "_shown_at",
        "_triggered",
        "status",
    )

    def __init__(self) -> None:
        self.status: str | None = None
        """What the last BootNotification was answered; "" while it is not, None as long as there was none."""
        self._before: str | None = None
        """What the one before was answered, while it is not."""
        self._interval = 0
        self._answered_at: int | None = None
        self._triggered: set[str] = set()
        self._of_each: set[str] = set()
        """Those that were triggered for all connectors, however many these are."""
        self._is_owed = False
        """Was BootNotification triggered, and not answered? Then it comes again, on whatever connection, and is no
        start."""
        self._beat_at: int | None = None
        self._early = 0
        self._heard_at: int | None = None
        self._shown_at: int | None = None
        self._highest: int | None = None
        """µs by which the Central System's time was ahead of the frames' at most."""
        self._is_off = self._is_told = False
        self._off: tuple[int, int, Frame] | None = None
        """When the Central System's time was far off first, by how much, and where."""

    def called(self, docket: Docket, asked: Asked) -> None:
        """Any CALL of either side, before its handlers."""
        is_waiting = self.status is not None and self.status != ACCEPTED
        if asked.frame.direction != FROM_CHARGE_POINT:
            asked.is_in_vain = (self.status or self._before) == REJECTED
            if self.status == REJECTED:
                docket.tell(
                    "asked-rejected", f"{shown(asked.action, 40)} to a charge point that was Rejected", asked.frame
                )
            return
        if asked.action in self._triggered:
            if asked.action not in self._of_each:
                self._triggered.discard(asked.action)
            asked.is_triggered = True
            self._is_owed = asked.action == _BOOT or self._is_owed
        elif self._is_owed and asked.action == _BOOT:
            asked.is_triggered = True
        elif is_waiting and asked.action != _BOOT:
            how = f"that was answered {self.status}" if self.status else "that is not answered yet"
            docket.tell("before-boot", f"{shown(asked.action, 40)} after a BootNotification {how}", asked.frame)

    def heard(self, docket: Docket, at: int, frame: Frame) -> None:
        """Any frame of the charge point."""
        self._check_silence(docket, at, frame)
        self._heard_at = at

    def booting(self, docket: Docket, asked: Asked) -> None:
        is_again = self.status in (PENDING, REJECTED)
        at, answered_at = asked.at, self._answered_at
        if is_again and not asked.is_triggered and at is not None and answered_at is not None and self._interval > 0:
            waited = (at - answered_at) / SECOND
            if waited < self._interval * 0.9 - 1:
                told = f"BootNotification again after {waited:.0f} s, but the interval is {self._interval} s"
                docket.tell("boot-interval", told, asked.frame)
        self._answered_at = None
        if not asked.is_triggered or self.status != ACCEPTED:
            self._before = self.status or self._before
            self.status = ""
            docket.is_accepted = False

    def booted(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        status = text(frame.payload, "status")
        self.status = status if status in (ACCEPTED, PENDING, REJECTED) else None
        docket.is_accepted = status == ACCEPTED
        self._is_owed = False
        self._answered_at = docket.now
        self._beat_at, self._early = None, 0
        self._interval = whole(frame.payload, "interval") or 0
        if docket.is_accepted:  # it is that of Heartbeats from now on, whatever the key was (OCPP 1.6 §4.2)
            docket.keys.pop("HeartbeatInterval", None)
        if self._interval < 0:
            docket.tell("interval", f"the interval is {self._interval} s", frame)
        self._check_time(docket, asked, frame)

    def not_booted(self, docket: Docket, asked: Asked, frame: Frame | None = None) -> None:
        """A CALLERROR, or nothing: the charge point is what it was."""
        if self.status == "" and self._before in (PENDING, REJECTED):
            self.status = self._before

    def beating(self, docket: Docket, asked: Asked) -> None:
        at, before, interval = asked.at, self._beat_at, self.interval(docket)
        self._beat_at = at
        if asked.is_triggered or at is None or before is None or interval <= 0:
            return
        if (at - before) * 2 >= interval * SECOND:
            self._early = 0
            return
        self._early += 1
        if self._early == _EARLY_BEATS:
            told = f"{_EARLY_BEATS} Heartbeats in a row within half of the interval of {interval} s"
            docket.tell("heartbeat-often", told, asked.frame)

    def beat(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        self._check_time(docket, asked, frame)

    def interval(self, docket: Docket) -> int:
        """Seconds between Heartbeats, 0 if nobody knows."""
        return docket.keys.get("HeartbeatInterval", self._interval)

    def triggered(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        requested = text(asked.payload, "requestedMessage")
        if requested is not None and text(frame.payload, "status") == ACCEPTED and len(self._triggered) < 20:
            self._triggered.add("SignCertificate" if requested == "SignChargePointCertificate" else requested)
            if requested in _OF_EACH and "connectorId" not in asked.payload:
                self._of_each.add(requested)

    def reconnected(self, docket: Docket) -> None:
        self._answered_at = self._beat_at = self._heard_at = None
        self._early = 0
        self._is_owed = self._is_owed or _BOOT in self._triggered
        self._triggered.clear()
        self._of_each.clear()
        self._off = None

    def passed(self, docket: Docket, now: int) -> None:
        self._check_whose_clock(docket, now)
        if docket.is_connected:
            self._check_silence(docket, now, None)

    def _check_silence(self, docket: Docket, at: int, frame: Frame | None) -> None:
        interval = self.interval(docket)
        heard_at = self._heard_at
        if not docket.is_connected or not docket.is_accepted or heard_at is None or interval <= 0:
            return
        if at - heard_at > (interval * 2 + 60) * SECOND:
            told = f"nothing for {(at - heard_at) // SECOND} s, but the interval of Heartbeats is {interval} s"
            docket.tell("silence", told, frame)
            self._heard_at = None

    def _check_time(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        shown_at, now = time(frame.payload, "currentTime"), docket.now
        if shown_at is None or now is None or not frame.timestamp:
            return
        at = now
        is_slow = asked.at is not None and now - asked.at > _SLOW
        if is_slow and asked.at is not None:
            at = min(now, max(shown_at, asked.at))
        self._highest = shown_at - at if self._highest is None else max(self._highest, shown_at - at)
        docket.fell = max(docket.fell, self._highest - (shown_at - at))
        docket.offset = shown_at - at if docket.has_zone else None
        is_off, was_off = docket.offset is not None and abs(docket.offset) > OFF, self._is_off
        docket.is_off = self._is_off = is_off
        if docket.offset is not None and is_off and not self._is_told:
            if was_off:
                self._tell_off(docket, docket.offset, frame)
            else:
                self._off = now, docket.offset, frame
        elif self._shown_at is not None and shown_at < self._shown_at - SECOND and not is_off and not is_slow:
            docket.tell("central-time", f"currentTime falls by {(self._shown_at - shown_at) // SECOND} s", frame)
        self._shown_at = shown_at

    def _check_whose_clock(self, docket: Docket, now: int) -> None:
        """Whoever writes the trace may set its clock by the first time that it is told: it has a moment to do so."""
        if self._off is None:
            return
        at, offset, frame = self._off
        passed = now - at
        if abs(passed - offset) < abs(passed):
            self._off = None
        elif passed > SET_WITHIN:
            self._tell_off(docket, offset, frame)

    def _tell_off(self, docket: Docket, offset: int, frame: Frame) -> None:
        self._off = None
        self._is_told = True
        docket.tell("central-time", f"currentTime is {offset // SECOND:+} s off the times of the frames", frame)

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {_BOOT: booting, "Heartbeat": beating}
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {
        _BOOT: booted,
        "Heartbeat": beat,
        "TriggerMessage": triggered,
        "ExtendedTriggerMessage": triggered,
    }
    ON_REFUSAL: ClassVar[Mapping[str, OnAnswer]] = {_BOOT: not_booted}
    ON_LOSS: ClassVar[Mapping[str, OnCall]] = {_BOOT: not_booted}

"""SecurityEventNotification: what matters for security, told to the Central System (security white paper ed. 3, A04).

Rules of this file:
1. An event is in the security log and at the observer in any case; it is sent if it is critical, by its name or by who
   raised it, unless DisableSecurityEventNotifications is set: then those that wait are dropped, too.
2. What is to be sent is on disk, and kept until it is answered: events of an outage are told after it.
3. A flood has a bound: of one type `MOST_WAITING` wait at most, those of earlier starts too, and of one that is raised
   again and again one is told each `FLOOD_INTERVAL` seconds once `BURST` were told; how many were not is said in the
   next one that is.
4. A Central System that does not know the message is spared it until the next start; one that fails at it is not.
"""

from typing import Final

from ocpp16.configuration.keys.core import TRANSACTION_MESSAGE_ATTEMPTS
from ocpp16.configuration.keys.security import DISABLE_SECURITY_EVENT_NOTIFICATIONS
from ocpp16.enums import BootReason
from ocpp16.observer import SecurityEvent
from ocpp16.profiles.base import Context, FeatureProfile, Payload, hears
from ocpp16.rpc.pending import Entry
from ocpp16.state.clock import dated
from ocpp16.state.signals import ClockSet, ConfigurationChanged, SecurityEventRaised
from ocpp16.texts import shown

CRITICAL: Final = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
    }
)
"""Security white paper ed. 3, appendix "List of security events"."""
ANOTHER_TIME = 60_000_000
"""µs by which the clock must have moved."""
BURST = 10
"""Events of a type that are told one right after the other."""
FLOOD_INTERVAL = 60.0
"""Seconds after which one more of the same type may be told."""
MOST_WAITING = 100
"""Events of a type that wait for their answer."""
MOST_TYPES = 100
"""Types that are counted apart."""
LONGEST_TYPE = 50
LONGEST_INFO = 255

_OF_A_START = {
    BootReason.FIRMWARE_UPDATE: ("FirmwareUpdated", "started with another firmware"),
    BootReason.REMOTE_RESET: ("ResetOrReboot", "started after a reset by the Central System"),
    BootReason.SCHEDULED_RESET: ("ResetOrReboot", "started after a scheduled reset"),
}
_STARTUP = ("StartupOfTheDevice", "the charge point has started")


class _Flood:
    """Of one type: how many may be told now, and how many were not."""

    __slots__ = ("allowed", "at", "left_out", "waiting")

    def __init__(self, now: float) -> None:
        self.allowed = float(BURST)
        self.at = now
        self.left_out = 0
        self.waiting = 0

    def takes(self, now: float) -> bool:
        self.allowed = min(float(BURST), self.allowed + (now - self.at) / FLOOD_INTERVAL)
        self.at = now
        if self.allowed < 1.0 or self.waiting >= MOST_WAITING:
            self.left_out += 1
            return False
        self.allowed -= 1.0
        return True


class SecurityEvents(FeatureProfile):
    __slots__ = ("_floods", "_is_unknown")

    name = ""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._floods: dict[str, _Flood] | None = None
        """By type; made with the first event that is to be sent."""
        self._is_unknown = False

    def attach(self) -> None:
        self.ctx.sender.confirmations["SecurityEventNotification"] = self._answered

    def started(self, reason: BootReason) -> None:
        """The charge point starts, for this reason."""
        self._drop_if_disabled()
        for entry in self.ctx.session.outbox.waiting_for("SecurityEventNotification"):
            self._flood(_type_of(entry)).waiting += 1
        kind, info = _OF_A_START.get(reason, _STARTUP)
        self.ctx.signals.emit(SecurityEventRaised(kind, f"{info} ({reason})"))

    @hears(ConfigurationChanged)
    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == DISABLE_SECURITY_EVENT_NOTIFICATIONS.name:
            self._drop_if_disabled()

    def _drop_if_disabled(self) -> None:
        if self.ctx.configuration[DISABLE_SECURITY_EVENT_NOTIFICATIONS]:
            self.ctx.sender.drop("SecurityEventNotification")
            self._floods = None

    @hears(ClockSet)
    def _clock_set(self, signal: ClockSet) -> None:
        """What the Central System told first is no change: before, no time was known. Nor is what a clock drifts by."""
        if not signal.is_first and abs(signal.shift) >= ANOTHER_TIME:
            self.ctx.signals.emit(SecurityEventRaised("SettingSystemTime", f"by {signal.shift / 1e6:+.0f} s"))

    @hears(SecurityEventRaised)
    def _raised(self, event: SecurityEventRaised) -> None:
        ctx = self.ctx
        ctx.tell(SecurityEvent(event.type, event.tech_info), 0)
        is_critical = event.type in CRITICAL if event.is_critical is None else event.is_critical
        if not is_critical or self._is_unknown or ctx.configuration[DISABLE_SECURITY_EVENT_NOTIFICATIONS]:
            return
        kind = _cut(event.type, LONGEST_TYPE)
        flood = self._flood(kind)
        if not flood.takes(ctx.clock.monotonic()):
            ctx.log.warning("security event %s is raised too often to be told", kind, about=kind)
            return
        info = event.tech_info
        if flood.left_out:
            info = f"{flood.left_out} more were not told. {info}"
            flood.left_out = 0
        flood.waiting += 1
        payload: Payload = {"type": kind, "timestamp": ctx.time_text(self._time(event.at))}
        if info:
            payload["techInfo"] = _cut(info, LONGEST_INFO)
        ctx.sender.send("SecurityEventNotification", payload, is_kept=True)

    def _time(self, told: int | None) -> int:
        """When it was. While nobody has set the clock it is corrected later, and what was told by another clock cannot
        be: ahead of ours it is now."""
        now = self.ctx.clock.now()
        if told is None:
            return now
        return dated(told, now) if self.ctx.clock.clock_boot else told

    def _flood(self, kind: str) -> _Flood:
        if self._floods is None:
            self._floods = {}
        if kind not in self._floods and len(self._floods) >= MOST_TYPES:
            kind = ""  # a host may invent types: they share what is left once there are too many
        return self._floods.setdefault(kind, _Flood(0.0))

    def _answered(self, entry: Entry, payload: Payload | None) -> None:
        self._flood(_type_of(entry)).waiting -= 1
        # Given up before its attempts are over, or never answered: it is not known there.
        is_unknown = payload is None and entry.attempts < self.ctx.configuration[TRANSACTION_MESSAGE_ATTEMPTS]
        if is_unknown and not self._is_unknown:
            self._is_unknown = True
            self.ctx.sender.drop("SecurityEventNotification")
            self.ctx.log.info(
                "the Central System takes no SecurityEventNotification: it is sent no more until the next start"
            )


def _type_of(entry: Entry) -> str:
    kind = entry.payload.get("type")
    return kind if isinstance(kind, str) else ""  # a stored row may say anything


def _cut(text: str, limit: int) -> str:
    """Not a character more, as the wire demands."""
    return shown(text, limit)[:limit]

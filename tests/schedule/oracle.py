"""The rules of composite schedules, read out instant by instant; slow, and meant to be obvious.

It works on payloads as they are on the wire and shares nothing with the library. `grid` makes long windows bearable:
with every time a multiple of it, looking at each multiple is looking at each second.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

RECURRENCE = {"Daily": 86400, "Weekly": 604800}
MAXIMUM, DEFAULT, TX = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"
Payload = dict[str, Any]


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() // 1)


@dataclass
class Situation:
    profiles: list[tuple[int, Payload]]
    """(connectorId, csChargingProfiles) in the order received."""
    connector: int
    start: int
    duration: int
    unit: str
    connectors: int = 1
    transactions: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    defaults: dict[str, float] = field(default_factory=lambda: {"A": 48.0, "W": 33120.0})
    phases: int = 3
    voltage: float = 230.0
    grid: int = 1


def installed(profiles: list[tuple[int, Payload]]) -> list[tuple[int, Payload]]:
    """Each profile removes those it replaces."""
    kept: list[tuple[int, Payload]] = []
    for connector, profile in profiles:
        level, purpose = profile["stackLevel"], profile["chargingProfilePurpose"]
        for other_connector, other in list(kept):
            is_same_id = other["chargingProfileId"] == profile["chargingProfileId"]
            is_same_rank = other["stackLevel"] == level and other["chargingProfilePurpose"] == purpose
            is_evicted = purpose == DEFAULT and connector == 0
            if is_same_id or (is_same_rank and (other_connector == connector or is_evicted)):
                kept.remove((other_connector, other))
        kept.append((connector, profile))
    return kept


def period_at(profile: Payload, t: int, anchor: int) -> Payload | None:
    """The period of a profile in force at t, or None."""
    if "validFrom" in profile and t < seconds(profile["validFrom"]):
        return None
    if "validTo" in profile and t >= seconds(profile["validTo"]):
        return None
    schedule, kind = profile["chargingSchedule"], profile["chargingProfileKind"]
    end = schedule.get("duration", float("inf"))
    offset = t - (anchor if kind == "Relative" else seconds(schedule["startSchedule"]))
    if offset < 0:
        return None
    if kind == "Recurring":
        recurrence = RECURRENCE[profile["recurrencyKind"]]
        offset, end = offset % recurrence, min(end, recurrence)
    if offset >= end:
        return None
    begun: list[Payload] = [p for p in schedule["chargingSchedulePeriod"] if p["startPeriod"] <= offset]
    return begun[-1]


def is_over(profile: Payload, t: int) -> bool:
    """For good."""
    schedule = profile["chargingSchedule"]
    if "validTo" in profile and seconds(profile["validTo"]) <= t:
        return True
    is_dated = profile["chargingProfileKind"] == "Absolute" and "duration" in schedule
    return bool(is_dated and seconds(schedule["startSchedule"]) + schedule["duration"] <= t)


@dataclass
class Active:
    profile: Payload
    unit: str
    limit: float
    phases: int | None


def highest(profiles: list[Payload], t: int, anchor: int) -> Active | None:
    """The highest level that is active decides."""
    for profile in sorted(profiles, key=lambda profile: -profile["stackLevel"]):
        period = period_at(profile, t, anchor)
        if period is not None:
            unit = profile["chargingSchedule"]["chargingRateUnit"]
            return Active(profile, unit, period["limit"], period.get("numberPhases"))
    return None


class Oracle:
    def __init__(self, situation: Situation) -> None:
        self.of = situation
        self.installed = [
            (connector, profile)
            for connector, profile in installed(situation.profiles)
            if profile["chargingProfilePurpose"] not in situation.ignored
        ]

    def maximum(self, t: int) -> Active | None:
        return highest([p for _, p in self.installed if p["chargingProfilePurpose"] == MAXIMUM], t, 0)

    def transaction_limit(self, connector: int, t: int, *, is_enforced: bool = False) -> Active | None:
        """What counts for the transaction: its own profiles, else the defaults."""
        transaction = self.of.transactions.get(connector)
        anchor = self.of.start if transaction is None else transaction[0]
        if transaction is not None:
            mine = [
                p
                for c, p in self.installed
                if c == connector
                and p["chargingProfilePurpose"] == TX
                and ("transactionId" not in p or p["transactionId"] == transaction[1])
            ]
            found = highest(mine, t, anchor)
            if found is not None:
                return found
        elif is_enforced:
            return None
        defaults: dict[int, Payload] = {}
        for wanted in (0, connector):
            for c, p in self.installed:
                if p["chargingProfilePurpose"] == DEFAULT and c == wanted and (c == 0 or not is_over(p, t)):
                    defaults[p["stackLevel"]] = p
        return highest(list(defaults.values()), t, anchor)

    def converted(self, active: Active, phases: int | None) -> float:
        """By supply voltage and phases."""
        if active.unit == self.of.unit:
            return active.limit
        factor = self.of.voltage * (phases or self.of.phases)
        return active.limit * factor if self.of.unit == "W" else active.limit / factor

    def value(self, t: int, *, is_enforced: bool = False) -> tuple[float, int | None, int | None, bool]:
        """(limit, phases, id of the deciding profile, is it converted) at t."""
        top = self.maximum(t)
        if self.of.connector == 0:
            return self.station_value(t, top)
        own = self.transaction_limit(self.of.connector, t, is_enforced=is_enforced)
        both = [active for active in (own, top) if active is not None]
        if not both:
            return self.of.defaults[self.of.unit], None, None, False
        phases = min((active.phases for active in both if active.phases), default=None)
        limits = [self.converted(active, phases) for active in both]
        source = both[0]
        if len(both) == 2:
            if is_close(*limits):
                if both[0].unit != self.of.unit == both[1].unit:
                    source = both[1]
            elif limits[1] < limits[0]:
                source = both[1]
        return min(limits), phases, source.profile["chargingProfileId"], source.unit != self.of.unit

    def station_value(self, t: int, top: Active | None) -> tuple[float, int | None, int | None, bool]:
        """Of connector 0: the connectors added up, held by the maximum."""
        total, all_phases = 0.0, []
        for connector in range(1, self.of.connectors + 1):
            own = self.transaction_limit(connector, t)
            stated = [active.phases for active in (own, top) if active is not None and active.phases]
            phases = min(stated, default=None)
            all_phases.append(phases)
            total += self.of.defaults[self.of.unit] if own is None else self.converted(own, phases)
        number = None
        if any(all_phases):
            number = max(phases or self.of.phases for phases in all_phases)
        if top is not None:
            limit = self.converted(top, number)
            if limit < total and not is_close(limit, total):
                return limit, number, top.profile["chargingProfileId"], top.unit != self.of.unit
            total = min(total, limit)
        return total, number, None, False

    def steps(self) -> list[tuple[int, float, int | None, int | None, bool]]:
        """Where anything changes: (start, limit, phases, profile, is it converted)."""
        found: list[tuple[int, float, int | None, int | None, bool]] = []
        for t in range(self.of.start, self.of.start + max(self.of.duration, 1), self.of.grid):
            value = self.value(t)
            if not found or not is_close(found[-1][1], value[0]) or found[-1][2:] != value[1:]:
                found.append((t - self.of.start, *value))
        return found

    def periods(self) -> list[tuple[int, float, int | None]]:
        """Equal neighbours are one; the window ends the last."""
        found: list[tuple[int, float, int | None]] = []
        for start, limit, phases, _, _ in self.steps():
            if not found or not is_close(found[-1][1], limit) or found[-1][2] != phases:
                found.append((start, limit, phases))
        return found


def is_close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other))

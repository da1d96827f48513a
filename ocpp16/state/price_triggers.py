"""When a session's meter is to be told besides its samples, so that its cost can be calculated (California pricing
note, triggerMeterValue).

Rules of this file:
1. Nothing here reads a clock or a meter; it is told, and says what is to be reported.
2. Energy fires once, at the register it names. Power fires when it is first known, and then each time it has crossed
   the threshold by `HYSTERESIS` since what was reported last: that stays known when thresholds change. A status fires
   when the connector comes into it. A time fires once.
3. Numbers are compared as they were written: 7.35 kW is 7350 W, and no float next to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ocpp16.enums import ChargePointStatus

HYSTERESIS = 5
"""Percent of the threshold."""


@dataclass(frozen=True, slots=True)
class WantedReports:
    """`energy`: register in kWh; `power`: kW; `statuses`: of the connector; `at_time`: µs UTC. Each may be missing."""

    energy: Decimal | None = None
    power: Decimal | None = None
    statuses: frozenset[ChargePointStatus] = frozenset()
    at_time: int | None = None

    def __bool__(self) -> bool:
        return bool(self.statuses) or any(one is not None for one in (self.energy, self.power, self.at_time))


class PriceTriggers:
    """Of one session."""

    __slots__ = ("reported_power", "status", "time_reported", "wanted")

    def __init__(self, status: ChargePointStatus | None = None) -> None:
        self.wanted: WantedReports = WantedReports()
        self.reported_power: Decimal | None = None
        """W; None: none was reported."""
        self.time_reported: int | None = None
        """The last `at_time` that came; named once more, it is a repeat."""
        self.status = status
        """That of the connector, as it was seen last."""

    def __bool__(self) -> bool:
        return bool(self.wanted)

    @property
    def needs_readings(self) -> bool:
        """Is the meter to be looked at?"""
        return self.wanted.energy is not None or self.wanted.power is not None

    def replaced(self, wanted: WantedReports) -> WantedReports:
        """What holds with a new cost: what it does not name is removed; a time stays until another one is named."""
        is_new = wanted.at_time is not None and wanted.at_time != self.time_reported
        at_time = wanted.at_time if is_new else self.wanted.at_time
        return WantedReports(wanted.energy, wanted.power, wanted.statuses, at_time)

    def unreported(self, wanted: WantedReports) -> WantedReports:
        """These without a time that was reported already: it may have come while they were stored."""
        if wanted.at_time is None or wanted.at_time != self.time_reported:
            return wanted
        return WantedReports(wanted.energy, wanted.power, wanted.statuses)

    def measured(self, energy: float | None, power: float | None) -> str | None:
        """A reading: register in Wh and power in W, each None if not known. Returns "energy" or "power" where a report
        is due by it, None: none is."""
        wanted = self.wanted
        if wanted.energy is not None and energy is not None and Decimal(energy) >= wanted.energy * 1000:
            self.wanted = WantedReports(None, wanted.power, wanted.statuses, wanted.at_time)
            return "energy"
        if wanted.power is not None and power is not None and self._has_crossed(Decimal(power), wanted.power * 1000):
            self.reported_power = Decimal(power)
            return "power"
        return None

    def _has_crossed(self, power: Decimal, threshold: Decimal) -> bool:
        before, beyond = self.reported_power, (power - threshold) * 100
        if before is None:
            return True
        margin = abs(threshold) * HYSTERESIS  # a threshold may lie among powers that a car gives back
        if before < threshold:
            return power > before and beyond >= margin
        return power < before and -beyond >= margin and power < threshold

    def came_into(self, status: ChargePointStatus) -> bool:
        """The connector has this status. Returns whether that is to be reported."""
        is_new, self.status = status is not self.status, status
        return is_new and status in self.wanted.statuses

    def time_has_come(self, now: int) -> bool:
        """Is it `at_time`, or later? Then there is none any more."""
        wanted = self.wanted
        if wanted.at_time is None or now < wanted.at_time:
            return False
        self.time_reported = wanted.at_time
        self.wanted = WantedReports(wanted.energy, wanted.power, wanted.statuses)
        return True

    # As JSON has them

    def stored(self, wanted: WantedReports) -> dict[str, Any]:
        """Of these reports, with what is remembered for them."""
        return {
            "energy": None if wanted.energy is None else str(wanted.energy),
            "power": None if wanted.power is None else str(wanted.power),
            "statuses": sorted(map(str, wanted.statuses)),
            "atTime": wanted.at_time,
            "timeReported": self.time_reported,
            "reportedPower": None if self.reported_power is None else str(self.reported_power),
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Raises ValueError for what `stored` does not give; then nothing has changed."""
        try:
            energy, power, reported = (_decimal(stored.get(name)) for name in ("energy", "power", "reportedPower"))
            statuses = frozenset(map(ChargePointStatus, stored.get("statuses", ())))
            at_time, time_reported = stored.get("atTime"), stored.get("timeReported")
            if not all(time is None or type(time) is int for time in (at_time, time_reported)):
                raise ValueError("no time")
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"triggers of a price cannot be read: {error}") from None
        self.wanted = WantedReports(energy, power, statuses, at_time)
        self.reported_power, self.time_reported = reported, time_reported


def _decimal(stored: Any) -> Decimal | None:
    if stored is None:
        return None
    number = Decimal(stored)
    if not number.is_finite():
        raise ValueError("no number")
    return number

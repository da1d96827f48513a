"""A composite schedule that fits into its answer (OCPP 1.6 ed. 2 §5.7): cut at a whole period, what it covers said.

A Central System may ask for a year of a profile that changes every minute: half a million periods, 19 MB. What is not
sent need not be calculated either, so a long window is tried in growing parts. ChargingScheduleMaxPeriods is about
schedules that are sent to us, and cuts none of ours.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from ocpp16.schedule import CompositeSchedule

_FIRST_PART = 172_800
"""Seconds of the first part of a long window."""
_MOST_GROWTH = 8
"""Times as long as the part before is the next at most: what was calculated so far may be an idle time."""
_MARGIN = 1.25
"""What comes may have fewer periods than what was calculated so far."""


class FittedSchedule(NamedTuple):
    start_micros: int
    charging_schedule: dict[str, Any]
    """As on the wire; its `duration` is what the periods cover."""


def fitted(composite: Callable[..., CompositeSchedule], duration: int, *, most_bytes: int) -> FittedSchedule:
    """The schedule of as much of `duration` (s) as fits.

    Parameters: `composite(duration=…)` calculates it from a fixed start; `most_bytes` of JSON for the periods.
    """
    window = min(duration, _FIRST_PART)
    while True:
        schedule = composite(duration=window)
        wire = schedule.charging_schedule()
        periods: list[dict[str, Any]] = wire["chargingSchedulePeriod"]
        fits, size = _fitting(periods, most_bytes)
        if fits < len(periods):
            wire["duration"] = periods[fits]["startPeriod"]
            wire["chargingSchedulePeriod"] = periods[:fits]
            break
        if window == duration:
            break
        growth = min(_MOST_GROWTH, max(2.0, _MARGIN * most_bytes / size))
        window = min(duration, math.ceil(window * growth))
    return FittedSchedule(schedule.start_micros, wire)


def _fitting(periods: list[dict[str, Any]], most_bytes: int) -> tuple[int, int]:
    """How many of the first periods fit, at least one, and the bytes of those that were looked at."""
    size = 0
    for number, period in enumerate(periods):
        size += len(orjson.dumps(period)) + 1
        if size > most_bytes and number:
            return number, size
    return len(periods), size

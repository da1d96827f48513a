"""A composite schedule that fits into its answer (OCPP 1.6 ed. 2 §5.7): cut at a whole period, what it covers said.

A Central System may ask for a year of a profile that changes every minute: half a million periods, 19 MB. What is not
sent need not be calculated either, so a long window is tried in growing parts. ChargingScheduleMaxPeriods is about
schedules that are sent to us, and cuts none of ours.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from ocpp16.schedule import CompositeSchedule

_FIRST_PART = 172_800
"""Seconds of the first part of a long window."""
_SHORTEST = 30
"""Bytes of a period as JSON, with the comma: no phases, and few digits."""


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
        fits = _fitting(periods, most_bytes)
        if fits < len(periods):
            wire["duration"] = periods[fits]["startPeriod"]
            wire["chargingSchedulePeriod"] = periods[:fits]
            break
        if window == duration:
            break
        shortest = len(periods) * (duration / window) * _SHORTEST
        window = duration if shortest <= 2 * most_bytes else min(duration, 2 * window)
    return FittedSchedule(schedule.start_micros, wire)


def _fitting(periods: list[dict[str, Any]], most_bytes: int) -> int:
    """How many of the first periods fit, at least one."""
    size = 0
    for number, period in enumerate(periods):
        size += len(orjson.dumps(period)) + 1
        if size > most_bytes and number:
            return number
    return len(periods)

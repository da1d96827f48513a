"""The configuration keys that shape a composite schedule, stated once: for the charge point and for scenarios on paper.

Must not know: a charge point. One more is a line of the table, and what it does in `_core/schedule`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import internal
from ocpp16.schedule import ScheduleSettings

SCHEDULE_KEYS: Mapping[str, Key[int]] = MappingProxyType(
    {
        "default_limit_amps": internal.COMPOSITE_SCHEDULE_DEFAULT_LIMIT_AMPS,
        "default_limit_watts": internal.COMPOSITE_SCHEDULE_DEFAULT_LIMIT_WATTS,
        "default_number_phases": internal.COMPOSITE_SCHEDULE_DEFAULT_NUMBER_PHASES,
        "supply_voltage": internal.SUPPLY_VOLTAGE,
        "max_duration": internal.MAX_COMPOSITE_SCHEDULE_DURATION,
    }
)
"""The keys that shape a composite schedule, by the member of `ScheduleSettings` that each is."""


def schedule_settings(value: Callable[[Key[int]], int]) -> ScheduleSettings:
    """What a composite schedule depends on beside profiles, of the values of `SCHEDULE_KEYS`."""
    return ScheduleSettings(**{member: value(key) for member, key in SCHEDULE_KEYS.items()})

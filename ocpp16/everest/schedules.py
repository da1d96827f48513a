"""Charging schedules: limits for EVerest's energy management, and the published schedules.

One thread publishes them at the start, when charging profiles count otherwise than before, and each so many seconds.
While the charge point is stopped, nothing is. What EVerest does not take is sent again soon: with publications on
change only, a limit would be lost otherwise.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from ocpp16.errors import ChargePointStopped
from ocpp16.everest.border import rfc3339
from ocpp16.everest.side import EverestSide
from ocpp16.everest.topology import Topology
from ocpp16.faults import obey_exit, sentence
from ocpp16.schedule import CompositeSchedule, SchedulePeriod

__all__ = ["Schedules", "charging_schedule", "external_limits"]

RETRY: Final = 30.0
"""Seconds after which limits that were not taken are sent again, if not before."""
SOURCE: Final = "OCPP_set_external_limits"


class Schedules:
    """`sinks`: EVSE (0: the whole station) → index of its connection of evse_energy_sink."""

    def __init__(
        self,
        charge_point: Any,
        side: EverestSide,
        topology: Topology,
        sinks: Mapping[int, int],
        *,
        interval: int,
        duration: int,
        unit: str,
    ) -> None:
        self._charge_point = charge_point
        self._side = side
        self._topology = topology
        self._sinks = sinks
        self._interval = interval
        self._duration = duration
        self._unit = unit
        self._source = f"{side.module_id}/{SOURCE}"
        self._changed = threading.Event()
        self._is_stopped = False
        self._is_over = False
        self._thread = threading.Thread(target=self._work, name="everest schedules", daemon=True)

    def begin(self) -> None:
        """At the start."""
        self._changed.set()
        self._thread.start()

    def change(self) -> None:
        """Publish soon. In any thread, also before the start."""
        self._changed.set()

    def stop(self) -> None:
        self._is_stopped = True

    def go_on(self) -> None:
        self._is_stopped = False
        self._changed.set()

    def end(self) -> None:
        self._is_over = True
        self._changed.set()

    def _work(self) -> None:
        wait: float | None = None
        while True:
            self._changed.wait(wait)
            self._changed.clear()
            if self._is_over:
                return
            is_taken = True
            if not self._is_stopped:
                try:
                    is_taken = self._publish()
                except ChargePointStopped:
                    return
                except BaseException as error:  # the next time may be better
                    obey_exit(error)
                    is_taken = False
                    self._side.log.error("charging schedules: %s", sentence(error), error=error)
            wait = float(self._interval) if self._interval else None
            if not is_taken:
                wait = RETRY if wait is None else min(RETRY, wait)

    def _publish(self) -> bool:
        """Were all limits taken?"""
        door = self._charge_point.smart_charging
        if not door.is_built:
            return True
        schedules = self._by_evse(door.get_all_enhanced_composite_charging_schedules(self._duration, self._unit))
        limits = {
            index: {"value": external_limits(schedules[evse], self._source)} for evse, index in self._sinks.items()
        }
        taken = self._side.ask_each("evse_energy_sink", "set_external_limits", limits)
        published = [charging_schedule(evse, schedule) for evse, schedule in sorted(schedules.items())]
        self._side.publish("ocpp_generic", "charging_schedules", {"schedules": published})
        return None not in taken.values()

    def _by_evse(self, schedules: Mapping[int, CompositeSchedule]) -> dict[int, CompositeSchedule]:
        """Of an EVSE with several connectors that of the one which charges, else of its first."""
        found = {0: schedules[0]}
        for evse in range(1, self._topology.number_of_evses + 1):
            numbers: Sequence[int] = self._topology.numbers(evse)
            charging = (number for number in numbers if self._charge_point.transaction(number) is not None)
            found[evse] = schedules[next(charging, numbers[0])]
        return found


def charging_schedule(evse: int, schedule: CompositeSchedule) -> dict[str, Any]:
    """A ChargingSchedule of types/ocpp."""
    periods = []
    for step in schedule.steps:
        period: dict[str, Any] = {
            "start_period": step.start_period,
            "limit": step.limit,
            "stack_level": step.stack_level,
        }
        if step.number_phases is not None:
            period["number_phases"] = step.number_phases
        periods.append(period)
    found = {
        "evse": evse,
        "charging_rate_unit": schedule.unit,
        "charging_schedule_period": periods,
        "duration": schedule.duration,
        "start_schedule": rfc3339(schedule.start),
    }
    lowest = _lowest(schedule.steps[0])
    return found if lowest is None else {**found, "min_charging_rate": lowest}


def external_limits(schedule: CompositeSchedule, source: str) -> dict[str, Any]:
    """ExternalLimits of types/energy: each entry holds from its time on, the last one for good."""
    entries = []
    for period in schedule.steps:
        if schedule.unit == "W":
            limits: dict[str, Any] = {"total_power_W": {"value": period.limit, "source": source}}
        else:
            limits = {"ac_max_current_A": {"value": period.limit, "source": source}}
            if (lowest := _lowest(period)) is not None:
                limits["ac_min_current_A"] = {"value": lowest, "source": source}
        if period.number_phases is not None:
            limits["ac_max_phase_count"] = {"value": period.number_phases, "source": source}
        at = schedule.start + timedelta(seconds=period.start_period)
        entries.append({"timestamp": rfc3339(at), "limits_to_root": {}, "limits_to_leaves": limits})
    return {"schedule_import": entries, "schedule_export": [], "schedule_setpoints": []}


def _lowest(period: SchedulePeriod) -> float | None:
    """minChargingRate of the charging profile that decides, where that has the unit of the schedule."""
    if period.profile is None or period.is_converted:
        return None
    found: float | None = period.profile.payload["chargingSchedule"].get("minChargingRate")
    return found

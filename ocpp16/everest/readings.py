"""What EVSEs measure: readings of their meters, the state of charge, what the energy management lets them have.

OCPP 1.6 takes all of it by connector: it is told of each connector of the EVSE.
"""

from math import floor
from types import MappingProxyType
from typing import Any, Final

from ocpp16.enums import Location
from ocpp16.everest.border import Part
from ocpp16.everest.topology import Topology
from ocpp16.log import FoldingLog
from ocpp16.measurement import MOST_TEMPERATURES, Measurement, PhaseValues, Reading
from ocpp16.signed_meter_value import SignedMeterValue
from ocpp16.values import finite, register

__all__ = ["Readings"]

QUANTITIES: Final = MappingProxyType(
    {
        "energy_Wh_import": "energy_import",
        "energy_Wh_export": "energy_export",
        "power_W": "power",
        "VAR": "reactive_power",
        "voltage_V": "voltage",
        "current_A": "current",
        "frequency_Hz": "frequency",
    }
)
"""Member of a Powermeter → attribute of a Measurement."""
PHASES: Final = MappingProxyType({"total": "total", "DC": "total", "L1": "l1", "L2": "l2", "L3": "l3", "N": "n"})
_REGISTERS: Final = ("energy_Wh_import", "energy_Wh_export")
_LOCATIONS: Final = frozenset(Location)


class Readings:
    """Remembers the last of each EVSE: a fact that comes without its energy has that of the last reading."""

    def __init__(self, charge_point: Any, topology: Topology, log: FoldingLog) -> None:
        self._charge_point = charge_point
        self._topology = topology
        self._log = log
        self._energy: dict[int, float] = {}
        self._soc: dict[int, float] = {}

    def powermeter(self, evse: int, value: Any) -> None:
        found = self._measurement(evse, Part(value, "powermeter", self._log))
        if found.energy_import.total is not None:
            self._energy[evse] = found.energy_import.total
        for connector in self._topology.numbers(evse):
            self._charge_point.on_meter_values(connector, found)

    def ev_info(self, evse: int, value: Any) -> None:
        """The state of charge is told with the next reading."""
        soc = Part(value, "ev_info", self._log).number("soc")
        if soc is not None:
            self._soc[evse] = soc

    def session_finished(self, evse: int) -> None:
        """Another car has another state of charge."""
        self._soc.pop(evse, None)

    def enforced_limits(self, evse: int, value: Any) -> None:
        """For Power.Offered and Current.Offered, which are whole numbers."""
        limits = Part(value, "enforced_limits", self._log).part("limits_root_side", is_needed=True)
        if limits is None:
            return
        for name, tell in (
            ("total_power_W", self._charge_point.on_max_power_offered),
            ("ac_max_current_A", self._charge_point.on_max_current_offered),
        ):
            part = limits.part(name)
            limit = None if part is None else part.number("value", is_needed=True)
            if limit is not None:
                for connector in self._topology.numbers(evse):
                    tell(connector, float(floor(limit)))

    def public_key(self, evse: int, value: Any) -> None:
        for connector in self._topology.numbers(evse):
            self._charge_point.for_station.set_powermeter_public_key(connector, value)

    def energy(self, evse: int, meter: Part | None) -> float | None:
        """Wh of `meter_value` of an event; of the last reading where it has none, None where there is none either."""
        register_wh = None if meter is None else self._phases(meter, "energy_Wh_import", is_needed=True)
        total = None if register_wh is None else register_wh.total
        return self._energy.get(evse) if total is None else total

    def signed(self, part: Part, name: str = "signed_meter_value") -> SignedMeterValue | None:
        return part.of(SignedMeterValue.from_json, name)

    def _measurement(self, evse: int, meter: Part) -> Measurement:
        quantities: dict[str, Any] = {}
        for name, attribute in QUANTITIES.items():
            found = self._phases(meter, name, is_needed=name == "energy_Wh_import")
            if found is not None:
                quantities[attribute] = found
        soc = self._soc.get(evse)
        return Measurement(
            timestamp=meter.time("timestamp", is_needed=True),
            soc=None if soc is None else Reading(soc, Location.EV),
            temperatures=_temperatures(meter),
            signed_meter_value=self.signed(meter),
            **quantities,
        )

    def _phases(self, meter: Part, name: str, *, is_needed: bool) -> PhaseValues | None:
        part = meter.part(name, is_needed=is_needed)
        if part is None:
            return None
        check = register if name in _REGISTERS else finite
        found = {attribute: value for key, attribute in PHASES.items() if (value := part.of(check, key)) is not None}
        return PhaseValues(**found) if found else None


def _temperatures(meter: Part) -> tuple[Reading, ...]:
    found = []
    for part in meter.parts("temperatures")[:MOST_TEMPERATURES]:
        value = part.number("temperature", is_needed=True)
        location = part.text("location")
        if value is not None:
            found.append(Reading(value, location if location in _LOCATIONS else None))
    return tuple(found)

"""What a meter and a car tell: a measurement, its quantities by phase, and readings with a place.

As all values of the public API (`models`): right once it is made, and unchanged from then on. One is made at every
sample, so the exact types, which are the rule, are seen without a detour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from ocpp16._core.records import Shape, are_finite
from ocpp16.measurement_json import members, time
from ocpp16.signed_meter_value import SignedMeterValue, signed
from ocpp16.values import (
    INT32_HIGH,
    INT32_LOW,
    aware,
    described,
    exactly,
    finite,
    finite_or_none,
    flag,
    register,
    text,
)
from ocpp16.voltages import CONDUCTORS, VoltagesBetween, voltages_between

MOST_TEMPERATURES = 64
"""Readings of one Measurement: with all else it holds, a sample fits into a message, whatever the numbers are."""


def _shape(of: type[Any]) -> Shape:
    return Shape(of, tuple([it.name for it in fields(of)]))


@dataclass(frozen=True, slots=True, init=False)
class PhaseValues:
    """One quantity of the meter: its total (DC: the one value) and what is known of the phases (l1, l2, l3) and the
    neutral, n. Finite numbers in the unit that `Measurement` names, or None."""

    total: float | None = None
    l1: float | None = None
    l2: float | None = None
    l3: float | None = None
    n: float | None = None

    def __init__(
        self,
        total: float | None = None,
        l1: float | None = None,
        l2: float | None = None,
        l3: float | None = None,
        n: float | None = None,
    ) -> None:
        values: tuple[float | None, ...] = (total, l1, l2, l3, n)
        if not are_finite(values):
            total, l1, l2 = finite_or_none(total, "total"), finite_or_none(l1, "l1"), finite_or_none(l2, "l2")
            values = (total, l1, l2, finite_or_none(l3, "l3"), finite_or_none(n, "n"))
        _PHASES_SHAPE.fill(self, values)

    def __post_init__(self) -> None:
        """For a subclass that is a dataclass, and so has an `__init__` of its own."""
        PhaseValues.__init__(self, self.total, self.l1, self.l2, self.l3, self.n)


_PHASES_SHAPE = _shape(PhaseValues)
_AS_THEY_ARE = (None, None, None, None, None)


@dataclass(frozen=True, slots=True, init=False)
class Reading:
    """A value of something that is not the meter, and where it was taken (a Location, or None)."""

    value: float
    location: str | None = None
    """As OCPP has it: Body, Cable, EV, Inlet, Outlet."""

    def __init__(self, value: float, location: str | None = None) -> None:
        if not (type(value) is float and value - value == 0.0):
            value = finite(value, "value")
        if location is not None and not (type(location) is str and location.isascii()):
            location = text(location, "location")
        _READING_SHAPE.fill(self, (value, location))

    def __post_init__(self) -> None:
        """For a subclass that is a dataclass, and so has an `__init__` of its own."""
        Reading.__init__(self, self.value, self.location)


_READING_SHAPE = _shape(Reading)


@dataclass(frozen=True, slots=True, init=False)
class Measurement:
    """What the meter and the car tell at one instant; absent means not measured.

    timestamp: when it was read, by any clock that agrees with the charge point's; None: now, in the moment it is taken
    in. energy_import, energy_export: register in Wh that fits into 32 bits; power: W, negative when the car gives;
    reactive_power: var; voltage: V; current: A; frequency: Hz; soc: percent; temperatures: degrees Celsius, 64 at most;
    rpm: 1/min; power_factor: -1 to 1; reactive_energy_import, reactive_energy_export: register in varh, as those in Wh;
    voltage_between: V, where the meter tells more than `voltage` of each line. signed_meter_value: what the meter says
    of this reading under its signature; a text is taken as one that says all itself.
    """

    timestamp: datetime | None = None
    energy_import: PhaseValues = PhaseValues()
    energy_export: PhaseValues | None = None
    power: PhaseValues | None = None
    reactive_power: PhaseValues | None = None
    voltage: PhaseValues | None = None
    current: PhaseValues | None = None
    frequency: PhaseValues | None = None
    soc: Reading | None = None
    temperatures: tuple[Reading, ...] = ()
    rpm: Reading | None = None
    power_factor: PhaseValues | None = None
    reactive_energy_import: PhaseValues | None = None
    reactive_energy_export: PhaseValues | None = None
    voltage_between: VoltagesBetween | None = None
    signed_meter_value: SignedMeterValue | None = None

    def __init__(
        self,
        timestamp: datetime | None = None,
        energy_import: PhaseValues = PhaseValues(),
        energy_export: PhaseValues | None = None,
        power: PhaseValues | None = None,
        reactive_power: PhaseValues | None = None,
        voltage: PhaseValues | None = None,
        current: PhaseValues | None = None,
        frequency: PhaseValues | None = None,
        soc: Reading | None = None,
        temperatures: tuple[Reading, ...] = (),
        rpm: Reading | None = None,
        power_factor: PhaseValues | None = None,
        reactive_energy_import: PhaseValues | None = None,
        reactive_energy_export: PhaseValues | None = None,
        voltage_between: VoltagesBetween | None = None,
        signed_meter_value: SignedMeterValue | str | None = None,
    ) -> None:
        values = (
            timestamp,
            energy_import,
            energy_export,
            power,
            reactive_power,
            voltage,
            current,
            frequency,
            soc,
            temperatures,
            rpm,
            power_factor,
            reactive_energy_import,
            reactive_energy_export,
            voltage_between,
            signed_meter_value,
        )
        _MEASUREMENT_SHAPE.fill(self, values)
        # One is made at every sample: what it is nearly always is seen here, where nothing needs to be looked up.
        if (
            timestamp is None
            and type(energy_import) is PhaseValues
            and energy_export is None
            and (power is None or type(power) is PhaseValues)
            and reactive_power is None
            and (voltage is None or type(voltage) is PhaseValues)
            and (current is None or type(current) is PhaseValues)
            and (frequency is None or type(frequency) is PhaseValues)
            and (soc is None or type(soc) is Reading)
            and _are_readings(temperatures)
            and rpm is None
            and power_factor is None
            and reactive_energy_import is None
            and reactive_energy_export is None
            and voltage_between is None
            and signed_meter_value is None
        ):
            _check_registers(energy_import, "energy_import")
        else:
            self.__post_init__()

    def __post_init__(self) -> None:
        stamp = self.timestamp
        if stamp is not None and (type(stamp) is not datetime or stamp.tzinfo is not UTC):
            aware(stamp, "timestamp")
        is_exact = type(self.energy_import) is PhaseValues
        for values in (
            self.energy_export,
            self.power,
            self.reactive_power,
            self.voltage,
            self.current,
            self.frequency,
            self.power_factor,
            self.reactive_energy_import,
            self.reactive_energy_export,
        ):
            if values is not None and type(values) is not PhaseValues:
                is_exact = False
        for reading in (self.soc, self.rpm):
            if reading is not None and type(reading) is not Reading:
                is_exact = False
        if self.signed_meter_value is not None and type(self.signed_meter_value) is not SignedMeterValue:
            object.__setattr__(self, "signed_meter_value", signed(self.signed_meter_value, "signed_meter_value"))
        if self.voltage_between is not None and type(self.voltage_between) is not VoltagesBetween:
            is_exact = False
        if not is_exact:
            for name, kind in _KIND_OF.items():
                value = getattr(self, name)
                if value is not None or name == "energy_import":
                    object.__setattr__(self, name, exactly(kind, value, name))
        _check_registers(self.energy_import, "energy_import")
        if self.energy_export is not None:
            _check_registers(self.energy_export, "energy_export")
        if self.reactive_energy_import is not None:
            _check_registers(self.reactive_energy_import, "reactive_energy_import")
        if self.reactive_energy_export is not None:
            _check_registers(self.reactive_energy_export, "reactive_energy_export")
        if type(self.temperatures) is not tuple or self.temperatures:
            object.__setattr__(self, "temperatures", _temperatures(self.temperatures))

    @classmethod
    def from_json(cls, document: Mapping[str, Any], now: datetime | None = None) -> "Measurement":
        """Read libocpp's form: `{"power_meter": {"timestamp", "energy_Wh_import": {"total", "L1"…}, …},
        "soc_Percent": {"value", "location"}, "temperature_C": […], "rpm": {…}}`.

        Beyond libocpp's, `power_meter` may hold "power_factor", "energy_varh_import" and "energy_varh_export", and
        "voltage_V" the voltages between two conductors by their names on the wire, "L1-N" to "L3-L1",
        "signed_meter_value" a text or EVerest's object. "meter_id" and "phase_seq_error" may be there, for libocpp's
        form has them, and mean nothing in OCPP 1.6. `now` stands in for an absent timestamp. Raises ValueError naming
        the member that is missing or wrong.
        """
        members(document, "measurement", ("power_meter", "soc_Percent", "temperature_C", "rpm"))
        meter = document.get("power_meter")
        members(meter, "measurement.power_meter", ("timestamp", "meter_id", "phase_seq_error", _SIGNED, *_POWER_METER))
        assert isinstance(meter, Mapping)
        text(meter.get("meter_id", ""), "measurement.power_meter.meter_id")
        flag(meter.get("phase_seq_error", False), "measurement.power_meter.phase_seq_error")
        if "energy_Wh_import" not in meter:
            raise ValueError("measurement.power_meter.energy_Wh_import is missing")
        temperatures = document.get("temperature_C", ())
        if not isinstance(temperatures, list | tuple):
            raise ValueError(f"measurement.temperature_C must be a list, not {described(temperatures)}")
        if len(temperatures) > MOST_TEMPERATURES:
            raise ValueError(
                f"measurement.temperature_C must have {MOST_TEMPERATURES} at most, not {len(temperatures)}"
            )
        between = voltages_between(meter.get("voltage_V"), "measurement.power_meter.voltage_V")
        phases: dict[str, Any] = {name: _phases(meter[key], key) for key, name in _POWER_METER.items() if key in meter}
        return cls(
            timestamp=time(meter.get("timestamp"), now),
            soc=_reading(document["soc_Percent"], "soc_Percent") if "soc_Percent" in document else None,
            temperatures=tuple(_reading(item, "temperature_C") for item in temperatures),
            rpm=_reading(document["rpm"], "rpm") if "rpm" in document else None,
            voltage_between=between,
            signed_meter_value=SignedMeterValue.from_json(meter[_SIGNED], f"measurement.power_meter.{_SIGNED}")
            if _SIGNED in meter
            else None,
            **phases,
        )


_MEASUREMENT_SHAPE = _shape(Measurement)


def phase_values(total: float | None, l1: float | None, l2: float | None, l3: float | None) -> PhaseValues:
    """`PhaseValues(total, l1, l2, l3)`, the short way: a meter makes four at every sample."""
    values = (total, l1, l2, l3, None)
    if not are_finite(values):
        return PhaseValues(total, l1, l2, l3)
    made: PhaseValues = _PHASES_SHAPE.make(values)
    return made


def reading(value: float, location: str) -> Reading:
    """`Reading(value, location)`, where the location is one of the library's: the short way."""
    values = (value,)
    if not are_finite(values):
        return Reading(value, location)
    made: Reading = _READING_SHAPE.make((value, location))
    return made


def measured(
    energy_import: PhaseValues,
    power: PhaseValues,
    voltage: PhaseValues,
    current: PhaseValues,
    frequency: PhaseValues,
    soc: Reading | None,
    temperatures: tuple[Reading, ...],
) -> Measurement:
    """`Measurement` of these, which are exactly of their classes, the short way."""
    _check_registers(energy_import, "energy_import")
    made: Measurement = _MEASUREMENT_SHAPE.make(
        (
            None,
            energy_import,
            None,
            power,
            None,
            voltage,
            current,
            frequency,
            soc,
            temperatures,
            None,
            None,
            None,
            None,
            None,
            None,
        )
    )
    return made


_POWER_METER = {
    "energy_Wh_import": "energy_import",
    "energy_Wh_export": "energy_export",
    "power_W": "power",
    "VAR": "reactive_power",
    "voltage_V": "voltage",
    "current_A": "current",
    "frequency_Hz": "frequency",
    "power_factor": "power_factor",
    "energy_varh_import": "reactive_energy_import",
    "energy_varh_export": "reactive_energy_export",
}
_SIGNED = "signed_meter_value"
_PHASES = {"total": "total", "DC": "total", "L1": "l1", "L2": "l2", "L3": "l3", "N": "n"}
_LOWEST_REGISTER, _HIGHEST_REGISTER = float(INT32_LOW), float(INT32_HIGH)
"""As floats, with which floats are compared at once."""
REGISTERS = ("energy_import", "energy_export", "reactive_energy_import", "reactive_energy_export")
"""What of a Measurement only ever grows."""
_KIND_OF: dict[str, type] = {
    "soc": Reading,
    "rpm": Reading,
    **dict.fromkeys(_POWER_METER.values(), PhaseValues),
    "voltage_between": VoltagesBetween,
}


def by_phase(values: PhaseValues) -> tuple[float | None, ...]:
    """Total, L1, L2, L3, N: what is exactly of the class, in one look."""
    return _PHASES_SHAPE.row(values, _AS_THEY_ARE)


def _check_registers(values: PhaseValues, name: str) -> None:
    for value in by_phase(values):
        if value is not None and not _LOWEST_REGISTER <= value <= _HIGHEST_REGISTER:
            for phase in ("total", "l1", "l2", "l3", "n"):
                if getattr(values, phase) is not None:
                    register(getattr(values, phase), f"{name}.{phase}")
            return


def _are_readings(temperatures: Any) -> bool:
    """Are they as they are kept?"""
    if type(temperatures) is not tuple or len(temperatures) > MOST_TEMPERATURES:
        return False
    for it in temperatures:  # noqa: SIM110 - a generator is not what this is short for
        if type(it) is not Reading:
            return False
    return True


def _temperatures(value: Any) -> tuple[Reading, ...]:
    if not isinstance(value, tuple | list):
        raise ValueError(f"temperatures must be a tuple of Reading, not {described(value)}")
    if len(value) > MOST_TEMPERATURES:
        raise ValueError(f"temperatures must be {MOST_TEMPERATURES} at most, not {len(value)}")
    return tuple([it if type(it) is Reading else exactly(Reading, it, "temperatures") for it in value])


def _phases(value: Any, key: str) -> PhaseValues:
    place = f"measurement.power_meter.{key}"
    members(value, place, (*_PHASES, *CONDUCTORS) if key == "voltage_V" else tuple(_PHASES))
    if "total" in value and "DC" in value:
        raise ValueError(f"{place} has a total and DC, which are one value")
    check = register if _POWER_METER[key] in REGISTERS else finite
    found = {name: number for name, number in value.items() if name in _PHASES}
    return PhaseValues(**{_PHASES[name]: float(check(number, f"{place}.{name}")) for name, number in found.items()})


def _reading(value: Any, key: str) -> Reading:
    place = f"measurement.{key}"
    if not isinstance(value, Mapping) or "value" not in value:
        raise ValueError(f"{place} must be an object with a value")
    location = value.get("location")
    if location is not None:
        location = text(location, f"{place}.location")
    return Reading(float(finite(value["value"], f"{place}.value")), location)

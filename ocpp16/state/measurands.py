"""From what the meter tells to the sampled values of MeterValues (OCPP 1.6 ed. 2 §4.7, §7.31): one table.

Rules of this file:
1. A requested measurand gives one value without phase (if the meter has a total) and one per phase it knows. What was
   not measured is not reported; nothing is made up. Names are those of `Measurand`, without a phase suffix.
2. The meter's power and current are positive towards the car. The import measurands carry them as they are, negative
   when the car gives (as libocpp); the export measurands carry the flow away from the car, 0 while there is none. An AC
   current has no sign: it counts as export while the active power of its phase, or in total, is negative.
3. Voltages and frequencies carry phase L1, L2, L3 although they are measured against neutral (as libocpp). A meter that
   says between which conductors it measured (`voltage_between`) has these told besides: L1-N to L3-N, L1-L2 to L3-L1.
4. Interval energies are the difference of registers to a `previous` measurement, as the registers themselves are told
   (two decimals), so that intervals add up to what they are of. Without one, or where the register fell, they are left
   out.
5. A location that is not one of OCPP's is as good as none.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from ocpp16._core import json_bytes, validate_sending
from ocpp16._core.decimals import text_of_numbers, two_decimals
from ocpp16.enums import Location, Measurand, ReadingContext, UnitOfMeasure, ValueFormat
from ocpp16.measurement import by_phase
from ocpp16.models import Measurement, PhaseValues, Reading
from ocpp16.voltages import CONDUCTORS, VoltagesBetween

_M = Measurand
_U = UnitOfMeasure
_RAW = ValueFormat.RAW.value


BETWEEN = "voltage_between"
"""The attribute of a measurement whose values lie between two conductors each."""
INTERVALS = (
    _M.ENERGY_ACTIVE_IMPORT_INTERVAL,
    _M.ENERGY_ACTIVE_EXPORT_INTERVAL,
    _M.ENERGY_REACTIVE_IMPORT_INTERVAL,
    _M.ENERGY_REACTIVE_EXPORT_INTERVAL,
)
"""The measurands that need a previous measurement."""


class Sources(NamedTuple):
    """All that a value can come from. `previous` is None where there is none."""

    measurement: Measurement
    previous: Measurement | None
    offered_current: float
    offered_power: float


Value: TypeAlias = tuple[float, str | None, str | None]
"""One value before it is dressed for the wire: number, phase, and a location that overrides the row's."""


class Recipe(NamedTuple):
    """How one measurand is produced; unit and location None are left out on the wire."""

    unit: UnitOfMeasure | None
    location: Location | None
    values: Callable[[Sources], list[Value]]
    quantity: str | None = None
    """The attribute of a measurement whose phases are told as they are."""
    has_neutral: bool = False


def sample(
    measurement: Measurement,
    wanted: Sequence[str],
    context: ReadingContext,
    offered_current: float = 0.0,
    offered_power: float = 0.0,
    *,
    previous: Measurement | None = None,
) -> list[dict[str, str]]:
    """SampledValues of `wanted` measurands, in that order; empty if nothing of it was measured.

    Parameters: `wanted`: names, of which unknown ones and repeats are skipped;
    `offered_current`: A, `offered_power`: W; `previous`: the measurement at the
    beginning of the interval, for the interval measurands.
    """
    sources = Sources(measurement, previous, offered_current, offered_power)
    word = context._value_  # its text without the way through a property
    sampled: list[dict[str, str]] = []
    for name, recipe in _recipes(wanted):
        for number, phase, location in recipe.values(sources):
            dressed = _DRESSED.get((name, phase, location, word)) or _dress(name, recipe, phase, location, context)
            value = dressed[0].copy()
            value["value"] = two_decimals(number)
            sampled.append(value)
    return sampled


def sample_text(
    measurement: Measurement,
    wanted: Sequence[str],
    context: ReadingContext,
    offered_current: float = 0.0,
    offered_power: float = 0.0,
    *,
    previous: Measurement | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> str:
    """The same as the text of a JSON array, between what stands `before` and `after` it; empty if nothing of it was
    measured. It is valid, as its parts were."""
    sources = None
    word = context._value_
    pieces: list[Any] = []
    wanted = tuple(wanted)
    for name, recipe, quantity, rests in _PLANS.get((word, wanted)) or _plan(wanted, context):
        if quantity is not None:
            values = getattr(measurement, quantity)
            if values is not None:
                if quantity is BETWEEN:
                    _append_voltages(pieces, values, rests)
                else:
                    _append_phases(pieces, values, rests)
            continue
        if sources is None:
            sources = Sources(measurement, previous, offered_current, offered_power)
        for number, phase, location in recipe.values(sources):
            dressed = _DRESSED.get((name, phase, location, word)) or _dress(name, recipe, phase, location, context)
            pieces.append(number)
            pieces.append(dressed[1])
    return text_of_numbers(before + _BEFORE, pieces, len(_BETWEEN), b"]" + after) if pieces else ""


def _append_phases(pieces: list[Any], values: PhaseValues, rests: tuple[bytes, ...]) -> None:
    # Phase by phase: as a loop it makes a sample of ten values a twentieth dearer.
    total, l1, l2, l3, n = by_phase(values)
    if total is not None:
        pieces.append(total)
        pieces.append(rests[0])
    if l1 is not None:
        pieces.append(l1)
        pieces.append(rests[1])
    if l2 is not None:
        pieces.append(l2)
        pieces.append(rests[2])
    if l3 is not None:
        pieces.append(l3)
        pieces.append(rests[3])
    if n is not None and len(rests) > 4:
        pieces.append(n)
        pieces.append(rests[4])


def _append_voltages(pieces: list[Any], voltages: VoltagesBetween, rests: tuple[bytes, ...]) -> None:
    for attribute, rest in zip(CONDUCTORS.values(), rests, strict=True):
        value: float | None = getattr(voltages, attribute)
        if value is not None:
            pieces.append(value)
            pieces.append(rest)


_BEFORE, _BETWEEN = b'[{"value":"', b',{"value":"'

Planned: TypeAlias = tuple[str, Recipe, str | None, tuple[bytes, ...]]
"""A measurand, its recipe, the quantity whose phases are told as they are, and what follows the number of each: of the
total, L1, L2, L3, and N where the neutral is told."""

_PLANS: dict[tuple[str, tuple[str, ...]], tuple[Planned, ...]] = {}
"""Context and list of measurands → what is to be written, each once."""


def _plan(wanted: Sequence[str], context: ReadingContext) -> tuple[Planned, ...]:
    if len(_PLANS) >= _MOST_RECIPES:
        _PLANS.clear()
    plan: list[Planned] = []
    for name, recipe in _recipes(wanted):
        phases = (None, "L1", "L2", "L3", "N") if recipe.has_neutral else (None, "L1", "L2", "L3")
        rests: tuple[bytes, ...] = ()
        if recipe.quantity is not None:
            rests = tuple(_dress(name, recipe, phase, None, context).rest for phase in phases)
        plan.append((name, recipe, recipe.quantity, rests))
        if name == _M.VOLTAGE:
            between = tuple(_dress(name, recipe, phase, None, context).rest for phase in CONDUCTORS)
            plan.append((name, recipe, BETWEEN, between))
    _PLANS[context._value_, tuple(wanted)] = planned = tuple(plan)
    return planned


_RECIPES: dict[tuple[str, ...], tuple[tuple[str, Recipe], ...]] = {}
"""A list of measurands → what it asks for, each once."""
_MOST_RECIPES = 64


def _recipes(wanted: Sequence[str]) -> tuple[tuple[str, Recipe], ...]:
    wanted = tuple(wanted)
    found = _RECIPES.get(wanted)
    if found is None:
        if len(_RECIPES) >= _MOST_RECIPES:
            _RECIPES.clear()
        known = [(name, TABLE.get(name)) for name in dict.fromkeys(wanted)]
        found = _RECIPES[wanted] = tuple((name, recipe) for name, recipe in known if recipe is not None)
    return found


class Dressed(NamedTuple):
    """A sampled value of which only the number is missing: as document, and as what lies in a text between its number
    and the next one."""

    document: dict[str, str]
    rest: bytes


_DRESSED: dict[tuple[str, str | None, str | None, str], Dressed] = {}
"""Measurand, phase, location, context → how it is dressed. There are few of these."""


def _dress(name: str, recipe: Recipe, phase: str | None, location: str | None, context: ReadingContext) -> Dressed:
    document = {"value": "0.00", "context": str(context), "format": _RAW, "measurand": str(name)}
    if phase is not None:
        document["phase"] = phase
    if location is not None or recipe.location is not None:
        document["location"] = location or str(recipe.location)
    if recipe.unit is not None:
        document["unit"] = str(recipe.unit)
    example = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [document]}
    validate_sending("MeterValues", "request", {"connectorId": 0, "meterValue": [example]})
    rest = json_bytes(document).removeprefix(b'{"value":"0.00') + _BETWEEN
    dressed = _DRESSED[name, phase, location, context._value_] = Dressed(document, rest)
    return dressed


def is_producible(name: str) -> bool:
    """Is there any measurement for which this measurand gives a value?"""
    return name in TABLE


def intervals_of(measurands: Collection[str], besides: Collection[str] = ()) -> list[Measurand]:
    """Those of `measurands` that are energies of an interval, without those of `besides`."""
    return [name for name in INTERVALS if name in measurands and name not in besides]


@lru_cache(maxsize=64)
def has_intervals(measurands: tuple[str, ...]) -> bool:
    """Is one of these an energy of an interval? Asked at every sample, of the same few lists."""
    return bool(intervals_of(measurands))


_LINES = (("L1", "l1"), ("L2", "l2"), ("L3", "l3"))
"""Phase on the wire, attribute of `PhaseValues`."""
_TOTAL_AND_LINES = ((None, "total"), *_LINES)


def _all(values: PhaseValues | None) -> list[Value]:
    if values is None:
        return []
    found: list[Value] = [] if values.total is None else [(values.total, None, None)]
    if values.l1 is not None:
        found.append((values.l1, "L1", None))
    if values.l2 is not None:
        found.append((values.l2, "L2", None))
    if values.l3 is not None:
        found.append((values.l3, "L3", None))
    return found


def _voltages(sources: Sources) -> list[Value]:
    found = _all(sources.measurement.voltage)
    between = sources.measurement.voltage_between
    if between is not None:
        for phase, attribute in CONDUCTORS.items():
            value: float | None = getattr(between, attribute)
            if value is not None:
                found.append((value, phase, None))
    return found


def _imported_current(values: PhaseValues | None) -> list[Value]:
    found = _all(values)
    if values is not None and values.n is not None:
        found.append((values.n, "N", None))
    return found


def _reversed(values: PhaseValues | None) -> list[Value]:
    return [(max(0.0, -number), phase, None) for number, phase, _ in _all(values)]


def _exported_current(sources: Sources) -> list[Value]:
    current, power = sources.measurement.current, sources.measurement.power
    if current is None:
        return []
    found: list[Value] = []
    for phase, attribute in _TOTAL_AND_LINES:
        amps: float | None = getattr(current, attribute)
        if amps is None:
            continue
        watts: float | None = getattr(power, attribute) if power is not None else None
        if watts is None and power is not None:
            watts = power.total
        is_given = amps < 0 or (watts is not None and watts < 0)
        found.append((abs(amps) if is_given else 0.0, phase, None))
    return found


def _grown(sources: Sources, register: str) -> list[Value]:
    now: PhaseValues | None = getattr(sources.measurement, register)
    before: PhaseValues | None = getattr(sources.previous, register, None)
    if now is None or before is None:
        return []
    found: list[Value] = []
    for phase, attribute in _TOTAL_AND_LINES:
        end, begin = getattr(now, attribute), getattr(before, attribute)
        if end is not None and begin is not None and end >= begin:
            found.append((round(end, 2) - round(begin, 2), phase, None))
    return found


def _read(reading: Reading | None, otherwise: Location | None) -> list[Value]:
    if reading is None:
        return []
    location = _location(reading.location) or otherwise
    return [(reading.value, None, None if location is None else str(location))]


def _location(text: str | None) -> Location | None:
    try:
        return Location(text) if text is not None else None
    except ValueError:
        return None


def _plain(quantity: str) -> tuple[Callable[[Sources], list[Value]], str]:
    return lambda sources: _all(getattr(sources.measurement, quantity)), quantity


TABLE: Mapping[str, Recipe] = MappingProxyType(
    {
        _M.ENERGY_ACTIVE_IMPORT_REGISTER: Recipe(_U.WH, Location.OUTLET, *_plain("energy_import")),
        _M.ENERGY_ACTIVE_EXPORT_REGISTER: Recipe(_U.WH, None, *_plain("energy_export")),
        _M.ENERGY_ACTIVE_IMPORT_INTERVAL: Recipe(_U.WH, Location.OUTLET, lambda s: _grown(s, "energy_import")),
        _M.ENERGY_ACTIVE_EXPORT_INTERVAL: Recipe(_U.WH, None, lambda s: _grown(s, "energy_export")),
        _M.ENERGY_REACTIVE_IMPORT_REGISTER: Recipe(_U.VARH, Location.OUTLET, *_plain("reactive_energy_import")),
        _M.ENERGY_REACTIVE_EXPORT_REGISTER: Recipe(_U.VARH, None, *_plain("reactive_energy_export")),
        _M.ENERGY_REACTIVE_IMPORT_INTERVAL: Recipe(
            _U.VARH, Location.OUTLET, lambda s: _grown(s, "reactive_energy_import")
        ),
        _M.ENERGY_REACTIVE_EXPORT_INTERVAL: Recipe(_U.VARH, None, lambda s: _grown(s, "reactive_energy_export")),
        _M.POWER_ACTIVE_IMPORT: Recipe(_U.W, Location.OUTLET, *_plain("power")),
        _M.POWER_ACTIVE_EXPORT: Recipe(_U.W, Location.OUTLET, lambda s: _reversed(s.measurement.power)),
        _M.POWER_REACTIVE_IMPORT: Recipe(_U.VAR, Location.OUTLET, *_plain("reactive_power")),
        _M.POWER_REACTIVE_EXPORT: Recipe(_U.VAR, Location.OUTLET, lambda s: _reversed(s.measurement.reactive_power)),
        _M.POWER_OFFERED: Recipe(_U.W, Location.OUTLET, lambda s: [(s.offered_power, None, None)]),
        _M.VOLTAGE: Recipe(_U.V, Location.OUTLET, _voltages, "voltage"),
        _M.CURRENT_IMPORT: Recipe(
            _U.A, Location.OUTLET, lambda s: _imported_current(s.measurement.current), "current", True
        ),
        _M.CURRENT_EXPORT: Recipe(_U.A, Location.OUTLET, _exported_current),
        _M.CURRENT_OFFERED: Recipe(_U.A, Location.OUTLET, lambda s: [(s.offered_current, None, None)]),
        # No unit value exists for a factor, for hertz and for revolutions.
        _M.POWER_FACTOR: Recipe(None, Location.OUTLET, *_plain("power_factor")),
        _M.FREQUENCY: Recipe(None, None, *_plain("frequency")),
        _M.TEMPERATURE: Recipe(
            _U.CELSIUS,
            None,
            lambda s: [value for reading in s.measurement.temperatures for value in _read(reading, None)],
        ),
        _M.SOC: Recipe(_U.PERCENT, None, lambda s: _read(s.measurement.soc, Location.EV)),
        _M.RPM: Recipe(None, None, lambda s: _read(s.measurement.rpm, Location.EV)),
    }
)
"""Measurand → unit, location, values. What is missing here cannot be produced."""

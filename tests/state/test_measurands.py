"""From measurements to sampled values: the whole mapping, value by value."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16._core import validate_sending
from ocpp16.enums import Location, Measurand, Phase, ReadingContext, UnitOfMeasure
from ocpp16.models import Measurement, PhaseValues, Reading, VoltagesBetween
from ocpp16.state.measurands import INTERVALS, TABLE, has_intervals, intervals_of, is_producible, sample, sample_text

TIME = datetime(2024, 5, 1, tzinfo=UTC)
PERIODIC = ReadingContext.SAMPLE_PERIODIC
FULL = Measurement(
    TIME,
    energy_import=PhaseValues(12345.678, 1.0, 2.0, 3.0),
    energy_export=PhaseValues(20.0, 4.0, 5.0, 6.0),
    power=PhaseValues(11040.0, 3680.0, 3680.0, 3680.0),
    reactive_power=PhaseValues(-30.0, -10.0, -10.0, -10.0),
    voltage=PhaseValues(None, 230.1, 230.2, 230.3),
    voltage_between=VoltagesBetween(229.0, 229.1, 229.2, 400.0, 400.1, 400.2),
    current=PhaseValues(None, 16.0, 16.0, 16.0, 0.5),
    frequency=PhaseValues(None, 49.987),
    soc=Reading(81.0),
    temperatures=(Reading(35.0, "Body"), Reading(41.26, "somewhere"), Reading(20.0)),
    rpm=Reading(1200.0, "Body"),
    power_factor=PhaseValues(0.984, 0.97, 0.99, 1.0),
    reactive_energy_import=PhaseValues(300.0, 100.0, 100.0, 100.0),
    reactive_energy_export=PhaseValues(7.5),
)
BEFORE = Measurement(
    TIME,
    energy_import=PhaseValues(12000.0, 0.5, 2.0, 3.5),
    energy_export=PhaseValues(20.0),
    reactive_energy_import=PhaseValues(250.0, 90.0),
    reactive_energy_export=PhaseValues(5.0),
)

# measurand → unit, default location, the values as (text, phase, location)
Expected = tuple[str | None, str | None, list[tuple[str, str | None, str | None]]]


def lines(
    *texts: str, total: str | None = None, location: str | None = None
) -> list[tuple[str, str | None, str | None]]:
    values = [] if total is None else [(total, None, location)]
    return values + [(text, phase, location) for text, phase in zip(texts, ("L1", "L2", "L3", "N"), strict=False)]


OUTLET = "Outlet"
EXPECTED: dict[Measurand, tuple[str | None, list[tuple[str, str | None, str | None]]]] = {
    Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: (
        "Wh",
        lines("1.00", "2.00", "3.00", total="12345.68", location=OUTLET),
    ),
    Measurand.ENERGY_ACTIVE_EXPORT_REGISTER: ("Wh", lines("4.00", "5.00", "6.00", total="20.00")),
    # L3 fell, so the register was reset: nothing to tell for it.
    Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL: ("Wh", lines("0.50", "0.00", total="345.68", location=OUTLET)),
    Measurand.ENERGY_ACTIVE_EXPORT_INTERVAL: ("Wh", lines(total="0.00")),
    Measurand.ENERGY_REACTIVE_IMPORT_REGISTER: (
        "varh",
        lines("100.00", "100.00", "100.00", total="300.00", location=OUTLET),
    ),
    Measurand.ENERGY_REACTIVE_EXPORT_REGISTER: ("varh", lines(total="7.50")),
    Measurand.ENERGY_REACTIVE_IMPORT_INTERVAL: ("varh", lines("10.00", total="50.00", location=OUTLET)),
    Measurand.ENERGY_REACTIVE_EXPORT_INTERVAL: ("varh", lines(total="2.50")),
    Measurand.POWER_FACTOR: (None, lines("0.97", "0.99", "1.00", total="0.98", location=OUTLET)),
    Measurand.POWER_ACTIVE_IMPORT: ("W", lines("3680.00", "3680.00", "3680.00", total="11040.00", location=OUTLET)),
    Measurand.POWER_ACTIVE_EXPORT: ("W", lines("0.00", "0.00", "0.00", total="0.00", location=OUTLET)),
    Measurand.POWER_REACTIVE_IMPORT: ("var", lines("-10.00", "-10.00", "-10.00", total="-30.00", location=OUTLET)),
    Measurand.POWER_REACTIVE_EXPORT: ("var", lines("10.00", "10.00", "10.00", total="30.00", location=OUTLET)),
    Measurand.POWER_OFFERED: ("W", lines(total="22080.00", location=OUTLET)),
    Measurand.VOLTAGE: (
        "V",
        [
            *lines("230.10", "230.20", "230.30", location=OUTLET),
            ("229.00", "L1-N", OUTLET),
            ("229.10", "L2-N", OUTLET),
            ("229.20", "L3-N", OUTLET),
            ("400.00", "L1-L2", OUTLET),
            ("400.10", "L2-L3", OUTLET),
            ("400.20", "L3-L1", OUTLET),
        ],
    ),
    Measurand.CURRENT_IMPORT: ("A", lines("16.00", "16.00", "16.00", "0.50", location=OUTLET)),
    Measurand.CURRENT_EXPORT: ("A", lines("0.00", "0.00", "0.00", location=OUTLET)),
    Measurand.CURRENT_OFFERED: ("A", lines(total="32.00", location=OUTLET)),
    Measurand.FREQUENCY: (None, lines("49.99")),
    Measurand.TEMPERATURE: ("Celsius", [("35.00", None, "Body"), ("41.26", None, None), ("20.00", None, None)]),
    Measurand.SOC: ("Percent", lines(total="81.00", location="EV")),
    Measurand.RPM: (None, lines(total="1200.00", location="Body")),
}


@pytest.mark.parametrize("measurand", list(EXPECTED))
def test_mapping(measurand: Measurand) -> None:
    unit, values = EXPECTED[measurand]
    expected = []
    for text, phase, location in values:
        value = {"value": text, "context": "Sample.Clock", "format": "Raw", "measurand": measurand.value}
        optional = {"phase": phase, "location": location, "unit": unit}
        expected.append(value | {name: member for name, member in optional.items() if member is not None})
    sampled = sample(FULL, [measurand], ReadingContext.SAMPLE_CLOCK, 32.0, 22080.0, previous=BEFORE)
    assert sampled == expected
    # Payloads hold plain text, not enumeration members: the validators compare exact types.
    assert {type(member) for value in sampled for member in value.values()} == {str}


@pytest.mark.parametrize("measurand", list(Measurand))
def test_every_measurand_of_the_specification_can_be_produced(measurand: Measurand) -> None:
    assert measurand in EXPECTED
    assert is_producible(measurand)
    assert not is_producible(measurand.lower())


def test_nothing_is_offered_before_anything_is() -> None:
    offered = sample(Measurement(TIME), [Measurand.CURRENT_OFFERED, Measurand.POWER_OFFERED], PERIODIC)
    assert [(value["value"], value["unit"]) for value in offered] == [("0.00", "A"), ("0.00", "W")]


@pytest.mark.parametrize("measurand", sorted(set(EXPECTED) - {Measurand.CURRENT_OFFERED, Measurand.POWER_OFFERED}))
def test_what_was_not_measured_is_not_reported(measurand: Measurand) -> None:
    nothing = Measurement(TIME)
    assert sample(nothing, [measurand], PERIODIC) == []
    empty = PhaseValues()
    quantities: dict[str, Any] = {
        field.name: empty for field in fields(Measurement) if "PhaseValues" in str(field.type)
    }
    assert len(quantities) == 10
    hollow = replace(nothing, **quantities)
    assert sample(hollow, [measurand], PERIODIC, previous=hollow) == []


def test_order_is_as_wanted_and_repeats_and_unknown_names_are_skipped() -> None:
    wanted = ["SoC", "Nonsense", "Frequency", "power.factor", "SoC", "Frequency"]
    assert [value["measurand"] for value in sample(FULL, wanted, PERIODIC)] == ["SoC", "Frequency"]


def test_direct_current_has_a_value_without_phase() -> None:
    direct = Measurement(TIME, power=PhaseValues(50_000.0), voltage=PhaseValues(400.0), current=PhaseValues(125.0))
    sampled = sample(direct, ["Voltage", "Current.Import", "Power.Active.Import"], PERIODIC)
    assert [(value["value"], value.get("phase")) for value in sampled] == [
        ("400.00", None),
        ("125.00", None),
        ("50000.00", None),
    ]


@pytest.mark.parametrize(
    ("power", "current", "exported"),
    [
        # DC: the current has a sign of its own.
        (PhaseValues(-5000.0), PhaseValues(-12.5), ["12.50"]),
        (None, PhaseValues(-12.5), ["12.50"]),
        (PhaseValues(5000.0), PhaseValues(12.5), ["0.00"]),
        # AC: the power tells the direction, of the phase if it is known, else of all.
        (PhaseValues(-3000.0), PhaseValues(None, 4.0, 5.0), ["4.00", "5.00"]),
        (PhaseValues(-3000.0, -3500.0, 500.0), PhaseValues(None, 15.0, 2.0), ["15.00", "0.00"]),
        (None, PhaseValues(None, 4.0), ["0.00"]),
    ],
)
def test_exported_current(power: PhaseValues | None, current: PhaseValues, exported: list[str]) -> None:
    measurement = Measurement(TIME, power=power, current=current)
    assert [value["value"] for value in sample(measurement, ["Current.Export"], PERIODIC)] == exported


def test_power_away_from_the_car_is_export_and_stays_negative_import() -> None:
    giving = replace(FULL, power=PhaseValues(-7000.0))
    sampled = sample(giving, ["Power.Active.Import", "Power.Active.Export"], PERIODIC)
    assert [value["value"] for value in sampled] == ["-7000.00", "7000.00"]


def test_interval_energy_needs_a_measurement_before() -> None:
    assert sample(FULL, ["Energy.Active.Import.Interval"], PERIODIC) == []


@given(registers=st.lists(st.floats(0, 1e9), min_size=2, max_size=20).map(sorted))
def test_intervals_add_up_to_the_difference_of_the_registers_as_they_are_told(registers: list[float]) -> None:
    readings = [replace(FULL, energy_import=PhaseValues(register)) for register in registers]
    told = [
        float(sample(after, ["Energy.Active.Import.Interval"], PERIODIC, previous=before)[0]["value"])
        for before, after in pairwise(readings)
    ]
    first, last = (
        float(sample(reading, ["Energy.Active.Import.Register"], PERIODIC)[0]["value"])
        for reading in (readings[0], readings[-1])
    )
    assert round(sum(told), 2) == round(last - first, 2)


def test_which_measurands_are_of_an_interval() -> None:
    assert set(INTERVALS) == {name for name in Measurand if name.endswith(".Interval")}
    names = ["SoC", "Energy.Active.Export.Interval", "Energy.Active.Import.Interval", "Nonsense.Interval"]
    assert intervals_of(names) == ["Energy.Active.Import.Interval", "Energy.Active.Export.Interval"]
    assert has_intervals(tuple(names))
    assert not has_intervals(("SoC", "Nonsense.Interval"))
    assert intervals_of(names, besides=("Energy.Active.Import.Interval",)) == ["Energy.Active.Export.Interval"]


def test_the_widest_difference_of_registers_is_a_number() -> None:
    before = replace(FULL, energy_import=PhaseValues(-(2.0**31)))
    after = replace(FULL, energy_import=PhaseValues(2.0**31 - 1))
    (interval,) = sample(after, ["Energy.Active.Import.Interval"], PERIODIC, previous=before)
    assert interval["value"] == "4294967295.00"
    with pytest.raises(ValueError, match=r"^energy_import.total must fit into 32 bits"):
        replace(FULL, energy_import=PhaseValues(1e308))


def test_a_location_the_specification_does_not_know() -> None:
    odd = replace(FULL, soc=Reading(50.0, "Battery"), rpm=Reading(9.0, "Fan"))
    assert [value["location"] for value in sample(odd, ["SoC", "RPM"], PERIODIC)] == ["EV", "EV"]


def test_every_phase_location_and_unit_has_its_measurand() -> None:
    """All phases of the specification, all its locations, and of each kind of unit the one without prefix."""
    phases, units = set(), set()
    for value in sample(FULL, list(TABLE), PERIODIC, 1.0, 1.0, previous=BEFORE):
        phases.add(value.get("phase"))
        units.add(value.get("unit"))
    assert phases == {None, *map(str, Phase)}
    assert units == {None, "Wh", "varh", "W", "var", "A", "V", "Celsius", "Percent"}
    for location in Location:
        there = Reading(50.0, str(location))
        somewhere = replace(FULL, soc=there, rpm=there, temperatures=(there, there))
        told = sample(somewhere, ["SoC", "RPM", "Temperature"], PERIODIC)
        assert [value["location"] for value in told] == [str(location)] * 4


@pytest.mark.parametrize("context", list(ReadingContext))
def test_everything_can_be_sent_in_every_context(context: ReadingContext) -> None:
    values = sample(FULL, list(TABLE), context, 1.0, 1.0, previous=BEFORE)
    assert {value["context"] for value in values} == {str(context)}
    assert {value["measurand"] for value in values} == set(map(str, Measurand))
    value = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": values}
    validate_sending("MeterValues", "request", {"connectorId": 1, "meterValue": [value]})


@given(number=st.floats(-1e12, 1e12))
def test_values_have_two_decimals_and_no_negative_zero(number: float) -> None:
    (value,) = sample(replace(FULL, soc=Reading(number)), ["SoC"], PERIODIC)
    whole, _, decimals = value["value"].partition(".")
    assert len(decimals) == 2
    assert abs(float(value["value"]) - number) <= 0.005 + abs(number) * 1e-15
    assert whole != "-0" or float(value["value"]) != 0


def test_every_member_is_one_of_the_specification() -> None:
    values = sample(FULL, list(TABLE), PERIODIC, 1.0, 1.0, previous=BEFORE)
    assert {value["measurand"] for value in values} == set(map(str, TABLE))
    for value in values:
        assert value["measurand"] in list(Measurand)
        assert value.get("phase", "L1") in list(Phase)
        assert value.get("location", "EV") in list(Location)
        assert value.get("unit", "A") in list(UnitOfMeasure)


@given(
    st.lists(st.sampled_from(sorted(map(str, TABLE))), max_size=8),
    st.sampled_from(list(ReadingContext)),
    st.lists(st.none() | st.floats(-1e7, 1e7), min_size=16, max_size=16),
)
def test_the_text_of_a_sample_says_what_its_values_say(
    wanted: list[str], context: ReadingContext, numbers: list[float | None]
) -> None:
    first, second = PhaseValues(*numbers[:5]), PhaseValues(*numbers[5:10])
    measurement = Measurement(
        energy_import=first,
        power=second,
        voltage=first,
        voltage_between=VoltagesBetween(*numbers[10:]),
        current=second,
        temperatures=(Reading(21.5, "Body"),),
    )
    values = sample(measurement, wanted, context, 16.0, 11_040.0)
    text = sample_text(measurement, wanted, context, 16.0, 11_040.0)
    assert (json.loads(text) if text else []) == values

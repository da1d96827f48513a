"""Batteries alone: curves, edges, and that what is taken is what is held."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.simulation.battery import SHAPES, Battery, Curve, Pack

TENT = Curve(((0, 1000.0), (50, 2000.0), (100, 500.0)))


def test_a_curve_is_linear_between_its_points() -> None:
    assert [TENT.at(percent) for percent in (0, 25, 50, 75, 100, 120, -3)] == [1000, 1500, 2000, 1250, 500, 500, 1000]
    assert TENT.peak == 2000


def test_edges_are_whole_percents_and_points() -> None:
    curve = Curve(((0, 1.0), (10.5, 2.0), (100, 1.0)))
    assert [curve.edge_after(percent) for percent in (0, 9.99, 10, 10.5, 99.5)] == [1, 10, 10.5, 11, 100]
    steep = Curve(((0, 1000.0), (98, 1000.0), (100, 500.0)))
    assert [steep.edge_after(percent) for percent in (97.3, 98, 98.6, 99.75)] == [98, 98.25, 98.75, 100]


def test_until_when_a_curve_holds() -> None:
    assert TENT.holds_until(10, 1000) == pytest.approx(50 + 50 * 1000 / 1500)
    assert TENT.holds_until(60, 1900) == 60  # it is below already
    assert TENT.holds_until(0, 1200) == 0
    assert TENT.holds_until(0, 400) == 100


@pytest.mark.parametrize("shape", SHAPES)
def test_ready_made_curves_have_their_peak_and_taper_but_the_constant_one(shape: str) -> None:
    curve = Curve.of(shape, 100_000)
    assert curve.peak == 100_000
    assert curve.at(100) == 100_000 if shape == "constant" else curve.at(100) <= 5_000


WRONG: list[tuple[Any, str]] = [
    (((0, 1000.0),), "2 to 101 points"),
    (tuple((percent / 2, 1000.0) for percent in range(201)), "2 to 101 points"),
    (((1, 1000.0), (100, 1000.0)), "from 0 to 100"),
    (((0, 1000.0), (99, 1000.0)), "from 0 to 100"),
    (((0, 1000.0), (50, 1.0), (50, 2.0), (100, 1000.0)), "order of percents"),
    (((0, 1000.0), (50, 0.0), (100, 1000.0)), "curve: a power"),
    (((0, 1000.0), (100, 1e9)), "curve: a power"),
    (((0, float("nan")), (100, 1000.0)), "curve: a power"),
    (((0, 1000.0), (101, 1000.0)), "curve: a percent"),
    (((0, 1000.0, 3), (100, 1000.0)), "pairs"),
    ((0, 100), "pairs"),
    ("0:1000", "pairs"),
    (7, "pairs"),
]


@pytest.mark.parametrize(("points", "told"), WRONG)
def test_what_is_no_curve_is_refused(points: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"^curve.*{told.removeprefix('curve')}"):
        Curve(points)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("capacity", 99),
        ("capacity", inf),
        ("capacity", "60 kWh"),
        ("soc", -1),
        ("soc", 100.1),
        ("target", 101),
        ("target", None),
        ("efficiency", 0.4),
        ("efficiency", 1.01),
        ("dc_efficiency", 0),
        ("minimum_current", 5.9),
        ("minimum_current", 33),
        ("voltage", 400),
        ("voltage", (400,)),
        ("voltage", (400, 300)),
        ("voltage", (20, 300)),
        ("voltage", (400, 1200)),
        ("dc_current", 0),
        ("dc_current", 501),
        ("curve", ((0, 1.0), (100, 1.0))),
    ],
)
def test_what_no_battery_is_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must"):
        Battery(**{name: value})


def filled(battery: Battery, power: Any, *, is_dc: bool) -> tuple[Pack, float, float, int]:
    """Fill it, with `power(bound, step)` W at each step; energy at the plug, Wh, seconds, and steps."""
    pack, energy, now, steps = Pack(battery, is_dc=is_dc), 0.0, 0.0, 0
    pack.connect(energy)
    while not pack.is_full:
        watts = power(pack.bound, steps)
        before = pack.soc
        pack.flow(watts, now)
        assert now < pack.until < inf
        energy += watts * (pack.until - now) / 3600.0
        now = pack.until
        pack.reach(energy)
        low, high = battery.curve.at(before), battery.curve.at(pack.soc)
        assert watts <= min(low, high) * (1 + 1e-6)
        steps += 1
        assert steps < 500
    return pack, energy, now, steps


BATTERIES = st.builds(
    Battery,
    capacity=st.floats(100, 500_000),
    soc=st.floats(0, 100),
    target=st.floats(0, 100),
    efficiency=st.floats(0.5, 1),
    dc_efficiency=st.floats(0.5, 1),
    curve=st.builds(Curve.of, st.sampled_from(SHAPES), st.floats(100, 500_000)),
)


@given(BATTERIES, st.booleans(), st.lists(st.floats(0.05, 1), min_size=1, max_size=20))
def test_what_is_taken_is_what_is_held(battery: Battery, is_dc: bool, parts: list[float]) -> None:
    """Whatever it is given, up to what it takes: it ends at its target, and no energy is lost or made."""
    pack, energy, _, _ = filled(battery, lambda bound, step: bound * parts[step % len(parts)], is_dc=is_dc)
    share = battery.dc_efficiency if is_dc else battery.efficiency
    assert pack.soc == pytest.approx(max(battery.soc, battery.target), abs=1e-6)
    assert share * energy == pytest.approx(battery.capacity * (pack.soc - battery.soc) / 100, rel=1e-9, abs=1e-6)
    assert energy <= battery.capacity / share * (1 + 1e-9)


def test_the_steps_of_a_charge_are_few_and_of_ac_fewer() -> None:
    battery = Battery(soc=0.0)
    assert 100 <= filled(battery, lambda bound, _: bound, is_dc=True)[3] < 140
    assert filled(battery, lambda bound, _: min(bound, 11_040), is_dc=False)[3] < 12


def test_the_steps_come_to_the_integral_of_the_curve() -> None:
    """From 20 to 100 %, at full power: the time that a fine integral gives, and little more."""
    battery = Battery(capacity=60_000, soc=20, dc_efficiency=0.9, curve=Curve.of("early-peak", 120_000))
    seconds = filled(battery, lambda bound, _: bound, is_dc=True)[2]
    fine = sum(3600 * 60_000 * 1e-4 / (0.9 * battery.curve.at((step + 0.5) / 100)) for step in range(2_000, 10_000))
    assert fine < seconds < fine * 1.03


def test_the_voltage_rises_with_the_charge() -> None:
    pack = Pack(Battery(soc=50, voltage=(300, 400)), is_dc=True)
    assert pack.volts == 350
    pack.flow(pack.bound, 0.0)
    pack.reach(pack.battery.capacity / 100 / 0.96)
    assert pack.volts == pytest.approx(351)


def test_a_battery_beyond_its_target_takes_nothing() -> None:
    pack = Pack(Battery(soc=80, target=80), is_dc=False)
    pack.flow(1000.0, 0.0)
    assert (pack.is_full, pack.bound, pack.until) == (True, 0.0, inf)

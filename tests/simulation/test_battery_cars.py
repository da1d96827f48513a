"""Cars with a battery at connectors of AC: meter and state of charge agree, the 6 A of the pilot, full, gone."""

from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpp16.enums import ChargePointErrorCode, Reason
from ocpp16.simulation.battery import Battery, Curve
from ocpp16.simulation.car import CarPlan
from ocpp16.simulation.car_models import CARS, car_plan

GROUND = ChargePointErrorCode.GROUND_FAILURE


def plan(**said: Any) -> CarPlan:
    return car_plan({"model": "compact", "plug_after": 0, "draw_after": 0, **said})


def charging(make_bench: Any, count: int = 1, connector: int = 1, *, bench: Any = None, **said: Any) -> Any:
    bench = bench or make_bench(count, **{"phases": 3, **said.pop("options", {})})
    bench.station.plug_in(connector, plan(**said))
    bench.station.present_id_tag(f"TAG{connector}", [connector])
    bench.advance(0)
    return bench


def shown(bench: Any, connector: int = 1) -> tuple[Any, Any, Any]:
    """Amperes of phase 1, W, percent."""
    told = bench.station.measurement(connector)
    return told.current.l1, told.power.total, told.soc.value


def test_a_car_charges_to_its_target_and_stays(make_bench: Any) -> None:
    bench = charging(make_bench, soc=20, target=80)
    assert [fact[0] for fact in bench.take()] == ["session_started", "transaction_started", "resume_charging"]
    assert shown(bench) == (16, pytest.approx(11_040), 20)
    bench.advance(0.6 * 58_000 / 0.9 / 11_040 * 3600 - 1)
    assert shown(bench)[2] == pytest.approx(80, abs=0.01)
    assert bench.take() == []
    bench.advance(2)
    assert bench.take() == [("suspend_charging_ev", 1)]
    assert shown(bench) == (0, 0, pytest.approx(80))
    assert bench.station.evse(1).register() == pytest.approx(0.6 * 58_000 / 0.9, abs=3)  # whole Wh of three phases
    bench.advance(86_400)
    assert bench.take() == []
    assert len(bench.charge_point.for_station.timers) <= 1  # none that ticks
    assert bench.station.evse(1).register() == pytest.approx(0.6 * 58_000 / 0.9, abs=3)  # whole Wh of three phases
    assert bench.station.evse(1).car is not None


def test_a_full_car_leaves_when_its_plan_says_so(make_bench: Any) -> None:
    bench = charging(make_bench, soc=79, target=80, stay_after_full=600)
    full_at = 0.01 * 58_000 / 0.9 / 11_040 * 3600
    bench.take()
    bench.advance(full_at + 599)
    assert bench.take() == [("suspend_charging_ev", 1)]
    bench.advance(2)
    told = bench.take()
    assert [fact[0] for fact in told] == ["transaction_stopped", "session_stopped"]
    assert told[0][2:] == ("EVDisconnected", pytest.approx(0.01 * 58_000 / 0.9, abs=3))


def test_a_car_leaves_by_time_before_it_is_full(make_bench: Any) -> None:
    bench = charging(make_bench, soc=20, draw_for=60, stay_after_full=0)
    bench.advance(61)
    assert bench.take()[-2][:3] == ("transaction_stopped", 1, "EVDisconnected")
    assert bench.station.evse(1).car is None


@pytest.mark.parametrize("stay", [0, 30])
def test_a_car_that_comes_full_draws_nothing(make_bench: Any, stay: float) -> None:
    bench = charging(make_bench, soc=80, target=80, stay_after_full=stay)
    told = [fact[0] for fact in bench.take()]
    assert told[:3] == ["session_started", "transaction_started", "suspend_charging_ev"]
    bench.advance(stay + 1)
    assert bench.station.evse(1).register() == 0
    assert bench.station.evse(1).car is None


def test_the_taper_near_full(make_bench: Any) -> None:
    bench = charging(make_bench, soc=90, target=100)
    powers = []
    for _ in range(1000):
        bench.advance(10)
        _, power, soc = shown(bench)
        if power == 0:
            break
        assert power <= CARS["compact"].battery.curve.at(soc) * (1 + 1e-9)
        powers.append(power)
    assert powers[0] == pytest.approx(11_040)
    assert powers == sorted(powers, reverse=True)
    assert powers[-1] < 4_500
    assert shown(bench)[2] == pytest.approx(100)


def test_what_is_taken_from_the_grid_is_more_than_what_gets_in(make_bench: Any) -> None:
    bench = charging(make_bench, soc=10, efficiency=0.8)
    bench.advance(3600)
    energy = bench.station.evse(1).outlet.meter.energy(3600.0)
    assert energy == pytest.approx(11_040)
    assert shown(bench)[2] == pytest.approx(10 + 100 * 0.8 * 11_040 / 58_000)


@pytest.mark.parametrize(
    ("said", "phases", "watts"),
    [
        ({}, 3, 16 * 3 * 230),
        ({}, 1, 16 * 230),
        ({"model": "city"}, 3, 32 * 230),
        ({"model": "fast-ac"}, 3, 32 * 3 * 230),
        ({"model": "plug-in-hybrid"}, 3, 16 * 230),
        ({"current": 10, "phases": 2}, 3, 10 * 2 * 230),
    ],
)
def test_the_on_board_charger_has_its_phases(make_bench: Any, said: Any, phases: int, watts: float) -> None:
    bench = charging(make_bench, options={"phases": phases}, **said)
    told = bench.station.measurement(1)
    assert told.power.total == pytest.approx(watts)
    lines = [told.current.l1, told.current.l2, told.current.l3][: min(phases, bench.station.evse(1).car.phases)]
    assert all(amperes > 0 for amperes in lines)


# Below 6 A


def test_less_than_six_amperes_is_no_offer(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.take(all_of_it=True)
    bench.limit(1, 5.9)
    assert bench.take(all_of_it=True) == [
        ("max_current_offered", 1, 0.0),
        ("max_power_offered", 1, 0.0),
        ("suspend_charging_evse", 1),
    ]
    assert shown(bench)[0] == 0
    bench.advance(3600)
    assert bench.station.evse(1).register() == 0
    bench.limit(1, 6.0)
    assert bench.take() == [("resume_charging", 1)]
    assert shown(bench)[0] == 6
    bench.limit(1, 6 * 3 * 230, unit="W")
    assert bench.take() == []
    bench.limit(1, 6 * 3 * 230 - 1, unit="W")
    assert bench.take() == [("suspend_charging_evse", 1)]


def test_a_car_that_comes_to_too_little_is_suspended_by_the_station(make_bench: Any) -> None:
    bench = make_bench()
    bench.limit(1, 4.0)
    charging(make_bench, bench=bench)
    assert bench.take()[-1] == ("suspend_charging_evse", 1)
    bench.limit(1, None)
    assert bench.take() == [("resume_charging", 1)]


def test_a_car_that_needs_more_than_it_is_offered_suspends_itself(make_bench: Any) -> None:
    bench = charging(make_bench, model="fast-ac")
    bench.take(all_of_it=True)
    bench.limit(1, 8.0)
    assert bench.take(all_of_it=True)[0] == ("max_current_offered", 1, 8.0)
    assert bench.station.evse(1).outlet.flow.name == "SUSPENDED_EV"
    assert shown(bench)[0] == 0
    bench.limit(1, 10.0)
    assert bench.take() == [("resume_charging", 1)]


def test_a_simple_car_draws_whatever_it_is_offered(make_bench: Any) -> None:
    bench = make_bench()
    bench.limit(1, 2.0)
    bench.station.plug_in(1, CarPlan(plug_after=0, draw_after=0, draw_for=inf))
    bench.station.present_id_tag("TAG")
    bench.advance(0)
    assert bench.take()[-1] == ("resume_charging", 1)
    assert bench.station.measurement(1).current.l1 == 2


@pytest.mark.parametrize("sharing", ["equal", "proportional", "off"])
def test_a_fuse_too_small_for_all_lets_those_charge_who_came_first(make_bench: Any, sharing: str) -> None:
    bench = make_bench(3, fuse_limit=14, sharing=sharing)
    for connector in (1, 2, 3):
        charging(make_bench, bench=bench, connector=connector)
        bench.advance(1)
    assert [shown(bench, connector)[0] for connector in (1, 2, 3)] == [7, 7, 0]
    assert [evse.outlet.flow.name for evse in bench.station.evses] == ["CHARGING", "CHARGING", "SUSPENDED_EVSE"]
    bench.station.unplug(1)
    assert [shown(bench, connector)[0] for connector in (2, 3)] == [7, 7]


def test_a_nearly_full_car_keeps_what_a_pilot_can_say_least(make_bench: Any) -> None:
    """Its last amperes are fewer than 6, and those 6 are kept for it."""
    bench = charging(make_bench, 2, soc=99.8, options={"fuse_limit": 22})
    assert shown(bench)[0] < 6
    charging(make_bench, bench=bench, connector=2)
    assert shown(bench, 2)[0] == 16
    assert shown(bench)[0] > 4
    bench.advance(7200)
    assert [evse.outlet.flow.name for evse in bench.station.evses] == ["SUSPENDED_EV", "CHARGING"]


# What else happens


def test_a_pause_and_a_fault_take_nothing(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.advance(1800)
    bench.station.pause_drawing(1)
    bench.advance(5000)
    bench.station.resume_drawing(1)
    bench.advance(900)
    bench.station.raise_fault(1, GROUND)
    bench.advance(5000)
    bench.station.clear_fault(1, GROUND)
    bench.advance(900)
    assert bench.station.evse(1).register() == 11_040
    assert shown(bench)[2] == pytest.approx(20 + 100 * 0.9 * 11_040 / 58_000)


def test_after_a_stop_the_same_car_goes_on_with_its_battery(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.advance(1800)
    bench.ask(bench.station.stop_transaction(1, Reason.REMOTE))
    bench.advance(3600)
    assert bench.station.measurement(1).soc.value == pytest.approx(20 + 100 * 0.9 * 5_520 / 58_000)


@pytest.mark.parametrize("is_reset", [True, False])
def test_a_resumed_session_knows_the_battery(make_bench: Any, new_bench: Any, is_reset: bool) -> None:
    """The station is still the same after the power cut of its charge point."""
    bench = charging(make_bench, options={"power_loss_policy": "resume", "meter_reset_at_plug_in": is_reset}, target=50)
    station, first = bench.station, bench.charge_point
    bench.advance(1799.7)
    before = station.measurement(1).soc.value
    second = new_bench().charge_point
    second.seconds = first.seconds
    second.transactions = first.transactions  # as a store has it
    station.attach(second)
    station.power_up()
    assert ("resume_charging", 1) in second.take()
    assert station.measurement(1).soc.value == pytest.approx(before, abs=1e-9)
    second.advance(1800.3)
    assert station.measurement(1).soc.value == pytest.approx(20 + 100 * 0.9 * 11_040 / 58_000, abs=0.01)
    second.advance(86_400)
    assert station.measurement(1).soc.value == pytest.approx(50)
    assert station.evse(1).outlet.flow.name == "SUSPENDED_EV"
    assert not [fact for fact in first.take() if fact[0] == "suspend_charging_ev"]


def test_another_car_brings_another_battery(make_bench: Any) -> None:
    bench = charging(make_bench, options={"meter_reset_at_plug_in": False})
    bench.advance(3600)
    bench.station.unplug(1)
    charging(make_bench, bench=bench, soc=40)
    assert shown(bench)[2] == 40
    bench.advance(3600)
    assert bench.station.evse(1).register() == 22_080
    assert shown(bench)[2] == pytest.approx(40 + 100 * 0.9 * 11_040 / 58_000)


def test_a_charge_whose_timers_come_late_is_the_same_charge(make_bench: Any) -> None:
    """As where a day passes in seconds: whoever looks only once an hour sees what he would have seen."""
    curve = [[0, 11_000], [30, 9_000], [60, 5_000], [90, 2_500], [100, 1_000]]
    often, once = (charging(make_bench, curve=curve) for _ in range(2))
    for _ in range(24):
        for _ in range(60):
            often.advance(60)
        once.charge_point.seconds += 3600  # nothing of it runs
        assert once.station.measurement(1) == often.station.measurement(1)
    assert once.station.measurement(1).soc.value == pytest.approx(100)
    once.advance(0)
    assert [bench.take()[-1] for bench in (often, once)] == [("suspend_charging_ev", 1)] * 2


BATTERIES = st.builds(
    Battery,
    capacity=st.floats(500, 90_000),
    soc=st.floats(0, 100),
    target=st.floats(30, 100),
    efficiency=st.floats(0.5, 1),
    minimum_current=st.floats(6, 14),
    curve=st.builds(Curve.of, st.sampled_from(["constant", "steady", "early-peak", "late-taper"]), st.floats(3e3, 5e4)),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(BATTERIES, st.floats(6, 63), st.integers(1, 3)), min_size=1, max_size=3),
    st.sampled_from(["equal", "first_come", "proportional", "off"]),
    st.floats(5, 80),
    st.integers(0, 2**32),
)
def test_limits_hold_and_energy_is_kept(
    new_bench: Any, cars: list[tuple[Battery, float, int]], sharing: str, fuse: float, seed: int
) -> None:
    """Never above limit, fuse, cable, on-board charger or curve; never a current of less than 6 A offered; and what the
    meter counts is what the battery gets."""
    chance, count = Random(seed), len(cars)
    bench = new_bench(count, fuse_limit=fuse, sharing=sharing).attach()
    station = bench.station
    limits: list[float | None] = [None] * count
    for number, (battery, current, phases) in enumerate(cars, 1):
        station.plug_in(
            number,
            CarPlan(plug_after=0, draw_after=0, draw_for=inf, current=current, phases=phases, battery=battery),
        )
        station.present_id_tag(f"TAG{number}", [number])
    bench.advance(0)
    for _ in range(40):
        number = chance.randint(1, count)
        match chance.choice(("wait", "wait", "wait", "limit", "pause", "resume", "skip")):
            case "limit":
                amperes = chance.choice((None, 0.0, 5.0, 6.0, 12.5, 40.0))
                limits[number - 1] = amperes
                bench.limit(number, amperes)
            case "pause":
                station.pause_drawing(number)
            case "resume":
                station.resume_drawing(number)
            case "skip":
                bench.charge_point.seconds += chance.choice((1, 1000))  # late timers
            case _:
                bench.advance(chance.choice((0, 1, 60, 1000)))
        total = 0.0
        for (battery, current, _), evse, limit in zip(cars, station.evses, limits, strict=True):
            told = evse.measurement()
            amperes = told.current.l1
            total += amperes
            assert amperes <= min(current, 63.0, fuse, 1e9 if limit is None else limit) * (1 + 1e-9)
            assert told.power.total <= battery.curve.at(told.soc.value) * (1 + 1e-6)
            assert evse.outlet.offered == 0 or evse.outlet.offered >= 6 - 1e-6
            assert amperes == 0 or evse.outlet.offered >= battery.minimum_current - 1e-6
            energy = evse.outlet.meter.energy(bench.charge_point.seconds)
            gained = battery.capacity * (told.soc.value - battery.soc) / 100
            assert battery.efficiency * energy == pytest.approx(gained, rel=1e-9, abs=1e-6)
            assert told.soc.value <= max(battery.soc, battery.target) + 1e-6
        assert total <= fuse * (1 + 1e-9)


@pytest.mark.parametrize("resets", [True, False])
def test_a_battery_that_is_on_its_way_gets_nothing_of_what_the_meter_counted_before(
    make_bench: Any, resets: bool
) -> None:
    bench = make_bench(meter_reset_at_plug_in=resets)
    bench.station.plug_in(1, CarPlan(plug_after=0, draw_after=0, draw_for=inf))
    bench.station.present_id_tag("TAG", [1])
    bench.advance(7200)
    bench.station.unplug(1)
    bench.station.plug_in(1, car_plan({"model": "compact", "soc": 20, "plug_after": 100}))
    bench.advance(50)
    bench.limit(1, 20)  # whatever has the connector looked at
    bench.advance(100)
    assert bench.station.measurement(1).soc.value == 20

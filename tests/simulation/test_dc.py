"""Connectors of DC: what flows is the least of battery, cable, outlet, shared power and limit; and what they tell."""

from math import inf
from random import Random
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from ocpp16.enums import ReadingContext
from ocpp16.simulation.battery import Battery, Curve
from ocpp16.simulation.car import CarPlan
from ocpp16.simulation.car_models import CARS, car_plan
from ocpp16.simulation.dc_meter import DcMeter
from ocpp16.state.measurands import sample


def plan(**said: Any) -> CarPlan:
    return car_plan({"model": "compact", "plug_after": 0, "draw_after": 0, **said})


def charging(bench: Any, connector: int = 1, car: CarPlan | None = None) -> Any:
    bench.station.plug_in(connector, car or plan())
    bench.station.present_id_tag(f"TAG{connector}", [connector])
    bench.advance(0)
    return bench


def shown(bench: Any, connector: int = 1) -> tuple[Any, Any, Any]:
    """V, A, W."""
    told = bench.station.measurement(connector)
    return told.voltage.total, told.current.total, told.power.total


def test_it_gives_the_least_of_battery_cable_and_outlet(make_bench: Any) -> None:
    curve, volts = CARS["compact"].battery.curve, 320 + 0.2 * 90
    for options, watts in (
        ({"dc_power": 150_000, "dc_current": 400}, curve.at(21)),
        ({"dc_power": 50_000, "dc_current": 400}, 50_000),
        ({"dc_power": 150_000, "dc_outlet_power": 75_000, "dc_current": 400}, 75_000),
        ({"dc_power": 150_000, "dc_current": 125}, 125 * volts),
    ):
        bench = charging(make_bench(dc=True, **options))
        assert shown(bench) == pytest.approx((volts, watts / volts, watts))
    bench = charging(make_bench(dc=True, dc_power=150_000, dc_current=400), car=plan(dc_current=100))
    assert shown(bench) == pytest.approx((volts, 100, 100 * volts))


def test_the_voltage_rises_and_the_power_tapers(make_bench: Any) -> None:
    bench = charging(make_bench(dc=True, dc_power=150_000, dc_current=400), car=plan(soc=5, target=95))
    seen = []
    while True:
        bench.advance(60)
        volts, amperes, watts = shown(bench)
        if not watts:
            break
        soc = bench.station.measurement(1).soc.value
        assert watts == pytest.approx(volts * amperes)
        assert watts <= CARS["compact"].battery.curve.at(soc) * (1 + 1e-9)
        seen.append((volts, watts))
    assert [volts for volts, _ in seen] == sorted(volts for volts, _ in seen)
    assert max(watts for _, watts in seen) > 117_000
    assert seen[-1][1] < 16_000
    assert bench.take()[-1] == ("suspend_charging_ev", 1)
    assert shown(bench) == (0, 0, 0)
    energy = bench.station.evse(1).outlet.meter.energy(bench.charge_point.seconds)
    assert 0.96 * energy == pytest.approx(0.9 * 58_000)
    assert bench.station.evse(1).register() == int(energy)


def test_what_dc_reports_has_no_phases(make_bench: Any) -> None:
    bench = charging(make_bench(dc=True))
    names = ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "SoC", "Temperature"]
    told = sample(bench.station.measurement(1), [*names, "Frequency"], ReadingContext.SAMPLE_PERIODIC)
    assert [value["measurand"] for value in told] == names
    assert all("phase" not in value for value in told)
    assert [value.get("location") for value in told] == ["Outlet"] * 4 + ["EV", "Body"]
    assert [value["unit"] for value in told] == ["Wh", "W", "A", "V", "Percent", "Celsius"]


def test_an_idle_outlet_has_no_voltage(make_bench: Any) -> None:
    bench = make_bench(dc=True)
    assert shown(bench) == (0, 0, 0)
    charging(bench)
    bench.limit(1, 0.0, unit="W")
    assert bench.take()[-1] == ("suspend_charging_evse", 1)
    assert shown(bench) == (0, 0, 0)


def test_limits_in_watts_and_in_amperes(make_bench: Any) -> None:
    bench = charging(make_bench(dc=True, dc_power=150_000, dc_current=400))
    bench.take(all_of_it=True)
    bench.limit(1, 33_800.0, unit="W", phases=3)
    volts = 338.0
    assert bench.take(all_of_it=True) == [
        ("max_current_offered", 1, pytest.approx(100.0)),
        ("max_power_offered", 1, 33_800.0),
    ]
    assert shown(bench) == pytest.approx((volts, 100, 33_800))
    assert bench.station.evse(1).limit == pytest.approx(100)
    bench.limit(1, 50.0)
    assert bench.take(all_of_it=True) == [
        ("max_current_offered", 1, pytest.approx(50.0)),
        ("max_power_offered", 1, pytest.approx(50 * volts)),
    ]
    assert shown(bench) == pytest.approx((volts, 50, 50 * volts))
    bench.limit(1, 3.0)
    assert shown(bench) == pytest.approx((volts, 3, 3 * volts))  # there is no pilot, and no 6 A


def test_amperes_offered_follow_the_voltage(make_bench: Any) -> None:
    bench = charging(make_bench(dc=True))
    bench.limit(1, 20_000.0, unit="W")
    bench.take(all_of_it=True)
    bench.advance(3600)
    told = [fact for fact in bench.take(all_of_it=True) if fact[0].startswith("max_")]
    assert {fact[0] for fact in told} == {"max_current_offered"}
    amperes = [fact[2] for fact in told]
    assert amperes == sorted(amperes, reverse=True)
    assert len(amperes) > 20
    assert amperes[-1] == pytest.approx(20_000 / shown(bench)[0])


def test_a_simple_car_is_one_of_400_volts(make_bench: Any) -> None:
    bench = charging(make_bench(dc=True), car=CarPlan(plug_after=0, draw_after=0, current=50, draw_for=3600))
    assert shown(bench) == (400, 50, 20_000)
    assert bench.station.measurement(1).soc.value == 20
    bench.advance(3600)
    assert bench.take()[-2:] == [("transaction_stopped", 1, "EVDisconnected", 20_000), ("session_stopped", 1)]


@pytest.mark.parametrize(
    ("options", "said", "told"),
    [
        ({}, {"model": "plug-in-hybrid"}, "dc_current: the car has no inlet for DC, and connector 1 gives DC"),
        ({}, {"dc_current": None}, "dc_current"),
        ({"dc_voltage": [150, 500]}, {"model": "long-range"}, "voltage: the battery has 620 to 830 V"),
        ({"dc_voltage": [350, 920]}, {}, "voltage: the battery has 320 to 410 V"),
    ],
)
def test_what_the_outlet_cannot_charge_is_refused(make_bench: Any, options: Any, said: Any, told: str) -> None:
    bench = make_bench(dc=True, **options)
    with pytest.raises(ValueError, match=f"^{told}"):
        bench.station.plug_in(1, plan(**said))
    assert bench.station.evse(1).car is None


def test_a_simple_car_needs_an_outlet_of_its_voltage(make_bench: Any) -> None:
    with pytest.raises(ValueError, match=r"^battery: connector 1 gives 500 to 920 V"):
        make_bench(dc=True, dc_voltage=[500, 920]).station.plug_in(1)


def test_the_amperes_of_the_on_board_charger_are_not_of_dc(make_bench: Any) -> None:
    bench = charging(make_bench(dc=True))
    with pytest.raises(ValueError, match=r"^current is of the on-board charger"):
        bench.station.resume_drawing(1, current=10)
    with pytest.raises(ValueError, match=r"^phases is of the on-board charger"):
        bench.station.resume_drawing(1, phases=1)
    before = shown(bench)
    bench.station.pause_drawing(1)
    bench.station.resume_drawing(1)
    assert shown(bench) == before


# Several


@pytest.mark.parametrize(
    ("sharing", "first"), [("equal", 75_000), ("first_come", 97_000), ("proportional", 75_000), ("off", 75_000)]
)
def test_two_plugs_share_their_power_and_one_gets_what_the_other_leaves(
    make_bench: Any, sharing: str, first: float
) -> None:
    bench = make_bench(2, dc=True, dc_power=150_000, dc_current=400, sharing=sharing)
    for connector in (1, 2):
        charging(bench, connector, plan(soc=30.0, curve=[[0, 97_000], [100, 97_000]], target=60))
        bench.advance(1)
    assert shown(bench, 1)[2] == pytest.approx(first)
    assert shown(bench, 2)[2] == pytest.approx(150_000 - first)
    bench.station.pause_drawing(1)
    assert shown(bench, 2)[2] == pytest.approx(97_000)


def test_who_would_take_more_waits_until_it_is_shared_out(make_bench: Any) -> None:
    """Two batteries whose voltage has risen, and with it what their inlets let through, before any timer ran."""
    bench = make_bench(2, dc=True, dc_power=36_000)
    for connector in (1, 2):
        charging(bench, connector, plan(soc=0, curve="constant", dc_current=50))
    assert [shown(bench, connector)[2] for connector in (1, 2)] == pytest.approx([16_000, 16_000])
    bench.charge_point.seconds += 3600
    assert [shown(bench, connector)[0] > 340 for connector in (1, 2)] == [True, True]
    assert [shown(bench, connector)[2] for connector in (1, 2)] == pytest.approx([16_000, 16_000])
    bench.advance(0)
    assert [shown(bench, connector)[2] > 16_900 for connector in (1, 2)] == [True, True]
    bench.advance(4000)
    assert sum(shown(bench, connector)[2] for connector in (1, 2)) == pytest.approx(36_000)


def test_one_of_dc_and_one_of_ac(make_bench: Any) -> None:
    """The fuse is of AC, the power of DC: neither is touched by what the other does."""
    bench = make_bench(2, dc=[True, False], dc_power=50_000, fuse_limit=10)
    charging(bench, 1)
    charging(bench, 2)
    assert shown(bench, 1)[2] == pytest.approx(50_000)
    told = bench.station.measurement(2)
    assert (told.current.l1, told.voltage.total, told.frequency.l1) == (10, None, 50)
    assert [evse.outlet.is_dc for evse in bench.station.evses] == [True, False]


async def test_a_limit_for_the_whole_station_is_shared(autojump_clock: MockClock, site: Any) -> None:
    async with site(dc=True, dc_power=150_000, dc_current=400, units="Power") as here:
        curve = [[0, 90_000], [100, 90_000]]
        for connector in (1, 2):
            await here.charge(connector, draw_for=inf, battery=plan(curve=curve).battery)
        assert [shown(here, number)[2] for number in (1, 2)] == pytest.approx([75_000, 75_000])
        await here.set(0, here.profile("max", (0, 60_000), unit="W"))
        await trio.sleep(1)
        assert [shown(here, number)[2] for number in (1, 2)] == pytest.approx([30_000, 30_000])
        here.station.pause_drawing(1)
        await trio.sleep(1)
        assert [shown(here, number)[2] for number in (1, 2)] == pytest.approx([0, 60_000])
        here.station.resume_drawing(1)
        here.station.unplug(2)
        await trio.sleep(1)
        assert shown(here, 1)[2] == pytest.approx(60_000)


async def test_a_limit_for_the_whole_station_in_amperes(autojump_clock: MockClock, site: Any) -> None:
    async with site(dc=True, dc_power=150_000, dc_current=400, units="Current") as here:
        for connector, car in ((1, "compact"), (2, "long-range")):
            await here.charge(connector, draw_for=inf, battery=CARS[car].battery)
        await here.set(0, here.profile("max", (0, 100)))
        await trio.sleep(1)
        told = [shown(here, number) for number in (1, 2)]
        assert [amperes for _, amperes, _ in told] == pytest.approx([50, 50])
        assert [volts for volts, _, _ in told] == pytest.approx([338, 662], rel=0.02)


@pytest.mark.parametrize("units", ["Power", "Current", "Current,Power", "Power,Current"])
@pytest.mark.parametrize("unit", ["A", "W"])
async def test_a_limit_holds_as_it_was_said(autojump_clock: MockClock, site: Any, units: str, unit: str) -> None:
    """In whichever unit the charge point tells it, and also with a battery of 800 V."""
    if {"A": "Current", "W": "Power"}[unit] not in units:
        return  # such a profile is refused
    async with site(dc=True, dc_power=150_000, dc_current=400, units=units) as here:
        for connector, car in ((1, "compact"), (2, "long-range")):
            battery = car_plan({"model": car, "soc": 90, "power": 250_000, "curve": "constant"}).battery
            await here.charge(connector, draw_for=inf, battery=battery)
            profile = here.profile("tx", (0, 60 if unit == "A" else 30_000), unit=unit, chargingProfileId=connector)
            await here.set(connector, profile)
        await trio.sleep(1)
        for volts, amperes, watts in (shown(here, 1), shown(here, 2)):
            assert watts <= (30_000 if unit == "W" else 60 * 690) * (1 + 1e-9)
            assert unit == "W" or amperes <= 60 * (1 + 1e-9) or units.startswith("Power")
            assert watts == pytest.approx(volts * amperes)
            assert watts > 14_000


async def test_meter_values_on_the_wire(autojump_clock: MockClock, site: Any) -> None:
    wanted = (
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC,Power.Offered,Current.Offered"
    )
    async with site(dc=[True, False], core={"MeterValuesSampledData": wanted, "MeterValueSampleInterval": 60}) as here:
        await here.charge(1, draw_for=inf, battery=plan(soc=50).battery)
        await trio.sleep(600)
        calls = [call.payload for call in here.csms.calls("MeterValues") if call.payload["connectorId"] == 1]
        samples = [meter["sampledValue"] for call in calls for meter in call["meterValue"]]
        assert len(samples) >= 9
        for values in samples:
            assert [value["measurand"] for value in values] == wanted.split(",")
            assert all("phase" not in value for value in values)
            _, power, current, voltage, _, power_offered, current_offered = (float(one["value"]) for one in values)
            assert power == pytest.approx(current * voltage, abs=5)
            assert power <= power_offered + 0.01
            assert current <= current_offered + 0.01
        first, last = ([float(one["value"]) for one in values] for values in (samples[0], samples[-1]))
        gained = 0.96 * (last[0] - first[0]) / 58_000 * 100
        assert last[4] - first[4] == pytest.approx(gained, abs=0.02)
        assert last[3] > first[3]


CARS_OF_DC = st.builds(
    Battery,
    capacity=st.floats(5_000, 100_000),
    soc=st.floats(0, 95),
    target=st.floats(30, 100),
    dc_efficiency=st.floats(0.8, 1),
    curve=st.builds(Curve.of, st.sampled_from(["constant", "early-peak", "steady"]), st.floats(1e4, 3e5)),
    voltage=st.sampled_from([(320.0, 410.0), (600.0, 830.0)]),
    dc_current=st.floats(50, 500),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(CARS_OF_DC, min_size=1, max_size=3),
    st.sampled_from(["equal", "first_come", "proportional", "off"]),
    st.floats(20_000, 300_000),
    st.floats(50, 500),
    st.integers(0, 2**32),
)
def test_limits_hold_and_energy_is_kept(
    new_bench: Any, cars: list[Battery], sharing: str, power: float, cable: float, seed: int
) -> None:
    chance, count = Random(seed), len(cars)
    bench = new_bench(count, dc=True, dc_power=power, dc_current=cable, sharing=sharing).attach()
    station = bench.station
    limits: list[tuple[float, str]] = [(inf, "W")] * count
    for number, battery in enumerate(cars, 1):
        station.plug_in(number, CarPlan(plug_after=0, draw_after=0, draw_for=inf, battery=battery))
        station.present_id_tag(f"TAG{number}", [number])
    bench.advance(0)
    for _ in range(40):
        number = chance.randint(1, count)
        match chance.choice(("wait", "wait", "wait", "limit", "pause", "resume", "skip")):
            case "limit":
                limits[number - 1] = limit = chance.choice(((0.0, "W"), (9_000.0, "W"), (40.0, "A"), (200.0, "A")))
                bench.limit(number, *limit)
            case "pause":
                station.pause_drawing(number)
            case "resume":
                station.resume_drawing(number)
            case "skip":
                bench.charge_point.seconds += chance.choice((1, 300))  # late timers
            case _:
                bench.advance(chance.choice((0, 1, 60, 300)))
        total = 0.0
        for battery, evse, (amount, unit) in zip(cars, station.evses, limits, strict=True):
            told = evse.measurement()
            watts, amperes = told.power.total, told.current.total
            total += watts
            assert amperes <= min(cable, battery.dc_current or 0, amount if unit == "A" else inf) * (1 + 1e-9)
            assert watts <= min(power, battery.curve.at(told.soc.value), amount if unit == "W" else inf) * (1 + 1e-6)
            energy = evse.outlet.meter.energy(bench.charge_point.seconds)
            gained = battery.capacity * (told.soc.value - battery.soc) / 100
            assert battery.dc_efficiency * energy == pytest.approx(gained, rel=1e-9, abs=1e-6)
            assert told.soc.value <= max(battery.soc, battery.target) + 1e-6
        assert total <= power * (1 + 1e-9)


@given(st.floats(0, 500), st.floats(50, 1000), st.floats(0, 500), st.floats(0, 300_000), st.integers(0, 2**32))
def test_noise_lifts_nothing_above_what_is_offered(
    wanted: float, volts: float, amperes: float, watts: float, seed: int
) -> None:
    meter, random = DcMeter(0.0), Random(seed)
    meter.set_load(min(wanted, amperes, watts / volts), volts, 0.0, amperes, watts)
    shown = meter.measurement(1.0, lambda: 1 + 0.05 * (2 * random.random() - 1), None)
    assert shown.current is not None
    assert shown.power is not None
    assert shown.current.total is not None
    assert shown.current.total <= amperes
    assert shown.power.total is not None
    assert shown.power.total <= watts


def test_the_register_of_dc_goes_on_from_the_stored_value(new_bench: Any) -> None:
    bench = new_bench(dc=True, meter_reset_at_plug_in=False)
    bench.charge_point.checkpoints[1] = 1234
    bench.attach()
    assert bench.station.evse(1).register() == 1234
    charging(bench, car=CarPlan(plug_after=0, draw_after=0, current=50, draw_for=3600))
    bench.advance(1800)
    assert bench.station.evse(1).register() == 11_234


def test_a_new_process_resumes_with_a_simple_car(make_bench: Any, new_bench: Any) -> None:
    first = charging(make_bench(dc=True, power_loss_policy="resume"))
    first.advance(600)
    second = new_bench(dc=True, power_loss_policy="resume")
    second.charge_point.transactions = first.charge_point.transactions  # as a store has it
    second.station.attach(second.charge_point)
    second.station.power_up()
    assert second.take()[-1] == ("resume_charging", 1)
    assert shown(second) == (400, 32, 12_800)

"""A car as data: read once, every wrong word named."""

from math import inf
from typing import Any

import pytest

from ocpp16.simulation import CARS, CarPlan, CommandError, Commands, Curve, Operation, car_plan
from ocpp16.simulation.words import from_words


@pytest.fixture
def serve(make_bench: Any) -> Any:
    """Makes (bench of two connectors, its commands)."""

    def make(**options: Any) -> Any:
        bench = make_bench(2, **options)
        return bench, Commands(bench.station, bench.charge_point, Operation(bench.station, bench.charge_point))

    return make


@pytest.mark.parametrize("name", CARS)
def test_every_car_there_is_makes_a_plan(name: str) -> None:
    plan, model = car_plan(name), CARS[name]
    assert plan == car_plan({"model": name}) == model.plan()
    assert (plan.current, plan.phases, plan.battery, plan.draw_for) == (model.current, model.phases, model.battery, inf)
    assert model.battery.curve.peak >= 230 * model.current * model.phases or name == "plug-in-hybrid"


def test_what_is_said_of_a_car_is_its_plan() -> None:
    plan = car_plan(
        {"model": "compact", "soc": 35, "target": 80, "draw_after": 2, "current": 10, "stay_after_full": 60}
    )
    assert plan.battery is not None
    assert (plan.battery.soc, plan.battery.target, plan.battery.capacity) == (35, 80, CARS["compact"].battery.capacity)
    assert (plan.draw_after, plan.current, plan.phases, plan.stay_after_full) == (2, 10, 3, 60)


def test_without_a_word_of_a_battery_it_is_the_simple_car() -> None:
    assert car_plan({}) == CarPlan()
    assert car_plan({"current": 16, "phases": 3, "draw_for": 60}) == CarPlan(current=16, phases=3, draw_for=60)


def test_with_a_word_of_a_battery_it_is_a_compact_one() -> None:
    assert car_plan({"soc": 20}) == car_plan("compact")
    assert car_plan({"capacity": 30_000}).battery != CARS["compact"].battery


def test_curves_by_name_by_power_and_by_points() -> None:
    def curve(**said: Any) -> Curve:
        battery = car_plan({"model": "compact", **said}).battery
        assert battery is not None
        return battery.curve

    usual = CARS["compact"].battery.curve
    assert curve(power=60_000).points == tuple((percent, watts / 2) for percent, watts in usual.points)
    assert curve(curve="steady") == Curve.of("steady", usual.peak)
    assert curve(curve="constant", power=7_000).at(99) == 7_000
    assert curve(curve=[[0, 5_000], [100, 1_000]]).points == ((0, 5_000), (100, 1_000))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"model": "compct"}, "model: there is no 'compct'; did you mean compact?"),
        ({"model": 7}, "model: there is no 7"),
        ({"moxdel": "compact"}, "car has no 'moxdel'; did you mean model?"),
        ({"battery": None}, "car has no 'battery'"),
        ({"soc": "20"}, "soc must be a finite number"),
        ({"soc": 120}, "soc must be 0 to 100 percent, not 120"),
        ({"target": -1}, "target must be"),
        ({"current": 375}, "current must be 0 to 63 A on each phase, which is what a cable carries"),
        ({"model": "city", "current": 64}, "current must be"),
        ({"phases": 4}, "phases must be"),
        ({"dc_current": 600}, "dc_current must be 1 to 500 A, which is what a cable carries, not 600"),
        ({"voltage": [400, 300]}, "voltage must have the lower voltage first"),
        ({"curve": "stedy"}, "curve: there is no 'stedy'; did you mean steady?"),
        ({"curve": [[0, 0], [100, 1]]}, "curve: a power must be"),
        ({"curve": [[0, 1000], [100, 1000]], "power": 5}, "power: a curve of points has its own"),
        ({"power": 0}, "power must be 1 to 500000 W, not 0"),
        ({"power": 1e6}, "power must be"),
        ({"draw_for": -1}, "draw_for must be"),
        ({"stay_after_full": -1}, "stay_after_full must be"),
        ({"stay_after_full": None}, "stay_after_full must be"),
        ({"external_payment": 1}, "external_payment must be True or False"),
        ({"mac": "00:11"}, "mac must be 12 hexadecimal digits"),
        ({"mac": 7}, "mac must be text"),
        ({7: 7}, "car has no 7"),
        ("sedan", "model: there is no 'sedan'"),
        (["compact"], "car must be a mapping"),
        (None, "car must be a mapping"),
    ],
)
def test_what_no_car_is_is_refused_by_name(said: Any, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        car_plan(said)
    assert str(caught.value).startswith(told)


def test_a_plan_takes_no_other_battery() -> None:
    with pytest.raises(ValueError, match=r"^battery must be a Battery"):
        CarPlan(battery={"soc": 20})  # type: ignore[arg-type]


async def test_the_command_plugs_in_a_car_by_its_name(serve: Any) -> None:
    bench, commands = serve()
    await commands.run("plug_in", {"connector": 1, "car": "compact", "soc": 20, "target": 80, "stay_after_full": 30})
    assert bench.station.evse(1).car.plan == car_plan(
        {"model": "compact", "soc": 20, "target": 80, "stay_after_full": 30}
    )
    await commands.run("plug_in", {"connector": 2, "car": {"capacity": 30_000}, "current": 8, "draw_for": 60})
    assert bench.station.evse(2).car.plan == car_plan({"capacity": 30_000, "current": 8, "draw_for": 60})


async def test_the_command_without_a_car_is_what_it_was(serve: Any) -> None:
    bench, commands = serve()
    await commands.run("plug_in", {"connector": 1})
    await commands.run("plug_in", {"connector": 2, "phases": 3, "plug_after": 0})
    assert bench.station.evse(1).car.plan == CarPlan()
    assert bench.station.evse(2).car.plan == CarPlan(phases=3, plug_after=0)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"car": "sedan"}, "model: there is no 'sedan'"),
        ({"car": 7}, "car must be the name of a kind of car, or an object of JSON"),
        ({"car": {"soc": 20}, "soc": 30}, "soc: it is said of the car already"),
        ({"car": {"soc": 200}}, "soc must be"),
        ({"soc": 200}, "soc must be a number from 0 to 100"),
        ({"car": {"colour": "red"}}, "car has no 'colour'"),
    ],
)
async def test_the_command_names_what_no_car_is(serve: Any, said: Any, told: str) -> None:
    bench, commands = serve()
    with pytest.raises(CommandError, match=told) as caught:
        await commands.run("plug_in", {"connector": 1, **said})
    assert caught.value.code == "bad_value"
    assert bench.station.evse(1).car is None


async def test_the_command_at_an_outlet_that_the_car_does_not_go_with(serve: Any) -> None:
    _, commands = serve(dc=[True, False])
    with pytest.raises(CommandError, match="dc_current: the car has no inlet for DC") as caught:
        await commands.run("plug_in", {"connector": 1, "car": "plug-in-hybrid"})
    assert caught.value.code == "bad_value"
    await commands.run("plug_in", {"connector": 2, "car": "plug-in-hybrid"})


@pytest.mark.parametrize(
    ("line", "car"),
    [
        ("plug_in 1 car=city soc=35 target=80", {"car": "city", "soc": 35, "target": 80}),
        ('plug-in 1 car={"model": "city", "soc": 5}', {"car": {"model": "city", "soc": 5}}),
    ],
)
def test_a_car_as_a_person_types_it(line: str, car: dict[str, Any]) -> None:
    assert from_words(line) == ("plug_in", {"connector": 1, **car})

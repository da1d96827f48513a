"""Cars that a new process finds at its connectors: battery, curve and plan are those of the process before."""

import json
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest

from ocpp16.simulation import SimulatedStation
from ocpp16.simulation.car import CarPlan
from ocpp16.simulation.car_models import CARS, car_plan, words_of
from ocpp16.simulation.parked_cars import ParkedCars

Processes = Callable[..., Any]


@pytest.fixture
def process(new_bench: Any, tmp_path: Path) -> Processes:
    """A new one, with a station of its own, that has the file of the one before, and what that one stored."""

    def begun(before: Any = None, **options: Any) -> Any:
        bench = new_bench()
        bench.station = SimulatedStation(
            {"meter_interval": 0, "meter_noise": 0, "phases": 3, "power_loss_policy": "resume", **options},
            cars=tmp_path / "cars.json",
        )
        if before is not None:
            bench.charge_point.seconds = before.charge_point.seconds
            bench.charge_point.transactions = before.charge_point.transactions
            for transaction in bench.charge_point.transactions:
                transaction.meter_last = before.station.evse(1).register()  # as the last that was stored has it
        bench.station.attach(bench.charge_point)
        bench.station.power_up()
        return bench

    return begun


def charging(bench: Any, **car: Any) -> Any:
    bench.station.plug_in(1, car_plan({"plug_after": 0, "draw_after": 0, **car}))
    bench.station.present_id_tag("TAG", [1])
    bench.advance(0)
    return bench


def soc(bench: Any) -> float:
    found: float = bench.station.measurement(1).soc.value
    return found


@pytest.mark.parametrize("is_reset", [True, False])
def test_a_battery_goes_on_where_it_was(process: Processes, is_reset: bool) -> None:
    first = charging(process(meter_reset_at_plug_in=is_reset), model="compact", soc=20, target=50)
    first.advance(1800)
    second = process(first, meter_reset_at_plug_in=is_reset)
    assert soc(second) == pytest.approx(soc(first), abs=0.01)
    assert soc(second) > 25
    assert second.station.measurement(1).current.l1 == 16
    second.advance(86_400)
    assert soc(second) == pytest.approx(50, abs=0.01)
    assert second.station.evse(1).outlet.flow.name == "SUSPENDED_EV"


def test_one_that_was_full_stays_full(process: Processes) -> None:
    first = charging(process(), model="compact", soc=49, target=50)
    first.advance(86_400)
    second = process(first)
    second.advance(10)
    assert second.station.evse(1).outlet.flow.name == "SUSPENDED_EV"
    assert soc(second) == pytest.approx(50, abs=0.01)


def test_a_plan_goes_on_by_the_time_that_passed(process: Processes) -> None:
    first = charging(process(), draw_for=1000, current=10)
    first.advance(400)
    second = process(first)
    second.advance(500)
    assert second.station.measurement(1).current.l1 == 10
    second.advance(200)
    assert second.station.evse(1).car is None


def test_the_one_that_went_is_not_there(process: Processes) -> None:
    first = charging(process(), model="compact")
    first.station.unplug(1)
    assert process(first).station.evse(1).car is None
    assert ParkedCars(first.station.parked._path, print).found(1) is None


def test_one_without_a_transaction_has_gone_with_its_process(process: Processes) -> None:
    first = process()
    first.station.plug_in(1, car_plan({"model": "compact", "plug_after": 0}))
    first.advance(0)
    assert first.station.parked.found(1) is not None
    second = process()
    assert second.station.evse(1).car is None
    assert second.station.parked.found(1) is None


@pytest.mark.parametrize("name", ["", *CARS])
def test_words_of_a_plan_make_the_same_plan(name: str) -> None:
    plan = CARS[name].plan(diode_fault_after=7.0) if name else CarPlan(draw_for=inf, mac="AA:BB:CC:DD:EE:FF")
    assert car_plan(json.loads(json.dumps(words_of(plan)))) == plan


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "cannot be read: Expecting value"),
        ("[]", "cannot be read: it must be an object, not []"),
        ("[" * 100_000, "cannot be read: "),
        ('{"1": 7}', "is none: it must be an object, not 7"),
        ('{"1": {"car": {"soc": 101}, "energy": 0}}', "is none: soc must be 0 to 100 percent, not 101"),
        ('{"1": {"car": {}, "energy": "much"}}', "is none: energy must be"),
    ],
)
def test_a_file_that_is_wrong_costs_the_car_alone(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "cars.json"
    path.write_text(content)
    told: list[str] = []
    cars = ParkedCars(path, told.append)
    assert cars.found(1) is None
    assert [why in one for one in told] == [True]
    cars.park(1, CarPlan(), 5.0)
    found = ParkedCars(path, told.append).found(1)
    assert found is not None
    assert found == (CarPlan(), 5.0)


def test_a_disk_that_takes_nothing_costs_the_car_alone(tmp_path: Path) -> None:
    told: list[str] = []
    ParkedCars(tmp_path / "none" / "cars.json", told.append).park(1, CarPlan(), 5.0)
    assert ["the cars cannot be written to" in one for one in told] == [True]

"""The cars of a scenario: what a driver comes with, and where it can be plugged in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from random import Random
from typing import Any

from ocpp16.fleet import Blueprint
from ocpp16.scenario.distribution import Distribution
from ocpp16.scenario.model import Drivers, Scenario, StoryFault
from ocpp16.simulation import CarPlan
from ocpp16.simulation.car_models import car_plan
from ocpp16.simulation.dc_outlet import refuse_at_dc


def plan_of(car: Mapping[str, Any], soc: Distribution | None, chance: Random) -> CarPlan:
    """The plan of a car of a scenario: plugged in at once, and there until its driver comes, unless it says otherwise.
    Raises ValueError for what no car does."""
    plan = car_plan({"plug_after": 0.0, "draw_for": inf, **car})
    if soc is None or plan.battery is None:
        return plan
    battery = plan.battery
    return replace(plan, battery=replace(battery, soc=min(soc.draw(chance), battery.target)))


def drawn_plan(drivers: Drivers, chance: Random) -> CarPlan:
    """That of one of these drivers."""
    (car,) = chance.choices([car for _, car in drivers.cars], [share for share, _ in drivers.cars])
    return plan_of(car, drivers.soc, chance)


def car_fault(scenario: Scenario, made_of: Sequence[Blueprint]) -> StoryFault | None:
    """The first car that no connector of these stations takes: its drivers would be turned away wherever they come."""
    stations = [blueprint for blueprint in made_of if _is_dc_only(blueprint)]
    if not stations or len(stations) < len(made_of):
        return None
    for number, drivers in enumerate(scenario.drivers, 1):
        for place, (share, car) in enumerate(drivers.cars, 1):
            why = _refusal(plan_of(car, None, Random(0)), stations) if share else ""  # noqa: S311 - nothing is drawn
            if why:
                return StoryFault(f"[[drivers]] {number}", "cars", f"nobody can plug in number {place}: {why}")
    return None


def _is_dc_only(blueprint: Blueprint) -> bool:
    dc = blueprint.station_options.dc
    return dc if isinstance(dc, bool) else all(dc)


def _refusal(plan: CarPlan, stations: list[Blueprint]) -> str:
    """Why none of them takes it; empty if one does."""
    why = ""
    for one in stations:
        try:
            refuse_at_dc(one.station_options, 1, plan)
        except ValueError as error:
            why = f"{one.name}: {error}"
        else:
            return ""
    return why

"""How much more, or less, of a scenario comes than is written: of its drivers, and of its time."""

from typing import Final

from ocpp16.scenario.model import Arrivals, Per, Scenario, StageKind
from ocpp16.texts import shown

MOST_DRAWN: Final = 1_000_000
"""Moments of arrivals of one sort of drivers at one charge point that are drawn at a time."""


def stretch_of(scenario: Scenario, duration: float | None) -> float:
    """How many times longer than written the stages that hold take, to take so many seconds in all. Raises ValueError
    where none does."""
    if duration is None:
        return 1.0
    held = sum(stage.duration for stage in scenario.acts if stage.kind is StageKind.HOLD)
    if not held:
        raise ValueError(f"duration: no stage of {shown(scenario.name, 64)} holds")
    return duration / held


def pace_of(scenario: Scenario, charge_points: int, of_all: int, rate: float | None) -> float:
    """How many times more drivers come than is written, for `rate` arrivals a second at these charge points of all that
    play. Raises ValueError where they would be too many to be drawn, and where nothing says how often they come."""
    if rate is None or not scenario.drivers:
        return 1.0
    written = sum(
        arrivals_per_second(drivers.arrivals) * (1 / of_all if drivers.arrivals.per is Per.FLEET else 1) * charge_points
        for drivers in scenario.drivers
    )
    if not written:
        raise ValueError(f"rate: the drivers of {shown(scenario.name, 64)} come once, at their moments: they have none")
    pace = rate / written
    for drivers in scenario.drivers:
        drawn = drivers.arrivals.count * pace
        if drivers.arrivals.kind in ("uniform", "drawn") and drawn > MOST_DRAWN:
            raise ValueError(
                f"rate: {rate:g} drivers a second would be {drawn:,.0f} {shown(drivers.name, 64)} at a time, which are"
                f" more than {MOST_DRAWN:,}"
            )
    return pace


def arrivals_per_second(arrivals: Arrivals) -> float:
    """Of one charge point (or the fleet), in the mean, as far as it is known: moments without a period have none."""
    match arrivals.kind:
        case "poisson":
            return float(arrivals.rate / 3600.0)
        case "every":
            return float(1.0 / arrivals.seconds)
    count = len(arrivals.moments) if arrivals.kind == "fixed" else arrivals.count
    span = arrivals.period or (arrivals.end - arrivals.begin if arrivals.kind == "uniform" else 0.0)
    return float(count / span) if span else 0.0

"""Cars by the kind of car they are, and a car as data: what a scenario or a command says of one becomes a plan.

`car_plan` is the one place where a car is read from a mapping. The cars are of no maker: numbers that are usual for
their kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import Any, Final

from ocpp16.simulation.battery import Battery, Curve, power
from ocpp16.simulation.car import CarPlan
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown
from ocpp16.values import described, pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class CarModel:
    """A kind of car: its name, its battery, and its on-board charger (A on each of so many phases)."""

    name: str
    battery: Battery
    current: float
    phases: int

    def plan(self, **changes: Any) -> CarPlan:
        """It comes, charges to its target, and stays until it is unplugged; `changes` to that. Raises ValueError."""
        usual: dict[str, Any] = {
            "current": self.current,
            "phases": self.phases,
            "draw_for": inf,
            "battery": self.battery,
        }
        return CarPlan(**{**usual, **changes})


def _car(
    name: str,
    capacity: float,
    on_board: tuple[float, int],
    peak: float,
    shape: str,
    voltage: tuple[float, float],
    dc_current: float | None,
    **others: float,
) -> CarModel:
    battery = Battery(
        capacity=capacity,
        curve=Curve.of(shape, peak),
        voltage=voltage,
        dc_current=dc_current,
        **others,
    )
    return CarModel(name=name, battery=battery, current=on_board[0], phases=on_board[1])


CARS: Final[Mapping[str, CarModel]] = MappingProxyType(
    {
        made.name: made
        for made in (
            _car("plug-in-hybrid", 12_000, (16, 1), 3_700, "late-taper", (280, 350), None, efficiency=0.88),
            _car("city", 24_000, (32, 1), 40_000, "late-taper", (300, 390), 125),
            _car("compact", 58_000, (16, 3), 120_000, "early-peak", (320, 410), 350),
            _car("family", 77_000, (16, 3), 150_000, "steady", (330, 420), 400),
            _car("long-range", 100_000, (16, 3), 250_000, "early-peak", (620, 830), 400, dc_efficiency=0.97),
            _car("fast-ac", 52_000, (32, 3), 50_000, "late-taper", (320, 400), 130, minimum_current=10.0),
            _car("van", 68_000, (16, 3), 100_000, "steady", (330, 420), 280),
            _car("truck", 400_000, (32, 3), 350_000, "late-taper", (600, 800), 500, dc_efficiency=0.97),
        )
    }
)
"""By name."""
USUAL_CAR: Final = "compact"
"""Where a battery is spoken of and no model."""

_BATTERY: Final = (
    "capacity",
    "soc",
    "target",
    "efficiency",
    "dc_efficiency",
    "minimum_current",
    "voltage",
    "dc_current",
)
_CURVE: Final = ("curve", "power")
_PLAN: Final = (
    "plug_after",
    "draw_after",
    "current",
    "phases",
    "draw_for",
    "diode_fault_after",
    "stay_after_full",
    "external_payment",
    "mac",
)
CAR_FIELDS: Final = ("model", *_BATTERY, *_CURVE, *_PLAN)
"""What may be said of a car."""


def car_model(name: object) -> CarModel:
    """The kind of car of this name. Raises ValueError for an unknown one."""
    found = CARS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(
            f"model: there is no {shown(described(name), 64)}{did_you_mean(name, CARS)}; there are {', '.join(CARS)}"
        )
    return found


def car_plan(said: Mapping[str, Any] | str) -> CarPlan:
    """The plan of a car that is described by a mapping as JSON and TOML have them, or by the name of its model.

    Fields: `model`, one of `CARS`; `soc`, `target` (percent), `capacity` (Wh), `curve` (the name of a ready-made one,
    or pairs [percent, W]), `power` (W, the highest of a ready-made one), `efficiency`, `dc_efficiency`,
    `minimum_current` (A), `voltage` (V empty and full), `dc_current` (A; null: no inlet for DC), and all that a
    `CarPlan` has but `battery` and `contract`. Without a model or any word of a battery it is the simple car of
    `CarPlan`; with a word of a battery and no model it is a "compact" one. A car with a battery draws until it is full,
    unless `draw_for` says otherwise. Raises ValueError that names the field.
    """
    if isinstance(said, str):
        return car_model(said).plan()
    given = dict(pairs(said, "car"))
    for name in given:
        if name not in CAR_FIELDS:
            raise ValueError(f"car has no {shown(described(name), 64)}{did_you_mean(name, CAR_FIELDS)}")
    changes = {name: given[name] for name in _PLAN if name in given}
    if not any(name in given for name in ("model", *_BATTERY, *_CURVE)):
        return CarPlan(**changes)
    model = car_model(given.get("model", USUAL_CAR))
    battery = {name: given[name] for name in _BATTERY if name in given}
    if any(name in given for name in _CURVE):
        battery["curve"] = _curve(model, given)
    return model.plan(battery=replace(model.battery, **battery), **changes)


def words_of(plan: CarPlan) -> dict[str, Any]:
    """What `car_plan` makes this plan of again, but for its contract."""
    words = {name: getattr(plan, name) for name in _PLAN if getattr(plan, name) not in (None, "")}
    battery = plan.battery
    if battery is not None:
        words |= {name: getattr(battery, name) for name in _BATTERY}
        words["curve"] = [list(point) for point in battery.curve.points]
    return words


def _curve(model: CarModel, given: Mapping[str, Any]) -> Curve:
    usual = model.battery.curve
    peak = power(given.get("power", usual.peak), "power")
    curve = given.get("curve")
    if curve is None:
        return Curve(tuple((percent, peak * (watts / usual.peak)) for percent, watts in usual.points))
    if isinstance(curve, str):
        return Curve.of(curve, peak)
    if "power" in given:
        raise ValueError("power: a curve of points has its own")
    return Curve(curve)

"""How long, how much: values that differ from driver to driver, drawn from a distribution."""

import math
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any, Final

from ocpp16.scenario.kinds import LONGEST_TIME, Either, Field, Kind, Many, Number, Record, Tagged
from ocpp16.scenario.problems import Place

MOST_TRIES: Final = 100
"""Draws of a bounded distribution, after which the nearer bound is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """kind: constant, uniform, normal, lognormal, exponential or choice; `first` and `second` are its parameters: the
    value; low and high; mean and deviation; median and sigma; mean. values, weights: of choice. Nothing below `least`
    or above `most` is drawn."""

    kind: str = "constant"
    first: float = 0.0
    second: float = 0.0
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    least: float = 0.0
    most: float = inf

    def draw(self, random: Random) -> float:
        """One value."""
        match self.kind:
            case "constant":
                return self.first
            case "uniform":
                return random.uniform(self.first, self.second)
            case "choice":
                return random.choices(self.values, self.weights or None)[0]
        value = 0.0
        for _ in range(MOST_TRIES):
            match self.kind:
                case "normal":
                    value = random.gauss(self.first, self.second)
                case "lognormal":
                    value = random.lognormvariate(math.log(self.first), self.second)
                case _:
                    value = random.expovariate(1.0 / self.first)
            if self.least <= value <= self.most:
                return value
        return min(max(value, self.least), self.most)


def constant(value: float) -> Distribution:
    """The one value."""
    return Distribution(first=value)


def distribution(low: float = 0.0, high: float = LONGEST_TIME) -> Kind:
    """The kind of a value from `low` to `high`: a number, or a table that says how it is drawn."""
    value = Number(low, high)
    positive = Number(max(low, 1e-9), high)
    bounds = (Field("least", value, low, "nothing less is drawn"), Field("most", value, high, "nothing more is drawn"))

    def uniform(*, low: float, high: float) -> Distribution:
        if high < low:
            raise ValueError(f"high must be {low:g} or more, not {high:g}")
        return Distribution(kind="uniform", first=low, second=high)

    def bounded(kind: str, first: float, second: float, least: float, most: float) -> Distribution:
        if most < least:
            raise ValueError(f"most must be {least:g} or more, not {most:g}")
        return Distribution(kind=kind, first=first, second=second, least=least, most=most)

    def normal(*, mean: float, deviation: float, least: float, most: float) -> Distribution:
        return bounded("normal", mean, deviation, least, most)

    def lognormal(*, median: float, sigma: float, least: float, most: float) -> Distribution:
        return bounded("lognormal", median, sigma, least, most)

    def exponential(*, mean: float, least: float, most: float) -> Distribution:
        return bounded("exponential", mean, 0.0, least, most)

    def choice(*, values: tuple[float, ...], weights: tuple[float, ...] = ()) -> Distribution:
        if weights and (len(weights) != len(values) or not sum(weights)):
            raise ValueError("weights must be as many as values, and not all of them 0")
        return Distribution(kind="choice", values=values, weights=weights)

    table = Tagged(
        "kind",
        {
            "constant": Record((Field("value", value),), lambda *, value: constant(value), "kind"),
            "uniform": Record((Field("low", value), Field("high", value)), uniform, "kind"),
            "normal": Record((Field("mean", value), Field("deviation", Number()), *bounds), normal, "kind"),
            "lognormal": Record((Field("median", positive), Field("sigma", Number(0, 10)), *bounds), lognormal, "kind"),
            "exponential": Record((Field("mean", positive), *bounds), exponential, "kind"),
            "choice": Record(
                (Field("values", Many(value, 1, 1_000)), Field("weights", Many(Number(), 1, 1_000), None)),
                choice,
                "kind",
            ),
        },
    )
    return Either(_Constant(value), table)


@dataclass(frozen=True, slots=True)
class _Constant:
    """A number that stands for a distribution."""

    of: Number

    def read(self, value: Any, place: Place) -> Distribution:
        return constant(self.of.read(value, place))

    @property
    def schema(self) -> dict[str, Any]:
        return self.of.schema

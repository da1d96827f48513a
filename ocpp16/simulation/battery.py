"""The battery of a car: what it takes at which state of charge, and what it holds by now.

Rules of this file:
1. Power, and the charging curve, are what is taken at the plug. `efficiency` of it (DC: `dc_efficiency`) gets into the
   battery, and only that counts for the state of charge.
2. Between two edges (whole percents, quarters of one where the curve falls steeply, points of the curve, the target)
   the battery takes the same power all the time: the least of the curve there. So it is never above the curve, energy
   is power times time, and a charge from 0 to 100 % is some hundred steps.
3. At the target it takes nothing any more.

Nothing here knows a clock or a meter: whoever has them tells the register and the time.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import floor, inf
from types import MappingProxyType
from typing import Any, Final

from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown
from ocpp16.values import described, finite, items

PILOT_MINIMUM: Final = 6.0
"""Amperes on each phase; less cannot be said to a car (IEC 61851-1, control pilot), so it is no offer."""
DC_CABLE_RATING: Final = 500.0
"""Amperes; no cable of CCS carries more, so no outlet and no car may have more."""
HIGHEST_DC_VOLTAGE: Final = 1_000.0
"""Volts of CCS."""
MOST_POWER: Final = DC_CABLE_RATING * HIGHEST_DC_VOLTAGE
"""Watts that any plug carries."""
MOST_POINTS: Final = 101
"""Of a charging curve."""
SMALLEST_CAPACITY: Final = 100.0
LARGEST_CAPACITY: Final = 10_000_000.0
"""Wh."""
LARGEST_AC_MINIMUM: Final = 32.0
"""Amperes; no car needs more to begin."""

_STEEP: Final = 0.9
"""A curve that falls to less than this part within a percent is steep there."""
_PARTS_WHERE_STEEP: Final = 4

_SHAPES: Final[Mapping[str, tuple[tuple[float, float], ...]]] = MappingProxyType(
    {
        "constant": ((0, 1.0), (100, 1.0)),
        "steady": ((0, 0.95), (10, 1.0), (70, 0.9), (80, 0.75), (90, 0.4), (100, 0.04)),
        "early-peak": ((0, 0.7), (8, 1.0), (30, 0.95), (50, 0.65), (70, 0.45), (80, 0.35), (90, 0.18), (100, 0.03)),
        "late-taper": ((0, 1.0), (90, 1.0), (97, 0.5), (100, 0.05)),
    }
)
"""Percent of charge, part of the highest power."""
SHAPES: Final = tuple(_SHAPES)
"""Names of ready-made curves."""


def power(value: Any, name: str) -> float:
    """`value`, if it is a power that a plug carries, W, and more than none. Raises ValueError."""
    return within(value, name, 1, MOST_POWER, "W")


def within(value: Any, name: str, low: float, high: float, unit: str = "") -> float:
    """`value`, if it is a number from `low` to `high`. Raises ValueError naming it."""
    number = finite(value, name)
    if not low <= number <= high:
        raise ValueError(f"{name} must be {low:g} to {high:g}{unit and ' ' + unit}, not {described(value)}")
    return number


@dataclass(frozen=True, slots=True)
class Curve:
    """The most that is taken at the plug, W, at a state of charge, percent: linear between `points`, which go from 0 to
    100 percent. Raises ValueError for what is no such curve; nowhere may it be 0, for then no charge would end.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        points = tuple(_point(given) for given in items(self.points, "curve", "pairs [percent, W]"))
        if not 2 <= len(points) <= MOST_POINTS:
            raise ValueError(f"curve must have 2 to {MOST_POINTS} points, not {len(points)}")
        if points[0][0] != 0 or points[-1][0] != 100:
            raise ValueError("curve must go from 0 to 100 percent")
        if any(later[0] <= earlier[0] for earlier, later in pairwise(points)):
            raise ValueError("curve must have its points in the order of percents, each once")
        object.__setattr__(self, "points", points)

    @classmethod
    def of(cls, shape: str, peak: float) -> "Curve":
        """The ready-made one of this name with `peak` as its highest power, W. Raises ValueError."""
        known = _SHAPES.get(shape) if isinstance(shape, str) else None
        if known is None:
            raise ValueError(
                f"curve: there is no {shown(described(shape), 64)}{did_you_mean(shape, SHAPES)}; "
                f"there are {', '.join(SHAPES)}"
            )
        most = power(peak, "power")
        return cls(tuple((percent, part * most) for percent, part in known))

    def at(self, soc: float) -> float:
        """W at this state of charge, percent."""
        points = self.points
        after = min(max(bisect_right(points, (soc, inf)), 1), len(points) - 1)
        (low, begin), (high, end) = points[after - 1], points[after]
        part = min(max((soc - low) / (high - low), 0.0), 1.0)
        return begin * (1.0 - part) + end * part

    def edge_after(self, soc: float) -> float:
        """The next percent at which the power is to be looked at anew."""
        after = bisect_right(self.points, (soc, inf))
        point = self.points[after][0] if after < len(self.points) else 100.0
        percent = floor(soc)
        is_steep = self.at(percent + 1.0) < _STEEP * self.at(percent)
        parts = _PARTS_WHERE_STEEP if is_steep else 1
        return min(point, (floor(soc * parts) + 1.0) / parts)

    def holds_until(self, soc: float, watts: float) -> float:
        """Up to which percent it is `watts` or more, from `soc` on; `soc` where it is less there already."""
        low, begin = soc, self.at(soc)
        if begin < watts:
            return soc
        for high, end in self.points[bisect_right(self.points, (soc, inf)) :]:
            if end < watts:
                return low + (high - low) * (begin - watts) / (begin - end)
            low, begin = high, end
        return 100.0

    @property
    def peak(self) -> float:
        """The highest power, W."""
        return max(watts for _, watts in self.points)


def _point(given: Any) -> tuple[float, float]:
    pair = items(given, "curve", "pairs [percent, W]")
    if len(pair) != 2:
        raise ValueError(f"curve must have pairs [percent, W] as its points, not {len(pair)} values")
    return within(pair[0], "curve: a percent", 0, 100), power(pair[1], "curve: a power")


USUAL_CURVE: Final = Curve.of("steady", 100_000.0)
"""Of a battery of which nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery as it arrives, and how it is charged. Raises ValueError naming what no car has.

    capacity: Wh. soc: percent at the arrival; target: percent at which it takes no more. curve: the most it takes.
    efficiency: part of the energy of an AC outlet that gets into it; dc_efficiency: of a DC outlet. minimum_current: A
    on each phase that the on-board charger needs, never below the 6 A of IEC 61851. voltage: V when it is empty and
    when it is full. dc_current: A that its inlet for DC carries; None: it has none.
    """

    capacity: float = 60_000.0
    soc: float = 20.0
    target: float = 100.0
    curve: Curve = USUAL_CURVE
    efficiency: float = 0.9
    dc_efficiency: float = 0.96
    minimum_current: float = PILOT_MINIMUM
    voltage: tuple[float, float] = (320.0, 410.0)
    dc_current: float | None = 300.0

    def __post_init__(self) -> None:
        within(self.capacity, "capacity", SMALLEST_CAPACITY, LARGEST_CAPACITY, "Wh")
        within(self.soc, "soc", 0, 100, "percent")
        within(self.target, "target", 0, 100, "percent")
        if not isinstance(self.curve, Curve):
            raise ValueError(f"curve must be a Curve, not {described(self.curve)}")
        within(self.efficiency, "efficiency", 0.5, 1)
        within(self.dc_efficiency, "dc_efficiency", 0.5, 1)
        within(self.minimum_current, "minimum_current", PILOT_MINIMUM, LARGEST_AC_MINIMUM, "A")
        object.__setattr__(self, "voltage", voltage_range(self.voltage, "voltage"))
        if self.dc_current is not None:
            within(self.dc_current, "dc_current", 1, DC_CABLE_RATING, "A, which is what a cable carries")

    def volts(self, soc: float) -> float:
        """V at this state of charge, percent."""
        empty, full = self.voltage
        return empty + (full - empty) * soc / 100.0


def voltage_range(value: Any, name: str) -> tuple[float, float]:
    """`value`, if it is two voltages, the lower one first. Raises ValueError naming it."""
    pair = items(value, name, "two voltages")
    if len(pair) != 2:
        raise ValueError(f"{name} must be two voltages, not {len(pair)}")
    low, high = (within(volts, name, 50, HIGHEST_DC_VOLTAGE, "V") for volts in pair)
    if low > high:
        raise ValueError(f"{name} must have the lower voltage first")
    return low, high


class Pack:
    """A battery while its car is there. `until`: monotonic seconds at which the next edge is reached; inf: not at all.

    Who has the meter says so by `connect` (what it shows when the battery begins to count from it), `take` (what it
    shows now), `flow` (how much is taken from now on) and `reach` (it is `until`).
    """

    __slots__ = ("_edge", "_mark", "_reached", "_share", "battery", "claimed", "is_dc", "level", "until")

    def __init__(self, battery: Battery, *, is_dc: bool) -> None:
        self.battery: Battery = battery
        self.is_dc: bool = is_dc
        self._share = battery.dc_efficiency if is_dc else battery.efficiency
        """Of what is taken at the plug."""
        self.level: float = battery.capacity * battery.soc / 100.0
        """Wh in it."""
        self._mark: float | None = None
        """Wh that the meter showed when the level was last brought up to date; None: it is not plugged in yet."""
        self._reached = self._edge = battery.soc
        """The last edge, which rounding must not bring back; the next one."""
        self.claimed: float = 0.0
        """What was claimed for it, in the unit of its outlet: it is given no more."""
        self.until: float = inf

    @property
    def soc(self) -> float:
        """Percent."""
        return min(100.0, 100.0 * self.level / self.battery.capacity)

    @property
    def is_full(self) -> bool:
        """Is the target reached?"""
        return self._reached >= self.battery.target

    @property
    def volts(self) -> float:
        """V until the next edge."""
        return self.battery.volts(self._reached)

    @property
    def bound(self) -> float:
        """The most it takes at the plug until the next edge, W."""
        if self.is_full:
            return 0.0
        curve, soc = self.battery.curve, max(self.soc, self._reached)
        return min(curve.at(soc), curve.at(curve.edge_after(soc)))

    def connect(self, energy: float) -> None:
        """The meter shows `energy` Wh, and counts on from there."""
        self._mark = energy

    def take(self, energy: float) -> None:
        """The meter shows `energy` Wh, of which nothing is its own before it is connected."""
        if self._mark is not None:
            self.level += self._share * (energy - self._mark)
            self._mark = energy

    def found(self, plugged_at: float, energy: float) -> None:
        """It was plugged in when the meter showed so many Wh, which shows `energy` now."""
        self.connect(plugged_at)
        self.take(max(energy, plugged_at))
        self._reached = self._edge = max(self._reached, self.soc)

    def flow(self, watts: float, now: float) -> None:
        """From now on it is given `watts`, at most its `bound`. What it was given before is taken already."""
        if watts <= 0.0 or self.is_full:
            self.until = inf
            return
        battery, soc = self.battery, max(self.soc, self._reached)
        edge = battery.curve.edge_after(soc)
        if watts < self.bound and not self.is_dc:
            edge = max(edge, battery.curve.holds_until(soc, watts))  # nothing changes before
        self._edge = min(edge, battery.target)
        missing = max(0.0, battery.capacity * self._edge / 100.0 - self.level)
        self.until = now + 3600.0 * missing / (self._share * watts)

    def reach(self, energy: float) -> None:
        """It is `until`, and the meter shows `energy` Wh: the edge is reached."""
        self.take(energy)
        self._reached = max(self._reached, self._edge)
        self.until = inf

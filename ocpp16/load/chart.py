"""Lines over an axis as a picture in HTML: SVG for what is drawn, text beside it for what is read.

The drawing is stretched to the width there is, and its text is not in it: so it is as legible on a telephone as on a
wall. A line has at most `COLUMNS` columns, and of each column what a drawing of all points would show: the first, the
least, the greatest and the last.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil, floor, log10
from typing import Final, NamedTuple

from ocpp16.message_log.html import escaped

COLUMNS: Final = 300
WIDTH: Final = 1000
HEIGHT: Final = 240
MOST_BANDS: Final = 200
"""Stages, or spans in which the tool was late, of one picture."""
NAME_LENGTH: Final = 80

Point = tuple[float, float | None]
"""Where, and how much; None: nothing was measured there."""


class Line(NamedTuple):
    """look: its class in the style sheet."""

    name: str
    look: str
    points: Sequence[Point]


class Tick(NamedTuple):
    at: float
    text: str


class Band(NamedTuple):
    """A span of the axis below that something is to be said of."""

    begin: float
    end: float
    look: str
    name: str = ""


class Axis:
    """From values to shares of a length. Linear."""

    __slots__ = ("begin", "end", "ticks")

    def __init__(self, begin: float, end: float, ticks: Sequence[Tick]) -> None:
        self.begin: float = begin
        self.end: float = end
        self.ticks: Sequence[Tick] = ticks

    def share(self, value: float) -> float:
        """0 at the axis' begin, 1 at its end, and nothing beyond."""
        return min(max((value - self.begin) / (self.end - self.begin), 0.0), 1.0)


class LogAxis(Axis):
    """The same for what spans several powers of ten; what is not above its begin is at its begin."""

    __slots__ = ()

    def share(self, value: float) -> float:
        if value <= self.begin:
            return 0.0
        return min(log10(value / self.begin) / log10(self.end / self.begin), 1.0)


def from_zero(most: float, text: Callable[[float], str], *, is_whole: bool = True) -> Axis:
    """0 to a round number that is not below `most`."""
    step = _round_step(max(most, 1.0 if is_whole else 1e-6) / 4)
    if is_whole:
        step = max(step, 1.0)
    count = max(ceil(most / step - 1e-9), 1)
    return Axis(0.0, count * step, [Tick(number * step, text(number * step)) for number in range(count + 1)])


def _round_step(least: float) -> float:
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def over_decades(values: Iterable[float], text: Callable[[float], str], least: float = 1e-6) -> LogAxis:
    """From 1, 2 or 5 times a power of ten to another, around all `values`. `least`: begin of what is not greater."""
    found = [max(value, least) for value in values] or [1e-3, 1.0]
    begin, end = _step_below(min(found)), _step_above(max(found))
    if begin >= end:
        begin, end = _step_below(begin / 2), _step_above(end * 2)
    marks = list(_steps(begin, end))
    if len(marks) > 7:
        marks = [mark for mark in marks if f"{mark:e}".startswith("1")]
    return LogAxis(begin, end, [Tick(mark, text(mark)) for mark in marks])


def _steps(begin: float, end: float) -> Iterator[float]:
    for power in range(floor(log10(begin)) - 1, ceil(log10(end)) + 1):
        for factor in (1, 2, 5):
            mark = float(f"{factor}e{power}")
            if begin <= mark <= end:
                yield mark


def _step_below(value: float) -> float:
    return max(_steps(value / 10.001, value * 1.0000001))


def _step_above(value: float) -> float:
    return min(_steps(value * 0.9999999, value * 10.001))


_TIME_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def over_time(end: float, text: Callable[[float], str]) -> Axis:
    """Seconds from 0 to `end`, with at most seven ticks."""
    end = max(end, 1.0)
    step = next((step for step in _TIME_STEPS if end / step <= 6), ceil(end / 6 / 86400) * 86400)
    return Axis(0.0, end, [Tick(at, text(at)) for at in range(0, floor(end) + 1, step)])


def thinned(points: Sequence[Point], columns: int = COLUMNS) -> list[Point]:
    """At most four points for each column, and a gap where a column has nothing but gaps."""
    if len(points) <= 2 * columns:
        return list(points)
    found: list[Point] = []
    for column in range(columns):
        part = points[column * len(points) // columns : (column + 1) * len(points) // columns]
        there = [(at, value) for at, value in part if value is not None]
        if not there:
            found.append((part[0][0], None))
            continue
        kept = {there[0], min(there, key=_value), max(there, key=_value), there[-1]}
        found += sorted(kept)
    return found


def _value(point: tuple[float, float]) -> float:
    return point[1]


def path(points: Sequence[Point], across: Axis, up: Axis) -> str:
    """The line as SVG has it; a point without neighbours is a dot."""
    parts: list[str] = []
    is_down = False
    for at, value in thinned(points):
        if value is None:
            is_down = False
            continue
        place = f"{across.share(at) * WIDTH:.1f} {(1 - up.share(value)) * HEIGHT:.1f}"
        parts.append(f"L{place}" if is_down else f"M{place}h0")
        is_down = True
    return "".join(parts)


def picture(
    lines: Sequence[Line], across: Axis, up: Axis, told: str, *, bands: Sequence[Band] = (), data: str = ""
) -> str:
    """The drawing with its axes. told: what it shows, for who does not see it. data: attributes for the script."""
    y_texts = "".join(f'<span style="bottom:{up.share(t.at):.2%}">{escaped(t.text)}</span>' for t in up.ticks)
    x_texts = "".join(f'<span style="left:{across.share(t.at):.2%}">{escaped(t.text)}</span>' for t in across.ticks)
    grid = "".join(f"M0 {(1 - up.share(t.at)) * HEIGHT:.1f}H{WIDTH}" for t in up.ticks)
    grid += "".join(f"M{across.share(t.at) * WIDTH:.1f} 0V{HEIGHT}" for t in across.ticks)
    drawn = "".join(f'<path class="{line.look}" d="{path(line.points, across, up)}"/>' for line in lines)
    marked = "".join(_band(band, across) for band in bands[:MOST_BANDS])
    return (
        f'<div class="frame"><div class="ys" aria-hidden="true">{y_texts}</div><div class="area"{data}>{marked}'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img"><title>{escaped(told)}</title>'
        f'<path class="grid" d="{grid}"/>{drawn}</svg></div>'
        f'<div class="xs" aria-hidden="true">{x_texts}</div></div>\n'
    )


def _band(band: Band, across: Axis) -> str:
    left, right = across.share(band.begin), across.share(band.end)
    name = escaped(band.name, NAME_LENGTH)
    text = f'<span title="{name}">{name}</span>' if name else ""
    return f'<div class="{band.look}" style="left:{left:.2%};width:{right - left:.2%}">{text}</div>'


def legend(lines: Sequence[Line], extra: str = "") -> str:
    """What the lines are called, with their looks."""
    keys = "".join(
        f'<li><svg viewBox="0 0 24 10" aria-hidden="true"><path class="{line.look}" d="M1 5H23"/></svg>'
        f"{escaped(line.name, NAME_LENGTH)}</li>"
        for line in lines
    )
    return f'<ul class="legend">{keys}{extra}</ul>\n'

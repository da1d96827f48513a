"""Where the parts of a picture go: lines and texts in points, for any kind of picture file.

The files differ in how they write a line; what lines there are, is decided here.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ocpp16.cli.schedule.curves import Curve, Plot, joined, time_marks, value_marks, window_text

WIDTH = 960
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 62, 50
"""Margins around the curves."""
AREA = 360
"""Height of the curves."""
LINE = 22
"""Height of a line of the legend."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
"""Of profiles; to be told apart on white and on black, and by most who are colour-blind."""
DASHES = ((), (7, 4), (2, 3), (9, 3, 2, 3))
"""Of profiles: on and off, in points."""

Point = tuple[float, float]
Role = Literal["axis", "grid", "profile", "composite"]


class Line(NamedTuple):
    points: tuple[Point, ...]
    role: Role
    style: int = 0
    """Number of the profile."""
    title: str = ""


class Label(NamedTuple):
    at: Point
    """Of the baseline."""
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    role: Literal["title", "text", "faint"] = "text"


class Layout(NamedTuple):
    width: int
    height: int
    description: str
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]


def laid_out(plot: Plot) -> Layout:
    """All lines and labels of the picture; what is drawn later is on top."""
    across = WIDTH - LEFT - RIGHT
    bottom = TOP + AREA

    def x(second: float) -> float:
        return round(LEFT + across * second / plot.duration, 2)

    def y(limit: float) -> float:
        return round(bottom - AREA * min(limit, plot.top) / plot.top, 2)

    def pieces(curve: Curve, role: Role, style: int = 0) -> Iterator[Line]:
        for piece in joined(curve.stretches):
            corners = ((point, y(stretch.limit)) for stretch in piece for point in (x(stretch.begin), x(stretch.end)))
            yield Line(tuple(corners), role, style, curve.title)

    lines: list[Line] = []
    labels = [
        Label((LEFT, 24), plot.title, role="title"),
        Label((LEFT, 44), f"{plot.axis}; {window_text(plot)}", role="faint"),
    ]
    for mark in value_marks(plot, 8):
        lines.append(Line(((LEFT, y(mark.at)), (WIDTH - RIGHT, y(mark.at))), "grid"))
        labels.append(Label((LEFT - 8, y(mark.at) + 4), f"{mark.text} {plot.unit}", "end", "faint"))
    for mark in time_marks(plot, 10):
        lines.append(Line(((x(mark.at), TOP), (x(mark.at), bottom)), "grid"))
        labels.append(Label((x(mark.at), bottom + 18), mark.text, "middle", "faint"))
    labels.append(Label((WIDTH - RIGHT, bottom + 36), "time (UTC)", "end", "faint"))
    lines.append(Line(((LEFT, TOP), (LEFT, bottom), (WIDTH - RIGHT, bottom)), "axis"))
    for number, curve in enumerate(plot.profiles):
        lines += pieces(curve, "profile", number)
    lines += pieces(plot.composite, "composite")
    down = bottom + BOTTOM + LINE / 2
    legend: list[tuple[Curve, Role, int]] = [(plot.composite, "composite", 0)]
    legend += [(curve, "profile", number) for number, curve in enumerate(plot.profiles)]
    for curve, role, style in legend:
        lines.append(Line(((LEFT, down), (LEFT + 40, down)), role, style))
        labels.append(Label((LEFT + 50, down + 4), curve.title))
        down += LINE
    return Layout(WIDTH, round(down + LINE / 2), f"{plot.title}, {window_text(plot)}", tuple(lines), tuple(labels))

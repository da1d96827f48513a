"""A picture of a composite schedule as PNG, by Pillow: the extra `plot`. Imported only where a PNG is wanted."""

from collections.abc import Iterator
from io import BytesIO
from itertools import cycle
from math import hypot

from PIL import Image, ImageColor, ImageDraw, ImageFont

from ocpp16.cli.schedule.curves import Plot
from ocpp16.cli.schedule.layout import COLOURS, DASHES, Line, Point, laid_out

SCALE = 2
"""Pixels for a point."""
_FAINT = 0.6
"""Of the colour of a profile, the rest is paper."""
_INK = {"grid": "#e3e3e3", "axis": "#8a8a8a", "composite": "#1b1b1b", "title": "#1b1b1b", "text": "#1b1b1b"}
_WIDTHS = {"grid": 1, "axis": 1, "profile": 2, "composite": 4}
_SIZES = {"title": 16, "text": 13, "faint": 13}
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def png(plot: Plot) -> bytes:
    """The content of the file."""
    layout = laid_out(plot)
    image = Image.new("RGB", (layout.width * SCALE, layout.height * SCALE), "white")
    draw = ImageDraw.Draw(image)
    fonts = {role: ImageFont.load_default(size * SCALE) for role, size in _SIZES.items()}
    for line in layout.lines:
        width = _WIDTHS[line.role] * SCALE
        for points in _drawn(line):
            draw.line([(x * SCALE, y * SCALE) for x, y in points], _colour(line), width, joint="curve")
    for label in layout.labels:
        x, y = label.at
        ink = _INK.get(label.role, "#5c5c5c")
        draw.text((x * SCALE, y * SCALE), label.text, ink, fonts[label.role], _ANCHORS[label.anchor])
    content = BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def _colour(line: Line) -> str | tuple[int, ...]:
    if line.role != "profile":
        return _INK[line.role]
    colour = ImageColor.getrgb(COLOURS[line.style % len(COLOURS)])
    return tuple(round(255 - _FAINT * (255 - part)) for part in colour)


def _drawn(line: Line) -> Iterator[tuple[Point, ...]]:
    """A line as the pieces that have ink: Pillow knows no dashes."""
    dash = DASHES[line.style % len(DASHES)] if line.role == "profile" else ()
    if not dash:
        yield line.points
        return
    pattern = cycle(dash)
    left, is_on = float(next(pattern)), True
    for (x, y), (end_x, end_y) in zip(line.points, line.points[1:], strict=False):
        length = hypot(end_x - x, end_y - y)
        done = 0.0
        while done < length:
            part = min(left, length - done)
            if is_on:
                yield tuple((x + (end_x - x) * t / length, y + (end_y - y) * t / length) for t in (done, done + part))
            done, left = done + part, left - part
            if left <= 0:
                left, is_on = float(next(pattern)), not is_on

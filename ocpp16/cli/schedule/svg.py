"""A picture of a composite schedule as SVG: one file that needs nothing else, for light and for dark surroundings."""

import re
from html import escape

from ocpp16.cli.schedule.curves import Plot
from ocpp16.cli.schedule.layout import COLOURS, DASHES, Label, Line, laid_out

_STYLE = """
  .paper { fill: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #1b1b1b }
  .title { font-size: 16px; font-weight: 600 }
  .faint { fill: #5c5c5c }
  polyline { fill: none }
  .grid { stroke: #e3e3e3; stroke-width: 1 }
  .axis { stroke: #8a8a8a; stroke-width: 1 }
  .profile { stroke-width: 2; stroke-opacity: 0.6 }
  .composite { stroke: #1b1b1b; stroke-width: 4; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #17191c }
    text { fill: #ececec }
    .faint { fill: #a9adb3 }
    .grid { stroke: #2d3136 }
    .axis { stroke: #7d838a }
    .profile { stroke-opacity: 0.75 }
    .composite { stroke: #ffffff }
  }
"""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""


def svg(plot: Plot) -> str:
    """The text of the file, UTF-8."""
    layout = laid_out(plot)
    size = f'width="{layout.width}" height="{layout.height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width} {layout.height}" {size} role="img">',
        f"<title>{_text(layout.description)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" {size}/>',
        *map(_line, layout.lines),
        *map(_label, layout.labels),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line(line: Line) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in line.points)
    style = ""
    if line.role == "profile":
        style = f' stroke="{COLOURS[line.style % len(COLOURS)]}"'
        dash = DASHES[line.style % len(DASHES)]
        if dash:
            style += f' stroke-dasharray="{" ".join(map(str, dash))}"'
    start = f'<polyline class="{line.role}" points="{points}"{style}'
    return f"{start}><title>{_text(line.title)}</title></polyline>" if line.title else f"{start}/>"


def _label(label: Label) -> str:
    x, y = label.at
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    kind = "" if label.role == "text" else f' class="{label.role}"'
    return f'<text x="{x:g}" y="{y:g}"{kind}{anchor}>{_text(label.text)}</text>'


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("�", text), quote=False)

"""Pictures of the documentation, as SVG that stands in the page: they take its colours, light and dark, and need no
program to be drawn."""

from collections.abc import Mapping, Sequence
from html import escape
from math import hypot
from typing import Final

from ocpp16.enums import ChargePointStatus
from ocpp16.state.connector_table import ConnectorEvent, Table

ACCENT: Final = "var(--color-brand-primary, #0a4bff)"
FAINT: Final = "var(--color-background-secondary, #f4f4f6)"
TEXT: Final = 'font-family="system-ui, sans-serif" font-size="10.5" text-anchor="middle"'

_S = ChargePointStatus
PLACES: Final[Mapping[ChargePointStatus, tuple[int, int]]] = {
    _S.AVAILABLE: (0, 0),
    _S.RESERVED: (1, 0),
    _S.UNAVAILABLE: (2, 0),
    _S.PREPARING: (0, 1),
    _S.FINISHING: (2, 1),
    _S.CHARGING: (0, 2),
    _S.SUSPENDED_EV: (1, 2),
    _S.SUSPENDED_EVSE: (2, 2),
}
"""Column and row of each base state, the same in every picture."""
COLUMN: Final = 112
ROW: Final = 56
BOX: Final = (92, 24)
MARGIN: Final = (4, 24)
"""Around the boxes; above and below there is room for the arrows that pass a box."""


def states(transitions: Table) -> str:
    """A picture for each event: from which states it leads where. They stand side by side as far as there is room."""
    pictures = "".join(_event(event, transitions) for event in ConnectorEvent)
    return f'<div style="display: flex; flex-wrap: wrap; gap: 1.5rem 1rem;">{pictures}</div>'


def _event(event: ConnectorEvent, transitions: Table) -> str:
    edges = {state: row[event] for state, row in transitions.items() if event in row}
    said = "; ".join(f"{state} to {target}" for state, target in edges.items())
    width, height = 2 * (COLUMN + MARGIN[0]) + BOX[0], 2 * (ROW + MARGIN[1]) + BOX[1]
    arrows = "".join(_arrow(state, target) for state, target in edges.items())
    boxes = "".join(_box(state, state in edges, state in edges.values()) for state in transitions)
    return (
        '<figure style="margin: 0; flex: 1 1 16rem; max-width: 22rem;">'
        f'<svg viewBox="0 0 {width} {height}" role="img" style="width: 100%; height: auto;" {TEXT}>'
        f"<title>{event}: {said}</title>{arrows}{boxes}</svg><figcaption><code>{event}</code></figcaption></figure>"
    )


def _middle(state: ChargePointStatus) -> tuple[float, float]:
    column, row = PLACES[state]
    return MARGIN[0] + BOX[0] / 2 + column * COLUMN, MARGIN[1] + BOX[1] / 2 + row * ROW


def _box(state: ChargePointStatus, leaves: bool, is_target: bool) -> str:
    x, y = _middle(state)
    opacity = 1 if leaves or is_target else 0.45
    box = _rectangle(x - BOX[0] / 2, y - BOX[1] / 2, *BOX, ACCENT if is_target else FAINT)
    return f'<g opacity="{opacity}">{box}{_text(x, y + 4, state, "#fff" if is_target else "currentColor")}</g>'


def _rectangle(x: float, y: float, width: float, height: float, fill: str, stroke: str = "") -> str:
    stroke = stroke or 'currentColor" stroke-opacity="0.4'
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" fill="{fill}" stroke="{stroke}"/>'


def _text(x: float, y: float, text: str, fill: str = "currentColor") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{fill}">{escape(text)}</text>'


def _arrow(state: ChargePointStatus, target: ChargePointStatus) -> str:
    """A curve that passes the boxes between, and ends at the border of the target's."""
    (x0, y0), (x1, y1) = _middle(state), _middle(target)
    if y0 == y1 and abs(x1 - x0) > COLUMN:  # past the box between: above it, or below in the last row
        bend_x, bend_y = (x0 + x1) / 2, y0 + (64 if PLACES[state][1] == 2 else -64)
    elif x0 == x1 and abs(y1 - y0) > ROW:  # the same, on the side that is free
        bend_x, bend_y = x0 + (70 if PLACES[state][0] == 0 else -70), (y0 + y1) / 2
    else:
        away = 0.12 if abs(x1 - x0) + abs(y1 - y0) > COLUMN else 0
        bend_x, bend_y = (x0 + x1) / 2 - (y1 - y0) * away, (y0 + y1) / 2 + (x1 - x0) * away
    slope = max(abs(bend_x - x1) / (BOX[0] / 2 + 3), abs(bend_y - y1) / (BOX[1] / 2 + 3)) or 1
    end_x, end_y = x1 + (bend_x - x1) / slope, y1 + (bend_y - y1) / slope
    back = hypot(bend_x - end_x, bend_y - end_y) or 1
    along_x, along_y = (bend_x - end_x) / back, (bend_y - end_y) / back
    barbs = " ".join(
        f"L {end_x + 7 * along_x + side * 3.5 * along_y:.1f} {end_y + 7 * along_y - side * 3.5 * along_x:.1f}"
        for side in (1, -1)
    )
    curve = f"M {x0:.1f} {y0:.1f} Q {bend_x:.1f} {bend_y:.1f} {end_x:.1f} {end_y:.1f}"
    return (
        f'<path d="{curve}" fill="none" stroke="{ACCENT}" stroke-width="1.4"/>'
        f'<path d="M {end_x:.1f} {end_y:.1f} {barbs} Z" fill="{ACCENT}"/>'
    )


def layers(storeys: Mapping[int, Sequence[str]]) -> str:
    """The storeys of the package, the highest on top; each has the packages that live in it."""
    width, left, chip = 720, 44, 22
    y, parts = 6.0, []
    for storey, names in storeys.items():
        x, top = float(left + 8), y + 6
        chips = []
        for name in names:
            wide = 6.6 * len(name) + 14
            if x + wide > width - 8:
                x, top = float(left + 8), top + chip + 5
            chips.append(_rectangle(x, top, wide, chip, FAINT) + _text(x + wide / 2, top + 15, name))
            x += wide + 6
        height = top + chip + 6 - y
        parts.append(_rectangle(left, y, width - left - 2, height, "none", ACCENT))
        parts += [_text(left - 18, y + height / 2 + 4, str(storey), ACCENT), *chips]
        y += height + 7
    return (
        f'<div style="overflow-x: auto;"><svg viewBox="0 0 {width} {y:g}" role="img" {TEXT} '
        'style="width: 100%; min-width: 34rem; height: auto;">'
        f"<title>Storeys of the package: each imports only lower ones</title>{''.join(parts)}</svg></div>"
    )

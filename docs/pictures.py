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
FONT: Final = 'font-family="system-ui, sans-serif"'

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


def states(transitions: Table) -> str:
    """A picture for each event: from which states it leads where. They stand side by side as far as there is room."""
    pictures = "".join(_event(event, transitions) for event in ConnectorEvent)
    return f'<div style="display: flex; flex-wrap: wrap; gap: 1.5rem 1rem;">{pictures}</div>'


def _event(event: ConnectorEvent, transitions: Table) -> str:
    edges = {state: row[event] for state, row in transitions.items() if event in row}
    said = "; ".join(f"{state} to {target}" for state, target in edges.items())
    width, height = 2 * COLUMN + BOX[0] + 8, 2 * ROW + BOX[1] + 8
    arrows = "".join(_arrow(state, target) for state, target in edges.items())
    boxes = "".join(_box(state, state in edges, state in edges.values()) for state in transitions)
    return (
        f'<figure style="margin: 0; flex: 1 1 16rem; max-width: 22rem;"><svg viewBox="0 0 {width} {height}" role="img" {FONT} '
        f'style="width: 100%; height: auto;" font-size="10.5" text-anchor="middle">'
        f"<title>{event}: {said}</title>{arrows}{boxes}</svg><figcaption><code>{event}</code></figcaption></figure>"
    )


def _middle(state: ChargePointStatus) -> tuple[float, float]:
    column, row = PLACES[state]
    return 4 + BOX[0] / 2 + column * COLUMN, 4 + BOX[1] / 2 + row * ROW


def _box(state: ChargePointStatus, leaves: bool, is_target: bool) -> str:
    x, y = _middle(state)
    fill, text = (ACCENT, "#fff") if is_target else (FAINT, "currentColor")
    opacity = 1 if leaves or is_target else 0.45
    return (
        f'<g opacity="{opacity}"><rect x="{x - BOX[0] / 2:g}" y="{y - BOX[1] / 2:g}" width="{BOX[0]}" height="{BOX[1]}" '
        f'rx="5" fill="{fill}" stroke="currentColor" stroke-opacity="0.4"/>'
        f'<text x="{x:g}" y="{y + 4:g}" fill="{text}">{state}</text></g>'
    )


def _arrow(state: ChargePointStatus, target: ChargePointStatus) -> str:
    """A curve that passes the boxes between, and ends at the border of the target's."""
    (x0, y0), (x1, y1) = _middle(state), _middle(target)
    length = hypot(x1 - x0, y1 - y0)
    away = 0 if length <= max(COLUMN, ROW) * 1.2 else 0.16 * length  # of the straight line, where that is a long one
    away = 60 if x0 == x1 and length > ROW else away  # past the box between
    bend_x, bend_y = (x0 + x1) / 2 - (y1 - y0) / length * away, (y0 + y1) / 2 + (x1 - x0) / length * away
    slope = max(abs(bend_x - x1) / (BOX[0] / 2 + 3), abs(bend_y - y1) / (BOX[1] / 2 + 3)) or 1
    end_x, end_y = x1 + (bend_x - x1) / slope, y1 + (bend_y - y1) / slope
    back = hypot(bend_x - end_x, bend_y - end_y) or 1
    along_x, along_y = (bend_x - end_x) / back, (bend_y - end_y) / back
    barbs = " ".join(
        f"L {end_x + 7 * along_x + side * 3.5 * along_y:.1f} {end_y + 7 * along_y - side * 3.5 * along_x:.1f}"
        for side in (1, -1)
    )
    return (
        f'<path d="M {x0:.1f} {y0:.1f} Q {bend_x:.1f} {bend_y:.1f} {end_x:.1f} {end_y:.1f}" fill="none" stroke="{ACCENT}" '
        f'stroke-width="1.4"/><path d="M {end_x:.1f} {end_y:.1f} {barbs} Z" fill="{ACCENT}"/>'
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
            chips.append(
                f'<rect x="{x:g}" y="{top:g}" width="{wide:g}" height="{chip}" rx="5" fill="{FAINT}" stroke="currentColor" '
                f'stroke-opacity="0.4"/><text x="{x + wide / 2:g}" y="{top + 15:g}" text-anchor="middle">{escape(name)}</text>'
            )
            x += wide + 6
        height = top + chip + 6 - y
        parts.append(
            f'<rect x="{left}" y="{y:g}" width="{width - left - 2}" height="{height:g}" rx="6" fill="none" stroke="{ACCENT}"/>'
            f'<text x="{left - 12}" y="{y + height / 2 + 5:g}" text-anchor="end" fill="{ACCENT}">{storey}</text>{"".join(chips)}'
        )
        y += height + 7
    return (
        f'<div style="overflow-x: auto;"><svg viewBox="0 0 {width} {y:g}" role="img" {FONT} font-size="11" fill="currentColor" '
        f'style="width: 100%; min-width: 34rem; height: auto;"><title>Storeys of the package: each imports only lower ones'
        f"</title>{''.join(parts)}</svg></div>"
    )

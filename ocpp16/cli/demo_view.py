"""What the demonstration shows: a live picture on a terminal, plain lines elsewhere.

Both are told sentences and messages through `say`; the live picture also looks at station and charge point whenever it
is drawn. Neither changes anything.
"""

import os
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.simulation import SimulatedStation

SHOWN_LINES = 14
SHOWN_CONNECTORS = 12
WIDTH = 200
"""Columns of plain lines."""


class Tone(StrEnum):
    """What kind of line it is, as a style of rich."""

    STORY = "bold"
    EVENT = "cyan"
    MESSAGE = "dim"
    GOOD = "bold green"


class View(Protocol):
    """Use it as a context."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def say(self, line: str, tone: Tone) -> None:
        """One line about what happens now."""
        ...

    def look_at(self, station: SimulatedStation, charge_point: ChargePoint) -> None:
        """What there is to be shown."""
        ...

    def draw(self) -> None:
        """Show how things stand; called a few times a second."""
        ...


def view_for(console: Console, title: str, now: Callable[[], float], on_closed: Callable[[], None]) -> View:
    """The live picture if `console` is a terminal that can show one.

    `now`: seconds to print before each line; `on_closed` is called when nothing can be printed any more.
    """
    if console.is_terminal and os.environ.get("TERM") not in {"dumb", "unknown"}:
        return LiveView(console, title, now, on_closed)
    return PlainView(now, on_closed)


class PlainView:
    """A line for each thing that happens."""

    def __init__(self, now: Callable[[], float], on_closed: Callable[[], None]) -> None:
        self._now = now
        self._on_closed = on_closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def say(self, line: str, tone: Tone) -> None:
        mark = "* " if tone is Tone.STORY else "  "
        try:
            print(f"{self._now():7.1f} s {mark}{line}"[:WIDTH], flush=True)
        except OSError:
            self._on_closed()

    def look_at(self, station: SimulatedStation, charge_point: ChargePoint) -> None:
        pass

    def draw(self) -> None:
        pass


class LiveView:
    """Connectors with their meters, and the last lines below."""

    def __init__(self, console: Console, title: str, now: Callable[[], float], on_closed: Callable[[], None]) -> None:
        self._title = title
        self._now = now
        self._on_closed = on_closed
        self._lines: deque[Text] = deque(maxlen=SHOWN_LINES)
        self._station: SimulatedStation | None = None
        self._charge_point: ChargePoint | None = None
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.draw()
        self._live.__exit__(kind, error, traceback)

    def say(self, line: str, tone: Tone) -> None:
        self._lines.append(Text.assemble((f"{self._now():7.1f} s  ", "dim"), (line, tone.value), no_wrap=True))

    def look_at(self, station: SimulatedStation, charge_point: ChargePoint) -> None:
        self._station, self._charge_point = station, charge_point

    def draw(self) -> None:
        log = Text("\n", no_wrap=True, overflow="ellipsis").join(self._lines)
        parts: list[RenderableType] = [self._connectors(), Text(), log]
        try:
            self._live.update(Panel(Group(*parts), title=self._title, border_style="blue"), refresh=True)
        except OSError:
            self._on_closed()

    def _connectors(self) -> Table:
        table = Table(box=None, expand=True, header_style="bold")
        for head in ("connector", "status", "card"):
            table.add_column(head, ratio=2)
        for head in ("limit", "power", "energy", "battery"):
            table.add_column(head, justify="right", ratio=2)
        if self._station is None or self._charge_point is None:
            return table
        for evse in self._station.evses[:SHOWN_CONNECTORS]:
            status = str(self._charge_point.connector_status(evse.connector_id).status)
            measurement = evse.measurement()
            power = 0.0 if measurement.power is None else measurement.power.total or 0.0
            energy = measurement.energy_import.total or 0.0
            battery = "" if measurement.soc is None else f"{measurement.soc.value:.1f} %"
            table.add_row(
                str(evse.connector_id),
                Text(status, STYLES.get(status, "")),
                evse.id_tag or "",
                "" if evse.limit is None else f"{evse.limit:g} A",
                f"{power / 1000:.2f} kW",
                f"{energy:.0f} Wh",
                battery,
            )
        return table


STYLES = {
    "Available": "green",
    "Preparing": "yellow",
    "Charging": "bold cyan",
    "SuspendedEV": "magenta",
    "SuspendedEVSE": "magenta",
    "Finishing": "yellow",
    "Faulted": "bold red",
}
"""Style of a status."""

"""A load test while it runs: a live picture on a terminal, and elsewhere a plain line every few seconds.

Both are shown the results as they are; neither looks at a clock, and neither changes anything. Whoever draws does so at
most twice a second: one drawing costs a few milliseconds, whatever the number of charge points.
"""

import os
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ocpp16.address import without_credentials
from ocpp16.load.results import ActionResult, Results
from ocpp16.load.words import clock, counted, latency, length, violations
from ocpp16.texts import shown

EVERY: Final = 5.0
"""Seconds of the test between two plain lines."""
NARROW: Final = 76
"""Columns below which only what matters most is shown of an action."""
LINES_BESIDE: Final = 11
"""Of the terminal, that are not for actions."""
FEWEST_ACTIONS: Final = 3
NAME_LENGTH: Final = 60


class View(Protocol):
    """Use it as a context."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def draw(self, results: Results, *, planned: float | None = None, waits_for: str = "") -> None:
        """Show how things stand. planned: about how many seconds the test is to last, None if nobody knows. waits_for:
        what the scenario waits for now."""
        ...


def view_for(console: Console, write: Callable[[str], object], on_closed: Callable[[], None]) -> View:
    """The live picture if `console` is a terminal that can show one.

    write: takes a plain line with its end. on_closed: is called when nothing can be shown any more.
    """
    if console.is_terminal and os.environ.get("TERM") not in {"dumb", "unknown"}:
        return LiveView(console, on_closed)
    return PlainView(write, on_closed)


class PlainView:
    """A line every `EVERY` seconds of the test, and one whenever a stage begins."""

    def __init__(self, write: Callable[[str], object], on_closed: Callable[[], None]) -> None:
        self._write = write
        self._on_closed = on_closed
        self._next = 0.0
        self._stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def draw(self, results: Results, *, planned: float | None = None, waits_for: str = "") -> None:
        now, stage = length(results), _stage(results)
        if now < self._next and stage == self._stage:
            return
        self._next, self._stage = now + EVERY, stage
        try:
            self._write(f"ocpp16: {_line(results, planned, waits_for)}\n")
        except OSError:
            self._on_closed()


class LiveView:
    """Stage and progress, figures, actions, and what is to be known of the tool itself."""

    def __init__(self, console: Console, on_closed: Callable[[], None]) -> None:
        self._console = console
        self._on_closed = on_closed
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._live.__exit__(kind, error, traceback)
        except OSError:
            self._on_closed()

    def draw(self, results: Results, *, planned: float | None = None, waits_for: str = "") -> None:
        width, height = self._console.size
        try:
            self._live.update(picture(results, planned, waits_for, width, height), refresh=True)
        except OSError:
            self._on_closed()


def picture(results: Results, planned: float | None, waits_for: str, width: int, height: int) -> RenderableType:
    """What the live view shows on so many columns and lines."""
    parts: list[RenderableType] = [_title(results), *_progress(results, planned, width), Text(), *_figures(results)]
    if waits_for:
        parts.append(_cut(Text.assemble(("waits for ", "dim"), shown(waits_for, NAME_LENGTH * 2))))
    parts += [Text(warning, "yellow") for warning in _warnings(results)]
    if results.actions:
        most = height - LINES_BESIDE - bool(results.attempts.failed) - bool(results.violations)
        parts += [Text(), _actions(results, width, max(most, FEWEST_ACTIONS))]
    return Group(*parts)


def _cut(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _title(results: Results) -> Text:
    csms = shown(without_credentials(results.csms), NAME_LENGTH * 2)
    return _cut(Text.assemble((shown(results.scenario, NAME_LENGTH), "bold"), (f" → {csms}", "dim")))


def _stage(results: Results) -> str:
    now = length(results)
    begun = [stage.name for stage in results.stages if stage.begin <= now]
    return shown(begun[-1], NAME_LENGTH) if begun else ""


def _progress(results: Results, planned: float | None, width: int) -> list[RenderableType]:
    now = length(results)
    of = f" of about {clock(planned)}" if planned and now <= planned else ""
    found: list[RenderableType] = [_cut(Text.assemble(f"{clock(now)}{of}  ", (_stage(results), "cyan")))]
    if planned:
        found.append(ProgressBar(total=planned, completed=min(now, planned), width=min(width, 80)))
    return found


def _faults(results: Results) -> dict[str, int]:
    actions = results.actions.values()
    return {
        "errors": sum(one.errors for one in actions),
        "timeouts": sum(one.timeouts for one in actions),
        "lost": sum(one.lost for one in actions),
    }


def _refused(results: Results) -> str:
    """What became of attempts to connect; "" where none failed."""
    attempts = results.attempts
    if not attempts.failed:
        return ""
    return f"{counted(attempts.failed, 'attempt')} to connect failed, the last: {shown(attempts.last, NAME_LENGTH * 2)}"


def _rate(results: Results) -> float:
    """Calls that were answered in the last second."""
    last = results.seconds[-1] if results.seconds else None
    return last.answered / last.span if last and last.span else 0.0


def _figures(results: Results) -> list[RenderableType]:
    """Two by two, so that forty columns hold them."""
    last = results.seconds[-1] if results.seconds else None
    faults = _faults(results)
    total = sum(faults.values())
    kinds = ", ".join(f"{count:,} {name}" for name, count in faults.items() if count)
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(style="dim", no_wrap=True)
        table.add_column(no_wrap=True)
    connected, registered, in_flight = (last.connected, last.registered, last.in_flight) if last else (0, 0, 0)
    table.add_row("connected", f"{connected:,} / {results.charge_points:,}", "calls/s", f"{_rate(results):,.0f}")
    table.add_row("accepted", f"{registered:,}", "in flight", f"{in_flight:,}")
    told = f"{total:,} without a result: {kinds}" if total else "no errors"
    found: list[RenderableType] = [table, _cut(Text(told, "red" if total else "dim"))]
    if refused := _refused(results):
        found.append(_cut(Text(refused, "red")))
    if broken := violations(results):
        found.append(_cut(Text(broken, "red")))
    return found


def _warnings(results: Results) -> list[str]:
    found = []
    gone = [one for one in results.processes if not one.is_alive]
    if gone:
        hit = sum(one.charge_points for one in gone)
        found.append(f"{counted(len(gone), 'process', 'processes')} ended early, with {counted(hit, 'charge point')}")
    if results.seconds and results.seconds[-1].is_late:
        delay = latency(results.seconds[-1].loop_delay)
        found.append(f"the tool itself is late, by {delay}: latencies are in part its own")
    elif results.limit.is_reached:
        late = counted(len(results.limit.seconds), "second")
        found.append(f"the tool itself was late in {late}, by {latency(results.limit.worst_loop_delay)} at worst")
    return found


def _actions(results: Results, width: int, most: int) -> Table:
    called = sorted(results.actions.items(), key=lambda item: (-item[1].count, item[0]))
    is_narrow = width < NARROW
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1 if is_narrow else 2, 0, 0))
    table.add_column("action", no_wrap=True, overflow="ellipsis", max_width=width - 24 if is_narrow else 34)
    heads = ("calls", "p50", "p99") if is_narrow else ("calls", "faults", "p50", "p95", "p99", "slowest")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for name, one in called[:most]:
        table.add_row(Text(shown(name, NAME_LENGTH)), *(_cell(one, head) for head in heads))
    if len(called) > most:
        table.add_row(Text(f"… and {len(called) - most} more", "dim"))
    return table


def _cell(one: ActionResult, head: str) -> Text:
    if head == "calls":
        return Text(f"{one.count:,}")
    if head == "faults":
        faults = one.errors + one.timeouts + one.lost
        return Text(f"{faults:,}", "red" if faults else "dim")
    return Text(latency(one.due.max if head == "slowest" else getattr(one.due, head)))


def _line(results: Results, planned: float | None, waits_for: str) -> str:
    """The same in one line."""
    last = results.seconds[-1] if results.seconds else None
    now, stage = length(results), _stage(results)
    worst = max((one.due.p99 for one in results.actions.values() if one.due.p99 is not None), default=None)
    parts = [
        clock(now) + (f" of about {clock(planned)}" if planned and now <= planned else "") + f" {stage}".rstrip(),
        f"{last.connected if last else 0:,} of {results.charge_points:,} connected",
        f"{last.registered if last else 0:,} accepted",
        f"{_rate(results):,.0f} calls/s",
        f"{last.in_flight if last else 0:,} in flight",
        f"{sum(_faults(results).values()):,} without a result",
        f"worst p99 {latency(worst)}",
    ]
    if refused := _refused(results):
        parts.append(refused)
    if broken := violations(results):
        parts.append(broken)
    if waits_for:
        parts.append(f"waits for {shown(waits_for, NAME_LENGTH * 2)}")
    return "; ".join([", ".join(parts), *_warnings(results)])

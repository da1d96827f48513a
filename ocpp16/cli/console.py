"""The interactive console: a person types commands and sees what happens.

On a terminal there is an input line (input_line.py), and whatever is printed appears above it. Elsewhere lines are read
as they come, so that commands may be piped in. A command that takes long does not hold up the next one.
"""

import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from typing import TextIO

import trio
from rich.console import Console as Terminal
from rich.console import RenderableType
from rich.text import Text

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.event_lines import EventLines
from ocpp16.cli.input_line import InputLine
from ocpp16.cli.results import rendered
from ocpp16.cli.running import Ending
from ocpp16.cli.standard_streams import StandardInput, StandardOutput, lines
from ocpp16.errors import Ocpp16Error
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import CommandError, Commands
from ocpp16.simulation.commands import find
from ocpp16.simulation.words import from_words
from ocpp16.texts import shown

WIDTH = 200
"""Columns where there is no terminal to tell them."""
LONGEST_ERROR = 1000
"""Characters."""


class Console:
    """The face for people. `terminal` makes text of what is to be shown, `write` prints it, `typed` gives the lines."""

    def __init__(
        self,
        ending: Ending,
        terminal: Terminal,
        write: Callable[[bytes], Awaitable[None]],
        typed: Callable[[Commands], AsyncIterable[str]],
    ) -> None:
        self._ending = ending
        self._terminal = terminal
        self._write = write
        self._typed = typed
        self._events = EventLines()
        self._charge_point: ChargePoint | None = None

    def follow(self, charge_point: ChargePoint) -> None:
        """Whose events are shown, with the time of its clock."""
        self._charge_point = charge_point
        self._events.follow(charge_point)

    async def notify(self, event: ObserverEvent) -> None:
        """`Observer`: print what happens."""
        for line in self._events.of(event):
            await self._show(Text.assemble((f"{self._time():%H:%M:%S} ", "dim"), (line, "cyan")))

    def _time(self) -> datetime:
        """That of the charge point, where the person is."""
        now = datetime.now(UTC) if self._charge_point is None else self._charge_point.for_station.clock.now_datetime()
        return now.astimezone()

    async def metrics(self, url: str) -> None:
        """Print where metrics are."""
        await self._show(Text(f"metrics: {url}", "dim"))

    async def web(self, url: str) -> None:
        """Print where the panel is."""
        await self._show(Text(f"panel: {url}", "bold"))

    async def exit(self, reason: str) -> None:
        """Print why the program ends."""
        await self._show(Text(f"stopped: {reason}"))

    async def serve(self, commands: Commands) -> None:
        """Carry out what is typed, to its end or to `quit`."""
        await self._show(Text("help lists the commands, quit ends", "dim"))
        async with trio.open_nursery() as nursery:
            async for line in self._typed(commands):
                if line.strip() in {"quit", "exit"}:
                    self._ending.begin("quit")
                    return
                await self._serve_line(commands, line.strip(), nursery)

    async def _serve_line(self, commands: Commands, line: str, nursery: trio.Nursery) -> None:
        if not line or line.startswith("#"):
            return
        first, _, rest = line.partition(" ")
        if first == "wait":
            await self._wait(rest)
            return
        try:
            name, arguments = from_words(line)
        except CommandError as error:
            await self._show_error(error)
            return
        if find(name).is_deferred:
            nursery.start_soon(self._carry_out, commands, name, arguments)
            await trio.lowlevel.checkpoint()  # tasks that start together begin in any order: this one begins first
        else:
            await self._carry_out(commands, name, arguments)

    async def _carry_out(self, commands: Commands, name: str, arguments: dict[str, object]) -> None:
        try:
            result = await commands.run(name, arguments)
        except (CommandError, Ocpp16Error) as error:
            await self._show_error(error)
        else:
            reason = commands.reason(name, arguments, result)
            await self._show(Text(f"{result}: {reason}") if reason else rendered(name, result))

    async def _wait(self, words: str) -> None:
        try:
            await trio.sleep(float(words))
        except ValueError:
            await self._show_error(CommandError("bad_value", "wait needs a number of seconds, 0 or more"))

    async def _show_error(self, error: Exception) -> None:
        await self._show(Text(f"error: {shown(error, LONGEST_ERROR)}", "red"))

    async def _show(self, what: RenderableType) -> None:
        with self._terminal.capture() as captured:
            self._terminal.print(what, soft_wrap=isinstance(what, Text))
        text = "".join(line.rstrip() + "\n" for line in captured.get().splitlines())
        await self._write(text.encode("utf-8", "replace"))


@asynccontextmanager
async def open_console(ending: Ending) -> AsyncIterator[Console]:
    """The console on what standard input and output are."""
    if _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb":
        with InputLine(ending) as line:
            yield Console(ending, Terminal(), line.write, line.typed)
        return
    output = StandardOutput(partial(ending.begin, "standard output was closed"))
    terminal = Terminal(width=WIDTH, file=_Nowhere())
    yield Console(ending, terminal, output.write, lambda commands: lines(StandardInput()))


def _is_terminal(stream: TextIO | None) -> bool:
    """None: the stream was closed before we began."""
    return stream is not None and stream.isatty()


class _Nowhere(StringIO):
    """What is rendered is printed by us: rich itself has nothing to write, and no full disk to hear of."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8" if sys.stdout is None else sys.stdout.encoding

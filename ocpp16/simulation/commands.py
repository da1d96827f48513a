"""The one list of what can be made to happen with a station, for every face: JSON lines, console, Python.

A command is a row of command_table.py: name, what it does, arguments, handler. `Commands.run` takes a name and
arguments as JSON has them, checks both, and only then acts; `from_words` reads a line typed by a person. Whatever goes
wrong is a `CommandError` with one of five codes, and then nothing was changed.
"""

import os
import shlex
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from ocpp16.errors import ChargePointStopped, FeatureNotBuilt
from ocpp16.simulation.command import Command, CommandError, near
from ocpp16.simulation.command_table import COMMANDS

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.simulation.operation import Operation
    from ocpp16.simulation.station import SimulatedStation


KILLED = 137
"""Exit code of a process that was killed."""


def exit_at_once() -> None:
    """Leave as after a loss of power: nothing is flushed, closed or sent."""
    os._exit(KILLED)


class Commands:
    """The commands of one station. `power_off` is what the command of that name does; it never returns."""

    __slots__ = ("charge_point", "operation", "power_off", "station")

    def __init__(
        self,
        station: "SimulatedStation",
        charge_point: "ChargePoint",
        operation: "Operation",
        *,
        power_off: Callable[[], None] = exit_at_once,
    ) -> None:
        self.station = station
        self.charge_point = charge_point
        self.operation = operation
        self.power_off = power_off

    async def run(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Carry out a command; the result is one that JSON can say. Raises CommandError."""
        command = find(name)
        checked = command.check(arguments or {}, self.charge_point.number_of_connectors)
        try:
            result = command.handler(self, **checked)
            return await result if isawaitable(result) else result
        except ChargePointStopped as error:
            raise CommandError("refused", str(error) or "the charge point is stopped") from error
        except FeatureNotBuilt as error:
            raise CommandError("refused", str(error)) from error

    def require_running(self) -> None:
        """Raises CommandError when the charge point is stopped."""
        if not self.charge_point.is_running:
            raise CommandError("refused", "the charge point is stopped")


def find(name: str) -> Command:
    """The command of this name. Raises CommandError."""
    command = COMMANDS.get(name)
    if command is None:
        raise CommandError("unknown_command", f"no command {_shown(name)}" + near(name, COMMANDS))
    return command


def from_words(line: str) -> tuple[str, dict[str, Any]]:
    """Read `plug-in 1 current=16`: a name, with hyphens or underscores, then arguments in order or by name.

    Quotes hold words together; lists are joined by commas; objects are JSON. Raises CommandError.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise CommandError("unreadable", f"{error}".lower()) from None
    if not words:
        raise CommandError("unreadable", "no command")
    command = find(words[0].replace("-", "_"))
    by_name = {argument.name: argument for argument in command.arguments}
    given: dict[str, Any] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        name = name.replace("-", "_")
        if equals and name in by_name:
            given[name] = by_name[name].kind.from_word(value)
            continue
        following = next((one for one in command.arguments if one.name not in given), None)
        if following is None or (equals and name.isidentifier() and not following.kind.is_text):
            raise CommandError("unknown_argument", f"{command.name} has no argument {word}" + near(name, by_name))
        given[following.name] = following.kind.from_word(word)
    return command.name, given


def _shown(name: str) -> str:
    return name if len(name) <= 64 else name[:64] + "…"

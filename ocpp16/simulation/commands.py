"""The one list of what can be made to happen with a station, for every face: JSON lines, console, Python.

A command is a row of command_table.py: name, what it does, arguments, handler. `Commands.run` takes a name and
arguments as JSON has them, checks both, and only then acts; `words.from_words` reads a line typed by a person. Whatever
goes wrong is a `CommandError` with one of five codes, and then nothing was changed.
"""

import os
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from ocpp16.errors import ChargePointStopped, FeatureNotBuilt, Ocpp16Error
from ocpp16.faults import obey, sentence
from ocpp16.simulation.command import Command, CommandError
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.simulation.controlled import Controlled
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.simulation.operation import Operation
    from ocpp16.simulation.station import SimulatedStation

REFUSALS = frozenset({"Rejected", "NotSupported"})

KILLED = 137
"""Exit code of a process that was killed."""


def exit_at_once() -> None:
    """Leave as after a loss of power: nothing is flushed, closed or sent."""
    os._exit(KILLED)


class Commands(Controlled):
    """The commands of one station. `power_off` is what the command of that name does; it never returns."""

    __slots__ = ()

    def __init__(
        self,
        station: "SimulatedStation",
        charge_point: "ChargePoint",
        operation: "Operation",
        *,
        power_off: Callable[[], None] = exit_at_once,
    ) -> None:
        super().__init__(station, charge_point, operation, power_off)

    def is_deferred(self, name: str) -> bool:
        """Whether the answer of this command may take long. Raises CommandError if there is none of the name."""
        return find(name).is_deferred

    async def run(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Carry out a command; the result is one that JSON can say. Raises CommandError, and every
        other `Ocpp16Error`.
        """
        command = find(name)
        checked = command.check(arguments or {}, self.charge_point.for_station.number_of_connectors)
        try:
            result = command.handler(self, **checked)
            return await result if isawaitable(result) else result
        except ChargePointStopped as error:
            raise CommandError("refused", str(error) or "the charge point is stopped") from error
        except FeatureNotBuilt as error:
            raise CommandError("refused", str(error)) from error
        except (CommandError, Ocpp16Error):
            raise
        except ValueError as error:
            raise CommandError("bad_value", shown(error)) from error
        except BaseException as error:  # a fault of ours must not end the program of whoever tests with it
            obey(error)
            self.charge_point.for_station.log.error("the command %s failed", name, about=name, error=error)
            raise CommandError("refused", f"an internal error: {sentence(error)}") from error

    def reason(self, name: str, arguments: Mapping[str, Any], result: Any) -> str:
        """Why a command was refused, if that is what `result` says and the reason is known; else empty."""
        why = COMMANDS[name].why
        if why is None or not isinstance(result, str) or result not in REFUSALS:
            return ""
        try:
            checked = COMMANDS[name].check(arguments, self.charge_point.for_station.number_of_connectors)
            return shown(why(self, **checked))
        except (CommandError, Ocpp16Error, ValueError):  # things have changed meanwhile
            return ""


def find(name: str) -> Command:
    """The command of this name. Raises CommandError."""
    command = COMMANDS.get(name)
    if command is None:
        raise CommandError("unknown_command", f"no command {shown(name, 64)}" + did_you_mean(name, COMMANDS))
    return command

"""One command: its row in the table, the check of its arguments, and what can be wrong with a command."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ocpp16.simulation.arguments import REQUIRED, Argument
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown


class CommandError(Exception):
    """A command that was not carried out.

    `code`: unreadable (no command at all), unknown_command, unknown_argument, bad_value, refused (not possible now).
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the list.

    `is_deferred`: its answer may take long, and others are served meanwhile (†). `why` tells from the arguments why the
    result is a refusal, if it is one.
    """

    name: str
    text: str
    handler: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()
    is_deferred: bool = False
    why: Callable[..., str] | None = None

    @property
    def subject(self) -> str:
        """What it is about, in a word: the file its handler is in, or the station as a whole."""
        file = self.handler.__module__.rpartition(".")[2]
        return file.removesuffix("_commands").replace("_", " ") if file.endswith("_commands") else "station"

    def check(self, given: Mapping[str, Any], connectors: int) -> dict[str, Any]:
        """All arguments as the handler takes them. Raises CommandError."""
        known = [argument.name for argument in self.arguments]
        for name in given:
            if name not in known:
                raise CommandError(
                    "unknown_argument", f"{self.name} has no argument {shown(name, 64)}" + did_you_mean(name, known)
                )
        checked = {}
        for argument in self.arguments:
            value = given.get(argument.name, argument.default)
            if value is REQUIRED:
                raise CommandError("bad_value", f"{self.name} needs the argument {argument.name}")
            if argument.name not in given:
                checked[argument.name] = argument.absent
                continue
            try:
                checked[argument.name] = argument.check(value, connectors)
            except ValueError as error:
                reason = str(error)
                told = reason if reason.startswith("no connector") else f"{argument.name} {reason}"
                raise CommandError("bad_value", shown(told)) from None
        return checked

    def described(self) -> dict[str, Any]:
        """As the help has it."""
        return {
            "command": self.name,
            "text": self.text,
            "arguments": [argument.described() for argument in self.arguments],
            "answers_later": self.is_deferred,
        }

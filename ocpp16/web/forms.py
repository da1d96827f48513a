"""Forms out of the one table of commands, and what is typed into them read as the console reads words."""

from collections.abc import Mapping
from typing import Any

from ocpp16.simulation import CommandError
from ocpp16.simulation.arguments import REQUIRED, Argument, from_json
from ocpp16.simulation.command import Command
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.simulation.commands import find
from ocpp16.texts import shown


def forms() -> list[dict[str, Any]]:
    """Every command with its fields, in the order of the table."""
    return [_form(command) for command in COMMANDS.values()]


def _form(command: Command) -> dict[str, Any]:
    return {
        "name": command.name,
        "text": command.text,
        "subject": command.subject,
        "answers_later": command.is_deferred,
        "fields": [_field(argument) for argument in command.arguments],
    }


def _field(argument: Argument) -> dict[str, Any]:
    kind = argument.kind
    field: dict[str, Any] = {"name": argument.name, "type": kind.name, "is_required": argument.default is REQUIRED}
    if argument.default is not REQUIRED and argument.default is not None:
        default = argument.default
        field["default"] = list(default) if isinstance(default, tuple) else default
    if kind.choices:
        field["choices"] = list(kind.choices)
    if kind.limits is not None:
        field["limits"] = list(kind.limits)
    if kind.is_json:
        field["is_json"] = True
    return field


def typed(name: str, words: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as JSON has them, of what was typed into each field. Raises CommandError."""
    kinds = {argument.name: argument.kind for argument in find(name).arguments}
    given: dict[str, Any] = {}
    for argument, word in words.items():
        if not isinstance(word, str):
            raise CommandError("bad_value", f"{shown(argument, 64)}: what is typed is a text")
        kind = kinds.get(argument)
        if kind is None:
            given[argument] = word  # the command itself says that it has no such argument
        elif kind.is_json and word.lstrip()[:1] in ("{", "["):
            try:
                given[argument] = from_json(word)
            except ValueError as error:
                raise CommandError("bad_value", f"{argument} cannot be read as JSON: {error}") from None
        else:
            given[argument] = kind.from_word(word)
    return given

"""Completion of a typed command: names from the table of commands, then the arguments and what they may be."""

from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ocpp16 import enums
from ocpp16.simulation.arguments import Argument
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.simulation.overrule import ANSWERS

OWN_WORDS = ("wait", "quit")
"""What the console understands beside the commands."""


class CommandCompleter(Completer):
    """For a station with `connectors` connectors."""

    def __init__(self, connectors: int) -> None:
        self._connectors = connectors

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        words = document.text_before_cursor.split(" ")
        typed = words[-1]
        offered = self._first() if len(words) == 1 else self._further(words)
        for text, meta in offered:
            if text.startswith(typed):
                yield Completion(text, start_position=-len(typed), display_meta=meta)

    def _first(self) -> Iterator[tuple[str, str]]:
        yield from ((name, command.text) for name, command in COMMANDS.items())
        yield from ((name, "") for name in OWN_WORDS)

    def _further(self, words: list[str]) -> Iterator[tuple[str, str]]:
        command = COMMANDS.get(words[0].replace("-", "_"))
        if command is None:
            return
        by_name = {argument.name: argument for argument in command.arguments}
        named = {word.partition("=")[0] for word in words[1:-1] if "=" in word} & set(by_name)
        in_order = [argument for argument in command.arguments if argument.name not in named]
        in_order = in_order[sum(1 for word in words[1:-1] if word and word.partition("=")[0] not in by_name) :]
        name, equals, _ = words[-1].partition("=")
        if equals and name in by_name:
            yield from ((f"{name}={value}", "") for value in self._values(by_name[name]))
            return
        if in_order:
            yield from ((value, in_order[0].name) for value in self._values(in_order[0]))
        yield from ((f"{argument.name}=", argument.kind.name) for argument in in_order)

    def _values(self, argument: Argument) -> Iterable[str]:
        """What an argument may be, where that is a short list."""
        kind = argument.kind.name
        if kind in {"connector", "connector or 0", "list of connectors"}:
            return map(str, range(0 if kind == "connector or 0" else 1, self._connectors + 1))
        if kind == "flag":
            return ("true", "false")
        if argument.name == "question":
            return ANSWERS
        return map(str, getattr(enums, kind, ()))

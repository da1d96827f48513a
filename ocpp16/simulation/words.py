"""A command as a person types it: `plug-in 1 current=16`.

Rules of this file:
1. A name, with hyphens or underscores, then arguments in order or by name. Lists are joined by commas; quotes hold
   words together.
2. JSON is typed as it is: what begins with `{` or `[` and can be read as JSON is one argument, blanks and quotes
   included. Quotes around the whole, as a shell needs them, do no harm.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from ocpp16.simulation.arguments import Argument, from_json
from ocpp16.simulation.command import CommandError
from ocpp16.simulation.commands import find
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown

_JSON = re.compile(r"(?:([A-Za-z_-]+)=)?(?=[{\[])")


def from_words(line: str) -> tuple[str, dict[str, Any]]:
    """The name of the command and its arguments as JSON has them. Raises CommandError."""
    words = _words(line)
    first = next(words, None)
    if first is None:
        raise CommandError("unreadable", "no command")
    command = find(first[0].replace("-", "_"))
    by_name = {argument.name: argument for argument in command.arguments}
    given: dict[str, Any] = {}
    for word, rest in words:
        name, equals, value = word.partition("=")
        name = name.replace("-", "_")
        if not (equals and name in by_name):
            following = next((one for one in command.arguments if one.name not in given), None)
            if following is None or (equals and name.isidentifier() and not following.kind.is_text):
                told = shown(word, 64)
                raise CommandError(
                    "unknown_argument", f"{command.name} has no argument {told}" + did_you_mean(name, by_name)
                )
            name, value = following.name, word
        given[name] = _value(by_name, name, value, rest)
    return command.name, given


def _value(by_name: Mapping[str, Argument], name: str, word: str, rest: str) -> Any:
    """`rest`: the line from where the word begins, as it was typed."""
    kind = by_name[name].kind
    if kind.is_json and word[:1] in ("{", "["):
        try:
            return from_json(word)
        except ValueError as error:
            typed = rest[rest.index(word[0]) :].rstrip(" '")  # the word may be only its first part, without its quotes
            raise CommandError(
                "bad_value",
                f"{name} cannot be read as JSON: {_problem(typed) or error}; type it as it is, without quotes",
            ) from None
    return kind.from_word(word)


def _problem(text: str) -> str:
    try:
        from_json(text)
    except ValueError as error:
        return str(error)
    return ""


def _words(line: str) -> Iterator[tuple[str, str]]:
    """The words, each with the rest of the line that begins with it."""
    stream = StringIO(line)
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    decoder = json.JSONDecoder()
    while True:
        at = stream.tell()
        at += len(line[at:]) - len(line[at:].lstrip())
        found = _JSON.match(line, at)
        if found is not None:
            try:
                _, end = decoder.raw_decode(line, found.end())
            except (ValueError, RecursionError):
                end = 0
            if end and (end == len(line) or line[end].isspace()):
                stream.seek(end)
                yield line[at:end], line[at:]
                continue
        stream.seek(at)
        try:
            word = lexer.get_token()
        except ValueError as error:
            raise CommandError("unreadable", f"{error}".lower()) from None
        if word is None:
            return
        yield word, line[at:]

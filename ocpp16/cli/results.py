"""What a person sees of the results of commands: tables for lists, words for the rest."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text


def shown(command: str, result: Any) -> RenderableType:
    """The result of a command, to be printed."""
    if command in _TABLES:
        return _TABLES[command](result)
    if result is None:
        return Text("ok")
    if isinstance(result, bool):
        return Text("done" if result else "nothing to do: it is so already")
    return Text(result if isinstance(result, str) else orjson.dumps(result).decode())


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]], caption: str | None = None) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, caption=caption, caption_justify="left")
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text("-" if cell is None or cell == "" else str(cell)) for cell in row))
    return table


def _status(result: Mapping[str, Any]) -> Table:
    heads = ("connector", "status", "error", "session", "transaction", "limit")
    keys = ("connector", "status", "error", "session", "transaction_id", "limit")
    connection = "connected" if result["connection"] else "not connected"
    return _table(
        heads,
        ([connector[key] for key in keys] for connector in result["connectors"]),
        f"{connection}; registration {result['registration'] or 'unknown'}; {result['queue_depth']} messages wait",
    )


def _help(result: Iterable[Mapping[str, Any]]) -> Table:
    own = (("wait SECONDS", "do nothing for so long, for commands from a file"), ("quit", "stop in order and leave"))
    rows = [(" ".join((row["command"], *map(_usage, row["arguments"]))), row["text"]) for row in result]
    return _table(("command", ""), [*rows, *own])


def _usage(argument: Mapping[str, Any]) -> str:
    if "default" not in argument:
        return str(argument["name"])
    default = argument["default"]
    is_plain = default is None or default == [] or default == ()
    return f"[{argument['name']}]" if is_plain else f"[{argument['name']}={_word(default)}]"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _configuration(result: Mapping[str, Any]) -> Table:
    unknown = result.get("unknownKey", ())
    return _table(
        ("key", "value", ""),
        (
            (key["key"], key.get("value"), "read-only" if key["readonly"] else " ")
            for key in result.get("configurationKey", ())
        ),
        f"unknown: {', '.join(unknown)}" if unknown else None,
    )


def _data_transfer(result: Mapping[str, Any]) -> Text:
    return Text(f"{result['status']} {result['data'] or ''}".rstrip())


def _composite_schedule(result: Mapping[str, Any]) -> Table:
    keys = ("start", "limit", "phases", "stack_level")
    return _table(
        keys,
        ([period.get(key) for key in keys] for period in result["periods"]),
        f"{result['duration']} s from {result['start']}, in {result['unit']}",
    )


_TABLES: Mapping[str, Callable[[Any], RenderableType]] = {
    "status": _status,
    "help": _help,
    "get_configuration": _configuration,
    "data_transfer": _data_transfer,
    "composite_schedule": _composite_schedule,
}

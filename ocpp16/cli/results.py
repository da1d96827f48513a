"""What a person sees of the results of commands: tables for lists, words for the rest.

Whatever is in a result may be foreign: it goes through `shown`, cell by cell.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ocpp16.texts import shown

LONGEST_CELL = 500
"""Characters: the longest value of a configuration key."""
LONGEST_RESULT = 2000
"""Characters of a result that is no table."""


def rendered(command: str, result: Any) -> RenderableType:
    """The result of a command, to be printed."""
    if command in _TABLES:
        return _TABLES[command](result)
    if result is None:
        return Text("ok")
    if isinstance(result, bool):
        return Text("done" if result else "nothing to do: it is so already")
    return Text(shown(result if isinstance(result, str) else json.dumps(result, default=str), LONGEST_RESULT))


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]], caption: str | None = None) -> Table:
    told = None if caption is None else Text(shown(caption, LONGEST_RESULT))
    table = Table(box=None, header_style="bold", pad_edge=False, caption=told, caption_justify="left")
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text("-" if cell is None or cell == "" else shown(cell, LONGEST_CELL)) for cell in row))
    return table


def _status(result: Mapping[str, Any]) -> Table:
    heads = ("connector", "status", "error", "session", "transaction", "limit")
    keys = ("connector", "status", "error", "session", "transaction_id")
    connection = "connected" if result["connection"] else "not connected"
    return _table(
        heads,
        ((*(connector[key] for key in keys), _amperes(connector["limit"])) for connector in result["connectors"]),
        f"{connection}; registration {result['registration'] or 'unknown'}; {result['queue_depth']} messages wait",
    )


def _amperes(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g} A"


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
    return Text(shown(f"{result['status']} {result['data'] or ''}".rstrip(), LONGEST_RESULT))


def _composite_schedule(result: Mapping[str, Any]) -> Table:
    return _table(
        ("start", "limit", "phases", "stack level"),
        (
            (period["start"], f"{period['limit']:g}", period["phases"], period["stack_level"])
            for period in result["periods"]
        ),
        f"{result['duration']} s from {result['start']}, in {result['unit']}",
    )


def _charging_profiles(result: Iterable[Mapping[str, Any]]) -> Table:
    keys = ("id", "connector", "purpose", "stack_level", "kind", "unit")
    rows = [(*(profile[key] for key in keys), "yes" if profile["valid"] else "not now") for profile in result]
    return _table((*(key.replace("_", " ") for key in keys), "valid"), rows, None if rows else "no charging profiles")


def _charging_limit(result: Mapping[str, Any]) -> Text:
    return Text(shown(_limit(result) + (f" until {result['until']}" if result["until"] else "")))


def _explain_limit(result: Mapping[str, Any]) -> Text:
    """A sentence for each thing that made the limit."""
    unit = result["unit"]
    lines = [_charging_limit(result).plain]
    if result["shared"]:
        lines.append(f"a share: alone it could have {result['before_sharing']:g} {unit}")
    for part in (result["transaction"], result["maximum"]):
        if part is not None:
            converted = "" if part["unit"] == unit else f", which is {part['comes_to']:g} {unit}"
            decides = ", decides" if result["profile"] and part["id"] == result["profile"]["id"] else ""
            name = f"{part['purpose']} {part['id']}, stack level {part['stack_level']}"
            lines.append(shown(f"{name}: {_limit(part)}{converted}{decides}"))
    if result["before_sharing"] is None:
        lines.append("no charging profile applies now")
    return Text("\n".join(lines))


def _limit(result: Mapping[str, Any]) -> str:
    if result["limit"] is None:
        return "no limit"
    phases = {None: "", 1: " on 1 phase"}.get(result["phases"], f" on {result['phases']} phases")
    return f"{result['limit']:g} {result['unit']}{phases}"


def _dead_letters(result: Iterable[Mapping[str, Any]]) -> Table:
    keys = ("sequence", "given_up_at", "action", "attempts", "reason")
    rows = [(*(letter[key] for key in keys), json.dumps(letter["payload"], default=str)) for letter in result]
    return _table((*(key.replace("_", " ") for key in keys), "payload"), rows, None if rows else "no dead letters")


def _why(result: Iterable[Mapping[str, Any]]) -> Table:
    keys = ("time", "id_tag", "status", "source", "rule", "key")
    rows = [tuple(decision[key] for key in keys) for decision in result]
    return _table((key.replace("_", " ") for key in keys), rows, None if rows else "nothing was decided yet")


def _local_list(result: Mapping[str, Any]) -> Table:
    return _id_tags(result, f"version {result['version']}; ")


def _id_tags(result: Mapping[str, Any], told: str = "") -> Table:
    keys = ("id_tag", "status", "expiry_date", "parent_id_tag")
    rows = [tuple(entry[key] for key in keys) for entry in result["entries"]]
    return _table((key.replace("_", " ") for key in keys), rows, f"{told}{len(rows)} of {result['count']} entries")


def _reservations(result: Iterable[Mapping[str, Any]]) -> Table:
    keys = ("reservation_id", "connector", "id_tag", "parent_id_tag", "expiry_date")
    rows = [tuple(one[key] for key in keys) for one in result]
    return _table((key.replace("_", " ") for key in keys), rows, None if rows else "no reservations")


def _maintenance(result: Mapping[str, Any]) -> Table:
    rows = [(name, (part or {}).get("request_id"), (part or {}).get("status")) for name, part in result.items()]
    return _table(("", "request id", "status"), rows)


def _origins(result: Mapping[str, str]) -> RenderableType:
    return _table(("key", "from"), result.items()) if result else Text("all keys have their defaults")


_TABLES: Mapping[str, Callable[[Any], RenderableType]] = {
    "status": _status,
    "help": _help,
    "get_configuration": _configuration,
    "data_transfer": _data_transfer,
    "composite_schedule": _composite_schedule,
    "clear_charging_profiles": lambda result: Text(f"{result} removed"),
    "charging_profiles": _charging_profiles,
    "charging_limit": _charging_limit,
    "explain_limit": _explain_limit,
    "configuration_origins": _origins,
    "reservations": _reservations,
    "maintenance": _maintenance,
    "why": _why,
    "local_list": _local_list,
    "cache": _id_tags,
    "dead_letters": _dead_letters,
    "resend_dead_letters": lambda result: Text(f"{result} queued again"),
    "discard_dead_letters": lambda result: Text(f"{result} deleted"),
}

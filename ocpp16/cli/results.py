"""What a person sees of the results of commands: tables for lists, words for the rest.

Whatever is in a result may be foreign: it goes through `shown`, cell by cell.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ocpp16.cli.message_lines import in_words
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


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]], caption: str | None = None) -> RenderableType:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text("-" if cell is None or cell == "" else shown(cell, LONGEST_CELL)) for cell in row))
    if caption is None:
        return table
    # Not as the table's own caption, which would have no more room than the columns.
    told = Text(shown(caption, LONGEST_RESULT), "italic")
    return Group(table, told) if table.row_count else told


def _status(result: Mapping[str, Any]) -> RenderableType:
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


def _help(result: Iterable[Mapping[str, Any]]) -> RenderableType:
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


def _configuration(result: Mapping[str, Any]) -> RenderableType:
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


def _composite_schedule(result: Mapping[str, Any]) -> RenderableType:
    return _table(
        ("start", "limit", "phases", "stack level"),
        (
            (period["start"], f"{period['limit']:g}", period["phases"], period["stack_level"])
            for period in result["periods"]
        ),
        f"{result['duration']} s from {result['start']}, in {result['unit']}",
    )


def _charging_profiles(result: Iterable[Mapping[str, Any]]) -> RenderableType:
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


def _dead_letters(result: Iterable[Mapping[str, Any]]) -> RenderableType:
    keys = ("sequence", "given_up_at", "action", "attempts", "reason")
    rows = [(*(letter[key] for key in keys), json.dumps(letter["payload"], default=str)) for letter in result]
    return _table((*(key.replace("_", " ") for key in keys), "payload"), rows, None if rows else "no dead letters")


def _why(result: Iterable[Mapping[str, Any]]) -> RenderableType:
    keys = ("time", "id_tag", "status", "source", "rule", "key")
    rows = [tuple(decision[key] for key in keys) for decision in result]
    return _table((key.replace("_", " ") for key in keys), rows, None if rows else "nothing was decided yet")


def _local_list(result: Mapping[str, Any]) -> RenderableType:
    return _id_tags(result, f"version {result['version']}; ")


def _id_tags(result: Mapping[str, Any], told: str = "") -> RenderableType:
    keys = ("id_tag", "status", "expiry_date", "parent_id_tag")
    rows = [tuple(entry[key] for key in keys) for entry in result["entries"]]
    return _table((key.replace("_", " ") for key in keys), rows, f"{told}{len(rows)} of {result['count']} entries")


def _transactions(result: Iterable[Mapping[str, Any]]) -> RenderableType:
    keys = ("connector", "transaction_id", "id_tag", "started_at")
    rows = [
        (*(one[key] for key in keys), f"{one['energy']} Wh", "refused" if one["is_refused"] else " ") for one in result
    ]
    heads = ("connector", "transaction", "id tag", "started at", "energy", "")
    return _table(heads, rows, None if rows else "no transactions")


def _queue(result: Mapping[str, Any]) -> RenderableType:
    keys = ("sequence", "action", "state", "attempts")
    rows = [(*(one[key] for key in keys), in_words(one["payload"])) for one in result["messages"]]
    return _table((*keys, "payload"), rows, f"{len(rows)} of {result['count']} messages that wait")


def _authorize(result: Mapping[str, Any]) -> Text:
    key = f" ({result['key']})" if result["key"] else ""
    source = f": {result['source']}, {result['rule']}{key}" if result["source"] else ""
    return Text(shown(f"{result['status']}{source}", LONGEST_RESULT))


def _reservations(result: Iterable[Mapping[str, Any]]) -> RenderableType:
    keys = ("reservation_id", "connector", "id_tag", "parent_id_tag", "expiry_date")
    rows = [tuple(one[key] for key in keys) for one in result]
    return _table((key.replace("_", " ") for key in keys), rows, None if rows else "no reservations")


def _maintenance(result: Mapping[str, Any]) -> RenderableType:
    rows = [(name, (part or {}).get("request_id"), (part or {}).get("status")) for name, part in result.items()]
    return _table(("", "request id", "status"), rows)


def _display(result: Mapping[str, Any]) -> Text:
    """As the driver reads it, line by line."""
    cost = result["cost"]
    if cost is not None:
        about = "about " if result["is_estimate"] else ""
        cost = f"{about}{cost} ({result['state']})"
    qr_code = None if result["qr_code"] is None else f"QR code: {result['qr_code']}"
    lines = (result["time"], result["price"], cost, result["text"], qr_code)
    return Text("\n".join(shown(line, LONGEST_RESULT) for line in lines if line))


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
    "cancel_reservation": lambda result: Text("cancelled" if result else "there is no such reservation"),
    "drop": lambda result: Text("broken off" if result else "there is no connection"),
    "heartbeat": lambda result: Text("sent" if result else "not sent: not connected, or not accepted"),
    "sample": lambda result: Text("taken" if result else "nothing is sent: no reading, or nobody to tell it"),
    "transactions": _transactions,
    "queue": _queue,
    "authorize": _authorize,
    "maintenance": _maintenance,
    "display": _display,
    "why": _why,
    "local_list": _local_list,
    "cache": _id_tags,
    "dead_letters": _dead_letters,
    "resend_dead_letters": lambda result: Text(f"{result} queued again"),
    "discard_dead_letters": lambda result: Text(f"{result} deleted"),
}

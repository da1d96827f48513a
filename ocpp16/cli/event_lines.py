"""One line for each event of a charge point: a table from the event's name, as the control interface has it."""

from collections.abc import Callable, Mapping
from typing import Any

from ocpp16.cli.message_lines import IN, OUT, MessageLines, in_words
from ocpp16.observer import ConnectionStateChanged, ObserverEvent
from ocpp16.simulation.events import Events

Record = Mapping[str, Any]


class EventLines:
    """Turns what an observer is told into lines for people."""

    __slots__ = ("_events", "_messages")

    def __init__(self) -> None:
        self._events = Events()
        self._messages = MessageLines()

    def of(self, event: ObserverEvent) -> list[str]:
        """The lines of an event: one, or none."""
        lines = []
        for record in self._events.records(event):
            name = record["event"]
            if name == "message":
                lines.append(self._messages.of_text(OUT if record["direction"] == "sent" else IN, record["text"]))
            elif isinstance(event, ConnectionStateChanged) and event.reason:
                lines.append(f"not connected: {event.reason}")
            elif name in _TEXTS:
                lines.append(_TEXTS[name](record))
            else:
                members = {key: value for key, value in record.items() if key != "event"}
                lines.append(f"{name.replace('_', ' ')}: {in_words(members)}")
        return lines


def _status(record: Record) -> str:
    error = "" if record["error_code"] == "NoError" else f" ({record['error_code']})"
    place = f"connector {record['connector']}" if record["connector"] else "charge point"
    return f"{place}: {record['status']}{error}"


def _transaction(record: Record) -> str:
    number = "" if record["transaction_id"] is None else f" {record['transaction_id']}"
    details = {name: str(record[name]) for name in ("id_tag", "reason") if name in record}
    return " ".join(
        (f"connector {record['connector']}: transaction{number} {record['phase']}", in_words(details))
    ).rstrip()


def _charging_limit(record: Record) -> str:
    limit, until = record["limit"], record["until"]
    told = "no limit" if limit is None else f"limit {limit:g} {record['unit']}"
    return f"connector {record['connector']}: {told}" + (f" until {until}" if until else "")


def _configuration(record: Record) -> str:
    return f"{record['key']} " + ("changed" if record["value"] is None else f"= {record['value']}")


_TEXTS: Mapping[str, Callable[[Record], str]] = {
    "connection": lambda record: "connected" if record["connected"] else "not connected",
    "boot": lambda record: f"BootNotification: {record['status']}, interval {record['interval']} s",
    "status": _status,
    "transaction": _transaction,
    "charging_limit": _charging_limit,
    "charging_profiles": lambda record: "charging profiles changed",
    "configuration": _configuration,
    "reset": lambda record: f"{record['type']} reset",
    "security_event": lambda record: f"security event {record['type']}: {record['tech_info'] or ''}".rstrip(": "),
}

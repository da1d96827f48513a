"""One line for each event of a charge point: a table from the event's name, as the control interface has it.

The table has every event, and a line is harmless and bounded, whatever is told in it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.message_lines import IN, LONGEST_LINE, OUT, MessageLines, in_words
from ocpp16.observer import ConnectionStateChanged, ObserverEvent
from ocpp16.simulation.events import Events
from ocpp16.texts import shown

Record = Mapping[str, Any]


class EventLines:
    """Turns what an observer is told into lines for people."""

    __slots__ = ("_events", "_messages")

    def __init__(self) -> None:
        self._events = Events()
        self._messages = MessageLines()

    def follow(self, charge_point: ChargePoint) -> None:
        """Whose events they are."""
        self._events.follow(charge_point)

    def of(self, event: ObserverEvent) -> list[str]:
        """The lines of an event: one or none, and one for those that were lost before it."""
        return [shown(self._line(event, record), LONGEST_LINE) for record in self._events.records(event)]

    def _line(self, event: ObserverEvent, record: Record) -> str:
        name = record["event"]
        if name == "message":
            return self._messages.of_text(OUT if record["direction"] == "sent" else IN, record["text"])
        if name == "connection" and isinstance(event, ConnectionStateChanged) and event.reason:
            return f"not connected: {event.reason}"
        return TEXTS[name](record)


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


def _store(record: Record) -> str:
    told = "the store cannot be written" if record["state"] == "failing" else "the store can be written again"
    return f"{told}: {record['detail']}" if record["detail"] else told


def _authorization(record: Record) -> str:
    source = f" ({record['source']})" if record["source"] else ""
    return f"{record['id_tag']} is {record['status']}{source}"


def _contract(record: Record) -> str:
    reason = f": {record['reason']}" if record["reason"] else ""
    return f"contract {record['emaid']} is {record['status']} ({record['source']}{reason})"


def _ev_certificate(record: Record) -> str:
    reason = f": {record['reason']}" if record["reason"] else ""
    return f"connector {record['connector']}: a contract for the car ({record['action']}) {record['status']}{reason}"


def _set_aside(record: Record) -> str:
    return f"{record['action']} of {record['session_id']} is not answered: {record['waiting']} messages wait apart"


def _reservation(record: Record) -> str:
    place = f"connector {record['connector']}" if record["connector"] else "any connector"
    return f"reservation {record['reservation_id']} of {place} for {record['id_tag']}: {record['state']}"


def _first(record: Record) -> str:
    return str(record["texts"][0]["text"]) if record["texts"] else ""


def _cost(record: Record) -> str:
    about = "about " if record["is_estimate"] else ""
    so_far = "in the end" if record["state"] == "Finished" else f"so far ({record['state']})"
    qr_code = f" [QR {record['qr_code']}]" if record["qr_code"] else ""
    return f"connector {record['connector']}: {about}{record['displayed']} {so_far} {_first(record)}{qr_code}".rstrip()


def _display_message(record: Record) -> str:
    qr_code = f" [QR {record['qr_code']}]" if record["qr_code"] else ""
    return f"display of {record['session_id']}: {_first(record)}{qr_code}"


TEXTS: Mapping[str, Callable[[Record], str]] = {
    "connection": lambda record: "connected" if record["connected"] else "not connected",
    "boot": lambda record: f"BootNotification: {record['status']}, interval {record['interval']} s",
    "status": _status,
    "transaction": _transaction,
    "charging_limit": _charging_limit,
    "charging_profiles": lambda record: "charging profiles changed",
    "tariff_message": lambda record: f"price for {record['identifier']}: {_first(record)}",
    "session_cost": _cost,
    "default_price": lambda record: f"price for everybody: {_first(record)}",
    "display_message": _display_message,
    "time_offset": lambda record: f"local time is {record['minutes']} minutes ahead of UTC",
    "configuration": _configuration,
    "events_dropped": lambda record: f"… {record['count']:,} more events, too many to be shown",
    "store": _store,
    "authorization": _authorization,
    "contract": _contract,
    "ev_certificate": _ev_certificate,
    "message_given_up": lambda record: f"{record['action']} was given up: {record['reason']}",
    "message_set_aside": _set_aside,
    "internal_error": lambda record: f"internal error in {record['place']}: {record['reason']}",
    "reservation": _reservation,
    "central_system": lambda record: f"the Central System is tried at {record['uri']}",
    "reset": lambda record: f"{record['type']} reset",
    "security_event": lambda record: f"security event {record['type']}: {record['tech_info'] or ''}".rstrip(": "),
}

"""The commands that the module implements: COMMANDS is the table.

A framework's thread calls them, and gets an answer within the bound of its row: that of the charge point, or, where
that is not there yet, does not answer in time or fails, the refusing one of its type, with a warning.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from ocpp16.blocking import time_limit
from ocpp16.enums import AvailabilityStatus, AvailabilityType
from ocpp16.everest.authorization import UNKNOWN, validate
from ocpp16.everest.border import Part
from ocpp16.everest.publications import Publications
from ocpp16.everest.side import EverestSide
from ocpp16.everest.topology import Topology
from ocpp16.everest.variables import Variables, refused, requests_of
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog

__all__ = ["COMMANDS", "Command", "Opened", "answered", "unknown"]

QUICK: Final = 15.0
"""Seconds for what asks the charge point and its disk."""
ASKING: Final = 70.0
"""For what asks the Central System, which has 60 s."""
STOPPING: Final = 120.0
LONGEST_TYPE: Final = 50
LONGEST_INFO: Final = 255
LONGEST_VENDOR: Final = 255
LONGEST_MESSAGE: Final = 50


class Opened(Protocol):
    """What the commands work with, once it is there."""

    charge_point: Any
    side: EverestSide
    topology: Topology
    variables: Variables
    publications: Publications

    def stop(self) -> bool: ...

    def restart(self) -> bool: ...


class Command(NamedTuple):
    """`answer` of what is there and of the arguments; `refusal` of the arguments. `is_newer`: than the interfaces of
    EVerest that this module was made for; implemented where the framework asks for it."""

    implementation: str
    name: str
    answer: Callable[[Opened, Part], Any]
    refusal: Callable[[Part], Any]
    seconds: float = QUICK
    is_newer: bool = False


def unknown(implementation: str, name: str) -> Command:
    """Of a newer EVerest, and nothing that is known here. It must be implemented all the same, for else the framework
    takes the module for incomplete. It gives nothing, which is an error for the caller where there should be a result;
    raising one would end the process."""

    def nothing(opened: Opened, arguments: Part) -> None:
        arguments.log.warning("%s.%s is a command of a newer EVerest: it does nothing", implementation, name)

    return Command(implementation, name, nothing, _nothing)


def answered(command: Command, opened: Opened | None, arguments: Any, log: FoldingLog) -> Any:
    """What the framework is answered."""
    place = f"{command.implementation}.{command.name}"
    part = Part({} if arguments is None else arguments, place, log)
    if opened is None:
        log.warning("%s came before the charge point was there: it is refused", place, about=place)
        return command.refusal(part)
    try:
        with time_limit(command.seconds):
            return command.answer(opened, part)
    except BaseException as error:
        obey_exit(error)
        log.warning("%s is refused: %s", place, sentence(error), about=place)
        return command.refusal(part)


def _stop(opened: Opened, arguments: Part) -> bool:
    return opened.stop()


def _restart(opened: Opened, arguments: Part) -> bool:
    return opened.restart()


def _security_event(opened: Opened, arguments: Part) -> None:
    kind = arguments.text("type", is_needed=True)
    if kind is not None:
        _tell_security(opened, kind, arguments.text("info"))


def _generic_security_event(opened: Opened, arguments: Part) -> None:
    event = arguments.part("event", is_needed=True)
    kind = None if event is None else event.text("type", is_needed=True)
    if event is not None and kind is not None:
        _tell_security(opened, kind, event.text("info"), event.flag("critical"), event.time("timestamp"))


def _tell_security(
    opened: Opened, kind: str, info: str | None, critical: bool | None = None, timestamp: datetime | None = None
) -> None:
    """Cut to what OCPP can carry."""
    kind, cut = kind[:LONGEST_TYPE], info[:LONGEST_INFO] if info else None
    opened.publications.known(kind, cut)
    opened.charge_point.on_security_event(kind, cut, critical, timestamp)


def _change_availability(opened: Opened, arguments: Part) -> dict[str, Any]:
    request = arguments.part("request", is_needed=True)
    kind = None if request is None else request.word(AvailabilityType, "operational_status", is_needed=True)
    if request is None or kind is None:
        return _invalid("operational_status must be Operative or Inoperative")
    connector = 0
    if request.has("evse"):
        evse = request.part("evse")
        number = None if evse is None else evse.whole("id", 1, is_needed=True)
        of_evse = None if evse is None else evse.whole("connector_id", 1)
        if number is None or of_evse is None:
            return _invalid("an evse needs its id and a connector_id; without evse the whole station is meant")
        try:
            connector = opened.topology.number(number, of_evse)
        except ValueError as error:
            return _invalid(str(error))
    status: AvailabilityStatus = opened.charge_point.on_change_availability(connector, kind)
    return {"status": str(status)}


def _validate_token(opened: Opened, arguments: Part) -> dict[str, Any]:
    token = arguments.part("provided_token", is_needed=True)
    return UNKNOWN if token is None else validate(opened.charge_point, token, opened.side.log.warning)


def _data_transfer(opened: Opened, arguments: Part) -> dict[str, Any]:
    request = arguments.part("request", is_needed=True)
    vendor = None if request is None else request.text("vendor_id", LONGEST_VENDOR, 1, is_needed=True)
    if request is None or vendor is None:
        return _REJECTED
    message = request.text("message_id", LONGEST_MESSAGE)
    if message is None and request.has("message_id"):
        return _REJECTED
    answer = opened.charge_point.data_transfer(vendor, message, request.text("data"))
    if answer is None:
        return _OFFLINE
    return {"status": str(answer.status), **({} if answer.data is None else {"data": answer.data})}


def _false(arguments: Part) -> bool:
    return False


def _nothing(arguments: Part) -> None: ...


def _rejected(arguments: Part) -> dict[str, Any]:
    return _REJECTED


def _offline(arguments: Part) -> dict[str, Any]:
    return _OFFLINE


def _invalid(why: str) -> dict[str, Any]:
    return {"status": "Rejected", "status_info": {"reason_code": "InvalidInput", "additional_info": why}}


def _unknown_token(arguments: Part) -> dict[str, Any]:
    return UNKNOWN


def _rejected_word(arguments: Part) -> str:
    return "Rejected"


def _no_keys(arguments: Part) -> dict[str, Any]:
    return {"configuration_keys": [], "unknown_keys": arguments.texts("keys")}


def _rejected_requests(arguments: Part) -> list[dict[str, Any]]:
    return refused(arguments.parts("requests"))


def _rejected_variables(arguments: Part) -> list[dict[str, Any]]:
    return refused(requests_of(arguments))


_REJECTED: Final[dict[str, Any]] = {"status": "Rejected"}
_OFFLINE: Final[dict[str, Any]] = {"status": "Offline"}

COMMANDS: Final = (
    Command("main", "stop", _stop, _false, STOPPING),
    Command("main", "restart", _restart, _false, QUICK),
    Command(
        "main", "get_configuration_key", lambda opened, given: opened.variables.get_configuration_key(given), _no_keys
    ),
    Command(
        "main",
        "set_configuration_key",
        lambda opened, given: opened.variables.set_configuration_key(given),
        _rejected_word,
    ),
    Command(
        "main",
        "monitor_configuration_keys",
        lambda opened, given: opened.variables.monitor_configuration_keys(given),
        _nothing,
    ),
    Command("main", "security_event", _security_event, _nothing),
    Command("ocpp_generic", "stop", _stop, _false, STOPPING),
    Command("ocpp_generic", "restart", _restart, _false, QUICK),
    Command("ocpp_generic", "security_event", _generic_security_event, _nothing),
    Command(
        "ocpp_generic",
        "get_variables",
        lambda opened, given: opened.variables.get_variables(given),
        _rejected_requests,
    ),
    Command(
        "ocpp_generic",
        "set_variables",
        lambda opened, given: opened.variables.set_variables(given),
        _rejected_requests,
    ),
    Command("ocpp_generic", "change_availability", _change_availability, _rejected),
    Command(
        "ocpp_generic",
        "monitor_variables",
        lambda opened, given: opened.variables.monitor_variables(given),
        _nothing,
    ),
    Command(
        "ocpp_generic",
        "monitor_and_get_variables",
        lambda opened, given: opened.variables.monitor_and_get_variables(given),
        _rejected_variables,
        is_newer=True,
    ),
    Command("auth_validator", "validate_token", _validate_token, _unknown_token, ASKING),
    Command("data_transfer", "data_transfer", _data_transfer, _offline, ASKING),
)
"""In the order of the implementations."""

"""What can be read of a confirmation that breaks its schema, when the repairs of `tolerance` did not help.

The schema has integers of any size. An id that no column holds is no id, whether or not anything else is wrong.

Losing a transaction over a misspelt status is never right, so this is no repair that strict tolerance switches off.
What goes out of here is a reduced payload: members only where they can be read, each as its schema wants it.

Rules of this file:
1. StartTransaction: an integral transactionId within 64 bits is an answer, whatever else is wrong; idTagInfo may be
   absent then. Without an id it is no answer, and the message is sent again; a status that can be read is obeyed all
   the same (`Delivery.partly_confirmed`).
2. BootNotification: a status is an answer; currentTime and interval may be absent then.
3. Authorize and DataTransfer: a status is an answer.
4. A CALLRESULT to any request whose confirmation needs no member, and to Heartbeat, is its delivery, whatever it holds:
   nothing in it is worth a repeat. currentTime of Heartbeat and idTagInfo of StopTransaction may be absent.
5. One plausible meaning or none: a member in another case is that member, a status in another case is that status, a
   decimal text or an integral float is that integer. Nothing is guessed.
"""

import re
from typing import Any, Final, NamedTuple

from ocpp16._core import check, format_datetime, parse_datetime_tolerant
from ocpp16.enums import AuthorizationStatus, DataTransferStatus, RegistrationStatus
from ocpp16.rpc.pending import Payload

__all__ = ["NO_TRANSACTION_ID", "SALVAGED", "Salvage", "is_transaction_id", "salvaged"]

SALVAGED: Final = "salvaged_confirmation"
"""The name under which it is counted beside the repairs."""

NO_TRANSACTION_ID: Final = "StartTransaction.conf: transactionId does not fit into 64 bits"

_INT64: Final = 2**63
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_ID_TAG_LENGTH: Final = 20
_LONGEST_INTERVAL: Final = 2**31


class Salvage(NamedTuple):
    """`payload` has what can be read; `is_answer`: the message has arrived and is not sent again."""

    payload: Payload
    is_answer: bool


def salvaged(action: str, payload: object) -> Salvage:
    """Read a confirmation to `action` that breaks its schema; `payload` may be of any type, None if there is none."""
    members: dict[Any, Any] = payload if isinstance(payload, dict) else {}
    match action:
        case "StartTransaction":
            reduced = _id_tag_info_of(members)
            transaction_id = _integer(_member(members, "transactionId"))
            if transaction_id is None or not is_transaction_id(transaction_id):
                return Salvage(reduced, is_answer=False)
            return Salvage({**reduced, "transactionId": transaction_id}, is_answer=True)
        case "StopTransaction":
            return Salvage(_id_tag_info_of(members), is_answer=True)
        case "Authorize":
            reduced = _id_tag_info_of(members)
            return Salvage(reduced, is_answer=bool(reduced))
        case "BootNotification":
            return _boot(members)
        case "DataTransfer":
            reduced = _known(status=_value_of(DataTransferStatus, _member(members, "status")))
            data = _member(members, "data")
            if reduced and isinstance(data, str):
                reduced["data"] = data
            return Salvage(reduced, is_answer=bool(reduced))
        case "Heartbeat":
            return Salvage(_known(currentTime=_time(_member(members, "currentTime"))), is_answer=True)
    return Salvage({}, is_answer=check(action, "response", {}) is None)


def is_transaction_id(number: int) -> bool:
    """Can it be stored?"""
    return -_INT64 <= number < _INT64


def _boot(members: dict[Any, Any]) -> Salvage:
    interval = _integer(_member(members, "interval"))
    reduced = _known(
        status=_value_of(RegistrationStatus, _member(members, "status")),
        currentTime=_time(_member(members, "currentTime")),
        interval=interval if interval is not None and 0 <= interval < _LONGEST_INTERVAL else None,
    )
    return Salvage(reduced, is_answer="status" in reduced)


def _id_tag_info_of(members: dict[Any, Any]) -> Payload:
    """{"idTagInfo": …}, or {} where no status can be read: without it the rest says nothing."""
    info = _member(members, "idTagInfo")
    if not isinstance(info, dict):
        info = members  # some write its members without the object around them
    status = _value_of(AuthorizationStatus, _member(info, "status"))
    if status is None:
        return {}
    parent = _member(info, "parentIdTag")
    reduced = _known(
        status=status,
        expiryDate=_time(_member(info, "expiryDate")),
        parentIdTag=parent if isinstance(parent, str) and 0 < len(parent) <= _ID_TAG_LENGTH else None,
    )
    return {"idTagInfo": reduced}


def _known(**members: Any) -> Payload:
    return {name: value for name, value in members.items() if value is not None}


def _member(members: dict[Any, Any], name: str) -> Any:
    """The member of this name, else the only one whose name differs in case alone, else None."""
    if name in members:
        return members[name]
    folded = name.casefold()
    found = [value for key, value in members.items() if isinstance(key, str) and key.casefold() == folded]
    return found[0] if len(found) == 1 else None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    return None


def _value_of(values: type[AuthorizationStatus | DataTransferStatus | RegistrationStatus], text: Any) -> str | None:
    if not isinstance(text, str):
        return None
    folded = text.strip().casefold()
    return next((str(value) for value in values if value.casefold() == folded), None)


def _time(text: Any) -> str | None:
    """The time as our own parser reads it, None if it does not."""
    try:
        micros = parse_datetime_tolerant(text)
        return format_datetime(micros, 6 if micros % 1000 else 3 if micros % 1_000_000 else 0)
    except (TypeError, ValueError, OverflowError):
        return None

"""What a CALL asks and an answer says, each by itself: action, direction, schema (OCPP 1.6 §4 to §7, OCPP-J §4.2)."""

from typing import Any, Final

from ocpp16.codec import Kind, ValidationError, check
from ocpp16.lint.docket import Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.finding import sender
from ocpp16.lint.frame import FROM_CHARGE_POINT, Frame
from ocpp16.lint.members import time_of
from ocpp16.messages.actions import ACTIONS
from ocpp16.texts import shown

_ABOUT_PAYLOAD: Final = frozenset(
    {
        "FormationViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
        "ProtocolError",
    }
)
"""Codes that blame the form of the payload. A value may be impossible for other reasons than the schema's."""
_LONGEST: Final = 300


def check_call(docket: Docket, asked: Asked) -> bool:
    """Is it a known action, for this side to ask?"""
    frame = asked.frame
    known = ACTIONS.get(frame.action)
    if known is None:
        docket.tell("action", f"{shown(frame.action, 60) or 'no text'} is no action of OCPP 1.6", frame)
        return False
    is_from_charge_point = frame.direction == FROM_CHARGE_POINT
    if known.initiator != "both" and (known.initiator == "ChargePoint") != is_from_charge_point:
        docket.tell("direction", f"{frame.action} is not for the {sender(frame)} to ask", frame)
        return False
    if isinstance(frame.payload, dict):
        _check_payload(docket, frame, frame.action, "request")
    return True


def check_answer(docket: Docket, asked: Asked, frame: Frame) -> None:
    if isinstance(frame.payload, dict) and asked.action in ACTIONS:
        _check_payload(docket, frame, asked.action, "response")


def check_refusal(docket: Docket, asked: Asked, frame: Frame) -> None:
    """A CALLERROR that blames a payload which is right."""
    if frame.code not in _ABOUT_PAYLOAD or asked.frame.fault or asked.action not in ACTIONS:
        return
    if check(asked.action, "request", asked.frame.payload) is None:
        docket.tell("refused", f"{asked.action} is refused with {frame.code}, but fits the schema", frame)


def _check_payload(docket: Docket, frame: Frame, action: str, kind: Kind) -> None:
    violation = check(action, kind, frame.payload)
    if violation is None:
        return
    error = ValidationError(action, kind, violation)
    is_time = violation.rule == "format" and violation.limit == "date-time"
    rule = "time-form" if is_time and time_of(_member(frame.payload, violation.path)) is not None else "schema"
    docket.tell(rule, shown(error, _LONGEST), frame)


def _member(payload: Any, path: tuple[str | int, ...]) -> str | None:
    for key in path:
        payload = payload[key]
    return payload if isinstance(payload, str) else None

"""What a Central System does wrong on request: a table of faults, and when each applies.

Decides only; connections are handled elsewhere.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ocpp16.codec import ACTIONS, CallError, CallResult, serialize
from ocpp16.spelling import did_you_mean
from ocpp16.values import described, finite, whole

__all__ = ["Fault", "FaultPlan", "FaultRule", "spoil", "written"]


class Fault(StrEnum):
    """What happens to the answer of one CALL."""

    DELAY = "delay"
    """It comes `seconds` later; meanwhile others are answered."""
    DROP = "drop"
    """The request counts as handled, the answer never comes."""
    GARBAGE = "garbage"
    """Text that is no JSON instead."""
    BROKEN_JSON = "broken json"
    """The answer without its last bracket."""
    NOT_A_FRAME = "not a frame"
    """Valid JSON that is no OCPP-J."""
    UNREADABLE = "unreadable"
    """A confirmation that does not fit its action."""
    WRONG_ID = "wrong id"
    """The answer has the id of no CALL."""
    DUPLICATE = "duplicate"
    """The same answer twice."""
    CLOSE = "close"
    """The connection is closed instead, with `code`."""
    ABORT = "abort"
    """The connection breaks: TCP reset, or end of the stream."""


@dataclass(slots=True)
class FaultRule:
    """`action` and `identity` None match all; `times` is how often it still applies, None for ever.

    Raises ValueError for what would never apply, or could not be done when its turn comes.
    """

    fault: Fault
    action: str | None
    identity: str | None
    times: int | None
    seconds: float
    code: int

    def __post_init__(self) -> None:
        if self.action is not None and self.action not in ACTIONS:
            raise ValueError(f"action: there is no {described(self.action)}{did_you_mean(self.action, ACTIONS)}")
        if finite(self.seconds, "seconds") < 0:
            raise ValueError(f"seconds must not be negative, and is {described(self.seconds)}")
        whole(self.code, "code", 1000, 4999)


class FaultPlan:
    """Rules in their order; the first that matches a CALL is applied to it and used up by one."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []

    def take(self, action: str, identity: str) -> FaultRule | None:
        """The rule for this CALL, if there is one."""
        for rule in self.rules:
            if rule.action in {None, action} and rule.identity in {None, identity}:
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self.rules.remove(rule)
                return rule
        return None


def written(frame: CallResult | CallError) -> bytes:
    """The text of an answer, whatever a script has put into it: also what is no payload, and what is no JSON."""
    try:
        text = serialize(frame)
        if b"null" not in text:  # which may stand for a number that is none
            return text
    except Exception:
        text = b""
    if isinstance(frame, CallResult):
        parts: list[object] = [3, frame.unique_id, frame.payload]
    else:
        parts = [4, frame.unique_id, frame.code, frame.description, frame.details]
    try:
        return json.dumps(parts, default=str, separators=(",", ":")).encode()
    except Exception:  # it holds itself, is nested without end, or has other names than texts
        return text or json.dumps([*parts[:2], *map(described, parts[2:])]).encode()


def _wrong_id(frame: CallResult | CallError) -> bytes:
    if isinstance(frame, CallResult):
        return written(CallResult("no-such-id", frame.payload))
    return written(CallError("no-such-id", frame.code, frame.description, frame.details))


_SPOILT: dict[Fault, Callable[[CallResult | CallError], list[bytes]]] = {
    Fault.DROP: lambda frame: [],
    Fault.GARBAGE: lambda frame: [b"\x01 this is no JSON \xc3\xa9"],
    Fault.BROKEN_JSON: lambda frame: [written(frame)[:-1]],
    Fault.NOT_A_FRAME: lambda frame: [b'{"status":"Accepted"}'],
    Fault.UNREADABLE: lambda frame: [serialize(CallResult(frame.unique_id, {"status": 17, "idTagInfo": []}))],
    Fault.WRONG_ID: lambda frame: [_wrong_id(frame)],
    Fault.DUPLICATE: lambda frame: [written(frame)] * 2,
}


def spoil(fault: Fault | None, frame: CallResult | CallError) -> list[bytes]:
    """The texts to send for an answer. Faults that are not about its text leave it as it is."""
    make = None if fault is None else _SPOILT.get(fault)
    return [written(frame)] if make is None else make(frame)

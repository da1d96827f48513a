"""What a Central System does wrong on request: a table of faults, and when each applies.

Decides only; connections are handled elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ocpp16.codec import CallError, CallResult, serialize

__all__ = ["Fault", "FaultPlan", "FaultRule", "spoil"]


class Fault(StrEnum):
    """What happens to the answer of one CALL."""

    DELAY = "delay"  # comes `seconds` later; meanwhile others are answered
    DROP = "drop"  # the request counts as handled, the answer never comes
    GARBAGE = "garbage"  # text that is no JSON instead
    BROKEN_JSON = "broken json"  # the answer without its last bracket
    NOT_A_FRAME = "not a frame"  # valid JSON that is no OCPP-J
    UNREADABLE = "unreadable"  # a confirmation that does not fit its action
    WRONG_ID = "wrong id"
    DUPLICATE = "duplicate"  # the same answer twice
    CLOSE = "close"  # the connection is closed instead, with `code`
    ABORT = "abort"  # the connection breaks: TCP reset, or end of the stream


@dataclass(slots=True)
class FaultRule:
    """`action` and `identity` None match all; `times` is how often it still applies, None for ever."""

    fault: Fault
    action: str | None
    identity: str | None
    times: int | None
    seconds: float
    code: int


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


def _wrong_id(frame: CallResult | CallError) -> bytes:
    if isinstance(frame, CallResult):
        return serialize(CallResult("no-such-id", frame.payload))
    return serialize(CallError("no-such-id", frame.code, frame.description, frame.details))


_SPOILT: dict[Fault, Callable[[CallResult | CallError], list[bytes]]] = {
    Fault.DROP: lambda frame: [],
    Fault.GARBAGE: lambda frame: [b"\x01 this is no JSON \xc3\xa9"],
    Fault.BROKEN_JSON: lambda frame: [serialize(frame)[:-1]],
    Fault.NOT_A_FRAME: lambda frame: [b'{"status":"Accepted"}'],
    Fault.UNREADABLE: lambda frame: [serialize(CallResult(frame.unique_id, {"status": 17, "idTagInfo": []}))],
    Fault.WRONG_ID: lambda frame: [_wrong_id(frame)],
    Fault.DUPLICATE: lambda frame: [serialize(frame)] * 2,
}


def spoil(fault: Fault | None, frame: CallResult | CallError) -> list[bytes]:
    """The texts to send for an answer. Faults that are not about its text leave it as it is."""
    make = None if fault is None else _SPOILT.get(fault)
    return [serialize(frame)] if make is None else make(frame)

"""One message of a charge point's traffic, wherever it was read: from a file, or from the wire as it goes by.

Rules of this file:
1. A frame says what was seen and judges nothing. What is no OCPP-J message has kind "" and `fault` says why; what is
   one with a flaw (an id too long, a payload that is no object) has its kind and a `fault`.
2. The beginning and the end of a connection are frames too, of kinds of their own, where somebody knows of them.
3. What a log has hidden, as it names a secret, has kind "" and no fault: nobody knows what it was.
"""

from typing import Any, Final, NamedTuple

from ocpp16.codec import Call, CallError, CallResult, FramingError, parse
from ocpp16.redaction import UNREADABLE

FROM_CHARGE_POINT: Final = "cp-to-csms"
FROM_CENTRAL_SYSTEM: Final = "csms-to-cp"
CALL: Final = "CALL"
CALLRESULT: Final = "CALLRESULT"
CALLERROR: Final = "CALLERROR"
CONNECTED: Final = "CONNECTED"
"""A connection begins; nothing of the one before is outstanding."""
GAP: Final = "gap"
"""Code of a CONNECTED frame: records are missing. That may be a new connection, and what was asked meanwhile."""
DISCONNECTED: Final = "DISCONNECTED"
_KINDS: Final = {2: CALL, 3: CALLRESULT, 4: CALLERROR}


class Frame(NamedTuple):
    """One message, or a connection's begin or end.

    line: its number; kind: CALL, CALLRESULT, CALLERROR, CONNECTED, DISCONNECTED, or "" for what is no message; action:
    "" where it is not known; payload: of CALL and CALLRESULT; timestamp: RFC 3339, when it was seen, "" if nobody
    knows; code: of a CALLERROR, or `GAP`; fault: what is wrong with its shape, "" if nothing.
    """

    line: int
    charge_point: str
    direction: str
    """FROM_CHARGE_POINT or FROM_CENTRAL_SYSTEM."""
    kind: str
    message_id: str
    action: str
    payload: Any
    timestamp: str
    code: str = ""
    fault: str = ""


def frame_of(
    text: str | bytes, direction: str, *, charge_point: str = "", line: int = 0, timestamp: str = "", action: str = ""
) -> Frame:
    """The frame that `text` is on the wire. `direction` is FROM_CHARGE_POINT or FROM_CENTRAL_SYSTEM.

    action: of an answer, where whoever has the text knows it; a linter does without. Raises nothing.
    """
    kind = message_id = code = fault = ""
    payload: Any = None
    if text == UNREADABLE:
        return Frame(line, charge_point, direction, kind, message_id, action, payload, timestamp)
    try:
        match parse(text):
            case Call() as call:
                kind, message_id, action, payload = CALL, call.unique_id, call.action, call.payload
            case CallResult() as result:
                kind, message_id, payload = CALLRESULT, result.unique_id, result.payload
            case CallError() as error:
                kind, message_id, code = CALLERROR, error.unique_id, error.code
    except FramingError as error:
        fault, kind, raw = str(error), _KINDS.get(error.kind or 0, ""), error.frame or []
        message_id = error.unique_id or str(error.raw_id)
        third = raw[2] if len(raw) > 2 else None
        if kind == CALL:
            action = third if isinstance(third, str) else ""
            payload = raw[3] if len(raw) > 3 else None
        elif kind == CALLRESULT:
            payload = third
        elif kind == CALLERROR:
            code = third if isinstance(third, str) else ""
    return Frame(line, charge_point, direction, kind, message_id, action, payload, timestamp, code, fault)


def as_binary(frame: Frame) -> Frame:
    """The same, which came in a binary message of the WebSocket."""
    return frame._replace(fault=frame.fault or "it is a binary message, and must be a text")


def connected(charge_point: str = "", *, line: int = 0, timestamp: str = "") -> Frame:
    """A connection of this charge point begins."""
    return Frame(line, charge_point, FROM_CHARGE_POINT, CONNECTED, "", "", None, timestamp)


def disconnected(charge_point: str = "", *, line: int = 0, timestamp: str = "") -> Frame:
    """Its connection has ended, however it did."""
    return Frame(line, charge_point, FROM_CHARGE_POINT, DISCONNECTED, "", "", None, timestamp)

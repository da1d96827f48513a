"""Answers one OCPP-J message on each line of standard input, as a Central System that knows two actions."""

import sys
from datetime import UTC, datetime

from ocpp16.codec import Call, CallError, CallResult, FramingError, ValidationError, parse, serialize, validate


def now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


ANSWERS = {
    "BootNotification": lambda payload: {"status": "Accepted", "currentTime": now(), "interval": 300},
    "Heartbeat": lambda payload: {"currentTime": now()},
}


def answer(text):
    """Bytes to send, or None where there is nothing to answer."""
    try:
        frame = parse(text)
    except FramingError as error:
        return serialize(CallError(error.unique_id, error.code, str(error), {})) if error.unique_id else None
    if not isinstance(frame, Call):
        return None
    if frame.action not in ANSWERS:
        return serialize(CallError(frame.unique_id, "NotImplemented", f"{frame.action} is not known here", {}))
    try:
        validate(frame.action, "request", frame.payload)
    except ValidationError as error:
        return serialize(CallError(frame.unique_id, error.code, str(error), {}))
    payload = ANSWERS[frame.action](frame.payload)
    validate(frame.action, "response", payload)
    return serialize(CallResult(frame.unique_id, payload))


for line in sys.stdin:
    sent = answer(line.strip())
    print(sent.decode() if sent else "(no answer)", flush=True)

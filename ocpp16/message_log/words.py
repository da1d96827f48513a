"""How a record is written for people, in whatever format: time, latency, and a body that cannot pretend to be more."""

import orjson

from ocpp16.message_log.record import BODY_LIMIT, RECEIVED, SENT, Kind, Record
from ocpp16.state.clock import to_datetime
from ocpp16.texts import shown

NAMES = {SENT: ("ChargePoint", "CentralSystem"), RECEIVED: ("CentralSystem", "ChargePoint"), "": ("SYS", "")}
"""By direction: who says it, and to whom."""


def time_text(at: int) -> str:
    """ISO 8601, UTC, with milliseconds."""
    return to_datetime(at).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def latency_text(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:,.0f} s"


def body(record: Record, *, is_raw: bool = False) -> str:
    """The frame on many lines, each harmless; as it went over the wire if `is_raw`, or if it is no JSON."""
    if record.kind is Kind.EVENT:
        return ""
    if not is_raw and record.frame is not None:
        try:
            text = orjson.dumps(record.frame, option=orjson.OPT_INDENT_2).decode()
        except orjson.JSONEncodeError:  # nested more deeply than can be written
            return shown(record.text, BODY_LIMIT)
        if len(text) <= BODY_LIMIT and text.isascii():
            return text  # JSON escapes what ASCII has of control characters
        return "\n".join(shown(line, BODY_LIMIT) for line in _cut(text).split("\n"))
    return shown(record.text, BODY_LIMIT)


def _cut(text: str) -> str:
    surplus = len(text) - BODY_LIMIT
    return text if surplus <= 0 else f"{text[:BODY_LIMIT]}…(+{surplus})"

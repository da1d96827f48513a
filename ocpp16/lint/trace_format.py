"""The OCPP trace format 1.1: JSON lines, a record a frame.

Members that are not known are ignored. Where `payload` or `error` is missing it is read from `raw`. Where a producer
counts its records in `meta`, a gap in the count is taken for an event of the connection, as it is in the traces of this
library.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from ocpp16.lint.frame import (
    CALL,
    CALLERROR,
    CALLRESULT,
    FROM_CENTRAL_SYSTEM,
    FROM_CHARGE_POINT,
    GAP,
    Frame,
    as_binary,
    connected,
    frame_of,
)
from ocpp16.lint.reader import Reader

_KINDS: Final = frozenset({CALL, CALLRESULT, CALLERROR})
_DIRECTIONS: Final = frozenset({FROM_CHARGE_POINT, FROM_CENTRAL_SYSTEM})
_MOST: Final = 20_000


class TraceFormat(Reader):
    name = "trace"
    what = "the OCPP trace format 1.1, JSON lines"

    def __init__(self, head: bytes, charge_point: str) -> None:
        super().__init__(head, charge_point)
        self._sequences: dict[str, int] = {}

    @classmethod
    def knows(cls, head: bytes) -> bool:
        return head.lstrip()[:1] == b"{"

    def read(self, number: int, line: bytes) -> Iterable[Frame]:
        if not line.strip():
            return ()
        record = _record(line)
        frame = _frame(number, record, self._charge_point)
        meta = record.get("meta")
        sequence = meta.get("sequence") if isinstance(meta, dict) else None
        if isinstance(meta, dict) and meta.get("binary") is True:
            frame = as_binary(frame)
        if type(sequence) is int and self._is_gap(frame.charge_point, sequence):
            return connected(frame.charge_point, line=number, timestamp=frame.timestamp)._replace(code=GAP), frame
        return (frame,)

    def _is_gap(self, charge_point: str, sequence: int) -> bool:
        before = self._sequences.get(charge_point)
        if before is not None or len(self._sequences) < _MOST:
            self._sequences[charge_point] = sequence
        return before is not None and sequence != before + 1


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ValueError("no JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("direction"), str):
        raise ValueError("no record of a trace")
    return record


def _frame(number: int, record: dict[str, Any], charge_point: str) -> Frame:
    """Raises ValueError for what is no record."""
    get = record.get
    direction, kind, raw = record["direction"], get("messageType"), get("raw")
    name, timestamp, action = _text(get("chargePointId")) or charge_point, _text(get("timestamp")), _text(get("action"))
    if direction not in _DIRECTIONS:
        raise ValueError("no direction of a message")
    if kind is None or ("error" if kind == CALLERROR else "payload") not in record:
        text = raw if isinstance(raw, str) else ""
        frame = frame_of(text, direction, charge_point=name, line=number, timestamp=timestamp, action=action)
        if kind is None or frame.kind:
            return frame
    message_id = get("messageId")
    if kind not in _KINDS or not isinstance(message_id, str):
        raise ValueError("no record of a message")
    error = get("error")
    code = _text(error.get("code")) if isinstance(error, dict) else ""
    fault = "the id is longer than 36 characters" if len(message_id) > 36 else ""
    payload = get("payload")
    if kind != CALLERROR and not isinstance(payload, dict):
        fault = "the payload is no object"
    return Frame(number, name, direction, kind, message_id, action, payload, timestamp, code, fault)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

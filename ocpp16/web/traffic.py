"""The messages and events of the last while: as rows of a page, and as a trace to be taken away.

A row has what a page shows of a frame, an answer with its request's action and how long it took. Secrets are taken out
before anything is kept.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import orjson

from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.record import Kind, Reader, Record
from ocpp16.message_log.words import time_text
from ocpp16.redaction import without_logins
from ocpp16.texts import shown

MOST_RECORDS: Final = 5_000
"""Frames that are kept."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""Characters of frames that are kept."""
LONGEST_BODY: Final = 65_536
"""Characters of a frame in a row; of a longer one the beginning is shown. The trace has it whole."""
LONGEST_EVENT: Final = 8_192


class Traffic:
    """Of one charge point. `add` takes each row, a JSON object."""

    __slots__ = ("_add", "_askers", "_bytes", "_malformed", "_reader", "_records", "_sequence")

    def __init__(self, add: Callable[[bytes], object], secrets: Collection[str] = ()) -> None:
        self._add = add
        self._reader = Reader(secrets)
        self._askers: set[str] = set()
        """Sides that have asked since this began: before, an answer may be to what was asked earlier."""
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._sequence = 0
        self._malformed = 0
        """Texts that were no OCPP-J message, and have no record in a trace."""

    def frame(self, at: int, monotonic: float, direction: str, text: str) -> None:
        """A text frame; `at` in µs since 1970, `monotonic` in seconds."""
        record = self._reader.read(self._sequence + 1, at, monotonic, direction, text)
        if record.kind is Kind.MALFORMED:
            self._malformed += 1
        else:
            self._sequence += 1
            self._records.append(record)
            self._bytes += len(record.text)
            while len(self._records) > MOST_RECORDS or (self._bytes > MOST_BYTES and len(self._records) > 1):
                self._bytes -= len(self._records.popleft().text)
        row = _row(record)
        if record.kind is Kind.CALL:
            self._askers.add(record.asker)
        elif record.asker in self._askers and not record.action:
            row["problem"], row["unasked"] = "error", True
        self._add(_dumps(row))

    def link(self) -> None:
        """Another connection begins: a gap in the count of a trace says so."""
        self._sequence += 1

    def event(self, at: int | None, record: dict[str, Any]) -> None:
        """Something else that happened, as the control interface tells it."""
        name = record.get("event")
        text = without_logins(_dumps(record).decode())
        if len(text) > LONGEST_EVENT:
            text = _dumps({"event": name, "text": shown(text, LONGEST_EVENT // 2)}).decode()
        row = {"kind": "EVENT", "at": None if at is None else time_text(at), "event": orjson.Fragment(text)}
        self._add(orjson.dumps(row))

    def trace(self, identity: str) -> Iterator[bytes]:
        """What is kept in the OCPP trace format 1.1, line by line, and in the last one what is left out."""
        form = JsonLines(identity)
        records = list(self._records)
        for record in records[:-1]:
            yield form.row(record)
        for record in records[-1:]:
            row = orjson.loads(form.row(record))
            row["meta"]["leftOut"] = self._malformed
            yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _row(record: Record) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": str(record.kind),
        "at": time_text(record.at),
        "direction": record.direction,
        "asker": record.asker,
        "id": record.unique_id,
        "action": record.action,
        "connector": record.connector_id,
        "size": len(record.text),
        "latency": None if record.latency is None else round(record.latency, 6),
    }
    if record.is_error:
        row["problem"] = "error"
    elif record.is_refusal:
        row["problem"] = "refusal"
    if record.is_redacted:
        row["redacted"] = True
    if len(record.text) > LONGEST_BODY:
        row["cut"] = len(record.text) - LONGEST_BODY
        row["text"] = record.text[:LONGEST_BODY]
    elif record.kind is Kind.MALFORMED:
        row["text"] = record.text
    else:
        row["frame"] = record.frame
    return row


def _dumps(row: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, default=str)
    except TypeError:  # a lone surrogate, or nested more deeply than can be written
        frame = row.pop("frame", None)
        row["text"] = "" if frame is None else shown(frame, LONGEST_BODY)
        return orjson.dumps({name: _sayable(value) for name, value in row.items()})


def _sayable(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float) else shown(value, LONGEST_BODY)

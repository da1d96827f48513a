"""JSON lines: the public OCPP trace format 1.1, one record a frame, for other programs to read.

What is of this library alone is in `meta`: the sequence number (a gap is what could not be written, or an event of
the connection), seconds of latency, whether secrets were taken out of `raw`. A text that is no OCPP-J message has a
record without `messageType`.
"""

from typing import Any

import orjson

from ocpp16.message_log.record import BODY_LIMIT, RECEIVED, SENT, Kind, Record
from ocpp16.message_log.words import time_text

VERSION = "1.1"
_DIRECTIONS = {SENT: "cp-to-csms", RECEIVED: "csms-to-cp"}


class JsonLines:
    """Parameters: `identity` of the charge point; `connection`, or None, a number for `meta` that tells its connections
    apart."""

    suffix = ".jsonl"
    opening = b""
    end = b"\n"
    is_for_events = False

    def __init__(self, identity: str, connection: int | None = None) -> None:
        self._identity = identity
        self._connection = connection

    def row(self, record: Record, *, is_binary: bool = False) -> bytes:
        """is_binary: it was no text of the WebSocket, where somebody passed it on all the same."""
        meta: dict[str, Any] = {"sequence": record.sequence}
        if self._connection is not None:
            meta["connection"] = self._connection
        raw = record.text
        if len(raw) > BODY_LIMIT and record.kind is Kind.MALFORMED:
            meta["cut"] = len(raw) - BODY_LIMIT
            raw = raw[:BODY_LIMIT]
        if record.latency is not None:
            meta["latency"] = round(record.latency, 6)
        if record.is_redacted:
            meta["redacted"] = True
        if is_binary:
            meta["binary"] = True
        row: dict[str, Any] = {
            "schemaVersion": VERSION,
            "timestamp": time_text(record.at),
            "ocppVersion": "1.6",
            "transport": "json",
            "chargePointId": self._identity,
            "direction": _DIRECTIONS[record.direction],
        }
        connector_id = record.payload.get("connectorId") if isinstance(record.payload, dict) else None
        if type(connector_id) is int and connector_id >= 0:
            row["connectorId"] = connector_id
        if record.kind is not Kind.MALFORMED:
            row |= {"messageType": str(record.kind), "messageId": record.unique_id}
            if record.action:
                row["action"] = record.action
            if record.kind is Kind.CALLERROR:
                named = zip(("code", "description", "details"), record.frame[2:], strict=False)
                row["error"] = dict(named)
            else:
                row["payload"] = record.payload
        row |= {"raw": raw, "meta": meta}
        try:
            return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # nested more deeply than can be written, or no UTF-8: `raw` has it
            row.pop("payload", None)
            row.get("error", {}).pop("details", None)
            row["raw"] = raw.encode(errors="backslashreplace").decode()
            return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)

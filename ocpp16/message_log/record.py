"""One frame, read for people: what it is, what it answers, how long that took.

Rules of this file:
1. Whatever a peer sends has a record; what is no OCPP-J message is `MALFORMED` and keeps its text.
2. A record holds nothing that `redaction` hides.
3. Ids are unique for each side that asks (OCPP-J 1.6 §4.1.4), so an answer is joined by asker and id.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from ocpp16.redaction import redacted

ASKED_LIMIT = 1_000
"""Requests of one charge point that an answer may still come to; beyond that the oldest is forgotten."""
BODY_LIMIT = 131_072
"""Characters of a frame that are shown; of a longer one the beginning is, and how much is left out."""
WORD_LIMIT = 80
"""Characters of an action, an id or a code that are shown."""

SENT, RECEIVED = "sent", "received"
"""Seen from the charge point."""
_OTHER = {SENT: RECEIVED, RECEIVED: SENT}


class Kind(StrEnum):
    CALL = "CALL"
    CALLRESULT = "CALLRESULT"
    CALLERROR = "CALLERROR"
    MALFORMED = "MALFORMED"
    """A text that is no OCPP-J message."""
    EVENT = "SYS"
    """What happened to the connection."""


@dataclass(slots=True)
class Record:
    """One row of the log. `asker` and `unique_id` are the same for a request and its answer."""

    at: int
    """Time on the charge point's clock, in µs since 1970."""
    kind: Kind
    text: str
    """The frame as it went over the wire, but for secrets; of an event what happened."""
    sequence: int = 0
    direction: str = ""
    """SENT or RECEIVED; "" for an event."""
    is_redacted: bool = False
    frame: Any = None
    """The JSON array; None for what is none."""
    unique_id: str = ""
    asker: str = ""
    action: str = ""
    """Of an answer: of its request; "" if that is not known."""
    payload: Any = None
    latency: float | None = None
    """Seconds from the request to this answer."""
    connector_id: int | None = None
    """That the frame names, or its request."""
    transaction_id: int | None = None
    session: tuple[int, str] | None = None
    """Connector and session of the transaction that a request of the charge point is about, as far as it said so."""
    id_tag: str | None = None
    """That the request names."""

    @property
    def is_error(self) -> bool:
        return self.kind is Kind.CALLERROR or self.kind is Kind.MALFORMED

    @property
    def is_refusal(self) -> bool:
        """Does an answer say no?"""
        if self.kind is not Kind.CALLRESULT or not isinstance(self.payload, dict):
            return False
        info = self.payload.get("idTagInfo")
        if isinstance(info, dict):
            return info.get("status") != "Accepted"
        status = self.payload.get("status")
        return isinstance(status, str) and status in _REFUSALS

    @property
    def title(self) -> str:
        """What it is, in a word or two."""
        if self.kind is Kind.MALFORMED:
            return "(no OCPP message)"
        if self.kind is Kind.CALLERROR:
            code = self.frame[2] if isinstance(self.frame[2], str) else ""
            return f"{self.action or 'Unknown'}Error {code[:WORD_LIMIT]}".rstrip()
        if self.kind is Kind.CALLRESULT:
            return f"{self.action or 'Unknown'}Response"
        return self.action or self.text


_REFUSALS = frozenset(
    {
        "Failed",
        "Faulted",
        "NotFound",
        "NotImplemented",
        "NotSupported",
        "Occupied",
        "Rejected",
        "Unavailable",
        "Unknown",
        "UnknownMessageId",
        "UnknownVendorId",
        "UnlockFailed",
        "VersionMismatch",
    }
)
"""Of each status that a CALLRESULT can have, those that say no: what was asked for was not done."""


@dataclass(slots=True)
class _Asked:
    action: str
    at: float
    connector_id: int | None
    transaction_id: int | None
    session: tuple[int, str] | None
    id_tag: str | None


class Reader:
    """Reads the frames of one charge point, in their order. `secrets`: names of its own keys that are secrets."""

    __slots__ = ("_asked", "_secrets")

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets = secrets
        self._asked: OrderedDict[tuple[str, str], _Asked] = OrderedDict()

    def read(
        self,
        sequence: int,
        at: int,
        monotonic: float,
        direction: str,
        text: str,
        session: tuple[int, str] | None = None,
    ) -> Record:
        """`monotonic`: seconds, from which latencies are counted, for the wall clock may be set meanwhile. `session`:
        connector and session that a request is about, if that is known."""
        harmless = redacted(text, self._secrets)
        record = Record(at, Kind.MALFORMED, harmless, sequence, direction, harmless is not text, session=session)
        try:
            frame = orjson.loads(harmless)
        except orjson.JSONDecodeError:
            return record
        match frame:
            case [2, str(unique_id), str(action), payload] if action:
                self._call(record, unique_id, action, payload, monotonic)
            case [3, str(unique_id), payload]:
                self._answer(record, Kind.CALLRESULT, unique_id, payload, monotonic)
            case [4, str(unique_id), _, *_] if len(frame) <= 5:
                self._answer(record, Kind.CALLERROR, unique_id, None, monotonic)
            case _:
                return record
        record.frame = frame
        return record

    def _call(self, record: Record, unique_id: str, action: str, payload: Any, now: float) -> None:
        record.kind, record.unique_id, record.action = Kind.CALL, unique_id, action[:WORD_LIMIT]
        record.payload, record.asker = payload, record.direction
        record.connector_id, record.transaction_id = _number(payload, "connectorId"), _number(payload, "transactionId")
        id_tag = payload.get("idTag") if isinstance(payload, dict) else None
        record.id_tag = id_tag if isinstance(id_tag, str) else None
        self._asked[record.asker, unique_id] = _Asked(
            record.action, now, record.connector_id, record.transaction_id, record.session, record.id_tag
        )
        self._asked.move_to_end((record.asker, unique_id))
        if len(self._asked) > ASKED_LIMIT:
            self._asked.popitem(last=False)

    def _answer(self, record: Record, kind: Kind, unique_id: str, payload: Any, now: float) -> None:
        record.kind, record.unique_id, record.payload = kind, unique_id, payload
        record.asker = _OTHER[record.direction]
        record.transaction_id = _number(payload, "transactionId")
        asked = self._asked.pop((record.asker, unique_id), None)
        if asked is not None:
            record.action, record.latency, record.connector_id = asked.action, now - asked.at, asked.connector_id
            record.session, record.id_tag = asked.session, asked.id_tag
            if record.transaction_id is None:
                record.transaction_id = asked.transaction_id


def _number(payload: Any, name: str) -> int | None:
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if type(value) is int else None

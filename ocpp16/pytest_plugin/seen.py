"""What was seen of one charge point: its frames, and its calls with their answers, in memory, for a test to look at.

Rules of this file:
1. All of it happens in trio's thread; whoever looks from outside does so by way of that thread.
2. What is kept is bounded: beyond it the oldest frames go, and are counted.
3. What goes out of here is frozen, and has no secret in it: `redaction` has gone over every frame.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ocpp16.message_log.record import SENT, Kind, Reader, Record
from ocpp16.state.clock import to_datetime

MOST_FRAMES: Final = 50_000
"""Of one charge point."""
CONNECTED: Final = "connected"
"""Text of the record of a connection that begins; another one of an event is that of its end."""
Direction = Literal["sent", "received"]
"""Seen from the charge point."""


class CallError(NamedTuple):
    """A CALLERROR. `code` as NotSupported; `details`: an object of JSON, as it came."""

    code: str
    description: str
    """In words, may be ""."""
    details: Any


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it went over the wire.

    time: on the charge point's clock. direction: "sent" or "received" by the charge point. kind: CALL, CALLRESULT,
    CALLERROR, or MALFORMED for what is no OCPP-J message. action: that of an answer is its call's, "" if unknown.
    payload: of a call and of its result; None for an error. text: the frame itself, without secrets.
    """

    time: datetime
    direction: Direction
    kind: str
    action: str
    message_id: str
    payload: Any
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One CALL, with its answer as far as there is one.

    time: on the charge point's clock. direction: "sent" or "received" by the charge point. answer: payload of the
    CALLRESULT, None if there is none. error: the CALLERROR, or None. seconds: from the call to its answer.
    """

    time: datetime
    direction: Direction
    action: str
    message_id: str
    payload: Any
    answer: Any = None
    error: CallError | None = None
    seconds: float | None = None
    number: int = field(default=0, repr=False, compare=False)
    """Of all calls of the charge point, from 0 on."""

    @property
    def is_answered(self) -> bool:
        """By a result or an error."""
        return self.seconds is not None

    def has(self, fields: Mapping[str, Any]) -> bool:
        """Has the payload each of these members, with this value?"""
        payload = self.payload
        return not fields or (
            isinstance(payload, dict)
            and all(name in payload and payload[name] == wanted for name, wanted in fields.items())
        )


if TYPE_CHECKING:
    from collections.abc import Coroutine

    class Done(Coroutine[Any, Any, None]):
        """What a wait gives: nothing once it is over in a test without a loop, else what is to be awaited."""

    class Told(Call, Coroutine[Any, Any, Call]):
        """What a wait for a call gives: that `Call` in a test without a loop, else what is to be awaited for it."""


class Seen:
    """Of one charge point, filled frame by frame."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.records: deque[Record] = deque(maxlen=MOST_FRAMES)
        """Frames, and among them the begin and the end of connections."""
        self.count: int = 0
        """Records, also of those that are not kept any more."""
        self.calls: deque[Call] = deque(maxlen=MOST_FRAMES)
        self._call_count = 0
        self._reader = Reader()
        self._open: dict[tuple[str, str], int] = {}
        """Asker and message id → number of the call."""

    def take(self, at: int, monotonic: float, direction: str, text: str) -> None:
        """One more frame. at: µs since 1970; monotonic: seconds."""
        record = self._reader.read(self.count, at, monotonic, direction, text)
        self.count += 1
        self.records.append(record)
        if record.kind is Kind.CALL:
            self._call(record)
        elif record.kind in {Kind.CALLRESULT, Kind.CALLERROR}:
            self._answer(record)

    @property
    def is_full(self) -> bool:
        """Have calls been dropped, or will the next one be?"""
        return len(self.calls) == self.calls.maxlen

    def connection(self, at: int, text: str) -> None:
        """It has begun (`CONNECTED`), or ended, and why."""
        self.records.append(Record(at, Kind.EVENT, text, self.count))
        self.count += 1

    def call(self, number: int) -> Call | None:
        """The one of this number, if it is still kept."""
        place = number - (self._call_count - len(self.calls))
        return self.calls[place] if 0 <= place < len(self.calls) else None

    def calls_from(self, number: int) -> list[Call]:
        """Those of this number and later ones that are still kept."""
        first = self._call_count - len(self.calls)
        return list(islice(self.calls, max(number - first, 0), None))

    def frames(self, first: int = 0) -> list[Frame]:
        """Those that are kept, from this number on."""
        return [frame_of(record) for record in self.records_from(first) if record.kind is not Kind.EVENT]

    def records_from(self, first: int) -> list[Record]:
        """Those that are kept, from this number on."""
        surplus = first - (self.count - len(self.records))
        return list(islice(self.records, max(surplus, 0), None))

    def _call(self, record: Record) -> None:
        number, self._call_count = self._call_count, self._call_count + 1
        self.calls.append(
            Call(
                to_datetime(record.at),
                _direction(record),
                record.action,
                record.unique_id,
                record.payload,
                number=number,
            )
        )
        self._open[record.asker, record.unique_id] = number
        if len(self._open) > MOST_FRAMES:
            del self._open[next(iter(self._open))]

    def _answer(self, record: Record) -> None:
        number = self._open.pop((record.asker, record.unique_id), None)
        call = None if number is None else self.call(number)
        if number is None or call is None or record.latency is None:
            return
        if record.kind is Kind.CALLERROR:
            answered = replace(call, error=_error(record.frame), seconds=record.latency)
        else:
            answered = replace(call, answer=record.payload, seconds=record.latency)
        self.calls[number - (self._call_count - len(self.calls))] = answered


def frame_of(record: Record) -> Frame:
    """As a test sees it."""
    return Frame(
        to_datetime(record.at),
        _direction(record),
        str(record.kind),
        record.action,
        record.unique_id,
        record.payload,
        record.text,
    )


def _direction(record: Record) -> Direction:
    return "sent" if record.direction == SENT else "received"


def _error(frame: Any) -> CallError:
    """Of [4, id, code, description, details], of which the last two may be missing."""
    return CallError(
        str(frame[2]),
        str(frame[3]) if len(frame) > 3 else "",
        frame[4] if len(frame) > 4 else None,
    )

"""What a trace tells of a charge point: requests of both sides in their order, each with its answer."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import Any, Final, NamedTuple

from ocpp16.codec import Call, CallResult, serialize
from ocpp16.errors import Ocpp16Error
from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame
from ocpp16.lint.frame import CONNECTED, DISCONNECTED
from ocpp16.texts import shown

MOST_EXCHANGES: Final = 200_000
"""Requests of all charge points that are kept: a longer trace is to be played charge point by charge point."""
_FAR: Final = 3600.0
"""Seconds by which the Central System's time is far from that of the trace: then its clock may be set by that."""
_OTHER: Final = {FROM_CHARGE_POINT: FROM_CENTRAL_SYSTEM, FROM_CENTRAL_SYSTEM: FROM_CHARGE_POINT}


class ReplayError(Ocpp16Error):
    """This trace cannot be played; the text names the line and says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """payload: of a CALLRESULT; code: of a CALLERROR, "" for a CALLRESULT."""

    payload: Any
    code: str = ""


@dataclass(slots=True)
class Exchange:
    """A request. line: of the trace, from 1. at: seconds from the first one of its charge point. is_ours: the charge
    point asked. answer: None if the trace has none."""

    line: int
    at: float
    is_ours: bool
    action: str
    message_id: str
    payload: dict[str, Any]
    answer: Answer | None = None


class Break(NamedTuple):
    """Between two connections. place: of the first exchange on the later one; ended: seconds at which the earlier one
    did, None: the trace does not say it; began: seconds at which the later one did."""

    place: int
    ended: float | None
    began: float


@dataclass(slots=True)
class Story:
    """All of one charge point. identity: "" where the trace does not say it. breaks: where it came with another
    connection."""

    identity: str
    exchanges: list[Exchange] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)

    def connections(self) -> list[tuple[list[Exchange], Break | None]]:
        """What passed on each connection, and the break that ends it; None: nothing follows."""
        places = [0, *(one.place for one in self.breaks), len(self.exchanges)]
        parts = [self.exchanges[begin:end] for begin, end in pairwise(places)]
        return list(zip(parts, [*self.breaks, None], strict=True))

    def answers(self, action: str, *, is_ours: bool) -> list[Exchange]:
        """Requests of this action by one side, in their order."""
        return [one for one in self.exchanges if one.action == action and one.is_ours is is_ours]


def read_stories(frames: Iterable[Frame], ids: Collection[str] = ()) -> dict[str, Story]:
    """By identity, in the order in which they come first; of `ids` only, if there are any.

    Answers to no request are left out. Raises ReplayError for a message without payload, or that is nested too deeply
    to be said again, a trace without requests, one that is too long, and an id that is not in it; what iterating
    the frames raises passes.
    """
    stories: dict[str, Story] = {}
    open_requests: dict[str, dict[tuple[str, str], Exchange]] = {}
    times: dict[str, _Times] = {}
    seen: dict[str, None] = {}
    count = 0
    for frame in frames:
        who = frame.charge_point
        seen[who] = None
        if ids and who not in ids:
            continue
        if frame.kind in (CONNECTED, DISCONNECTED):
            if who in stories:  # the first connection is there when the story begins
                times[who].note(frame)
                open_requests[who].clear()  # nobody answers on another connection
        elif frame.kind == "CALL":
            count += 1
            if count > MOST_EXCHANGES:
                raise ReplayError(f"the trace has more than {MOST_EXCHANGES:,} requests: choose charge points by --id")
            if not isinstance(frame.payload, dict) or not frame.action:
                raise ReplayError(f"line {frame.line}: the CALL has no payload (or action), so it cannot be played")
            _check(frame, Call("1", frame.action, frame.payload))
            if who not in stories:
                stories[who], times[who], open_requests[who] = Story(who), _Times(), {}
            story, time = stories[who], times[who]
            broken, moment = time.taken_break(len(story.exchanges)), time.moment(frame)
            if broken is not None:
                story.breaks.append(broken._replace(began=min(broken.began, moment)))
            is_ours = frame.direction == FROM_CHARGE_POINT
            made = Exchange(frame.line, moment, is_ours, frame.action, frame.message_id, frame.payload)
            story.exchanges.append(made)
            open_requests[who][frame.direction, frame.message_id] = made
        elif frame.kind in ("CALLRESULT", "CALLERROR"):
            if who in times:
                times[who].hear(frame)
            asked = open_requests.get(who, {}).pop((_OTHER.get(frame.direction, ""), frame.message_id), None)
            if asked is None:
                continue
            if frame.kind == "CALLERROR":
                asked.answer = Answer(None, frame.code or "GenericError")
            elif not isinstance(frame.payload, dict):
                raise ReplayError(f"line {frame.line}: the CALLRESULT has no payload, so it cannot be played")
            else:
                _check(frame, CallResult("1", frame.payload))
                asked.answer = Answer(frame.payload)
    for one in ids:
        if one not in stories:
            known = ", ".join(shown(name, 40) or "(no id)" for name in list(seen)[:20])
            raise ReplayError(f"the trace has no request of a charge point {shown(one, 64)}; it has {known or 'none'}")
    if not stories:
        raise ReplayError("the trace has no request")
    return stories


class _Times:
    """Of one charge point: seconds from its first request on, which never run backwards, and how it is connected.

    Whoever writes the trace may set its clock by a currentTime: the seconds before and after it are counted on.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._at: float | None = None
        """Time of the last frame that has one."""
        self._ahead = 0.0
        """Seconds by which the Central System's time was ahead of that, or behind if negative."""
        self._last = 0.0
        self._ended: float | None = None
        self._connected: float | None = None

    def moment(self, frame: Frame) -> float:
        at = _seconds(frame.timestamp)
        if self._began is None:
            self._began = 0.0 if at is None else at
        if at is not None:
            if self._at is not None and abs(self._ahead) > _FAR and -60 < at - self._at - self._ahead < _FAR:
                self._began, self._ahead = self._began + self._ahead, 0.0
            self._at = at
            self._last = max(self._last, at - self._began)
        return self._last

    def hear(self, frame: Frame) -> None:
        """An answer, which may tell the time."""
        said = frame.payload.get("currentTime") if isinstance(frame.payload, dict) else None
        told, at = _seconds(said) if isinstance(said, str) else None, _seconds(frame.timestamp)
        if told is not None and at is not None:
            self._at, self._ahead = at, told - at

    def note(self, frame: Frame) -> None:
        """A connection began, or ended."""
        moment = self.moment(frame)
        if frame.kind == CONNECTED:
            self._connected = moment
        elif self._ended is None:
            self._ended = moment

    def taken_break(self, place: int) -> Break | None:
        """What was noted since the last request; None: nothing."""
        ended, connected, self._ended, self._connected = self._ended, self._connected, None, None
        if ended is None and connected is None:
            return None
        return Break(place, ended, inf if connected is None else connected)


def _check(frame: Frame, message: Call | CallResult) -> None:
    """Raises ReplayError for what could not be said again."""
    try:
        serialize(message)
    except ValueError as error:
        raise ReplayError(f"line {frame.line}: the {frame.kind} cannot be played: {shown(error, 100)}") from None


def _seconds(timestamp: str) -> float | None:
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

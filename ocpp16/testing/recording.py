"""What passed between a Central System and its charge points, in order, and what was wrong with it.

Only remembers and finds again; what is wrong is judged by whoever records. With a limit the oldest is forgotten, so
that a server may run for weeks.
"""

from collections import Counter, deque
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

import trio

from ocpp16.codec import Call, CallError, CallResult

__all__ = ["Direction", "ReceivedCall", "Record", "Recording", "TrafficViolation"]

Frame = Call | CallResult | CallError


class Direction(StrEnum):
    """Seen from the Central System. OPENED and CLOSED are the ends of a connection, REFUSED was never one."""

    RECEIVED = "received"
    """From the charge point."""
    SENT = "sent"
    """To the charge point."""
    OPENED = "opened"
    CLOSED = "closed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the record.

    `time` in seconds of `trio.current_time()`; `text` the frame as it was on the wire, or close code and reason, or why
    a connection was refused, and to whom; `frame` what it says, None if it cannot be read or is no frame.
    """

    time: float
    identity: str
    """The charge point of the connection."""
    direction: Direction
    text: str
    frame: Frame | None = None


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """A CALL of a charge point. `time` in seconds of trio's clock."""

    time: float
    identity: str
    """The charge point that sent it."""
    unique_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrafficViolation:
    """Something a charge point must not do. `rule` is a sentence about it, `text` the frame, `time` in seconds of
    trio's clock."""

    time: float
    identity: str
    """The charge point that did so."""
    rule: str
    text: str


class Recording:
    """Parameter: `limit`, how many lines to keep; None keeps all."""

    __slots__ = ("_counts", "_waiting", "traffic", "violations")

    def __init__(self, limit: int | None) -> None:
        # Plain lists where nothing is forgotten: they compare and index as tests expect.
        self.traffic: MutableSequence[Record] = [] if limit is None else deque(maxlen=limit)
        self.violations: MutableSequence[TrafficViolation] = [] if limit is None else deque(maxlen=limit)
        self._counts: Counter[str] = Counter()
        self._waiting = trio.lowlevel.ParkingLot()

    def add(self, identity: str, direction: Direction, text: str, frame: Frame | None = None) -> None:
        """Append one line, now."""
        self.traffic.append(Record(trio.current_time(), identity, direction, text, frame))
        if isinstance(frame, Call) and direction is Direction.RECEIVED:
            self._counts[frame.action] += 1
        self.changed()

    def object_to(self, identity: str, rule: str, text: str) -> None:
        """Append a violation."""
        self.violations.append(TrafficViolation(trio.current_time(), identity, rule, text))

    def changed(self) -> None:
        """Let everybody in `wait_until` look again."""
        if self._waiting:
            self._waiting.unpark_all()

    def calls(self, action: str | None = None, identity: str | None = None, *, begin: int = 0) -> list[ReceivedCall]:
        """The CALLs received (and not forgotten), oldest first, from line `begin` of the record on."""
        return [
            ReceivedCall(
                record.time, record.identity, record.frame.unique_id, record.frame.action, record.frame.payload
            )
            for record in islice(self.traffic, begin, None)
            if record.direction is Direction.RECEIVED
            and isinstance(record.frame, Call)
            and action in {None, record.frame.action}
            and identity in {None, record.identity}
        ]

    async def wait_until(self, is_true: Callable[[], bool], what: str, timeout: float) -> None:
        """Wait for something to become true of the record. Raises `AssertionError` after `timeout` seconds."""
        with trio.move_on_after(timeout):
            while not is_true():
                await self._waiting.park()
            return
        seen = ", ".join(f"{action} x {count}" for action, count in sorted(self._counts.items())) or "nothing"
        raise AssertionError(f"no {what} within {timeout:g} s; received so far: {seen}")

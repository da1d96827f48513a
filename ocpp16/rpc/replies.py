"""The reply lane: CALLs of the Central System that are in work, and answers on their way out.

Must not know: handlers, requests of ours, time. Rules of this file:
1. Only a CALL of this connection is answered, and once: ids of an earlier connection mean nothing on this one.
2. Answers leave in the order in which they were given; one that is not durable yet holds up those behind it.
3. What is to happen after an answer happens once: when its bytes have left, or when it is clear that they never will.
"""

from collections.abc import Callable
from typing import NamedTuple

from ocpp16._core import Call, CallError, CallResult, serialize

REMEMBERED_IDS = 1024
"""Ids of answered CALLs kept to find repeats by; kept in strict mode only."""


class OutgoingFrame(NamedTuple):
    """One text frame to write. `then` is to be called once, after the bytes have left or the connection broke."""

    data: bytes
    then: Callable[[], None] | None
    unique_id: str
    action: str


class _Reply(NamedTuple):
    frame: CallResult | CallError
    number: int
    then: Callable[[], None] | None
    action: str


class ReplyLane:
    """Answers of one charge point.

    Parameters: `remembers` also takes the repeat of an answered id for a repeat (OCPP-J 1.6 §4.1.4).
    """

    __slots__ = ("_in_work", "_remembered", "_waiting", "calls_in_work")

    def __init__(self, *, remembers: bool = False) -> None:
        self._in_work: dict[str, Call | None] = {}
        """By id; None once the answer is given and not yet written."""
        self._waiting: list[_Reply] = []
        self._remembered: dict[str, None] | None = {} if remembers else None
        self.calls_in_work = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, call: Call) -> bool:
        """A CALL came in. False: its id is still in work, or in strict mode was used before."""
        unique_id = call.unique_id
        if unique_id in self._in_work or (self._remembered is not None and unique_id in self._remembered):
            return False
        self._in_work[unique_id] = call
        self.calls_in_work += 1
        return True

    def leave_unanswered(self, call: Call) -> None:
        """The CALL gets no answer; its id is free again."""
        if self._in_work.get(call.unique_id) is call:
            del self._in_work[call.unique_id]
            self.calls_in_work -= 1

    def put(
        self, frame: CallResult | CallError, number: int, then: Callable[[], None] | None, call: Call | None
    ) -> bool:
        """Queue the answer to a CALL in work. False: there is no such CALL (any more); nothing will be written."""
        known = self._in_work.get(frame.unique_id)
        if known is None or (call is not None and call is not known):
            return False
        self._in_work[frame.unique_id] = None
        self.calls_in_work -= 1
        self._waiting.append(_Reply(frame, number, then, known.action))
        return True

    def refuse(self, frame: CallError) -> None:
        """Queue the answer to a CALL that never came into work."""
        self._waiting.append(_Reply(frame, 0, None, ""))

    def is_ready(self, durable: int) -> bool:
        return bool(self._waiting) and self._waiting[0].number <= durable

    def next(self) -> OutgoingFrame:
        """Take out the first answer; ask `is_ready` before."""
        frame, _, then, action = self._waiting.pop(0)
        unique_id = frame.unique_id
        if self._in_work.get(unique_id, frame) is None:
            del self._in_work[unique_id]
            if self._remembered is not None:
                self._remember(unique_id)
        return OutgoingFrame(serialize(frame), then, unique_id, action)

    def connection_lost(self) -> list[Callable[[], None]]:
        """Forget everything. Returns what was to happen after the answers that were not written, in their order."""
        left = [reply.then for reply in self._waiting if reply.then is not None]
        self._waiting.clear()
        self._in_work.clear()
        self.calls_in_work = 0
        if self._remembered is not None:
            self._remembered.clear()
        return left

    def _remember(self, unique_id: str) -> None:
        assert self._remembered is not None
        self._remembered[unique_id] = None
        if len(self._remembered) > REMEMBERED_IDS:
            del self._remembered[next(iter(self._remembered))]

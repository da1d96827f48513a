"""The reply lane: CALLs of the Central System that are in work, and answers on their way out.

Must not know: handlers, requests of ours, time. Rules of this file:
1. Only a CALL of this connection is answered, and once: ids of an earlier connection mean nothing on this one.
2. Answers leave in the order in which they were given; one that is not durable yet holds up those behind it.
3. What is to happen after an answer happens once: when its bytes have left, or when it is clear that they never will.
4. What is in work has a bound by number and length, whatever its handlers do; beyond it a CALL is refused at once.
"""

from collections.abc import Callable
from typing import NamedTuple

from ocpp16._core import Call, CallError, CallResult, serialize
from ocpp16.enums import ErrorCode
from ocpp16.faults import obey_exit
from ocpp16.rpc.policy import MAX_WAITING_CALL_BYTES, MAX_WAITING_CALLS

REMEMBERED_IDS = 1024
"""Ids of answered CALLs kept to find repeats by; kept in strict mode only."""
_COMPACTED_FROM = 32
"""Places of answers taken out before the list is made anew without them."""


class OutgoingFrame:
    """One text frame to write. `then` is to be called once, after the bytes have left or the connection broke."""

    __slots__ = ("action", "data", "then", "unique_id")

    def __init__(self, data: bytes, then: Callable[[], None] | None, unique_id: str, action: str) -> None:
        self.data: bytes = data
        self.then: Callable[[], None] | None = then
        self.unique_id: str = unique_id
        self.action: str = action


class _Reply(NamedTuple):
    frame: CallResult | CallError
    number: int
    then: Callable[[], None] | None
    action: str


class ReplyLane:
    """Answers of one charge point.

    Parameters: `remembers` also takes the repeat of an answered id for a repeat (OCPP-J 1.6 §4.1.4).
    """

    __slots__ = ("_count", "_in_work", "_length", "_next", "_remembered", "_waiting", "calls_in_work")

    def __init__(self, *, remembers: bool = False) -> None:
        self._in_work: dict[str, tuple[Call, int] | None] = {}
        """By id, with the length of its frame; None once the answer is given and not yet written."""
        self._length = 0
        self._waiting: list[_Reply | None] = []
        self._next = 0
        """Where in `_waiting` the first is; what lies before it is None. A deque would cost every idle charge point."""
        self._count = 0
        """How many wait: mostly none, which is looked at in each turn."""
        self._remembered: dict[str, None] | None = {} if remembers else None
        self.calls_in_work: int = 0

    def __len__(self) -> int:
        return self._count

    def begin(self, call: Call, length: int) -> bool:
        """A CALL came in; `length` in characters of its frame. False: it is a repeat, or too much is in work."""
        unique_id = call.unique_id
        if unique_id in self._in_work or (self._remembered is not None and unique_id in self._remembered):
            return False
        if self.calls_in_work >= MAX_WAITING_CALLS or self._length >= MAX_WAITING_CALL_BYTES:
            return False
        self._in_work[unique_id] = (call, length)
        self._length += length
        self.calls_in_work += 1
        return True

    def is_repeat(self, unique_id: str) -> bool:
        """The id is still in work, or in strict mode was used before."""
        return unique_id in self._in_work or (self._remembered is not None and unique_id in self._remembered)

    def put(
        self, frame: CallResult | CallError, number: int, then: Callable[[], None] | None, call: Call | None
    ) -> bool:
        """Queue the answer to a CALL in work. False: there is no such CALL (any more); nothing will be written."""
        found = self._in_work.get(frame.unique_id)
        if found is None or (call is not None and call is not found[0]):
            return False
        known, length = found
        self._in_work[frame.unique_id] = None
        self._length -= length
        self.calls_in_work -= 1
        self._waiting.append(_Reply(frame, number, then, known.action))
        self._count += 1
        return True

    def refuse(self, frame: CallError) -> None:
        """Queue the answer to a CALL that never came into work."""
        self._waiting.append(_Reply(frame, 0, None, ""))
        self._count += 1

    def is_ready(self, durable: int) -> bool:
        if not self._count:
            return False
        first = self._waiting[self._next]
        assert first is not None
        return first.number <= durable

    def next(self, on_internal_error: Callable[[str, BaseException], None]) -> OutgoingFrame:
        """Take out the first answer; ask `is_ready` before. One that cannot be written down becomes InternalError."""
        reply = self._waiting[self._next]
        assert reply is not None
        frame, _, then, action = reply
        self._waiting[self._next] = None
        self._next += 1
        self._count -= 1
        if not self._count:
            self._waiting.clear()
            self._next = 0
        elif self._next >= _COMPACTED_FROM and 2 * self._next > len(self._waiting):
            del self._waiting[: self._next]
            self._next = 0
        unique_id = frame.unique_id
        if self._in_work.get(unique_id, frame) is None:
            del self._in_work[unique_id]
            if self._remembered is not None:
                self._remember(unique_id)
        try:
            data = serialize(frame)
        except BaseException as error:
            obey_exit(error)
            on_internal_error(f"writing the answer to {action}", error)
            data = serialize(CallError(unique_id, ErrorCode.INTERNAL_ERROR, "the answer could not be written"))
        return OutgoingFrame(data, then, unique_id, action)

    def connection_lost(self) -> list[Callable[[], None]]:
        """Forget everything. Returns what was to happen after the answers that were not written, in their order."""
        left = [reply.then for reply in self._waiting if reply is not None and reply.then is not None]
        self._waiting.clear()
        self._next = self._count = 0
        self._in_work.clear()
        self._length = 0
        self.calls_in_work = 0
        if self._remembered is not None:
            self._remembered.clear()
        return left

    def _remember(self, unique_id: str) -> None:
        assert self._remembered is not None
        self._remembered[unique_id] = None
        if len(self._remembered) > REMEMBERED_IDS:
            del self._remembered[next(iter(self._remembered))]

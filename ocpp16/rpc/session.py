"""OCPP-J for one charge point, without a connection: text in, text out, and time is a number.

Must not know: trio, sockets, clocks, rows, features. It is driven by the link (receive, next_frame, on_time) and the
charge point (enqueue, reply), and tells `Delivery` and the hooks of an entry what became of a request.

Rules of this file:
1. One CALL of ours is open at a time, and replies go before calls (OCPP-J 1.6 §4.1.1).
2. A CALLERROR only ever answers a CALL. An answer that nobody waits for is counted and dropped.
3. Nothing the peer sends raises. What cannot be used is reported once, by `on_invalid`.
4. Hooks run when the session is ready for the next call; an exception of one passes to whoever drives the session.
"""

from collections.abc import Callable
from math import inf

from ocpp16._core import (
    Call,
    CallError,
    CallResult,
    FramingError,
    Kind,
    ValidationError,
    parse,
    serialize,
    validate,
)
from ocpp16.enums import ErrorCode, RegistrationStatus
from ocpp16.errors import CallFailed, LocalProtocolError
from ocpp16.models import Counters
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import Delivery, Entry, Payload
from ocpp16.rpc.policy import OutboxLimits, RetryRules, standing
from ocpp16.rpc.replies import OutgoingFrame, ReplyLane
from ocpp16.rpc.requests import Requests
from ocpp16.rpc.tolerance import Tolerance, repair_frame, repair_payload

__all__ = ["OutgoingFrame", "Session"]

_DESCRIPTION_LENGTH = 255

# Names of OCPP 2.x for two codes (messages on a 1.6 connection carry them all the same).
_CODE_ALIASES = {
    "OccurrenceConstraintViolation": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "FormatViolation": ErrorCode.FORMATION_VIOLATION,
}


class Session:
    """The OCPP-J machine of one charge point.

    Parameters: `delivery` keeps what stored messages tell of; `new_id` gives message ids; `counters` are grown;
    `retry` may be changed while running; `specific_codes` False answers every bad payload with FormationViolation;
    `on_invalid` is told text and reason of everything from the peer that could not be used.
    """

    __slots__ = (
        "_counters",
        "_on_invalid",
        "_replies",
        "_requests",
        "_resume_at",
        "_specific_codes",
        "_tolerance",
        "_was_connected",
        "is_connected",
        "registration",
    )

    def __init__(
        self,
        *,
        delivery: Delivery,
        new_id: Callable[[], str],
        counters: Counters,
        tolerance: Tolerance = Tolerance.DEFAULT,
        retry: RetryRules | None = None,
        limits: OutboxLimits | None = None,
        specific_codes: bool = True,
        on_invalid: Callable[[str, str], None] | None = None,
    ) -> None:
        self.registration: RegistrationStatus | None = None
        """What the last BootNotification was answered with; None before. Changed by `set_registration`."""
        self.is_connected = False
        self._requests = Requests(
            delivery=delivery,
            new_id=new_id,
            counters=counters,
            retry=retry or RetryRules(),
            limits=limits or OutboxLimits(),
        )
        self._replies = ReplyLane(remembers=tolerance == Tolerance.STRICT)
        self._counters = counters
        self._tolerance = tolerance
        self._specific_codes = specific_codes
        self._on_invalid = on_invalid
        self._resume_at = -inf
        self._was_connected = False

    @property
    def outbox(self) -> Outbox:
        return self._requests.outbox

    @property
    def retry(self) -> RetryRules:
        return self._requests.retry

    @property
    def in_flight(self) -> Entry | None:
        """The request that is open. It may have been answered already, under an earlier id."""
        return self._requests.open_call.entry

    @property
    def waiting_replies(self) -> int:
        """Answers not yet written; more than `policy.MAX_WAITING_REPLIES`: the peer does not read."""
        return len(self._replies)

    @property
    def calls_in_work(self) -> int:
        """CALLs of the Central System handed out by `receive` and neither answered nor left unanswered."""
        return self._replies.calls_in_work

    # Connection and registration

    def connection_made(self, now: float, resume_delay: float = 0.0) -> None:
        """A WebSocket is open.

        Parameters: `resume_delay` seconds no request of ours goes out, so that the Central System may speak first; not
        after the first connection. Raises LocalProtocolError if the last connection was not told lost.
        """
        if self.is_connected:
            raise LocalProtocolError("connected while connected")
        self.is_connected = True
        self._counters.connects += 1
        self._resume_at = now + resume_delay if self._was_connected else -inf
        self._was_connected = True
        self._requests.outbox.mark_backlog(now)

    def connection_lost(self, now: float) -> None:
        """The WebSocket is gone; told twice, it does nothing the second time.

        The request in flight goes back to the front of its lane and is not counted; whoever waits for an answer is told
        Offline; what was to happen after an answer that was not written happens now.
        """
        if not self.is_connected:
            return
        self.is_connected = False
        left = self._replies.connection_lost()
        self._requests.connection_lost()
        for then in left:
            then()

    def set_registration(self, status: RegistrationStatus | None, now: float) -> None:
        """BootNotification was answered; None: the charge point starts anew."""
        status = None if status is None else RegistrationStatus(status)  # a payload has it as plain text
        if status is self.registration:
            return
        self.registration = status
        if status is RegistrationStatus.ACCEPTED:
            self._requests.outbox.mark_backlog(now)
        else:
            self._requests.registration_lost()

    def stop(self, now: float) -> None:
        """The charge point stops: whoever waits for an answer is told so; then as `connection_lost`."""
        self._requests.stop()
        self.connection_lost(now)

    # Out

    def enqueue(self, entry: Entry, now: float) -> bool:
        """Take in a request. False: it will not be sent, and whoever waits for its answer was told so.

        Raises LocalProtocolError if it is not valid. The transactionId of a StopTransaction may be absent:
        `Delivery.bind` adds it.
        """
        return self._requests.enqueue(entry, now, standing(self.registration, is_connected=self.is_connected))

    def reply(
        self,
        frame: CallResult | CallError,
        *,
        number: int = 0,
        then: Callable[[], None] | None = None,
        call: Call | None = None,
    ) -> None:
        """Answer a CALL; the caller has validated the confirmation.

        Parameters: `number` is the journal number the answer depends on; `then` is called once, after the answer was
        written, or at once if the connection the CALL came by is gone; `call` is the CALL itself, to tell it from
        another of the same id on a newer connection.
        """
        if not self._replies.put(frame, number, then, call) and then is not None:
            then()

    def leave_unanswered(self, call: Call) -> None:
        """The CALL is not admitted now (`policy.admission`): it gets no answer and is no longer in work."""
        self._replies.leave_unanswered(call)

    def next_frame(self, now: float, durable: int) -> OutgoingFrame | None:
        """The frame to write now, None if there is none. Ask again until there is none.

        Parameters: `durable` is the highest journal number on disk. Raises LocalProtocolError if `Delivery.bind` made
        something invalid of a message that nobody can be told of.
        """
        if not self.is_connected:
            return None
        if self._replies.is_ready(durable):
            return self._replies.next()
        requests = self._requests
        if requests.open_call.entry is not None or now < self._resume_at:
            return None
        written = requests.next_frame(now, durable, self.registration)
        if written is None:
            return None
        data, unique_id, action = written
        return OutgoingFrame(data, None, unique_id, action)

    def on_time(self, now: float) -> None:
        """Let the CALL in flight time out if it is time."""
        self._requests.on_time(now)

    def deadline(self, durable: int) -> float:
        """When `next_frame` or `on_time` has something to do next, in monotonic seconds.

        0, or any time in the past, is at once; inf is never by time alone. What waits for the store has no deadline:
        whoever raises `durable` asks again.
        """
        if not self.is_connected:
            return inf
        if self._replies.is_ready(durable):
            return 0.0
        requests = self._requests
        if requests.open_call.entry is not None:
            return requests.open_call.deadline
        return max(requests.outbox.next_due(durable, self.registration), self._resume_at)

    # In

    def receive(self, text: str | bytes, now: float) -> Call | None:
        """Take in one text frame. Returns a CALL to handle; answers are handled inside.

        A CALL of which no more than the id can be read is answered with a CALLERROR; the repeat of one that is still in
        work is dropped (in strict mode: answered with ProtocolError).
        """
        try:
            frame = parse(text)
        except FramingError:
            try:
                frame, repairs = repair_frame(text, self._tolerance)
            except FramingError as error:
                self._unusable(text, error, now)
                return None
            self._count_repairs(repairs)
        if isinstance(frame, Call):
            return self._begin(frame)
        if isinstance(frame, CallResult):
            self._on_result(frame, text, now)
        else:
            self._on_error(frame, now)
        return None

    def validate_request(self, call: Call) -> Payload:
        """The payload of a CALL as its handler may have it: strictly valid, or repaired (counted).

        Raises ValidationError, whose code is the one to answer with.
        """
        try:
            return self._readable(call.action, "request", call.payload)
        except ValidationError as error:
            if error.code != ErrorCode.NOT_IMPLEMENTED:
                if not self._specific_codes:
                    error.code = ErrorCode.FORMATION_VIOLATION
                self._report_invalid(serialize(call), str(error))
            raise

    def _begin(self, call: Call) -> Call | None:
        self._counters.calls_received += 1
        if self._replies.begin(call):
            return call
        self._counters.duplicate_calls += 1
        if self._tolerance == Tolerance.STRICT:
            self._replies.refuse(CallError(call.unique_id, ErrorCode.PROTOCOL_ERROR, "message id used before"))
        return None

    def _on_result(self, result: CallResult, text: str | bytes, now: float) -> None:
        unique_id = result.unique_id
        entry = self._requests.owner_of_answer(unique_id)
        if entry is None:
            return
        try:
            payload = self._readable(entry.action, "response", result.payload)
        except ValidationError as error:
            self._report_invalid(text, str(error))
            self._requests.refused(entry, unique_id, _unreadable(entry, error), now)
        else:
            self._requests.confirmed(entry, unique_id, payload)

    def _on_error(self, error: CallError, now: float) -> None:
        entry = self._requests.owner_of_answer(error.unique_id)
        if entry is None:
            return
        self._counters.call_errors += 1
        code = _CODE_ALIASES.get(error.code, error.code)
        failure = CallFailed(entry.action, "callerror", code, error.description)
        self._requests.refused(entry, error.unique_id, failure, now)

    # What cannot be used

    def _unusable(self, text: str | bytes, error: FramingError, now: float) -> None:
        if _is_foreign(error):
            return
        self._report_invalid(text, str(error))
        unique_id = error.unique_id
        if unique_id is None:
            return
        if error.kind == 2:
            self._replies.refuse(CallError(unique_id, error.code, str(error)[:_DESCRIPTION_LENGTH]))
            return
        entry = self._requests.owner_of_answer(unique_id)
        if entry is not None:
            self._requests.refused(entry, unique_id, _unreadable(entry, error), now)

    def _readable(self, action: str, kind: Kind, payload: Payload) -> Payload:
        try:
            validate(action, kind, payload)
        except ValidationError:
            payload, repairs = repair_payload(action, kind, payload, self._tolerance)
            self._count_repairs(repairs)
        return payload

    def _count_repairs(self, repairs: tuple[str, ...]) -> None:
        for name in repairs:
            self._counters.repaired(name)

    def _report_invalid(self, text: str | bytes, why: str) -> None:
        self._counters.invalid_frames += 1
        if self._on_invalid is not None:
            self._on_invalid(text if isinstance(text, str) else text.decode("utf-8", "replace"), why)


def _is_foreign(error: FramingError) -> bool:
    """A message type of another version of OCPP-J: such frames are ignored, not complained of."""
    frame = error.frame
    return error.kind is None and frame is not None and bool(frame) and type(frame[0]) is int


def _unreadable(entry: Entry, error: ValueError) -> CallFailed:
    return CallFailed(entry.action, "unreadable", description=str(error))

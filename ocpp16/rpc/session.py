"""OCPP-J for one charge point, without a connection: text in, text out, and time is a number.

Must not know: trio, sockets, clocks, rows, features. It is driven by the link (receive, next_frame, on_time) and the
charge point (enqueue, reply), and tells `Delivery` and the hooks of an entry what became of a request.

Rules of this file:
1. One CALL of ours is open at a time, and replies go before calls (OCPP-J 1.6 §4.1.1).
2. A CALLERROR only ever answers a CALL. An answer that nobody waits for is counted and dropped.
3. Nothing the peer sends raises. What cannot be used is reported by `on_invalid`, repeats of a cause folded.
4. Hooks run when the session is ready for the next call. What one raises goes to `on_internal_error`, and counts as
   told; so does what a fault of our own raises while a frame is taken in or written. The session goes on.
5. SecurityError to anything but BootNotification, while accepted, means that the Central System has forgotten us:
   BootNotification again, and the message it refused is not to blame, once (`security_refusal`).
6. A message that was answered is where it goes on before anybody is told who may queue another, maybe in its place.
7. While Rejected nothing of the Central System is answered (OCPP 1.6 ed. 2 §4.2: "SHALL NOT respond").
"""

from collections.abc import Callable
from functools import partial
from math import inf

from ocpp16._core import Call, CallError, CallResult, FramingError, ValidationError, parse, validate
from ocpp16.enums import ErrorCode, RegistrationStatus
from ocpp16.errors import CallFailed, LocalProtocolError
from ocpp16.faults import obey_exit
from ocpp16.models import Counters
from ocpp16.rpc.calls import CallWatch
from ocpp16.rpc.delivery import Delivery
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import Entry, Payload
from ocpp16.rpc.policy import LONGEST_DESCRIPTION, OutboxLimits, RetryRules, standing
from ocpp16.rpc.reading import Reading, is_foreign
from ocpp16.rpc.replies import OutgoingFrame, ReplyLane
from ocpp16.rpc.requests import Requests
from ocpp16.rpc.salvage import NO_TRANSACTION_ID, SALVAGED, is_transaction_id, salvaged
from ocpp16.rpc.security_refusal import BootsAfterRefusals
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.rpc.violations import FRAME, SCHEMA

__all__ = ["OutgoingFrame", "Session"]

_ACCEPTED, _REJECTED = RegistrationStatus.ACCEPTED, RegistrationStatus.REJECTED


class Session:
    """The OCPP-J machine of one charge point.

    Parameters: `delivery` keeps what stored messages tell of; `new_id` gives message ids; `counters` are grown;
    `retry` may be changed while running; `specific_codes` False answers every bad payload with FormationViolation;
    `on_invalid` is told text and reason of what came from the peer and could not be used; `on_internal_error` is told
    where an exception was caught, and which: without it, it is raised; `calls` is told how CALLs ended.
    `on_boot_wanted` may be set later: it is to lead to a BootNotification; without it SecurityError is a refusal like
    any other.
    """

    __slots__ = (
        "_boots",
        "_calls",
        "_counters",
        "_held_until",
        "_holds",
        "_is_strict",
        "_on_internal_error",
        "_reading",
        "_received_at",
        "_replies",
        "_requests",
        "_resume_after",
        "_resume_at",
        "_was_connected",
        "is_connected",
        "on_boot_wanted",
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
        on_internal_error: Callable[[str, BaseException], None] | None = None,
        calls: CallWatch | None = None,
    ) -> None:
        self.registration: RegistrationStatus | None = None
        """What the last BootNotification was answered with; None before. Changed by `set_registration`."""
        self.is_connected: bool = False
        self.on_boot_wanted: Callable[[], None] | None = None
        self._on_internal_error = on_internal_error or _raise
        self._requests = Requests(
            delivery=delivery,
            new_id=new_id,
            counters=counters,
            retry=retry or RetryRules(),
            limits=limits or OutboxLimits(),
            on_internal_error=self._on_internal_error,
        )
        self._reading = Reading(
            counters=counters,
            tolerance=tolerance,
            specific_codes=specific_codes,
            on_invalid=on_invalid,
            on_internal_error=self._on_internal_error,
            violations=None if calls is None else calls.violations,
        )
        self._is_strict = self._reading.is_strict
        self._received_at = 0.0
        self._replies = ReplyLane(remembers=self._is_strict)
        self._counters = counters
        self._calls = self._requests.open_call.calls = calls
        self._resume_at = -inf
        """From when on requests of ours go; `_resume_after` without what is held up to `_held_until`."""
        self._resume_after = self._held_until = -inf
        self._holds = 0
        self._boots = BootsAfterRefusals()
        self._was_connected = False

    @property
    def outbox(self) -> Outbox:
        return self._requests.outbox

    @property
    def retry(self) -> RetryRules:
        return self._requests.retry

    @retry.setter
    def retry(self, rules: RetryRules) -> None:
        self._requests.retry = self._requests.silence.retry = rules

    def tell_missed_boots(self, hook: Callable[[], None]) -> None:
        """`hook` is told when a BootNotification that all else waited for on a new connection, since it had been
        triggered on the one before, was not taken in: all else goes on from here."""
        self._requests.hooks.on_boot_missed = hook

    def interval_changed(self, now: float) -> None:
        """`retry.interval` was changed: what waits for its next attempt follows."""
        self._requests.silence.interval_changed(now)

    @property
    def in_flight(self) -> Entry | None:
        """The request that is open. It may have been answered already, under an earlier id."""
        return self._requests.open_call.entry

    @property
    def tolerance(self) -> Tolerance:
        """What is mended of what is received; also of what a payload carries."""
        return self._reading.tolerance

    def no_longer_asked(self, entry: Entry) -> None:
        """Nobody waits for this answer any more, and there is no point in asking if it was not sent yet. Of one that is
        stored the row is the caller's to delete."""
        requests = self._requests
        if entry.asker is not None:
            entry.asker.on_confirmation = None
            entry.asker.is_patient = False
        if entry is not requests.open_call.entry:
            requests.outbox.remove(entry)
            requests.open_call.forget(entry)
            requests.silence.forget(entry)

    @property
    def is_idle(self) -> bool:
        """Was BootNotification answered, and is nothing left to send or to be answered?"""
        requests = self._requests
        return self.registration is not None and not requests.outbox.depth and requests.open_call.entry is None

    @property
    def asked_at(self) -> float:
        """When the CALL was written whose confirmation is told just now, in monotonic seconds."""
        return self._requests.open_call.asked_at

    def unanswered_of(self, transaction: object) -> list[Entry]:
        """The messages of this transaction that wait, apart or in the lane, or are open: not one that is open and was
        answered already."""
        open_call, found = self._requests.open_call, self.outbox.waiting_of(transaction)
        entry = None if open_call.is_settled else open_call.entry
        return found if entry is None or entry.transaction is not transaction else [entry, *found]

    def bound(self, entry: Entry) -> Payload:
        """What is sent of this message, or was already."""
        return self._requests.bound(entry)

    @property
    def waiting_replies(self) -> int:
        """Answers not yet written; more than `policy.MAX_WAITING_REPLIES`: the peer asks on and does not read."""
        return len(self._replies)

    @property
    def wants_probe(self) -> bool:
        """A request was not answered in time and nothing was received since it was written: the link is to be asked
        (ping). Until `heard` it is not known whether the Central System is silent, or the link dead."""
        return self._requests.silence.wants_probe

    def probe_sent(self) -> None:
        """The link was asked; it is not asked again for the same silence."""
        self._requests.silence.wants_probe = False

    @property
    def calls_in_work(self) -> int:
        """CALLs of the Central System handed out by `receive` and not yet answered."""
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
        self._boots.begin_anew()
        self._was_connected = True
        self._requests.outbox.mark_backlog(now)
        if self._calls is not None:
            self._calls.connected(now)

    def connection_lost(self, now: float) -> None:
        """The WebSocket is gone; told twice, it does nothing the second time.

        A transaction-related or stored request in flight goes back to the front of its lane, and that is no attempt;
        one at which connection after connection ends waits apart. What is neither ends with the connection, and whoever
        waits for an answer is told Offline. What was to happen after an answer that was not written happens now.
        """
        if not self.is_connected:
            return
        self.is_connected = False
        left = self._replies.connection_lost()
        requests = self._requests
        requests.connection_lost(now)
        if self.registration is _ACCEPTED and requests.outbox.boot is not None:
            # Triggered, and not answered: on the next connection it is a start like any, and goes alone.
            requests.awaits_boot = True
        for then in left:
            then()

    def set_registration(self, status: RegistrationStatus | None, now: float) -> None:
        """BootNotification was answered; None: the charge point starts anew."""
        status = None if status is None else RegistrationStatus(status)  # a payload has it as plain text
        self._requests.awaits_boot = False
        if status is self.registration:
            return
        self.registration = status
        if status is _ACCEPTED:
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
        `Delivery.transaction_id` has it then.
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
        if then is not None:
            then = partial(self._follow, then)
        if not self._replies.put(frame, number, then, call) and then is not None:
            then()

    def _follow(self, then: Callable[[], None]) -> None:
        try:
            then()
        except BaseException as error:
            obey_exit(error)
            self._on_internal_error("what follows an answer", error)

    def hold_requests(self, until: float) -> None:
        """An answer is to go before what follows from it: no request of ours goes out until `release_requests`, or
        until that time in monotonic seconds. Of holds that overlap the first has the time, so that they are no longer
        than one, and the last release counts."""
        self._holds += 1
        if self._holds == 1 and until > self._resume_at:
            self._resume_after, self._resume_at, self._held_until = self._resume_at, until, until

    def release_requests(self) -> None:
        """To be told once for each `hold_requests`, when the answer was given, or will not be."""
        self._holds -= 1
        if not self._holds and self._resume_at == self._held_until:
            self._resume_at = self._resume_after

    def next_frame(self, now: float, durable: int) -> OutgoingFrame | None:
        """The frame to write now, None if there is none. Ask again until there is none.

        Parameters: `durable` is the highest journal number on disk.
        """
        if not self.is_connected:
            return None
        if self._replies.is_ready(durable):
            return self._replies.next(self._on_internal_error)
        requests = self._requests
        if requests.open_call.entry is not None or now < self._resume_at:
            return None
        written = requests.next_frame(now, durable, None if requests.awaits_boot else self.registration)
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
        registration = None if requests.awaits_boot else self.registration
        return max(requests.outbox.next_due(durable, registration), self._resume_at)

    # In

    def heard(self, now: float) -> None:
        """Bytes of any kind came from the peer (a read, a pong): the link is alive. To be told before `receive`."""
        self._requests.silence.heard(now)

    def receive(self, text: str | bytes, now: float) -> Call | None:
        """Take in one text frame. Returns a CALL to handle; answers are handled inside.

        A CALL of which no more than the id can be read is answered with a CALLERROR, and so is one too many
        (`policy.MAX_WAITING_CALLS`); the repeat of one that is still in work is dropped (in strict mode: answered with
        ProtocolError). While Rejected no CALL is handed out; while we close, answers about transactions count alone.
        """
        self._received_at = now
        try:
            try:
                try:
                    frame = parse(text)
                except FramingError as error:
                    frame = self._reading.mended(text, error)
                if self._is_strict:
                    self._reading.check_members(frame, text, now)
            except FramingError as error:
                if self.is_connected or (error.kind != 2 and self._requests.open_call.counts_late(error.unique_id)):
                    self._unusable(text, error, now)
                return None
            if isinstance(frame, Call):
                if not self.is_connected:
                    return None
                if self._calls is not None:
                    self._calls.asked(frame, self.registration, self._replies.is_repeat(frame.unique_id))
                return self._begin(frame, len(text))
            if not (self.is_connected or self._requests.open_call.counts_late(frame.unique_id)):
                return None
            if isinstance(frame, CallResult):
                self._on_result(frame, text, now)
            else:
                self._on_error(frame, now)
        except BaseException as error:
            obey_exit(error)
            self._on_internal_error("taking in a frame", error)
        return None

    def validate_request(self, call: Call) -> Payload:
        """The payload of a CALL as its handler may have it: strictly valid, or repaired (counted).

        Raises ValidationError, whose code is the one to answer with.
        """
        return self._reading.request(call, self._received_at)

    @property
    def on_binary(self) -> Callable[[], None] | None:
        """See `Reading`."""
        return self._reading.on_binary

    def _begin(self, call: Call, length: int) -> Call | None:
        self._counters.calls_received += 1
        if self.registration is _REJECTED:
            return None
        replies = self._replies
        if replies.begin(call, length):
            return call
        if not replies.is_repeat(call.unique_id):
            replies.refuse(CallError(call.unique_id, ErrorCode.GENERIC_ERROR, "too many calls at once"))
            return None
        self._counters.duplicate_calls += 1
        if self._is_strict:
            replies.refuse(CallError(call.unique_id, ErrorCode.PROTOCOL_ERROR, "message id used before"))
        return None

    def _owner_of_answer(self, unique_id: str, now: float) -> Entry | None:
        """Whom an answer belongs to. How long it took is counted where somebody wants to know."""
        entry = self._requests.owner_of_answer(unique_id)
        times = self._counters.answer_times
        if times is not None and entry is not None:
            times.add(now - self._requests.open_call.asked_at)
        return entry

    def _on_result(self, result: CallResult, text: str | bytes, now: float) -> None:
        unique_id = result.unique_id
        entry = self._owner_of_answer(unique_id, now)
        if entry is None:
            return
        payload = result.payload
        try:
            validate(entry.action, "response", payload)
        except ValidationError:
            try:
                payload = self._reading.mended_response(entry.action, payload)
            except ValidationError as error:
                self._salvage(entry, unique_id, self._reading.response_again(text), text, error, now)
                return
        if entry.action == "StartTransaction" and not is_transaction_id(payload["transactionId"]):
            self._salvage(entry, unique_id, payload, text, ValueError(NO_TRANSACTION_ID), now)
            return
        self._requests.confirmed(entry, unique_id, payload)

    def _salvage(
        self, entry: Entry, unique_id: str, payload: object, text: str | bytes, error: ValueError, now: float
    ) -> None:
        """A confirmation breaks its schema, has no usable id or no payload at all: take what can be read of it."""
        reduced, is_answer = salvaged(entry.action, payload)
        if is_answer:
            self._counters.repaired(SALVAGED)
            self._requests.confirmed(entry, unique_id, reduced)
        else:
            if reduced and entry.is_retried:
                self._counters.repaired(SALVAGED)
                self._requests.partly_confirmed(entry, reduced)
            failure = CallFailed(entry.action, "unreadable", description=str(error))
            self._requests.refused(entry, unique_id, failure, now)
        rule = FRAME if isinstance(error, FramingError) else SCHEMA
        self._reading.report(text, str(error), f"{entry.action} response", now, rule, entry.action)

    def _on_error(self, error: CallError, now: float) -> None:
        entry = self._owner_of_answer(error.unique_id, now)
        if entry is None:
            return
        self._counters.call_errors += 1
        code = self._reading.code_of(error, entry.action)
        requests, awaited_boot, due = self._requests, self._requests.awaits_boot, None
        may_boot = self.on_boot_wanted is not None and self.registration is _ACCEPTED
        if code == ErrorCode.SECURITY_ERROR and may_boot:
            due = self._boots.excuse(entry, requests, self._counters.connects, now)
        if due is not None:
            requests.excused(entry, error.unique_id, due)
        else:
            failure = CallFailed(entry.action, "callerror", code, error.description)
            requests.refused(entry, error.unique_id, failure, now)
        if requests.awaits_boot and not awaited_boot and self.on_boot_wanted is not None:
            try:
                self.on_boot_wanted()
            except BaseException as fault:
                obey_exit(fault)
                requests.awaits_boot = False
                self._on_internal_error("wish for a BootNotification", fault)

    # What cannot be used

    def _unusable(self, text: str | bytes, error: FramingError, now: float) -> None:
        if is_foreign(error):
            return
        unique_id = error.unique_id
        if error.kind == 3 and unique_id is not None:
            entry = self._owner_of_answer(unique_id, now)
            if entry is not None:
                frame = error.frame
                payload = frame[2] if frame is not None and len(frame) > 2 else None
                self._salvage(entry, unique_id, payload, text, error, now)
                return
        self._reading.report(text, str(error), "frame", now)
        if unique_id is None or error.kind == 3:
            return
        if error.kind == 2:
            if self.registration is not _REJECTED:
                self._replies.refuse(CallError(unique_id, error.code, str(error)[:LONGEST_DESCRIPTION]))
            return
        entry = self._owner_of_answer(unique_id, now)
        if entry is not None:
            failure = CallFailed(entry.action, "unreadable", description=str(error))
            self._requests.refused(entry, unique_id, failure, now)


def _raise(place: str, error: BaseException) -> None:
    raise error

"""Requests of ours from the making to the end: taken in, written, and confirmed, given up or failed.

Must not know: what an answer looks like as text, replies, the connection but for whether there is one.
Rules of this file:
1. Nothing invalid is sent: a payload is checked when taken in, and again as it was bound: its row may be older than us.
2. Only a refusal counts as an attempt: CALLERROR, or a confirmation that cannot be read. Silence and a lost connection
   say nothing about the message (OCPP 1.6 ed. 2 §3.7). Of one whose asker is patient a late answer counts.
3. What is left unanswered again and again waits apart, or is held back: `silence` decides.
4. Every entry ends once: confirmed, given up, dropped or failed. The hook runs when the slot and the lanes are in
   order, so it may take in the next request.
5. BootNotification is neither dropped nor given up; a newer one takes the place of one that waits.
6. Messages that are neither transaction-related nor stored end with their connection: they would tell what is over.
"""

from collections.abc import Callable

from ocpp16._core import ValidationError, json_bytes, json_value, validate_sending
from ocpp16.enums import ErrorCode, RegistrationStatus
from ocpp16.errors import CallFailed, LocalProtocolError, Offline
from ocpp16.faults import obey_exit, text_of
from ocpp16.models import Counters
from ocpp16.rpc.delivery import Delivery
from ocpp16.rpc.hooks import Hooks
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import Entry, Lane, OpenCall, Payload, whole
from ocpp16.rpc.policy import OutboxLimits, RetryRules, Standing, Transmission, has_history, topic_of, transmission
from ocpp16.rpc.shedding import shed
from ocpp16.rpc.silence import Silence

# A member of an enumeration is found by way of Python code; these are asked for at every message.
_BOOT, _TRANSACTION, _DROP = Lane.BOOT, Lane.TRANSACTION, Transmission.DROP

_FINAL = frozenset({ErrorCode.NOT_IMPLEMENTED, ErrorCode.NOT_SUPPORTED})
"""Codes that the same message will meet again, whenever it is sent."""
_NEVER_FINAL = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
"""Every Central System knows these, so such a code is taken for a passing fault: what they tell is worth the wait."""


class Requests:
    """The outbox, the slot for the one open CALL, and what happens between them. Parameters as of `Session`."""

    __slots__ = (
        "_counters",
        "_delivery",
        "_new_id",
        "awaits_boot",
        "hooks",
        "open_call",
        "outbox",
        "retry",
        "silence",
    )

    def __init__(
        self,
        *,
        delivery: Delivery,
        new_id: Callable[[], str],
        counters: Counters,
        retry: RetryRules,
        limits: OutboxLimits,
        on_internal_error: Callable[[str, BaseException], None],
    ) -> None:
        self.outbox: Outbox = Outbox(limits)
        self.open_call: OpenCall = OpenCall()
        self.retry: RetryRules = retry
        self.awaits_boot: bool = False
        """The Central System has forgotten us: nothing but BootNotification goes until that is answered."""
        self.hooks: Hooks = Hooks(delivery, on_internal_error)
        self.silence: Silence = Silence(self.outbox, self.open_call, retry, self.hooks)
        self._delivery = delivery
        self._new_id = new_id
        self._counters = counters

    # Taken in

    def enqueue(self, entry: Entry, now: float, where: Standing) -> bool:
        """See `Session.enqueue`."""
        if not entry.is_checked:
            entry.check()
        if entry.due <= now:
            entry.due = 0.0
        outbox = self.outbox
        may_queue = entry.is_persistent or (not entry.is_interactive and outbox.limits.may_queue(entry.action))
        if transmission(entry.lane, where, is_triggered=entry.is_triggered, may_queue=may_queue) is _DROP:
            self._drop(entry, Offline(entry.action, f"charge point is {where.name.lower()}"))
            return False
        older = None if entry.lane is _TRANSACTION else self._superseded(entry, now)
        self.silence.hold_back(entry, older, now)
        outbox.add(entry)
        if self.open_call.calls is not None:
            self.open_call.calls.queued(entry, older, now, outbox)
        if older is not None:
            self._supersede(older)
        if not outbox.is_over_limit:
            return True
        victims = shed(outbox)
        for victim in victims:
            self._drop(victim, CallFailed(victim.action, "dropped", description="message queue full"))
        return entry not in victims

    def _superseded(self, entry: Entry, now: float) -> Entry | None:
        """Take out the message whose place this one takes."""
        outbox = self.outbox
        if entry.lane is _BOOT:
            if (older := outbox.boot) is not None:
                outbox.remove(older)
                entry.is_triggered = entry.is_triggered and older.is_triggered  # what that was for is still to be done
            return older
        if entry.is_interactive:
            return None
        if entry.topic is None:
            entry.topic = topic_of(entry.action, entry.payload, is_triggered=entry.is_triggered)
        older = outbox.newest(entry.topic, is_triggered=entry.is_triggered)
        other = outbox.newest(entry.topic, is_triggered=not entry.is_triggered)
        if other is not None and other.due > now:
            older = other
        elif older is None:
            return None
        open_for = self.open_call.open_for(now)
        every_change = has_history(open_for, outbox.normal_depth) and not self.silence.held_until(entry, now)
        # One that waits for its next attempt would be told last, as if it were the present.
        if every_change and not entry.is_triggered and older.due <= now:
            return None
        outbox.replace(older)
        return older

    # Written

    def bound(self, entry: Entry) -> Payload:
        """See `Session.bound`."""
        bound = entry.bound
        payload: Payload = json_value(whole(*self._to_send(entry)) if bound is None else bound)
        return payload

    def next_frame(
        self, now: float, durable: int, registration: RegistrationStatus | None
    ) -> tuple[bytes, str, str] | None:
        """Open the next CALL and give its text, id and action; the slot must be free."""
        outbox, open_call = self.outbox, self.open_call
        while (entry := outbox.next(now, durable, registration)) is not None:
            unique_id = self._new_id()
            try:
                if not entry.is_bound:
                    text, member = self._to_send(entry)
                    entry.bind(text, member)
                data = entry.call(unique_id)
            except BaseException as error:
                obey_exit(error)
                self._unsendable(entry, error, now)
                continue
            self._counters.calls_sent += 1
            if entry.was_sent and entry.is_retried:
                self._counters.retries += 1
            asker = entry.asker
            timeout = self.retry.response_timeout if asker is None or asker.timeout is None else asker.timeout
            open_call.open(entry, unique_id, now, timeout)
            if outbox.apart is not None:
                outbox.apart.tried(entry, now, timeout)
            for older in outbox.take_overtaken(entry):
                self._supersede(older)
            return data, unique_id, entry.action
        return None

    def _to_send(self, entry: Entry) -> tuple[bytes | str, bytes]:
        """For `Entry.bind`, with corrected times. What was checked already and is sent as it was is not checked again.
        Raises ValidationError, what `Delivery` raises, and what writing it down does."""
        transaction_id = self._delivery.transaction_id(entry)
        payload = self._delivery.corrected(entry)
        if payload is None and entry.is_checked:
            return entry.text(), b"" if transaction_id is None else b'"transactionId":%d' % transaction_id
        payload = entry.payload if payload is None else payload
        if transaction_id is not None:
            payload = {**payload, "transactionId": transaction_id}
        validate_sending(entry.action, "request", payload)
        return json_bytes(payload), b""

    def _unsendable(self, entry: Entry, error: BaseException, now: float) -> None:
        """What was bound is not valid, or binding it failed. A stored message that is wrong now is wrong after a
        restart as well and is given up; one that could not be bound has its attempts for that."""
        is_bound = entry.is_bound or isinstance(error, ValidationError)
        failure = CallFailed(entry.action, "invalid", description=text_of(error))
        if entry.lane is _BOOT:
            self._boot_again(entry, now)
        elif entry.is_retried and is_bound:
            self._give_up(entry, failure)
            return
        elif entry.is_retried:
            self._count_attempt(entry, failure, now)
        elif entry.asker is None or entry.asker.on_failure is None:
            self._drop(entry, failure)
        else:
            self._fail(entry, failure)
            if is_bound:
                return  # whoever waits has heard of it
        cause = LocalProtocolError(str(failure))
        cause.__cause__ = error
        self.hooks.on_internal_error(f"writing of {entry.action}", cause)

    # Answered, or not

    def owner_of_answer(self, unique_id: str) -> Entry | None:
        """Whom an answer belongs to; the id is used up. Frees the slot of a CALL that was settled by an earlier id."""
        open_call = self.open_call
        entry = open_call.answered(unique_id)
        if entry is None:
            if open_call.is_settled and unique_id == open_call.unique_id:
                open_call.close("result")
            else:
                self._counters.unknown_ids += 1
                open_call.unasked(unique_id)
        return entry

    def confirmed(self, entry: Entry, unique_id: str, payload: Payload) -> None:
        """A confirmation that can be used came, under any id of the entry."""
        open_call = self.open_call
        self._counters.calls_answered += 1
        if entry is not open_call.entry:
            self.outbox.remove(entry)
        elif unique_id == open_call.unique_id:
            open_call.close("result")
        else:
            open_call.is_settled = True
        open_call.forget(entry)
        self.silence.answered(entry)
        self.awaits_boot = self.awaits_boot and entry.lane is not _BOOT
        self.hooks.confirmed(entry, payload)

    def refused(self, entry: Entry, unique_id: str, failure: CallFailed, now: float) -> None:
        """A CALLERROR or an unreadable confirmation came, under any id of the entry."""
        if not self._taken_back(entry, unique_id, failure.code or failure.reason):
            if entry.is_retried:
                entry.attempts += 1
                self.hooks.attempted(entry)
            return
        if entry.lane is _BOOT:
            self._boot_again(entry, now)
        elif entry.is_retried:
            self._count_attempt(entry, failure, now)
        else:
            self._fail(entry, failure)

    def excused(self, entry: Entry, unique_id: str, due: float) -> None:
        """Refused for a reason that is not the message's: it waits in front of its lane until `due`, uncounted."""
        if self._taken_back(entry, unique_id, ErrorCode.SECURITY_ERROR):
            entry.due = due
            self._put_back(entry)

    def partly_confirmed(self, entry: Entry, payload: Payload) -> None:
        """The answer is none, but it says something; `refused` follows."""
        self.hooks.partly_confirmed(entry, payload)

    def _taken_back(self, entry: Entry, unique_id: str, code: str) -> bool:
        """An answer that does not end the message: take the message out of slot or lane, and it is here.

        False when an earlier transmission was answered and a newer one is open.
        """
        open_call = self.open_call
        if entry is not open_call.entry:
            self.outbox.remove(entry)
        elif unique_id == open_call.unique_id:
            open_call.close("error", code)
        else:
            return False
        self.silence.answered(entry)
        return True

    def _count_attempt(self, entry: Entry, failure: CallFailed, now: float) -> None:
        entry.attempts += 1
        is_final = failure.code in _FINAL and entry.action not in _NEVER_FINAL
        if is_final or entry.attempts >= self.retry.attempts:
            self._give_up(entry, failure)
        elif self.silence.refused(entry, now) or self._put_back(entry):
            self.hooks.attempted(entry)

    def on_time(self, now: float) -> None:
        """Close the open CALL if its time is up. A message that is retried waits longer each time, up to a bound."""
        open_call = self.open_call
        if open_call.entry is None or now < open_call.deadline:
            return
        self._counters.timeouts += 1
        is_alive, entry = open_call.is_heard, open_call.close("timeout")
        if not is_alive:
            self.silence.wants_probe = True
        if entry is None:
            return
        if entry.lane is _BOOT:
            self._boot_again(entry, now)
        elif entry.is_retried:
            if self.silence.timed_out(entry, now, is_alive=is_alive):
                return
            if self.silence.is_hopeless(entry):
                self._give_up(entry, CallFailed(entry.action, "timeout"))
            else:
                self._put_back(entry)
        elif entry.asker is None or not entry.asker.is_patient:
            self._fail(entry, CallFailed(entry.action, "timeout"))
            self.silence.failed(entry, is_alive=is_alive)

    def _boot_again(self, entry: Entry, now: float) -> None:
        is_missed = self.awaits_boot and entry.is_triggered
        if is_missed:
            self.awaits_boot = False  # who asked for it does not want it: what was accepted before is accepted still
        elif self.awaits_boot:
            self.registration_lost()
        entry.due = now + self.retry.boot_retry
        self._put_back(entry)
        if is_missed:
            self.hooks.boot_missed()

    # Interrupted

    def connection_lost(self, now: float) -> None:
        """The open CALL goes back if it is transaction-related, stored, or BootNotification; that is no attempt.

        Of the others whoever waits for an answer is told Offline, and what would tell the present later is dropped.
        """
        transient = self.outbox.take_transient()
        entry = self.open_call.close()
        if entry is not None and (entry.lane is _BOOT or entry.is_retried):
            if entry.lane is _BOOT or not self.silence.interrupted(entry, now):
                self._put_back(entry)
        elif entry is not None:
            self.silence.lost(entry, now)
            self._fail(entry, Offline(entry.action, "connection lost"))
        self.silence.connection_lost(now)
        for entry in transient:
            (self._fail if entry.is_interactive else self._drop)(entry, Offline(entry.action, "connection lost"))

    def registration_lost(self) -> None:
        """Accepted no longer: what somebody waits for will not go, but for what was triggered."""
        for entry in self.outbox.take_waiting(also_triggered=False):
            self._fail(entry, Offline(entry.action, "charge point is not accepted"))

    def stop(self) -> None:
        """Whoever waits for an answer is told that there will be none."""
        waiting = self.outbox.take_waiting(also_triggered=True)
        if (boot := self.outbox.boot) is not None:
            self.outbox.remove(boot)
            waiting.append(boot)
        entry = self.open_call.entry
        if entry is not None and not entry.is_retried and self.open_call.close() is not None:
            waiting.insert(0, entry)
        for entry in waiting:
            self._fail(entry, CallFailed(entry.action, "stopped"))

    def _put_back(self, entry: Entry) -> bool:
        """Into its lane again. False: a newer one tells the same better, and it has come to its end."""
        newer = self.outbox.boot if entry.lane is _BOOT else None
        if entry.topic is not None:
            newer = self.outbox.newest(entry.topic, is_triggered=entry.is_triggered)
            if newer is None and entry.due > 0.0:
                other = self.outbox.newest(entry.topic, is_triggered=not entry.is_triggered)
                newer = other if other is not None and other.sequence > entry.sequence else None
        if newer is not None:
            self._supersede(entry)
            return False
        self.outbox.requeue(entry)
        return True

    # Ended

    def _forget(self, entry: Entry) -> None:
        self.open_call.forget(entry)
        self.silence.forget(entry)

    def _fail(self, entry: Entry, failure: CallFailed) -> None:
        self._forget(entry)
        self.hooks.failed(entry, failure)

    def _give_up(self, entry: Entry, failure: CallFailed) -> None:
        self._counters.dead_letters += 1
        self._forget(entry)
        self.hooks.given_up(entry, str(failure))
        self._fail(entry, failure)

    def _drop(self, entry: Entry, failure: CallFailed) -> None:
        self._counters.dropped += 1
        self._end_unsent(entry, failure)

    def _supersede(self, entry: Entry) -> None:
        self._end_unsent(entry, CallFailed(entry.action, "superseded"))

    def _end_unsent(self, entry: Entry, failure: CallFailed) -> None:
        self._forget(entry)
        if entry.is_retried:
            self.hooks.dropped(entry)
        self._fail(entry, failure)

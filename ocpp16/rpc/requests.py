"""Requests of ours from the making to the end: taken in, written, and confirmed, given up or failed.

Must not know: what an answer looks like as text, replies, the connection but for whether there is one.
Rules of this file:
1. Nothing invalid is sent: a payload is checked when it is taken in, and again as it was bound (a row of the store may
   be older than this program).
2. Only a refusal counts as an attempt: CALLERROR, or a confirmation that cannot be read. Silence and a lost connection
   say nothing about the message (OCPP 1.6 ed. 2 §3.7).
3. Every entry ends once: confirmed, given up, dropped or failed. The hook runs when the slot and the lanes are in
   order, so it may take in the next request.
4. BootNotification is neither dropped nor given up; a newer one takes the place of one that waits.
"""

from collections.abc import Callable

from ocpp16._core import Call, ValidationError, serialize, validate_sending
from ocpp16.enums import ErrorCode, RegistrationStatus
from ocpp16.errors import CallFailed, LocalProtocolError, Offline
from ocpp16.messages.actions import ACTIONS
from ocpp16.models import Counters
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import Delivery, Entry, Lane, OpenCall, Payload
from ocpp16.rpc.policy import OutboxLimits, RetryRules, Standing, Transmission, transmission

_FINAL = frozenset({ErrorCode.NOT_IMPLEMENTED, ErrorCode.NOT_SUPPORTED})
"""Codes that the same message will meet again, whenever it is sent."""
_NEVER_FINAL = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
"""Every Central System knows these, so such a code is taken for a passing fault: what they tell is worth the wait."""


class Requests:
    """The outbox, the slot for the one open CALL, and what happens between them. Parameters as of `Session`."""

    __slots__ = ("_counters", "_delivery", "_new_id", "open_call", "outbox", "retry")

    def __init__(
        self,
        *,
        delivery: Delivery,
        new_id: Callable[[], str],
        counters: Counters,
        retry: RetryRules,
        limits: OutboxLimits,
    ) -> None:
        self.outbox = Outbox(limits)
        self.open_call = OpenCall()
        self.retry = retry
        self._delivery = delivery
        self._new_id = new_id
        self._counters = counters

    # Taken in

    def enqueue(self, entry: Entry, now: float, where: Standing) -> bool:
        """See `Session.enqueue`."""
        _check(entry)
        if entry.due <= now:
            entry.due = 0.0
        outbox = self.outbox
        may_queue = not entry.is_interactive and outbox.limits.may_queue(entry.action)
        decision = transmission(entry.lane, where, is_triggered=entry.is_triggered, may_queue=may_queue)
        if decision is Transmission.DROP:
            self._drop(entry, Offline(entry.action, f"charge point is {where.name.lower()}"))
            return False
        older = outbox.boot if entry.lane is Lane.BOOT else None
        if older is not None:
            outbox.remove(older)
        outbox.add(entry)
        if older is not None:
            self._fail(older, CallFailed(older.action, "superseded"))
        if not outbox.is_over_limit:
            return True
        shed = outbox.shed()
        for victim in shed:
            self._drop(victim, CallFailed(victim.action, "dropped", description="message queue full"))
        return entry not in shed

    # Written

    def next_frame(
        self, now: float, durable: int, registration: RegistrationStatus | None
    ) -> tuple[bytes, str, str] | None:
        """Open the next CALL and give its text, id and action; the slot must be free."""
        while (entry := self.outbox.next(now, durable, registration)) is not None:
            payload = entry.frame_payload
            if payload is None:
                payload = self._delivery.bind(entry)
            unique_id = entry.ids[-1] if self.retry.keep_id and entry.ids else self._new_id()
            try:
                if entry.frame_payload is None:
                    validate_sending(entry.action, "request", payload)
                data = serialize(Call(unique_id, entry.action, payload))
            except (TypeError, ValueError) as error:
                self._unsendable(entry, error)
                continue
            entry.frame_payload = payload
            self._counters.calls_sent += 1
            if entry.ids and entry.is_retried:
                self._counters.retries += 1
            timeout = self.retry.response_timeout if entry.timeout is None else entry.timeout
            self.open_call.open(entry, unique_id, now + timeout)
            return data, unique_id, entry.action
        return None

    def _unsendable(self, entry: Entry, error: Exception) -> None:
        """What was bound is not valid. A stored message is given up, for it would be as wrong after a restart."""
        failure = CallFailed(entry.action, "invalid", description=str(error))
        if entry.is_retried:
            self._give_up(entry, failure)
        elif entry.on_failure is not None:
            self._fail(entry, failure)
        else:
            raise LocalProtocolError(str(failure)) from error

    # Answered, or not

    def owner_of_answer(self, unique_id: str) -> Entry | None:
        """Whom an answer belongs to; the id is used up. Frees the slot of a CALL that was settled by an earlier id."""
        open_call = self.open_call
        entry = open_call.answered(unique_id)
        if entry is None:
            if open_call.is_settled and unique_id == open_call.unique_id:
                open_call.close()
            else:
                self._counters.unknown_ids += 1
        return entry

    def confirmed(self, entry: Entry, unique_id: str, payload: Payload) -> None:
        """A valid confirmation came, under any id of the entry."""
        open_call = self.open_call
        if entry is not open_call.entry:
            self.outbox.remove(entry)
        elif unique_id == open_call.unique_id:
            open_call.close()
        else:
            open_call.is_settled = True
        open_call.forget(entry)
        if entry.is_retried:
            self._delivery.confirmed(entry, payload)
        if entry.on_confirmation is not None:
            entry.on_confirmation(payload)

    def refused(self, entry: Entry, unique_id: str, failure: CallFailed, now: float) -> None:
        """A CALLERROR or an unreadable confirmation came, under any id of the entry."""
        open_call = self.open_call
        if entry is not open_call.entry:
            self.outbox.remove(entry)
        elif unique_id == open_call.unique_id:
            open_call.close()
        else:
            # An earlier transmission was refused late and another one is open; the answer to that decides.
            if entry.is_retried:
                entry.attempts += 1
                self._delivery.attempted(entry)
            return
        if entry.lane is Lane.BOOT:
            self._boot_again(entry, now)
        elif entry.is_retried:
            self._count_attempt(entry, failure, now)
        else:
            self._fail(entry, failure)

    def _count_attempt(self, entry: Entry, failure: CallFailed, now: float) -> None:
        entry.attempts += 1
        is_final = failure.code in _FINAL and entry.action not in _NEVER_FINAL
        if is_final or entry.attempts >= self.retry.attempts:
            self._give_up(entry, failure)
        else:
            entry.due = now + entry.attempts * self.retry.interval
            self.outbox.requeue(entry)
            self._delivery.attempted(entry)

    def on_time(self, now: float) -> None:
        """Close the open CALL if its time is up. A message that is retried waits longer each time, up to a bound."""
        open_call = self.open_call
        if open_call.entry is None or now < open_call.deadline:
            return
        self._counters.timeouts += 1
        entry = open_call.close()
        if entry is None:
            return
        if entry.lane is Lane.BOOT:
            self._boot_again(entry, now)
        elif entry.is_retried:
            entry.timeouts += 1
            waits = min(entry.timeouts + entry.attempts, max(1, self.retry.attempts))
            entry.due = now + waits * self.retry.interval
            self.outbox.requeue(entry)
        else:
            self._fail(entry, CallFailed(entry.action, "timeout"))

    def _boot_again(self, entry: Entry, now: float) -> None:
        entry.due = now + self.retry.boot_retry
        self._requeue(entry)

    # Interrupted

    def connection_lost(self) -> None:
        """The open CALL goes back, uncounted; whoever waits for an answer is told Offline."""
        waiting = self.outbox.take_waiting(also_triggered=True)
        entry = self.open_call.close()
        if entry is not None and entry.is_interactive:
            waiting.insert(0, entry)
        elif entry is not None:
            self._requeue(entry)
        for entry in waiting:
            self._fail(entry, Offline(entry.action, "connection lost"))

    def registration_lost(self) -> None:
        """Accepted no longer: what somebody waits for will not go, but for what was triggered."""
        for entry in self.outbox.take_waiting(also_triggered=False):
            self._fail(entry, Offline(entry.action, "charge point is not accepted"))

    def stop(self) -> None:
        """Whoever waits for an answer is told that there will be none."""
        waiting = self.outbox.take_waiting(also_triggered=True)
        boot = self.outbox.boot
        if boot is not None:
            self.outbox.remove(boot)
            waiting.append(boot)
        entry = self.open_call.entry
        if entry is not None and not entry.is_retried and self.open_call.close() is not None:
            waiting.insert(0, entry)
        for entry in waiting:
            self._fail(entry, CallFailed(entry.action, "stopped"))

    def _requeue(self, entry: Entry) -> None:
        if entry.lane is Lane.BOOT and self.outbox.boot is not None:
            self._fail(entry, CallFailed(entry.action, "superseded"))
        else:
            self.outbox.requeue(entry)

    # Ended

    def _fail(self, entry: Entry, failure: CallFailed) -> None:
        self.open_call.forget(entry)
        if entry.on_failure is not None:
            entry.on_failure(failure)

    def _give_up(self, entry: Entry, failure: CallFailed) -> None:
        self._counters.dead_letters += 1
        self._delivery.given_up(entry, str(failure))
        self._fail(entry, failure)

    def _drop(self, entry: Entry, failure: CallFailed) -> None:
        self._counters.dropped += 1
        if entry.is_retried:
            self._delivery.dropped(entry)
        self._fail(entry, failure)


def _check(entry: Entry) -> None:
    """Raise LocalProtocolError for what must not be sent. A stop may lack its transactionId, which is bound later."""
    action, payload = entry.action, entry.payload
    known = ACTIONS.get(action)
    if known is None or known.initiator == "CentralSystem":
        raise LocalProtocolError(f"{action} is no request of a charge point")
    if entry.is_interactive and entry.is_persistent:
        raise LocalProtocolError(f"{action} is stored although somebody waits for its answer")
    if action == "StopTransaction" and "transactionId" not in payload:
        payload = {**payload, "transactionId": 0}
    try:
        validate_sending(action, "request", payload)
    except ValidationError as error:
        raise LocalProtocolError(str(error)) from error

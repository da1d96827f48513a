"""How each CALL of ours ended, and when it was due: told to whoever measures.

Must not know: timers, clocks but for one function, what an answer says. Only there where somebody listens.
Rules of this file:
1. A CALL is one transmission. It ends once: by a result, by an error, by a timeout, or lost with its connection. What
   comes later under its id changes nothing.
2. Due is when the CALL was meant to go, so that what waits because we, or the Central System, are slow has waited: of
   what a timer makes, when the timer was due; else when it was queued. Nothing is due before what holds it back on
   purpose: the interval between two attempts, the rhythm of what waits apart, and for BootNotification the connection.
3. A message that takes the place of one that waits is due when that one was: it is the answer to the same need.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ocpp16._core import Call
from ocpp16.enums import RegistrationStatus
from ocpp16.faults import obey_exit
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import Entry, Lane, OpenCall
from ocpp16.rpc.violations import ProtocolViolation, ViolationListener, ViolationWatch

__all__ = ["NOBODY", "CallEnded", "CallListener", "CallWatch", "FrameListener", "LinkListener", "Listeners"]


class CallEnded(NamedTuple):
    """One CALL of a charge point. Times are monotonic seconds of trio's clock.

    due: when it was meant to be sent; sent: when it was written; ended: when its outcome was known. outcome: "result";
    "error", a CALLERROR, whose `code` is told, or an answer that cannot be read ("unreadable"); "timeout"; "lost" with
    its connection, or with the stop of the charge point."""

    charge_point: str
    action: str
    due: float
    sent: float
    ended: float
    outcome: str
    code: str


FrameListener = Callable[[str, str, str], None]
"""Told charge point, "sent" or "received", and the text of each frame as it is on the wire, secrets and all: whoever
keeps one takes them out (`ocpp16.redaction`). Synchronous; what it raises is logged."""

LinkListener = Callable[[str, bool, str], None]
"""Told charge point, whether it is connected now, and why not: each time that changes, and at each attempt that failed.
Synchronous; what it raises is logged."""

CallListener = Callable[[CallEnded], None]
"""Told synchronously: it must not block. What it raises is logged, and ends nothing."""


class Listeners(NamedTuple):
    """Who measures: those that are there are told."""

    calls: CallListener | None = None
    frames: FrameListener | None = None
    links: LinkListener | None = None
    violations: ViolationListener | None = None


NOBODY: Final = Listeners()


class CallWatch:
    """Of one start of a charge point.

    Parameters: `now` tells monotonic seconds; `timer_due` when the timer was due whose callback runs, inf if none does;
    `failed(place, error)` is told what a listener raised. `listener` of calls and that of `violations` may each be
    None.
    """

    __slots__ = (
        "_began",
        "_charge_point",
        "_connected_at",
        "_dues",
        "_failed",
        "_listener",
        "_now",
        "_outbox",
        "_timer_due",
        "_violation_listener",
        "violations",
    )

    def __init__(
        self,
        charge_point: str,
        listener: CallListener | None,
        now: Callable[[], float],
        timer_due: Callable[[], float],
        failed: Callable[[str, BaseException], None],
        violations: ViolationListener | None = None,
    ) -> None:
        self._charge_point = charge_point
        self._listener = listener
        self._now = now
        self._timer_due = timer_due
        self._failed = failed
        self._outbox: Outbox | None = None
        self._dues: dict[Entry, float] = {}
        self._began = self._connected_at = now()
        """What was stored before the start is due with it."""
        self._violation_listener = violations
        self.violations: ViolationWatch | None = (
            None if violations is None else ViolationWatch(charge_point, self._tell_violation)
        )
        """What the Central System does against the protocol, where somebody wants to know."""

    def _tell_violation(self, violation: ProtocolViolation) -> None:
        assert self._violation_listener is not None
        try:
            self._violation_listener(violation)
        except BaseException as error:
            obey_exit(error)
            self._failed("listener of violations", error)

    def asked(self, call: Call, registration: RegistrationStatus | None, is_repeat: bool) -> None:
        """The Central System asks."""
        if self.violations is not None:
            self.violations.asked(call.action, registration, is_repeat=is_repeat)

    def connected(self, now: float) -> None:
        self._connected_at = now

    def queued(self, entry: Entry, older: Entry | None, now: float, outbox: Outbox) -> None:
        """It waits for its turn, in place of `older` if there was one."""
        if self._listener is None:
            return
        due = min(self._timer_due(), now)
        self._outbox = outbox
        if older is not None:
            due = min(due, self._dues.pop(older, due))
        self._dues[entry] = due

    def forgotten(self, entry: Entry) -> None:
        """It came to its end, and is not sent any more."""
        self._dues.pop(entry, None)

    def ended(self, call: OpenCall, outcome: str, code: str) -> None:
        """The CALL that is open is over; its message may be sent again, as another CALL."""
        entry = call.entry
        if entry is None:
            return
        if self.violations is not None:
            self.violations.ended(call.unique_id, outcome)
        if self._listener is None:
            return
        now = self._now()
        due = max(self._dues.pop(entry, self._began), entry.due)
        if entry.lane is Lane.BOOT:
            due = max(due, self._connected_at)
        elif self._is_apart(entry):
            due = call.opened_at
        if outcome != "result" and not call.is_settled and (entry.is_retried or entry.lane is Lane.BOOT):
            self._dues[entry] = now
        event = CallEnded(
            self._charge_point, entry.action, min(due, call.opened_at), call.opened_at, now, outcome, code
        )
        try:
            self._listener(event)
        except BaseException as error:
            obey_exit(error)
            self._failed("listener of calls", error)

    def _is_apart(self, entry: Entry) -> bool:
        """Is it tried now and then, besides the others, as it happens to be its turn?"""
        apart = None if self._outbox is None else self._outbox.apart
        return apart is not None and apart.has_place_for(entry)

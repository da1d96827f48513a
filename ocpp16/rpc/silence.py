"""What it means that requests are left unanswered, in silence or by the end of the connection, and what follows.

Must not know: frames, answers, what a request tells of. Rules of this file:
1. A timeout counts for a message only on a link that proved alive; else not before the link has been asked
   (`wants_probe`), and something was received (`heard`).
2. A message of the transaction lane that was left unanswered TransactionMessageAttempts times is set aside with what
   has to follow it (`set_aside`): at once where others of its action are, or where its wait is too long for the lane.
3. The end of the connection says nothing of the message that was open, unless it happens again and again: some Central
   Systems close the link at what they cannot take, or go deaf. Then a message of the transaction lane is set aside,
   another stored one waits, and where a newer message takes its place, the topic does.
4. What many Central Systems do not know is given up when it was left unanswered so often: some do not answer what they
   do not know.
5. A message that was refused and has to wait for longer than its lane can is set aside, too.
"""

from collections.abc import Hashable

from ocpp16.rpc.hooks import Hooks
from ocpp16.rpc.outbox import Outbox
from ocpp16.rpc.pending import Entry, Lane, OpenCall
from ocpp16.rpc.policy import (
    FIRST_INTERRUPTION_HOLD,
    KNOWN_TO_FEW,
    LONGEST_HOLD,
    LONGEST_REFUSED_HOLD,
    LONGEST_TRY_INTERVAL,
    MAX_INTERRUPTIONS,
    MAX_SILENCES,
    SHORTEST_REFUSED_HOLD,
    RetryRules,
)

__all__ = ["Silence"]

_TRANSACTION = Lane.TRANSACTION
_FIRST_TRY = 4
"""A message set aside is tried again no sooner than after so many response timeouts."""


class Silence:
    """Of one charge point. `hooks` are told what is set aside."""

    __slots__ = (
        "_held_back",
        "_hooks",
        "_is_proved",
        "_open_call",
        "_outbox",
        "_unproved",
        "retry",
        "wants_probe",
    )

    def __init__(self, outbox: Outbox, open_call: OpenCall, retry: RetryRules, hooks: Hooks) -> None:
        self.wants_probe: bool = False
        """A request timed out and nothing was received since it was written: is the link alive?"""
        self._outbox = outbox
        self._open_call = open_call
        self.retry: RetryRules = retry
        self._hooks = hooks
        self._is_proved = False
        """Something was received on this connection."""
        self._unproved: tuple[Entry, ...] = ()
        """Messages that timed out in silence on this connection, and nothing was received since."""
        self._held_back: dict[Hashable, tuple[int, float]] | None = None
        """Topic → connections in a row that ended while a message of it was open, and until when it is held back."""

    # What happened

    def timed_out(self, entry: Entry, now: float, *, is_alive: bool) -> bool:
        """It was not answered in time. False: it is to be put back into its lane, not before its `due`."""
        entry.timeouts += 1
        if is_alive:
            entry.interruptions = 0
        hold = self._hold_of(entry)
        if entry.lane is _TRANSACTION:
            apart = self._outbox.apart
            if apart is not None and apart.has_place_for(entry):
                entry.due = 0.0
                # None that ended the others before: a new connection is no reason to try it at once.
                apart.unanswered(entry, now, is_patient=entry.interruptions >= MAX_INTERRUPTIONS)
                return False
            if is_alive:
                entry.silences += 1
                if self._is_silent(entry):
                    self._set_aside(entry, self._first_try_of(entry), now)
                    return True
            hold = min(hold, LONGEST_HOLD)
        if not is_alive and entry not in self._unproved:
            self._unproved = (*self._unproved, entry)
        entry.due = now + hold
        return False

    def failed(self, entry: Entry, *, is_alive: bool) -> None:
        """It was not answered in time, and ends with that."""
        if not is_alive and entry.topic is not None and all(other.topic != entry.topic for other in self._unproved):
            self._unproved = (*self._unproved, entry)

    def is_hopeless(self, entry: Entry) -> bool:
        """Was one that many do not know left unanswered as often as it may be? Each try holds up all others for as long
        as an answer is waited for."""
        return entry.action in KNOWN_TO_FEW and entry.timeouts >= min(max(1, self.retry.attempts), MAX_SILENCES)

    def refused(self, entry: Entry, now: float) -> bool:
        """It has another attempt. False: it is to be put back into its lane, not before its `due`."""
        hold = self._refused_hold_of(entry)
        apart = self._outbox.apart
        if apart is not None and apart.has_place_for(entry):  # it could not be written down when it was tried
            entry.due = 0.0
            apart.refused(entry, now, hold)
            return False
        if entry.lane is _TRANSACTION and hold > LONGEST_HOLD:
            self._set_aside(entry, hold, now, is_silent=False, is_patient=True)
            return True
        entry.due = now + hold
        return False

    def interrupted(self, entry: Entry, now: float) -> bool:
        """The connection ended while it was open, or had gone silent at it: by chance, or because of it. False: it is
        to be put back."""
        self._drop_unproved(entry)
        if not self._is_proved:
            return False
        entry.interruptions += 1
        if entry.interruptions < MAX_INTERRUPTIONS:
            return False
        apart = self._outbox.apart
        if apart is not None and apart.has_place_for(entry):
            apart.unanswered(entry, now, is_patient=True)
        elif entry.lane is _TRANSACTION:
            self._set_aside(entry, self._first_try_of(entry), now, is_patient=True)
            return True
        else:
            entry.due = now + _interruption_hold(entry.interruptions)
        return False

    def lost(self, entry: Entry, now: float) -> None:
        """The connection ended while it was open, and it ends with it: what is told instead may have to wait."""
        if entry.topic is None:
            return
        if self._held_back is None:
            self._held_back = {}
        interruptions = self._held_back.get(entry.topic, (0, 0.0))[0] + 1
        hold = _interruption_hold(interruptions) if interruptions >= MAX_INTERRUPTIONS else 0.0
        self._held_back[entry.topic] = (interruptions, now + hold)

    def connection_lost(self, now: float) -> None:
        """The connection has ended, and what was open on it was told."""
        for entry in self._unproved:
            if not entry.is_retried:
                self.lost(entry, now)
                continue
            self._outbox.remove(entry)
            if not self.interrupted(entry, now):
                self._outbox.requeue(entry)
        self.wants_probe = False
        self._unproved = ()
        self._is_proved = False

    def heard(self, now: float) -> None:
        """Something was received: the link is alive, and it was when the open CALL was written."""
        self._open_call.is_heard = True
        self._is_proved = True
        self.wants_probe = False
        if not self._unproved:
            return
        unproved, self._unproved = self._unproved, ()
        for entry in unproved:
            if entry.lane is not _TRANSACTION:
                continue
            entry.silences += 1
            if entry is not self._open_call.entry and self._is_silent(entry):
                self._outbox.remove(entry)
                self._set_aside(entry, self._first_try_of(entry), now)

    def answered(self, entry: Entry) -> None:
        """It was answered in any way."""
        entry.silences = entry.interruptions = 0
        if self._held_back is not None:
            self._held_back.pop(entry.topic, None)
        self._drop_unproved(entry)
        if self._outbox.apart is not None and entry.lane is _TRANSACTION:
            self._outbox.heard_of(entry)

    def forget(self, entry: Entry) -> None:
        """It came to its end without an answer."""
        self._drop_unproved(entry)
        if self._outbox.apart is not None:
            self._outbox.apart.ended(entry)

    def interval_changed(self, now: float) -> None:
        """TransactionMessageRetryInterval is another one: whatever waits for its next attempt waits anew, from now."""
        outbox = self._outbox
        for entry in outbox.held(now):
            if not _waits_for_its_next_attempt(entry):
                continue
            outbox.remove(entry)
            if entry.timeouts:
                entry.due = now + min(self._hold_of(entry), LONGEST_HOLD)
            elif self.refused(entry, now):
                continue
            outbox.requeue(entry)

        def until(entry: Entry) -> float:
            if not _waits_for_its_next_attempt(entry):
                return entry.due
            return now + (self._hold_of(entry) if entry.timeouts else self._refused_hold_of(entry))

        outbox.hold_later(until)
        if outbox.apart is not None:
            outbox.apart.interval_changed(now, self._refused_hold_of)

    # What follows

    def held_until(self, entry: Entry, now: float) -> float:
        """Until when its topic is held back; 0 if it is not."""
        if self._held_back is None or entry.topic is None:
            return 0.0
        until = self._held_back.get(entry.topic, (0, 0.0))[1]
        return until if until > now else 0.0

    def hold_back(self, entry: Entry, older: Entry | None, now: float) -> None:
        """It is to wait as long as its topic is held back, or as a stored `older` whose place it takes."""
        entry.due = max(entry.due, self.held_until(entry, now))
        if older is not None and older.interruptions:
            entry.interruptions = older.interruptions
            if older.interruptions >= MAX_INTERRUPTIONS:
                entry.due = max(entry.due, older.due)

    def _drop_unproved(self, entry: Entry) -> None:
        if self._unproved:
            self._unproved = tuple([other for other in self._unproved if other is not entry])

    def _hold_of(self, entry: Entry) -> float:
        """Seconds until a message that was not answered is sent again."""
        return min(entry.timeouts + entry.attempts, max(1, self.retry.attempts)) * self.retry.interval

    def _refused_hold_of(self, entry: Entry) -> float:
        """Seconds until a message that was refused is sent again."""
        hold = min(entry.attempts * self.retry.interval, LONGEST_REFUSED_HOLD)
        return max(hold, SHORTEST_REFUSED_HOLD) if entry.attempts > 1 else hold

    def _first_try_of(self, entry: Entry) -> float:
        """Seconds from being set aside to the first try."""
        return min(max(self._hold_of(entry), _FIRST_TRY * self.retry.response_timeout), LONGEST_TRY_INTERVAL)

    def _is_silent(self, entry: Entry) -> bool:
        """Was it left unanswered often enough? Once is, if others of its action are set aside, or the wait is long."""
        apart = self._outbox.apart
        if (apart is not None and apart.silent.get(entry.action)) or self._hold_of(entry) > LONGEST_HOLD:
            return True
        return entry.silences >= min(max(1, self.retry.attempts), MAX_SILENCES)

    def _set_aside(
        self, entry: Entry, interval: float, now: float, *, is_silent: bool = True, is_patient: bool = False
    ) -> None:
        entry.due = 0.0
        waiting = self._outbox.set_aside(entry, interval, now, is_silent=is_silent, is_patient=is_patient)
        self._hooks.set_aside(entry, waiting)


def _waits_for_its_next_attempt(entry: Entry) -> bool:
    """Is it held for TransactionMessageRetryInterval, and for nothing else?"""
    return entry.interruptions < MAX_INTERRUPTIONS and (entry.attempts > 0 or entry.timeouts > 0)


def _interruption_hold(interruptions: int) -> float:
    """Seconds to wait after so many connections in a row that ended at a message."""
    doublings = min(interruptions - MAX_INTERRUPTIONS, 16)
    return min(FIRST_INTERRUPTION_HOLD * 2.0**doublings, LONGEST_HOLD)

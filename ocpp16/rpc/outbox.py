"""The requests of ours that wait: which is next, when, and which go when there are too many.

Must not know: frames, ids, answers. It is told the time, what is durable and the registration with every question.

Theory of operation. One BootNotification waits at most. Transaction-related messages are one heap by sequence, and
only its head is ever looked at, so their order is strict; what is left unanswered there waits apart (`set_aside`).
Normal messages move from "not yet durable" over "not yet due" to one of three heaps by sequence: asked by somebody who
waits, triggered, and the rest. So the next message is found among the heads without looking through a queue, and an
empty lane is an empty list.

Rules of this file:
1. BootNotification first, and alone until accepted; while Pending also what was triggered (OCPP 1.6 ed. 2 §4.2).
2. Then whoever waits for an answer, then the oldest by sequence. What waited for the connection (the backlog) is
   overtaken by newer normal messages: "other messages may overtake" beats an authorization behind a week of readings.
3. A head of the transaction lane that is not due or not durable holds up its lane and no other.
4. What waits apart is tried when nothing else can go.
5. What goes when there are too many is `shedding`'s to say.
"""

from collections.abc import Callable, Hashable, Iterable
from heapq import heapify, heappop, heappush, nsmallest
from itertools import chain
from math import inf
from typing import Any

from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.rpc.policy import OutboxLimits
from ocpp16.rpc.set_aside import SetAside, Shelf

# A member of an enumeration is found by way of Python code; these are asked for at every message.
_BOOT, _TRANSACTION, _NORMAL = Lane.BOOT, Lane.TRANSACTION, Lane.NORMAL
_ACCEPTED, _PENDING = RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING

METER_VALUES = "MeterValues"
_COMPACTED_FROM = 64
"""Replaced messages left in the heaps before these are made anew without them."""


def _measure(entry: Entry) -> int:
    try:
        return len(entry.written())
    except Exception:
        return 0  # what cannot be written down fails at its first write, where somebody hears of it


def taken_of_disk(size: int) -> int:
    """Bytes that a message with a payload of `size` bytes takes of a database, between thinned neighbours too.

    Measured, and rounded up: a row of up to 1,000 bytes shares its page with others, and pages are two thirds full; of
    a longer one a part stays there, and the rest begins a page of its own (4,096 bytes, of which 4,092 are its).
    """
    if size <= 880:
        return size + size // 2 + 200
    return 800 + (size + 3992) // 4092 * 4096


def _entry_of(item: Any) -> Entry:
    """On a shelf an entry lies by itself, in the other heaps behind its time or number."""
    return item if isinstance(item, Entry) else item[-1]


class Outbox:
    """All lanes of one charge point. `depth` counts what waits, `bytes` what that takes of a disk."""

    __slots__ = (
        "_backlog_end",
        "_interactive",
        "_last_sequence",
        "_later",
        "_later_triggered",
        "_newest",
        "_normal_depth",
        "_ordinary",
        "_replaced",
        "_replay_at",
        "_replay_gap",
        "_transactions",
        "_triggered",
        "_unsaved",
        "apart",
        "boot",
        "bytes",
        "depth",
        "limits",
        "meter_values",
        "spared",
    )

    def __init__(self, limits: OutboxLimits) -> None:
        self.limits: OutboxLimits = limits
        self.boot: Entry | None = None
        self.apart: SetAside | None = None
        """What is left unanswered; None until something was."""
        self.depth: int = 0
        self.bytes: int = 0
        self._transactions: Shelf = []
        self._interactive: Shelf = []
        self._triggered: Shelf = []
        self._ordinary: Shelf = []
        self._unsaved: list[tuple[int, int, Entry]] = []
        self._later: list[tuple[float, int, Entry]] = []
        self._later_triggered: list[tuple[float, int, Entry]] = []
        self._newest: dict[tuple[Hashable, bool], Entry] | None = None
        """(topic, is it triggered) → the newest message of it that waits."""
        self._normal_depth = 0
        self.meter_values: int = 0
        """How many of the transaction lane are no more than readings."""
        self._replaced = 0
        """Messages still in a heap whose place a newer one has taken."""
        self.spared: int = 0
        """Messages of the transaction lane there were when nothing more could be shed of it."""
        self._last_sequence = 0
        self._backlog_end = 0
        self._replay_at = 0.0
        self._replay_gap = 1.0 / limits.replay_rate if limits.replay_rate > 0 else 0.0

    # Coming in

    def add(self, entry: Entry) -> None:
        """Take in a message. A second BootNotification must not be added: take the one in `boot` out first."""
        if not entry.size and entry.lane is not _BOOT:
            entry.size = _measure(entry)
        if entry.sequence > self._last_sequence:
            self._last_sequence = entry.sequence
        self.requeue(entry)

    def restore(self, entries: Iterable[Entry]) -> None:
        """Take in what was stored before the start, in any order."""
        for entry in sorted(entries):
            self.add(entry)

    def requeue(self, entry: Entry) -> None:
        """Put back a message that was taken and not answered: by its sequence it is in front again."""
        self._count(entry, 1)
        lane = entry.lane
        if lane is _TRANSACTION:
            if self.apart is not None and self.apart.has_place_for(entry):
                self.apart.put(entry)
            else:
                heappush(self._transactions, entry)
        elif lane is _BOOT:
            if self.boot is not None:
                raise AssertionError("a second BootNotification waits")
            self.boot = entry
        else:
            if entry.topic is not None:
                if self._newest is None:
                    self._newest = {}
                self._newest[entry.topic, entry.is_triggered] = entry
            if entry.number > 0:
                heappush(self._unsaved, (entry.number, entry.sequence, entry))
            else:
                self._place(entry)

    def mark_backlog(self, now: float) -> None:
        """What waits now waited for the connection, or for acceptance; the replay rate is for it."""
        self._backlog_end = self._last_sequence
        self._replay_at = max(self._replay_at, now)
        if self.apart is not None:
            self.apart.all_due()

    # Going out

    def next(self, now: float, durable: int, registration: RegistrationStatus | None) -> Entry | None:
        """Take out the message to send now, None if there is none.

        Parameters: `now` in monotonic seconds, `durable` the highest journal number on disk.
        """
        if self._normal_depth:
            self._promote_saved(durable)
            self._promote_due(now)
        due, shelf = self._choose(now, durable, registration)
        if due > now:
            return None
        if shelf is not None:
            entry = heappop(shelf)
            if entry.sequence <= self._backlog_end and self._is_paced(shelf):
                self._replay_at = now + self._replay_gap
        elif self.boot is not None and self.boot.due <= now and self.boot.number <= durable:
            entry, self.boot = self.boot, None
        else:
            assert self.apart is not None
            entry = self.apart.take()
        self._count(entry, -1)
        return entry

    def next_due(self, durable: int, registration: RegistrationStatus | None) -> float:
        """The earliest monotonic time at which `next` gives a message: 0 is at once, inf not by time alone."""
        if self._normal_depth:
            self._promote_saved(durable)
        return self._choose(-inf, durable, registration)[0]

    def _choose(self, now: float, durable: int, registration: RegistrationStatus | None) -> tuple[float, Shelf | None]:
        """The order, stated once: the candidates are the heads, each with the time from which it may go.

        Returns a time up to `now` and where the first of those that may go now is: the head of a shelf, or without a
        shelf BootNotification if that is due, else what waits apart. When none may go, the earliest time of any.
        """
        if self._replaced:
            self._forget_replaced()
        boot, first = self.boot, inf
        if boot is not None and boot.number <= durable:
            if boot.due <= now:
                return boot.due, None
            first = boot.due
        is_accepted = registration is _ACCEPTED
        if not is_accepted and registration is not _PENDING:
            return first, None
        has_normal = self._normal_depth > 0  # else six shelves need not be looked at, and are far away in the memory
        if has_normal and is_accepted and self._interactive:
            return 0.0, self._interactive
        head_at, normal_at = inf, inf
        normal: Shelf | None = None
        if self._transactions:
            head: Entry = self._transactions[0]
            sequence = head.sequence
            if head.number <= durable and (is_accepted or head.is_triggered):
                due = max(head.due, self._paced(sequence))
                if due <= now:
                    head_at = sequence
                elif due < first:
                    first = due
        if has_normal and self._triggered:
            if now >= 0.0:
                normal_at, normal = self._triggered[0].sequence, self._triggered
            else:
                first = min(first, 0.0)
        if has_normal and self._later_triggered:
            first = min(first, self._later_triggered[0][0])
        if has_normal and is_accepted:
            if self._ordinary:
                sequence = self._ordinary[0].sequence
                due = self._paced(sequence)
                if due > now:
                    first = min(first, due)
                elif sequence < normal_at:
                    normal_at, normal = sequence, self._ordinary
            if self._later:
                # When its time has come it waits its turn among the ordinary ones.
                sequence = min(self._later[0][1], self._ordinary[0].sequence if self._ordinary else self._last_sequence)
                first = min(first, max(self._later[0][0], self._paced(sequence)))
        if normal is not None and (normal_at < head_at or head_at <= self._backlog_end < normal_at):
            return 0.0, normal
        if head_at < inf:
            return 0.0, self._transactions
        if is_accepted and self.apart is not None:
            first = min(first, self.apart.due(durable))
        return first, None

    # Going away

    @property
    def normal_depth(self) -> int:
        """How many messages wait that are not of a transaction."""
        return self._normal_depth

    def normal(self) -> list[Entry]:
        """The normal lane, the oldest first."""
        waiting = [_entry_of(item) for heap in self._normal_heaps() for item in heap]
        return sorted(entry for entry in waiting if not entry.is_replaced)

    def oldest(self, most: int) -> list[Entry]:
        """The oldest of all that waits, up to so many; BootNotification is in front."""
        waiting = chain(self._transactions, self.apart or (), self.normal())
        found = nsmallest(most, waiting)
        return found if self.boot is None else [self.boot, *found][:most]

    def newest(self, topic: Hashable, *, is_triggered: bool) -> Entry | None:
        """The newest message about this that waits; nothing is about None."""
        return None if self._newest is None else self._newest.get((topic, is_triggered))

    def replace(self, older: Entry) -> None:
        """Take out a message of the normal lane that waits, for a newer one that is about to be added.

        The newer one keeps its own place: what happened between the two is told before it.
        """
        self._count(older, -1)
        older.is_replaced = True
        self._replaced += 1
        if self._replaced >= _COMPACTED_FROM and self._replaced > self._normal_depth:
            self._replaced = 0
            for heap in self._normal_heaps():
                heap[:] = [item for item in heap if not _entry_of(item).is_replaced]
                heapify(heap)

    def take_overtaken(self, entry: Entry) -> list[Entry]:
        """Take out what is older than this message, which goes now, about the same, and waits for the disk: told later
        it would pass for the present."""
        if entry.topic is None or not self._unsaved:
            return []
        taken = [one for _, _, one in self._unsaved if one.topic == entry.topic and one < entry and not one.is_replaced]
        self.discard(taken)
        return taken

    def remove(self, entry: Entry) -> None:
        """Take out a certain message, if it waits: it was answered before its retry, or nobody wants it any more."""
        if entry is self.boot:
            self.boot = None
            self._count(entry, -1)
        elif self._transactions and self._transactions[0] is entry:
            heappop(self._transactions)
            self._count(entry, -1)
        elif self.apart is not None and self.apart.remove(entry):
            self._count(entry, -1)
        else:
            self.discard([entry])

    def waiting_for(self, action: str) -> list[Entry]:
        """The messages of the normal lane of this action, the oldest first."""
        return [entry for entry in self.normal() if entry.action == action]

    def take_waiting(self, *, also_triggered: bool) -> list[Entry]:
        """Take out everything somebody waits for, the oldest first."""
        taken = [
            entry for entry in self.normal() if entry.is_interactive and (also_triggered or not entry.is_triggered)
        ]
        self.discard(taken)
        return taken

    def take_transient(self) -> list[Entry]:
        """Take out what ends with its connection, the oldest first: normal messages that are not stored."""
        taken = [entry for entry in self.normal() if not entry.is_persistent]
        self.discard(taken)
        return taken

    def discard(self, victims: list[Entry]) -> None:
        """Take out these, if they wait, at the cost of one pass over each heap concerned."""
        gone = set(victims)
        heaps: list[list[Any]] = []
        if any(entry.lane is _TRANSACTION for entry in victims):
            heaps.append(self._transactions)
            if self.apart is not None:
                for entry in self.apart.discard(gone):
                    self._count(entry, -1)
        if any(entry.lane is _NORMAL for entry in victims):
            heaps += self._normal_heaps()
        for heap in heaps:
            found = [entry for entry in map(_entry_of, heap) if entry in gone]
            if found:
                heap[:] = [item for item in heap if _entry_of(item) not in gone]
                heapify(heap)
                for entry in found:
                    self._count(entry, -1)

    # What waits for a time of its own

    def held(self, now: float) -> list[Entry]:
        """The messages in the transaction lane that are not due."""
        return [entry for entry in self._transactions if entry.due > now]

    def hold_later(self, until: Callable[[Entry], float]) -> None:
        """Hold what is held of the normal lane until another time: `until` gives it, monotonic seconds."""
        for later in (self._later, self._later_triggered):
            for _, _, entry in later:
                entry.due = until(entry)
            later[:] = [(entry.due, sequence, entry) for _, sequence, entry in later]
            heapify(later)

    # What waits apart

    def set_aside(
        self, entry: Entry, interval: float, now: float, *, is_silent: bool = True, is_patient: bool = False
    ) -> int:
        """Put a message that is not in the outbox apart, with what has to follow it. Returns how many that are.

        Parameters: see `SetAside.begin`.
        """
        if self.apart is None:
            self.apart = SetAside()
        apart, before = self.apart, self.depth
        apart.begin(entry, interval, now, is_silent=is_silent, is_patient=is_patient)
        self.requeue(entry)
        followers = [follower for follower in self._transactions if apart.has_place_for(follower)]
        if followers:
            self._transactions[:] = [other for other in self._transactions if not apart.has_place_for(other)]
            heapify(self._transactions)
            for follower in followers:
                apart.put(follower)
        return self.depth - before + len(followers)

    def waiting_of(self, transaction: object | None = None) -> list[Entry]:
        """The messages of this transaction, or of all, that wait, apart or (again) in the lane; in no order."""
        waiting = [*self._transactions, *(self.apart or ())]
        return waiting if transaction is None else [entry for entry in waiting if entry.transaction is transaction]

    def heard_of(self, entry: Entry) -> None:
        """A message of the transaction lane was answered in any way: what waits apart may have hope."""
        assert self.apart is not None
        for follower in self.apart.answered(entry):
            heappush(self._transactions, follower)

    # Too much

    @property
    def is_over_limit(self) -> bool:
        limits = self.limits
        if 0 < limits.byte_limit < self.bytes:
            return True
        if limits.threshold is None:
            return self._normal_depth > limits.normal
        return self.depth > limits.threshold

    # Inside

    def _count(self, entry: Entry, step: int) -> None:
        self.depth += step
        lane = entry.lane
        if lane is _BOOT:
            return
        self.bytes += step * taken_of_disk(entry.size)
        if lane is _NORMAL:
            self._normal_depth += step
            if step < 0 and entry.topic is not None:
                key = (entry.topic, entry.is_triggered)
                if self._newest is not None and self._newest.get(key) is entry:
                    del self._newest[key]
                    if not self._newest:
                        self._newest = None
        elif entry.action == METER_VALUES:
            self.meter_values += step

    def _place(self, entry: Entry) -> None:
        if entry.due > 0:
            later = self._later_triggered if entry.is_triggered else self._later
            heappush(later, (entry.due, entry.sequence, entry))
        else:
            heappush(self._shelf_of(entry), entry)

    def _shelf_of(self, entry: Entry) -> Shelf:
        if entry.is_triggered:
            return self._triggered
        return self._interactive if entry.is_interactive else self._ordinary

    def _promote_due(self, now: float) -> None:
        for later in (self._later, self._later_triggered):
            while later and later[0][0] <= now:
                entry = heappop(later)[2]
                heappush(self._shelf_of(entry), entry)

    def _promote_saved(self, durable: int) -> None:
        while self._unsaved and self._unsaved[0][0] <= durable:
            self._place(heappop(self._unsaved)[2])

    def _is_paced(self, shelf: Shelf) -> bool:
        return self._replay_gap > 0 and (shelf is self._transactions or shelf is self._ordinary)

    def _paced(self, sequence: int) -> float:
        """When the replay rate lets a message of this sequence go."""
        return self._replay_at if self._replay_gap and sequence <= self._backlog_end else 0.0

    def _normal_heaps(self) -> tuple[list[Any], ...]:
        return (self._interactive, self._triggered, self._ordinary, self._unsaved, self._later, self._later_triggered)

    def _forget_replaced(self) -> None:
        """See to it that no replaced message is a head."""
        for heap in self._normal_heaps():
            while heap and _entry_of(heap[0]).is_replaced:
                heappop(heap)
                self._replaced -= 1

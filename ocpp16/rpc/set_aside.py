"""Messages of the transaction lane that wait apart, because they would hold up the others (`silence` says when).

Must not know: frames, ids, answers, why a message is silent. It is told the time with every question.

Why: the transaction lane is strictly in order, so one message that a Central System never answers (its handler fails on
that idTag, or it does not know MeterValues) would silence the whole station for ever (OCPP 1.6 ed. 2 §3.7.1 keeps the
order; it does not ask for that).

Rules of this file:
1. A group is the silent message and what has to follow it: everything of its transaction for StartTransaction, for they
   need its id; the later readings of its transaction for MeterValues, while its StopTransaction goes on; nothing for
   StopTransaction and for a message whose transaction is not known. What is queued later joins its group.
2. A group keeps its order, and only its first message is tried: at intervals that double up to an hour, for ever.
3. All groups together are tried at most a quarter of the time, as long as they stay unanswered.
4. An answer of any kind to one of them ends the silence: its group goes back to the lane, and all others are due. A new
   connection makes all of them due, too.
5. But for patient groups: those at whose first message connection after connection ended, and those that wait because
   it was refused. They wait for their own time.
6. A message that is given up leaves its group, whose next one is tried in its place.
"""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from math import inf

from ocpp16.rpc.pending import Entry
from ocpp16.rpc.policy import LONGEST_TRY_INTERVAL

_SPACING = 4
"""Tries start this many response timeouts apart."""

Shelf = list[Entry]
"""A heap of requests by their sequence."""


class _Group:
    __slots__ = ("due", "entries", "interval", "is_patient", "key", "out", "owner")

    def __init__(self, key: int, owner: object, interval: float, due: float, *, is_patient: bool) -> None:
        self.key = key
        self.owner = owner
        """Keeps what `key` is the identity of."""
        self.entries: Shelf = []
        self.interval = interval
        self.due = due
        self.is_patient = is_patient
        self.out: Entry | None = None
        """Its first message, while that is in flight."""


class SetAside:
    """All groups of one charge point."""

    __slots__ = ("_groups", "_is_all_due", "_queue", "_spaced_until", "silent")

    def __init__(self) -> None:
        self.silent: dict[str, int] = {}
        """Action → how many messages of it were set aside since one of it was answered."""
        self._groups: dict[int, _Group] = {}
        self._queue: list[tuple[float, int, _Group]] = []
        """(due, sequence of its first message, group) of every group that may be tried; stale ones are skipped."""
        self._spaced_until = 0.0
        self._is_all_due = False

    def __len__(self) -> int:
        """Messages that wait here."""
        return sum(len(group.entries) for group in self._groups.values())

    def __iter__(self) -> Iterator[Entry]:
        return (entry for group in self._groups.values() for entry in group.entries)

    # Who belongs here

    def begin(
        self, entry: Entry, interval: float, now: float, *, is_silent: bool = True, is_patient: bool = False
    ) -> None:
        """The message stays unanswered, or holds up its lane otherwise: make its group, with nothing in it yet.

        Parameters: `interval` in seconds, from now to its next try and doubled from there on. `is_silent`: it was left
        unanswered. `is_patient`: see rule 5.
        """
        if is_silent:
            self.silent[entry.action] = self.silent.get(entry.action, 0) + 1
        key, owner = _key_of(entry)
        longer = min(2 * interval, LONGEST_TRY_INTERVAL)
        self._groups[key] = _Group(key, owner, longer, now + interval, is_patient=is_patient)
        self._is_all_due = False

    def has_place_for(self, entry: Entry) -> bool:
        return self._group_of(entry) is not None

    def put(self, entry: Entry) -> None:
        """Into the group it belongs to, which there is."""
        group = self._group_of(entry)
        assert group is not None
        heappush(group.entries, entry)
        if group.out is entry:
            group.out = None
        if group.out is None and group.entries[0] is entry:
            heappush(self._queue, (group.due, entry.sequence, group))

    # Trying

    def due(self, durable: int) -> float:
        """When the next message may be tried; what is not on disk yet waits without a time."""
        queue = self._queue
        while queue and not self._is_current(queue[0]):
            heappop(queue)
        if not queue or queue[0][2].entries[0].number > durable:
            return inf
        return max(queue[0][0], self._spaced_until)

    def take(self) -> Entry:
        """Take out the message to try; ask `due` before."""
        group = heappop(self._queue)[2]
        group.out = heappop(group.entries)
        return group.out

    def tried(self, entry: Entry, now: float, timeout: float) -> None:
        """It was written just now, and has `timeout` seconds to be answered."""
        if self._group_of(entry) is not None:
            self._spaced_until = now + _SPACING * timeout

    def unanswered(self, entry: Entry, now: float, *, is_patient: bool = False) -> None:
        """The try came to nothing; the message is about to be put back. `is_patient`: it ended
        the connection, as before."""
        group = self._group_of(entry)
        if group is not None:
            group.is_patient = is_patient
            group.due = now + group.interval
            group.interval = min(2 * group.interval, LONGEST_TRY_INTERVAL)
            self._is_all_due = False

    def refused(self, entry: Entry, now: float, hold: float) -> None:
        """The try came to nothing before it went out; the message is about to be put back, to wait `hold` seconds."""
        group = self._group_of(entry)
        if group is not None:
            group.is_patient = True
            group.due, group.interval = now + hold, min(2 * hold, LONGEST_TRY_INTERVAL)
            self._is_all_due = False

    def interval_changed(self, now: float, hold_of: Callable[[Entry], float]) -> None:
        """Groups that wait because their message was refused wait `hold_of` it, in seconds, from now."""
        for group in self._groups.values():
            first = group.entries[0] if group.entries and group.out is None else None
            if group.is_patient and first is not None and first.attempts and not first.interruptions:
                hold = hold_of(first)
                group.due, group.interval = now + hold, min(2 * hold, LONGEST_TRY_INTERVAL)
                heappush(self._queue, (group.due, first.sequence, group))

    def all_due(self) -> None:
        """Try all but the patient ones, one after another and without a pause until one is left unanswered."""
        self._spaced_until = 0.0
        if self._is_all_due:
            return
        self._is_all_due = True
        self._queue.clear()
        for group in self._groups.values():
            if not group.is_patient:
                group.due = 0.0
            if group.entries and group.out is None:
                self._queue.append((group.due, group.entries[0].sequence, group))
        heapify(self._queue)

    # Leaving

    def answered(self, entry: Entry) -> Shelf:
        """A message of the lane was answered, from here or not. Returns what goes back to the lane with it."""
        self.silent.pop(entry.action, None)
        group = self._group_of(entry)
        if group is None:
            return []
        del self._groups[group.key]
        self.all_due()
        return group.entries

    def remove(self, entry: Entry) -> bool:
        """Take this out: it was answered late, and `answered` follows. False: it is not here."""
        group = self._group_of(entry)
        return group is not None and bool(self._take_out(group, {entry}))

    def ended(self, entry: Entry) -> None:
        """It was tried and comes to its end without an answer: the next of its group takes its place."""
        group = self._group_of(entry)
        if group is None or group.out is not entry:
            return
        group.out = None
        if group.entries:
            heappush(self._queue, (group.due, group.entries[0].sequence, group))
        else:
            del self._groups[group.key]

    def discard(self, gone: set[Entry]) -> list[Entry]:
        """Take these out for good, if they are here. Returns those that were."""
        taken: list[Entry] = []
        for group in list(self._groups.values()):
            taken += self._take_out(group, gone)
            if not group.entries and group.out is None:
                del self._groups[group.key]
        return taken

    # Inside

    def _take_out(self, group: _Group, gone: set[Entry]) -> list[Entry]:
        taken = [entry for entry in group.entries if entry in gone]
        if taken:
            group.entries = [entry for entry in group.entries if entry not in gone]
            heapify(group.entries)
            if group.entries and group.out is None:
                heappush(self._queue, (group.due, group.entries[0].sequence, group))
        return taken

    def _is_current(self, item: tuple[float, int, _Group]) -> bool:
        due, sequence, group = item
        return (
            self._groups.get(group.key) is group
            and group.out is None
            and due == group.due
            and bool(group.entries)
            and group.entries[0].sequence == sequence
        )

    def _group_of(self, entry: Entry) -> _Group | None:
        groups, transaction = self._groups, entry.transaction
        if not groups:
            return None
        if transaction is not None:
            group = groups.get(id(transaction))
            if group is None and entry.action == "MeterValues":
                group = groups.get(~id(transaction))
            if group is not None:
                return group
        return groups.get(id(entry))


def _key_of(entry: Entry) -> tuple[int, object]:
    """What names the group that this message begins, and the object whose identity that is."""
    transaction = entry.transaction
    if transaction is not None and entry.action == "StartTransaction":
        return id(transaction), transaction
    if transaction is not None and entry.action == "MeterValues":
        return ~id(transaction), transaction
    return id(entry), entry

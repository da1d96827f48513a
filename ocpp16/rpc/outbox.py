"""The requests of ours that wait: which is next, when, and which go when there are too many.

Must not know: frames, ids, answers. It is told the time, what is durable and the registration with every question.

Theory of operation. One BootNotification waits at most. Transaction-related messages are one heap by sequence, and
only its head is ever looked at, so their order is strict. Normal messages move from "not yet durable" over "not yet
due" to one of three heaps by sequence: asked by somebody who waits, triggered, and the rest. So the next message is
found among the heads without looking through a queue, and an empty lane is an empty list.

Rules of this file:
1. BootNotification first, and alone until accepted; while Pending also what was triggered (OCPP 1.6 ed. 2 §4.2).
2. Then whoever waits for an answer, then the oldest by sequence. What waited for the connection (the backlog) is
   overtaken by newer normal messages: "other messages may overtake" beats an authorization behind a week of readings.
3. A head of the transaction lane that is not due or not durable holds up its lane and no other.
4. Start and end of a transaction and security events are never shed, BootNotification neither.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Any

from ocpp16._core import Call, serialize
from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.rpc.policy import OutboxLimits

_METER_VALUES = "MeterValues"

Shelf = list[tuple[int, Entry]]


def _measure(entry: Entry) -> int:
    try:
        return len(serialize(Call("-", entry.action, entry.payload)))
    except (TypeError, ValueError):
        return 0  # what cannot be written down fails at its first write, where somebody hears of it


class Outbox:
    """All lanes of one charge point. `depth` counts what waits, `bytes` the stored payloads among it."""

    __slots__ = (
        "_backlog_end",
        "_interactive",
        "_last_sequence",
        "_later",
        "_meter_values",
        "_ordinary",
        "_replay_at",
        "_replay_gap",
        "_transactions",
        "_triggered",
        "_unsaved",
        "boot",
        "bytes",
        "depth",
        "limits",
    )

    def __init__(self, limits: OutboxLimits) -> None:
        self.limits = limits
        self.boot: Entry | None = None
        self.depth = 0
        self.bytes = 0
        self._transactions: Shelf = []
        self._interactive: Shelf = []
        self._triggered: Shelf = []
        self._ordinary: Shelf = []
        self._unsaved: list[tuple[int, int, Entry]] = []
        self._later: list[tuple[float, int, Entry]] = []
        self._meter_values = 0
        self._last_sequence = 0
        self._backlog_end = 0
        self._replay_at = 0.0
        self._replay_gap = 1.0 / limits.replay_rate if limits.replay_rate > 0 else 0.0

    # Coming in

    def add(self, entry: Entry) -> None:
        """Take in a message. A second BootNotification must not be added: take the one in `boot` out first."""
        if entry.is_retried and not entry.size:
            entry.size = _measure(entry)
        if entry.sequence > self._last_sequence:
            self._last_sequence = entry.sequence
        self.requeue(entry)

    def restore(self, entries: Iterable[Entry]) -> None:
        """Take in what was stored before the start, in any order."""
        for entry in sorted(entries, key=lambda entry: entry.sequence):
            self.add(entry)

    def requeue(self, entry: Entry) -> None:
        """Put back a message that was taken and not answered: by its sequence it is in front again."""
        self._count(entry, 1)
        lane = entry.lane
        if lane is Lane.TRANSACTION:
            heappush(self._transactions, (entry.sequence, entry))
        elif lane is Lane.BOOT:
            if self.boot is not None:
                raise AssertionError("a second BootNotification waits")
            self.boot = entry
        elif entry.number > 0:
            heappush(self._unsaved, (entry.number, entry.sequence, entry))
        else:
            self._place(entry)

    def mark_backlog(self, now: float) -> None:
        """What waits now waited for the connection, or for acceptance; the replay rate is for it."""
        self._backlog_end = self._last_sequence
        self._replay_at = max(self._replay_at, now)

    # Going out

    def next(self, now: float, durable: int, registration: RegistrationStatus | None) -> Entry | None:
        """Take out the message to send now, None if there is none.

        Parameters: `now` in monotonic seconds, `durable` the highest journal number on disk.
        """
        if self._unsaved or self._later:
            self._promote(now, durable)
        boot = self.boot
        if boot is not None and boot.due <= now and boot.number <= durable:
            self.boot = None
            self._count(boot, -1)
            return boot
        if registration is RegistrationStatus.ACCEPTED:
            shelf = self._choose(now, durable)
        elif registration is RegistrationStatus.PENDING:
            shelf = self._choose_triggered(now, durable)
        else:
            return None
        if not shelf:
            return None
        sequence, entry = heappop(shelf)
        self._count(entry, -1)
        if sequence <= self._backlog_end and self._is_paced(shelf):
            self._replay_at = now + self._replay_gap
        return entry

    def next_due(self, durable: int, registration: RegistrationStatus | None) -> float:
        """The earliest monotonic time at which `next` gives a message: 0 is at once, inf not by time alone."""
        self._promote_saved(durable)
        boot = self.boot
        due = boot.due if boot is not None and boot.number <= durable else inf
        if registration is RegistrationStatus.ACCEPTED:
            if self._interactive or self._triggered:
                return 0.0
            if self._ordinary:
                due = min(due, self._paced(self._ordinary[0][0]))
            if self._later:
                due = min(due, self._first_retry())
            if self._transactions:
                sequence, head = self._transactions[0]
                if head.number <= durable:
                    due = min(due, max(head.due, self._paced(sequence)))
        elif registration is RegistrationStatus.PENDING:
            if self._triggered:
                return 0.0
            due = min(due, *(when for when, _, entry in self._later if entry.is_triggered), inf)
            if self._transactions:
                sequence, head = self._transactions[0]
                if head.is_triggered and head.number <= durable:
                    due = min(due, max(head.due, self._paced(sequence)))
        return due

    # Going away

    def remove(self, entry: Entry) -> None:
        """Take out a certain message that waits: it was answered before its retry."""
        if entry is self.boot:
            self.boot = None
            self._count(entry, -1)
        elif self._transactions and self._transactions[0][1] is entry:
            heappop(self._transactions)
            self._count(entry, -1)
        else:
            self._discard([entry])

    def take_waiting(self, *, also_triggered: bool) -> list[Entry]:
        """Take out everything somebody waits for, the oldest first."""
        taken = [
            entry for entry in self._normal() if entry.is_interactive and (also_triggered or not entry.is_triggered)
        ]
        self._discard(taken)
        return taken

    @property
    def is_over_limit(self) -> bool:
        limits = self.limits
        return (limits.threshold is not None and self.depth > limits.threshold) or 0 < limits.byte_limit < self.bytes

    def shed(self) -> list[Entry]:
        """Drop messages until the limits hold, or nothing more may go. Returns what was dropped.

        By count: the oldest normal messages, a tenth of the threshold at a time, then every other MeterValues, pass
        after pass. By bytes: MeterValues first, then stored normal messages.
        """
        dropped: list[Entry] = []
        threshold, byte_limit = self.limits.threshold, self.limits.byte_limit
        if threshold is not None:
            while self.depth > threshold and self._drop(self._normal()[: max(1, threshold // 10)], dropped):
                pass
            while self.depth > threshold and self._drop(self._every_other_reading(), dropped):
                pass
        if byte_limit > 0:
            while self.bytes > byte_limit and self._drop(self._every_other_reading(), dropped):
                pass
            while self.bytes > byte_limit:
                stored = [entry for entry in self._normal() if entry.is_persistent]
                if not self._drop(stored[: max(1, len(stored) // 10)], dropped):
                    break
        return dropped

    # Inside

    def _count(self, entry: Entry, step: int) -> None:
        self.depth += step
        if entry.is_retried:
            self.bytes += step * entry.size
            if entry.lane is Lane.TRANSACTION and entry.action == _METER_VALUES:
                self._meter_values += step

    def _place(self, entry: Entry) -> None:
        if entry.due > 0:
            heappush(self._later, (entry.due, entry.sequence, entry))
        else:
            heappush(self._shelf_of(entry), (entry.sequence, entry))

    def _shelf_of(self, entry: Entry) -> Shelf:
        if entry.is_triggered:
            return self._triggered
        return self._interactive if entry.is_interactive else self._ordinary

    def _promote(self, now: float, durable: int) -> None:
        self._promote_saved(durable)
        while self._later and self._later[0][0] <= now:
            entry = heappop(self._later)[2]
            heappush(self._shelf_of(entry), (entry.sequence, entry))

    def _promote_saved(self, durable: int) -> None:
        while self._unsaved and self._unsaved[0][0] <= durable:
            self._place(heappop(self._unsaved)[2])

    def _is_paced(self, shelf: Shelf) -> bool:
        return self._replay_gap > 0 and (shelf is self._transactions or shelf is self._ordinary)

    def _paced(self, sequence: int) -> float:
        """When the replay rate lets a message of this sequence go."""
        return self._replay_at if self._replay_gap and sequence <= self._backlog_end else 0.0

    def _first_retry(self) -> float:
        """When the first of the normal messages that wait for their time may go, seen with those it queues behind."""
        if not self._replay_gap:
            return self._later[0][0]
        first, oldest = inf, self._ordinary[0][0] if self._ordinary else self._last_sequence
        for due, sequence, entry in sorted(self._later):
            if due >= first:
                break
            if self._shelf_of(entry) is not self._ordinary:
                return due
            oldest = min(oldest, sequence)
            first = min(first, max(due, self._paced(oldest)))
        return first

    def _choose(self, now: float, durable: int) -> Shelf | None:
        if self._interactive:
            return self._interactive
        head_at, chosen = inf, None
        if self._transactions:
            sequence, head = self._transactions[0]
            if head.due <= now and head.number <= durable and self._paced(sequence) <= now:
                head_at, chosen = sequence, self._transactions
        normal_at, normal = inf, self._ordinary
        if normal and self._paced(normal[0][0]) <= now:
            normal_at = normal[0][0]
        if self._triggered and self._triggered[0][0] < normal_at:
            normal_at, normal = self._triggered[0][0], self._triggered
        if normal_at < head_at or head_at <= self._backlog_end < normal_at < inf:
            chosen = normal
        return chosen

    def _choose_triggered(self, now: float, durable: int) -> Shelf | None:
        if self._triggered:
            return self._triggered
        if self._transactions:
            sequence, head = self._transactions[0]
            if head.is_triggered and head.due <= now and head.number <= durable and self._paced(sequence) <= now:
                return self._transactions
        return None

    def _normal(self) -> list[Entry]:
        shelves = (self._interactive, self._triggered, self._ordinary)
        found = [entry for shelf in shelves for _, entry in shelf]
        found += [entry for _, _, entry in self._unsaved]
        found += [entry for _, _, entry in self._later]
        found.sort(key=lambda entry: entry.sequence)
        return found

    def _every_other_reading(self) -> list[Entry]:
        """One pass of thinning: a MeterValues goes if the message before it stays; the last two stay anyway."""
        if not self._meter_values:
            return []
        self._transactions.sort()
        victims: list[Entry] = []
        may_go = True
        for _, entry in self._transactions[:-2]:
            if may_go and entry.action == _METER_VALUES:
                victims.append(entry)
                may_go = False
            else:
                may_go = True
        return victims

    def _drop(self, victims: list[Entry], dropped: list[Entry]) -> bool:
        self._discard(victims)
        dropped += victims
        return bool(victims)

    def _discard(self, victims: list[Entry]) -> None:
        """Take out these, which all wait in the two queues, at the cost of one pass over each heap concerned."""
        gone = set(victims)
        for entry in victims:
            self._count(entry, -1)
        heaps: list[list[Any]] = []
        if any(entry.lane is Lane.TRANSACTION for entry in victims):
            heaps.append(self._transactions)
        if any(entry.lane is Lane.NORMAL for entry in victims):
            heaps += (self._interactive, self._triggered, self._ordinary, self._unsaved, self._later)
        for heap in heaps:
            heap[:] = [item for item in heap if item[-1] not in gone]
            heapify(heap)

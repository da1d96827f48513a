"""What waits to be written, by charge point: facts, of which the last change of a row counts, and proposals between.

Rules of this file:
1. Applied in their order, the changes of a part leave what all that was appended would have left.
2. A proposal is a segment of its own until the commit is made: taken out, the rest is what it would be without it.
3. What no store can hold replaces nothing: it is kept apart, so that it can be left out alone; so is the rest of its
   append when something replaces it.
4. Nothing here waits, and nothing here knows the store.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from ocpp16.store.base import Put, Row, RowChange
from ocpp16.store.changes import are_possible
from ocpp16.store.proposal import Proposal

_Facts: TypeAlias = dict[tuple[str, Row], tuple[int, RowChange]]
"""Table and key → the number it was appended under, and the last change."""


class Piece(NamedTuple):
    """What can be refused alone: one append, or one proposal."""

    number: int
    proposal: Proposal | None
    changes: tuple[RowChange, ...]


class Part:
    """What one charge point adds to a batch. `last` is the last number it was given."""

    __slots__ = ("_closed", "_facts", "last")

    def __init__(self) -> None:
        self._closed: list[_Facts | Proposal] = []
        self._facts: _Facts = {}
        self.last: int = 0

    def __len__(self) -> int:
        """How many changes there are."""
        closed = sum(
            len(segment.changes) if isinstance(segment, Proposal) else len(segment) for segment in self._closed
        )
        return closed + len(self._facts)

    def take(self, number: int, changes: Sequence[RowChange]) -> None:
        """Add what was appended under `number`."""
        self.last = number
        try:
            self._take(number, changes)
        except TypeError:  # a key that nothing can be filed under
            self._set_apart(number, changes)

    def _take(self, number: int, changes: Sequence[RowChange]) -> None:
        facts = self._facts
        is_checked = False
        for change in changes:
            table = change.table
            if isinstance(change, Put):
                key = (table.name, change.row[: len(table.key_columns)])
                overtaken = [key] if key in facts else None
            else:
                key = (table.name, change.key)
                length = len(change.key)
                if length < len(table.key_columns):
                    # The rows below, and earlier deletions of them: what comes later must come after this one.
                    overtaken = [other for other in facts if other[0] == table.name and other[1][:length] == change.key]
                else:
                    overtaken = [key] if key in facts else None
            if overtaken:
                if not is_checked and not are_possible(changes):
                    self._set_apart(number, changes)
                    return
                is_checked = True
                for other in overtaken:
                    fact = facts.get(other)
                    if fact is not None and not are_possible((fact[1],)):
                        self._take_apart(fact[0])
                if overtaken != [key]:
                    for other in overtaken:
                        facts.pop(other, None)
            facts[key] = (number, change)

    def add(self, proposal: Proposal) -> None:
        """Add a proposal after all that is there."""
        self.last = proposal.number
        self._close()
        self._closed.append(proposal)

    def remove(self, proposal: Proposal) -> None:
        """Take a proposal out; the facts on both sides of it are one again."""
        segments, last = self._segments(), self.last
        place = segments.index(proposal)
        # What was before it is not looked at again: on a disk that stays full that is all that was told for days.
        self._closed, self._facts = segments[:place], {}
        before = segments[place - 1] if place else proposal
        if isinstance(before, dict):
            self._closed.pop()
            self._facts = before
        self._take_segments(segments[place + 1 :])
        self.last = last

    def extend(self, later: "Part") -> None:
        """Add all of a later part of the same charge point."""
        self._take_segments(later._segments())
        self.last = later.last

    def changes(self) -> tuple[RowChange, ...]:
        """All changes in their order."""
        if not self._closed:
            return tuple([change for _, change in self._facts.values()])
        return tuple(change for piece in self.pieces() for change in piece.changes)

    def pieces(self) -> Iterator[Piece]:
        """The same by appends and proposals, in their order."""
        for segment in self._segments():
            if isinstance(segment, Proposal):
                yield Piece(segment.number, segment, segment.changes)
            else:
                for number, changes in _by_number(segment).items():
                    yield Piece(number, None, tuple(changes))

    def _segments(self) -> list[_Facts | Proposal]:
        return [*self._closed, self._facts] if self._facts else list(self._closed)

    def _take_segments(self, segments: Iterable[_Facts | Proposal]) -> None:
        for segment in segments:
            if isinstance(segment, Proposal):
                self.add(segment)
            else:
                for number, changes in _by_number(segment).items():
                    self.take(number, changes)

    def _close(self) -> None:
        if self._facts:
            self._closed.append(self._facts)
            self._facts = {}

    def _set_apart(self, number: int, changes: Sequence[RowChange]) -> None:
        facts = self._facts
        for key in [key for key, (other, _) in facts.items() if other == number]:
            del facts[key]  # had no predecessor, or the changes would have been looked at then
        self._close()
        # By place, which no table's name and key can meet: nothing comes together with what was set apart.
        self._facts = {(f"{position}", ()): (number, change) for position, change in enumerate(changes)}
        self._close()

    def _take_apart(self, number: int) -> None:
        """What no store can hold is about to be replaced: the rest of that append must not be stored without it."""
        facts = self._facts
        those = [key for key, (other, _) in facts.items() if other == number]
        self._closed.append({(f"{position}", ()): facts.pop(key) for position, key in enumerate(those)})


def _by_number(facts: _Facts) -> dict[int, list[RowChange]]:
    found: dict[int, list[RowChange]] = {}
    for number, change in facts.values():
        found.setdefault(number, []).append(change)
    return dict(sorted(found.items()))


class Batch:
    """What one commit carries. `last` is the highest number in it; all lower ones are in it or already durable."""

    __slots__ = ("last", "parts", "proposals")

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.proposals: list[Proposal] = []
        self.last: int = 0

    def part(self, charge_point_id: str) -> Part:
        part = self.parts.get(charge_point_id)
        if part is None:
            part = self.parts[charge_point_id] = Part()
        return part

    def add(self, proposal: Proposal) -> None:
        self.part(proposal.charge_point_id).add(proposal)
        self.proposals.append(proposal)
        self.last = proposal.number

    def remove(self, proposal: Proposal) -> None:
        """Take it out; its number stays, so that `durable` passes it."""
        self.proposals.remove(proposal)
        self.parts[proposal.charge_point_id].remove(proposal)

    def extend(self, later: "Batch") -> None:
        for charge_point_id, part in later.parts.items():
            self.part(charge_point_id).extend(part)
        self.proposals += later.proposals
        if later.last:
            self.last = later.last


def is_overtaken(proposal: Proposal, batches: Iterable[Batch]) -> bool:
    """Whether rows of it were changed since it was made, by a memory that did not have it yet."""
    parts = [batch.parts.get(proposal.charge_point_id) for batch in batches]
    later = [
        change
        for part in parts
        if part is not None and part.last > proposal.number
        for piece in part.pieces()
        if piece.number > proposal.number
        for change in piece.changes
    ]
    if not later:
        return False
    try:
        return _meet(proposal.changes, later)
    except TypeError:  # a key that nothing can be looked up by: what memory has is right in any case
        return True


def _meet(some: Sequence[RowChange], others: Iterable[RowChange]) -> bool:
    """Is there a row that both mean? Both may be thousands, so none is compared with all: keys are looked up by their
    first columns, as many as both keys have."""
    keys = [_key_of(change) for change in some]
    lengths: dict[str, set[int]] = {}
    for name, key in keys:
        lengths.setdefault(name, set()).add(len(key))
    beginnings: dict[tuple[str, int], set[Row]] = {}
    for name, key in map(_key_of, others):
        for its_length in lengths.get(name, ()):
            length = min(its_length, len(key))
            known = beginnings.get((name, length))
            if known is None:
                known = beginnings[name, length] = {its_key[:length] for other, its_key in keys if other == name}
            if key[:length] in known:
                return True
    return False


def _key_of(change: RowChange) -> tuple[str, Row]:
    key = change.table.key_of(change.row) if isinstance(change, Put) else change.key
    return change.table.name, key

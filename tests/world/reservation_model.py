"""Who may have which connector, as docs/charge-point.md has it: the few words of it, without time, disk and messages.

Plain on purpose, and nothing of it is taken from the library: what both say is compared after each step of a random
story (charge_point/test_reservations_at_random.py).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

IDLE = ("Available", "Reserved")
OUT = "Unavailable"
OURS, OTHERS, PERHAPS = "ReservedForToken", "ReservedForOtherToken", "ReservedForOtherTokenAndHasParentToken"


class Kept(NamedTuple):
    number: int
    connector_id: int
    id_tag: str
    parent: str | None
    expiry: int
    """µs"""

    def is_for(self, id_tag: str, parent: str | None) -> bool:
        if self.id_tag.lower() == id_tag.lower():
            return True
        return bool(self.parent and parent) and str(self.parent).lower() == str(parent).lower()


@dataclass
class Place:
    """A connector; connector 0 is the charge point."""

    base: str = "Available"
    faults: set[str] = field(default_factory=set)
    is_operative: bool = True
    wanted: bool | None = None
    """Is it to be operative when whoever is there has gone?"""
    session: str | None = None
    id_tag: str | None = None
    """Of the transaction."""
    is_kept: bool = False
    """Reserved by us, also under a fault or a car that came in spite of it."""
    is_the_hosts: bool = False
    """Reserved by somebody that we do not know."""
    has_ended: bool = False
    """A StopTransaction is not answered yet."""

    @property
    def status(self) -> str:
        return "Faulted" if self.faults else self.base

    @property
    def is_out(self) -> bool:
        return self.base == OUT or not (self.is_operative if self.wanted is None else self.wanted)


class Site:
    """Two connectors and the charge point itself."""

    def __init__(self) -> None:
        self.places = {0: Place(), 1: Place(), 2: Place()}
        self.kept: dict[int, Kept] = {}
        self.parents: dict[str, str] = {}
        """What the Central System said of id tags, while anything was reserved."""

    @property
    def connectors(self) -> dict[int, Place]:
        return {number: place for number, place in self.places.items() if number}

    # Whether

    def answer(self, wanted: Kept, now: int) -> str:
        place = self.places.get(wanted.connector_id)
        if place is None:
            return "Rejected"
        if place.faults or self.places[0].faults:
            return "Faulted"
        if wanted.connector_id and (place.id_tag is not None or place.base not in (*IDLE, OUT)):
            return "Occupied"
        if wanted.expiry <= now:
            return "Rejected"
        if place.is_out or self.places[0].is_out:
            return "Unavailable"
        others = {number: one for number, one in self.kept.items() if number != wanted.number}
        if wanted.connector_id and (
            place.is_the_hosts or any(one.connector_id == wanted.connector_id for one in others.values())
        ):
            return "Occupied"
        after = {**others, wanted.number: wanted}
        if self._count_of_any(after) <= len(self._free(after)):
            return "Accepted"
        if not wanted.connector_id and all(place.faults for place in self.connectors.values()):
            return "Faulted"
        if not wanted.connector_id and all(place.faults or place.is_out for place in self.connectors.values()):
            return "Unavailable"
        return "Occupied"

    @staticmethod
    def _count_of_any(kept: dict[int, Kept]) -> int:
        return sum(one.connector_id == 0 for one in kept.values())

    def _free(self, kept: dict[int, Kept]) -> list[int]:
        taken = {one.connector_id for one in kept.values()}
        return [
            number
            for number, place in self.connectors.items()
            if number not in taken
            and place.base in IDLE
            and not (place.faults or place.is_out or place.is_the_hosts or place.id_tag is not None)
        ]

    # For whom

    def parent_of(self, id_tag: str) -> str | None:
        return self.parents.get(id_tag.lower())

    def usable(self, connector_id: int, id_tag: str, parent: str | None = None) -> list[int]:
        """Numbers of reservations that the id tag can use up there: that of the connector goes first."""
        parent = parent or self.parent_of(id_tag)
        own = [one for one in self.kept.values() if one.connector_id == connector_id]
        of_any = [one for one in self.kept.values() if one.connector_id == 0]
        return [one.number for one in own or of_any if one.is_for(id_tag, parent)]

    def holders(self, connector_id: int) -> list[Kept]:
        own = [one for one in self.kept.values() if one.connector_id == connector_id]
        free = self._free(self.kept)
        of_any = [one for one in self.kept.values() if one.connector_id == 0]
        return own or (of_any if connector_id in free and len(free) <= len(of_any) else [])

    def check(self, connector_id: int, id_tag: str, parent: str | None = None) -> str:
        if self.places[connector_id].is_the_hosts:
            return OTHERS
        if self.usable(connector_id, id_tag, parent):
            return OURS
        holders = self.holders(connector_id)
        if not holders:
            return "NotReserved"
        is_open = not (parent or self.parent_of(id_tag)) and any(one.parent for one in holders)
        return PERHAPS if is_open else OTHERS

    def remote_start(self, connector_id: int | None, id_tag: str) -> bool:
        return any(
            place.id_tag is None
            and place.status not in ("Faulted", OUT, "Finishing")
            and not (place.status == "Reserved" and self.check(number, id_tag) == OTHERS)
            for number, place in self.connectors.items()
            if connector_id in (None, number)
        )

    # What happens

    def settle(self) -> None:
        """Who is kept is Reserved wherever it would be Available; who is not is so no more."""
        while True:
            kept = {one.connector_id for one in self.kept.values() if one.connector_id}
            free = self._free(self.kept)
            if free and len(free) <= self._count_of_any(self.kept):
                kept.update(free)
            before = [(place.base, place.is_kept) for place in self.connectors.values()]
            for number, place in self.connectors.items():
                if number in kept:
                    place.is_kept = True
                    if place.base == "Available":
                        place.base = "Reserved"
                        if place.id_tag is None:
                            place.session = None  # its end was not told
                elif place.is_kept:
                    place.is_kept = False
                    if place.base == "Reserved":
                        place.base = "Available" if place.session is None else "Preparing"
            if before == [(place.base, place.is_kept) for place in self.connectors.values()]:
                break
        if not self.kept:
            self.parents.clear()

    def reserve(self, wanted: Kept) -> None:
        self.kept.pop(wanted.number, None)
        self.kept[wanted.number] = wanted
        self.settle()

    def end(self, *numbers: int) -> None:
        for number in numbers:
            self.kept.pop(number, None)
        self.settle()

    def expire(self, now: int) -> None:
        self.end(*[number for number, one in self.kept.items() if one.expiry <= now])

    def use(self, number: int, connector_id: int) -> None:
        """Whoever it was for has the connector."""
        place = self.places[connector_id]
        if all(one.connector_id != connector_id or one.number == number for one in self.kept.values()):
            place.is_kept = False
            if place.base == "Reserved":
                place.base, place.is_the_hosts = "Preparing", False
        self.end(number)

    def learn(self, id_tag: str, parent: str | None) -> None:
        """The Central System spoke; a refused id tag has no parent that counts."""
        self.parents.pop(id_tag.lower(), None)
        if self.kept and parent:
            self.parents[id_tag.lower()] = parent

    def begin_session(self, connector_id: int, session: str, *, by_plug: bool) -> None:
        place = self.places[connector_id]
        place.session = session
        if place.base in ("Available", "Finishing", OUT) or (place.base == "Reserved" and not by_plug):
            place.base, place.is_the_hosts = "Preparing", False
        self.settle()

    def begin(self, connector_id: int, session: str, id_tag: str, number: int | None) -> None:
        """A transaction, by which the reservation `number` is used up if it is of this connector, or of any."""
        place = self.places[connector_id]
        place.id_tag = id_tag
        used = None if number is None else self.kept.get(number)
        if used is not None and used.connector_id in (0, connector_id):
            self.use(used.number, connector_id)
        self.settle()
        place.session = session
        if place.base == "Reserved":
            place.base, place.is_the_hosts = "Preparing", False
        self.settle()

    def stop(self, connector_id: int) -> None:
        place = self.places[connector_id]
        place.id_tag, place.has_ended = None, True
        if place.base == "Preparing":
            place.base = "Finishing"
        self.settle()

    def answered(self) -> None:
        """All StopTransactions are: what was to change afterwards does."""
        for place in self.connectors.values():
            if place.has_ended and place.id_tag is None and place.base != "Preparing" and place.wanted is not None:
                self._change(place, place.wanted)
            place.has_ended = False
        self.settle()

    def end_session(self, connector_id: int) -> None:
        place = self.places[connector_id]
        place.session = None
        if place.base in ("Preparing", "Finishing"):
            place.base = OUT if place.is_out else "Available"
        if place.wanted is not None:
            self._change(place, place.wanted)
        self.settle()

    def change_availability(self, connector_id: int, is_operative: bool) -> str:
        answers = []
        for number, place in self.places.items():
            if connector_id not in (0, number):
                continue
            place.wanted = None
            is_used = bool(number) and (place.id_tag is not None or place.base == "Preparing")
            if not is_used:
                self._change(place, is_operative)
            elif place.is_operative != is_operative:
                place.wanted = is_operative
                answers.append("Scheduled")
        self.settle()
        return "Scheduled" if answers else "Accepted"

    def _change(self, place: Place, is_operative: bool) -> None:
        place.is_operative, place.wanted = is_operative, None
        if is_operative and place.base == OUT:
            place.base = "Available"
        elif not is_operative and place.base in ("Available", "Reserved", "Finishing"):
            place.base, place.is_the_hosts = OUT, False

    def host_reserves(self, connector_id: int, *, ends: bool) -> None:
        place = self.places[connector_id]
        if ends and place.is_the_hosts:
            place.base, place.is_the_hosts = OUT if place.is_out else "Available", False
        elif not ends and place.base == "Available":
            place.base, place.is_the_hosts = "Reserved", True
            if place.id_tag is None:
                place.session = None
        self.settle()

    def start_again(self) -> None:
        """Everything is over but what is on disk."""
        for number, place in self.places.items():
            is_operative = place.is_operative if place.wanted is None else place.wanted
            self.places[number] = Place("Available" if is_operative else OUT, is_operative=is_operative)
        self.parents.clear()
        self.settle()

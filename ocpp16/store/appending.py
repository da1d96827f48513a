"""What has happened, taken into the journal: the part of it that every message passes.

A volatile store has it at once, if nothing else is under way. All rules are those of `journal`.
"""

from ocpp16.store.base import RowChange
from ocpp16.store.batch import Batch
from ocpp16.store.committer import Committer
from ocpp16.store.memory import MemoryStore, Shelf
from ocpp16.store.watchers import Subscribers


class Appending:
    """For `Journal`. `memory`: the store, if it forgets and can take what is appended at once; `subscribers` are told
    of what is durable."""

    __slots__ = ("_committer", "_memory", "_pending", "_subscribers", "durable", "is_failing", "number")

    def __init__(self, memory: MemoryStore | None, subscribers: Subscribers) -> None:
        self._committer: Committer  # it needs a journal that is made
        self._subscribers = subscribers
        self.number: int = 0
        self.durable: int = 0
        self.is_failing: bool = False
        self._memory = memory
        self._pending = Batch()

    def append(self, charge_point_id: str, *changes: RowChange) -> int:
        """Add changes of one charge point, to be stored together or not at all. Returns their number.

        Without changes, the number after which all that this charge point appended before is stored.
        """
        if not changes:
            return self._last_of(charge_point_id)
        return self.take(charge_point_id, changes)

    def shelf(self, charge_point_id: str) -> Shelf | None:
        """For `take`; None: there is none."""
        return None if self._memory is None else self._memory.shelf(charge_point_id)

    def take(self, charge_point_id: str, changes: tuple[RowChange, ...], shelf: Shelf | None = None) -> int:
        """The same of one change or more. `shelf`: what `shelf` gave for it."""
        memory, number = self._memory, self.number + 1
        is_idle = self.durable + 1 == number and not self.is_failing and self._committer.in_the_air is None
        if memory is not None and is_idle and memory.take(shelf or memory.shelf(charge_point_id), changes):
            self.number = self.durable = number
            if self._subscribers.of_all:
                self._subscribers.kick_all()
            return number
        pending = self._pending
        pending.part(charge_point_id).take(number, changes)
        pending.last = self.number = number
        self._begin()
        return number

    def _begin(self) -> None:
        """Something is pending, and to be brought to the store."""

    def _last_of(self, charge_point_id: str) -> int:
        """The number after which all of this charge point is stored; of what waits in the air `Journal` knows."""
        return self.number

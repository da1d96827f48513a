"""The journal as one charge point sees it: its id goes with every change, and it knows its latest number."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from ocpp16.store.base import RowChange
from ocpp16.store.journal import Journal, Proposal


class JournalWriter:
    """Implements `profiles.context.Writer`."""

    __slots__ = ("_charge_point_id", "_journal", "_shelf", "keeps_rows", "last")

    def __init__(self, journal: Journal, charge_point_id: str) -> None:
        self._journal = journal
        self._charge_point_id = charge_point_id
        self._shelf = journal.shelf(charge_point_id)
        self.keeps_rows: bool = bool(journal.store.is_volatile)
        """Rows stay in memory."""
        self.last: int = 0

    def append(self, *changes: RowChange) -> int:
        if changes:
            self.last = self._journal.take(self._charge_point_id, changes, self._shelf)
        return self.last

    def propose(
        self,
        changes: Sequence[RowChange],
        *,
        apply: Callable[[], None],
        restore: Callable[[], Sequence[RowChange]],
    ) -> Proposal:
        proposal = self._journal.propose(self._charge_point_id, changes, apply=apply, restore=restore)
        self.last = max(self.last, proposal.number)
        return proposal

    def is_durable(self, number: int) -> bool:
        """Whether all that was appended up to `number` is stored."""
        return self._journal.durable >= number

    def wait_durable(self, number: int) -> Coroutine[Any, Any, None]:
        """To be awaited; as `Journal.wait_durable`. It is no coroutine of its own, for this module is compiled."""
        return self._journal.wait_durable(number)

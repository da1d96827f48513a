"""The journal as one charge point sees it: its id goes with every change, and it knows its latest number."""

from ocpp16.store.base import Change
from ocpp16.store.journal import Journal


class JournalWriter:
    """Implements `profiles.base.Writer`."""

    __slots__ = ("_charge_point_id", "_journal", "last")

    def __init__(self, journal: Journal, charge_point_id: str) -> None:
        self._journal = journal
        self._charge_point_id = charge_point_id
        self.last = 0

    def append(self, *changes: Change) -> int:
        if changes:
            self.last = self._journal.append(self._charge_point_id, *changes)
        return self.last

    async def wait_durable(self, number: int) -> None:
        await self._journal.wait_durable(number)

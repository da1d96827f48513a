"""Changes that somebody asked for, on their way to the disk: in force and told when they are there, or not made at all.

Rules of this file:
1. A change is in force when it is on disk, whatever the disk does afterwards, and whatever else waits for it.
2. What is not on disk when its start ends is withdrawn: it would come into force in a memory that nobody uses any more.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import trio

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys.internal import STORE_TIMEOUT
from ocpp16.errors import ChargePointStopped, StoreError
from ocpp16.store.base import RowChange


class Proposed(Protocol):
    """A change on its way to the disk: applied when it is there, or not at all."""

    follows: int
    """Number of the rows that put its own right, where others came between; 0: there are none."""

    async def wait(self, timeout: float) -> None: ...

    def give_up(self, error: Exception) -> None: ...


class Writer(Protocol):
    """The journal as one charge point sees it."""

    last: int
    """Number of this charge point's latest change."""
    keeps_rows: bool
    """The rows stay in memory."""

    def append(self, *changes: RowChange) -> int: ...

    def propose(
        self,
        changes: Sequence[RowChange],
        *,
        apply: Callable[[], None],
        restore: Callable[[], Sequence[RowChange]],
    ) -> Proposed: ...

    async def wait_durable(self, number: int) -> None: ...


class ConfigurationKeeper(Protocol):
    """Where the configuration that differs from the main one is kept: rows of the store, or files."""

    is_lasting: bool
    """Over the end of the block, too."""

    def propose(
        self, overrides: Mapping[str, Any], secrets: Mapping[str, Any], *, apply: Callable[[], None]
    ) -> Proposed:
        """Bring these documents to the disk, then apply; as `Writer.propose`. A withdrawn change is put right from the
        configuration in force."""
        ...


class AskedChanges:
    """Of one start of a charge point. `keeper` is for changes of the configuration, the journal for all others."""

    __slots__ = ("_configuration", "_journal", "_waiting", "is_over", "keeper")

    def __init__(self, journal: Writer, configuration: Configuration, keeper: ConfigurationKeeper) -> None:
        self._journal = journal
        self._configuration = configuration
        self.keeper: ConfigurationKeeper = keeper
        self._waiting: tuple[Proposed, ...] = ()
        self.is_over: bool = False
        """Another start takes the place of this one: nothing can be asked of it any more."""

    async def commit(
        self,
        changes: Sequence[RowChange],
        *,
        apply: Callable[[], None],
        restore: Callable[[], Sequence[RowChange]],
    ) -> None:
        """Carry out a change of rows: to the disk, then `apply` in memory, or nothing of it.

        `restore` gives the rows of what memory holds, for a change that was given up while the disk was writing it.
        Raises as `settled`. What `apply` appends, since something happened meanwhile, is waited for too, as `settled`
        waits.
        """
        following = 0

        def apply_and_note() -> None:
            nonlocal following
            before = self._journal.last
            apply()
            following = self._journal.last if self._journal.last > before else 0

        await self.settled(lambda: self._journal.propose(changes, apply=apply_and_note, restore=restore))
        await self._followed(following)

    async def settled(self, propose: Callable[[], Proposed]) -> None:
        """Make a proposal, and wait until it is in force.

        Raises StoreError if it is not on disk within StoreTimeout, ChargePointStopped if this start ends before; then,
        as when cancelled, nothing has changed. Rows that have to put its own right are waited for too, StoreTimeout at
        most; the change is in force whatever becomes of them.
        """
        if self.is_over:
            raise ChargePointStopped("the charge point was stopped before this could be stored")
        proposal = propose()
        self._waiting = (*self._waiting, proposal)
        try:
            await proposal.wait(self._configuration[STORE_TIMEOUT])
        finally:
            self._waiting = tuple(other for other in self._waiting if other is not proposal)
        await self._followed(proposal.follows)

    async def _followed(self, number: int) -> None:
        if number:
            with suppress(StoreError, trio.Cancelled), trio.move_on_after(self._configuration[STORE_TIMEOUT]):
                await self._journal.wait_durable(number)

    def withdraw(self) -> None:
        """This start has ended."""
        for proposal in self._waiting:
            proposal.give_up(ChargePointStopped("the charge point was stopped before this was stored"))

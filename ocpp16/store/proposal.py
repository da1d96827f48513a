"""A change that somebody asked for: stored first, then in force, then answered; or refused with nothing changed.

The journal (rows) and the keeper of files settle proposals; who made one waits for it, or takes it back.

Rules of this file:
1. A proposal ends in exactly one way: applied, failed or withdrawn. Only an applied one has changed anything.
2. Who stops waiting (time is up, cancelled) withdraws it. What is in force already cannot be withdrawn.
3. Nothing here writes. What was on its way to the disk when it was withdrawn is put right by its owner with what memory
   says then (`restore`).
"""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, Protocol

import trio

from ocpp16.errors import StoreError
from ocpp16.faults import as_exception, obey_exit


class _Phase(Enum):
    WAITING = auto()
    APPLYING = auto()
    APPLIED = auto()
    FAILED = auto()
    WITHDRAWN = auto()


class Owner(Protocol):
    """Who settles proposals."""

    @property
    def has_ended(self) -> bool:
        """True when nothing will be settled any more."""
        ...

    def withdrawn(self, proposal: "Proposal") -> None:
        """It must not be applied any more, and leave no trace."""
        ...

    def why_it_waits(self, proposal: "Proposal") -> str:
        """What a proposal waits for, for the error of one whose time is up."""
        ...


class Proposal:
    """Made by `Journal.propose` and `FileKeeper.propose`; belongs to the trio thread.

    `number` is its place among all that was appended to the journal.
    """

    __slots__ = (
        "_apply",
        "_error",
        "_owner",
        "_phase",
        "_settled",
        "changes",
        "charge_point_id",
        "follows",
        "number",
        "restore",
        "was_tried",
    )

    def __init__(
        self,
        owner: Owner,
        number: int,
        charge_point_id: str,
        changes: Sequence[Any],
        apply: Callable[[], None],
        restore: Callable[[], Sequence[Any]],
    ) -> None:
        self.number: int = number
        self.charge_point_id: str = charge_point_id
        self.changes: tuple[Any, ...] = tuple(changes)
        """Changes of rows, or writes of files."""
        self.restore: Callable[[], Sequence[Any]] = restore
        self.was_tried: bool = False
        """Whether an attempt to store it failed: then what became of it is not certain."""
        self.follows: int = 0
        """Number in the journal of the rows that put its own right (`restore`); 0: it needs none."""
        self._apply = apply
        self._owner = owner
        self._error: Exception | None = None
        self._phase = _Phase.WAITING
        self._settled = trio.Event()

    @property
    def is_settled(self) -> bool:
        """Whether it is decided: applied, failed or withdrawn."""
        return self._phase not in (_Phase.WAITING, _Phase.APPLYING)

    @property
    def is_applied(self) -> bool:
        return self._phase is _Phase.APPLIED

    @property
    def is_withdrawn(self) -> bool:
        return self._phase is _Phase.WITHDRAWN

    async def wait(self, timeout: float) -> None:
        """Return when it is stored and applied, even if cancelled in the same moment.

        Parameters: `timeout` in seconds.

        Raises StoreError when the store refused it, when the time is up, when the journal ended, and when it was
        withdrawn; the exception of `apply` when that failed. When it raises, by cancellation too, the proposal is
        withdrawn, unless it is applied already.
        """
        try:
            if self.is_settled:
                await trio.lowlevel.cancel_shielded_checkpoint()
            elif not self._owner.has_ended:
                with trio.move_on_after(max(timeout, 0)):
                    await self._settled.wait()
        except trio.Cancelled:
            if self.withdraw():
                raise
            # Applied in this very moment: who asked is told so, and cancelled at the next checkpoint.
        except BaseException:
            self.withdraw()
            raise
        if self.is_applied:
            return
        if self._error is not None:
            raise self._error
        if self.is_withdrawn:
            raise StoreError("this was withdrawn before it was stored")
        why = "the journal ended" if self._owner.has_ended else self._owner.why_it_waits(self)
        self.withdraw()
        raise StoreError(f"this was not stored within {timeout:g} s: {why}")

    def withdraw(self) -> bool:
        """Take it back. True: it is not applied, and will not be."""
        if self._phase in (_Phase.APPLYING, _Phase.APPLIED):
            return False
        if self._phase is _Phase.WAITING:
            self._end(_Phase.WITHDRAWN)
            self._owner.withdrawn(self)
        return True

    # For the owner

    def carry_out(self) -> Exception | None:
        """It is stored: put it in force. Returns what `apply` raised."""
        self._phase = _Phase.APPLYING
        try:
            self._apply()
        except BaseException as error:
            obey_exit(error)
            self._error = as_exception(error)
            self._end(_Phase.FAILED)
            return self._error
        self._end(_Phase.APPLIED)
        return None

    def fail(self, error: Exception) -> None:
        """It was refused: nothing of it is stored."""
        if self._phase is _Phase.WAITING:
            self._error = error
            self._end(_Phase.FAILED)

    def give_up(self, error: Exception) -> None:
        """Withdraw it for a reason that `wait` tells."""
        if self._phase is _Phase.WAITING:
            self._error = error
            self.withdraw()

    def _end(self, phase: _Phase) -> None:
        self._phase = phase
        self._settled.set()

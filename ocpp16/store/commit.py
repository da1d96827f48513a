"""What a thread does at the store: one commit, or an errand; and how it says that it is over.

Rules of this file:
1. A commit is waited for by whoever serves the journal, not by whoever began it: a task that is cancelled leaves it in
   the air, and the next one takes it up. It is never begun a second time meanwhile.
2. What a charge point was refused is applied again in pieces, so that only the impossible ones are left out.
3. Whatever the store raises is caught: a driver's own fault is an outage like another.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import trio

from ocpp16.errors import StoreError
from ocpp16.store.base import Batch as StoreBatch
from ocpp16.store.base import Store
from ocpp16.store.batch import Batch, Piece

T = TypeVar("T")


class Job(Generic[T]):
    """What a thread does, and what came of it."""

    __slots__ = ("_result", "_what", "error", "landed")

    def __init__(self, what: Callable[[], T]) -> None:
        self.landed = trio.Event()
        """To be set in the trio thread when it is over."""
        self.error: BaseException | None = None
        self._what = what
        self._result: list[T] = []

    def do(self) -> None:
        """Blocks; raises nothing."""
        try:
            self._result.append(self._what())
        except BaseException as error:  # whoever waits for it raises it
            self.error = error

    def result(self) -> T:
        """What came of it, once it has landed. Raises what it raised."""
        if self.error is not None:
            raise self.error
        return self._result[0]


class Errand(Generic[T]):
    """Something else than a commit that wants the store for itself."""

    __slots__ = ("_errand", "job", "landed")

    def __init__(self, errand: Callable[[Store], T]) -> None:
        self._errand = errand
        self.job: Job[T] | None = None
        self.landed = trio.Event()
        """Set in the trio thread when it is over."""

    def make(self, store: Store) -> None:
        self.job = Job(lambda: self._errand(store))
        self.job.do()

    def result(self) -> T:
        """What came of it, once it has landed. Raises what it raised."""
        assert self.job is not None
        return self.job.result()


class Refused(NamedTuple):
    """A piece that the store cannot take, and why."""

    charge_point_id: str
    piece: Piece
    error: Exception

    def as_store_error(self) -> StoreError:
        error = StoreError(f"the store cannot take this: {self.error}")
        error.__cause__ = self.error
        return error


class Commit:
    """A batch that is being written; look at the rest when that is over."""

    __slots__ = ("batch", "error", "has_written", "refused")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.refused: list[Refused] = []
        self.has_written = False
        """Whether there was anything to be written."""
        self.error: BaseException | None = None
        """Why nothing was acknowledged; None if all but `refused` is stored."""

    def make(self, store: Store) -> None:
        """Write it; blocks. In a worker thread nothing else touches the batch meanwhile."""
        try:
            self._write(store)
        except BaseException as error:  # whoever serves the journal raises or tells it
            self.error = error

    def _write(self, store: Store) -> None:
        rows: list[StoreBatch] = []
        for charge_point_id, part in self.batch.parts.items():
            changes = part.changes()
            if changes:
                rows.append((charge_point_id, changes))
        if not rows:
            return
        self.has_written = True
        for charge_point_id, error in store.apply(rows).items():
            self._write_pieces(store, charge_point_id, tuple(self.batch.parts[charge_point_id].pieces()), error)

    def _write_pieces(self, store: Store, charge_point_id: str, pieces: Sequence[Piece], error: Exception) -> None:
        """Halve what was refused for `error` until the impossible pieces are alone; the others are applied in order."""
        if len(pieces) == 1:
            self.refused.append(Refused(charge_point_id, pieces[0], error))
            return
        middle = len(pieces) // 2
        for half in (pieces[:middle], pieces[middle:]):
            refused = store.apply([(charge_point_id, tuple(change for piece in half for change in piece.changes))])
            if charge_point_id in refused:
                self._write_pieces(store, charge_point_id, half, refused[charge_point_id])


Work: TypeAlias = Commit | Errand[Any]
"""What one thread does at the store, alone: `make` blocks, and raises nothing."""


def in_a_thread(work: Callable[[], None], landed: Callable[[], object]) -> None:
    """Do `work`, which must not raise, in a worker thread; when it is done, call `landed` in the trio thread.

    Unlike `trio.to_thread` nobody need wait for it, and threads the host keeps busy do not hold it up.
    """
    token = trio.lowlevel.current_trio_token()

    def deliver(outcome: object) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(landed)

    trio.lowlevel.start_thread_soon(work, deliver, "ocpp16 store")


def as_outage(error: Exception) -> StoreError:
    """A StoreError for whatever a store or a file raised."""
    return error if isinstance(error, StoreError) else StoreError(f"{type(error).__name__}: {error}")

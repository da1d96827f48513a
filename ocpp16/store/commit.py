"""What a thread does at the store: one commit, or an errand; and how it says that it is over.

Rules of this file:
1. A commit is waited for by whoever serves the journal, not by whoever began it: a task that is cancelled leaves it in
   the air, and the next one takes it up. It is never begun a second time meanwhile.
2. What a charge point was refused is applied again in pieces, so that only the impossible ones are left out.
3. What the store raises and answers is checked here, where it enters: a driver's own fault is an outage like another,
   also the cancellation of another loop and the exit of the program.
"""

import threading
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import trio

from ocpp16.errors import StoreError
from ocpp16.faults import sentence, text_of
from ocpp16.log import log
from ocpp16.store.base import ChargePointChanges, Store
from ocpp16.store.batch import Batch, Piece
from ocpp16.texts import shown

T = TypeVar("T")


class Job(Generic[T]):
    """What a thread does, and what came of it."""

    __slots__ = ("_dispose", "_lock", "_result", "_what", "error", "landed")

    def __init__(self, what: Callable[[], T]) -> None:
        self.landed: trio.Event = trio.Event()
        """To be set in the trio thread when it is over."""
        self.error: BaseException | None = None
        self._what = what
        self._result: list[T] = []
        self._lock = threading.Lock()
        self._dispose: Callable[[T], object] | None = None

    def do(self) -> None:
        """Blocks; raises nothing."""
        try:
            result = self._what()
            with self._lock:
                self._result.append(result)
                dispose = self._dispose
            if dispose is not None:
                dispose(result)
        except BaseException as error:  # whoever waits for it raises it
            self.error = error

    def give_up(self, dispose: Callable[[T], object]) -> None:
        """Nobody waits for what comes of it: have `dispose` called with that, by the thread, or here if it is there."""
        with self._lock:
            self._dispose = dispose
            is_there = bool(self._result)
        if is_there:
            dispose(self._result[0])

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
        self.landed: trio.Event = trio.Event()
        """Set in the trio thread when it is over."""

    def make(self, store: Store) -> None:
        self.job = Job(lambda: self._errand(store))
        self.job.do()

    def result(self) -> T:
        """What came of it, once it has landed. Raises what it raised."""
        assert self.job is not None
        return self.job.result()


class Errands:
    """Those that one thread does, one after another."""

    __slots__ = ("errands",)

    def __init__(self, waiting: list[Errand[Any]]) -> None:
        """Takes the first of those that wait, `_AT_ONCE` at most."""
        self.errands: list[Errand[Any]] = waiting[:_AT_ONCE]
        del waiting[:_AT_ONCE]

    def make(self, store: Store) -> None:
        for errand in self.errands:
            errand.make(store)

    @property
    def has_answered(self) -> bool:
        """Did the store do any of them?"""
        return any(errand.job is not None and errand.job.error is None for errand in self.errands)

    def land(self) -> None:
        for errand in self.errands:
            errand.landed.set()


_AT_ONCE = 64
"""Errands: a charge point that starts takes some 0.1 ms for each, and who else waits shall not wait long."""


class Refused(NamedTuple):
    """A piece that the store cannot take, and why."""

    charge_point_id: str
    piece: Piece
    error: Exception

    def as_store_error(self) -> StoreError:
        error = StoreError(f"the store cannot take this: {text_of(self.error)}")
        error.__cause__ = self.error
        return error


class Commit:
    """A batch that is being written; look at the rest when that is over."""

    __slots__ = ("batch", "error", "has_written", "refused")

    def __init__(self, batch: Batch) -> None:
        self.batch: Batch = batch
        self.refused: list[Refused] = []
        self.has_written: bool = False
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
        rows: list[ChargePointChanges] = []
        for charge_point_id, part in self.batch.parts.items():
            changes = part.changes()
            if changes:
                rows.append((charge_point_id, changes))
        if not rows:
            return
        self.has_written = True
        for charge_point_id, error in _refused(store.apply(rows), self.batch.parts).items():
            self._write_pieces(store, charge_point_id, tuple(self.batch.parts[charge_point_id].pieces()), error)

    def _write_pieces(self, store: Store, charge_point_id: str, pieces: Sequence[Piece], error: Exception) -> None:
        """Halve what was refused for `error` until the impossible pieces are alone; the others are applied in order."""
        if len(pieces) == 1:
            self.refused.append(Refused(charge_point_id, pieces[0], error))
            return
        middle = len(pieces) // 2
        for half in (pieces[:middle], pieces[middle:]):
            changes = tuple(change for piece in half for change in piece.changes)
            refused = _refused(store.apply([(charge_point_id, changes)]), {charge_point_id})
            if charge_point_id in refused:
                self._write_pieces(store, charge_point_id, half, refused[charge_point_id])


def _refused(answer: object, charge_points: Container[object]) -> dict[str, Exception]:
    """What `Store.apply` answered, as it should be. Raises StoreError where it cannot be known what was stored."""
    if type(answer) is dict and not answer:
        return answer
    if not isinstance(answer, Mapping):
        raise StoreError(f"apply of the store must tell whom it refused and why, not {type(answer).__name__}")
    refused: dict[str, Exception] = {}
    for who, why in answer.items():
        if who in charge_points:
            refused[who] = why if isinstance(why, Exception) else StoreError(_told(why))
        else:
            log.error("the store refuses %s, of whom it was given nothing: %s", shown(who), _told(why))
    return refused


Work: TypeAlias = Commit | Errands
"""What one thread does at the store, alone: `make` blocks, and raises nothing."""


def _told(why: object) -> str:
    """A reason that is no exception, as it should be."""
    if isinstance(why, BaseException):
        return sentence(why)
    return shown(why) if isinstance(why, str) else f"with a reason of type {type(why).__name__}"


def in_a_thread(work: Callable[[], object], landed: Callable[[], object]) -> None:
    """Do `work`, which must not raise, in a worker thread; when it is done, call `landed` in the trio thread.

    Unlike `trio.to_thread` nobody need wait for it, and threads the host keeps busy do not hold it up. Where no thread
    can be had (limit of the machine), it is done here: everything waits for the disk then, but nothing ends.
    """
    token = trio.lowlevel.current_trio_token()

    def deliver(outcome: object) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(landed)

    try:
        trio.lowlevel.start_thread_soon(work, deliver, "ocpp16 store")
    except (RuntimeError, MemoryError):
        work()
        landed()


def as_outage(error: BaseException) -> StoreError:
    """A StoreError for whatever a store or a file raised."""
    return error if isinstance(error, StoreError) else StoreError(sentence(error))

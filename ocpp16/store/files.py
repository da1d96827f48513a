"""Files that are changed because somebody asked: written whole, then in force; a file that cannot be written refuses.

The keeper does for files what the journal does for rows, and has nothing to do with it: neither holds the other up.

Rules of this file:
1. A proposal's files are prepared first, all of them, and only then given their names. One that cannot be written ends
   the proposal, at once: nothing is tried again for it.
2. Each proposal has a thread of its own; those that want the same file follow each other. A file that hangs holds up
   only who wants that file.
3. Withdrawn before its files had their names, a proposal leaves nothing. Where one may have left something, the files
   are written again as memory has it (`restore`), until that succeeds.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import trio

from ocpp16.errors import StoreError
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog
from ocpp16.store.commit import in_a_thread
from ocpp16.store.journal import FLUSH_TIMEOUT, RETRY_DELAYS
from ocpp16.store.leaving import Leaving
from ocpp16.store.proposal import Proposal


class FileWrite(Protocol):
    """The new content of one file. Its methods block, raise OSError, and are called in this order by one thread."""

    @property
    def target(self) -> Path:
        """Which file."""
        ...

    def prepare(self) -> None:
        """Write the content beside the file, durably."""
        ...

    def finish(self) -> None:
        """Give it the name, durably."""
        ...

    def drop(self) -> None:
        """Instead of `finish`: remove what was prepared. Raises nothing."""
        ...


class _Work:
    """The writes of one proposal, or of none (`proposal` is None: memory is written again)."""

    __slots__ = (
        "_has_begun_to_finish",
        "_is_given_up",
        "_lock",
        "error",
        "failed",
        "landed",
        "proposal",
        "restore",
        "targets",
        "writes",
    )

    def __init__(self, proposal: Proposal | None, writes: Sequence[FileWrite]) -> None:
        self.proposal = proposal
        self.writes = tuple(writes)
        self.targets = frozenset(write.target for write in writes)
        self.restore: Callable[[], Sequence[FileWrite]] | None = None
        self.landed = trio.Event()
        self.error: StoreError | None = None
        self.failed: Path | None = None
        """The file that could not be written; `error` says why."""
        self._lock = threading.Lock()
        self._is_given_up = False
        self._has_begun_to_finish = False

    @property
    def may_have_left_something(self) -> bool:
        return self._has_begun_to_finish

    def give_up(self) -> None:
        """The files shall not get their names any more, if they have not got them."""
        with self._lock:
            self._is_given_up = True

    def make(self) -> None:
        """Write; blocks; raises nothing."""
        prepared: list[FileWrite] = []
        target = Path()
        try:
            for write in self.writes:
                target = write.target
                prepared.append(write)
                write.prepare()
            with self._lock:
                self._has_begun_to_finish = not self._is_given_up
            if self._has_begun_to_finish:
                for write in self.writes:
                    target = write.target
                    write.finish()
                    prepared.remove(write)
        except Exception as error:
            self.failed = target
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            self.error = StoreError(f"{target} cannot be written: {reason}")
            self.error.__cause__ = error
        for write in prepared:
            write.drop()


class FileKeeper:
    """Writes files for one charge point. All methods belong to the trio thread.

    Parameters: `inline` writes in the trio thread itself, for a virtual clock. `retry_delays`: seconds between attempts
    to write again what memory has; the last one is repeated. `flush_timeout`: seconds at most that the end of `run`
    takes. `on_failing(reason)` is told of the first file that cannot be written, `on_recovered()` when that one can be
    again. `on_internal_error(place, error)` is told when `apply` or `restore` failed; it may be set later.
    """

    def __init__(
        self,
        *,
        inline: bool = False,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        flush_timeout: float = FLUSH_TIMEOUT,
        on_failing: Callable[[str], None] | None = None,
        on_recovered: Callable[[], None] | None = None,
        on_internal_error: Callable[[str, BaseException], None] | None = None,
        log: FoldingLog | None = None,
    ) -> None:
        self.has_ended: bool = False
        self._is_inline = inline
        self._retry_delays = tuple(retry_delays)
        self._flush_timeout = flush_timeout
        self._on_failing = on_failing
        self._on_recovered = on_recovered
        self.on_internal_error = on_internal_error
        self._log = log or FoldingLog("", trio.current_time)
        self._failing: Path | None = None
        self._number = 0
        self._waiting: list[_Work] = []
        self._running: list[_Work] = []
        self._overlapping: set[Proposal] = set()
        self._restore: Callable[[], Sequence[FileWrite]] | None = None
        self._attempts = 0
        self._retry_at = 0.0
        self._wakeup = trio.Event()

    def propose(
        self,
        writes: Sequence[FileWrite],
        *,
        apply: Callable[[], None],
        restore: Callable[[], Sequence[FileWrite]],
    ) -> Proposal:
        """Ask for files of this content, and for `apply` to be called, in the trio thread, when they are written.

        Parameters: `restore` gives the writes that make the files what memory says at that moment.
        """
        self._number += 1
        proposal = Proposal(self, self._number, "", writes, apply, restore)
        work = _Work(proposal, writes)
        if any(not work.targets.isdisjoint(other.targets) for other in (*self._running, *self._waiting)):
            self._overlapping.add(proposal)  # made from a memory that does not have the other's change yet
        self._waiting.append(work)
        self._wakeup.set()
        return proposal

    async def run(self, leaving: Leaving | None = None) -> None:
        """Carry out what is proposed until cancelled; then what is there, within `flush_timeout` and what `leaving`
        allows."""
        self.has_ended = False
        try:
            while True:
                await self._turn()
        except trio.Cancelled:
            seconds = self._flush_timeout if leaving is None else leaving.seconds(self._flush_timeout)
            with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds):
                self._retry_at = 0.0
                while self._waiting or self._running or self._restore is not None:
                    await self._turn()
            raise
        finally:
            self.has_ended = True
            self._end()

    def withdrawn(self, proposal: Proposal) -> None:
        """For `Proposal`."""
        self._waiting = [work for work in self._waiting if work.proposal is not proposal]
        self._overlapping.discard(proposal)
        for work in self._running:
            if work.proposal is proposal:
                work.give_up()

    def why_it_waits(self, proposal: Proposal) -> str:
        """For `Proposal`."""
        names = ", ".join(str(write.target) for write in proposal.changes)
        return f"{names} cannot be written: no answer from the file system"

    async def _turn(self) -> None:
        self._wakeup = trio.Event()
        self._begin_again()
        for work in list(self._waiting):
            if self._is_free(work):
                self._waiting.remove(work)
                self._begin(work)
        if self._is_inline:
            await trio.lowlevel.checkpoint()
        if not any(work.landed.is_set() for work in self._running):
            is_later = self._restore is not None and self._retry_at > trio.current_time()
            with trio.CancelScope(deadline=self._retry_at if is_later else float("inf")):
                await self._wakeup.wait()
        for work in [work for work in self._running if work.landed.is_set()]:
            self._running.remove(work)
            self._settle(work)

    def _is_free(self, work: _Work) -> bool:
        """Whether nobody writes these files, and nobody who came before waits for them."""
        earlier = self._waiting[: self._waiting.index(work)] if work in self._waiting else []
        return all(work.targets.isdisjoint(other.targets) for other in (*self._running, *earlier))

    def _begin(self, work: _Work) -> None:
        self._running.append(work)
        if self._is_inline:
            work.make()
            work.landed.set()
        else:
            in_a_thread(work.make, partial(self._landed, work))

    def _landed(self, work: _Work) -> None:
        work.landed.set()
        self._wakeup.set()

    def _begin_again(self) -> None:
        """Write what memory has, where something else may have been left."""
        restore = self._restore
        if restore is None or trio.current_time() < self._retry_at:
            return
        try:
            work = _Work(None, restore())
        except BaseException as error:
            obey_exit(error)
            self._restore = None
            self._internal_error("restore", error)
            return
        if self._is_free(work):
            self._restore = None
            work.restore = restore
            self._begin(work)

    def _tell(self, work: _Work) -> None:
        """What became of the files, if that is another thing than before."""
        if self._failing is None and work.failed is not None:
            self._failing = work.failed
            self._call("report of a file", self._on_failing, str(work.error))
        elif self._failing in work.targets and work.failed is None:
            self._failing = None
            self._call("report of a file", self._on_recovered)

    def _call(self, place: str, callback: Callable[..., None] | None, *arguments: str) -> None:
        try:
            if callback is not None:
                callback(*arguments)
        except BaseException as error:
            obey_exit(error)
            self._internal_error(place, error)

    def _settle(self, work: _Work) -> None:
        self._tell(work)
        proposal = work.proposal
        if proposal is None:
            self._written_again(work)
            return
        is_overlapping = proposal in self._overlapping
        self._overlapping.discard(proposal)
        if work.error is not None:
            proposal.fail(work.error)
            is_wrong = work.may_have_left_something
        elif proposal.is_settled:
            is_wrong = work.may_have_left_something
        else:
            error = proposal.carry_out()
            is_wrong = error is not None or is_overlapping
            if error is not None:
                self._internal_error("apply", error)
        if is_wrong:
            self._restore, self._retry_at = proposal.restore, 0.0

    def _written_again(self, work: _Work) -> None:
        if work.error is None:
            self._attempts = 0
            return
        if not self._attempts:
            self._log.error("what was refused may be in the file until it can be written again: %s", work.error)
        self._retry_at = trio.current_time() + self._retry_delays[min(self._attempts, len(self._retry_delays) - 1)]
        self._attempts += 1
        if self._restore is None:
            self._restore = work.restore

    def _internal_error(self, place: str, error: BaseException) -> None:
        self._log.error("a change of a file failed in %s", place, error=error)
        if self.on_internal_error is not None:
            try:
                self.on_internal_error(place, error)
            except BaseException as failure:
                obey_exit(failure)
                self._log.error("who is told of errors failed: %s", sentence(failure), error=failure)

    def _end(self) -> None:
        error = StoreError("the keeper of files ended before this was written")
        for work in (*self._waiting, *self._running):
            if work.proposal is not None:
                work.proposal.give_up(error)

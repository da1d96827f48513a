"""Changes in order, each with a number; one committer brings them to the store and says how far it got.

What has happened is a *fact*: who decides calls `append` in the same synchronous block in which it changes the state in
memory. Nothing waits there, and nothing comes between. What must not happen before it is stored (a frame that tells of
it) keeps the number and looks at `durable`. What somebody *asks for* is a proposal: `propose` stores it first, and
applies it when it is durable.

Rules of this file:
1. `append` and `propose` never wait and never fail for the store's sake. What comes while a batch is being written
   belongs to the next batch: commits coalesce by themselves.
2. A commit is in the hands of at most one thread. Who waits for it may be cancelled; it goes on, and is settled before
   the next one begins. One that takes too long counts as an outage.
3. A failed batch is kept, and tried again together with what came since; meanwhile `durable` stands still. It may be
   written twice: changes are idempotent.
4. Proposals are applied before `durable` rises. A proposal withdrawn before a thread had it leaves nothing; one that a
   thread has, or had in vain, is followed by the rows that memory has instead (`restore`). So is one whose rows were
   appended anew before it was applied.
5. An impossible append is left out alone, told and passed by `durable`: the charge point goes on. An impossible
   proposal fails alone.
6. Nothing is kept or done per charge point but for what waits to be written: ten thousand share one journal.
7. Whatever a store answers or raises is an outage at worst, and ends nothing. What is told when nobody serves the
   journal any more is an outage as well.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import trio

from ocpp16.ctrl_c import only_at_waits
from ocpp16.errors import StoreError
from ocpp16.faults import obey_exit, sentence, text_of
from ocpp16.histogram import Histogram
from ocpp16.log import FoldingLog
from ocpp16.store.appending import Appending
from ocpp16.store.base import Row, RowChange, Store, Table
from ocpp16.store.batch import Batch, is_overtaken
from ocpp16.store.claims import Claims, claim_store, keep_journal, release_store
from ocpp16.store.commit import Commit, Errand, Errands, Work, as_outage
from ocpp16.store.committer import Committer
from ocpp16.store.leaving import Leaving
from ocpp16.store.loading import load_as_told, load_rows
from ocpp16.store.memory import MemoryStore
from ocpp16.store.proposal import Proposal as Proposal
from ocpp16.store.watchers import Subscribers, Waiters, Watcher, Watchers

T = TypeVar("T")

RETRY_DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
FLUSH_TIMEOUT = 10.0
HANG_TIMEOUT = 10.0
_ENDED = "the journal has ended: whoever opened it has left its block"


@only_at_waits
class Journal(Appending):
    """The one journal of a store. All methods belong to the trio thread.

    Parameters, times in seconds: `inline` commits in the trio thread itself, for a virtual clock, which does not see a
    busy thread and would jump ahead. `retry_delays` between attempts while the store fails; the last one is repeated.
    `flush_timeout` bounds the attempts that are made after the last `run` was cancelled. After `hang_timeout` a commit
    that does not end is told as an outage.

    `on_failing(reason)` is called once when an outage begins, `on_recovered()` when it ends, `on_internal_error(place,
    error)` when something was left out or a callback failed; all may be set later. Several charge points `watch`.
    Raises ValueError if the store has a journal already: see `shared_journal`.
    """

    durable: int
    is_failing: bool
    number: int

    def __init__(
        self,
        store: Store,
        *,
        inline: bool = False,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        flush_timeout: float = FLUSH_TIMEOUT,
        hang_timeout: float = HANG_TIMEOUT,
        on_failing: Callable[[str], None] | None = None,
        on_recovered: Callable[[], None] | None = None,
        on_internal_error: Callable[[str, BaseException], None] | None = None,
    ) -> None:
        self._log = FoldingLog("", trio.current_time)
        # Of a kind of its own it may be that `apply` does more.
        memory = store if type(store) is MemoryStore and store.is_volatile else None
        super().__init__(memory, Subscribers(self._log))
        self.store = store
        self.has_ended: bool = False
        self.is_inline = inline
        self.on_failing = on_failing
        self.on_recovered = on_recovered
        self.on_internal_error = on_internal_error
        self._watchers = Watchers(self, self._log)
        self.charge_points: Claims = Claims()
        self._is_volatile = store.is_volatile
        self._retry_delays = tuple(retry_delays)
        self._hang_timeout = hang_timeout
        self._errands: list[Errand[Any]] = []
        self._reason = ""
        self._is_slow = False
        """It is failing, and no commit has failed: it took long to answer."""
        self._attempts = 0
        self._retry_at = 0.0
        self._waiters = Waiters()
        self._is_settling = False
        self._committer = Committer(self, inline=inline, flush_timeout=flush_timeout, hang_timeout=hang_timeout)
        claim_store(store, self)

    # What happened, and what is asked for

    def propose(
        self,
        charge_point_id: str,
        changes: Sequence[RowChange],
        *,
        apply: Callable[[], None],
        restore: Callable[[], Sequence[RowChange]],
    ) -> Proposal:
        """Ask for a change: stored together or not at all, and put in force by `apply` when it is stored.

        Parameters: `apply` changes the state in memory, in the trio thread, before `durable` rises and anybody who
        waits wakes; `restore` gives the rows that memory has now, where the proposal was withdrawn too late to be
        taken out, where `apply` raised, and where rows of it were appended or proposed again before it was applied.
        """
        number = self.number = self.number + 1
        proposal = Proposal(self, number, charge_point_id, changes, apply, restore)
        self._pending.add(proposal)
        self._begin()
        return proposal

    def withdrawn(self, proposal: Proposal) -> None:
        """For `Proposal`: take it out where no thread has it."""
        if proposal in self._pending.proposals:
            self._pending.remove(proposal)
            if proposal.was_tried:  # what became of a failed commit is known for certain only after the next one
                self._restore(proposal)

    def why_it_waits(self, proposal: Proposal) -> str:
        """For `Proposal`: why it is not stored yet."""
        return self._reason if self.is_failing else "the store is still writing"

    def subscribe(self, kick: Callable[[], None], charge_point_id: str | None = None) -> Callable[[], None]:
        """Have `kick` called whenever `durable` rose; it must not append. Returns what ends that.

        With `charge_point_id`, only for a commit of that charge point: for what `append` stored itself nobody waits.
        """
        return self._subscribers.add(charge_point_id, kick)

    def watch(
        self,
        charge_point_id: str | None = None,
        *,
        on_failing: Callable[[str], None] | None = None,
        on_recovered: Callable[[], None] | None = None,
        on_internal_error: Callable[[str, BaseException], None] | None = None,
    ) -> Callable[[], None]:
        """Be told of outages, also one that is on already, and of what was left out. Returns what ends that.

        The callbacks are those of the constructor; one that raises is logged. Without `charge_point_id`, errors of all.
        """
        if self.outage and on_failing is not None:
            on_failing(self.outage)
        return self._watchers.add(charge_point_id, Watcher(on_failing, on_recovered, on_internal_error))

    async def wait_durable(self, number: int) -> None:
        """Wait until everything up to `number` is stored. Raises StoreError if `run` ended before; ValueError for a
        number that was never given out.
        """
        if number > self.number:
            raise ValueError(f"nothing was appended under the number {number}")
        await trio.lowlevel.checkpoint()
        while self.durable < number:
            if self.has_ended:
                raise StoreError("the journal ended before this was stored")
            await self._waiters.wait(number)

    @property
    def outage(self) -> str:
        """Why the disk has not got what was told: commits fail, or the store works from memory. Empty if it has."""
        if self.is_failing:
            return self._reason
        return str(getattr(self.store, "reason", "")) if getattr(self.store, "is_degraded", False) else ""

    def tell_recovered(self) -> None:
        """For the owner: the store does not work from memory any more."""
        self._watchers.recovered()

    def left(self) -> int:
        """How many changes are not stored (as far as it is known)."""
        return sum(len(part) for batch in self._batches() for part in batch.parts.values())

    # Reading

    async def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        """`Store.load`, when no commit is at the store. Raises StoreError, also when that takes too long."""
        return await self.in_turn(lambda store: load_rows(store, charge_point_id, table, key))

    async def load_all(self, charge_point_id: str, *, timeout: float | None = None) -> dict[str, list[Row]]:
        """What a charge point reads when it starts, with what was told and is not stored yet. Raises StoreError."""
        loaded = await load_as_told(self, charge_point_id, self._batches, timeout)
        self._watchers.repaired()
        return loaded

    async def in_turn(self, errand: Callable[[Store], T], *, timeout: float | None = None) -> T:
        """Do something with the store that wants it alone, in a thread. Raises what it raises.

        Raises StoreError when the store does not answer within `timeout` seconds, by default `hang_timeout`.
        """
        timeout = self._hang_timeout if timeout is None else timeout
        if (self._is_volatile or self.is_inline) and self._committer.in_the_air is None:
            await trio.lowlevel.checkpoint()
            return errand(self.store)
        if not self._committer.servers:
            raise StoreError("nobody serves the journal")
        work = Errand(errand)
        self._errands.append(work)
        self._committer.wake()
        with trio.move_on_after(timeout):
            await work.landed.wait()
        if not work.landed.is_set():
            if work in self._errands:
                self._errands.remove(work)
            raise StoreError(f"the store cannot be read: no answer within {timeout:g} s")
        return work.result()

    def commit_times(self) -> Histogram:
        """Seconds that commits took from the first asking on, as long as a thread had them; those into memory take
        none, and those that failed are not counted."""
        times = self._committer.times
        if times is None:
            times = self._committer.times = Histogram()
        return times

    # The committer

    async def run(
        self,
        *,
        leaving: Leaving | None = None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve the journal until cancelled. Of several tasks one is the committer; another takes over when it goes.

        The last one to be cancelled writes what is still there, within `flush_timeout` and what `leaving` allows; see
        `left` afterwards. A volatile store needs it only while it fails. It can be started again after it ended;
        `nursery.start` returns when it serves. Raises ValueError if the store has got another journal since.
        """
        claim_store(self.store, self)
        if self.has_ended:
            self.has_ended = False
            self._retry_at = 0.0  # of a clock that may be another one
        is_orderly = False
        try:
            await self._committer.serve(task_status, leaving)
        except trio.Cancelled:
            is_orderly = True
            raise
        finally:
            if not self._committer.servers:
                self._end(is_orderly)

    # For the committer: see `Board` there

    def has_work(self) -> bool:
        return bool(self._pending.parts) or bool(self._errands)

    def next_attempt_at(self) -> float:
        return 0.0 if self._errands else self._retry_at

    def take_off(self) -> Work:
        """Errands, or all that waits to be written."""
        if self._errands:
            return Errands(self._errands)
        commit = Commit(self._pending)
        self._pending = Batch()
        return commit

    def settle(self, work: Work) -> None:
        if not isinstance(work, Commit):
            if self._is_slow and work.has_answered:
                self._recovered()
            work.land()
            return
        self._is_settling = True
        try:
            if work.error is None:
                self._committed(work)
            else:
                self._failed(work, work.error)
        finally:
            self._is_settling = False

    def flushes(self) -> None:
        self._retry_at = 0.0

    def _end(self, is_orderly: bool) -> None:
        self.has_ended = True
        error = StoreError("the journal ended before this was stored")
        for batch in self._batches():
            for proposal in list(batch.proposals):
                proposal.give_up(error)
        left = self.left()
        if left:
            self._log.error("the store ends with %d changes not stored: %s", left, self._reason or "it was cut short")
        (keep_journal if left and is_orderly else release_store)(self.store, self)
        self._waiters.wake(self.number)

    def _batches(self) -> list[Batch]:
        commit = self._committer.in_the_air
        return [self._pending, commit.batch] if isinstance(commit, Commit) else [self._pending]

    def _begin(self) -> None:
        if not self._is_volatile or self.is_failing or self._committer.in_the_air is not None:
            if self.has_ended:
                self.fail(_ENDED)
            self._committer.wake()
        elif not self._is_settling:  # what is appended while something is applied follows it
            while self._pending.parts and not self.is_failing:
                commit = Commit(self._pending)
                self._pending = Batch()
                commit.make(self.store)
                self.settle(commit)

    def _last_of(self, charge_point_id: str) -> int:
        parts = (batch.parts.get(charge_point_id) for batch in self._batches())
        return next((part.last for part in parts if part is not None), self.durable)

    def _failed(self, commit: Commit, error: BaseException) -> None:
        batch = commit.batch
        batch.extend(self._pending)
        self._pending = batch
        for proposal in list(batch.proposals):
            proposal.was_tried = True
            if proposal.is_settled:
                self.withdrawn(proposal)
        if not isinstance(error, StoreError) and not self.is_failing:
            self._log.error("the store failed for a reason of its own: %s", sentence(error), error=error)
        self._retry_at = trio.current_time() + self._retry_delays[min(self._attempts, len(self._retry_delays) - 1)]
        self._attempts += 1
        self.fail(text_of(as_outage(error)))

    def fail(self, reason: str, *, is_slow: bool = False) -> None:
        self._reason = reason
        self._is_slow = is_slow and (self._is_slow or not self.is_failing)
        if not self.is_failing:
            self.is_failing = True
            self._committer.wake()  # from here on a volatile store is its business, too
            self._watchers.failing(reason)

    def _recovered(self) -> None:
        self.is_failing, self._is_slow, self._reason = False, False, ""
        self._watchers.recovered()

    def _committed(self, commit: Commit) -> None:
        self._attempts, self._retry_at = 0, 0.0
        if self.is_failing and commit.has_written:
            self._recovered()
        self._watchers.repaired()
        for refused in commit.refused:
            if refused.piece.proposal is not None:
                refused.piece.proposal.fail(refused.as_store_error())
            else:
                who, why = refused.charge_point_id, text_of(refused.error)
                self._log.error("%s: the store cannot take what was told, it is left out: %s", who, why, about=who)
                self._watchers.internal_error(who, "store", refused.error)
        to_restore: list[Proposal] = []
        for proposal in commit.batch.proposals:
            if proposal.is_withdrawn:
                to_restore.append(proposal)
            elif not proposal.is_settled:
                error = proposal.carry_out()
                if error is not None:
                    who = proposal.charge_point_id
                    self._log.error("%s: a change that is stored cannot be applied", who, about=who, error=error)
                    self._watchers.internal_error(who, "apply", error)
                if error is not None or is_overtaken(proposal, (commit.batch, self._pending)):
                    to_restore.append(proposal)
        for proposal in to_restore:
            self._restore(proposal)
        self.durable = max(self.durable, commit.batch.last)
        self._waiters.wake(self.durable)
        self._subscribers.kick(commit.batch.parts)

    def _restore(self, proposal: Proposal) -> None:
        """What memory has instead of a proposal that may be, or become, stored."""
        try:
            changes = proposal.restore()
        except BaseException as error:
            obey_exit(error)
            self._log.error("%s: the rows of a withdrawn change cannot be told", proposal.charge_point_id, error=error)
            self._watchers.internal_error(proposal.charge_point_id, "restore", error)
        else:
            proposal.follows = self.append(proposal.charge_point_id, *changes)

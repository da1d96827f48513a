"""Changes in order, each with a number; one committer brings them to the store and says how far it got.

What decides calls `append` in the same synchronous block in which it changes the state in memory: nothing waits
there, and nothing comes between. What must not happen before it is stored (a frame that tells of it) keeps the
number and looks at `durable`.

Rules of this file:
1. `append` never waits and never fails for the store's sake. What is appended while a batch is being written belongs
   to the next batch: commits coalesce by themselves.
2. Within a batch only the last change of a row is kept, and only the last write of a file. Files are written first.
3. A commit is in the hands of at most one thread, and is always waited for.
4. A failed batch is kept, and tried again together with what came since; meanwhile `durable` stands still. It may be
   written twice: changes are idempotent.
5. A refused charge point hears of it before `durable` rises. What it had appended since is refused too: it came from
   a state in memory that the store does not have.
6. Nothing is kept per charge point but what waits to be written: ten thousand share one journal.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import trio

from ocpp16.errors import StoreError
from ocpp16.store.base import Change, Delete, FileWrite, Put, Row, RowChange, Store

_REFUSALS_REMEMBERED = 1024


class _Part:
    """What one charge point adds to a batch: the last change of each row, and the numbers it was given."""

    __slots__ = ("changes", "numbers")

    def __init__(self) -> None:
        self.changes: dict[tuple[str, Row], RowChange] = {}
        self.numbers: list[int] = []

    def take(self, change: RowChange) -> None:
        table = change.table
        if isinstance(change, Put):
            self.changes[table.name, table.key_of(change.row)] = change
            return
        key = tuple(change.key)
        length = len(key)
        if length < len(table.key_columns):
            # The rows below, and earlier deletions of them, are overtaken: what comes later must come after this one.
            overtaken = [other for other in self.changes if other[0] == table.name and other[1][:length] == key]
            for other in overtaken:
                del self.changes[other]
        self.changes[table.name, key] = change


class _Batch:
    """What one commit carries. `last` is the highest number in it; all lower ones are in it or already durable."""

    __slots__ = ("files", "last", "parts")

    def __init__(self) -> None:
        self.parts: dict[str, _Part] = {}
        self.files: dict[Path, tuple[str, FileWrite]] = {}
        self.last = 0

    def take(self, charge_point_id: str, change: Change) -> None:
        if isinstance(change, Put | Delete):
            self.parts[charge_point_id].take(change)
        else:
            self.files.pop(change.target, None)
            self.files[change.target] = (charge_point_id, change)

    def part(self, charge_point_id: str) -> _Part:
        part = self.parts.get(charge_point_id)
        if part is None:
            part = self.parts[charge_point_id] = _Part()
        return part

    def merge(self, later: "_Batch") -> None:
        for charge_point_id, part in later.parts.items():
            mine = self.part(charge_point_id)
            mine.numbers.extend(part.numbers)
            for change in part.changes.values():
                mine.take(change)
        for charge_point_id, file in later.files.values():
            self.take(charge_point_id, file)
        self.last = later.last

    def forget(self, charge_point_id: str) -> list[int]:
        """Take out what this charge point wanted; its numbers stay, so that `durable` passes them. Returns them."""
        part = self.parts.get(charge_point_id)
        if part is None:
            return []
        part.changes.clear()
        for target in [target for target, (owner, _) in self.files.items() if owner == charge_point_id]:
            del self.files[target]
        return part.numbers


class Journal:
    """One per store. All methods belong to the trio thread.

    Parameters: `inline` commits in the trio thread itself, for a virtual clock, which does not see a busy thread and
    would jump ahead. `retry_delays` are the seconds between attempts while the store fails; the last one is repeated.
    `flush_timeout` bounds, in seconds, the attempts that are made after `run` was cancelled.

    Callbacks, also to be set later: `on_failing(reason)` once when an outage begins, `on_recovered()` when it ends,
    `on_refused(charge_point_id, error)` when a charge point's changes are impossible: it must end, for the store does
    not have its state. Without `on_refused` the refusal ends `run` (or `append`, for a volatile store) by StoreError.
    """

    def __init__(
        self,
        store: Store,
        *,
        inline: bool = False,
        retry_delays: Sequence[float] = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0),
        flush_timeout: float = 10.0,
        on_failing: Callable[[str], None] | None = None,
        on_recovered: Callable[[], None] | None = None,
        on_refused: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.store = store
        self.number = 0
        self.durable = 0
        self.is_failing = False
        self.on_failing = on_failing
        self.on_recovered = on_recovered
        self.on_refused = on_refused
        self._is_volatile = store.is_volatile
        self.is_inline = inline
        self._retry_delays = tuple(retry_delays)
        self._flush_timeout = flush_timeout
        self._pending = _Batch()
        self._in_hand: _Batch | None = None
        self._kicks: dict[str | None, list[Callable[[], None]]] = {}
        self._refused: dict[int, Exception] = {}
        self._is_running = False
        self._has_ended = False
        self._work = trio.Event()
        self._rise = trio.Event()
        # Threads of the default limiter may all be taken by the host's own blocking calls.
        self._limiter = trio.CapacityLimiter(1)

    def append(self, charge_point_id: str, *changes: Change) -> int:
        """Add changes of one charge point, to be stored together or not at all. Returns their number.

        Without changes, the number after which all that this charge point appended before is stored.
        """
        if not changes:
            return self._last_of(charge_point_id)
        number = self.number = self.number + 1
        pending = self._pending
        pending.part(charge_point_id).numbers.append(number)
        for change in changes:
            pending.take(charge_point_id, change)
        pending.last = number
        if self._is_volatile and not self.is_failing:
            self._commit_at_once()
        else:
            self._work.set()
        return number

    def subscribe(self, kick: Callable[[], None], charge_point_id: str | None = None) -> Callable[[], None]:
        """Have `kick` called whenever `durable` rose; it must not raise and not append. Returns what ends that.

        With `charge_point_id`, only when the commit held changes of that charge point: in a fleet of thousands nobody
        else needs to look.
        """
        self._kicks.setdefault(charge_point_id, []).append(kick)

        def unsubscribe() -> None:
            kicks = self._kicks.get(charge_point_id, [])
            if kick in kicks:
                kicks.remove(kick)
                if not kicks:
                    del self._kicks[charge_point_id]

        return unsubscribe

    async def wait_durable(self, number: int) -> None:
        """Wait until everything up to `number` is stored.

        Raises StoreError if the store refused it, or if `run` ended without storing it; ValueError for a number that
        was never given out.
        """
        if number > self.number:
            raise ValueError(f"nothing was appended under the number {number}")
        await trio.lowlevel.checkpoint()
        while self.durable < number:
            if self._has_ended:
                raise StoreError("the journal ended before this was stored")
            await self._rise.wait()
        error = self._refused.get(number)
        if error is not None:
            raise StoreError(f"the store refused this: {error}") from error

    async def run(self) -> None:
        """The committer: runs until it is cancelled, then writes what is still there, and ends.

        A volatile store needs it only while a file cannot be written. It can be started again after it ended.
        """
        if self._is_running:
            raise RuntimeError("the journal has its committer already")
        self._is_running, self._has_ended = True, False
        try:
            while True:
                self._work = trio.Event()
                if not self._has_work():
                    await self._work.wait()
                await self._commit_all()
        except trio.Cancelled:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + self._flush_timeout):
                await self._commit_all()
            raise
        finally:
            self._is_running, self._has_ended = False, True
            self._tell_waiters()

    def _last_of(self, charge_point_id: str) -> int:
        for batch in (self._pending, self._in_hand):
            if batch is not None and charge_point_id in batch.parts:
                return batch.parts[charge_point_id].numbers[-1]
        return self.durable

    def _has_work(self) -> bool:
        return self._in_hand is not None or bool(self._pending.parts)

    def _take_batch(self) -> _Batch:
        """Everything that waits: what failed before, then what came since."""
        batch, self._pending = self._pending, _Batch()
        if self._in_hand is None:
            self._in_hand = batch
        elif batch.parts:
            self._in_hand.merge(batch)
        return self._in_hand

    async def _commit_all(self) -> None:
        attempt = 0
        while self._has_work():
            if self.is_inline:
                await trio.lowlevel.checkpoint()
            batch = self._take_batch()
            try:
                if self.is_inline:
                    refused = self._write(batch)
                else:
                    refused = await trio.to_thread.run_sync(self._write, batch, limiter=self._limiter)
            except StoreError as error:
                self._fail(error)
                with trio.move_on_after(self._retry_delays[min(attempt, len(self._retry_delays) - 1)]):
                    await trio.sleep_forever()
                attempt += 1
                continue
            attempt = 0
            self._settle(batch, refused)

    def _commit_at_once(self) -> None:
        batch = self._take_batch()
        try:
            refused = self._write(batch)
        except StoreError as error:
            self._fail(error)
            self._work.set()
        else:
            self._settle(batch, refused)

    def _write(self, batch: _Batch) -> dict[str, Exception]:
        """Runs in a worker thread: nothing else touches `batch` meanwhile."""
        refused: dict[str, Exception] = {}
        for charge_point_id, file in batch.files.values():
            try:
                file.write()
            except OSError as error:
                raise StoreError(f"{file.target} cannot be written: {error.strerror or error}") from error
            except (ValueError, TypeError) as error:
                refused[charge_point_id] = error
        rows = [
            (charge_point_id, tuple(part.changes.values()))
            for charge_point_id, part in batch.parts.items()
            if part.changes and charge_point_id not in refused
        ]
        if rows:
            refused.update(self.store.apply(rows))
        return refused

    def _fail(self, error: StoreError) -> None:
        if not self.is_failing:
            self.is_failing = True
            if self.on_failing is not None:
                self.on_failing(str(error))

    def _settle(self, batch: _Batch, refused: dict[str, Exception]) -> None:
        self._in_hand = None
        if self.is_failing:
            self.is_failing = False
            if self.on_recovered is not None:
                self.on_recovered()
        for charge_point_id, error in refused.items():
            self._refuse(charge_point_id, error, batch)
        self.durable = batch.last
        self._tell_waiters()
        for kick in self._kicks.get(None, ()):
            kick()
        for charge_point_id in batch.parts:
            for kick in self._kicks.get(charge_point_id, ()):
                kick()

    def _refuse(self, charge_point_id: str, error: Exception, batch: _Batch) -> None:
        for refused_batch in (batch, self._pending):
            for number in refused_batch.forget(charge_point_id):
                self._refused[number] = error
        while len(self._refused) > _REFUSALS_REMEMBERED:
            del self._refused[next(iter(self._refused))]
        if self.on_refused is None:
            raise StoreError(f"the store refused changes of {charge_point_id}: {error}") from error
        self.on_refused(charge_point_id, error)

    def _tell_waiters(self) -> None:
        self._rise.set()
        self._rise = trio.Event()

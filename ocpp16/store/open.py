"""Who owns a store: `open_store` opens, serves and closes one; `shared_journal` serves one that was lent.

Rules of this file:
1. Nobody but who opened a store closes it.
2. Leaving takes a bounded time: `flush_timeout` for what is not written yet, and as long again for closing; or what the
   block around it has left for both. A thread that hangs in the disk is left to the end of the process, and the log
   says so.
3. The journal is served until the block is left, cancelled or not: who leaves in order inside needs the disk.
4. Who is interrupted while opening leaves nothing open: what a thread opens all the same it closes.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import trio

from ocpp16.ctrl_c import entered_and_left_whole
from ocpp16.errors import StoreError
from ocpp16.faults import sentence
from ocpp16.log import FoldingLog, log
from ocpp16.store import connection as connections
from ocpp16.store import migrations
from ocpp16.store.base import Store
from ocpp16.store.claims import claimant, release_store
from ocpp16.store.commit import Job, in_a_thread
from ocpp16.store.fallback import FallbackStore, open_or_fall_back
from ocpp16.store.journal import FLUSH_TIMEOUT, HANG_TIMEOUT, RETRY_DELAYS, Journal
from ocpp16.store.leaving import Leaving
from ocpp16.store.opening import Manner
from ocpp16.store.sqlite import SqliteStore
from ocpp16.texts import shown

OPEN_TIMEOUT = 60.0
"""Seconds that opening may take: a large database is checked, repaired or migrated in it."""
REOPEN_INTERVAL = 30.0
"""Seconds between attempts to open a file that could not be opened."""


@entered_and_left_whole
@asynccontextmanager
async def shared_journal(
    store: Store,
    *,
    inline: bool | None = None,
    retry_delays: Sequence[float] = RETRY_DELAYS,
    flush_timeout: float = FLUSH_TIMEOUT,
    hang_timeout: float = HANG_TIMEOUT,
    leaving: Leaving | None = None,
) -> AsyncIterator[Journal]:
    """The journal of a store that was lent, to one charge point or to many; it is served until the block is left.

    The first one makes it, of these parameters (see `Journal`; `inline` is by default as trio's clock asks for).
    The last one to leave waits until all is written, `flush_timeout` seconds at most, and no longer than its own
    `leaving` allows. The store is not closed.
    """
    journal = claimant(store)
    assert journal is None or isinstance(journal, Journal)
    if journal is None:
        journal = Journal(
            store,
            inline=is_virtual_clock() if inline is None else inline,
            retry_delays=retry_delays,
            flush_timeout=flush_timeout,
            hang_timeout=hang_timeout,
        )
    async with _served(journal, leaving):
        yield journal


@entered_and_left_whole
@asynccontextmanager
async def open_store(
    path: Path | str,
    *,
    synchronous: str = "FULL",
    now: int = 0,
    share_path: Path | None = None,
    size_limit: int | None = None,
    inline: bool | None = None,
    retry_delays: Sequence[float] = RETRY_DELAYS,
    open_timeout: float = OPEN_TIMEOUT,
    reopen_interval: float = REOPEN_INTERVAL,
    flush_timeout: float = FLUSH_TIMEOUT,
    hang_timeout: float = HANG_TIMEOUT,
    leaving: Leaving | None = None,
) -> AsyncIterator[Journal]:
    """Open a database for one charge point or for many, and close it when the block is left.

    Parameters as of `SqliteStore.open` and of `Journal`; `inline` is by default as trio's clock asks for. `leaving`
    bounds writing and closing at the end, where a block around it has to be left in time.

    A database that cannot be opened now (disk full, read-only, no answer within `open_timeout`) is no error: the store
    works from memory (`FallbackStore`; `Journal.outage` says why) and tries again every `reopen_interval` seconds.
    Raises StoreError where waiting will not help, SchemaTooNew, ValueError for `synchronous`.
    """
    if inline is None:
        inline = is_virtual_clock()
    owner = _Owner(path, _manner(synchronous, now, share_path, size_limit), inline, reopen_interval)
    store = await owner.open(open_timeout)
    try:
        journal = Journal(
            store, inline=inline, retry_delays=retry_delays, flush_timeout=flush_timeout, hang_timeout=hang_timeout
        )
        try:
            async with _served(journal, leaving, owner.keep_trying):
                yield journal
        finally:
            release_store(store, journal)
    finally:
        await owner.close(store, flush_timeout, leaving or Leaving())


def is_virtual_clock() -> bool:
    """A clock that jumps does not see a busy thread: then the store works in the trio thread itself."""
    return hasattr(trio.lowlevel.current_clock(), "autojump_threshold")


def _manner(synchronous: str, now: int, share_path: Path | None, size_limit: int | None) -> Manner:
    connections.check_synchronous(synchronous)
    return Manner(migrations.load_schema(share_path), synchronous, size_limit, now)


@asynccontextmanager
async def _served(
    journal: Journal,
    leaving: Leaving | None,
    *tasks_beside: Callable[[Journal], Coroutine[Any, Any, None]],
) -> AsyncIterator[None]:
    """Serve the journal; the tasks beside end first. What the block raises is raised as it is, not in a group."""
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        serving, beside = trio.CancelScope(), trio.CancelScope()

        @trio.lowlevel.enable_ki_protection
        async def serve(task_status: trio.TaskStatus[None]) -> None:
            with serving:
                await journal.run(leaving=leaving, task_status=task_status)

        @trio.lowlevel.enable_ki_protection
        async def stay_beside(task: Callable[[Journal], Coroutine[Any, Any, None]]) -> None:
            with beside:
                await task(journal)

        try:
            await nursery.start(serve)
            serving.shield = True  # not before: `start` that is cancelled waits for what it started
            for task in tasks_beside:
                nursery.start_soon(stay_beside, task)
            yield
        except BaseException as error:
            failure = error
        finally:
            beside.cancel()
            serving.cancel()
    if failure is not None:
        raise failure


class _Owner:
    """Who opens the file, tries again, and closes it. One thread at a time, none of them waited for without end."""

    def __init__(self, path: Path | str, manner: Manner, is_inline: bool, interval: float) -> None:
        self._path = Path(path).absolute()
        self._manner = manner
        self._is_inline = is_inline
        self._interval = interval
        self._opening: Job[SqliteStore | FallbackStore] | None = None
        self._log = FoldingLog("", trio.current_time)

    async def open(self, timeout: float) -> SqliteStore | FallbackStore:
        opening = Job(partial(open_or_fall_back, self._path, self._manner))
        try:
            await self._do(opening, timeout)
        except BaseException:
            opening.give_up(_close)
            raise
        if opening.landed.is_set():
            return opening.result()
        self._opening = opening
        reason = f"{self._path} cannot be opened: no answer from the disk within {timeout:g} s"
        return FallbackStore(self._path, self._manner, reason, None, None)

    async def keep_trying(self, journal: Journal) -> None:
        """Until the file has all that is in memory."""
        store = journal.store
        while isinstance(store, FallbackStore) and store.is_degraded:
            with trio.move_on_after(self._interval):
                await trio.sleep_forever()
            try:
                file = await self._opened(store)
                await journal.in_turn(partial(_adopt, file), timeout=inf)
            except StoreError as error:
                self._log.info("the store still works from memory: %s", error)
            except Exception as error:
                self._log.error("the store still works from memory: %s", sentence(error), error=error)
        if isinstance(store, FallbackStore):
            journal.tell_recovered()

    async def close(self, store: Store, timeout: float, leaving: Leaving) -> None:
        closing = Job(partial(self._close, store))
        with trio.CancelScope(shield=True):
            if self._opening is not None:
                with trio.move_on_after(leaving.seconds(timeout)):
                    await self._opening.landed.wait()
            if self._opening is None or self._opening.landed.is_set():
                await self._do(closing, leaving.seconds(timeout))
        if not closing.landed.is_set():
            log.error("the store cannot be closed: a thread hangs in it; it is left to the end of the process")
        elif closing.error is not None:
            self._log.error("the store was not closed in order", error=closing.error)
        elif isinstance(store, FallbackStore) and store.is_degraded:
            log.error("the store ends in memory, what was told is lost: %s", shown(store.reason))

    def _close(self, store: Store) -> None:
        """In a thread. A file that was opened when nobody waited for it any more is used all the same."""
        if self._opening is not None and isinstance(store, FallbackStore):
            with suppress(StoreError):
                file = self._opening.result()
                if isinstance(file, SqliteStore):
                    store.adopt(file)
                else:
                    file.close()
        store.close()

    async def _opened(self, store: FallbackStore) -> SqliteStore:
        if self._opening is None:
            self._opening = Job(store.try_open)
            await self._do(self._opening, inf)
        else:
            await self._opening.landed.wait()
        opening, self._opening = self._opening, None
        file = opening.result()
        if isinstance(file, FallbackStore):
            store.take_over(file)
            raise StoreError(file.reason)
        return file

    async def _do(self, job: Job[Any], timeout: float) -> None:
        if self._is_inline:
            job.do()
            job.landed.set()
        else:
            in_a_thread(job.do, job.landed.set)
        with trio.move_on_after(timeout):
            await job.landed.wait()


def _close(store: Store) -> None:
    store.close()


def _adopt(file: SqliteStore, store: Store) -> None:
    assert isinstance(store, FallbackStore)
    store.adopt(file)

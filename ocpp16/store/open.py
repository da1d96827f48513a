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
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from ocpp16.ctrl_c import entered_and_left_whole
from ocpp16.store.base import Store
from ocpp16.store.claims import claimant, release_store
from ocpp16.store.journal import FLUSH_TIMEOUT, HANG_TIMEOUT, RETRY_DELAYS, Journal
from ocpp16.store.leaving import Leaving

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

    Parameters as of `SqliteStore.open` (`path`, `synchronous`, `now`, `share_path`, `size_limit`) and of `Journal`
    (`retry_delays`, `flush_timeout`, `hang_timeout`); `inline` is by default as trio's clock asks for. `leaving`
    bounds writing and closing at the end, where a block around it has to be left in time.

    A database that cannot be opened now (disk full, read-only, no answer within `open_timeout`) is no error: the store
    works from memory (`FallbackStore`; `Journal.outage` says why) and tries again every `reopen_interval` seconds.
    Raises StoreError where waiting will not help, SchemaTooNew, ValueError for `synchronous`.
    """
    from ocpp16.store.owner import Owner, manner  # SQLite and all that mends it: not for who has no file

    if inline is None:
        inline = is_virtual_clock()
    owner = Owner(path, manner(synchronous, now, share_path, size_limit), inline, reopen_interval)
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

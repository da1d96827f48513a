"""Who opens the file of `open_store`, tries again where it cannot be opened, and closes it.

Rules of this file: rules 2 and 4 of `open`.
"""

from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import trio

from ocpp16.errors import StoreError
from ocpp16.faults import sentence
from ocpp16.log import FoldingLog, log
from ocpp16.store import connection as connections
from ocpp16.store import migrations
from ocpp16.store.base import Store
from ocpp16.store.commit import Job, in_a_thread
from ocpp16.store.fallback import FallbackStore, open_or_fall_back
from ocpp16.store.journal import Journal
from ocpp16.store.leaving import Leaving
from ocpp16.store.opening import Manner
from ocpp16.store.sqlite import SqliteStore
from ocpp16.texts import shown


def manner(synchronous: str, now: int, share_path: Path | None, size_limit: int | None) -> Manner:
    """How to open it. Raises StoreError for migrations that cannot be read, ValueError for `synchronous`."""
    connections.check_synchronous(synchronous)
    return Manner(migrations.load_schema(share_path), synchronous, size_limit, now)


class Owner:
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

"""One at a time: a lock that costs nothing while nobody holds it. Ten thousand charge points hardly need theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import trio

from ocpp16.errors import StoreError


class Turn:
    """Acquire and release as of `trio.Lock`; also an asynchronous context manager."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock: trio.Lock | None = None

    async def acquire(self, timeout: float = inf) -> None:
        """Raises StoreError after `timeout` seconds: whoever holds it then waits for the disk."""
        if self._lock is None:  # nobody holds it, so there is nothing to wait for
            self._lock = trio.Lock()
            await self._lock.acquire()
            return
        with trio.move_on_after(timeout) as limit:
            await self._lock.acquire()
        if limit.cancelled_caught:
            raise StoreError("earlier changes still wait for the disk")

    def release(self) -> None:
        assert self._lock is not None
        self._lock.release()
        if not self._lock.locked():  # nobody waits: whoever did has it now
            self._lock = None

    @asynccontextmanager
    async def within(self, timeout: float) -> AsyncIterator[None]:
        """Held for a block. Raises as `acquire`."""
        await self.acquire(timeout)
        try:
            yield
        finally:
            self.release()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *error: object) -> None:
        self.release()

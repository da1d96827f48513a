"""One at a time: a lock that costs nothing while nobody holds it. Ten thousand charge points hardly need theirs."""

import trio


class Turn:
    """Acquire and release as of `trio.Lock`; also an asynchronous context manager."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock: trio.Lock | None = None

    async def acquire(self) -> None:
        if self._lock is None:
            self._lock = trio.Lock()
        await self._lock.acquire()

    def release(self) -> None:
        assert self._lock is not None
        self._lock.release()
        if not self._lock.locked():  # nobody waits: whoever did has it now
            self._lock = None

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *error: object) -> None:
        self.release()

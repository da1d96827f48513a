"""A connection in memory that takes at once what is written, as the buffer of a socket does.

By `send_now` a WebSocket writes without a task of its own for each frame, and a read is one wait. Nothing is held back:
who wants to feel a peer that does not read takes `trio.testing.lockstep_stream_pair`.
"""

from operator import index

import trio

__all__ = ["MemoryStream", "memory_stream_pair"]

Data = bytes | bytearray | memoryview


def memory_stream_pair() -> "tuple[MemoryStream, MemoryStream]":
    """Both ends of a new connection."""
    near, far = MemoryStream(), MemoryStream()
    near._peer, far._peer = far, near
    return near, far


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end; made by `memory_stream_pair`."""

    __slots__ = ("_has_sent_all", "_inbox", "_is_at_end", "_is_reading", "_is_sending", "_peer", "_reader")

    def __init__(self) -> None:
        self._peer: MemoryStream | None = None
        """The other end; None once this one is closed."""
        self._inbox = bytearray()
        self._is_at_end = False
        """Nothing comes any more behind what is in the inbox."""
        self._is_reading = False
        self._reader: trio.lowlevel.Task | None = None
        """The task that reads, while it waits for something to read."""
        self._is_sending = False
        self._has_sent_all = False

    def send_now(self, data: Data) -> int:
        """Hand bytes over and return their number, which is all. Raises as `send_all` does, and never waits."""
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending")
        peer = self._peer
        if peer is None or self._has_sent_all:
            raise trio.ClosedResourceError("this end was closed")
        if peer._peer is None:
            raise trio.BrokenResourceError("the other end was closed")
        if data:  # a reader that is woken for nothing would take it for the end
            peer._inbox += data
            peer._wake()
        return len(data)

    async def send_all(self, data: Data) -> None:
        await self._let_others_run()
        self.send_now(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._let_others_run()
        if self._peer is None or self._has_sent_all:
            raise trio.ClosedResourceError("this end was closed")

    async def send_eof(self) -> None:
        await self._let_others_run()
        if self._peer is None:
            raise trio.ClosedResourceError("this end was closed")
        if not self._has_sent_all:
            self._has_sent_all = True
            self._peer._end()

    async def _let_others_run(self) -> None:
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending")
        self._is_sending = True
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self._is_sending = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._is_reading:
            raise trio.BusyResourceError("another task is receiving")
        if max_bytes is not None and index(max_bytes) < 1:
            raise ValueError("max_bytes must be at least 1")
        self._is_reading = True
        try:
            if self._inbox or self._is_at_end or self._peer is None:
                await trio.lowlevel.checkpoint()
            else:
                self._reader = trio.lowlevel.current_task()
                await trio.lowlevel.wait_task_rescheduled(self._give_up)
        finally:
            self._is_reading = False
        if self._peer is None:
            raise trio.ClosedResourceError("this end was closed")
        data = bytes(self._inbox if max_bytes is None else self._inbox[:max_bytes])
        del self._inbox[: len(data)]
        return data

    def _give_up(self, raise_cancel: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _wake(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            trio.lowlevel.reschedule(reader)

    def _end(self) -> None:
        self._is_at_end = True
        self._wake()

    def close(self) -> None:
        """As `aclose`, at once."""
        peer, self._peer = self._peer, None
        if peer is not None:
            self._inbox.clear()
            self._wake()
            peer._end()

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

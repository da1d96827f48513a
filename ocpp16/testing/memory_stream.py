"""A connection in memory that takes at once what is written, as the buffer of a socket does.

What is read, and its end, are trio's memory streams; a write goes straight into them. By `send_now` a WebSocket writes
without a task of its own for each frame. Nothing is held back: who wants to feel a peer that does not read takes
`trio.testing.lockstep_stream_pair`.
"""

import trio
import trio.testing

__all__ = ["memory_stream_pair"]


def memory_stream_pair() -> tuple[trio.abc.Stream, trio.abc.Stream]:
    """Both ends of a new connection."""
    near, far = trio.testing.MemoryReceiveStream(), trio.testing.MemoryReceiveStream()
    return trio.StapledStream(_MemorySending(far), near), trio.StapledStream(_MemorySending(near), far)


class _MemorySending(trio.abc.SendStream):
    """What is written to `receiver`, the other end. Nothing of it waits, but to let other tasks run."""

    def __init__(self, receiver: trio.testing.MemoryReceiveStream) -> None:
        self._receiver = receiver
        self._is_closed = False

    def send_now(self, data: bytes | bytearray | memoryview) -> int:
        """Hand bytes over and return their number, which is all. Raises as `send_all` does."""
        if self._is_closed:
            raise trio.ClosedResourceError("this end was closed")
        try:
            self._receiver.put_data(data)
        except trio.ClosedResourceError:
            raise trio.BrokenResourceError("the other end was closed") from None
        return len(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        self.send_now(data)

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()
        if self._is_closed:
            raise trio.ClosedResourceError("this end was closed")

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._receiver.put_eof()

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

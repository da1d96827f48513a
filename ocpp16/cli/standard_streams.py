"""Standard input and output of a trio program, whatever they are: terminal, pipe, file, or closed.

Reading and writing happen in threads: a file has no readiness to wait for, and the non-blocking mode is shared with
whoever gave us the stream, so it must not be set. A thread left behind in a read ends with the process.
"""

import os
import select
from collections.abc import AsyncIterable, AsyncIterator, Callable

import trio

STDIN = 0
STDOUT = 1
LONGEST_LINE = 100_000
"""Characters of a typed line; the rest is dropped."""
_CHUNK = 65_536


class StandardInput:
    """The chunks of standard input, up to its end. One that is closed, or breaks, has ended."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await trio.to_thread.run_sync(_read, abandon_on_cancel=True)
        except OSError:
            chunk = b""
        if not chunk:
            raise StopAsyncIteration
        return chunk


async def lines(source: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """The lines of `source`, without their ends and without what is too long; what is no UTF-8 is replaced."""
    kept = b""
    async for chunk in source:
        *complete, rest = chunk.split(b"\n")
        for end in complete:
            yield _decoded(kept + end)
            kept = b""
        kept = (kept + rest)[: 4 * LONGEST_LINE]
    if kept:
        yield _decoded(kept)


class StandardOutput:
    """Writes to standard output, whole and in order; `on_closed` is called once when nobody reads it any more."""

    def __init__(self, on_closed: Callable[[], None]) -> None:
        self._on_closed = on_closed
        self._is_closed = False
        self._one_at_a_time = trio.Lock()

    async def write(self, data: bytes) -> None:
        """Returns when the data was handed over; drops it once standard output is closed."""
        async with self._one_at_a_time:
            if self._is_closed:
                return
            try:
                await trio.to_thread.run_sync(_write, data, abandon_on_cancel=True)
            except OSError:
                self._is_closed = True
                self._on_closed()


def _read() -> bytes:
    while True:
        try:
            return os.read(STDIN, _CHUNK)
        except BlockingIOError:  # somebody else made it non-blocking
            select.select([STDIN], [], [])


def _write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(STDOUT, rest) :]
        except BlockingIOError:
            select.select([], [STDOUT], [])


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")[:LONGEST_LINE]

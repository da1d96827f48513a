"""Standard input and output of a trio program, whatever they are: terminal, pipe, file, or closed.

Reading and writing happen in threads: a file has no readiness to wait for, and the non-blocking mode is shared with
whoever gave us the stream, so it must not be set. A thread left behind in a read ends with the process. None waits for
its turn: those that trio lends may all be held by names that do not resolve.
"""

import errno
import logging
import os
import select
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import Final

import trio

log: Final = logging.getLogger("ocpp16")

STDIN = 0
STDOUT = 1
_NOBODY_READS = (errno.EPIPE, errno.EBADF)
LONGEST_LINE = 100_000
"""Characters of a typed line; the rest is dropped."""
_CHUNK = 65_536


def has_no_input() -> bool:
    """Is standard input the null device, as services have it? Nobody types there, and that it is at its end says
    nothing."""
    try:
        return os.path.samestat(os.fstat(STDIN), os.stat(os.devnull))
    except OSError:
        return False


class StandardInput:
    """The chunks of standard input, up to its end. One that is closed, or breaks, has ended."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await trio.to_thread.run_sync(_read, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1))
        except OSError:
            chunk = b""
        if not chunk:
            raise StopAsyncIteration
        return chunk


async def lines(source: AsyncIterable[bytes]) -> AsyncGenerator[str, None]:
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
    """Writes lines to standard output, in order; `on_closed` is called once when nobody reads it any more.

    A line that cannot be written for another reason (a full disk) is dropped: what is printed is no reason to end.
    """

    def __init__(self, on_closed: Callable[[], None]) -> None:
        self._on_closed = on_closed
        self._is_closed = False
        self._dropped = 0
        self._is_torn = False
        """Only a part of the last line was written."""
        self._one_at_a_time = trio.Lock()

    async def write(self, data: bytes) -> None:
        """Returns when the data was handed over, or dropped. `data` is a whole line, or some."""
        async with self._one_at_a_time:
            if self._is_closed:
                return
            try:
                own = trio.CapacityLimiter(1)
                await trio.to_thread.run_sync(self._write, data, abandon_on_cancel=True, limiter=own)
            except OSError as error:
                if error.errno in _NOBODY_READS:
                    self._is_closed = True
                    self._on_closed()
                    return
                self._dropped += 1
                if self._dropped == 1:
                    log.warning("standard output cannot be written, what is printed is lost: %s", error.strerror)
            else:
                if self._dropped:
                    log.warning("standard output can be written again, %d lines were lost", self._dropped)
                self._dropped = 0

    def _write(self, data: bytes) -> None:
        rest = memoryview(b"\n" + data if self._is_torn else data)
        while rest:
            try:
                written = os.write(STDOUT, rest)
            except BlockingIOError:
                select.select([], [STDOUT], [])
                continue
            rest = rest[written:]
            self._is_torn = bool(rest)


def _read() -> bytes:
    while True:
        try:
            return os.read(STDIN, _CHUNK)
        except BlockingIOError:  # somebody else made it non-blocking
            select.select([STDIN], [], [])


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")[:LONGEST_LINE]

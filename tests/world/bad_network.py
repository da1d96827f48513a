"""TCP between a charge point and its Central System that does what networks do: `BadNetwork`.

It is slow, tears frames into pieces, cuts in the middle of one, resets, closes, swallows one direction or both and
tells nobody, or lets nobody connect. What it never does is what TCP never does: whoever lost a byte gets none of those
that follow it.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Self

UP, DOWN = "up", "down"
"""Directions: to the Central System, to the charge point."""
BOTH = (UP, DOWN)
REFUSING, RESETTING, MUTE = "refusing", "resetting", "mute"
"""How nobody gets through: nobody listens; connections are reset at once; they are made, and lead nowhere."""

_READ = 65536
_PIECES = 64
"""Pieces that one read is torn into at most; so a large frame takes no minutes."""


class _Passage:
    """One connection of the charge point, and that to the Central System which belongs to it."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = list(writers)
        self.has_lost = False
        """Bytes were swallowed: nothing passes any more."""

    def end(self, *, in_order: bool) -> None:
        for writer in self.writers:
            if in_order:
                writer.close()
                continue
            sock: socket.socket | None = writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, no FIN
            writer.transport.abort()


class BadNetwork:
    """`port`: of the Central System. `url` is where the charge point has to connect to, without the identity.

    It runs in a thread of its own; all methods may be called from any other.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._passages: list[_Passage] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._delay = 0.0
        self._is_torn = False
        self._silent: frozenset[str] = frozenset()
        self._cut_in: str | None = None
        self._barred: str | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    # What it does

    def is_slow(self, delay: float, *, is_torn: bool = False) -> None:
        """Everything that passes waits so many seconds; `is_torn`: and comes in pieces."""
        self._delay, self._is_torn = delay, is_torn

    def swallow(self, directions: Iterable[str] = BOTH) -> None:
        """Half open: nothing arrives that way, nobody is told."""
        self._silent = frozenset(directions)

    def cut(self, *, in_order: bool = False) -> None:
        """End every connection now: in order, or by a reset."""
        self._do(self._cut(in_order=in_order))

    def cut_in_next(self, direction: str) -> None:
        """Let one half of what comes next this way pass, and nothing more."""
        self._cut_in = direction

    def bar(self, how: str) -> None:
        """Nobody gets through: REFUSING, RESETTING or MUTE."""
        self._do(self._bar(how))

    def heal(self) -> None:
        """It is good again. A connection that lost something ends."""
        self._do(self._heal())

    # In the loop

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self, *, in_order: bool) -> None:
        for passage in tuple(self._passages):
            passage.end(in_order=in_order and not passage.has_lost)
        self._passages.clear()

    async def _bar(self, how: str) -> None:
        self._barred = how
        await self._cut(in_order=False)
        if how == REFUSING and self._server is not None:
            server, self._server = self._server, None
            server.close()

    async def _heal(self) -> None:
        self._delay, self._is_torn, self._silent, self._cut_in, self._barred = 0.0, False, frozenset(), None, None
        for passage in [one for one in self._passages if one.has_lost]:
            passage.end(in_order=False)
            self._passages.remove(passage)
        await self._listen()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passage = _Passage(writer)
        if self._barred == RESETTING:
            passage.end(in_order=False)
            return
        # Whoever comes again has left the old connection; what of it is still under way comes too late.
        for other in [one for one in self._passages if not one.has_lost]:
            other.end(in_order=False)
            self._passages.remove(other)
        self._passages.append(passage)
        if self._barred == MUTE:
            passage.has_lost = True
            self._carry_on(self._carry(passage, reader, None, UP))
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            passage.end(in_order=False)
            return
        passage.writers.append(far_writer)
        if passage not in self._passages:  # ended meanwhile
            passage.end(in_order=False)
            return
        self._carry_on(self._carry(passage, reader, far_writer, UP))
        self._carry_on(self._carry(passage, far_reader, writer, DOWN))

    def _carry_on(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, passage: _Passage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None, direction: str
    ) -> None:
        try:
            while data := await reader.read(_READ):
                if direction in self._silent:
                    passage.has_lost = True
                elif self._delay:
                    await asyncio.sleep(self._delay)
                if passage.has_lost or writer is None:
                    continue
                if self._cut_in == direction:
                    self._cut_in = None
                    writer.write(data[: len(data) // 2])
                    writer.close()  # a reset could overtake what was written
                    passage.writers.remove(writer)
                    break
                await self._pass_on(writer, data)
            else:
                # In a network that swallows, the other end does not hear of the end either.
                if not passage.has_lost:
                    passage.end(in_order=True)
                    self._forget(passage)
                return
        except OSError:
            if passage.has_lost:
                return
        passage.end(in_order=False)
        self._forget(passage)

    async def _pass_on(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        size = max(1, len(data) // _PIECES) if self._is_torn else len(data)
        for place in range(0, len(data), size):
            writer.write(data[place : place + size])
            await writer.drain()
            if size < len(data):
                await asyncio.sleep(0)

    def _forget(self, passage: _Passage) -> None:
        if passage in self._passages:
            self._passages.remove(passage)

    # Its life

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self._bar(REFUSING)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Lets connections in, each served by hypercorn's HTTP/1.1, and lets none of them do harm.

Only hypercorn's engine for one connection is used, not its server: that one shields what it sends from cancellation and
waits for it without end, so a page that stops reading would keep the program from ending (0.18). Here a connection is
ours: how many there are, how long one may take to be read from or written to, and its end are bounded, nothing is done
about signals, and what a connection raises stays with it.
"""

from collections.abc import Awaitable, Callable
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Event, Updated
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from ocpp16.faults import obey, sentence
from ocpp16.log import FoldingLog
from ocpp16.web.guard import App

HOST: Final = "127.0.0.1"
MOST_CONNECTIONS: Final = 64
"""At a time; of one more the oldest that asks for nothing makes room, and if all are in work it is closed at once."""
LONGEST_HEAD: Final = 16_384
"""Bytes of request line and headers."""
PATIENCE: Final = 10.0
"""Real seconds: from a connection to its request's head, between two requests, and for one piece to be read by the
other end."""
PIECE: Final = 65_536
"""Bytes: a trace has many of them."""
_BUFFER: Final = 131_072
"""Bytes the kernel keeps for a page that is slow; what is more, the feed knows of."""


async def serve(
    app: App,
    port: int,
    host: str = HOST,
    *,
    speed: float = 1.0,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; `nursery.start` returns the port when it listens.

    port: 0 takes a free one. speed: how many times faster than in reality trio's clock is. Raises OSError if it cannot
    listen there.
    """
    door = Door(app, speed)
    listeners = await trio.open_tcp_listeners(port, host=host)
    found: int = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, door.serve_socket, listeners)
        nursery.start_soon(door.close_in_the_end)
        task_status.started(found)


class Door:
    """Serves streams."""

    def __init__(self, app: App, speed: float = 1.0) -> None:
        self._app: Any = ASGIWrapper(app)  # type: ignore[arg-type]
        self._config = Config()
        self._config.errorlog = self._config.accesslog = None
        self._config.include_server_header = self._config.include_date_header = False
        self._config.h11_max_incomplete_size = self._config.h2_max_header_list_size = LONGEST_HEAD
        self._config.h2_max_concurrent_streams = 1  # who begins with HTTP/2 is let in, and refused by the guard
        self._config.keep_alive_timeout = PATIENCE * speed
        self._context = WorkerContext(None)
        self._patience = PATIENCE * speed
        self._open: dict[_Connection, None] = {}
        self._log = FoldingLog("web", trio.current_time)

    @property
    def connections(self) -> int:
        return len(self._open)

    async def serve_socket(self, stream: trio.SocketStream) -> None:
        stream.setsockopt(SOL_SOCKET, SO_SNDBUF, _BUFFER)
        await self.serve(stream)

    async def serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Serve one connection to its end. Raises nothing but cancellation."""
        if len(self._open) >= MOST_CONNECTIONS:
            idle = next((one for one in self._open if one.is_idle), None)
            if idle is None:
                await trio.aclose_forcefully(stream)
                return
            del self._open[idle]
        else:
            idle = None
        connection = _Connection(stream, self._patience)
        self._open[connection] = None
        try:
            if idle is not None:
                await trio.aclose_forcefully(idle)
            server = _Server(
                self._app,
                self._config,
                self._context,
                ConnectionState({}),
                connection,  # type: ignore[arg-type]
            )
            connection.on_end = server.idle_task.stop
            await server.run()
        except BaseException as error:
            obey(error)
            self._log.error("a connection failed: %s", sentence(error), error=error)
        finally:
            self._open.pop(connection, None)
            await trio.aclose_forcefully(stream)

    async def close_in_the_end(self) -> None:
        """When cancelled, close all connections at once: that ends what is sent, which hypercorn shields."""
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                for connection in list(self._open):
                    await trio.aclose_forcefully(connection)


class _Server(TCPServer):
    """Says of its connection whether a request is in work."""

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, Updated):
            cast("_Connection", self.stream).is_idle = event.idle
        await super().protocol_send(event)


class _Address:
    """Of a stream that is no socket."""

    family = -1

    def getpeername(self) -> None: ...

    def getsockname(self) -> None: ...


class _Connection(trio.abc.HalfCloseableStream):
    """A stream whose other end has to read what it is sent within `patience` seconds, piece by piece."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, patience: float) -> None:
        self._stream = stream
        self._patience = patience
        self.socket: Any = getattr(stream, "socket", None) or _Address()
        self.is_idle = True
        self.on_end: Callable[[], Awaitable[None]] | None = None
        """Called when nothing more will come: hypercorn would keep what is gone for as long as an idle connection."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        whole = memoryview(data)
        for begin in range(0, len(whole), PIECE):
            with trio.move_on_after(self._patience) as scope:
                await self._stream.send_all(whole[begin : begin + PIECE])
            if scope.cancelled_caught:
                await trio.aclose_forcefully(self._stream)  # or each further piece would be waited for as long again
                raise trio.BrokenResourceError("nobody reads")

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        with trio.move_on_after(self._patience):
            await self._stream.send_eof()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data: bytes | bytearray = b""
        try:
            data = await self._stream.receive_some(max_bytes)
        finally:
            if not data and self.on_end is not None:
                await self.on_end()
        return data

    async def aclose(self) -> None:
        await self._stream.aclose()

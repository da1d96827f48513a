"""Metrics over HTTP, to this machine alone: GET /metrics, one request a connection, everything about it bounded.

A scrape is a few kilobytes every few seconds, so there is nothing to be gained by connections that stay open; without
them nobody can hold one for longer than `REQUEST_TIMEOUT`.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import h11
import trio

from ocpp16.charge_point.snapshot import AnyChargePoint
from ocpp16.faults import obey, obey_exit, sentence
from ocpp16.log import FoldingLog
from ocpp16.metrics.prometheus import CONTENT_TYPE, ChargePointCollector, Collector, exposition

__all__ = ["HOST", "MetricsDoor", "serve_collector", "serve_metrics"]

HOST: Final = "127.0.0.1"
"""Where it listens: nobody is asked who he is."""
REQUEST_TIMEOUT: Final = 10.0
"""Seconds from the connection to its end."""
MOST_CONNECTIONS: Final = 16
"""At a time; one more is closed at once."""
LONGEST_HEAD: Final = 8_192
"""Bytes of request line and headers."""
MOST_IGNORED: Final = 65_536
"""Bytes that are read after the request and thrown away, so that the answer arrives before the connection is reset."""
_READ: Final = 4_096

_TEXTS: Final = {
    400: "not HTTP/1.1",
    403: "Host is not this machine",
    404: "only /metrics is here",
    405: "only GET",
    500: "see the log",
}
_HOSTS: Final = frozenset({b"127.0.0.1", b"localhost", b"[::1]"})
"""What a request may name as its Host. A page of somebody else's whose name was made to point here names itself, so
that a browser on this machine does not read metrics to it (DNS rebinding)."""


async def serve_metrics(
    charge_points: Iterable[AnyChargePoint],
    port: int,
    *,
    timeout: float = REQUEST_TIMEOUT,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve http://127.0.0.1:PORT/metrics until cancelled; `nursery.start` returns the port when it listens.

    charge_points: as of `Watch`. port: 0 takes a free one. timeout: seconds that a request may take.
    Raises OSError if it cannot listen there.
    """
    await serve_collector(ChargePointCollector(charge_points), port, timeout=timeout, task_status=task_status)


async def serve_collector(
    collector: Collector,
    port: int,
    *,
    timeout: float = REQUEST_TIMEOUT,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """The same for what collects something else. It is asked in this thread, and what it raises is logged."""
    door = MetricsDoor(collector, timeout)
    listeners = await trio.open_tcp_listeners(port, host=HOST)
    found: int = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, door.serve, listeners)
        task_status.started(found)


class MetricsDoor:
    """Answers requests on streams. `timeout` in seconds."""

    __slots__ = ("_collector", "_log", "_open", "_timeout")

    def __init__(self, collector: Collector, timeout: float = REQUEST_TIMEOUT) -> None:
        self._collector = collector
        self._timeout = timeout
        self._log = FoldingLog("metrics", trio.current_time)
        self._open = 0

    async def serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Answer one request, and close. Raises nothing: this is beside what the program is there for."""
        if self._open >= MOST_CONNECTIONS:
            await trio.aclose_forcefully(stream)
            return
        self._open += 1
        try:
            with trio.move_on_after(self._timeout), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._answer(stream)
        except BaseException as error:
            obey(error)
            self._log.error("a request failed: %s", sentence(error), error=error)
        finally:
            self._open -= 1
            await trio.aclose_forcefully(stream)

    async def _answer(self, stream: trio.abc.HalfCloseableStream) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        try:
            request = await _request(connection, stream)
        except h11.RemoteProtocolError:
            await self._send(connection, stream, 400)
            return
        if request is None:
            return
        status, body = 200, b""
        if not _is_for_this_machine(request):
            status = 403
        elif request.target.partition(b"?")[0] != b"/metrics":
            status = 404
        elif request.method != b"GET":
            status = 405
        else:
            try:
                body = exposition(self._collector)
            except BaseException as error:
                obey_exit(error)
                self._log.error("cannot be collected: %s", sentence(error), error=error)
                status = 500
        await self._send(connection, stream, status, body, has_body=request.method != b"HEAD")

    async def _send(
        self,
        connection: h11.Connection,
        stream: trio.abc.HalfCloseableStream,
        status: int,
        body: bytes = b"",
        *,
        has_body: bool = True,
    ) -> None:
        kind = CONTENT_TYPE if status == 200 else "text/plain; charset=utf-8"
        body = body or f"{_TEXTS[status]}\n".encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Connection", "close")]
        if status == 405:
            headers.append(("Allow", "GET"))
        if connection.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        data = connection.send(h11.Response(status_code=status, headers=headers)) or b""
        if has_body:
            data += connection.send(h11.Data(data=body)) or b""
        await stream.send_all(data)
        await stream.send_eof()
        ignored = 0
        while ignored < MOST_IGNORED and (more := await stream.receive_some(_READ)):
            ignored += len(more)


async def _request(connection: h11.Connection, stream: trio.abc.ReceiveStream) -> h11.Request | None:
    """None: it was closed before. Raises h11.RemoteProtocolError."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        connection.receive_data(bytes(await stream.receive_some(_READ)))


def _is_for_this_machine(request: h11.Request) -> bool:
    """HTTP/1.0 asks without a Host, and no browser does."""
    hosts = [text for name, text in request.headers if name == b"host"]
    return all(_without_port(host).lower() in _HOSTS for host in hosts)


def _without_port(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return name if colon and port.isdigit() else host

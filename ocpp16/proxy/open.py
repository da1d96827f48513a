"""The door of the proxy."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.errors import ConfigurationError
from ocpp16.proxy.happening import Happening
from ocpp16.proxy.proxy import Proxy
from ocpp16.proxy.record import Judge
from ocpp16.proxy.target import Target
from ocpp16.proxy.trace_file import TraceFile, refuse_foreign
from ocpp16.security.tls import SSLContext
from ocpp16.transport.dial import open_stream
from ocpp16.values import finite, whole
from ocpp16.wire import WireFaults

MOST_CONNECTIONS: Final = 5_000
"""At a time, where nobody says otherwise; each has two sockets."""
PING_INTERVAL: Final = 60.0


def _wall_clock() -> int:
    return round(time.time() * 1e6)


@asynccontextmanager
async def open_proxy(
    csms: str,
    host: str | None = "127.0.0.1",
    port: int = 0,
    *,
    tls: SSLContext | None = None,
    csms_tls: SSLContext | None = None,
    connector: StreamOpener | None = None,
    trace: Path | None = None,
    linter: Judge | None = None,
    faults: WireFaults | None = None,
    seed: int = 0,
    on_happening: Callable[[Happening], object] = lambda happening: None,
    most_connections: int = MOST_CONNECTIONS,
    ping_interval: float = PING_INTERVAL,
    now: Callable[[], int] = _wall_clock,
) -> AsyncIterator[Proxy]:
    """A block with a proxy that listens; leaving it closes all connections with 1001, within seconds.

    csms: URL of the Central System, to which the last part of each charge point's path is appended as it is. host,
    port: where to listen; None: on all addresses, 0: a free port (`Proxy.port`). tls: of the listening side; csms_tls:
    of wss:// to the Central System (`ocpp16.security.tls`); connector: opens the streams there instead. trace: file to
    which all texts are appended, OCPP trace format 1.1, without secrets; one that is there has to be a trace. linter:
    judges what passes. faults, seed: a bad wire between proxy and Central System, for each connection its own; trace
    and linter see the charge point's side of it. on_happening: is told all, and must not wait. most_connections: beyond
    it HTTP 503. ping_interval: seconds of silence after which a side is pinged, and given up if it does not answer; 0:
    never. now: µs since 1970.

    Raises ConfigurationError and ValueError for arguments that cannot be meant, OSError for an address that cannot be
    listened on.
    """
    target = Target(csms)
    if target.is_tls and csms_tls is None and connector is None:
        raise ConfigurationError(["csms_tls: wss:// needs a TLS context"])
    seconds = finite(ping_interval, "ping_interval")
    if seconds < 0:
        raise ValueError(f"ping_interval must be 0 s or more, not {seconds:g}")
    proxy = Proxy(
        target,
        tls=tls,
        dial=connector or partial(open_stream, ssl_context=csms_tls),
        faults=faults or WireFaults(),
        seed=seed,
        linter=linter,
        on_happening=on_happening,
        most_connections=whole(most_connections, "most_connections", 1),
        ping_interval=seconds,
        now=now,
    )
    if trace is not None:
        refuse_foreign(trace)
    listeners = await trio.open_tcp_listeners(port, host=host)
    proxy.port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as writing:
        if trace is not None:
            proxy.trace = TraceFile(trace, now, proxy.trouble)
            writing.start_soon(proxy.trace.run)
        try:
            async with trio.open_nursery() as nursery:
                proxy.nursery = nursery
                nursery.start_soon(trio.serve_listeners, proxy.serve, listeners)
                yield proxy
                nursery.cancel_scope.cancel()
        finally:
            proxy.end()
            writing.cancel_scope.cancel()

"""What TLS costs our end of a connection, beside plain TCP: CPU of a new one, and memory of one that is up.

    python benchmarks/run.py tls [--quick]
    python benchmarks/tls.py KIND COUNT PORT FOLDER    # one child: measures itself, prints JSON

The Central System is a process of its own (`canned_central_system.py`). Each connection goes as far as the answer to
the WebSocket handshake. Its context comes from `client_context`, asked for each connection as a charge point does.

A CALL is that of `fleet.py`.

Sessions are not resumed by the library: OpenSSL checks no certificate again for a resumed one, so one that has expired
since, or whose root is gone, would go on being believed. What that would save is measured here all the same.
"""

import gc
import os
import ssl
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import trio
from children import allow_files, central_system, cpu_seconds, measured, memory_in_use, progress, tell
from figures import note
from fleet import of_ours
from laboratory import HOST, ROOT, certificates

from ocpp16.security.tls import client_context
from ocpp16.transport.dial import Endpoint, open_stream
from ocpp16.transport.websocket import WebSocket

HANDSHAKE = (
    b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


async def connected(port: int, context: ssl.SSLContext | None) -> Any:
    """The stream of a connection whose WebSocket handshake is answered."""
    stream = await open_stream(Endpoint(context is not None, HOST, port, "/x"), ssl_context=context)
    await WebSocket.connect(stream, host=HOST, target="/x")
    return stream


async def resumed(port: int, context: ssl.SSLContext, session: object) -> trio.abc.Stream:
    """The same, with the session of an earlier one."""
    tcp = await open_stream(Endpoint(False, HOST, port, "/x"))
    stream = trio.SSLStream(tcp, context, server_hostname=HOST, https_compatible=True)
    stream.session = session
    await stream.do_handshake()
    assert stream.session_reused
    await WebSocket.connect(stream, host=HOST, target="/x")
    return stream


async def bare_stream(port: int, context: ssl.SSLContext) -> trio.abc.Stream:
    """The least that trio takes: its own TLS stream, and the bytes of a WebSocket handshake."""
    tcp = await trio.open_tcp_stream(HOST, port)
    stream = trio.SSLStream(tcp, context, server_hostname=HOST, https_compatible=True)
    await stream.send_all(HANDSHAKE)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await stream.receive_some()
    return stream


async def one_by_one(count: int, open_one: Callable[[], Coroutine[None, None, trio.abc.Stream]]) -> None:
    """Tells CPU and time of each, both without the first, which loads what is not loaded yet."""
    await trio.aclose_forcefully(await open_one())
    gc.collect()
    cpu, began = cpu_seconds(), time.monotonic()
    for _ in range(count):
        await trio.aclose_forcefully(await open_one())
    seconds, cpu = time.monotonic() - began, cpu_seconds() - cpu
    tell(cpu_ms=1000 * cpu / count, per_second=count / seconds)


async def plain(count: int, port: int, folder: Path) -> None:
    await one_by_one(count, lambda: connected(port, None))


async def full(count: int, port: int, folder: Path) -> None:
    await one_by_one(count, lambda: connected(port, client_context(folder / ROOT)))


async def bare(count: int, port: int, folder: Path) -> None:
    context = ssl.create_default_context(cafile=str(folder / ROOT))
    await one_by_one(count, lambda: bare_stream(port, context))


async def resuming(count: int, port: int, folder: Path) -> None:
    context = client_context(folder / ROOT)
    first = await connected(port, context)  # the answer came with what a session is resumed by
    session = first.records.ssl_object.session
    await one_by_one(count, lambda: resumed(port, context, session))


async def held_plain(count: int, port: int, folder: Path) -> None:
    streams = [await connected(port, None) for _ in range(count)]
    _tell_memory(streams, 0)


async def held(count: int, port: int, folder: Path) -> None:
    streams = [await connected(port, client_context(folder / ROOT)) for _ in range(count)]
    contexts = {id(stream.records.ssl_object.context) for stream in streams}
    _tell_memory(streams, len(contexts))


def _tell_memory(streams: list[trio.abc.Stream], contexts: int) -> None:
    gc.collect()
    tell(kib=memory_in_use() / 1024, contexts=contexts, connections=len(streams))
    os._exit(0)


KINDS: dict[str, Callable[[int, int, Path], Coroutine[None, None, None]]] = {
    function.__name__: function for function in (plain, full, bare, resuming, held_plain, held)
}


def of(kind: str, count: int) -> dict[str, float]:
    """What a child measured."""
    progress(f"tls: {count} {kind}")
    with certificates() as (folder, chain, key):
        files = [chain, key] if "plain" not in kind else []
        with central_system(*files) as server:
            return measured("tls.py", kind, count, server.port, folder)


def run(*, is_quick: bool) -> None:
    count, low, high, fleet = (20, 20, 60, 20) if is_quick else (1000, 200, 1000, 300)
    costs = {kind: of(kind, count) for kind in ("plain", "full", "bare", "resuming")}
    for kind, text in (
        ("plain", "plain"),
        ("full", "TLS, full handshake"),
        ("bare", "TLS of bare `trio.SSLStream`"),
        ("resuming", "TLS, a session resumed"),
    ):
        note(f"tls.cpu.{kind}", f"a new connection, {text}: CPU of our end", costs[kind]["cpu_ms"], "ms")
    for kind, text in (("full", "full handshake"), ("resuming", "sessions resumed")):
        name = f"one after another, {text}, both ends on this machine"
        note(f"tls.per_second.{kind}", name, costs[kind]["per_second"], "connections/s")
    beside = costs["full"]["per_second"] / costs["bare"]["per_second"]
    note("tls.ratio", "connections/s beside bare `trio.SSLStream`", beside, "times as many", at_least=0.8)
    with certificates() as made:
        calls = [of_ours(fleet, which)["cpu_us_per_call"] for which in (None, made)]
    note("tls.call.cpu", f"a CALL of {fleet} charge points, over TLS: CPU of our end", calls[1], "µs")
    note("tls.call", "the same beside plain", calls[1] / calls[0], "times", at_most=1.6)
    few, many = of("held", low), of("held", high)
    slope = (many["kib"] - few["kib"]) / (high - low)
    beside = (of("held_plain", high)["kib"] - of("held_plain", low)["kib"]) / (high - low)
    note("tls.kib", "a connection that is up", slope, "KiB")
    note("tls.kib.plain", "the same, plain", beside, "KiB")
    note("tls.contexts", f"shared by {many['connections']:,} connections", many["contexts"], "context", at_most=1)


if __name__ == "__main__":
    allow_files(int(sys.argv[2]) + 100)
    trio.run(KINDS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))

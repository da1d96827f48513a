"""Two ends of a connection: both ours, or one of them a bare stream that can send any bytes."""

import base64
import hashlib
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.transport.websocket import Accept, WebSocket

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Pair = Callable[..., Awaitable[tuple[WebSocket, WebSocket]]]
Bare = Callable[..., Awaitable[tuple[WebSocket, trio.abc.Stream]]]


@pytest.fixture
def pair() -> Pair:
    """`client, server = await pair(...)`: both ends of one connection over streams of the kind given."""

    async def connect(
        streams: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]] = trio.testing.memory_stream_pair,
        *,
        compression: bool = False,
        max_message_size: int = 1 << 20,
    ) -> tuple[WebSocket, WebSocket]:
        ends = streams()
        found: dict[str, WebSocket] = {}

        async def client() -> None:
            found["client"] = await WebSocket.connect(
                ends[0], host="csms", target="/CP", compression=compression, max_message_size=max_message_size
            )

        async def server() -> None:
            found["server"] = await WebSocket.accept(
                ends[1],
                decide=lambda request: Accept(request.subprotocols[0]),
                compression=compression,
                max_message_size=max_message_size,
            )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(client)
            nursery.start_soon(server)
        return found["client"], found["server"]

    return connect


async def read_head(stream: trio.abc.Stream) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        head += bytes(await stream.receive_some(4096))
    return head


def switching(head: bytes, extra: bytes) -> bytes:
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    token = base64.b64encode(hashlib.sha1(key + GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + token + b"\r\n" + extra + b"\r\n"
    )


@pytest.fixture
def switching_to() -> Callable[[bytes, bytes], bytes]:
    """`switching_to(request, headers)`: the answer that agrees to an upgrade."""
    return switching


@pytest.fixture
def upgrade() -> Bare:
    """`client, stream = await upgrade(headers, …)`: a server that answers 101 with these headers, then bare bytes."""

    async def connect(
        headers: bytes = b"Sec-WebSocket-Protocol: ocpp1.6\r\n", *, trailing: bytes = b"", **options: Any
    ) -> tuple[WebSocket, trio.abc.Stream]:
        near, far = trio.testing.memory_stream_pair()
        found: list[WebSocket] = []

        async def client() -> None:
            found.append(await WebSocket.connect(near, host="csms", target="/CP", **options))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(client)
            await far.send_all(switching(await read_head(far), headers) + trailing)
        return found[0], far

    return connect


@pytest.fixture
def bare_server(upgrade: Bare) -> Bare:
    """`client, stream = await bare_server()`: our client, and the stream on which the test plays the server."""
    return upgrade


@pytest.fixture
def bare_client() -> Bare:
    """`server, stream = await bare_client()`: our server, and the stream on which the test plays the client."""

    async def connect() -> tuple[WebSocket, trio.abc.Stream]:
        near, far = trio.testing.memory_stream_pair()
        found: list[WebSocket] = []

        async def server() -> None:
            found.append(await WebSocket.accept(near, decide=lambda request: Accept("ocpp1.6")))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(server)
            await far.send_all(
                b"GET /CP HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
            )
            await read_head(far)
        return found[0], far

    return connect


@pytest.fixture
def frame() -> Callable[..., bytes]:
    """`frame(opcode, payload, fin=True, rsv=0, mask=None, length=None)`: the bytes of one frame, valid or not."""

    def build(
        opcode: int,
        payload: bytes = b"",
        *,
        fin: bool = True,
        rsv: int = 0,
        mask: bytes | None = None,
        announced: int | None = None,
    ) -> bytes:
        size = len(payload) if announced is None else announced
        first = bytes([fin << 7 | rsv << 4 | opcode])
        masked = 0x80 if mask else 0
        if size < 126:
            head = first + bytes([masked | size])
        elif size < 1 << 16:
            head = first + bytes([masked | 126]) + struct.pack("!H", size)
        else:
            head = first + bytes([masked | 127]) + struct.pack("!Q", size)
        if mask:
            payload = bytes(byte ^ mask[position % 4] for position, byte in enumerate(payload))
        return head + (mask or b"") + payload

    return build

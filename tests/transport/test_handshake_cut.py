"""Heads that come in any two reads, and what comes behind them in the same one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import HandshakeRefused
from ocpp16.transport.websocket import Accept, WebSocket

REQUEST = (
    b"GET /CP HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


class Pieces(trio.abc.Stream):
    """A stream that reads one piece at a time, and then nothing for ever; what is written is kept."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.written = b""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if not self.pieces:
            await trio.sleep_forever()
        return self.pieces.pop(0)

    async def send_all(self, data: Any) -> None:
        self.written += bytes(data)
        await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None: ...

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


class Answering(Pieces):
    """The same for a client: the pieces are made of the request, which has a key in it."""

    def __init__(self, switching: Any, extra: bytes, line_end: bytes, behind: bytes, place: int) -> None:
        super().__init__([])
        self._made_of = (switching, extra, line_end, behind, place)

    async def send_all(self, data: Any) -> None:
        await super().send_all(data)
        switching, extra, line_end, behind, place = self._made_of
        answer = switching(self.written, extra).replace(b"\r\n", line_end) + behind
        self.pieces = [piece for piece in (answer[:place], answer[place:]) if piece]


@asynccontextmanager
async def closed_after(websocket: WebSocket) -> AsyncIterator[WebSocket]:
    try:
        yield websocket
    finally:
        websocket.abort()
        await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("compression", [False, True])
async def test_frames_behind_an_answer(
    autojump_clock: Any, frame: Any, switching_to: Any, line_end: bytes, compression: bool
) -> None:
    behind = frame(1, b"\n\n\r\n\r\n") + frame(9, b"p") + frame(1, b"bird")
    extra = b"Sec-WebSocket-Protocol: ocpp1.6\r\n" + (DEFLATE if compression else b"")
    size = len(switching_to(REQUEST, extra).replace(b"\r\n", line_end) + behind)
    for place in range(1, size + 1):
        stream = Answering(switching_to, extra, line_end, behind, place)
        opened = await WebSocket.connect(stream, host="csms", target="/CP", compression=compression)
        async with closed_after(opened) as client:
            found: list[str] = []
            while len(found) < 2:
                found += await client.receive()
            assert found == ["\n\n\r\n\r\n", "bird"], f"cut at {place}"
            assert client.unsent, "the pong"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("compression", [False, True])
async def test_frames_of_a_client_that_does_not_wait_for_the_answer(
    autojump_clock: Any, frame: Any, line_end: bytes, compression: bool
) -> None:
    head = REQUEST + (DEFLATE if compression else b"") + b"\r\n"
    data = head.replace(b"\r\n", line_end) + frame(1, b"early", mask=b"1234") + frame(1, b"bird", mask=b"\0\n\n\0")
    for place in range(1, len(data) + 1):
        stream = Pieces([data[:place], data[place:]])
        opened = await WebSocket.accept(stream, decide=lambda request: Accept("ocpp1.6"), compression=True)
        async with closed_after(opened) as server:
            found: list[str] = []
            while len(found) < 2:
                found += await server.receive()
            assert found == ["early", "bird"], f"cut at {place}"


async def test_a_refusal_and_its_body(autojump_clock: Any) -> None:
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 11\r\n\r\nnot\n\nwanted"
    for place in range(1, len(answer) + 1):
        with pytest.raises(HandshakeRefused) as caught:
            await WebSocket.connect(Pieces([answer[:place], answer[place:]]), host="csms", target="/CP")
        assert (caught.value.status, caught.value.body) == (403, "not\n\nwanted"), f"cut at {place}"
    assert trio.current_time() == 0, "nothing was waited for"


async def test_byte_by_byte(autojump_clock: Any, frame: Any) -> None:
    data = REQUEST + b"\r\n" + frame(1, b"early", mask=b"1234")
    stream = Pieces([data[place : place + 1] for place in range(len(data))])
    async with closed_after(await WebSocket.accept(stream, decide=lambda request: Accept("ocpp1.6"))) as server:
        assert await server.receive() == ["early"]

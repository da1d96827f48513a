"""One turn without waiting, for a task that waits until the socket is readable by itself."""

import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.errors import ConnectionClosed
from ocpp16.transport import plain_socket
from ocpp16.transport.frames import FRAMES_PER_TURN
from ocpp16.transport.plain_socket import READ_SIZE
from ocpp16.transport.websocket import WebSocket

Sockets = tuple[WebSocket, WebSocket]


@pytest.fixture
async def sockets(pair: Any) -> AsyncIterator[Sockets]:
    """`client, server`: two ends over a socket pair."""

    def make() -> Any:
        left, right = trio.socket.socketpair()
        for end in (left, right):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        return trio.SocketStream(left), trio.SocketStream(right)

    client, server = await pair(make)
    yield client, server
    client.abort()
    server.abort()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all reads of sockets that follow."""
    sizes: list[int] = []
    read = os.read

    def counted(descriptor: int, size: int) -> bytes:
        data = read(descriptor, size)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(plain_socket.os, "read", counted)  # type: ignore[attr-defined]
    return sizes


def send(end: WebSocket, *texts: str) -> None:
    for text in texts:
        end.send_text(text)
    assert end.flush_now()


async def test_one_read_for_all_that_is_there(sockets: Sockets, reads: list[int]) -> None:
    client, server = sockets
    send(server, "one", "two")
    send(server, "three")
    assert client.read_now() == ["one", "two", "three"]
    assert len(reads) == 1
    assert not client.waits


async def test_nothing_to_read_is_no_message(sockets: Sockets) -> None:
    client, server = sockets
    assert client.read_now() == []
    server.send_text("x" * 100)
    half = bytes(server._outgoing[:50])
    assert server.socket is not None
    os.write(server.socket.fileno(), half)
    assert client.read_now() == []
    assert not client.waits
    os.write(server.socket.fileno(), server._outgoing[50:])
    assert client.read_now() == ["x" * 100]


async def test_a_flood_takes_as_many_calls_as_turns_and_one_read(sockets: Sockets, reads: list[int]) -> None:
    client, server = sockets
    texts = [str(number) for number in range(10 * FRAMES_PER_TURN)]
    send(server, *texts)
    found = client.read_now()
    turns = 1
    while client.waits:
        found += client.read_now()
        turns += 1
    assert found == texts
    assert turns == 10
    assert len(reads) == 1


async def test_what_exceeds_a_read_comes_with_the_next(sockets: Sockets, reads: list[int]) -> None:
    client, server = sockets
    texts = [letter * 30_000 for letter in "abcde"]
    send(server, *texts)
    found: list[str] = []
    while len(found) < 5:
        found += client.read_now()
    assert found == texts
    assert reads[:-1] == [READ_SIZE] * (len(reads) - 1)
    assert len(reads) == sum(map(len, texts)) // READ_SIZE + 1


async def test_texts_before_the_end_are_told_and_then_the_end(sockets: Sockets) -> None:
    client, server = sockets
    server.send_text("last words")
    server.send_close(1001, "bye")
    assert server.flush_now()
    assert client.read_now() == ["last words"]
    for _ in range(2):
        assert client.waits, "there is an end to tell of, and the socket has nothing more"
        with pytest.raises(ConnectionClosed) as caught:
            client.read_now()
        assert (caught.value.code, caught.value.reason) == (1001, "bye")
    assert client.unsent, "the answer to the close frame"


@pytest.mark.parametrize("end", ["closed", "reset", "aborted here"])
async def test_the_end_of_the_socket(sockets: Sockets, end: str) -> None:
    client, server = sockets
    assert server.socket is not None
    if end == "reset":  # of a socket pair: closed with unread data
        send(client, "unread")
    if end == "aborted here":
        client.abort("enough")
    else:
        server.socket.close()
    with pytest.raises(ConnectionClosed) as caught:
        client.read_now()
    assert caught.value.code == 1006
    assert isinstance(caught.value.__cause__, ConnectionResetError) == (end == "reset")


async def test_pings_are_answered_by_the_writer(sockets: Sockets) -> None:
    client, server = sockets
    pongs: list[bytes] = []
    client.on_pong = pongs.append
    client.send_ping(b"?")
    send(client, "text")
    assert server.read_now() == ["text"]
    assert server.flush_now()
    assert client.read_now() == []
    assert pongs == [b"?"]


async def test_not_while_another_task_receives(sockets: Sockets) -> None:
    client, _ = sockets
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.receive)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            client.read_now()
        nursery.cancel_scope.cancel()


async def test_the_loop_it_is_made_for(sockets: Sockets) -> None:
    client, server = sockets
    texts = [str(number) for number in range(1000)]
    found: list[str] = []

    async def loop() -> None:
        assert client.socket is not None
        while True:
            if client.waits:
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_readable(client.socket)
            found.extend(client.read_now())

    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(ConnectionClosed):
                await loop()

        nursery.start_soon(read)
        for start in range(0, 1000, 100):
            send(server, *texts[start : start + 100])
            await trio.testing.wait_all_tasks_blocked()
        server.abort()
    assert found == texts


async def test_receive_goes_on_where_it_stopped(sockets: Sockets) -> None:
    client, server = sockets
    texts = [str(number) for number in range(3 * FRAMES_PER_TURN)]
    send(server, *texts)
    assert [*client.read_now(), *await client.receive(), *client.read_now()] == texts


async def test_other_streams_have_no_socket(pair: Any) -> None:
    client, _ = await pair()
    assert client.socket is None

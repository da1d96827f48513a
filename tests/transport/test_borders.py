"""Whatever a stream, a server, a client or a library raises ends one connection, by one kind of exception."""

# ruff: noqa: PT017  # what else an exception tells, if there is one, is the question here

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from strange_errors import STRANGE

from ocpp16.errors import ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.transport.dial import DialFailed, Endpoint, open_stream
from ocpp16.transport.websocket import Accept, WebSocket

SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=150)


class Mute(Exception):
    """An exception that fails when somebody wants to know what it says."""

    def __str__(self) -> str:
        raise RuntimeError("no comment")


EXCEPTIONS: list[Callable[[], BaseException]] = [
    lambda: OSError(110, "timed out"),
    lambda: RuntimeError("modem"),
    lambda: ValueError("\ud800\x1b[2J"),
    lambda: trio.BrokenResourceError(),
    lambda: trio.ClosedResourceError(),
    lambda: trio.BusyResourceError(),
    lambda: trio.WouldBlock(),
    lambda: trio.EndOfChannel(),
    lambda: trio.TooSlowError(),
    lambda: BlockingIOError(11, "again"),
    lambda: UnicodeDecodeError("utf-8", b"", 0, 1, "odd"),
    lambda: AssertionError(),
    lambda: StopAsyncIteration(),
    lambda: ExceptionGroup("two", [OSError("a"), KeyError("b")]),
    lambda: Mute(),
    *STRANGE.values(),
]


class Failing(trio.abc.Stream):
    """A stream of somebody's making that raises, or reads what is no bytes, from the moment the test says so."""

    def __init__(self, inner: trio.abc.Stream) -> None:
        self.inner = inner
        self.faults: dict[str, Callable[[], BaseException]] = {}
        self.reads: Any = None

    def _fail(self, operation: str) -> None:
        if operation in self.faults:
            raise self.faults[operation]()

    async def send_all(self, data: Any) -> None:
        self._fail("send")
        await self.inner.send_all(data)

    async def receive_some(self, max_bytes: Any = None) -> Any:
        self._fail("receive")
        return await self.inner.receive_some(max_bytes) if self.reads is None else self.reads

    async def wait_send_all_might_not_block(self) -> None:
        self._fail("send")

    async def aclose(self) -> None:
        await self.inner.aclose()
        self._fail("close")


class FailingAtOnce(Failing):
    """The same, with a `close` that raises, too."""

    def close(self) -> None:
        self._fail("close")


class Coroutine(Failing):
    """A `close` that would have to be awaited."""

    async def close(self) -> None:
        self._fail("close")


@pytest.mark.parametrize("kind", [Failing, FailingAtOnce, Coroutine])
@pytest.mark.parametrize("number", range(len(EXCEPTIONS)))
@pytest.mark.parametrize("operation", ["send", "receive"])
async def test_an_open_connection(
    pair: Any, operation: str, number: int, kind: Any, autojump_clock: trio.testing.MockClock
) -> None:
    streams: list[Failing] = []

    def make() -> Any:
        near, far = trio.testing.memory_stream_pair()
        streams.append(kind(near))
        return streams[0], far

    client, _ = await pair(make)
    streams[0].faults = {operation: EXCEPTIONS[number], "close": EXCEPTIONS[number]}
    client.send_text("x")
    await client.flush()
    for _ in range(2):
        with pytest.raises(ConnectionClosed) as caught:
            await client.receive()
        assert caught.value.code == 1006
        assert type(caught.value.__cause__) is type(EXCEPTIONS[number]())
        assert str(caught.value).isprintable()
    await client.aclose()
    client.abort()
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize("reads", [None, 5, "text", 10**12, [b"x"], object()])
async def test_a_stream_that_reads_no_bytes(bare_server: Any, reads: Any) -> None:
    client, _ = await bare_server()
    client._stream = Failing(client._stream)
    client._is_foreign = True
    client._stream.reads = reads if reads is not None else ()
    with pytest.raises(ConnectionClosed, match="no bytes"):
        await client.receive()


@pytest.mark.parametrize("number", range(len(EXCEPTIONS)))
@pytest.mark.parametrize("operation", ["send", "receive"])
@pytest.mark.parametrize("role", ["client", "server"])
async def test_a_handshake(role: str, operation: str, number: int, autojump_clock: trio.testing.MockClock) -> None:
    near, far = trio.testing.memory_stream_pair()
    stream = FailingAtOnce(near)
    stream.faults = {operation: EXCEPTIONS[number], "close": EXCEPTIONS[number]}
    await far.send_all(REQUEST)

    async def shake() -> WebSocket:
        if role == "client":
            return await WebSocket.connect(stream, host="csms", target="/")
        return await WebSocket.accept(stream, decide=lambda request: Accept("ocpp1.6"))

    with pytest.raises(ConnectionFailed) as caught:
        await shake()
    assert isinstance(caught.value, HandshakeRefused) or caught.value.__cause__ is not None


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("what", ["resolver", "socket"])
async def test_a_resolver_or_a_socket_of_others(what: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any, **__: Any) -> Any:
        raise STRANGE[kind]()

    def fails_at_once(*_: Any, **__: Any) -> Any:
        raise STRANGE[kind]()

    if what == "resolver":
        monkeypatch.setattr(trio.socket, "getaddrinfo", fails)
    else:
        monkeypatch.setattr(trio.socket, "socket", fails_at_once)
    with pytest.raises(DialFailed):
        await open_stream(Endpoint(False, "127.0.0.1", 9, "/CP"))


@pytest.mark.parametrize("kind", STRANGE)
async def test_a_server_that_cannot_decide(kind: str) -> None:
    near, far = trio.testing.memory_stream_pair()
    await far.send_all(REQUEST)

    def fails(request: Any) -> Any:
        raise STRANGE[kind]()

    with pytest.raises(HandshakeRefused) as caught:
        await WebSocket.accept(near, decide=fails)
    assert caught.value.status == 500


async def test_cancellation_is_no_failure(autojump_clock: trio.testing.MockClock) -> None:
    near, _ = trio.testing.memory_stream_pair()
    stream = FailingAtOnce(near)
    stream.faults = {"close": EXCEPTIONS[1]}
    with trio.move_on_after(3) as scope:
        await WebSocket.connect(stream, host="csms", target="/")
    assert scope.cancelled_caught


# What may arrive

REQUEST = (
    b"GET /CP HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


def run(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """In a trio run of its own, on a clock that jumps: what waits ends by its timeout."""
    return trio.run(function, *arguments, clock=trio.testing.MockClock(autojump_threshold=0))


def built(opcode: int, payload: bytes, bits: int, is_masked: bool, announced: int | None) -> bytes:
    size = len(payload) if announced is None else announced
    return bytes([bits << 4 | opcode, is_masked << 7 | size]) + (b"\0\0\0\0" if is_masked else b"") + payload


FRAMES = st.builds(
    built,
    st.integers(0, 15),
    st.binary(max_size=20) | st.sampled_from([b"[]", b"\x03\xe8bye", b"\xff", b"\xcbH,I\xc9\x07\x00"]),
    st.sampled_from([8, 8, 8, 0, 12, 15]),
    st.booleans(),
    st.none() | st.integers(0, 127),
)


@pytest.mark.parametrize("compression", [False, True])
@given(st.lists(FRAMES | st.binary(max_size=20), max_size=20))
@SETTINGS
def test_any_frames(compression: bool, pieces: list[bytes]) -> None:
    async def receive() -> None:
        near, far = trio.testing.memory_stream_pair()
        offer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" if compression else b"\r\n"
        await far.send_all(REQUEST[:-2] + offer)
        server = await WebSocket.accept(near, decide=lambda request: Accept("ocpp1.6"), compression=True)
        server.on_binary = lambda: None
        for piece in pieces:
            await far.send_all(piece)
        await far.send_eof()
        try:
            while True:
                assert await server.receive()
        except ConnectionClosed as closed:
            assert 1000 <= closed.code <= 4999
        await server.aclose()

    run(receive)


# What our own caller may ask for


async def test_arguments_that_make_no_frame(pair: Any) -> None:
    client, server = await pair()
    for data in (b"\xff", "\ud800"):
        with pytest.raises(ValueError, match="data"):
            client.send_text(data)
    with pytest.raises(ValueError, match="payload"):
        client.send_ping(b"x" * 126)
    for code in (0, 999, 5000):
        with pytest.raises(ValueError, match="code"):
            client.send_close(code)
    client.send_text("still fine")
    client.send_close(1000, "\ud800" + "ü" * 200)
    await client.flush()
    assert await server.receive() == ["still fine"]
    with pytest.raises(ConnectionClosed) as caught:
        await server.receive()
    assert caught.value.reason.startswith("?ü")

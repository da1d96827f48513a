"""Messages and control frames between our two ends."""

import ssl
from typing import Any

import pytest
import trio
import trio.testing
import trustme

from ocpp16.errors import ConnectionClosed


async def send(websocket: Any, *messages: Any) -> None:
    for message in messages:
        websocket.send_text(message)
    await websocket.flush()


async def receive_exactly(websocket: Any, count: Any) -> Any:
    messages: list[str] = []
    while len(messages) < count:
        messages += await websocket.receive()
    return messages


@pytest.mark.parametrize("streams", [trio.testing.memory_stream_pair, trio.testing.lockstep_stream_pair])
@pytest.mark.parametrize("compression", [False, True])
@pytest.mark.parametrize("text", ["", "x", "é" * 200, "y" * 125, "y" * 126, "z" * 65535, "z" * 65536, "q" * 200_000])
async def test_a_message_arrives_whole_in_both_directions(pair: Any, streams: Any, compression: Any, text: Any) -> None:
    client, server = await pair(streams, compression=compression)
    for source, target in ((client, server), (server, client)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, source, text)
            assert await receive_exactly(target, 1) == [text]


async def test_all_messages_of_one_read_come_in_one_call(pair: Any) -> None:
    client, server = await pair()
    await send(client, *[f"[{number}]" for number in range(50)])
    assert await server.receive() == [f"[{number}]" for number in range(50)]


async def test_bytes_and_text_are_the_same_message(pair: Any) -> None:
    client, server = await pair()
    await send(client, "ä".encode(), "ä")
    assert await server.receive() == ["ä", "ä"]


async def test_compression_keeps_no_context(pair: Any) -> None:
    client, server = await pair(compression=True)
    for _ in range(3):
        await send(client, "A" * 5000)
        assert await server.receive() == ["A" * 5000]
        await send(server, "B" * 5000)
        assert await client.receive() == ["B" * 5000]


async def test_ping_is_answered_in_order_and_by_the_writer(pair: Any) -> None:
    client, server = await pair()
    pings: list[bytes] = []
    pongs: list[bytes] = []
    kicks: list[bool] = []
    server.on_ping = pings.append
    server.on_unsent = lambda: kicks.append(True)
    client.on_pong = pongs.append
    client.send_ping(b"first")
    client.send_ping(b"")
    await send(client, "text")
    assert await server.receive() == ["text"]
    assert pings == [b"first", b""]
    assert kicks == [True]
    assert server.unsent
    await server.flush()
    await send(server, "reply")
    assert not server.unsent
    assert await client.receive() == ["reply"]
    assert pongs == [b"first", b""]


async def test_a_peer_that_pings_and_never_reads_does_not_fill_the_memory(pair: Any) -> None:
    client, server = await pair()
    for _ in range(3000):
        client.send_ping(b"p" * 100)
    await send(client, "end")
    await receive_exactly(server, 1)
    assert len(server._outgoing) < 17_000


async def test_deaf_peer(pair: Any) -> None:
    client, server = await pair()
    server.answers_pings = False
    client.send_ping(b"?")
    await send(client, "text")
    await server.receive()
    assert not server.unsent


async def test_regular_close_by_either_end(pair: Any) -> None:
    for closer in (0, 1):
        ends = await pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends[closer].aclose, 1001, "maintenance")
            with pytest.raises(ConnectionClosed) as caught:
                await ends[1 - closer].receive()
            assert (caught.value.code, caught.value.reason) == (1001, "maintenance")
            assert not ends[1 - closer].is_open
            await ends[1 - closer].aclose()
        with pytest.raises(ConnectionClosed) as caught:
            await ends[closer].receive()
        assert caught.value.code == 1001, "the echo repeats the code"


async def test_messages_before_the_close_frame_are_not_lost(pair: Any) -> None:
    client, server = await pair()
    server.send_text("last words")
    server.send_close(1000)
    await server.flush()
    assert await client.receive() == ["last words"]
    with pytest.raises(ConnectionClosed):
        await client.receive()
    with pytest.raises(ConnectionClosed):
        await client.receive()


@pytest.mark.parametrize("what", ["on_end", "on_ping"])
async def test_an_end_is_told_also_where_what_was_called_raised(pair: Any, what: str) -> None:
    client, server = await pair()

    def raises(*_: Any) -> None:
        raise ZeroDivisionError

    setattr(client, what, raises)
    server.send_ping()
    server.send_close()
    await server.flush()
    with pytest.raises(ZeroDivisionError):
        await client.receive()
    setattr(client, what, None)
    if what == "on_ping":
        client.abort()
    for _ in range(2):
        with pytest.raises(ConnectionClosed):
            await client.receive()


async def test_nothing_is_sent_after_a_close(pair: Any) -> None:
    client, _ = await pair()
    client.send_close(1000)
    assert not client.is_open
    with pytest.raises(ConnectionClosed):
        client.send_text("too late")
    with pytest.raises(ConnectionClosed):
        client.send_ping()
    client.send_close(1001)
    await client.flush()


async def test_messages_still_arrive_while_we_wait_for_the_close_echo(pair: Any) -> None:
    client, server = await pair()
    client.send_close(1000)
    await client.flush()
    await send(server, "crossing")
    assert await client.receive() == ["crossing"]


async def test_end_of_the_stream_is_1006(pair: Any) -> None:
    client, server = await pair()
    server.abort()
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1006
    with pytest.raises(ConnectionClosed) as caught:
        await server.receive()
    assert (caught.value.code, caught.value.reason) == (1006, "aborted")
    assert server.flush_now()
    await server.flush()


@pytest.mark.parametrize("size", [99, 100, 101])
@pytest.mark.parametrize("letter", ["a", "é"])
@pytest.mark.parametrize("compression", [False, True])
async def test_size_limit_counts_bytes_of_utf8(pair: Any, size: Any, letter: Any, compression: Any) -> None:
    client, server = await pair(max_message_size=100, compression=compression)
    text = letter * (size // len(letter.encode())) + "x" * (size % len(letter.encode()))
    await send(client, text)
    if size <= 100:
        assert await server.receive() == [text]
        return
    with pytest.raises(ConnectionClosed) as caught:
        await server.receive()
    assert caught.value.code == 1009
    await server.flush()
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1009


async def test_limit_is_for_each_message_not_for_the_connection(pair: Any) -> None:
    client, server = await pair(max_message_size=100)
    await send(client, *["x" * 100] * 5)
    assert len(await receive_exactly(server, 5)) == 5


async def test_a_small_frame_that_inflates_enormously_is_cut_off(pair: Any) -> None:
    client, server = await pair(max_message_size=10_000, compression=True)
    await send(client, "0" * 50_000_000)
    with pytest.raises(ConnectionClosed) as caught:
        await server.receive()
    assert caught.value.code == 1009


class OneByte(trio.abc.Stream):
    """A stream of somebody else's making, which hands out single bytes."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def receive_some(self, max_bytes: Any = None) -> Any:
        return await self.inner.receive_some(1)

    async def send_all(self, data: Any) -> None:
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self.inner.aclose()


class Deaf(OneByte):
    """Reads on, and for ever, when it is closed."""

    async def receive_some(self, max_bytes: Any = None) -> Any:
        try:
            return await super().receive_some(max_bytes)
        except trio.ClosedResourceError:
            await trio.sleep_forever()


@pytest.mark.parametrize("kind", [OneByte, Deaf])
async def test_abort_of_a_foreign_stream_wakes_its_reader(autojump_clock: Any, pair: Any, kind: Any) -> None:
    def streams() -> Any:
        left, right = trio.testing.memory_stream_pair()
        return kind(left), right

    client, _ = await pair(streams)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:

            async def read() -> None:
                with pytest.raises(ConnectionClosed) as caught:
                    await client.receive()
                assert caught.value.reason == "pong overdue"

            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            client.abort("pong overdue")


def under_tls(inner: Any, right: Any) -> Any:
    authority = trustme.CA()
    contexts = [ssl.SSLContext(protocol) for protocol in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)]
    authority.configure_trust(contexts[0])
    authority.issue_cert("csms").configure_cert(contexts[1])
    return (
        trio.SSLStream(inner, contexts[0], server_hostname="csms"),
        trio.SSLStream(right, contexts[1], server_side=True),
    )


def as_one(inner: Any, right: Any) -> Any:
    return trio.StapledStream(inner, inner), right


@pytest.mark.parametrize("wrapped", [as_one, under_tls])
async def test_so_does_that_of_one_inside_of_trios_own(autojump_clock: Any, pair: Any, wrapped: Any) -> None:
    def streams() -> Any:
        left, right = trio.testing.memory_stream_pair()
        return wrapped(Deaf(left), right)

    client, _ = await pair(streams)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:

            async def read() -> None:
                with pytest.raises(ConnectionClosed, match="pong overdue"):
                    await client.receive()

            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            client.abort("pong overdue")


class AfterFirstStep(trio.abc.Instrument):
    """Calls a function when the task that is told for the first time has come to its first wait."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.task: Any = None

    def after_task_step(self, task: Any) -> None:
        if task is self.task:
            self.task = None
            self.call()


async def test_abort_in_the_moment_before_a_read_of_a_foreign_stream(autojump_clock: Any, pair: Any) -> None:
    """There is no read to cancel yet, and none may begin."""

    def streams() -> Any:
        left, right = trio.testing.memory_stream_pair()
        return Deaf(left), right

    client, _ = await pair(streams)
    instrument = AfterFirstStep(lambda: client.abort("pong overdue"))
    trio.lowlevel.add_instrument(instrument)
    instrument.task = trio.lowlevel.current_task()
    try:
        with trio.fail_after(30), pytest.raises(ConnectionClosed, match="pong overdue"):
            await client.receive()
    finally:
        trio.lowlevel.remove_instrument(instrument)


async def test_byte_by_byte(pair: Any) -> None:
    def streams() -> Any:
        left, right = trio.testing.memory_stream_pair()
        return OneByte(left), OneByte(right)

    client, server = await pair(streams)
    client.send_ping(b"p")
    await send(client, "one", "zwölf" * 60)
    assert await receive_exactly(server, 2) == ["one", "zwölf" * 60]
    await server.flush()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.aclose)
        with pytest.raises(ConnectionClosed) as caught:
            await client.receive()
        await client.aclose()
    assert caught.value.code == 1000


async def test_two_readers_or_two_flushes_are_a_mistake_of_the_caller(pair: Any) -> None:
    client, _ = await pair(trio.testing.lockstep_stream_pair)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.receive)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await client.receive()
        client.send_text("x")
        nursery.start_soon(client.flush)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await client.flush()
        nursery.cancel_scope.cancel()

"""The door: how many connections there are, and that none of them has longer than it may."""

from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.web import door
from ocpp16.web.door import LONGEST_HEAD, MOST_CONNECTIONS, PATIENCE


async def test_a_slow_head_and_a_slow_body_are_waited_for_so_long(
    autojump_clock: trio.testing.MockClock, place: Any
) -> None:
    async with place() as here:
        began = trio.current_time()
        stream = here.connect()
        await stream.send_all(b"GET / HTTP/1.1\r\n")
        assert await stream.receive_some() == b""
        assert trio.current_time() - began <= PATIENCE + 1
        began = trio.current_time()
        stream = here.connect()
        head = b"POST /api/command HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-token-of-these-tests\r\n"
        await stream.send_all(head + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        answer = b""
        with trio.move_on_after(100):
            async with trio.open_nursery() as nursery:

                async def drip() -> None:
                    for _ in range(100):
                        await stream.send_all(b" ")
                        await trio.sleep(0.9)

                nursery.start_soon(drip)
                answer = await stream.receive_some()
                nursery.cancel_scope.cancel()
        assert answer.startswith(b"HTTP/1.1 408")
        assert trio.current_time() - began <= PATIENCE + 2
        await stream.aclose()


async def test_a_head_that_is_too_long(autojump_clock: trio.testing.MockClock, place: Any) -> None:
    async with place() as here:
        answer = await here.ask("/", headers={"X": "x" * (LONGEST_HEAD + 200_000)})
        assert answer.status == 431
        stream = here.connect()
        await stream.send_all(b"\x00\x01 nonsense\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 400")


async def test_other_protocols_are_not_spoken(autojump_clock: trio.testing.MockClock, place: Any) -> None:
    async with place() as here:
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        answer = await here.ask("/api/stream", headers={**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        assert answer.status in (400, 403)
        stream = here.connect()
        await stream.send_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9) + b"\x00" * 200)
        with trio.fail_after(60):
            while await stream.receive_some():
                pass
        assert (await here.ask("/")).status == 200


async def test_there_are_only_so_many_connections_and_who_asks_comes_before_who_does_not(
    autojump_clock: trio.testing.MockClock, place: Any
) -> None:
    async with place() as here:
        held = [here.connect() for _ in range(MOST_CONNECTIONS)]
        await trio.testing.wait_all_tasks_blocked()
        assert here.door.connections == MOST_CONNECTIONS
        page = await here.looks().begin()
        assert await held[0].receive_some() == b"", "the oldest made room"
        held += [here.connect() for _ in range(2 * MOST_CONNECTIONS)]
        await trio.testing.wait_all_tasks_blocked()
        assert here.door.connections == MOST_CONNECTIONS
        assert (await here.ask("/")).status == 200
        assert len(here.panel.feed.pages) == 1, "who looks was left in peace"
        for stream in held:
            await stream.aclose()
        await page.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert here.door.connections == 0


async def test_if_all_connections_are_in_work_one_more_is_closed(
    autojump_clock: trio.testing.MockClock, place: Any
) -> None:
    async with place() as here:
        stuck = [_Stuck() for _ in range(MOST_CONNECTIONS)]
        for stream in stuck:
            here.nursery.start_soon(here.door.serve, stream)
        for stream in stuck:
            await stream.is_sending.wait()
        assert await here.connect().receive_some() == b""
        assert here.door.connections == MOST_CONNECTIONS
        await stuck[0].aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert (await here.ask("/style.css")).status == 200
        for stream in stuck:
            await stream.aclose()


async def test_a_page_that_does_not_read_ends_with_the_program_and_before(
    autojump_clock: trio.testing.MockClock, place: Any
) -> None:
    async with place() as here:
        stuck = _Stuck()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.door.serve, stuck)
            await stuck.is_sending.wait()
            assert here.door.connections == 1
            try:
                with trio.fail_after(3 * PATIENCE):
                    while here.door.connections:  # noqa: ASYNC110 - nothing tells of it
                        await trio.sleep(0.5)
            finally:
                await stuck.aclose()
        stuck = _Stuck()
        here.nursery.start_soon(here.door.serve, stuck)
        await stuck.is_sending.wait()
        began = trio.current_time()
    assert trio.current_time() - began < 1, "the block ended at once, with the page still stuck"
    assert stuck.is_closed


async def test_who_reads_slowly_gets_all(
    autojump_clock: trio.testing.MockClock, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PIECE", 2_000)
    async with place() as here:
        slow = _Slow()
        await here.door.serve(slow)
        assert slow.taken.endswith((await here.ask("/style.css")).body)
        assert slow.seconds > 2 * PATIENCE


class _Stuck(trio.abc.HalfCloseableStream):
    """Asks for the page, and takes nothing of it."""

    def __init__(self) -> None:
        self.is_sending = trio.Event()
        self._closed = trio.Event()
        self._asked = [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    async def send_all(self, data: Any) -> None:
        self.is_sending.set()
        await self._closed.wait()
        raise trio.ClosedResourceError

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        if self._asked:
            return self._asked.pop()
        await self._closed.wait()
        raise trio.ClosedResourceError

    async def aclose(self) -> None:
        self._closed.set()
        await trio.lowlevel.checkpoint()


class _Slow(_Stuck):
    """Asks for a file, and takes 400 bytes of it in a second."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = [b"GET /style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]
        self.taken = b""
        self.seconds = 0.0

    async def send_all(self, data: Any) -> None:
        took = len(data) / 400
        await trio.sleep(took)
        self.seconds += took
        self.taken += bytes(data)

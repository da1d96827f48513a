"""The door and the guard before the application: who is let in, and that nobody who is not does harm."""

import logging
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.web import door
from ocpp16.web.door import LONGEST_HEAD, MOST_CONNECTIONS, PATIENCE
from ocpp16.web.guard import MOST_REQUESTS
from ocpp16.web.panel import Panel
from ocpp16.web.site import LONGEST_BODY, MOST_PAGES

JSON = {"Content-Type": "application/json"}


async def test_the_page_and_its_files_hold_no_secret_and_are_for_everybody_who_was_meant(
    autojump_clock: trio.testing.MockClock, place: Any
) -> None:
    async with place() as here:
        for path, kind in (("/", "text/html"), ("/style.css", "text/css"), ("/main.js", "text/javascript")):
            answer = await here.ask(path, headers={"Authorization": None})
            assert answer.status == 200
            assert answer.headers["content-type"].startswith(kind)
            assert b"a-token-of-these-tests" not in answer.body
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "access-control-allow-origin" not in answer.headers
            assert "server" not in answer.headers


@pytest.mark.parametrize("path", ["/api/state", "/api/stream", "/api/rows", "/api/trace", "/api/curves", "/api/other"])
@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer ", "Bearer a-token-of-these-test", "bearer a-token-of-these-tests", "Basic YTpi"],
)
async def test_without_the_token_there_is_nothing(
    autojump_clock: trio.testing.MockClock, place: Any, path: str, given: str | None
) -> None:
    async with place() as here:
        answer = await here.ask(path, headers={"Authorization": given})
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert b"cp001" not in answer.body


async def test_a_command_needs_the_token_too_and_then_nothing_was_done(
    autojump_clock: trio.testing.MockClock, place: Any
) -> None:
    async with place() as here:
        body = b'{"do": "plug_in", "arguments": {"connector": 1}}'
        for headers in ({"Authorization": None}, {"Authorization": "Bearer x"}, {"Origin": "http://evil.example"}):
            assert (await here.ask("/api/command", "POST", {**JSON, **headers}, body)).status in (401, 403)
        assert here.station.evse(1).car is None
        assert (await here.ask("/api/command", "POST", JSON, body)).status == 200
        assert here.station.evse(1).car is not None


@pytest.mark.parametrize(
    ("host", "is_meant"),
    [
        ("127.0.0.1:8080", True),
        ("127.0.0.1", True),
        ("localhost:8080", True),
        ("LOCALHOST", True),
        ("[::1]:8080", True),
        ("192.0.2.7:1", True),
        ("panel.example:8080", True),
        ("evil.example:8080", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example@127.0.0.1", False),
        ("[::1", False),
        ("127.0.0.1:80:80", False),
        ("127.0.0.1:x", False),
        ("", False),
    ],
)
async def test_only_who_was_meant_answers(
    autojump_clock: trio.testing.MockClock, place: Any, host: str, is_meant: bool
) -> None:
    async with place() as here:
        assert (await here.ask("/", headers={"Host": host})).status == (200 if is_meant else 403)
        assert (await here.ask("/api/rows", headers={"Host": host})).status == (200 if is_meant else 403)


async def test_without_a_host_or_with_two_nobody_is_meant(autojump_clock: trio.testing.MockClock, place: Any) -> None:
    async with place() as here:
        stream = here.connect()
        await stream.send_all(b"GET / HTTP/1.0\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 403")
        stream = here.connect()
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert (await stream.receive_some()).startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:8080"}, 200),
        ({"Origin": "http://127.0.0.1:8081"}, 403),
        ({"Origin": "https://127.0.0.1:8080"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_pages_of_others_get_nothing(
    autojump_clock: trio.testing.MockClock, place: Any, headers: dict[str, str], status: int
) -> None:
    async with place() as here:
        for path in ("/", "/api/rows"):
            assert (await here.ask(path, headers=headers)).status == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/state", 405),
        ("DELETE", "/api/command", 405),
        ("GET", "/api/command", 405),
        ("OPTIONS", "/api/command", 405),
        ("TRACE", "/", 405),
        ("PUT", "/style.css", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../panel.py", 404),
        ("GET", "/%2e%2e%2fpanel.py", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/rows?after=-1", 400),
        ("GET", "/api/rows?after=1e9", 400),
        ("GET", "/api/rows?most=100000", 400),
        ("GET", "/api/curves?connector=99", 409),
        ("GET", "/api/curves?unit=kW", 400),
        ("GET", "/api/curves?duration=999999999", 400),
    ],
)
async def test_what_is_not_there(
    autojump_clock: trio.testing.MockClock, place: Any, method: str, path: str, status: int
) -> None:
    async with place() as here:
        assert (await here.ask(path, method)).status == status


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b'{"do": "heartbeat"}', 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"do=heartbeat", 415),
        ({}, b'{"do": "heartbeat"}', 415),
        (JSON, b"{", 400),
        (JSON, b"\xff\xfe", 400),
        (JSON, b"[" * 100_000, 400),
        (JSON, b'{"do": "data_transfer", "arguments": {"data": "' + b"x" * LONGEST_BODY + b'"}}', 413),
    ],
)
async def test_bodies_that_are_none_of_a_command(
    autojump_clock: trio.testing.MockClock, place: Any, headers: Any, body: bytes, status: int
) -> None:
    async with place() as here:
        assert (await here.ask("/api/command", "POST", headers, body)).status == status
        assert (await here.do("status"))["ok"] is True


@pytest.mark.parametrize(
    "asked", [b"[]", b"null", b"{}", b'{"do": 1}', b'{"do": "status", "words": []}', b'{"do": "fly"}']
)
async def test_what_is_no_command_is_said(autojump_clock: trio.testing.MockClock, place: Any, asked: bytes) -> None:
    async with place() as here:
        answer = await here.ask("/api/command", "POST", JSON, asked)
        assert answer.status == 200
        assert answer.json["ok"] is False
        assert answer.json["error"]


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


async def test_there_are_only_so_many_pages(autojump_clock: trio.testing.MockClock, place: Any) -> None:
    async with place() as here:
        looking = [await here.looks().begin() for _ in range(MOST_PAGES - 1)]
        two = [here.looks(), here.looks()]
        for page in two:  # at the same time
            await page.send()
        assert sorted([(await page.stream.receive_some())[9:12] for page in two]) == [b"200", b"503"]
        answer = await here.ask("/api/stream")
        assert answer.status == 503
        assert b"16 pages" in answer.body
        await looking[0].stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert len(here.panel.feed.pages) == MOST_PAGES - 1
        await (await here.looks().begin()).stream.aclose()


async def test_there_are_only_so_many_requests(autojump_clock: trio.testing.MockClock, place: Any) -> None:
    async with place() as here:
        guard = here.door._app.app
        guard._requests = MOST_REQUESTS
        assert (await here.ask("/")).status == 503
        guard._requests = 0
        assert (await here.ask("/")).status == 200
        await trio.testing.wait_all_tasks_blocked()
        assert guard._requests == 0


async def test_what_a_request_raises_is_answered_and_logged_and_ends_nothing(
    autojump_clock: trio.testing.MockClock,
    place: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(self: Panel) -> Any:
        raise RuntimeError("broken")

    async with place() as here:
        monkeypatch.setattr(Panel, "state", broken)
        with caplog.at_level(logging.ERROR, "ocpp16"):
            assert (await here.ask("/api/state")).status == 500
            await trio.testing.wait_all_tasks_blocked()
        assert "a request failed: RuntimeError: broken" in caplog.text
        assert (await here.do("status"))["ok"] is True
        assert here.charge_point.is_running


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
                    while here.door.connections:  # noqa: ASYNC110
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

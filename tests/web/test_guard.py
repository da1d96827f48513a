"""The guard before the application: who is let in, and that nobody who is not does harm."""

import logging
from typing import Any

import pytest
import trio
import trio.testing

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

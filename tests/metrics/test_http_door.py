"""The door for Prometheus, by a stream in memory on the virtual clock, and attacked."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from ocpp16.metrics.http_door import (
    LONGEST_HEAD,
    MOST_CONNECTIONS,
    MOST_IGNORED,
    REQUEST_TIMEOUT,
    MetricsDoor,
    serve_metrics,
)
from ocpp16.metrics.prometheus import ChargePointCollector

GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Failing(ChargePointCollector):
    """Cannot collect."""

    def collect(self) -> Any:
        raise RuntimeError("broken")


class Door:
    """A door that is open. `ended` are those that it has closed."""

    def __init__(self, nursery: trio.Nursery, collector: ChargePointCollector | None = None) -> None:
        self._door = MetricsDoor(collector or ChargePointCollector([]))
        self._nursery = nursery
        self.ended = 0

    def connect(self) -> Any:
        """The client's end of a new connection."""
        mine, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._serve, theirs)
        return mine

    async def _serve(self, stream: Any) -> None:
        await self._door.serve(stream)
        self.ended += 1

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; the connection is closed after them."""
        stream = self.connect()
        await stream.send_all(request)
        answer = await everything(stream)
        await stream.aclose()
        return split(answer)


async def everything(stream: Any) -> bytes:
    """What comes until the other end closes."""
    found = b""
    while more := await stream.receive_some():
        found += more
    return found


async def as_long_as_it_takes(stream: Any, data: bytes, size: int, pause: float) -> int:
    """Send it in pieces; returns how much was taken until the other end had closed."""
    for start in range(0, len(data), size):
        try:
            await stream.send_all(data[start : start + size])
        except trio.BrokenResourceError:
            return start
        await trio.sleep(pause)
    raise AssertionError("all was taken")


def split(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


async def with_door(work: Callable[[Door], Any], collector: ChargePointCollector | None = None) -> None:
    """All that was opened must have ended when the test is done."""
    async with trio.open_nursery() as nursery:
        await work(Door(nursery, collector))


async def test_a_scrape(autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        for target in (b"/metrics", b"/metrics?name=x"):
            status, headers, body = await door.ask(GET.replace(b"/metrics", target))
            assert status == 200
            assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert int(headers["content-length"]) == len(body)
            assert headers["connection"] == "close"
            names = {family.name for family in text_string_to_metric_families(body.decode())}
            assert "ocpp16_charge_points" in names
        assert trio.current_time() < 1

    await with_door(work)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /metrics HTTP/1.1\r\nHost: metrics.example\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\nHost: metrics.example:9100\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost.example\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\nHost:\r\n\r\n", 403),
        (b"GET http://x/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 404),
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405),
        (b"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"CONNECT /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET /metrics HTTX/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"garbage\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"\xff" * (LONGEST_HEAD + 1), 400),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 2 * LONGEST_HEAD + b"\r\n\r\n", 400),
    ],
)
async def test_what_is_no_scrape_is_told_so(
    request_: bytes, status: int, autojump_clock: trio.testing.MockClock
) -> None:
    async def work(door: Door) -> None:
        found, headers, body = await door.ask(request_)
        assert found == status
        assert len(body) == int(headers["content-length"]) < 40
        assert (headers.get("allow") == "GET") is (status == 405)
        assert (await door.ask(GET))[0] == 200, "the next one is served"

    await with_door(work)


async def test_head_has_no_body(autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        status, _, body = await door.ask(GET.replace(b"GET", b"HEAD"))
        assert (status, body) == (405, b"")

    await with_door(work)


async def test_what_cannot_be_collected_is_logged_and_told(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(door: Door) -> None:
        with caplog.at_level(logging.ERROR, "ocpp16"):
            for _ in range(3):
                status, _, body = await door.ask(GET)
                assert (status, body) == (500, b"see the log\n")
        assert caplog.messages == ["metrics: cannot be collected: RuntimeError: broken"], "once"

    await with_door(work, Failing([]))


@pytest.mark.parametrize("begun", [b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"])
async def test_who_is_slow_is_cut_off(begun: bytes, autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        stream = door.connect()
        await stream.send_all(begun)
        assert await everything(stream) == b""
        assert trio.current_time() == pytest.approx(REQUEST_TIMEOUT)

    await with_door(work)


async def test_a_trickle_buys_no_time(autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        stream = door.connect()
        sent = await as_long_as_it_takes(stream, GET[:-2] + b"A: " + b"x" * 100, 1, 0.5)
        assert sent <= 2 * REQUEST_TIMEOUT + 1
        assert trio.current_time() == pytest.approx(REQUEST_TIMEOUT, abs=1)

    await with_door(work)


async def test_who_does_not_read_is_cut_off(autojump_clock: trio.testing.MockClock) -> None:
    mine, theirs = trio.testing.memory_stream_pair()
    theirs.send_stream.send_all_hook = trio.sleep_forever
    await mine.send_all(GET)
    await MetricsDoor(ChargePointCollector([])).serve(theirs)
    assert trio.current_time() == pytest.approx(REQUEST_TIMEOUT)


async def test_who_sends_on_is_read_for_a_while_only(autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        stream = door.connect()
        await stream.send_all(GET)
        sent = await as_long_as_it_takes(stream, bytes(10 * MOST_IGNORED), 1000, 0.001)
        assert MOST_IGNORED / 2 < sent < 2 * MOST_IGNORED
        assert trio.current_time() < 1

    await with_door(work)


@pytest.mark.parametrize("sent", [b"", b"GET", GET])
async def test_who_leaves_at_once_harms_nobody(sent: bytes, autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        for _ in range(2 * MOST_CONNECTIONS):
            stream = door.connect()
            await stream.send_all(sent)
            await stream.aclose()
            await trio.testing.wait_all_tasks_blocked()
        assert door.ended == 2 * MOST_CONNECTIONS
        assert trio.current_time() < 1
        assert (await door.ask(GET))[0] == 200

    await with_door(work)


async def test_connections_are_bounded_and_come_free_again(autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        held = [door.connect() for _ in range(MOST_CONNECTIONS)]
        await trio.testing.wait_all_tasks_blocked()
        assert await everything(door.connect()) == b"", "closed at once"
        assert trio.current_time() < 1
        await held[0].send_all(GET)
        assert (await held[0].receive_some()).startswith(b"HTTP/1.1 200 ")
        await held[0].aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert (await door.ask(GET))[0] == 200
        await trio.sleep(REQUEST_TIMEOUT + 1)
        assert door.ended == MOST_CONNECTIONS + 2, "nobody keeps one"

    await with_door(work)


async def test_a_stream_that_fails_ends_only_itself(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    mine, theirs = trio.testing.memory_stream_pair()

    def broken() -> None:
        raise ValueError("strange")

    theirs.receive_stream.receive_some_hook = broken  # type: ignore[assignment]
    await mine.send_all(GET)
    with caplog.at_level(logging.ERROR, "ocpp16"):
        await MetricsDoor(ChargePointCollector([])).serve(theirs)
    assert caplog.messages == ["metrics: a request failed: ValueError: strange"]


_PIECES = (
    b"GET",
    b"HEAD",
    b"CONNECT",
    b" ",
    b"/metrics",
    b"*",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"\r\n",
    b"Host: localhost\r\n",
)
_MORE = (
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"\0",
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from((*_PIECES, *_MORE, GET, GET[:-2])) | st.binary(max_size=8), max_size=8).map(b"".join))
def test_garbage_is_answered_or_cut_off(caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    async def work(door: Door) -> None:
        stream = door.connect()
        await stream.send_all(sent)
        answer = await everything(stream)
        await stream.aclose()
        assert answer == b"" or split(answer)[0] in {200, 400, 404, 405}
        assert (await door.ask(GET))[0] == 200

    trio.run(with_door, work, clock=trio.testing.MockClock(autojump_threshold=0))
    assert caplog.messages == []


@pytest.mark.world
@pytest.mark.real_time
async def test_it_listens_on_loopback_alone_until_it_is_cancelled() -> None:
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_metrics, [], 0)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(GET)
            with trio.fail_after(30):
                assert split(await everything(stream))[0] == 200
        with pytest.raises(OSError, match=r"already in use|in use"):
            await trio.open_tcp_listeners(port, host="127.0.0.1")
        for other in await trio.open_tcp_listeners(port, host="127.0.0.2"):  # not taken: it is no wildcard
            await other.aclose()
        nursery.cancel_scope.cancel()
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream("127.0.0.1", port)


@pytest.mark.parametrize("name", [b"localhost", b"LocalHost:9100", b"127.0.0.1", b"127.0.0.1:9100"])
async def test_it_has_the_names_of_this_machine(name: bytes, autojump_clock: trio.testing.MockClock) -> None:
    async def work(door: Door) -> None:
        assert (await door.ask(GET.replace(b"localhost", name)))[0] == 200
        assert (await door.ask(b"GET /metrics HTTP/1.0\r\n\r\n"))[0] == 200, "HTTP/1.0 need not say a name"

    await with_door(work)

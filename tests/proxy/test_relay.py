"""What a proxy passes on: texts as they are, identities, headers, subprotocols, refusals, close codes; and how fast."""

from base64 import b64encode
from typing import Any

import pytest
import trio

from ocpp16.errors import ConfigurationError, ConnectionClosed, HandshakeRefused
from ocpp16.proxy import Kind, open_proxy
from ocpp16.transport.websocket import Accept, Reject
from tests.proxy.conftest import Opened

TEXTS = [
    '[2,"1","Heartbeat",{}]',
    '[ 2 , "ä\\u00e4🔌" ,"X",{"a":1e2, "b":  null}]',
    "no frame at all",
    "",
    "x" * 200_000,
]


async def say(websocket: Any, *texts: str) -> None:
    for text in texts:
        websocket.send_text(text)
        await websocket.flush()


async def hear(websocket: Any, count: int) -> list[str]:
    found: list[str] = []
    with trio.fail_after(10):
        while len(found) < count:
            found += await websocket.receive()
    return found


async def ending(websocket: Any) -> tuple[int, str]:
    with trio.fail_after(1000):
        while True:
            try:
                await websocket.receive()
            except ConnectionClosed as closed:
                return closed.code, closed.reason


async def test_texts_pass_as_they_are_in_both_directions(between: Opened) -> None:
    async with between() as found:
        ours = await found.connect()
        theirs = found.theirs[0]
        await say(ours, *TEXTS)
        assert await hear(theirs, len(TEXTS)) == TEXTS
        await say(theirs, *TEXTS)
        assert await hear(ours, len(TEXTS)) == TEXTS
        assert found.told(Kind.FRAME) == TEXTS * 2
        assert [happening.way for happening in found.happenings if happening.kind is Kind.FRAME] == (
            ["sent"] * 5 + ["received"] * 5
        )


@pytest.mark.parametrize(
    ("path", "target", "identity"),
    [
        ("/CP1", "/ocpp/CP1", "CP1"),
        ("/some/where/CP1", "/ocpp/CP1", "CP1"),
        ("/CP%201%2Fa", "/ocpp/CP%201%2Fa", "CP 1/a"),
        ("/CP%C3%A4", "/ocpp/CP%C3%A4", "CPä"),
        ("/CP%", "/ocpp/CP%", "CP%"),
        ("/CP1/?key=a%20b", "/ocpp/CP1?key=a%20b", "CP1"),
    ],
)
async def test_the_identity_goes_on_as_it_was_written(between: Opened, path: str, target: str, identity: str) -> None:
    async with between() as found:
        await found.connect(path)
        assert [request.target for request in found.requests] == [target]
        assert found.happenings[0].identity == identity


async def test_credentials_and_headers_go_on_and_are_not_told(between: Opened, tmp_path: Any) -> None:
    secret = b64encode(b"CP1:open sesame").decode()
    headers = [
        ("Authorization", f"Basic {secret}"),
        ("User-Agent", "station/2"),
        ("X-Site", "Straße"),
        ("Cookie", "c=1"),
    ]
    async with between(trace=tmp_path / "trace.jsonl") as found:
        found.decide = lambda request: Reject(401, f"not you, Basic {secret}")
        with pytest.raises(HandshakeRefused) as refused:
            await found.connect(headers=headers)
        assert refused.value.status == 401
        passed = dict(found.requests[0].headers)
        assert (passed["authorization"], passed["user-agent"], passed["x-site"]) == (
            f"Basic {secret}",
            "station/2",
            "Straße".encode().decode("latin-1"),
        )
        assert "cookie" not in passed
        await trio.testing.wait_all_tasks_blocked()
        (told,) = found.told(Kind.REFUSED)
        assert "401" in told
        assert secret not in told
        assert secret not in refused.value.body


@pytest.mark.parametrize("chosen", ["ocpp1.6", "ocpp2.0.1", None])
async def test_the_subprotocol_is_the_choice_of_the_central_system(between: Opened, chosen: str | None) -> None:
    async with between() as found:
        found.decide = lambda request: Accept(chosen)
        ours = await found.connect(subprotocols=("ocpp2.0.1", "ocpp1.6"), require_subprotocol=False)
        assert found.requests[0].subprotocols == ("ocpp2.0.1", "ocpp1.6")
        assert ours.subprotocol == chosen


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500, 503])
async def test_refusals_are_passed_back(between: Opened, status: int) -> None:
    async with between() as found:
        found.decide = lambda request: Reject(status, "because", (("Retry-After", "17"),))
        with pytest.raises(HandshakeRefused) as refused:
            await found.connect()
        assert (refused.value.status, refused.value.body, refused.value.retry_after) == (status, "because", 17)
        assert found.proxy.connected == 0


async def test_a_central_system_that_is_away_is_a_bad_gateway_and_comes_back(between: Opened) -> None:
    async with between() as found:
        found.is_reachable = False
        with pytest.raises(HandshakeRefused) as refused:
            await found.connect()
        assert refused.value.status == 502
        assert "nobody is there" in refused.value.body
        found.is_reachable = True
        await say(await found.connect(), "hello")
        assert await hear(found.theirs[0], 1) == ["hello"]


async def test_a_path_without_identity_is_not_found(between: Opened) -> None:
    async with between() as found:
        for target in ("/", "/%20", "/" + "x" * 1001):
            with pytest.raises(HandshakeRefused) as refused:
                await found.connect(target)
            assert refused.value.status == 404
        assert not found.requests


async def test_who_finds_no_room_is_told_to_come_later(between: Opened) -> None:
    async with between(most_connections=1) as found:
        first = await found.connect()
        found.nursery.start_soon(ending, found.theirs[0])
        with pytest.raises(HandshakeRefused) as refused:
            await found.connect("/CP2")
        assert (refused.value.status, refused.value.retry_after) == (503, 10)
        await first.aclose()
        await trio.testing.wait_all_tasks_blocked()
        await found.connect("/CP2")


async def test_who_never_says_what_it_wants_takes_no_more_than_its_room(between: Opened) -> None:
    async with between(most_connections=3) as found:
        silent = [await found.connector(None) for _ in range(4)]  # type: ignore[arg-type]
        assert await silent[3].receive_some() == b""
        await trio.sleep(100)
        assert [await stream.receive_some() for stream in silent[:3]] == [b""] * 3
        await found.connect()
        assert found.proxy.connected == 1


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 3000, 4321])
@pytest.mark.parametrize("is_ours", [True, False])
async def test_close_codes_go_both_ways(between: Opened, code: int, is_ours: bool) -> None:
    async with between() as found:
        ours, theirs = await found.connect(), found.theirs[0]
        closing, other = (ours, theirs) if is_ours else (theirs, ours)
        await say(closing, "last words")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(closing.aclose, code, "enough")
            assert await hear(other, 1) == ["last words"]
            assert await ending(other) == (code, "enough")
        await trio.testing.wait_all_tasks_blocked()
        assert found.proxy.connected == 0
        who = "charge point" if is_ours else "Central System"
        assert found.told(Kind.CLOSED) == [f"{who}: {code} enough"]


@pytest.mark.parametrize("is_ours", [True, False])
async def test_a_connection_that_breaks_breaks_the_other(between: Opened, is_ours: bool) -> None:
    async with between() as found:
        ours, theirs = await found.connect(), found.theirs[0]
        broken, other = (ours, theirs) if is_ours else (theirs, ours)
        broken.abort()
        assert (await ending(other))[0] == 1006


async def test_pings_are_answered_on_each_side_and_do_not_pass(between: Opened) -> None:
    async with between(ping_interval=0) as found:
        ours, theirs = await found.connect(), found.theirs[0]
        for asking, other in ((ours, theirs), (theirs, ours)):
            pongs: list[bytes] = []
            pings: list[bytes] = []
            asking.on_pong, other.on_ping = pongs.append, pings.append
            asking.send_ping(b"are you there")
            await asking.flush()
            with trio.move_on_after(1):
                await asking.receive()
            with trio.move_on_after(1):
                await other.receive()
            assert (pongs, pings) == ([b"are you there"], [])


@pytest.mark.parametrize("is_ours", [True, False])
async def test_a_peer_that_is_gone_without_a_word_is_noticed(between: Opened, is_ours: bool) -> None:
    async with between(ping_interval=60) as found:
        ours, theirs = await found.connect(), found.theirs[0]
        deaf, other = (ours, theirs) if is_ours else (theirs, ours)
        deaf.answers_pings = False
        began = trio.current_time()

        async def read_on() -> None:
            assert (await ending(deaf))[0] == 1006

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read_on)
            assert (await ending(other))[0] == 1006
        assert 60 <= trio.current_time() - began <= 95
        await trio.sleep(5)
        assert "did not answer a ping" in found.told(Kind.CLOSED)[0]


async def test_who_takes_nothing_slows_the_other_side_down_and_is_given_up(between: Opened) -> None:
    async with between(ping_interval=0) as found:
        found.pair = trio.testing.lockstep_stream_pair
        ours = await found.connect()
        for number in range(300):
            ours.send_text(f"text {number}")
        await ours.flush()
        await trio.testing.wait_all_tasks_blocked()
        assert len(found.told(Kind.FRAME)) == 1  # nobody reads it, so the next is not taken
        began = trio.current_time()
        assert (await ending(ours))[0] == 1006
        assert trio.current_time() - began == pytest.approx(60, abs=5)
        await trio.sleep(5)
        assert found.told(Kind.CLOSED) == ["Central System: 1006 a write was given up"]


async def test_who_waits_for_the_other_side_is_not_taken_for_gone(between: Opened) -> None:
    async with between(ping_interval=10) as found:
        found.pair = trio.testing.lockstep_stream_pair
        ours = await found.connect()
        await trio.testing.wait_all_tasks_blocked()
        theirs = found.theirs[0]
        for number in range(3):
            ours.send_text(f"text {number}")
        await ours.flush()
        async with trio.open_nursery() as nursery:
            theirs.on_unsent = lambda: nursery.start_soon(theirs.flush)
            nursery.start_soon(_read, ours)
            await trio.sleep(45)
            nursery.start_soon(_read, theirs)
            await trio.sleep(200)
            assert found.told(Kind.CLOSED) == []
            assert len(found.told(Kind.FRAME)) == 3
            nursery.cancel_scope.cancel()


async def test_peers_that_answer_pings_stay(between: Opened) -> None:
    async with between(ping_interval=60) as found:
        ours, theirs = await found.connect(), found.theirs[0]
        async with trio.open_nursery() as nursery:
            for websocket in (ours, theirs):
                nursery.start_soon(_read, websocket)
            await trio.sleep(1000)
            assert found.proxy.connected == 1
            nursery.cancel_scope.cancel()


async def _read(websocket: Any) -> None:
    while True:
        await websocket.receive()


async def test_leaving_closes_both_sides(between: Opened) -> None:
    async with between() as found:
        ours, theirs = await found.connect(), found.theirs[0]
        ends: list[tuple[int, str]] = []

        async def wait(websocket: Any) -> None:
            ends.append(await ending(websocket))

        found.nursery.start_soon(wait, ours)
        found.nursery.start_soon(wait, theirs)
        await trio.testing.wait_all_tasks_blocked()
    assert ends == [(1001, "the proxy stops")] * 2


@pytest.mark.parametrize("is_read", [True, False])
async def test_leaving_in_the_middle_of_a_write(between: Opened, is_read: bool) -> None:
    """It is finished within seconds, or given up."""
    heard: list[str] = []
    ends: list[int] = []
    async with between() as found:
        found.pair = trio.testing.lockstep_stream_pair
        ours = await found.connect()
        await trio.testing.wait_all_tasks_blocked()
        (theirs,) = found.theirs

        async def listen(websocket: Any, after: float) -> None:
            await trio.sleep(after)
            try:
                while True:
                    heard.extend(await websocket.receive())
            except ConnectionClosed as closed:
                ends.append(closed.code)

        found.nursery.start_soon(listen, ours, 0)
        await say(ours, TEXTS[0])
        await trio.testing.wait_all_tasks_blocked()
        if is_read:
            found.nursery.start_soon(listen, theirs, 1)
        left = trio.current_time()
    assert trio.current_time() - left < 10
    assert (heard, ends) == (([TEXTS[0]], [1001, 1001]) if is_read else ([], [1001]))


async def test_what_listens_may_fail_and_nothing_else_does(between: Opened) -> None:
    async with between() as found:

        def fail(happening: Any) -> None:
            raise RuntimeError("of the listener")

        found.proxy._on_happening = fail
        ours = await found.connect()
        await say(ours, "on it goes")
        assert await hear(found.theirs[0], 1) == ["on it goes"]


async def test_what_is_no_handshake_ends_nothing(between: Opened) -> None:
    from ocpp16.transport.dial import Endpoint

    async with between() as found:
        for junk in (b"\x16\x03\x01" + b"x" * 200, b"GET / HTTP/1.1\r\n\r\n", b"", b"\0" * 100_000):
            stream = await found.connector(Endpoint(False, "", 80, ""))
            if junk:
                await stream.send_all(junk)
            await stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert len(found.told(Kind.REFUSED)) == 4
        await found.connect()
        assert found.proxy.connected == 1


async def test_arguments_that_cannot_be_meant() -> None:
    for csms, options, says in (
        ("http://csms", {}, "CentralSystemURI"),
        ("wss://csms", {}, "needs a TLS context"),
        ("ws://csms", {"ping_interval": -1}, "ping_interval"),
        ("ws://csms", {"most_connections": 0}, "most_connections"),
    ):
        with pytest.raises((ConfigurationError, ValueError), match=says):
            async with open_proxy(csms, **options):  # type: ignore[arg-type]
                pass

"""What happens on a disturbed stream: what is late, lost, doubled or added, and connections that end, or do not."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest
import trio

from ocpp16.errors import ConnectionFailed, HandshakeRefused
from ocpp16.testing.memory_stream import memory_stream_pair
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.websocket import WebSocket
from ocpp16.wire import DisturbedStream, WireFaults, Word, disturbed
from tests.wire.conftest import Connected, received

TEXTS = [f"message {number} " + "x" * (number * 7 % 300) for number in range(200)]
WHERE = Endpoint(False, "csms.example", 80, "/CP1")


@pytest.mark.parametrize("direction", ["out", "in"])
async def test_latency_delays_what_goes_its_way_and_nothing_else(connected: Connected, direction: str) -> None:
    async with connected({"latency": {"seconds": 3, "direction": direction}}) as ends:
        began = trio.current_time()
        await ends.send("out")
        assert await ends.theirs.receive() == ["out"]
        assert trio.current_time() - began == pytest.approx(3 if direction == "out" else 0)
        began = trio.current_time()
        await ends.answer("in")
        assert await ends.ours.receive() == ["in"]
        assert trio.current_time() - began == pytest.approx(3 if direction == "in" else 0)


async def test_a_later_message_is_as_late_as_an_earlier_one(connected: Connected) -> None:
    """A delay is no queue: what is written while another message is under way needs no longer."""
    async with connected({"latency": {"seconds": 3, "direction": "out"}}) as ends:
        await ends.send("first")
        await trio.sleep(2)
        await ends.send("second")
        assert await ends.theirs.receive() == ["first"]
        at = trio.current_time()
        assert await ends.theirs.receive() == ["second"]
        assert trio.current_time() - at == pytest.approx(2)


async def test_messages_keep_their_order_under_jitter(connected: Connected) -> None:
    async with connected({"latency": 0.1, "jitter": 5}) as ends:
        await ends.send(*TEXTS)
        assert await received(ends.theirs) == TEXTS
        await ends.answer(*TEXTS)
        assert await received(ends.ours) == TEXTS


@pytest.mark.parametrize("direction", ["out", "in"])
async def test_messages_are_dropped_by_chance_and_pings_pass(connected: Connected, direction: str) -> None:
    async with connected({"drop": {"probability": 0.3, "direction": direction}}) as ends:
        pings: list[bytes] = []
        ends.theirs.on_ping = pings.append
        for text in TEXTS:
            await ends.send(text)
            await ends.answer(text)
            ends.ours.send_ping(b"p")
            await ends.ours.flush()
        there, here = await received(ends.theirs), await received(ends.ours)
        met, spared = (there, here) if direction == "out" else (here, there)
        assert spared == TEXTS
        assert 100 < len(met) < 180
        assert met == [text for text in TEXTS if text in met]
        assert ends.opener.counts[Word.DROP] == 200 - len(met)
        assert len(pings) == 200


async def test_messages_are_doubled(connected: Connected) -> None:
    async with connected({"duplicate": {"probability": 0.5, "direction": "in"}}) as ends:
        await ends.answer(*TEXTS)
        found = await received(ends.ours)
        doubled = [text for text, next_one in pairwise(found) if text == next_one]
        assert len(doubled) == ends.opener.counts[Word.DUPLICATE] == len(found) - 200
        assert 60 < len(doubled) < 140
        assert list(dict.fromkeys(found)) == TEXTS


async def run_of(connected: Connected, seed: int) -> list[Any]:
    faults = {"drop": 0.2, "duplicate": 0.2, "garbage": {"probability": 0.2, "kind": "text"}, "jitter": 1}
    async with connected(faults, seed) as ends:
        await ends.send(*TEXTS)
        await ends.answer(*TEXTS)
        return [await received(ends.theirs), await received(ends.ours), dict(ends.opener.counts)]


async def test_the_same_seed_and_traffic_give_the_same_faults(connected: Connected) -> None:
    assert await run_of(connected, 7) == await run_of(connected, 7)
    assert await run_of(connected, 7) != await run_of(connected, 8)


async def test_the_pieces_in_which_bytes_come_change_nothing() -> None:
    """Byte by byte, a lane decides as it does for all at once."""
    from ocpp16.wire.borders import Borders
    from ocpp16.wire.faults import Way
    from ocpp16.wire.junk import frame
    from ocpp16.wire.lane import Lane

    sent = b"GET / HTTP/1.1\r\n\r\n" + b"".join(frame(text.encode(), Random(3)) for text in TEXTS)
    faults = WireFaults.load({"drop": 0.2, "duplicate": 0.2, "garbage": 0.2})
    found = []
    for size in (1, 5, 1000, len(sent)):
        lane = Lane(Way.OUT, lambda: faults, Random(1), dict.fromkeys(Word, 0), 0.0)  # type: ignore[arg-type]
        for start in range(0, len(sent), size):
            lane.feed(sent[start : start + size], 0.0)
        found.append(lane.take(0.0))
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0] is not None
    assert found[0] != sent
    borders = Borders(is_answer=False)
    assert b"".join(part.data for start in range(len(sent)) for part in borders.feed(sent[start : start + 1])) == sent


@pytest.mark.parametrize(
    ("kind", "end"), [("text", None), ("json", None), ("utf8", "closed with 1007"), ("bytes", "closed with 1002")]
)
async def test_garbage_is_of_the_kind_that_was_asked_for(connected: Connected, kind: str, end: str | None) -> None:
    async with connected({"garbage": {"probability": 1.0, "kind": kind}}) as ends:
        await ends.send("first")
        found = await received(ends.theirs)
        assert found[0] == "first"
        assert found[1:] == [end] if end else len(found) == 2


async def test_garbage_comes_in_its_time_also_where_nothing_is_sent(connected: Connected) -> None:
    async with connected({"garbage": {"every": 10, "kind": "text", "direction": "both"}}) as ends:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(received, ends.ours, 1000.0)
            found = await received(ends.theirs, 1000.0)
        assert 80 < len(found) < 125
        assert 160 < ends.opener.counts[Word.GARBAGE] < 250


async def test_raw_texts_are_sent_once_each_and_by_turns_where_they_are_periodic(connected: Connected) -> None:
    async with connected({"raw": ["a", "b"]}) as ends:
        await ends.send("1", "2", "3")
        assert await received(ends.theirs) == ["1", "a", "2", "b", "3"]
    async with connected({"raw": {"texts": ["a", "b"], "probability": 1, "direction": "in"}}) as ends:
        await ends.answer("1", "2", "3")
        assert await received(ends.ours) == ["1", "a", "2", "b", "3", "a"]


async def test_a_cut_is_an_end_without_a_close_frame_for_both(connected: Connected) -> None:
    async with connected({"cut": {"probability": 1, "direction": "in"}}) as ends:
        await ends.send("1")
        assert await ends.theirs.receive() == ["1"]
        await ends.answer("2")
        assert await received(ends.ours) == ["closed with 1006"]
        assert await received(ends.theirs) == ["closed with 1006"]
        assert ends.opener.counts[Word.CUT] == 1


async def test_a_cut_comes_in_its_time_and_wakes_the_reader(connected: Connected) -> None:
    async with connected({"cut": {"every": 100}, "latency": 1}) as ends:
        began = trio.current_time()
        assert await received(ends.ours, 1000) == ["closed with 1006"]
        assert 50 <= trio.current_time() - began <= 152


async def test_half_open_swallows_all_and_shows_no_end(connected: Connected) -> None:
    async with connected({"half_open": {"probability": 1, "direction": "out"}}) as ends:
        await ends.send("lost")
        await ends.answer("heard")
        assert await received(ends.ours) == ["heard"]
        assert await received(ends.theirs) == []
    async with connected({"half_open": 1.0}) as ends:
        await ends.send("lost", "lost, too")
        ends.ours.send_ping(b"lost as well")
        await ends.ours.flush()
        await ends.answer(*TEXTS)
        await ends.theirs.aclose()
        assert await received(ends.ours) == []
        began = trio.current_time()
        await ends.ours.aclose()
        assert trio.current_time() - began < 5


async def test_faults_that_are_a_function_change_while_it_runs(connected: Connected) -> None:
    now: list[WireFaults | None] = [None]
    async with connected(lambda: now[0]) as ends:
        await ends.send("1")
        now[0] = WireFaults.load({"drop": 1.0})
        await ends.send("2")
        now[0] = None
        await ends.send("3")
        assert await received(ends.theirs) == ["1", "3"]
        now[0] = WireFaults.load({"cut": {"every": 10}})  # and nothing passes
        assert await received(ends.ours) == ["closed with 1006"]


async def nothing(endpoint: Endpoint) -> trio.abc.Stream:
    raise AssertionError("nobody is to be called")


async def test_handshakes_are_refused() -> None:
    with pytest.raises(HandshakeRefused) as refused:
        await disturbed(nothing, WireFaults.load({"refuse": {"probability": 1, "status": 503}}), Random(1))(WHERE)
    assert refused.value.status == 503
    opener = disturbed(nothing, WireFaults.load({"refuse": 1.0}), Random(1))
    with pytest.raises(ConnectionFailed, match="refused by a wire fault"):
        await opener(WHERE)
    assert opener.counts[Word.REFUSE] == 1


async def test_a_slow_handshake_and_one_that_is_given_up() -> None:
    near, far = memory_stream_pair()

    async def open_stream(endpoint: Endpoint) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return near

    opener = disturbed(open_stream, WireFaults.load({"slow_handshake": 20}), Random(1))
    began = trio.current_time()
    assert await opener(WHERE) is near  # nothing else happens to it
    assert trio.current_time() - began == pytest.approx(20)
    with trio.move_on_after(5):
        await opener(WHERE)
    assert await far.receive_some() == b""


async def test_a_stream_that_nobody_reads_holds_up_the_writer() -> None:
    """What is late is bounded, in both directions."""
    near, far = memory_stream_pair()
    stream = DisturbedStream(near, WireFaults.load({"latency": 3600}), Random(1), {})  # type: ignore[arg-type]
    with trio.move_on_after(60) as scope:
        for _ in range(100):
            await stream.send_all(b"\n\n" + bytes(1 << 16))
    assert scope.cancelled_caught
    for _ in range(100):
        await far.send_all(b"\n\n" + bytes(1 << 16))
    with trio.move_on_after(60):
        await stream.receive_some()
    assert len(near._inbox) > 80 << 16
    began = trio.current_time()
    await stream.aclose()
    assert trio.current_time() - began <= 5
    with pytest.raises(trio.ClosedResourceError):
        await stream.send_all(b"x")


async def test_a_stream_without_faults_is_a_stream() -> None:
    """Trio's own suite for streams of others, whose bytes are no frames."""

    async def make() -> tuple[trio.abc.Stream, trio.abc.Stream]:
        near, far = memory_stream_pair()
        await trio.lowlevel.checkpoint()
        faults = WireFaults.load({"drop": 0.0})
        made = [DisturbedStream(end, faults, Random(1), {}) for end in (near, far)]  # type: ignore[arg-type]
        for one in made:
            one._out.feed(b"\n\n\x07\0", 0.0)  # a reserved opcode: from here on all passes
            one._out.take(trio.current_time())
        return made[0], made[1]

    await trio.testing.check_two_way_stream(make, None)


async def test_closing_sends_what_is_late_first(connected: Connected) -> None:
    async with connected({"latency": {"seconds": 1, "direction": "out"}}) as ends:
        await ends.send("last words")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.ours.aclose, 1000, "bye")
            assert await received(ends.theirs) == ["last words", "closed with 1000"]


async def test_a_refused_handshake_passes_as_it_is(connected: Connected) -> None:
    """Behind an answer that is no consent there are no frames to be lost."""
    near, far = memory_stream_pair()
    stream = DisturbedStream(near, WireFaults.load({"drop": 1.0}), Random(1), {})  # type: ignore[arg-type]
    body = "".join(chr(97 + number % 26) for number in range(700))
    async with trio.open_nursery() as nursery:

        async def refuse() -> None:
            await far.receive_some()
            await far.send_all(f"HTTP/1.1 404 No\r\nContent-Length: 700\r\n\r\n{body}".encode())

        nursery.start_soon(refuse)
        with pytest.raises(HandshakeRefused) as refused:
            await WebSocket.connect(stream, host="x", target="/CP1")
    assert refused.value.status == 404
    assert refused.value.body == body

"""Traces in which charge points come with several connections, one after the other."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from ocpp16.errors import ConnectionFailed
from ocpp16.fleet import open_fleet
from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, connected, disconnected, frame_of
from ocpp16.replay import Break, Outcome, ReplayError, Story, play_central_system, play_charge_point, read_stories
from ocpp16.replay.driver import Driver
from ocpp16.testing import CentralSystem
from ocpp16.transport.websocket import WebSocket
from tests.replay.conftest import BOOT, FROM, TO, row


def at(second: float) -> str:
    return f"2025-05-05T12:{int(second // 60):02}:{second % 60:06.3f}Z"


def asked(second: float, text: str, identity: str = "CP1") -> Frame:
    way = FROM_CENTRAL_SYSTEM if '"Reset"' in text or text.startswith('[3,"h') else FROM_CHARGE_POINT
    return frame_of(text, way, charge_point=identity, timestamp=at(second))


BOOTED = asked(0, '[2,"h0","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
HEARTBEAT = '[2,"h1","Heartbeat",{}]'
THREE = [
    connected("CP1", timestamp=at(0)),
    BOOTED,
    asked(0, '[3,"h0",{"status":"Accepted","currentTime":"2025-05-05T12:00:00Z","interval":300}]'),
    asked(10, HEARTBEAT),
    disconnected("CP1", timestamp=at(20)),
    disconnected("CP1", timestamp=at(25)),
    connected("CP1", timestamp=at(60)),
    asked(70, HEARTBEAT),
    asked(70, '[3,"h1",{"currentTime":"2025-05-05T12:01:10Z"}]'),
    connected("CP1", timestamp=at(100)),
    connected("CP1", timestamp=at(110)),
    asked(120, HEARTBEAT),
    asked(120, '[3,"h1",{"currentTime":"2025-05-05T12:02:00Z"}]'),
    disconnected("CP1", timestamp=at(200)),
]
"""The answer to the first heartbeat went with its connection."""


def test_where_connections_end_and_begin() -> None:
    (story,) = read_stories(THREE).values()
    assert [one.at for one in story.exchanges] == [0, 10, 70, 120]
    assert story.breaks == [Break(2, 20, 60), Break(3, None, 110)]
    assert [len(exchanges) for exchanges, _ in story.connections()] == [2, 1, 1]
    assert [one.answer is None for one in story.exchanges] == [False, True, False, False]


def test_an_end_without_a_begin_is_a_break_as_well() -> None:
    (story,) = read_stories([BOOTED, disconnected("CP1", timestamp=at(5)), asked(30, HEARTBEAT)]).values()
    assert story.breaks == [Break(1, 5, 30)]


def test_a_story_on_one_connection_has_no_break(stories: Any) -> None:
    both = [connected("CP1", timestamp=at(0)), BOOTED, disconnected("CP1", timestamp=at(9)), connected("CP1")]
    (story,) = read_stories(both).values()
    assert story.breaks == []
    assert story.connections() == [(story.exchanges, None)]


def test_an_answer_on_another_connection_is_none() -> None:
    late = asked(6, '[3,"h0",{"status":"Accepted","currentTime":"2025-05-05T12:00:00Z","interval":300}]')
    (story,) = read_stories([BOOTED, disconnected("CP1", timestamp=at(5)), late]).values()
    assert story.exchanges[0].answer is None


def test_each_charge_point_has_its_own() -> None:
    other = asked(1, HEARTBEAT, "CP2")
    found = read_stories([BOOTED, other, disconnected("CP1"), other, asked(3, HEARTBEAT)])
    assert [len(story.breaks) for story in found.values()] == [1, 0]


def test_a_gap_in_the_count_of_records_is_a_connection(stories: Any) -> None:
    rows = [
        row(0, TO, [2, "1", "BootNotification", BOOT], meta={"sequence": 1}),
        row(0, FROM, [3, "1", {"status": "Accepted"}], meta={"sequence": 2}),
        row(50, TO, [2, "1", "Heartbeat", {}], meta={"sequence": 1}),
    ]
    assert stories(rows)["CP1"].breaks == [Break(1, None, 50)]


def test_nothing_but_connections_is_no_trace() -> None:
    with pytest.raises(ReplayError, match="the trace has no request"):
        read_stories([connected("CP1"), disconnected("CP1")])


# The charge point's side


def dial(csms: CentralSystem) -> Callable[[], Awaitable[WebSocket]]:
    return lambda: WebSocket.connect(csms.stream(), host="csms", target="/CP1")


async def played(story: Story, csms: CentralSystem, **options: Any) -> Outcome:
    connect = dial(csms)
    return await play_charge_point(story, await connect(), **{"reconnect": connect, **options})


def connections(csms: CentralSystem, began: float) -> list[tuple[str, float]]:
    return [
        (str(record.direction), round(record.time - began))
        for record in csms.traffic
        if record.direction in ("opened", "closed")
    ]


async def test_each_connection_begins_and_ends_when_it_did() -> None:
    (story,) = read_stories(THREE).values()
    async with CentralSystem() as csms:
        began = trio.current_time()
        outcome = await played(story, csms)
        assert outcome.is_same, outcome
        assert (outcome.played, outcome.answered, outcome.connections) == (4, 4, 3)
        await csms.wait_disconnected("CP1")
        assert connections(csms, began) == [
            ("opened", 0),
            ("closed", 20),
            ("opened", 60),
            ("closed", 110),
            ("opened", 110),
            ("closed", 120),
        ]
        assert [round(call.time - began) for call in csms.calls()] == [0, 10, 70, 120]


async def test_without_a_way_to_connect_all_is_on_one() -> None:
    (story,) = read_stories(THREE).values()
    async with CentralSystem() as csms:
        outcome = await played(story, csms, reconnect=None, speed=0)
        assert (outcome.played, outcome.connections, outcome.end) == (4, 1, "")
        assert len([record for record in csms.traffic if record.direction == "opened"]) == 1


async def test_at_once_there_is_no_waiting() -> None:
    (story,) = read_stories(THREE).values()
    async with CentralSystem() as csms:
        began = trio.current_time()
        outcome = await played(story, csms, speed=0)
        assert outcome.connections == 3
        assert trio.current_time() - began < 1


async def test_a_connection_that_the_other_side_ends_in_the_break_is_as_then() -> None:
    (story,) = read_stories(THREE).values()
    async with CentralSystem() as csms:

        async def close() -> None:
            await csms.wait_for_call("Heartbeat")
            await trio.sleep(1)
            await csms.close("CP1", 1001, "enough")

        csms.start_soon(close)
        outcome = await played(story, csms)
        assert outcome.is_same, outcome
        assert outcome.connections == 3


async def test_a_connection_that_ends_before_its_time_is_the_end() -> None:
    (story,) = read_stories(THREE).values()
    async with CentralSystem() as csms:

        async def close() -> None:
            await csms.wait_for_call("BootNotification")
            await csms.close("CP1", 1001, "enough")

        csms.start_soon(close)
        outcome = await played(story, csms)
        assert outcome.end == "the connection ended: 1001 enough"
        assert outcome.connections == 1


async def test_who_is_not_let_in_again_is_told() -> None:
    (story,) = read_stories(THREE).values()

    async def refused() -> WebSocket:
        raise ConnectionFailed("TCP: nobody there")

    async with CentralSystem() as csms:
        outcome = await played(story, csms, reconnect=refused)
        assert outcome.end == "it could not connect again: TCP: nobody there"
        assert (outcome.played, outcome.connections) == (2, 1)


# The Central System's side

AVAILABLE = '[2,"c1","ChangeAvailability",{"connectorId":1,"type":"Operative"}]'
RESET = [
    BOOTED,
    asked(0, '[3,"h0",{"status":"Accepted","currentTime":"2025-05-05T12:00:00Z","interval":9000}]'),
    disconnected("CP1", timestamp=at(100)),
    connected("CP1", timestamp=at(130)),
    frame_of(AVAILABLE, FROM_CENTRAL_SYSTEM, charge_point="CP1", timestamp=at(200)),
    frame_of('[3,"c1",{"status":"Accepted"}]', FROM_CHARGE_POINT, charge_point="CP1", timestamp=at(200)),
]


async def against_ours(csms: CentralSystem, frames: list[Frame], **options: Any) -> Outcome:
    found = read_stories(frames)
    async with open_fleet("ws://replay", connector=csms.connector) as fleet, trio.open_nursery() as nursery:
        member = await fleet.add("CP1")
        nursery.start_soon(Driver(found["CP1"], member.station, 1.0).drive)
        (outcome,) = await play_central_system(found, csms, **options)
        nursery.cancel_scope.cancel()
    return outcome


async def test_a_connection_is_broken_off_where_it_was() -> None:
    async with CentralSystem() as csms:
        began = trio.current_time()
        outcome = await against_ours(csms, RESET)
        assert outcome.is_same, outcome
        assert outcome.connections == 2
        first, second, third = connections(csms, began)[:3]
        assert (first, second) == (("opened", 0), ("closed", 100))
        assert third[0] == "opened"


async def test_who_comes_again_by_itself_is_not_broken_off() -> None:
    async with CentralSystem() as csms:

        async def drop() -> None:
            await trio.sleep(50)
            csms.abort("CP1")

        csms.start_soon(drop)
        began = trio.current_time()
        outcome = await against_ours(csms, RESET)
        assert outcome.is_same, outcome
        assert outcome.connections == 2
        assert [second for word, second in connections(csms, began) if word == "closed"][:1] == [50]
        assert len([word for word, _ in connections(csms, began) if word == "opened"]) == 2


async def test_who_does_not_come_again_is_told() -> None:
    async with CentralSystem() as csms:

        async def away() -> None:
            await trio.sleep(50)
            csms.is_reachable = False

        csms.start_soon(away)
        outcome = await against_ours(csms, RESET, patience=20.0)
    assert outcome.end == "it did not connect again within 20 s"

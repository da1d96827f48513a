"""The Central System's side of a trace, against our charge points and others."""

from typing import Any

import trio
import trio.testing

from ocpp16.fleet import open_fleet
from ocpp16.replay import Outcome, play_central_system, play_charge_point
from ocpp16.replay.driver import Driver, connectors_of
from ocpp16.testing import CentralSystem
from ocpp16.transport.websocket import WebSocket
from tests.replay.conftest import A_SESSION, FROM, TO, row

STOP = {"transactionId": 4711, "meterStop": 9, "timestamp": "x", "reason": "Remote"}
LOCAL = [
    row(0, TO, [2, "1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]),
    row(0.1, FROM, [3, "1", {"status": "Accepted", "currentTime": "2025-05-05T12:00:00Z", "interval": 77}]),
    row(5, TO, [2, "2", "StatusNotification", {"connectorId": 2, "errorCode": "NoError", "status": "Preparing"}]),
    row(5.1, FROM, [3, "2", {}]),
    row(8, TO, [2, "3", "Authorize", {"idTag": "ALICE"}]),
    row(8.1, FROM, [3, "3", {"idTagInfo": {"status": "Accepted"}}]),
    row(9, TO, [2, "4", "StartTransaction", {"connectorId": 2, "idTag": "ALICE", "meterStart": 0, "timestamp": "x"}]),
    row(9.1, FROM, [3, "4", {"transactionId": 4711, "idTagInfo": {"status": "Accepted"}}]),
    row(20, FROM, [2, "c1", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}]),
    row(20.1, TO, [3, "c1", {"status": "Accepted"}]),
    row(300, FROM, [2, "c2", "RemoteStopTransaction", {"transactionId": 4711}]),
    row(300.1, TO, [3, "c2", {"status": "Accepted"}]),
    row(
        301,
        TO,
        [2, "5", "StopTransaction", {"transactionId": 4711, "meterStop": 9, "timestamp": "x", "reason": "Remote"}],
    ),
    row(301.1, FROM, [3, "5", {}]),
]


async def against_ours(stories: dict[str, Any], csms: CentralSystem, **options: Any) -> list[Outcome]:
    async with (
        open_fleet("ws://replay", connector=csms.connector) as fleet,
        trio.open_nursery() as nursery,
    ):
        for story in stories.values():
            from ocpp16.fleet import blueprint

            made_of = blueprint("ac-22kw").over(connectors=connectors_of(story))
            member = await fleet.add(story.identity, made_of)
            nursery.start_soon(Driver(story, member.station, 1.0).drive)
        outcomes = await play_central_system(stories, csms, **options)
        nursery.cancel_scope.cancel()
    return outcomes


async def test_a_local_session_is_told_again_with_the_same_answers(stories: Any) -> None:
    async with CentralSystem() as csms:
        (outcome,) = await against_ours(stories(LOCAL), csms)
        assert outcome.is_same, outcome
        (start,) = csms.calls("StartTransaction")
        assert (start.payload["connectorId"], start.payload["idTag"]) == (2, "ALICE")
        (stop,) = csms.calls("StopTransaction")
        assert (stop.payload["transactionId"], stop.payload["reason"]) == (4711, "Remote")
        assert 300 <= stop.time - start.time + 9 <= 302
        assert not csms.violations


async def test_a_remote_session_of_many_charge_points(stories: Any) -> None:
    rows = [{**one, "chargePointId": f"CP{number}"} for one in A_SESSION for number in range(3)]
    async with CentralSystem() as csms:
        outcomes = await against_ours(stories(rows), csms)
        assert [outcome.identity for outcome in outcomes] == ["CP0", "CP1", "CP2"]
        assert all(outcome.is_same for outcome in outcomes), outcomes
        assert len(csms.calls("StopTransaction")) == 3


async def test_a_charge_point_that_answers_otherwise_is_told(stories: Any) -> None:
    rows = [*LOCAL]
    rows[9] = row(20.1, TO, [3, "c1", {"status": "NotSupported"}])
    rows.append(row(310, TO, [2, "6", "DataTransfer", {"vendorId": "V"}]))
    async with CentralSystem() as csms:
        (outcome,) = await against_ours(stories(rows), csms, patience=30)
    assert [(one.line, one.action, one.text) for one in outcome.differences] == [
        (9, "ChangeConfiguration", "status is Accepted, was NotSupported"),
        (15, "DataTransfer", "the charge point asked it 0 times, 1 in the trace"),
    ]


async def test_what_comes_by_chance_at_the_end_is_waited_for(stories: Any) -> None:
    status = {"connectorId": 2, "errorCode": "NoError", "status": "Available"}
    rows = [*LOCAL, row(330, TO, [2, "6", "StatusNotification", status]), row(330.1, FROM, [3, "6", {}])]
    async with CentralSystem() as csms:
        (outcome,) = await against_ours(stories(rows), csms)
        assert outcome.is_same, outcome
        assert csms.calls("StatusNotification")[-1].payload["status"] == "Available", "30 s behind the last request"
    async with CentralSystem() as csms:
        rows[-2:] = [row(330, TO, [2, str(number), "Heartbeat", {}]) for number in range(50)]
        began = trio.current_time()
        (outcome,) = await against_ours(stories(rows), csms)
        assert outcome.is_same, outcome
        assert 325 < trio.current_time() - began < 360, "it need not come"


async def test_what_came_of_it_until_it_was_cancelled(stories: Any) -> None:
    rows = [*LOCAL]
    rows[9] = row(20.1, TO, [3, "c1", {"status": "NotSupported"}])
    outcomes: list[Outcome] = []
    async with CentralSystem() as csms:
        with trio.move_on_after(100):
            await against_ours(stories(rows), csms, outcomes=outcomes)
    (outcome,) = outcomes
    assert (outcome.count, outcome.end) == (1, "interrupted before all was played")


async def test_nobody_connects(stories: Any) -> None:
    async with CentralSystem() as csms:
        (outcome,) = await play_central_system(stories(LOCAL), csms, patience=5)
    assert outcome.end == "it did not connect within 5 s"


async def test_both_sides_of_a_trace_play_with_each_other(stories: Any) -> None:
    """And a story without identity is that of whoever comes."""
    rows = [{**one, "chargePointId": ""} for one in A_SESSION]
    ours = stories(A_SESSION)["CP1"]
    outcomes: list[Outcome] = []
    async with CentralSystem() as csms:

        async def play_ours() -> None:
            websocket = await WebSocket.connect(csms.stream(), host="csms", target="/CP1")
            outcomes.append(await play_charge_point(ours, websocket, patience=30))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(play_ours)
            outcomes += await play_central_system(stories(rows), csms)
    assert len(outcomes) == 2
    assert all(outcome.is_same for outcome in outcomes), outcomes


async def test_a_start_that_was_refused_or_unanswered_is_answered_when_it_comes_again(stories: Any) -> None:
    start = {"connectorId": 1, "idTag": "TAG", "meterStart": 5, "timestamp": "2025-05-05T12:00:20Z"}
    refusal = row(1.5, FROM, [4, "2", "InternalError", "", {}], error={"code": "InternalError"})
    accepted = {"transactionId": 77, "idTagInfo": {"status": "Accepted"}}
    rows = [row(number, TO, [2, str(number), "StartTransaction", start]) for number in (1, 2, 40, 50)]
    rows[2:2] = [refusal]
    rows += [row(60 + number, FROM, [3, str(number), accepted]) for number in (40, 50)]
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        nursery.start_soon(play_central_system, stories(rows), csms)
        await trio.testing.wait_all_tasks_blocked()
        (story,) = stories(rows).values()
        websocket = await WebSocket.connect(csms.stream(), host="csms", target="/CP1")
        outcome = await play_charge_point(story, websocket, answer_timeout=5)
        nursery.cancel_scope.cancel()
    assert outcome.differences == []
    assert outcome.answered == 3


async def test_what_the_trace_does_not_have_is_accepted_and_told_once(stories: Any) -> None:
    async with CentralSystem() as csms:
        websocket = await WebSocket.connect(csms.stream(), host="csms", target="/CP1")
        async with trio.open_nursery() as nursery:
            outcomes: list[Outcome] = []

            async def play() -> None:
                outcomes.extend(await play_central_system(stories(A_SESSION[:2]), csms, patience=5))

            nursery.start_soon(play)
            await trio.testing.wait_all_tasks_blocked()
            for number in range(3):
                websocket.send_text(f'[2,"{number}","DataTransfer",{{"vendorId":"V"}}]')
            websocket.send_text('[2,"9","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
            await websocket.flush()
            texts: list[str] = []
            while len(texts) < 4:
                texts += await websocket.receive()
        assert '"Accepted"' in texts[0]
        assert '"interval":300' in texts[3]
        assert "2025-05-05" not in texts[3]
        (outcome,) = outcomes
        assert [one.text for one in outcome.differences] == ["the charge point asked it, which the trace does not have"]


async def test_a_charge_point_that_says_what_cannot_be_ends_nothing(stories: Any) -> None:
    asked = {
        "StartTransaction": '{"connectorId":{"x":1},"idTag":[]}',
        "DataTransfer": '{"vendorId":"org.openchargealliance.iso15118pnc","messageId":{}}',
    }
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        outcomes: list[Outcome] = []

        async def play() -> None:
            outcomes.extend(await play_central_system(stories(A_SESSION[:2]), csms, patience=5))

        nursery.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        for identity in ("CP1", "CP2"):  # of the trace, and not
            websocket = await WebSocket.connect(csms.stream(), host="csms", target=f"/{identity}")
            for action, payload in asked.items():
                websocket.send_text(f'[2,"{action}","{action}",{payload}]')
                await websocket.flush()
                (text,) = await websocket.receive()
                assert text.startswith(f'[4,"{action}","FormationViolation","cannot be answered')
            await websocket.aclose()
    assert len(outcomes) == 1

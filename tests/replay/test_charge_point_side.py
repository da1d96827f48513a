"""The charge point's side of a trace, against a Central System that does as then, or otherwise."""

from typing import Any

import pytest
import trio

from ocpp16.replay import Outcome, play_charge_point
from ocpp16.testing import CallErrorAnswer, CentralSystem
from ocpp16.transport.websocket import WebSocket
from tests.replay.conftest import A_SESSION, FROM, TO, row


async def played(story: Any, csms: CentralSystem, **options: Any) -> Outcome:
    websocket = await WebSocket.connect(csms.stream(), host="csms", target=f"/{story.identity}")
    return await play_charge_point(story, websocket, **options)


async def operate(csms: CentralSystem) -> None:
    """Ask what the Central System of the trace asked."""
    await csms.wait_for_call("StatusNotification")
    await csms.call("CP1", "RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"})
    await csms.wait_for_call("MeterValues")
    await csms.call("CP1", "RemoteStopTransaction", {"transactionId": 500})


async def test_all_is_sent_in_its_order_and_time_with_the_ids_of_today(stories: Any) -> None:
    async with CentralSystem(first_transaction_id=500) as csms:
        csms.start_soon(operate, csms)
        began = trio.current_time()
        outcome = await played(stories(A_SESSION)["CP1"], csms)
        assert outcome.is_same, outcome
        assert (outcome.played, outcome.answered) == (5, 5)
        calls = csms.calls()
        assert [call.action for call in calls] == [
            "BootNotification",
            "StatusNotification",
            "StartTransaction",
            "MeterValues",
            "StopTransaction",
        ]
        assert [call.time - began for call in calls] == pytest.approx([0, 1, 20, 30, 41], abs=0.2)
        assert [call.payload.get("transactionId") for call in calls[3:]] == [500, 500]
        assert len({call.unique_id for call in calls}) == 5
        assert {len(call.unique_id) for call in calls} == {36}
        assert not csms.violations


async def test_what_came_of_it_until_it_was_cancelled(stories: Any) -> None:
    outcome = Outcome("CP1")
    async with CentralSystem() as csms:
        with trio.move_on_after(15):
            await played(stories(A_SESSION)["CP1"], csms, outcome=outcome, patience=4)
    assert (outcome.answered, outcome.count, outcome.end) == (2, 1, "interrupted before all was played")


async def test_speed_and_ids_are_to_be_chosen(stories: Any) -> None:
    async with CentralSystem() as csms:
        began = trio.current_time()
        outcome = await played(stories(A_SESSION)["CP1"], csms, speed=10, keeps_ids=True, patience=0.5)
        assert 4.1 <= trio.current_time() - began < 6
        assert [call.unique_id for call in csms.calls()] == ["1", "2", "3", "4", "5"]
        assert [one.text for one in outcome.differences] == ["the Central System did not ask it within 0.5 s"] * 2
        assert [one.line for one in outcome.differences] == [5, 11]
        rows = [row(0, TO, [2, "m" * size, "Heartbeat", {}]) for size in (0, 36, 37)]
        outcome = await played(stories(rows)["CP1"], csms, speed=0, keeps_ids=True)
        assert outcome.is_same, outcome
        sent = [call.unique_id for call in csms.calls("Heartbeat")]
        assert [one == "m" * 36 for one in sent] == [False, True, False]
        assert len(set(sent)) == 3
        began = trio.current_time()
        await played(stories(A_SESSION)["CP1"], csms, speed=0, patience=0)
        assert trio.current_time() - began < 1
    with pytest.raises(ValueError, match="speed"):
        await play_charge_point(stories(A_SESSION)["CP1"], None, speed=-1)  # type: ignore[arg-type]


async def test_answers_that_differ_are_told(stories: Any) -> None:
    async with CentralSystem() as csms:
        csms.answers["StartTransaction"] = {"transactionId": 1, "idTagInfo": {"status": "Blocked"}}
        csms.answers["MeterValues"] = CallErrorAnswer("InternalError")
        csms.answers["StopTransaction"] = {"idTagInfo": {"status": "Accepted"}}
        csms.answers["StatusNotification"] = None
        outcome = await played(stories(A_SESSION)["CP1"], csms, speed=0, patience=0, answer_timeout=3)
        assert [(one.line, one.action, one.text) for one in outcome.differences if "did not ask" not in one.text] == [
            (3, "StatusNotification", "no answer within 3 s"),
            (7, "StartTransaction", "idTagInfo.status is Blocked, was Accepted"),
            (9, "MeterValues", "the answer is InternalError, was a result"),
            (13, "StopTransaction", "idTagInfo is new"),
        ]
        assert outcome.answered == 4


async def test_what_is_asked_is_answered_as_in_the_trace(stories: Any) -> None:
    rows = [
        row(0, TO, [2, "1", "Heartbeat", {}]),
        row(0, FROM, [3, "1", {"currentTime": "2025-05-05T12:00:00Z"}]),
        row(1, FROM, [2, "a", "Reset", {"type": "Soft"}]),
        row(1, TO, [3, "a", {"status": "Rejected"}]),
        row(2, FROM, [2, "b", "Reset", {"type": "Hard"}]),
        row(2, TO, [3, "b", {"status": "Accepted"}]),
        row(3, FROM, [2, "c", "ClearCache", {}]),
        row(3, TO, [4, "c", "NotSupported", "", {}], error={"code": "NotSupported"}),
    ]
    found: list[Any] = []

    async def ask(csms: CentralSystem) -> None:
        await csms.wait_connected("CP1")
        found.append(await csms.call("CP1", "Reset", {"type": "Hard"}))
        found.append(await csms.call("CP1", "Reset", {"type": "Soft"}))
        for action in ("ClearCache", "TriggerMessage"):
            try:
                await csms.call("CP1", action, {"requestedMessage": "Heartbeat"}, validated=False)
            except Exception as error:
                found.append(str(error))

    async with CentralSystem() as csms:
        csms.start_soon(ask, csms)
        outcome = await played(stories(rows)["CP1"], csms)
    assert found[:2] == [{"status": "Accepted"}, {"status": "Rejected"}]
    assert "NotSupported" in found[2]
    assert "NotSupported" in found[3]
    (one,) = outcome.differences
    assert (one.action, one.text) == (
        "TriggerMessage",
        "the Central System asked it, which the trace does not have here",
    )


async def test_who_is_cancelled_closes_in_order(stories: Any) -> None:
    async with CentralSystem() as csms:
        with trio.move_on_after(5):
            await played(stories(A_SESSION)["CP1"], csms)
        await csms.wait_disconnected("CP1")
        assert [record.text for record in csms.traffic if record.direction == "closed"] == ["1000"]


async def test_a_connection_that_ends_is_the_end(stories: Any) -> None:
    async with CentralSystem() as csms:

        async def close() -> None:
            await csms.wait_for_call("StartTransaction")
            await csms.connected["CP1"].aclose(1001, "enough")

        csms.start_soon(close)
        csms.start_soon(operate, csms)
        outcome = await played(stories(A_SESSION)["CP1"], csms, patience=60)
    assert outcome.end == "the connection ended: 1001 enough"
    assert not outcome.is_same
    assert outcome.played == 3

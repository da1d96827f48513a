"""The reply lane: answers to the CALLs of the Central System, in their order and once each."""

from functools import partial
from typing import TYPE_CHECKING

from ocpp16._core import CallError, CallResult
from ocpp16.rpc.tolerance import Tolerance

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

STRICT = Tolerance.STRICT
DONE = {"status": "Accepted"}


def done(unique_id: str = "cs-1") -> CallResult:
    return CallResult(unique_id, DONE)


def test_replies_go_before_calls(line: "Line") -> None:
    line.put("Heartbeat")
    line.put("BootNotification")
    line.call("ClearCache")
    line.session.reply(done())
    line.session.receive('[2,"bad"]', line.now)
    assert line.take() == ["result", "error", "BootNotification"]


def test_replies_do_not_wait_for_the_call_in_flight(line: "Line") -> None:
    line.put("Heartbeat")
    line.take()
    line.call("ClearCache")
    line.session.reply(done())
    assert line.session.deadline(0) == 0.0
    assert line.take() == ["result"]
    assert line.in_flight.action == "Heartbeat"


def test_a_reply_waits_until_its_number_is_durable_and_holds_up_those_behind_it(line: "Line") -> None:
    for number in range(3):
        line.call("ClearCache", unique_id=f"n{number}")
    line.put("Heartbeat")
    line.session.reply(done("n0"), number=1)
    line.session.reply(done("n1"), number=5)
    line.session.reply(CallError("n2", "InternalError"))
    assert line.session.waiting_replies == 3
    assert line.take() == ["Heartbeat"]
    assert line.session.deadline(0) == line.now + 30
    line.durable = 4
    assert line.session.deadline(4) == 0.0
    assert line.take() == ["result"]
    line.durable = 5
    assert line.take() == ["result", "error"]
    assert [reply.unique_id for reply in line.replies] == ["n0", "n1", "n2"]
    assert line.session.waiting_replies == 0


def test_a_frame_carries_id_and_action_for_the_log(line: "Line") -> None:
    line.call("ClearCache")
    line.session.reply(done())
    frame = line.frame()
    assert (frame.unique_id, frame.action, frame.then) == ("cs-1", "ClearCache", None)


def test_what_follows_a_reply_is_left_to_whoever_writes_it(line: "Line") -> None:
    happened: list[int] = []
    line.call("ClearCache")
    line.session.reply(done(), then=lambda: happened.append(1))
    frame = line.frame()
    assert happened == []
    line.lose()
    assert happened == []
    assert frame.then is not None
    frame.then()
    assert happened == [1]


def test_what_follows_happens_once_if_the_connection_goes_first(line: "Line") -> None:
    happened: list[int] = []
    for number in range(3):
        line.call("ClearCache", unique_id=f"n{number}")
        line.session.reply(done(f"n{number}"), number=number, then=partial(happened.append, number))
    frame = line.frame()
    assert frame.then is not None
    frame.then()
    line.lose()
    assert happened == [0, 1, 2]
    line.lose()
    line.connect()
    line.durable = 9
    assert line.take() == []
    assert happened == [0, 1, 2]


def test_the_answer_to_a_call_of_an_earlier_connection_is_not_written(line: "Line") -> None:
    happened: list[int] = []
    line.call("ClearCache")
    line.lose()
    assert line.session.calls_in_work == 0
    line.connect()
    line.session.reply(done(), then=lambda: happened.append(1))
    assert line.take() == []
    assert happened == [1]


def test_an_id_used_again_on_a_newer_connection_is_not_answered_by_the_old_call(line: "Line") -> None:
    old = line.handed_out("Reset", {"type": "Soft"})
    line.lose()
    line.connect()
    new = line.handed_out("GetConfiguration")
    line.session.reply(done(), call=old)
    assert line.take() == []
    line.session.reply(CallResult("cs-1", {}), call=new)
    assert line.take() == ["result"]


def test_a_call_is_answered_once(line: "Line") -> None:
    happened: list[int] = []
    line.call("ClearCache")
    line.session.reply(done())
    line.session.reply(CallError("cs-1", "InternalError"), then=lambda: happened.append(1))
    assert line.take() == ["result"]
    assert happened == [1]


def test_what_follows_may_send(line: "Line") -> None:
    line.call("TriggerMessage", {"requestedMessage": "Heartbeat"})

    def send() -> None:
        line.put("Heartbeat", is_triggered=True)

    line.session.reply(done(), then=send)
    assert line.take() == ["result", "Heartbeat"]


def test_what_waits_is_counted_for_the_flood_limits(line: "Line") -> None:
    for number in range(70):
        line.call("ClearCache", unique_id=f"n{number}")
    assert (line.session.calls_in_work, line.session.waiting_replies) == (70, 0)
    for number in range(65):
        line.session.reply(done(f"n{number}"), number=1)
    assert (line.session.calls_in_work, line.session.waiting_replies) == (5, 65)
    line.durable = 1
    assert len(line.take()) == 65
    assert (line.session.calls_in_work, line.session.waiting_replies) == (5, 0)

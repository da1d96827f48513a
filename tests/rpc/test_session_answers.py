"""Late answers, double answers, and answers to nothing: every id a message was sent under finds it while it lives."""

from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.pending import Entry, Payload
from ocpp16.rpc.policy import RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def time_out(line: "Line") -> None:
    line.now = line.session.deadline(0)
    line.session.on_time(line.now)


def test_an_answer_to_nothing_is_counted_and_dropped(line: "Line") -> None:
    line.session.receive('[3,"nobody",{}]', line.now)
    line.session.receive('[4,"nobody","GenericError","",{}]', line.now)
    line.session.receive('[4,"-1","GenericError","",{}]', line.now)
    line.session.receive('[3,"nobody",7]', line.now)
    assert line.counters.unknown_ids == 4
    assert line.counters.call_errors == 0
    assert line.take() == []


def test_another_id_does_not_answer_the_call_in_flight(line: "Line") -> None:
    line.put("Authorize", waits=True)
    line.take()
    line.session.receive('[3,"id-2",{"idTagInfo":{"status":"Accepted"}}]', line.now)
    assert line.ends == []
    assert line.session.in_flight is not None


def test_the_second_of_two_answers_is_dropped(line: "Line") -> None:
    line.put("StartTransaction")
    line.put("StopTransaction")
    line.take()
    line.answer()
    line.take()
    line.answer(unique_id="id-1")
    assert line.ledger.of("confirmed") == [1]
    assert line.in_flight.action == "StopTransaction"
    assert line.counters.unknown_ids == 1


def test_a_second_refusal_under_the_same_id_is_no_second_attempt(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.refuse()
    line.refuse()
    assert line.ledger.told == [("attempted", 1, 1)]
    assert line.counters.unknown_ids == 1


def test_a_late_confirmation_is_taken_while_the_message_waits_for_its_retry(line: "Line") -> None:
    line.put("StartTransaction")
    line.put("StopTransaction")
    line.take()
    time_out(line)
    line.answer()
    assert line.ledger.of("confirmed") == [1]
    assert line.take() == ["StopTransaction"]
    assert line.counters.unknown_ids == 0


@pytest.mark.parametrize("late", ["id-1", "id-2"])
def test_a_late_confirmation_is_taken_while_a_newer_transmission_is_open(line: "Line", late: str) -> None:
    """The lane stays taken until the newer CALL is answered too: never two CALLs open."""
    line.put("StartTransaction")
    line.put("StopTransaction")
    for _ in range(2):
        line.take()
        time_out(line)
        line.now = line.session.deadline(0)
    assert line.take() == ["StartTransaction"]
    line.answer(unique_id=late)
    assert line.ledger.of("confirmed") == [1]
    assert line.take() == []
    line.session.receive('[3,"nobody",{}]', line.now)
    assert line.counters.unknown_ids == 1
    assert line.take() == []
    line.answer(unique_id="id-3")
    assert line.ledger.of("confirmed") == [1]
    assert line.counters.unknown_ids == 1
    assert line.take() == ["StopTransaction"]


def test_a_call_that_was_settled_by_an_earlier_id_still_times_out(line: "Line") -> None:
    line.put("StartTransaction")
    line.put("Heartbeat")
    line.take()
    time_out(line)
    line.answer(unique_id="id-1")
    assert line.take() == ["Heartbeat"]
    line.answer()
    line.put("StartTransaction")
    line.take()
    time_out(line)
    line.advance(60)
    line.answer(unique_id="id-3")
    assert line.session.deadline(0) == line.now + 30
    line.put("Heartbeat")
    assert line.advance(29.9) == []
    assert line.advance(0.1) == ["Heartbeat"]
    assert line.ledger.of("confirmed") == [1, 3]


def test_a_settled_call_is_not_put_back_when_the_connection_goes(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    time_out(line)
    line.advance(60)
    line.answer(unique_id="id-1")
    line.lose()
    line.connect()
    assert line.take() == []
    assert line.session.outbox.depth == 0


def test_a_late_answer_is_taken_on_a_later_connection(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.lose()
    line.connect()
    line.answer(unique_id="id-1")
    assert line.ledger.of("confirmed") == [1]
    assert line.take() == []
    line.put("StopTransaction")
    line.take()
    line.lose()
    line.connect()
    assert line.take() == ["StopTransaction"]
    line.answer(unique_id="id-2", payload={})
    assert line.ledger.of("confirmed") == [1, 2]


def test_a_late_refusal_while_waiting_counts_as_an_attempt(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    time_out(line)
    line.now += 10
    line.refuse()
    assert line.ledger.told == [("attempted", 1, 1)]
    assert line.session.deadline(0) == line.now + 60


def test_a_late_refusal_leaves_the_newer_transmission_to_decide(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=2, interval=10.0))
    line.put("StartTransaction")
    line.take()
    time_out(line)
    line.wait()
    line.refuse(unique_id="id-1")
    assert line.ledger.told == [("attempted", 1, 1)]
    assert line.session.in_flight is not None
    line.refuse(unique_id="id-2")
    assert line.ledger.of("given up") == [1]


def test_a_late_refusal_of_boot_notification_does_not_disturb_the_newer_one(line: "Line") -> None:
    line.put("BootNotification", waits=True)
    line.take()
    time_out(line)
    line.wait()
    line.refuse(unique_id="id-1")
    assert line.session.in_flight is not None
    line.answer()
    assert [reason for _, reason, _ in line.ends] == ["confirmed"]


def test_a_late_answer_to_boot_notification_is_taken(line: "Line") -> None:
    line.put("BootNotification", waits=True)
    line.take()
    time_out(line)
    line.answer()
    assert [reason for _, reason, _ in line.ends] == ["confirmed"]
    assert line.advance(1000) == []


def test_what_came_to_its_end_is_found_no_more(line: "Line") -> None:
    line.put("Heartbeat", waits=True)
    line.take()
    time_out(line)
    line.answer()
    assert [reason for _, reason, _ in line.ends] == ["timeout"]
    assert line.counters.unknown_ids == 1


def test_a_message_that_was_given_up_is_found_no_more(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=1))
    line.put("StartTransaction")
    line.take()
    time_out(line)
    line.wait()
    line.refuse()
    assert line.ledger.of("given up") == [1]
    line.answer(unique_id="id-1")
    assert line.ledger.of("confirmed") == []
    assert line.counters.unknown_ids == 1


def test_the_transaction_id_is_learnt_before_the_next_frame_is_chosen(
    line: "Line", monkeypatch: pytest.MonkeyPatch
) -> None:
    line.ledger.known_id = None
    learn = line.ledger.confirmed

    def confirmed(entry: Entry, payload: Payload) -> None:
        learn(entry, payload)
        line.ledger.known_id = payload.get("transactionId", line.ledger.known_id)

    monkeypatch.setattr(line.ledger, "confirmed", confirmed)
    line.put("StartTransaction")
    line.put("StopTransaction")
    line.take()
    line.answer({"idTagInfo": {"status": "Blocked"}, "transactionId": 4711})
    line.take()
    assert line.sent[1].payload["transactionId"] == 4711

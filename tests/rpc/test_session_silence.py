"""A timeout in silence says nothing about the message: the link is asked first."""

from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.policy import OutboxLimits, RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def time_out(line: "Line") -> None:
    line.now = line.session.deadline(-1)
    line.session.on_time(line.now)


@pytest.mark.parametrize("action", ["StartTransaction", "Heartbeat", "BootNotification"])
def test_a_timeout_in_silence_wants_the_link_asked(line: "Line", action: str) -> None:
    line.put(action)
    line.take()
    wishes = [line.session.wants_probe]
    time_out(line)
    wishes.append(line.session.wants_probe)
    line.session.probe_sent()
    wishes.append(line.session.wants_probe)
    assert wishes == [False, True, False]


def test_a_timeout_on_a_link_that_is_alive_wants_nothing(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.session.heard(line.now + 1)
    time_out(line)
    assert not line.session.wants_probe


def test_what_was_received_before_the_message_was_written_proves_nothing(line: "Line") -> None:
    line.put("StartTransaction")
    line.session.heard(line.now)
    line.take()
    time_out(line)
    assert line.session.wants_probe


@pytest.mark.parametrize("how", ["heard", "lost"])
def test_the_wish_ends_with_a_sign_of_life_or_with_the_connection(line: "Line", how: str) -> None:
    line.put("Heartbeat")
    line.take()
    time_out(line)
    if how == "heard":
        line.session.heard(line.now)
    else:
        line.lose()
    assert not line.session.wants_probe


def test_a_pong_after_the_timeout_makes_the_silence_count(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=2, interval=10.0))
    entry = line.put("StartTransaction")
    line.put("StopTransaction")
    line.take()
    time_out(line)
    assert entry.silences == 0
    line.session.heard(line.now)
    assert entry.silences == 1
    line.wait()
    time_out(line)
    assert line.ledger.told == []
    line.session.heard(line.now + 0.1)
    assert line.ledger.told == [("set aside", 1, 1)]
    assert line.take() == ["StopTransaction"]


def test_a_sign_of_life_while_it_is_sent_again_waits_for_that_to_end(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=1, interval=10.0))
    entry = line.put("StartTransaction")
    line.take()
    time_out(line)
    line.wait()
    line.session.heard(line.now)
    assert entry.silences == 1
    assert line.in_flight is entry
    assert line.ledger.told == []
    line.answer()
    assert line.ledger.of("confirmed") == [1]


def test_silence_on_a_dead_link_is_retried_as_ever(line: "Line") -> None:
    entry = line.put("StartTransaction")
    line.put("StopTransaction")
    for _ in range(20):
        assert line.take() or line.wait()
        time_out(line)
    assert (entry.timeouts, entry.silences) == (20, 0)
    assert {call.action for call in line.sent} == {"StartTransaction"}


def test_another_connection_proves_nothing_about_the_one_before(line: "Line") -> None:
    entry = line.put("StartTransaction")
    line.take()
    time_out(line)
    line.lose()
    line.connect()
    line.session.heard(line.now)
    assert entry.silences == 0


def test_a_message_that_was_answered_late_is_not_set_aside(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=1, interval=10.0))
    line.put("StartTransaction")
    line.take()
    time_out(line)
    line.session.receive('[3,"id-1",{"idTagInfo":{"status":"Accepted"},"transactionId":5}]', line.now)
    line.session.heard(line.now)
    assert line.ledger.of("set aside") == []
    assert line.session.outbox.depth == 0


def test_a_message_that_was_shed_meanwhile_is_not_set_aside(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=1, interval=10.0), limits=OutboxLimits(threshold=3))
    line.put("MeterValues")
    line.take()
    time_out(line)
    for _ in range(3):
        line.put("MeterValues")
    assert line.ledger.told == [("dropped", 1)]
    line.session.heard(line.now)
    assert line.ledger.told == [("dropped", 1)]


def test_stored_normal_messages_are_retried_and_hold_up_nobody(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True))
    line.put("StatusNotification", is_persistent=True)
    for _ in range(6):
        assert line.wait() == ["StatusNotification"]
        line.session.heard(line.now)
        time_out(line)
        line.put("StartTransaction")
        assert line.take() == ["StartTransaction"]
        line.answer()
    assert line.ledger.of("set aside") == []

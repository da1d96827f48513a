"""Losing and gaining the connection, registration, and what may be sent in which phase."""

from math import inf
from typing import TYPE_CHECKING

import pytest

from ocpp16.enums import RegistrationStatus
from ocpp16.errors import LocalProtocolError, Offline
from ocpp16.rpc.pending import Lane
from ocpp16.rpc.policy import OutboxLimits

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

ACCEPTED, PENDING, REJECTED = RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING, RegistrationStatus.REJECTED


def reasons(line: "Line") -> list[tuple[int, str]]:
    return [(number, reason) for number, reason, _ in line.ends]


def test_nothing_is_written_without_a_connection(new_line: "type[Line]") -> None:
    line = new_line(connected=False)
    line.put("StartTransaction")
    line.put("BootNotification")
    assert line.take() == []
    assert line.session.deadline(0) == inf
    line.connect()
    assert line.session.deadline(0) == 0.0
    assert line.take() == ["BootNotification"]
    line.answer()
    assert line.take() == ["StartTransaction"]


def test_a_lost_connection_costs_no_attempt_and_keeps_the_order(line: "Line") -> None:
    line.put("StartTransaction")
    line.put("MeterValues")
    line.put("StopTransaction")
    line.take()
    for _ in range(10):
        line.lose()
        line.connect()
        assert line.take() == ["StartTransaction"]
    assert line.in_flight.attempts == 0
    assert line.in_flight.timeouts == 0
    line.answer()
    assert line.drain() == ["MeterValues", "StopTransaction"]
    assert line.ledger.told == [
        ("confirmed", 1, {"idTagInfo": {"status": "Accepted"}, "transactionId": 77}),
        ("confirmed", 2, {}),
        ("confirmed", 3, {}),
    ]


def test_a_lost_connection_leaves_no_timeout(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.lose()
    assert line.session.deadline(0) == inf
    assert line.session.in_flight is None
    line.session.on_time(line.now + 1000)
    assert line.counters.timeouts == 0


def test_a_retry_still_waits_its_time_after_a_reconnect(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.refuse()
    line.lose()
    line.connect()
    assert line.take() == []
    assert line.session.deadline(0) == line.now + 60


def test_whoever_waits_is_told_that_the_connection_is_gone(line: "Line") -> None:
    line.put("Heartbeat")
    line.put("Authorize", waits=True)
    line.put("DataTransfer", waits=True)
    line.take()
    assert line.in_flight.action == "Authorize"
    line.lose()
    assert reasons(line) == [(2, "offline"), (3, "offline")]
    for _, _, failure in line.ends:
        assert isinstance(failure, Offline)
        assert failure.description == "connection lost"


def test_only_messages_that_must_arrive_count_as_retries(line: "Line") -> None:
    for action in ("StartTransaction", "BootNotification"):
        line.put(action)
    for _ in range(2):
        line.take()
        line.lose()
        line.connect()
        line.take()
        line.answer()
    assert [call.action for call in line.sent] == [
        name for name in ("BootNotification", "StartTransaction") for _ in range(2)
    ]
    assert line.counters.retries == 1
    assert line.counters.calls_sent == 4


def test_an_interactive_call_in_flight_is_not_sent_again(line: "Line") -> None:
    line.put("Authorize", waits=True)
    line.take()
    line.lose()
    line.lose()
    assert reasons(line) == [(1, "offline")]
    line.connect()
    assert line.take() == []
    line.answer(unique_id="id-1")
    assert reasons(line) == [(1, "offline")]
    assert line.counters.unknown_ids == 1


def test_a_question_is_not_kept_for_later_though_all_messages_are(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True), connected=False)
    line.put("Authorize", waits=True)
    line.put("DataTransfer")
    assert reasons(line) == [(1, "offline")]
    line.connect()
    assert line.take() == ["DataTransfer"]


@pytest.mark.parametrize("is_triggered", [False, True])
def test_what_would_tell_the_present_later_ends_with_the_connection(line: "Line", is_triggered: bool) -> None:
    for connector_id in range(3):
        status = {"connectorId": connector_id, "errorCode": "NoError", "status": "Available"}
        line.put("StatusNotification", status, is_triggered=is_triggered)
    line.put("MeterValues", lane=Lane.NORMAL, is_persistent=False, number=1)
    line.put("DataTransfer")
    line.take()
    line.lose()
    assert line.session.outbox.depth == 0
    assert line.counters.dropped == 4  # and one was in flight
    line.put("StatusNotification")
    assert line.counters.dropped == 5
    line.connect()
    line.durable = 1
    assert line.drain() == []


def test_what_is_stored_goes_after_the_reconnect(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True))
    line.put("StatusNotification", is_persistent=True)
    line.put("MeterValues")
    line.put("Heartbeat")
    line.put("BootNotification")
    line.take()
    line.lose()
    assert line.counters.dropped == 1
    line.connect()
    assert line.drain() == ["BootNotification", "StatusNotification", "MeterValues"]


@pytest.mark.parametrize("queue_all", [False, True])
@pytest.mark.parametrize("action", ["Authorize", "DataTransfer"])
def test_a_question_is_never_queued_while_offline(new_line: "type[Line]", queue_all: bool, action: str) -> None:
    line = new_line(connected=False, limits=OutboxLimits(queue_all=queue_all))
    entry = line.entry(action, waits=True)
    assert line.session.enqueue(entry, line.now) is False
    assert reasons(line) == [(1, "offline")]
    assert isinstance(line.ends[0][2], Offline)
    assert line.session.outbox.depth == 0
    assert line.counters.dropped == 1


def test_an_authorize_nobody_waits_for_is_not_queued_either(new_line: "type[Line]") -> None:
    line = new_line(connected=False, limits=OutboxLimits(queue_all=True))
    assert line.session.enqueue(line.entry("Authorize"), line.now) is False


@pytest.mark.parametrize("registration", [None, PENDING, REJECTED])
def test_a_question_fails_at_once_while_not_accepted(
    new_line: "type[Line]", registration: RegistrationStatus | None
) -> None:
    line = new_line(accepted=False)
    line.session.set_registration(registration, line.now)
    assert line.session.enqueue(line.entry("Authorize", waits=True), line.now) is False
    assert reasons(line) == [(1, "offline")]


@pytest.mark.parametrize("status", [None, PENDING, REJECTED])
def test_whoever_waits_is_told_when_the_charge_point_is_accepted_no_longer(
    line: "Line", status: RegistrationStatus | None
) -> None:
    line.put("Heartbeat")
    line.take()
    line.put("Authorize", waits=True)
    line.put("DataTransfer", waits=True, is_triggered=True)
    line.session.set_registration(status, line.now)
    assert reasons(line) == [(2, "offline")]
    line.answer()
    assert line.take() == (["DataTransfer"] if status is PENDING else [])


@pytest.mark.parametrize(
    ("registration", "written"),
    [
        (None, ["BootNotification"]),
        (REJECTED, ["BootNotification"]),
        (PENDING, ["BootNotification", "StatusNotification"]),
        (ACCEPTED, ["BootNotification", "StartTransaction", "StatusNotification", "Heartbeat"]),
    ],
)
def test_what_is_sent_in_each_phase(
    new_line: "type[Line]", registration: RegistrationStatus | None, written: list[str]
) -> None:
    line = new_line(accepted=False)
    line.session.set_registration(registration, line.now)
    line.put("StartTransaction")
    line.put("StatusNotification", is_triggered=True)
    line.put("Heartbeat")
    line.put("BootNotification")
    assert line.drain() == written


@pytest.mark.parametrize("status", [PENDING, ACCEPTED])
def test_what_is_triggered_before_the_first_answer_goes_after_it(
    new_line: "type[Line]", status: RegistrationStatus
) -> None:
    """The Central System was told that it will be sent."""
    line = new_line(accepted=False)
    line.put("BootNotification")
    assert line.take() == ["BootNotification"]
    line.put("StatusNotification", is_triggered=True)
    line.answer()
    assert line.take() == []
    line.session.set_registration(status, line.now)
    assert line.take() == ["StatusNotification"]


def test_messages_wait_for_acceptance(new_line: "type[Line]") -> None:
    line = new_line(accepted=False, limits=OutboxLimits(queue_all=True, discard=frozenset({"Heartbeat"})))
    line.put("StartTransaction")
    line.put("StatusNotification")
    line.put("Heartbeat")
    line.put("MeterValues")
    assert line.counters.dropped == 1
    line.session.set_registration(PENDING, line.now)
    assert line.drain() == []
    line.session.set_registration(ACCEPTED, line.now)
    assert line.drain() == ["StartTransaction", "StatusNotification", "MeterValues"]


def test_a_stored_message_waits_also_without_queue_all_messages(new_line: "type[Line]") -> None:
    line = new_line(connected=False)
    line.put("SecurityEventNotification", is_persistent=True)
    line.put("StatusNotification")
    assert line.ledger.told == []
    assert line.session.outbox.depth == 1


# Reconnecting


def test_the_resume_delay_lets_the_central_system_speak_first(line: "Line") -> None:
    line.put("StartTransaction")
    line.lose()
    line.connect(resume_delay=10.0)
    line.put("Heartbeat")
    line.put("Authorize", waits=True)
    line.call("ClearCache")
    assert line.take() == []
    assert line.session.deadline(0) == line.now + 10
    assert line.advance(9.9) == []
    assert line.advance(0.1) == ["Authorize"]
    line.answer()
    assert sorted(line.drain()) == ["Heartbeat", "StartTransaction"]


def test_a_loss_during_the_resume_delay_ends_it(line: "Line") -> None:
    line.put("StartTransaction")
    line.lose()
    line.connect(resume_delay=10.0)
    line.advance(5)
    line.lose()
    assert line.session.deadline(0) == inf
    line.connect()
    assert line.take() == ["StartTransaction"]


def test_replies_do_not_wait_for_the_resume_delay(line: "Line") -> None:
    line.lose()
    line.connect(resume_delay=10.0)
    line.session.receive('[2,"x",""]', line.now)
    assert line.take() == ["error"]


def test_the_first_connection_has_no_resume_delay(new_line: "type[Line]") -> None:
    line = new_line(connected=False)
    line.put("StartTransaction")
    line.connect(resume_delay=10.0)
    assert line.take() == ["StartTransaction"]


def test_an_empty_session_that_resumes_has_no_deadline(line: "Line") -> None:
    line.lose()
    line.connect(resume_delay=10.0)
    assert line.session.deadline(0) == inf


def test_the_replay_rate_paces_what_waited_for_the_connection(new_line: "type[Line]") -> None:
    line = new_line(connected=False, limits=OutboxLimits(replay_rate=4.0))
    for _ in range(4):
        line.put("MeterValues")
    line.connect()
    start, sent_at = line.now, []
    for _ in range(4):
        assert line.wait() == ["MeterValues"]
        sent_at.append(line.now - start)
        line.answer()
    assert sent_at == [0.0, 0.25, 0.5, 0.75]
    line.put("MeterValues")
    assert line.take() == ["MeterValues"]


def test_what_waited_for_acceptance_is_paced_too(new_line: "type[Line]") -> None:
    line = new_line(accepted=False, limits=OutboxLimits(replay_rate=1.0))
    line.put("MeterValues")
    line.put("MeterValues")
    line.session.set_registration(ACCEPTED, line.now)
    line.take()
    line.answer()
    assert line.take() == []
    assert line.session.deadline(0) == line.now + 1


def test_an_answer_to_a_second_boot_notification_is_no_new_backlog(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(replay_rate=1.0))
    line.put("MeterValues")
    line.put("MeterValues")
    line.session.set_registration(ACCEPTED, line.now)
    assert line.drain() == ["MeterValues", "MeterValues"]


def test_connections_are_counted(line: "Line") -> None:
    line.lose()
    line.connect()
    assert line.counters.connects == 2
    with pytest.raises(LocalProtocolError):
        line.connect()


# The end


@pytest.mark.parametrize("connected", [True, False])
def test_everybody_who_waits_is_told_that_the_charge_point_stopped(new_line: "type[Line]", connected: bool) -> None:
    line = new_line()
    line.put("DataTransfer", waits=True)
    line.take()
    line.put("Authorize", waits=True)
    line.put("BootNotification", waits=True)
    line.put("StartTransaction")
    if not connected:
        line.lose()
        line.ends.clear()
    line.session.stop(line.now)
    expected = [(1, "stopped"), (2, "stopped"), (3, "stopped")]
    assert reasons(line) == (expected if connected else expected[2:])
    assert not line.session.is_connected
    assert line.ledger.told == []
    line.session.stop(line.now)
    assert len(line.ends) == len(expected if connected else expected[2:])


def test_a_stored_message_in_flight_survives_the_stop(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.session.stop(line.now)
    assert line.session.outbox.depth == 1
    assert line.ledger.rows.keys() == {1}


def test_boot_notification_in_flight_ends_with_the_stop(line: "Line") -> None:
    line.put("BootNotification", waits=True)
    line.take()
    line.session.stop(line.now)
    assert reasons(line) == [(1, "stopped")]
    assert line.session.outbox.depth == 0

"""What becomes of a request that is refused, not answered, or answered with something that cannot be read."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.pending import MAX_IDS, Asker
from ocpp16.rpc.policy import OutboxLimits, RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def payload_bytes(data: bytes) -> bytes:
    """The frame without its message id."""
    return data.split(b",", 2)[2]


def test_one_call_is_in_flight(line: "Line") -> None:
    line.put("StartTransaction")
    line.put("Heartbeat")
    line.put("BootNotification")
    assert line.take() == ["BootNotification"]
    assert line.take() == []
    line.answer()
    assert line.take() == ["StartTransaction"]
    assert line.in_flight.action == "StartTransaction"
    assert line.advance(29.9) == []
    line.answer()
    assert line.take() == ["Heartbeat"]
    line.answer()
    assert line.session.in_flight is None
    assert line.ledger.of("confirmed") == [1]


@pytest.mark.parametrize(
    ("hook", "is_answered"),
    [("on_confirmation", True), ("on_failure", False), ("on_end", True), ("on_end", False)],
)
def test_a_hook_may_make_the_next_request(new_line: "type[Line]", hook: str, is_answered: bool) -> None:
    line = new_line(retry=RetryRules())
    entry = line.entry("Heartbeat")
    entry.asker = Asker()
    setattr(entry.asker, hook, lambda *what: line.put("StatusNotification"))
    line.session.enqueue(entry, line.now)
    line.take()
    if is_answered:
        line.answer()
    else:
        line.refuse()
    assert line.take() == ["StatusNotification"]


# Refused


def test_a_refused_message_waits_longer_each_time_and_is_then_given_up(line: "Line") -> None:
    line.put("StartTransaction")
    line.put("StopTransaction")
    sent_at = []
    for _ in range(3):
        line.advance(0)
        sent_at.append(line.now)
        line.now += 5
        line.refuse("InternalError", description="down")
        if line.session.deadline(0) > line.now:
            assert line.advance(line.session.deadline(0) - line.now - 0.5) == []
            line.now += 0.5
    assert [moment - sent_at[0] for moment in sent_at] == [0, 65, 190]
    assert line.ledger.told == [
        ("attempted", 1, 1),
        ("attempted", 1, 2),
        ("given up", 1, "StartTransaction: callerror: InternalError: down"),
    ]
    assert line.take() == ["StopTransaction"]
    assert (line.counters.call_errors, line.counters.dead_letters, line.counters.retries) == (3, 1, 2)


@pytest.mark.parametrize(("attempts", "transmissions"), [(0, 1), (1, 1), (2, 2), (5, 5)])
def test_how_often_a_refused_message_is_sent(new_line: "type[Line]", attempts: int, transmissions: int) -> None:
    line = new_line(retry=RetryRules(attempts=attempts, interval=10.0))
    line.put("StopTransaction")
    sends = 0
    while line.wait():
        sends += 1
        line.refuse()
    assert sends == transmissions
    assert line.ledger.of("given up") == [1]


def test_retries_carry_the_same_bytes_under_a_new_id(line: "Line") -> None:
    entry = line.put("StopTransaction")
    line.take()
    line.refuse()
    line.ledger.known_id = 78
    line.advance(60)
    line.advance(30)
    line.advance(120)
    assert [call.action for call in line.sent] == ["StopTransaction"] * 3
    assert len({call.unique_id for call in line.sent}) == 3
    assert len({payload_bytes(data) for data in line.raw}) == 1
    assert line.sent[0].payload == {"transactionId": 77, **entry.payload}
    assert line.ledger.bound == [1]


def test_rules_changed_while_running_hold_from_the_next_failure(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.session.retry = replace(line.session.retry, interval=7.0)
    line.refuse()
    assert line.session.deadline(0) == line.now + 7
    line.advance(7)
    line.session.retry = replace(line.session.retry, attempts=1)
    line.refuse()
    assert line.ledger.of("given up") == [1]


@pytest.mark.parametrize("code", ["NotImplemented", "NotSupported"])
@pytest.mark.parametrize(
    ("action", "sends"),
    [("SecurityEventNotification", 1), ("StartTransaction", 3), ("StopTransaction", 3), ("MeterValues", 3)],
)
def test_codes_that_will_not_change_end_what_a_central_system_need_not_know(
    line: "Line", code: str, action: str, sends: int
) -> None:
    line.put(action)
    while line.wait():
        line.refuse(code)
    assert len(line.sent) == sends
    assert line.ledger.of("given up") == [1]


@pytest.mark.parametrize(
    ("received", "told"),
    [
        ("FormatViolation", "FormationViolation"),
        ("OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        ("OccurenceConstraintViolation", "OccurenceConstraintViolation"),
        ("NOTSUPPORTED", "NotSupported"),
        ("securityError", "SecurityError"),
        ("com.example.Tired", "com.example.Tired"),
        ("", ""),
    ],
)
def test_any_error_code_is_taken(line: "Line", received: str, told: str) -> None:
    line.put("Heartbeat", waits=True)
    line.take()
    line.refuse(received, description="why")
    [(_, reason, failure)] = line.ends
    assert (reason, failure.code, failure.description) == ("callerror", told, "why")
    assert line.counters.repairs == ({} if received == told else {"call_errors": 1})
    assert line.invalid == []


# Unreadable


@pytest.mark.parametrize(
    "text",
    [
        '[3,"id-1",{"idTagInfo":{"expiryDate":"2026-03-01T12:00:00Z"}}]',
        '[3,"id-1",{"idTagInfo":{"status":"Maybe"},"transactionId":1.5}]',
        '[3,"id-1",[]]',
        '[3,"id-1",{"transactionId":]',
        '[4,"id-1",7,"",{}]',
    ],
)
def test_an_answer_that_cannot_be_read_counts_as_refused_and_is_not_answered(line: "Line", text: str) -> None:
    line.put("StartTransaction")
    line.take()
    assert line.session.receive(text, line.now) is None
    assert line.ledger.told == [("attempted", 1, 1)]
    assert line.session.deadline(0) == line.now + 60
    assert line.take() == []
    assert [raw for raw, _ in line.invalid] == [text]
    assert line.counters.invalid_frames == 1


def test_an_unreadable_confirmation_fails_a_normal_message(line: "Line") -> None:
    line.put("Authorize", waits=True)
    line.take()
    line.answer({"idTagInfo": {}})
    [(_, reason, failure)] = line.ends
    assert reason == "unreadable"
    assert "status" in failure.description
    assert line.session.in_flight is None


def test_a_confirmation_is_repaired_if_that_is_possible(line: "Line") -> None:
    line.put("StartTransaction")
    line.take()
    line.answer({"idTagInfo": {"status": "Accepted", "expiryDate": None}, "transactionId": 5, "vendor": 1})
    assert line.ledger.told == [
        ("confirmed", 1, {"idTagInfo": {"status": "Accepted"}, "transactionId": 5}),
    ]
    assert sum(line.counters.repairs.values()) == 2
    assert line.invalid == []


def test_a_null_payload_is_repaired(line: "Line") -> None:
    line.put("StatusNotification", waits=True)
    line.take()
    line.session.receive('[3,"id-1",null]', line.now)
    assert line.ends == [(1, "confirmed", {})]
    assert sum(line.counters.repairs.values()) == 1


# Not answered


def test_silence_is_no_attempt_and_is_retried_for_ever(line: "Line") -> None:
    line.put("StartTransaction")
    waits = []
    for _ in range(6):
        assert line.take() == ["StartTransaction"]
        sent_at = line.now
        assert line.session.deadline(0) == sent_at + 30
        line.now += 30
        line.session.on_time(line.now)
        waits.append(line.session.deadline(0) - line.now)
        line.now = line.session.deadline(0)
    assert waits == [60, 120, 180, 180, 180, 180]
    assert line.ledger.told == []
    assert line.counters.timeouts == 6
    assert line.counters.retries == 5


def test_silence_and_refusals_lengthen_the_wait_together(line: "Line") -> None:
    entry = line.put("StartTransaction")
    line.advance(30)
    line.advance(60)
    line.refuse()
    assert (entry.attempts, entry.timeouts) == (1, 1)
    assert line.session.deadline(0) == line.now + 60
    line.advance(60)
    line.advance(30)
    assert line.session.deadline(0) == line.now + 180


def test_the_timeout_comes_when_its_time_is_reached_not_before(line: "Line") -> None:
    line.put("Heartbeat", waits=True)
    line.take()
    line.session.on_time(line.now + 29.999)
    assert line.ends == []
    line.session.on_time(line.now + 30)
    assert [(number, reason) for number, reason, _ in line.ends] == [(1, "timeout")]


@pytest.mark.parametrize(("own", "common", "expected"), [(5.0, 30.0, 5.0), (None, 12.0, 12.0), (90.0, 30.0, 90.0)])
def test_the_response_timeout_is_common_or_the_entry_s_own(
    new_line: "type[Line]", own: float | None, common: float, expected: float
) -> None:
    line = new_line(retry=RetryRules(response_timeout=common))
    line.put("Heartbeat", timeout=own)
    line.take()
    assert line.session.deadline(0) == line.now + expected


def test_a_normal_message_is_sent_once(line: "Line") -> None:
    line.put("Heartbeat")
    line.take()
    assert line.advance(1000) == []
    line.put("Heartbeat")
    line.take()
    line.refuse()
    assert line.advance(1000) == []
    assert len(line.sent) == 2


def test_a_stored_normal_message_is_retried_and_lets_others_pass(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True))
    line.put("StatusNotification", is_persistent=True)
    line.take()
    line.refuse()
    line.put("Heartbeat")
    assert line.take() == ["Heartbeat"]
    line.answer()
    assert line.advance(59) == []
    assert line.advance(1) == ["StatusNotification"]
    line.answer()
    assert line.ledger.told == [("attempted", 1, 1), ("confirmed", 1, {})]


def test_no_more_ids_are_kept_than_anybody_will_answer(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(interval=0.0, response_timeout=1.0))
    entry = line.put("StartTransaction")
    line.advance(MAX_IDS + 10.5)
    assert len(line.sent) == MAX_IDS + 11
    assert len(entry.ids) == MAX_IDS - 1, "and the one that is open"
    line.answer(unique_id="id-11")
    assert line.counters.unknown_ids == 1
    line.answer(unique_id="id-12")
    assert line.ledger.of("confirmed") == [1]


# BootNotification


@pytest.mark.parametrize("queue_all", [False, True])
def test_boot_notification_is_repeated_for_ever_and_never_stored(new_line: "type[Line]", queue_all: bool) -> None:
    line = new_line(accepted=False, limits=OutboxLimits(queue_all=queue_all))
    line.put("BootNotification", waits=True)
    assert line.advance(30 + 60 + 30 + 60) == ["BootNotification"] * 3
    for _ in range(10):
        line.refuse()
        assert line.advance(59.9) == []
        assert line.advance(0.1) == ["BootNotification"]
    line.answer({"currentTime": "2026-03-01T12:00:00Z", "interval": 300})
    assert line.advance(60) == ["BootNotification"]
    line.answer()
    assert line.advance(10_000) == []
    assert line.ledger.told == []
    assert [reason for _, reason, _ in line.ends] == ["confirmed"]


def test_a_newer_boot_notification_takes_the_place_of_one_that_waits(line: "Line") -> None:
    line.put("BootNotification", waits=True)
    line.take()
    line.refuse()
    line.put("BootNotification", waits=True)
    assert line.take() == ["BootNotification"]
    assert [(number, reason) for number, reason, _ in line.ends] == [(1, "superseded")]
    line.answer()
    assert line.advance(1000) == []


def test_a_boot_notification_that_failed_gives_way_to_a_newer_one(line: "Line") -> None:
    line.put("BootNotification", waits=True)
    line.take()
    line.put("BootNotification", waits=True)
    assert line.take() == []
    line.refuse()
    assert [(number, reason) for number, reason, _ in line.ends] == [(1, "superseded")]
    assert line.take() == ["BootNotification"]

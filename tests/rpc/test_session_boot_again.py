"""SecurityError: the Central System has forgotten this charge point, and the message it refused is not to blame."""

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.pending import Asker
from ocpp16.rpc.policy import OutboxLimits, RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def obliging(line: "Line") -> list[float]:
    """The charge point boots when it is asked to. Returns the times at which it was."""
    asked: list[float] = []

    def boot() -> None:
        asked.append(line.now)
        entry = line.entry("BootNotification")
        entry.asker = Asker(lambda payload: line.session.set_registration(payload["status"], line.now))
        line.session.enqueue(entry, line.now)

    line.session.on_boot_wanted = boot
    return asked


@pytest.mark.parametrize("code", ["SecurityError", "SECURITYERROR", "securityError"])
def test_it_boots_again_and_the_message_goes_once_more(line: "Line", code: str) -> None:
    asked = obliging(line)
    entry = line.put("StopTransaction")
    line.put("Heartbeat")
    line.take()
    line.refuse(code)
    assert len(asked) == 1
    assert line.take() == ["BootNotification"]
    line.answer()
    assert line.drain() == ["StopTransaction", "Heartbeat"]
    assert entry.attempts == 0
    assert line.ledger.told == [("confirmed", 1, {})]
    assert line.counters.call_errors == 1


@pytest.mark.parametrize("action", ["StatusNotification", "Heartbeat", "Authorize", "DataTransfer"])
def test_a_message_of_the_normal_lane_waits_for_the_boot_as_well(line: "Line", action: str) -> None:
    obliging(line)
    line.put(action, waits=True)
    line.take()
    line.refuse("SecurityError")
    assert line.ends == []
    assert line.drain() == ["BootNotification", action]
    assert [reason for _, reason, _ in line.ends] == ["confirmed"]


def test_nothing_but_the_boot_goes_until_it_is_answered(line: "Line") -> None:
    obliging(line)
    line.put("StatusNotification")
    line.take()
    line.refuse("SecurityError")
    line.put("StartTransaction")
    line.put("Authorize", waits=True)
    assert line.take() == ["BootNotification"]
    line.refuse()
    assert line.advance(59) == []
    assert [reason for _, reason, _ in line.ends] == ["offline"]  # a person is not made to wait for the next one
    assert line.advance(1) == ["BootNotification"]
    line.answer()
    assert line.drain() == ["StatusNotification", "StartTransaction"]


def test_after_that_boot_it_counts_like_any_refusal(line: "Line") -> None:
    asked = obliging(line)
    entry = line.put("StopTransaction")
    line.take()
    line.refuse("SecurityError")
    line.take()
    line.answer()
    assert line.take() == ["StopTransaction"]
    line.refuse("SecurityError")
    assert entry.attempts == 1
    assert len(asked) == 1
    assert line.advance(60) == ["StopTransaction"]
    line.refuse("SecurityError")  # time enough has passed for another boot, but the message had its excuse
    assert entry.attempts == 2
    assert len(asked) == 2
    assert line.take() == ["BootNotification"]
    line.answer()
    assert line.advance(120) == ["StopTransaction"]
    line.refuse("SecurityError")
    assert line.ledger.of("given up") == [1]


def test_a_central_system_that_refuses_everything_is_not_booted_at_for_ever(line: "Line") -> None:
    asked = obliging(line)
    end = line.now + 86_400
    while line.now < end:
        line.put("Heartbeat")
        for _ in range(4):
            line.take()
            entry = line.session.in_flight
            if entry is not None and entry.action == "BootNotification":
                line.answer()
            elif entry is not None:
                line.refuse("SecurityError")
        line.now += 30
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert waits[:3] == sorted(waits[:3])
    assert all(wait >= 60 for wait in waits)
    assert 24 <= len(asked) <= 32


def test_another_connection_begins_anew(line: "Line") -> None:
    asked = obliging(line)
    entry = line.put("StopTransaction")
    for connection in range(1, 6):
        line.take()
        assert line.in_flight is entry
        line.refuse("SecurityError")
        assert len(asked) == connection
        assert line.take() == ["BootNotification"]
        line.answer()
        line.take()
        line.lose()
        line.connect()
    assert entry.attempts == 0


@pytest.mark.parametrize("status", [None, *RegistrationStatus])
def test_the_answer_to_the_boot_counts_whatever_it_is(line: "Line", status: RegistrationStatus | None) -> None:
    obliging(line)
    line.put("StartTransaction")
    line.take()
    line.refuse("SecurityError")
    line.take()
    if status is None:
        line.session.set_registration(None, line.now)
        line.answer({"status": "Pending", "currentTime": "2026-03-01T12:00:00Z", "interval": 300})
    else:
        line.answer({"status": str(status), "currentTime": "2026-03-01T12:00:00Z", "interval": 300})
    assert line.take() == (["StartTransaction"] if status is RegistrationStatus.ACCEPTED else [])
    line.session.set_registration(RegistrationStatus.ACCEPTED, line.now)
    assert line.take() == ([] if status is RegistrationStatus.ACCEPTED else ["StartTransaction"])


def test_to_a_boot_notification_it_is_a_refusal(line: "Line") -> None:
    asked = obliging(line)
    line.put("BootNotification")
    line.take()
    line.refuse("SecurityError")
    assert asked == []
    assert line.session.deadline(0) == line.now + 60


def test_while_pending_it_is_a_refusal(new_line: "type[Line]") -> None:
    line = new_line(accepted=False)
    line.session.set_registration(RegistrationStatus.PENDING, line.now)
    asked = obliging(line)
    line.put("Heartbeat", waits=True, is_triggered=True)
    line.take()
    line.refuse("SecurityError")
    assert asked == []
    assert [reason for _, reason, _ in line.ends] == ["callerror"]


def test_without_anybody_who_boots_it_is_a_refusal(line: "Line") -> None:
    entry = line.put("StopTransaction")
    line.take()
    line.refuse("SecurityError")
    assert entry.attempts == 1


def test_a_late_one_while_a_newer_transmission_is_open_leaves_that_to_decide(line: "Line") -> None:
    asked = obliging(line)
    entry = line.put("StopTransaction")
    line.advance(30)
    line.wait()
    line.refuse("SecurityError", unique_id="id-1")
    assert len(asked) == 1
    assert line.in_flight is entry
    line.answer(unique_id="id-2")
    assert line.ledger.of("confirmed") == [1]


def test_a_stored_message_of_the_normal_lane_is_excused_too(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True))
    obliging(line)
    entry = line.put("StatusNotification", is_persistent=True)
    line.take()
    line.refuse("SecurityError")
    assert line.drain() == ["BootNotification", "StatusNotification"]
    assert entry.attempts == 0
    assert line.ledger.told == [("confirmed", 1, {})]


def test_another_message_that_is_refused_too_soon_for_a_boot_waits_for_the_next_one(new_line: type["Line"]) -> None:
    line = new_line(retry=RetryRules(attempts=1, interval=60.0))
    asked = obliging(line)
    line.put("StartTransaction")
    line.take()
    line.refuse("SecurityError")
    assert line.drain() == ["BootNotification", "StartTransaction"]
    line.now += 10
    line.put("StopTransaction")
    line.take()
    line.refuse("SecurityError")
    assert line.advance(49) == []
    assert line.wait() == ["StopTransaction"]
    line.refuse("SecurityError")
    assert line.drain() == ["BootNotification", "StopTransaction"]
    assert line.ledger.of("given up") == []
    assert len(asked) == 2


def test_a_boot_that_helped_for_long_makes_the_next_one_no_later(line: "Line") -> None:
    asked = obliging(line)
    for _ in range(10):
        line.put("StopTransaction")
        line.take()
        line.refuse("SecurityError")
        line.drain()
        line.now += 600
    assert len(asked) == 10


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_triggered_boot_that_its_connection_lost_goes_alone(line: "Line", *, is_sent: bool) -> None:
    """On the next connection it is the first to be heard of: a start, upon which nothing follows before its answer."""
    entry = line.entry("BootNotification", is_triggered=True)
    entry.asker = Asker(lambda payload: line.session.set_registration(payload["status"], line.now))
    if not is_sent:
        line.put("StopTransaction")
        line.take()
    line.session.enqueue(entry, line.now)
    if is_sent:
        assert line.take() == ["BootNotification"]
    line.lose()
    line.put("StopTransaction")
    line.connect()
    assert line.take() == ["BootNotification"]
    line.answer()
    assert "StopTransaction" in line.drain()


def test_so_does_one_that_waits_for_its_next_attempt(line: "Line") -> None:
    line.session.enqueue(line.entry("BootNotification", is_triggered=True), line.now)
    line.take()
    line.refuse()
    line.lose()
    line.put("StopTransaction")
    line.connect()
    assert line.advance(59) == []
    assert line.advance(1) == ["BootNotification"]
    line.answer()
    assert line.take() == ["StopTransaction"]


@pytest.mark.parametrize("is_refused", [False, True])
def test_what_follows_waits_for_one_attempt_of_it_only(line: "Line", *, is_refused: bool) -> None:
    """A Central System that asks for a boot and never takes it in would silence the charge point for good."""
    entry = line.entry("BootNotification", is_triggered=True)
    line.session.enqueue(entry, line.now)
    line.take()
    line.lose()
    line.put("StopTransaction")
    line.connect()
    assert line.take() == ["BootNotification"]
    if is_refused:
        line.refuse("InternalError")
    else:
        line.now = line.session.deadline(0)
        line.session.on_time(line.now)
    assert line.take() == ["StopTransaction"]
    line.answer()
    line.now = line.session.deadline(0)
    assert line.take() == ["BootNotification"], "it is not given up"


def test_a_triggered_boot_in_place_of_one_after_a_security_error_is_waited_for_as_that(line: "Line") -> None:
    obliging(line)
    line.put("StopTransaction")
    line.take()
    line.refuse("SecurityError")
    assert line.take() == ["BootNotification"]
    line.refuse()
    line.session.enqueue(line.entry("BootNotification", is_triggered=True), line.now)
    assert line.take() == ["BootNotification"]
    line.refuse()
    assert line.take() == []
    assert line.advance(60) == ["BootNotification"]
    line.answer()
    assert line.take() == ["StopTransaction"]

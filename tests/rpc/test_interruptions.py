"""A message at which link after link ends does not silence the station, nor make it connect without a pause."""

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.pending import Lane
from ocpp16.rpc.policy import OutboxLimits, RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


def end(line: "Line", *, heard: bool = True) -> None:
    """The link ends; the next one is there a second later."""
    if heard:
        line.session.heard(line.now)
    line.lose()
    line.now += 1
    line.connect()


def end_at_next(line: "Line", *, heard: bool = True) -> None:
    """The link ends at the message that is next, whenever that may go."""
    assert line.take() or line.wait()
    end(line, heard=heard)


def aside(line: "Line") -> list[int]:
    return [told[1] for told in line.ledger.told if told[0] == "set aside"]


def test_the_third_link_that_ends_at_a_message_sets_it_aside(line: "Line") -> None:
    poison = object()
    line.put("StartTransaction", transaction=poison)
    line.put("StopTransaction", transaction=poison)
    line.put("StartTransaction", transaction=object())
    for _ in range(3):
        assert aside(line) == []
        end_at_next(line)
    assert line.ledger.told == [("set aside", 1, 2)]
    assert line.take() == ["StartTransaction"]
    assert line.in_flight.sequence == 3
    line.answer()
    assert line.take() == []
    assert line.session.outbox.depth == 2


def test_its_tries_grow_apart_whatever_connects_meanwhile(line: "Line") -> None:
    line.put("StartTransaction", transaction=object())
    for _ in range(3):
        end_at_next(line)
    tries = [line.now]
    for _ in range(8):
        end(line)
        assert line.take() == [], "a new connection is no reason to try it again at once"
        assert line.wait() == ["StartTransaction"]
        tries.append(line.now)
        end(line)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits[0] == 120 - 1
    assert waits[1:6] == [240, 480, 960, 1920, 3600]
    assert set(waits[5:]) == {3600}
    line.wait()
    line.answer()
    assert line.session.outbox.depth == 0


def test_a_link_on_which_nothing_was_received_says_nothing_of_the_message(line: "Line") -> None:
    line.put("StartTransaction", transaction=object())
    for _ in range(10):
        end_at_next(line, heard=False)
    assert aside(line) == []


def go_deaf(line: "Line") -> None:
    """Nothing comes behind the message that is next: it times out, and a minute later the link is given up."""
    line.session.heard(line.now)
    assert line.take() or line.wait()
    line.now = line.session.deadline(-1)
    line.session.on_time(line.now)
    line.now += 30
    line.lose()
    line.now += 1
    line.connect()


def test_the_third_link_that_goes_deaf_at_a_message_sets_it_aside(line: "Line") -> None:
    line.put("StartTransaction", transaction=object())
    line.put("StartTransaction", transaction=object())
    for _ in range(3):
        assert aside(line) == []
        go_deaf(line)
    assert line.ledger.told == [("set aside", 1, 1)]
    assert line.take() == ["StartTransaction"]
    assert line.in_flight.sequence == 2
    line.answer()
    go_deaf(line)
    assert line.take() == [], "a new connection is no reason to try it again at once"
    line.wait()
    line.answer()
    assert line.session.outbox.depth == 0


def test_a_link_that_ends_with_the_message_open_again_counts_once(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(interval=0.0))
    entry = line.put("StartTransaction", transaction=object())
    line.session.heard(line.now)
    line.take()
    line.now = line.session.deadline(-1)
    line.session.on_time(line.now)
    assert line.take() == ["StartTransaction"]
    line.lose()
    assert entry.interruptions == 1


def test_a_link_that_died_holds_up_no_transaction_for_longer_than_five_minutes(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(interval=86_400.0))
    line.put("StartTransaction", transaction=object())
    go_deaf(line)
    lost_at = line.now
    assert line.wait() == ["StartTransaction"]
    assert line.now - lost_at < 300


def test_what_waits_after_such_a_link_follows_another_interval(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(interval=250.0))
    line.put("StartTransaction", transaction=object())
    go_deaf(line)
    line.session.retry = RetryRules(interval=20.0)
    line.session.interval_changed(line.now)
    changed_at = line.now
    assert line.wait() == ["StartTransaction"]
    assert line.now - changed_at == 20


@pytest.mark.parametrize("sign", ["refused", "unanswered"])
def test_a_link_that_outlives_the_message_begins_the_count_anew(line: "Line", sign: str) -> None:
    line.put("StartTransaction", transaction=object())
    end_at_next(line)
    end_at_next(line)
    line.take()
    if sign == "refused":
        line.refuse()
    else:
        line.session.heard(line.now)
        line.now = line.session.deadline(-1)
        line.session.on_time(line.now)
    end_at_next(line)
    end_at_next(line)
    assert aside(line) == []
    end_at_next(line)
    assert aside(line) == [1]


def test_a_stored_message_of_no_transaction_waits_for_itself_only(line: "Line") -> None:
    line.put("SecurityEventNotification", lane=Lane.NORMAL, is_persistent=True)
    for _ in range(3):
        end_at_next(line)
    line.put("Heartbeat")
    assert line.take() == ["Heartbeat"]
    line.answer()
    begun = line.now
    assert line.wait() == ["SecurityEventNotification"]
    assert 58 <= line.now - begun <= 60


def test_a_topic_at_which_links_end_is_held_back_and_tells_the_present_then(line: "Line") -> None:
    line.put("StartTransaction", transaction=object())
    line.put("StatusNotification", {**STATUS, "connectorId": 2})
    for _ in range(3):
        line.put("StatusNotification", STATUS)
        while True:
            line.take()
            call = line.sent[-1]
            if call.action == "StatusNotification" and call.payload["connectorId"] == 1:
                break
            line.answer()
        end(line)
    begun = line.now
    for status in ("Preparing", "Charging"):
        line.put("StatusNotification", {**STATUS, "status": status})
    line.put("StatusNotification", {**STATUS, "connectorId": 2})
    line.put("StopTransaction", transaction=object())
    assert line.drain() == ["StatusNotification", "StopTransaction"]
    assert line.session.outbox.depth == 1
    assert line.wait() == ["StatusNotification"]
    assert line.sent[-1].payload["status"] == "Charging"
    assert line.now - begun == 59
    line.answer()
    line.put("StatusNotification", STATUS)
    assert line.take() == ["StatusNotification"], "its answer ends it"


def test_a_topic_is_held_back_for_five_minutes_at_most(line: "Line") -> None:
    waits = []
    for _ in range(9):
        begun = line.now
        line.put("StatusNotification", STATUS)
        end_at_next(line)
        waits.append(line.now - begun)
    assert waits == [1, 1, 1, 60, 120, 240, 300, 300, 300]


# Refused, and not to be tried again for long


def test_a_long_wait_after_a_refusal_is_not_the_lanes(new_line: type["Line"]) -> None:
    line = new_line(retry=RetryRules(attempts=4, interval=86_400.0))
    poison = object()
    line.put("StartTransaction", transaction=poison)
    line.put("StopTransaction", transaction=poison)
    line.put("StartTransaction", transaction=object())
    refusals = []
    line.take()
    for _ in range(4):
        line.refuse()
        refusals.append(line.now)
        while line.take():
            line.answer()
        end(line)
        line.wait()
    assert [later - earlier for earlier, later in pairwise(refusals)] == [86_400.0] * 3
    assert [told[1:] for told in line.ledger.told if told[0] == "attempted"] == [(1, 1), (1, 2), (1, 3)]
    assert [told[1] for told in line.ledger.told if told[0] == "given up"] == [1]
    assert line.ledger.of("confirmed") == [3, 2]


def test_a_refusal_does_not_make_others_of_its_action_silent(new_line: type["Line"]) -> None:
    line = new_line(retry=RetryRules(attempts=3, interval=160.0))
    line.put("StartTransaction", transaction=object())
    line.put("StartTransaction", transaction=object())
    for _ in range(2):
        assert line.take() or line.wait()
        line.refuse()
    assert aside(line) == [1]
    assert line.take() == ["StartTransaction"]
    line.session.heard(line.now)
    line.now = line.session.deadline(-1)
    line.session.on_time(line.now)
    assert aside(line) == [1]


def test_refusals_do_not_follow_one_another_without_a_pause(new_line: type["Line"]) -> None:
    line = new_line(retry=RetryRules(attempts=10_000, interval=0.0))
    line.put("StartTransaction", transaction=object())
    line.take()
    line.refuse()
    assert line.take() == ["StartTransaction"], "TransactionMessageRetryInterval 0 is once at once"
    for _ in range(20):
        line.refuse()
        begun = line.now
        assert line.wait() == ["StartTransaction"]
        assert line.now - begun == 1


def test_a_stored_status_at_which_links_end_is_held_back_whatever_takes_its_place(new_line: "type[Line]") -> None:
    """With QueueAllMessages: ten minutes in which the connector changes every ten seconds."""
    line = new_line(limits=OutboxLimits(queue_all=True))
    ends = 0
    for second in range(0, 600, 10):
        line.put(
            "StatusNotification", {**STATUS, "timestamp": f"2026-03-01T12:00:{second % 60:02}Z"}, is_persistent=True
        )
        line.put("Heartbeat")
        written = line.advance(10)
        while line.session.in_flight is not None:
            if line.in_flight.action == "Heartbeat":
                line.answer()
            else:
                ends += 1
                end(line)
            written = line.take()
        assert written == []
    assert 3 <= ends <= 8


@pytest.mark.parametrize("is_persistent", [False, True])
def test_a_topic_at_which_links_go_deaf_is_held_back_and_the_others_are_told(
    new_line: "type[Line]", *, is_persistent: bool
) -> None:
    line = new_line(limits=OutboxLimits(queue_all=is_persistent))
    line.put("Heartbeat")
    line.drain()
    for _ in range(3):
        line.put("StatusNotification", STATUS, is_persistent=is_persistent)
        go_deaf(line)
    line.put("StatusNotification", STATUS, is_persistent=is_persistent)
    line.put("StatusNotification", {**STATUS, "connectorId": 2}, is_persistent=is_persistent)
    assert line.take() == ["StatusNotification"]
    assert line.sent[-1].payload["connectorId"] == 2
    line.answer()
    begun = line.now
    assert line.wait() == ["StatusNotification"]
    assert line.now - begun == 59
    line.answer()
    assert line.session.outbox.depth == 0


def test_a_sign_of_life_after_the_timeout_says_that_the_topic_is_not_to_blame(line: "Line") -> None:
    for _ in range(4):
        line.put("StatusNotification", STATUS)
        line.take()
        line.now = line.session.deadline(0)
        line.session.on_time(line.now)
        end(line)
    line.put("StatusNotification", STATUS)
    assert line.take() == ["StatusNotification"]


def test_a_link_that_stays_and_says_nothing_counts_once_for_a_topic_and_nothing_grows(line: "Line") -> None:
    for _ in range(50):
        line.put("StatusNotification", STATUS)
        line.take()
        line.now = line.session.deadline(0)
        line.session.on_time(line.now)
    assert len(line.session._requests.silence._unproved) == 1
    for _ in range(4):  # later ones say nothing of it
        end(line, heard=False)
    line.put("StatusNotification", STATUS)
    assert line.take() == ["StatusNotification"]

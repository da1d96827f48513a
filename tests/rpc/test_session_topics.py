"""What waits and is told better by a newer message gives way to it: a slow Central System makes nothing grow."""

from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.outbox import taken_of_disk
from ocpp16.rpc.pending import Asker, Entry, Lane
from ocpp16.rpc.policy import MOST_HISTORY, OutboxLimits, RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def status(line: "Line", connector_id: int, value: str, **members: object) -> Entry:
    payload = {"connectorId": connector_id, "errorCode": "NoError", "status": value}
    return line.put("StatusNotification", payload, **members)


def told(line: "Line") -> list[tuple[int, str]]:
    line.drain()
    return [
        (call.payload["connectorId"], call.payload["status"])
        for call in line.sent
        if call.action == "StatusNotification"
    ]


def hold_up(line: "Line", seconds: float = 1.0) -> None:
    """A request that the Central System does not answer for so long."""
    line.put("DataTransfer", waits=True)
    assert line.take() == ["DataTransfer"]
    line.now += seconds


def test_a_newer_status_takes_the_place_of_one_that_waits(line: "Line") -> None:
    hold_up(line)
    status(line, 1, "Preparing")
    status(line, 2, "Preparing")
    line.put("StartTransaction")
    status(line, 1, "Charging")
    assert line.session.outbox.depth == 3
    assert told(line) == [(2, "Preparing"), (1, "Charging")]
    assert [call.action for call in line.sent] == [
        "DataTransfer",
        "StatusNotification",
        "StartTransaction",  # what happened in between is told before the newer status
        "StatusNotification",
    ]


def test_a_central_system_that_answers_is_told_every_change(line: "Line") -> None:
    hold_up(line, seconds=0.9)
    status(line, 1, "Preparing")
    status(line, 1, "Charging")
    assert told(line) == [(1, "Preparing"), (1, "Charging")]
    status(line, 1, "Finishing")
    status(line, 1, "Available")
    assert told(line)[2:] == [(1, "Finishing"), (1, "Available")]


def test_a_burst_of_changes_has_no_history(line: "Line") -> None:
    """Not even one that is told at once, for nobody could write so much."""
    for n in range(3000):
        status(line, 1, "Available" if n % 2 else "Unavailable")
        status(line, 2, "Finishing")
    assert line.session.outbox.depth <= MOST_HISTORY + 1
    assert told(line)[-2:] == [(1, "Available"), (2, "Finishing")]


def test_a_status_in_flight_is_not_replaced(line: "Line") -> None:
    status(line, 1, "Preparing")
    line.take()
    line.now += 10
    status(line, 1, "Charging")
    assert told(line) == [(1, "Preparing"), (1, "Charging")]


@pytest.mark.parametrize("action", ["StatusNotification", "Heartbeat", "MeterValues"])
def test_of_what_is_triggered_the_newest_waits(line: "Line", action: str) -> None:
    line.put("DataTransfer", waits=True)
    line.take()
    for _ in range(3000):
        line.put(action, lane=Lane.NORMAL, is_persistent=False, is_triggered=True)
    assert line.session.outbox.depth == 1
    assert line.drain() == [action]


def test_what_is_triggered_does_not_replace_what_happened(line: "Line") -> None:
    line.put("DataTransfer", waits=True)
    line.take()
    status(line, 1, "Preparing")
    status(line, 1, "Charging", is_triggered=True)
    assert told(line) == [(1, "Preparing"), (1, "Charging")]


def test_an_hour_of_changes_that_nobody_answers_leaves_one_for_each_connector(line: "Line") -> None:
    """And the heaps forget what was replaced."""
    line.put("DataTransfer", waits=True, timeout=7200.0)
    line.take()
    for second in range(3600):
        line.now += 1
        status(line, 1 + second % 3, "Available" if second % 2 else "Unavailable")
    outbox = line.session.outbox
    assert outbox.depth == 3
    assert len(outbox._ordinary) < 200
    assert outbox.bytes == sum(taken_of_disk(entry.size) for entry in outbox.normal())
    assert len(told(line)) == 3


def test_the_row_of_a_replaced_message_is_deleted(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True))
    hold_up(line)
    first = status(line, 1, "Preparing", is_persistent=True)
    second = status(line, 1, "Charging", is_persistent=True)
    assert line.ledger.told == [("dropped", first.sequence)]
    assert line.counters.dropped == 0
    assert told(line) == [(1, "Charging")]
    assert line.ledger.of("confirmed") == [second.sequence]


def test_a_stored_status_that_comes_back_gives_way_to_the_newer_one(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True))
    first = status(line, 1, "Preparing", is_persistent=True)
    line.take()
    status(line, 1, "Charging", is_persistent=True)
    line.refuse()
    assert line.ledger.told == [("dropped", first.sequence)]
    assert told(line) == [(1, "Preparing"), (1, "Charging")]


@pytest.mark.parametrize("is_triggered", [False, True])
@pytest.mark.parametrize("how", ["refused", "unanswered"])
@pytest.mark.parametrize("newer_waits", [False, True])
def test_a_stored_status_that_has_to_wait_is_not_told_after_a_newer_one(
    new_line: "type[Line]", how: str, *, is_triggered: bool, newer_waits: bool
) -> None:
    """The last one told is the present, whatever QueueAllMessages keeps."""
    line = new_line(limits=OutboxLimits(queue_all=True), retry=RetryRules(interval=10.0))
    status(line, 1, "Charging", is_persistent=True)
    status(line, 2, "Charging", is_persistent=True)
    line.take()
    if newer_waits:
        status(line, 1, "Available", is_persistent=True, is_triggered=is_triggered)
    if how == "refused":
        line.refuse()
    else:
        line.now = line.session.deadline(0)
        line.session.heard(line.now)
        line.session.on_time(line.now)
    if not newer_waits:
        status(line, 1, "Available", is_persistent=True, is_triggered=is_triggered)
    line.sent.clear()
    assert sorted(told(line)) == [(1, "Available"), (2, "Charging")]
    assert line.wait() == []
    assert line.session.outbox.depth == 0
    assert line.ledger.rows == {}


def test_a_stored_status_that_has_to_wait_is_told_if_nothing_newer_is(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(queue_all=True), retry=RetryRules(interval=10.0))
    status(line, 1, "Charging", is_persistent=True)
    line.take()
    line.refuse()
    status(line, 2, "Available", is_persistent=True)
    line.drain()
    line.wait()
    line.answer()
    assert told(line) == [(1, "Charging"), (2, "Available"), (1, "Charging")]


def test_what_waits_for_the_disk_is_not_told_behind_what_does_not(line: "Line") -> None:
    """A fault goes at once: a change before it that still waits for the disk would be told last, as if it were so."""
    status(line, 1, "Charging", number=5)
    status(line, 2, "Charging", number=5)
    late = status(line, 1, "SuspendedEV", number=6)
    ends: list[str] = []
    late.asker = Asker(on_end=lambda: ends.append("over"))
    status(line, 1, "Faulted")
    assert told(line) == [(1, "Faulted")]
    assert ends == ["over"]
    assert line.session.outbox.depth == 1
    line.durable = 6
    assert told(line) == [(1, "Faulted"), (2, "Charging")]


def test_what_is_on_the_disk_is_told_before_it(line: "Line") -> None:
    hold_up(line, 0.1)
    status(line, 1, "Charging", number=5)
    status(line, 1, "Faulted")
    line.durable = 5
    line.answer()
    assert told(line) == [(1, "Charging"), (1, "Faulted")]


def test_whoever_hears_of_its_end_hears_that_it_was_superseded(line: "Line") -> None:
    hold_up(line)
    line.put("Heartbeat")
    entry = line.entry("Heartbeat")
    ends: list[object] = []
    entry.asker = Asker(ends.append)
    line.session.enqueue(entry, line.now)
    assert line.session.outbox.depth == 1
    line.drain()
    assert len(ends) == 1


def test_what_is_no_topic_is_told_each_time(line: "Line") -> None:
    hold_up(line)
    for state in ("Uploading", "Uploaded"):
        line.put("DiagnosticsStatusNotification", {"status": state})
    assert line.drain() == ["DiagnosticsStatusNotification"] * 2


def test_a_topic_of_its_maker_counts(line: "Line") -> None:
    hold_up(line)
    for state in ("Uploading", "Uploaded"):
        line.put("DiagnosticsStatusNotification", {"status": state}, topic="diagnostics")
    line.drain()
    assert line.sent[-1].payload == {"status": "Uploaded"}
    assert len(line.sent) == 2


def test_a_flood_that_is_no_topic_has_an_end(line: "Line") -> None:
    for _ in range(25_000):
        line.put("DataTransfer")
    assert line.session.outbox.depth <= 10_000
    assert line.counters.dropped >= 15_000

"""Too many messages: which are shed, and who is told."""

from typing import TYPE_CHECKING

import pytest

from ocpp16.enums import RegistrationStatus
from ocpp16.errors import Offline
from ocpp16.rpc.policy import OutboxLimits

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

ACCEPTED, PENDING, REJECTED = RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING, RegistrationStatus.REJECTED


def reasons(line: "Line") -> list[tuple[int, str]]:
    return [(number, reason) for number, reason, _ in line.ends]


def test_shed_messages_are_counted_told_and_lose_their_rows(new_line: "type[Line]") -> None:
    line = new_line(connected=False, limits=OutboxLimits(threshold=3))
    for _ in range(4):
        line.put("MeterValues")
    assert line.ledger.told == [("dropped", 1)]
    assert line.counters.dropped == 1
    assert line.session.outbox.depth == 3
    line.connect()
    assert line.drain() == ["MeterValues"] * 3


def test_whoever_waits_is_told_that_the_queue_is_full(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(threshold=2))
    line.put("StartTransaction")
    line.put("StopTransaction")
    entry = line.entry("Authorize", waits=True)
    assert line.session.enqueue(entry, line.now) is False
    assert reasons(line) == [(3, "dropped")]
    assert not isinstance(line.ends[0][2], Offline)


def test_a_message_that_was_shed_is_found_no_more(new_line: "type[Line]") -> None:
    line = new_line(limits=OutboxLimits(threshold=3))
    line.put("MeterValues")
    line.take()
    line.refuse()
    for _ in range(3):
        line.put("MeterValues")
    assert line.ledger.told == [("attempted", 1, 1), ("dropped", 1)]
    line.answer(unique_id="id-1")
    assert line.ledger.of("confirmed") == []
    assert line.counters.unknown_ids == 1


def test_the_limit_by_bytes_thins_readings(new_line: "type[Line]") -> None:
    line = new_line(connected=False, limits=OutboxLimits(byte_limit=2000))
    for _ in range(50):
        line.put("MeterValues")
        assert line.session.outbox.bytes <= 2000
    assert 2 < line.session.outbox.depth < 10
    assert line.session.outbox.depth + len(line.ledger.of("dropped")) == 50


@pytest.mark.parametrize(
    "answer",
    ['[4,"id-1","SecurityError","",{}]', '[3,"id-1",7]'],
)
def test_a_late_answer_whose_telling_sheds_the_message_it_answers(new_line: "type[Line]", answer: str) -> None:
    """What it leads to takes the last free place: the message is sent on or shed, not both."""
    line = new_line(limits=OutboxLimits(threshold=3))

    def queue_another(*_: object) -> None:
        line.put("StopTransaction")

    line.session.on_boot_wanted = queue_another
    line.session._reading._on_invalid = queue_another
    event = line.put("StatusNotification", is_persistent=True)
    line.advance(30)  # left unanswered
    line.put("StopTransaction")
    line.put("StopTransaction")
    line.receive(answer)
    assert event.sequence not in line.ledger.rows
    ends = line.ledger.of("dropped") + line.ledger.of("confirmed")
    assert ends.count(event.sequence) == 1
    line.session.set_registration(ACCEPTED, line.now)
    line.take()
    line.advance(1000)
    assert [call.action for call in line.sent].count("StatusNotification") == 1

"""A request whose answer may take its time: it holds up the others no longer than any, and its answer counts."""

from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.pending import Entry

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def ask(line: "Line", *, is_patient: bool = True) -> Entry:
    """A DataTransfer that went out, and holds the line for 5 s."""
    entry = line.entry("DataTransfer", waits=True, timeout=5.0)
    assert entry.asker is not None
    entry.asker.is_patient = is_patient
    line.session.enqueue(entry, line.now)
    assert line.take() == ["DataTransfer"]
    return entry


def outcomes(line: "Line") -> list[str]:
    return [what for _, what, _ in line.ends]


def test_after_its_time_the_others_go_and_its_answer_counts(line: "Line") -> None:
    ask(line)
    asked = line.sent[-1].unique_id
    line.put("Heartbeat")
    assert line.advance(4.9) == []
    assert line.advance(0.2) == ["Heartbeat"]
    line.answer()
    assert outcomes(line) == []
    line.answer(unique_id=asked)
    assert outcomes(line) == ["confirmed"]
    line.answer(unique_id=asked)
    assert outcomes(line) == ["confirmed"], "an id is good for one answer"


def test_a_refusal_that_comes_late_counts_too(line: "Line") -> None:
    ask(line)
    asked = line.sent[-1].unique_id
    line.advance(6.0)
    line.refuse(unique_id=asked)
    assert outcomes(line) == ["callerror"]


def test_one_that_is_not_patient_has_failed_by_then(line: "Line") -> None:
    ask(line, is_patient=False)
    line.advance(5.0)
    assert outcomes(line) == ["timeout"]


@pytest.mark.parametrize("when", [1.0, 6.0])
def test_one_that_nobody_waits_for_is_forgotten(line: "Line", when: float) -> None:
    entry = ask(line)
    asked = line.sent[-1].unique_id
    line.advance(when)
    line.session.no_longer_asked(entry)
    line.advance(10.0)
    line.answer(unique_id=asked)
    assert "confirmed" not in outcomes(line)
    assert line.session.in_flight is None
    assert line.counters.unknown_ids == 1
    line.put("Heartbeat")
    assert line.take() == ["Heartbeat"]


def test_one_that_was_not_sent_yet_is_not_sent(line: "Line") -> None:
    line.put("Heartbeat")
    line.take()
    entry = line.entry("DataTransfer", waits=True, timeout=5.0)
    assert entry.asker is not None
    entry.asker.is_patient = True
    line.session.enqueue(entry, line.now)
    line.session.no_longer_asked(entry)
    assert line.drain() == []


def test_a_stored_one_that_is_taken_out_does_not_come_back_with_the_end_of_the_connection(line: "Line") -> None:
    """It had been left unanswered on a link that has been silent since."""
    entry = line.put("DataTransfer", is_persistent=True)
    line.take()
    asked = line.sent[-1].unique_id
    line.now = line.session.deadline(0)
    line.session.on_time(line.now)
    assert line.session.outbox.depth == 1
    line.session.no_longer_asked(entry)
    line.lose()
    assert line.session.outbox.depth == 0
    line.connect()
    assert line.advance(1000.0) == []
    line.answer(unique_id=asked)
    assert line.counters.unknown_ids == 1

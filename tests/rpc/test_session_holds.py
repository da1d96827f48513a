"""Requests of ours that wait until an answer to a CALL was given."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def test_requests_are_held_until_they_are_released_or_it_takes_too_long(line: "Line") -> None:
    line.session.hold_requests(line.now + 5)
    line.put("StopTransaction")
    assert line.take() == []
    assert line.session.deadline(0) == line.now + 5
    assert line.advance(4) == []
    line.session.release_requests()
    assert line.take() == ["StopTransaction"]
    line.answer()
    line.session.hold_requests(line.now + 5)
    line.put("Heartbeat")
    assert line.advance(5) == ["Heartbeat"]
    line.session.release_requests()


def test_the_last_of_several_holds_counts(line: "Line") -> None:
    line.session.hold_requests(line.now + 5)
    line.advance(1)
    line.session.hold_requests(line.now + 5)
    line.put("Heartbeat")
    line.session.release_requests()
    assert line.take() == []
    line.session.release_requests()
    assert line.take() == ["Heartbeat"]


def test_holds_that_overlap_are_no_longer_than_one(line: "Line") -> None:
    """Else a Central System that asks on and on would keep us silent."""
    line.put("Heartbeat")
    line.session.hold_requests(line.now + 5)
    assert line.advance(4) == []
    line.session.hold_requests(line.now + 5)
    line.session.release_requests()
    assert line.advance(1) == ["Heartbeat"]
    line.answer()
    line.session.hold_requests(line.now + 5)
    line.put("Heartbeat")
    assert line.take() == ["Heartbeat"]
    line.answer()
    for _ in range(2):
        line.session.release_requests()
    line.session.hold_requests(line.now + 5)
    line.put("Heartbeat")
    assert line.take() == []


def test_a_hold_leaves_the_pause_after_a_reconnect_as_it_was(line: "Line") -> None:
    line.lose()
    line.connect(resume_delay=10)
    line.put("StopTransaction")
    line.session.hold_requests(line.now + 5)
    line.session.release_requests()
    assert line.advance(9) == []
    line.session.hold_requests(line.now + 5)
    line.advance(2)
    line.session.release_requests()
    assert line.take() == ["StopTransaction"]

"""A message that waits apart and comes to its end at a try, or cannot be written down: its group goes on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from ocpp16.rpc.pending import Entry, Payload
from ocpp16.rpc.policy import RetryRules

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def silent(line: "Line") -> None:
    """The open call is left unanswered on a link that is alive."""
    line.session.heard(line.now)
    line.now = line.session.deadline(-1)
    line.session.on_time(line.now)


def set_aside(line: "Line") -> None:
    """Leave the first message unanswered until it is set aside."""
    while not line.ledger.of("set aside"):
        assert line.take() or line.wait()
        silent(line)


def confirmed_of_all(line: "Line") -> list[int]:
    """Answer all that goes at once; the sequences in the order in which they were confirmed."""
    told = len(line.ledger.of("confirmed"))
    line.drain()
    return line.ledger.of("confirmed")[told:]


def failing_to_bind(*messages: Entry) -> Callable[[Entry], Payload | None]:
    def corrected(entry: Entry) -> Payload | None:
        if entry in messages:
            raise KeyError("row")
        return None

    return corrected


@pytest.mark.parametrize("action", ["StartTransaction", "MeterValues"])
def test_one_that_is_given_up_unsent_leaves_its_group(
    new_line: "type[Line]", monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    told: list[object] = []
    line = new_line(retry=RetryRules(attempts=1, interval=0.0), on_internal_error=lambda *error: told.append(error))
    running = object()
    first, *_ = (line.put(name, transaction=running) for name in (action, "MeterValues", "MeterValues"))
    first_of_all = line.put("StartTransaction", transaction=object())
    set_aside(line)
    first.bind(None)
    monkeypatch.setattr(line.ledger, "corrected", failing_to_bind(first))
    assert confirmed_of_all(line) == [first_of_all.sequence]
    assert line.wait() == ["MeterValues"]
    assert line.ledger.of("given up") == [1]
    assert len(told) == 1
    silent(line)
    assert line.wait() == ["MeterValues"]
    assert confirmed_of_all(line) == [2, 3]
    assert line.session.outbox.depth == 0


def test_one_that_cannot_be_bound_when_it_is_tried_waits_and_keeps_its_group(
    new_line: "type[Line]", monkeypatch: pytest.MonkeyPatch
) -> None:
    line = new_line(retry=RetryRules(attempts=9, interval=1000.0), on_internal_error=lambda *_: None)
    running = object()
    first = line.put("StartTransaction", transaction=running)
    line.put("MeterValues", transaction=running)
    set_aside(line)
    first.bind(None)
    with monkeypatch.context() as patch:
        patch.setattr(line.ledger, "corrected", failing_to_bind(first))
        line.now = line.session.deadline(0)
        assert line.take() == []
    assert line.session.deadline(0) == line.now + 1000
    line.wait()
    assert confirmed_of_all(line) == [1, 2]


def test_nothing_is_left_of_one_that_is_given_up_alone(new_line: "type[Line]") -> None:
    line = new_line(retry=RetryRules(attempts=2, interval=1000.0))
    event = line.put("SecurityEventNotification")
    set_aside(line)
    line.wait()
    silent(line)
    assert line.ledger.of("given up") == [event.sequence]
    apart = line.session.outbox.apart
    assert apart is not None
    assert not apart.has_place_for(event)

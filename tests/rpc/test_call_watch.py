"""When a CALL was due is known however many others came to nothing, and of what came to nothing nothing is kept."""

from math import inf

import pytest

from ocpp16.rpc.calls import CallEnded, CallWatch
from ocpp16.rpc.policy import OutboxLimits
from tests.rpc.conftest import Line


class Measured(Line):
    def __init__(self, *, limits: OutboxLimits | None = None) -> None:
        self.now = 1000.0
        self.told: list[CallEnded] = []
        self.watch = CallWatch("CP1", self.told.append, lambda: self.now, lambda: inf, lambda place, error: None)
        super().__init__(calls=self.watch, limits=limits)


def come_to_nothing(line: Measured, how: str) -> None:
    if how == "nobody asks any more":
        line.session.no_longer_asked(line.put("DataTransfer", waits=True))
    elif how == "offline":
        line.put("DataTransfer")
        line.lose()
        line.connect()
    else:
        line.put("DataTransfer")
        line.put("DataTransfer")
        line.take()
        line.refuse()
        line.take()
        line.refuse()


@pytest.mark.parametrize("how", ["nobody asks any more", "offline", "refused"])
@pytest.mark.parametrize("count", [1, 17, 40])
def test_an_open_call_keeps_its_time_beside_many_that_came_to_nothing(how: str, count: int) -> None:
    line = Measured()
    for _ in range(count):
        line.now += 1
        come_to_nothing(line, how)
    line.told.clear()
    line.now = 5000.0
    line.put("DataTransfer", waits=True)
    line.take()
    line.now += 0.2
    line.put("Heartbeat")
    line.put("StatusNotification")
    line.answer()
    assert [(call.due, call.ended) for call in line.told] == [(5000.0, 5000.2)]
    line.drain()
    assert not line.watch._dues


def test_nothing_is_kept_of_what_a_full_queue_dropped() -> None:
    line = Measured(limits=OutboxLimits(threshold=5))
    for _ in range(50):
        line.put("DataTransfer")
    line.drain()
    assert not line.watch._dues


def test_an_open_call_that_was_answered_by_an_earlier_id_keeps_its_time() -> None:
    line = Measured()
    line.put("StartTransaction", transaction=object())
    line.take()
    line.now = line.session.deadline(0)
    line.session.on_time(line.now)
    line.wait()
    sent_at = line.now
    line.now += 1
    line.answer(unique_id=line.sent[0].unique_id)
    line.now += 1
    line.answer()
    assert [(call.due, call.outcome) for call in line.told] == [(1000.0, "timeout"), (sent_at, "result")]
    assert not line.watch._dues

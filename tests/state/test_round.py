"""Work on many connectors, one after another: each once, in order, none of it lost by one that raises."""

import pytest

from ocpp16.state.round import Round
from ocpp16.state.timers import Timers


class Work:
    """Notes whose turn it was; raises for connector 13."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.timers = Timers()
        self.round = Round(self.timers, lambda: 5.0, self)

    def __call__(self, connector_id: int) -> None:
        self.done.append(connector_id)
        if connector_id == 13:
            raise ZeroDivisionError


@pytest.fixture
def work() -> Work:
    return Work()


def test_each_has_its_turn_once_and_in_order(work: Work) -> None:
    work.round.begin([3, 1, 2, 1])
    assert (work.done, len(work.round)) == ([3], 2)
    assert work.timers.deadline() == 5.0
    assert work.timers.run_due(5.0, limit=1) == 1
    assert work.done == [3, 1]
    assert work.timers.run_due(5.0) == 1
    assert (work.done, len(work.round), len(work.timers)) == ([3, 1, 2], 0, 0)


def test_what_comes_meanwhile_is_done_behind_what_waits(work: Work) -> None:
    work.round.begin([1, 2, 3], at_once=0)
    work.round.begin([9, 2, 8], at_once=2)
    assert work.done == [1, 2]
    work.timers.run_due(5.0)
    assert work.done == [1, 2, 3, 9, 8]


def test_what_is_done_already_and_what_is_stopped(work: Work) -> None:
    work.round.begin([1, 2, 3])
    work.round.discard(2)
    work.round.discard(77)
    work.timers.run_due(5.0)
    assert work.done == [1, 3]
    work.round.begin([1, 2, 3])
    work.round.stop()
    work.timers.run_due(5.0)
    assert (work.done[2:], len(work.timers)) == ([1], 0)
    work.round.begin([4, 5])
    work.timers.run_due(5.0)
    assert work.done[3:] == [4, 5]


@pytest.mark.parametrize("at_once", [0, 1, 2])
def test_one_that_raises_is_no_end_for_the_others(work: Work, at_once: int) -> None:
    work.timers.on_error = lambda place, error: None
    try:
        work.round.begin([13, 2, 3], at_once)
    except ZeroDivisionError:
        assert at_once > 0
    work.timers.run_due(5.0)
    assert work.done == [13, 2, 3]

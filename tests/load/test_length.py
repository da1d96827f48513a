"""A test ends in the middle of a second: its rates and its last entry are by the time that it took."""

from collections.abc import Callable

import pytest

from ocpp16.load.load_test import LoadTest
from ocpp16.load.portion import ActionPortion, Portion, Standing
from ocpp16.load.tally import Tally
from ocpp16.scenario import scenario_from

Make = Callable[..., LoadTest]


def portion(number: int, count: int = 90, ended: float | None = None) -> Portion:
    action = ActionPortion(results=count, due=(1_000, count), sent=(1_000, count))
    return Portion(number, Standing(), actions={"Heartbeat": action}, ended=ended)


async def test_a_rate_is_by_the_time_that_the_test_took(load_test: Make) -> None:
    story = scenario_from({"stage": [{"kind": "ramp", "over": 0, "settle": 0}, {"kind": "hold", "duration": 6.18}]})
    test = load_test(2, scenario=story, thresholds=("Heartbeat.rate > 0",), rate=50.0)
    await test.run()
    found = test.results()
    last = found.seconds[-1].at
    assert 6.1 < last < 6.5
    assert sum(one.span for one in found.seconds) == pytest.approx(last)
    assert found.thresholds[0].value == pytest.approx(found.actions["Heartbeat"].count / last)


def test_a_part_of_a_second_is_no_second() -> None:
    tally = Tally(2)
    for number in range(1, 7):
        tally.add(0, portion(number))
        tally.add(1, portion(number))
    tally.add(0, portion(7, 10, ended=6.18))
    tally.add(1, portion(7, 60, ended=6.75))
    assert (tally.passed, tally.copied().passed) == (6.75, 6.75)
    assert [(one.at, one.span, one.answered) for one in tally.seconds][5:] == [(6.0, 1.0, 180), (6.75, 0.75, 70)]
    assert tally.measured()["Heartbeat"].seconds == 6.75


def test_a_rest_that_is_short_is_part_of_the_second_before() -> None:
    """As a second of its own it would have any rate."""
    tally = Tally()
    tally.add(0, portion(1))
    tally.add(0, portion(2, 3, ended=1.001))
    assert [(one.at, one.span, one.answered) for one in tally.seconds] == [(1.001, 1.001, 93)]
    assert tally.notes() == []
    short = Tally()
    short.add(0, portion(1, 3, ended=0.25))
    assert [(one.at, one.span) for one in short.seconds] == [(0.25, 0.25)]

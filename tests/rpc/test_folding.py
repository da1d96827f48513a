"""What is told over and over is told once, and then counted."""

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.rpc.folding import VARIANTS, Folding

if TYPE_CHECKING:
    from tests.rpc.conftest import Line


def test_the_first_is_told_and_the_rest_once_a_minute() -> None:
    folding = Folding()
    told = [(second, untold) for second in range(200) if (untold := folding.note("junk", float(second))) is not None]
    assert told == [(0, 0), (60, 59), (120, 59), (180, 59)]


def test_causes_are_told_apart() -> None:
    folding = Folding(interval=10.0)
    assert [folding.note(cause, 0.0) for cause in "aabab"] == [0, None, 0, None, None]
    assert [folding.note(cause, 10.0) for cause in "ab"] == [2, 1]


def test_what_comes_seldom_is_told_each_time() -> None:
    folding = Folding()
    assert [folding.note("a", 61.0 * number) for number in range(5)] == [0] * 5


def test_varied_noise_does_not_grow() -> None:
    folding = Folding(causes=8)
    for number in range(1000):
        folding.note(number, 0.0)
    assert len(folding._seen) == 8
    assert folding.note(999, 1.0) is None
    assert folding.note(0, 1.0) == 0


def test_variants_of_one_cause_are_told_up_to_a_bound() -> None:
    folding = Folding()
    told = [number for number in range(1000) if folding.note("a", 0.0, number) is not None]
    assert told == list(range(VARIANTS))
    assert folding.note("a", 59.0, 0) is None
    assert folding.note("b", 59.0, 0) == 0
    assert folding.note("a", 60.0, "new") == 1000 - VARIANTS + 1


@given(times=st.lists(st.floats(0, 10_000), max_size=60).map(sorted), interval=st.floats(1, 1000))
def test_nothing_is_lost_and_nothing_told_too_often(times: list[float], interval: float) -> None:
    folding = Folding(interval=interval)
    told = [(now, untold) for now in times if (untold := folding.note("a", now)) is not None]
    assert sum(untold + 1 for _, untold in told) <= len(times)
    assert all(later[0] - earlier[0] >= interval * (1 - 1e-9) for earlier, later in pairwise(told))
    assert bool(told) is bool(times)


# In the session


def test_junk_is_reported_once_a_minute_and_counted_each_time(line: "Line") -> None:
    for number in range(4770):
        line.receive(f"junk {number}")
    assert len(line.invalid) == 1
    assert line.counters.invalid_frames == 4770
    line.now += 60
    line.receive("junk")
    assert len(line.invalid) == 2
    assert line.invalid[1][0] == "junk"
    assert line.invalid[1][1].endswith("… 4,769 more")


def test_bad_requests_and_bad_answers_are_folded_by_action(line: "Line") -> None:
    line.put("MeterValues")
    line.take()
    line.receive('[3,"id-1",[]]')
    for number in range(50):
        for action in ("Reset", "ChangeConfiguration"):
            line.receive(json.dumps([2, f"{action}{number}", action, {"wrong": number}]))
    assert len(line.invalid) == 1
    for number in range(50):
        for action in ("Reset", "ChangeConfiguration"):
            call = line.receive(json.dumps([2, f"{action}{number} again", action, {}]))
            assert call is not None
            try:
                line.session.validate_request(call)
            except ValueError:
                continue
    assert len(line.invalid) == 3
    assert line.counters.invalid_frames == 101
    line.now += 60
    call = line.receive('[2,"a minute later","Reset",{}]')
    assert call is not None
    with pytest.raises(ValueError, match="type"):
        line.session.validate_request(call)
    assert line.invalid[3][1].endswith("… 49 more")

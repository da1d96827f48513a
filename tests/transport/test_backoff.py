import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.transport.backoff import Backoff

SERIES = [
    # wait_minimum, random_range, repeat_times, expected waits without chance
    (3, 0, 3, [3, 6, 12, 24, 24, 24]),
    (3, 0, 0, [3, 3, 3]),
    (1, 0, 1, [1, 2, 2, 2]),
    (10, 0, 5, [10, 20, 40, 80, 160, 320, 320]),
]


@pytest.mark.parametrize(("wait_minimum", "random_range", "repeat_times", "expected"), SERIES)
def test_series_without_chance(wait_minimum: Any, random_range: Any, repeat_times: Any, expected: Any) -> None:
    backoff = Backoff(wait_minimum, random_range, repeat_times, Random(1))
    assert [backoff.next() for _ in expected] == expected
    backoff.reset()
    assert [backoff.next() for _ in expected] == expected


@pytest.mark.parametrize("seed", range(20))
def test_each_new_wait_gets_its_own_random_part(seed: Any) -> None:
    chance, same_chance = Random(seed), Random(seed)
    backoff = Backoff(3, 10, 3, chance)
    wait = 3 + same_chance.uniform(0, 10)
    expected = [wait]
    for _ in range(3):
        wait = 2 * wait + same_chance.uniform(0, 10)
        expected.append(wait)
    expected += [wait, wait, wait]
    assert [backoff.next() for _ in expected] == expected
    assert chance.random() == same_chance.random(), "an unchanged wait draws nothing"


def test_bounds_of_the_default_keys() -> None:
    waits = [Backoff(3, 10, 3, Random(seed)) for seed in range(200)]
    firsts = [backoff.next() for backoff in waits]
    assert 3 <= min(firsts) < 4
    assert 12 < max(firsts) <= 13
    assert all(
        6 + 0 <= 2 * first <= backoff.next() <= 2 * first + 10 for first, backoff in zip(firsts, waits, strict=True)
    )


def test_changed_keys_count_from_the_next_wait() -> None:
    backoff = Backoff(3, 0, 1, Random(1))
    assert [backoff.next(), backoff.next(), backoff.next()] == [3, 6, 6]
    backoff.repeat_times = 10
    assert backoff.next() == 12
    backoff.wait_minimum = 5
    backoff.reset()
    assert backoff.next() == 5


NUMBERS = st.one_of(
    st.floats(), st.integers(-(10**400), 10**400), st.sampled_from([0, 1, 3, 86_400, math.inf, -math.inf, math.nan])
)


@given(NUMBERS, NUMBERS, NUMBERS, st.none() | NUMBERS, st.integers())
@settings(derandomize=True, deadline=None, database=None)
def test_whatever_the_keys_say_a_wait_is_between_a_second_and_a_day(
    wait_minimum: Any, random_range: Any, repeat_times: Any, asked: Any, seed: int
) -> None:
    backoff = Backoff(wait_minimum, random_range, repeat_times, Random(seed))
    for number in range(40):
        if number % 7 == 3:
            backoff.wait_at_least(asked)
        assert 1 <= backoff.next() <= 86_400


@pytest.mark.parametrize(
    "keys",
    [
        (0, 0, 0),
        (0, 0, 10),
        (-5, -5, 3),
        (math.nan, math.nan, math.nan),
        (0.25, 0.25, 1),
        (2**31 - 1, 0, 0),
        (3, 0, 64),
    ],
)
def test_charge_points_do_not_come_in_step_at_either_end(keys: tuple[float, float, float]) -> None:
    series = [Backoff(*keys, Random(seed)) for seed in range(100)]
    for _ in range(20):  # up to where the wait of the last keys has reached the top
        waits = [backoff.next() for backoff in series]
    assert len(set(waits)) == len(waits)
    assert max(waits) - min(waits) > 0.2


def test_the_floor_grows_too() -> None:
    backoff = Backoff(0, 0, 3, Random(1))
    waits = [backoff.next() for _ in range(6)]
    assert 1 <= waits[0] < 2
    assert waits[1:] == [2 * waits[0], 4 * waits[0], 8 * waits[0], 8 * waits[0], 8 * waits[0]]


def test_it_never_overflows() -> None:
    backoff = Backoff(1, 0, math.inf, Random(1))
    assert all(0.9 * 86_400 <= wait <= 86_400 for wait in [backoff.next() for _ in range(5000)][20:])


def test_what_a_server_asks_for_is_heeded_once_and_does_not_change_the_series() -> None:
    backoff = Backoff(3, 0, 3, Random(1))
    backoff.wait_at_least(120)
    assert 120 <= backoff.next() <= 121
    assert [backoff.next(), backoff.next()] == [6, 12]
    backoff.wait_at_least(5)
    assert backoff.next() == 24, "longer anyway"
    backoff.wait_at_least(10**6)
    assert backoff.next() == 86_400
    backoff.wait_at_least(600)
    backoff.reset()
    assert backoff.next() == 3, "a person wants it now"
    backoff.wait_at_least(None)
    assert backoff.next() == 6


def test_those_who_were_sent_away_together_come_back_one_by_one() -> None:
    waits = []
    for seed in range(100):
        backoff = Backoff(3, 10, 3, Random(seed))
        backoff.wait_at_least(300)
        waits.append(backoff.next())
    assert min(waits) >= 300
    assert max(waits) - min(waits) > 5

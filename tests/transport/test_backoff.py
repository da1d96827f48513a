from random import Random
from typing import Any

import pytest

from ocpp16.transport.backoff import Backoff

SERIES = [
    # wait_minimum, random_range, repeat_times, expected waits without chance
    (3, 0, 3, [3, 6, 12, 24, 24, 24]),
    (3, 0, 0, [3, 3, 3]),
    (1, 0, 1, [1, 2, 2, 2]),
    (10, 0, 5, [10, 20, 40, 80, 160, 320, 320]),
    (0, 0, 3, [0, 0, 0]),
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

"""The noise on what a meter shows: near 1, even, the same for the same seed."""

from random import Random
from statistics import mean

import pytest

from ocpp16.simulation.noise import Noise

MOST = 0.01


@pytest.mark.parametrize("seed", [0, 1, -(2**63), 2**63 - 1, None])
def test_it_is_near_one_and_even(seed: int | None) -> None:
    noise = Noise(MOST, seed)
    factors = [noise() for _ in range(20_000)]
    assert 1 - MOST <= min(factors) < 1 - 0.99 * MOST
    assert 1 + MOST >= max(factors) > 1 + 0.99 * MOST
    assert abs(mean(factors) - 1) < 0.02 * MOST
    assert len(set(factors)) > 19_990


def test_a_seed_gives_the_same_again_and_neighbours_do_not_resemble() -> None:
    assert [Noise(MOST, 7)() for _ in range(3)] == [Noise(MOST, 7)()] * 3
    firsts = [Noise(MOST, seed)() for seed in range(1000)]
    assert abs(mean(firsts) - 1) < 0.1 * MOST
    assert len(set(firsts)) > 990


def test_without_a_seed_two_differ() -> None:
    assert Noise(MOST, None)() != Noise(MOST, None)()


def test_a_generator_that_is_given_makes_it_and_none_is_none() -> None:
    assert Noise(MOST, 1, Random(3))() == 1 + MOST * (2 * Random(3).random() - 1)
    assert Noise(0.0, 1)() == 1.0

"""Core and oracle say the same of whatever hypothesis makes up."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Oracle, Situation, is_close
from situations import View, crowd, situation


@st.composite
def situations(draw: Any) -> Situation:
    return situation(lambda choices: draw(st.sampled_from(choices)))


def near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def check(of: Situation) -> None:
    oracle, view = Oracle(of), View(of)
    made = view.composite_schedule()
    found = [
        (step.start_period, step.limit, step.number_phases, step.profile and step.profile.profile_id, step.is_converted)
        for step in made.steps
    ]
    wanted = oracle.steps()
    assert [(*step[:1], *step[2:]) for step in found] == [(*step[:1], *step[2:]) for step in wanted]
    assert all(near(one[1], other[1]) for one, other in zip(found, wanted, strict=True))
    periods = [(period.start_period, period.number_phases) for period in made.periods]
    assert periods == [(start, phases) for start, _, phases in oracle.periods()]


def check_limit(of: Situation, *, is_enforced: bool) -> None:
    oracle = Oracle(of)
    horizon = max(of.duration, 1)
    found = View(of).charging_limit(is_enforced=is_enforced, horizon=horizon)
    wanted = oracle.value(of.start, is_enforced=is_enforced)
    assert near(found.limit, wanted[0])
    assert (found.number_phases, found.profile and found.profile.profile_id, found.is_converted) == wanted[1:]
    for at in range(of.start + of.grid, of.start + horizon, of.grid):
        value = oracle.value(at, is_enforced=is_enforced)
        binds = value[2] is not None, wanted[2] is not None
        if value[1] != wanted[1] or not is_close(value[0], wanted[0]) or (of.connector and binds[0] != binds[1]):
            assert found.until_micros == at * 1_000_000
            return
    assert found.until_micros in (None, (of.start + horizon) * 1_000_000)


@given(situations())
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_schedules(of: Situation) -> None:
    check(of)


@given(situations(), st.booleans())
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_limits(of: Situation, is_enforced: bool) -> None:
    check_limit(of, is_enforced=is_enforced and of.connector > 0)


@pytest.mark.parametrize("connectors", [1, 3, 12])
@pytest.mark.parametrize("size", [15, 60, 150])
def test_crowds(connectors: int, size: int) -> None:
    """Every heap and every sort has something to do."""
    steps = 0
    for seed in range(4):
        of = crowd(random.Random(f"{connectors} {size} {seed}").choice, connectors, size)
        check(of)
        check_limit(of, is_enforced=False)
        steps += len(View(of).composite_schedule().steps)
    assert steps > 30


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("block", range(10))
def test_ten_thousand(block: int) -> None:
    for seed in range(block * 1000, block * 1000 + 1000):
        of = situation(random.Random(seed).choice)
        try:
            check(of)
            check_limit(of, is_enforced=of.connector > 0 and seed % 2 == 0)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error

"""What holds for every composite schedule, whatever the profiles."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from oracle import Situation, is_close
from situations import View, situation

from ocpp16 import schedule

SITUATIONS = [situation(random.Random(seed).choice) for seed in range(400)]


@pytest.fixture(scope="module")
def views() -> list[View]:
    return [View(of) for of in SITUATIONS]


def test_starts_rise_from_zero_and_stay_inside(views: list[View]) -> None:
    for view in views:
        made = view.composite_schedule()
        for starts in ([p.start_period for p in made.periods], [s.start_period for s in made.steps]):
            assert starts[0] == 0
            assert all(one < other for one, other in pairwise(starts))
            assert starts[-1] < max(made.duration, 1)


def test_neighbours_differ_and_periods_are_steps(views: list[View]) -> None:
    for view in views:
        made = view.composite_schedule()
        for one, other in pairwise(made.periods):
            assert one.number_phases != other.number_phases or not is_close(one.limit, other.limit)
        assert set(made.periods) <= set(made.steps)


def test_no_active_purpose_is_exceeded(views: list[View]) -> None:
    """Neither in the unit asked for, nor in that of the profile."""
    checked = 0
    for view in views:
        if view.of.connector == 0:
            continue
        limit = view.charging_limit()
        for part in (limit.transaction_limit, limit.maximum):
            if part is not None:
                checked += 1
                assert limit.limit <= part.converted_limit
                back = schedule.convert_limit(
                    limit.limit,
                    limit.unit,
                    part.profile.unit,
                    limit.number_phases,
                    settings=view.facts["settings"],
                )
                assert back <= part.limit * (1 + 1e-9)
    assert checked > 100


def test_a_window_is_the_sum_of_its_parts(views: list[View]) -> None:
    """Given that a transaction runs: without one, Relative profiles count from the window."""
    checked = 0
    for view in views:
        of = view.of
        if of.duration < 2 * of.grid or any(p.kind == "Relative" for p in view.profiles):
            continue
        middle = of.duration // 2 // of.grid * of.grid
        whole = view.composite_schedule()
        parts = [
            (view.composite_schedule(duration=middle), 0),
            (view.composite_schedule(of.start + middle, of.duration - middle), middle),
        ]
        for part, shift in parts:
            for step in part.steps:
                checked += 1
                same = whole.period_at((of.start + shift + step.start_period) * 1_000_000)
                assert is_close(same.limit, step.limit)
                assert (same.number_phases, same.profile) == (step.number_phases, step.profile)
    assert checked > 200


def test_units_differ_by_one_factor(views: list[View]) -> None:
    """A composite schedule in W is the one in A times voltage and phases, but where the default limit stands."""
    checked = 0
    for view in views:
        of = view.of
        if of.connector == 0:
            continue
        amps = View(replace(of, unit="A")).composite_schedule()
        watts = View(replace(of, unit="W")).composite_schedule()
        for step in amps.steps:
            other = watts.period_at((of.start + step.start_period) * 1_000_000)
            assert (step.profile is None) == (other.profile is None)
            if step.profile is not None:
                checked += 1
                factor = of.voltage * (step.number_phases or of.phases)
                assert step.number_phases == other.number_phases
                assert is_close(other.limit, step.limit * factor)
    assert checked > 100


def test_order_of_places_does_not_matter(views: list[View]) -> None:
    for view in views:
        profiles = list(view.profiles)
        random.Random(1).shuffle(profiles)
        stack = schedule.ProfileStack(profiles, view.of.connector)
        assert stack.profiles == view.profiles.stack(view.of.connector).profiles


def test_removing_what_is_over_changes_nothing(views: list[View]) -> None:
    removed = 0
    for view in views:
        before = view.composite_schedule()
        again = View(view.of)
        removed += len(again.profiles.remove_over(view.of.start * 1_000_000))
        after = again.composite_schedule()
        assert [(p.start_period, p.limit, p.number_phases) for p in before.steps] == [
            (p.start_period, p.limit, p.number_phases) for p in after.steps
        ]
    assert removed > 50


def test_verdicts_agree_with_the_limit(views: list[View]) -> None:
    seen = set()
    for view in views:
        of = view.of
        if of.connector == 0:
            continue
        stack = view.profiles.stack(of.connector)
        told = stack.verdicts(
            of.start * 1_000_000, transaction=view.facts["transactions"].get(of.connector), ignored=of.ignored
        )
        assert [profile for profile, _ in told] == list(stack.profiles)
        limit = view.charging_limit()
        deciding = {profile for profile, word in told if word == "decides"}
        assert deciding == {part.profile for part in (limit.transaction_limit, limit.maximum) if part is not None}
        seen |= {word for _, word in told}
    assert len(seen) == 11


def test_many_connectors_leave_no_residue() -> None:
    """What is added up and taken away again leaves nothing: after the last step the sum is exactly 0."""
    profiles = schedule.InstalledProfiles()
    for connector in range(1, 301):
        periods = [{"startPeriod": k * 60, "limit": (connector * 7 + k * 13) % 320 / 10} for k in range(20)]
        periods.append({"startPeriod": 1200, "limit": 0})
        profiles.install(
            schedule.compile_profile(
                connector,
                {
                    "chargingProfileId": connector,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxDefaultProfile",
                    "chargingProfileKind": "Relative",
                    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": periods},
                },
            )
        )
    made = schedule.composite_schedule(profiles, 0, 0, 2000, "W", number_of_connectors=300)
    assert made.periods[-1].limit == 0
    for number, period in enumerate(made.periods[:-1]):
        exact = sum((connector * 7 + number * 13) % 320 for connector in range(1, 301)) * 69
        assert period.limit == pytest.approx(exact, rel=1e-12)


def test_a_situation_is_as_made(views: list[View]) -> None:
    """The situations are not all trivial: else the tests above prove nothing."""
    steps = [len(view.composite_schedule().steps) for view in views]
    assert sum(count > 3 for count in steps) > 60
    assert isinstance(views[0].of, Situation)

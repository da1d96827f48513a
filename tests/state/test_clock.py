"""The clock: anchored, moved by the Central System only, and honest about times taken before that."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.state.clock import (
    SMALLEST_SHIFT,
    Clock,
    correct_timestamps,
    put_right,
    to_datetime,
    to_micros,
)

SECOND = 1_000_000
ANCHOR = to_micros(datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC))


class Monotonic:
    def __init__(self, seconds: float = 1000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def clock_at(anchor: int = ANCHOR, boot: int = 7) -> tuple[Clock, Monotonic]:
    monotonic = Monotonic()
    return Clock(monotonic, anchor, boot), monotonic


def test_a_calendar_that_is_slower_than_the_monotonic_clock() -> None:
    """As that of a simulation at sixty times the speed, against a Central System of this world."""
    monotonic = Monotonic()
    clock = Clock(monotonic, ANCHOR, 7, rate=1 / 60)
    monotonic.seconds += 60
    assert clock.now() == ANCHOR + SECOND
    assert clock.passed(30.0) == SECOND // 2
    assert clock.monotonic_at(ANCHOR + 2 * SECOND) == pytest.approx(1120.0)
    clock.set(ANCHOR + 10 * SECOND)
    following = clock.continued()
    monotonic.seconds += 60
    assert clock.now() == following.now() == ANCHOR + 11 * SECOND
    assert following.monotonic_at(following.now()) == pytest.approx(1120.0)


def test_now_follows_the_monotonic_clock() -> None:
    clock, monotonic = clock_at()
    assert (clock.now(), clock.monotonic()) == (ANCHOR, 1000.0)
    monotonic.seconds += 2.5
    assert clock.now() == ANCHOR + 2_500_000
    assert clock.now_datetime() == datetime(2024, 3, 1, 0, 0, 0, 500_000, tzinfo=UTC)


def test_monotonic_at_is_the_inverse_of_now() -> None:
    clock, monotonic = clock_at()
    assert clock.monotonic_at(ANCHOR + 90 * SECOND) == pytest.approx(1090.0)
    clock.set(ANCHOR + 3600 * SECOND)
    monotonic.seconds += 5
    assert clock.monotonic_at(clock.now()) == pytest.approx(1005.0)


@pytest.mark.parametrize(
    ("difference", "shift"),
    [
        (0, 0),
        (SMALLEST_SHIFT - 1, 0),
        (-SMALLEST_SHIFT + 1, 0),
        (SMALLEST_SHIFT, SMALLEST_SHIFT),
        (-SMALLEST_SHIFT, -SMALLEST_SHIFT),
        (3600 * SECOND, 3600 * SECOND),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_only_shifts_of_a_second_or_more_are_followed(difference: int, shift: int, is_first: bool) -> None:
    clock, monotonic = clock_at()
    if not is_first:
        clock.set(clock.now())
    monotonic.seconds += 10
    before = clock.now()
    assert clock.set(before + difference) == shift
    assert clock.now() == before + shift


def test_times_are_marked_until_the_clock_is_set() -> None:
    clock, _ = clock_at(boot=7)
    assert (clock.is_set, clock.clock_boot) == (False, 7)
    clock.set(ANCHOR)
    assert (clock.is_set, clock.clock_boot) == (True, 0)


def test_the_first_set_is_the_correction_of_the_boot_and_later_ones_are_not() -> None:
    clock, monotonic = clock_at(boot=7)
    taken = clock.now()
    assert clock.corrected(taken, 7) == taken
    monotonic.seconds += 60
    clock.set(clock.now() + 500 * SECOND)
    clock.set(clock.now() + 20 * SECOND)
    assert dict(clock.corrections.items()) == {7: 500 * SECOND}
    assert clock.corrected(taken, 7) == taken + 500 * SECOND
    assert clock.corrected(taken, 0) == taken


def test_a_first_set_below_the_threshold_corrects_by_nothing() -> None:
    clock, _ = clock_at(boot=7)
    clock.set(ANCHOR + SMALLEST_SHIFT // 2)
    assert dict(clock.corrections.items()) == {7: 0}
    assert clock.corrected(ANCHOR, 7) == ANCHOR


def test_without_a_boot_number_nothing_is_marked_or_corrected() -> None:
    clock, _ = clock_at(boot=0)
    assert clock.clock_boot == 0
    clock.set(ANCHOR + 500 * SECOND)
    assert dict(clock.corrections.items()) == {}
    assert clock.corrected(ANCHOR, 0) == ANCHOR
    assert clock.corrected(ANCHOR, 3) == ANCHOR


def test_a_stored_correction_of_an_earlier_boot_is_used_as_it_is() -> None:
    clock, _ = clock_at(boot=7)
    clock.corrections.update({5: 42 * SECOND})
    assert clock.corrected(ANCHOR, 5) == ANCHOR + 42 * SECOND
    clock.note(ANCHOR, 5)
    clock.set(ANCHOR + 9000 * SECOND)
    assert clock.corrections[5] == 42 * SECOND


def test_an_earlier_boot_is_as_wrong_as_the_present_one_if_that_fits() -> None:
    clock, _ = clock_at(boot=7)
    clock.note(ANCHOR - 3600 * SECOND, 6)
    clock.note(ANCHOR - 1800 * SECOND, 6)
    assert clock.corrected(ANCHOR - 3600 * SECOND, 6) == ANCHOR - 3600 * SECOND
    clock.set(ANCHOR + 500 * SECOND)
    assert clock.corrections[6] == 500 * SECOND


def test_an_earlier_boot_whose_clock_began_anew_ends_where_the_present_one_starts() -> None:
    clock, monotonic = clock_at(boot=7)
    clock.note(ANCHOR + 100 * SECOND, 6)
    clock.note(ANCHOR + 900 * SECOND, 6)
    monotonic.seconds += 30
    clock.set(clock.now() + 5000 * SECOND)
    start = ANCHOR + 5000 * SECOND
    assert clock.corrected(ANCHOR + 900 * SECOND, 6) == start
    assert clock.corrected(ANCHOR + 100 * SECOND, 6) == start - 800 * SECOND


def test_a_known_correction_does_not_let_an_older_boot_end_too_late() -> None:
    clock, _ = clock_at(boot=7)
    clock.corrections.update({6: 9000 * SECOND})
    clock.note(ANCHOR + 10 * SECOND, 6)
    clock.note(ANCHOR + 900 * SECOND, 5)
    clock.set(ANCHOR + 100 * SECOND)
    assert clock.corrected(ANCHOR + 900 * SECOND, 5) == ANCHOR + 100 * SECOND


def test_a_boot_that_was_not_noted_still_ends_before_the_present_one() -> None:
    clock, _ = clock_at(boot=7)
    clock.set(ANCHOR + 5000 * SECOND)
    assert clock.corrected(ANCHOR + 900 * SECOND, 6) == ANCHOR + 5000 * SECOND
    assert clock.corrected(ANCHOR - 900 * SECOND, 6) == ANCHOR + 4100 * SECOND


@given(
    spans=st.lists(st.lists(st.integers(0, 10_000), min_size=1, max_size=4), min_size=1, max_size=5),
    shift=st.integers(-20_000, 20_000),
    known=st.dictionaries(st.integers(1, 5), st.just(0), max_size=1),
)
def test_order_and_distances_survive_the_correction(spans: list[list[int]], shift: int, known: dict[int, int]) -> None:
    present = len(spans) + 1
    clock, _ = clock_at(boot=present)
    known = {boot: correction for boot, correction in known.items() if boot == 1 and present > 2}
    clock.corrections.update(known)
    taken = [(ANCHOR + offset * SECOND, boot) for boot, span in enumerate(spans, 1) for offset in sorted(span)]
    for time, boot in taken:
        clock.note(time, boot)
    clock.set(ANCHOR + shift * SECOND)
    corrected = [clock.corrected(time, boot) for time, boot in taken if boot not in known]
    assert corrected == sorted(corrected)
    assert corrected[-1] <= clock.now()
    for (time, boot), (next_time, next_boot) in pairwise(taken):
        if boot == next_boot:
            assert clock.corrected(next_time, boot) - clock.corrected(time, boot) == next_time - time


def test_what_is_told_before_the_time_is_known_stays_as_it_was_told() -> None:
    clock, monotonic = clock_at(5 * SECOND)
    clock.note(ANCHOR, 5)
    clock.note(60 * SECOND, 6)
    clock.settle()
    monotonic.seconds += 10
    assert (clock.is_set, clock.clock_boot, dict(clock.corrections.items())) == (
        False,
        0,
        {7: 0, 6: -55 * SECOND, 5: 0},
    )
    assert clock.set(ANCHOR) == ANCHOR - 15 * SECOND
    clock.settle(3)
    assert clock.corrected(7 * SECOND, 7) == 7 * SECOND
    following, _ = clock_at(ANCHOR + 900 * SECOND, boot=8)
    following.corrections.update(dict(clock.corrections.items()))
    for micros, boot in ((ANCHOR, 5), (60 * SECOND, 6), (7 * SECOND, 7)):
        following.note(micros, boot)
    assert following.prune() == ()
    following.set(ANCHOR + 990 * SECOND)
    assert [following.corrected(*time) for time in ((ANCHOR, 5), (60 * SECOND, 6), (7 * SECOND, 7))] == [
        ANCHOR,
        5 * SECOND,
        7 * SECOND,
    ]


def test_corrections_nobody_needs_are_dropped() -> None:
    clock, _ = clock_at(boot=7)
    clock.corrections.update({3: 1, 5: 2, 7: 3})
    clock.note(ANCHOR, 5)
    clock.note(ANCHOR, 0)
    clock.note(ANCHOR, 7)
    assert clock.prune() == (3,)
    assert dict(clock.corrections.items()) == {5: 2, 7: 3}


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("2024-02-28T23:59:59Z", "2024-02-29T00:00:59Z"),
        ("2024-02-28T23:59:59.5Z", "2024-02-29T00:00:59.5Z"),
        ("2024-02-28T23:59:59.123Z", "2024-02-29T00:00:59.123Z"),
        ("2024-02-28T23:59:59.123456Z", "2024-02-29T00:00:59.123456Z"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_timestamp_keeps_its_fraction_digits(text: str, corrected: str) -> None:
    assert correct_timestamps({"timestamp": text}, lambda micros: micros + 60 * SECOND) == {"timestamp": corrected}


def test_timestamps_are_corrected_at_any_depth_and_nothing_else_is_touched() -> None:
    taken, corrected = "2000-01-01T00:00:00.000Z", "2000-01-01T00:00:10.000Z"

    def stop(time: str) -> dict[str, object]:
        sampled = {"value": taken, "context": "Transaction.End"}
        return {
            "timestamp": time,
            "idTag": taken,
            "meterStop": 5,
            "transactionData": [
                {"timestamp": time, "sampledValue": [sampled]},
                {"timestamp": time, "sampledValue": []},
            ],
            "notes": [taken, [taken], {"timestamp": 7}],
        }

    payload = stop(taken)
    assert correct_timestamps(payload, lambda micros: micros + 10 * SECOND) == stop(corrected)
    assert payload == stop(taken)


def test_datetimes_and_micros() -> None:
    time = datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    assert to_datetime(to_micros(time)) == time
    assert to_micros(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -SECOND
    with pytest.raises(ValueError, match="zone"):
        to_micros(datetime(2024, 2, 29))


# The moment of the anchor


def test_times_are_compared_as_soon_as_the_clock_can_tell() -> None:
    clock, _ = clock_at(boot=7)
    clock.corrections[5] = 100 * SECOND
    for early, late in ((7, 7), (0, 0), (5, 5), (6, 6)):
        assert clock.is_before(ANCHOR, early, ANCHOR + 1, late)
        assert not clock.is_before(ANCHOR, early, ANCHOR, late)
    assert clock.is_before(ANCHOR + 99 * SECOND, 0, ANCHOR, 5)
    assert not clock.is_before(ANCHOR, 5, ANCHOR + 99 * SECOND, 0)
    for one, other in ((7, 0), (0, 7), (6, 5), (7, 6)):
        assert not clock.is_before(ANCHOR - 10**15, one, ANCHOR, other), "nobody knows"
    assert clock.settled(ANCHOR, 7) == (ANCHOR, 7)
    assert clock.settled(ANCHOR, 5) == (ANCHOR + 100 * SECOND, 0)
    clock.set(ANCHOR + 1000 * SECOND)
    assert clock.settled(ANCHOR, 7) == (ANCHOR + 1000 * SECOND, 0)
    assert clock.is_before(ANCHOR + 999 * SECOND, 0, ANCHOR, 7)
    assert clock.is_before(ANCHOR, 5, ANCHOR, 7)


@given(now=st.integers(0, 2**52), age=st.integers(-(2**40), 2**40), shift=st.integers(-(2**50), -SMALLEST_SHIFT))
def test_what_a_clock_that_was_set_back_gave_lies_not_ahead_of_it(now: int, age: int, shift: int) -> None:
    given_at = now - shift - age
    right = put_right(given_at, now, shift)
    assert right <= now
    assert right == given_at or (given_at > now and right == min(now - age, now))


def test_wall_and_monotonic_time_are_read_in_one_moment() -> None:
    monotonic = Monotonic(50.0)
    clock = Clock.started(monotonic, lambda: ANCHOR / SECOND + monotonic.seconds - 50.0, boot=3)
    monotonic.seconds += 0.7  # what opening takes
    assert clock.now() == ANCHOR + 700_000
    assert clock.boot == 3


def test_a_clock_goes_on_over_a_restart_unset() -> None:
    clock, monotonic = clock_at(boot=7)
    clock.set(ANCHOR + 500 * SECOND)
    monotonic.seconds += 30
    following = clock.continued()
    monotonic.seconds += 2
    assert following.now() == clock.now() == ANCHOR + 532 * SECOND
    assert (following.is_set, following.boot, dict(following.corrections.items())) == (False, 0, {})
    following.boot = 8
    following.set(ANCHOR + 632 * SECOND)
    # An earlier boot has ended before this one began.
    assert following.corrected(ANCHOR + 531 * SECOND, 6) == ANCHOR + 630 * SECOND

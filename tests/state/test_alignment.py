"""Clock-aligned instants: a grid that begins anew each midnight."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.state.alignment import next_aligned
from ocpp16.state.clock import to_datetime, to_micros


def at(text: str) -> int:
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "interval", "expected"),
    [
        ("2024-02-29T10:07:30", 900, "2024-02-29T10:15:00"),
        ("2024-02-29T10:15:00", 900, "2024-02-29T10:30:00"),
        ("2024-02-29T10:14:59.999999", 900, "2024-02-29T10:15:00"),
        ("2024-02-29T00:00:00", 900, "2024-02-29T00:15:00"),
        ("2024-02-29T23:50:00", 900, "2024-03-01T00:00:00"),
        # 7 h do not divide a day: 00, 07, 14, 21, and midnight again.
        ("2024-02-29T15:00:00", 25200, "2024-02-29T21:00:00"),
        ("2024-02-29T21:00:00", 25200, "2024-03-01T00:00:00"),
        ("2024-03-01T00:00:00", 25200, "2024-03-01T07:00:00"),
        ("2024-02-29T12:00:00", 86400, "2024-03-01T00:00:00"),
        ("2024-02-29T12:00:00", 100000, "2024-03-01T00:00:00"),
        ("1969-12-31T23:59:59.5", 3600, "1970-01-01T00:00:00"),
    ],
)
def test_next_instant(now: str, interval: int, expected: str) -> None:
    assert to_datetime(next_aligned(at(now), interval)) == to_datetime(at(expected))


@given(now=st.integers(0, 4_000_000_000_000_000), interval=st.integers(1, 200_000))
def test_the_next_instant_is_ahead_on_the_grid_of_its_day(now: int, interval: int) -> None:
    instant = next_aligned(now, interval)
    assert now < instant <= now + interval * 1_000_000
    assert instant % 1_000_000 == 0
    second_of_day = instant // 1_000_000 % 86400
    assert second_of_day % interval == 0
    assert instant // 86_400_000_000 - now // 86_400_000_000 <= 1


@pytest.mark.parametrize(
    ("now", "interval", "after", "expected"),
    [
        # The timer ran a moment early, or the clock was set back by less than an interval: not again.
        ("2024-02-29T10:14:59.999", 900, "2024-02-29T10:15:00", "2024-02-29T10:30:00"),
        ("2024-02-29T10:00:01", 900, "2024-02-29T10:15:00", "2024-02-29T10:30:00"),
        ("2024-02-29T20:30:00", 25200, "2024-03-01T00:00:00", "2024-03-01T07:00:00"),
        # By an interval and more: the clock is believed.
        ("2024-02-29T10:00:00", 900, "2024-02-29T10:15:00", "2024-02-29T10:15:00"),
        ("2024-02-29T10:07:30", 900, "2024-03-29T10:15:00", "2024-02-29T10:15:00"),
        # It was set forward.
        ("2024-02-29T10:07:30", 900, "2024-02-29T09:15:00", "2024-02-29T10:15:00"),
    ],
)
def test_the_instant_after_one_that_was_reached(now: str, interval: int, after: str, expected: str) -> None:
    assert to_datetime(next_aligned(at(now), interval, at(after))) == to_datetime(at(expected))


@given(
    now=st.integers(0, 4_000_000_000_000_000),
    interval=st.integers(1, 200_000),
    behind=st.integers(-400_000_000_000, 400_000_000_000),
)
def test_instants_go_on_within_two_intervals_and_none_comes_again_within_one(
    now: int, interval: int, behind: int
) -> None:
    step = interval * 1_000_000
    after = next_aligned(now + behind, interval)
    instant = next_aligned(now, interval, after)
    assert now < instant <= now + 2 * step
    assert instant > after or after - now >= step


@pytest.mark.parametrize("interval", [0, -900])
def test_no_interval(interval: int) -> None:
    with pytest.raises(ValueError, match="interval"):
        next_aligned(at("2024-02-29T10:07:30"), interval)

"""Times of others, whatever they say: only what can be the present is followed, and nothing overflows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16._core import format_datetime, parse_datetime
from ocpp16.state.clock import (
    EARLIEST,
    LATEST,
    Clock,
    correct_timestamps,
    dated,
    plausible,
    to_datetime,
    to_micros,
    within,
)

SECOND = 1_000_000
ANCHOR = to_micros(datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC))


class Monotonic:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def clock_at(anchor: int = ANCHOR, boot: int = 7) -> tuple[Clock, Monotonic]:
    monotonic = Monotonic()
    return Clock(monotonic, anchor, boot), monotonic


INT64 = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(EARLIEST - 10**12, LATEST + 10**12),
    st.sampled_from([0, -1, 2**63 - 1, -(2**63), EARLIEST - 1, EARLIEST, LATEST - 1, LATEST]),
    st.sampled_from(["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00"]).map(
        parse_datetime
    ),
)


def test_the_present_lies_between_the_making_of_the_library_and_the_end_of_the_century() -> None:
    assert [to_datetime(bound).isoformat()[:19] for bound in (EARLIEST, LATEST)] == [
        "2024-01-01T00:00:00",
        "2100-01-01T00:00:00",
    ]
    assert [plausible(micros) for micros in (EARLIEST - 1, EARLIEST, LATEST - 1, LATEST)] == [False, True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00Z",
        "2023-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_a_time_that_cannot_be_the_present_is_not_followed(text: str) -> None:
    clock, monotonic = clock_at(boot=7)
    clock.note(ANCHOR - SECOND, 6)
    assert clock.set(parse_datetime(text)) == 0
    monotonic.seconds += 3
    assert (clock.now(), clock.is_set, clock.clock_boot) == (ANCHOR + 3 * SECOND, False, 7)
    assert dict(clock.corrections.items()) == {}
    assert clock.corrected(ANCHOR, 7) == ANCHOR
    # The next time that can be is the first.
    assert clock.set(ANCHOR + 63 * SECOND) == 60 * SECOND
    assert dict(clock.corrections.items()) == {7: 60 * SECOND, 6: 60 * SECOND}


@pytest.mark.parametrize(
    ("said", "now", "was"),
    [
        (ANCHOR - 60, ANCHOR, ANCHOR - 60),
        (ANCHOR, ANCHOR, ANCHOR),
        (ANCHOR + 1, ANCHOR, ANCHOR),
        (EARLIEST, ANCHOR, EARLIEST),
        (EARLIEST - 1, ANCHOR, ANCHOR),
        (0, ANCHOR, ANCHOR),
        # Our own clock was not set either.
        (0, 5 * SECOND, 0),
        (ANCHOR, 5 * SECOND, 5 * SECOND),
    ],
)
def test_what_the_host_dates_is_dated_by_our_clock(said: int, now: int, was: int) -> None:
    assert dated(said, now) == was


def test_a_clock_that_starts_anywhere_can_be_set_right() -> None:
    for text in ("0001-01-01T00:00:00Z", "1970-01-01T00:00:05Z", "8500-01-01T00:00:00Z"):
        start = parse_datetime(text)
        clock, monotonic = clock_at(start)
        monotonic.seconds += 10
        taken = clock.now()
        clock.set(ANCHOR)
        assert (clock.now(), clock.corrected(taken, 7)) == (ANCHOR, ANCHOR)
        assert clock.corrected(start, 7) == ANCHOR - 10 * SECOND


@pytest.mark.parametrize("shift", [-2025, 7974])
def test_a_stored_correction_that_cannot_be_is_dropped_and_made_anew(shift: int) -> None:
    clock, _ = clock_at(boot=7)
    clock.corrections[6] = shift * 365 * 86400 * SECOND
    clock.note(ANCHOR - 900 * SECOND, 6)
    assert clock.prune() == (6,)
    clock.set(ANCHOR + 5 * SECOND)
    assert clock.corrected(ANCHOR - 900 * SECOND, 6) == ANCHOR - 895 * SECOND


def test_a_correction_of_a_clock_that_began_in_1970_is_kept() -> None:
    clock, _ = clock_at(boot=7)
    clock.corrections[6] = ANCHOR
    clock.note(5 * SECOND, 6)
    assert clock.prune() == ()
    assert clock.corrected(5 * SECOND, 6) == ANCHOR + 5 * SECOND


@given(micros=INT64 | st.integers())
def test_every_number_is_some_time(micros: int) -> None:
    inside = within(micros)
    assert to_datetime(micros) == to_datetime(inside)
    assert to_micros(to_datetime(micros)) == inside == within(inside)
    assert parse_datetime(format_datetime(inside, 6)) == inside
    if -62135596800000000 <= micros <= 253402300799999999:
        assert inside == micros
    else:
        with pytest.raises(ValueError, match="outside of the years"):
            format_datetime(micros)


@given(anchor=INT64, said=st.lists(INT64, max_size=3), notes=st.lists(INT64, max_size=4), stored=INT64, asked=INT64)
def test_nothing_a_clock_is_told_makes_it_overflow(
    anchor: int, said: list[int], notes: list[int], stored: int, asked: int
) -> None:
    clock, monotonic = clock_at(anchor, boot=7)
    clock.corrections[3] = stored
    for boot, micros in enumerate(notes, 1):
        clock.note(micros, boot)
    clock.prune()
    for micros in said:
        monotonic.seconds += 1e6
        before = clock.now()
        shift = clock.set(micros)
        assert clock.now() == before + shift
        assert shift == 0 or clock.now() == micros
    times = [clock.now(), *(clock.corrected(asked, boot) for boot in range(9))]
    for time in times[1:]:
        assert within(time) == time
    for time in times:
        format_datetime(within(time))
        to_datetime(time)
        clock.monotonic_at(time)
    assert all(-(2**63) <= correction < 2**63 for correction in clock.corrections.values()), "what SQLite can store"
    payload = {"timestamp": format_datetime(within(asked), 6)}
    correct_timestamps(payload, lambda micros: clock.corrected(micros, 7))


@given(micros=INT64, correction=INT64)
def test_a_corrected_timestamp_stays_within_the_years(micros: int, correction: int) -> None:
    text = format_datetime(within(micros))
    corrected = correct_timestamps({"timestamp": text}, lambda time: time + correction)["timestamp"]
    assert parse_datetime(corrected) == within(parse_datetime(text) + correction) // 1000 * 1000


@pytest.mark.parametrize("hours", [-12, 14])
def test_an_offset_does_not_lead_out_of_the_years(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    for time in (datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)):
        assert within(to_micros(time)) == to_micros(time)


@pytest.mark.parametrize("value", [datetime(2024, 2, 29), "2024-02-29T00:00:00Z", None, 5])
def test_what_is_no_time_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(ValueError, match=r"^at must be a .*time with a zone"):
        to_micros(value, "at")  # type: ignore[arg-type]

"""RFC 3339 text and microseconds, against `datetime`; what the validators take is what the parser takes."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16._core import check, format_datetime, parse_datetime, parse_datetime_tolerant

SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=500)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST = datetime(1, 1, 3), datetime(9999, 12, 29)  # an offset must not lead out of the years of datetime
TIMES = st.datetimes(*FIRST, timezones=ZONES)


def micros(time: datetime) -> int:
    return (time - EPOCH) // MICROSECOND


@given(TIMES)
@SETTINGS
def test_parse_is_what_datetime_says(time: datetime) -> None:
    text = time.isoformat()
    assert parse_datetime(text) == parse_datetime_tolerant(text) == micros(time)
    assert parse_datetime_tolerant(text.replace("T", " ").replace(".", ",")) == micros(time)


@given(TIMES, st.integers(0, 6))
@SETTINGS
def test_format_is_what_datetime_says(time: datetime, digits: int) -> None:
    text = format_datetime(micros(time), digits)
    expected = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f".{time.microsecond:06}"[: digits + 1] if digits else ""
    assert text == f"{expected}{fraction}Z"


@given(st.integers(-62135596800000000, 253402300799999999))
@SETTINGS
def test_round_trip(value: int) -> None:
    assert parse_datetime(format_datetime(value, 6)) == value
    assert parse_datetime(format_datetime(value)) == value // 1000 * 1000


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-03-01t12:00:00z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00.500000Z"),
        ("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456Z"),
        ("2026-03-01T12:00:00." + "9" * 400 + "Z", "2026-03-01T12:00:00.999999Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"),
        ("2026-03-01T12:00:00-00:00", "2026-03-01T12:00:00Z"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.999999Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
    ],
)
def test_forms(text: str, same: str) -> None:
    assert parse_datetime(text) == parse_datetime(same)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01 12:00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00+02", "2026-03-01T10:00:00Z"),
        ("2026-03-01T12:00:00-0230", "2026-03-01T14:30:00Z"),
        ("2026-03-01T12:00:00,1234567Z", "2026-03-01T12:00:00.123456Z"),
        ("2026-03-01T12:00:00.1", "2026-03-01T12:00:00.1Z"),
    ],
)
def test_tolerant_forms(text: str, same: str) -> None:
    with pytest.raises(ValueError):
        parse_datetime(text)
    assert parse_datetime_tolerant(text) == parse_datetime(same)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "2026-03-01T12:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-03-00T12:00:00Z",
        "0000-03-01T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z",
        "2026-03-01T12:00:61Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00ZZ",
        "2026-03-01T12:00:00 Z",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+01:60",
        "2026-03-01T12:00:00+1:00",
        "2026-03-01T12:00:00+01:0",
        "2026-03-01T12:00:00+01:00Z",
        "2026-03-01T12:00:00UTC",
        "２０２６-03-01T12:00:00Z",
        " 2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z\n",
        "2026-03-01T12:00:00\x00",
    ],
)
def test_refused_even_when_tolerant(text: str) -> None:
    for parse in (parse_datetime, parse_datetime_tolerant):
        with pytest.raises(ValueError):
            parse(text)


@pytest.mark.parametrize("value", [None, 5, b"2026-03-01T12:00:00Z", EPOCH])
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(TypeError):
        parse_datetime(value)


def test_format_refuses() -> None:
    for value in (-62135596800000001, 253402300800000000, -(2**63), 2**63 - 1, 2**63, -(2**63) - 1, 10**400):
        with pytest.raises(ValueError):
            format_datetime(value)
    for digits in (-1, 7):
        with pytest.raises(ValueError):
            format_datetime(0, digits)
    assert format_datetime(0) == "1970-01-01T00:00:00.000Z"
    assert format_datetime(-1, 0) == "1969-12-31T23:59:59Z"


NEAR = st.from_regex(
    re.compile(r"(\d{4}|2024)-[01]\d-[0-3]\d[Tt ][0-2]\d:[0-6]\d:[0-6]\d([.,]\d{0,8})?(Z|z|[+-]\d\d:?\d\d|)", re.ASCII),
    fullmatch=True,
)


@given(NEAR | st.text(max_size=30))
@SETTINGS
def test_the_validators_take_what_the_parser_takes(text: str) -> None:
    violation = check("Heartbeat", "response", {"currentTime": text})
    try:
        value = parse_datetime(text)
    except ValueError:
        assert violation is not None
        assert violation.rule == "format"
    else:
        assert violation is None
        assert parse_datetime_tolerant(text) == value
        assert EPOCH + value * MICROSECOND  # can be shown as datetime

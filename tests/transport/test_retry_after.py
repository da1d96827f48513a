"""Retry-After in the forms that servers write, and whatever else they may write."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.transport.retry_after import seconds_to_wait

NOON = "Fri, 30 Jan 2026 12:00:00 GMT"
NOON_SECONDS = 1_769_774_400.0


@pytest.mark.parametrize(
    ("value", "date", "now", "expected"),
    [
        ("120", "", None, 120),
        (" 0 ", "", None, 0),
        ("00000000007", "", None, 7),
        ("86401", "", None, 86_400),
        ("9" * 10_000, "", None, 86_400),
        ("Fri, 30 Jan 2026 12:05:00 GMT", NOON, None, 300),
        ("Friday, 30-Jan-26 12:05:00 GMT", NOON, None, 300),
        ("Fri Jan 30 12:05:00 2026", NOON, None, 300),
        ("Fri, 30 Jan 2026 13:05:00 +0100", NOON, None, 300),
        ("Fri, 30 Jan 2026 11:00:00 GMT", NOON, None, 0),
        ("Fri, 30 Jan 2099 11:00:00 GMT", NOON, None, 86_400),
        ("Fri, 30 Jan 2026 12:05:00 GMT", "", NOON_SECONDS + 60, 240),
        ("Fri, 30 Jan 2026 12:05:00 GMT", "yesterday", NOON_SECONDS, 300),
        ("Fri, 30 Jan 2026 12:05:00 GMT", NOON, NOON_SECONDS + 3600, 300),
        ("Fri, 30 Jan 2026 12:05:00 GMT", "", None, None),
        ("", NOON, NOON_SECONDS, None),
        ("-5", NOON, NOON_SECONDS, None),
        ("soon", NOON, NOON_SECONDS, None),
        ("\N{ARABIC-INDIC DIGIT FIVE}", NOON, NOON_SECONDS, None),
        ("Fri, 99 Jan 2026 99:00:00 GMT", NOON, NOON_SECONDS, None),
    ],
)
def test_forms(value: str, date: str, now: float | None, expected: float | None) -> None:
    assert seconds_to_wait(value, date, None if now is None else lambda: now) == expected


WORDS = st.sampled_from(
    ["Fri,", "30", "Jan", "2026", "0", "99999999999", "12:05:00", "-", "GMT", "+9999", "Feb", ":", ""]
)


@given(
    st.text(max_size=60) | st.lists(WORDS, max_size=9).map(" ".join),
    st.text(max_size=60) | st.lists(WORDS, max_size=9).map(" ".join),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
@settings(derandomize=True, deadline=None, database=None)
def test_anything_else_raises_nothing(value: str, date: str, now: Any) -> None:
    found = seconds_to_wait(value, date, None if now is None else lambda: now)
    assert found is None or 0 <= found <= 86_400

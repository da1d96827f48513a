"""The checks of single values: what they take, what they refuse, and that every refusal names its argument."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import IntEnum
from math import inf, isfinite, nan
from sys import float_info
from typing import Any

import pytest
from hostile_values import Number as Numeral
from hostile_values import Text
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.enums import DataTransferStatus, Reason, RegistrationStatus
from ocpp16.values import (
    INT32_HIGH,
    INT32_LOW,
    MOST_ITEMS,
    aware,
    document,
    finite,
    flag,
    items,
    member,
    text,
    whole,
)

SURROGATE = b"\xff".decode(errors="surrogateescape")
HUGE = 10**5000
LARGEST = float_info.max


class Unwritable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


class BrokenZone(tzinfo):
    def utcoffset(self, _: datetime | None) -> timedelta | None:
        raise RuntimeError("no offset")

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "broken"


class NoZone(BrokenZone):
    def utcoffset(self, _: datetime | None) -> timedelta | None:
        return None


class Number(IntEnum):
    ONE = 1


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([HUGE, -HUGE, 2**63, -(2**63), nan, inf, -inf, -0.0, 1e308]),
    st.floats(),
    st.text(),
    st.text(alphabet=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, categories=["Cs"]), min_size=1),
    st.sampled_from(["1.5", "Local", "\r\n\x1b[31m", SURROGATE, "x" * 100_000]),
    st.binary(max_size=5),
    st.complex_numbers(),
    st.decimals(),
    st.fractions(),
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.dates(),
    st.timedeltas(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=2),
    st.builds(object),
    st.builds(Unwritable),
    st.sampled_from([Number.ONE, RegistrationStatus.ACCEPTED, len, int]),
)

CHECKS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], bool]]] = {
    "finite": (
        lambda value: finite(value, "the.name"),
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST,
    ),
    "whole": (
        lambda value: whole(value, "the.name", -5, 5),
        lambda value: isinstance(value, int) and not isinstance(value, bool) and -5 <= value <= 5,
    ),
    "flag": (lambda value: flag(value, "the.name"), lambda value: type(value) is bool),
    "text": (
        lambda value: text(value, "the.name", 3, 1),
        lambda value: (
            isinstance(value, str) and 1 <= len(value) <= 3 and not any("\ud800" <= c <= "\udfff" for c in value)
        ),
    ),
    "aware": (
        lambda value: aware(value, "the.name"),
        lambda value: isinstance(value, datetime) and value.tzinfo is UTC,
    ),
    "member": (
        lambda value: member(Reason, value, "the.name"),
        lambda value: isinstance(value, str) and value in list(Reason),
    ),
}


@pytest.mark.parametrize("name", list(CHECKS))
@given(value=ANYTHING)
def test_whatever_comes_is_taken_as_it_is_or_refused_by_name(name: str, value: Any) -> None:
    check, is_right = CHECKS[name]
    if is_right(value):
        assert check(value) == value
        return
    with pytest.raises(ValueError, match=r"^the\.name must be ") as refusal:
        check(value)
    sentence = str(refusal.value)
    assert sentence.isprintable()
    assert len(sentence) <= 600


@pytest.mark.parametrize(("value", "shown"), [(nan, "nan"), (-inf, "-inf"), (True, "True"), ("12", "'12'")])
def test_the_refusal_of_a_number_shows_it(value: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=f"^energy must be a finite number, not {shown}$"):
        finite(value, "energy")


def test_a_number_too_long_to_be_written_is_told_by_its_size() -> None:
    with pytest.raises(ValueError, match=r"^energy must be a finite number, not a number of \d+ bits$"):
        finite(HUGE, "energy")


def test_whole_numbers_have_32_bits_unless_somebody_says_otherwise() -> None:
    assert [whole(value, "id") for value in (INT32_LOW, INT32_HIGH)] == [-(2**31), 2**31 - 1]
    for value in (INT32_LOW - 1, INT32_HIGH + 1):
        with pytest.raises(
            ValueError, match=f"^id must be a whole number from -2147483648 to 2147483647, not {value}$"
        ):
            whole(value, "id")


@pytest.mark.parametrize(
    ("limit", "least", "value", "sentence"),
    [
        (20, 1, "", "id_tag must be text of 1 to 20 characters, not ''"),
        (3, 0, "1234", "id_tag must be text of 0 to 3 characters, not '1234'"),
        (None, 1, "", "id_tag must be text of at least 1 characters, not ''"),
        (None, 0, 7, "id_tag must be text, not 7"),
        (None, 0, f"a{SURROGATE}", r"id_tag must be text that UTF-8 can carry, not 'a\udcff'"),
    ],
)
def test_the_refusal_of_a_text_says_what_is_asked(limit: int | None, least: int, value: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        text(value, "id_tag", limit, least)
    assert str(refusal.value) == sentence


def test_text_beyond_ascii_is_text() -> None:
    assert text("Ladesäule 充電 \N{ELECTRIC PLUG}", "info") == "Ladesäule 充電 \N{ELECTRIC PLUG}"


@pytest.mark.parametrize("zone", [None, NoZone(), BrokenZone()])
def test_a_time_needs_a_zone_that_knows_its_offset(zone: tzinfo | None) -> None:
    with pytest.raises(ValueError, match=r"^at must be a time with a zone, not "):
        aware(datetime(2024, 5, 1, tzinfo=zone), "at")


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))])
def test_a_time_of_any_zone_is_taken(zone: tzinfo) -> None:
    for time in (datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)):
        assert aware(time, "at") is time


def test_the_word_of_a_member_becomes_the_member() -> None:
    assert member(DataTransferStatus, "Accepted", "status") is DataTransferStatus.ACCEPTED
    # The same word of another enumeration means the same on the wire.
    assert member(DataTransferStatus, RegistrationStatus.ACCEPTED, "status") is DataTransferStatus.ACCEPTED
    with pytest.raises(ValueError, match=r"^status must be one of Accepted, Rejected, .*, not 'accepted'$"):
        member(DataTransferStatus, "accepted", "status")


@given(value=st.floats() | st.integers())
def test_finite_gives_back_what_a_float_can_hold(value: float) -> None:
    try:
        taken = finite(value, "x")
    except ValueError:
        assert isinstance(value, float)
        assert not isfinite(value)
    else:
        assert taken is value


def test_of_a_subclass_the_plain_value_comes_back() -> None:
    assert (type(whole(Numeral(5), "n")), type(finite(Numeral(5), "n")), type(text(Text("x"), "t"))) == (int, int, str)
    for refused in (
        lambda: whole(Numeral(5), "n", 6),
        lambda: text(Text("xx"), "n", 1),
        lambda: member(Reason, Text("x"), "n"),
    ):
        with pytest.raises(ValueError, match=r"^n must be"):
            refused()


class Liar:
    """Says that it is of a class of ours."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self.kind


def test_what_says_that_it_is_of_a_class_is_not_believed() -> None:
    checks: list[tuple[Callable[..., Any], type]] = [
        (finite, float), (whole, int), (text, str), (aware, datetime), (flag, bool), (document, dict),
    ]  # fmt: skip
    for check, kind in checks:
        with pytest.raises(ValueError, match=r"^n must be"):
            check(Liar(kind), "n")
    for of in (lambda: member(Reason, Liar(Reason), "n"), lambda: items(Liar(list), "n", "things")):
        with pytest.raises(ValueError, match=r"^n must be"):
            of()


def test_a_collection_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^n must have 100,000 members at most"):
        items(iter(range(MOST_ITEMS + 1)), "n", "numbers")
    with pytest.raises(ValueError, match=r"^n must be a mapping as JSON has them: it has more than 100,000 members"):
        document({"a": [0] * MOST_ITEMS}, "n")


def test_a_document_is_copied_in_plain_types() -> None:
    given = {"a": (Numeral(1), [Text("x")], {"b": None, "c": True, "d": 1.5})}
    copied = document(given, "n")
    assert copied == {"a": [1, ["x"], {"b": None, "c": True, "d": 1.5}]}
    assert type(copied["a"][0]) is int
    for wrong in ({"a": nan}, {"a": SURROGATE}, {"a": object()}, {5: 1}):
        with pytest.raises(ValueError, match=r"^n must be a mapping as JSON has them"):
            document(wrong, "n")

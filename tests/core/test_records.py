"""Records filled in one step, and rows looked over in one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16._core.records import are_plain, fill


class Record:
    __slots__ = ("first", "second")


SLOTS = (vars(Record)["first"], vars(Record)["second"])


def test_a_record_is_filled_in_the_order_of_its_slots() -> None:
    record = Record()
    fill(record, SLOTS, (1, "two"))
    assert (record.first, record.second) == (1, "two")  # type: ignore[attr-defined]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 slots, and 1 values"):
        fill(Record(), SLOTS, (1,))
    with pytest.raises(TypeError):
        fill(object(), SLOTS, (1, 2))
    with pytest.raises(TypeError, match="no slot"):
        fill(Record(), (3, 4), (1, 2))


class Text(str): ...


VALUES = (
    st.none()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=5)
    | st.booleans()
    | st.builds(Text)
    | st.floats()
    | st.binary()
)


def is_plain(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, str) and value.isascii()


@given(st.lists(VALUES, max_size=6).map(tuple), st.integers(0, 3))
def test_plain_rows_are_of_integers_ascii_and_nothing(values: tuple[Any, ...], keys: int) -> None:
    expected = all(is_plain(value) or (value is None and place >= keys) for place, value in enumerate(values))
    assert are_plain(values, keys) is expected

"""Records made and filled in one step, what the collector sees of them, and rows taken and looked over in one."""

import gc
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16._core.records import Shape, are_finite, are_plain, plain_row


class Record:
    __slots__ = ("first", "second")
    first: Any
    second: Any


class Heir(Record): ...


class Half:
    __slots__ = ("first", "second")


SHAPE = Shape(Record, ("second", "first"))


def test_a_record_is_filled_in_the_order_of_the_names() -> None:
    record, heir = Record(), Heir()
    for it in (record, heir):
        SHAPE.fill(it, (1, "two"))
        assert (it.second, it.first) == (1, "two")
        SHAPE.fill(it, ([], "three"))
        assert (it.second, it.first) == ([], "three")
    made = SHAPE.make(("a", "b"))
    assert type(made) is Record
    assert (made.second, made.first) == ("a", "b")


def test_what_does_not_fit_is_refused() -> None:
    for values in ((1,), (1, 2, 3)):
        with pytest.raises(ValueError, match=f"2 slots, and {len(values)} values"):
            SHAPE.fill(Record(), values)
        with pytest.raises(ValueError, match="2 slots"):
            SHAPE.make(values)
        with pytest.raises(ValueError, match="2 slots"):
            SHAPE.row(SHAPE.make((1, 2)), values)  # type: ignore[arg-type]
    for other in (object(), 3, Half()):
        with pytest.raises(TypeError, match="is no Record"):
            SHAPE.fill(other, (1, 2))
        with pytest.raises(TypeError, match="is no Record"):
            SHAPE.row(other, (None, None))
    with pytest.raises(AttributeError, match="slot 0"):
        SHAPE.row(Record(), (None, None))


@pytest.mark.parametrize("cls", [Record, Heir, object, int])
@pytest.mark.parametrize("name", ["third", "__init__", "__slots__", "__class__", "real"])
def test_a_shape_is_of_the_slots_of_its_class(cls: type, name: str) -> None:
    with pytest.raises(TypeError, match="is no slot of"):
        Shape(cls, (name,))
    with pytest.raises(TypeError, match="is no slot of Heir"):
        Shape(Heir, ("first",))
    with pytest.raises(TypeError, match="too many"):
        Shape(Record, ("first",) * 33)


def test_the_collector_looks_at_what_may_become_part_of_a_circle_only() -> None:
    inner = SHAPE.make((1.5, None))
    assert not gc.is_tracked(inner)
    for atoms in ((1, "a"), (None, 2.0), (inner, b""), ((inner,), ()), (("x",), 1)):
        assert not gc.is_tracked(SHAPE.make(atoms)), atoms
        assert gc.is_tracked(Heir())
    itself: list[Any] = []
    others: tuple[Any, ...]
    for others in (([], 1), ({}, 1), (1, {"a": 1}), (([],), 1), (itself, 2), (Record(), 1), ((({},),), 1)):
        assert gc.is_tracked(SHAPE.make(others)), others
    heir = Heir()
    SHAPE.fill(heir, (1, 2))
    assert gc.is_tracked(heir)  # it has a dictionary
    half = Half()
    Shape(Half, ("first",)).fill(half, (1,))
    assert gc.is_tracked(half)  # its other slot is anybody's


def test_what_refers_to_itself_is_found_all_the_same() -> None:
    class Seen:
        ended = 0

        def __del__(self) -> None:
            Seen.ended += 1

    record = SHAPE.make((Seen(), None))
    SHAPE.fill(record, (record, Seen()))
    assert Seen.ended == 1
    del record
    gc.collect()
    assert Seen.ended == 2


def test_values_live_as_long_as_their_record() -> None:
    text = "".join(["a", "b", "c"])
    records = [SHAPE.make((text, text)) for _ in range(1000)]
    for record in records:
        SHAPE.fill(record, (text, [text]))
        assert SHAPE.row(record, (None, None)) == (text, [text])
    del records, record
    assert text == "abc"


@given(st.lists(st.none() | st.floats() | st.integers() | st.text(max_size=1) | st.booleans(), max_size=4).map(tuple))
def test_finite_are_floats_and_nothing_else(values: tuple[Any, ...]) -> None:
    expected = all(it is None or (type(it) is float and abs(it) < float("inf")) for it in values)
    assert are_finite(values) is expected


def test_a_row_has_what_a_driver_takes_as_it_is() -> None:
    class Named(str): ...

    class Pair(NamedTuple):
        first: Any
        second: Any

    converts = (int, str.upper)
    for value, second, row in ((True, Named("a"), (1, "A")), (3, "b", (3, "b")), (None, None, (None, None))):
        for found in (SHAPE.row(SHAPE.make((value, second)), converts), plain_row(Pair(value, second), converts)):
            assert found == row
            assert [type(it) for it in found] == [type(it) for it in row]
            assert not gc.is_tracked(found)
    with pytest.raises(ZeroDivisionError):
        plain_row((1.0,), (lambda value: 1 // 0,))
    with pytest.raises(ValueError, match="1 values, and 2 converts"):
        plain_row((1,), converts)
    with pytest.raises(TypeError, match="list is no tuple"):
        plain_row([1, 2], converts)
    assert plain_row((2.5, []), (None, None)) == (2.5, [])


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

"""Properties of the frame codec: any input ends in a frame or a typed error, and nothing changes on the way."""

# ruff: noqa: PT017  # whether an error is raised is the question here, so pytest.raises cannot ask it

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16._core import Call, CallError, CallResult, FramingError, duplicate_members, parse, serialize
from ocpp16.codec import Tolerance, repair_frame

SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=400)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=36)
FRAMES = (
    st.builds(Call, IDS, TEXT, OBJECTS)
    | st.builds(CallResult, IDS, OBJECTS)
    | st.builds(CallError, IDS, TEXT, TEXT, OBJECTS)
)


@given(FRAMES)
@SETTINGS
def test_round_trip(frame: Call | CallResult | CallError) -> None:
    data = serialize(frame)
    assert parse(data) == frame
    assert parse(data.decode()) == frame
    assert serialize(parse(data)) == data
    assert json.loads(data)[1] == frame.unique_id


@given(st.binary(max_size=200) | st.text(max_size=100))
@SETTINGS
def test_any_text(text: bytes | str) -> None:
    try:
        assert isinstance(parse(text), Call | CallResult | CallError)
    except FramingError as error:
        assert error.kind in (None, 2, 3, 4)


@given(st.lists(VALUES, max_size=6), st.sampled_from([2, 3, 4, 5, "2", None]))
@SETTINGS
def test_any_array(elements: list[Any], kind: Any) -> None:
    for tolerance in (Tolerance.STRICT, Tolerance.DEFAULT):
        try:
            frame, repairs = repair_frame(json.dumps([kind, *elements]), tolerance)
        except FramingError as error:
            assert error.kind == (kind if kind in (2, 3, 4) else None)
        else:
            assert serialize(frame)
            assert not repairs or tolerance == Tolerance.DEFAULT


@given(FRAMES, st.integers(min_value=0), st.binary(min_size=0, max_size=2))
@SETTINGS
def test_a_frame_with_a_flaw(frame: Call | CallResult | CallError, place: int, bytes_: bytes) -> None:
    data = serialize(frame)
    place %= len(data)
    try:
        found = parse(data[:place] + bytes_ + data[place + 1 :])
    except FramingError as error:
        if error.kind == 2 and error.unique_id is not None:
            assert serialize(CallError(error.unique_id, error.code, str(error)[:255]))
    else:
        assert parse(serialize(found)) == found


ANYTHING = st.text(st.characters(categories=None, exclude_categories=()), max_size=20)
ANY_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING | st.binary(max_size=5) | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(ANYTHING | st.integers(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(ANYTHING, ANYTHING, st.dictionaries(ANYTHING, ANY_VALUES, max_size=4), st.integers(0, 400))
@SETTINGS
def test_whatever_is_to_be_written_is_written_or_refused_by_name(
    unique_id: str, action: str, payload: dict[str, Any], levels: int
) -> None:
    for _ in range(levels):
        payload = {"x": payload}
    for frame in (
        Call(unique_id, action, payload),
        CallResult(unique_id, payload),
        CallError(unique_id, "GenericError", action, payload),
    ):
        try:
            data = serialize(frame)
        except (TypeError, ValueError) as error:
            assert not isinstance(error, RecursionError)
            assert type(error) in (TypeError, ValueError)
        else:
            assert type(parse(data)) is type(frame)


NESTS = st.lists(st.sampled_from(["[", "]", "{", "}", '"', "\\", ",", '{"a":', '"]"', "1", "é", "東"]), max_size=400)


@given(NESTS, st.sampled_from(["", '[2,"1","A",']), st.integers(0, 1100))
@SETTINGS
def test_any_nest_of_brackets(parts: list[str], head: str, levels: int) -> None:
    middle = "".join(parts)
    for text in (head + middle, head + "[" * levels + "]" * levels + "]", head + "[" * levels + middle + "]" * levels):
        for form in (text, text.encode()):
            try:
                frame = parse(form)
            except FramingError:
                continue
            assert depth_of(json.loads(text)) <= 64
            assert parse(serialize(frame)) == frame


def depth_of(value: Any) -> int:
    if isinstance(value, list | dict):
        return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)
    return 0


@given(VALUES)
@SETTINGS
def test_what_python_writes_has_no_member_twice(value: Any) -> None:
    assert duplicate_members(json.dumps(value)) == []

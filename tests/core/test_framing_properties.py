"""Properties of the frame codec: any input ends in a frame or a typed error, and nothing changes on the way."""

# ruff: noqa: PT017  # whether an error is raised is the question here, so pytest.raises cannot ask it

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16._core import Call, CallError, CallResult, FramingError, parse, serialize
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
        # What parses can be sent, unless it is nested deeper than the writer goes, which so few bytes cannot be.
        assert parse(serialize(found)) == found

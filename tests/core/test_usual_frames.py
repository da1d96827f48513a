"""Usual frames have a reader and a writer of their own; what these give is what the general ones give.

The general reader is reached by a bytearray, the general writer by a payload that is a subclass of dict.
"""

import json
import struct
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocpp16._core import MAX_DEPTH, Call, CallResult, FramingError, json_bytes, parse, serialize

SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=250)


class Payload(dict[str, Any]):
    """What only the general writer takes."""


def outcome(function: Callable[[Any], object], *arguments: Any) -> tuple[Any, ...]:
    """What is given or raised, by its text: 1, 1.0 and True are equal, and 0.0 is -0.0."""
    try:
        return (repr(function(*arguments)),)
    except FramingError as error:
        unique_id = error.unique_id
        return (str(error), error.code, error.kind, unique_id, type(unique_id), repr(error.frame))
    except (TypeError, ValueError) as error:
        return (type(error), str(error))


ASCII = st.text(st.characters(min_codepoint=0x1F, max_codepoint=0x80), max_size=20)
TEXTS = ASCII | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=70) | st.text(max_size=8)
NUMBERS = st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{0,18})?([eE][+-]?[0-9]{0,3})?", fullmatch=True)
SHORT_NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,4})?", fullmatch=True)
BLANKS = st.sampled_from(["", "", "", " ", "  ", "\n", "\t "])
OBJECTS = ["{}", "[]", "[{}]", '{"a":1}', '{"a":1,"a":2}', '{"":""}', "[1,]", '{"a":1,}', '{"a"}', "[,]"]
WORDS = ["true", "false", "null", "tru", "nulll", "NaN", "-", "+1", ".5", "2", "3", "'a'", '""', '"\\u0041"']
TOKENS = st.sampled_from([*OBJECTS, *WORDS, '"', ",", ":", "[", "]", "{", "}"])


@st.composite
def frame_texts(draw: st.DrawFn) -> str:
    """A frame, or nearly one."""

    def text() -> str:
        return json.dumps(draw(TEXTS), ensure_ascii=draw(st.booleans()))

    def value(levels: int) -> str:
        kind = draw(st.integers(0, 5 if levels else 3))
        if kind == 0:
            return text()
        if kind == 1:
            return draw(NUMBERS | SHORT_NUMBERS)
        if kind == 2:
            return draw(SHORT_NUMBERS)
        if kind == 3:
            return draw(TOKENS)
        if kind == 4:
            return members(levels - 1)
        return "[" + f"{gap()},{gap()}".join(value(levels - 1) for _ in range(draw(st.integers(0, 3)))) + "]"

    def gap() -> str:
        return draw(BLANKS)

    def members(levels: int) -> str:
        inner = [f"{gap()}{text()}{gap()}:{gap()}{value(levels)}{gap()}" for _ in range(draw(st.integers(0, 4)))]
        return "{" + ",".join(inner) + "}"

    kind = draw(st.sampled_from(["2", "2", "3", "3", "4", "5", "2.0", "22"]))
    parts = [kind, text(), *([text()] if kind != "3" else []), members(3)]
    parts += [value(1) for _ in range(draw(st.sampled_from([0, 0, 0, 1])))]
    whole = gap() + "[" + ",".join(gap() + part + gap() for part in parts) + "]" + gap()
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        place = draw(st.integers(0, len(whole)))
        whole = whole[:place] + draw(TOKENS | ASCII | st.just("")) + whole[place + draw(st.integers(0, 2)) :]
    return whole


def is_read_alike(text: str | bytes) -> None:
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    general = outcome(parse, bytearray(data))
    assert outcome(parse, data) == general
    if isinstance(text, str) and text.isascii():
        assert outcome(parse, text) == general


@given(frame_texts())
@SETTINGS
@example("[2,]")
@example('[2,"1","A",{"a":1e999}]')
@example('[2,"1","A",{"a":-0}]')
@example('[3,"1",{"a":-0.0}]')
@example('[3,"1",{"a":9007199254740993.0}]')
@example('[3,"1",{"a":0.000000000000000000001}]')
@example('[3,"1",{"a":999999999999999999,"b":1000000000000000000}]')
@example('[3,"1",{}]\x00')
@example('[3,"\x7f",{}]')
@example('[2,"1","Action with \\"",{}]')
@example('[2,"1" , "",{ }] ')
@example('[3,"' + "x" * 36 + '",{}]')
@example('[3,"' + "x" * 37 + '",{}]')
@example('[3,"",{}]')
def test_reading(text: str) -> None:
    is_read_alike(text)


@given(st.binary(max_size=40), st.sampled_from([b"", b'[3,"1",{"a":', b'[2,"1","A",{"', b'[3,"1",{}', b'[2,"']))
@SETTINGS
def test_reading_of_any_bytes(data: bytes, head: bytes) -> None:
    is_read_alike(head + data)


@given(st.integers(MAX_DEPTH - 4, MAX_DEPTH + 4), st.lists(st.booleans(), min_size=80, max_size=80))
@SETTINGS
def test_reading_of_many_levels(levels: int, are_arrays: list[bool]) -> None:
    inner = "1"
    for is_array in are_arrays[: levels - 2]:
        inner = f"[{inner}]" if is_array else f'{{"a":{inner}}}'
    is_read_alike(f'[2,"1","A",{{"a":{inner}}}]')


@given(st.lists(SHORT_NUMBERS | NUMBERS, min_size=1, max_size=20))
@SETTINGS
def test_reading_of_numbers(numbers: list[str]) -> None:
    for number in numbers:
        is_read_alike(f'[3,"1",{{"a":{number}}}]')


@given(st.lists(st.text("ab", max_size=60), max_size=30))
@SETTINGS
def test_names_that_share_a_place_stay_apart(names: list[str]) -> None:
    payload = dict.fromkeys(names, 0)
    for _ in range(2):
        assert parse(serialize(CallResult("1", payload))) == CallResult("1", payload)


def test_more_names_than_places() -> None:
    payload = {f"name {n}" * (n % 5 + 1): n for n in range(5000)}
    for _ in range(2):
        assert parse(serialize(CallResult("1", payload))) == CallResult("1", payload)


FLOATS = (
    st.floats()
    | st.integers(-(10**16), 10**16).map(lambda tenths: tenths / 10)
    | st.integers(-9999, 9999).map(lambda tenths: tenths / 10)
    | st.binary(min_size=8, max_size=8).map(lambda data: struct.unpack("d", data)[0])
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**66), 2**66) | FLOATS | TEXTS | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5) | st.tuples(inner),
    max_leaves=30,
)
IDS = st.uuids().map(str) | TEXTS


def is_written_alike(unique_id: str, action: str, payload: dict[str, Any]) -> None:
    general = Payload(payload)
    assert outcome(json_bytes, payload) == outcome(json_bytes, general)
    for frame, other in (
        (Call(unique_id, action, payload), Call(unique_id, action, general)),
        (CallResult(unique_id, payload), CallResult(unique_id, general)),
    ):
        assert outcome(serialize, frame) == outcome(serialize, other)


@given(IDS, TEXTS, st.dictionaries(TEXTS, VALUES, max_size=6))
@SETTINGS
@example("1", "A", {"": [0.1, -0.1, 0.0, -0.0, 1e14, 1e15, 1e16, 5e-324, 99999999999999.9, float("nan"), float("inf")]})
@example("1", "A", {"": [2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64]})
def test_writing(unique_id: str, action: str, payload: dict[str, Any]) -> None:
    is_written_alike(unique_id, action, payload)


@given(st.lists(FLOATS, max_size=30))
@SETTINGS
def test_writing_of_floats(numbers: list[float]) -> None:
    is_written_alike("1", "A", {"": numbers})


def test_writing_up_to_the_end_of_the_buffer() -> None:
    for value in ("", 1, -1.5, True, {}, [], {"a": 1}, [1], "x" * 9):
        for size in range(65_536 - 90, 65_536 + 10):
            payload = {"a": "x" * size, "b": value}
            assert json_bytes(payload) == json_bytes(Payload(payload))
            frame = CallResult("1", payload)
            assert serialize(frame) == serialize(CallResult("1", Payload(payload)))


def test_writing_of_long_actions() -> None:
    for size in [*range(200), *range(65_480, 65_550)]:
        frame = Call("x" * 36, "a" * size, {"a": 1})
        assert serialize(frame) == serialize(Call("x" * 36, "a" * size, Payload({"a": 1})))

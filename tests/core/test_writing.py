"""Frames from payloads that are text already: what `serialize` writes of the payloads themselves, and raises."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocpp16._core import MAX_DEPTH, Call, CallResult, EchoedId, call_text, json_bytes, result_text, serialize

SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=400)

ANY_TEXT = st.text(st.characters(categories=None, exclude_categories=()), max_size=40)
PLAIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7F), max_size=40)
IDS = st.uuids().map(str) | PLAIN | ANY_TEXT | st.builds(EchoedId, st.integers(-5, 2**70) | ANY_TEXT) | st.none()
ACTIONS = st.sampled_from(["MeterValues", "StartTransaction"]) | PLAIN | ANY_TEXT | st.integers()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | ANY_TEXT | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)
PAYLOADS = st.dictionaries(ANY_TEXT, VALUES, max_size=4)
NAME = "transactionId"


def outcome(function: Callable[[], bytes]) -> bytes | type[Exception]:
    try:
        return function()
    except (TypeError, ValueError) as error:
        return type(error)


@given(IDS, ACTIONS, PAYLOADS, st.none() | st.integers(-(2**63), 2**63 - 1))
@SETTINGS
@example("1", "A", {}, 4711)
@example("1", "A", {}, None)
@example("1", "A", {"a": 1}, 4711)
@example('a"', "A", {"a": 1}, 4711)
@example("a\\", "A", {}, 4711)
@example("1", "A\x1f", {"a": "\ud800"}, 4711)
def test_a_call_is_the_same_in_parts(unique_id: Any, action: Any, payload: dict[str, Any], number: int | None) -> None:
    payload.pop(NAME, None)
    whole = payload if number is None else {**payload, NAME: number}
    member = b"" if number is None else f'"{NAME}":{number}'.encode()
    parts = outcome(lambda: call_text(unique_id, action, json_bytes(payload), member))
    assert parts == outcome(lambda: call_text(unique_id, action, json_bytes(payload).decode(), member)), "or as str"
    expected = outcome(lambda: serialize(Call(unique_id, action, whole)))
    # Where the payload is at fault and something else as well, either may be told.
    assert parts in (expected, outcome(lambda: serialize(Call("1", "A", whole))))
    assert isinstance(parts, bytes) == isinstance(expected, bytes)
    if isinstance(parts, bytes) and isinstance(unique_id, str) and not isinstance(unique_id, EchoedId):
        assert json.loads(parts)[:3] == [2, unique_id, action]


@given(IDS, PAYLOADS)
@SETTINGS
def test_a_confirmation_is_the_same_in_parts(unique_id: Any, payload: dict[str, Any]) -> None:
    parts = outcome(lambda: result_text(unique_id, json_bytes(payload)))
    expected = outcome(lambda: serialize(CallResult(unique_id, payload)))
    assert parts in (expected, outcome(lambda: serialize(CallResult("1", payload))))
    assert isinstance(parts, bytes) == isinstance(expected, bytes)


@given(st.lists(st.sampled_from([*map(chr, range(0x24)), "\\", "\x7f", "\x80", "é", "東", "a"]), max_size=20))
@SETTINGS
def test_every_character_of_an_id_is_written_as_json_asks(characters: list[str]) -> None:
    unique_id = "0" + "".join(characters)
    data = serialize(CallResult(unique_id, {}))
    assert json.loads(data) == [3, unique_id, {}]
    assert data == json.dumps([3, unique_id, {}], ensure_ascii=False, separators=(",", ":")).encode()


def nested(levels: int) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    for _ in range(levels - 1):
        payload = {"a": payload}
    return payload


def test_a_payload_has_one_level_less_than_its_frame() -> None:
    assert result_text("1", json_bytes(nested(MAX_DEPTH - 1)))
    for levels in (MAX_DEPTH, 1000):
        with pytest.raises(ValueError, match="nested deeper than 64 levels"):
            json_bytes(nested(levels))


def test_what_is_no_payload_or_no_body_is_refused() -> None:
    not_bytes: Any = bytearray(b"{}")
    not_payloads: list[Any] = [None, [], "{}", 5]
    for payload in not_payloads:
        with pytest.raises(TypeError, match="payload must be dict"):
            json_bytes(payload)
    for body in (b"", b"[]", b"{", b"null"):
        for text in (body, body.decode()):
            with pytest.raises(ValueError, match="text of a JSON object"):
                call_text("1", "A", text)
        with pytest.raises(ValueError, match="text of a JSON object"):
            result_text("1", body)
    with pytest.raises(TypeError, match="a body is bytes or str, not bytearray"):
        call_text("1", "A", not_bytes)
    with pytest.raises(ValueError, match="surrogates"):
        call_text("1", "A", '{"a":"\ud800"}')
    with pytest.raises(TypeError):
        result_text("1", not_bytes)
    with pytest.raises(TypeError):
        call_text("1", "A", b"{}", not_bytes)


@dataclass
class OfAHost:
    value: Any


def test_a_dataclass_is_no_value_of_json_however_deep_it_is() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = (deep,)
    for value in (1, deep):
        with pytest.raises(TypeError, match="a value that JSON does not have"):
            serialize(Call("1", "DataTransfer", {"data": OfAHost(value)}))


@pytest.mark.parametrize("member", [{}, [], -5, -1.5, [{"a": -1}]])
def test_at_the_end_of_what_is_written_in_one_pass(member: Any) -> None:
    for size in range(65_536 - 32, 65_536 + 8):
        frame = Call("1", "A", {"a" * size: member})
        assert json.loads(serialize(frame)) == [2, "1", "A", {"a" * size: member}]
        assert json.loads(json_bytes({"a" * size: member})) == {"a" * size: member}

"""Frames: what `parse` takes, how it names what it refuses, and that `serialize` writes what `parse` takes."""

import json
from typing import Any

import pytest

from ocpp16._core import (
    MAX_DEPTH,
    Call,
    CallError,
    CallResult,
    EchoedId,
    FramingError,
    duplicate_members,
    json_text,
    parse,
    serialize,
)

UUID = "19223201-6b1e-4b1a-9d62-2c1f8f1f0a11"


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        (b' [ 2 , "1" , "Heartbeat" , { } ] ', Call("1", "Heartbeat", {})),
        (bytearray(b'[2,"1","Heartbeat",{}]'), Call("1", "Heartbeat", {})),
        (memoryview(b'[2,"1","Heartbeat",{}]'), Call("1", "Heartbeat", {})),
        (f'[2,"{UUID}","",{{"a":[1,null,"\\u20ac"]}}]', Call(UUID, "", {"a": [1, None, "€"]})),
        ('[2,"1","A",{},"more",5]', Call("1", "A", {})),
        ('[3,"1",{"currentTime":"x"}]', CallResult("1", {"currentTime": "x"})),
        ('[3,"1",{},{}]', CallResult("1", {})),
        ('[4,"1","NotSupported","",{}]', CallError("1", "NotSupported")),
        ('[4,"1","Vendor code","why",{"a":1},0]', CallError("1", "Vendor code", "why", {"a": 1})),
        ('[2,"1","A",{"a":1,"a":2}]', Call("1", "A", {"a": 2})),
        ('[2,"1","A",{"a":123456789012345678901234567890}]', Call("1", "A", {"a": 1.2345678901234568e29})),
    ],
)
def test_parse(text: str | bytes, frame: Call | CallResult | CallError) -> None:
    assert parse(text) == frame
    assert parse(serialize(frame)) == frame


@pytest.mark.parametrize(
    ("text", "kind", "unique_id", "reason"),
    [
        ("", None, None, "not JSON"),
        (b"\xff\xfe", None, None, "not JSON"),
        ('[2,"1","A",{"a":NaN}]', 2, "1", "not JSON"),
        ('[2,"1","A",{"a":"\\ud800"}]', 2, "1", "not JSON"),
        ('[2,"1","A",{}],', 2, "1", "not JSON"),
        ('\n[ 3 , "abc" , {"a":}]', 3, "abc", "not JSON"),
        (b'[2,"1","A",{"a":"\xe9"}]', 2, "1", "not JSON"),
        ('[2,"' + "x" * 37 + '","A",', None, None, "not JSON"),
        ('[2,"é","A",', None, None, "not JSON"),
        ('[2,"a\\n","A",', None, None, "not JSON"),
        ('[5,"1","A",', None, None, "not JSON"),
        ("[" * 100_000, None, None, "nested deeper"),
        ("{}", None, None, "not a JSON array"),
        ("2", None, None, "not a JSON array"),
        ("[]", None, None, "first element"),
        ('["2","1","A",{}]', None, None, "first element"),
        ('[2.0,"1","A",{}]', None, None, "first element"),
        ('[true,"1","A",{}]', None, None, "first element"),
        ('[5,"1","A",{}]', None, None, "first element"),
        ('[123456789012345678901234567890,"1"]', None, None, "first element"),
        ("[2]", 2, None, "id is missing"),
        ('[2,17,"A",{}]', 2, None, "id is not text"),
        ('[2,null,"A",{}]', 2, None, "id is not text"),
        ('[2,"","A",{}]', 2, "", "id is empty"),
        (f'[2,"{"x" * 37}","A",{{}}]', 2, "x" * 37, "longer than 36"),
        ('[2,"1"]', 2, "1", "too few"),
        ('[2,"1","A"]', 2, "1", "too few"),
        ('[2,"1",5,{}]', 2, "1", "action is not text"),
        ('[2,"1",null,{}]', 2, "1", "action is not text"),
        ('[2,"1","A",null]', 2, "1", "payload is not an object"),
        ('[2,"1","A",[]]', 2, "1", "payload is not an object"),
        ('[3,"1"]', 3, "1", "too few"),
        ('[3,"1",null]', 3, "1", "payload is not an object"),
        ('[3,"1","x"]', 3, "1", "payload is not an object"),
        ('[4,"1"]', 4, "1", "too few"),
        ('[4,"1","GenericError",""]', 4, "1", "too few"),
        ('[4,"1",5,"",{}]', 4, "1", "error code"),
        ('[4,"1","GenericError",null,{}]', 4, "1", "error description"),
        ('[4,"1","GenericError","",null]', 4, "1", "error details"),
    ],
)
def test_refused(text: str | bytes, kind: int | None, unique_id: str | None, reason: str) -> None:
    with pytest.raises(FramingError, match=reason) as caught:
        parse(text)
    error = caught.value
    assert (error.kind, error.unique_id, error.code) == (kind, unique_id, "FormationViolation")


@pytest.mark.parametrize("text", [None, 5, [2, "1", "A", {}], object()])
def test_what_is_no_text(text: Any) -> None:
    with pytest.raises(TypeError, match="str or bytes"):
        parse(text)


def test_a_refused_frame_is_kept_for_repair() -> None:
    with pytest.raises(FramingError) as caught:
        parse('[2,17,"Heartbeat",{}]')
    assert caught.value.frame == [2, 17, "Heartbeat", {}]
    assert caught.value.raw_id == 17


def nested(levels: int, opening: str = "[", closing: str = "]") -> str:
    """A CALL of so many levels, its own array and the payload being two of them."""
    return '[2,"1","A",{"a":' + opening * (levels - 2) + "1" + closing * (levels - 2) + "}]"


WIDE = json.dumps([2, "1", "A", {"a": [{"b": [1, {}]} for _ in range(100)], "text": "[{" * 500 + '\\"' * 3}])
SHAPES = [("[", "]"), ('{"x":', "}"), ('[null,"[[{{",{"x":', "}]")]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("convert", [str, str.encode, lambda text: bytearray(text.encode())])
def test_sixty_four_levels_are_taken(shape: tuple[str, str], convert: Any) -> None:
    levels = MAX_DEPTH if len(shape[0]) < 10 else MAX_DEPTH // 2 + 1
    frame = parse(convert(nested(levels, *shape)))
    assert parse(serialize(frame)) == frame


@pytest.mark.parametrize("letter", ["a", "é", "東", "😀"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 260, 1000, 5000])
def test_deeper_ones_are_refused_and_can_be_answered(shape: tuple[str, str], levels: int, letter: str) -> None:
    text = nested(levels, *shape).replace('"A"', f'"A{letter}"')
    for form in (text, text.encode(), memoryview(text.encode())):
        with pytest.raises(FramingError, match="nested deeper than 64 levels") as caught:
            parse(form)
        error = caught.value
        assert (error.kind, error.unique_id, error.frame) == (2, "1", None)
        assert serialize(CallError("1", error.code, str(error)))


@pytest.mark.parametrize(
    ("head", "kind", "unique_id"),
    [
        ('[3,"é"', 3, "é"),
        (f'[4,"{"x" * 40}"', 4, "x" * 40),
        ("[2,17", 2, None),
        ("[5,1", None, None),
        ("[[]", None, None),
        ("[2", 2, None),
    ],
)
def test_of_what_is_too_deep_the_id_is_kept(head: str, kind: int | None, unique_id: str | None) -> None:
    with pytest.raises(FramingError, match="nested deeper") as caught:
        parse(f"{head}," + "[" * 64 + "]" * 64 + "]")
    assert (caught.value.kind, caught.value.unique_id) == (kind, unique_id)


@pytest.mark.parametrize("letter", ["a", "é", "東", "😀", '\\"', "\\\\"])
@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, 900])
def test_what_a_later_member_overrides_is_no_deeper_either(letter: str, levels: int) -> None:
    text = f'[2,"1","A",{{"x{letter}":{"[" * levels}{"]" * levels},"x{letter}":1}}]'
    for form in (text, text.encode(), bytearray(text.encode())):
        for read in (parse, duplicate_members):
            with pytest.raises(FramingError, match="nested deeper than 64 levels"):
                read(form)
    assert duplicate_members(text.replace("[" * levels, "[" * 60).replace("]" * levels, "]" * 60))


def test_brackets_that_do_not_nest_are_no_depth() -> None:
    assert parse(WIDE) == parse(WIDE.encode()) == parse(serialize(parse(WIDE)))
    assert parse(WIDE.replace("text", "東")).payload.keys() == {"a", "東"}  # type: ignore[union-attr]


def nested_value(levels: int, wrap: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = wrap(value)
    return value


@pytest.mark.parametrize(
    "wrap", [lambda v: [v], lambda v: {"x": v}, lambda v: (v,), lambda v: [v, "text"], lambda v: {"y": 0, "x": v}]
)
@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, 200, 300, 5000])
def test_nothing_too_deep_is_written(wrap: Any, levels: int) -> None:
    written = serialize(Call("1", "A", {"a": nested_value(MAX_DEPTH - 2, wrap)}))
    assert parse(written)
    for frame in (
        Call("1", "A", {"a": nested_value(levels, wrap)}),
        CallResult("1", {"a": nested_value(levels, wrap)}),
        CallError("1", "GenericError", "", {"a": nested_value(levels, wrap)}),
    ):
        with pytest.raises(ValueError, match="nested deeper than 64 levels"):
            serialize(frame)
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        json_text(nested_value(levels + 2, wrap))


def test_what_contains_itself_is_too_deep() -> None:
    payload: dict[str, Any] = {}
    payload["a"] = payload
    with pytest.raises(ValueError, match="nested deeper"):
        serialize(Call("1", "A", payload))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('\ufeff[2,"1","A",{}]', "byte order mark"),
        (b'\xef\xbb\xbf[2,"1","A",{}]', "byte order mark"),
        ("\ufeff", "byte order mark"),
        (b"\xef\xbb", "not JSON"),
    ],
)
def test_a_byte_order_mark_is_named(text: str | bytes, reason: str) -> None:
    with pytest.raises(FramingError, match=reason) as caught:
        parse(text)
    assert (caught.value.unique_id == "1") is (b"1" in (text.encode() if isinstance(text, str) else text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[2,"1","A",{"connectorId":1,"connectorId":2}]', [(3, "connectorId")]),
        (
            '[2,"1","A",{"a":{"b":1,"c":[{"d":1,"d":2,"d":3}]},"a":0}]',
            [(3, "a", "c", 0, "d"), (3, "a", "c", 0, "d"), (3, "a")],
        ),
        ('[3,"1",{"a":1,"A":2,"b":{"a":1}}]', []),
        ('{"\\u0061":1,"a":2}', [("a",)]),
        (b'{"\xc3\xa9":1,"\xc3\xa9":2}', [("é",)]),
        ('{"":{},"":[]}', [("",)]),
        ("[" + "9" * 300 + ',{"a":1e300,"a":-0}]', [(1, "a")]),
        ("7", []),
    ],
)
def test_members_given_twice_are_named(text: str | bytes, found: list[Any]) -> None:
    assert duplicate_members(text) == found


def test_duplicates_are_looked_for_in_json_only() -> None:
    with pytest.raises(FramingError, match="not JSON"):
        duplicate_members('[{"a":NaN}]')
    with pytest.raises(FramingError, match="nested deeper"):
        duplicate_members("[" * 900 + "]" * 900)
    with pytest.raises(TypeError):
        duplicate_members(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("raw", [17, -1, 2**60, "x" * 37, "x" * 5000, ""])
def test_an_echoed_id_goes_back_unchanged(raw: str | int) -> None:
    sent = serialize(CallResult(EchoedId(raw), {}))
    assert json.loads(sent) == [3, raw, {}]
    assert EchoedId(raw) == str(raw)
    assert str(raw) in {EchoedId(raw)}


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (None, TypeError),
        ([2, "1", "A", {}], TypeError),
        (Call("", "A", {}), ValueError),
        (Call("x" * 37, "A", {}), ValueError),
        (Call(5, "A", {}), TypeError),  # type: ignore[arg-type]
        (Call("1", None, {}), TypeError),  # type: ignore[arg-type]
        (Call("1", "A", None), TypeError),  # type: ignore[arg-type]
        (Call("1", "A", []), TypeError),  # type: ignore[arg-type]
        (Call("1", "A", {"a": object()}), TypeError),
        (Call("1", "A", {5: 1}), TypeError),  # type: ignore[dict-item]
        (Call("1", "A", {"a": 2**70}), ValueError),
        (Call("1", "A", {"a": "\ud800"}), ValueError),
        (Call("1", "A", {"\ud800": 1}), ValueError),
        (Call("1", "\ud800", {}), ValueError),
        (Call("\ud800", "A", {}), ValueError),
        (CallError("1", "GenericError", "\udfff"), ValueError),
        (CallResult(EchoedId("\ud800"), {}), ValueError),
        (CallResult("1", None), TypeError),  # type: ignore[arg-type]
        (CallError("1", 5), TypeError),  # type: ignore[arg-type]
        (CallError("1", "GenericError", None), TypeError),  # type: ignore[arg-type]
        (CallError("1", "GenericError", "", []), TypeError),  # type: ignore[arg-type]
    ],
)
def test_serialize_refuses(frame: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        serialize(frame)


def test_values() -> None:
    call = Call(unique_id="1", action="A", payload={"a": 1})
    match call:
        case Call(unique_id, action, payload):
            assert (unique_id, action, payload) == ("1", "A", {"a": 1})
    assert call == Call("1", "A", {"a": 1})
    assert call != Call("2", "A", {"a": 1})
    other: object = CallResult("1", {"a": 1})
    assert call != other
    assert repr(call) == "Call('1', 'A', {'a': 1})"
    assert CallError("1", "GenericError").details == {}
    with pytest.raises(AttributeError):
        call.action = "B"  # type: ignore[misc]
    with pytest.raises(TypeError):
        hash(call)


def test_text_beyond_ascii_is_written_as_utf_8() -> None:
    assert serialize(Call("1", "DataTransfer", {"data": "ü"})) == '[2,"1","DataTransfer",{"data":"ü"}]'.encode()

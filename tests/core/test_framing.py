"""Frames: what `parse` takes, how it names what it refuses, and that `serialize` writes what `parse` takes."""

import json
from typing import Any

import pytest

from ocpp16._core import Call, CallError, CallResult, EchoedId, FramingError, parse, serialize

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
        ("[" * 100_000, None, None, "not JSON"),
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


def test_deep_nesting() -> None:
    depth = 200
    nested = parse('[2,"1","A",{"a":' + "[" * depth + "]" * depth + "}]")
    assert parse(serialize(nested)) == nested
    with pytest.raises(FramingError):
        parse('[2,"1","A",{"a":' + "[" * 5000 + "]" * 5000 + "}]")


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
        (Call("1", "A", {"a": 2**70}), TypeError),
        (Call("1", "A", {"a": "\ud800"}), TypeError),
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

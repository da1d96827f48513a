"""Repairs: each by its name, none without, and what is left after them is valid or refused."""

import copy
import json
from typing import Any, Protocol

import pytest

from ocpp16 import codec
from ocpp16.codec import Call, CallError, CallResult, FramingError, Repair, Tolerance, repair_frame, repair_payload

KINDS: tuple[codec.Kind, ...] = ("request", "response")
TIME = "2026-03-01T12:00:00Z"
LONG = "x" * 40


class Unsayable:
    """What fails even at its text."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("name", "text", "frame"),
    [
        ("null_payload", '[2,"1","Heartbeat",null]', Call("1", "Heartbeat", {})),
        ("null_payload", '[3,"1",null]', CallResult("1", {})),
        ("message_ids", '[2,17,"Heartbeat",{}]', Call("17", "Heartbeat", {})),
        ("message_ids", f'[2,"{LONG}","Heartbeat",{{}}]', Call(LONG, "Heartbeat", {})),
        ("message_ids", '[3,17,{"a":1}]', CallResult("17", {"a": 1})),
        ("empty_ids", '[2,"","Heartbeat",{}]', Call("", "Heartbeat", {})),
        ("absent_payload", '[3,"1"]', CallResult("1", {})),
        ("call_errors", '[4,"1","GenericError"]', CallError("1", "GenericError")),
        ("call_errors", '[4,"1","GenericError","why"]', CallError("1", "GenericError", "why")),
        ("call_errors", '[4,"1","GenericError",null,null]', CallError("1", "GenericError")),
        ("call_errors", '[4,"1","GenericError",5,"x"]', CallError("1", "GenericError")),
        ("call_errors", '[4,"1","GenericError","why",[]]', CallError("1", "GenericError", "why")),
        ("byte_order_mark", '\ufeff[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        ("byte_order_mark", b'\xef\xbb\xbf[3,"1",{}]', CallResult("1", {})),
        ("byte_order_mark", bytearray(b'\xef\xbb\xbf[3,"1",{}]'), CallResult("1", {})),
    ],
)
def test_frames(name: str, text: str | bytes | bytearray, frame: Call | CallResult | CallError) -> None:
    assert repair_frame(text, Tolerance(name)) == (frame, (name,))
    others = Tolerance(*(repair for repair in Repair if repair != name))
    for tolerance in (Tolerance.STRICT, others):
        with pytest.raises(FramingError):
            repair_frame(text, tolerance)


def test_one_byte_order_mark_is_enough() -> None:
    with pytest.raises(FramingError):
        repair_frame('\ufeff\ufeff[2,"1","Heartbeat",{}]')
    assert repair_frame('\ufeff[2,17,"Heartbeat",null]')[1] == ("byte_order_mark", "message_ids", "null_payload")


def test_what_is_no_text_is_not_repaired() -> None:
    for nothing in (None, 10**12, [1]):
        with pytest.raises(TypeError, match="str or bytes"):
            repair_frame(nothing)  # type: ignore[arg-type]


def test_several_repairs_of_a_frame() -> None:
    frame, repairs = repair_frame('[2,17,"Heartbeat",null]')
    assert frame == Call("17", "Heartbeat", {})
    assert repairs == ("message_ids", "null_payload")
    assert json.loads(codec.serialize(CallResult(frame.unique_id, {}))) == [3, 17, {}]


@pytest.mark.parametrize(
    ("received", "code"),
    [
        ("OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        ("FormatViolation", "FormationViolation"),
        ("MessageTypeNotSupported", "GenericError"),
        ("RpcFrameworkError", "GenericError"),
        ("notsupported", "NotSupported"),
    ],
)
def test_other_spellings_of_codes(received: str, code: str) -> None:
    text = f'[4,"1","{received}","",{{}}]'
    assert repair_frame(text) == (CallError("1", code), ("call_errors",))
    assert repair_frame(text, Tolerance.STRICT) == (CallError("1", received), ())


def test_unknown_codes_stay() -> None:
    assert repair_frame('[4,"1","Überlast","",{}]') == (CallError("1", "Überlast"), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[2]",
        '[5,"1","A",{}]',
        '["2","1","A",{}]',
        '[2,null,"A",{}]',
        '[2,1.5,"A",{}]',
        '[2,true,"A",{}]',
        '[2,["1"],"A",{}]',
        '[2,"1"]',
        '[2,"1","A"]',
        '[2,"1",null,null]',
        "[2,17,5,{}]",
        '[2,17,"A",[]]',
        '[3,"1",[]]',
        '[3,17,"x"]',
        '[4,"1"]',
        '[4,"1",null,"",{}]',
        '[4,"1",5]',
    ],
)
def test_frames_beyond_repair(text: str) -> None:
    with pytest.raises(FramingError):
        repair_frame(text, Tolerance(*Repair))


def status(**members: Any) -> dict[str, Any]:
    return {"connectorId": 1, "errorCode": "NoError", "status": "Available"} | members


def sampled(**members: Any) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": TIME, "sampledValue": [{"value": "1"} | members]}]}


def running_cost(**members: Any) -> dict[str, Any]:
    cost = {"transactionId": 1, "timestamp": TIME, "meterValue": 1, "cost": 1.5, "state": "Idle", "chargingPrice": {}}
    return {name: value for name, value in (cost | members).items() if value is not None}


def composite(limit: float) -> dict[str, Any]:
    periods = [{"startPeriod": 0, "limit": limit}]
    return {"status": "Accepted", "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}}


PAYLOADS: list[tuple[str, str, codec.Kind, Any, Any]] = [
    ("null_payload", "Heartbeat", "request", None, {}),
    ("null_members", "StatusNotification", "request", status(info=None), status()),
    ("null_members", "StatusNotification", "request", status(color=None), status()),
    ("null_members", "MeterValues", "request", sampled(phase=None), sampled()),
    ("unknown_members", "StatusNotification", "request", status(customData={"a": None}), status()),
    ("unknown_members", "MeterValues", "request", sampled(color="red"), sampled()),
    ("integral_floats", "StatusNotification", "request", status(connectorId=1.0), status()),
    ("date_times", "StatusNotification", "request", status(timestamp=""), status()),
    ("date_times", "Heartbeat", "response", {"currentTime": "2026-03-01 12:00:00"}, {"currentTime": TIME}),
    ("date_times", "Heartbeat", "response", {"currentTime": "2026-03-01T14:00:00+02"}, {"currentTime": TIME}),
    (
        "date_times",
        "Heartbeat",
        "response",
        {"currentTime": "2026-03-01T12:00:00.1234567"},
        {"currentTime": "2026-03-01T12:00:00.123456Z"},
    ),
    (
        "data_transfer_object",
        "DataTransfer",
        "request",
        {"vendorId": "x", "data": {"a": None}},
        {"vendorId": "x", "data": '{"a":null}'},
    ),
    ("enumeration_names", "StatusNotification", "request", status(errorCode="Error"), status(errorCode="OtherError")),
    ("enumeration_names", "MeterValues", "request", sampled(unit="C"), sampled(unit="Celsius")),
    ("enumeration_names", "MeterValues", "request", sampled(unit="Hz"), sampled()),
    ("enumeration_names", "DataTransfer", "response", {"status": "UnknownVendor"}, {"status": "UnknownVendorId"}),
    (
        "null_text",
        "MeterValues",
        "request",
        {"connectorId": 1, "transactionId": "null", "meterValue": []},
        {"connectorId": 1, "meterValue": []},
    ),
    ("number_text", "StatusNotification", "request", status(connectorId="1"), status()),
    ("plain_values", "MeterValues", "request", sampled(value=1), sampled()),
    ("plain_values", "DataTransfer", "request", {"vendorId": "x", "data": True}, {"vendorId": "x", "data": "true"}),
    ("fractional_integers", "StatusNotification", "request", status(connectorId=1.4), status()),
    ("decimals", "GetCompositeSchedule", "response", composite(16.049), composite(16.0)),
    ("single_elements", "GetConfiguration", "request", {"key": "HeartbeatInterval"}, {"key": ["HeartbeatInterval"]}),
    ("single_elements", "MeterValues", "request", sampled() | {"meterValue": sampled()["meterValue"][0]}, sampled()),
    (
        "empty_arrays",
        "GetInstalledCertificateIds",
        "response",
        {"status": "NotFound", "certificateHashData": []},
        {"status": "NotFound"},
    ),
    ("empty_enumerations", "MeterValues", "request", sampled(phase=""), sampled()),
    ("enumeration_case", "MeterValues", "request", sampled(unit="WH"), sampled(unit="Wh")),
    ("running_cost", "CostMsg.RunningCost", "request", running_cost(timestamp=None, time=TIME), running_cost()),
    ("running_cost", "CostMsg.RunningCost", "request", running_cost(chargingPrice=None), running_cost()),
    ("running_cost", "CostMsg.RunningCost", "request", running_cost(transactionId="1"), running_cost()),
]


@pytest.mark.parametrize(("name", "action", "kind", "received", "repaired"), PAYLOADS)
def test_payloads(name: str, action: str, kind: codec.Kind, received: Any, repaired: Any) -> None:
    for tolerance in (Tolerance.STRICT, Tolerance(*(repair for repair in Repair if repair not in helping(name)))):
        with pytest.raises(codec.ValidationError):
            repair_payload(action, kind, copy.deepcopy(received), tolerance)
    payload = copy.deepcopy(received)
    result, repairs = repair_payload(action, kind, payload, Tolerance(name))
    assert (result, repairs) == (repaired, (name,))
    assert received is None or result is payload
    codec.validate(action, kind, result)


def helping(name: str) -> set[str]:
    """The repairs that cure the same flaws, so that leaving out one is not enough."""
    same = [
        {"null_members", "unknown_members"},
        {"integral_floats", "fractional_integers"},
        {"unknown_members", "running_cost"},
        {"running_cost", "number_text"},
    ]
    return {name}.union(*(group for group in same if name in group))


def test_the_default_set() -> None:
    assert list(Tolerance.DEFAULT) == [
        "null_members",
        "null_payload",
        "unknown_members",
        "integral_floats",
        "date_times",
        "message_ids",
        "data_transfer_object",
        "enumeration_names",
        "call_errors",
        "byte_order_mark",
        "binary_frames",
    ]
    assert list(Tolerance.STRICT) == []
    assert Repair.DECIMALS in Tolerance("decimals")
    assert Tolerance("decimals") == Tolerance(Repair.DECIMALS) != Tolerance.DEFAULT
    assert len({Tolerance("decimals"), Tolerance("decimals")}) == 1
    assert repr(Tolerance("decimals")) == "Tolerance('decimals')"
    with pytest.raises(ValueError):
        Tolerance("everything")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], Tolerance.DEFAULT),
        ("", Tolerance.DEFAULT),
        (" ", Tolerance.DEFAULT),
        (["default"], Tolerance.DEFAULT),
        (["strict"], Tolerance.STRICT),
        ("strict", Tolerance.STRICT),
        (["number_text"], Tolerance(*Tolerance.DEFAULT, "number_text")),
        (["+number_text"], Tolerance(*Tolerance.DEFAULT, "number_text")),
        (["default", "+number_text", "decimals"], Tolerance(*Tolerance.DEFAULT, "number_text", "decimals")),
        ("default, +number_text , -null_members", Tolerance(*list(Tolerance.DEFAULT)[1:], "number_text")),
        (["strict", "+decimals"], Tolerance("decimals")),
        (("strict", "decimals", "-decimals"), Tolerance.STRICT),
        (["-decimals"], Tolerance.DEFAULT),
        (["-decimals", "+decimals"], Tolerance(*Tolerance.DEFAULT, "decimals")),
        (Repair, Tolerance(*Repair)),
        (Tolerance.DEFAULT, Tolerance.DEFAULT),
    ],
)
def test_what_users_name(names: Any, expected: Tolerance) -> None:
    assert Tolerance.parse(names) == expected


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["everything"], "'everything'"),
        (["+everything"], "'+everything'"),
        (["strict", "default"], "'default'"),
        (["decimals", "strict"], "'strict'"),
        (["+default"], "'+default'"),
        (["-+decimals\x1b[2J"], r"'-+decimals\x1b[2J'"),
        (["Decimals"], "'Decimals'"),
        (["decimals", 7], "int"),
        ([None], "NoneType"),
        ([""], "''"),
        ("decimals,,", "''"),
        (["x" * 10_000], "…(+"),
        ([Unsayable()], "Unsayable: default or strict first"),
    ],
)
def test_what_is_no_repair_is_named(names: Any, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        Tolerance.parse(names)
    assert wrong in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("action", "kind", "payload", "code"),
    [
        ("Authorize", "request", {"idTag": None}, "OccurenceConstraintViolation"),
        ("Heartbeat", "response", {"currentTime": ""}, "OccurenceConstraintViolation"),
        ("Heartbeat", "response", {"currentTime": "soon"}, "TypeConstraintViolation"),
        ("Authorize", "request", {"idTag": 5}, "TypeConstraintViolation"),
        ("Authorize", "request", {"idTag": "x" * 21}, "PropertyConstraintViolation"),
        ("Reset", "request", {"type": "Warm"}, "PropertyConstraintViolation"),
        ("Reset", "request", {"type": "soft"}, "PropertyConstraintViolation"),
        ("RemoteStopTransaction", "request", {"transactionId": "5"}, "TypeConstraintViolation"),
        ("RemoteStopTransaction", "request", {"transactionId": 5.5}, "TypeConstraintViolation"),
        ("RemoteStopTransaction", "request", {"transactionId": 1e300}, "TypeConstraintViolation"),
        ("RemoteStopTransaction", "request", {"transactionId": float("inf")}, "TypeConstraintViolation"),
        ("RemoteStopTransaction", "request", {"transactionId": True}, "TypeConstraintViolation"),
        ("DataTransfer", "request", {"vendorId": "x", "data": ["a"]}, "TypeConstraintViolation"),
        ("GetConfiguration", "request", {"key": [None]}, "TypeConstraintViolation"),
        ("Heartbeat", "request", [], "FormationViolation"),
        ("PnC.TriggerMessage", "request", "x", "FormationViolation"),
        ("Frobnicate", "request", {"a": None}, "NotImplemented"),
    ],
)
def test_what_the_default_does_not_repair(action: str, kind: codec.Kind, payload: Any, code: str) -> None:
    with pytest.raises(codec.ValidationError) as caught:
        repair_payload(action, kind, payload)
    assert caught.value.code == code


def test_a_repair_is_made_everywhere_and_named_once() -> None:
    entries: list[dict[str, Any]] = [
        {"idTag": f"{n}", "idTagInfo": {"status": "Accepted", "parentIdTag": None, "x": 1}} for n in range(20_000)
    ]
    payload = {"listVersion": 5.0, "updateType": "Full", "localAuthorizationList": entries}
    _, repairs = repair_payload("SendLocalList", "request", payload)
    assert sorted(repairs) == ["integral_floats", "null_members", "unknown_members"]
    assert payload["listVersion"] == 5
    assert entries[-1] == {"idTag": "19999", "idTagInfo": {"status": "Accepted"}}


def test_a_deep_unknown_member_is_no_danger() -> None:
    deep: Any = None
    for _ in range(100_000):
        deep = [deep]
    assert repair_payload("Heartbeat", "request", {"x": deep}) == ({}, ("unknown_members",))


class Catalogue(Protocol):
    def mutations(self, action: str, kind: str, pairs: int) -> Any: ...


@pytest.mark.parametrize("tolerance", [Tolerance.DEFAULT, Tolerance(*Repair)])
def test_every_repaired_payload_is_valid(catalogue: Catalogue, tolerance: Tolerance) -> None:
    repaired = 0
    for action in (*codec.ACTIONS, *codec.CARRIED):
        for kind in KINDS:
            for payload in catalogue.mutations(action, kind, pairs=50):
                was_valid = codec.check(action, kind, payload) is None
                try:
                    result, repairs = repair_payload(action, kind, payload, tolerance)
                except codec.ValidationError:
                    assert not was_valid
                else:
                    assert was_valid == (repairs == ())
                    assert codec.check(action, kind, result) is None
                    repaired += bool(repairs)
    assert repaired > 1500

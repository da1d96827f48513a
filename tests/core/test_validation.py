"""The strict check: every payload smallest and fullest, every rule with its code, its path and its sentence."""

import enum
import math
from decimal import Decimal
from typing import Any, Protocol

import pytest

from ocpp16 import codec
from ocpp16._core import CODES, check, check_sending, code_of, describe, validate, validate_sending
from ocpp16.enums import ChargePointErrorCode, ChargePointStatus, ErrorCode

KINDS: tuple[codec.Kind, ...] = ("request", "response")
ALL = [(action, kind) for action in (*codec.ACTIONS, *codec.CARRIED) for kind in KINDS]
TIME = "2026-03-01T12:00:00Z"


class Catalogue(Protocol):
    schemas: dict[tuple[str, str], dict[str, Any]]

    def minimal(self, action: str, kind: str) -> dict[str, Any]: ...
    def full(self, action: str, kind: str) -> dict[str, Any]: ...


@pytest.mark.parametrize(("action", "kind"), ALL)
def test_smallest_and_fullest(catalogue: Catalogue, action: str, kind: codec.Kind) -> None:
    frame: Any
    for payload in (catalogue.minimal(action, kind), catalogue.full(action, kind)):
        assert check(action, kind, payload) is None
        assert check_sending(action, kind, payload) is None
        frame = codec.Call("1", action, payload) if kind == "request" else codec.CallResult("1", payload)
        assert codec.parse(codec.serialize(frame)) == frame
    for name in catalogue.minimal(action, kind):
        payload = catalogue.full(action, kind)
        del payload[name]
        assert check(action, kind, payload) == codec.Violation("required", (name,), None)


class Number(enum.IntEnum):
    ONE = 1


def sampled(value: dict[str, Any]) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": TIME, "sampledValue": [{"value": "1"}, value]}]}


def schedule(limit: Any) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": limit}
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
        },
    }


PERIOD = "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]"
LIMIT = ("csChargingProfiles", "chargingSchedule", "chargingSchedulePeriod", 0, "limit")
READING = ("meterValue", 0, "sampledValue", 1)


@pytest.mark.parametrize(
    ("action", "kind", "payload", "code", "path", "sentence"),
    [
        (
            "StatusNotification",
            "request",
            {"connectorId": 1, "status": "Available"},
            "OccurenceConstraintViolation",
            ("errorCode",),
            "StatusNotification.req: errorCode is missing",
        ),
        (
            "MeterValues",
            "request",
            sampled({"value": 1}),
            "TypeConstraintViolation",
            (*READING, "value"),
            "MeterValues.req: meterValue[0].sampledValue[1].value must be text",
        ),
        (
            "MeterValues",
            "request",
            sampled({"value": "1", "measurand": "Energy"}),
            "PropertyConstraintViolation",
            (*READING, "measurand"),
            "MeterValues.req: meterValue[0].sampledValue[1].measurand is none of the 22 known values",
        ),
        (
            "MeterValues",
            "request",
            sampled({"value": "1", "color": "red"}),
            "FormationViolation",
            (*READING, "color"),
            "MeterValues.req: meterValue[0].sampledValue[1].color is not known",
        ),
        (
            "SetChargingProfile",
            "request",
            schedule(8.15),
            "PropertyConstraintViolation",
            LIMIT,
            f"SetChargingProfile.req: {PERIOD}.limit has more than one decimal place",
        ),
        (
            "Reset",
            "request",
            {"type": "soft"},
            "PropertyConstraintViolation",
            ("type",),
            "Reset.req: type must be one of Hard, Soft",
        ),
        (
            "Authorize",
            "request",
            {"idTag": "x" * 21},
            "PropertyConstraintViolation",
            ("idTag",),
            "Authorize.req: idTag is longer than 20 characters",
        ),
        (
            "Heartbeat",
            "response",
            {"currentTime": "now"},
            "TypeConstraintViolation",
            ("currentTime",),
            "Heartbeat.conf: currentTime must be an RFC 3339 date-time",
        ),
        (
            "GetInstalledCertificateIds",
            "response",
            {"status": "Accepted", "certificateHashData": []},
            "OccurenceConstraintViolation",
            ("certificateHashData",),
            "GetInstalledCertificateIds.conf: certificateHashData has fewer elements than 1",
        ),
        (
            "PnC.Authorize",
            "request",
            {"idToken": {"idToken": "x"}, "iso15118CertificateHashData": [{}] * 5},
            "OccurenceConstraintViolation",
            ("iso15118CertificateHashData",),
            "PnC.Authorize.req: iso15118CertificateHashData has more elements than 4",
        ),
        (
            "CostMsg.RunningCost",
            "request",
            {"transactionId": "1"},
            "TypeConstraintViolation",
            ("transactionId",),
            "CostMsg.RunningCost.req: transactionId must be an integer",
        ),
        (
            "ClearCache",
            "request",
            [],
            "FormationViolation",
            (),
            "ClearCache.req: payload must be an object",
        ),
        ("Frobnicate", "request", {}, "NotImplemented", (), "Frobnicate.req: unknown action"),
        ("GetVariables", "response", {}, "NotImplemented", (), "GetVariables.conf: unknown action"),
    ],
)
def test_violations(
    action: str, kind: codec.Kind, payload: Any, code: str, path: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(codec.ValidationError) as caught:
        validate(action, kind, payload)
    error = caught.value
    assert (error.code, error.path, str(error)) == (code, path, sentence)
    assert (error.action, error.kind, error.rule) == (action, kind, error.violation.rule)
    assert check(action, kind, payload) == error.violation
    assert code_of(error.violation) == code
    assert describe(action, kind, error.violation) == sentence


def test_names_of_peers_are_cut_in_sentences() -> None:
    with pytest.raises(codec.ValidationError) as caught:
        validate("x" * 1000, "request", {})
    assert len(str(caught.value)) < 100
    with pytest.raises(codec.ValidationError) as caught:
        validate("Heartbeat", "request", {"x" * 1000: 1})
    assert len(str(caught.value)) < 100


def test_codes_are_those_of_the_specification() -> None:
    assert set(CODES.values()) <= set(ErrorCode)


@pytest.mark.parametrize(
    ("value", "is_allowed"),
    [
        (0, True),
        (16, True),
        (-3, True),
        (2**70, True),
        (0.1, True),
        (3.3, True),
        (8.1, True),
        (-8.1, True),
        (11.1, True),
        (21.4, True),
        (0.30000000000000004, False),
        (8.15, False),
        (16.05, False),
        (8.1000001, False),
        (15.999999, False),
        (1e6, True),
        (1e300, True),
        (5e-324, False),
        (2.0**48 + 0.25, False),
        (2.0**50, True),
        (math.nan, False),
        (math.inf, False),
        (-math.inf, False),
        (True, False),
        ("8.1", False),
        (None, False),
    ],
)
def test_one_decimal_place(value: Any, is_allowed: bool) -> None:
    assert (check("SetChargingProfile", "request", schedule(value)) is None) == is_allowed


def test_every_tenth_is_allowed_and_nothing_between() -> None:
    for tenths in [*range(-200, 5000), 10**6 + 1, 2**49, 2**52 + 1, 10 * 2**49 - 1]:
        assert check("SetChargingProfile", "request", schedule(tenths / 10)) is None, tenths
        for near in (math.nextafter(tenths / 10, math.inf), math.nextafter(tenths / 10, -math.inf)):
            is_allowed = Decimal(repr(near)).as_tuple().exponent >= -1  # type: ignore[operator]
            assert (check("SetChargingProfile", "request", schedule(near)) is None) == is_allowed, near


@pytest.mark.parametrize(
    ("value", "is_allowed"),
    [
        (1, True),
        (-1, True),
        (2147483648, True),
        (2**70, True),
        (Number.ONE, True),
        (30.0, False),
        (1e300, False),
        (math.nan, False),
        (True, False),
        (False, False),
        ("30", False),
        (None, False),
        ([], False),
    ],
)
def test_integers(value: Any, is_allowed: bool) -> None:
    violation = check("GetLocalListVersion", "response", {"listVersion": value})
    assert (violation is None) == is_allowed
    if violation is not None:
        assert code_of(violation) == "TypeConstraintViolation"


def test_plain_numbers_must_be_numbers_of_json() -> None:
    price = {"kWhPrice": 0.1234}
    cost = {"transactionId": 1, "cost": 1.23, "priceText": "x"}
    assert check("CostMsg.FinalCost", "request", cost) is None
    assert check("CostMsg.FinalCost", "request", cost | {"cost": math.nan}) is not None
    running = {"transactionId": 1, "timestamp": TIME, "meterValue": 1, "cost": 0, "state": "Idle"}
    assert check("CostMsg.RunningCost", "request", running | {"chargingPrice": price}) is None
    assert check("CostMsg.RunningCost", "request", running | {"chargingPrice": {"kWhPrice": math.inf}}) is not None


def test_text_is_counted_in_characters() -> None:
    assert check("Authorize", "request", {"idTag": "é" * 20}) is None
    assert check("Authorize", "request", {"idTag": "𝄞" * 20}) is None
    assert check("Authorize", "request", {"idTag": "é" * 21}) is not None


def test_members_of_enumerations_pass_as_text() -> None:
    payload = {"connectorId": 1, "errorCode": ChargePointErrorCode.NO_ERROR, "status": ChargePointStatus.AVAILABLE}
    assert check("StatusNotification", "request", payload) is None


@pytest.mark.parametrize("key", [5, None, (), "é", "\ud800", "connectorid", "connectorId\x00", "CONNECTORID"])
def test_strange_names_are_unknown(key: Any) -> None:
    violation = check("UnlockConnector", "request", {"connectorId": 1, key: 1})
    assert violation is not None
    assert (violation.rule, violation.path) == ("additionalProperties", (key,))


def test_names_are_compared_as_text_not_as_objects() -> None:
    class Name(str):
        """As a name made by another library."""

    assert check("UnlockConnector", "request", {Name("connector" + "Id"): 1}) is None


@pytest.mark.parametrize("kind", ["", "Request", "conf", None, 2])
def test_unknown_kind(kind: Any) -> None:
    for function in (check, check_sending, validate, validate_sending, codec.validate):
        with pytest.raises(ValueError, match="kind must be"):
            function("Heartbeat", kind, {})

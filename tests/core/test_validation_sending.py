"""What is stricter for what we send: every such rule, and that peers are not held to it."""

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from ocpp16 import codec
from ocpp16._core import Check, check, check_sending, validate, validate_sending

KINDS: tuple[codec.Kind, ...] = ("request", "response")
ALL = [(action, kind) for action in (*codec.ACTIONS, *codec.CARRIED) for kind in KINDS]
TIME = "2026-03-01T12:00:00Z"
CELCIUS = {
    "connectorId": 1,
    "meterValue": [{"timestamp": TIME, "sampledValue": [{"value": "1"}, {"value": "1", "unit": "Celcius"}]}],
}


class Catalogue(Protocol):
    schemas: dict[tuple[str, str], dict[str, Any]]

    def minimal(self, action: str, kind: str) -> dict[str, Any]: ...
    def full(self, action: str, kind: str) -> dict[str, Any]: ...


SENDING = [
    ("StartTransaction", {"connectorId": 0, "idTag": "x", "meterStart": 0, "timestamp": TIME}, ("connectorId",)),
    ("StatusNotification", {"connectorId": -1, "errorCode": "NoError", "status": "Available"}, ("connectorId",)),
    ("MeterValues", {"connectorId": 0, "meterValue": []}, ("meterValue",)),
    (
        "MeterValues",
        {"connectorId": 0, "meterValue": [{"timestamp": TIME, "sampledValue": []}]},
        ("meterValue", 0, "sampledValue"),
    ),
    ("MeterValues", CELCIUS, ("meterValue", 0, "sampledValue", 1, "unit")),
    ("ClearChargingProfile", {"stackLevel": -1}, ("stackLevel",)),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "x", "meterStart": 2**31, "timestamp": TIME},
        ("meterStart",),
    ),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "x", "meterStart": 0, "reservationId": -(2**31) - 1, "timestamp": TIME},
        ("reservationId",),
    ),
    ("StatusNotification", {"connectorId": 2**40, "errorCode": "NoError", "status": "Available"}, ("connectorId",)),
    ("ChangeAvailability", {"connectorId": 2**70, "type": "Operative"}, ("connectorId",)),
    ("ChangeAvailability", {"connectorId": -(2**70), "type": "Operative"}, ("connectorId",)),
]


WIDE = {("transactionId",), ("csChargingProfiles", "transactionId"), ("chargingProfile", "transactionId")}
"""Integers of 64 bits: transaction ids are the Central System's choice, and sent as they came."""


def integers(schema: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if schema["type"] == "integer":
        yield path
    for name, member in schema.get("properties", {}).items():
        yield from integers(member, (*path, name))
    if schema["type"] == "array":
        yield from integers(schema["items"], (*path, 0))


@pytest.mark.parametrize(("action", "kind"), ALL)
def test_integers_are_sent_within_32_bits(catalogue: Catalogue, action: str, kind: codec.Kind) -> None:
    for path in integers(catalogue.schemas[action, kind]):
        for value, is_narrow in (
            (2**31 - 1, True),
            (2**31, False),
            (2**40, False),
            (2**63 - 1, False),
            (2**64, False),
            (2**500, False),
            (-(2**31) - 1, False),
            (-(2**63) - 1, False),
        ):
            payload = catalogue.full(action, kind)
            holder: Any = payload
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = value
            assert check(action, kind, payload) is None, "never held against peers"
            violation = check_sending(action, kind, payload)
            if is_narrow or path in WIDE:
                assert violation is None
            else:
                assert violation is not None
                assert (violation.rule, violation.path) == ("maximum" if value > 0 else "minimum", path)


@pytest.mark.parametrize(("action", "payload", "path"), SENDING)
def test_limits_for_sending_are_not_held_against_peers(
    action: str, payload: dict[str, Any], path: tuple[Any, ...]
) -> None:
    validate(action, "request", payload)
    violation = check_sending(action, "request", payload)
    assert violation is not None
    assert violation.path == path
    with pytest.raises(codec.ValidationError):
        validate_sending(action, "request", payload)


def test_sentences_of_limits_for_sending() -> None:
    with pytest.raises(codec.ValidationError, match=r"^UnlockConnector\.req: connectorId is less than 1$"):
        validate_sending("UnlockConnector", "request", {"connectorId": 0})


def test_a_check_comes_from_validators_only() -> None:
    with pytest.raises(TypeError, match="no validator made"):
        Check()({})
    with pytest.raises(TypeError, match="no validator made"):
        Check().for_sending({})


def test_sending_keeps_the_rules_of_receiving() -> None:
    assert check_sending("StartTransaction", "request", {"connectorId": 1}) == codec.Violation(
        "required", ("idTag",), None
    )
    assert check_sending("Frobnicate", "request", {}) == codec.Violation("action", (), None)

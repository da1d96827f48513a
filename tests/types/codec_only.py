"""A program that only wants messages out of text: no charge point, no loop."""

from typing import Any, assert_type

from ocpp16.codec import (
    ACTIONS,
    Call,
    CallError,
    CallResult,
    FramingError,
    ValidationError,
    Violation,
    check,
    duplicate_members,
    format_datetime,
    parse,
    parse_datetime,
    serialize,
    validate,
    validate_sending,
)
from ocpp16.enums import AuthorizationStatus, ChargePointErrorCode, ChargePointStatus
from ocpp16.messages import (
    AuthorizeResponse,
    BootNotificationRequest,
    MeterValuesRequest,
    StartTransactionResponse,
    StatusNotificationRequest,
)


def boot(vendor: str, model: str) -> bytes:
    """A request whose members a type checker knows."""
    request: BootNotificationRequest = {"chargePointVendor": vendor, "chargePointModel": model}
    request["firmwareVersion"] = "1.0"
    return serialize(Call("1", "BootNotification", {**request}))


def status(connector: int) -> StatusNotificationRequest:
    """An enumeration is its text."""
    return {
        "connectorId": connector,
        "errorCode": ChargePointErrorCode.NO_ERROR,
        "status": ChargePointStatus.AVAILABLE,
        "timestamp": format_datetime(0),
    }


def energy(values: MeterValuesRequest) -> list[str]:
    """What is nested is typed, too."""
    found = [sample["value"] for value in values["meterValue"] for sample in value["sampledValue"]]
    assert_type(found, list[str])
    assert_type(values.get("transactionId"), int | None)
    return found


def answer(text: str | bytes) -> bytes:
    """From text to text."""
    try:
        frame = parse(text)
    except FramingError as error:
        assert_type(error.code, str)
        assert_type(error.unique_id, str | None)
        return b""
    assert_type(frame, Call | CallResult | CallError)
    match frame:
        case Call(unique_id, action, payload):
            assert_type(unique_id, str)
            assert_type(payload, dict[str, Any])
            try:
                validate(action, "request", payload, tolerant=True)
            except ValidationError as error:
                assert_type(error.code, str)
                assert_type(error.path, tuple[str | int, ...])
                return serialize(CallError(unique_id, error.code, str(error)))
            accepted: AuthorizeResponse = {"idTagInfo": {"status": AuthorizationStatus.ACCEPTED}}
            validate_sending(action, "response", accepted)
            return serialize(CallResult(unique_id, {**accepted}))
        case CallResult():
            assert_type(check("Authorize", "response", frame.payload), Violation | None)
            return b""
        case CallError():
            assert_type(frame.details, dict[str, Any])
            return b""


def started(response: StartTransactionResponse) -> int:
    """A required member needs no question whether it is there."""
    assert_type(parse_datetime("2024-01-01T00:00:00Z"), int)
    assert_type(duplicate_members("{}"), list[tuple[str | int, ...]])
    assert "StartTransaction" in ACTIONS
    return response["transactionId"]

"""Errors of a station that never clears them."""

from ocpp16.enums import AvailabilityType, ChargePointErrorCode, ChargePointStatus
from ocpp16.models import ErrorInfo
from ocpp16.state.connector import MOST_ERRORS, Connector


def test_errors_that_are_never_cleared_are_bounded() -> None:
    connector = Connector(1, ChargePointStatus.AVAILABLE, AvailabilityType.OPERATIVE, 0)
    fault = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid="fault")
    connector.raise_error(fault, 1)
    for number in range(1000):
        assert (
            connector.raise_error(ErrorInfo(ChargePointErrorCode.OTHER_ERROR, uuid=str(number)), 2 + number) is not None
        )
    kept = [error.uuid for error in connector.errors]
    assert (len(kept), kept[0], kept[1], kept[-1]) == (MOST_ERRORS, "fault", "745", "999")
    assert connector.clear_error("0", 2000) is None
    for number in range(1000):
        connector.raise_error(
            ErrorInfo(ChargePointErrorCode.OTHER_ERROR, is_fault=True, uuid=f"fault {number}"), 3000 + number
        )
    assert len(connector.errors) == MOST_ERRORS
    assert connector.status is ChargePointStatus.FAULTED

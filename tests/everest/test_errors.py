"""Errors of EVerest's modules, as StatusNotification tells them."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from everest_site import Site, error, warnings

from ocpp16.enums import ChargePointErrorCode
from ocpp16.everest.error_codes import MREC, placed

CODES = {
    1: "ConnectorLockFailure",
    2: "GroundFailure",
    3: "HighTemperature",
    4: "OverCurrentFailure",
    5: "OverVoltage",
    6: "UnderVoltage",
    **dict.fromkeys((8, 10, 11, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25, 26), "OtherError"),
}


@pytest.mark.parametrize("number", range(30))
def test_mrec(number: int) -> None:
    info = placed(error(f"evse_board_support/MREC{number}SomethingBroke", message="hot"), 0).info
    assert not info.is_fault
    if number in CODES:
        assert (info.error_code, info.vendor_error_code) == (CODES[number], f"CX{number:03}")
        assert (info.vendor_id, info.info) == ("https://chargex.inl.gov", "hot")
    else:
        assert (info.error_code, info.vendor_error_code) == ("OtherError", f"MREC{number}SomethingBroke/")
        assert (info.vendor_id, info.info) == ("hot", "yeti->board")
    assert MREC.keys() == CODES.keys()


def test_others() -> None:
    lost = placed(error("powermeter/CommunicationFault"), 0).info
    assert (lost.error_code, lost.is_fault) == (ChargePointErrorCode.POWER_METER_FAILURE, False)
    inoperative = placed(error("evse_manager/Inoperative", message="connector_lock/MREC1"), 0).info
    assert (inoperative.error_code, inoperative.is_fault) == (ChargePointErrorCode.OTHER_ERROR, True)
    assert inoperative.info == "caused_by:connector_lock/MREC1"
    assert (inoperative.vendor_id, inoperative.vendor_error_code) == ("EVerest", None)
    known = error("evse_manager/Inoperative")
    known.description, known.vendor_id = "MREC1ConnectorLockFailure", "V"
    assert (placed(known, 0).info.vendor_id, placed(known, 0).info.vendor_error_code) == ("V", known.description)
    other = placed(error("evse_board_support/VendorWarning", sub_type="fan", message="slow"), 0).info
    assert (other.error_code, other.is_fault, other.info) == (ChargePointErrorCode.OTHER_ERROR, False, "yeti->board")
    assert (other.vendor_id, other.vendor_error_code) == ("slow", "VendorWarning/fan")


class Unreadable:
    """As a type that pybind11 cannot give to Python."""

    module_id = "m"
    implementation_id = "i"

    @property
    def mapping(self) -> Any:
        raise TypeError("Unable to convert function return value to a Python type!")

    @property
    def timestamp(self) -> Any:
        raise TypeError("the same")


def test_what_cannot_be_read_is_as_good_as_not_there() -> None:
    raised = error("x/Y", evse=2)
    raised.origin = Unreadable()
    found = placed(raised, 3)
    assert (found.evse, found.connector) == (3, None), "the EVSE whose connection told of it"
    assert placed(error("x/Y"), 3).evse == 0, "without a mapping it is of the charge point"
    assert placed(error("x/Y", evse=2), 0).evse == 2
    assert placed(Unreadable(), 0).info.error_code == ChargePointErrorCode.OTHER_ERROR
    assert placed(None, 0).evse == 0
    strange = SimpleNamespace(type=5, message=b"x", uuid=7, origin="there", timestamp="2026-01-01T00:00:00Z")
    assert placed(strange, 0).info.timestamp == datetime(2026, 1, 1, tzinfo=UTC)


def test_raised_and_cleared_on_one_evse(site: Callable[..., Site]) -> None:
    here = site().start()
    here.status(2, "Available")
    broken = error("evse_manager/Inoperative", evse=2, message="hot")
    here.everest.raise_error("connector_2", broken)
    told = here.status(2, "Faulted")
    assert (told["errorCode"], told["info"]) == ("OtherError", "caused_by:hot")
    here.everest.raise_error("connector_2", broken)  # of another connection, too
    ground = error("evse_board_support/MREC2GroundFailure", evse=2)
    here.everest.raise_error("system", ground)
    here.everest.clear_error("connector_2", broken)
    here.status(2, "Available")
    here.until(lambda: here.status(2, "Available")["errorCode"] == "GroundFailure")
    found = here.status(2, "Available")
    assert (found["vendorId"], found["vendorErrorCode"]) == ("https://chargex.inl.gov", "CX002")
    here.everest.clear_error("system", ground)
    here.until(lambda: here.status(2, "Available")["errorCode"] == "NoError")


def test_of_the_whole_station_and_of_a_place_that_is_not_there(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site().start()
    whole = error("system/Broken")
    here.everest.raise_error("system", whole)
    here.until(lambda: here.status(0, "Available")["errorCode"] == "OtherError")
    here.everest.clear_error("system", whole)
    here.until(lambda: here.status(0, "Available")["errorCode"] == "NoError")
    here.everest.raise_error("auth", error("auth/Broken", evse=9))
    here.until(lambda: here.status(0, "Available")["errorCode"] == "OtherError")
    assert "there is no EVSE 9; it is told of the charge point" in warnings(caplog.records)


def test_of_an_evse_with_several_connectors(site: Callable[..., Site]) -> None:
    here = site(evses=((1, 2),)).start()
    one = error("evse_manager/Inoperative", evse=1)
    one.origin.mapping.connector = 2
    here.everest.raise_error("connector_1", one)
    here.status(2, "Faulted")
    both = error("evse_manager/Inoperative", evse=1)
    here.everest.raise_error("connector_1", both)
    here.status(1, "Faulted")
    here.everest.clear_error("connector_1", one)
    here.everest.clear_error("connector_1", both)
    here.status(1, "Available")
    here.status(2, "Available")


def test_an_error_outlives_a_stop(site: Callable[..., Site]) -> None:
    here = site().start()
    broken = error("evse_manager/Inoperative", evse=1)
    here.everest.raise_error("connector_1", broken)
    here.status(1, "Faulted")
    assert here.everest.call("main", "stop") is True
    here.everest.clear_error("connector_1", broken)
    assert here.everest.call("main", "restart") is True
    here.wait_call("BootNotification", 2)
    here.status(1, "Available")

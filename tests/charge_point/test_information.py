"""What a station tells of itself: who made it, its SIM card, its meters. The next BootNotification says it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointErrorCode, ChargePointStatus
from ocpp16.models import ErrorInfo
from ocpp16.testing.answers import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem

PEM = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


async def test_the_next_boot_notification_says_it_and_every_later_start(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        station = bench.charge_point.for_station
        await station.update_chargepoint_information("Vendor", "Model", serial_number="S1", firmware_version="1.0")
        await station.update_modem_information(iccid="8949")
        await station.update_modem_information(imsi="26201")  # what is not given stays
        await station.update_meter_information("M-1", "Type")
        assert len(bench.sent("BootNotification")) == 1, "nothing is sent for it"
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(0.1)
        expected = {
            "chargePointVendor": "Vendor",
            "chargePointModel": "Model",
            "chargePointSerialNumber": "S1",
            "firmwareVersion": "1.0",
            "iccid": "8949",
            "imsi": "26201",
            "meterSerialNumber": "M-1",
            "meterType": "Type",
        }
        assert bench.sent("BootNotification")[-1] == expected
    async with open_bench(database_path=tmp_path) as bench:
        await bench.charge_point.for_station.update_chargepoint_information("Vendor", "Model 2")
        assert bench.sent("BootNotification") == [expected]
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(0.1)
        assert bench.sent("BootNotification")[-1] == {**expected, "chargePointModel": "Model 2"}


async def test_one_that_waits_says_it(open_bench: Any) -> None:
    """A modem tells its SIM card as it comes up, and the BootNotification of the start waits for just that; or for its
    next attempt, and that it goes on to do."""
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms) as bench:
        await bench.charge_point.for_station.update_modem_information(iccid="8949")
        csms.answers["BootNotification"] = CallErrorAnswer("InternalError")
        csms.is_reachable = True
        await csms.wait_for_call("BootNotification")
        await trio.sleep(1)
        await bench.charge_point.for_station.update_chargepoint_information("V1", "M2")
        del csms.answers["BootNotification"]
        await trio.sleep(30)
        first = {"chargePointVendor": "V1", "chargePointModel": "M1", "iccid": "8949"}
        assert bench.sent("BootNotification") == [first]
        await trio.sleep(40)
        assert bench.sent("BootNotification") == [first, {**first, "chargePointModel": "M2"}]


Tell = Callable[[Any], Awaitable[None]]


@pytest.mark.parametrize(
    ("tell", "names"),
    [
        (
            lambda station: station.update_chargepoint_information("V" * 21, ""),
            ["ChargePointVendor", "ChargePointModel"],
        ),
        (lambda station: station.update_chargepoint_information(5, "M"), ["vendor"]),
        (lambda station: station.update_chargepoint_information("V", None), ["model"]),
        (
            lambda station: station.update_chargepoint_information("V", "M", serial_number="S" * 26),
            ["ChargePointSerialNumber"],
        ),
        (lambda station: station.update_chargepoint_information("V", "M", firmware_version=""), ["FirmwareVersion"]),
        (lambda station: station.update_modem_information("1" * 21), ["ICCID"]),
        (lambda station: station.update_modem_information(imsi="\ud800"), ["IMSI"]),
        (lambda station: station.update_meter_information(7), ["MeterSerialNumber"]),
        (lambda station: station.set_powermeter_public_key(3, PEM), ["connector"]),
        (lambda station: station.set_powermeter_public_key(0, PEM), ["connector"]),
        (lambda station: station.set_powermeter_public_key(1, "A" * 501), ["public_key"]),
        (lambda station: station.set_powermeter_public_key(1, None), ["public_key"]),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(open_bench: Any, tell: Tell, names: list[str]) -> None:
    async with open_bench() as bench:
        before = bench.charge_point.configuration.get()
        with pytest.raises(ValueError, match=".*".join(names)):
            await tell(bench.charge_point.for_station)
        assert bench.charge_point.configuration.get() == before


async def test_public_keys_of_meters_are_keys_of_their_own(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        station = bench.charge_point.for_station
        async with trio.open_nursery() as nursery:  # at the same time, and both are kept
            nursery.start_soon(station.set_powermeter_public_key, 2, PEM)
            nursery.start_soon(station.set_powermeter_public_key, 1, "3059")
    async with open_bench(database_path=tmp_path) as bench:
        names = ["MeterPublicKey1", "meterpublickey2", "MeterPublicKey3", "MeterPublicKey"]
        answer = await bench.call("GetConfiguration", {"key": names})
        assert answer == {
            "configurationKey": [
                {"key": "MeterPublicKey1", "readonly": True, "value": "3059"},
                {"key": "MeterPublicKey2", "readonly": True, "value": PEM},
            ],
            "unknownKey": names[2:],
        }
        change = {"key": "MeterPublicKey1", "value": "00"}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Rejected"}


async def test_a_station_that_lost_track_says_what_its_connectors_are(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True))
        await trio.sleep(1)
        told = len(bench.sent("StatusNotification"))
        charge_point.for_station.reset_state_machine({1: ChargePointStatus.CHARGING, 2: ChargePointStatus.AVAILABLE})
        await trio.sleep(1)
        (status,) = bench.sent("StatusNotification")[told:]  # of 2 there was nothing new
        assert (status["connectorId"], status["status"], status["errorCode"]) == (1, "Charging", "NoError")
        assert status["timestamp"] == "2026-01-01T00:00:01.100Z"
        charge_point.on_suspend_charging_ev(1)
        assert charge_point.connector_status(1).status == "SuspendedEV"
        charge_point.for_station.reset_state_machine({0: ChargePointStatus.FAULTED})
        assert charge_point.connector_status(0).status == "Faulted"
        charge_point.on_all_errors_cleared(0)
        assert charge_point.connector_status(0).status == "Available"
        for wrong in (
            {3: "Available"},
            {0: "Charging", 1: "Available"},
            {1: "Asleep"},
            {1: "Available", 0: "Charging"},
            None,
        ):
            with pytest.raises(ValueError, match="connector"):
                charge_point.for_station.reset_state_machine(wrong)
        assert charge_point.connector_status(1).status == "SuspendedEV"

"""Every method that a station can have, while it raises, never comes back, or answers nonsense: each CALL is answered,
the log names the method, and when it works again all is as before."""

import inspect
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import trio

from ocpp16.charge_point.features import protocols
from ocpp16.errors import CallFailed
from ocpp16.models import Measurement, PhaseValues
from ocpp16.station import CoreStation
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.stations import DisplayingStation, ReservingStation, UpdatableStation

# signed_update_firmware is asked where a keeper found its certificate valid: see test_signed_firmware.
METHODS = sorted(
    name
    for protocol in (CoreStation, *protocols())
    for name, member in vars(protocol).items()
    if inspect.isfunction(member) and not name.startswith("_") and name != "signed_update_firmware"
)
AT_ONCE = {"measurement", "charging_limit_changed"}
"""They are not async: nobody can wait for one that never comes back."""
ANSWER_NOT_USED = {
    "all_connectors_unavailable",
    "charging_limit_changed",
    "default_price",
    "disable_evse",
    "enable_evse",
    "pause_charging",
    "provide_token",
    "reset",
    "set_connection_timeout",
    "set_system_time",
    "signal_set_charging_profiles",
    "stop_transaction",
    "update_firmware",
}
FRIENDLY = {"Accepted", "AcceptedCanceled", "Unlocked", "UnknownVendorId"}
"""What is answered where all works."""
TIMEOUT = 5
"""Seconds: StationTimeout."""
CONFIG = {
    "Core__SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger,Reservation,FirmwareManagement",
    "Core__StopTransactionOnInvalidId": False,
    "Internal__StationTimeout": TIMEOUT,
    "SmartCharging__ChargeProfileMaxStackLevel": 9,
    "SmartCharging__ChargingScheduleAllowedChargingRateUnit": "Current",
    "SmartCharging__ChargingScheduleMaxPeriods": 24,
    "SmartCharging__MaxChargingProfilesInstalled": 10,
    "CostAndPrice__CustomDisplayCostAndPrice": True,
    "CostAndPrice__DefaultPrice": {"priceText": "0 EUR"},
}


class Station(DisplayingStation, UpdatableStation, ReservingStation):
    """All there is. `broken`: how the method `name` does not do what it should; None: it works."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.broken: Callable[[], Any] | None = None
        self.times = 0
        """So often was it asked since it is broken so."""
        works = getattr(self, name)

        def at_once(*arguments: Any) -> Any:
            self.times += 1
            return works(*arguments) if self.broken is None else self.broken()

        async def awaited(*arguments: Any) -> Any:
            answer = at_once(*arguments)
            return await answer if inspect.isawaitable(answer) else answer

        made: Any = at_once if name in AT_ONCE else awaited
        made.__name__, made.__signature__ = name, inspect.signature(works)
        setattr(self, name, made)


def raises() -> Any:
    raise MemoryError


def is_nonsense() -> Any:
    return object()


def costs(message_id: str, **data: Any) -> tuple[str, dict[str, Any]]:
    """A message of the pricing note."""
    names = {"vendorId": "org.openchargealliance.costmsg", "messageId": message_id}
    return "DataTransfer", {**names, "data": json.dumps(data)}


async def a_day(bench: Any, profile: Any, number: int) -> list[Any]:
    """All that can be asked of a station, once or more. Returns the answers to the Central System."""
    charge_point, answers = bench.charge_point, list[Any]()

    async def call(action: str, payload: dict[str, Any]) -> None:
        try:
            answers.append(await bench.csms.call("cp001", action, payload, timeout=3 * TIMEOUT))
        except CallFailed as error:
            if error.code != "GenericError":  # an UpdateFirmware can be refused by nothing else
                raise
            answers.append({"status": "GenericError"})

    bench.begin(1, f"s{number}", "TAG")
    bench.begin(2, f"t{number}", "BLOCKED")
    await trio.sleep(2)
    charge_point.on_transaction_stopped(2, f"t{number}", "DeAuthorized", 1000)
    transaction = charge_point.transaction(1).transaction_id
    await call("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile(1)})
    await call("ClearChargingProfile", {})
    await call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
    await call("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await call("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": str(70 + number)})
    await call("ChangeConfiguration", {"key": "DefaultPrice", "value": json.dumps({"priceText": f"{number} EUR"})})
    await call("DataTransfer", {"vendorId": "V"})
    await call(*costs("SetUserPrice", idToken="TAG", priceText="0.3 EUR"))
    running = {"timestamp": "2026-01-01T00:00:00Z", "meterValue": 1100, "cost": 1.5, "state": "Charging"}
    await call(*costs("RunningCost", transactionId=transaction, **running))
    reservation = {"connectorId": 2, "expiryDate": "2026-01-02T00:00:00Z", "idTag": "TAG9", "reservationId": 7}
    await call("ReserveNow", reservation)
    charge_point.on_reservation_start(2)
    await call("RemoteStartTransaction", {"idTag": "TAG9", "connectorId": 2})
    charge_point.on_reservation_end(2)
    await call("CancelReservation", {"reservationId": 7})
    await call("UnlockConnector", {"connectorId": 2})
    for kind, told in (("Inoperative", charge_point.on_disabled), ("Operative", charge_point.on_enabled)):
        await call("ChangeAvailability", {"connectorId": 2, "type": kind})
        told(2)
    await call("RemoteStopTransaction", {"transactionId": transaction})
    await trio.sleep(TIMEOUT + 1)
    if charge_point.transaction(1) is not None:
        charge_point.on_transaction_stopped(1, f"s{number}", "Local", 1500)
    await call(*costs("FinalCost", transactionId=transaction, cost=1.5, priceText="1.5 EUR", qrCodeText="qr"))
    await call("GetDiagnostics", {"location": "ftp://files.example/"})
    log = {"remoteLocation": "ftp://files.example/"}
    await call("GetLog", {"logType": "SecurityLog", "requestId": number, "log": log})
    firmware = {"location": "http://files.example/a", "retrieveDate": "2026-01-01T00:00:00Z"}
    await call("UpdateFirmware", firmware)
    await trio.sleep(TIMEOUT + 1)
    await call("UpdateFirmware", {**firmware, "location": "http://files.example/b"})
    await trio.sleep(TIMEOUT + 1)
    for status in ("Downloading", "Downloaded"):
        charge_point.on_firmware_update_status_notification(-1, status)
    await trio.sleep(TIMEOUT + 1)
    for status in ("Installing", "InstallationFailed"):
        charge_point.on_firmware_update_status_notification(-1, status)
    await call("Reset", {"type": "Soft"})
    await trio.sleep(300)
    return answers


@pytest.mark.parametrize("method", METHODS)
async def test_one_that_fails_costs_its_own_answer(
    open_bench: Any, make_config: Any, profile: Any, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    csms, station, numbers = CentralSystem(), Station(method), count(1)
    csms.answers["StartTransaction"] = lambda payload, call: {
        "transactionId": next(numbers),
        "idTagInfo": {"status": "Blocked" if payload["idTag"] == "BLOCKED" else "Accepted"},
    }
    named = "a reading of the meter is refused" if method == "measurement" else method
    async with open_bench(csms=csms, station=station, document=make_config(**CONFIG)) as bench:
        for connector in range(3):
            station.measurements[connector] = Measurement(None, PhaseValues(1000.0))
        days = [
            raises,
            *(() if method in AT_ONCE else (trio.sleep_forever,)),
            *(() if method in ANSWER_NOT_USED else (is_nonsense,)),
        ]
        for number, broken in enumerate(days, 1):
            caplog.clear()
            station.times, station.broken = 0, broken
            await a_day(bench, profile, number)
            assert station.times
            assert any(named in message for message in caplog.messages), broken
        station.broken = None
        assert {answer.get("status", "Accepted") for answer in await a_day(bench, profile, 9)} <= FRIENDLY
        ends = [stop["meterStop"] for stop in bench.sent("StopTransaction")]
        assert ends == [1000, 1500] * (len(days) + 1)
        assert bench.charge_point.connection.queue_depth == 0

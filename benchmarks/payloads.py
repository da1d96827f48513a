"""The payloads that the benchmarks of codec, link and fleet use: what a 22 kW station with three phases really sends.

Deterministic; sizes are in the names. Each is valid by the strict check.
"""

from typing import Any

_PHASES = ("L1", "L2", "L3")


def sampled_values(count: int) -> list[dict[str, Any]]:
    """`count` readings as a three-phase meter gives them: register, power, then current and voltage by phase."""
    values: list[dict[str, Any]] = []
    for number in range(count):
        kind, phase = number % 8, _PHASES[number % 3]
        value: dict[str, Any] = {"value": f"{231.5 + number:.1f}", "context": "Sample.Periodic", "format": "Raw"}
        if kind == 0:
            value |= {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "location": "Outlet"}
        elif kind == 1:
            value |= {"measurand": "Power.Active.Import", "unit": "W", "location": "Outlet"}
        elif kind < 5:
            value |= {"measurand": "Current.Import", "unit": "A", "location": "Outlet", "phase": phase}
        else:
            value |= {"measurand": "Voltage", "unit": "V", "location": "Outlet", "phase": f"{phase}-N"}
        values.append(value)
    return values


def meter_values(samples: int, values: int) -> list[dict[str, Any]]:
    """`samples` instants a minute apart with `values` readings each."""
    return [
        {"timestamp": f"2026-03-01T12:{minute:02}:00.250Z", "sampledValue": sampled_values(values)}
        for minute in range(samples)
    ]


HEARTBEAT: dict[str, Any] = {}
BOOT_NOTIFICATION: dict[str, Any] = {
    "chargePointVendor": "Example Ltd",
    "chargePointModel": "Post 22",
    "chargePointSerialNumber": "EX-22-000417",
    "chargeBoxSerialNumber": "BX-000417",
    "firmwareVersion": "2.14.0-rc3",
    "iccid": "8949000000000000417",
    "imsi": "262010000000417",
    "meterType": "three phase, class B",
    "meterSerialNumber": "M-9000417",
}
AUTHORIZE: dict[str, Any] = {"idTag": "04A1B2C3D4E580"}
STATUS_NOTIFICATION: dict[str, Any] = {
    "connectorId": 2,
    "errorCode": "NoError",
    "status": "SuspendedEV",
    "timestamp": "2026-03-01T12:00:00.250Z",
    "info": "battery full",
    "vendorId": "org.example",
}
START_TRANSACTION: dict[str, Any] = {
    "connectorId": 2,
    "idTag": "04A1B2C3D4E580",
    "meterStart": 1048576,
    "timestamp": "2026-03-01T11:58:03.001Z",
}
METER_VALUES_20: dict[str, Any] = {"connectorId": 2, "transactionId": 20417, "meterValue": meter_values(2, 10)}
STOP_TRANSACTION_50: dict[str, Any] = {
    "idTag": "04A1B2C3D4E580",
    "meterStop": 1069312,
    "timestamp": "2026-03-01T13:10:44.750Z",
    "transactionId": 20417,
    "reason": "EVDisconnected",
    "transactionData": meter_values(5, 10),
}
SET_CHARGING_PROFILE_24: dict[str, Any] = {
    "connectorId": 2,
    "csChargingProfiles": {
        "chargingProfileId": 31,
        "transactionId": 20417,
        "stackLevel": 4,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "validFrom": "2026-03-01T00:00:00Z",
        "validTo": "2026-03-02T00:00:00Z",
        "chargingSchedule": {
            "duration": 86400,
            "startSchedule": "2026-03-01T00:00:00Z",
            "chargingRateUnit": "A",
            "minChargingRate": 6.0,
            "chargingSchedulePeriod": [
                {"startPeriod": hour * 3600, "limit": (60 + hour * 11 % 260) / 10, "numberPhases": 3}
                for hour in range(24)
            ],
        },
    },
}

REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Heartbeat": ("Heartbeat", HEARTBEAT),
    "Authorize": ("Authorize", AUTHORIZE),
    "BootNotification": ("BootNotification", BOOT_NOTIFICATION),
    "StatusNotification": ("StatusNotification", STATUS_NOTIFICATION),
    "StartTransaction": ("StartTransaction", START_TRANSACTION),
    "MeterValues(20)": ("MeterValues", METER_VALUES_20),
    "StopTransaction(50)": ("StopTransaction", STOP_TRANSACTION_50),
    "SetChargingProfile(24)": ("SetChargingProfile", SET_CHARGING_PROFILE_24),
}
"""Name of the case → action and payload."""

UNIQUE_ID = "7d6f2c1e-5b0a-4b7e-9f3d-0c2a417e8d11"

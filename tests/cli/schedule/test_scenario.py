"""Scenarios as JSON: what is read, what is refused by name, and what is told."""

import copy
from typing import Any

import pytest

from ocpp16.cli.schedule.scenario import Scenario, differences

SCENARIO: dict[str, Any] = {
    "name": "evening",
    "connector": 1,
    "request": {"start": "2026-01-05T12:00:00Z", "duration": 600, "unit": "A"},
    "transactions": {"1": {"start": "2026-01-05T11:59:00Z", "transactionId": 5}},
    "profiles": [
        {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 4,
                "transactionId": 5,
                "stackLevel": 2,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Relative",
                "chargingSchedule": {
                    "duration": 360,
                    "chargingRateUnit": "W",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6900, "numberPhases": 1}],
                },
            },
        }
    ],
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    made = copy.deepcopy(SCENARIO)
    holder: Any = made
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = to
    return made


def test_result() -> None:
    scenario = Scenario.from_json(SCENARIO)
    assert scenario.result() == {
        "start": "2026-01-05T12:00:00Z",
        "duration": 600,
        "unit": "A",
        "periods": [
            {"startPeriod": 0, "limit": 30.0, "numberPhases": 1},
            {"startPeriod": 300, "limit": 48.0, "numberPhases": None},
        ],
    }
    assert scenario.result(explained=True)["periods"] == [
        {
            "startPeriod": 0,
            "limit": 30.0,
            "numberPhases": 1,
            "profileId": 4,
            "purpose": "TxProfile",
            "stackLevel": 2,
            "converted": True,
        },
        {
            "startPeriod": 300,
            "limit": 48.0,
            "numberPhases": None,
            "profileId": None,
            "purpose": None,
            "stackLevel": 0,
            "converted": False,
        },
    ]
    assert scenario.charging_limit().until_micros == scenario.start + 300_000_000
    wanted = {"profileId": 4, "purpose": "TxProfile", "stackLevel": 2, "connector": 1}
    assert scenario.verdicts() == [{**wanted, "verdict": "decides"}]
    assert scenario.verdicts(scenario.start + 300_000_000) == [{**wanted, "verdict": "over"}]


def test_defaults_of_a_file() -> None:
    scenario = Scenario.from_json(SCENARIO, {"CompositeScheduleDefaultLimitAmps": 20})
    assert scenario.settings.default_limit_amps == 20


def test_offline_purposes() -> None:
    offline = {**SCENARIO, "online": False, "config": {"IgnoredProfilePurposesOffline": " TxProfile , "}}
    assert Scenario.from_json(offline).ignored == ("TxProfile",)
    assert Scenario.from_json({**offline, "online": True}).ignored == ()


def test_start_schedule_filled_in() -> None:
    profile = ("profiles", 0, "csChargingProfiles")
    document = changed(*profile, "chargingProfileKind", to="Absolute")
    with pytest.raises(ValueError, match="startSchedule is missing"):
        Scenario.from_json(document)
    document["config"] = {"AllowChargingProfileWithoutStartSchedule": True}
    assert [p["startPeriod"] for p in Scenario.from_json(document).result()["periods"]] == [0, 360]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "must be an object"),
        ({**SCENARIO, "profile": []}, "no member profile"),
        ({k: v for k, v in SCENARIO.items() if k != "request"}, "request is missing"),
        (changed("request", to={"start": "2026-01-05T12:00:00Z", "unit": "A"}), "duration is missing"),
        (changed("request", "start", to="noon"), "request.start"),
        (changed("request", "unit", to="kW"), "request.unit"),
        (changed("request", "duration", to=-1), "request.duration"),
        (changed("now", to="2026-01-05T12:00:01Z"), "now"),
        (changed("connector", to=2), "connector 2"),
        (changed("config", to={"Voltage": 1}), "config.Voltage"),
        (changed("config", to={"SupplyVoltage": 0}), "supply_voltage"),
        (changed("profiles", 0, "connectorId", to=3), "profiles.0..connectorId"),
        (changed("profiles", 0, "csChargingProfiles", "stackLevel", to=-1), "profiles.0.: stackLevel"),
        (changed("transactions", "1", to={}), "start is missing"),
        ({**SCENARIO, "online": False, "config": {"IgnoredProfilePurposesOffline": "Tx"}}, "Tx is no purpose"),
    ],
)
def test_refused(document: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Scenario.from_json(document)


def test_differences() -> None:
    result = Scenario.from_json(SCENARIO).result()
    assert differences(result, copy.deepcopy(result)) == []
    other = copy.deepcopy(result)
    other["duration"], other["start"] = 601, "2026-01-05T12:00:01Z"
    other["periods"][0] |= {"limit": 31, "numberPhases": None}
    other["periods"][1]["startPeriod"] = 299
    told = differences(result, other)
    assert len(told) == 6
    assert [line.split(" is ")[0] for line in told[:4]] == ["duration", "start", "limit at 0 s", "numberPhases at 0 s"]

"""`ocpp16 schedule --explain`: the sentences agree with the schedule, and say what a person would."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpp16.cli import main
from ocpp16.cli.schedule.file import ScenarioFile
from ocpp16.cli.schedule.reasons import Reasons, amount
from ocpp16.cli.schedule.scenario import Scenario

FILE = ScenarioFile.read(Path(__file__).parents[2] / "schedule" / "vectors.json")
SCENARIOS = {name: FILE.scenario(name) for name in FILE.documents}
START = "2026-01-05T12:00:00Z"


def profile(
    number: int, purpose: str, level: int, limit: float, unit: str = "A", connector: int = 1, **members: Any
) -> dict[str, Any]:
    """A SetChargingProfile request; lower-case members go into the schedule."""
    schedule = {name: members.pop(name) for name in ("duration", "startSchedule") if name in members}
    period = {"startPeriod": 0, "limit": limit}
    if "numberPhases" in members:
        period["numberPhases"] = members.pop("numberPhases")
    return {
        "connectorId": connector,
        "csChargingProfiles": {
            "chargingProfileId": number,
            "stackLevel": level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": START,
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": [period],
                **schedule,
            },
            **members,
        },
    }


def sentences(*profiles: dict[str, Any], at: int = 0, connector: int = 1, **members: Any) -> list[str]:
    """Of the step that is in force `at` seconds after START."""
    request = {"start": START, "duration": 3600, "unit": "A"}
    scenario = Scenario.from_json({"connector": connector, "request": request, "profiles": profiles, **members})
    composite = scenario.composite_schedule()
    return Reasons(scenario).sentences(composite.period_at(scenario.start + at * 1_000_000))


@pytest.mark.parametrize("name", SCENARIOS)
def test_reasons_agree_with_the_schedule(name: str) -> None:
    scenario = SCENARIOS[name]
    reasons = Reasons(scenario)
    for step in scenario.composite_schedule().steps:
        first = reasons.sentences(step)[0]
        assert first.startswith(f"{amount(step.limit, scenario.unit)}: ")
        decider = step.profile
        if decider is not None:
            assert f"{decider.purpose} {decider.profile_id} (level {decider.stack_level}" in first
        elif scenario.connector_id:
            assert "default limit" in first
        else:
            assert f"the connectors add up to {amount(step.limit, scenario.unit)}." in first
        if scenario.connector_id:
            limit = reasons.limit(scenario.connector_id, scenario.start + step.start_period * 1_000_000)
            assert (limit.limit, limit.number_phases) == (step.limit, step.number_phases)


TX, DEFAULT, MAX = "TxProfile", "TxDefaultProfile", "ChargePointMaxProfile"
TITLE_1 = "TxProfile 1 (level 0, connector 1)"
TITLE_2 = "TxDefaultProfile 2 (level 3, connector 1)"
MAXIMUM_1 = "ChargePointMaxProfile 1 (level 1, connector 0)"
RUNNING: dict[str, Any] = {"transaction": START, "transactionId": 5}
CASES: dict[str, tuple[list[str], list[str]]] = {
    "nothing": (
        sentences(),
        ["48 A: no charging profile applies, so the default limit does (CompositeScheduleDefaultLimitAmps)."],
    ),
    "converted": (
        sentences(profile(7, TX, 1, 7590, "W"), profile(3, DEFAULT, 9, 6), **RUNNING),
        [
            "11 A: TxProfile 7 (level 1, connector 1) says 7590 W, which is 11 A on 3 phases (none is stated).",
            "TxDefaultProfile 3 (level 9, connector 1) is outranked by TxProfile 7 (level 1, connector 1).",
        ],
    ),
    "maximum": (
        sentences(profile(1, MAX, 0, 10, connector=0, numberPhases=3), profile(2, DEFAULT, 0, 16, numberPhases=1)),
        [
            "10 A: ChargePointMaxProfile 1 (level 0, connector 0) says 10 A on 3 phases.",
            "TxDefaultProfile 2 (level 0, connector 1) says 16 A on 1 phase; that is more.",
            "Both count on 1 phase, the fewest that either states.",
        ],
    ),
    "equal": (
        sentences(profile(1, MAX, 0, 10, connector=0), profile(2, DEFAULT, 0, 10)),
        [
            "10 A: TxDefaultProfile 2 (level 0, connector 1) says 10 A.",
            "ChargePointMaxProfile 1 (level 0, connector 0) says 10 A; that is the same.",
        ],
    ),
    "silent for all kinds of reasons": (
        sentences(
            profile(6, DEFAULT, 6, 6, connector=0),
            profile(1, TX, 0, 6, transactionId=9),
            profile(2, DEFAULT, 8, 6, validFrom="2026-01-05T13:00:00Z"),
            profile(3, DEFAULT, 7, 6, validTo="2026-01-05T12:00:00Z"),
            profile(4, DEFAULT, 6, 6, startSchedule="2026-01-05T12:30:00Z"),
            profile(5, DEFAULT, 5, 6, duration=0),
            profile(
                7,
                DEFAULT,
                4,
                6,
                chargingProfileKind="Recurring",
                recurrencyKind="Daily",
                duration=60,
                startSchedule="2026-01-01T00:00:00Z",
            ),
            **RUNNING,
        )[1:],
        [
            "TxProfile 1 (level 0, connector 1) is for transaction 9, but what runs is 5.",
            "TxDefaultProfile 2 (level 8, connector 1) is not valid before 2026-01-05T13:00:00Z.",
            "TxDefaultProfile 3 (level 7, connector 1) is not valid from 2026-01-05T12:00:00Z on.",
            "TxDefaultProfile 4 (level 6, connector 1) begins at 2026-01-05T12:30:00Z.",
            "TxDefaultProfile 6 (level 6, connector 0) is replaced on connector 1 by its own default of level 6.",
            "TxDefaultProfile 5 (level 5, connector 1) is over since 2026-01-05T12:00:00Z.",
            "TxDefaultProfile 7 (level 4, connector 1) pauses until it begins again (Daily).",
        ],
    ),
    "no transaction, and offline": (
        sentences(
            profile(1, TX, 0, 6),
            profile(2, MAX, 0, 6, connector=0),
            online=False,
            config={"IgnoredProfilePurposesOffline": MAX},
        )[1:],
        [
            "ChargePointMaxProfile 2 (level 0, connector 0) is left out while offline (IgnoredProfilePurposesOffline).",
            "TxProfile 1 (level 0, connector 1) needs a transaction, and none runs on connector 1.",
        ],
    ),
    "relative and over": (
        sentences(profile(1, DEFAULT, 0, 6, chargingProfileKind="Relative", duration=60), at=60)[1:],
        ["TxDefaultProfile 1 (level 0, connector 1) is over."],
    ),
    "an id that is not known": (
        sentences(profile(1, TX, 0, 6, transactionId=9), transaction=START, transactionId=None)[1:],
        ["TxProfile 1 (level 0, connector 1) is for transaction 9, but what runs is one whose id is not known yet."],
    ),
    "the charge point": (
        sentences(
            profile(1, TX, 0, 6900, "W", numberPhases=1),
            profile(2, DEFAULT, 3, 6),
            profile(3, DEFAULT, 0, 8, connector=2),
            connector=0,
            transactions={"1": {"start": START}},
            config={"NumberOfConnectors": 5},
        ),
        [
            "182 A: the connectors add up to 182 A.",
            f"Connector 1: {TITLE_1} says 6900 W, which is 30 A on 1 phase, before {TITLE_2}.",
            "Connector 2: TxDefaultProfile 3 (level 0, connector 2) says 8 A (idle).",
            "Connectors 3-5: 48 A by default (CompositeScheduleDefaultLimitAmps) (idle).",
        ],
    ),
    "the maximum of the charge point": (
        sentences(
            profile(1, MAX, 1, 22080, "W", connector=0),
            profile(2, MAX, 0, 16, connector=0),
            connector=0,
            config={"NumberOfConnectors": 2},
        ),
        [
            f"32 A: {MAXIMUM_1} says 22080 W, which is 32 A on 3 phases; the connectors add up to 96 A.",
            "Connectors 1-2: 48 A by default (CompositeScheduleDefaultLimitAmps) (idle).",
            f"ChargePointMaxProfile 2 (level 0, connector 0) is outranked by {MAXIMUM_1}.",
        ],
    ),
    "a maximum above the sum": (
        sentences(profile(1, MAX, 1, 100, connector=0), connector=0)[:2],
        [
            "48 A: the connectors add up to 48 A.",
            "ChargePointMaxProfile 1 (level 1, connector 0) says 100 A; that is no less.",
        ],
    ),
}


@pytest.mark.parametrize(("found", "wanted"), CASES.values(), ids=CASES)
def test_sentences(found: list[str], wanted: list[str]) -> None:
    assert found == wanted


def test_relative_profiles_of_idle_connectors_go_on() -> None:
    """Asked about later, a schedule that counts from the window must not begin anew."""
    relative = profile(1, DEFAULT, 0, 6, chargingProfileKind="Relative", duration=60)
    assert sentences(relative)[0] == "6 A: TxDefaultProfile 1 (level 0, connector 1) says 6 A."
    assert sentences(relative, profile(2, TX, 0, 1), at=60)[0].startswith("48 A: no charging profile applies")


def test_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scenario.json"
    request = {"start": START, "duration": 3600, "unit": "A"}
    file.write_text(
        json.dumps({"connector": 1, "request": request, "profiles": [profile(1, DEFAULT, 0, 6, duration=60)]})
    )
    show: Callable[..., int] = lambda *options: main(["schedule", str(file), "--explain", *options])  # noqa: E731
    assert show() == 0
    printed = capsys.readouterr().out
    assert "from 2026-01-05 12:01:00 UTC (+0:01:00)\n  48 A: no charging profile applies" in printed
    assert show("--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [list(period) for period in document["periods"]] == [["startPeriod", "limit", "numberPhases"]] * 2
    assert document["steps"][0] == {
        "startPeriod": 0,
        "limit": 6.0,
        "numberPhases": None,
        "profileId": 1,
        "purpose": DEFAULT,
        "stackLevel": 0,
        "converted": False,
        "reasons": ["6 A: TxDefaultProfile 1 (level 0, connector 1) says 6 A."],
    }


@pytest.mark.parametrize(
    ("limit", "text"),
    [(0, "0 A"), (10, "10 A"), (15.942028, "15.942 A"), (100, "100 A"), (6.5, "6.5 A"), (1e280, "1e+280 A")],
)
def test_amounts(limit: float, text: str) -> None:
    assert amount(limit, "A") == text

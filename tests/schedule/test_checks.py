"""Each check of a charging profile, alone and at its boundary (OCPP 1.6 ed. 2 §5.16 and its errata)."""

import copy
from typing import Any

import pytest

from ocpp16 import schedule
from ocpp16.enums import ErrorCode

TYPE, OCCURENCE, PROPERTY = (
    ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
)
RULES = schedule.ProfileRules(
    number_of_connectors=2,
    purposes=("TxDefaultProfile", "TxProfile", "ChargePointMaxProfile"),
    max_stack_level=9,
    max_periods=3,
    units=("A", "W"),
)
GONE = object()


def profile(**changes: Any) -> dict[str, Any]:
    """A profile that passes; a change is named by its member, of schedule or periods by a prefix s_ or p_."""
    made: dict[str, Any] = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2026-01-05T00:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}, {"startPeriod": 60, "limit": 16.1}],
        },
    }
    for name, value in changes.items():
        prefix, _, member = name.rpartition("_")
        holder = {"s": made["chargingSchedule"], "p": made["chargingSchedule"]["chargingSchedulePeriod"][1]}.get(
            prefix, made
        )
        if value is GONE:
            del holder[member]
        else:
            holder[member] = copy.deepcopy(value)
    return made


RECURRING = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
MAXIMUM = {"chargingProfilePurpose": "ChargePointMaxProfile"}
PERIOD = {"startPeriod": 0, "limit": 6}

REFUSED: list[tuple[int, Any, str, ErrorCode | None]] = [
    (1, [], "csChargingProfiles", TYPE),
    (1, profile(stackLevel=GONE), "stackLevel", OCCURENCE),
    (1, profile(s_chargingRateUnit=GONE), "chargingRateUnit", OCCURENCE),
    (1, profile(p_limit=GONE), "chargingSchedulePeriod[1].limit", OCCURENCE),
    (1, profile(chargingProfileId="1"), "chargingProfileId", TYPE),
    (1, profile(stackLevel=True), "stackLevel", TYPE),
    (1, profile(p_limit="6"), "chargingSchedulePeriod[1].limit", TYPE),
    (1, profile(validTo="tomorrow"), "validTo", TYPE),
    (1, profile(s_startSchedule=12), "startSchedule", TYPE),
    (1, profile(s_chargingSchedulePeriod=[1]), "chargingSchedulePeriod[0]", TYPE),
    (1, profile(chargingSchedule=3), "chargingSchedule", TYPE),
    (1, profile(chargingProfilePurpose="Tx"), "chargingProfilePurpose", PROPERTY),
    (1, profile(chargingProfileKind="relative"), "chargingProfileKind", PROPERTY),
    (1, profile(recurrencyKind="Monthly"), "recurrencyKind", PROPERTY),
    (1, profile(s_chargingRateUnit="kW"), "chargingRateUnit", PROPERTY),
    (-1, profile(), "connectorId", PROPERTY),
    (3, profile(), "connectorId", PROPERTY),
    (1, profile(stackLevel=-1), "stackLevel", None),
    (1, profile(stackLevel=10), "stackLevel", None),
    (1, profile(chargingProfileId=2**63), "chargingProfileId", None),
    (1, profile(s_startSchedule=GONE), "startSchedule", None),
    (1, profile(chargingProfileKind="Recurring"), "recurrencyKind", None),
    (1, profile(**RECURRING, s_startSchedule=GONE), "startSchedule", None),
    (1, profile(s_chargingSchedulePeriod=[]), "chargingSchedulePeriod", None),
    (
        1,
        profile(s_chargingSchedulePeriod=[{**PERIOD, "startPeriod": 1}]),
        "chargingSchedulePeriod[0].startPeriod",
        None,
    ),
    (1, profile(p_startPeriod=0), "chargingSchedulePeriod[1].startPeriod", None),
    (1, profile(p_startPeriod=-60), "chargingSchedulePeriod[1].startPeriod", None),
    (
        1,
        profile(s_chargingSchedulePeriod=[{"startPeriod": k, "limit": 6} for k in range(4)]),
        "chargingSchedulePeriod",
        None,
    ),
    (1, profile(p_limit=-0.1), "chargingSchedulePeriod[1].limit", None),
    (1, profile(p_limit=float("nan")), "chargingSchedulePeriod[1].limit", None),
    (1, profile(p_limit=10**400), "chargingSchedulePeriod[1].limit", None),
    (1, profile(s_minChargingRate=-1), "minChargingRate", None),
    (1, profile(s_minChargingRate=float("inf")), "minChargingRate", None),
    (1, profile(p_numberPhases=0), "chargingSchedulePeriod[1].numberPhases", None),
    (1, profile(p_numberPhases=4), "chargingSchedulePeriod[1].numberPhases", None),
    (1, profile(s_duration=-1), "duration", None),
    (1, profile(validFrom="2026-01-05T00:00:01Z", validTo="2026-01-05T00:00:01.9Z"), "validTo", None),
    (1, profile(validFrom="2026-01-05T02:00:00+02:00", validTo="2026-01-05T00:00:00Z"), "validTo", None),
    (1, profile(**MAXIMUM), "connectorId", None),
    (0, profile(**MAXIMUM, chargingProfileKind="Relative"), "chargingProfileKind", None),
    (0, profile(chargingProfilePurpose="TxProfile"), "connectorId", None),
]

TAKEN: list[tuple[int, dict[str, Any]]] = [
    (0, profile()),
    (2, profile(stackLevel=9)),
    (1, profile(recurrencyKind="Daily", transactionId=5)),
    (1, profile(**RECURRING, s_duration=10**12)),
    (1, profile(chargingProfileKind="Relative", s_startSchedule=GONE)),
    (1, profile(s_chargingSchedulePeriod=[{"startPeriod": k, "limit": 0} for k in range(3)])),
    (1, profile(s_duration=0, validTo="1999-01-01T00:00:00Z", p_numberPhases=3)),
    (1, profile(validFrom="2026-01-05T00:00:00Z", validTo="2026-01-05T00:00:01Z")),
    (1, profile(chargingProfilePurpose="TxProfile", chargingProfileId=-1)),
    (1, profile(p_limit=1e300, s_duration=2**70, p_startPeriod=2**70)),
    (1, profile(s_startSchedule="2026-01-05T00:00:00")),
]


@pytest.mark.parametrize(("connector_id", "payload", "field", "code"), REFUSED)
def test_refused(connector_id: int, payload: Any, field: str, code: ErrorCode | None) -> None:
    problem = schedule.check_profile(connector_id, payload, RULES)
    assert problem is not None
    assert (problem.field, problem.code) == (field, code)
    if connector_id in (0, 1) and field not in ("stackLevel", "chargingSchedulePeriod"):
        with pytest.raises(ValueError, match="^" + field.replace("[", r"\[")):
            schedule.compile_profile(connector_id, payload)


@pytest.mark.parametrize(("connector_id", "payload"), TAKEN)
def test_taken(connector_id: int, payload: dict[str, Any]) -> None:
    before = copy.deepcopy(payload)
    assert schedule.check_profile(connector_id, payload, RULES) is None
    compiled = schedule.compile_profile(connector_id, payload)
    assert payload == before
    made = schedule.composite_schedule([compiled], 1, 0, 86400, "W")
    assert all(0 <= period.limit < float("inf") for period in made.periods)


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (schedule.ProfileRules(purposes=("TxProfile",)), "chargingProfilePurpose"),
        (schedule.ProfileRules(units=("W",)), "chargingRateUnit"),
        (schedule.ProfileRules(max_stack_level=0), None),
        (schedule.ProfileRules(number_of_connectors=0), "connectorId"),
        (schedule.ProfileRules(max_periods=1), "chargingSchedulePeriod"),
    ],
)
def test_what_the_charge_point_can_do(rules: schedule.ProfileRules, field: str | None) -> None:
    problem = schedule.check_profile(1, profile(), rules)
    assert (problem and problem.field) == field


def test_the_first_problem_counts() -> None:
    wrong = profile(stackLevel=10, chargingProfileKind="Recurring", s_duration=-1)
    fields = []
    for repair in ({"stackLevel": 0}, {"recurrencyKind": "Daily"}, {}):
        problem = schedule.check_profile(1, wrong, RULES)
        assert problem is not None
        fields.append(problem.field)
        wrong.update(repair)
    assert fields == ["stackLevel", "recurrencyKind", "duration"]


def test_start_schedule_may_be_absent() -> None:
    rules = schedule.ProfileRules(needs_start_schedule=False)
    payload = profile(s_startSchedule=GONE)
    assert schedule.check_profile(1, payload, rules) is None
    anchored = schedule.with_start_schedule(payload, "2026-01-05T10:00:00Z")
    assert anchored["chargingSchedule"]["startSchedule"] == "2026-01-05T10:00:00Z"
    assert "startSchedule" not in payload["chargingSchedule"]
    assert schedule.with_start_schedule(profile(), "2026-01-05T10:00:00Z") == profile()
    relative = profile(chargingProfileKind="Relative", s_startSchedule=GONE)
    assert schedule.with_start_schedule(relative, "2026-01-05T10:00:00Z") is relative


@pytest.mark.parametrize(
    ("payload", "transaction", "field"),
    [
        (profile(), None, None),
        (profile(chargingProfilePurpose="TxProfile"), None, "connectorId"),
        (profile(chargingProfilePurpose="TxProfile"), schedule.RunningTransaction(0), None),
        (profile(chargingProfilePurpose="TxProfile", transactionId=7), schedule.RunningTransaction(0, 7), None),
        (profile(chargingProfilePurpose="TxProfile", transactionId=7), schedule.RunningTransaction(0), "transactionId"),
        (
            profile(chargingProfilePurpose="TxProfile", transactionId=7),
            schedule.RunningTransaction(0, 8),
            "transactionId",
        ),
    ],
)
def test_transaction(
    payload: dict[str, Any], transaction: schedule.RunningTransaction | None, field: str | None
) -> None:
    problem = schedule.check_transaction(payload, transaction)
    assert (problem and problem.field) == field


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (profile(chargingProfilePurpose="TxProfile"), None),
        (profile(), "chargingProfilePurpose"),
        (profile(chargingProfilePurpose="TxProfile", transactionId=1), "transactionId"),
        (profile(chargingProfilePurpose="TxProfile", stackLevel=10), "stackLevel"),
    ],
)
def test_remote_start(payload: dict[str, Any], field: str | None) -> None:
    problem = schedule.check_remote_start(payload, RULES)
    assert (problem and problem.field) == field


@pytest.mark.parametrize(
    "payload",
    [
        profile(p_startPeriod=0),
        profile(s_chargingSchedulePeriod=[{"startPeriod": 5, "limit": 6}]),
        profile(s_chargingSchedulePeriod=[]),
        profile(p_numberPhases=4),
        profile(p_numberPhases=0),
        profile(chargingProfileKind="Weekly"),
        profile(chargingProfilePurpose="TxProfile", transactionId=2**63),
        profile(s_startSchedule=GONE),
        profile(**RECURRING, s_startSchedule="noon"),
        profile(chargingProfileKind="Recurring", recurrencyKind="Hourly"),
    ],
)
def test_the_core_takes_nothing_that_it_could_not_walk_over(payload: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        schedule.CompiledProfile(1, payload)

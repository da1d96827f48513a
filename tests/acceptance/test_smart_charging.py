"""Charging profiles: what is taken, what comes of it, what is cleared."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]

TX, DEFAULT, MAXIMUM = "TxProfile", "TxDefaultProfile", "ChargePointMaxProfile"


def profile(limit: float = 10, **members: Any) -> dict[str, Any]:
    """An absolute TxDefaultProfile that holds from an hour ago on."""
    began = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    schedule = {
        "startSchedule": began,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    schedule |= members.pop("schedule", {})
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": DEFAULT,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
        **members,
    }


def install(one: Outside, connector: int, wanted: dict[str, Any]) -> Any:
    """The status, or the code of a CALLERROR."""
    answer = one.ask_badly("SetChargingProfile", {"connectorId": connector, "csChargingProfiles": wanted})
    return answer[2]["status"] if answer[0] == 3 else answer[2]


def schedule(one: Outside, connector: int, duration: int = 60, unit: str = "A") -> list[tuple[int, float]]:
    answer = one.call("GetCompositeSchedule", connectorId=connector, duration=duration, chargingRateUnit=unit)
    assert answer["status"] == "Accepted"
    assert answer["connectorId"] == connector
    assert "startSchedule" not in answer["chargingSchedule"]  # errata 3.57
    periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
    return [(period["startPeriod"], period["limit"]) for period in periods]


def limit(one: Outside, connector: int = 1) -> float | None:
    found: float | None = one.do("charging_limit", connector=connector)["limit"]
    return found


def test_tc_056_tx_default_profile(begin: Begin) -> None:
    """A TxDefaultProfile of connector 0 holds for the transactions of all connectors."""
    one = begin()
    assert install(one, 0, profile(13)) == "Accepted"
    one.charge(1, "ONE")
    assert limit(one, 1) == 13
    assert schedule(one, 1) == [(0, 13)]
    one.charge(2, "TWO")
    assert limit(one, 2) == 13


def test_tc_082_tx_default_profile_while_it_charges(begin: Begin) -> None:
    """A TxDefaultProfile that comes in the middle of a transaction holds for it, too, from then on."""
    one = begin()
    one.charge()
    assert install(one, 1, profile(13)) == "Accepted"
    assert limit(one) == 13
    assert schedule(one, 1) == [(0, 13)]


def test_tc_057_tx_profile(begin: Begin) -> None:
    """A TxProfile of the running transaction, over the TxDefaultProfile; gone with the transaction."""
    one = begin()
    assert install(one, 1, profile(13)) == "Accepted"
    number = one.charge()
    wanted = profile(20, chargingProfileId=2, chargingProfilePurpose=TX, transactionId=number)
    assert install(one, 1, wanted) == "Accepted"
    assert limit(one) == 20
    one.unplug()
    one.expect("StopTransaction")
    one.status(1, "Available")
    assert [known["id"] for known in one.do("charging_profiles")] == [1]


def test_tc_058_1_tx_profile_without_a_transaction(begin: Begin) -> None:
    """Rejected."""
    assert install(begin(), 1, profile(chargingProfilePurpose=TX)) == "Rejected"


def test_tc_058_2_tx_profile_of_another_transaction(begin: Begin) -> None:
    """Rejected; what runs is limited by nothing."""
    one = begin()
    number = one.charge()
    assert install(one, 1, profile(chargingProfilePurpose=TX, transactionId=number + 1)) == "Rejected"
    assert one.do("charging_profiles") == []


def test_tc_059_remote_start_with_a_profile(begin: Begin) -> None:
    """The profile holds for the transaction that this start begins, and for no other."""
    one = begin()
    one.plug_in()
    one.status(1, "Preparing")
    wanted = profile(11, chargingProfilePurpose=TX)
    assert one.ask("RemoteStartTransaction", connectorId=1, idTag="R", chargingProfile=wanted) == "Accepted"
    one.charges(1, "R")
    assert limit(one) == 11
    one.unplug()
    one.expect("StopTransaction")
    one.charge(1, "NEXT")
    assert limit(one) is None


def test_a_profile_of_a_remote_start_that_nobody_followed(begin: Begin) -> None:
    """The start times out: its profile is forgotten, the next transaction has no limit."""
    one = begin(Core={"ConnectionTimeOut": 1})
    wanted = profile(11, chargingProfilePurpose=TX)
    assert one.ask("RemoteStartTransaction", connectorId=1, idTag="R", chargingProfile=wanted) == "Accepted"
    one.status(1, "Preparing")
    one.status(1, "Available")
    one.charge()
    assert limit(one) is None


@pytest.mark.parametrize("purpose", [DEFAULT, MAXIMUM])
def test_tc_060_remote_start_with_another_profile(begin: Begin, purpose: str) -> None:
    """Only a TxProfile can come with a start: Rejected, and nothing starts."""
    one = begin()
    one.plug_in()
    wanted = profile(chargingProfilePurpose=purpose)
    answer = one.ask("RemoteStartTransaction", connectorId=1, idTag="R", chargingProfile=wanted)
    assert answer in ("Rejected", "PropertyConstraintViolation")
    one.settle()
    assert one.calls("StartTransaction") == []


def test_tc_066_composite_schedule(begin: Begin) -> None:
    """The lowest of what holds, step by step, from now on."""
    one = begin()
    start = datetime.now(UTC) - timedelta(seconds=1)
    began = start.isoformat(timespec="seconds").replace("+00:00", "Z")
    steps = [{"startPeriod": 0, "limit": 16}, {"startPeriod": 5000, "limit": 8}]
    both = {"startSchedule": began, "chargingSchedulePeriod": steps}
    assert install(one, 0, profile(chargingProfilePurpose=MAXIMUM, chargingProfileId=1, schedule=both)) == "Accepted"
    assert install(one, 1, profile(12, chargingProfileId=2)) == "Accepted"
    (first, now), (second, later) = schedule(one, 1, duration=10_000)
    assert (first, now, later) == (0, 12, 8)
    assert 0 < second <= 5000


@pytest.mark.parametrize("unit", ["A", "W"])
def test_composite_schedule_without_any_profile(idle: Outside, unit: str) -> None:
    """The configured default where nothing limits."""
    assert schedule(idle, 1, unit=unit) == [(0, 48 if unit == "A" else 33_120)]


def test_composite_schedule_in_the_other_unit(begin: Begin) -> None:
    """16 A on three phases of 230 V are 11040 W."""
    one = begin()
    assert install(one, 1, profile(16)) == "Accepted"
    assert schedule(one, 1, unit="W") == [(0, 11_040)]


@pytest.mark.parametrize("connector", [3, -1])
def test_composite_schedule_of_no_connector(idle: Outside, connector: int) -> None:
    """Rejected (§5.7), with nothing but the status."""
    answer = idle.ask_badly("GetCompositeSchedule", {"connectorId": connector, "duration": 60})
    assert answer[2] in ({"status": "Rejected"}, "PropertyConstraintViolation")


def test_composite_schedule_in_a_unit_that_is_none(idle: Outside) -> None:
    """Errata 3.24: PropertyConstraintViolation."""
    payload = {"connectorId": 1, "duration": 60, "chargingRateUnit": "hp"}
    assert idle.ask_badly("GetCompositeSchedule", payload)[2] == "PropertyConstraintViolation"


def test_tc_067_clear_a_profile_by_its_id(begin: Begin) -> None:
    """Accepted, and the limit is gone; a second time Unknown."""
    one = begin()
    assert install(one, 1, profile(13, chargingProfileId=5)) == "Accepted"
    one.charge()
    assert limit(one) == 13
    assert one.ask("ClearChargingProfile", id=5) == "Accepted"
    assert limit(one) is None
    assert one.ask("ClearChargingProfile", id=5) == "Unknown"


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({}, set()),
        ({"connectorId": 1}, {1, 3}),
        ({"connectorId": 0}, {2}),
        ({"chargingProfilePurpose": MAXIMUM}, {1, 2}),
        ({"stackLevel": 1}, {1, 2}),
        ({"connectorId": 0, "chargingProfilePurpose": DEFAULT}, {2, 3}),
        ({"id": 2, "stackLevel": 99}, {1, 3}),
    ],
    ids=["everything", "connector", "connector 0", "purpose", "level", "two criteria", "id before all"],
)
def test_tc_067_clear_profiles_by_criteria(begin: Begin, criteria: dict[str, Any], left: set[int]) -> None:
    """What fits all that is given is cleared, and nothing else."""
    one = begin()
    assert install(one, 0, profile(chargingProfileId=1)) == "Accepted"
    assert install(one, 1, profile(chargingProfileId=2)) == "Accepted"
    top = profile(chargingProfileId=3, stackLevel=1, chargingProfilePurpose=MAXIMUM)
    assert install(one, 0, top) == "Accepted"
    assert one.ask("ClearChargingProfile", **criteria) == "Accepted"
    assert {known["id"] for known in one.do("charging_profiles")} == left


def test_clear_what_is_not_there(idle: Outside) -> None:
    """Unknown."""
    assert idle.ask("ClearChargingProfile", id=1234) == "Unknown"


def test_tc_072_stacked_profiles(begin: Begin) -> None:
    """The higher stack level wins while it holds; when it ends, the lower one is in force."""
    one = begin()
    assert install(one, 1, profile(10, chargingProfileId=1, stackLevel=0)) == "Accepted"
    began = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    short = {"startSchedule": began, "duration": 5000}
    assert install(one, 1, profile(20, chargingProfileId=2, stackLevel=1, schedule=short)) == "Accepted"
    (first, now), (second, later) = schedule(one, 1, duration=10_000)
    assert (first, now, later) == (0, 20, 10)
    assert 0 < second <= 5000


def test_the_same_level_replaces(begin: Begin) -> None:
    """Same connector, purpose and level: the new one takes the place of the old one, under its own id."""
    one = begin()
    assert install(one, 1, profile(10, chargingProfileId=1)) == "Accepted"
    assert install(one, 1, profile(20, chargingProfileId=2)) == "Accepted"
    assert [known["id"] for known in one.do("charging_profiles")] == [2]


def test_the_same_id_replaces(begin: Begin) -> None:
    """The same id at another level: one profile."""
    one = begin()
    assert install(one, 1, profile(10, chargingProfileId=1)) == "Accepted"
    assert install(one, 2, profile(20, chargingProfileId=1, stackLevel=3)) == "Accepted"
    (known,) = one.do("charging_profiles")
    assert (known["id"], known["connector"], known["stack_level"]) == (1, 2, 3)


def test_a_limit_of_nothing_suspends(begin: Begin) -> None:
    """0 A while it charges: SuspendedEVSE; cleared: Charging again."""
    one = begin()
    number = one.charge()
    assert install(one, 1, profile(0, chargingProfilePurpose=TX, transactionId=number)) == "Accepted"
    one.status(1, "SuspendedEVSE")
    assert one.ask("ClearChargingProfile") == "Accepted"
    one.status(1, "Charging")


def test_a_maximum_of_the_charge_point_is_shared(begin: Begin) -> None:
    """ChargePointMaxProfile of 16 A, two cars that want more: what both get is no more than that."""
    one = begin()
    one.charge(1, "ONE")
    one.charge(2, "TWO")
    assert install(one, 0, profile(16, chargingProfilePurpose=MAXIMUM)) == "Accepted"
    limits = [limit(one, connector) for connector in (1, 2)]
    assert sum(value for value in limits if value is not None) <= 16
    assert None not in limits


def test_profiles_survive_a_power_cut(begin: Begin) -> None:
    """Accepted means stored."""
    one = begin()
    assert install(one, 0, profile(13, chargingProfileId=8)) == "Accepted"
    one.power_cut()
    one.power_up()
    one.booted()
    assert [known["id"] for known in one.do("charging_profiles")] == [8]
    assert schedule(one, 2) == [(0, 13)]


WRONG = {
    "a level too high": profile(stackLevel=100),
    "a negative level": profile(stackLevel=-1),
    "absolute without start": profile()
    | {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]}},
    "recurring without a kind": profile(chargingProfileKind="Recurring"),
    "first period late": profile(schedule={"chargingSchedulePeriod": [{"startPeriod": 5, "limit": 1}]}),
    "periods that do not rise": profile(
        schedule={"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}, {"startPeriod": 0, "limit": 2}]}
    ),
    "too many periods": profile(
        schedule={"chargingSchedulePeriod": [{"startPeriod": number, "limit": 1} for number in range(101)]}
    ),
    "a negative limit": profile(-1),
    "four phases": profile(schedule={"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1, "numberPhases": 4}]}),
    "a negative duration": profile(schedule={"duration": -1}),
    "over before it begins": profile(validFrom="2027-01-01T00:00:00Z", validTo="2026-01-01T00:00:00Z"),
    "a maximum that is relative": profile(chargingProfilePurpose=MAXIMUM, chargingProfileKind="Relative"),
}


@pytest.mark.parametrize("name", WRONG)
def test_profiles_that_are_refused(idle: Outside, name: str) -> None:
    """Rejected (or a CALLERROR where the schema says no), and nothing is kept."""
    answer = install(idle, 0, WRONG[name])
    assert answer in ("Rejected", "PropertyConstraintViolation", "OccurenceConstraintViolation")
    assert idle.do("charging_profiles") == []


@pytest.mark.parametrize("purpose", [MAXIMUM, TX])
def test_profiles_at_the_wrong_connector(idle: Outside, purpose: str) -> None:
    """A maximum is for connector 0, a TxProfile for any other."""
    assert install(idle, 1 if purpose == MAXIMUM else 0, profile(chargingProfilePurpose=purpose)) == "Rejected"


@pytest.mark.parametrize("connector", [3, -1])
def test_profiles_at_no_connector(idle: Outside, connector: int) -> None:
    """Errata 3.39: PropertyConstraintViolation."""
    assert install(idle, connector, profile()) == "PropertyConstraintViolation"


@pytest.mark.parametrize("member", ["chargingProfilePurpose", "chargingProfileKind", "recurrencyKind"])
def test_profiles_with_words_that_are_none(idle: Outside, member: str) -> None:
    """Errata 3.38: PropertyConstraintViolation."""
    assert install(idle, 0, profile() | {member: "Sometimes"}) == "PropertyConstraintViolation"


def test_more_profiles_than_fit(begin: Begin) -> None:
    """MaxChargingProfilesInstalled: one more is Rejected, one in place of another is Accepted."""
    one = begin(SmartCharging={"MaxChargingProfilesInstalled": 2})
    for level in (0, 1):
        assert install(one, 0, profile(chargingProfileId=level + 1, stackLevel=level)) == "Accepted"
    assert install(one, 0, profile(chargingProfileId=3, stackLevel=2)) == "Rejected"
    assert install(one, 0, profile(7, chargingProfileId=2, stackLevel=1)) == "Accepted"


def test_a_unit_that_is_not_allowed(begin: Begin) -> None:
    """ChargingScheduleAllowedChargingRateUnit: Current alone, and a profile in W: Rejected."""
    one = begin(SmartCharging={"ChargingScheduleAllowedChargingRateUnit": "Current"})
    assert install(one, 0, profile(schedule={"chargingRateUnit": "W"})) == "Rejected"
    assert install(one, 0, profile()) == "Accepted"


def test_without_the_profile_of_smart_charging(begin: Begin) -> None:
    """Not in SupportedFeatureProfiles: NotSupported, as CALLERROR."""
    one = begin(Core={"SupportedFeatureProfiles": "Core,RemoteTrigger"})
    assert install(one, 0, profile()) == "NotSupported"
    assert one.ask("ClearChargingProfile") == "NotSupported"

"""What a charging profile replaces, what a ClearChargingProfile means, what is over (OCPP 1.6 ed. 2 §3.13, §5.4)."""

from typing import Any

import pytest

from ocpp16 import schedule

MAX, DEFAULT, TX = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"
NOON = 1_767_614_400


def compiled(number: int, connector: int, purpose: str, level: int = 0, **changes: Any) -> schedule.CompiledProfile:
    plan = {
        "startSchedule": "2026-01-05T12:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": number}],
    }
    plan.update({name: changes.pop(name) for name in ("duration",) if name in changes})
    return schedule.compile_profile(
        connector,
        {
            "chargingProfileId": number,
            "stackLevel": level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": "Absolute",
            "chargingSchedule": plan,
            **changes,
        },
    )


BASE = [
    (1, 0, MAX, 0),
    (2, 0, DEFAULT, 0),
    (3, 1, DEFAULT, 0),
    (4, 2, DEFAULT, 0),
    (5, 2, DEFAULT, 1),
    (6, 1, TX, 0),
    (7, 2, TX, 0),
]


@pytest.fixture
def profiles() -> schedule.InstalledProfiles:
    return schedule.InstalledProfiles(compiled(*row) for row in BASE)


def ids(found: Any) -> list[int]:
    return sorted(profile.profile_id for profile in found)


@pytest.mark.parametrize(
    ("new", "removed"),
    [
        ((8, 0, MAX, 1), []),
        ((8, 0, MAX, 0), [1]),
        ((8, 1, DEFAULT, 0), [3]),
        ((8, 1, DEFAULT, 1), []),
        ((8, 0, DEFAULT, 0), [2, 3, 4]),
        ((8, 0, DEFAULT, 1), [5]),
        ((8, 2, TX, 0), [7]),
        ((6, 2, DEFAULT, 1), [5, 6]),
        ((2, 0, DEFAULT, 0), [2, 3, 4]),
        ((1, 1, DEFAULT, 3), [1]),
    ],
)
def test_replacement(profiles: schedule.InstalledProfiles, new: tuple[int, int, str, int], removed: list[int]) -> None:
    profile = compiled(*new)
    assert ids(profiles.replaced_by(profile)) == removed
    assert len(profiles) == len(BASE)
    assert ids(profiles.install(profile)) == removed
    assert ids(profiles) == sorted({number for number, *_ in BASE} - set(removed) | {new[0]})
    assert profiles.get(new[0]) is profile


@pytest.mark.parametrize(
    ("request_", "cleared"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"profile_id": 4}, [4]),
        ({"profile_id": 99}, []),
        ({"profile_id": 4, "connector_id": 1, "purpose": MAX, "stack_level": 7}, [4]),
        ({"connector_id": 0}, [1, 2]),
        ({"connector_id": 2}, [4, 5, 7]),
        ({"connector_id": 9}, []),
        ({"purpose": DEFAULT}, [2, 3, 4, 5]),
        ({"stack_level": 0}, [1, 2, 3, 4, 6, 7]),
        ({"stack_level": 1}, [5]),
        ({"connector_id": 0, "purpose": TX}, []),
        ({"connector_id": 2, "purpose": DEFAULT, "stack_level": 0}, [4]),
    ],
)
def test_clearing(profiles: schedule.InstalledProfiles, request_: dict[str, Any], cleared: list[int]) -> None:
    found = profiles.matching(**request_)
    assert ids(found) == cleared
    profiles.remove(found)
    assert ids(profiles) == sorted({number for number, *_ in BASE} - set(cleared))


def test_what_is_not_installed_cannot_be_removed(profiles: schedule.InstalledProfiles) -> None:
    with pytest.raises(KeyError):
        profiles.remove([compiled(1, 0, MAX)])
    assert len(profiles) == len(BASE)


def test_end_of_a_transaction(profiles: schedule.InstalledProfiles) -> None:
    profiles.install(compiled(8, 1, TX, 4, transactionId=3))
    assert ids(profiles.remove_transaction(1)) == [6, 8]
    assert ids(profiles) == [1, 2, 3, 4, 5, 7]


@pytest.mark.parametrize(("capacity", "new", "has_room"), [(8, 8, True), (7, 8, False), (7, 3, True), (6, 3, False)])
def test_room(profiles: schedule.InstalledProfiles, capacity: int, new: int, has_room: bool) -> None:
    """Replacing counts: in a full store a profile can still be updated, by its id or in its place."""
    assert profiles.has_room_for(compiled(new, 1, DEFAULT, 7), capacity) is has_room
    if capacity == 7:
        assert profiles.has_room_for(compiled(50, 1, DEFAULT, 0), capacity)


def test_over_for_good() -> None:
    profiles = schedule.InstalledProfiles(
        [
            compiled(1, 1, DEFAULT, 1, duration=60),
            compiled(2, 1, DEFAULT, 2, validTo="2026-01-05T12:00:30Z"),
            compiled(3, 1, DEFAULT, 3, duration=60, chargingProfileKind="Recurring", recurrencyKind="Daily"),
            compiled(4, 1, DEFAULT, 4, duration=60, chargingProfileKind="Relative"),
            compiled(5, 1, DEFAULT, 5),
            compiled(6, 1, DEFAULT, 6, duration=0),
        ]
    )
    assert [profile.over_micros for profile in profiles] == [
        (NOON + 60) * 1_000_000,
        (NOON + 30) * 1_000_000,
        None,
        None,
        None,
        NOON * 1_000_000,
    ]
    assert ids(profiles.remove_over(NOON * 1_000_000 - 1)) == []
    assert ids(profiles.remove_over(NOON * 1_000_000)) == [6]
    assert ids(profiles.remove_over((NOON + 59) * 1_000_000)) == [2]
    assert ids(profiles.remove_over((NOON + 60) * 1_000_000)) == [1]


def limit(profiles: schedule.InstalledProfiles, connector: int) -> float:
    return schedule.charging_limit(profiles, connector, NOON * 1_000_000, "A").limit


def test_stacks_follow_what_is_installed() -> None:
    profiles = schedule.InstalledProfiles()
    assert (limit(profiles, 1), limit(profiles, 2)) == (48, 48)
    profiles.install(compiled(10, 0, DEFAULT))
    assert (limit(profiles, 1), limit(profiles, 2)) == (10, 10)
    own = compiled(20, 2, DEFAULT)
    profiles.install(own)
    assert (limit(profiles, 1), limit(profiles, 2)) == (10, 20)
    assert profiles.stack(1) is profiles.stack(1)
    profiles.remove([own])
    assert (limit(profiles, 1), limit(profiles, 2)) == (10, 10)
    assert not profiles.has_own(2)
    profiles.install(compiled(5, 0, MAX))
    assert (limit(profiles, 1), limit(profiles, 2)) == (5, 5)


def test_two_profiles_cannot_have_one_place() -> None:
    with pytest.raises(ValueError, match="profiles 1 and 2"):
        schedule.ProfileStack([compiled(1, 1, DEFAULT), compiled(2, 1, DEFAULT)], 1)
    with pytest.raises(ValueError, match="connector_id"):
        schedule.ProfileStack([], -1)

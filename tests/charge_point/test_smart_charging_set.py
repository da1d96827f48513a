"""SetChargingProfile: every check alone and at its boundary, what replaces what, and that a refusal changes nothing."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.errors import FeatureNotBuilt
from ocpp16.testing.stations import RecordingStation

CONFIG: dict[str, Any] = {
    "SmartCharging__ChargeProfileMaxStackLevel": 5,
    "SmartCharging__ChargingScheduleMaxPeriods": 3,
    "SmartCharging__MaxChargingProfilesInstalled": 3,
}
TX = {"chargingProfilePurpose": "TxProfile"}
MAX = {"chargingProfilePurpose": "ChargePointMaxProfile"}
DAILY = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
RELATIVE = {"chargingProfileKind": "Relative", "startSchedule": None}
FOREVER, YESTERDAY = "2099-01-01T00:00:00Z", "2025-12-31T00:00:00Z"


def periods(*starts: int, **members: Any) -> dict[str, Any]:
    return {"chargingSchedulePeriod": [{"startPeriod": start, "limit": 16, **members} for start in starts]}


def rows(folder: Path) -> list[tuple[Any, ...]]:
    """The stored charging profiles."""
    [database] = folder.glob("*.db")
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT * FROM charging_profiles ORDER BY charging_profile_id").fetchall()
    connection.close()
    return found


def without_smart_charging() -> Any:
    """A station that has the methods of CoreStation only."""
    missing = ("charging_limit_changed", "signal_set_charging_profiles", "__dict__", "__weakref__")
    return type(
        "CoreOnly", (), {name: value for name, value in vars(RecordingStation).items() if name not in missing}
    )()


@pytest.mark.parametrize(
    ("connector_id", "members", "answer"),
    [
        # the connector
        (-1, {}, "PropertyConstraintViolation"),
        (3, {}, "PropertyConstraintViolation"),
        (2**31, {}, "PropertyConstraintViolation"),
        (0, {}, "Accepted"),
        (2, {}, "Accepted"),
        # enumerations
        (1, {"chargingProfilePurpose": "TxProfiles"}, "PropertyConstraintViolation"),
        (1, {"chargingProfileKind": "absolute"}, "PropertyConstraintViolation"),
        (1, {**DAILY, "recurrencyKind": "Monthly"}, "PropertyConstraintViolation"),
        (1, {"chargingRateUnit": "kW"}, "PropertyConstraintViolation"),
        # the stack level
        (1, {"stackLevel": -1}, "Rejected"),
        (1, {"stackLevel": 5}, "Accepted"),
        (1, {"stackLevel": 6}, "Rejected"),
        # the kind
        (1, {"startSchedule": None}, "Rejected"),
        (1, {**DAILY, "recurrencyKind": None}, "Rejected"),
        (1, {**DAILY, "startSchedule": None}, "Rejected"),
        (1, DAILY, "Accepted"),
        (1, RELATIVE, "Accepted"),
        (1, {**RELATIVE, "recurrencyKind": "Daily"}, "Accepted"),
        # periods
        (1, periods(1), "Rejected"),
        (1, periods(0, 60, 60), "Rejected"),
        (1, periods(0, 60, 59), "Rejected"),
        (1, periods(0, -1), "Rejected"),
        (1, periods(0, 1, 2), "Accepted"),
        (1, periods(0, 1, 2, 3), "Rejected"),
        # limits, phases
        (1, periods(0, limit=-0.1), "Rejected"),
        (1, periods(0, limit=0), "Accepted"),
        (1, {"minChargingRate": -1.0}, "Rejected"),
        (1, {"minChargingRate": 0}, "Accepted"),
        (1, periods(0, numberPhases=0), "Rejected"),
        (1, periods(0, numberPhases=1), "Accepted"),
        (1, periods(0, numberPhases=3), "Accepted"),
        (1, periods(0, numberPhases=4), "Rejected"),
        # times
        (1, {"duration": -1}, "Rejected"),
        (1, {"duration": 0}, "Accepted"),
        (1, {**DAILY, "duration": 86401}, "Accepted"),
        (1, {"validFrom": FOREVER, "validTo": FOREVER}, "Rejected"),
        (1, {"validFrom": "2099-01-01T00:00:01Z", "validTo": FOREVER}, "Rejected"),
        (1, {"validFrom": "2098-12-31T23:59:59Z", "validTo": FOREVER}, "Accepted"),
        (1, {"validTo": YESTERDAY}, "Accepted"),
        # purposes
        (1, MAX, "Rejected"),
        (0, MAX, "Accepted"),
        (0, {**MAX, **RELATIVE}, "Rejected"),
        (0, TX, "Rejected"),
        (2, TX, "Rejected"),
        (1, TX, "Accepted"),
        (1, {**TX, "transactionId": 1}, "Accepted"),
        (1, {**TX, "transactionId": 2}, "Rejected"),
        (1, {"transactionId": 77}, "Accepted"),
    ],
)
async def test_check(
    open_bench: Any,
    make_config: Any,
    profile: Any,
    tmp_path: Path,
    connector_id: int,
    members: dict[str, Any],
    answer: str,
) -> None:
    async with open_bench(document=make_config(**CONFIG), database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(1)
        # All have the id of what is installed: a refused profile must not remove it.
        assert await bench.install(1, profile(7, 11)) == "Accepted"
        known, stored = await bench.schedule(1), rows(tmp_path)
        told = len(bench.station.calls)
        assert await bench.install(connector_id, profile(7, 20, **members)) == answer
        if answer == "Accepted":
            assert rows(tmp_path) != stored
        else:
            assert await bench.schedule(1) == known
            assert rows(tmp_path) == stored
            assert len(bench.station.calls) == told


async def test_purposes_and_units_that_are_not_configured(open_bench: Any, make_config: Any, profile: Any) -> None:
    document = make_config(
        Internal__SupportedChargingProfilePurposeTypes=["TxDefaultProfile"],
        SmartCharging__ChargingScheduleAllowedChargingRateUnit="Power",
    )
    async with open_bench(document=document) as bench:
        assert await bench.install(1, profile(chargingRateUnit="W")) == "Accepted"
        assert await bench.install(1, profile(2)) == "Rejected"
        assert await bench.install(0, profile(3, chargingRateUnit="W", **MAX)) == "Rejected"
        bench.begin()
        assert bench.station.limits[1][:2] == (16, "W")


async def test_a_tx_profile_with_an_id_waits_for_the_id(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        bench.csms.answers["StartTransaction"] = None
        bench.begin()
        await trio.sleep(1)
        assert await bench.install(1, profile(1, transactionId=1, **TX)) == "Rejected"
        assert await bench.install(1, profile(1, **TX)) == "Accepted"


async def test_a_start_of_now_where_none_is_given(open_bench: Any, make_config: Any, profile: Any) -> None:
    document = make_config(Internal__AllowChargingProfileWithoutStartSchedule=True)
    async with open_bench(document=document) as bench:
        await trio.sleep(9.9)
        steps = [{"startPeriod": 0, "limit": 6}, {"startPeriod": 60, "limit": 10}]
        plan = {"startSchedule": None, "chargingSchedulePeriod": steps}
        assert await bench.install(1, profile(1, **plan)) == "Accepted"
        assert await bench.install(2, profile(2, **DAILY, **plan)) == "Accepted"
        assert await bench.schedule(1, 100) == await bench.schedule(2, 100) == [[0, 6], [60, 10]]
        await trio.sleep(30)
        assert await bench.schedule(1, 100) == await bench.schedule(2, 100) == [[0, 6], [30, 10]]


async def test_replacement_in_a_full_store(open_bench: Any, make_config: Any, profile: Any) -> None:
    async with open_bench(document=make_config(**CONFIG)) as bench:
        for number in (1, 2, 3):
            assert await bench.install(1, profile(number, number, stackLevel=number)) == "Accepted"
        assert await bench.install(2, profile(4)) == "Rejected"
        assert await bench.install(1, profile(4, 14, stackLevel=3)) == "Accepted", "takes the place of 3"
        assert bench.installed() == [1, 2, 4]
        assert await bench.install(2, profile(1, 11)) == "Accepted", "has the id of 1"
        assert await bench.install(0, profile(5, stackLevel=2)) == "Accepted", "a default for all replaces 2"
        assert bench.installed() == [1, 4, 5]
        assert await bench.install(1, profile(4, stackLevel=2)) == "Accepted"
        assert await bench.install(0, profile(4, stackLevel=2)) == "Accepted", "replaces itself by id, 5 by its place"
        assert bench.installed() == [1, 4]
        assert await bench.schedule(2, 60) == [[0, 16]]


@pytest.mark.parametrize(
    ("over", "makes_room"),
    [
        ({"validTo": "2026-01-01T00:01:00Z"}, True),
        ({"duration": 3660}, True),
        ({**DAILY, "duration": 60}, False),
        ({"validFrom": FOREVER}, False),
        ({"startSchedule": FOREVER}, False),
    ],
)
async def test_what_is_over_for_good_makes_room(
    open_bench: Any, make_config: Any, profile: Any, tmp_path: Path, over: dict[str, Any], makes_room: bool
) -> None:
    document = make_config(SmartCharging__MaxChargingProfilesInstalled=2)
    async with open_bench(document=document, database_path=tmp_path) as bench:
        assert await bench.install(1, profile(1, **over)) == "Accepted"
        assert await bench.install(1, profile(2, stackLevel=1)) == "Accepted"
        await trio.sleep(59.5)
        assert await bench.install(1, profile(3, stackLevel=2)) == "Rejected"
        await trio.sleep(1)
        assert await bench.install(1, profile(3, stackLevel=2)) == ("Accepted" if makes_room else "Rejected")
        assert bench.installed() == [row[1] for row in rows(tmp_path)] == ([2, 3] if makes_room else [1, 2])


async def test_what_a_profile_replaces_elsewhere_ends_at_once(open_bench: Any, profile: Any) -> None:
    """An id moves from one connector, or from all of them, to another one."""
    async with open_bench() as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        await bench.install(1, profile(1, 6))
        await trio.sleep(1)
        assert bench.limits() == [6, None]
        await bench.install(2, profile(1, 8))
        await trio.sleep(1)
        assert bench.limits() == [None, 8]
        await bench.install(0, profile(1, 10, **MAX))
        await trio.sleep(1)
        assert bench.limits() == [10, 10]
        await bench.install(2, profile(1, 12, **TX))
        await trio.sleep(1)
        assert bench.limits() == [None, 12]


@pytest.mark.parametrize("is_listed", [True, False])
async def test_without_smart_charging(open_bench: Any, make_config: Any, profile: Any, is_listed: bool) -> None:
    """Not listed, or listed but the station has not the methods: NotSupported, not reported, and a warning."""
    document = make_config(Core__SupportedFeatureProfiles="Core,SmartCharging" if is_listed else "Core")
    async with open_bench(document=document, station=without_smart_charging() if is_listed else None) as bench:
        assert not bench.charge_point.smart_charging.is_built
        assert await bench.install(1, profile()) == "NotSupported"
        reported = await bench.call("GetConfiguration", {"key": ["SupportedFeatureProfiles"]})
        assert reported["configurationKey"][0]["value"] == "Core"
        warned = [text for text in bench.charge_point._runtime.configuration.warnings if "SmartCharging" in text]
        assert bool(warned) == is_listed
        with pytest.raises(FeatureNotBuilt):
            bench.charge_point.smart_charging.charging_limit(1)
        with pytest.raises(FeatureNotBuilt):  # nobody would hold that fuse
            bench.charge_point.smart_charging.share_limits(None, fuse=32.0)

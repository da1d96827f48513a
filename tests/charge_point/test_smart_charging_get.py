"""ClearChargingProfile and GetCompositeSchedule: what they match, what they answer."""

import json
from typing import Any

import pytest
import trio

from ocpp16.errors import CallFailed

TX, DEFAULT, MAX = "TxProfile", "TxDefaultProfile", "ChargePointMaxProfile"


async def everywhere(bench: Any, profile: Any) -> None:
    """Six profiles of all purposes, on three connectors and three levels."""
    bench.begin()
    await trio.sleep(1)
    for number, connector_id, purpose, level in (
        (1, 0, MAX, 0),
        (2, 0, DEFAULT, 0),
        (3, 0, DEFAULT, 1),
        (4, 1, DEFAULT, 0),
        (5, 2, DEFAULT, 2),
        (6, 1, TX, 0),
    ):
        members = {"chargingProfilePurpose": purpose, "stackLevel": level}
        assert await bench.install(connector_id, profile(number, 10 + number, **members)) == "Accepted"


@pytest.mark.parametrize(
    ("request_", "cleared"),
    [
        ({}, {1, 2, 3, 4, 5, 6}),
        ({"id": 3}, {3}),
        ({"id": 0}, set()),
        ({"id": 7}, set()),
        ({"id": 3, "connectorId": 2, "chargingProfilePurpose": TX, "stackLevel": 9}, {3}),
        ({"id": 9, "connectorId": 1}, set()),
        ({"connectorId": 0}, {1, 2, 3}),
        ({"connectorId": 1}, {4, 6}),
        ({"connectorId": 2}, {5}),
        ({"connectorId": 3}, set()),
        ({"connectorId": -1}, set()),
        ({"chargingProfilePurpose": MAX}, {1}),
        ({"chargingProfilePurpose": DEFAULT}, {2, 3, 4, 5}),
        ({"chargingProfilePurpose": TX}, {6}),
        ({"stackLevel": 0}, {1, 2, 4, 6}),
        ({"stackLevel": 1}, {3}),
        ({"stackLevel": 3}, set()),
        ({"connectorId": 0, "chargingProfilePurpose": DEFAULT}, {2, 3}),
        ({"connectorId": 0, "chargingProfilePurpose": TX}, set()),
        ({"connectorId": 0, "stackLevel": 0}, {1, 2}),
        ({"connectorId": 1, "stackLevel": 1}, set()),
        ({"chargingProfilePurpose": DEFAULT, "stackLevel": 0}, {2, 4}),
        ({"chargingProfilePurpose": MAX, "stackLevel": 1}, set()),
        ({"connectorId": 1, "chargingProfilePurpose": DEFAULT, "stackLevel": 0}, {4}),
        ({"connectorId": 0, "chargingProfilePurpose": DEFAULT, "stackLevel": 0}, {2}),
        ({"connectorId": 0, "chargingProfilePurpose": MAX, "stackLevel": 0}, {1}),
    ],
)
async def test_clear(open_bench: Any, profile: Any, tmp_path: Any, request_: dict[str, Any], cleared: set[int]) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        await everywhere(bench, profile)
        assert await bench.clear(**request_) == ("Accepted" if cleared else "Unknown")
        assert bench.installed() == sorted({1, 2, 3, 4, 5, 6} - cleared)
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.installed() == sorted({1, 2, 3, 4, 5} - cleared), "6 ended with its transaction"


async def test_clear_an_empty_store(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await bench.clear() == "Accepted"
        assert await bench.clear(stackLevel=0) == "Unknown"
        assert await bench.clear(id=1) == "Unknown"


async def test_an_own_default_that_is_cleared_brings_that_of_the_station_back(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        await bench.install(0, profile(1, 10))
        await bench.install(2, profile(2, 20))
        await trio.sleep(0.01)
        assert bench.limits() == [10, 20]
        assert await bench.clear(connectorId=2) == "Accepted"
        await trio.sleep(0.01)
        assert bench.limits() == [10, 10]
        assert await bench.schedule(2) == [[0, 10]]
        assert await bench.clear(connectorId=2) == "Unknown"
        assert bench.installed() == [1]


async def test_the_host_clears_too(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        await everywhere(bench, profile)
        await trio.sleep(1)
        told = len(bench.station.asked("signal_set_charging_profiles"))
        assert await bench.charge_point.smart_charging.clear_charging_profiles(stack_level=9) == 0
        assert await bench.charge_point.smart_charging.clear_charging_profiles(connector_id=1) == 2
        await trio.sleep(0.01)
        assert bench.limits() == [11, 11], "the maximum"
        assert len(bench.station.asked("signal_set_charging_profiles")) == told + 1
        assert await bench.charge_point.smart_charging.clear_charging_profiles() == 4
        assert bench.limits() == [None, None]


async def composite(bench: Any, **request: Any) -> Any:
    return await bench.csms.call("cp001", "GetCompositeSchedule", request, validated=False)


async def test_the_whole_answer(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        periods = [{"startPeriod": 0, "limit": 16}, {"startPeriod": 3660, "limit": 6.5, "numberPhases": 1}]
        await bench.install(1, profile(1, minChargingRate=2, chargingSchedulePeriod=periods))
        await trio.sleep(0.9)
        assert await composite(bench, connectorId=1, duration=120) == {
            "status": "Accepted",
            "connectorId": 1,
            "scheduleStart": "2026-01-01T00:00:01.000Z",
            "chargingSchedule": {
                "duration": 120,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 16},
                    {"startPeriod": 59, "limit": 6.5, "numberPhases": 1},
                ],
            },
        }


@pytest.mark.parametrize(
    "request_",
    [
        {"connectorId": -1, "duration": 60},
        {"connectorId": 3, "duration": 60},
        {"connectorId": 2**64 - 1, "duration": 60},
        {"connectorId": 1, "duration": -1},
        {"connectorId": 1, "duration": 60, "chargingRateUnit": "W"},
    ],
)
async def test_rejected_says_nothing_else(open_bench: Any, make_config: Any, request_: dict[str, Any]) -> None:
    document = make_config(SmartCharging__ChargingScheduleAllowedChargingRateUnit="Current")
    async with open_bench(document=document) as bench:
        assert await composite(bench, **request_) == {"status": "Rejected"}


async def test_a_unit_that_does_not_exist(open_bench: Any) -> None:
    async with open_bench() as bench:
        with pytest.raises(CallFailed, match="PropertyConstraintViolation"):
            await composite(bench, connectorId=1, duration=60, chargingRateUnit="kW")


@pytest.mark.parametrize(
    ("allowed", "unit", "limit"), [("Power,Current", "W", 33120), ("Current,Power", "A", 48), ("Current", "A", 48)]
)
async def test_the_unit_by_default_is_the_first(
    open_bench: Any, make_config: Any, allowed: str, unit: str, limit: float
) -> None:
    document = make_config(SmartCharging__ChargingScheduleAllowedChargingRateUnit=allowed)
    async with open_bench(document=document) as bench:
        schedule = (await composite(bench, connectorId=1, duration=60))["chargingSchedule"]
        assert schedule["chargingRateUnit"] == unit
        assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": limit}]


@pytest.mark.parametrize(
    ("asked", "given"), [(0, 0), (1, 1), (3600, 3600), (3601, 3600), (2**31, 3600), (2**63, 3600), (2**64 - 1, 3600)]
)
async def test_the_duration_is_cut(open_bench: Any, make_config: Any, asked: int, given: int) -> None:
    async with open_bench(document=make_config(Internal__MaxCompositeScheduleDuration=3600)) as bench:
        schedule = (await composite(bench, connectorId=0, duration=asked))["chargingSchedule"]
        assert schedule == {
            "duration": given,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 96}],
        }


async def test_limits_are_rounded_down_and_merged(open_bench: Any, profile: Any) -> None:
    """11000 W / 690 V is 15.942 A, 11001 W 15.943 A: one period of 15.9 A."""
    async with open_bench() as bench:
        steps = [{"startPeriod": start, "limit": limit} for start, limit in ((0, 11000), (3660, 11001), (3720, 11040))]
        await bench.install(1, profile(1, chargingRateUnit="W", chargingSchedulePeriod=steps))
        assert await bench.schedule(1, 300, chargingRateUnit="A") == [[0, 15.9], [120, 16]]
        assert [
            period.start_period for period in bench.charge_point.smart_charging.composite_schedule(1, 300).periods
        ] == [0, 60, 120]


@pytest.mark.parametrize(
    ("limit", "unit"), [(1e308, "A"), (1.7e308, "W"), (float(2**70), "A"), (1e15 + 0.5, "W"), (1e-300, "A")]
)
async def test_absurd_limits(open_bench: Any, profile: Any, limit: float, unit: str) -> None:
    """Whatever is accepted can be shown, in each unit and added up."""
    async with open_bench() as bench:
        status = await bench.install(0, profile(1, limit, chargingRateUnit=unit))
        assert status in ("Accepted", "Rejected", "PropertyConstraintViolation")
        for connector_id in (0, 1):
            for wanted in ("A", "W"):
                answer = await composite(bench, connectorId=connector_id, duration=60, chargingRateUnit=wanted)
                assert answer["status"] == "Accepted"


async def test_the_station_may_ask_for_all_of_them(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await bench.install(0, profile(1, 10))
        await bench.install(1, profile(2, 12, stackLevel=1))
        found = bench.charge_point.smart_charging.get_all_composite_charging_schedules(300)
        assert {number: schedule.periods[0].limit for number, schedule in found.items()} == {0: 22, 1: 12, 2: 10}
        enhanced = bench.charge_point.smart_charging.get_all_enhanced_composite_charging_schedules(300, "W")
        step = enhanced[1].steps[0]
        assert (step.limit, step.stack_level, step.is_converted) == (12 * 690, 1, True)
        explained = bench.charge_point.smart_charging.explain_limit(1)
        assert (explained.limit, explained.profile.profile_id) == (12, 2)


DAILY = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
MONTH, YEAR = 30 * 86_400, 365 * 86_400


async def test_a_schedule_may_have_more_periods_than_one_that_is_sent_here(
    open_bench: Any, make_config: Any, profile: Any
) -> None:
    """Four changes a day for a month: the key is about schedules of the Central System, and hides no end of ours."""
    steps = [{"startPeriod": 21_600 * number, "limit": 6 + number} for number in range(4)]
    async with open_bench(document=make_config(SmartCharging__ChargingScheduleMaxPeriods=4)) as bench:
        assert await bench.install(1, profile(1, chargingSchedulePeriod=steps, **DAILY)) == "Accepted"
        schedule = (await composite(bench, connectorId=1, duration=MONTH))["chargingSchedule"]
        assert (schedule["duration"], len(schedule["chargingSchedulePeriod"])) == (MONTH, 30 * 4 + 1)


async def test_a_schedule_fits_into_a_message(open_bench: Any, make_config: Any, profile: Any) -> None:
    steps = [{"startPeriod": 3600 * number, "limit": 6 + number} for number in range(24)]
    document = make_config(Internal__MaxMessageSize=32_000, SmartCharging__ChargingScheduleMaxPeriods=10_000)
    async with open_bench(document=document) as bench:
        assert await bench.install(1, profile(1, chargingSchedulePeriod=steps, **DAILY)) == "Accepted"
        answer = await composite(bench, connectorId=1, duration=YEAR)
        periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
        size = len(json.dumps(answer, separators=(",", ":")))
        assert 31_000 < size < 32_000
        last = periods[-1]["startPeriod"]
        assert answer["chargingSchedule"]["duration"] == last + 3600

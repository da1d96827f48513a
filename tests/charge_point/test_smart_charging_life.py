"""How long charging profiles live: transactions, restarts, a changed configuration (G-25, G-47, G-48)."""

import json
from typing import Any, cast

import pytest
import trio

from ocpp16.enums import Reason

TX, MAX = {"chargingProfilePurpose": "TxProfile"}, {"chargingProfilePurpose": "ChargePointMaxProfile"}


async def own_limits(bench: Any) -> list[float]:
    """What a composite schedule shows now, by connector."""
    return [(await bench.schedule(number, 0))[0][1] for number in (1, 2)]


@pytest.mark.parametrize("is_online", [True, False])
async def test_tx_profiles_end_with_their_transaction_and_only_those(
    open_bench: Any, until_power_fails: Any, profile: Any, tmp_path: Any, is_online: bool
) -> None:
    async with until_power_fails(database_path=tmp_path) as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        await trio.sleep(1)
        await bench.install(0, profile(1, 40, **MAX))
        await bench.install(1, profile(2, 20))
        await bench.install(1, profile(3, 6, **TX))
        await bench.install(1, profile(4, 7, stackLevel=1, transactionId=1, **TX))
        await bench.install(2, profile(5, 8, **TX))
        await trio.sleep(0.01)
        assert bench.limits() == [7, 8]
        if not is_online:
            bench.charge_point.connection.disconnect()
            await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        assert bench.installed() == [1, 2, 5]
        assert bench.limits() == [40, 8]
        await bench.charge_point.stored()
    async with open_bench(database_path=tmp_path, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=["s2"])
        assert bench.installed() == [1, 2, 5]


async def test_tx_defaults_follow_during_a_transaction(open_bench: Any, profile: Any) -> None:
    """Errata 3.8: set, changed, removed; a TxProfile of any level overrules, until its schedule is over."""
    async with open_bench() as bench:
        bench.begin()

        async def told(answer: str) -> float | None:
            assert answer == "Accepted"
            await trio.sleep(0.01)
            return cast("float | None", bench.station.limits[1].limit)

        assert await told(await bench.install(0, profile(1, 10))) == 10
        assert await told(await bench.install(0, profile(1, 12))) == 12
        assert await told(await bench.install(1, profile(2, 14, stackLevel=3))) == 14
        assert await told(await bench.install(1, profile(3, 20, duration=3600 + 60, **TX))) == 20
        assert await told(await bench.install(1, profile(2, 13, stackLevel=3))) == 20
        await trio.sleep(60)
        assert bench.limits() == [13, None]
        assert await told(await bench.clear(id=2)) == 12
        assert await told(await bench.clear(id=1)) is None
        assert 3 in bench.installed(), "over, and silent"


async def restart_with(open_bench: Any, tmp_path: Any, *installs: tuple[int, dict[str, Any]]) -> tuple[Any, Any]:
    """Ids and limits before and after a restart."""
    async with open_bench(database_path=tmp_path) as bench:
        for connector_id, profile in installs:
            assert await bench.install(connector_id, profile) == "Accepted"
        before = bench.installed(), await own_limits(bench)
    async with open_bench(database_path=tmp_path) as bench:
        return before, (bench.installed(), await own_limits(bench))


@pytest.mark.parametrize(
    ("installs", "ids", "limits"),
    [
        ([(1, 1, 10, 0), (2, 2, 20, 0)], [1, 2], [10, 20]),
        ([(0, 1, 10, 0), (2, 2, 20, 0)], [1, 2], [10, 20]),
        ([(2, 2, 20, 0), (0, 1, 10, 0)], [1], [10, 10]),
        ([(0, 9, 10, 0), (2, 2, 20, 0)], [2, 9], [10, 20]),
        ([(1, 1, 10, 0), (2, 1, 20, 0)], [1], [48, 20]),
        ([(1, 1, 10, 0), (1, 1, 20, 0)], [1], [20, 48]),
        ([(1, 1, 10, 0), (1, 2, 20, 0)], [2], [20, 48]),
        ([(0, 1, 10, 0), (0, 2, 20, 1), (1, 3, 30, 1), (1, 1, 5, 2)], [1, 2, 3], [5, 20]),
    ],
)
async def test_restart(
    open_bench: Any,
    profile: Any,
    tmp_path: Any,
    installs: list[tuple[int, int, float, int]],
    ids: list[int],
    limits: list[float],
) -> None:
    made = [(connector, profile(number, limit, stackLevel=level)) for connector, number, limit, level in installs]
    before, after = await restart_with(open_bench, tmp_path, *made)
    assert before == after == (ids, limits)


@pytest.mark.parametrize(("resumed", "ids", "limits"), [(["s1"], [1, 2], [8, None]), ([], [1], [None, None])])
async def test_a_tx_profile_lives_on_with_its_transaction(
    open_bench: Any,
    until_power_fails: Any,
    profile: Any,
    tmp_path: Any,
    resumed: list[str],
    ids: list[int],
    limits: list[Any],
) -> None:
    relative = {"chargingProfileKind": "Relative", "startSchedule": None}
    steps = [{"startPeriod": 0, "limit": 8}, {"startPeriod": 60, "limit": 12}]
    async with until_power_fails(database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(1)
        await bench.install(1, profile(1, 10, validFrom="2027-01-01T00:00:00Z"))
        await bench.install(1, profile(2, transactionId=1, chargingSchedulePeriod=steps, **TX, **relative))
    async with open_bench(database_path=tmp_path, start=False) as bench:
        assert bench.station.limits == {}, "nobody is told before the start"
        await bench.charge_point.start(resuming_session_ids=resumed)
        assert bench.installed() == ids
        assert bench.limits() == limits
        await trio.sleep(61)
        assert bench.limits() == ([12, None] if resumed else limits)


async def test_a_full_store_is_not_emptied(open_bench: Any, make_config: Any, profile: Any, tmp_path: Any) -> None:
    """G-47: with less room than before, too; only new ones are refused."""
    async with open_bench(database_path=tmp_path) as bench:
        for number in range(1, 6):
            await bench.install(0, profile(number, stackLevel=number))
    document = make_config(SmartCharging__MaxChargingProfilesInstalled=3)
    async with open_bench(database_path=tmp_path, document=document) as bench:
        assert bench.installed() == [1, 2, 3, 4, 5]
        assert await bench.install(0, profile(6, stackLevel=6)) == "Rejected"
        assert await bench.install(0, profile(5, 7, stackLevel=5)) == "Rejected"
        await bench.clear(stackLevel=1)
        await bench.clear(stackLevel=2)
        assert await bench.install(0, profile(5, 7, stackLevel=5)) == "Accepted"


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({}, [1, 2, 3, 4]),
        ({"SmartCharging__ChargeProfileMaxStackLevel": 2}, [1, 2, 3]),
        ({"SmartCharging__ChargingScheduleMaxPeriods": 1}, [1, 3, 4]),
        ({"SmartCharging__ChargingScheduleAllowedChargingRateUnit": "Current"}, [1, 2, 4]),
        ({"Internal__SupportedChargingProfilePurposeTypes": ["TxDefaultProfile"]}, [2, 3, 4]),
        ({"Core__NumberOfConnectors": 1}, [1, 3, 4]),
    ],
)
async def test_what_a_changed_configuration_forbids_is_dropped(
    open_bench: Any, make_config: Any, profile: Any, tmp_path: Any, keys: dict[str, Any], kept: list[int]
) -> None:
    steps = [{"startPeriod": 0, "limit": 8}, {"startPeriod": 60, "limit": 12}]
    async with open_bench(database_path=tmp_path) as bench:
        await bench.install(0, profile(1, 30, **MAX))
        await bench.install(2, profile(2, chargingSchedulePeriod=steps))
        await bench.install(1, profile(3, chargingRateUnit="W"))
        await bench.install(0, profile(4, stackLevel=3))
    for _ in range(2):
        async with open_bench(database_path=tmp_path, document=make_config(**keys)) as bench:
            assert bench.installed() == kept
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.installed() == kept, "what was dropped does not come back"


async def test_a_clock_that_is_not_set_drops_nothing(open_bench: Any, profile: Any, tmp_path: Any) -> None:
    """Powered up without a clock, years ahead: what seems to be over for good may be in force in truth."""
    async with open_bench(database_path=tmp_path) as bench:
        await bench.install(0, profile(1, 10, validTo="2026-01-02T00:00:00Z"))
        await bench.install(0, profile(2, 12, stackLevel=1, validTo="2026-01-01T00:00:30Z"))
    ahead = 2e9
    async with open_bench(database_path=tmp_path, anchor=ahead, start=False) as bench:
        bench.csms.is_reachable = False
        await bench.charge_point.start()
        await trio.sleep(10)
        assert bench.installed() == [1, 2]
    async with open_bench(database_path=tmp_path, anchor=ahead) as bench:
        assert bench.installed() == [1, 2], "the Central System says it is New Year"
        bench.begin()
        assert bench.limits() == [12, None]
    async with open_bench(database_path=tmp_path, anchor=ahead, start=False) as bench:
        bench.csms.standard_answers.now = lambda: 1_767_225_660_000_000
        await bench.charge_point.start()
        await trio.sleep(1)
        assert bench.installed() == [1], "over for good"


async def test_volatile_purposes(
    open_bench: Any, until_power_fails: Any, make_config: Any, profile: Any, tmp_path: Any
) -> None:
    document = make_config(Internal__VolatileChargingProfilePurposes="TxProfile,ChargePointMaxProfile")
    async with until_power_fails(database_path=tmp_path, document=document) as bench:
        bench.begin()
        await trio.sleep(1)
        await bench.install(1, profile(1, 20))
        number = bench.charge_point._runtime.writer.last
        assert await bench.install(0, profile(2, 30, **MAX)) == "Accepted"
        assert await bench.install(1, profile(3, 8, **TX)) == "Accepted"
        assert await bench.install(1, profile(3, 9, **TX)) == "Accepted"
        await trio.sleep(0.01)
        assert bench.limits() == [9, 30]
        assert bench.charge_point._runtime.writer.last == number
        assert await bench.clear(id=3) == "Accepted"
        assert bench.charge_point._runtime.writer.last == number
        assert await bench.install(1, profile(3, 9, **TX)) == "Accepted"
        assert await bench.install(1, profile(1, 9, **TX)) == "Accepted"
        assert bench.charge_point._runtime.writer.last == number + 1, "the stored one that it replaces goes"
    async with open_bench(database_path=tmp_path, document=document, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        assert bench.installed() == []
        assert bench.limits() == [None, None]


async def test_a_purpose_that_has_become_volatile(
    open_bench: Any, make_config: Any, profile: Any, tmp_path: Any
) -> None:
    """What was stored stays so until it is set once more, though it changes nothing else."""
    volatile = make_config(Internal__VolatileChargingProfilePurposes="ChargePointMaxProfile")
    for document, ids in ((None, []), (volatile, [1]), (None, []), (volatile, [1]), (volatile, [])):
        async with open_bench(database_path=tmp_path, document=document) as bench:
            assert bench.installed() == ids
            assert await bench.install(0, profile(1, **MAX)) == "Accepted"


async def test_a_restart_in_the_same_process_tells_what_is_gone(
    open_bench: Any, make_config: Any, profile: Any, tmp_path: Any
) -> None:
    document = make_config(Internal__VolatileChargingProfilePurposes="ChargePointMaxProfile")
    async with open_bench(database_path=tmp_path, document=document) as bench:
        await bench.install(0, profile(1, 10, **MAX))
        await trio.sleep(0.01)
        assert bench.limits() == [10, 10]
        await bench.charge_point.stop()
        await bench.charge_point.restart()
        assert bench.limits() == [None, None]


async def test_what_is_there_already_is_not_written(open_bench: Any, profile: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(1)
        installs = [(0, profile(1, **MAX)), (1, profile(2)), (1, profile(3, **TX))]
        for connector_id, made in installs:
            await bench.install(connector_id, made)
        number, told = bench.charge_point._runtime.writer.last, len(bench.station.asked("charging_limit_changed"))
        for connector_id, made in [*installs, *installs]:
            again = json.loads(json.dumps(made))
            assert await bench.install(connector_id, dict(reversed(again.items()))) == "Accepted"
        await trio.sleep(1)
        assert bench.charge_point._runtime.writer.last == number
        assert len(bench.station.asked("charging_limit_changed")) == told
        await bench.install(2, installs[1][1])
        assert bench.charge_point._runtime.writer.last == number + 1, "the same for another connector is a change"

"""One limit shared among the connectors that charge: their sum never exceeds the total, whatever changes and when."""

from random import Random
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import ChargingLimit
from ocpp16.profiles import charging_limits, limit_sharing
from ocpp16.schedule import Limit
from ocpp16.schedule.sharing import equal, first_come, proportional
from ocpp16.testing.central_system import START, CentralSystem

MAX, TX = {"chargingProfilePurpose": "ChargePointMaxProfile"}, {"chargingProfilePurpose": "TxProfile"}


async def sharing(bench: Any, profile: Any, strategy: Any, fuse: float | None = None, limit: float | None = 30) -> None:
    bench.charge_point.smart_charging.share_limits(strategy, fuse)
    if limit is not None:
        assert await bench.install(0, profile(100, limit, **MAX)) == "Accepted"
        await trio.sleep(0.01)


@pytest.mark.parametrize(
    ("strategy", "limits"), [(None, [20, 30, 30]), (equal, [15, 15, 30]), (first_come, [20, 10, 30])]
)
async def test_strategies(open_bench: Any, make_config: Any, profile: Any, strategy: Any, limits: list[float]) -> None:
    async with open_bench(document=make_config(Core__NumberOfConnectors=3)) as bench:
        await sharing(bench, profile, strategy)
        assert bench.limits() == [30, 30, 30], "nobody charges yet"
        bench.begin(1)
        await trio.sleep(1)
        bench.begin(2, "s2")
        await bench.install(1, profile(1, 20, **TX))
        await bench.install(2, profile(2, 40, **TX))
        await trio.sleep(0.01)
        assert bench.limits() == limits
        assert bench.charge_point.smart_charging.explain_limit(1).limit == 20, "before sharing"
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        assert bench.limits()[1] == 30
        bench.charge_point.smart_charging.share_limits(None)
        assert bench.limits() == [30, 30, 30]


async def test_proportional(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        await sharing(bench, profile, proportional)
        bench.begin(1)
        bench.begin(2, "s2")
        await bench.install(1, profile(1, 20, **TX))
        await bench.install(2, profile(2, 40, **TX))
        await trio.sleep(0.01)
        assert bench.limits() == [10, 20]
        await bench.clear(id=2)
        await trio.sleep(0.01)
        assert bench.limits() == pytest.approx([30 * 20 / 68, 30 * 48 / 68]), "without a profile: the default limit"


@pytest.mark.parametrize(
    ("maximum", "fuse", "limits"), [(None, 32, [16, 16]), (20, 32, [10, 10]), (40, 32, [16, 16]), (None, 0, [0, 0])]
)
async def test_a_fuse(open_bench: Any, profile: Any, maximum: float | None, fuse: float, limits: list[float]) -> None:
    async with open_bench() as bench:
        await sharing(bench, profile, equal, fuse, maximum)
        bench.begin(1)
        assert bench.limits()[0] == min(fuse, maximum or fuse)
        bench.begin(2, "s2")
        assert bench.limits() == limits


@pytest.mark.parametrize(("units", "volts"), [("Current,Power", 1), ("Power,Current", 690)])
async def test_what_all_together_may_is_held_by_the_fuse(
    open_bench: Any, make_config: Any, profile: Any, units: str, volts: float
) -> None:
    document = make_config(SmartCharging__ChargingScheduleAllowedChargingRateUnit=units)
    async with open_bench(document=document) as bench:
        smart_charging = bench.charge_point.smart_charging
        await sharing(bench, profile, None, 32.0, None)
        for maximum, limit in ((None, 32), (40, 32), (20, 20)):
            if maximum is not None:
                await bench.install(0, profile(1, maximum, **MAX))
            assert smart_charging.charging_limit(0).limit == limit * volts
        assert smart_charging.explain_limit(0).limit == 20 * volts, "before sharing"
        smart_charging.share_limits(None)
        await bench.clear(id=1)
        assert smart_charging.charging_limit(0).limit is None


async def test_a_fuse_in_watts(open_bench: Any, make_config: Any, profile: Any) -> None:
    """32 A per phase: three phases are 22080 W; as soon as one connector has one phase only, 7360 W."""
    document = make_config(SmartCharging__ChargingScheduleAllowedChargingRateUnit="Power,Current")
    async with open_bench(document=document) as bench:
        await sharing(bench, profile, equal, 32.0, None)
        bench.begin(1)
        assert bench.limits() == [22080, None]
        bench.begin(2, "s2")
        assert bench.limits() == [11040, 11040]
        one_phase = {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 32, "numberPhases": 1}]}
        await bench.install(2, profile(1, **one_phase, **TX))
        await trio.sleep(0.01)
        assert bench.limits() == [3680, 3680]


async def test_shares_follow_where_the_own_limit_stays(open_bench: Any, profile: Any) -> None:
    """10 A each of 30 A at most; when that falls to 15 A no own limit changes, but the sum is too much."""
    steps = [{"startPeriod": 0, "limit": 30}, {"startPeriod": 3660, "limit": 15}, {"startPeriod": 3720, "limit": 16}]
    async with open_bench() as bench:
        await sharing(bench, profile, equal, None, None)
        await bench.install(0, profile(9, chargingSchedulePeriod=steps, **MAX))
        bench.begin(1)
        bench.begin(2, "s2")
        await bench.install(0, profile(1, 10))
        await trio.sleep(0.01)
        assert bench.limits() == [10, 10]
        until = bench.charge_point.smart_charging.charging_limit(1).until
        assert until.isoformat() == "2026-01-01T00:01:00+00:00"
        await trio.sleep(60)
        assert bench.limits() == [7.5, 7.5]
        await trio.sleep(60)
        assert bench.limits() == [8, 8]


async def test_shares_follow_what_is_wanted_beneath_the_maximum(open_bench: Any, profile: Any) -> None:
    """40 A and then 80 A of 30 A at most: the own limit stays 30 A, and the part of all that is wanted does not."""
    steps = [{"startPeriod": 0, "limit": 40}, {"startPeriod": 3660, "limit": 80}]
    async with open_bench() as bench:
        await sharing(bench, profile, proportional)
        for number in (1, 2):
            bench.begin(number, f"s{number}")
            await bench.install(number, profile(number, 40, **TX))
        await bench.install(1, profile(1, chargingSchedulePeriod=steps, **TX))
        await trio.sleep(0.01)
        assert bench.limits() == [15, 15]
        await trio.sleep(60)
        assert bench.limits() == [20, 10]


@pytest.mark.parametrize("limit", [20, 10])
async def test_until_is_also_when_another_one_wants_something_else(open_bench: Any, profile: Any, limit: float) -> None:
    """What each has stays what it is when that is installed, so nothing is told: too little for both, and enough."""
    later = [{"startPeriod": 0, "limit": limit}, {"startPeriod": 3660, "limit": 40}]
    async with open_bench() as bench:
        await sharing(bench, profile, proportional, None)
        for number in (1, 2):
            bench.begin(number, f"s{number}")
            await bench.install(number, profile(number, limit, **TX))
        await trio.sleep(0.01)
        share = min(limit, 15)
        assert bench.limits() == [share, share]
        await bench.install(2, profile(2, chargingSchedulePeriod=later, **TX))
        await trio.sleep(0.01)
        assert bench.limits() == [share, share]
        until = bench.charge_point.smart_charging.charging_limit(1).until
        assert until is not None
        assert until.isoformat() == "2026-01-01T00:01:00+00:00"
        await trio.sleep(60)
        assert bench.limits()[0] < share


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
async def test_lower_limits_are_told_before_higher_ones(
    open_bench: Any, make_config: Any, profile: Any, order: tuple[int, int, int]
) -> None:
    """At no moment may the connectors that charge draw more than the total."""
    async with open_bench(document=make_config(Core__NumberOfConnectors=3)) as bench:
        await sharing(bench, profile, first_come)
        now: dict[int, float] = {}

        def note(connector_id: int, limit: ChargingLimit) -> None:
            now[connector_id] = limit.limit if limit.limit is not None else 1000.0
            charging = [now.get(number, 0) for number in running]
            if sum(charging) > 30 + 1e-9:
                too_much.append(dict(now))

        running: list[int] = []
        too_much: list[dict[int, float]] = []
        bench.station.answers["charging_limit_changed"] = note
        first, second, third = order
        for number in order:
            bench.begin(number, f"s{number}")
            await trio.sleep(1)
        running += [1, 2, 3]
        for connector_id, limit in ((first, 6), (second, 6), (third, 28), (first, 30), (second, 0), (third, 4)):
            await bench.install(connector_id, profile(connector_id, limit, **TX))
            await trio.sleep(0.01)
        assert too_much == []
        assert bench.station.limits[first].limit == 30


async def test_a_strategy_that_fails(open_bench: Any, profile: Any) -> None:
    def broken(total: float, asked: Any) -> dict[int, float]:
        raise ZeroDivisionError

    async with open_bench() as bench:
        await sharing(bench, profile, broken)
        bench.begin(1)
        bench.begin(2, "s2")
        assert bench.limits() == [15, 15], "equal parts"
        bench.charge_point.smart_charging.share_limits(lambda total, asked: {1: 12.0, 77: 5.0})
        assert bench.limits() == [12, 0], "nothing for whom it forgets"


async def test_sharing_holds_over_a_restart(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        await sharing(bench, profile, equal)
        await bench.charge_point.stop()
        await bench.charge_point.restart()
        bench.begin(1)
        bench.begin(2, "s2")
        assert bench.limits() == [15, 15]


def of_the_host(total: float, demands: Any) -> dict[int, float]:
    """A strategy that is none of ours, which is asked at every change."""
    return equal(total, demands)


@pytest.mark.parametrize("is_much", [False, True])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("strategy", [equal, first_come, proportional, of_the_host])
async def test_whatever_happens_the_total_holds(
    open_bench: Any,
    make_config: Any,
    profile: Any,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    strategy: Any,
    is_much: bool,
) -> None:
    """Cars, profiles and maxima come and go, boundaries pass; after each event all that charges is added up.

    `is_much`: as if that were a large station, whose limits are calculated, and shared out, in several turns.
    """
    if is_much:
        monkeypatch.setattr(charging_limits, "AT_ONCE", 1)
        monkeypatch.setattr(limit_sharing, "MOST_AT_ONCE", 1)
    chance, fuse = Random(seed), 50.0
    async with open_bench(document=make_config(Core__NumberOfConnectors=4)) as bench:
        charge_point = bench.charge_point
        await sharing(bench, profile, strategy, fuse, None)
        was_scarce = 0
        for number in range(120):
            connector_id = chance.randint(1, 4)
            running = charge_point.transaction(connector_id)
            starts = [0, *sorted(chance.sample(range(3600, 5400, 7), 3))]
            steps = {"chargingSchedulePeriod": [{"startPeriod": at, "limit": chance.randint(0, 60)} for at in starts]}
            steps["startSchedule"] = charge_point.for_station.clock.now_datetime().replace(minute=0).isoformat()
            match chance.choice(("car", "default", "tx", "tx", "max", "clear", "wait", "wait", "wait")):
                case "car" if running is None:
                    bench.begin(connector_id, f"s{number}")
                case "car":
                    charge_point.on_transaction_stopped(connector_id, running.session_id, Reason.LOCAL, 1500)
                case "default":
                    await bench.install(chance.choice((0, connector_id)), profile(number, **steps))
                case "tx" if running is not None:
                    await bench.install(connector_id, profile(number, **TX, **steps))
                case "max":
                    await bench.install(0, profile(number, **MAX, **steps))
                case "clear":
                    await bench.clear(connectorId=chance.choice((0, connector_id)))
                case _:
                    await trio.sleep(chance.randint(1, 600))
            await trio.sleep(0.01)
            charging = [one for one in range(1, 5) if charge_point.transaction(one) is not None]
            limits = [bench.station.limits[one].limit for one in charging]
            assert None not in limits
            maximum = charge_point.smart_charging.charging_limit(0).limit
            total = fuse if maximum is None else min(fuse, maximum)
            assert sum(limits) <= total * (1 + 1e-9)
            for one, limit in zip(charging, limits, strict=True):
                assert limit <= charge_point.smart_charging.explain_limit(one).limit * (1 + 1e-9)
            if charging:
                wanted = sum(_wanted(charge_point.smart_charging.explain_limit(one)) for one in charging)
                was_scarce += wanted > total
                assert sum(limits) == pytest.approx(min(total, wanted), abs=1e-6), "nothing is left over"
        assert was_scarce > 10


def _wanted(limit: Limit) -> float:
    """What a connector would take if there were enough; without a profile the default limit."""
    return 48.0 if limit.transaction_limit is None else limit.transaction_limit.converted_limit


def told_to(bench: Any) -> list[tuple[int, float | None]]:
    """From now on, what the station is told: connector and limit."""
    told: list[tuple[int, float | None]] = []
    bench.station.answers["charging_limit_changed"] = lambda number, limit: told.append((number, limit.limit))
    return told


@pytest.mark.parametrize("strategy", [equal, first_come, proportional])
async def test_while_there_is_enough_a_change_is_told_to_one(
    open_bench: Any, make_config: Any, profile: Any, strategy: Any
) -> None:
    """Three of ten get 48 A each of 150 A; a fourth makes it too little, its end enough again."""
    async with open_bench(document=make_config(Core__NumberOfConnectors=10)) as bench:
        await sharing(bench, profile, strategy, None, 150)
        told = told_to(bench)
        for number in (1, 2, 3):
            bench.begin(number, f"s{number}")
            await trio.sleep(1)
        assert told == [(1, 48), (2, 48), (3, 48)]
        bench.begin(4, "s4")
        shared = bench.limits()[:4]
        assert sum(shared) == pytest.approx(150)
        told.clear()
        bench.charge_point.on_transaction_stopped(4, "s4", Reason.LOCAL, 1500)
        assert bench.limits() == [48, 48, 48, *[150] * 7]
        assert {number for number, _ in told} <= {1, 2, 3, 4}
        bench.charge_point.smart_charging.share_limits(None)
        assert bench.limits() == [150] * 10


async def test_what_comes_in_one_turn_is_shared_out_once(open_bench: Any, make_config: Any, profile: Any) -> None:
    """Two hundred cars at once under 1000 A: nobody has too much at any moment, and the strategy is asked seldom."""
    asked: list[int] = []

    def counted(total: float, demands: Any) -> dict[int, float]:
        asked.append(len(demands))
        return equal(total, demands)

    async with open_bench(document=make_config(Core__NumberOfConnectors=200)) as bench:
        await sharing(bench, profile, counted, None, 1000)
        given: dict[int, float] = {}

        def note(number: int, limit: ChargingLimit) -> None:
            assert limit.limit is not None
            given[number] = limit.limit
            assert sum(given[one] for one in running if one in given) <= 1000 * (1 + 1e-9)

        running: set[int] = set()
        bench.station.answers["charging_limit_changed"] = note
        for number in range(1, 201):
            bench.begin(number, f"s{number}")
            running.add(number)
        assert bench.limits()[199] < 5, "the last ones wait for the end of the turn"
        await trio.sleep(0.01)
        assert bench.limits() == [5] * 200
        assert sum(asked) < 1500
        asked.clear()
        for number in range(1, 101):
            running.discard(number)
            bench.charge_point.on_transaction_stopped(number, f"s{number}", Reason.LOCAL, 1500)
        await trio.sleep(0.01)
        assert bench.limits() == [1000] * 100 + [10] * 100
        assert sum(asked) < 1500


async def test_who_came_first_by_a_clock_that_was_ahead_came_first(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, anchor=START / 1e6 + 86_400) as bench:
        bench.charge_point.smart_charging.share_limits(first_come, 20)
        bench.begin(1)
        await trio.sleep(10)
        csms.is_reachable = True
        await trio.sleep(60)
        bench.begin(2, "s2")
        await trio.sleep(1)
        assert bench.limits() == [20, 0]

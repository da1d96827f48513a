"""What is enforced: limits change in their second without a message, whatever clock, connection and station do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import ChargingLimit
from ocpp16.observer import ChargingLimitChanged, ChargingProfilesChanged
from ocpp16.testing.central_system import START, CentralSystem

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
TX, MAX = {"chargingProfilePurpose": "TxProfile"}, {"chargingProfilePurpose": "ChargePointMaxProfile"}
RELATIVE = {"chargingProfileKind": "Relative", "startSchedule": None}
DAILY = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}


def at(seconds: float) -> datetime:
    return NEW_YEAR + timedelta(seconds=seconds)


def steps(*periods: tuple[int, float]) -> dict[str, Any]:
    return {"chargingSchedulePeriod": [{"startPeriod": start, "limit": limit} for start, limit in periods]}


class Log:
    """What a station is told of connector 1, with the second in which it is."""

    def __init__(self, bench: Any) -> None:
        self.seen: list[tuple[int, float | None]] = []
        self._began = trio.current_time()
        bench.station.answers["charging_limit_changed"] = self._note
        self._zero = bench.charge_point.for_station.clock.now() - START

    def _note(self, connector_id: int, limit: ChargingLimit) -> None:
        if connector_id == 1:
            second = (self._zero / 1e6) + trio.current_time() - self._began
            assert abs(second - round(second)) < 1e-4 or not self.seen, f"told at {second}"
            self.seen.append((round(second), limit.limit))


@pytest.mark.parametrize(
    ("members", "seen"),
    [
        (steps((0, 6), (3605, 7), (3610, 8)), [(1, 6), (5, 7), (10, 8)]),
        ({"duration": 3610, **steps((0, 6))}, [(1, 6), (10, None)]),
        ({"validTo": "2026-01-01T00:00:20Z"}, [(1, 16), (20, None)]),
        ({"validFrom": "2026-01-01T00:00:07Z", "validTo": "2026-01-01T00:00:09.9Z"}, [(7, 16), (9, None)]),
        ({"startSchedule": "2026-01-01T00:01:00Z", "duration": 60}, [(60, 16), (120, None)]),
        ({"startSchedule": "2026-01-01T03:00:30+03:00"}, [(30, 16)]),
        ({**DAILY, "duration": 3605}, [(1, 16), (5, None), (82800, 16), (86405, None), (169200, 16), (172805, None)]),
        ({**RELATIVE, **steps((0, 6), (100, 7))}, [(1, 6), (100, 7)]),
        ({"startSchedule": "2026-01-03T00:00:00Z"}, [(172800, 16)]),
        (steps((0, 6), (3605, 6), (3610, 8)), [(1, 6), (10, 8)]),
        (steps((0, 48), (3605, 0)), [(1, 48), (5, 0)]),
        # As high as CompositeScheduleDefaultLimitAmps, which limits nobody: it binds all the same.
        ({"startSchedule": "2026-01-01T00:01:00Z", "duration": 60, **steps((0, 48))}, [(60, 48), (120, None)]),
        ({"validTo": "2026-01-01T00:00:20Z", **steps((0, 48))}, [(1, 48), (20, None)]),
    ],
)
async def test_a_limit_changes_in_its_second(
    open_bench: Any, profile: Any, members: dict[str, Any], seen: list[Any]
) -> None:
    async with open_bench() as bench:
        await trio.sleep(0.4)
        bench.begin()
        await trio.sleep(0.4)
        log = Log(bench)
        await bench.install(1, profile(1, **members))
        requests = len(bench.csms.calls("StartTransaction"))
        for _ in range(50):
            await trio.sleep(3600)
        assert log.seen == seen
        assert len(bench.csms.calls("StartTransaction")) == requests
        told = [(event.connector_id, event.limit.limit) for event in bench.events.of(ChargingLimitChanged)]
        assert told == [(1, limit) for _, limit in seen], "the observer is told the same"


async def test_what_a_connector_may_draw_now_and_until_when(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        ask = bench.charge_point.smart_charging.charging_limit
        assert [ask(number) for number in (0, 1, 2)] == [ChargingLimit(None, "A", None, None)] * 3
        periods = [{"startPeriod": 0, "limit": 10, "numberPhases": 1}, {"startPeriod": 3660, "limit": 12}]
        await bench.install(0, profile(1, chargingSchedulePeriod=periods))
        assert ask(1) == ChargingLimit(None, "A", None, None), "without a transaction it binds nobody"
        bench.begin()
        assert ask(1) == bench.station.limits[1] == ChargingLimit(10, "A", 1, at(60))
        await bench.install(0, profile(2, 8, validTo="2026-01-01T00:00:30Z", **MAX))
        await trio.sleep(0.01)
        assert ask(0) == ChargingLimit(8, "A", None, at(30))
        assert ask(1) == ChargingLimit(8, "A", 1, at(30))
        assert ask(2) == ChargingLimit(8, "A", None, at(30)), "the maximum is for everybody"
        await trio.sleep(60)
        assert ask(1) == ChargingLimit(12, "A", None, None)
        assert ask(2) == ask(0) == ChargingLimit(None, "A", None, None)
        with pytest.raises(ValueError, match="no connector 3"):
            ask(3)


async def test_the_unit_is_the_first_allowed(open_bench: Any, make_config: Any, profile: Any) -> None:
    document = make_config(SmartCharging__ChargingScheduleAllowedChargingRateUnit="Power,Current")
    async with open_bench(document=document) as bench:
        assert bench.charge_point.smart_charging.charging_limit(1) == ChargingLimit(None, "W", None, None)
        bench.begin()
        await bench.install(1, profile(1, 10))
        await trio.sleep(0.01)
        assert bench.station.limits[1][:2] == (6900, "W")
        for key, value, limit in (
            ("SupplyVoltage", "240", 7200),
            ("CompositeScheduleDefaultNumberPhases", "1", 2400),
            ("SupplyVoltage", "1", 10),
        ):
            assert await bench.charge_point.configuration.set(key, value) == "Accepted"
            assert bench.station.limits[1].limit == limit
        for key in ("SupplyVoltage", "CompositeScheduleDefaultNumberPhases"):
            assert await bench.charge_point.configuration.set(key, "0") == "Rejected"


async def test_a_transaction_brings_the_default_and_its_end_takes_it(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        await bench.install(0, profile(1, 10))
        await bench.install(0, profile(2, 30, **MAX))
        await trio.sleep(0.01)
        assert bench.limits() == [30, 30]
        bench.begin()
        assert bench.limits() == [10, 30]
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        assert bench.limits() == [30, 30]


def tell_time(csms: CentralSystem, shift: float) -> None:
    """The Central System's clock goes on `shift` seconds beside the real one."""
    zero = trio.current_time() - csms._default_now() / 1e6
    csms.standard_answers.now = lambda: round((trio.current_time() - zero + shift) * 1e6)


async def test_the_clock_is_set(open_bench: Any, profile: Any) -> None:
    """Forwards beyond a boundary, back before it, and by a Heartbeat as by a boot."""
    beat, boot = {"requestedMessage": "Heartbeat"}, {"requestedMessage": "BootNotification"}
    async with open_bench() as bench:
        bench.begin()
        await bench.install(1, profile(1, **steps((0, 6), (3600 + 600, 7), (3600 + 1200, 8))))
        for shift, trigger, limit, left in ((700, beat, 7, 500), (-100, boot, 6, 700), (5000, boot, 8, None)):
            tell_time(bench.csms, shift)
            before = trio.current_time()
            await bench.call("TriggerMessage", trigger)
            await trio.sleep(0.01)
            assert trio.current_time() - before < 0.1
            assert bench.limits() == [limit, None]
            until = bench.charge_point.smart_charging.charging_limit(1).until
            if left is None:
                assert until is None
            else:
                assert abs((until - bench.charge_point.for_station.clock.now_datetime()).total_seconds() - left) < 2
        tell_time(bench.csms, 0)
        await bench.call("TriggerMessage", beat)
        await trio.sleep(0.01)
        assert bench.limits() == [6, None]
        await trio.sleep(598)
        assert bench.limits() == [6, None]
        await trio.sleep(2)
        assert bench.limits() == [7, None]


async def test_a_start_by_a_wrong_clock(open_bench: Any, profile: Any) -> None:
    """A transaction of before the clock was set: Relative counts from its true start."""
    async with open_bench(start=False, anchor=86400.0) as bench:
        bench.csms.is_reachable = False
        await bench.charge_point.start()
        await trio.sleep(1)
        bench.begin()
        await trio.sleep(100)
        bench.csms.is_reachable = True
        await bench.csms.wait_for_call("StartTransaction")
        await trio.sleep(1)
        assert await bench.install(1, profile(1, **RELATIVE, **TX, **steps((0, 6), (300, 7)))) == "Accepted"
        since = trio.current_time() - 1
        await trio.sleep(299 - since)
        assert bench.limits() == [6, None]
        await trio.sleep(2)
        assert bench.limits() == [7, None]


async def test_ignored_purposes_count_only_online(open_bench: Any, make_config: Any, profile: Any) -> None:
    """At once, both ways, for the station's own schedules too; but nothing is told where nothing changes."""
    document = make_config(Internal__IgnoredProfilePurposesOffline="ChargePointMaxProfile, TxProfile")
    async with open_bench(document=document) as bench:
        bench.begin()
        await bench.install(0, profile(1, 10))
        await bench.install(0, profile(2, 8, **MAX))
        await bench.install(1, profile(3, 6, **TX))

        async def look() -> tuple[Any, ...]:
            await trio.sleep(0.01)
            schedules = bench.charge_point.smart_charging.get_all_enhanced_composite_charging_schedules(60)
            shown = [schedules[number].steps[0].limit for number in (0, 1, 2)]
            asked = bench.station.asked("signal_set_charging_profiles")
            return bench.limits(), shown, len(asked), len(bench.events.of(ChargingProfilesChanged))

        limits, shown, asked, changed = await look()
        assert (limits, shown) == ([6, 8], [8, 6, 8])
        bench.charge_point.connection.disconnect()
        await bench.csms.wait_disconnected("cp001")
        assert await look() == ([10, None], [20, 10, 10], asked + 1, changed + 1)
        bench.charge_point.connection.connect()
        await bench.csms.wait_connected("cp001")
        await trio.sleep(1)
        assert await look() == ([6, 8], [8, 6, 8], asked + 2, changed + 2)
        await bench.charge_point.configuration.set("IgnoredProfilePurposesOffline", "")
        bench.charge_point.connection.disconnect()
        await bench.csms.wait_disconnected("cp001")
        assert await look() == ([6, 8], [8, 6, 8], asked + 2, changed + 2)
        await bench.charge_point.configuration.set("IgnoredProfilePurposesOffline", "TxProfile")
        assert await look() == ([8, 8], [8, 8, 8], asked + 3, changed + 3)
        for wrong in ("TxProfile,Nothing", "Tx"):
            assert await bench.charge_point.configuration.set("IgnoredProfilePurposesOffline", wrong) == "Rejected"


async def test_before_the_boot_is_accepted_it_is_offline(open_bench: Any, make_config: Any, profile: Any) -> None:
    document = make_config(Internal__IgnoredProfilePurposesOffline="ChargePointMaxProfile")
    csms = CentralSystem()
    async with open_bench(document=document, csms=csms) as bench:
        await bench.install(0, profile(1, 8, **MAX))
        await trio.sleep(0.01)
        csms.refuse_boot("Pending", interval=60)
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(1)
        assert bench.charge_point.connection.is_connected
        assert bench.limits() == [None, None]
        await trio.sleep(60)
        assert bench.limits() == [8, 8]


async def test_a_broken_station_stops_nothing(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        bench.station.answers["charging_limit_changed"] = RuntimeError("no contactor")
        bench.station.answers["signal_set_charging_profiles"] = RuntimeError("no memory")
        bench.begin()
        assert await bench.install(0, profile(1, **steps((0, 6), (3610, 7)))) == "Accepted"
        await trio.sleep(11)
        assert bench.limits() == [7, None], "it was told each of them"
        assert await bench.clear() == "Accepted"
        bench.station.answers["signal_set_charging_profiles"] = None
        bench.station.delays["signal_set_charging_profiles"] = 100.0
        assert await bench.install(1, profile(1, 9)) == "Accepted"
        await trio.sleep(0.01)
        assert bench.limits() == [9, None]
        assert bench.charge_point.connection.is_connected


async def test_a_station_that_reacts_at_once_ends_with_what_is_in_force(open_bench: Any, profile: Any) -> None:
    """Told of connector 1 it ends the transaction of connector 2, whose old limit must not come after the new one."""
    async with open_bench() as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        await trio.sleep(1)

        def react(connector_id: int, limit: ChargingLimit) -> None:
            if connector_id == 1 and bench.charge_point.transaction(2) is not None:
                bench.charge_point.on_transaction_stopped(2, "s2", Reason.LOCAL, 1500)

        bench.station.answers["charging_limit_changed"] = react
        await bench.install(0, profile(1, 10))
        await trio.sleep(0.01)
        assert bench.limits() == [10, None]
        assert bench.charge_point.smart_charging.charging_limit(2).limit is None


async def test_at_the_start_every_connector_is_told_once(open_bench: Any, profile: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.station.asked("charging_limit_changed") == [
            (1, ChargingLimit(None, "A", None, None)),
            (2, ChargingLimit(None, "A", None, None)),
        ]
        assert bench.events.of(ChargingLimitChanged) == []
        await bench.install(0, profile(1, 10, **MAX))
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.limits() == [10, 10]
        assert len(bench.station.asked("charging_limit_changed")) == 2
        assert len(bench.events.of(ChargingLimitChanged)) == 2
        await bench.charge_point.stop()
        await trio.sleep(80000)
        assert len(bench.station.asked("charging_limit_changed")) == 2


async def test_ends_that_were_put_off_have_a_bound_and_hide_no_other(open_bench: Any, profile: Any) -> None:
    """Each new profile ends at another time, and those of before are of no use: the last end of all counts."""

    def ending(number: int, seconds: int) -> Any:
        return profile(number, chargingSchedulePeriod=[{"startPeriod": 0, "limit": 10}], duration=3600 + seconds)

    async with open_bench() as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        await bench.install(1, ending(1, 7200))
        limits, most = bench.charge_point._runtime.features.smart_charging.limits, 0
        for end in range(3600, 1600, -10):
            await bench.install(2, ending(2, end))
            if len(limits._boundaries) < most:
                break  # those of before are gone, just now
            most = len(limits._boundaries)
        assert most < 100
        assert bench.limits() == [10, 10]
        await trio.sleep(end - 10)
        assert bench.limits() == [10, 10]
        await trio.sleep(10)
        assert bench.limits() == [10, None]

"""Meter reports that a cost asked for: at a time, a register, a power, a status; also over a restart."""

from pathlib import Path
from typing import Any

import pytest
import trio
from pricing import cost, opened, others, transfer

from ocpp16.enums import Reason
from ocpp16.models import PhaseValues
from ocpp16.store.tables.jobs import JobRow, put
from ocpp16.testing.stations import DisplayingStation

ENERGY = {"Energy.Active.Import.Register"}
BOTH = {*ENERGY, "Power.Active.Import"}


async def started(bench: Any, energy: float = 1000, power: float | None = None) -> None:
    bench.begin()
    tell(bench, energy, power)
    await trio.sleep(0.5)


def tell(bench: Any, energy: float = 1000, power: float | None = None) -> None:
    values = {} if power is None else {"power": PhaseValues(power)}
    bench.charge_point.on_meter_values(1, bench.measure(1, energy, **values))


async def want(bench: Any, **members: Any) -> None:
    assert await transfer(bench, "RunningCost", cost(triggerMeterValue=members)) == ("Accepted", None)


@pytest.mark.parametrize("offset", ["+02:00", "-03:30"])
async def test_at_a_time(open_bench: Any, make_config: Any, offset: str) -> None:
    """It is that of the clock, whatever a driver's clock shows; once."""
    async with opened(open_bench, make_config, TimeOffset=offset) as bench:
        await started(bench)
        await want(bench, atTime="2026-01-01T00:10:00Z")
        await trio.sleep(590)
        assert others(bench) == []
        await trio.sleep(20)
        assert others(bench) == [ENERGY]
        value = bench.sent("MeterValues")[-1]
        assert value["connectorId"] == 1
        await want(bench, atTime="2026-01-01T00:10:00Z")
        await trio.sleep(30)
        assert others(bench) == [ENERGY], "the same time once more is a repeat"


@pytest.mark.parametrize(("at", "reports"), [("00:09:50", 1), ("00:06:00", 1), ("00:04:00", 0)])
async def test_at_a_time_that_has_passed(open_bench: Any, make_config: Any, at: str, reports: int) -> None:
    """At once, if it has only just passed."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await trio.sleep(600)
        await want(bench, atTime=f"2026-01-01T{at}Z")
        await trio.sleep(1)
        assert others(bench) == [ENERGY] * reports


async def test_a_time_follows_the_clock(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await want(bench, atTime="2026-01-01T01:00:00Z")
        await bench.put_clock(3500)
        assert others(bench) == []
        await trio.sleep(110)
        assert others(bench) == [ENERGY]


async def test_at_a_register(open_bench: Any, make_config: Any) -> None:
    """Once, at every digit of it; the power is looked at with the next reading."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await want(bench, atEnergykWh=1.2345, atPowerkW=7)
        for energy in (1200, 1234.4):
            tell(bench, energy)
            await trio.sleep(1.1)
        assert others(bench) == []
        tell(bench, 1234.5, 7000)
        await trio.sleep(1.1)
        assert others(bench) == [ENERGY]
        tell(bench, 1300, 7000)
        await trio.sleep(1.1)
        assert others(bench) == [ENERGY, BOTH]
        tell(bench, 1400, 7000)
        await trio.sleep(10)
        assert others(bench) == [ENERGY, BOTH]


async def test_at_a_power(open_bench: Any, make_config: Any) -> None:
    """With the first reading, and when it has crossed the threshold by 5 %."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await want(bench, atPowerkW=7.35)
        expected = 0
        for watts, is_reported in (
            (7000, True),
            (7350, False),
            (7717.4, False),
            (7717.5, True),
            (7000, False),
            (6982.6, False),
            (6982.5, True),
            (0, False),
            (11_000, True),
            (22_000, False),
        ):
            tell(bench, 1000, watts)
            await trio.sleep(1.1)
            expected += is_reported
            assert others(bench) == [BOTH] * expected, watts


async def test_a_reported_power_outlives_a_new_cost(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await want(bench, atPowerkW=7)
        tell(bench, 1000, 7400)
        await trio.sleep(1.1)
        await want(bench, atPowerkW=5)
        tell(bench, 1000, 7400)
        await trio.sleep(1.1)
        assert others(bench) == [BOTH]
        tell(bench, 1000, 4000)
        await trio.sleep(1.1)
        assert others(bench) == [BOTH, BOTH]


async def test_no_power_at_all_is_no_storm(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench, 1000, 0)
        await want(bench, atPowerkW=0)
        for _ in range(10):
            tell(bench, 1000, 0)
            await trio.sleep(1.1)
        assert others(bench) == [BOTH]


async def test_at_a_status(open_bench: Any, make_config: Any) -> None:
    """Each time the connector comes into one of them; statuses that nobody knows are passed over."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        bench.charge_point.on_resume_charging(1)
        await want(bench, atCPStatus=["SuspendedEV", "Charging", "Asleep"])
        await trio.sleep(0.5)
        assert others(bench) == [], "it is Charging already"
        bench.charge_point.on_suspend_charging_ev(1)
        await trio.sleep(0.5)
        assert others(bench) == [ENERGY]
        bench.charge_point.on_suspend_charging_evse(1)
        await trio.sleep(0.5)
        assert others(bench) == [ENERGY]
        bench.charge_point.on_resume_charging(1)
        await trio.sleep(0.5)
        assert others(bench) == [ENERGY, ENERGY]


async def test_what_a_new_cost_does_not_name_is_removed(open_bench: Any, make_config: Any) -> None:
    """All but a time, which another time takes the place of."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        bench.charge_point.on_resume_charging(1)
        await want(
            bench,
            atEnergykWh=2,
            atPowerkW=1,
            atCPStatus=["SuspendedEV"],
            atTime="2026-01-01T00:10:00Z",
        )
        assert await transfer(bench, "RunningCost", cost()) == ("Accepted", None)
        tell(bench, 3000, 5000)
        bench.charge_point.on_suspend_charging_ev(1)
        await trio.sleep(10)
        assert others(bench) == []
        await want(bench, atTime="2026-01-01T00:20:00Z")
        await trio.sleep(800)
        assert others(bench) == []
        await trio.sleep(400)
        assert others(bench) == [ENERGY]


async def test_a_meter_that_is_only_asked(open_bench: Any, make_config: Any) -> None:
    """A station that tells no readings is asked for them."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await want(bench, atEnergykWh=1.5)
        bench.measure(1, 1499)
        await trio.sleep(10)
        assert others(bench) == []
        bench.measure(1, 1500)
        await trio.sleep(10)
        assert others(bench) == [ENERGY]


async def test_a_central_system_that_wants_what_is_due_makes_no_storm(open_bench: Any, make_config: Any) -> None:
    """It answers each report with a register that was reached long ago, or the present time."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)

        async def again() -> None:
            now = bench.charge_point.for_station.clock.now_datetime().isoformat()
            await want(bench, atEnergykWh=1, atTime=now)

        def answer(payload: Any, call: Any) -> dict[str, Any]:
            bench.csms.start_soon(again)
            return {}

        bench.csms.answers["MeterValues"] = answer
        await again()
        await trio.sleep(60)
        assert 5 <= len(others(bench)) <= 62
        del bench.csms.answers["MeterValues"]
        await trio.sleep(2)


async def test_the_end_of_the_transaction_ends_all(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await want(bench, atEnergykWh=2, atPowerkW=1, atCPStatus=["Finishing"], atTime="2026-01-01T00:10:00Z")
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        await trio.sleep(1)
        bench.begin(1, "s2", "TAG2")
        tell(bench, 3000, 9000)
        await trio.sleep(700)
        assert others(bench) == others(bench, 2) == others(bench, None) == []


async def test_what_a_refused_cost_asks_for_is_not_done(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        bench.station.answers["session_cost"] = RuntimeError("no display")
        await transfer(bench, "RunningCost", cost(triggerMeterValue={"atEnergykWh": 1.1}))
        tell(bench, 2000)
        await trio.sleep(10)
        assert others(bench) == []


async def test_a_meter_without_readings(open_bench: Any, make_config: Any) -> None:
    """Nothing is sent, and nothing breaks."""
    async with opened(open_bench, make_config) as bench:
        bench.begin()
        await trio.sleep(0.5)
        await want(bench, atTime="2026-01-01T00:01:00Z", atEnergykWh=1, atPowerkW=1)
        await trio.sleep(120)
        assert others(bench) == []
        assert bench.charge_point.counters.internal_errors == 0


async def test_a_full_disk(open_bench: Any, make_config: Any, disk: Any) -> None:
    """What cannot be stored is Rejected, and not in force."""
    options = {"store": disk}
    async with opened(open_bench, make_config, options=options, Internal__StoreTimeout=5) as bench:
        await started(bench)
        disk.is_full = True
        wanted = cost(triggerMeterValue={"atEnergykWh": 1.1})
        assert (await transfer(bench, "RunningCost", wanted))[0] == "Rejected"
        disk.is_full = False
        tell(bench, 1200)
        await trio.sleep(30)
        assert others(bench) == []
        assert await transfer(bench, "RunningCost", wanted) == ("Accepted", None)
        await trio.sleep(30)
        assert others(bench) == [ENERGY]


async def test_a_time_that_comes_while_a_cost_is_stored(open_bench: Any, make_config: Any, disk: Any) -> None:
    """It was reported: the cost that kept it does not have it reported once more."""
    async with opened(open_bench, make_config, options={"store": disk}) as bench:
        await started(bench)
        await want(bench, atTime="2026-01-01T00:01:00Z")
        await trio.sleep(57)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(transfer, bench, "RunningCost", cost(triggerMeterValue={"atEnergykWh": 50}))
            await trio.sleep(4)
            disk.is_full = False
        await trio.sleep(60)
        assert others(bench) == [ENERGY]


async def test_over_a_power_cut(open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path) -> None:
    """What was accepted is there in the next start, with the power that was reported; a time that came meanwhile is
    reported then."""
    path = tmp_path / "db"
    options: dict[str, Any] = {"database_path": path}
    async with opened(until_power_fails, make_config, options=options) as bench:
        await started(bench, 1000, 7000)
        await want(bench, atTime="2026-01-01T00:01:00Z", atEnergykWh=1.5, atPowerkW=6, atCPStatus=["SuspendedEV"])
        tell(bench, 1000, 7000)
        await trio.sleep(1)
        assert others(bench) == [BOTH]
    options = {"database_path": path, "start": False, "anchor": 1_767_225_600 + 120}
    async with opened(open_bench, make_config, options=options) as bench:
        bench.measure(1, 1100, power=PhaseValues(7000))
        bench.csms.standard_answers.now = lambda: 1_767_225_720_000_000 + round(trio.current_time() * 1e6)
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(5)
        assert others(bench) == [ENERGY], "the time"
        tell(bench, 1500, 7000)
        await trio.sleep(2)
        assert others(bench) == [ENERGY] * 2, "the register"
        bench.charge_point.on_resume_charging(1)
        bench.charge_point.on_suspend_charging_ev(1)
        await trio.sleep(2)
        assert others(bench) == [ENERGY] * 3, "the status"
        tell(bench, 1600, 1000)
        await trio.sleep(2)
        assert others(bench) == [*[ENERGY] * 3, BOTH], "the power"


async def test_of_a_session_that_does_not_go_on(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"database_path": tmp_path / "db"}
    async with opened(until_power_fails, make_config, options=options) as bench:
        await started(bench)
        await want(bench, atEnergykWh=1.5)
    async with opened(open_bench, make_config, options=options) as bench:
        tell(bench, 2000)
        await trio.sleep(30)
        assert others(bench) == []
        assert await transfer(bench, "FinalCost", cost()) == ("Accepted", None)


async def test_stored_rows_that_nobody_can_read(open_bench: Any, make_config: Any, disk: Any) -> None:
    """They are told and left out; the start goes on."""
    states: list[dict[str, Any]] = [
        {},
        {"connector": 0, "session": "s", "transaction": 1, "ended": 5, "isPlugged": True, "unplugged": None},
        {"connector": 1, "session": "", "transaction": 1, "ended": 5, "isPlugged": True, "unplugged": None},
        {"connector": 1, "session": "s", "transaction": "x", "ended": 5, "isPlugged": True, "unplugged": None},
        {"connector": 1, "session": "s", "transaction": 1, "ended": 5, "isPlugged": True, "unplugged": [1]},
        {"connector": 1, "session": "s", "transaction": 1, "ended": 5, "isPlugged": True, "unplugged": None}
        | {"triggers": {"energy": "much"}},
        {"connector": 1, "session": "s", "transaction": 1, "ended": 5, "isPlugged": True, "unplugged": None}
        | {"triggers": {"atTime": "soon"}},
        {"connector": 1, "session": "s", "transaction": 1, "ended": 5, "isPlugged": True, "unplugged": None}
        | {"triggers": []},
        *(
            {"connector": 1, "session": "s", "transaction": 1, "ended": None, "isPlugged": False, "unplugged": None}
            | {"triggers": {}, "known": {"cost": "1", "price": None, "register": "1", "at": 1, **wrong}}
            for wrong in ({"cost": 1}, {"cost": "NaN"}, {"register": "x"}, {"at": None}, {"price": ["1"] * 4})
        ),
    ]
    rows = [put(JobRow(f"priced session 1 {number}", state)) for number, state in enumerate(states)]
    disk.apply([("cp001", rows)])
    async with opened(open_bench, make_config, options={"store": disk, "station": DisplayingStation()}) as bench:
        assert bench.charge_point.counters.internal_errors == len(states)
        await started(bench)
        assert await transfer(bench, "RunningCost", cost()) == ("Accepted", None)

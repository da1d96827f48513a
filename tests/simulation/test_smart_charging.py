"""Charging limits and the station: real charge point, Central System, virtual clock; what flows, and what is told."""

from pathlib import Path
from typing import Any

import pytest
import trio
from power_cut import contents, put_back
from trio.testing import MockClock


async def test_a_limit_is_followed_within_a_second_and_lifted(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        await here.charge()
        assert here.amperes == [32.0, 0.0]
        await here.set(1, here.profile("tx", (0, 10)))
        await trio.sleep(0.9)
        assert here.amperes == [10.0, 0.0]
        status = await here.commands.run("status")
        assert [connector["limit"] for connector in status["connectors"]] == [10.0, None]
        await here.clear(id=3)
        await trio.sleep(0.9)
        assert here.amperes == [32.0, 0.0]
        assert here.statuses() == ["1 Preparing", "1 Charging"]
        told = [(event["connector"], event["limit"], event["unit"]) for event in here.events("charging_limit")]
        assert told == [(1, 10.0, "A"), (1, None, "A")]
        assert len(here.events("charging_profiles")) == 2


async def test_what_is_offered_is_metered(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        await here.csms.call(
            "cp001", "ChangeConfiguration", {"key": "MeterValuesSampledData", "value": "Current.Offered,Power.Offered"}
        )
        await here.charge()
        await here.set(1, here.profile("tx", (0, 10)))
        await here.csms.call("cp001", "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        values = await here.csms.wait_for_call("MeterValues")
        assert [value["value"] for value in values.payload["meterValue"][0]["sampledValue"]] == ["10.00", "6900.00"]


async def test_zero_suspends_and_a_cleared_zero_resumes(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        await here.charge()
        await here.set(0, here.profile("max", (0, 0)))
        await trio.sleep(0.9)
        assert here.amperes == [0.0, 0.0]
        await here.charge(2)
        assert here.amperes == [0.0, 0.0]
        await here.clear(id=1)
        await trio.sleep(0.9)
        assert here.amperes == [32.0, 32.0]
        assert here.statuses() == [
            *["1 Preparing", "1 Charging", "1 SuspendedEVSE", "2 Preparing", "2 SuspendedEVSE"],
            *["1 Charging", "2 SuspendedEV", "2 Charging"],  # the second car first has to begin
        ]


async def test_a_default_binds_from_the_start_and_nobody_before(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        await here.set(0, here.profile("default", (0, 13)))
        assert await here.commands.run("charging_limit", {"connector": 1}) == {
            "limit": None,
            "unit": "A",
            "phases": None,
            "until": None,
        }
        await here.charge()
        assert here.amperes == [13.0, 0.0]
        here.station.unplug(1)
        assert (await here.commands.run("charging_limit", {"connector": 1}))["limit"] is None


@pytest.mark.parametrize(
    ("limit", "unit", "phases", "units", "amperes", "kilowatts"),
    [
        (11_040.0, "W", None, "Power,Current", 16.0, 11.04),
        (11_040.0, "W", None, "Current,Power", 16.0, 11.04),
        (3_680.0, "W", 1, "Power,Current", 16.0, 3.68),
        (16.0, "A", 1, "Current,Power", 16.0, 3.68),
        (4_600.0, "W", 2, "Power", 10.0, 4.6),
        (16.0, "A", 3, "Power,Current", 16.0, 11.04),
        (50.0, "A", None, "Current,Power", 32.0, 22.08),
    ],
)
async def test_watts_and_phases(
    autojump_clock: MockClock,
    site: Any,
    limit: float,
    unit: str,
    phases: int | None,
    units: str,
    amperes: float,
    kilowatts: float,
) -> None:
    async with site(units=units) as here:
        await here.set(1, here.profile("default", (0, limit), unit=unit, phases=phases))
        await here.charge(phases=3)
        assert here.amperes == [amperes, 0.0]
        measured = here.station.measurement(1)
        assert measured is not None
        assert measured.power is not None
        assert measured.power.total == pytest.approx(1000 * kilowatts)


async def test_periods_are_followed_without_any_message(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        await here.charge()
        await here.set(1, here.profile("default", (0, 20), (60, 8), (120, 0), (180, 16)))
        messages = len(here.csms.traffic)
        await here.csms.call("cp001", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "0"})
        seen = []
        for seconds in (30, 59, 61, 121, 181, 1000):
            await here.until(seconds)
            seen.append(here.amperes[0])
        assert seen == [20.0, 20.0, 8.0, 0.0, 16.0, 16.0]
        assert here.statuses() == ["1 Preparing", "1 Charging", "1 SuspendedEVSE", "1 Charging"]
        received = [
            record.text for record in here.csms.traffic[messages + 2 :] if "StatusNotification" not in record.text
        ]
        assert [text for text in received if text.startswith("[2")] == []
        until = [event["until"] for event in here.events("charging_limit")]
        assert until == ["2030-01-01T08:01:00Z", "2030-01-01T08:02:00Z", "2030-01-01T08:03:00Z", None]


@pytest.mark.parametrize("unit", ["A", "W"])
async def test_two_cars_share_a_limit_and_use_all_of_it(autojump_clock: MockClock, site: Any, unit: str) -> None:
    async with site(units="Power,Current" if unit == "W" else "Current,Power") as here:
        await here.set(0, here.profile("max", (0, 16 if unit == "A" else 11_040), unit=unit))
        await here.charge(1)
        assert here.amperes == [16.0, 0.0]
        await here.charge(2)
        assert here.amperes == [8.0, 8.0]
        assert (await here.commands.run("explain_limit", {"connector": 2}))["shared"] is True
        here.station.pause_drawing(1)
        assert here.amperes == [0.0, 16.0]
        here.station.resume_drawing(1, current=6)
        assert here.amperes == [6.0, 10.0]
        here.station.resume_drawing(1, current=32)
        assert here.amperes == [8.0, 8.0]
        await here.set(2, here.profile("tx", (0, 5)))
        await trio.sleep(0.9)
        assert here.amperes == [11.0, 5.0]
        here.station.unplug(2)
        assert here.amperes == [16.0, 0.0]
        await here.clear(id=1)
        await here.charge(2)
        assert here.amperes == [32.0, 32.0]
        await trio.sleep(1)
        assert [line for line in here.statuses() if line.startswith("1")] == [
            *["1 Preparing", "1 Charging", "1 SuspendedEV", "1 Charging"],
        ]


async def test_a_limit_that_one_car_wants_whole_is_shared_with_one_that_wants_nothing(
    autojump_clock: MockClock, site: Any
) -> None:
    """All get what they want, and nothing is left over; still no share is 0, and together they are the limit."""
    async with site() as here:
        await here.set(0, here.profile("max", (0, 16)))
        await here.charge(1)
        await here.charge(2)
        here.station.pause_drawing(2)
        here.station.resume_drawing(1, current=16)
        await trio.sleep(1)
        assert here.amperes == [16.0, 0.0]
        assert here.statuses()[-1] == "2 SuspendedEV"
        assert here.charge_point.counters.internal_errors == 0


@pytest.mark.parametrize(
    ("sharing", "both", "alone"),
    [
        ("equal", [8.0, 8.0], 10.0),
        ("first_come", [16.0, 0.0], 10.0),
        ("proportional", [12.190476, 3.809524], 10.0),
        ("off", [16.0, 10.0], 10.0),
    ],
)
async def test_strategies(autojump_clock: MockClock, site: Any, sharing: str, both: list[float], alone: float) -> None:
    async with site(sharing=sharing) as here:
        await here.set(0, here.profile("max", (0, 16)))
        await here.charge(1)
        await here.charge(2, current=10)
        assert here.amperes == both
        here.station.unplug(1)
        assert here.amperes == [0.0, alone]


async def test_never_more_than_the_limit_flows(autojump_clock: MockClock, site: Any) -> None:
    """Beyond the default limit of 48 A, which stands for what a connector wants if nobody knows."""
    async with site() as here:
        await here.set(0, here.profile("max", (0, 110)))
        for connector_id in (1, 2):
            await here.charge(connector_id, current=63)
        assert here.amperes == [55.0, 55.0]


async def test_limits_outlive_the_charge_point(autojump_clock: MockClock, site: Any, tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.set(0, here.profile("max", (0, 16)))
        await here.charge(1)
        await here.set(1, here.profile("tx", (0, 6)))
        assert here.amperes == [6.0, 0.0]
        assert await here.commands.run("stop")
        assert await here.commands.run("restart")
        await trio.sleep(2)
        await here.charge(2)
        assert here.amperes == [0.0, 16.0]  # the transaction is over, and its limit with it
        here.station.present_id_tag("TAG1", [1])
        await trio.sleep(1)
        assert here.amperes == [8.0, 8.0]
    async with site(tmp_path) as here:
        assert [row["id"] for row in await here.commands.run("charging_profiles")] == [1]
        await here.charge(1)
        await here.charge(2)
        assert here.amperes == [8.0, 8.0]


async def test_a_resumed_transaction_keeps_its_limit(autojump_clock: MockClock, site: Any, tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.charge(1)
        await here.set(1, here.profile("tx", (0, 6)))
        await here.charge_point.stored()
        at_the_cut = contents(tmp_path)
    put_back(tmp_path, at_the_cut)
    async with site(tmp_path, power_loss_policy="resume") as here:
        assert here.amperes == [6.0, 0.0]
        await here.clear(id=3)
        assert here.amperes == [32.0, 0.0]


async def test_offline_a_limit_goes_on(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        await here.charge()
        await here.set(1, here.profile("default", (0, 20), (600, 8)))
        await here.commands.run("disconnect")
        await here.until(601)
        assert here.amperes == [8.0, 0.0]
        await here.commands.run("connect")
        await trio.sleep(5)
        assert here.amperes == [8.0, 0.0]


async def test_a_car_may_be_given_more_than_the_default_limit(autojump_clock: MockClock, site: Any) -> None:
    """Where nothing but the limit for all is said, what a car wants is what counts, and not 48 A."""
    async with site() as here:
        await here.charge(1, current=63)
        await here.charge(2, current=63)
        await here.set(0, here.profile("max", (0, 60)))
        await trio.sleep(1)
        assert here.amperes == [30.0, 30.0]
        here.station.pause_drawing(2)
        await trio.sleep(1)
        assert here.amperes == [pytest.approx(60), 0.0]

"""Tests of a Central System, as a team of testers writes them: with the plugin of pytest, with the test kit, and with
cars in front of a simulated station."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, assert_type

import trio

from ocpp16 import ChargePoint as TrioChargePoint
from ocpp16 import open_charge_point
from ocpp16.fleet import Fleet as TrioFleet
from ocpp16.fleet import Member, blueprint, open_fleet
from ocpp16.lint import Finding, Linter
from ocpp16.lint.trace import Trace
from ocpp16.pytest_plugin import Call, CallError, ChargePoint, Fleet, Frame
from ocpp16.scenario import Outcome, load_scenario, run_scenario
from ocpp16.simulation import SimulatedStation, StationOptions
from ocpp16.testing import CallErrorAnswer, CentralSystem, ReceivedCall, TrafficViolation


def test_a_known_card_charges(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    charge_point.plug_in(1, current=16, car="compact")
    charge_point.present_id_tag("CARD1", [1])
    started = charge_point.wait_sent("StartTransaction", idTag="CARD1")
    assert_type(started.action, str)
    assert_type(started.error, CallError | None)
    assert_type(started.seconds, float | None)
    assert started.answer["idTagInfo"]["status"] == "Accepted"
    charge_point.wait_absent("StopTransaction", lambda payload: payload["reason"] == "PowerLoss")
    assert_type(charge_point.calls("MeterValues", "sent"), list[Call])
    assert_type(charge_point.traffic, list[Frame])
    assert_type(charge_point.drop(), bool)


async def test_a_remote_start(charge_point: ChargePoint) -> None:
    await charge_point.wait_registered()
    charge_point.plug_in(1)
    assert_type(await charge_point.wait_status(1, "Preparing"), Call)
    call = await charge_point.wait_received("RemoteStartTransaction", idTag="CARD2")
    assert_type(call, Call)
    assert_type(call.is_answered, bool)


def test_many(fleet: Fleet, charge_point_factory: Callable[..., ChargePoint]) -> None:
    assert_type(fleet.add_all(3), list[ChargePoint])
    assert_type(fleet["PYTEST-main-1"], ChargePoint)
    fleet.wait_registered(timeout=30)
    assert_type([one.id for one in fleet], list[str])


def is_slow(call: ReceivedCall) -> Mapping[str, Any] | CallErrorAnswer:
    """A scripted answer."""
    return {"status": "Accepted"} if call.payload["idTag"] else CallErrorAnswer("InternalError", "slow")


async def against_the_kit(config: Mapping[str, Any]) -> None:
    """Our own Central System, scripted."""
    station = SimulatedStation(StationOptions.load({"seed": 1}), meter_interval=0)
    async with CentralSystem() as csms, open_charge_point(config, station, connector=csms.connector) as charge_point:
        assert_type(csms, CentralSystem)
        assert_type(charge_point, TrioChargePoint)
        await charge_point.start()
        call = await csms.wait_for_call("BootNotification")
        assert_type(call, ReceivedCall)
        assert_type(call.payload, dict[str, Any])
        station.plug_in(1)
        station.present_id_tag("CARD", [1])
        assert_type(csms.violations[0], TrafficViolation)
        port = await csms.listen("127.0.0.1")
        assert_type(port, int)


async def many(url: str, folder: Path) -> None:
    """A fleet, and a scenario with a verdict."""
    async with open_fleet(url, seed=7) as fleet:
        assert_type(fleet, TrioFleet)
        member = await fleet.add("CP1", blueprint("ac-wallbox"))
        assert_type(member, Member)
        await trio.sleep(1)
    scenario = load_scenario(folder / "story.toml")
    outcome = await run_scenario(scenario, url, ids=["CP1", "CP2"])
    assert_type(outcome, Outcome)


def judge(path: Path) -> Sequence[Finding]:
    """What is wrong in somebody's traffic."""
    linter = Linter()
    for frame in Trace(path):
        linter.take(frame)
    return [finding for finding in linter.end() if finding.rule]

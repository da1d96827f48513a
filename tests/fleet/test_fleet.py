"""A fleet: added, driven, removed, begun again after a failure, and closed; each member without harm to the others."""

import gc
import logging
import resource
from typing import Any

import pytest
import trio

from ocpp16.charge_point.runtime import Runtime
from ocpp16.errors import ChargePointStopped, ConfigurationError
from ocpp16.fleet import Blueprint, FleetError, Member, MemberState, identities, open_fleet
from ocpp16.fleet import files as fleet_files
from ocpp16.fleet import fleet as fleet_module
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.testing import CentralSystem, Fault

MANY = 40
CAR = CarPlan(plug_after=1.0, draw_after=1.0, draw_for=600.0)


def boots(csms: CentralSystem) -> list[str]:
    return [call.identity for call in csms.calls("BootNotification")]


async def test_forty_come_charge_and_go(csms: CentralSystem, fleet_of: Any) -> None:
    async with fleet_of(csms, spread=10.0, seed=3) as fleet:
        members = await fleet.add_all(identities("CP{number:03}", MANY))
        assert [member.identity for member in members] == [member.identity for member in fleet]
        assert len(fleet) == MANY
        await fleet.wait_registered()
        assert sorted(boots(csms)) == [f"CP{number:03}" for number in range(1, MANY + 1)]
        for number, member in enumerate(fleet):
            member.station.plug_in(1, CAR)
            member.station.present_id_tag(f"TAG{number}", [1])
        await trio.sleep(1200)
        assert len(csms.calls("StartTransaction")) == len(csms.calls("StopTransaction")) == MANY
        assert await fleet.remove("CP007")
        assert not await fleet.remove("CP007")
        assert "CP007" not in fleet
        assert members[6].state is MemberState.GONE
        again = await fleet.add("CP007")
        await fleet.wait_registered()
        assert boots(csms).count("CP007") == 2
        assert fleet["CP007"] is again
    assert {member.state for member in members} == {MemberState.GONE}
    assert not csms.violations


def runtimes() -> list[Runtime]:
    return [one for one in gc.get_objects() if type(one) is Runtime]


async def test_those_that_come_and_go_leave_nothing_behind(
    csms: CentralSystem, fleet_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the removed nor those that had no power for a while: the collector finds them, though memory settles."""
    monkeypatch.setattr(fleet_module, "SETTLED", 2)
    thresholds = gc.get_threshold()
    gc.unfreeze()
    gc.collect()
    of_others = len(runtimes())
    try:
        async with fleet_of(csms) as fleet:
            for number in range(8):
                await fleet.add_all(("CP1", "CP2"))
                await fleet.wait_registered()
                if number % 2:
                    for member in fleet:
                        member.cut_power(1)
                    await trio.sleep(10)
                for identity in ("CP1", "CP2"):
                    await fleet.remove(identity)
            await fleet.add_all(("CP1", "CP2"))
            gc.unfreeze()
            assert len(runtimes()) - of_others <= 2 + 4, "of 26 that were opened"
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


async def test_who_waits_for_one_that_has_just_come_waits_no_longer_than_it_takes(
    csms: CentralSystem, fleet_of: Any
) -> None:
    async with fleet_of(csms) as fleet:
        began = trio.current_time()
        await fleet.add("CP1")
        await fleet.wait_registered()
        assert trio.current_time() - began < 0.5
        await fleet.add("CP2")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fleet.remove, "CP2")
            await fleet.wait_registered()
        assert trio.current_time() - began < 0.5


async def test_they_do_not_come_all_at_once(csms: CentralSystem, fleet_of: Any) -> None:
    """Each at a moment of its own within the spread, which is the same for the same seed."""

    async def moments(seed: int) -> list[float]:
        began = trio.current_time()
        seen = len(csms.calls("BootNotification"))
        async with fleet_of(csms, spread=100.0, seed=seed) as fleet:
            await fleet.add_all(identities("CP{number}", 20))
            await fleet.wait_registered()
            return sorted(call.time - began for call in csms.calls("BootNotification")[seen:])

    first, again, other = [await moments(seed) for seed in (1, 1, 2)]
    assert first == pytest.approx(again)
    assert first != pytest.approx(other)
    assert 40 < first[-1] - first[0] < 100
    assert len({round(moment) for moment in first}) > 12


async def test_keys_of_all_of_an_id_and_of_one(csms: CentralSystem, fleet_of: Any) -> None:
    def keys(identity: str) -> dict[str, dict[str, Any]]:
        return {"Core": {"HeartbeatInterval": 100 + int(identity[-1])}}

    twin = Blueprint(name="twin", connectors=2, keys={"Core": {"HeartbeatInterval": 1, "MeterValueSampleInterval": 77}})
    async with fleet_of(csms, made_of=twin, keys=keys) as fleet:
        first, second = await fleet.add_all(["CP1", "CP2"])
        third = await fleet.add("CP3", "ac-7kw", keys={"Core": {"HeartbeatInterval": 9}})

        def text(member: Member, key: str) -> str | None:
            return member.charge_point.configuration.text(key)

        assert [text(member, "HeartbeatInterval") for member in (first, second, third)] == ["101", "102", "9"]
        assert [text(member, "NumberOfConnectors") for member in (first, third)] == ["2", "1"]
        assert text(first, "MeterValueSampleInterval") == "77"
        assert third.station.options.phases == 1


async def test_what_cannot_be_added_leaves_the_others_alone(csms: CentralSystem, fleet_of: Any) -> None:
    async with fleet_of(csms) as fleet:
        await fleet.add("CP1")
        with pytest.raises(ValueError, match="has a charge point CP1 already"):
            await fleet.add("CP1")
        with pytest.raises(ValueError, match="no blueprint ac-22; did you mean ac-22kw"):
            await fleet.add("CP2", "ac-22")
        with pytest.raises(ConfigurationError, match="HeartbeatInterval"):
            await fleet.add("CP2", keys={"Core": {"HeartbeatInterval": "often"}})
        assert [member.identity for member in fleet] == ["CP1"]
        await fleet.wait_registered()
        await fleet.add("CP2")
        await fleet.wait_registered()
    assert boots(csms) == ["CP1", "CP2"]
    with pytest.raises(ChargePointStopped):
        await fleet.add("CP3")


class Fragile(SimulatedStation):
    """It fails when it is powered up, as often as it is told."""

    __slots__ = ()
    failures = 0

    def power_up(self) -> None:
        if Fragile.failures:
            Fragile.failures -= 1
            raise RuntimeError("no power")
        super().power_up()


async def test_one_that_fails_is_begun_again_and_the_others_go_on(
    csms: CentralSystem, fleet_of: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with fleet_of(csms) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
        monkeypatch.setattr("ocpp16.fleet.member.SimulatedStation", Fragile)
        monkeypatch.setattr(Fragile, "failures", 3)
        caplog.set_level(logging.ERROR)
        began = trio.current_time()
        two = await fleet.add("CP2")
        await trio.sleep(0.1)
        assert (two.state, two.failures) == (MemberState.OFF, 1)
        assert "no power" in two.failure
        await fleet.wait_registered()
        assert (two.failures, two.state) == (3, MemberState.RUNNING)
        assert 7 < trio.current_time() - began < 30, "each wait is twice as long"
        assert boots(csms).count("CP1") == 1
        assert sum("CP2 ended" in record.message for record in caplog.records) == 3


async def test_a_reset_with_exit_switches_it_off_and_on(csms: CentralSystem, fleet_of: Any) -> None:
    leaving = Blueprint(name="leaving", options={"after_reset": "exit"})
    async with fleet_of(csms, made_of=leaving) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        assert (await csms.call("CP1", "Reset", {"type": "Hard"}))["status"] == "Accepted"
        await trio.sleep(5)
        assert member.state is MemberState.OFF
        await fleet.wait_registered()
        assert member.failures == 0
        assert len(boots(csms)) == 2


async def test_removing_goes_on_without_who_asked_for_it(csms: CentralSystem, fleet_of: Any) -> None:
    async with fleet_of(csms) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        with trio.CancelScope() as scope:
            scope.cancel()
            await fleet.remove("CP1")
        assert "CP1" not in fleet
        with trio.CancelScope() as scope:
            scope.cancel()
            await fleet.add("CP1")
        assert "CP1" not in fleet
        again = await fleet.add("CP1")
        assert member.is_over, "the id, and what is stored of it, is the later one's when the earlier one is closed"
        await fleet.wait_registered()
        assert again is fleet["CP1"]


async def test_to_abandon_cuts_short_who_is_leaving_too(csms: CentralSystem, fleet_of: Any) -> None:
    csms.misbehave(Fault.DROP, "StopTransaction", times=None)
    async with fleet_of(csms) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        member.station.plug_in(1, CarPlan(draw_for=100_000.0))
        member.station.present_id_tag("TAG", [1])
        await csms.wait_for_call("StartTransaction")
        await trio.sleep(1)
        with trio.CancelScope() as scope:
            scope.cancel()
            await fleet.remove("CP1")
        fleet.abandon()
        left = trio.current_time()
    assert trio.current_time() - left < 2


async def test_nobody_waits_for_who_is_removed(csms: CentralSystem, fleet_of: Any) -> None:
    csms.refuse_boot(times=1_000, interval=3_600)
    async with fleet_of(csms) as fleet:
        await fleet.add_all(["CP1", "CP2"])
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fleet.wait_registered)
                await trio.sleep(10)
                await fleet.remove("CP1")
                await trio.sleep(10)
                assert nursery.child_tasks, "CP2 is waited for"
                await fleet.remove("CP2")


class Limits:
    """The limit of open files, without the operating system."""

    RLIMIT_NOFILE = resource.RLIMIT_NOFILE
    RLIM_INFINITY = resource.RLIM_INFINITY

    def __init__(self, soft: int, hard: int) -> None:
        self.limits = (soft, hard)

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.limits

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        self.limits = limits


@pytest.mark.parametrize(
    ("soft", "hard", "after"),
    [(1024, 4096, 1024), (100, 4096, 328), (100, 200, 200), (100, -1, 328), (-1, -1, -1)],
)
async def test_the_limit_of_files_is_raised(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, after: int) -> None:
    limits = Limits(soft, hard)
    monkeypatch.setitem(__import__("sys").modules, "resource", limits)
    fleet_files.make_room(100)
    assert limits.limits == (after, hard)


async def test_a_limit_that_is_too_low_is_told_with_the_remedy(
    csms: CentralSystem, fleet_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resource", Limits(66, 66))
    async with fleet_of(csms) as fleet:
        await fleet.add_all(["CP1", "CP2"])
        with pytest.raises(FleetError, match=r"3 charge points need 67 open files.* may have 66.*ulimit -n 67"):
            await fleet.add("CP3")
        with pytest.raises(FleetError, match="5 charge points need 69 open files"):
            await fleet.add_all(["CP3", "CP4", "CP5"])
        assert len(fleet) == 2


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("csms", 5),
        ("keys", 5),
        ("keys", {"Core": 5}),
        ("observer", 5),
        ("connector", 5),
        ("connector_of", 5),
        ("seed", "x"),
        ("trace_messages", "yes"),
        ("calls", 5),
        ("source_addresses", 5),
        ("database_path", 5),
    ],
)
async def test_what_no_fleet_can_be_opened_with_is_told_before_anything_begins(argument: str, value: Any) -> None:
    with pytest.raises((ValueError, ConfigurationError), match=f"{argument}.* must be"):
        async with open_fleet(**{"csms": "ws://x/", argument: value}):
            pass


async def test_keys_of_an_id_that_are_none(csms: CentralSystem, fleet_of: Any) -> None:
    async with fleet_of(csms, keys=lambda identity: 5) as fleet:
        with pytest.raises(ValueError, match="keys must be keys by section, not 5"):
            await fleet.add("CP1")
        assert len(fleet) == 0


async def test_who_never_starts_is_begun_again_every_five_minutes_at_least(
    csms: CentralSystem, fleet_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp16.fleet.member.SimulatedStation", Fragile)
    monkeypatch.setattr(Fragile, "failures", 1_000)
    async with fleet_of(csms) as fleet:
        member = await fleet.add("CP1")
        await trio.sleep(600)
        before = member.failures
        await trio.sleep(40 * 300)
        assert member.failures - before >= 40
        fleet.abandon()


@pytest.mark.parametrize("spread", [-1, float("nan"), "1", None])
async def test_a_spread_that_is_none(spread: Any) -> None:
    with pytest.raises(ValueError, match="spread must be"):
        async with open_fleet("ws://x/", spread=spread):
            pass


async def test_the_power_of_one_fails_and_its_car_is_where_it_was(csms: CentralSystem, fleet_of: Any) -> None:
    async with fleet_of(csms) as fleet:
        first, second = await fleet.add_all(["CP1", "CP2"])
        await fleet.wait_registered()
        first.station.plug_in(1, CarPlan(draw_for=100_000.0))
        first.station.present_id_tag("TAG", [1])
        await csms.wait_for_call("StartTransaction")
        for never in (-1.0, float("nan"), "soon"):
            with pytest.raises(ValueError, match="seconds must be"):
                first.cut_power(never)
        assert first.cut_power(60.0)
        assert not first.cut_power(60.0)
        assert str(first.state) == "off"
        await trio.sleep(50)
        assert not csms.calls("StopTransaction")
        assert "CP1" not in csms.connected
        await trio.sleep(20)
        assert boots(csms).count("CP1") == 2
        assert boots(csms).count("CP2") == 1
        (stop,) = csms.calls("StopTransaction")
        assert stop.payload["reason"] == "PowerLoss"
        assert {member.state for member in (first, second)} == {MemberState.RUNNING}
        assert first.failures == 0
        car = first.station.evse(1).car
        assert car is not None
        assert car.is_plugged
    assert not csms.violations


async def test_an_observer_is_told_every_frame_where_that_is_asked_for(csms: CentralSystem, fleet_of: Any) -> None:
    told: list[tuple[str, str]] = []

    class Told:
        def __init__(self, identity: str) -> None:
            self.identity = identity

        async def notify(self, event: Any) -> None:
            told.append((self.identity, type(event).__name__))

    def observer_of(identity: str) -> Told | None:
        return Told(identity) if identity == "CP1" else None

    async with fleet_of(csms, observer=observer_of, trace_messages=True) as fleet:
        await fleet.add_all(["CP1", "CP2"])
        await fleet.wait_registered()
    assert ("CP1", "MessageExchanged") in told
    assert {identity for identity, _ in told} == {"CP1"}
    told.clear()
    async with fleet_of(csms, observer=observer_of) as fleet:
        await fleet.add_all(["CP1"])
        await fleet.wait_registered()
    assert told
    assert ("CP1", "MessageExchanged") not in told


@pytest.mark.parametrize(
    ("addresses", "why"),
    [(["127.0.0.1", "203.0.113.1"], "203.0.113.1 is no address of this machine"), ("127.0.0.1", "must be a list")],
)
async def test_source_addresses_that_are_none_are_refused_before_anything_begins(addresses: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"source_addresses.*{why}"):
        async with open_fleet("ws://x/", source_addresses=addresses):
            pass

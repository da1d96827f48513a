"""Whether the process keeps up: what its own figures are to be marked by."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import trio
import trio.testing

from ocpp16.errors import ChargePointStopped
from ocpp16.fleet import MemberState
from ocpp16.load.probe import PERIOD, Probe
from ocpp16.state.timers import Timers


def test_the_probe_sees_delay_and_the_share_of_a_core() -> None:
    now, used = [100.0], [1.0]
    probe = Probe(lambda: now[0], lambda: used[0])
    now[0], used[0] = 100.4, 1.1
    probe.look(100.15)
    probe.look(100.39)
    now[0] = 101.0
    delay, share = probe.cut()
    assert delay == pytest.approx(0.25)
    assert share == pytest.approx(0.1)
    now[0] = 102.0
    assert probe.cut() == (0.0, 0.0)


def member_of(timers: Timers) -> Any:
    """As much of one as is looked at."""
    charge_point = SimpleNamespace(for_station=SimpleNamespace(timers=timers))
    return SimpleNamespace(state=MemberState.RUNNING, charge_point=charge_point)


async def test_the_probe_sees_a_charge_point_that_waits_for_its_turn() -> None:
    """Though each step of the loop is in time."""
    timers = Timers()
    member = member_of(timers)
    probe = Probe(trio.current_time, lambda: 0.0)
    probe.added(member)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(probe.run)
        await trio.sleep(1.0)
        assert 0.9 < probe.cut()[0] <= 1.0
        assert len(timers) == 1, "one turn is asked for at a time"
        await trio.sleep(1.0)
        timers.run_due(trio.current_time())
        assert 1.9 < probe.cut()[0] <= 2.0
        await trio.sleep(PERIOD)
        timers.run_due(trio.current_time())
        assert probe.cut()[0] < 0.1
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("how", ["off", "another", "closed"])
async def test_who_is_gone_is_not_waited_for(how: str) -> None:
    gone, here = Timers(), Timers()
    member = member_of(gone)
    probe = Probe(trio.current_time, lambda: 0.0)
    probe.added(member)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(probe.run)
        if how == "closed":
            stopped = Mock(side_effect=ChargePointStopped("closed"))
            member.charge_point.for_station.timers = SimpleNamespace(at=stopped)
        await trio.sleep(0.5)
        probe.cut()
        if how == "off":
            member.state = MemberState.OFF
        elif how == "another":
            member.charge_point = member_of(here).charge_point
        await trio.sleep(1.0)
        here.run_due(trio.current_time())
        assert probe.cut()[0] == pytest.approx(1.0 if how == "another" else 0.0, abs=0.1)
        probe.added(member_of(here))
        await trio.sleep(2 * PERIOD)
        assert len(here) == 1, "others are asked"
        nursery.cancel_scope.cancel()


async def test_a_delay_is_told_in_the_second_in_which_it_was() -> None:
    """Both are due at the same time, and whoever cuts has its turn first."""
    started = trio.current_time()
    late = [0.0]
    probe = Probe(lambda: trio.current_time() + late[0], lambda: 0.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(probe.run)
        await trio.sleep_until(started + PERIOD / 2)
        late[0] = 0.5
        delay, _ = probe.cut()
        assert delay == pytest.approx(0.5 - PERIOD / 2)
        await trio.sleep_until(started + PERIOD)
        await trio.testing.wait_all_tasks_blocked()
        assert probe.cut()[0] < 0.1
        nursery.cancel_scope.cancel()

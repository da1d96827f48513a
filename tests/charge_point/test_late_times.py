"""A Central System that answers slowly says what time it was, not what time it is."""

from typing import Any

import pytest
import trio

from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.misbehaviour import Fault


def ahead(bench: Any) -> int:
    """By how many µs the clock is ahead of the Central System's."""
    return int(bench.charge_point.for_station.clock.now() - bench.csms.standard_answers.now())


@pytest.mark.parametrize("seconds", [0.5, 5, 29])
async def test_a_slow_answer_does_not_set_the_clock_back(open_bench: Any, seconds: float) -> None:
    async def slow(payload: Any, call: Any) -> Any:
        answer = bench.csms.standard_answers(call)
        await trio.sleep(seconds)
        return answer

    async with open_bench() as bench:
        before = ahead(bench)
        bench.csms.answers["Heartbeat"] = bench.csms.answers["BootNotification"] = slow
        for message in ("Heartbeat", "BootNotification"):
            await bench.call("TriggerMessage", {"requestedMessage": message})
            await trio.sleep(seconds + 1)
        assert ahead(bench) == before


async def test_an_answer_to_a_boot_that_was_sent_again_is_too_old(open_bench: Any) -> None:
    async with open_bench() as bench:
        before = ahead(bench)
        bench.csms.misbehave(Fault.DELAY, "BootNotification", seconds=1000)
        bench.csms.misbehave(Fault.DROP, "BootNotification", times=None)
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(1100)
        assert ahead(bench) == before


@pytest.mark.parametrize("shift", [-40, 40, 3600, -3600])
async def test_another_time_is_followed_all_the_same(open_bench: Any, shift: int) -> None:
    async with open_bench() as bench:
        before = bench.charge_point.for_station.clock.now()
        now = bench.csms.standard_answers.now
        bench.csms.standard_answers.now = lambda: now() + shift * 1_000_000
        await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(1)
        assert abs(bench.charge_point.for_station.clock.now() - before - (shift + 1) * 1_000_000) < 1_000_000


async def test_a_slow_first_answer_does_not_set_a_clock_that_is_right(open_bench: Any) -> None:
    async def slow(payload: Any, call: Any) -> Any:
        answer = bench.csms.standard_answers(call)
        await trio.sleep(20)
        return answer

    async with open_bench(start=False) as bench:
        bench.csms.answers["BootNotification"] = slow
        await bench.charge_point.start()
        before = ahead(bench)
        await trio.sleep(25)
        assert bench.charge_point.for_station.clock.is_set
        assert ahead(bench) == before


async def test_nor_does_a_first_answer_that_comes_when_the_request_was_given_up(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        bench.csms.misbehave(Fault.DELAY, "BootNotification", seconds=65)
        bench.csms.misbehave(Fault.DROP, "BootNotification", times=None)
        await bench.charge_point.start()
        before = ahead(bench)
        await trio.sleep(70)
        assert bench.charge_point.for_station.clock.is_set
        assert ahead(bench) == before


@pytest.mark.parametrize("seconds", [0, 20, 500])
@pytest.mark.parametrize("ahead", [-700, -10, 10, 700])
async def test_a_late_answer_makes_no_clock_more_wrong_than_it_was(open_bench: Any, seconds: int, ahead: int) -> None:
    csms = CentralSystem()
    csms.misbehave(Fault.DELAY, "BootNotification", seconds=seconds)
    csms.misbehave(Fault.DROP, "BootNotification", times=None)
    async with open_bench(csms=csms, start=False, anchor=START / 1e6 + ahead) as bench:
        await bench.charge_point.start()
        await trio.sleep(seconds + 1)
        clock = bench.charge_point.for_station.clock
        assert clock.is_set
        off = (clock.now() - csms.standard_answers.now()) / 1e6
        assert abs(off) < abs(ahead) + 0.1
        assert abs(off) < max(1, seconds) + 0.1
        if ahead > 0:
            assert abs(off) < 0.1

"""The one task of many pumps: who is woken, when, and how much one step takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.charge_point import pump_queue
from ocpp16.charge_point.pump import Pump
from ocpp16.charge_point.pumps import AT_ONCE, Pumps
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timers


class Bench:
    """Some pumps of one `Pumps`, and when each had a turn."""

    def __init__(self, count: int) -> None:
        self.pumps = Pumps()
        self.timers = [Timers() for _ in range(count)]
        self.turns: list[tuple[int, float]] = []
        self.failures: list[BaseException] = []
        clock = Clock(trio.current_time, 0)
        self.all = [Pump(clock, self.pumps, timers, SimpleNamespace(durable=0), self._failed) for timers in self.timers]
        for number, pump in enumerate(self.all):
            pump.on_turn = partial(self._note, number)

    def _note(self, number: int) -> None:
        self.turns.append((number, trio.current_time()))

    def _failed(self, place: str, error: BaseException) -> None:
        self.failures.append(error)


def nothing() -> None: ...


@asynccontextmanager
async def bench(count: int) -> AsyncIterator[Bench]:
    made = Bench(count)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.pumps.run)
        await trio.testing.wait_all_tasks_blocked()
        yield made
        nursery.cancel_scope.cancel()


async def test_one_kick_is_one_turn_of_one_pump(autojump_clock: Any) -> None:
    async with bench(3) as made:
        for _ in range(5):
            made.all[1].kick()
        await trio.testing.wait_all_tasks_blocked()
        assert [number for number, _ in made.turns] == [1]


async def test_all_that_were_kicked_have_their_turn_in_one_step(autojump_clock: Any) -> None:
    class Steps(trio.abc.Instrument):
        count = 0

        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            self.count += "Pumps.run" in task.name

    async with bench(50) as made:
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        for pump in made.all:
            pump.kick()
        await trio.testing.wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
        assert [number for number, _ in made.turns] == list(range(50))
        assert steps.count == 1


async def test_each_timer_is_run_at_its_time(autojump_clock: Any) -> None:
    async with bench(3) as made:
        told: list[tuple[int, float]] = []

        def note(number: int) -> None:
            told.append((number, trio.current_time()))

        for number, seconds in ((0, 30.0), (1, 10.0), (2, 20.0), (0, 5.0)):
            made.timers[number].at(trio.current_time() + seconds, partial(note, number))
        await trio.sleep(60)
        assert told == [(0, 5.0), (1, 10.0), (2, 20.0), (0, 30.0)]


async def test_what_one_turn_kicks_has_its_turn_afterwards(autojump_clock: Any) -> None:
    async with bench(2) as made:
        made.all[0].on_turn = made.all[1].kick
        made.all[0].kick()
        await trio.testing.wait_all_tasks_blocked()
        assert [number for number, _ in made.turns] == [1]


async def test_a_pump_that_kicks_itself_lets_others_run(autojump_clock: Any) -> None:
    async with bench(1) as made:
        made.all[0].on_turn = made.all[0].kick
        made.all[0].kick()
        for _ in range(10):
            await trio.lowlevel.checkpoint()
        made.all[0].on_turn = None


async def test_a_long_row_of_turns_is_cut_into_steps(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_queue, "LONGEST_STEP", -1.0)  # each turn is too long
    async with bench(10) as made:
        for pump in made.all:
            pump.kick()
        while not made.turns:
            await trio.lowlevel.checkpoint()
        assert len(made.turns) < 10
        await trio.testing.wait_all_tasks_blocked()
        assert len(made.turns) == 10


async def test_what_fails_in_a_turn_is_told_and_ends_nothing(autojump_clock: Any) -> None:
    async with bench(2) as made:

        def boom() -> None:
            raise RuntimeError("boom")

        made.all[0].on_turn = boom
        made.all[0].kick()
        made.all[1].kick()
        await trio.testing.wait_all_tasks_blocked()
        assert [number for number, _ in made.turns] == [1]
        assert len(made.failures) == 1


async def test_one_that_has_ended_has_no_turn(autojump_clock: Any) -> None:
    async with bench(2) as made:
        made.timers[0].at(trio.current_time() + 5, lambda: pytest.fail("it has ended"))
        made.all[0].kick()
        made.all[0].end()
        made.all[0].end()
        made.all[0].kick()
        await trio.sleep(10)
        assert made.turns == []


async def test_deadlines_that_mean_nothing_do_not_pile_up(autojump_clock: Any) -> None:
    async with bench(1) as made:
        for round_ in range(1, 100):
            for earlier in range(100, 0, -1):
                made.timers[0].at(trio.current_time() + 1000.0 * round_ + earlier, nothing)
            made.all[0].deadline = inf  # as after the turn of a deadline
        assert len(made.pumps._heap) <= 10_000
        for _ in range(1000):
            pump = Pump(
                Clock(trio.current_time, 0), made.pumps, timers := Timers(), SimpleNamespace(durable=0), made._failed
            )
            timers.at(trio.current_time() + 86_400, nothing)
            pump.end()
        assert len(made.pumps._heap) < 11_000


async def test_of_those_that_let_others_go_first_a_few_go_on_in_each_step(autojump_clock: Any) -> None:
    async with bench(1) as made:
        went: list[int] = []
        seen: list[int] = []

        class Steps(trio.abc.Instrument):
            def before_io_wait(self, timeout: float) -> None:
                seen.append(len(went))

        async def one(number: int) -> None:
            await made.pumps.others_first()
            went.append(number)

        trio.lowlevel.add_instrument(Steps())
        async with trio.open_nursery() as nursery:
            for number in range(3 * AT_ONCE):
                nursery.start_soon(one, number)
        assert len(set(went)) == 3 * AT_ONCE
        assert max(later - before for before, later in pairwise([0, *seen])) <= AT_ONCE


async def test_they_go_on_in_the_order_of_their_coming_and_the_turns_of_pumps_between(autojump_clock: Any) -> None:
    async with bench(1) as made:
        went: list[int] = []

        async def one(number: int) -> None:
            await trio.sleep(number)
            for _ in range(3):
                await made.pumps.others_first()
                went.append(number)
                made.all[0].kick()

        async with trio.open_nursery() as nursery:
            for number in range(2):
                nursery.start_soon(one, number)
        assert went == [0, 0, 0, 1, 1, 1]
        assert len(made.turns) > 3


async def test_who_is_cancelled_waits_no_longer_and_leaves_nothing(autojump_clock: Any) -> None:
    pumps = Pumps()  # its task does not run
    with trio.move_on_after(1):
        await pumps.others_first()
    assert trio.current_time() == 1
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pumps.run)
        await trio.testing.wait_all_tasks_blocked()
        await pumps.others_first()
        nursery.cancel_scope.cancel()


async def test_of_two_deadlines_the_earlier_one_counts(autojump_clock: Any) -> None:
    for first, second in ((5.0, 10.0), (10.0, 5.0)):
        async with bench(2) as made:
            began = trio.current_time()
            made.timers[0].at(began + first, nothing)
            await trio.sleep(1)
            made.timers[1].at(began + second, nothing)
            await trio.sleep(20)
            assert sorted(time - began for _, time in made.turns) == [5.0, 10.0]

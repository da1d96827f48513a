"""The heap of timers: what is due, in which order, and that it does not grow."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strange_errors import STRANGE

from ocpp16.state.timers import Timer, Timers


class Calls(list[str]):
    def of(self, name: str) -> "Call":
        return Call(self, name)


class Call:
    def __init__(self, calls: Calls, name: str) -> None:
        self.calls = calls
        self.name = name

    def __call__(self) -> None:
        self.calls.append(self.name)


def test_due_means_not_after_now_and_runs_in_order() -> None:
    timers, calls = Timers(), Calls()
    timers.at(3, calls.of("c"))
    timers.at(1, calls.of("a"))
    timers.at(2, calls.of("b1"))
    timers.at(2, calls.of("b2"))
    assert timers.deadline() == 1
    assert timers.run_due(0.999) == 0
    assert timers.run_due(2) == 3
    assert calls == ["a", "b1", "b2"]
    assert (timers.deadline(), len(timers)) == (3, 1)


def test_nothing_to_wait_for() -> None:
    timers = Timers()
    assert timers.deadline() == inf
    assert timers.run_due(1e9) == 0


def test_a_timer_is_active_until_called_or_cancelled() -> None:
    timers, calls = Timers(), Calls()
    called, cancelled = timers.at(1, calls.of("called")), timers.at(1, calls.of("cancelled"))
    assert (called.is_active, called.when) == (True, 1)
    cancelled.cancel()
    cancelled.cancel()
    timers.run_due(1)
    called.cancel()
    assert calls == ["called"]
    assert (called.is_active, cancelled.is_active) == (False, False)
    assert len(timers) == 0


def test_a_cancelled_head_does_not_set_the_deadline() -> None:
    timers, calls = Timers(), Calls()
    head = timers.at(1, calls.of("head"))
    timers.at(5, calls.of("next"))
    head.cancel()
    assert timers.deadline() == 5


def test_every_keeps_its_phase() -> None:
    timers, calls = Timers(), Calls()
    timer = timers.every(10, calls.of("beat"), first=3)
    for now in (3, 13.4, 23.9, 33):
        assert timers.run_due(now) == 1
    assert timer.when == 43
    assert timer.is_active


def test_every_makes_up_for_missed_beats_once() -> None:
    timers, calls = Timers(), Calls()
    timer = timers.every(10, calls.of("beat"), first=10)
    assert timers.run_due(1057) == 1
    assert timer.when == 1060
    assert timers.run_due(1060) == 1
    assert timer.when == 1070


@given(first=st.floats(0, 1e6), interval=st.floats(1e-3, 1e5), pauses=st.lists(st.floats(0, 1e6), max_size=20))
def test_every_always_lies_ahead(first: float, interval: float, pauses: list[float]) -> None:
    timers, now = Timers(), first
    timer = timers.every(interval, Calls().of("beat"), first)
    for pause in pauses:
        now += pause
        assert timers.run_due(now) <= 1
        assert now < timer.when <= now + interval * 1.001 + 1e-6


@pytest.mark.parametrize("when", [nan, 10**400, -(10**400)])
def test_a_time_that_no_float_can_hold(when: float) -> None:
    timers = Timers()
    with pytest.raises(ValueError, match="needs a time"):
        timers.at(when, Calls().of("never"))
    with pytest.raises(ValueError, match="needs a time"):
        timers.every(1, Calls().of("never"), when)
    assert len(timers) == 0


@pytest.mark.parametrize(("first", "interval"), [(-inf, 1), (-1e308, 0.001), (-1e300, 1e10)])
def test_a_beat_without_end_behind_goes_on_from_now(first: float, interval: float) -> None:
    timers, calls = Timers(), Calls()
    timer = timers.every(interval, calls.of("beat"), first)
    assert timers.run_due(5) == 1
    assert timer.when == 5 + interval


def test_a_beat_far_ahead() -> None:
    timers = Timers()
    timers.every(10**18, Calls().of("beat"), 10**18)
    assert (timers.run_due(5), timers.deadline()) == (0, 1e18)


@pytest.mark.parametrize("interval", [0, -1, inf, nan, 1e-4, 5e-324, pytest.param(10**400, id="huge")])
def test_an_interval_that_is_none(interval: float) -> None:
    with pytest.raises(ValueError, match=r"interval|needs a time"):
        Timers().every(interval, Calls().of("never"), 0)


def test_a_time_that_is_none() -> None:
    with pytest.raises(ValueError, match="time"):
        Timers().at(nan, Calls().of("never"))


def test_the_limit_leaves_the_rest_for_the_next_turn() -> None:
    timers, calls = Timers(), Calls()
    for number in range(10):
        timers.at(number, calls.of(str(number)))
    assert timers.run_due(100, limit=4) == 4
    assert calls == ["0", "1", "2", "3"]
    assert timers.deadline() == 4
    assert timers.run_due(100) == 6


def test_a_callback_that_asks_for_itself_at_once_is_held_by_the_limit() -> None:
    timers = Timers()
    times: list[float] = []

    def again() -> None:
        times.append(0)
        timers.at(0, again)

    timers.at(0, again)
    assert timers.run_due(5) == 64
    assert len(times) == 64


def test_callbacks_add_and_cancel() -> None:
    timers, calls = Timers(), Calls()
    victim = timers.at(2, calls.of("victim"))

    def first() -> None:
        calls.append("first")
        victim.cancel()
        timers.at(1.5, calls.of("added"))

    timers.at(1, first)
    assert timers.run_due(3) == 2
    assert calls == ["first", "added"]


def test_a_repeated_timer_may_cancel_itself() -> None:
    timers = Timers()
    beats: list[Timer] = []

    def beat() -> None:
        beats.append(timer)
        timer.cancel()

    timer = timers.every(1, beat, first=1)
    timers.run_due(1)
    timers.run_due(100)
    assert len(beats) == 1
    assert timers.deadline() == inf


def test_an_exception_passes_and_the_rest_stays() -> None:
    timers, calls = Timers(), Calls()

    def broken() -> None:
        raise RuntimeError("broken")

    repeated = timers.every(10, broken, first=1)
    timers.at(2, calls.of("next"))
    with pytest.raises(RuntimeError, match="broken"):
        timers.run_due(5)
    assert repeated.when == 11
    assert timers.run_due(5) == 1
    assert calls == ["next"]


def test_with_a_hook_the_next_timer_has_its_turn() -> None:
    timers, calls, errors = Timers(), Calls(), list[tuple[str, str]]()
    timers.on_error = lambda place, error: errors.append((place, str(error)))

    def broken() -> None:
        timers.at(2, calls.of("added"))
        raise RuntimeError("broken")

    repeated = timers.every(10, broken, first=1)
    timers.at(3, calls.of("next"))
    assert timers.run_due(5) == 3
    assert calls == ["added", "next"]
    assert errors == [("timer", "broken")]
    assert (repeated.is_active, repeated.when) == (True, 11)
    timers.run_due(11)
    assert len(errors) == 2


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_exception_ends_nothing_either(kind: str) -> None:
    timers, calls, errors = Timers(), Calls(), list[BaseException]()
    timers.on_error = lambda place, error: errors.append(error)

    def broken() -> None:
        raise STRANGE[kind]()

    timers.at(1, broken)
    timers.at(2, calls.of("next"))
    timers.run_due(5)
    assert calls == ["next"]
    assert len(errors) == 1


def test_the_hook_is_not_asked_when_a_task_is_to_end() -> None:
    timers, errors = Timers(), list[str]()
    timers.on_error = lambda place, error: errors.append(place)

    def ended() -> None:
        raise KeyboardInterrupt

    timers.at(1, ended)
    with pytest.raises(KeyboardInterrupt):
        timers.run_due(1)
    assert errors == []


def test_cancelled_timers_do_not_pile_up() -> None:
    timers, calls = Timers(), Calls()
    kept = timers.at(1e9, calls.of("kept"))
    largest = 0
    for number in range(10_000):
        timers.at(1000 + number, calls.of("gone")).cancel()
        largest = max(largest, len(timers._heap))
    assert largest <= 40
    assert len(timers) == 1
    assert timers.deadline() == kept.when


def test_a_mass_cancellation_keeps_the_others_in_order() -> None:
    timers, calls = Timers(), Calls()
    made = [timers.at(number % 97, calls.of(f"{number % 97:02}")) for number in range(1000)]
    for number, timer in enumerate(made):
        if number % 10:
            timer.cancel()
    assert len(timers) == 100
    assert len(timers._heap) < 300
    assert timers.run_due(100, limit=1000) == 100
    assert calls == sorted(calls)


def test_on_earlier_is_told_only_what_shortens_the_sleep() -> None:
    timers, calls = Timers(), Calls()
    told: list[float] = []
    timers.on_earlier = told.append
    timers.at(10, calls.of("a"))
    timers.at(20, calls.of("b"))
    timers.at(10, calls.of("c"))
    timers.every(5, calls.of("d"), first=4)
    timers.run_due(4)
    assert told == [10, 4]


def test_a_storm_is_bounded_in_time() -> None:
    """By the clock it is given; the first one always has its turn, however late it is."""
    timers, now = Timers(), [5.0]
    seen: list[float] = []

    def slow() -> None:
        now[0] += 0.0015
        seen.append(now[0])

    for _ in range(5):
        timers.at(1, slow)
    assert timers.run_due(5.0, clock=lambda: now[0]) == 2
    assert timers.run_due(now[0], clock=lambda: now[0]) == 2
    assert timers.run_due(now[0] - 1, clock=lambda: now[0]) == 1
    assert len(seen) == 5

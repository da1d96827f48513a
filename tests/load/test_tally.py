"""Seconds of many processes become one series, in bounded memory; figures add up."""

from typing import Any

import pytest

from ocpp16.load.portion import ActionPortion, Portion, Standing
from ocpp16.load.probe import why
from ocpp16.load.recorder import MOST_KINDS
from ocpp16.load.results import Attempts, ErrorCount, Offender
from ocpp16.load.tally import PATIENCE, Tally


def portion(second: int, latency: int = 1_000, count: int = 1, **members: Any) -> Portion:
    action = ActionPortion(results=count, due=(latency, count), sent=(latency, count))
    standing = Standing(stage="hold", connected=5, registered=4, charge_points=5)
    return Portion(second, standing, sent=count, actions={"Heartbeat": action}, **members)


def test_a_second_is_there_when_all_processes_have_told_it() -> None:
    tally = Tally(2)
    tally.add(0, portion(1))
    assert not list(tally.seconds)
    tally.add(1, portion(1, latency=9_000))
    assert len(tally.seconds) == 1
    second = tally.seconds[0]
    assert (second.at, second.answered, second.connected, second.registered) == (1.0, 2, 10, 8)
    assert second.p50 == pytest.approx(0.001, rel=0.01)
    assert second.max == pytest.approx(0.009, rel=0.01)
    assert tally.actions()["Heartbeat"].count == 2


def test_attempts_that_failed_add_up_with_the_last_reason_there_was() -> None:
    tally = Tally(2)
    tally.add(0, portion(1, attempts=Attempts(3, "handshake 401")))
    tally.add(1, portion(1, attempts=Attempts(2, "handshake 503")))
    tally.add(0, portion(2))
    assert tally.attempts == tally.copied().attempts == Attempts(5, "handshake 503")


def test_a_slow_process_is_waited_for_but_not_for_ever() -> None:
    tally = Tally(2)
    for second in range(1, PATIENCE + 2):
        tally.add(0, portion(second))
    assert [one.at for one in tally.seconds] == [1.0]
    tally.add(1, portion(1))
    assert [one.at for one in tally.seconds] == [1.0, 2.0], "what comes too late counts in the second in which it comes"
    assert tally.seconds[1].answered == 2
    tally.gone(1)
    assert [one.at for one in tally.seconds] == [1.0, 2.0, 3.0, 4.0]
    assert sum(one.answered for one in tally.seconds) == tally.actions()["Heartbeat"].count == PATIENCE + 2


def test_a_process_that_is_gone_has_nobody_connected() -> None:
    tally = Tally(2)
    for number in (0, 1):
        tally.add(number, portion(1))
    tally.gone(1)
    tally.add(0, portion(2))
    assert [one.connected for one in tally.seconds] == [10, 5]


def test_a_process_that_was_ahead_when_it_went_does_not_come_back() -> None:
    tally = Tally(2)
    for number in (0, 1):
        tally.add(number, portion(1))
    tally.add(0, portion(2))
    tally.gone(0)
    tally.add(1, portion(2))
    assert (tally.seconds[-1].answered, tally.seconds[-1].connected) == (2, 5), "its calls count, it is not there"
    tally.add(1, portion(3))
    assert (tally.seconds[-1].connected, tally.connected) == (5, 5)


def test_a_long_test_keeps_bounded_seconds_and_says_so() -> None:
    tally = Tally(1, most_seconds=10)
    for second in range(1, 101):
        tally.add(0, portion(second, latency=second * 1_000, count=second))
    seconds = tally.seconds
    assert len(seconds) == 10
    assert sum(one.span for one in seconds) == 100
    assert max(one.span for one in seconds) <= 16
    assert sum(one.answered for one in seconds) == sum(range(101))
    assert [one.at for one in seconds] == sorted(one.at for one in seconds)
    for one in seconds:
        assert one.max == pytest.approx(one.at / 1000, rel=0.01), "the slowest is that of the last second in it"
        assert one.p50 is not None
        assert (one.at - one.span) / 1000 < one.p50 < one.at / 1000 * 1.01
    assert "the test was long" in tally.notes()[0]
    assert Tally(1).notes() == []


def test_late_seconds_are_marked_and_said_in_words() -> None:
    tally = Tally()
    tally.add(0, portion(1, loop_delay=0.002))
    assert (tally.limit().is_reached, tally.limit().why) == (False, "")
    tally.add(0, portion(2, loop_delay=0.25))
    tally.add(0, portion(3, cpu=0.99))
    limit = tally.limit()
    assert (limit.is_reached, limit.seconds, limit.worst_loop_delay) == (True, (1, 2), 0.25)
    assert "in 2 s this tool itself was behind" in limit.why
    assert "250 ms too late" in limit.why
    assert "99% of a core" in limit.why
    assert [one.is_late for one in tally.seconds] == [False, True, True]


@pytest.mark.parametrize(("seconds", "told"), [(0.02, "less than 0.1 s"), (0.05, "0.1 s"), (3.0, "3 s")])
def test_a_moment_in_which_it_was_late_is_not_none(seconds: float, told: str) -> None:
    assert why(seconds, 0.25, 0.5).startswith(f"in {told} this tool itself was behind")


def test_a_loop_that_was_blocked_leaves_a_longer_entry() -> None:
    tally = Tally()
    tally.add(0, portion(1))
    tally.add(0, portion(5, loop_delay=4.0))
    assert [(one.at, one.span) for one in tally.seconds] == [(1.0, 1.0), (5.0, 4.0)]


def test_errors_are_of_bounded_kinds_and_the_worst_come_first() -> None:
    tally = Tally(2)
    for number in range(MOST_KINDS + 50):
        tally.add(0, portion(number + 1, errors=(ErrorCount(f"kind {number}", "Heartbeat", 1),)))
    found = tally.errors()
    assert len(found) == MOST_KINDS + 1
    assert found[0] == ErrorCount("others", "", 50)
    tally.add(0, portion(900, offenders=(Offender("A", 1, 0.5), Offender("B", 0, 9.0))))
    tally.add(1, portion(900, offenders=(Offender("C", 7, 0.1),)))
    assert [one.charge_point for one in tally.offenders()] == ["C", "A", "B"]


def test_a_copy_stays_as_it_is() -> None:
    tally = Tally()
    tally.add(0, portion(1))
    copied = tally.copied()
    tally.add(0, portion(2))
    assert (copied.passed, tally.passed) == (1, 2)
    assert copied.actions()["Heartbeat"].count == 1
    assert len(copied.seconds) == 1


def test_transactions_are_those_that_were_answered() -> None:
    tally = Tally()
    parts = {
        "StartTransaction": ActionPortion(results=3, errors=1),
        "StopTransaction": ActionPortion(results=2, timeouts=1),
    }
    tally.add(0, Portion(1, Standing(), actions=parts))
    assert (tally.transactions().started, tally.transactions().stopped) == (3, 2)


def test_a_portion_comes_back_from_its_document() -> None:
    one = portion(3, errors=(ErrorCount("timeout", "Heartbeat", 2),), offenders=(Offender("A", 1, 0.5, ("x",)),))
    assert Portion.from_json(one.to_json()) == one
    broken = one.to_json()
    broken["actions"]["Heartbeat"]["due"] = [1, "x"]
    with pytest.raises(ValueError, match=r"actions.Heartbeat.due\[1\] must be a whole number"):
        Portion.from_json(broken)

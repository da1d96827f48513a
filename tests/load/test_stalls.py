"""A Central System that stops answering for a while, or for good: whoever waited is in the figures, and nobody else."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from ocpp16.fleet import CallEnded
from ocpp16.load.beats import Beats
from ocpp16.load.load_test import LoadTest
from ocpp16.load.portion import Standing
from ocpp16.load.recorder import Recorder
from ocpp16.scenario import scenario_from
from ocpp16.testing import CentralSystem
from ocpp16.testing.answers import Answer
from ocpp16.testing.recording import ReceivedCall

Make = Callable[..., LoadTest]


def stalled(csms: CentralSystem, begin: float, end: float) -> None:
    """No heartbeat is answered between these seconds; from then on those that came meanwhile, too."""
    began = trio.current_time()

    async def answer(payload: dict[str, Any], call: ReceivedCall) -> Answer:
        now = trio.current_time() - began
        if begin <= now < end:
            await trio.sleep(end - now)
        return {"currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["Heartbeat"] = answer


@pytest.mark.parametrize("begin", [20.0, 60.0])
@pytest.mark.parametrize("count", [1, 10, 40])
async def test_each_heartbeat_that_was_due_in_a_stall_has_waited(
    csms: CentralSystem, load_test: Make, count: int, begin: float
) -> None:
    """Whatever number of charge points share the rate, and though most of them give way to the one after; also where
    the story is over before the stall is, and none comes after it."""
    csms.standard_answers.interval = 3_600
    stalled(csms, begin, begin + 10.0)
    test = load_test(count, rate=20.0)
    await test.run()
    due = test.tally.measured()["Heartbeat"].due
    assert sum(due.values()) == test.tally.due_calls > 1_200
    for seconds in (1, 5, 9):
        waited = sum(number for value, number in due.items() if value >= seconds * 1e6)
        assert waited == pytest.approx(20 * (10 - seconds), abs=2)
    assert test.results().actions["Heartbeat"].errors == 0


class Stopping:
    """A member, its charge point and its timers, as far as heartbeats of a rate look at them."""

    identity = "CP001"
    is_running = True

    def __init__(self) -> None:
        self.charge_point = self.for_station = self.timers = self

    def every(self, interval: float, beat: Callable[[], None], first: float) -> None:
        self.beat = beat

    def heartbeat_now(self) -> bool:
        return self.is_running


@pytest.mark.parametrize("reason", ["stopped", "closed by the peer: 1006"])
def test_what_is_due_while_a_charge_point_stops_is_for_nobody(reason: str) -> None:
    """No latency speaks of it, though a heartbeat that was due before is answered meanwhile."""
    now = 0.0
    one = Recorder(("CP001",), lambda: now)
    one.beats = beats = Beats(1, 1.0, lambda: now)
    member: Any = Stopping()
    beats.added(member)
    one.link("CP001", True, "")
    for second in range(1, 40):
        member.is_running = second < 6
        member.beat()
    now = 41.0
    for due, sent, ended in ((1.0, 1.0, 1.5), (2.0, 39.5, 40.0)):
        one.call(CallEnded("CP001", "Heartbeat", due, sent, ended, "result", ""))
    one.link("CP001", False, reason)
    due_of = one.cut(1, Standing(), has_offenders=False).actions["Heartbeat"].due
    told = [round(value / 1e6) for value, count in zip(due_of[::2], due_of[1::2], strict=True) for _ in range(count)]
    assert (sorted(told), beats.missed()) == ([0, 35, 36, 37, 38], 34)


async def test_a_connection_that_is_lost_after_a_stall_takes_no_heartbeat_with_it(
    csms: CentralSystem, load_test: Make
) -> None:
    """All that waited in the stall were answered, before the connection went."""
    csms.standard_answers.interval = 3_600
    stalled(csms, 20.0, 30.0)
    test = load_test(10, rate=20.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(test.run)
        await trio.sleep(30.05)
        for identity in list(csms.connected):
            await csms.close(identity)
    assert test.results().actions["Heartbeat"].lost == 0
    due = test.tally.measured()["Heartbeat"].due
    assert sum(number for value, number in due.items() if value >= 1e6) == pytest.approx(20 * 9, abs=10)


@pytest.mark.parametrize("rate", [None, 20.0])
async def test_what_is_never_answered_before_the_end_was_not_answered_in_time(
    csms: CentralSystem, load_test: Make, rate: float | None
) -> None:
    csms.standard_answers.interval = 3_600 if rate else 5
    stalled(csms, 50.0, 1e9)
    test = load_test(4, rate=rate, thresholds=("Heartbeat.p90 < 1s", "Heartbeat.timeouts == 0"))
    await test.run()
    results = test.results()
    assert not results.is_passed
    assert [one.is_met for one in results.thresholds] == [False, False]
    beats = results.actions["Heartbeat"]
    assert (beats.lost, beats.timeouts) == (0, 4 * 2), "one was open for thirty seconds, and one waited for it"
    if rate is not None:
        due = test.tally.measured()["Heartbeat"].due
        waited = sum(number for value, number in due.items() if value > 30e6)
        assert waited == pytest.approx(20 * (results.seconds[-1].at - 50 - 30), abs=20)


async def test_what_the_end_of_the_test_cuts_off_is_no_error(csms: CentralSystem, load_test: Make) -> None:
    csms.standard_answers.interval = 1

    async def slow(payload: dict[str, Any], call: ReceivedCall) -> Answer:
        await trio.sleep(1.5)
        return {"currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["Heartbeat"] = slow
    stages = [{"kind": "ramp"}, {"kind": "hold", "duration": 20}, {"kind": "stop", "over": 5}]
    test = load_test(10, scenario=scenario_from({"stage": stages}, name="ends"), thresholds=("all.errors == 0",))
    await test.run()
    results = test.results()
    assert results.is_passed, results.errors
    assert results.actions["Heartbeat"].count > 100
    assert results.seconds[-1].in_flight == 0


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_who_was_told_to_wait_is_not_waited_for(csms: CentralSystem, load_test: Make, status: str) -> None:
    """Its next BootNotification, and all behind it, wait for an interval, and not for an answer."""

    def boot(payload: dict[str, Any], call: ReceivedCall) -> Answer:
        told = status if call.identity == "CP001" else "Accepted"
        return {"status": told, "interval": 1_000, "currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["BootNotification"] = boot
    test = load_test(2)
    await test.run()
    assert test.results().seconds[-1].at < 5 + 60 + 60 + 1, "a ramp, which settles in vain, and a hold"


@pytest.mark.parametrize(("refused", "is_passed"), [(0, True), (1, False), (4, False)])
async def test_whom_the_central_system_does_not_let_in_is_missed(
    csms: CentralSystem, load_test: Make, refused: int, is_passed: bool
) -> None:
    """The figures of the others are as good as can be."""
    chosen = [f"CP{number:03}" for number in range(1, refused + 1)]

    def boot(payload: dict[str, Any], call: ReceivedCall) -> Answer:
        status = "Rejected" if call.identity in chosen else "Accepted"
        return {"status": status, "interval": 10, "currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["BootNotification"] = boot
    test = load_test(4)
    await test.run()
    results = test.results()
    assert results.is_passed == is_passed
    if refused:
        (one,) = results.expectations
        assert (one.checked, one.met, sorted(failure.charge_point for failure in one.failures)) == (
            4,
            4 - refused,
            chosen,
        )
        assert {failure.why for failure in one.failures} == {"it was Rejected in the end"}
    wanted = load_test(4, thresholds=("Heartbeat.count == 0",) if refused == 4 else ("BootNotification.p99 < 1s",))
    await wanted.run()
    assert wanted.results().is_passed == (refused in (0, 4)), "where nobody was let in, that may be what is wanted"


async def test_a_heartbeat_under_way_is_none_that_was_not_sent(csms: CentralSystem, load_test: Make) -> None:
    """Of one charge point, seen each second, it would be more than a hundredth of all for the first hundred."""
    csms.standard_answers.interval = 3_600

    async def answer(payload: dict[str, Any], call: ReceivedCall) -> Answer:
        await trio.sleep(0.6)
        return {"currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["Heartbeat"] = answer
    test = load_test(1, rate=0.8)
    notes: list[str] = []
    open_calls: list[int] = []

    def look() -> None:
        notes.extend(test.results().notes)
        open_calls.append(test.tally.open_calls)

    test.on_second = look
    await test.run()
    assert max(open_calls) == 1, "none was seen under way"
    assert not [note for note in notes if "heartbeats were due" in note]

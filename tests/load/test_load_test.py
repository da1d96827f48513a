"""Load tests on the virtual clock: percentiles, verdicts, the end, and what is true while they run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import orjson
import pytest
import trio

from ocpp16.lint import lint
from ocpp16.lint.frame import CONNECTED
from ocpp16.lint.trace import Trace
from ocpp16.load.junit import junit
from ocpp16.load.load_test import LoadTest
from ocpp16.load.results import DocumentError, Results
from ocpp16.scenario import load_scenario, scenario_from
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault
from ocpp16.testing.answers import Answer
from ocpp16.testing.recording import ReceivedCall

Make = Callable[..., LoadTest]


def delayed(csms: CentralSystem, *, each: int, seconds: float) -> None:
    """Of the heartbeats one in `each` is answered so many seconds later."""
    count = 0

    async def answer(payload: dict[str, Any], call: ReceivedCall) -> Answer:
        nonlocal count
        count += 1
        if count % each == 0:
            await trio.sleep(seconds)
        return {"currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["Heartbeat"] = answer


async def test_a_fifth_of_the_answers_delayed_shows_in_the_right_percentiles(
    csms: CentralSystem, load_test: Make
) -> None:
    delayed(csms, each=5, seconds=2.0)
    test = load_test(10, duration=500.0)
    await test.run()
    results = test.results()
    beats = results.actions["Heartbeat"]
    assert beats.count > 400
    for found in (beats.due, beats.sent):
        assert found.p50 is not None
        assert found.p50 < 0.01
        assert found.p90 == found.p95 == found.p99 == found.max == pytest.approx(2.0, rel=0.01)
    assert results.is_complete
    assert results.why_ended == "done"
    assert results.is_passed


async def test_a_delay_of_the_kit_shows_too(csms: CentralSystem, load_test: Make) -> None:
    csms.misbehave(Fault.DELAY, "BootNotification", times=2, seconds=5.0)
    test = load_test(10, thresholds=("BootNotification.p50 < 100ms", "BootNotification.p90 >= 4.9s"))
    await test.run()
    results = test.results()
    assert results.is_passed
    assert [one.value for one in results.thresholds] == [pytest.approx(0, abs=0.1), pytest.approx(5.0, rel=0.01)]


async def test_what_waits_behind_slow_answers_is_not_omitted(csms: CentralSystem, load_test: Make) -> None:
    """Ten heartbeats a second are due of one charge point, and the Central System is away for ten seconds."""
    delayed(csms, each=100, seconds=10.0)
    test = load_test(1, rate=10.0)
    await test.run()
    beats = test.results().actions["Heartbeat"]
    assert beats.sent.max == pytest.approx(10.0, rel=0.01)
    slow_by_due = test.tally.measured()["Heartbeat"].due
    slow_by_sent = test.tally.measured()["Heartbeat"].sent
    assert sum(count for value, count in slow_by_due.items() if value > 5e6) > sum(
        count for value, count in slow_by_sent.items() if value > 5e6
    )


async def test_a_rate_begins_at_once_however_many_share_it(csms: CentralSystem, load_test: Make) -> None:
    """Each of these has a heartbeat in eighty seconds, and the test is as long."""
    csms.standard_answers.interval = 3_600
    test = load_test(80, rate=1.0)
    await test.run()
    assert test.results().actions["Heartbeat"].count == pytest.approx(60, rel=0.25)


async def test_an_open_model_is_due_at_its_times_and_says_what_it_could_not_send(
    csms: CentralSystem, load_test: Make
) -> None:
    csms.standard_answers.interval = 3_600
    test = load_test(4, rate=20.0)
    await test.run()
    results = test.results()
    assert results.actions["Heartbeat"].count == pytest.approx(20 * 60, rel=0.1)
    assert not any("heartbeats were due" in note for note in results.notes)
    delayed(csms, each=1, seconds=2.0)
    other = load_test(4, rate=20.0)
    await other.run()
    results = other.results()
    assert any("heartbeats were due by the rate" in note for note in results.notes)
    beats = results.actions["Heartbeat"]
    assert beats.sent.p50 == pytest.approx(2.0, rel=0.01)
    assert beats.due.p50 is not None
    assert beats.due.p50 > 10, "each has waited for those before"


async def test_a_central_system_that_goes_and_comes_back_is_in_the_figures(
    csms: CentralSystem, load_test: Make
) -> None:
    """Away from the 20th to the 30th second: who was connected is counted as lost, and comes back."""
    csms.standard_answers.interval = 3_600
    test = load_test(
        4,
        rate=20.0,
        keys={"Internal": {"RetryBackoffWaitMinimum": 1, "RetryBackoffRandomRange": 1, "RetryBackoffRepeatTimes": 0}},
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(test.run)
        await trio.sleep(20.5)
        csms.is_reachable = False
        for identity in list(csms.connected):
            csms.abort(identity)
        await trio.sleep(10)
        csms.is_reachable = True
    results = test.results()
    assert (results.is_complete, results.why_ended) == (True, "done")
    kinds = {error.kind: error.count for error in results.errors if not error.action}
    assert kinds["connection lost"] == 4
    assert sum(kinds.values()) - 4 == results.attempts.failed >= 4
    assert {(one.connected, one.registered) for one in results.seconds if 22 < one.at < 30} == {(0, 0)}
    assert {(one.connected, one.registered) for one in results.seconds if 40 < one.at < 60} == {(4, 4)}
    assert any("in times without a connection or a registration" in note for note in results.notes), results.notes


async def test_one_that_was_for_nothing_has_not_passed(csms: CentralSystem, load_test: Make) -> None:
    csms.is_reachable = False
    stages = [{"kind": "ramp", "over": 1, "settle": 5}, {"kind": "hold", "duration": 20}]
    short = scenario_from({"stage": stages}, name="short")
    test = load_test(2, scenario=short)
    await test.run()
    results = test.results()
    assert (results.is_complete, results.is_passed) == (True, False)
    assert results.notes[0] == "the Central System has answered nothing, so the test has not passed"
    expected = load_test(2, scenario=short, thresholds=("Heartbeat.count == 0",))
    await expected.run()
    assert expected.results().is_passed, "where that was wanted"
    harmless = load_test(2, scenario=short, thresholds=("all.violations == 0",))
    await harmless.run()
    assert not harmless.results().is_passed, "who answers nothing breaks nothing"
    suite = fromstring(junit(harmless.results()))[0]
    assert [case.attrib["message"] for case in suite.findall("testcase/failure")] == list(results.notes[:1])


async def test_one_that_came_to_nothing_of_what_is_expected_has_not_passed(load_test: Make) -> None:
    stages = [{"kind": "ramp", "over": 1}, {"kind": "hold", "duration": 600}]
    story = scenario_from({"stage": stages, "expect": [{"sent": "Authorize"}]}, name="long")
    test = load_test(2, scenario=story, duration=5.0)
    await test.run()
    results = test.results()
    assert (results.is_complete, results.is_passed) == (True, False)
    assert results.notes[0] == "the test came to nothing of what is expected, so it has not passed"
    measured = load_test(2, scenario=story, duration=5.0, thresholds=("BootNotification.count == 2",))
    await measured.run()
    assert measured.results().is_passed, "by what was measured"


async def test_thresholds_and_expectations_decide(csms: CentralSystem, load_test: Make) -> None:
    csms.answers["Heartbeat"] = CallErrorAnswer("InternalError", "no")
    expecting = scenario_from(
        {
            "stage": [{"kind": "ramp", "over": 1, "settle": 10}, {"kind": "hold", "duration": 30}],
            "expect": [{"name": "heartbeats are answered", "sent": "Heartbeat", "status": "Accepted", "within": 5}],
        },
        name="expecting",
    )
    test = load_test(2, scenario=expecting, thresholds=("all.error_rate < 1%", "BootNotification.max < 5s"))
    await test.run()
    results = test.results()
    assert (results.is_complete, results.is_passed) == (True, False)
    assert [one.is_met for one in results.thresholds] == [False, True]
    assert [one.is_met for one in results.expectations] == [False]
    assert results.expectations[0].failures
    assert results.errors[0].kind == "CALLERROR InternalError"
    assert results.errors[0].action == "Heartbeat"
    assert {one.charge_point for one in results.offenders[:2]} == {"CP001", "CP002"}
    assert any("Heartbeat" in line for line in results.offenders[0].trace)


async def test_seconds_stages_and_figures_go_together(csms: CentralSystem, load_test: Make) -> None:
    test = load_test(5)
    await test.run()
    results = test.results()
    calls = sum(action.count for action in results.actions.values())
    assert calls == sum(one.answered + one.timeouts + one.lost for one in results.seconds) == len(csms.calls())
    assert sum(one.sent for one in results.seconds) == calls
    assert [one.name for one in results.stages] == ["ramp", "hold"]
    assert results.stages[1].end == pytest.approx(results.seconds[-1].at, abs=3.0)
    assert max(one.connected for one in results.seconds) == 5
    assert max(one.registered for one in results.seconds) == 5
    assert not results.limit.is_reached
    assert results.began == "2026-01-01T00:00:00.000Z"
    assert results.connectors == 1


async def test_the_usual_scenario_charges_a_car_at_each(csms: CentralSystem, load_test: Make) -> None:
    test = load_test(6, scenario=load_scenario("usual"))
    await test.run()
    results = test.results()
    assert (results.transactions.started, results.transactions.stopped) == (6, 6)
    assert results.actions["MeterValues"].count >= 6 * 3
    assert results.actions["Heartbeat"].count >= 6 * 3
    assert results.is_passed


async def test_an_interrupted_test_is_true_and_not_passed(csms: CentralSystem, load_test: Make) -> None:
    test = load_test(3, thresholds=("BootNotification.max < 5s",))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(test.run)
        await trio.sleep(20.5)
        running = test.results()
        test.stop()
    assert (running.is_complete, running.why_ended, running.is_passed) == (False, "running", False)
    assert running.stages[-1].name == "hold"
    results = test.results()
    assert (results.is_complete, results.why_ended, results.is_passed) == (False, "interrupted", False)
    assert results.thresholds[0].is_met
    assert sum(action.count for action in results.actions.values()) == len(csms.calls())
    assert results.seconds[-1].at == pytest.approx(21, abs=1)


async def test_a_central_system_that_is_not_there_ends_the_test(csms: CentralSystem, load_test: Make) -> None:
    csms.is_reachable = False
    test = load_test(3, duration=3_000.0)
    await test.run()
    results = test.results()
    assert (results.why_ended, results.is_complete, results.is_passed) == ("central system lost", False, False)
    assert 55 < results.seconds[-1].at < 90
    assert results.actions == {}
    assert results.errors[0].kind.startswith("not connected: ")
    assert results.seconds[-1].connected == 0


async def test_a_central_system_that_dies_is_told_with_what_was_before(csms: CentralSystem, load_test: Make) -> None:
    test = load_test(3, duration=3_000.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(test.run)
        await trio.sleep(100)
        csms.is_reachable = False
        for identity in list(csms.connected):
            csms.abort(identity)
    results = test.results()
    assert (results.why_ended, results.is_complete) == ("central system lost", False)
    assert results.actions["BootNotification"].results == 3
    assert {one.kind for one in results.errors} >= {"connection lost"}


async def test_refused_handshakes_are_counted_by_status(csms: CentralSystem, load_test: Make) -> None:
    csms.refuse_handshake(503, times=2)
    test = load_test(2)
    await test.run()
    results = test.results()
    assert [(one.kind, one.count) for one in results.errors] == [("handshake 503", 2)]
    assert results.is_passed


async def test_the_same_seed_sends_the_same(csms: CentralSystem, load_test: Make) -> None:
    async def sent(seed: int) -> list[tuple[str, str, float]]:
        seen, began = len(csms.calls()), trio.current_time()
        await load_test(4, seed=seed).run()
        return [(call.identity, call.action, round(call.time - began, 3)) for call in csms.calls()[seen:]]

    first = await sent(1)
    assert first == await sent(1)
    assert first != await sent(2)


async def test_a_trace_has_the_frames_of_some_and_a_largest_size(
    csms: CentralSystem, load_test: Make, tmp_path: Path
) -> None:
    path = tmp_path / "trace.jsonl"
    test = load_test(6, trace=str(path), traced=2)
    await test.run()
    frames = list(Trace(path))
    assert len({frame.charge_point for frame in frames}) == 2
    assert {frame.action for frame in frames} >= {"BootNotification", "Heartbeat"}
    of_one = [frame for frame in frames if frame.charge_point == frames[0].charge_point and frame.kind == "CALL"]
    assert len(of_one) == len(csms.calls(identity=frames[0].charge_point))
    assert test.results().notes == ()
    small = load_test(6, trace=str(path), trace_size=3_000)
    await small.run()
    assert path.stat().st_size <= 3_000
    assert "later frames are missing" in small.results().notes[0]
    assert all(orjson.loads(line)["schemaVersion"] == "1.1" for line in path.read_bytes().splitlines())


async def test_a_trace_says_where_a_connection_began_anew(csms: CentralSystem, load_test: Make, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    test = load_test(3, trace=str(path))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(test.run)
        await trio.sleep(30)
        csms.abort("CP002")
    frames = list(Trace(path))
    assert [frame.charge_point for frame in frames if frame.kind == CONNECTED] == ["CP002"]
    assert {"CP001", "CP003"} < {frame.charge_point for frame in frames}
    assert [one for one in lint(frames) if one.severity == "error"] == []


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def test_results_come_back_from_their_file(load_test: Make, tmp_path: Path) -> None:
    test = load_test(3, thresholds=("all.p99 < 5s", "Reset.p50 < 1s"))
    await test.run()
    results = test.results()
    path = tmp_path / "results.json"
    results.save(path)
    again = Results.load(path)
    assert again.to_json() == results.to_json()
    assert Results.from_json(again.to_json()) == again
    assert names_in(tmp_path) == ["results.json"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda found: found.pop("seed"), "seed: is missing"),
        (lambda found: found.update(format="x"), "format: must be 'ocpp16-load-1'"),
        (lambda found: found["seconds"][0].update(p50="fast"), "seconds[0].p50 must be a number"),
        (lambda found: found["actions"]["Heartbeat"]["due"].update(p99=True), "actions.Heartbeat.due.p99 must be"),
        (lambda found: found["limit"].update(seconds=[10_000]), "limit.seconds: must be indices"),
        (lambda found: found.update(processes={}), "processes must be a list"),
        (lambda found: found.update(is_passed=1), "is_passed must be True or False"),
        (lambda found: found.update(notes=[1]), "notes[0] must be text"),
    ],
)
async def test_a_document_that_is_wrong_names_the_member(
    load_test: Make, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    test = load_test(1)
    await test.run()
    document = orjson.loads(orjson.dumps(test.results().to_json()))
    assert Results.from_json(document)
    change(document)
    with pytest.raises(DocumentError) as caught:
        Results.from_json(document)
    assert why in str(caught.value)


def test_a_file_that_is_none_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{")
    with pytest.raises(DocumentError, match=r"x\.json: is no JSON"):
        Results.load(path)


async def test_memory_is_settled_when_much_is_new_and_no_connection_was_lost(
    csms: CentralSystem, load_test: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a broken connection leaves is found by the collector alone."""
    settled: list[float] = []
    new = 10_000
    monkeypatch.setattr("ocpp16.load.driver.new_objects", lambda: new)
    monkeypatch.setattr("ocpp16.load.driver.settle_memory", lambda: settled.append(trio.current_time()))
    test = load_test(2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(test.run)
        await trio.sleep(10.5)
        assert not settled
        new = 10_001
        await trio.sleep(10)
        assert len(settled) == 10
        csms.abort("CP001")
    assert len(settled) == 10


async def test_a_disk_that_takes_no_trace_is_told(load_test: Make) -> None:
    test = load_test(2, trace="/dev/full")
    await test.run()
    (failure,) = test.trace_failures
    assert "No space left on device" in failure
    assert failure in test.results().notes[0]

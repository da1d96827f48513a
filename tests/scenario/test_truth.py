"""What a report must not hide, who was not connected and what was waited for, and whom it must not blame."""

from random import Random
from typing import Any

import pytest
import trio

from ocpp16.fleet import Member
from ocpp16.rpc.calls import CallEnded
from ocpp16.scenario import Outcome, Progress, Scenario, ScenarioError, Stage, scenario_from
from ocpp16.scenario.judge import Judge
from ocpp16.scenario.model import StageKind
from ocpp16.simulation import Commands
from ocpp16.testing import CentralSystem, Fault


async def test_a_story_of_python_that_nobody_plays_is_refused(play: Any) -> None:
    async def script(member: Member, random: Random) -> None:
        raise AssertionError("it is not begun")

    stages = (Stage(kind=StageKind.RAMP, name="up"), Stage(kind=StageKind.HOLD, name="on", duration=10.0))
    async with CentralSystem() as csms:
        with pytest.raises(ScenarioError, match=r"told: .*no stage plays the script"):
            await play(Scenario(name="told", stages=stages, play=script), csms)
        assert csms.calls() == []


async def test_who_is_not_connected_in_the_end_is_told_with_the_reason(csms: CentralSystem, play: Any) -> None:
    csms.refuse_handshake(403, times=1000)
    scenario = scenario_from({"stage": [{"kind": "ramp", "settle": 10}], "expect": [{"sent": "BootNotification"}]})
    outcome: Outcome = await play(scenario, csms, 3)
    (note,) = outcome.notes
    assert note.startswith("3 of 3 charge points were not connected in the end; CP001: ")
    assert "403" in note
    assert not outcome.is_passed


async def test_what_a_script_waited_for_is_told_where_it_was_ended(csms: CentralSystem, play: Any) -> None:
    is_stopping = trio.Event()

    def progress(one: Progress) -> None:
        if one.seconds > 20:
            is_stopping.set()

    script = scenario_from({"step": [{"do": "wait_received", "action": "Reset", "within": 1000}]})
    outcome: Outcome = await play(script, csms, 2, is_stopping=is_stopping, progress=progress)
    assert (
        "in the end: 2 × waiting for Reset of the Central System, which somebody has to ask for there" in outcome.notes
    )


async def test_what_is_asked_when_the_story_is_over_is_nobodys_fault(csms: CentralSystem, play: Any) -> None:
    """Something is under way at each moment, and all is answered in time."""

    async def slow(payload: dict[str, Any], call: Any) -> dict[str, Any]:
        await trio.sleep(1.5)
        return {"currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["Heartbeat"] = slow
    csms.standard_answers.interval = 1
    stages = [{"kind": "ramp"}, {"kind": "hold", "duration": 10}]
    scenario = scenario_from({"stage": stages, "expect": [{"sent": "*", "within": 30}]})
    outcome: Outcome = await play(scenario, csms, 2)
    assert outcome.is_passed
    assert trio.current_time() < 30  # nor is what is asked then waited for, but as the stop does


async def test_a_story_that_came_to_nothing_of_what_is_expected_has_not_passed(csms: CentralSystem, play: Any) -> None:
    stages = [{"kind": "ramp"}, {"kind": "hold", "duration": 600}]
    expected = [{"sent": "Authorize"}, {"sent": "BootNotification"}]
    in_vain: Outcome = await play(scenario_from({"stage": stages, "expect": expected[:1]}), csms, 2, duration=5)
    assert (in_vain.is_complete, in_vain.is_passed) == (True, False)
    in_part: Outcome = await play(scenario_from({"stage": stages, "expect": expected}), csms, 2, duration=5)
    assert in_part.is_passed


async def test_a_central_system_that_breaks_the_protocol_has_not_passed(csms: CentralSystem, play: Any) -> None:
    stages = [{"kind": "ramp"}, {"kind": "hold", "duration": 10}]
    csms.misbehave(Fault.DUPLICATE, "BootNotification", times=1)
    outcome: Outcome = await play(scenario_from({"stage": stages}), csms, 2)
    assert [(one.rule, one.count) for one in outcome.violations] == [("answered-twice", 1)]
    assert outcome.breach == "the Central System broke the protocol once (answered-twice 1)"
    assert (outcome.is_complete, outcome.is_passed) == (True, False)
    csms.misbehave(Fault.DUPLICATE, "BootNotification", times=1)
    disturbed: Outcome = await play(scenario_from({"stage": stages, "faults": {"latency": 0.01}}), csms, 2)
    assert (len(disturbed.violations), disturbed.breach, disturbed.is_passed) == (1, "", True)


async def test_a_verdict_in_a_time_that_ran_faster_says_what_that_means(csms: CentralSystem, play: Any) -> None:
    story = {"stage": [{"kind": "ramp"}], "expect": [{"sent": "BootNotification", "status": "Pending"}]}
    quick: Outcome = await play(scenario_from(story), csms, 1, speed=100.0)
    assert any("an answer within 30 s came within 3000 s of the story" in note for note in quick.notes)
    real: Outcome = await play(scenario_from(story), csms, 1)
    assert not any("faster" in note for note in real.notes)


async def test_the_central_system_has_its_own_time_in_a_story_that_goes_faster(csms: CentralSystem, play: Any) -> None:
    """Seconds of the world, by which the charge points wait for it, too: none asks again."""
    vars(trio.lowlevel.current_clock())["calendar_rate"] = 0.1
    story = {"stage": [{"kind": "ramp", "settle": 400}], "expect": [{"sent": "*", "within": 30, "count": 0}]}
    csms.misbehave(Fault.DELAY, "BootNotification", times=1, seconds=290.0)
    slow: Outcome = await play(scenario_from(story), csms, 1, speed=10.0)
    assert (slow.is_passed, len(csms.calls("BootNotification"))) == (True, 1)
    csms.misbehave(Fault.DELAY, "BootNotification", times=1, seconds=305.0)
    late: Outcome = await play(scenario_from(story), csms, 1, speed=10.0)
    assert [one.failures[0].why for one in late.expectations] == [
        "BootNotification was answered after 30.5 s, not within 30 s"
    ]
    csms.misbehave(Fault.DROP, "Heartbeat", times=1)
    story["step"], story["stage"] = (
        [{"do": "heartbeat"}, {"do": "sleep", "seconds": 1}],
        [*story["stage"], {"kind": "steps"}],
    )
    never: Outcome = await play(scenario_from(story), csms, 1, speed=10.0)
    assert [one.failures[0].why for one in never.expectations] == ["Heartbeat was not answered within 31.1 s"]


async def test_a_card_is_waited_for_in_the_time_of_the_central_system(csms: CentralSystem, play: Any) -> None:
    """An Authorize that is given up is a timeout, and its late answer a violation: of one that is right."""
    vars(trio.lowlevel.current_clock())["calendar_rate"] = 0.1
    csms.misbehave(Fault.DELAY, "Authorize", times=1, seconds=290.0)
    step = [
        {"do": "wait_registered"},
        {"do": "present_id_tag", "id_tag": "TAG1"},
        {"do": "wait_sent", "action": "Authorize", "status": "Accepted", "within": 40},
    ]
    ended: list[CallEnded] = []
    outcome: Outcome = await play(scenario_from({"step": step}), csms, 1, speed=10.0, calls=ended.append)
    assert (outcome.is_passed, outcome.violations) == (True, ())
    assert [one.outcome for one in ended if one.action == "Authorize"] == ["result"]


async def test_steps_give_the_central_system_its_own_time(csms: CentralSystem, play: Any) -> None:
    vars(trio.lowlevel.current_clock())["calendar_rate"] = 0.1
    csms.misbehave(Fault.DELAY, "BootNotification", times=1, seconds=90.0)
    step = [{"do": "wait_registered", "within": 10}]
    outcome: Outcome = await play(scenario_from({"step": step}), csms, 1, speed=10.0)
    assert outcome.is_passed


async def test_what_ends_the_connection_each_time_is_never_taken(csms: CentralSystem, play: Any) -> None:
    drivers = [{"arrivals": {"kind": "fixed", "moments": [20]}, "parking": 100}]
    expected = [{"sent": "*", "within": 30}, {"sent": "StopTransaction", "within": 30, "count": 0}]
    stages = [{"kind": "ramp"}, {"kind": "hold", "duration": 1200}]
    story = {"drivers": drivers, "stage": stages, "expect": expected}
    csms.misbehave(Fault.CLOSE, "StopTransaction", times=2)
    twice: Outcome = await play(scenario_from(story), csms, 1)
    assert (twice.is_passed, twice.counts["transactions stopped"]) == (True, 1)
    csms.misbehave(Fault.CLOSE, "StopTransaction", times=1000)
    never: Outcome = await play(scenario_from(story), csms, ["CP2"])
    assert {one.failures[0].why for one in never.expectations} == {
        "StopTransaction ended the connection 3 times, and was never answered"
    }


async def test_what_the_story_itself_cuts_off_is_nobodys_fault(csms: CentralSystem, play: Any) -> None:
    csms.misbehave(Fault.DELAY, "BootNotification", times=5, seconds=5.0)
    stages = [
        {"kind": "ramp", "settle": 0.0},
        {"kind": "storm", "times": 5, "pause": 2, "settle": 0},
        {"kind": "hold", "duration": 60},
    ]
    outcome: Outcome = await play(scenario_from({"stage": stages, "expect": [{"sent": "*", "within": 30}]}), csms, 1)
    assert outcome.is_passed
    assert len(csms.calls("BootNotification")) > 3


async def test_who_has_not_seen_all_passes_nothing(
    csms: CentralSystem, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = scenario_from({"stage": [{"kind": "ramp"}], "expect": [{"absent": "StopTransaction"}]})

    def lose(member: Member) -> None:
        member.charge_point.counters.observer_events_dropped += 3

    lost: Outcome = await play(story, csms, 1, added=lose)
    assert [(one.name, one.is_met) for one in lost.expectations] == [
        ("all that happened was looked at", False),
        ("absent StopTransaction", True),
    ]
    assert lost.expectations[0].failures[0].why == "3 events were lost before: the process had too much to do"

    def fail(*of: Any) -> None:
        raise ArithmeticError("a judge who fails")

    monkeypatch.setattr(Judge, "called", fail)
    blind: Outcome = await play(story, csms, ["CP2"])
    assert not blind.is_passed
    assert "a judge who fails" in blind.expectations[0].failures[0].why


async def test_who_never_came_to_the_first_step_is_told_by_it(csms: CentralSystem, play: Any) -> None:
    steps = [{"do": "sleep", "seconds": 1, "name": "first"}, {"do": "wait_answered", "name": "last"}]
    stages = [{"kind": "ramp", "settle": 0}, {"kind": "steps", "within": 5}]
    outcome: Outcome = await play(scenario_from({"stage": stages, "step": steps}), csms, 1, spread=1e6)
    assert [one.name for one in outcome.expectations] == ["step 1: first"]


@pytest.mark.parametrize("act", [{"do": "reset"}, {"do": "power_cut", "seconds": 5}], ids=lambda act: str(act["do"]))
async def test_who_is_made_to_start_anew_is_registered_anew(
    csms: CentralSystem, play: Any, act: dict[str, Any]
) -> None:
    wait = {"do": "wait_registered", "within": 100}
    again = scenario_from({"step": [wait, act, wait]})
    assert (await play(again, csms, 1)).is_passed
    assert len(csms.calls("BootNotification")) == 2
    accepted: Any = {"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300}
    answers = iter([accepted])
    csms.answers["BootNotification"] = lambda payload, call: next(answers, {**accepted, "status": "Rejected"})
    refused: Outcome = await play(again, csms, ["CP2"])
    assert [(one.name, one.is_met) for one in refused.expectations][-1] == ("step 3: wait_registered", False)


async def test_a_story_that_nobody_answers_has_not_passed(csms: CentralSystem, play: Any) -> None:
    """Though nothing is expected of the Central System."""
    story = {"stage": [{"kind": "ramp", "settle": 5}, {"kind": "hold", "duration": 5}]}
    assert (await play(scenario_from(story), csms, 1)).is_passed
    csms.is_reachable = False
    nobody: Outcome = await play(scenario_from(story), csms, ["CP2"])
    assert [(one.name, one.is_met) for one in nobody.expectations] == [("the Central System is there", False)]
    assert not nobody.is_passed


async def test_one_whose_first_attempt_hangs_is_told_so(csms: CentralSystem, play: Any) -> None:
    async def silent(endpoint: Any) -> trio.abc.Stream:
        return trio.testing.memory_stream_pair()[0]

    story = {"stage": [{"kind": "ramp", "settle": 5}]}
    outcome: Outcome = await play(scenario_from(story), csms, 1, connector=silent)
    assert any(
        note.endswith("not connected in the end; CP001: its first attempt was not answered yet")
        for note in outcome.notes
    )


async def test_a_step_that_is_to_fail_does_and_the_script_goes_on(csms: CentralSystem, play: Any, whys: Any) -> None:
    nowhere = {"do": "plug_in", "connector": 9, "name": "nowhere"}
    shown = {"do": "present_id_tag", "id_tag": "CARD", "connectors": [1], "name": "shown"}
    seen = {"do": "wait_sent", "action": "Authorize"}
    script = [{"do": "wait_registered"}, {**nowhere, "fails": True}, shown, seen]
    outcome: Outcome = await play(scenario_from({"step": script}), csms, 2)
    assert outcome.is_passed
    assert ("step 2: nowhere", True, 2, 2) in [one[:4] for one in outcome.expectations]
    outcome = await play(scenario_from({"step": [script[0], {**shown, "fails": True}]}), csms, 2)
    assert whys(outcome) == {"step 2: shown": ["present_id_tag was to fail, and did not"]}


@pytest.mark.parametrize(("raised", "why"), [(ValueError(), "ValueError"), (KeyError("x"), "KeyError: 'x'")])
async def test_what_breaks_in_a_step_is_a_failure_whatever_it_says(
    csms: CentralSystem, play: Any, whys: Any, monkeypatch: pytest.MonkeyPatch, raised: Exception, why: str
) -> None:
    async def breaks(*arguments: Any) -> None:
        raise raised

    monkeypatch.setattr(Commands, "run", breaks)
    script: list[dict[str, Any]] = [
        {"do": "wait_registered"},
        {"do": "present_id_tag", "id_tag": "CARD", "connectors": [1]},
    ]
    outcome: Outcome = await play(scenario_from({"step": script}), csms)
    assert whys(outcome) == {"step 2: present_id_tag": [why]}
    script[1]["fails"] = True
    outcome = await play(scenario_from({"step": script}), csms)
    assert outcome.is_passed == isinstance(raised, ValueError)

"""The scenarios of load, short and with few charge points: each passes where the Central System does what it should,
and fails, with the reason, where it does not. The story of a charge point does not depend on the others."""

import time
from collections import Counter
from typing import Any

import pytest
import trio

from ocpp16.scenario import READY_MADE, Outcome, load_scenario
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault

LOADS = [name for name in READY_MADE if not name.startswith("TC_")]
HOLDS = {"soak": 14_400.0, "highway-hub": 3600.0}
"""Seconds that they hold here, where the usual ones would take long."""


@pytest.mark.parametrize("name", LOADS)
async def test_each_passes(name: str, csms: CentralSystem, play: Any, whys: Any) -> None:
    outcome: Outcome = await play(load_scenario(name), csms, 5, duration=HOLDS.get(name))
    assert whys(outcome) == {}
    assert outcome.is_passed
    assert outcome.counts["charge points"] == 5
    if name != "malformed":
        assert not csms.violations
        assert not [note for note in outcome.notes if "ChangeConfiguration" in note]
    else:
        assert {violation.rule.split(":")[0] for violation in csms.violations} >= {"no OCPP-J frame"}


@pytest.mark.parametrize("name", [name for name in LOADS if name != "usual"])
async def test_each_fails_where_nothing_is_answered(name: str, csms: CentralSystem, play: Any, whys: Any) -> None:
    csms.answers["BootNotification"] = None
    outcome: Outcome = await play(load_scenario(name), csms, 2, duration=600.0)
    assert not outcome.is_passed
    reasons = [why for one in whys(outcome).values() for why in one]
    assert any("BootNotification" in why and ("not answered" in why or "of which 0" in why) for why in reasons), reasons


@pytest.mark.parametrize("name", ["highway-hub", "malformed", "office-day"])
async def test_cut_short_none_blames_a_good_central_system(name: str, csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(load_scenario(name), csms, 3, duration=15.0)
    assert outcome.is_passed
    assert sum(one.unseen for one in outcome.expectations)
    assert all(one.checked + one.unseen in (1, 3) for one in outcome.expectations)
    assert any("is not judged" in note for note in outcome.notes)


WRONG: dict[str, tuple[str, Any, str, str]] = {
    "boot-storm": (
        "StatusNotification",
        CallErrorAnswer("InternalError", "no"),
        "all else is answered within 30 s",
        "StatusNotification was answered with CALLERROR InternalError",
    ),
    "reconnect-storm": (
        "StartTransaction",
        {"transactionId": 1, "idTagInfo": {"status": "Invalid"}},
        "every transaction has an id",
        "StartTransaction: idTagInfo.status is 'Invalid', not 'Accepted'",
    ),
    "office-day": (
        "Authorize",
        {"idTagInfo": {"status": "Blocked"}},
        "known cards are accepted",
        "Authorize: idTagInfo.status is 'Blocked', not 'Accepted'",
    ),
    "offline-week": (
        "StartTransaction",
        {"idTagInfo": {"status": "Accepted"}},
        "all transactions of the week are told afterwards, and each gets an id",
        "StartTransaction: transactionId is missing",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_answered_wrongly_is_told(name: str, csms: CentralSystem, play: Any, whys: Any) -> None:
    action, answer, expected, why = WRONG[name]
    csms.answers[action] = answer
    outcome: Outcome = await play(load_scenario(name), csms, 2)
    assert why in whys(outcome)[expected], whys(outcome)
    (result,) = [one for one in outcome.expectations if one.name == expected]
    assert (result.checked, result.met) == (2, 0)
    assert {failure.charge_point for failure in result.failures} == {"CP001", "CP002"}


async def test_a_soak_in_which_nobody_ever_charges_has_not_passed(csms: CentralSystem, play: Any, whys: Any) -> None:
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    outcome: Outcome = await play(load_scenario("soak"), csms, 1)
    assert outcome.counts["sessions refused"] > 1
    assert whys(outcome) == {"there are transactions, and each gets an id": ["StartTransaction was not sent"]}


async def test_late_answers_fail_malformed(csms: CentralSystem, play: Any, whys: Any) -> None:
    """A Central System that garbage makes slow for good."""

    async def slow(payload: dict[str, Any], call: Any) -> dict[str, Any]:
        if trio.current_time() > 250:
            await trio.sleep(12)
        return {"currentTime": "2026-01-01T00:00:00Z"}

    csms.answers["Heartbeat"] = slow
    outcome: Outcome = await play(load_scenario("malformed"), csms, 1)
    assert whys(outcome) == {
        "afterwards every call is answered within 10 s": ["Heartbeat was answered after 12 s, not within 10 s"]
    }


async def test_a_day_of_twenty_charge_points_takes_seconds(csms: CentralSystem, play: Any) -> None:
    began = time.process_time()
    outcome: Outcome = await play(load_scenario("office-day"), csms, 20)
    assert outcome.is_passed
    assert outcome.stages[-1].end > 86_400
    assert outcome.counts["sessions"] > 20
    assert time.process_time() - began < 60  # some 3 s; a machine may be much slower than ours


def stories(csms: CentralSystem, identity: str, began: float) -> list[tuple[float, str]]:
    """What a charge point did, and when, to the second; without what a card is called and a meter shows."""
    calls = csms.calls(None, identity)
    return [(round(call.time - began), call.action) for call in calls if call.action != "MeterValues"]


async def test_the_story_of_one_is_the_same_among_many(play: Any) -> None:
    told = []
    for ids in (["CP7"], ["CP1", "CP2", "CP7", "CP9"], ["CP7"]):
        async with CentralSystem() as csms:
            began = trio.current_time()
            outcome: Outcome = await play(load_scenario("office-day"), csms, ids, seed=5)
            assert outcome.is_passed
            told.append(stories(csms, "CP7", began))
    assert told[0] == told[1] == told[2]
    assert Counter(action for _, action in told[0])["StartTransaction"] >= 2
    async with CentralSystem() as csms:
        began = trio.current_time()
        await play(load_scenario("office-day"), csms, ["CP7"], seed=6)
        assert stories(csms, "CP7", began) != told[0]


async def test_the_verdict_is_the_same_at_one_and_at_many(play: Any, whys: Any) -> None:
    """Both where it passes and where it fails."""
    for is_right in (True, False):
        verdicts = []
        for count in (1, 60):
            async with CentralSystem() as csms:
                if not is_right:
                    csms.misbehave(Fault.DELAY, "BootNotification", times=None, seconds=31.0)
                outcome: Outcome = await play(load_scenario("boot-storm"), csms, count)
                verdicts.append((outcome.is_passed, {one.name: one.is_met for one in outcome.expectations}))
        assert verdicts[0] == verdicts[1]
        assert verdicts[0][0] is is_right

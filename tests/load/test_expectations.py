"""What a scenario expects, in every report of a load test: how often it was looked at, and how often it was not so."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from ocpp16.cli.load_lines import in_lines
from ocpp16.load.figures import figures
from ocpp16.load.html import page
from ocpp16.load.job import DONE, INTERRUPTED, Played
from ocpp16.load.junit import junit
from ocpp16.load.lines import parsed, written
from ocpp16.load.load_test import LoadTest
from ocpp16.load.results import ExpectationResult, ProcessResult
from ocpp16.scenario import Outcome, Scenario, scenario_from
from ocpp16.scenario.judge import Call, Judge, Party
from ocpp16.scenario.model import Seen
from ocpp16.scenario.run import ACCEPTED

Make = Callable[..., LoadTest]
STAGES = [{"kind": "ramp", "over": 1, "settle": 10}]


async def test_whoever_failed_is_counted_though_not_all_are_told(load_test: Make) -> None:
    story = scenario_from({"stage": STAGES, "expect": [{"sent": "Authorize"}]}, name="cards")
    test = load_test(23, scenario=story)
    await test.run()
    results = test.results()
    (one,) = results.expectations
    assert (one.checked, one.met, one.failed, len(one.failures)) == (23, 0, 23, 20)
    failure = fromstring(junit(results).encode()).find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("23 failures of 23 checks; the first: CP0")
    assert (failure.text or "").splitlines()[20:] == ["… and 3 more"]
    html = page(results)
    assert '<td class="number">23</td><td class="number">23</td>' in html
    assert "… and 3 failures more." in html
    lines = in_lines(results)
    begin = lines.index(f"NOT MET {one.name} (0 of 23)")
    assert lines[begin + 11] == "        … and 13 more"
    assert figures(results)["verdict"]["expectations"][0]["met"] == 0


async def test_two_of_one_name_are_two_in_one_process_and_in_several(load_test: Make) -> None:
    twice = [{"sent": "Authorize"}, {"sent": "Authorize", "count": 0}]
    test = load_test(3, scenario=scenario_from({"stage": STAGES, "expect": twice}, name="cards"))
    await test.run()
    found = [(one.name, one.is_met, one.checked) for one in test.results().expectations]
    assert found == [("sent Authorize", False, 3), ("sent Authorize", True, 3)]
    step, one, other = ("step 1: sleep", True, 3, 3), ("sent Authorize", False, 3, 0), ("sent Authorize", True, 3, 3)
    parts = {
        number: Played(True, DONE, expectations=tuple(ExpectationResult(*members) for members in played))
        for number, played in enumerate([(step, one, other), (one, other)])
    }
    together = replace(test.view(), played=parts).results().expectations
    assert [(one.name, one.is_met, one.checked, one.met) for one in together] == [
        ("step 1: sleep", True, 3, 3),
        ("sent Authorize", False, 6, 0),
        ("sent Authorize", True, 6, 6),
    ]


# Several processes

HALVES = ({"A": 9, "B": 0}, {"C": 10, "D": 10, "E": 10, "F": 10})
"""Heartbeats of each charge point, in each of two processes."""


def played(
    scenario: Scenario, beats: Mapping[str, int], *, is_accepted: bool = True, is_cut_short: bool = False
) -> Played:
    """What a process tells whose charge points have sent so many heartbeats, at the seconds from 1 on."""
    judge = Judge(scenario.expectations)
    parties = {identity: Party(identity, 0.0) for identity in beats}
    for identity, party in parties.items():
        party.is_accepted = is_accepted
        for number in range(beats[identity]):
            call = Call(Seen.SENT, "Heartbeat", {}, 1.0 + number)
            judge.called(party, call)
            judge.answered(party, call, 1.1 + number, {}, "")
    outcome = Outcome(
        scenario=scenario.name,
        is_complete=True,
        stages=[],
        expectations=judge.results(parties, 60.0, is_cut_short=is_cut_short),
        counts={},
        fleet=tuple(judge.fleet_counts(parties, 60.0, is_cut_short=is_cut_short)),
    )
    told = written({"outcome": Played.of(outcome, DONE).to_json()})
    return Played.from_json(parsed(told)["outcome"])


@pytest.mark.parametrize(
    ("said", "is_met", "alone"),
    [
        ({"count": 1, "share": 0.8}, True, [False, True]),  # five of six, but one of two
        ({"count": 10, "share": 0.8}, False, [False, True]),
        ({"count": 9, "share": 0.5, "most": 9}, False, [True, False]),
        ({"count": 1, "per": "fleet"}, True, [True, True]),
        ({"count": 49, "per": "fleet"}, True, [False, False]),
        ({"count": 50, "per": "fleet"}, False, [False, False]),
        ({"most": 40, "per": "fleet"}, False, [True, True]),
        ({"most": 49, "per": "fleet"}, True, [True, True]),
        ({"most": 30, "per": "fleet"}, False, [True, False]),
    ],
)
async def test_what_processes_counted_is_added_up_and_judged_once(
    load_test: Make, said: dict[str, Any], is_met: bool, alone: list[bool]
) -> None:
    expect = [{"sent": "Authorize", "count": 0}, {"sent": "Heartbeat", "within": 30, **said}]
    scenario = scenario_from({"stage": STAGES, "expect": expect}, name="beats")
    parts = [played(scenario, beats) for beats in HALVES]
    assert [part.expectations[1].is_met for part in parts] == alone
    view = load_test(6, scenario=scenario).view()
    found = replace(view, played=dict(enumerate(parts))).results().expectations
    whole = played(scenario, {identity: count for beats in HALVES for identity, count in beats.items()})
    by_one = replace(view, played={0: whole}).results().expectations
    assert [one.is_met for one in found] == [True, is_met]
    assert [replace(one, failures=()) for one in found] == [replace(one, failures=()) for one in by_one]
    assert bool(found[1].failures) == bool(by_one[1].failures)


async def test_what_no_process_came_to_is_not_judged_and_one_that_did_is_enough(load_test: Make) -> None:
    expect = [{"sent": "Heartbeat", "per": "fleet"}]
    scenario = scenario_from({"stage": STAGES, "expect": expect}, name="beats")
    none, some = (played(scenario, beats, is_cut_short=True) for beats in ({"A": 0}, {"B": 1}))
    never = played(scenario, {"C": 0}, is_accepted=False, is_cut_short=True)
    view = load_test(2, scenario=scenario).view()
    for parts, is_judged, is_met in (
        ((none, none), False, True),
        ((none, never), False, True),
        ((never, never), True, False),
        ((none, some), True, True),
    ):
        (one,) = replace(view, played=dict(enumerate(parts))).results().expectations
        assert (one.is_judged, one.is_met) == (is_judged, is_met)


async def test_who_was_let_in_counts_in_a_process_that_has_nobody_else_too(load_test: Make) -> None:
    view = load_test(6, scenario=scenario_from({"stage": STAGES}, name="doors")).view()
    halves = tuple(ProcessResult(number, 3, is_alive=True) for number in range(2))
    missed = Played(True, DONE, expectations=(ExpectationResult(ACCEPTED, False, 3, 1, ()),))
    for other, checked, met in ((Played(True, DONE), 6, 4), (missed, 6, 2), (Played(False, INTERRUPTED), 3, 1)):
        (one,) = replace(view, processes=halves, played={0: missed, 1: other}).results().expectations
        assert (one.checked, one.met, one.is_met) == (checked, met, False)


async def test_an_order_of_the_whole_fleet_is_for_one_process_to_see(load_test: Make) -> None:
    order = {"name": "boots first", "order": ["BootNotification", "Heartbeat"], "per": "fleet"}
    scenario = scenario_from({"stage": STAGES, "expect": [order]}, name="beats")
    job = load_test(2).view().job
    with pytest.raises(
        ValueError, match="2 processes cannot see the order of calls of the whole fleet, which 'boots fi"
    ):
        LoadTest(job, scenario, processes=2, wall=float, cpu=float)
    LoadTest(job, scenario, wall=float, cpu=float)

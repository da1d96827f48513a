"""What a scenario expects, in every report of a load test: how often it was looked at, and how often it was not so."""

from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import fromstring

from ocpp16.cli.load_lines import in_lines
from ocpp16.load.figures import figures
from ocpp16.load.html import page
from ocpp16.load.job import DONE, Played
from ocpp16.load.junit import junit
from ocpp16.load.load_test import LoadTest
from ocpp16.load.results import ExpectationResult
from ocpp16.scenario import scenario_from

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

"""The verdict as JUnit XML, held against what the usual schemas demand."""

from typing import Any
from xml.etree.ElementTree import Element, fromstring

import load_results
import pytest

from ocpp16.load.junit import junit
from ocpp16.load.results import ExpectationFailure, ExpectationResult, ProcessResult, ThresholdResult

HOSTILE = "]]>\x00\x08\x1b\ud800\ufffe<failure/>\"'&\n\t\u202e"
SUITE = {"id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time"}
CASE = {"name", "classname", "time"}


def suite_of(**changes: Any) -> Element:
    """The suite, after it was held against the schemas."""
    text = junit(load_results.results(**changes))
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = fromstring(text.encode())
    assert root.tag == "testsuites"
    assert [child.tag for child in root] == ["testsuite"]
    suite = root[0]
    tags = [child.tag for child in suite]
    cases = tags.count("testcase")
    assert tags == ["properties", *["testcase"] * cases, "system-out", "system-err"]
    assert set(suite.attrib) == SUITE
    assert int(suite.attrib["tests"]) == cases
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
    assert float(suite.attrib["time"]) >= 0
    assert len(suite.attrib["timestamp"]) == 19
    for case in suite.iter("testcase"):
        assert set(case.attrib) == CASE
        assert case.attrib["name"]
        assert [child.tag for child in case] in ([], ["failure"], ["error"], ["skipped"])
        for child in case:
            assert set(child.attrib) == {"type", "message"}
            assert child.text
    for one in suite.iter("property"):
        assert set(one.attrib) == {"name", "value"}
    return suite


def told(suite: Element) -> dict[str, tuple[str, str]]:
    """What became of each case, and why."""
    return {
        case.attrib["name"]: (case[0].tag, case[0].attrib["message"]) if len(case) else ("met", "")
        for case in suite.iter("testcase")
    }


def test_what_was_demanded_is_one_case_each() -> None:
    suite = suite_of(
        thresholds=(
            ThresholdResult("Heartbeat.p99 < 1s", 0.1, 1.0, True),
            ThresholdResult("Heartbeat.p50 < 10ms", 0.0213, 0.01, False),
            ThresholdResult("Authorize.p50 < 10ms", None, 0.01, False),
        ),
        expectations=(
            ExpectationResult("all boot", True, 10, 10),
            ExpectationResult("all stop", False, 9, 8, (ExpectationFailure("CP7", 61.2, "no StopTransaction"),)),
        ),
        is_passed=False,
    )
    assert told(suite) == {
        "comes to its planned end": ("met", ""),
        "the Central System keeps to the protocol": ("met", ""),
        "Heartbeat.p99 < 1s": ("met", ""),
        "Heartbeat.p50 < 10ms": ("failure", "Heartbeat.p50 < 10ms: measured 21 ms"),
        "Authorize.p50 < 10ms": ("failure", "Authorize.p50 < 10ms: nothing was measured"),
        "all boot": ("met", ""),
        "all stop": ("failure", "1 failure of 9 checks; the first: CP7 at 1:01: no StopTransaction"),
    }
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert properties["seed"] == "7"
    assert properties["verdict"] == "failed"
    assert suite.attrib["timestamp"] == "2026-11-01T10:00:00"
    assert suite.attrib["time"] == "3.000"


def test_cases_of_one_name_are_told_apart() -> None:
    """Some that show cases show only the last of a name: one that is met would hide one that is not."""
    names = ("sent *", "sent * (2)", "sent *", "sent *")
    is_met = (True, True, False, True)
    found = tuple(ExpectationResult(name, one, 1, int(one)) for name, one in zip(names, is_met, strict=True))
    suite = suite_of(expectations=found, is_passed=False)
    cases = [case.attrib["name"] for case in suite.iter("testcase")][2:]
    assert cases == ["sent *", "sent * (2)", "sent * (3)", "sent * (4)"]
    assert [name for name, (tag, _) in told(suite).items() if tag == "failure"] == ["sent * (3)"]


def test_what_a_short_test_did_not_come_to_is_skipped() -> None:
    unseen = ExpectationResult("cards are known", True, 0, 0, unseen=3)
    in_part = ExpectationResult("boots are accepted", True, 2, 2, unseen=1)
    found = told(suite_of(expectations=(unseen, in_part)))
    assert found["cards are known"] == ("skipped", "the test was too short: 3 charge points did not come to it")
    assert found["boots are accepted"] == ("met", "")


def test_a_test_that_did_not_come_to_its_end_is_an_error() -> None:
    suite = suite_of(
        is_complete=False,
        is_passed=False,
        why_ended="process lost",
        processes=(ProcessResult(0, 5, True, "done"), ProcessResult(1, 5, False, "killed by SIGKILL")),
    )
    assert told(suite) == {
        "comes to its planned end": ("error", "ended early: process lost"),
        "the Central System keeps to the protocol": ("met", ""),
    }
    assert (suite.find("testcase/error") or Element("")).text is None
    error = suite.find("testcase/error")
    assert error is not None
    assert error.text == "ended early: process lost\nprocess 1 with 5 charge points: killed by SIGKILL"


def test_a_late_tool_is_told() -> None:
    quiet = suite_of().findtext("system-err")
    assert not quiet
    busy = load_results.busy_day()
    late = suite_of(limit=busy.limit).findtext("system-err") or ""
    assert late.startswith(f"The tool itself was late in {len(busy.limit.seconds)} seconds, by 390 ms at worst")


def test_characters_that_xml_cannot_hold_are_made_visible() -> None:
    suite = suite_of(
        scenario=HOSTILE,
        version=HOSTILE,
        csms="ws://user:secret@host/" + HOSTILE,
        began=HOSTILE,
        why_ended=HOSTILE,
        is_complete=False,
        thresholds=(ThresholdResult(HOSTILE, None, 1.0, False, HOSTILE),),
        expectations=(ExpectationResult(HOSTILE, False, 1, 0, (ExpectationFailure(HOSTILE, 1.0, HOSTILE),)),),
        notes=(HOSTILE,),
    )
    version = suite.find("properties/property[@name='version']")
    assert version is not None
    assert version.attrib["value"].startswith("]]>\\x00\\x08\\x1b\\ud800\\ufffe<failure/>\"'&\\n\\t\\u202e")
    assert "secret" not in "".join(one.attrib["value"] for one in suite.iter("property"))
    assert len(suite.findall("testcase/failure")) == 2


@pytest.mark.parametrize(("told_of", "failed"), [(100, 100), (101, 101), (20, 40)])
def test_failures_are_bounded_and_counted(told_of: int, failed: int) -> None:
    failures = (ExpectationFailure("CP", 1.0, "why"),) * told_of
    suite = suite_of(expectations=(ExpectationResult("one", False, failed + 3, 3, failures),))
    lines = (suite.findtext("testcase/failure") or "").splitlines()
    shown = min(told_of, 100)
    assert lines[:shown] == ["CP at 0:01: why"] * shown
    assert lines[shown:] == ([f"… and {failed - shown} more"] if failed > shown else [])
    assert told(suite)["one"][1].startswith(f"{failed} failures of {failed + 3} checks")

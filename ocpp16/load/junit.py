"""The verdict of a load test as JUnit XML, for whatever shows tests: every threshold and expectation is a test case.

One test suite, in the order that the strictest of the usual schemas asks for, with all attributes that one of them
demands. XML 1.0 cannot hold every character, escaped or not: what others said goes through `shown`.
"""

from collections import Counter
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ocpp16.address import without_credentials
from ocpp16.load.results import ExpectationResult, Results
from ocpp16.load.words import clock, counted, latency, length, measured, summary, verdict, violations
from ocpp16.texts import shown

PACKAGE: Final = "ocpp16.load"
MOST_CASES: Final = 2_000
MOST_FAILURES: Final = 100
"""Of one expectation, that are told."""
TEXT_LENGTH: Final = 1_000


def junit(results: Results) -> str:
    """The whole file; write it as UTF-8."""
    suites = Element("testsuites")
    suite = SubElement(suites, "testsuite")
    _properties(suite, results)
    cases = [
        _run(suite, results),
        _protocol(suite, results),
        *(_threshold(suite, results, index) for index in range(min(len(results.thresholds), MOST_CASES))),
        *(_expectation(suite, results, one) for one in results.expectations[:MOST_CASES]),
    ]
    if not results.is_passed and not {"failure", "error"} & set(cases):
        cases.append(_verdict(suite, results))
    _tell_apart(suite)
    SubElement(suite, "system-out").text = shown(summary(results), TEXT_LENGTH)
    SubElement(suite, "system-err").text = "\n".join(shown(note, TEXT_LENGTH) for note in _warnings(results))
    for name, value in {
        "id": "0",
        "package": PACKAGE,
        "name": f"ocpp16 load {results.scenario}",
        "timestamp": _timestamp(results.began),
        "hostname": "localhost",
        "tests": str(len(cases)),
        "failures": str(cases.count("failure")),
        "errors": str(cases.count("error")),
        "skipped": str(cases.count("skipped")),
        "time": f"{length(results):.3f}",
    }.items():
        suite.set(name, shown(value, TEXT_LENGTH))
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _timestamp(began: str) -> str:
    """As the schema has it: without fraction and zone; it is UTC."""
    try:
        return datetime.fromisoformat(began).replace(tzinfo=None, microsecond=0).isoformat()
    except ValueError:
        return "1970-01-01T00:00:00"


def _properties(suite: Element, results: Results) -> None:
    properties = SubElement(suite, "properties")
    for name, value in (
        ("version", results.version),
        ("csms", without_credentials(results.csms)),
        ("scenario", results.scenario),
        ("seed", str(results.seed)),
        ("speed", f"{results.speed:g}"),
        ("charge_points", str(results.charge_points)),
        ("connectors", str(results.connectors)),
        ("processes", str(len(results.processes))),
        ("began", results.began),
        ("ended", results.ended),
        ("why_ended", results.why_ended),
        ("verdict", verdict(results)),
        ("tool_was_late", str(results.limit.is_reached).lower()),
        ("worst_loop_delay_seconds", f"{results.limit.worst_loop_delay:.6f}"),
    ):
        SubElement(properties, "property", name=name, value=shown(value, TEXT_LENGTH))


def _case(suite: Element, results: Results, kind: str, name: str, time: float = 0.0) -> Element:
    classname = f"{PACKAGE}.{results.scenario}.{kind}"
    return SubElement(
        suite,
        "testcase",
        classname=shown(classname, TEXT_LENGTH),
        name=shown(name, TEXT_LENGTH) or kind,
        time=f"{time:.3f}",
    )


def _not_met(case: Element, word: str, kind: str, message: str, text: str = "") -> str:
    told = SubElement(case, word, type=kind, message=shown(message, TEXT_LENGTH))
    told.text = text or shown(message, TEXT_LENGTH)
    return word


def _run(suite: Element, results: Results) -> str:
    """That the test came to its planned end, with all its processes."""
    case = _case(suite, results, "run", "comes to its planned end", length(results))
    if results.is_complete:
        return "met"
    lost = [
        f"process {one.number} with {counted(one.charge_points, 'charge point')}: {shown(one.ended, TEXT_LENGTH)}"
        for one in results.processes
        if not one.is_alive
    ]
    why = f"ended early: {results.why_ended}"
    return _not_met(case, "error", "incomplete", why, "\n".join((shown(why, TEXT_LENGTH), *lost[:MOST_FAILURES])))


def _verdict(suite: Element, results: Results) -> str:
    """Of a test that has not passed though nothing in it failed: it came to nothing that could be judged."""
    case = _case(suite, results, "run", "comes to something that is judged")
    return _not_met(case, "failure", "in vain", "; ".join(results.notes[:1]) or "the test has not passed")


def _tell_apart(suite: Element) -> None:
    """Whoever shows cases shows one of a name: the second has a number."""
    seen: set[tuple[str, str]] = set()
    numbers: Counter[tuple[str, str]] = Counter()
    for case in suite.iter("testcase"):
        home, name = case.attrib["classname"], case.attrib["name"]
        while (home, case.attrib["name"]) in seen:
            numbers[home, name] += 1
            case.attrib["name"] = f"{name} ({numbers[home, name] + 1})"
        seen.add((home, case.attrib["name"]))


def _protocol(suite: Element, results: Results) -> str:
    """That the Central System kept to the protocol."""
    case = _case(suite, results, "run", "the Central System keeps to the protocol")
    found = [
        f"{one.count:,} x {one.rule} {one.action}: {one.why}, mended: {one.mended:,}"
        for one in results.violations[:MOST_FAILURES]
    ]
    told = "\n".join(shown(one, TEXT_LENGTH) for one in found)
    if results.breach:
        return _not_met(case, "failure", "protocol", results.breach, told)
    if any(one.is_grave for one in results.violations):
        return _not_met(case, "skipped", "protocol", f"{violations(results)}; the verdict is not by these", told)
    return "met"


def _threshold(suite: Element, results: Results, index: int) -> str:
    one = results.thresholds[index]
    case = _case(suite, results, "threshold", one.text)
    if one.is_met:
        return "met"
    return _not_met(case, "failure", "threshold", f"{one.text}: {one.why or measured(one)}")


def _expectation(suite: Element, results: Results, one: ExpectationResult) -> str:
    case = _case(suite, results, "expectation", one.name)
    if not one.is_judged:
        message = f"the test was too short: {counted(one.unseen, 'charge point')} did not come to it"
        return _not_met(case, "skipped", "unseen", message)
    if one.is_met:
        return "met"
    failures = [
        f"{shown(failure.charge_point)} at {clock(failure.at)}: {shown(failure.why, TEXT_LENGTH)}"
        for failure in one.failures[:MOST_FAILURES]
    ]
    surplus = one.failed - len(failures)
    if surplus > 0:
        failures.append(f"… and {surplus:,} more")
    message = f"{counted(one.failed, 'failure')} of {one.checked:,} checks"
    if failures:
        message += f"; the first: {failures[0]}"
    return _not_met(case, "failure", "expectation", message, "\n".join(failures))


def _warnings(results: Results) -> list[str]:
    found = list(results.notes[:MOST_FAILURES])
    if results.limit.is_reached:
        found.append(
            f"The tool itself was late in {counted(len(results.limit.seconds), 'second')}, by"
            f" {latency(results.limit.worst_loop_delay)} at worst: latencies of these are in part its own."
            f" {results.limit.why}"
        )
    return found

"""A Central System that breaks the protocol fails a load test, and is told of in every report."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import fromstring

import load_results
import pytest
import trio
from prometheus_client import CollectorRegistry, generate_latest
from rich.console import Console

from ocpp16.cli.load_lines import in_lines
from ocpp16.fleet import ViolationCount, ViolationTally, breach
from ocpp16.load.exporter import LoadCollector
from ocpp16.load.figures import figures
from ocpp16.load.html import page
from ocpp16.load.junit import junit
from ocpp16.load.live import PlainView, picture
from ocpp16.load.load_test import LoadTest
from ocpp16.load.results import Results
from ocpp16.rpc.violations import ProtocolViolation
from ocpp16.scenario import scenario_from
from ocpp16.testing import CentralSystem, Fault

Make = Callable[..., LoadTest]
BROKEN = (
    ViolationCount("answered-twice", "", 9, 0, "id-1 was answered before"),
    ViolationCount("schema", "Heartbeat", 2, 1, "Heartbeat.conf: <b>currentTime</b> is missing"),
    ViolationCount("late-answer", "", 1, 0, "id-2 is answered when nobody waits any more"),
)


async def of(test: LoadTest) -> Results:
    await test.run()
    return test.results()


def rules(results: Results) -> dict[tuple[str, str], int]:
    return {(one.rule, one.action): one.count for one in results.violations}


async def test_the_protocol_decides_where_nothing_else_was_asked(csms: CentralSystem, load_test: Make) -> None:
    kept = await of(load_test())
    assert (kept.is_passed, kept.violations, kept.breach) == (True, (), "")
    csms.misbehave(Fault.DUPLICATE, "Heartbeat", times=2)
    csms.misbehave(Fault.UNREADABLE, "Heartbeat", times=1)
    test = load_test(thresholds=("all.error_rate < 50%",))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(test.run)
        await trio.sleep(20)
        await csms.send_text("CP001", '[2,"x","RemoteStopTransaction",{"transactionId":"seven"}]')
    results = test.results()
    assert rules(results) == {
        ("answered-twice", ""): 2,
        ("schema", "Heartbeat"): 1,
        ("schema", "RemoteStopTransaction"): 1,
    }
    assert results.is_complete
    assert not results.is_passed
    assert results.breach.startswith("the Central System broke the protocol 4 times (")
    assert any("was answered before" in line for one in results.offenders for line in one.trace)


async def test_a_threshold_about_it_decides_instead(csms: CentralSystem, load_test: Make) -> None:
    csms.misbehave(Fault.WRONG_ID, "Heartbeat", times=1)
    results = await of(load_test(thresholds=("all.violations.answers-nothing <= 1", "Heartbeat.violations == 0")))
    assert rules(results) == {("answers-nothing", ""): 1}
    assert (results.is_passed, results.breach) == (True, "")
    csms.misbehave(Fault.WRONG_ID, "Heartbeat", times=1)
    results = await of(load_test(thresholds=("all.violations == 0",)))
    assert not results.is_passed
    assert [one.why for one in results.thresholds] == ["it is 1"]


async def test_nobody_is_blamed_where_the_scenario_disturbs_the_wire(csms: CentralSystem, load_test: Make) -> None:
    """A CALL that is sent twice is answered twice."""
    story = {
        "stage": [{"kind": "ramp", "over": 1, "settle": 60}, {"kind": "hold", "duration": 60}],
        "faults": {"duplicate": 1.0},
    }
    results = await of(load_test(1, scenario=scenario_from(story, name="twice")))
    assert rules(results)["answered-twice", ""] > 1
    assert (results.is_passed, results.breach) == (True, "")


def broken() -> Results:
    return load_results.results(violations=BROKEN, breach=breach(BROKEN), is_passed=False)


def test_every_report_tells_it() -> None:
    results = broken()
    assert Results.from_json(results.to_json()).violations == BROKEN
    why = "the Central System broke the protocol 11 times (answered-twice 9, schema 2)"
    lines = in_lines(results)
    assert f"NOT MET {why}" in lines
    assert "violation: 2 x schema Heartbeat, 1 of them mended (Heartbeat.conf: <b>currentTime</b> is missing)" in lines
    html = page(results)
    assert f"<li>{why}</li>" in html
    assert "<code>answered-twice</code>" in html
    assert "&lt;b&gt;currentTime" in html
    case = fromstring(junit(results).encode()).find(".//testcase[@name='the Central System keeps to the protocol']")
    assert case is not None
    assert case[0].attrib["message"] == why
    registry = CollectorRegistry()
    registry.register(LoadCollector(lambda: results))
    assert 'ocpp16_load_protocol_violations_total{rule="answered-twice"} 9.0' in generate_latest(registry).decode()
    told: list[str] = []
    PlainView(told.append, lambda: None).draw(results)
    short = "12 violations of the protocol: answered-twice 9, schema 2, late-answer 1"
    assert short in told[0]
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as shown:
        console.print(picture(results, None, "", 120, 40))
    assert short in shown.get()
    parts: Any = figures(results)
    assert {"kind": "against the protocol: schema", "action": "Heartbeat", "count": 2} in parts["errors"]["kinds"]
    assert why in parts["verdict"]["notes"]


def test_where_it_does_not_decide_that_is_said() -> None:
    results = load_results.results(violations=BROKEN)
    case = fromstring(junit(results).encode()).find(".//testcase[@name='the Central System keeps to the protocol']")
    assert case is not None
    assert case[0].tag == "skipped"
    assert "The verdict is not by these." in page(results)
    assert "The verdict is not by these." not in page(broken())


@pytest.mark.parametrize("count", [1, 1_000])
def test_a_sum_is_bounded_whatever_actions_it_is_of(count: int) -> None:
    tally = ViolationTally()
    for number in range(count):
        tally(ProtocolViolation("CP1", "action", f"Dance{number}", "no"))
    assert sum(one.count for one in tally.counts()) == count
    assert len(tally.counts()) == min(count, 201)
    tally(ProtocolViolation("CP1", "schema", "Heartbeat", "no"))
    assert [one.action for one in tally.counts() if one.rule == "schema"] == [
        "Heartbeat"
    ]  # a threshold may be about it

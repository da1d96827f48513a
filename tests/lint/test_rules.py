"""Every rule of the table is told where it is broken, and not where it is kept: a story for each."""

import re
from pathlib import Path

import pytest
from linted_promises import STORIES
from linted_stories import Story
from told import Told

from ocpp16 import lint
from ocpp16.lint import RULES
from ocpp16.lint.readers import READERS
from ocpp16.lint.verdict import SIGNED_RULES


def all_stories() -> list[object]:
    return [
        pytest.param(rule, story, count, id=f"{rule}-{story.__name__}")
        for rule, stories in STORIES.items()
        for story, count in stories
    ]


@pytest.mark.parametrize(("rule", "story", "count"), all_stories())
def test_it_is_told(rule: str, story: Story, count: int) -> None:
    told = Told()
    story(told)
    told.end()
    assert [finding.rule for finding in told.found] == [rule] * count
    assert {finding.severity for finding in told.found} <= {RULES[rule].severity}


def test_rules_are_left_out() -> None:
    told = Told(*(RULES.keys() - {"action"}))
    told.asks("SetVendorThing", {}, a=1)
    assert told.found == []


EXCHANGE = {
    *("frame", "id-reused", "one-call", "answers-nothing", "answered-twice", "error-to-answer"),
    *("late-answer", "unanswered", "error-code"),
}
"""They are in test_exchange.py."""


def test_each_rule_has_a_story() -> None:
    assert {rule for rule, stories in STORIES.items() if any(count for _, count in stories)} == (
        RULES.keys() - SIGNED_RULES.keys() - EXCHANGE
    )


def test_the_page_has_the_tables() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lint.md").read_text()
    rows = [f"| `{rule.name}` | {rule.severity} | {rule.clause} | {rule.why} |" for rule in RULES.values()]
    assert "\n".join(rows) in page
    assert re.findall(r"^\| `([a-z][\w-]+)` \| (?!error|warning)", page, re.MULTILINE) == [
        *("trace", "message-log", "message-log-html", "steve", "python-ocpp")
    ]
    assert {*READERS} == {"trace", "message-log", "message-log-html", "steve", "python-ocpp"}


def test_each_rule_that_is_told_is_in_the_table() -> None:
    told = set()
    for path in (Path(lint.__file__).parent).glob("*.py"):
        told |= set(re.findall(r"docket\.tell\(\s*\"([\w-]+)\"", path.read_text()))
    assert told - RULES.keys() == set()
    others = {"schema", "time-form", "remote-start", "remote-stop", "reset", "availability", "trigger"}
    assert RULES.keys() - SIGNED_RULES.keys() - told == others, "told by a variable"


@pytest.mark.parametrize("connector", [0, 1])
def test_a_change_of_availability_that_is_taken_back_is_not_waited_for(connector: int) -> None:
    told = Told("availability")
    told.connected()
    told.boots()
    told.status("Available", 0)
    told.status("Available", 1)
    told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=1, type="Inoperative")
    told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=connector, type="Operative")
    told.asks("Heartbeat", {"currentTime": told.now()}, after=100)
    assert told.found == []
    told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=1, type="Inoperative")
    told.asks("Heartbeat", {"currentTime": told.now()}, after=100)
    assert [finding.rule for finding in told.found] == ["availability"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_connector_that_an_update_holds_is_not_waited_for(is_first: bool) -> None:
    told = Told("availability")
    told.connected()
    told.boots()
    told.status("Unavailable", 1)
    told.status("Available", 2)
    for is_asked in (is_first, not is_first):
        if is_asked:
            told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=1, type="Operative")
            told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=2, type="Inoperative")
        else:
            told.asks("FirmwareStatusNotification", {}, status="Installing")
    told.asks("FirmwareStatusNotification", {}, after=40, status="InstallationFailed")
    told.asks("Heartbeat", {"currentTime": told.now()}, after=100)
    assert [finding.text for finding in told.found] == [
        "ChangeAvailability of connector 2 to Inoperative was accepted, but it stayed Available"
    ]


def test_the_network_may_be_away_after_a_reset() -> None:
    told = Told("reset")
    told.connected()
    told.boots()
    told.is_asked("Reset", {"status": "Accepted"}, type="Hard")
    told.disconnected()
    told.connected(after=4000)
    told.boots()
    told.is_asked("Reset", {"status": "Accepted"}, type="Hard")
    told.disconnected()
    told.connected(after=4000)
    told.asks("Heartbeat", {"currentTime": told.now()}, after=290)
    assert told.found == []
    told.asks("Heartbeat", {"currentTime": told.now()}, after=20)
    assert [finding.rule for finding in told.found] == ["reset"], "it is there, and has not booted"

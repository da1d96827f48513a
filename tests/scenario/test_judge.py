"""Expectations, held against traffic made by hand: what meets them, what does not, when and why."""

from math import inf
from typing import Any

import pytest

from ocpp16.scenario.judge import Call, Judge, Party
from ocpp16.scenario.matching import Pattern, PatternKind
from ocpp16.scenario.model import Expectation, Seen
from ocpp16.scenario.outcome import ExpectationResult
from ocpp16.scenario.problems import Place
from ocpp16.scenario.vocabulary import EXPECTATION


def expectation(**said: Any) -> Expectation:
    found: Expectation = EXPECTATION.read(said, Place("a.toml"))
    return found


def pattern(**said: Any) -> Pattern:
    found: Pattern = PatternKind().read(said, Place("a.toml"))
    return found


class Bench:
    """One charge point (or some), and one expectation."""

    def __init__(self, **said: Any) -> None:
        self.judge = Judge([expectation(**said)])
        self.parties = {name: Party(name, 0.0) for name in ("CP1", "CP2")}

    def called(self, action: str, payload: Any = None, *, at: float = 0.0, who: str = "CP1", by: str = "sent") -> Call:
        call = Call(Seen(by), action, payload or {}, at)
        self.judge.called(self.parties[who], call)
        return call

    def exchange(
        self, action: str, answer: Any, *, at: float = 0.0, took: float = 0.1, code: str = "", **how: Any
    ) -> None:
        call = self.called(action, at=at, **how)
        self.judge.answered(self.parties[how.get("who", "CP1")], call, at + took, answer, code)

    def result(self, *who: str) -> ExpectationResult:
        parties = {name: self.parties[name] for name in who or ("CP1",)}
        (found,) = self.judge.results(parties, 100.0)
        return found

    def why(self) -> str:
        failures = self.result().failures
        return failures[0].why if failures else ""


def test_sent_and_answered_as_expected() -> None:
    bench = Bench(sent="BootNotification", status="Accepted", within=5)
    assert bench.why() == "BootNotification was not sent"
    bench.exchange("BootNotification", {"status": "Accepted"}, took=5.0)
    assert bench.result() == ExpectationResult("sent BootNotification Accepted", True, 1, 1, [])


@pytest.mark.parametrize(
    ("answer", "took", "code", "why"),
    [
        ({"status": "Pending"}, 0.1, "", "BootNotification: status is 'Pending', not 'Accepted'"),
        ({"status": "Accepted"}, 5.1, "", "BootNotification was answered after 5.1 s, not within 5 s"),
        (None, 0.1, "InternalError", "BootNotification was answered with CALLERROR InternalError"),
        ({}, 0.1, "", "BootNotification: status is missing, not 'Accepted'"),
        ([], 0.1, "", "BootNotification: status is missing, not 'Accepted'"),
    ],
)
def test_one_wrong_answer_is_enough(answer: Any, took: float, code: str, why: str) -> None:
    bench = Bench(sent="BootNotification", status="Accepted", within=5)
    bench.exchange("BootNotification", {"status": "Accepted"})
    bench.exchange("BootNotification", answer, at=20.0, took=took, code=code)
    bench.exchange("BootNotification", {"status": "Accepted"}, at=40.0)
    result = bench.result()
    assert not result.is_met
    assert [(failure.charge_point, failure.at, failure.why) for failure in result.failures] == [
        ("CP1", 20.0 + took, why)
    ]


def test_some_right_answers_are_enough_where_that_is_said() -> None:
    bench = Bench(sent="Heartbeat", within=5, count=2, each=False)
    bench.exchange("Heartbeat", {}, took=6.0)
    bench.exchange("Heartbeat", {}, at=10.0)
    assert bench.why() == "Heartbeat was sent 2 times, of which 1 were answered as expected"
    bench.exchange("Heartbeat", {}, at=20.0)
    assert bench.result().is_met


def test_what_is_cut_off_is_nobodys_fault_but_what_was_late_is() -> None:
    bench = Bench(sent="*", within=30)
    bench.exchange("Heartbeat", {})
    call = bench.called("MeterValues", at=10.0)
    bench.judge.cut_off(bench.parties["CP1"], call, 39.0)
    assert bench.result().is_met
    late = bench.called("MeterValues", at=40.0)
    bench.judge.cut_off(bench.parties["CP1"], late, 71.0)
    assert bench.why() == "MeterValues was not answered within 31 s"


def test_an_expected_error() -> None:
    bench = Bench(sent="DataTransfer", error="NotImplemented")
    bench.exchange("DataTransfer", None, code="NotImplemented")
    assert bench.result().is_met
    bench.exchange("DataTransfer", {"status": "Accepted"})
    assert bench.why() == "DataTransfer was answered with a result, not with CALLERROR NotImplemented"


def test_received_in_time_and_how_we_answered() -> None:
    bench = Bench(received="RemoteStartTransaction", within=60, payload={"connectorId": 1}, status="Accepted")
    bench.exchange("RemoteStartTransaction", {"status": "Accepted"}, by="received")
    assert bench.why() == "RemoteStartTransaction was not received within 60 s"
    call = Call(Seen.RECEIVED, "RemoteStartTransaction", {"connectorId": 1}, 61.0)
    bench.judge.called(bench.parties["CP1"], call)
    assert not bench.result().is_met
    call = Call(Seen.RECEIVED, "RemoteStartTransaction", {"connectorId": 1}, 60.0)
    bench.judge.called(bench.parties["CP1"], call)
    bench.judge.answered(bench.parties["CP1"], call, 60.1, {"status": "Accepted"}, "")
    assert bench.result().is_met


def test_absent() -> None:
    bench = Bench(absent="StopTransaction", payload={"reason": "EVDisconnected"})
    bench.called("StopTransaction", {"reason": "Local"})
    assert bench.result().is_met
    bench.called("StopTransaction", {"reason": "EVDisconnected"}, at=7.0)
    assert (bench.why(), bench.result().failures[0].at) == ("StopTransaction was sent", 7.0)


def test_too_many() -> None:
    bench = Bench(sent="BootNotification", most=1)
    bench.called("BootNotification")
    assert bench.result().is_met
    bench.called("BootNotification", at=3.0)
    assert bench.why() == "BootNotification was sent 2 times, not 1 at most"


def test_order() -> None:
    links = ["Authorize", {"action": "StatusNotification", "payload": {"status": "Charging"}}, "StopTransaction"]
    bench = Bench(order=links)
    assert bench.why() == "there was no Authorize"
    bench.called("StatusNotification", {"status": "Charging"})
    bench.called("Authorize")
    bench.called("StatusNotification", {"status": "Preparing"})
    bench.called("StopTransaction")
    assert bench.why() == "there was no StatusNotification after Authorize"
    bench.called("StatusNotification", {"status": "Charging"})
    bench.called("StopTransaction")
    assert bench.result().is_met


def test_states() -> None:
    bench = Bench(state="Charging", connector=2, within=50)
    party = bench.parties["CP1"]
    bench.judge.state(party, 1, "Charging", 1.0)
    bench.judge.state(party, 2, "Charging", 51.0)
    assert bench.why() == "connector 2 was not Charging within 50 s"
    bench.judge.state(party, 2, "Charging", 50.0)
    assert bench.result().is_met
    anywhere = Bench(state="Faulted")
    assert anywhere.why() == "no connector was Faulted"
    anywhere.judge.state(anywhere.parties["CP1"], 7, "Faulted", 1e6)
    assert anywhere.result().is_met


def test_a_state_is_reached_so_often_at_most() -> None:
    never = Bench(state="Faulted", most=0)
    assert never.result().is_met
    never.judge.state(never.parties["CP1"], 2, "Faulted", 1.0)
    assert never.why() == "connector 2 was Faulted: 1 times, not 0 at most"
    once = Bench(state="Charging", most=1)
    once.judge.state(once.parties["CP1"], 1, "Charging", 1.0)
    assert once.result().is_met
    once.judge.state(once.parties["CP1"], 1, "Charging", 2.0)
    assert not once.result().is_met


def test_a_share_of_them_is_enough() -> None:
    for share, is_met in ((0.5, True), (0.51, False)):
        bench = Bench(sent="Heartbeat", share=share)
        bench.called("Heartbeat")
        result = bench.result("CP1", "CP2")
        assert (result.is_met, result.checked, result.met) == (is_met, 2, 1)
        assert [failure.charge_point for failure in result.failures] == ["CP2"]


def test_all_together() -> None:
    bench = Bench(sent="StartTransaction", per="fleet", count=2)
    bench.called("StartTransaction", who="CP1")
    assert bench.why() == "StartTransaction was sent only 1 of 2 times"
    bench.called("StartTransaction", who="CP2")
    result = bench.result("CP1", "CP2")
    assert (result.is_met, result.checked) == (True, 1)


def test_only_in_a_stage_and_counted_from_its_begin() -> None:
    bench = Bench(received="Reset", stage="storm", within=10)
    bench.called("Reset", by="received")
    bench.judge.stage_begins("storm", 50.0)
    assert not bench.result().is_met
    bench.called("Reset", at=60.0, by="received")
    assert bench.result().is_met
    after = Bench(absent="Heartbeat", stage="storm")
    after.judge.stage_begins("storm", 1.0)
    after.judge.stage_begins("hold", 2.0)
    after.called("Heartbeat", at=3.0)
    assert after.result().is_met


def test_failures_are_bounded_and_counted() -> None:
    judge = Judge([expectation(sent="Heartbeat")])
    parties = {f"CP{number}": Party(f"CP{number}", 0.0) for number in range(100)}
    (result,) = judge.results(parties, 1.0)
    assert (result.checked, result.met, len(result.failures)) == (100, 0, 20)


def test_nobody_there_is_not_met() -> None:
    judge = Judge([expectation(absent="Reset")])
    (result,) = judge.results({}, 1.0)
    assert (result.is_met, result.checked) == (False, 0)


@pytest.mark.parametrize(
    ("said", "done", "unseen"),
    [
        ({"sent": "Authorize", "within": 5}, [], 1),
        ({"sent": "Authorize", "within": 5, "count": 2}, [{}], 1),
        ({"sent": "Authorize", "within": 5, "status": "Accepted"}, [{"idTagInfo": {"status": "Blocked"}}], 0),
        ({"sent": "Authorize", "status": "Accepted", "each": False}, [{"idTagInfo": {"status": "Blocked"}}], 0),
        ({"order": ["Authorize", "StartTransaction"]}, [{}], 1),
        ({"received": "Reset"}, [], 1),
        ({"received": "Reset", "within": 99}, [], 0),
        ({"state": "Charging", "within": 101}, [], 1),
        ({"sent": "Authorize", "per": "fleet"}, [], 1),
    ],
)
def test_what_a_scenario_cut_short_did_not_come_to(said: dict[str, Any], done: list[Any], unseen: int) -> None:
    """It is nobody's fault, but where an answer was wrong, the time for it is over, or the boot was never accepted."""
    bench = Bench(**said)
    for answer in done:
        bench.exchange("Authorize", answer)
    for is_accepted in (True, False):
        bench.parties["CP1"].is_accepted = is_accepted
        (result,) = bench.judge.results({"CP1": bench.parties["CP1"]}, 100.0, is_cut_short=True)
        wanted = unseen if is_accepted else 0
        assert (result.is_met, result.checked, result.unseen) == (bool(wanted), 1 - wanted, wanted)
        assert not bench.result().is_met


MATCHES: list[tuple[dict[str, Any], Any, str]] = [
    ({"a": 1}, {"a": 1}, ""),
    ({"a": 1}, {"a": 2}, "a is 2, not 1"),
    ({"a.b.0.c": "x"}, {"a": {"b": [{"c": "x"}]}}, ""),
    ({"a.1": "x"}, {"a": ["y"]}, "a.1 is missing, not 'x'"),
    ({"a": {"gt": 0}}, {"a": 0}, "a is 0, not more than 0"),
    ({"a": {"gt": 0, "lt": 3}}, {"a": "2.5"}, ""),
    ({"a": {"ge": 2}}, {"a": True}, "a is True, not at least 2"),
    ({"a": {"le": 2}}, {"a": "two"}, "a is 'two', not at most 2"),
    ({"a": {"ne": 1}}, {"a": 1}, "a is 1, not anything but 1"),
    ({"a": {"ne": 1}}, {}, "a is missing, not anything but 1"),
    ({"a": {"in": [1, "b"]}}, {"a": "b"}, ""),
    ({"a": {"in": [1, "b"]}}, {"a": "c"}, "a is 'c', not one of (1, 'b')"),
    ({"a": {"exists": False}}, {}, ""),
    ({"a": {"exists": False}}, {"a": None}, "a is there"),
    ({"a": {"exists": True}}, {}, "a is missing"),
    ({"a": {"regex": "^C"}}, {"a": "CP"}, ""),
    ({"a": {"regex": "^C"}}, {"a": 5}, "a is 5, not like '^C'"),
]


@pytest.mark.parametrize(("said", "payload", "why"), MATCHES)
def test_patterns(said: dict[str, Any], payload: Any, why: str) -> None:
    assert pattern(**said).wrong(payload) == why
    assert pattern(**said).fits(payload) is (why == "")


def test_what_is_foreign_is_shown_harmless() -> None:
    why = pattern(a="x").wrong({"a": "\x1b[2J" + "y" * 5_000})
    assert "\x1b" not in why
    assert len(why) < 200
    assert Bench(sent="Heartbeat").judge.rules[0].expected.within == inf

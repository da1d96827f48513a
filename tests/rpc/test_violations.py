"""What the Central System does against the protocol is told to whoever tests it, by the rules of the linter."""

from typing import Any

import pytest

from ocpp16.enums import RegistrationStatus
from ocpp16.lint.finding import WARNING
from ocpp16.lint.rules import RULES as LINTED
from ocpp16.rpc.calls import CallWatch
from ocpp16.rpc.violations import MILD, RULES, ProtocolViolation
from tests.rpc.conftest import Line

CARD = '{"idTagInfo":{"status":"Accepted"}}'


class Watched(Line):
    """A line with Authorize under way, as "id-1"."""

    def __init__(self, **options: Any) -> None:
        self.told: list[ProtocolViolation] = []
        self.failures: list[str] = []
        watch = CallWatch(
            "CP1",
            None,
            lambda: 0.0,
            lambda: float("inf"),
            lambda place, error: self.failures.append(place),
            options.pop("listener", self.told.append),
        )
        super().__init__(calls=watch, **options)
        self.put("Authorize", waits=True)
        self.take()

    @property
    def rules(self) -> list[tuple[str, str, bool]]:
        assert all(one.charge_point == "CP1" and one.why for one in self.told)
        return [(one.rule, one.action, one.is_mended) for one in self.told]


def test_the_rules_are_those_of_the_linter_and_as_grave() -> None:
    assert {name: LINTED[name].severity is WARNING for name in RULES} == {name: name in MILD for name in RULES}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([f'[3,"id-1",{CARD}]'], []),
        (['[4,"id-1","InternalError","no",{}]'], []),
        (['[2,"c","ClearCache",{}]'], []),
        ([f'[3,"id-1",{CARD}]'] * 2, [("answered-twice", "", False)]),
        (['[4,"id-1","InternalError","no",{}]', f'[3,"id-1",{CARD}]'], [("answered-twice", "", False)]),
        ([f'[3,"nobody",{CARD}]'], [("answers-nothing", "", False)]),
        (['[3,"id-1",{}]'], [("schema", "Authorize", False)]),
        (['[3,"id-1",7]'], [("frame", "Authorize", False)]),
        (['[3,"id-1",{"idTagInfo":{"status":"Accepted"},"more":1}]'], [("schema", "Authorize", True)]),
        (
            ['[3,"id-1",{"idTagInfo":{"status":"Accepted","expiryDate":"2030-01-01 00:00:00"}}]'],
            [("time-form", "Authorize", True)],
        ),
        (['[4,"id-1","Nonsense","",{}]'], [("error-code", "Authorize", False)]),
        (['[4,"id-1","OccurrenceConstraintViolation","",{}]'], []),
        (["no JSON"], [("frame", "", False)]),
        (["[7]"], []),
        (['[2,"c","Dance",{}]'], [("action", "Dance", False)]),
        (['[2,"c","Heartbeat",{}]'], [("direction", "Heartbeat", False)]),
        (['[2,"c","ClearCache",{}]'] * 2, [("id-reused", "ClearCache", False)]),
        (['[2,5,"ClearCache",{}]'], [("frame", "", True)]),
        (['[2,"c","ClearCache"]'], [("frame", "", False)]),
    ],
)
def test_each_is_told_once_and_nothing_that_is_right(texts: list[str], expected: list[tuple[str, str, bool]]) -> None:
    line = Watched()
    for text in texts:
        line.receive(text)
    assert line.rules == expected


def test_the_payload_of_a_call_is_told_of_where_it_is_read() -> None:
    line = Watched()
    call = line.handed_out("ChangeConfiguration", {"key": "k"})
    with pytest.raises(ValueError, match="value is missing"):
        line.session.validate_request(call)
    assert line.rules == [("schema", "ChangeConfiguration", False)]


def test_what_comes_when_nobody_waits_any_more_is_late_and_no_second_answer() -> None:
    line = Watched()
    line.now = line.session.deadline(0)
    line.session.on_time(line.now)
    line.receive(f'[3,"id-1",{CARD}]')
    line.put("Heartbeat")
    line.take()
    line.lose()
    line.connect()
    line.receive('[3,"id-2",{"currentTime":"2026-03-01T12:00:00.000Z"}]')
    assert line.rules == [("late-answer", "", False)] * 2


def test_one_that_is_rejected_is_asked_nothing() -> None:
    line = Watched()
    line.session.set_registration(RegistrationStatus.REJECTED, line.now)
    line.call("ClearCache")
    assert line.rules == [("asked-rejected", "ClearCache", False)]


def test_what_the_listener_raises_ends_nothing() -> None:
    def listener(violation: ProtocolViolation) -> None:
        raise RuntimeError("no")

    line = Watched(listener=listener)
    line.receive('[3,"nobody",{}]')
    line.receive(f'[3,"id-1",{CARD}]')
    assert line.failures == ["listener of violations"]
    assert [what for _, what, _ in line.ends] == ["confirmed"]


def test_an_answer_is_late_however_many_have_timed_out_since() -> None:
    line = Watched()
    line.answer()
    for _ in range(20):
        line.put("Heartbeat")
        line.take()
        line.now = line.session.deadline(0)
        line.session.on_time(line.now)
    late = line.sent[1].unique_id
    line.answer(unique_id=late)
    assert line.rules == [("late-answer", "", False)]

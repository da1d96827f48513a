"""What is read of a trace, and said of one that cannot be played; what counts as different."""

from typing import Any

import pytest

from ocpp16.replay import Answer, ReplayError
from ocpp16.replay import story as story_file
from ocpp16.replay.outcome import differences
from tests.replay.conftest import A_SESSION, FROM, TO, row


def test_requests_of_both_sides_with_their_answers_in_order(stories: Any) -> None:
    (story,) = stories(A_SESSION).values()
    assert story.identity == "CP1"
    assert [(one.action, one.is_ours, one.at) for one in story.exchanges] == [
        ("BootNotification", True, 0.0),
        ("StatusNotification", True, 1.0),
        ("RemoteStartTransaction", False, 10.0),
        ("StartTransaction", True, 20.0),
        ("MeterValues", True, 30.0),
        ("RemoteStopTransaction", False, 40.0),
        ("StopTransaction", True, 41.0),
    ]
    assert story.exchanges[3].answer == Answer({"transactionId": 77, "idTagInfo": {"status": "Accepted"}})
    assert story.exchanges[3].line == 7


def test_the_same_id_of_both_sides_is_not_confused(stories: Any) -> None:
    rows = [
        row(0, TO, [2, "1", "Heartbeat", {}]),
        row(1, FROM, [2, "1", "Reset", {"type": "Soft"}]),
        row(2, TO, [3, "1", {"status": "Rejected"}]),
        row(3, FROM, [4, "1", "InternalError", "", {}], error={"code": "InternalError"}),
    ]
    heartbeat, reset = stories(rows)["CP1"].exchanges
    assert reset.answer == Answer({"status": "Rejected"})
    assert heartbeat.answer is not None
    assert heartbeat.answer.code


@pytest.mark.parametrize("year", [1970, 2024, 2031])
def test_a_clock_that_is_set_by_the_central_system_is_no_time_that_passes(stories: Any, year: int) -> None:
    rows = [*A_SESSION]
    for number in (0, 1):
        rows[number] = rows[number] | {"timestamp": f"{year}-01-01T00:00:0{number}Z"}
    (story,) = stories(rows).values()
    assert [round(one.at) for one in story.exchanges] == [0, 2, 11, 21, 31, 41, 42]


def test_a_central_system_whose_clock_is_wrong_shortens_nothing(stories: Any) -> None:
    said = {"status": "Accepted", "currentTime": "2025-05-05T14:00:00Z", "interval": 300}
    rows = [A_SESSION[0], row(0.1, FROM, [3, "1", said]), *A_SESSION[2:]]
    (story,) = stories(rows).values()
    assert [one.at for one in story.exchanges] == [0, 1, 10, 20, 30, 40, 41]


def test_charge_points_are_told_apart_and_chosen(stories: Any) -> None:
    rows = [row(number, TO, [2, "1", "Heartbeat", {}], f"CP{number}") for number in range(3)]
    assert list(stories(rows)) == ["CP0", "CP1", "CP2"]
    assert list(stories(rows, "CP1")) == ["CP1"]
    with pytest.raises(ReplayError, match="no request of a charge point CP9; it has CP0, CP1, CP2"):
        stories(rows, "CP1", "CP9")


def test_what_cannot_be_played_is_said_with_its_line(stories: Any) -> None:
    without = row(0, TO, [2, "1", "Heartbeat", {}])
    del without["raw"]
    with pytest.raises(ReplayError, match="line 2: the CALL has no payload"):
        stories([*A_SESSION[:1], without])
    answer = row(0.1, FROM, [3, "1", {}])
    del answer["raw"]
    with pytest.raises(ReplayError, match="line 2: the CALLRESULT has no payload"):
        stories([A_SESSION[0], answer])
    with pytest.raises(ReplayError, match="no request"):
        stories([row(0, FROM, [3, "1", {}])])


@pytest.mark.parametrize("says", ["CALL", "CALLRESULT"])
def test_what_could_not_be_said_again_is_named_by_its_line(stories: Any, says: str) -> None:
    deep: dict[str, Any] = {}
    for _ in range(64):
        deep = {"a": deep}
    rows = [dict(one) for one in A_SESSION[:2]]
    number = 0 if says == "CALL" else 1
    del rows[number]["raw"]
    rows[number]["payload"] = deep
    with pytest.raises(ReplayError, match=f"line {number + 1}: the {says} cannot be played: nested deeper than 64"):
        stories(rows)


def test_a_trace_is_not_taken_in_without_bound(stories: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_file, "MOST_EXCHANGES", 5)
    with pytest.raises(ReplayError, match="more than 5 requests"):
        stories(A_SESSION)


def test_times_that_cannot_be_read_or_run_backwards_do_no_harm(stories: Any) -> None:
    rows = [
        row(10, TO, [2, "1", "Heartbeat", {}]),
        {**row(11, TO, [2, "2", "Heartbeat", {}]), "timestamp": "yesterday"},
        row(5, TO, [2, "3", "Heartbeat", {}]),
        row(12, TO, [2, "4", "Heartbeat", {}]),
    ]
    assert [one.at for one in stories(rows)["CP1"].exchanges] == [0.0, 0.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ({"status": "Accepted"}, {"status": "Accepted"}, []),
        ({"status": "Accepted"}, {"status": "Blocked"}, ["status is Blocked, was Accepted"]),
        ({"idTagInfo": {"status": "A"}}, {"idTagInfo": {"status": "B"}}, ["idTagInfo.status is B, was A"]),
        ({"currentTime": "x", "interval": 5}, {"currentTime": "y", "interval": 300}, []),
        ({"transactionId": 5}, {"transactionId": 9}, []),
        ({"transactionId": 5}, {}, ["transactionId is missing"]),
        ({}, {"data": "x"}, ["data is new"]),
        ({"data": "5"}, {"data": 5}, ["data is a number, was a text"]),
        ({"list": [{"a": 1}]}, {"list": [{"a": None}]}, ["list[0].a is null, was a number"]),
    ],
)
def test_what_counts_as_different(before: Any, now: Any, says: list[str]) -> None:
    assert list(differences(Answer(before), Answer(now))) == says


def test_results_and_errors_are_different() -> None:
    assert list(differences(Answer({}), Answer(None, "NotSupported"))) == ["the answer is NotSupported, was a result"]
    assert list(differences(Answer(None, "A"), Answer(None, "B"))) == ["the answer is B, was A"]
    assert not list(differences(Answer(None, "A"), Answer(None, "A")))

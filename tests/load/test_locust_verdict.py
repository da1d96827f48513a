"""What Locust does not judge by itself: workers that were lost, scenarios that nobody played to their end."""

import pytest

from ocpp16.load.locust_verdict import Verdict


def test_a_worker_that_is_heard_of_again_was_not_lost() -> None:
    verdict = Verdict()
    verdict.miss(["a", "b"])
    verdict.miss(["b", "c"])
    assert verdict.problems(["a", "d"]) == [
        "2 workers were lost in the middle, with charge points and figures that nobody knows"
    ]
    assert verdict.problems("abc") == []
    assert "1 worker was lost" in verdict.problems("ab")[0]


def test_a_scenario_that_ended_anywhere_was_judged() -> None:
    verdict = Verdict()
    verdict.played = {"soak": 0}
    verdict.heard("a", {"ocpp16": {"soak": 0, "boot": 0}})
    assert verdict.problems() == [
        "nobody came to the end of the scenario soak: nothing of it was judged",
        "nobody came to the end of the scenario boot: nothing of it was judged",
    ]
    verdict.heard("b", {"ocpp16": {"soak": 2}})
    verdict.heard("a", {"ocpp16": {"soak": 0, "boot": 1}})
    verdict.heard("a", {})  # its test is over
    assert verdict.problems() == []
    verdict.begin()
    assert verdict.problems() == []


def test_only_so_many_workers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp16.load.locust_verdict.MOST_WORKERS", 1)
    verdict = Verdict()
    verdict.heard("a", {"ocpp16": {"soak": 0}})
    verdict.heard("b", {"ocpp16": {"boot": 0}})
    assert len(verdict.problems()) == 1
    verdict.heard("a", {"ocpp16": {"soak": 1}})
    assert verdict.problems() == []


@pytest.mark.parametrize(
    "told", [7, None, [], {"soak": -1}, {"soak": True}, {"soak": "1"}, {7: 1}, dict.fromkeys(map(str, range(1001)), 0)]
)
def test_a_report_that_cannot_be_counts_nothing(told: object, caplog: pytest.LogCaptureFixture) -> None:
    verdict = Verdict()
    verdict.heard("a\n", {"ocpp16": told})
    assert verdict.problems() == []
    assert "worker a\\n reports what cannot be" in caplog.text

"""Thresholds: their grammar, whose errors name the place, and what meets them."""

from collections import Counter

import pytest

from ocpp16.load.latency import counted
from ocpp16.load.thresholds import Measured, ThresholdError, parsed

BOOTS = Measured(10.0, 80, 15, 3, 2, counted([0.1] * 90 + [1.0] * 8), counted([0.05] * 98))


def judged(text: str) -> tuple[bool, float | None]:
    result = parsed(text).judged({"BootNotification": BOOTS}, BOOTS)
    return result.is_met, result.value


@pytest.mark.parametrize(
    ("text", "is_met", "value"),
    [
        ("BootNotification.p50 < 101ms", True, 0.1),
        ("BootNotification.p50<=100us", False, 0.1),
        ("BootNotification.p95 < 500 ms", False, 1.0),
        ("BootNotification.due.p95 >= 0.5s", True, 1.0),
        ("BootNotification.sent.p95 < 60ms", True, 0.05),
        ("BootNotification.p99.9 < 2s", True, 1.0),
        ("BootNotification.max > .9s", True, 1.0),
        ("BootNotification.min < 0.2s", True, 0.1),
        ("BootNotification.mean < 200000µs", True, 0.17347),
        ("BootNotification.mean < 200000\u03bcs", True, 0.17347),
        ("all.count == 100", True, 100),
        ("all.rate > 9.9", True, 10),
        ("all.errors <= 19", False, 20),
        ("all.timeouts <= 3", True, 3),
        ("all.error_rate < 21%", True, 0.2),
        ("all.error_rate < 0.2", False, 0.2),
        ("  all.error_rate <= 20 %  ", True, 0.2),
        ("Reset.count == 0", True, 0.0),
    ],
)
def test_what_meets_a_threshold(text: str, is_met: bool, value: float) -> None:
    found, measured = judged(text)
    assert found == is_met
    assert measured == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize("text", ["Heartbeat.p50 < 1s", "Heartbeat.errors == 0", "Heartbeat.rate >= 0"])
def test_what_never_happened_meets_no_threshold(text: str) -> None:
    result = parsed(text).judged({"BootNotification": BOOTS}, BOOTS)
    assert (result.is_met, result.value, result.why) == (False, None, "Heartbeat never happened")


def test_what_was_never_answered_meets_no_latency() -> None:
    lost = Measured(1.0, 0, 0, 0, 5, Counter(), Counter())
    result = parsed("all.p50 < 1s").judged({"Heartbeat": lost}, lost)
    assert (result.is_met, result.why) == (False, "a call was never answered")


def test_all_is_what_all_are_together() -> None:
    other = Measured(10.0, 100, 0, 0, 0, counted([3.0] * 100), counted([3.0] * 100))
    together = Measured.together(10.0, {"BootNotification": BOOTS, "Heartbeat": other})
    assert together.count == 200
    assert parsed("all.max > 2.9s").judged({}, together).is_met
    assert sum(BOOTS.due.values()) == 98, "what was added up is as it was"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at character 1 (its end): write ACTION.MEASURE"),
        ("p99 < 1s", "at character 1 (p99 < 1s): write ACTION.MEASURE"),
        ("sent.Heartbeat.p99 < 1s", "sent stands behind the action, as Heartbeat.sent.p99"),
        ("BootNotifcation.p99 < 1s", "at character 1 (BootNotifcation.p99): no action BootNotifcation; did you mean"),
        ("Heartbeat.p9x < 1s", "at character 11 (p9x < 1s): no measure p9x"),
        ("Heartbeat.recv.p99 < 1s", "at character 11 (recv.p99 < 1s): no measure recv.p99"),
        ("Heartbeat.p99 500ms", "at character 14 (500ms): a comparator is missing"),
        ("Heartbeat.p99 < fast", "at character 16 (fast): a number is missing"),
        ("Heartbeat.p99 < 500", "at character 20 (its end): a latency needs a unit"),
        ("Heartbeat.p99 < 500min", "at character 20 (min): a latency needs a unit"),
        ("Heartbeat.count < 5s", "at character 20 (s): count is a number without a unit"),
        ("Heartbeat.error_rate < 5s", "at character 25 (s): an error rate is a share"),
        ("Heartbeat.p99 < 1s or 2s", "at character 16 (1s or 2s): a number is missing"),
        ("Heartbeat.p\u0669\u0669 < 1s", "at character 11 (p\u0669\u0669 < 1s): no measure p\u0669\u0669"),
        ("Heartbeat.p99 < \u0665ms", "at character 16 (\u0665ms): a number is missing"),
        ("Heartbeat.p99 < 1\u0665ms", "at character 18 (\u0665ms): a latency needs a unit"),
        ("Heartbeat.p99 < nan", "at character 16 (nan): a number is missing"),
        ("Heartbeat.p99 < -5ms", "at character 16 (-5ms): a number is missing"),
        ("x" * 300, "longer than 200 characters"),
    ],
)
def test_errors_name_the_place(text: str, why: str) -> None:
    with pytest.raises(ThresholdError) as caught:
        parsed(text)
    assert why in str(caught.value)

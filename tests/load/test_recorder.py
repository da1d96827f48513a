"""What happens in one process is counted, and little of it is kept."""

from typing import Any

import pytest

from ocpp16.fleet import CallEnded
from ocpp16.load.portion import Standing
from ocpp16.load.recorder import LAST_FRAMES, MOST_KINDS, MOST_OFFENDERS, MOST_TRACED, SAMPLED, Recorder
from ocpp16.load.results import Attempts, ErrorCount


def ended(charge_point: str = "CP1", outcome: str = "result", **members: Any) -> CallEnded:
    found = {"action": "Heartbeat", "due": 1.0, "sent": 2.0, "ended": 4.0, "code": "", **members}
    return CallEnded(charge_point, outcome=outcome, **found)


def recorder(ids: tuple[str, ...] = ("CP1",), **options: Any) -> Recorder:
    return Recorder(ids, lambda: 5.0, **options)


def test_latency_is_from_due_and_from_sent_and_what_was_lost_has_none() -> None:
    one = recorder()
    for outcome in ("result", "error", "timeout", "lost"):
        one.call(ended(outcome=outcome, code="InternalError" if outcome == "error" else ""))
    portion = one.cut(1, Standing(), has_offenders=True)
    action = portion.actions["Heartbeat"]
    assert (action.results, action.errors, action.timeouts, action.lost) == (1, 1, 1, 1)
    assert action.due == (2_998_272, 3)
    assert action.sent == (1_999_872, 3)
    assert {(error.kind, error.count) for error in portion.errors} == {
        ("CALLERROR InternalError", 1),
        ("timeout", 1),
        ("connection lost", 1),
    }
    assert one.cut(2, Standing(), has_offenders=False).actions == {}


def test_calls_that_are_open_are_those_written_and_not_over() -> None:
    one = recorder()
    for number in range(3):
        one.frame("CP1", "sent", f'[2,"{number}","Heartbeat",{{}}]')
    one.frame("CP1", "sent", '[3,"7",{}]')
    one.frame("CP1", "received", '[2,"7","Reset",{}]')
    one.call(ended())
    portion = one.cut(1, Standing(), has_offenders=False)
    assert (portion.sent, portion.standing.open_calls, portion.offenders) == (3, 2, None)


def test_connections_are_counted_with_what_ended_them() -> None:
    one = recorder(("A", "B"))
    one.link("A", False, "HTTP 401: Unauthorized")
    one.link("A", False, "TCP: connection refused")
    assert one.failed_attempts == 2
    one.link("A", True, "")
    one.link("B", True, "")
    assert (one.connected, one.failed_attempts) == (2, 0)
    one.link("A", False, "closed by the peer: 1006")
    one.link("B", False, "stopped")
    portion = one.cut(1, Standing(), has_offenders=True)
    assert portion.standing.connected == 0
    assert sorted(error.kind for error in portion.errors) == [
        "connection lost",
        "handshake 401",
        "not connected: TCP: connection refused",
    ]
    assert portion.offenders is not None
    assert [(one.charge_point, one.errors) for one in portion.offenders] == [("A", 3)]


def test_attempts_that_failed_are_told_once_with_the_last_reason() -> None:
    one = recorder(("A", "B"))
    one.link("A", False, "HTTP 403: no")
    one.link("B", False, "HTTP 101: no subprotocol of ours")
    assert one.cut(1, Standing(), has_offenders=False).attempts == Attempts(2, "handshake 101: no subprotocol of ours")
    assert one.cut(2, Standing(), has_offenders=False).attempts == Attempts()
    one.link("A", False, "HTTP 503: later")
    assert one.cut(3, Standing(), has_offenders=False).attempts == Attempts(1, "handshake 503")


def test_who_lost_the_connection_is_registered_no_more() -> None:
    one = recorder(("A", "B"))
    accepted = {"A"}
    one.is_accepted = accepted.__contains__

    def figures() -> tuple[int, int]:
        standing = one.cut(1, Standing(), has_offenders=False).standing
        return standing.connected, standing.registered

    for identity in ("A", "B"):
        one.link(identity, True, "")
    assert figures() == (2, 1)
    one.call(ended("B", action="BootNotification"))
    assert figures() == (2, 1), "the answer is told before it has done anything"
    accepted.add("B")
    assert figures() == (2, 2)
    one.link("B", False, "closed by the peer: 1006")
    assert figures() == (1, 1)
    one.link("B", True, "")
    assert figures() == (2, 2), "it is registered as before"
    accepted.discard("A")
    one.call(ended("A", action="BootNotification"))
    assert figures() == (2, 1)


def test_frames_are_kept_of_those_that_erred_without_secrets_and_few() -> None:
    ids = tuple(f"CP{number}" for number in range(500))
    one = recorder(ids)
    for identity in ids:
        one.call(ended(identity, "timeout"))
        for number in range(2 * LAST_FRAMES):
            one.frame(identity, "sent", f'[2,"{number}","Heartbeat",{{}}]')
    secret = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cr3t"}]'
    for identity in ids:
        one.frame(identity, "received", secret)
    assert len(one._frames) == MOST_TRACED + SAMPLED
    offenders = one.cut(1, Standing(), has_offenders=True).offenders
    assert offenders is not None
    assert len(offenders) == MOST_OFFENDERS
    traces = [offender.trace for offender in offenders if offender.trace]
    assert traces
    assert all(len(trace) == LAST_FRAMES for trace in traces)
    assert "s3cr3t" not in str(offenders)
    assert "AuthorizationKey" in str(traces)


def test_kinds_of_errors_are_bounded() -> None:
    one = recorder()
    for number in range(2 * MOST_KINDS):
        one.call(ended(outcome="error", code=f"Code{number}"))
    errors = one.cut(1, Standing(), has_offenders=False).errors
    assert len(errors) == MOST_KINDS + 1
    assert errors[-1] == ErrorCount("others", "", MOST_KINDS)


def test_the_slowest_are_offenders_too() -> None:
    one = recorder()
    for number in range(1_000):
        one.call(ended(f"CP{number}", ended=1.0 + number / 100))
    offenders = one.cut(1, Standing(), has_offenders=True).offenders
    assert offenders is not None
    assert [offender.charge_point for offender in offenders[:3]] == ["CP999", "CP998", "CP997"]
    assert offenders[0].slowest == pytest.approx(9.99)


def test_latency_is_real_where_the_clock_is_quick() -> None:
    one = recorder(speed=10.0)
    one.call(ended())
    assert one.cut(1, Standing(), has_offenders=False).actions["Heartbeat"].due == (299_776, 1)

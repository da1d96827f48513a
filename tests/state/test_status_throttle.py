"""MinimumStatusDuration: status changes wait, errors do not, and what never lasted is not told."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.enums import ChargePointErrorCode, ChargePointStatus
from ocpp16.models import ErrorInfo
from ocpp16.state.connector import Connector, Notification
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.status_throttle import StatusThrottle

S = ChargePointStatus
Code = ChargePointErrorCode


def status(
    status: ChargePointStatus,
    at: int = 0,
    *,
    connector: int = 1,
    code: ChargePointErrorCode = Code.NO_ERROR,
    is_change: bool = True,
    vendor_error_code: str | None = None,
) -> Notification:
    return Notification(connector, status, code, None, None, vendor_error_code, at, is_change)


@pytest.fixture
def throttle() -> StatusThrottle:
    throttle = StatusThrottle()
    throttle.reported(status(S.AVAILABLE, is_change=False))
    return throttle


def test_a_status_is_told_once_it_has_lasted_with_the_time_of_its_event(throttle: StatusThrottle) -> None:
    preparing = status(S.PREPARING, at=123)
    assert not throttle.offer(preparing, 10.0, 5)
    assert throttle.due == 15.0
    assert throttle.release(14.999) == []
    assert throttle.release(15.0) == [preparing]
    assert throttle.due == inf
    assert throttle.release(99.0) == []


def test_what_is_held_follows_the_clock(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.PREPARING, at=123), 10.0, 5)
    throttle.redate(1, 99)
    throttle.redate(2, 5)
    assert throttle.release(15.0) == [status(S.PREPARING, at=99)]


def test_a_newer_status_takes_the_place_of_a_held_one_and_waits_anew(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.PREPARING), 10.0, 5)
    charging = status(S.CHARGING)
    assert not throttle.offer(charging, 12.0, 5)
    assert throttle.release(15.0) == []
    assert throttle.release(17.0) == [charging]


def test_a_status_that_returns_is_not_told(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.PREPARING), 10.0, 5)
    assert not throttle.offer(status(S.AVAILABLE), 12.0, 5)
    assert throttle.due == inf


def test_without_duration_everything_goes_at_once(throttle: StatusThrottle) -> None:
    for new in (S.PREPARING, S.AVAILABLE, S.PREPARING, S.CHARGING):
        assert throttle.offer(status(new), 10.0, 0)
    assert throttle.due == inf


@pytest.mark.parametrize(
    "urgent",
    [
        status(S.FAULTED, code=Code.GROUND_FAILURE),
        status(S.FAULTED),
        status(S.AVAILABLE, code=Code.WEAK_SIGNAL, is_change=False),
        status(S.PREPARING, code=Code.WEAK_SIGNAL),
        status(S.PREPARING, vendor_error_code="7"),
    ],
)
def test_errors_and_faulted_go_at_once_and_supersede_what_is_held(
    throttle: StatusThrottle, urgent: Notification
) -> None:
    throttle.offer(status(S.PREPARING), 10.0, 5)
    assert throttle.offer(urgent, 11.0, 5)
    assert throttle.due == inf


def test_the_end_of_faulted_goes_at_once(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.FAULTED), 10.0, 5)
    assert throttle.offer(status(S.AVAILABLE), 11.0, 5)


def test_the_end_of_an_error_goes_at_once(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.AVAILABLE, code=Code.WEAK_SIGNAL, is_change=False), 10.0, 5)
    assert throttle.offer(status(S.AVAILABLE, is_change=False), 11.0, 5)


def test_a_second_error_like_the_first_goes_at_once(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.AVAILABLE, code=Code.WEAK_SIGNAL, is_change=False), 10.0, 5)
    assert throttle.offer(status(S.AVAILABLE, code=Code.WEAK_SIGNAL, is_change=False), 11.0, 5)


def test_a_status_under_a_known_error_waits(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.AVAILABLE, code=Code.WEAK_SIGNAL, is_change=False), 10.0, 5)
    assert not throttle.offer(status(S.PREPARING, code=Code.WEAK_SIGNAL), 11.0, 5)


def test_a_report_makes_the_held_one_needless(throttle: StatusThrottle) -> None:
    throttle.offer(status(S.PREPARING), 10.0, 5)
    throttle.reported(status(S.PREPARING, is_change=False))
    assert throttle.due == inf
    assert not throttle.offer(status(S.AVAILABLE), 11.0, 5)


def test_what_was_never_reported_does_not_wait() -> None:
    assert StatusThrottle().offer(status(S.PREPARING), 10.0, 5)


def test_connectors_are_independent(throttle: StatusThrottle) -> None:
    throttle.reported(status(S.AVAILABLE, connector=2, is_change=False))
    one, two = status(S.PREPARING), status(S.CHARGING, connector=2)
    throttle.offer(one, 10.0, 5)
    throttle.offer(two, 9.0, 5)
    assert throttle.due == 14.0
    assert throttle.release(20.0) == [two, one]


STEPS = st.lists(
    st.one_of(
        st.sampled_from(list(ConnectorEvent)),
        st.sampled_from(["fault", "passing", "clear fault", "clear passing", "wait 1", "wait 7"]),
    ),
    max_size=40,
)


@given(steps=STEPS, duration=st.sampled_from([0, 1, 5]))
def test_after_a_rest_the_central_system_knows_the_truth(steps: list[str], duration: float) -> None:
    connector, throttle, now = Connector(1), StatusThrottle(), 0.0
    sent = [connector.report(0)]
    throttle.reported(sent[0])
    for step in steps:
        notification = None
        if isinstance(step, ConnectorEvent):
            notification = connector.submit(step, int(now))
        elif step.startswith("wait"):
            now += float(step[5:])
        elif step.startswith("clear"):
            notification = connector.clear_error(step[6:], int(now))
        else:
            notification = connector.raise_error(
                ErrorInfo(Code.OTHER_ERROR, is_fault=step == "fault", uuid=step), int(now)
            )
        sent += throttle.release(now)
        if notification is not None and throttle.offer(notification, now, duration):
            sent.append(notification)
        assert throttle.due > now
    sent += throttle.release(now + duration)
    assert sent[-1].status is connector.status
    if duration:
        repeats = [
            (earlier, later)
            for earlier, later in pairwise(sent)
            if later.is_status_change
            and earlier._replace(timestamp=0, info=None) == later._replace(timestamp=0, info=None)
        ]
        assert not repeats


def test_what_is_due_together_is_given_in_parts(throttle: StatusThrottle) -> None:
    for connector in range(1, 6):
        throttle.reported(status(S.AVAILABLE, connector=connector, is_change=False))
        assert not throttle.offer(status(S.PREPARING, connector=connector), 10.0, 5)
    given = throttle.release(15.0, 2)
    assert len(given) == 2
    assert throttle.due == 15.0
    given += throttle.release(15.0)
    assert [notification.connector_id for notification in given] == [1, 2, 3, 4, 5]
    assert throttle.due == inf


def test_what_was_held_does_not_pile_up(throttle: StatusThrottle) -> None:
    for second in range(1000):
        throttle.offer(status(S.PREPARING if second % 2 else S.CHARGING), float(second), 5)
    assert len(throttle._order) <= 18
    assert throttle.due == 1004.0

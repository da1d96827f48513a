"""One connector: errors over a base state, what is reported, and the end of a session under a scheduled change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.enums import AvailabilityType, ChargePointErrorCode, ChargePointStatus
from ocpp16.models import ErrorInfo
from ocpp16.state.clock import to_datetime, to_micros, within
from ocpp16.state.connector import INITIAL_FAULT, Connector, Notification
from ocpp16.state.connector_table import TRANSITIONS, ConnectorEvent

S = ChargePointStatus
E = ConnectorEvent
Code = ChargePointErrorCode
SECOND = 1_000_000

LOCK = ErrorInfo(Code.CONNECTOR_LOCK_FAILURE, uuid="A")
GROUND = ErrorInfo(Code.GROUND_FAILURE, is_fault=True, uuid="B")
HOT = ErrorInfo(Code.HIGH_TEMPERATURE, is_fault=True, uuid="C")
OVERLOAD = ErrorInfo(Code.OVER_CURRENT_FAILURE, is_fault=True, uuid="D")

Shown = tuple[ChargePointStatus, ChargePointErrorCode, bool] | None


def shown(notification: Notification | None) -> Shown:
    if notification is None:
        return None
    return notification.status, notification.error_code, notification.is_status_change


def test_errors_over_a_base_state() -> None:
    connector = Connector(1)
    assert shown(connector.raise_error(LOCK, 1)) == (S.AVAILABLE, Code.CONNECTOR_LOCK_FAILURE, False)
    assert shown(connector.raise_error(GROUND, 2)) == (S.FAULTED, Code.GROUND_FAILURE, True)
    assert connector.submit(E.USAGE_INITIATED, 3) is None
    assert (connector.status, connector.base) == (S.FAULTED, S.PREPARING)
    assert shown(connector.clear_error("B", 4)) == (S.PREPARING, Code.CONNECTOR_LOCK_FAILURE, True)
    assert shown(connector.clear_error("A", 5)) == (S.PREPARING, Code.NO_ERROR, False)
    assert connector.clear_error("A", 6) is None


def test_clearing_the_fault_last_told_tells_the_latest_remaining_one() -> None:
    connector = Connector(1)
    connector.raise_error(HOT, 1)
    connector.raise_error(OVERLOAD, 2)
    assert shown(connector.clear_error("D", 3)) == (S.FAULTED, Code.HIGH_TEMPERATURE, False)
    assert shown(connector.clear_error("C", 4)) == (S.AVAILABLE, Code.NO_ERROR, True)


def test_the_latest_remaining_fault_is_not_the_latest_error() -> None:
    connector = Connector(1)
    for now, error in enumerate((HOT, LOCK, OVERLOAD), 1):
        connector.raise_error(error, now)
    assert shown(connector.clear_error("D", 4)) == (S.FAULTED, Code.HIGH_TEMPERATURE, False)


def test_clearing_another_than_the_fault_last_told_tells_nothing() -> None:
    connector = Connector(1)
    connector.raise_error(HOT, 1)
    connector.raise_error(OVERLOAD, 2)
    assert connector.clear_error("C", 3) is None
    assert shown(connector.clear_error("D", 4)) == (S.AVAILABLE, Code.NO_ERROR, True)


def test_clearing_a_passing_error_on_a_faulted_connector_tells_the_fault() -> None:
    connector = Connector(1)
    connector.raise_error(HOT, 1)
    assert shown(connector.raise_error(LOCK, 2)) == (S.FAULTED, Code.CONNECTOR_LOCK_FAILURE, False)
    assert shown(connector.clear_error("A", 3)) == (S.FAULTED, Code.HIGH_TEMPERATURE, False)


def test_an_error_is_raised_once() -> None:
    connector = Connector(1)
    connector.raise_error(LOCK, 1)
    assert connector.raise_error(LOCK, 2) is None
    assert len(connector.errors) == 1


def test_an_event_carries_its_own_info_and_the_code_of_the_latest_error() -> None:
    connector = Connector(1)
    error = ErrorInfo(Code.OTHER_ERROR, info="x", vendor_id="vendor", vendor_error_code="7", uuid="A")
    assert connector.raise_error(error, 1) == (1, S.AVAILABLE, Code.OTHER_ERROR, "x", "vendor", "7", 1, False)
    assert connector.submit(E.USAGE_INITIATED, 2, "Authorized") == (
        (1, S.PREPARING, Code.OTHER_ERROR, "Authorized", "vendor", "7", 2, True)
    )
    assert connector.report(3) == (1, S.PREPARING, Code.OTHER_ERROR, "x", "vendor", "7", 2, False)


def test_a_report_without_errors() -> None:
    assert Connector(0).report(3) == (0, S.AVAILABLE, Code.NO_ERROR, None, None, None, 3, False)


def test_times_are_those_of_the_cause() -> None:
    connector = Connector(1)
    time = datetime(2024, 5, 1, 12, tzinfo=UTC)
    dated = connector.raise_error(ErrorInfo(Code.OTHER_ERROR, timestamp=time, uuid="dated"), to_micros(time) + SECOND)
    assert dated is not None
    assert dated.timestamp == to_micros(time)
    raised = connector.raise_error(GROUND, to_micros(time) + 2 * SECOND)
    assert raised is not None
    assert raised.timestamp == to_micros(time) + 2 * SECOND
    cleared = connector.clear_error("B", to_micros(time) + 3 * SECOND)
    assert cleared is not None
    assert (cleared.timestamp, cleared.error_code) == (to_micros(time) + 3 * SECOND, Code.OTHER_ERROR)


def test_an_error_whose_time_cannot_be_began_now() -> None:
    now = to_micros(datetime(2026, 5, 1, tzinfo=UTC))
    unset = ErrorInfo(Code.OTHER_ERROR, timestamp=datetime(1970, 1, 1, tzinfo=UTC))
    notification = Connector(1).raise_error(unset, now)
    assert notification is not None
    assert notification.timestamp == now


def test_an_error_has_not_begun_ahead_of_now() -> None:
    connector = Connector(1)
    time = datetime(2024, 5, 1, 12, tzinfo=UTC)
    notification = connector.raise_error(ErrorInfo(Code.OTHER_ERROR, timestamp=time), to_micros(time) - 300 * SECOND)
    assert notification is not None
    assert notification.timestamp == to_micros(time) - 300 * SECOND
    assert connector.errors[0].timestamp == to_datetime(to_micros(time) - 300 * SECOND)


def test_no_notification_carries_an_earlier_time_than_the_one_before() -> None:
    connector = Connector(1, since=100 * SECOND)
    connector.report(110 * SECOND)
    stamps = [
        connector.submit(E.USAGE_INITIATED, 200 * SECOND),
        connector.raise_error(replace(GROUND, timestamp=to_datetime(150 * SECOND)), 210 * SECOND),
        connector.clear_error("B", 180 * SECOND),  # the clock was set back
        connector.report(190 * SECOND),
        connector.submit(E.START_CHARGING, 201 * SECOND),
    ]
    assert [told and told.timestamp // SECOND for told in stamps] == [200, 200, 200, 200, 201]
    # What the station said of its error still decides which one is the latest.
    assert connector.raise_error(replace(HOT, timestamp=to_datetime(5 * SECOND)), 300 * SECOND) is not None
    assert connector.errors[0].timestamp == to_datetime(5 * SECOND)


def test_an_error_that_began_before_anything_was_told_keeps_its_time() -> None:
    connector = Connector(1, since=100 * SECOND)
    notification = connector.raise_error(replace(GROUND, timestamp=to_datetime(50 * SECOND)), 110 * SECOND)
    assert notification is not None
    assert (notification.timestamp, connector.report(120 * SECOND).timestamp) == (50 * SECOND, 50 * SECOND)


def test_a_report_carries_the_time_since_when_it_holds() -> None:
    connector = Connector(1, since=7 * SECOND)
    assert connector.report(10 * SECOND).timestamp == 7 * SECOND
    connector.submit(E.USAGE_INITIATED, 20 * SECOND)
    assert connector.report(600 * SECOND).timestamp == 20 * SECOND
    connector.raise_error(HOT, 700 * SECOND)
    connector.submit(E.START_CHARGING, 710 * SECOND)  # hidden by the fault
    assert connector.report(800 * SECOND).timestamp == 700 * SECOND
    connector.clear_error("C", 900 * SECOND)
    assert connector.report(1000 * SECOND)[1:] == (S.CHARGING, Code.NO_ERROR, None, None, None, 900 * SECOND, False)


def test_what_was_never_dated_holds_since_it_was_first_told() -> None:
    connector = Connector(1)
    assert connector.look(3).timestamp == 3
    assert connector.look(4).timestamp == 4
    assert connector.report(5).timestamp == 5
    assert connector.report(9).timestamp == 5


def test_a_look_changes_nothing() -> None:
    def told(looks: bool) -> list[Notification | None]:
        connector, heard = Connector(1), list[Notification | None]()
        errors = (GROUND, HOT, LOCK, OVERLOAD)
        heard += [connector.raise_error(error, now) for now, error in enumerate(errors, 1)]
        for now, uuid in enumerate("DCBA", 10):
            if looks:
                assert connector.look(now) == connector.look(now)
            heard.append(connector.clear_error(uuid, now))
        return [*heard, connector.report(20)]

    assert told(True) == told(False)


def test_times_of_a_wrong_clock_move_with_it() -> None:
    connector = Connector(1, S.FAULTED, since=SECOND)
    connector.raise_error(LOCK, 2 * SECOND)
    connector.raise_error(GROUND, 3 * SECOND)
    shift = 1000 * SECOND
    connector.clock_moved(shift)
    assert connector.report(1010 * SECOND).timestamp == 1003 * SECOND
    assert [error.timestamp for error in connector.errors] == [to_datetime(1002 * SECOND), to_datetime(1003 * SECOND)]
    connector.clock_moved(-5000 * SECOND)
    later = connector.clear_error("B", -3900 * SECOND)
    assert later is not None
    assert later.timestamp == -3900 * SECOND


def test_a_clock_that_is_set_back_takes_the_times_ahead_of_it_along() -> None:
    connector = Connector(1, since=100 * SECOND)
    connector.raise_error(LOCK, 200 * SECOND)
    connector.submit(E.USAGE_INITIATED, 90_000 * SECOND)
    connector.raise_error(GROUND, 90_050 * SECOND)
    connector.clock_set_back(1000 * SECOND, -89_100 * SECOND)  # from 90,100
    assert connector.report(1000 * SECOND).timestamp == 950 * SECOND
    assert [error.timestamp for error in connector.errors] == [to_datetime(200 * SECOND), to_datetime(950 * SECOND)]
    cleared = connector.clear_error("B", 1001 * SECOND)
    assert cleared is not None
    assert cleared.timestamp == 1001 * SECOND


@given(
    times=st.lists(st.integers(0, 1000), min_size=1, max_size=5),
    now=st.integers(0, 1000),
    back=st.integers(1, 1000),
)
def test_times_keep_their_order_when_the_clock_is_set_back(times: list[int], now: int, back: int) -> None:
    times = sorted(min(time, now + back) for time in times)
    connector = Connector(1)
    for time, error in zip(times, ERRORS, strict=False):
        connector.raise_error(error, time)
    connector.clock_set_back(now, -back)
    stamps = [to_micros(error.timestamp) for error in connector.errors if error.timestamp is not None]
    assert stamps == sorted(stamps)
    assert max(stamps) <= now
    assert all(stamp == time for stamp, time in zip(stamps, times, strict=False) if time <= now)
    assert connector.report(now).timestamp == stamps[-1]


@given(shift=st.integers(-(2**63), 2**63 - 1), now=st.integers(-(2**55), 2**55))
def test_no_shift_of_the_clock_leads_out_of_the_years(shift: int, now: int) -> None:
    connector = Connector(1, S.FAULTED, since=now)
    connector.raise_error(LOCK, now)
    connector.clock_moved(shift)
    for notification in (connector.look(now), connector.report(now), connector.clear_all_errors(now)):
        assert notification is not None
        assert within(notification.timestamp) == notification.timestamp


def test_the_latest_error_is_the_latest_by_its_time_and_then_by_raising() -> None:
    connector = Connector(1)
    connector.raise_error(LOCK, 9 * SECOND)
    connector.raise_error(ErrorInfo(Code.WEAK_SIGNAL, uuid="old"), 5 * SECOND)
    assert connector.report(10 * SECOND).error_code is Code.CONNECTOR_LOCK_FAILURE
    connector.raise_error(ErrorInfo(Code.READER_FAILURE, uuid="same"), 9 * SECOND)
    assert connector.report(10 * SECOND).error_code is Code.READER_FAILURE
    assert [error.uuid for error in connector.errors] == ["A", "old", "same"]


def test_texts_are_cut_to_what_the_message_carries() -> None:
    connector = Connector(1)
    long = "x" * 300
    notification = connector.raise_error(ErrorInfo(Code.OTHER_ERROR, False, long, long, long), 1)
    assert notification is not None
    lengths = [len(text or "") for text in (notification.info, notification.vendor_id, notification.vendor_error_code)]
    assert lengths == [50, 255, 50]
    event = connector.submit(E.USAGE_INITIATED, 2, long)
    assert event is not None
    assert event.info == "x" * 50


@pytest.mark.parametrize("info", ["\udcff", 5, b"Authorized"])
def test_what_is_no_text_is_refused_and_changes_nothing(info: str) -> None:
    connector = Connector(1)
    with pytest.raises(ValueError, match=r"^info must be text"):
        connector.submit(E.USAGE_INITIATED, 1, info)
    assert connector.status is S.AVAILABLE


def test_clearing_all_errors() -> None:
    connector = Connector(1)
    assert connector.clear_all_errors(1) is None
    connector.raise_error(LOCK, 2)
    assert shown(connector.clear_all_errors(3)) == (S.AVAILABLE, Code.NO_ERROR, False)
    connector.raise_error(GROUND, 4)
    connector.raise_error(HOT, 5)
    assert connector.clear_all_errors(6) == (1, S.AVAILABLE, Code.NO_ERROR, None, None, None, 6, True)
    assert connector.errors == ()


def test_an_initial_fault_can_be_left() -> None:
    connector = Connector(1, S.FAULTED)
    assert shown(connector.report(1)) == (S.FAULTED, Code.OTHER_ERROR, False)
    assert shown(connector.clear_error(INITIAL_FAULT, 2)) == (S.AVAILABLE, Code.NO_ERROR, True)


def test_the_first_fault_takes_the_place_of_the_initial_one() -> None:
    connector = Connector(0, S.FAULTED)
    connector.raise_error(LOCK, 1)
    assert shown(connector.raise_error(GROUND, 2)) == (S.FAULTED, Code.GROUND_FAILURE, False)
    assert [error.uuid for error in connector.errors] == ["A", "B"]
    assert shown(connector.clear_error("B", 3)) == (S.AVAILABLE, Code.CONNECTOR_LOCK_FAILURE, True)


@pytest.mark.parametrize("start", [S.PREPARING, S.CHARGING, S.SUSPENDED_EV, S.SUSPENDED_EVSE, S.FINISHING, S.RESERVED])
@pytest.mark.parametrize("is_carried_out", [False, True])
def test_a_session_that_ends_under_inoperative_goes_to_unavailable_at_once(
    start: ChargePointStatus, is_carried_out: bool
) -> None:
    connector = Connector(1, start)
    connector.scheduled = AvailabilityType.INOPERATIVE
    if is_carried_out:
        assert connector.apply_scheduled() is AvailabilityType.INOPERATIVE
        assert connector.apply_scheduled() is None
        assert connector.commanded is AvailabilityType.INOPERATIVE
    event = E.RESERVATION_END if start is S.RESERVED else E.BECOME_AVAILABLE
    assert shown(connector.submit(event, 1)) == (S.UNAVAILABLE, Code.NO_ERROR, True)
    assert connector.submit(E.CHANGE_AVAILABILITY_TO_UNAVAILABLE, 2) is None
    connector.scheduled = None
    connector.availability = AvailabilityType.OPERATIVE
    assert shown(connector.submit(E.BECOME_AVAILABLE, 3)) == (S.AVAILABLE, Code.NO_ERROR, True)


def test_a_session_that_ends_after_inoperative_was_withdrawn_becomes_available() -> None:
    connector = Connector(1, S.CHARGING, AvailabilityType.INOPERATIVE)
    connector.scheduled = AvailabilityType.OPERATIVE
    assert shown(connector.submit(E.BECOME_AVAILABLE, 1)) == (S.AVAILABLE, Code.NO_ERROR, True)
    assert connector.apply_scheduled() is AvailabilityType.OPERATIVE
    assert connector.apply_scheduled() is None


def test_a_station_that_enables_an_inoperative_connector_is_believed() -> None:
    connector = Connector(1, S.UNAVAILABLE, AvailabilityType.INOPERATIVE)
    assert shown(connector.submit(E.BECOME_AVAILABLE, 1)) == (S.AVAILABLE, Code.NO_ERROR, True)


def test_stop_with_the_cable_in_and_start_again() -> None:
    connector = Connector(1)
    steps = [
        (E.USAGE_INITIATED, S.PREPARING),
        (E.START_CHARGING, S.CHARGING),
        (E.TRANSACTION_STOPPED, S.FINISHING),
        (E.START_CHARGING, S.FINISHING),
        (E.USAGE_INITIATED, S.PREPARING),
        (E.START_CHARGING, S.CHARGING),
        (E.BECOME_AVAILABLE, S.AVAILABLE),
    ]
    for event, expected in steps:
        connector.submit(event, 1)
        assert connector.status is expected


ERRORS = [LOCK, GROUND, HOT, OVERLOAD, ErrorInfo(Code.WEAK_SIGNAL, uuid="E")]
STEPS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(list(ConnectorEvent))),
    st.tuples(st.just("raise"), st.sampled_from(ERRORS)),
    st.tuples(st.just("clear"), st.sampled_from([error.uuid for error in ERRORS])),
    st.tuples(st.just("clear all"), st.none()),
    st.tuples(st.just("schedule"), st.sampled_from([None, *AvailabilityType])),
)


@given(
    connector_id=st.sampled_from([0, 1]),
    initial=st.sampled_from([S.AVAILABLE, S.UNAVAILABLE, S.FAULTED]),
    steps=st.lists(STEPS, max_size=40),
)
def test_whatever_happens_the_report_is_true(
    connector_id: int, initial: ChargePointStatus, steps: list[tuple[str, object]]
) -> None:
    connector = Connector(connector_id, initial)
    told = connector.report(0)
    for now, (kind, value) in enumerate(steps, 1):
        before = connector.status
        earlier = told
        notification = apply(connector, kind, value, now)
        assert (connector.status is S.FAULTED) == any(error.is_fault for error in connector.errors)
        assert connector.base in TRANSITIONS
        if connector_id == 0:
            assert connector.base in (S.AVAILABLE, S.UNAVAILABLE)
        if notification is not None:
            assert notification.status is connector.status
            assert notification.is_status_change == (connector.status is not before)
            assert notification.is_status_change or kind != "submit"
            assert notification.timestamp >= earlier.timestamp
            told = notification
        assert connector.look(now) == connector.look(now + 1)
        # What the Central System was told last stays true: status, and a code of an error that is still there.
        assert told.status is connector.status
        codes = {error.error_code for error in connector.errors} or {Code.NO_ERROR}
        assert told.error_code in codes


def apply(connector: Connector, kind: str, value: object, now: int) -> Notification | None:
    if kind == "submit":
        assert isinstance(value, ConnectorEvent)
        return connector.submit(value, now)
    if kind == "raise":
        assert isinstance(value, ErrorInfo)
        return connector.raise_error(value, now)
    if kind == "clear":
        return connector.clear_error(str(value), now)
    if kind == "clear all":
        return connector.clear_all_errors(now)
    connector.scheduled = value if isinstance(value, AvailabilityType) else None
    return None

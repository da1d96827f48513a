"""What an EVSE tells the charge point, fact by fact and in order."""

from typing import Any

import pytest

from ocpp16.enums import ChargePointErrorCode, Reason, UnlockStatus

GROUND = ChargePointErrorCode.GROUND_FAILURE
STARTED = [("session_started", 1, "EVConnected"), ("transaction_started", 1, "TAG", 0.0)]


def charging(make_bench: Any, **options: Any) -> Any:
    """A bench whose car draws 32 A on one phase on connector 1, and nothing untold."""
    bench = make_bench(**options)
    bench.station.plug_in(1, draw_for=100_000)
    bench.advance(1)
    bench.station.present_id_tag("TAG", [1])
    bench.advance(1)
    assert bench.take() == [*STARTED, ("resume_charging", 1)]
    return bench


def test_car_first_then_card(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.plug_in(1, plug_after=2, draw_after=3)
    bench.advance(1.9)
    assert bench.take() == []
    bench.advance(0.1)
    assert bench.take() == [("session_started", 1, "EVConnected")]
    bench.station.present_id_tag("TAG")
    assert bench.take() == [("transaction_started", 1, "TAG", 0.0)]
    bench.advance(2.9)
    assert bench.take() == []
    bench.advance(0.1)
    assert bench.take() == [("resume_charging", 1)]


def test_card_first_then_car(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.present_id_tag("TAG")
    assert bench.take() == [("session_started", 1, "Authorized")]
    bench.station.plug_in(1)
    bench.advance(1)
    assert bench.take() == [("transaction_started", 1, "TAG", 0.0)]


def test_the_car_waits_for_current_without_limit(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.plug_in(1, draw_for=10)
    bench.advance(50_000)
    assert bench.take() == [("session_started", 1, "EVConnected")]
    bench.station.present_id_tag("TAG")
    bench.advance(1)
    assert bench.take() == [("transaction_started", 1, "TAG", 0.0), ("resume_charging", 1)]


def test_the_car_unplugs_by_itself(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.plug_in(1, draw_for=3600, current=10)
    bench.station.present_id_tag("TAG")
    bench.advance(2)
    bench.take()
    bench.advance(3600)
    assert bench.take() == [("transaction_stopped", 1, "EVDisconnected", 2300.0), ("session_stopped", 1)]
    assert len(bench.charge_point.for_station.timers) == 0


def test_unplugging_while_charging(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.unplug(1)
    assert bench.take() == [("transaction_stopped", 1, "EVDisconnected", 0.0), ("session_stopped", 1)]
    bench.station.unplug(1)
    assert bench.take() == []


def test_stop_by_card_then_unplugging_later(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.present_id_tag("tag")
    assert bench.charge_point.details[0]["id_tag_end"] == "tag"
    assert bench.take() == [("transaction_stopped", 1, "Local", 0.0)]
    bench.station.present_id_tag("TAG")  # the connector is spent until the next plug-in
    assert bench.take() == []
    bench.station.unplug(1)
    assert bench.take() == [("session_stopped", 1)]
    bench.station.present_id_tag("TAG")
    assert bench.take() == [("session_started", 1, "Authorized")]


@pytest.mark.parametrize("reason", [Reason.REMOTE, Reason.SOFT_RESET, Reason.DE_AUTHORIZED, Reason.OTHER])
def test_stop_on_request_names_no_card(make_bench: Any, reason: Reason) -> None:
    bench = charging(make_bench)
    assert bench.ask(bench.station.stop_transaction(1, reason)) is True
    assert bench.charge_point.details[0]["id_tag_end"] is None
    assert bench.take() == [("transaction_stopped", 1, str(reason), 0.0)]
    assert bench.ask(bench.station.stop_transaction(1, reason)) is False


def test_a_refused_tag_pauses(make_bench: Any) -> None:
    bench = charging(make_bench)
    assert bench.ask(bench.station.pause_charging(1)) is True
    assert bench.take() == [("suspend_charging_evse", 1)]
    before = bench.station.evse(1).register()
    bench.advance(3600)
    assert bench.station.evse(1).register() == before
    bench.ask(bench.station.stop_transaction(1, Reason.DE_AUTHORIZED))
    assert bench.take() == [("transaction_stopped", 1, "DeAuthorized", before)]


def test_the_car_pauses_and_draws_again(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.pause_drawing(1)
    bench.station.pause_drawing(1)
    assert bench.take() == [("suspend_charging_ev", 1)]
    bench.station.resume_drawing(1, current=16, phases=3)
    assert bench.take() == [("resume_charging", 1)]
    bench.advance(3600)
    assert bench.station.evse(1).register() == 3 * 16 * 230


def test_limit_zero_suspends_and_is_lifted(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.limit(1, 0.0)
    assert bench.take(all_of_it=True) == [
        ("max_current_offered", 1, 0.0),
        ("max_power_offered", 1, 0.0),
        ("suspend_charging_evse", 1),
    ]
    bench.limit(1, 10.0)
    assert bench.take(all_of_it=True) == [
        ("max_current_offered", 1, 10.0),
        ("max_power_offered", 1, 6900.0),
        ("resume_charging", 1),
    ]
    bench.advance(3600)
    assert bench.station.evse(1).register() == 2300
    bench.limit(1, None)
    bench.advance(3600)
    assert bench.station.evse(1).register() == 2300 + 32 * 230


def test_a_car_that_draws_at_once_is_not_suspended_first(make_bench: Any) -> None:
    for draw_after, between in ((0, []), (2, [("suspend_charging_ev", 1)])):
        bench = make_bench()
        bench.limit(1, 0.0)
        bench.station.plug_in(1, plug_after=0, draw_after=draw_after)
        bench.station.present_id_tag("TAG")
        bench.advance(1)
        assert bench.take()[-1] == ("suspend_charging_evse", 1)
        bench.limit(1, 16.0)
        bench.advance(1)
        assert bench.take() == (between or [("resume_charging", 1)])
        bench.advance(5)
        assert bench.take() == ([("resume_charging", 1)] if between else [])


def test_watts_on_one_phase(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.resume_drawing(1, phases=3)
    bench.limit(1, 2300.0, "W", 1)
    assert bench.take(all_of_it=True) == [("max_current_offered", 1, 10.0), ("max_power_offered", 1, 2300.0)]
    before = bench.station.evse(1).register()
    bench.advance(3600)
    assert bench.station.evse(1).register() - before == 2300
    bench.limit(1, 6900.0, "W", None)
    bench.advance(3600)
    assert bench.station.evse(1).register() - before == 2300 + 6900


def test_a_limit_of_zero_from_the_start_keeps_the_car_waiting(make_bench: Any) -> None:
    bench = make_bench()
    bench.limit(1, 0.0)
    bench.station.plug_in(1, draw_for=10)
    bench.station.present_id_tag("TAG")
    bench.advance(1000)
    assert bench.take() == [
        ("session_started", 1, "Authorized"),
        ("transaction_started", 1, "TAG", 0.0),
        ("suspend_charging_evse", 1),
    ]
    bench.limit(1, 6.0)
    assert bench.take() == [("suspend_charging_ev", 1)]  # offered, and the car has yet to draw
    bench.advance(1)
    assert bench.take() == [("resume_charging", 1)]


def test_authorization_times_out(make_bench: Any) -> None:
    bench = make_bench(connection_timeout=30)
    bench.station.present_id_tag("TAG")
    bench.advance(29.9)
    assert bench.take() == [("session_started", 1, "Authorized")]
    bench.advance(0.1)
    assert bench.take() == [("session_stopped", 1)]
    assert bench.station.evse(1).is_free


def test_authorization_does_not_time_out_once_charging(make_bench: Any) -> None:
    bench = charging(make_bench, connection_timeout=30)
    bench.advance(1000)
    assert bench.take() == []


def test_a_plug_times_out_only_beside_others(make_bench: Any) -> None:
    alone, beside = make_bench(1, 30), make_bench(2, 30)
    for bench in (alone, beside):
        bench.station.plug_in(1)
        bench.advance(31)
        told = [("session_started", 1, "EVConnected"), ("plugin_timeout", 1)]
        assert bench.take() == told[: 1 if bench is alone else 2]
        bench.station.present_id_tag("TAG", [1])
    assert alone.take() == [("transaction_started", 1, "TAG", 0.0)]
    assert beside.take() == []
    assert beside.charge_point.asked == []
    beside.station.unplug(1)
    beside.station.plug_in(1)
    beside.advance(1)
    beside.station.present_id_tag("TAG", [1])
    assert beside.take() == [("session_stopped", 1), *STARTED]


def test_a_connection_timeout_of_zero_waits_for_ever(make_bench: Any) -> None:
    bench = make_bench(connection_timeout=0)
    bench.station.present_id_tag("TAG")
    bench.advance(1_000_000)
    assert bench.take() == [("session_started", 1, "Authorized")]


def test_unlocking_stops_the_transaction(make_bench: Any) -> None:
    bench = charging(make_bench)
    assert bench.ask(bench.station.unlock_connector(1)) is UnlockStatus.UNLOCKED
    assert bench.take() == [("transaction_stopped", 1, "UnlockCommand", 0.0)]  # told now, sent after the answer


def test_without_a_lock_the_transaction_goes_on(make_bench: Any) -> None:
    bench = charging(make_bench, count=2, lock=[False, True])
    assert bench.ask(bench.station.unlock_connector(1)) is UnlockStatus.NOT_SUPPORTED
    assert bench.ask(bench.station.unlock_connector(2)) is UnlockStatus.UNLOCKED
    assert bench.take() == []


def test_a_fault_is_told_once_and_cuts_the_current(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.raise_fault(1, GROUND)
    bench.station.raise_fault(1, GROUND)
    assert bench.take() == [("error", 1, "GroundFailure", True)]
    bench.station.raise_fault(1, GROUND, False)  # less than it is already
    assert bench.take() == []
    before = bench.station.evse(1).register()
    bench.advance(3600)
    assert bench.station.evse(1).register() == before
    bench.station.clear_fault(1, GROUND)
    bench.station.clear_fault(1, GROUND)
    assert bench.take() == [("error_cleared", 1, "1/GroundFailure/fault")]
    bench.advance(3600)
    assert bench.station.evse(1).register() == before + 7360


def test_an_error_without_fault_changes_nothing_else(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.raise_fault(1, GROUND, False)
    assert bench.take() == [("error", 1, "GroundFailure", False)]
    bench.advance(3600)
    assert bench.station.evse(1).register() == 7360
    bench.station.raise_fault(1, GROUND)
    assert bench.take() == [("error", 1, "GroundFailure", True)]
    bench.station.clear_fault(1, GROUND)
    assert bench.take() == [("error_cleared", 1, "1/GroundFailure"), ("error_cleared", 1, "1/GroundFailure/fault")]


def test_a_faulted_connector_starts_once_it_is_cleared(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.present_id_tag("TAG")
    bench.station.raise_fault(1, GROUND)
    bench.station.plug_in(1)
    bench.advance(10)
    assert ("transaction_started", 1, "TAG", 0.0) not in bench.take()
    bench.station.clear_fault(1, GROUND)
    assert bench.take()[-1] == ("transaction_started", 1, "TAG", 0.0)


def test_a_diode_fault(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.plug_in(1, diode_fault_after=5)
    bench.station.present_id_tag("TAG")
    bench.advance(2)
    bench.take()
    bench.advance(5)
    assert bench.take() == [("error", 1, "OtherError", True)]
    bench.advance(10_000)
    assert bench.take() == []
    bench.station.unplug(1)
    facts = [fact[0] for fact in bench.take()]
    assert facts == ["transaction_stopped", "session_stopped", "error_cleared"]


def test_the_whole_charge_point_can_fail(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.raise_fault(0, GROUND)
    assert bench.take() == [("error", 0, "GroundFailure", True)]
    bench.station.clear_fault(0, GROUND)
    bench.station.clear_fault(0, GROUND)
    assert bench.take() == [("error_cleared", 0, "0/GroundFailure/fault")]


def test_what_changed_beneath_a_fault_is_told_before_its_end(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.raise_fault(1, GROUND)
    bench.station.pause_drawing(1)
    bench.take()
    bench.station.clear_fault(1, GROUND)  # the fault still hides the first of them: one status is told
    assert bench.take() == [("suspend_charging_ev", 1), ("error_cleared", 1, "1/GroundFailure/fault")]


def test_the_card_ends_its_transaction_on_a_faulted_connector(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.station.raise_fault(1, GROUND)
    bench.take()
    bench.station.present_id_tag("tag")
    assert bench.take() == [("transaction_stopped", 1, "Local", 0.0)]


def test_out_of_service_and_back(make_bench: Any) -> None:
    bench = make_bench()
    for connector_id in (0, 1, 1):
        assert bench.ask(bench.station.disable_evse(connector_id)) is True
    assert bench.take() == [("disabled", 1)]
    bench.station.present_id_tag("TAG")
    bench.station.plug_in(1)
    bench.advance(1)
    assert bench.take() == []
    for connector_id in (0, 1, 1):
        assert bench.ask(bench.station.enable_evse(connector_id)) is True
    assert bench.take() == [("session_started", 1, "EVConnected"), ("enabled", 1)]


def test_in_service_still_when_it_was_not_asked_to_leave_it(make_bench: Any) -> None:
    """What was to put it out of service was superseded: the charge point has it Unavailable, and is told better."""
    bench = make_bench()
    bench.ask(bench.station.enable_evse(1))
    assert bench.take() == [("enabled", 1)]


def test_back_into_service_without_a_car(make_bench: Any) -> None:
    bench = make_bench()
    bench.ask(bench.station.disable_evse(1))
    bench.ask(bench.station.enable_evse(1))
    assert bench.take() == [("disabled", 1), ("enabled", 1)]


def test_back_into_service_with_the_car_of_before(make_bench: Any) -> None:
    bench = charging(make_bench)
    bench.ask(bench.station.stop_transaction(1, Reason.REMOTE))
    bench.ask(bench.station.disable_evse(1))
    bench.take()
    bench.ask(bench.station.enable_evse(1))
    assert bench.take() == [("session_stopped", 1), ("session_started", 1, "EVConnected")]
    bench.station.present_id_tag("TAG")
    assert bench.take() == [("transaction_started", 1, "TAG", 0.0), ("resume_charging", 1)]


def test_a_second_car_is_ignored_and_one_on_its_way_can_turn_back(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.plug_in(1, plug_after=5)
    bench.station.plug_in(1, plug_after=1)
    bench.advance(2)
    bench.station.unplug(1)
    bench.advance(10)
    assert bench.take() == []
    assert len(bench.charge_point.for_station.timers) == 0

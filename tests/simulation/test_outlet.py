"""Offers, plans of cars, unplugging at the car, and what outlasts a charge point."""

from math import inf, nan
from typing import Any

import pytest

from ocpp16.configuration.keys import core
from ocpp16.enums import ChargePointErrorCode, Reason
from ocpp16.models import Measurement, PhaseValues
from ocpp16.simulation import CarPlan

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


@pytest.fixture
def make_patient_bench(make_bench: Any) -> Any:
    """Makes benches whose car charges, and may be unplugged for a while."""

    def make(**options: Any) -> Any:
        bench = charging(make_bench, **options)
        bench.charge_point.configuration[core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT] = False
        return bench

    return make


def test_a_transaction_may_outlast_an_unplugging_at_the_car(make_patient_bench: Any) -> None:
    bench = make_patient_bench()
    bench.advance(3600)
    bench.station.unplug(1)
    bench.station.unplug(1)
    assert bench.take() == [("suspend_charging_ev", 1)]
    charged = bench.station.measurement(1)
    assert charged.soc is None
    bench.advance(3600)
    assert bench.station.evse(1).register() == 7360
    bench.station.plug_in(1, plug_after=10, draw_after=5, draw_for=100_000)
    bench.advance(14.9)
    assert bench.take() == []  # on its way, then plugged in: it begins to draw only then
    bench.advance(0.1)
    assert bench.take() == [("resume_charging", 1)]
    bench.advance(3600)
    assert bench.station.evse(1).register() == 2 * 7360
    assert bench.station.measurement(1).soc.value == pytest.approx(20 + 100 * 2 * 7360 / 60_000)


def test_unplugged_while_suspended_the_station_stays_the_reason(make_patient_bench: Any) -> None:
    bench = make_patient_bench()
    bench.limit(1, 0.0)
    bench.take()
    bench.station.unplug(1)
    assert bench.take() == []
    bench.limit(1, None)
    assert bench.take() == [("suspend_charging_ev", 1)]


def test_a_transaction_without_a_car_goes_on_without_one_after_a_power_loss(make_bench: Any, new_bench: Any) -> None:
    """The station is still the same, so it knows that nobody is plugged in; the next car charges on."""
    bench = charging(make_bench, power_loss_policy="resume", meter_reset_at_plug_in=False)
    station, first = bench.station, bench.charge_point
    first.configuration[core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT] = False
    bench.advance(3600)
    station.unplug(1)
    second = new_bench().charge_point
    second.seconds = first.seconds
    second.transactions = first.transactions  # as a store has it
    second.configuration[core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT] = False
    station.attach(second)
    station.power_up()
    assert second.take() == [("session_started", 1, "EVConnected"), ("suspend_charging_ev", 1)]
    second.advance(3600)
    assert station.evse(1).register() == 7360
    station.plug_in(1, draw_for=100_000)
    second.advance(2)
    assert second.take() == [("resume_charging", 1)]


@pytest.mark.parametrize("stop", ["card", "remote"])
def test_a_transaction_without_a_car_is_stopped_and_the_connector_free(make_patient_bench: Any, stop: str) -> None:
    bench = make_patient_bench()
    bench.station.unplug(1)
    bench.take()
    if stop == "card":
        bench.station.present_id_tag("TAG")
    else:
        bench.ask(bench.station.stop_transaction(1, Reason.REMOTE))
    assert [fact[0] for fact in bench.take()] == ["transaction_stopped", "session_stopped"]
    assert bench.station.evse(1).is_free


def test_a_car_with_a_broken_diode_takes_its_fault_away(make_patient_bench: Any) -> None:
    bench = make_patient_bench()
    bench.station.evse(1).car._fail()
    bench.station.unplug(1)
    assert bench.take() == [
        ("error", 1, "OtherError", True),
        ("suspend_charging_ev", 1),
        ("error_cleared", 1, "1/OtherError/fault"),
    ]


def offers(bench: Any) -> list[float]:
    return [fact[2] for fact in bench.take(all_of_it=True) if fact[0] == "max_current_offered"]


def test_nothing_is_offered_where_nobody_may_charge(new_bench: Any) -> None:
    bench = new_bench()
    bench.station.attach(bench.charge_point)
    bench.station.power_up()
    assert offers(bench) == [0.0]
    bench.station.plug_in(1, draw_for=1000)
    bench.advance(1)
    assert offers(bench) == []  # Preparing
    bench.station.present_id_tag("TAG")
    assert offers(bench) == [63.0]
    bench.advance(1)
    bench.station.raise_fault(1, GROUND)
    assert offers(bench) == [0.0]
    bench.station.clear_fault(1, GROUND)
    assert offers(bench) == [63.0]
    bench.station.pause_drawing(1)
    assert offers(bench) == []  # SuspendedEV: it could
    bench.ask(bench.station.pause_charging(1))
    assert offers(bench) == [0.0]
    bench.limit(1, 10.0)
    bench.ask(bench.station.stop_transaction(1, Reason.REMOTE))
    bench.station.unplug(1)
    bench.ask(bench.station.disable_evse(1))
    bench.limit(1, 16.0)
    assert offers(bench) == []  # Finishing, Available, Unavailable: still none


def test_nothing_is_offered_to_a_cable_that_is_out(make_patient_bench: Any) -> None:
    bench = make_patient_bench()
    assert offers(bench) == []
    bench.station.unplug(1)
    assert offers(bench) == [0.0]
    bench.limit(1, 10.0)
    bench.limit(1, None)
    bench.station.plug_in(1, plug_after=10, draw_for=1000)
    bench.advance(9)
    assert offers(bench) == []
    bench.advance(1)
    assert offers(bench) == [63.0]


WRONG_PLANS = [
    ("current", 375),
    ("current", -1),
    ("current", nan),
    ("current", inf),
    ("current", True),
    ("current", "16"),
    ("current", None),
    ("phases", 0),
    ("phases", 4),
    ("phases", 1.0),
    ("phases", True),
    ("plug_after", -1),
    ("plug_after", inf),
    ("draw_after", nan),
    ("draw_for", -inf),
    ("draw_for", 10**400),
    ("draw_for", None),
    ("diode_fault_after", -0.5),
    ("mac", "00:11"),
    ("mac", 7),
    ("contract", "DE8AA1A2B3C4D5"),
    ("external_payment", 1),
]


@pytest.mark.parametrize(("name", "value"), WRONG_PLANS)
def test_what_no_car_does_is_refused_by_name(make_bench: Any, name: str, value: Any) -> None:
    bench = make_bench()
    with pytest.raises(ValueError, match=name):
        bench.station.plug_in(1, **{name: value})
    assert bench.station.evse(1).car is None
    bench.station.plug_in(1, draw_for=inf, current=63)
    if name in {"current", "phases"} and value is not None:
        with pytest.raises(ValueError, match=name):
            bench.station.resume_drawing(1, **{name: value})
    assert bench.station.evse(1).car.current == 63


def test_changes_are_to_the_plan_that_is_given(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.plug_in(1, CarPlan(current=20, phases=3), current=10)
    assert bench.station.evse(1).car.plan == CarPlan(current=10, phases=3)


@pytest.mark.parametrize("id_tag", ["", "x" * 21, "\ud800", 7, None])
def test_what_is_no_id_tag_is_refused_by_name(make_bench: Any, id_tag: Any) -> None:
    bench = make_bench()
    with pytest.raises(ValueError, match="id_tag"):
        bench.station.present_id_tag(id_tag)
    assert bench.charge_point.asked == []


def test_the_same_charge_point_is_attached_once(make_bench: Any) -> None:
    bench = make_bench(meter_interval=1)
    evses = bench.station.evses
    bench.station.attach(bench.charge_point)
    assert bench.station.evses is evses
    assert len(bench.charge_point.for_station.timers) == 1


def test_another_charge_point_finds_the_car_with_its_plan(make_bench: Any, new_bench: Any) -> None:
    bench = make_bench(meter_reset_at_plug_in=False, power_loss_policy="resume")
    station, first = bench.station, bench.charge_point
    station.plug_in(1, draw_for=7200, current=16, phases=3)
    station.present_id_tag("TAG")
    station.raise_fault(0, GROUND)
    bench.advance(3602)
    second = new_bench().charge_point
    second.seconds = first.seconds
    second.transactions = first.transactions  # as a store has it
    station.attach(second)
    station.power_up()
    told = second.take()
    assert ("error", 0, "GroundFailure", True) in told
    assert ("session_started", 1, "EVConnected") in told
    assert ("resume_charging", 1) in told
    second.advance(3599)
    assert second.take() == []
    second.advance(1)
    assert second.take() == [("transaction_stopped", 1, "EVDisconnected", 2 * 3 * 16 * 230), ("session_stopped", 1)]
    assert (len(second.for_station.timers), len(first.for_station.timers)) == (0, 0)


# The meter of the host


def shows(total: float | None, l1: float | None = None) -> Measurement:
    return Measurement(energy_import=PhaseValues(total, l1))


def test_before_the_host_tells_of_its_meter_the_stored_register_counts(new_bench: Any) -> None:
    bench = new_bench(meter_interval="external")
    bench.charge_point.checkpoints[1] = 1_234_567
    bench.attach()
    bench.station.plug_in(1, plug_after=0)
    bench.station.present_id_tag("TAG")
    bench.advance(0)
    assert ("transaction_started", 1, "TAG", 1_234_567) in bench.take()
    bench.station.meter_reading(1, shows(1_234_667))
    bench.station.meter_reading(1, shows(None, 411_555))
    bench.station.unplug(1)
    assert ("transaction_stopped", 1, "EVDisconnected", 1_234_667) in bench.take()


def test_a_damaged_register_is_no_reason_not_to_start(new_bench: Any) -> None:
    bench = new_bench(meter_interval="external")
    bench.charge_point.checkpoints[1] = 2**62
    bench.attach()
    bench.station.meter_reading(1, shows(5))
    assert bench.station.evse(1).register() == 5


def test_the_meter_of_the_host_is_the_same_over_starts(new_bench: Any) -> None:
    bench = new_bench(meter_interval="external", power_loss_policy="resume").attach()
    station, first = bench.station, bench.charge_point
    station.meter_reading(1, shows(5_000))
    station.plug_in(1, plug_after=0)
    station.present_id_tag("TAG")
    bench.advance(0)
    (transaction,) = first.transactions.all_running()
    transaction.meter_last = 5_600
    for external in (station, new_bench(meter_interval="external", power_loss_policy="resume").station):
        charge_point = new_bench().charge_point
        charge_point.seconds = first.seconds
        charge_point.transactions = first.transactions
        external.attach(charge_point)
        external.power_up()
        assert external.evse(1).register() == 5_600

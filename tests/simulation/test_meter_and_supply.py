"""Registers that add up, noise that does not touch them, and a fuse that is shared."""

from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocpp16.enums import ChargePointErrorCode
from ocpp16.schedule.sharing import STRATEGIES, Demand
from ocpp16.simulation import supply
from ocpp16.simulation.meter import Meter
from ocpp16.simulation.supply import scarce_shares


def exact() -> float:
    return 1.0


def test_registers_add_up_over_changing_loads() -> None:
    meter = Meter(3, 230.0, 100.0)
    meter.set_load(10.0, 1, 100.0)
    meter.set_load(16.0, 3, 100.0 + 3600)
    meter.set_load(0.0, 3, 100.0 + 5400)
    shown = meter.measurement(10_000.0, exact, 55.0)
    assert (shown.energy_import.total, shown.energy_import.l1, shown.energy_import.l2) == (2300 + 5520, 4140, 1840)
    assert shown.soc is not None
    assert (shown.soc.value, shown.soc.location) == (55.0, "EV")


@given(st.lists(st.floats(0.001, 900.0), min_size=1, max_size=200))
def test_asking_often_does_not_change_the_register(steps: list[float]) -> None:
    often, once = Meter(1, 230.0, 0.0), Meter(1, 230.0, 0.0)
    now = 0.0
    for meter in (often, once):
        meter.set_load(32.0, 1, now)
    for step in steps:
        now += step
        often.register(now)
    assert often.energy(now) == pytest.approx(once.energy(now), rel=1e-12)


def test_a_day_of_half_seconds_does_not_drift() -> None:
    meter = Meter(3, 230.0, 0.0)
    meter.set_load(16.0, 3, 0.0)
    for tick in range(24 * 3600 * 2):
        meter.register(tick * 0.5)
    assert meter.register(24 * 3600.0) == 3 * 230 * 16 * 24


def test_instantaneous_values_of_a_single_phase_load() -> None:
    meter = Meter(3, 230.0, 0.0)
    meter.set_load(16.0, 1, 0.0)
    shown = meter.measurement(1.0, exact, None)
    assert shown.power is not None
    assert shown.current is not None
    assert shown.voltage is not None
    assert (shown.power.total, shown.power.l1, shown.power.l2) == (3680.0, 3680.0, 0.0)
    assert (shown.current.l1, shown.current.l3, shown.current.total) == (16.0, 0.0, None)
    assert (shown.voltage.l1, shown.voltage.l2, shown.voltage.l3) == (230.0, 230.0, 230.0)
    assert shown.soc is None


def test_a_single_phase_supply_has_one_phase() -> None:
    meter = Meter(1, 230.0, 0.0)
    meter.set_load(16.0, 3, 0.0)
    shown = meter.measurement(3600.0, exact, None)
    assert (shown.energy_import.total, shown.energy_import.l1, shown.energy_import.l2) == (3680, 3680, None)


def test_noise_is_seeded_and_stays_off_the_registers(make_bench: Any) -> None:
    benches = [make_bench(meter_noise=0.05, seed=seed) for seed in (1, 1, 2)]
    shown = []
    for bench in benches:
        bench.station.plug_in(1, draw_for=10_000)
        bench.station.present_id_tag("TAG")
        bench.advance(3602)
        shown.append(bench.station.measurement(1))
    assert shown[0] == shown[1]
    assert shown[0].power != shown[2].power
    assert {one.energy_import.total for one in shown} == {7360}
    for one in shown:
        assert one.voltage.l1 != 230.0
        assert abs(one.voltage.l1 / 230.0 - 1) <= 0.05


LOADS = st.lists(st.tuples(st.floats(0, 63), st.integers(0, 3), st.floats(0.01, 5000)), min_size=1, max_size=30)


@given(LOADS, st.integers(0, 10**7), st.integers(1, 3))
def test_the_phases_add_up_to_the_total_and_no_register_falls(
    loads: list[tuple[float, int, float]], stored: int, phases: int
) -> None:
    meter = Meter(phases, 230.0, 0.0)
    meter.start_from(stored, 0.0)
    assert meter.register(0.0) == stored
    now, before = 0.0, [0.0] * 4
    for amperes, loaded, seconds in loads:
        meter.set_load(amperes, loaded, now)
        now += seconds
        energy = meter.measurement(now, exact, None).energy_import
        shown = [energy.total, energy.l1, energy.l2 or 0.0, energy.l3 or 0.0]
        assert shown[0] == sum(shown[1:]) == meter.register(now)  # type: ignore[arg-type]
        assert all(one >= other for one, other in zip(shown, before, strict=True))  # type: ignore[operator]
        assert meter.energy(now) - phases <= shown[0] <= meter.energy(now) + 1e-3
        before = shown  # type: ignore[assignment]


@given(st.floats(0, 63), st.floats(0, 63), st.integers(1, 3), st.integers(0, 2**32))
@example(1.0, 5e-324, 1, 0)  # the product of numbers this small is rounded up
def test_noise_lifts_nothing_above_what_is_offered(wanted: float, offered: float, phases: int, seed: int) -> None:
    meter, random = Meter(3, 230.0, 0.0), Random(seed)
    meter.set_load(min(wanted, offered), phases, 0.0, offered)
    shown = meter.measurement(1.0, lambda: 1 + 0.05 * (2 * random.random() - 1), None)
    assert shown.current is not None
    assert shown.power is not None
    for current, power in ((shown.current.l1, shown.power.l1), (shown.current.l3, shown.power.l3)):
        assert current <= offered  # type: ignore[operator]
        assert power <= offered * 230  # type: ignore[operator]


def test_noise_goes_both_ways_below_the_limit() -> None:
    meter = Meter(1, 230.0, 0.0)
    meter.set_load(10.0, 1, 0.0, 16.0)
    assert meter.measurement(1.0, lambda: 1.01, None).current.l1 == pytest.approx(10.1)  # type: ignore[union-attr]


def test_a_reading_is_of_now_and_has_no_time_of_its_own(make_bench: Any) -> None:
    assert make_bench().station.measurement(1).timestamp is None


def test_a_given_source_of_noise_is_used(new_bench: Any) -> None:
    class Half(Random):
        def random(self) -> float:
            return 1.0

    from ocpp16.simulation import SimulatedStation

    assert SimulatedStation(meter_noise=0.1, random=Half()).noise() == pytest.approx(1.1)


def test_reports_come_every_meter_interval_idle_too(make_bench: Any) -> None:
    bench = make_bench(2, meter_interval=0.5)
    bench.advance(1.2)
    reports = [fact[1] for fact in bench.take(all_of_it=True) if fact[0] == "meter_values"]
    assert reports == [1, 2, 1, 2]


def test_an_idle_station_without_interval_has_no_timer(make_bench: Any) -> None:
    assert len(make_bench(2, meter_interval=0).charge_point.for_station.timers) == 0


def test_the_register_starts_anew_for_every_car_or_runs_on(make_bench: Any) -> None:
    for resets, expected in ((True, [0.0, 0.0]), (False, [0.0, 6400.0])):
        bench = make_bench(meter_reset_at_plug_in=resets)
        starts = []
        for _ in range(2):
            bench.station.plug_in(1, draw_for=3600, current=6400 / 230)
            bench.station.present_id_tag("TAG")
            bench.advance(3602)
            starts += [fact[3] for fact in bench.take() if fact[0] == "transaction_started"]
        assert starts == expected


def test_the_register_goes_on_from_the_stored_value(new_bench: Any) -> None:
    bench = new_bench(2, meter_reset_at_plug_in=False)
    bench.charge_point.checkpoints[2] = 123_456
    bench.attach()
    assert [evse.register() for evse in bench.station.evses] == [0.0, 123_456.0]
    assert bench.station.measurement(2).energy_import.total == 123_456


def test_the_car_tells_its_state_of_charge(make_bench: Any) -> None:
    bench = make_bench(meter_reset_at_plug_in=False)
    assert bench.station.measurement(1).soc is None
    bench.station.plug_in(1, draw_for=10_000, current=6000 / 230)
    bench.station.present_id_tag("TAG")
    bench.advance(3602)
    assert bench.station.measurement(1).soc.value == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("strategy", "total", "wanted", "shares"),
    [
        ("equal", 63.0, [], {}),
        ("equal", 63.0, [32.0], {}),
        ("equal", 64.0, [32.0, 32.0], {}),
        ("equal", 63.0, [32.0, 32.0], {1: 31.5, 2: 31.5}),
        ("equal", 63.0, [32.0, 0.0, 32.0], {1: 31.5, 3: 31.5}),
        ("equal", 60.0, [10.0, 63.0, 63.0], {2: 25.0, 3: 25.0}),
        ("equal", 30.0, [32.0, 32.0, 32.0], {1: 10.0, 2: 10.0, 3: 10.0}),
        ("equal", 0.0, [16.0], {1: 0.0}),
        ("first_come", 40.0, [32.0, 32.0, 32.0], {2: 8.0, 3: 0.0}),
        ("first_come", 40.0, [0.0, 32.0, 32.0], {3: 8.0}),
        ("proportional", 21.0, [32.0, 10.0], {1: 16.0, 2: 5.0}),
    ],
)
def test_shares_of_those_who_get_less_than_they_want(
    strategy: str, total: float, wanted: list[float], shares: dict[int, float]
) -> None:
    demands = [Demand(number, amperes, number) for number, amperes in enumerate(wanted, 1)]
    assert scarce_shares(STRATEGIES[strategy], total, demands) == pytest.approx(shares)


@given(st.sampled_from(sorted(STRATEGIES)), st.floats(1, 500), st.lists(st.floats(0, 63), max_size=8))
def test_the_total_holds_and_nothing_is_wasted(strategy: str, total: float, wanted: list[float]) -> None:
    demands = [Demand(number, amperes, 0) for number, amperes in enumerate(wanted)]
    shares = scarce_shares(STRATEGIES[strategy], total, demands)
    drawn = sum(shares.get(demand.connector_id, demand.wanted) for demand in demands)
    assert drawn == pytest.approx(min(total, sum(wanted)))


def test_two_cars_share_the_fuse_and_one_gets_it_all_back(make_bench: Any) -> None:
    bench = make_bench(2, fuse_limit=40)
    for connector_id in (1, 2):
        bench.station.plug_in(connector_id, draw_for=100_000)
        bench.station.present_id_tag(f"TAG{connector_id}", [connector_id])
    bench.advance(2)
    offers = [fact for fact in bench.take(all_of_it=True) if fact[0] == "max_current_offered"]
    assert offers[-2:] == [("max_current_offered", 1, 20.0), ("max_current_offered", 2, 20.0)]
    bench.advance(3600)
    bench.station.pause_drawing(2)
    bench.advance(3600)
    assert [evse.register() for evse in bench.station.evses] == [20 * 230 + 32 * 230, 20 * 230]


@pytest.mark.parametrize(
    ("sharing", "amperes"),
    [("equal", [20.0, 20.0]), ("off", [20.0, 20.0]), ("first_come", [30.0, 10.0]), ("proportional", [24.0, 16.0])],
)
def test_the_fuse_is_shared_by_the_strategy_of_the_options(make_bench: Any, sharing: str, amperes: list[float]) -> None:
    bench = make_bench(2, fuse_limit=40, sharing=sharing)
    for connector_id, current in ((1, 30), (2, 20)):
        bench.station.plug_in(connector_id, draw_for=100_000, current=current)
        bench.station.present_id_tag(f"TAG{connector_id}", [connector_id])
        bench.advance(2)
    bench.advance(1)
    drawn = [bench.station.measurement(connector_id).current.l1 for connector_id in (1, 2)]
    assert drawn == pytest.approx(amperes)


def test_no_cable_carries_more_than_its_rating(make_bench: Any) -> None:
    bench = make_bench(fuse_limit=200)
    bench.station.plug_in(1, current=63, draw_for=100_000)
    assert bench.station.options.capacity == 63
    bench.station.present_id_tag("TAG")
    bench.advance(3602)
    assert bench.station.evse(1).register() == 63 * 230


@pytest.mark.parametrize("is_much", [False, True])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sharing", ["equal", "first_come", "proportional", "off"])
def test_what_is_offered_is_as_if_all_were_shared_out_anew(
    make_bench: Any, monkeypatch: pytest.MonkeyPatch, seed: int, sharing: str, is_much: bool
) -> None:
    """Cars, pauses, faults and limits come and go; only where it matters are others looked at.

    `is_much`: as if that were a large station, whose fuse is shared out once a turn; it holds at every moment.
    """
    if is_much:
        monkeypatch.setattr(supply, "MOST_AT_ONCE", 1)
    chance, fuse = Random(seed), 25.0
    bench = make_bench(5, fuse_limit=fuse, sharing=sharing)
    station = bench.station
    often, seldom = ("plug", "card", "resume", "clear"), ("unplug", "pause", "fault", "limit", "wait")
    happenings = often * 3 + seldom
    was_scarce = 0
    for turn in range(300):
        number = chance.randint(1, 5)
        match chance.choice(happenings):
            case "plug":
                station.plug_in(
                    number, plug_after=0, draw_after=chance.choice((0, 3)), draw_for=1e6, current=chance.randint(6, 32)
                )
            case "card":
                station.present_id_tag(f"TAG{turn if chance.random() < 0.9 else number}", [number])
            case "unplug":
                station.unplug(number)
            case "pause":
                station.pause_drawing(number)
            case "resume":
                station.resume_drawing(number, chance.randint(6, 32))
            case "fault":
                station.raise_fault(number, ChargePointErrorCode.GROUND_FAILURE)
            case "clear":
                station.clear_fault(number, ChargePointErrorCode.GROUND_FAILURE)
            case "limit":
                bench.limit(number, chance.choice((None, None, 0.0, 20.0)))
            case _:
                pass
        drawn = [station.measurement(number).current.l1 for number in range(1, 6)]
        assert sum(drawn) <= fuse * (1 + 1e-9)
        bench.advance(chance.choice((0, 0, 1, 10)))
        outlets = [evse.outlet for evse in station.evses]
        demands = [Demand(one.connector_id, one.demand, one.transaction_at or 0) for one in outlets]
        shares = scarce_shares(STRATEGIES["equal" if sharing == "off" else sharing], fuse, demands)
        was_scarce += bool(shares)
        for outlet in outlets:
            share = min(outlet.ceiling, shares.get(outlet.connector_id, outlet.ceiling))
            is_offered = outlet.has_transaction and outlet.is_plugged and not outlet.faults.is_faulted
            assert outlet.offered in (share if is_offered else 0.0, None)
            if outlet.wish:
                assert station.measurement(outlet.connector_id).current.l1 == pytest.approx(min(share, outlet.wish))
    assert was_scarce > 10

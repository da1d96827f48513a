"""From where interval energies are counted: series of their own, begun anew at both ends of a transaction."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.enums import ReadingContext
from ocpp16.models import Measurement, PhaseValues
from ocpp16.state.intervals import IntervalBases

PERIODIC, CLOCK, TRIGGER = ReadingContext.SAMPLE_PERIODIC, ReadingContext.SAMPLE_CLOCK, ReadingContext.TRIGGER


def imported(energy: float | None, *lines: float) -> Measurement:
    return Measurement(energy_import=PhaseValues(energy, *lines))


@pytest.fixture
def bases() -> IntervalBases:
    return IntervalBases()


def test_nothing_is_counted_before_anything_began(bases: IntervalBases) -> None:
    assert bases.base(1, PERIODIC) is None


def test_every_series_begins_with_the_transaction_and_goes_on_from_its_own_samples(bases: IntervalBases) -> None:
    start, first, second = imported(1000), imported(1010), imported(1025)
    bases.begin(1, start)
    bases.sampled(1, PERIODIC, first)
    bases.sampled(1, CLOCK, second)
    assert [bases.base(1, context) for context in (PERIODIC, CLOCK, TRIGGER)] == [first, second, start]
    assert bases.base(2, PERIODIC) is None


def test_nothing_reaches_back_over_an_end(bases: IntervalBases) -> None:
    bases.begin(1, imported(1000))
    for context in (PERIODIC, CLOCK, TRIGGER):
        bases.sampled(1, context, imported(1010))
    bases.sampled(2, PERIODIC, imported(7))
    end = imported(1050)
    bases.begin(1, end)
    assert [bases.base(1, context) for context in (PERIODIC, CLOCK, TRIGGER)] == [end] * 3
    assert bases.base(2, PERIODIC) == imported(7)


def test_without_a_transaction_a_series_begins_with_its_first_sample(bases: IntervalBases) -> None:
    bases.sampled(1, CLOCK, imported(5))
    assert (bases.base(1, CLOCK), bases.base(1, PERIODIC)) == (imported(5), None)


@pytest.mark.parametrize(
    ("before", "after", "counted_from"),
    [
        # grows, stands still
        (imported(1000), imported(1010), imported(1010)),
        (imported(1000), imported(1000), imported(1000)),
        # lags behind what was told rounded
        (imported(1000), imported(990), imported(1000)),
        (imported(1000, 400, 600), imported(1010, 399, 611), imported(1010, 400, 611)),
        # was reset
        (imported(1000), imported(3), imported(3)),
        (imported(1000), imported(0), imported(0)),
        # one below zero, too
        (imported(-1000), imported(-1010), imported(-1000)),
        (imported(-1000), imported(-1600), imported(-1600)),
        # is not in this reading
        (imported(1000), imported(None), imported(1000)),
        (imported(1000, 400), imported(1010), imported(1010, 400)),
        (imported(None), imported(1010), imported(1010)),
        # falls below zero: nobody can say more than that it moved
        (imported(-10), imported(-4), imported(-4)),
    ],
)
def test_the_place_from_where_a_register_is_counted(
    bases: IntervalBases, before: Measurement, after: Measurement, counted_from: Measurement
) -> None:
    bases.begin(1, before)
    bases.sampled(1, PERIODIC, after)
    base = bases.base(1, PERIODIC)
    assert base is not None
    assert base.energy_import == counted_from.energy_import


def test_all_four_registers_are_counted_each_from_its_place(bases: IntervalBases) -> None:
    bases.begin(
        1,
        Measurement(
            energy_import=PhaseValues(1000.0),
            energy_export=PhaseValues(50.0),
            reactive_energy_import=PhaseValues(7.0),
            reactive_energy_export=PhaseValues(3.0),
        ),
    )
    bases.sampled(1, PERIODIC, Measurement(energy_import=PhaseValues(1010.0), reactive_energy_import=PhaseValues(8.0)))
    bases.sampled(1, PERIODIC, Measurement(energy_export=PhaseValues(51.0)))
    base = bases.base(1, PERIODIC)
    assert base is not None
    assert (base.energy_import.total, base.energy_export, base.reactive_energy_import, base.reactive_energy_export) == (
        1010.0,
        PhaseValues(51.0),
        PhaseValues(8.0),
        PhaseValues(3.0),
    )


def test_what_is_stored_is_what_a_restart_goes_on_from(bases: IntervalBases) -> None:
    bases.begin(1, imported(1000))
    bases.begin(2, imported(7))
    whole = Measurement(
        energy_import=PhaseValues(1020.1 + 0.2, 1.1, None, 3.3),
        energy_export=PhaseValues(51.0),
        reactive_energy_import=PhaseValues(None, 8.0),
    )
    bases.sampled(1, PERIODIC, whole)
    again = IntervalBases()
    again.restore(1, orjson.loads(orjson.dumps(bases.stored(1))))
    assert [again.base(1, context) for context in (PERIODIC, CLOCK)] == [whole, imported(1000)]
    assert again.is_known(1)
    assert not again.is_known(2)
    again.forget(1)
    assert again.base(1, PERIODIC) is None


@given(start=st.floats(3e4, 1e6), readings=st.lists(st.none() | st.floats(-1e4, 1e4), max_size=30))
def test_intervals_are_the_growth_whatever_is_missing_or_lags_behind(
    start: float, readings: list[float | None]
) -> None:
    bases, counted, highest = IntervalBases(), 0.0, start
    bases.begin(1, imported(start))
    for reading in readings:
        energy = None if reading is None else start + reading
        base = bases.base(1, PERIODIC)
        assert base is not None
        assert base.energy_import.total is not None
        if energy is not None:
            counted += max(0.0, energy - base.energy_import.total)
            highest = max(highest, energy)
        bases.sampled(1, PERIODIC, imported(energy))
    assert counted == pytest.approx(highest - start, abs=1e-3)

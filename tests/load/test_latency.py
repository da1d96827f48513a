"""Counts of latencies are what an HdrHistogram of three digits makes of them."""

from collections import Counter
from random import Random

import pytest
from hdrh.histogram import HdrHistogram

from ocpp16.load.latency import (
    LONGEST,
    coarse,
    coarse_percentiles,
    counted,
    decoded,
    encoded,
    latencies,
    percentile,
    place,
    top,
)


def drawn(count: int = 5_000, seed: int = 1) -> list[float]:
    chance = Random(seed)
    return [chance.lognormvariate(-3, 2) for _ in range(count)]


@pytest.mark.parametrize("percent", [1, 50, 90, 95, 99, 99.9, 100])
def test_percentiles_are_those_of_the_library(percent: float) -> None:
    values = drawn()
    histogram = HdrHistogram(1, LONGEST, 3)
    for value in values:
        histogram.record_value(max(1, int(value * 1e6)))
    expected = histogram.get_value_at_percentile(percent)
    assert percentile(counted(values), percent) * 1e6 == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("value", [1, 2, 2047, 2048, 2049, 4095, 4097, 1_000_000, 123_456_789, LONGEST])
def test_a_place_is_within_a_thousandth(value: int) -> None:
    assert place(value) <= value <= top(place(value))
    assert top(place(value)) - place(value) <= value / 1000
    assert place(place(value)) == place(value)


def test_what_is_out_of_range_is_at_its_end() -> None:
    assert counted([0.0, -1.0, 1e-9]) == {1: 3}
    assert counted([10_000.0]) == {place(LONGEST): 1}


def test_a_quick_clock_has_fewer_microseconds_in_its_seconds() -> None:
    assert counted([1.0], 1e5) == counted([0.1])


def test_the_text_of_a_histogram_says_the_same() -> None:
    counts = counted(drawn())
    assert decoded(encoded(counts)) == counts
    histogram = HdrHistogram.decode(encoded(counts))
    assert histogram.get_total_count() == 5_000
    with pytest.raises(ValueError, match="no histogram"):
        decoded("HISTFAAA")


def test_results_of_latencies() -> None:
    found = latencies(counted([0.01] * 80 + [2.0] * 20))
    assert found.p50 == pytest.approx(0.01, rel=1e-3)
    assert found.p90 == found.p99 == pytest.approx(2.0, rel=1e-3)
    assert found.min == pytest.approx(0.01, rel=1e-3)
    assert found.max == pytest.approx(2.0, rel=1e-3)
    assert found.mean == pytest.approx(0.408, rel=1e-3)
    assert latencies(Counter()).p50 is None


def test_coarse_counts_are_few_and_within_a_hundredth() -> None:
    counts = counted(drawn())
    few = coarse(counts)
    assert sum(few.values()) == 5_000
    assert len(few) < len(counts) / 2
    for percent, value in zip((50, 95, 99), coarse_percentiles(few, 50, 95, 99), strict=True):
        assert value == pytest.approx(percentile(counts, percent), rel=0.01)

"""Composite schedules: beside a bare sweep that does nothing but the sums, in absolute terms, and as they grow.

    ci/bench schedule

Ours gives typed periods with reasons, after validity, recurrences, phases and units; the bare sweep (bare_sweep.pyx,
built on the fly) gives tuples. Both have their profiles compiled beforehand. Ratios come from minima of short rounds
that alternate between the two, so that a slow phase of the machine hits both. Window: 24 h from T0, unit A.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from compiled import compiled
from figures import note

from ocpp16 import schedule
from ocpp16.codec import format_datetime

T0 = 1767571200
"""2026-01-05T00:00:00Z, a Monday."""
WINDOW = 86400
RUNNING = schedule.RunningTransaction(T0 * 1_000_000, 1)
ROUNDS = 30
ROUND_SECONDS = 0.002
SIZES = (1, 10, 100, 300)
RATIOS = {1: 2.0, 10: 2.3, 100: 2.9, 300: 2.8}
"""Most times the bare sweep, scenario mixed."""
MICROSECONDS = {1: 6, 10: 25, 100: 60, 300: 120}
TX, DEFAULT, MAXIMUM = "TxProfile", "TxDefaultProfile", "ChargePointMaxProfile"


class Row:
    """One profile of a scenario, for both sides. `salt` is the index of its connector."""

    def __init__(self, scenario: str, i: int, salt: int = 0) -> None:
        self.is_dense = scenario == "dense"
        self.purpose = TX if self.is_dense else (TX, DEFAULT, MAXIMUM)[i % 3]
        self.level = i if self.is_dense else i // 3
        self.is_daily = not self.is_dense and i % 2 == 1
        minutes = 0 if self.is_dense else ((i + 1) * 7919 + salt * 131) % 1440
        self.start = T0 + minutes * 60 - (2 * 86400 if self.is_daily else 0)
        self.duration = None if self.is_dense else 21600
        self.is_power = not self.is_dense and i % 5 == 0
        step, factor = (3600, 1) if self.is_dense else (900, 690 if self.is_power else 1)
        self.periods = [(k * step, (6 + (((i + salt) * 31 + k * 17) % 260) / 10) * factor) for k in range(24)]

    def payload(self, number: int) -> dict[str, Any]:
        plan: dict[str, Any] = {
            "startSchedule": format_datetime(self.start * 1_000_000, 0),
            "chargingRateUnit": "W" if self.is_power else "A",
            "chargingSchedulePeriod": [{"startPeriod": at, "limit": limit} for at, limit in self.periods],
        }
        if self.duration is not None:
            plan["duration"] = self.duration
        return {
            "chargingProfileId": number,
            "stackLevel": self.level,
            "chargingProfilePurpose": self.purpose,
            "chargingProfileKind": "Recurring" if self.is_daily else "Absolute",
            "recurrencyKind": "Daily",
            "chargingSchedule": plan,
        }


def installed(scenario: str, size: int, connectors: int = 1) -> schedule.InstalledProfiles:
    """`size` profiles for each connector, the maxima once."""
    profiles, number = schedule.InstalledProfiles(), 0
    for connector in range(1, connectors + 1):
        for i in range(size):
            row = Row(scenario, i, connector - 1)
            if row.purpose != MAXIMUM or connector == 1:
                number += 1
                place = 0 if row.purpose == MAXIMUM else connector
                profiles.install(schedule.compile_profile(place, row.payload(number)))
    return profiles


def calculation(profiles: schedule.InstalledProfiles, connector: int, connectors: int = 1) -> Callable[[], Any]:
    transactions = dict.fromkeys(range(1, connectors + 1), RUNNING)
    start = T0 * 1_000_000
    return lambda: (
        schedule.composite_schedule(
            profiles, connector, start, WINDOW, "A", number_of_connectors=connectors, transactions=transactions
        ).periods
    )


def minima(*functions: Callable[[], Any]) -> list[float]:
    """Seconds per call of each: the best of rounds taken in turn."""
    counts = []
    for function in functions:
        function()
        start = time.perf_counter()
        function()
        counts.append(max(1, int(ROUND_SECONDS / (time.perf_counter() - start))))
    best = [math.inf] * len(functions)
    for _ in range(ROUNDS):
        for number, function in enumerate(functions):
            repeats = range(counts[number])
            start = time.perf_counter()
            for _ in repeats:
                function()
            best[number] = min(best[number], (time.perf_counter() - start) / len(repeats))
    return best


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """bare_sweep.pyx."""
    pytest.importorskip("Cython.Build")
    return compiled("bare_sweep", tmp_path_factory.mktemp("bare"))


def bare_calculation(bare: Any, scenario: str, size: int) -> Callable[[], Any]:
    sets: dict[str, list[Any]] = {TX: [], DEFAULT: [], MAXIMUM: []}
    for row in sorted((Row(scenario, i) for i in range(size)), key=lambda row: -row.level):
        duration = -1 if row.duration is None else row.duration
        sets[row.purpose].append(bare.BareProfile(row.start, duration, row.is_daily, row.is_power, row.periods))
    return lambda: bare.bare_schedule(sets[TX], sets[DEFAULT], sets[MAXIMUM], T0, T0 + WINDOW)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scenario", ["dense", "mixed"])
def test_schedule(benchmark: Any, scenario: str, size: int) -> None:
    benchmark(calculation(installed(scenario, size), 1))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scenario", ["dense", "mixed"])
def test_bare_schedule(benchmark: Any, bare: Any, scenario: str, size: int) -> None:
    benchmark(bare_calculation(bare, scenario, size))


def test_ratios(bare: Any, capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for scenario in ("dense", "mixed"):
        for size in SIZES:
            ours, theirs = calculation(installed(scenario, size), 1), bare_calculation(bare, scenario, size)
            assert [p.start_period for p in ours()] == [start for start, _ in theirs()]
            assert [p.limit for p in ours()] == pytest.approx([limit for _, limit in theirs()], rel=1e-5)
            mine, floor = minima(ours, theirs)
            rows.append((scenario, size, mine * 1e6, floor * 1e6, mine / floor))
    with capsys.disabled():
        print("\nus per schedule                   ours     bare   ratio")
        for scenario, size, mine, floor, ratio in rows:
            bar = f"at most {RATIOS[size]}x, {MICROSECONDS[size]} us" if scenario == "mixed" else ""
            print(f"{scenario:8} {size:4} profiles {mine:16.2f} {floor:8.2f} {ratio:6.2f}x  {bar}")
            if scenario == "mixed":
                note(f"schedule.{size}", f"of {size} profiles", mine, "µs", at_most=MICROSECONDS[size])
                text = f"of {size} profiles, beside a bare Cython sweep"
                note(f"schedule.bare.{size}", text, ratio, "times its time", at_most=RATIOS[size])
    for scenario, size, mine, _, ratio in rows:
        assert mine <= MICROSECONDS[size]
        assert ratio <= (RATIOS[size] if scenario == "mixed" else max(RATIOS.values()))


def test_growth(capsys: pytest.CaptureFixture[str]) -> None:
    """No worse than n log n, also where nothing is covered: short daily profiles, over a day and over four weeks."""
    told = []
    for days, sizes in ((1, (100, 300, 1000, 3000)), (28, (30, 100, 300, 1000))):
        times = []
        for size in sizes:
            profiles = schedule.InstalledProfiles()
            for i in range(size):
                payload = Row("mixed", 3 * i + 1).payload(i + 1)
                payload |= {"chargingProfilePurpose": DEFAULT, "chargingProfileKind": "Recurring", "stackLevel": i}
                plan = {
                    "duration": 60 + i * 97 % 1800,
                    "startSchedule": format_datetime((T0 - 86400 + i * 7919 % 86400) * 10**6),
                }
                profiles.install(
                    schedule.compile_profile(1, payload | {"chargingSchedule": payload["chargingSchedule"] | plan})
                )
            stack = profiles.stack(1)
            assert len(stack.profiles) == size
            start = T0 * 1_000_000
            times.append(
                minima(lambda p=profiles, d=days, s=start: schedule.composite_schedule(p, 1, s, d * WINDOW, "A"))[0]  # type: ignore[misc]
            )
        told.append((days, sizes, times))
    with capsys.disabled():
        print()
        for days, sizes, times in told:
            print(
                f"{days} days: "
                + ", ".join(f"{n} profiles {t * 1e6:.0f} us" for n, t in zip(sizes, times, strict=True))
            )
    for days, sizes, times in told:
        work = [n * days * math.log2(n * days) for n in sizes]
        factor = times[-1] / times[0] / (work[-1] / work[0])
        assert factor < 2  # caches have their part in it


def test_station(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of 50 connectors with 300 profiles, and each of 1,000 with two, connector 0 included."""
    fifty = installed("mixed", 300, 50)
    each = [calculation(fifty, connector, 50) for connector in range(1, 51)]
    thousand = schedule.InstalledProfiles()
    station = Row("dense", 0).payload(1) | {"chargingProfilePurpose": DEFAULT}
    thousand.install(schedule.compile_profile(0, station))
    for connector in range(1, 1001):
        payload = Row("dense", 0, connector).payload(connector + 1)
        payload["chargingSchedule"]["duration"] = 12 * 3600
        thousand.install(schedule.compile_profile(connector, payload))
    many = [calculation(thousand, connector, 1000) for connector in range(1001)]

    def all_of(calculations: list[Callable[[], Any]]) -> Callable[[], Any]:
        return lambda: [calculate() for calculate in calculations]

    fifty_seconds, zero_seconds, many_seconds = minima(all_of(each), calculation(fifty, 0, 50), all_of(many))
    with capsys.disabled():
        print(f"\n50 connectors x 300 profiles: {fifty_seconds * 1e3:.2f} ms, connector 0 {zero_seconds * 1e3:.2f} ms")
        print(f"1,000 connectors x 2 profiles and connector 0: {many_seconds * 1e3:.2f} ms")
        text = "of 50 connectors with 300 profiles each"
        note("schedule.fifty", text, fifty_seconds * 1e3, "ms", at_most=8)
        text = "of 1,000 connectors with two each, connector 0 included"
        note("schedule.thousand", text, many_seconds * 1e3, "ms", at_most=20)
    assert fifty_seconds <= 0.008
    assert many_seconds <= 0.020


def test_limit_at_an_instant(benchmark: Any) -> None:
    """What a station asks at each change: limit and next change of one connector."""
    profiles = installed("mixed", 300)
    transactions = {1: RUNNING}
    benchmark(lambda: schedule.charging_limit(profiles, 1, T0 * 1_000_000 + 5, "A", transactions=transactions))

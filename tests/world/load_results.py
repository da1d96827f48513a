"""Results of load tests that never were, for what is made of results."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import sin
from random import Random
from typing import Any

from hdrh.histogram import HdrHistogram

from ocpp16.load.results import (
    ActionResult,
    ErrorCount,
    ExpectationFailure,
    ExpectationResult,
    Latencies,
    Limit,
    Offender,
    ProcessResult,
    Results,
    Second,
    StageSpan,
    ThresholdResult,
    Transactions,
)

LONGEST = 3_600_000_000


def latencies(seconds: Iterable[float]) -> Latencies:
    """Of calls that took so long."""
    histogram = HdrHistogram(1, LONGEST, 3)
    for one in seconds:
        histogram.record_value(max(round(one * 1e6), 1))
    if not histogram.get_total_count():
        return Latencies()
    found = {name: histogram.get_value_at_percentile(percent) / 1e6 for name, percent in PERCENTILES.items()}
    return Latencies(
        histogram=histogram.encode().decode(),
        min=histogram.get_min_value() / 1e6,
        mean=histogram.get_mean_value() / 1e6,
        max=histogram.get_max_value() / 1e6,
        **found,
    )


PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


def action(due: Sequence[float], *, errors: int = 0, timeouts: int = 0, lost: int = 0) -> ActionResult:
    """Calls that were answered after so many seconds, those by an error among them."""
    made = latencies(due)
    return ActionResult(
        len(due) + timeouts + lost, len(due) - errors, errors, timeouts, lost, made, latencies(one * 0.9 for one in due)
    )


def second(at: float, **changes: Any) -> Second:
    """A quiet one."""
    usual = Second(at, 10, 10, 5, 5, 0, 0, 0, 0, 0.001, 0.01, 0.02, 0.03, 0.05, False)
    return replace(usual, **changes)


def results(**changes: Any) -> Results:
    """A test of three seconds that passed."""
    usual = Results(
        version="1.2.3",
        scenario="boot-storm",
        csms="ws://csms.example/ocpp",
        seed=7,
        speed=1.0,
        began="2026-11-01T10:00:00.000Z",
        ended="2026-11-01T10:00:03.000Z",
        is_complete=True,
        why_ended="done",
        charge_points=10,
        connectors=2,
        processes=(ProcessResult(0, 10, True, "done"),),
        stages=(StageSpan("hold", 0.0, 3.0),),
        seconds=tuple(second(at) for at in (1.0, 2.0, 3.0)),
        actions={"BootNotification": action([0.01] * 9 + [0.5])},
        errors=(),
        offenders=(),
        transactions=Transactions(0, 0),
        thresholds=(),
        expectations=(),
        limit=Limit(False, (), 0.001),
        is_passed=True,
    )
    return replace(usual, **changes)


@cache
def busy_day(length: int = 300, seed: int = 1) -> Results:
    """Results with something of everything: stages, late seconds, errors, offenders, a lost process."""
    random = Random(seed)
    seconds = []
    for at in range(1, length + 1):
        share = at / length
        connected = min(round(1000 * share * 4), 1000) if share < 0.6 else round(1000 * min(abs(share - 0.63) * 8, 1))
        base = 0.004 + 0.003 * sin(share * 20) ** 2 + (0.3 * random.random() if 0.62 < share < 0.7 else 0)
        is_late = 0.64 < share < 0.67 or at == 17
        sent = round(connected * (0.2 + 0.1 * random.random()))
        has_calls = sent > 0 and not 0.4 < share < 0.42
        faults = round(random.random() * 8) if 0.6 < share < 0.72 else 0
        seconds.append(
            second(
                float(at),
                connected=connected,
                registered=round(connected * 0.97),
                sent=sent,
                answered=max(sent - faults, 0),
                errors=faults // 2,
                timeouts=faults // 3,
                lost=faults // 4,
                in_flight=round(sent * base * 3),
                loop_delay=0.4 * random.random() if is_late else 0.002 * random.random(),
                p50=base if has_calls else None,
                p95=base * 2.5 if has_calls else None,
                p99=base * (5 + random.random()) if has_calls else None,
                max=base * (9 + 30 * random.random() ** 4) if has_calls else None,
                is_late=is_late,
            )
        )
    late = tuple(index for index, one in enumerate(seconds) if one.is_late)

    def spread(count: int, middle: float) -> list[float]:
        return [random.lognormvariate(0, 0.5) * middle * (20 if random.random() < 0.01 else 1) for _ in range(count)]

    cuts = [0.0, length * 0.25, length * 0.6, length * 0.72, float(length)]
    names = ("ramp", "hold", "blackout and recovery", "hold again")
    return results(
        seconds=tuple(seconds),
        ended="2026-11-01T10:05:00.000Z",
        charge_points=1000,
        processes=(ProcessResult(0, 500, True, "done"), ProcessResult(1, 500, False, "killed by SIGKILL")),
        is_complete=False,
        why_ended="process lost",
        is_passed=False,
        stages=tuple(StageSpan(name, begin, end) for name, (begin, end) in zip(names, pairwise(cuts), strict=True)),
        actions={
            "BootNotification": action(spread(300, 0.02), errors=3, timeouts=1),
            "Heartbeat": action(spread(800, 0.004), lost=12),
            "MeterValues": action(spread(2000, 0.006), errors=40, timeouts=8, lost=31),
            "StartTransaction": action(spread(300, 0.015), timeouts=2),
            "StatusNotification": action(spread(600, 0.005)),
        },
        errors=(
            ErrorCount("CALLERROR InternalError", "MeterValues", 40),
            ErrorCount("connection lost", "MeterValues", 31),
            ErrorCount("timeout", "MeterValues", 8),
            ErrorCount("handshake 401", "", 5),
        ),
        offenders=tuple(
            Offender(
                f"CP{n:05}",
                9 - n,
                1.5 / (n + 1),
                (
                    f'{n}.120 → [2,"{n}17","MeterValues",{{"connectorId":1,"meterValue":[]}}]',
                    f'{n}.481 ← [4,"{n}17","InternalError","database is locked",{{}}]',
                ),
            )
            for n in range(1, 7)
        ),
        transactions=Transactions(900, 871),
        thresholds=(
            ThresholdResult("BootNotification.p99 < 500ms", 0.061, 0.5, True),
            ThresholdResult("MeterValues.p99 < 10ms", 0.0213, 0.01, False),
            ThresholdResult("errors < 0.1%", 0.0025, 0.001, False),
        ),
        expectations=(
            ExpectationResult("every charge point boots", True, 1000, 1000),
            ExpectationResult(
                "StopTransaction is answered within 10 s",
                False,
                900,
                871,
                tuple(ExpectationFailure(f"CP{n:05}", 100.0 + n, "no answer in 10 s") for n in range(29)),
            ),
        ),
        limit=Limit(True, late, 0.39, "The busiest process used 99 % of its core."),
    )

"""The figures of a load test as a page in a browser is told them: named parts, each of which JSON can say.

Parts: `test`, what it is and how far it is; `now`, the last second; `actions`, `errors`, `verdict`; `seconds/N`, what
is drawn over time, cut by time, so that with each second only the last of them changes, and in a long test the one in
which two entries become one; `latencies/N`, for the same entries p50 and p99 of each action, null where no call of it
ended.

All is made of `Results`, and bounded as they are: at most 200 kinds of errors, of which the first are told, and 1,200
entries of seconds.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Any, Final

from ocpp16.load.results import Results, Second
from ocpp16.load.series import Latencies
from ocpp16.load.words import counted, length, measured, verdict
from ocpp16.texts import shown

CHUNK: Final = 30
"""Seconds of the test in a part; twice, four times … as many where it would be more parts than `MOST_CHUNKS`."""
MOST_CHUNKS: Final = 80
MOST_ERRORS: Final = 20
"""Kinds that are told one by one."""
MOST_FAILURES: Final = 5
"""Of one expectation."""
MOST_NOTES: Final = 20
SERIES: Final = "seconds/"
LATENCIES: Final = "latencies/"
"""How the names of these parts begin."""
COLUMNS: Final = ("at", "span", "connected", "registered", "answered", "in_flight", "p50", "p99", "is_late")
"""Of an entry in `seconds/N`, in this order; answered is a rate, calls in a second."""


def figures(
    results: Results,
    *,
    planned: float | None = None,
    waits_for: str = "",
    latencies: Sequence[Latencies] = (),
) -> dict[str, Any]:
    """The parts. planned: about how many seconds the test is to last. waits_for: what the scenario waits for now.
    latencies: of each second.
    """
    parts: dict[str, Any] = {
        "test": _test(results, planned, waits_for),
        "now": _now(results),
        "actions": [
            {
                "name": shown(name, 80),
                "count": one.count,
                "errors": one.errors,
                "timeouts": one.timeouts,
                "lost": one.lost,
                "p50": one.due.p50,
                "p95": one.due.p95,
                "p99": one.due.p99,
                "max": one.due.max,
            }
            for name, one in results.actions.items()
        ],
        "errors": {
            "kinds": [
                {"kind": shown(one.kind, 200), "action": shown(one.action, 80), "count": one.count}
                for one in results.errors[:MOST_ERRORS]
            ]
            + [
                {
                    "kind": f"against the protocol: {shown(one.rule, 40)}",
                    "action": shown(one.action, 80),
                    "count": one.count,
                }
                for one in results.violations[:MOST_ERRORS]
            ],
            "left_out": sum(one.count for one in results.errors[MOST_ERRORS:])
            + sum(one.count for one in results.violations[MOST_ERRORS:]),
            "attempts": results.attempts.failed,
            "last": shown(results.attempts.last, 200),
        },
        "verdict": _verdict(results),
    }
    for number, chunk in enumerate(_chunks(results.seconds)):
        parts[f"{SERIES}{number}"] = [_entry(second) for second in results.seconds[chunk]]
        parts[f"{LATENCIES}{number}"] = _by_action(latencies[chunk])
    return parts


def _test(results: Results, planned: float | None, waits_for: str) -> dict[str, Any]:
    now = length(results)
    begun = [stage.name for stage in results.stages if stage.begin <= now]
    return {
        "scenario": shown(results.scenario, 80),
        "csms": shown(results.csms, 200),
        "charge_points": results.charge_points,
        "connectors": results.connectors,
        "processes": len(results.processes),
        "speed": results.speed,
        "seconds": now,
        "planned": planned,
        "stage": shown(begun[-1], 80) if begun else "",
        "waits_for": shown(waits_for, 200),
        "state": verdict(results),
        "why": shown(results.why_ended, 200),
    }


def _now(results: Results) -> dict[str, Any]:
    last = results.seconds[-1] if results.seconds else None
    transactions = results.transactions
    return {
        "connected": last.connected if last else 0,
        "registered": last.registered if last else 0,
        "in_flight": last.in_flight if last else 0,
        "rate": _rate(last) if last else 0.0,
        "loop_delay": last.loop_delay if last else None,
        "cpu": last.cpu if last else None,
        "is_late": last.is_late if last else False,
        "worst_loop_delay": results.limit.worst_loop_delay,
        "late": results.limit.why,
        "started": transactions.started,
        "stopped": transactions.stopped,
    }


def _verdict(results: Results) -> dict[str, Any]:
    gone = [one for one in results.processes if not one.is_alive]
    hit = sum(one.charge_points for one in gone)
    lost = [f"{counted(len(gone), 'process', 'processes')} ended early, with {counted(hit, 'charge point')}"]
    return {
        "thresholds": [
            {"text": shown(one.text, 200), "is_met": one.is_met, "why": shown(one.why, 200) or measured(one)}
            for one in results.thresholds
        ],
        "expectations": [
            {
                "name": shown(one.name, 200),
                "is_met": one.is_met,
                "checked": one.checked,
                "met": one.met,
                "is_judged": one.is_judged,
                "failures": [
                    f"{failure.charge_point or 'all together'} at {failure.at:.1f} s: {shown(failure.why, 200)}"
                    for failure in one.failures[:MOST_FAILURES]
                ],
            }
            for one in results.expectations
        ],
        "notes": [
            shown(note, 500)
            for note in (
                *(lost if gone else ()),
                *([results.breach] if results.breach else ()),
                *results.notes[:MOST_NOTES],
            )
        ],
    }


def _rate(second: Second) -> float:
    return round(second.answered / second.span, 1) if second.span else 0.0


def _chunks(seconds: Sequence[Second]) -> list[slice]:
    """Which entries are of which part. Where a part tells of more than `CHUNK` seconds there are always as many, so
    that those of before are emptied."""
    if not seconds:
        return []
    width = CHUNK
    while seconds[-1].at > width * MOST_CHUNKS:
        width *= 2
    count = MOST_CHUNKS if width > CHUNK else ceil(seconds[-1].at / width)
    ends = [bisect_right(seconds, float(number * width), key=lambda second: second.at) for number in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _entry(second: Second) -> list[float | bool | None]:
    """One entry, in the order of `COLUMNS`."""
    return [
        second.at,
        second.span,
        second.connected,
        second.registered,
        _rate(second),
        second.in_flight,
        _short(second.p50),
        _short(second.p99),
        second.is_late,
    ]


def _by_action(latencies: Sequence[Latencies]) -> dict[str, list[tuple[float, float] | None]]:
    names = dict.fromkeys(name for one in latencies for name in one)
    return {shown(name, 80): [one.get(name) for one in latencies] for name in names}


def _short(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def ending(results: Results) -> str:
    """Why a page hears no more, in words."""
    found = verdict(results)
    return f"the test {found}" if found in {"passed", "failed"} else f"the test is not complete: {results.why_ended}"

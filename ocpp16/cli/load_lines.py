"""What a person reads of a load test at its end."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from ocpp16.address import without_credentials
from ocpp16.fleet import ViolationCount
from ocpp16.load.results import ExpectationFailure, Results
from ocpp16.scenario.outcome import Failure
from ocpp16.texts import shown

MOST_TOLD: Final = 10
"""Kinds of errors, and failures of an expectation, that are told at the end."""


def in_lines(results: Results) -> list[str]:
    """What a person reads of it at the end."""
    lasted = results.seconds[-1].at if results.seconds else 0
    csms = without_credentials(results.csms)
    found = [
        f"{results.scenario} against {csms}: {results.charge_points} charge points, {round(lasted, 1):g} s",
        f"{'action':28} {'calls':>8} {'errors':>7} {'p50':>9} {'p95':>9} {'p99':>9} {'max':>9}",
    ]
    for name, action in results.actions.items():
        due = action.due
        times = " ".join(f"{_time(one):>9}" for one in (due.p50, due.p95, due.p99, due.max))
        found.append(f"{name:28} {action.count:8} {action.count - action.results:7} {times}")
    found += [f"error: {one.count} x {shown(one.kind)} {one.action}".rstrip() for one in results.errors[:MOST_TOLD]]
    found += violation_lines(results.violations)
    found += [f"{_met(one.is_met)} {one.text}" + (f" ({one.why})" if one.why else "") for one in results.thresholds]
    for expectation in results.expectations:
        word = _met(expectation.is_met) if expectation.is_judged else "UNSEEN "
        unseen = f", not come to at {expectation.unseen}" if expectation.unseen else ""
        found.append(f"{word} {shown(expectation.name)} ({expectation.met} of {expectation.checked}{unseen})")
        found += failure_lines(expectation.failures, expectation.failed)
    found += [f"note: {shown(note, 500)}" for note in (*results.notes, results.limit.why) if note]
    if results.breach:
        found.append(f"{_met(False)} {results.breach}")
    ended = "" if results.is_complete else f": not complete ({shown(results.why_ended)})"
    return [*found, ("passed" if results.is_passed else "FAILED") + ended]


def failure_lines(failures: Iterable[ExpectationFailure | Failure], failed: int, most: int = MOST_TOLD) -> list[str]:
    """Where and why something was not as expected, `failed` times in all."""
    first = list(islice(failures, most))
    found = [f"        {one.charge_point or 'all together'} at {one.at:.1f} s: {shown(one.why)}" for one in first]
    return [*found, f"        … and {failed - len(first)} more"] if failed > len(first) else found


def violation_lines(violations: Sequence[ViolationCount]) -> list[str]:
    """What a Central System did against the protocol."""
    return [
        f"violation: {one.count} x {shown(one.rule)} {shown(one.action)}".rstrip()
        + (f", {one.mended} of them mended" if one.mended else "")
        + (f" ({shown(one.why)})" if one.why else "")
        for one in violations[:MOST_TOLD]
    ]


def _met(is_met: bool) -> str:
    return "met    " if is_met else "NOT MET"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"

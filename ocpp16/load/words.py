"""Figures of load tests in words, the same in every report."""

from typing import Final

from ocpp16.fleet import by_rule
from ocpp16.load.results import Results, ThresholdResult
from ocpp16.texts import shown

NONE: Final = "–"
"""What was not measured."""


def latency(seconds: float | None) -> str:
    """Three digits, with the unit that suits."""
    if seconds is None:
        return NONE
    if 0 < seconds < 9.95e-5:
        return f"{seconds * 1e6:.3g} µs"
    if seconds < 0.9995:
        milliseconds = seconds * 1000
        return f"{milliseconds:.2f} ms" if milliseconds < 9.995 else f"{milliseconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 99.95 else f"{seconds:,.0f} s"


def mark(seconds: float) -> str:
    """A round latency, as short as can be."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:g} µs"
    return f"{seconds * 1e3:g} ms" if seconds < 1 else f"{seconds:,g} s"


def clock(seconds: float) -> str:
    """Since the test began: 1:05, or 2:01:05 after an hour."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def number(value: float) -> str:
    """With groups of three; of a fraction, what matters."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """1 charge point, 2 charge points."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def in_unit(value: float | None, text: str) -> str:
    """A figure of a threshold, in the unit that its `text` ends with."""
    if value is None:
        return NONE
    if text.rstrip().endswith("%"):
        return f"{value:.3%}"
    return latency(value) if text.rstrip().endswith("s") else number(value)


def measured(threshold: ThresholdResult) -> str:
    """What it was held against."""
    found = in_unit(threshold.value, threshold.text)
    return "nothing was measured" if threshold.value is None else f"measured {found}"


def violations(results: Results, most: int = 5) -> str:
    """Of the protocol, by rule: 12 violations of the protocol: schema 10, answered-twice 2; "" without any."""
    rules = by_rule(results.violations)
    if not rules:
        return ""
    named = ", ".join(f"{shown(rule, 40)} {count:,}" for rule, count in list(rules.items())[:most])
    more = f" and {len(rules) - most} more rules" if len(rules) > most else ""
    return f"{counted(sum(rules.values()), 'violation')} of the protocol: {named}{more}"


def length(results: Results) -> float:
    """Seconds that the test lasted, as far as is known."""
    return max((second.at for second in results.seconds), default=0.0)


def verdict(results: Results) -> str:
    """One word."""
    if results.why_ended == "running":
        return "running"
    if not results.is_complete:
        return "incomplete"
    return "passed" if results.is_passed else "failed"


def summary(results: Results) -> str:
    """What was done, in one sentence."""
    calls = sum(action.count for action in results.actions.values())
    faults = sum(action.errors + action.timeouts + action.lost for action in results.actions.values())
    return (
        f"{counted(results.charge_points, 'charge point')}, {counted(calls, 'call')} in {clock(length(results))}, "
        f"{counted(faults, 'of them without a result', 'of them without a result')}"
    )

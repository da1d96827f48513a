"""Thresholds: what a load test must not exceed, as text, and whether it was met.

    ACTION.MEASURE COMPARATOR VALUE[UNIT]        BootNotification.p99 < 500ms
    ACTION.sent.MEASURE …                        all.sent.max <= 2s
    all.error_rate < 1%
    all.violations.schema == 0

ACTION is an action of OCPP, or `all`. A latency is from when the call was due; with `.sent` from when it was sent.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ocpp16.load import latency
from ocpp16.load.latency import Counts
from ocpp16.load.results import ThresholdResult
from ocpp16.messages.actions import ACTIONS
from ocpp16.rpc.violations import RULES
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown

__all__ = ["Measured", "Threshold", "ThresholdError", "parsed"]

ALL: Final = "all"


class ThresholdError(ValueError):
    """A text that is no threshold. It says what is wrong, and at which character."""


@dataclass(slots=True)
class Measured:
    """Of one action, or of all: calls by their end, latencies, and violations of the protocol by rule. `seconds`: how
    long the test ran."""

    seconds: float
    results: int
    errors: int
    timeouts: int
    lost: int
    due: Counts
    sent: Counts
    violations: Mapping[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.results + self.errors + self.timeouts + self.lost

    @classmethod
    def together(cls, seconds: float, parts: Mapping[str, "Measured"]) -> "Measured":
        """All actions as one."""
        violations: Counter[str] = Counter()
        found = cls(seconds, 0, 0, 0, 0, Counter(), Counter(), violations)
        for part in parts.values():
            found.results += part.results
            found.errors += part.errors
            found.timeouts += part.timeouts
            found.lost += part.lost
            found.due.update(part.due)
            found.sent.update(part.sent)
            violations.update(part.violations)
        return found


_LATENCIES: Final[dict[str, Callable[[Counts], float]]] = {
    "min": lambda counts: min(counts) / 1e6,
    "max": latency.longest,
    "mean": latency.mean,
}
_COUNTS: Final[dict[str, Callable[[Measured], float]]] = {
    "count": lambda measured: measured.count,
    "rate": lambda measured: measured.count / measured.seconds if measured.seconds > 0 else 0.0,
    "errors": lambda measured: measured.errors + measured.timeouts + measured.lost,
    "error_rate": lambda measured: (measured.errors + measured.timeouts + measured.lost) / measured.count,
    "timeouts": lambda measured: measured.timeouts,
}
"""errors: all that got no result, timeouts and lost ones among them."""
_VIOLATIONS: Final = "violations"
"""All of them, or those of the rule behind the dot."""
_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?|100)", re.ASCII)
_COMPARATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": lambda value, limit: value <= limit,
    ">=": lambda value, limit: value >= limit,
    "==": lambda value, limit: value == limit,
    "<": lambda value, limit: value < limit,
    ">": lambda value, limit: value > limit,
}
_BASES: Final = ("due", "sent")
_UNITS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_PATH: Final = re.compile(r"[^\s<>=]*", re.ASCII)
_COMPARED: Final = re.compile(r"\s*(<=|>=|==|<|>)", re.ASCII)
_VALUE: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(\S*)\s*", re.ASCII)
_LONGEST_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Threshold:
    """Made by `parsed`. limit: seconds of a latency, else a number or a share."""

    text: str
    action: str
    measure: str
    is_from_due: bool
    comparator: str
    limit: float

    @property
    def is_of_violations(self) -> bool:
        """Is it about what the Central System does against the protocol?"""
        return self.measure.partition(".")[0] == _VIOLATIONS

    def judged(self, actions: Mapping[str, Measured], together: Measured) -> ThresholdResult:
        """By what was measured. What never happened does not meet a threshold, but for its count and violations."""
        measured = together if self.action == ALL else actions.get(self.action)
        if self.is_of_violations:
            _, _, rule = self.measure.partition(".")
            found = {} if measured is None else measured.violations
            return self._result(float(found.get(rule, 0) if rule else sum(found.values())))
        if measured is None or not measured.count:
            if self.measure == "count":
                return self._result(0.0)
            return ThresholdResult(self.text, None, self.limit, False, f"{self._whose} never happened")
        if self.measure in _COUNTS:
            return self._result(_COUNTS[self.measure](measured))
        counts = measured.due if self.is_from_due else measured.sent
        if not counts:
            return ThresholdResult(self.text, None, self.limit, False, f"{self._whose} was never answered")
        named = _LATENCIES.get(self.measure)
        return self._result(named(counts) if named else latency.percentile(counts, float(self.measure[1:])))

    @property
    def _whose(self) -> str:
        return "a call" if self.action == ALL else self.action

    def _result(self, value: float) -> ThresholdResult:
        is_met = _COMPARATORS[self.comparator](value, self.limit)
        return ThresholdResult(self.text, value, self.limit, is_met, "" if is_met else f"it is {self._shown(value)}")

    def _shown(self, value: float) -> str:
        if self.measure == "error_rate":
            return f"{value:.3%}"
        if self.measure in _COUNTS or self.is_of_violations:
            return f"{value:g}"
        return f"{value * 1000:.3f} ms" if value < 1 else f"{value:.3f} s"


def parsed(text: str) -> Threshold:
    """The threshold of a text. Raises ThresholdError that shows the place."""
    if len(text) > _LONGEST_TEXT:
        raise ThresholdError(f"threshold {shown(text, 64)}: it is longer than {_LONGEST_TEXT} characters")
    begin = len(text) - len(text.lstrip())
    found = _PATH.match(text, begin)
    assert found is not None, "it may be empty"
    action, is_from_due, measure = _measure(text, begin, found[0])
    compared = _COMPARED.match(text, found.end())
    if compared is None:
        raise _error(text, found.end(), f"a comparator is missing: one of {', '.join(_COMPARATORS)}")
    value = _VALUE.fullmatch(text, compared.end())
    if value is None:
        raise _error(text, compared.end(), "a number is missing, as 500ms, 2s, 1% or 100")
    limit = float(value[1]) * _unit(text, value, measure)
    return Threshold(text.strip(), action, measure, is_from_due, compared[1], limit)


def _measure(text: str, begin: int, path: str) -> tuple[str, bool, str]:
    action, dot, rest = path.partition(".")
    if not action or not dot:
        raise _error(text, begin, "write ACTION.MEASURE, as BootNotification.p99 or all.error_rate")
    if action in _BASES:
        raise _error(text, begin, f"{action} stands behind the action, as Heartbeat.{action}.p99")
    if action != ALL and action not in ACTIONS:
        raise _error(text, begin, f"no action {shown(action, 64)}{did_you_mean(action, (ALL, *ACTIONS))}")
    at = begin + len(action) + 1
    basis, dot, measure = rest.partition(".")
    is_from_due = True
    if dot and basis in _BASES:
        is_from_due, rest, at = basis == "due", measure, at + len(basis) + 1
    kind, dot, rule = rest.partition(".")
    if kind == _VIOLATIONS and not dot:
        return action, is_from_due, rest
    if kind == _VIOLATIONS:
        if rule not in RULES:
            why = f"no rule {shown(rule, 64)}{did_you_mean(rule, RULES)}; there are {', '.join(RULES)}"
            raise _error(text, at + len(kind) + 1, why)
        return action, is_from_due, rest
    if rest not in _LATENCIES and rest not in _COUNTS and not _PERCENTILE.fullmatch(rest):
        known = (*_LATENCIES, *_COUNTS, _VIOLATIONS, "p50", "p90", "p95", "p99", "p99.9")
        raise _error(text, at, f"no measure {shown(rest, 64)}{did_you_mean(rest, known)}; there are {', '.join(known)}")
    return action, is_from_due, rest


def _unit(text: str, value: re.Match[str], measure: str) -> float:
    """What the number is multiplied by."""
    unit = value[2].replace("\u03bc", "µ")  # the letter is not the sign, and looks the same
    if measure == "error_rate":
        if unit not in ("", "%"):
            raise _error(text, value.start(2), "an error rate is a share, as 0.01, or has %")
        return 0.01 if unit else 1.0
    if measure in _COUNTS or measure.partition(".")[0] == _VIOLATIONS:
        if unit:
            raise _error(text, value.start(2), f"{measure} is a number without a unit")
        return 1.0
    if unit not in _UNITS:
        raise _error(text, value.start(2), f"a latency needs a unit: one of {', '.join(_UNITS)}")
    return _UNITS[unit]


def _error(text: str, at: int, why: str) -> ThresholdError:
    rest = shown(text[at : at + 20].strip()) or "its end"
    return ThresholdError(f"threshold {shown(text, _LONGEST_TEXT)!r}, at character {at + 1} ({rest}): {why}")

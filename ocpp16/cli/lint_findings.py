"""Findings as `ocpp16 lint` shows them: grouped by rule, the first of each, and how many more there are."""

from collections.abc import Iterator
from typing import Any, Final

from ocpp16.lint import RULES, Finding
from ocpp16.lint.finding import ERROR, WARNING
from ocpp16.texts import shown

EXAMPLES: Final = 5
"""Findings of one rule that are shown."""


class Findings:
    """What was found in a file, of which it keeps the first of each rule."""

    def __init__(self) -> None:
        self._first: dict[str, list[Finding]] = {}
        self.counts: dict[str, int] = {}

    def add(self, finding: Finding) -> None:
        first = self._first.setdefault(finding.rule, [])
        self.counts[finding.rule] = self.counts.get(finding.rule, 0) + 1
        if len(first) < EXAMPLES:
            first.append(finding._replace(frame=None))

    def count(self, severity: str) -> int:
        return sum(count for name, count in self.counts.items() if RULES[name].severity == severity)

    def lines(self) -> Iterator[str]:
        """Errors first, in the order of the table."""
        for severity in (ERROR, WARNING):
            for name, rule in RULES.items():
                if rule.severity == severity and name in self.counts:
                    yield f"{severity} {name}, {rule.clause}: {rule.why}"
                    yield from (f"    {_place(finding)}{finding.text}" for finding in self._first[name])
                    more = self.counts[name] - len(self._first[name])
                    if more:
                        yield f"    and {more:,} more like these"


def _place(finding: Finding) -> str:
    where = (f"line {finding.line}" if finding.line else "", shown(finding.charge_point, 60), finding.side)
    return ", ".join(part for part in where if part) + ": "


def sayable(text: str) -> str:
    """As JSON can say it: a name of a file, or an option, may be no UTF-8."""
    return text.encode(errors="replace").decode()


def finding_object(finding: Finding) -> dict[str, Any]:
    """For JSON."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "side": finding.side,
        "charge_point": sayable(finding.charge_point),
        "line": finding.line,
        "text": finding.text,
    }


def rule_lines() -> Iterator[str]:
    """The table of rules, for people."""
    widths = [max(len(rule[column]) for rule in RULES.values()) for column in range(3)]
    for rule in RULES.values():
        yield "  ".join([*(rule[column].ljust(widths[column]) for column in range(3)), rule.why])

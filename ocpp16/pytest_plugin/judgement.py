"""What is wrong in the traffic of one fleet: what the linter finds, on either side, and faults of ours.

Errors of the Central System are what a test is for. Those of the charge point would be faults of this library, so they
fail a test as well: nobody should look for them in the Central System.
"""

from collections.abc import Collection
from typing import Final

import pytest

from ocpp16.lint import (
    FROM_CENTRAL_SYSTEM,
    FROM_CHARGE_POINT,
    RULES,
    Finding,
    Frame,
    Linter,
    connected,
    disconnected,
    frame_of,
)
from ocpp16.message_log.record import SENT, Kind, Record
from ocpp16.message_log.words import time_text
from ocpp16.pytest_plugin.fleets import Fleet
from ocpp16.pytest_plugin.seen import CONNECTED
from ocpp16.pytest_plugin.telling import lines_of
from ocpp16.pytest_plugin.watch import Watch
from ocpp16.spelling import did_you_mean

MOST_KEPT: Final = 200
"""Findings of a fleet that are remembered for reports."""


class Judgement:
    """Goes on from where it was when last asked; all of it in the thread of the tests."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._linter = Linter()
        self._judged: dict[Watch, int] = {}
        """Records that the linter has had."""
        self._faults: dict[Watch, int] = {}
        self.told: list[str] = []
        """All that was found in the present test, also what fails none."""

    def problems(self, level: str, ignored: Collection[str], *, is_over: bool) -> list[str]:
        """What is new and fails a test, as sentences. level: "error", "warning" or "off"; is_over: nothing comes any
        more. Raises pytest.UsageError for a rule to be ignored that does not exist."""
        for name in ignored:
            if name not in RULES:
                raise pytest.UsageError(f"lint_ignore: there is no rule {name!r}{did_you_mean(name, RULES)}")
        found: list[str] = []
        for watch in self._fleet.watches():
            found += [f"{watch.identity}: a fault in the charge point itself: {fault}" for fault in self._new(watch)]
            for record in self._fleet.look(watch.seen.records_from, self._judged.get(watch, 0)):
                self._judged[watch] = record.sequence + 1
                findings = self._linter.take(_frame(watch.identity, record))
                found += self._weighed(findings, level, ignored, watch, record)
            if is_over:
                findings = self._linter.take(disconnected(watch.identity))
                found += self._weighed(findings, level, ignored, watch, None)
        if is_over:
            found += self._weighed(self._linter.end(), level, ignored, None, None)
        return found

    def begin(self) -> None:
        """Another test. Of charge points that were removed, and judged to the end, nothing is kept."""
        self.told.clear()
        for watch in self._fleet.removed():
            if self._judged.get(watch, 0) >= watch.seen.count:
                self._fleet.forget(watch)
                self._judged.pop(watch, None)
                self._faults.pop(watch, None)

    def _new(self, watch: Watch) -> list[str]:
        faults = self._fleet.look(list, watch.faults)
        first, self._faults[watch] = self._faults.get(watch, 0), len(faults)
        return list(faults[first:])

    def _weighed(
        self, findings: list[Finding], level: str, ignored: Collection[str], watch: Watch | None, record: Record | None
    ) -> list[str]:
        failing = []
        for finding in findings:
            if level == "off" or finding.rule in ignored:
                continue
            seen = record
            if watch is not None and finding.line and (record is None or finding.line != record.sequence + 1):
                seen = next(iter(self._fleet.look(watch.seen.records_from, finding.line - 1)), None)
            text = _sentence(finding, seen)
            if len(self.told) < MOST_KEPT:
                self.told.append(text)
            if finding.severity == "error" or level == "warning":
                failing.append(text)
        return failing


def _frame(identity: str, record: Record) -> Frame:
    if record.kind is Kind.EVENT:
        return (connected if record.text == CONNECTED else disconnected)(identity, timestamp=time_text(record.at))
    direction = FROM_CHARGE_POINT if record.direction == SENT else FROM_CENTRAL_SYSTEM
    return frame_of(
        record.text,
        direction,
        charge_point=identity,
        line=record.sequence + 1,
        timestamp=time_text(record.at),
        action=record.action,
    )


def _sentence(finding: Finding, record: Record | None) -> str:
    rule = RULES[finding.rule]
    who = "the Central System" if finding.side == "central system" else "the charge point"
    told = f"{finding.charge_point}: {finding.severity} of {who}, rule {rule.name} ({rule.clause}): {finding.text}"
    return told + (f"\n    {lines_of([record])[0]}" if record is not None else "")

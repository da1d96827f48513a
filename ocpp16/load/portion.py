"""What one process of a load test tells each second: everything since it told the last time.

Rules of this file:
1. Portions of many processes and seconds add up; only offenders are told anew as they stand.
2. A portion is JSON on the way from a child, and is checked by the types of its fields where it comes in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocpp16.load.documents import document, read
from ocpp16.load.results import Attempts, ErrorCount, Offender, ViolationCount

__all__ = ["ActionPortion", "Portion", "Standing"]


@dataclass(frozen=True, slots=True)
class ActionPortion:
    """Of one action. due, sent: pairs of a latency in microseconds (`latency.place`) and how many had it, one after the
    other: from when the call was due, and from when it was sent."""

    results: int = 0
    errors: int = 0
    timeouts: int = 0
    lost: int = 0
    due: tuple[int, ...] = ()
    sent: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        return self.results + self.errors + self.timeouts + self.lost


@dataclass(frozen=True, slots=True)
class Standing:
    """How a process stands at the end of the second. open_calls: sent, and not over. waiting:
    what the scenario waits for, in words."""

    stage: str = ""
    connected: int = 0
    registered: int = 0
    charge_points: int = 0
    open_calls: int = 0
    waiting: str = ""


@dataclass(frozen=True, slots=True)
class Portion:
    """second: its number in this process, from 1; ended: of the last of all, seconds since the begin at which it was
    cut short. sent: CALLs written. loop_delay: real seconds that a task woke up too late, or that a charge point waited
    for its turn, at worst. cpu: share of a core that the process took. offenders: those that fared worst so far, None
    where they are not told this time. due_calls: calls of an open model that were due; missed_calls: those among them
    that fell in times in which nobody was there to answer. attempts: to connect that failed. violations: of the
    protocol."""

    second: int
    standing: Standing
    sent: int = 0
    loop_delay: float = 0.0
    cpu: float = 0.0
    actions: Mapping[str, ActionPortion] = field(default_factory=dict)
    errors: tuple[ErrorCount, ...] = ()
    offenders: tuple[Offender, ...] | None = None
    due_calls: int = 0
    missed_calls: int = 0
    attempts: Attempts = field(default_factory=Attempts)
    violations: tuple[ViolationCount, ...] = ()
    ended: float | None = None

    def to_json(self) -> Any:
        """As a child tells it."""
        return document(self)

    @classmethod
    def from_json(cls, value: object) -> "Portion":
        """Raises DocumentError that names the member that is wrong."""
        return read(cls, value)

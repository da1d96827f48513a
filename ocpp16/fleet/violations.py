"""What a Central System did against the protocol, added up over all charge points, and what a verdict makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ocpp16.messages.actions import ACTIONS
from ocpp16.rpc.violations import MILD, ProtocolViolation

MOST_KINDS: Final = 200
"""Rules with an action; beyond that actions that OCPP does not know are told together."""


@dataclass(frozen=True, slots=True)
class ViolationCount:
    """Messages of one kind. rule, action: as of `ProtocolViolation`. mended: how many of them the charge points have
    used all the same. why: of the first."""

    rule: str
    action: str
    count: int
    mended: int = 0
    why: str = ""

    @property
    def is_grave(self) -> bool:
        """Is it an error, and not a warning, to `ocpp16 lint`?"""
        return self.rule not in MILD


class ViolationTally:
    """A bounded sum of them; a listener of a fleet."""

    def __init__(self, counts: Iterable[ViolationCount] = ()) -> None:
        self._counts: dict[tuple[str, str], ViolationCount] = {}
        self.add_all(counts)

    def __call__(self, violation: ProtocolViolation) -> None:
        """As `ViolationListener`."""
        self._add(violation.rule, violation.action, 1, int(violation.is_mended), violation.why)

    def add_all(self, counts: Iterable[ViolationCount]) -> None:
        """Those of another one."""
        for one in counts:
            self._add(one.rule, one.action, one.count, one.mended, one.why)

    def _add(self, rule: str, action: str, count: int, mended: int, why: str) -> None:
        key = (rule, action)
        if key not in self._counts and len(self._counts) >= MOST_KINDS and action not in ACTIONS:
            key = (rule, "")
        known = self._counts.get(key, ViolationCount(*key, 0, 0, why))
        self._counts[key] = ViolationCount(*key, known.count + count, known.mended + mended, known.why)

    def counts(self) -> tuple[ViolationCount, ...]:
        """The most frequent first."""
        return tuple(sorted(self._counts.values(), key=lambda one: (-one.count, one.rule, one.action)))


def by_rule(counts: Iterable[ViolationCount]) -> dict[str, int]:
    """How many of each rule, the most frequent first."""
    found: dict[str, int] = {}
    for one in counts:
        found[one.rule] = found.get(one.rule, 0) + one.count
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def breach(counts: Iterable[ViolationCount]) -> str:
    """What of these alone lets a test fail, in words; "" if nothing does."""
    rules = by_rule(one for one in counts if one.is_grave)
    if not rules:
        return ""
    total = sum(rules.values())
    named = ", ".join(f"{rule} {count:,}" for rule, count in rules.items())
    return f"the Central System broke the protocol {'once' if total == 1 else f'{total:,} times'} ({named})"

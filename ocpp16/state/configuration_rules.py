"""Rules between configuration keys: what one key allows another.

They hold for a change over OCPP and for the overlay, which is ignored where it breaks one. For the main file a rule is
`firm` if a charge point cannot work with what it says; the others only give a warning there, because other charge
point software reads the same files and does not enforce them.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from ocpp16.state.key import Key
from ocpp16.state.keys import BY_NAME
from ocpp16.state.keys.core import CONNECTOR_PHASE_ROTATION, NUMBER_OF_CONNECTORS, SUPPORTED_FEATURE_PROFILES

Get = Callable[[Key[Any]], Any]


class Rule(NamedTuple):
    """`reason(get)` says why `key` does not go with `other`, or "" if it does."""

    key: Key[Any]
    other: Key[Any] | None
    is_firm: bool
    reason: Callable[[Get], str]


class Violation(NamedTuple):
    rule: Rule
    reason: str


def violations(get: Get, touching: Iterable[Key[Any]] | None = None) -> Iterator[Violation]:
    """Broken rules, of all or of those that involve one of the keys `touching`."""
    keys = None if touching is None else set(touching)
    for rule in RULES:
        if keys is None or rule.key in keys or rule.other in keys:
            reason = rule.reason(get)
            if reason:
                yield Violation(rule, reason)


def _subset(key: Key[Any], allowed: Key[Any]) -> Rule:
    def reason(get: Get) -> str:
        missing = [item for item in get(key) or () if item not in (get(allowed) or ())]
        return f"{missing[0]} is not in {allowed.name}" if missing else ""

    return Rule(key, allowed, True, reason)


def _limited(key: Key[Any], limit: Key[Any]) -> Rule:
    def reason(get: Get) -> str:
        most, items = get(limit), get(key) or ()
        return f"has {len(items)} items, {limit.name} is {most}" if most is not None and len(items) > most else ""

    return Rule(key, limit, False, reason)


def _rotations(get: Get) -> str:
    connectors = [int(item.partition(".")[0]) for item in get(CONNECTOR_PHASE_ROTATION) or ()]
    highest = get(NUMBER_OF_CONNECTORS)
    wrong = [connector for connector in connectors if connector > highest]
    return f"names connector {wrong[0]}, {NUMBER_OF_CONNECTORS.name} is {highest}" if wrong else ""


def _core_listed(get: Get) -> str:
    return "" if "Core" in get(SUPPORTED_FEATURE_PROFILES) else "must name Core"


def _rules() -> Iterator[Rule]:
    for key in BY_NAME.values():
        if key.subset_of is not None:
            yield _subset(key, BY_NAME[key.subset_of.lower()])
        if key.limited_by is not None:
            yield _limited(key, BY_NAME[key.limited_by.lower()])
    yield Rule(CONNECTOR_PHASE_ROTATION, NUMBER_OF_CONNECTORS, False, _rotations)
    yield Rule(SUPPORTED_FEATURE_PROFILES, None, True, _core_listed)


RULES: Final = tuple(_rules())

"""Rules between configuration keys: what one key allows another.

They hold for a change over OCPP and for the overlay, which is ignored where it breaks one. For the main file a rule is
`firm` if a charge point cannot work with what it says; the others only give a warning there, because other charge
point software reads the same files and does not enforce them. A rule `of_the_whole` asks for something that any of the
layers may bring, as the password does that lies in a file of its own: it is judged when all of them are there.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from ocpp16.address import scheme_problem, user_name_problem
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import BY_NAME
from ocpp16.configuration.keys.core import CONNECTOR_PHASE_ROTATION, NUMBER_OF_CONNECTORS, SUPPORTED_FEATURE_PROFILES
from ocpp16.configuration.keys.internal import (
    CENTRAL_SYSTEM_URI,
    CHARGE_POINT_ID,
    ENABLE_TLS_KEYLOG,
    FALLBACK_CENTRAL_SYSTEMS,
    TLS_KEYLOG_FILE,
)
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY, SECURITY_PROFILE
from ocpp16.texts import shown

Get = Callable[[Key[Any]], Any]


class Rule(NamedTuple):
    """`reason(get)` says why `key` does not go with the others, or "" if it does."""

    key: Key[Any]
    others: tuple[Key[Any], ...]
    is_firm: bool
    reason: Callable[[Get], str]
    is_of_the_whole: bool = False

    @property
    def keys(self) -> tuple[Key[Any], ...]:
        return (self.key, *self.others)


class Violation(NamedTuple):
    rule: Rule
    reason: str


def violations(get: Get, touching: Key[Any] | None = None) -> Iterator[Violation]:
    """Broken rules, of all or of those that involve the key `touching`."""
    return broken(get, RULES if touching is None else [RULES[place] for place in _PLACES.get(touching, ())])


def rules_of(keys: Iterable[Key[Any]]) -> list[Rule]:
    """Those that may be broken where these keys alone have other values than their defaults."""
    touched = {place for key in keys for place in _PLACES.get(key, ())}
    return [RULES[place] for place in sorted(touched)]


def broken(get: Get, rules: Iterable[Rule]) -> Iterator[Violation]:
    for rule in rules:
        reason = rule.reason(get)
        if reason:
            yield Violation(rule, reason)


def _subset(key: Key[Any], allowed: Key[Any]) -> Rule:
    def reason(get: Get) -> str:
        missing = [item for item in get(key) or () if item not in (get(allowed) or ())]
        return f"{shown(missing[0])} is not in {allowed.name}" if missing else ""

    return Rule(key, (allowed,), True, reason)


def _limited(key: Key[Any], limit: Key[Any]) -> Rule:
    def reason(get: Get) -> str:
        most, items = get(limit), get(key) or ()
        return f"has {len(items)} items, {limit.name} is {most}" if most is not None and len(items) > most else ""

    return Rule(key, (limit,), False, reason)


def _rotations(get: Get) -> str:
    connectors = [int(item.partition(".")[0]) for item in get(CONNECTOR_PHASE_ROTATION) or ()]
    highest = get(NUMBER_OF_CONNECTORS)
    wrong = [connector for connector in connectors if connector > highest]
    return f"names connector {wrong[0]}, {NUMBER_OF_CONNECTORS.name} is {highest}" if wrong else ""


def _core_listed(get: Get) -> str:
    return "" if "Core" in get(SUPPORTED_FEATURE_PROFILES) else "must name Core"


def _scheme(get: Get) -> str:
    return scheme_problem(get(CENTRAL_SYSTEM_URI) or "", get(SECURITY_PROFILE))


def _other_schemes(get: Get) -> str:
    found = [scheme_problem(uri, get(SECURITY_PROFILE)) for uri in get(FALLBACK_CENTRAL_SYSTEMS)]
    return next(filter(None, found), "")


def _user_name(get: Get) -> str:
    return user_name_problem(get(CHARGE_POINT_ID) or "", get(SECURITY_PROFILE))


def _password(get: Get) -> str:
    return "needs an AuthorizationKey" if get(SECURITY_PROFILE) in {1, 2} and get(AUTHORIZATION_KEY) is None else ""


def _keylog_file(get: Get) -> str:
    return "needs TLSKeylogFile" if get(ENABLE_TLS_KEYLOG) and get(TLS_KEYLOG_FILE) is None else ""


def _rules() -> Iterator[Rule]:
    for key in BY_NAME.values():
        if key.subset_of is not None:
            yield _subset(key, BY_NAME[key.subset_of.lower()])
        if key.limited_by is not None:
            yield _limited(key, BY_NAME[key.limited_by.lower()])
    yield Rule(CONNECTOR_PHASE_ROTATION, (NUMBER_OF_CONNECTORS,), False, _rotations)
    yield Rule(SUPPORTED_FEATURE_PROFILES, (), True, _core_listed)
    yield Rule(CENTRAL_SYSTEM_URI, (SECURITY_PROFILE,), True, _scheme)
    yield Rule(FALLBACK_CENTRAL_SYSTEMS, (SECURITY_PROFILE,), True, _other_schemes)
    yield Rule(CHARGE_POINT_ID, (SECURITY_PROFILE,), True, _user_name)
    yield Rule(SECURITY_PROFILE, (AUTHORIZATION_KEY,), True, _password, is_of_the_whole=True)
    yield Rule(ENABLE_TLS_KEYLOG, (TLS_KEYLOG_FILE,), True, _keylog_file)


RULES: Final = tuple(_rules())
_PLACES: Final[dict[Key[Any], list[int]]] = {
    key: [place for place, rule in enumerate(RULES) if key in rule.keys] for rule in RULES for key in rule.keys
}
"""Key → where the rules are that it is in."""
RULES_OF_THE_WHOLE: Final = tuple(rule for rule in RULES if rule.is_of_the_whole)

"""Rules between keys are asked of those keys only that a configuration gives other values than their defaults."""

from typing import Any

from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import core, security
from ocpp16.configuration.rules import RULES, rules_of


def test_defaults_alone_break_no_rule() -> None:
    assert [rule for rule in RULES if rule.reason(lambda key: key.default)] == []


def test_each_rule_is_asked_for_any_of_its_keys() -> None:
    for rule in RULES:
        for key in rule.keys:
            assert rule in rules_of([key])


def test_rules_of_other_keys_are_not_asked_and_the_order_stays() -> None:
    assert rules_of([core.HEARTBEAT_INTERVAL]) == []
    keys: list[Key[Any]] = [security.SECURITY_PROFILE, core.CONNECTOR_PHASE_ROTATION, core.SUPPORTED_FEATURE_PROFILES]
    assert rules_of(keys) == [rule for rule in RULES if set(rule.keys) & set(keys)]

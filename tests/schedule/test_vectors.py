"""The vectors: what a composite schedule must be, one case for each rule and each doubt."""

import json
from pathlib import Path
from typing import Any

import pytest
from oracle import Oracle, Situation, is_close, seconds

from ocpp16.cli.schedule.file import ScenarioFile
from ocpp16.cli.schedule.scenario import differences

DOCUMENT = json.loads((Path(__file__).parent / "vectors.json").read_text())
VECTORS = {vector["name"]: vector for vector in DOCUMENT["vectors"]}
FILE = ScenarioFile.read(Path(__file__).parent / "vectors.json")
SCENARIOS = {name: FILE.scenario(name) for name in FILE.documents}


def test_there_are_vectors() -> None:
    assert len(SCENARIOS) == len(VECTORS) == 70


@pytest.mark.parametrize("name", VECTORS)
def test_library(name: str) -> None:
    scenario = SCENARIOS[name]
    assert differences(VECTORS[name]["expected"], scenario.result()) == []


@pytest.mark.parametrize("name", VECTORS)
def test_limit_at_each_period(name: str) -> None:
    """The limit at an instant says the same, and leads from one period to the next."""
    scenario = SCENARIOS[name]
    periods = VECTORS[name]["expected"]["periods"]
    is_any_idle = len(scenario.transactions) < scenario.number_of_connectors
    is_moving = is_any_idle and any(profile.kind == "Relative" for profile in scenario.profiles)
    for number, period in enumerate(periods if not is_moving else periods[:1]):
        limit = scenario.charging_limit(scenario.start + period["startPeriod"] * 1_000_000)
        assert is_close(limit.limit, period["limit"])
        assert limit.number_phases == period["numberPhases"]
        if number + 1 < len(periods):
            until = scenario.start + periods[number + 1]["startPeriod"] * 1_000_000
            assert limit.until_micros is not None
            assert limit.until_micros <= until


@pytest.mark.parametrize("name", VECTORS)
def test_oracle(name: str) -> None:
    """The oracle agrees too, at both ends of each period."""
    vector = VECTORS[name]
    situation = situation_of(vector)
    oracle = Oracle(situation)
    periods = vector["expected"]["periods"]
    ends = [period["startPeriod"] for period in periods[1:]] + [max(vector["expected"]["duration"], 1)]
    for period, end in zip(periods, ends, strict=True):
        for offset in (period["startPeriod"], end - 1):
            limit, phases, _, _ = oracle.value(situation.start + offset)
            assert is_close(limit, period["limit"])
            assert phases == period["numberPhases"]


def situation_of(vector: dict[str, Any]) -> Situation:
    config = {**DOCUMENT["config_defaults"], **vector.get("config", {})}
    transactions = {
        int(connector): (seconds(transaction["start"]), transaction.get("transactionId", 1))
        for connector, transaction in vector.get("transactions", {}).items()
    }
    if vector["transaction"] is not None:
        transactions[vector["connector"]] = (seconds(vector["transaction"]), vector.get("transactionId", 1))
    return Situation(
        profiles=[(request["connectorId"], request["csChargingProfiles"]) for request in vector["profiles"]],
        connector=vector["connector"],
        start=seconds(vector["request"]["start"]),
        duration=vector["request"]["duration"],
        unit=vector["request"]["unit"],
        connectors=config["NumberOfConnectors"],
        transactions=transactions,
        ignored=() if vector.get("online", True) else tuple(config["IgnoredProfilePurposesOffline"].split(",")),
        defaults={"A": config["CompositeScheduleDefaultLimitAmps"], "W": config["CompositeScheduleDefaultLimitWatts"]},
        phases=config["CompositeScheduleDefaultNumberPhases"],
        voltage=config["SupplyVoltage"],
    )

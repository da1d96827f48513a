"""Scenarios: what drivers and networks do to a fleet, and what is expected of the Central System, as data.

`load_scenario` reads one, ready made or from a file; `run_scenario` plays it, and its `Outcome` is the verdict.
"""

from ocpp16.scenario.loading import READY_MADE, load_scenario, scenario_from, text_of
from ocpp16.scenario.model import Drivers, Expectation, Scenario, Stage, Step
from ocpp16.scenario.outcome import ExpectationResult, Failure, Outcome, Progress, StageRun
from ocpp16.scenario.problems import ScenarioError
from ocpp16.scenario.running import run_scenario

__all__ = [
    "READY_MADE",
    "Drivers",
    "Expectation",
    "ExpectationResult",
    "Failure",
    "Outcome",
    "Progress",
    "Scenario",
    "ScenarioError",
    "Stage",
    "StageRun",
    "Step",
    "load_scenario",
    "run_scenario",
    "scenario_from",
    "text_of",
]

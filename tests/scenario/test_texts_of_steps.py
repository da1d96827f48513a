"""Texts that a step gives to a command: the number of the charge point, and whatever else stands in braces."""

from typing import Any

import pytest

from ocpp16.scenario import Outcome, Scenario, ScenarioError, scenario_from
from ocpp16.simulation import SimulatedStation
from ocpp16.testing import CentralSystem


def of_steps(*steps: dict[str, Any]) -> Scenario:
    return scenario_from({"step": [{"do": "wait_registered"}, *steps]})


async def test_other_words_in_braces_stay(csms: CentralSystem, play: Any) -> None:
    data = ('{"n": {number}, "x": 1}', "{number:03} of {other}", "{{number}}", "{} {0} {numbers} {")
    outcome: Outcome = await play(
        of_steps(*({"do": "data_transfer", "vendor_id": "V", "data": one} for one in data)), csms, 2
    )
    assert outcome.is_passed
    told = [call.payload["data"] for call in csms.calls("DataTransfer") if call.identity == "CP002"]
    assert told == ['{"n": 2, "x": 1}', "002 of {other}", "{2}", "{} {0} {numbers} {"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A{number:q}", "{number:q} is no format: "),
        ("A{number:0999999999}", "{number:0999999999} has a width of more than 99"),
    ],
)
def test_a_number_in_no_format_is_refused(text: str, why: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        of_steps({"do": "data_transfer", "vendor_id": text})
    assert str(raised.value).startswith(f"scenario: [[step]] 2: {why}")


def test_unknown_cards_are_looked_at_up_to_the_last() -> None:
    pattern = "NOBODY-KNOWS-IT-{number}"
    drivers = {"arrivals": {"kind": "every", "seconds": 9}, "unknown_cards": pattern}
    assert scenario_from({"drivers": [drivers]}).drivers[0].unknown_cards == pattern
    with pytest.raises(ScenarioError, match="an id tag has 1 to 20 characters, and not NOBODY-KNOWS-IT-9999-"):
        scenario_from({"drivers": [{**drivers, "unknown_cards": f"{pattern}-"}]})


async def test_a_step_that_breaks_ends_one_script_only(
    csms: CentralSystem, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebooted: list[SimulatedStation] = []

    def breaks_once(station: SimulatedStation, *arguments: Any) -> None:
        rebooted.append(station)
        if len(rebooted) == 1:
            raise KeyError("other")

    monkeypatch.setattr(SimulatedStation, "reboot", breaks_once)
    outcome: Outcome = await play(of_steps({"do": "reset"}, {"do": "wait_answered"}), csms, 3)
    assert len(rebooted) == 3
    found = {one.name: one for one in outcome.expectations}
    assert [failure.why for failure in found["step 2: reset"].failures] == ["KeyError: 'other'"]
    assert (found["step 3: wait_answered"].met, found["step 3: wait_answered"].checked) == (2, 2)

"""What a script can look back on: all since the last step that did something, or it says that there was more."""

from typing import Any

import pytest

from ocpp16.scenario import Outcome, Scenario, exchanges, scenario_from
from ocpp16.testing import CentralSystem

SAMPLES = {"Core": {"MeterValueSampleInterval": 1}}


def charging(seconds: float, *steps: dict[str, Any]) -> Scenario:
    """A session for so long, and what is asked for then."""
    begin = [
        {"do": "wait_registered"},
        {"do": "plug_in", "connector": 1},
        {"do": "present_id_tag", "id_tag": "TAG1"},
        {"do": "sleep", "seconds": seconds},
    ]
    return scenario_from({"fleet": {"keys": SAMPLES}, "step": [*begin, *steps]})


async def test_what_others_say_does_not_push_it_out(csms: CentralSystem, play: Any) -> None:
    started = {"do": "wait_sent", "action": "StartTransaction", "payload": {"idTag": "TAG1"}}
    outcome: Outcome = await play(charging(200, started), csms)
    assert len(csms.calls("MeterValues")) > 150
    assert outcome.is_passed
    absent = {"do": "never", "action": "StartTransaction", "seconds": 1}
    outcome = await play(charging(200, absent), csms)
    assert outcome.expectations[-1].failures[0].why == "there was StartTransaction"


async def test_of_too_many_it_says_so(
    csms: CentralSystem, play: Any, whys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "MOST_KEPT", 4)
    other = {"action": "MeterValues", "payload": {"connectorId": 2}}
    outcome: Outcome = await play(charging(10, {"do": "wait_sent", "within": 0.5, **other}), csms)
    (why,) = whys(outcome)["step 5: wait_sent MeterValues"]
    assert why.endswith("; there were more than 128, of which the last were looked at")
    outcome = await play(charging(10, {"do": "never", "seconds": 0.5, **other}), csms)
    assert whys(outcome) == {
        "step 5: never MeterValues": [
            "nobody knows: of MeterValues, there were more than 128, of which the last were looked at"
        ]
    }
    few: Outcome = await play(charging(1.5, {"do": "never", "seconds": 0.2, **other}), csms)
    assert few.is_passed

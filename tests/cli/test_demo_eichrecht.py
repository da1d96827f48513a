"""The story of what is signed: it is told to the end, and it notices what cannot be proved."""

from typing import Any

import pytest
import trio
import trio.testing
from story_told import tell

from ocpp16.cli.stories.eichrecht import Eichrecht
from ocpp16.simulation import SimulatedStation
from ocpp16.testing import CallErrorAnswer, CentralSystem


async def told(
    connectors: int, station: SimulatedStation | None = None, **answers: Any
) -> tuple[list[str], list[str], str]:
    """Sentences, problems and the result. `answers`: of the Central System, in place of its own."""
    sentences: list[str] = []
    async with CentralSystem() as csms:
        with Eichrecht(csms, sentences.append, patience=300.0) as story:
            csms.answers.update(answers)
            await tell(story, csms, connectors, station)
            return sentences, story.problems(connectors), story.result(connectors)


async def test_all_goes_well(autojump_clock: trio.testing.MockClock) -> None:
    sentences, problems, result = await told(3)
    assert problems == []
    for connector in (1, 2, 3):
        said = [sentence for sentence in sentences if sentence.startswith(f"connector {connector}: ")]
        assert any("the public key of its meter is 3059" in sentence for sentence in said)
        assert any('signed was OCMF|{"FV":' in sentence for sentence in said)
        assert any(sentence.endswith(f" Wh for CARD-{connector}") for sentence in said)
        assert said[-1].endswith("with one more digit in it: the signature is not that of this text by this key")
    assert result.count(" Wh") == 3


@pytest.mark.parametrize(
    ("station", "answers", "problem"),
    [
        (SimulatedStation(meter_interval=0), {}, "connector 1: its meter has no public key"),
        (None, {"StartTransaction": CallErrorAnswer("InternalError", "")}, "connector 1: "),
        (None, {"Authorize": {"idTagInfo": {"status": "Blocked"}}}, "connector 1: no transaction began"),
    ],
)
async def test_what_goes_wrong_is_told(
    autojump_clock: trio.testing.MockClock, station: SimulatedStation | None, answers: dict[str, Any], problem: str
) -> None:
    _, problems, _ = await told(1, station, **answers)
    assert any(one.startswith(problem) for one in problems), problems

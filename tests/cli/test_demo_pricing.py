"""The story of prices, told over memory streams on the virtual clock."""

from typing import Any

from story_told import tell

from ocpp16.cli.stories import STORIES
from ocpp16.cli.stories.pricing import Pricing
from ocpp16.testing import CentralSystem


async def told(csms: CentralSystem) -> tuple[Pricing, list[str]]:
    sentences: list[str] = []
    with Pricing(csms, sentences.append, 300.0) as story:
        if csms.answers.pop("nobody prices", None) is not None:
            csms.answers.clear()
        await tell(story, csms, 2)
    return story, sentences


async def test_all_goes_well(autojump_clock: Any) -> None:
    assert STORIES["pricing"] is Pricing
    async with CentralSystem() as csms:
        story, sentences = await told(csms)
        assert story.problems(2) == []
        assert story.result(2).startswith("2 drivers paid EUR ")
        assert sum("the driver reads" in sentence for sentence in sentences) == 6
        assert any("https://pay.example/" in sentence for sentence in sentences)
        assert "EUR 0.60 a kWh" in sentences[0]


async def test_without_prices_it_says_so(autojump_clock: Any) -> None:
    async with CentralSystem() as csms:
        csms.answers["nobody prices"] = {}
        story, _ = await told(csms)
        assert any("displayed were no costs" in problem for problem in story.problems(2))

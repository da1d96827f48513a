"""The story of prices, told over memory streams on the virtual clock."""

from typing import Any

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.demo import configuration
from ocpp16.cli.stories import STORIES
from ocpp16.cli.stories.pricing import Pricing
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import Operation
from ocpp16.testing import CentralSystem


class Listening:
    def __init__(self, story: Pricing) -> None:
        self._story = story

    async def notify(self, event: ObserverEvent) -> None:
        self._story.notice(event)


async def told(csms: CentralSystem) -> tuple[Pricing, list[str]]:
    sentences: list[str] = []
    with Pricing(csms, sentences.append, 300.0) as story:
        if csms.answers.pop("nobody prices", None) is not None:
            csms.answers.clear()
        station = story.station()
        keys = configuration(9, 2, story.keys())
        async with open_charge_point(
            keys, station, connector=csms.connector, observer=Listening(story), anchor=1_767_225_600, seed=1
        ) as charge_point:
            station.attach(charge_point)
            operation = Operation(station, charge_point)
            await operation.start()
            await story.run(charge_point, station)
            await operation.stop()
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

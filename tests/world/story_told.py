"""A story of the demonstration, told over a memory stream on the clock of the test."""

import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.demo import configuration
from ocpp16.cli.stories import Story
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import Operation, SimulatedStation
from ocpp16.testing import CentralSystem


class Listening:
    """An observer that only hands on to a story."""

    def __init__(self, story: Story) -> None:
        self._story = story

    async def notify(self, event: ObserverEvent) -> None:
        self._story.notice(event)


async def tell(
    story: Story,
    csms: CentralSystem,
    connectors: int,
    station: SimulatedStation | None = None,
    anchor: float = 1_767_225_600,
) -> None:
    """From the start of the charge point to its stop. `station`: in place of that of the story."""
    working = station or story.station()
    async with open_charge_point(
        configuration(9, connectors, story.keys()),
        working,
        connector=csms.connector,
        certificates_path=story.certificates_path(),
        observer=Listening(story),
        anchor=anchor,
        seed=1,
    ) as charge_point:
        operation = Operation(working, charge_point)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(operation.run)
            await story.run(charge_point, working)
            nursery.cancel_scope.cancel()
        await operation.stop()

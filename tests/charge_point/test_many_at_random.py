"""Many charge points of one block on sockets, whose host, network and Central System do at random what they may, or may
not: every transaction is told whole, nobody disturbs another, and nothing stays behind.
"""

from pathlib import Path
from typing import Any

import trio.testing
from many_stories import HOUR, World

from ocpp16 import open_charge_points
from ocpp16.testing import CentralSystem

COUNT = 3


async def test_every_transaction_is_told_whole(
    autojump_clock: trio.testing.MockClock, make_config: Any, tmp_path: Path
) -> None:
    async with CentralSystem() as csms, open_charge_points(database_path=tmp_path) as charge_points:
        world = World(csms, charge_points, make_config, COUNT, HOUR / 2)
        await world.live()
        await world.judge()
        assert world.faults > 0
        for number in range(COUNT):
            await world.is_prompt(f"cp{number}")

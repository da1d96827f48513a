"""A fleet over TCP, and an independent Central System that goes away and comes back: nothing lost, nothing doubled."""

import json
from collections import Counter
from typing import Any

import pytest
import trio
from patience import PATIENCE

from ocpp16.fleet import identities, open_fleet
from ocpp16.simulation import CarPlan

pytestmark = [pytest.mark.world, pytest.mark.real_time]

COUNT = 60
KEYS = {
    "Internal": {"RetryBackoffWaitMinimum": 1, "RetryBackoffRandomRange": 1},
    "Core": {"MeterValueSampleInterval": 0},
}
CAR = CarPlan(plug_after=0.0, draw_after=0.0)


def received(csms: Any, action: str) -> Counter[str]:
    """How many of this action each sent; the same again, since its answer was lost, is one."""
    frames = ([*json.loads(line["text"]), line["identity"]] for line in csms.lines if line.get("event") == "received")
    sent = {(frame[-1], json.dumps(frame[3])) for frame in frames if frame[0] == 2 and frame[2] == action}
    return Counter(identity for identity, _ in sent)


async def until(csms: Any, action: str) -> None:
    """Each has sent one."""

    def wait() -> None:
        csms.wait_until(lambda: len(received(csms, action)) >= COUNT, f"{action} of each")

    await trio.to_thread.run_sync(wait)


async def test_sixty_over_an_outage(csms: Any) -> None:
    async with open_fleet(csms.url, keys=KEYS, most_connecting=7, spread=0.5) as fleet:
        await fleet.add_all(identities("F{number:03}", COUNT))
        with trio.fail_after(PATIENCE):
            await fleet.wait_registered()
        for member in fleet:
            member.station.plug_in(1, CAR)
            member.station.present_id_tag("CARD", [1])
        await until(csms, "StartTransaction")
        await trio.to_thread.run_sync(lambda: csms.do("stop"))
        for member in fleet:
            member.station.unplug(1)
        await trio.sleep(0.5)
        await trio.to_thread.run_sync(lambda: csms.do("listen"))
        await until(csms, "StopTransaction")
        with trio.fail_after(PATIENCE):
            for member in fleet:
                await member.charge_point.wait_all_answered()
    for action in ("BootNotification", "StartTransaction", "StopTransaction"):
        assert set(received(csms, action).values()) == {1}, action

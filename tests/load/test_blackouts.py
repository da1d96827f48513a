"""Load tests in which the network or the power is away: nobody is lost by that, and what is due goes on."""

from collections.abc import Callable
from typing import Any

import trio

from ocpp16.errors import ConnectionFailed
from ocpp16.load.load_test import LoadTest
from ocpp16.scenario import scenario_from
from ocpp16.testing import CentralSystem

Make = Callable[..., LoadTest]


async def test_a_blackout_is_no_loss_of_the_central_system(csms: CentralSystem, load_test: Make) -> None:
    """Though one charge point was never let in: nobody tries meanwhile."""

    async def all_but_one(endpoint: Any) -> trio.abc.Stream:
        if endpoint.target.endswith("CP002"):
            raise ConnectionFailed("it is not let in")
        return await csms.connector(endpoint)

    stages = [{"kind": "ramp", "settle": 30}, {"kind": "blackout", "duration": 200, "settle": 30}]
    test = load_test(2, scenario=scenario_from({"stage": stages}, name="dark"), connector=all_but_one)
    await test.run()
    assert (test.results().why_ended, test.results().attempts.failed > 3) == ("done", True)


async def test_a_rate_goes_on_when_the_power_comes_back(load_test: Make) -> None:
    """With another charge point, whose timers are others."""
    stages = [
        {"kind": "ramp", "settle": 20},
        {"kind": "blackout", "power": True, "duration": 20, "settle": 20},
        {"kind": "hold", "duration": 60},
    ]
    keys = {"Core": {"HeartbeatInterval": 0, "MeterValueSampleInterval": 0}}
    test = load_test(4, scenario=scenario_from({"stage": stages}, name="dark"), rate=4.0, keys=keys)
    await test.run()
    results = test.results()
    assert 4 * 55 < results.actions["Heartbeat"].count < 4 * 70
    (note,) = [one for one in results.notes if "heartbeats were due" in one]
    assert note.endswith("fell in times without a connection or a registration")

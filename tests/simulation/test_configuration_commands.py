"""The commands about configuration keys, with a charge point: where values come from, and back again."""

from typing import Any

import pytest
from trio.testing import MockClock

from ocpp16.simulation import CommandError


async def test_where_values_come_from_and_back(autojump_clock: MockClock, site: Any) -> None:
    async with site(core={"ConnectionTimeOut": 40}) as here:
        run = here.commands.run
        before = await run("configuration_origins")
        assert before["ConnectionTimeOut"] == "main"
        assert before.pop("HeartbeatInterval") == "runtime"  # BootNotification.conf told it
        assert set(before.values()) == {"main"}
        assert await run("change_configuration", {"key": "connectiontimeout", "value": "77"}) == "Accepted"
        assert await run("change_configuration", {"key": "HeartbeatInterval", "value": "9"}) == "Accepted"
        after = await run(
            "configuration_origins", {"keys": ["ConnectionTimeOut", "HeartbeatInterval", "LightIntensity"]}
        )
        assert after == {"ConnectionTimeOut": "runtime", "HeartbeatInterval": "runtime", "LightIntensity": "default"}
        assert await run("reset_configuration", {"key": "ConnectionTimeOut"}) == "Accepted"
        assert await run("reset_configuration", {"key": "HeartbeatInterval"}) == "Accepted"
        assert await run("configuration_origins") == before
        assert here.charge_point.configuration.text("ConnectionTimeOut") == "40"
        for command, arguments in (
            ("configuration_origins", {"keys": ["Nothing"]}),
            ("reset_configuration", {"key": "Nothing"}),
        ):
            with pytest.raises(CommandError) as refused:
                await run(command, arguments)
            assert (refused.value.code, "Nothing" in str(refused.value)) == ("bad_value", True)


async def test_a_reset_that_another_key_forbids(autojump_clock: MockClock, site: Any) -> None:
    key = "ConnectorPhaseRotation"
    async with site(core={key: "1.RST,2.RST", f"{key}MaxLength": 1}) as here:  # which is only warned of
        run = here.commands.run
        assert await run("change_configuration", {"key": key, "value": "1.RTS"}) == "Accepted"
        assert await run("reset_configuration", {"key": key}) == "Rejected"
        assert here.charge_point.configuration.text(key) == "1.RTS"
        assert here.commands.reason("reset_configuration", {"key": key}, "Rejected")

"""The commands about charging profiles and limits, with a real charge point."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ocpp16.simulation import CommandError


async def test_commands(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        run = here.commands.run
        maximum = here.profile("max", (0, 16), (3600, 10))
        later = "2030-01-01T10:00:00+01:00"
        default = here.profile("default", (0, 6900), unit="W", phases=3, stackLevel=4, validFrom=later)
        assert await run("set_charging_profile", {"connector": 0, "profile": maximum}) == "Accepted"
        assert await run("set_charging_profile", {"connector": 2, "profile": default}) == "Accepted"
        assert await run("set_charging_profile", {"connector": 1, "profile": here.profile("tx", (0, 1))}) == "Rejected"
        rows = [
            {"id": 1, "connector": 0, "purpose": "ChargePointMaxProfile", "stack_level": 0, "kind": "Absolute"},
            {"id": 2, "connector": 2, "purpose": "TxDefaultProfile", "stack_level": 4, "kind": "Absolute"},
        ]
        assert await run("charging_profiles") == [
            {**rows[0], "unit": "A", "valid": True},
            {**rows[1], "unit": "W", "valid": False},
        ]
        await here.until(10)
        schedule = await run("composite_schedule", {"connector": 2, "duration": 7200})
        assert (
            schedule
            == {
                "start": "2030-01-01T08:00:10Z",
                "duration": 7200,
                "unit": "A",
                "periods": [
                    {"start": 0, "limit": 16.0, "phases": None, "stack_level": 0},
                    {"start": 3590, "limit": 10.0, "phases": 3, "stack_level": 0},
                ],
            }
            or schedule["periods"][1]["stack_level"] == 4
        )
        limit = {"limit": 16.0, "unit": "A", "phases": None, "until": "2030-01-01T09:00:00Z"}
        assert await run("charging_limit", {"connector": 2}) == limit
        named = {"id": 1, "purpose": "ChargePointMaxProfile", "stack_level": 0}
        assert await run("explain_limit", {"connector": 2}) == {
            **limit,
            "shared": False,
            "profile": named,
            "converted": False,
            "before_sharing": 16.0,
            "transaction": None,
            "maximum": {**named, "limit": 16.0, "unit": "A", "phases": None, "comes_to": 16.0},
        }
        assert await run("clear_charging_profiles", {"profile_id": 77}) == 0
        assert await run("clear_charging_profiles", {"connector": 2, "stack_level": 4}) == 1
        assert await run("clear_charging_profiles") == 1
        assert await run("charging_profiles") == []
        await trio.sleep(0.5)
        assert len(here.events("charging_profiles")) == 4


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"chargingProfileId": None}, "chargingProfileId"),
        ({"stackLevel": "0"}, "stackLevel"),
        ({"chargingProfilePurpose": "Purpose"}, "chargingProfilePurpose"),
        ({"chargingSchedule": {"chargingRateUnit": "kW", "chargingSchedulePeriod": []}}, "chargingSchedule"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_profile_that_is_none_is_a_bad_value(
    autojump_clock: MockClock, site: Any, changes: dict[str, Any], text: str
) -> None:
    async with site() as here:
        changed = {**here.profile("max", (0, 16)), **changes}
        profile = {name: value for name, value in changed.items() if value is not None}
        with pytest.raises(CommandError, match=text) as caught:
            await here.commands.run("set_charging_profile", {"connector": 0, "profile": profile})
        assert caught.value.code == "bad_value"
        assert await here.commands.run("charging_profiles") == []


async def test_the_signal_may_be_overruled(autojump_clock: MockClock, site: Any) -> None:
    async with site() as here:
        overrule = {"question": "signal_set_charging_profiles", "answer": None}
        await here.commands.run("overrule", overrule)
        assert here.station.overrules.is_waiting("signal_set_charging_profiles")
        await here.set(0, here.profile("max", (0, 16)))
        await trio.sleep(0.5)
        assert not here.station.overrules.is_waiting("signal_set_charging_profiles")
        with pytest.raises(CommandError, match="must be null"):
            await here.commands.run("overrule", {**overrule, "answer": 1})


async def test_without_the_profile_the_fuse_is_shared_all_the_same(autojump_clock: MockClock, site: Any) -> None:
    async with site(profiles="Core", fuse_limit=40) as here:
        for connector_id in (1, 2):
            await here.charge(connector_id)
        assert here.amperes == [20.0, 20.0]
        with pytest.raises(CommandError, match="SupportedFeatureProfiles") as caught:
            await here.commands.run("charging_limit", {"connector": 1})
        assert caught.value.code == "refused"

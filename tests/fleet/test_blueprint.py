"""Blueprints: each makes a station that charges, and what those of DC report."""

from typing import Any

import pytest
import trio

from ocpp16.errors import ConfigurationError
from ocpp16.fleet import BLUEPRINTS, Blueprint, blueprint
from ocpp16.simulation import CarPlan, car_plan
from ocpp16.testing import CentralSystem


@pytest.mark.parametrize("name", BLUEPRINTS)
async def test_every_one_makes_a_station_that_charges(csms: CentralSystem, fleet_of: Any, name: str) -> None:
    async with fleet_of(csms, made_of=name) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        connectors = range(1, BLUEPRINTS[name].connectors + 1)
        for connector in connectors:
            car = {"model": "city", "soc": 20, "target": 60, "plug_after": 0, "stay_after_full": 60}
            member.station.plug_in(connector, car_plan(car))
            member.station.present_id_tag(f"TAG{connector}", [connector])
        await trio.sleep(12 * 3600)
        stops = csms.calls("StopTransaction")
        assert len(stops) == len(connectors)
        charged = sorted(call.payload["meterStop"] for call in stops)
        assert charged[0] == pytest.approx(0.4 * 24_000 / (0.96 if name.startswith("dc") else 0.9), abs=3)
        assert charged[-1] == pytest.approx(0.4 * 24_000 / (0.9 if "ac" in name else 0.96), abs=3)
    assert not csms.violations


async def test_two_plugs_of_dc_share_their_power_and_tell_their_charge(csms: CentralSystem, fleet_of: Any) -> None:
    keys = {"Core": {"MeterValueSampleInterval": 60}}
    async with fleet_of(csms, made_of="dc-150kw-twin", keys=keys) as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        for connector in (1, 2):
            car = {"model": "long-range", "soc": 30, "power": 200_000, "plug_after": 0, "draw_after": 0}
            member.station.plug_in(connector, car_plan(car))
            member.station.present_id_tag(f"TAG{connector}", [connector])
        await trio.sleep(600)
        told: dict[str, list[float]] = {}
        for call in csms.calls("MeterValues"):
            for value in call.payload["meterValue"][0]["sampledValue"]:
                told.setdefault(value["measurand"], []).append(float(value["value"]))
        assert set(told) == {
            "Energy.Active.Import.Register",
            "Power.Active.Import",
            "Current.Import",
            "Voltage",
            "SoC",
        }
        assert 70_000 < min(told["Power.Active.Import"]) <= max(told["Power.Active.Import"]) <= 75_000.01
        assert min(told["SoC"]) >= 30
        assert max(told["SoC"]) == pytest.approx(30 + 0.97 * 75 * 9 / 60, abs=0.05)  # the sample of 9 min


async def test_a_plain_car_goes_with_any_of_them(csms: CentralSystem, fleet_of: Any) -> None:
    async with fleet_of(csms, made_of="dc-50kw") as fleet:
        member = await fleet.add("CP1")
        await fleet.wait_registered()
        member.station.plug_in(1, CarPlan(draw_for=3600))
        member.station.present_id_tag("TAG", [1])
        await trio.sleep(4000)
        assert csms.calls("StopTransaction")[0].payload["meterStop"] == 32 * 400


def test_dc_is_limited_in_watts() -> None:
    keys = BLUEPRINTS["dc-50kw"].configuration("CP1", "ws://csms.example/")
    assert keys["SmartCharging"]["ChargingScheduleAllowedChargingRateUnit"] == "Power"


def test_an_option_of_dc_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationError, match="dc_current"):
        blueprint("dc-50kw").over(options={"dc_current": 5_000})
    with pytest.raises(ConfigurationError, match="dc_power"):
        Blueprint(name="own", options={"dc_power": "much"})


def test_there_are_no_more_connectors_than_a_charge_point_has() -> None:
    assert Blueprint(name="own", connectors=1_000).connectors == 1_000
    with pytest.raises(ValueError, match="connectors must"):
        Blueprint(name="own", connectors=1_001)

"""FreeVendActive at the simulated station: a plug is enough."""

import pytest
import trio
from charging_site import CP, site
from trio.testing import MockClock

from ocpp16.enums import ChargePointErrorCode
from ocpp16.testing import CentralSystem


@pytest.mark.parametrize("is_online", [True, False])
async def test_charging_without_a_card(autojump_clock: MockClock, is_online: bool) -> None:
    """FreeVendActive: a plug is enough, connected or not; whoever has a card of that id tag can stop it."""
    async with CentralSystem() as csms, site(csms) as here:
        switch = {"key": "FreeVendActive", "value": "true"}
        assert await here.commands.run("change_configuration", switch) == "Accepted"
        if not is_online:
            here.charge_point.connection.disconnect()
        here.station.plug_in(1, draw_for=600)
        here.station.plug_in(2, draw_for=100)
        await trio.sleep(10)
        assert here.charge_point.connector_status(1).status == "Charging"
        here.station.present_id_tag("freevend", [1])
        await trio.sleep(200)
        assert [here.charge_point.connector_status(number).status for number in (1, 2)] == ["Finishing", "Available"]
        here.charge_point.connection.connect()
        await trio.sleep(100)
        news = [line.split() for line in here.news()]
        starts = [words for words in news if words[0] in ("Start", "Authorize")]
        assert sorted(starts) == [["Start", "1", "FreeVend"], ["Start", "2", "FreeVend"]]
        stops = sorted(words[2:] for words in news if words[0] == "Stop")
        assert stops == [["EVDisconnected", "-"], ["Local", "freevend"]]
        assert await here.commands.run("change_configuration", {**switch, "value": "false"}) == "Accepted"
        here.station.plug_in(2)
        await trio.sleep(10)
        assert here.charge_point.connector_status(2).status == "Preparing"


async def test_a_car_that_waits_charges_when_cards_are_not_needed_any_more(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        here.station.plug_in(1, draw_for=600)
        await trio.sleep(5)
        here.station.raise_fault(1, ChargePointErrorCode.GROUND_FAILURE)
        assert await csms.call(CP, "ChangeConfiguration", {"key": "FreeVendActive", "value": "true"}) == {
            "status": "Accepted"
        }
        await trio.sleep(5)
        assert here.charge_point.transaction(1) is None
        here.station.clear_fault(1, ChargePointErrorCode.GROUND_FAILURE)
        await trio.sleep(5)
        assert here.charge_point.connector_status(1).status == "Charging"


async def test_out_of_service_nothing_is_given_away(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.commands.run("change_configuration", {"key": "FreeVendActive", "value": "true"})
        assert await here.commands.run("change_availability", {"connector": 1, "kind": "Inoperative"}) == "Accepted"
        here.station.plug_in(1, draw_for=600)
        await trio.sleep(10)
        assert here.charge_point.connector_status(1).status == "Unavailable"
        assert await here.commands.run("change_availability", {"connector": 1, "kind": "Operative"}) == "Accepted"
        await trio.sleep(5)
        assert here.charge_point.connector_status(1).status == "Charging"

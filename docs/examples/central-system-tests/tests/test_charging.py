"""What the Central System does with charge points: in the loop of each test."""

import pytest
from central_system import CentralSystem

from ocpp16.pytest_plugin import ChargePoint, Fleet

AT_ONCE = {"plug_after": 0, "draw_after": 0}
"""Of a car: it is plugged in, and draws, without the second that people take for each."""


async def test_a_known_card_charges(charge_point: ChargePoint, csms: CentralSystem) -> None:
    await charge_point.wait_registered()
    charge_point.plug_in(1, **AT_ONCE)
    charge_point.present_id_tag("CARD1")
    started = await charge_point.wait_sent("StartTransaction", idTag="CARD1")
    assert started.answer["idTagInfo"] == {"status": "Accepted"}
    await charge_point.wait_status(1, "Charging")
    assert csms.statuses[charge_point.id, 1] == "Charging"

    charge_point.unplug(1)
    stopped = await charge_point.wait_sent("StopTransaction")
    assert stopped.payload["reason"] == "EVDisconnected"
    await charge_point.wait_status(1, "Available")
    number = started.answer["transactionId"]
    assert csms.energy[number] == stopped.payload["meterStop"] - started.payload["meterStart"]


async def test_an_unknown_card_does_not(charge_point: ChargePoint) -> None:
    await charge_point.wait_registered()
    charge_point.plug_in(1, **AT_ONCE)
    charge_point.present_id_tag("STRANGER")
    asked = await charge_point.wait_sent("Authorize")
    assert asked.answer["idTagInfo"]["status"] == "Invalid"
    await charge_point.wait_absent("StartTransaction", timeout=0.2)


async def test_a_remote_start(charge_point: ChargePoint, csms: CentralSystem) -> None:
    await charge_point.wait_registered()
    charge_point.plug_in(1, **AT_ONCE)
    await charge_point.wait_status(1, "Preparing")
    assert await csms.remote_start(charge_point.id, "CARD2") == "Accepted"
    await charge_point.wait_received("RemoteStartTransaction", idTag="CARD2")
    await charge_point.wait_sent("StartTransaction", idTag="CARD2")


async def test_what_ends_without_a_network_is_told_later(charge_point: ChargePoint, csms: CentralSystem) -> None:
    await charge_point.wait_registered()
    charge_point.plug_in(1, **AT_ONCE)
    charge_point.present_id_tag("CARD1")
    await charge_point.wait_status(1, "Charging")
    charge_point.disconnect()
    await charge_point.wait_disconnected()
    charge_point.unplug(1)
    charge_point.connect()
    stopped = await charge_point.wait_sent("StopTransaction")
    assert stopped.payload["transactionId"] in csms.energy


@pytest.mark.ocpp16(count=10, blueprint="ac-22kw-twin")
async def test_ten_at_once(fleet: Fleet, csms: CentralSystem) -> None:
    await fleet.wait_registered()
    for one in fleet:
        one.plug_in(2, **AT_ONCE)
        one.present_id_tag("CARD1", [2])
    for one in fleet:
        await one.wait_status(2, "Charging")
    assert len(csms.energy) == 10

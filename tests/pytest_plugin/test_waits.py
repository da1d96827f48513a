"""What a charge point of the plugin waits for: in a test without a loop, in asyncio, and in trio."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import trio
from host_faces import TIMEOUT, Server

from ocpp16.errors import ChargePointStopped
from ocpp16.pytest_plugin import Call, ChargePoint, Fleet, NotSeen, WasSeen
from ocpp16.testing import CallErrorAnswer


def begin_charging(charge_point: ChargePoint, id_tag: str = "CARD1") -> None:
    charge_point.plug_in(1, plug_after=0, draw_after=0)
    charge_point.present_id_tag(id_tag)


def test_a_test_without_a_loop_waits(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    assert charge_point.is_connected is True
    assert charge_point.registration == "Accepted"
    boot = charge_point.calls("BootNotification")[0].answer
    assert abs(charge_point.time - datetime.fromisoformat(boot["currentTime"])) < timedelta(seconds=TIMEOUT)
    begin_charging(charge_point)
    call = charge_point.wait_sent("StartTransaction")
    assert call.is_answered
    assert call.direction == "sent"
    assert call.payload["idTag"] == "CARD1"
    assert call.answer == {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}
    assert call.error is None
    assert call.seconds is not None
    assert call.seconds < TIMEOUT
    status = charge_point.wait_status(1, "Charging")
    assert status.payload["status"] == "Charging"
    charge_point.disconnect()
    charge_point.wait_disconnected()
    assert [charge_point.is_connected] == [False]
    charge_point.connect()
    charge_point.wait_connected()


def test_in_asyncio_it_is_awaited(charge_point: ChargePoint) -> None:
    async def main() -> tuple[Call, Call]:
        await charge_point.wait_registered()
        begin_charging(charge_point)
        status = asyncio.create_task(charge_point.wait_status(1, "Charging"))
        async with asyncio.TaskGroup() as group:
            started = group.create_task(charge_point.wait_sent("StartTransaction"))
        assert await charge_point.authorize("CARD2") is not None
        with pytest.raises(NotSeen, match=r"Heartbeat sent was not seen within 0.01 s"):
            await charge_point.wait_sent("Heartbeat", timeout=0.01)
        return started.result(), await status

    started, status = asyncio.run(main())
    assert started.answer["transactionId"] == 1
    assert status.payload["connectorId"] == 1


def test_in_trio_it_is_awaited(charge_point: ChargePoint) -> None:
    found: list[Call] = []

    async def note() -> None:
        found.append(await charge_point.wait_sent("StartTransaction"))

    async def main() -> None:
        await charge_point.wait_registered()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(note)
            nursery.start_soon(charge_point.wait_status, 1, "Charging")
            begin_charging(charge_point)
        with trio.move_on_after(0.01) as scope:
            await charge_point.wait_sent("Heartbeat")
        assert scope.cancelled_caught

    trio.run(main)
    assert found[0].answer["transactionId"] == 1


def test_a_wait_that_is_cancelled_leaves_the_call_for_the_next(charge_point: ChargePoint) -> None:
    async def main() -> None:
        async def within() -> None:
            await charge_point.wait_sent("StartTransaction")

        await charge_point.wait_registered()
        for waiting in (within(), charge_point.wait_sent("StartTransaction")):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(waiting, 0.01)
        begin_charging(charge_point)
        await charge_point.wait_status(1, "Charging")
        assert (await charge_point.wait_sent("StartTransaction")).payload["idTag"] == "CARD1"

    asyncio.run(main())


def test_what_is_never_awaited_is_told_once(fleet_of: Callable[..., Fleet]) -> None:
    fleet = fleet_of()
    charge_point = fleet.add("CP1")

    async def main() -> None:
        await charge_point.wait_registered()
        charge_point.wait_status(1, "Charging")
        task = asyncio.create_task(charge_point.wait_connected())
        task.cancel()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert fleet.forgotten() == ["CP1: wait_status(1, 'Charging')"]
    assert fleet.forgotten() == []


def test_each_call_is_given_once(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    for card in ("CARD1", "CARD2", "CARD3"):
        charge_point.authorize(card)
    assert charge_point.wait_sent("Authorize").payload == {"idTag": "CARD1"}
    assert charge_point.wait_sent("Authorize").payload == {"idTag": "CARD2"}
    assert charge_point.wait_sent("Authorize", lambda payload: payload["idTag"].endswith("3")).is_answered
    with pytest.raises(NotSeen):
        charge_point.wait_sent("Authorize", timeout=0.01)
    assert [call.payload["idTag"] for call in charge_point.calls("Authorize")] == ["CARD1", "CARD2", "CARD3"]
    assert charge_point.calls("Authorize", "received") == []
    with pytest.raises(ValueError, match='direction must be "sent" or "received", not'):
        charge_point.calls("Authorize", "sideways")  # type: ignore[arg-type]


def test_members_of_the_payload_choose_a_call(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    charge_point.authorize("CARD1")
    charge_point.authorize("CARD2")
    assert charge_point.wait_sent("Authorize", idTag="CARD2").payload == {"idTag": "CARD2"}
    with pytest.raises(NotSeen, match="StatusNotification sent with connectorId=0, vendorId=None was not"):
        charge_point.wait_sent("StatusNotification", connectorId=0, vendorId=None, timeout=0.01)


def test_what_the_central_system_sends_is_waited_for_with_our_answer(charge_point: ChargePoint, server: Server) -> None:
    charge_point.wait_registered()
    server.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "77"})
    call = charge_point.wait_received("ChangeConfiguration", key="HeartbeatInterval")
    assert (call.direction, call.answer) == ("received", {"status": "Accepted"})


def test_a_callerror_is_the_answer(charge_point: ChargePoint, server: Server) -> None:
    server.system.answers["DataTransfer"] = CallErrorAnswer("NotSupported", "no such thing")
    charge_point.wait_registered()
    charge_point.data_transfer("V")
    call = charge_point.wait_sent("DataTransfer")
    assert call.error is not None
    assert call.error[:2] == ("NotSupported", "no such thing")
    assert call.answer is None


def test_a_status_is_the_one_in_force_or_a_later_one(charge_point: ChargePoint) -> None:
    charge_point.wait_status(1, "Available")
    charge_point.wait_status(1, "Available")
    begin_charging(charge_point)
    charge_point.wait_sent("StartTransaction")
    charge_point.wait_sent("StatusNotification", status="Charging")
    assert charge_point.wait_status(1, "Preparing").payload["status"] == "Preparing", (
        "it is over, and was not waited for"
    )
    charge_point.wait_status(1, "Charging")
    charge_point.unplug(1)
    charge_point.wait_sent("StatusNotification", status="Available", connectorId=1)
    with pytest.raises(NotSeen, match=r"status Charging of connector 1 was not seen .*connector 1 is Avail"):
        charge_point.wait_status(1, "Charging", timeout=0.05)


def test_absence(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    charge_point.wait_absent("StartTransaction", timeout=0.02)
    begin_charging(charge_point)
    with pytest.raises(WasSeen, match=r"CP1: StartTransaction \{.*\} was sent, and should not have been"):
        charge_point.wait_absent("StartTransaction", timeout=TIMEOUT)


def test_what_is_misspelled_is_neither_awaited_nor_absent(charge_point: ChargePoint) -> None:
    with pytest.raises(ValueError, match=r"no charge point sends 'StartTransactoin'; did you mean StartTransaction\?"):
        charge_point.wait_sent("StartTransactoin", timeout=0.01)
    for call in (charge_point.wait_sent, charge_point.wait_absent, lambda action: charge_point.calls(action, "sent")):
        with pytest.raises(ValueError, match=r"no charge point sends 'Reset'$"):
            call("Reset")
    with pytest.raises(ValueError, match=r"did you mean StopTransaction\?"):
        assert not charge_point.calls("StopTransactoin")
    assert not charge_point.calls("Reset")
    with pytest.raises(ValueError, match="no charge point sends 'GetVariables'"):
        charge_point.wait_absent("GetVariables", timeout=0.01)
    with pytest.raises(ValueError, match=r"no Central System sends 'Rest'; did you mean Reset\?"):
        charge_point.wait_received("Rest", timeout=0.01)
    with pytest.raises(ValueError, match='direction must be "sent" or "received", not \'inward\''):
        charge_point.wait_absent("Reset", direction="inward", timeout=0.01)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no connector is ever 'Charing'; did you mean Charging\?"):
        charge_point.wait_status(1, "Charing", timeout=0.01)
    charge_point.wait_absent("GetVariables", direction="received", timeout=0.01)  # it may send what we do not know
    for wait in (charge_point.wait_sent, charge_point.wait_absent):
        with pytest.raises(ValueError, match=r"StartTransaction has no member 'id_tag'; did you mean idTag\?"):
            wait("StartTransaction", id_tag="CARD1", timeout=0.01)
    with pytest.raises(ValueError, match="Heartbeat has no member 'card'; it has none"):
        charge_point.wait_sent("Heartbeat", card=1, timeout=0.01)
    with pytest.raises(ValueError, match=r"Reset has no member 'typ'; did you mean type\?"):
        charge_point.wait_received("Reset", typ="Hard", timeout=0.01)
    charge_point.wait_absent("Reset", direction="received", timeout=0.01, vendorThing=1)


def test_a_failure_tells_what_was_seen_instead(charge_point: ChargePoint) -> None:
    charge_point.wait_registered()
    charge_point.wait_status(1, "Available")
    with pytest.raises(NotSeen) as told:
        charge_point.wait_sent("StartTransaction", timeout=0.01)
    text = str(told.value)
    assert text.startswith("CP1: StartTransaction sent was not seen within 0.01 s; it is connected, and Accepted")
    assert "connector 1 is Available" in text
    assert "→ [2," in text
    assert '"BootNotification"' in text


def test_a_failure_tells_what_was_not_answered(charge_point: ChargePoint, server: Server) -> None:
    server.system.answers["Authorize"] = None
    charge_point.wait_registered()
    charge_point.present_id_tag("CARD1")
    with pytest.raises(NotSeen, match=r"Authorize .*CARD1.* was sent, but the Central System has not answered it"):
        charge_point.wait_sent("Authorize", timeout=0.2)
    assert charge_point.wait_sent("Authorize", answered=False).answer is None


def test_a_failure_tells_why_there_is_no_connection(fleet_of: Callable[..., Fleet], server: Server) -> None:
    server.system.refuse_handshake(403, times=1000)
    fleet = fleet_of()
    charge_point = fleet.add("CP1")
    with pytest.raises(NotSeen, match=r"it is not connected .*403"):
        charge_point.wait_registered(1)
    with pytest.raises(NotSeen, match=r"1 of 1 charge points were not accepted .*\n  CP1: it is not connected"):
        fleet.wait_registered(0.01)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True, 1e9])
def test_a_timeout_is_a_number_of_seconds(charge_point: ChargePoint, timeout: Any) -> None:
    with pytest.raises(ValueError, match=r"timeout must be (a number of seconds|more than 0)"):
        charge_point.wait_connected(timeout)


def test_a_verb_that_asks_the_central_system_is_bounded(fleet_of: Callable[..., Fleet], server: Server) -> None:
    server.system.answers["DataTransfer"] = None
    charge_point = fleet_of(timeout=0.2).add("CP1")
    charge_point.wait_registered(TIMEOUT)
    began = time.monotonic()
    with pytest.raises(NotSeen, match=r"CP1: data_transfer took more than 0.2 s; it is connected"):
        charge_point.data_transfer("V")
    assert time.monotonic() - began < TIMEOUT


def test_when_its_fleet_is_closed_it_can_be_looked_at(fleet_of: Callable[..., Fleet]) -> None:
    fleet = fleet_of()
    charge_point = fleet.add("CP1")
    charge_point.wait_registered()
    fleet.close(in_order=True)
    assert [call.action for call in charge_point.calls("BootNotification")] == ["BootNotification"]
    assert charge_point.traffic[0].action == "BootNotification"
    with pytest.raises(ChargePointStopped):
        charge_point.wait_connected()


def test_who_is_reset_is_registered_anew(charge_point: ChargePoint, server: Server) -> None:
    charge_point.wait_registered()
    assert server.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
    charge_point.wait_received("Reset")
    charge_point.wait_registered()
    assert len(charge_point.calls("BootNotification", "sent")) == 2


def test_a_reset_brings_another_boot(charge_point: ChargePoint, server: Server) -> None:
    charge_point.wait_registered()
    server.call("Reset", {"type": "Soft"})
    assert charge_point.wait_received("Reset").answer == {"status": "Accepted"}
    charge_point.wait_sent("BootNotification")
    assert len(server.system.calls("BootNotification")) == 2
    charge_point.wait_registered()

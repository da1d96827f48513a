"""The answer to a CALL goes before what the station makes of it, however long it takes to say so."""

from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointStatus, Reason, UnlockStatus
from ocpp16.profiles.answer_first import LONGEST_WAIT
from ocpp16.testing.stations import ReservingStation

UNLOCK = ("UnlockConnector", {"connectorId": 1})


def stops_before_it_answers(bench: Any, bolt: float) -> None:
    """A station that ends the transaction, and is done with the bolt only after so many seconds."""

    async def unlock_connector(connector_id: int) -> UnlockStatus:
        running = bench.charge_point.transaction(connector_id)
        if running is not None:
            bench.charge_point.on_transaction_stopped(connector_id, running.session_id, Reason.UNLOCK_COMMAND, 1500)
        await trio.sleep(bolt)
        return UnlockStatus.UNLOCKED

    bench.station.unlock_connector = unlock_connector


def since(bench: Any, before: int) -> list[str]:
    """What the charge point sent since then: the actions of CALLs, and the answers as they are."""
    lines = [record.text for record in list(bench.csms.traffic)[before:] if record.direction == "received"]
    return [line.split('"')[3] if line.startswith("[2") else line[line.index("{") : -1] for line in lines]


@pytest.mark.parametrize("bolt", [0, 0.5, 4])
async def test_unlocking(open_bench: Any, bolt: float) -> None:
    async with open_bench() as bench:
        bench.begin()
        bench.charge_point.on_resume_charging(1)
        await trio.sleep(1)
        stops_before_it_answers(bench, bolt)
        before = len(bench.csms.traffic)
        assert await bench.call(*UNLOCK) == {"status": "Unlocked"}
        await trio.sleep(1)
        assert since(bench, before) == ['{"status":"Unlocked"}', "StopTransaction", "StatusNotification"]
        assert bench.sent("StopTransaction")[0]["reason"] == "UnlockCommand"
        assert bench.charge_point.connection.queue_depth == 0


async def test_a_bolt_that_is_stuck_holds_up_nobody_for_long(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        stops_before_it_answers(bench, LONGEST_WAIT + 2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.call, *UNLOCK)
            await trio.sleep(1)
            began = trio.current_time()
            assert (await bench.charge_point.authorize_id_token("OTHER")).is_accepted
            assert LONGEST_WAIT - 1.5 < trio.current_time() - began < LONGEST_WAIT
            await trio.sleep(0.1)
            assert len(bench.sent("StopTransaction")) == 1
        assert (await bench.charge_point.authorize_id_token("OTHER")).is_accepted
        assert trio.current_time() - began < LONGEST_WAIT + 2


async def test_a_station_that_fails_holds_up_nobody(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.answers["unlock_connector"] = RuntimeError("broken")
        assert await bench.call(*UNLOCK) == {"status": "UnlockFailed"}
        began = trio.current_time()
        assert (await bench.charge_point.authorize_id_token("OTHER")).is_accepted
        assert trio.current_time() == began


async def test_two_bolts_at_once(open_bench: Any) -> None:
    """The first answer does not let go what is to follow the second."""
    async with open_bench() as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        await trio.sleep(1)
        stops_before_it_answers(bench, 2)
        before = len(bench.csms.traffic)
        for connector_id in (1, 2):
            text = f'[2,"u{connector_id}","UnlockConnector",{{"connectorId":{connector_id}}}]'
            await bench.csms.send_text("cp001", text)
            await trio.sleep(1)
        await trio.sleep(2)
        assert since(bench, before) == ['{"status":"Unlocked"}', '{"status":"Unlocked"}', *["StopTransaction"] * 2]
        bench.csms.violations.clear()  # it had called by the text alone, and knows of no call


async def test_a_connection_that_ends_meanwhile(open_bench: Any) -> None:
    """Nobody is left to be answered, and what happened goes out on the next connection."""
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        stops_before_it_answers(bench, 3)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.csms.send_text, "cp001", '[2,"u","UnlockConnector",{"connectorId":1}]')
            await trio.sleep(0.5)
            await bench.csms.close("cp001")
        await trio.sleep(2)
        assert len(bench.sent("StopTransaction")) == 1
        await trio.sleep(5)
        assert bench.charge_point.connection.queue_depth == 0


async def test_reservations_that_the_station_keeps(open_bench: Any) -> None:
    async with open_bench(station=ReservingStation()) as bench:

        async def reserve_now(*arguments: Any) -> str:
            bench.charge_point.on_reservation_start(1)
            await trio.sleep(1)
            return "Accepted"

        async def cancel_reservation(reservation_id: int) -> bool:
            bench.charge_point.on_reservation_end(1)
            await trio.sleep(1)
            return True

        bench.station.reserve_now, bench.station.cancel_reservation = reserve_now, cancel_reservation
        before = len(bench.csms.traffic)
        asked = {"connectorId": 1, "expiryDate": "2026-01-01T00:10:00Z", "idTag": "TAG1", "reservationId": 7}
        assert await bench.call("ReserveNow", asked) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.charge_point.connector_status(1).status is ChargePointStatus.RESERVED
        assert await bench.call("CancelReservation", {"reservationId": 7}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert since(bench, before) == ['{"status":"Accepted"}', "StatusNotification"] * 2


async def test_charging_profiles(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:

        def limit_changed(connector_id: int, limit: Any) -> None:
            if connector_id != 1:
                return
            if limit.limit == 0:
                bench.charge_point.on_suspend_charging_evse(connector_id)
            else:
                bench.charge_point.on_resume_charging(connector_id)

        bench.begin()
        bench.charge_point.on_resume_charging(1)
        await trio.sleep(1)
        bench.station.answers["charging_limit_changed"] = limit_changed
        before = len(bench.csms.traffic)
        assert await bench.install(1, profile(1, 0)) == "Accepted"
        await trio.sleep(1)
        assert await bench.clear(id=1) == "Accepted"
        await trio.sleep(1)
        assert since(bench, before) == ['{"status":"Accepted"}', "StatusNotification"] * 2

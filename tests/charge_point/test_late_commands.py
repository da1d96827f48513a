"""What was asked of the station for one transaction, and whose turn comes late, does not hit the next one."""

from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointErrorCode, ChargePointStatus, Reason, SessionStartedReason, UnlockStatus
from ocpp16.models import ErrorInfo

HANGS = 25


async def occupy(bench: Any) -> None:
    """Let the station be busy with connector 1 for `HANGS` seconds."""
    bench.station.delays["enable_evse"] = HANGS
    assert await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"}) == {"status": "Accepted"}
    await trio.sleep(0.5)


@pytest.mark.parametrize("is_charging", [True, False])
@pytest.mark.parametrize("session", ["s1", "s2", None])
async def test_the_lock_of_a_car_that_left_stays_closed_for_the_next(
    open_bench: Any, session: str | None, is_charging: bool
) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        await occupy(bench)
        bench.begin()
        charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 1500)
        if session != "s1":
            charge_point.on_session_stopped(1, "s1")
        if session == "s2":
            charge_point.on_session_started(1, "s2", SessionStartedReason.EV_CONNECTED)
        if session is not None and is_charging:
            bench.begin(session_id=session, id_tag="TAG2")
        await trio.sleep(60)
        is_anothers = session == "s2" or (session is not None and is_charging)
        assert bench.station.asked("unlock_connector") == ([] if is_anothers else [(1,)])


async def test_a_remote_stop_and_a_pause_hit_their_transaction_only(open_bench: Any) -> None:
    async with open_bench() as bench:
        statuses = iter(["Blocked", "Accepted"])
        numbers = iter([1, 2])
        bench.csms.answers["StartTransaction"] = lambda payload, call: {
            "transactionId": next(numbers),
            "idTagInfo": {"status": next(statuses)},
        }
        await occupy(bench)
        bench.begin()
        await trio.sleep(1)
        assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.begin(session_id="s2", id_tag="TAG2")
        await trio.sleep(60)
        assert bench.station.asked("pause_charging") == bench.station.asked("stop_transaction") == []
        assert bench.charge_point.transaction(1).session_id == "s2"


async def test_a_connector_is_not_put_out_of_service_under_a_transaction_that_began_meanwhile(open_bench: Any) -> None:
    async with open_bench() as bench:
        await occupy(bench)
        inoperative = {"connectorId": 1, "type": "Inoperative"}
        assert await bench.call("ChangeAvailability", inoperative) == {"status": "Accepted"}
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.begin()
        await trio.sleep(60)
        assert bench.station.asked("disable_evse") == []
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(1)
        assert bench.station.asked("disable_evse") == [(1,)]
        assert bench.charge_point.connector_status(1).status is ChargePointStatus.UNAVAILABLE


@pytest.mark.parametrize("is_charging", [True, False])
async def test_one_who_came_meanwhile_may_be_asked_to_leave_twice(open_bench: Any, is_charging: bool) -> None:
    """A car that came before the station's turn is waited for, as a transaction; it is scheduled, and answered so."""
    request = {"connectorId": 1, "type": "Inoperative"}
    async with open_bench() as bench:
        bench.station.answers["disable_evse"] = lambda number: bench.charge_point.on_disabled(number) or True
        await occupy(bench)
        assert await bench.call("ChangeAvailability", request) == {"status": "Accepted"}
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        if is_charging:
            bench.begin()
        await trio.sleep(60)
        assert bench.station.asked("disable_evse") == []
        assert await bench.call("ChangeAvailability", request) == {"status": "Scheduled"}
        if is_charging:
            bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(60)
        assert bench.station.asked("disable_evse") == [(1,)]
        assert bench.charge_point.connector_status(1).status is ChargePointStatus.UNAVAILABLE


async def test_a_car_that_a_start_finds_keeps_nothing_in_service(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {
            "status": "Accepted"
        }
        await bench.charge_point.stop()
        bench.station.calls.clear()
        await bench.charge_point.restart()
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(60)
        assert bench.station.asked("disable_evse") == [(1,)]


async def test_a_change_that_was_taken_back_meanwhile_is_not_carried_out(open_bench: Any) -> None:
    async with open_bench() as bench:
        await occupy(bench)
        assert await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {
            "status": "Accepted"
        }
        bench.begin()
        assert await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"}) == {
            "status": "Scheduled"
        }
        await trio.sleep(60)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(60)
        assert bench.station.asked("disable_evse") == []
        assert bench.charge_point.connector_status(1).status is ChargePointStatus.AVAILABLE


@pytest.mark.parametrize("connector", [1, None])
async def test_a_remote_start_is_not_presented_where_somebody_else_charges(
    open_bench: Any, connector: int | None
) -> None:
    async with open_bench() as bench:
        await occupy(bench)
        asked = {} if connector is None else {"connectorId": connector}
        assert await bench.call("RemoteStartTransaction", {"idTag": "REMOTE", **asked}) == {"status": "Accepted"}
        bench.begin()
        await trio.sleep(60)
        # Without a connector there is another one, which is free.
        assert bench.station.asked("provide_token") == ([] if connector else [("REMOTE", (1, 2), True)])


async def test_an_unlock_that_is_not_supported_stops_no_transaction_that_began_meanwhile(
    open_bench: Any, make_config: Any
) -> None:
    async with open_bench(document=make_config(Internal__StopTransactionIfUnlockNotSupported=True)) as bench:
        bench.station.answers["unlock_connector"] = UnlockStatus.NOT_SUPPORTED
        bench.station.delays["unlock_connector"] = HANGS
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.call, "UnlockConnector", {"connectorId": 1})
            await trio.sleep(5)
            bench.begin()
        await trio.sleep(60)
        assert bench.station.asked("stop_transaction") == []


async def test_out_of_service_and_back_before_the_station_was_asked_is_in_service(open_bench: Any) -> None:
    """It is Unavailable when the session ends, and asked to be enabled only: what it tells then brings it back."""
    async with open_bench() as bench:
        charge_point = bench.charge_point
        bench.station.answers["enable_evse"] = charge_point.on_enabled
        bench.station.answers["unlock_connector"] = UnlockStatus.UNLOCKED
        await trio.sleep(1)
        charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.begin()
        change = {"connectorId": 1, "type": "Inoperative"}
        assert await bench.call("ChangeAvailability", change) == {"status": "Scheduled"}
        bench.station.delays["unlock_connector"] = 5
        charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 1500)
        charge_point.on_session_stopped(1, "s1")
        assert charge_point.connector_status(1).status is ChargePointStatus.UNAVAILABLE
        assert await bench.call("ChangeAvailability", {**change, "type": "Operative"}) == {"status": "Accepted"}
        await trio.sleep(60)
        assert bench.station.asked("disable_evse") == []
        assert charge_point.connector_status(1).status is ChargePointStatus.AVAILABLE


@pytest.mark.parametrize("is_charging", [True, False])
async def test_a_station_that_says_again_that_it_is_in_service_ends_no_session(
    open_bench: Any, is_charging: bool
) -> None:
    """`enable_evse` is asked at each start, and for an Operative of what is Operative."""
    async with open_bench() as bench:
        charge_point = bench.charge_point
        charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        if is_charging:
            bench.begin()
            charge_point.on_resume_charging(1)
        before = charge_point.connector_status(1).status
        charge_point.on_enabled(1)
        assert charge_point.connector_status(1).status is before
        charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid="f"))
        charge_point.on_enabled(1)
        charge_point.on_error_cleared(1, "f")
        assert charge_point.connector_status(1).status is before

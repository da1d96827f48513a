"""What goes on, and how long who waits for the disk waits, while that takes nothing."""

from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointErrorCode, Reason, UnlockStatus
from ocpp16.errors import StoreError
from ocpp16.models import ErrorInfo
from ocpp16.observer import ConfigurationKeyChanged
from ocpp16.store.tables import message_queue


async def test_an_interval_told_over_and_over_is_kept_by_one_task(open_bench: Any, disk: Any) -> None:
    """The Central System tells another heartbeat interval with every answer, and the disk is full."""
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        intervals = iter(range(1000, 2000))
        bench.csms.answers["BootNotification"] = lambda payload, call: {
            "status": "Accepted",
            "currentTime": "2026-01-01T00:00:01Z",
            "interval": next(intervals),
        }
        disk.is_full = True
        tasks = len(bench.charge_point._runtime.life._scopes)
        for _ in range(50):
            await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
            await trio.sleep(0.01)
        assert len(bench.charge_point._runtime.life._scopes) <= tasks + 2
        assert bench.charge_point.configuration.text("HeartbeatInterval") == "1049"
        disk.is_full = False
        await trio.sleep(60)
        told = [event.value for event in bench.events.of(ConfigurationKeyChanged)]
        assert told[-1] == "1049"
        assert len(told) <= 3
    async with open_bench(store=disk, start=False) as bench:
        assert bench.charge_point.configuration.text("HeartbeatInterval") == "1049"


async def test_an_answer_does_not_wait_for_what_the_station_told_meanwhile(open_bench: Any, disk: Any) -> None:
    """Unlocking ends the transaction: it is unlocked, whatever becomes of the fact, which is stored when it can be."""
    async with open_bench(store=disk) as bench:

        def unlock(connector_id: int) -> UnlockStatus:
            bench.charge_point.on_transaction_stopped(connector_id, "s1", Reason.UNLOCK_COMMAND, 1500)
            return UnlockStatus.UNLOCKED

        bench.station.answers["unlock_connector"] = unlock
        bench.begin()
        await trio.sleep(1)
        disk.is_full = True
        before = trio.current_time()
        assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        assert trio.current_time() - before < 0.1
        await trio.sleep(5)
        assert bench.sent("StopTransaction") == []
        disk.is_full = False
        await trio.sleep(60)
        assert len(bench.sent("StopTransaction")) == 1


async def test_who_waits_for_all_to_be_stored_waits_so_long_at_most(
    open_bench: Any, make_config: Any, disk: Any
) -> None:
    async with open_bench(document=make_config(Internal__StoreTimeout=10), store=disk) as bench:
        disk.is_full = True
        bench.begin()
        before = trio.current_time()
        with pytest.raises(StoreError, match="not on disk after 10 s"):
            await bench.charge_point.stored()
        assert trio.current_time() - before == pytest.approx(10)
        disk.is_full = False
        await trio.sleep(30)
        await bench.charge_point.stored()
        assert len(bench.sent("StartTransaction")) == 1


async def test_the_status_told_last_is_the_present_one(open_bench: Any, disk: Any) -> None:
    """Charging waits for its StartTransaction, which waits for the disk; a fault does not wait, and stays the last."""
    async with open_bench(store=disk) as bench:
        disk.is_full = True
        bench.begin()
        await trio.sleep(1)
        bench.charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True))
        await trio.sleep(1)
        disk.is_full = False
        await trio.sleep(60)
        assert len(bench.sent("StartTransaction")) == 1
        told = [status["status"] for status in bench.sent("StatusNotification") if status["connectorId"] == 1]
        assert told == ["Available", "Faulted"]


async def test_what_tells_of_no_transaction_does_not_wait_for_the_disk(
    open_bench: Any, make_config: Any, disk: Any
) -> None:
    """QueueAllMessages keeps it, too; the Central System would think that nobody is there any more."""
    document = make_config(Internal__QueueAllMessages=True)
    async with open_bench(store=disk, document=document) as bench:
        await trio.sleep(1)
        disk.is_full = True
        bench.charge_point.on_disabled(1)
        await trio.sleep(650)
        assert len(bench.sent("Heartbeat")) == 2
        assert bench.sent("StatusNotification")[-1]["status"] == "Unavailable"
        disk.is_full = False
        await trio.sleep(60)
        await bench.charge_point.stored()
        assert len(bench.sent("Heartbeat")) == 2
        assert not disk.load("cp001", message_queue.TABLE)

"""CALLs of one concern are answered in order, and none waits for what it does not need."""

from typing import Any

import pytest
import trio

from ocpp16.errors import CallFailed


def answered_to_nobody(bench: Any, count: int) -> None:
    """CALLs that were sent as mere texts are answered: the Central System objects, for it knows nothing of them."""
    assert [violation.rule for violation in bench.csms.violations] == ["an answer to no open CALL"] * count
    bench.csms.violations.clear()


async def test_a_remote_stop_does_not_wait_for_hanging_data_transfers(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.station.delays["data_transfer"] = bench.station.delays["is_reset_allowed"] = 3600
        for number in range(20):
            await bench.csms.send_text("cp001", f'[2,"d{number}","DataTransfer",{{"vendorId":"x"}}]')
        await bench.csms.send_text("cp001", '[2,"r","Reset",{"type":"Hard"}]')
        before = trio.current_time()
        assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
        assert await bench.call("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}) == {
            "status": "Accepted"
        }
        assert trio.current_time() - before < 0.1
        await trio.sleep(60)
        answered_to_nobody(bench, 21)


async def test_an_unlock_waits_for_its_own_connector_only(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.delays["unlock_connector"] = 5
        for number, connector in enumerate((1, 1, 2)):
            await bench.csms.send_text("cp001", f'[2,"u{number}","UnlockConnector",{{"connectorId":{connector}}}]')
        await trio.sleep(1)
        assert bench.station.asked("unlock_connector") == [(1,), (2,)]
        await trio.sleep(5)
        assert bench.station.asked("unlock_connector") == [(1,), (2,), (1,)]
        await trio.sleep(5)
        answered_to_nobody(bench, 3)


async def test_changes_of_one_concern_are_answered_in_order(open_bench: Any) -> None:
    async with open_bench() as bench:
        for value in range(50):
            await bench.csms.send_text(
                "cp001", f'[2,"c{value}","ChangeConfiguration",{{"key":"ConnectionTimeOut","value":"{value}"}}]'
            )
        await trio.sleep(1)
        row = bench.charge_point.configuration.get(["ConnectionTimeOut"])["configurationKey"][0]
        assert row["value"] == "49"
        assert bench.station.asked("set_connection_timeout")[-1] == (49,)
        answered_to_nobody(bench, 50)


async def test_what_may_be_in_work_has_a_bound(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.delays["data_transfer"] = 3600
        for number in range(100):
            await bench.csms.send_text("cp001", f'[2,"d{number}","DataTransfer",{{"vendorId":"x"}}]')
        await trio.sleep(1)
        with pytest.raises(CallFailed, match="GenericError"):
            await bench.call("DataTransfer", {"vendorId": "x"})
        assert bench.charge_point.connection.is_connected
        # Another action needs none of these.
        assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Rejected"}
        assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        await trio.sleep(60)
        answered_to_nobody(bench, 100)
        del bench.station.delays["data_transfer"]
        assert await bench.call("DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}


@pytest.mark.parametrize("requested", ["LogStatusNotification", "Nonsense", ""])
async def test_a_trigger_of_the_unknown_is_not_implemented(open_bench: Any, requested: str) -> None:
    async with open_bench() as bench:
        answer = await bench.csms.call("cp001", "TriggerMessage", {"requestedMessage": requested}, validated=False)
        assert answer == {"status": "NotImplemented"}
        with pytest.raises(CallFailed, match="TypeConstraintViolation"):
            await bench.csms.call("cp001", "TriggerMessage", {"requestedMessage": 5}, validated=False)

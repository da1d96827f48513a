"""What the Central System still sends while a connection of ours is closed properly."""

from typing import Any

import pytest
import trio

ANSWER = '[3,"{}",{{"transactionId":77,"idTagInfo":{{"status":"Accepted"}}}}]'


async def test_an_answer_about_a_transaction_counts(open_bench: Any) -> None:
    """Sent again, a StartTransaction might be a second transaction."""
    async with open_bench() as bench:
        bench.csms.answers["StartTransaction"] = None
        bench.begin()
        await trio.sleep(1)
        (start,) = bench.csms.calls("StartTransaction")
        bench.charge_point.connection.reconnect()
        await bench.csms.send_text("cp001", ANSWER.format(start.unique_id))
        await trio.sleep(30)
        assert bench.charge_point.connection.is_connected
        assert len(bench.sent("StartTransaction")) == 1
        assert bench.charge_point.transaction(1).transaction_id == 77


async def test_nothing_else_does(open_bench: Any) -> None:
    """What is asked cannot be answered any more; an answer to BootNotification is of the connection that ends."""
    async with open_bench() as bench:
        bench.csms.answers["BootNotification"] = None
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(1)
        boot = bench.csms.calls("BootNotification")[-1]
        bench.charge_point.connection.disconnect()
        accepted = '{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":5}'
        await bench.csms.send_text("cp001", f'[3,"{boot.unique_id}",{accepted}]')
        remote = '{"requestedMessage":"Heartbeat"}'
        await bench.csms.send_text("cp001", f'[2,"late","TriggerMessage",{remote}]')
        await trio.sleep(1)
        received = bench.charge_point.counters.calls_received
        assert received == 1, "that before the end"
        del bench.csms.answers["BootNotification"]
        bench.charge_point.connection.connect()
        await trio.sleep(60)
        assert bench.sent("Heartbeat") == []
        assert len(bench.csms.calls("BootNotification")) == 3
        bench.csms.violations.clear()


@pytest.mark.parametrize("text", ['[2,"late","Reset"]', '[2,"late",7,{}]', '[4,"late"]', "nonsense"])
async def test_what_is_no_frame_is_not_answered_on_the_next_connection(open_bench: Any, text: str) -> None:
    async with open_bench() as bench:
        bench.charge_point.connection.disconnect()
        await bench.csms.send_text("cp001", text)
        await trio.sleep(1)
        bench.charge_point.connection.connect()
        await trio.sleep(10)
        assert bench.charge_point.connection.is_connected
        assert bench.csms.violations == []

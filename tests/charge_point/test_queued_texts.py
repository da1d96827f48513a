"""A message that waits where its row stays in memory, offline or for its answer, has the text of it once."""

from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import message_queue


@pytest.mark.parametrize("is_online", [True, False])
async def test_it_has_its_text_once(open_bench: Any, make_config: Any, is_online: bool) -> None:
    store = MemoryStore()
    document = make_config(Core__MeterValuesSampledData="Energy.Active.Import.Register")
    async with open_bench(document=document, store=store) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await bench.charge_point.wait_all_answered()
        bench.csms.answers["MeterValues"] = None
        if not is_online:
            bench.charge_point.connection.disconnect()
            await trio.sleep(1)  # or it may go out yet, and is repeated, for its answer is not heard
        assert bench.charge_point.sample_now(1)
        if is_online:
            await bench.csms.wait_for_call("MeterValues")
        session = bench.charge_point._runtime.ctx.session
        (entry,) = session.outbox.waiting_of() if session.in_flight is None else [session.in_flight]
        (row,) = store.load("cp001", message_queue.TABLE)
        assert entry.action == "MeterValues"
        assert entry.is_bound == is_online
        text = row[message_queue.PAYLOAD]
        assert isinstance(text, str)
        assert entry.text() is text
        assert entry.size == len(text)
        bench.csms.answers.pop("MeterValues")
        if not is_online:
            bench.charge_point.connection.connect()
            await bench.charge_point.wait_all_answered()
            assert len(bench.sent("MeterValues")) == 1


async def test_an_end_that_waits_for_its_answer_has_its_text_once(open_bench: Any) -> None:
    """Of all messages it may be the longest. With its id it is sent as another text."""
    store = MemoryStore()
    async with open_bench(store=store) as bench:
        bench.begin()
        await bench.charge_point.wait_all_answered()
        bench.csms.answers["StopTransaction"] = None
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await bench.csms.wait_for_call("StopTransaction")
        entry = bench.charge_point._runtime.ctx.session.in_flight
        assert entry is not None
        (row,) = store.load("cp001", message_queue.TABLE)
        assert entry.text() is row[message_queue.PAYLOAD]
        assert "transactionId" in bench.sent("StopTransaction")[0]


async def test_a_text_that_is_not_ascii_counts_its_bytes(open_bench: Any, make_config: Any) -> None:
    """And is told again as it was at first."""
    signed = 'Z\u00e4hler "1", 5 \u20ac\\'
    document = make_config(
        Core__MeterValuesSampledData="Energy.Active.Import.Register",
        Core__TransactionMessageRetryInterval=5,
        SignedMeterValues__SampledDataSignUpdatedReadings=True,
    )
    store = MemoryStore()
    async with open_bench(document=document, store=store) as bench:
        bench.measure(1, 1000, signed_meter_value=signed)
        bench.begin()
        await bench.charge_point.wait_all_answered()
        bench.csms.answers["MeterValues"] = None
        assert bench.charge_point.sample_now(1)
        await bench.csms.wait_for_call("MeterValues")
        entry = bench.charge_point._runtime.ctx.session.in_flight
        assert entry is not None
        (row,) = store.load("cp001", message_queue.TABLE)
        text = row[message_queue.PAYLOAD]
        assert isinstance(text, str)
        assert entry.size == len(text.encode()) == len(text) + 3
        await trio.sleep(100)
        first, second, *_ = bench.sent("MeterValues")
        assert first == second
        assert first["meterValue"][0]["sampledValue"][-1]["value"] == signed

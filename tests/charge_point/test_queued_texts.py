"""A message that waits where its row stays in memory, offline or for its answer, has the text of it once."""

from typing import Any

import pytest

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

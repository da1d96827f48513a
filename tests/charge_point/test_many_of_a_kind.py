"""Much of the same: reports of a large station, messages by the thousand; and what is not worked out for nothing."""

import gc
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.enums import ErrorCode, Reason
from ocpp16.profiles import charging_limits
from ocpp16.rpc import pending
from ocpp16.rpc.outbox import Outbox
from ocpp16.schedule import charging_limit
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import message_queue
from ocpp16.testing import CentralSystem
from ocpp16.testing.answers import CallErrorAnswer
from ocpp16.testing.misbehaviour import Fault


def payload_bytes(outbox: Outbox) -> int:
    return sum(entry.size for entry in [*outbox._transactions, *outbox.normal()])


def weight_of_rows(store: MemoryStore | None) -> int:
    """Bytes that a store in memory has for the queued messages of its one charge point, but for their texts."""
    if store is None:
        return 0
    (tables,) = store._rows.values()
    rows = tables[message_queue.TABLE.name]
    weight = sys.getsizeof(rows)
    for key, row in rows.items():
        text = row[message_queue.PAYLOAD]
        assert isinstance(text, str)
        weight += sys.getsizeof(key) + sys.getsizeof(row) + sys.getsizeof(text) - len(text)
    return weight


IS_COMPILED = not pending.__file__.endswith(".py")


async def test_refused_reports_do_not_hold_up_those_of_other_connectors(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem()
    csms.answers["StatusNotification"] = CallErrorAnswer(ErrorCode.INTERNAL_ERROR)
    async with open_bench(csms=csms, document=make_config(Core__NumberOfConnectors=100)) as bench:
        told = {payload["connectorId"] for payload in bench.sent("StatusNotification")}
        assert trio.current_time() < 1
        assert told == set(range(101))


async def test_a_report_without_an_answer_holds_up_the_others_until_its_time_is_over(
    open_bench: Any, make_config: Any
) -> None:
    csms = CentralSystem()
    csms.misbehave(Fault.DROP, action="StatusNotification", times=1)
    async with open_bench(csms=csms, document=make_config(Core__NumberOfConnectors=100)) as bench:
        await trio.sleep(40)
        assert {payload["connectorId"] for payload in bench.sent("StatusNotification")} == set(range(101))


async def test_without_profiles_a_transaction_changes_no_limit_and_none_is_worked_out(
    open_bench: Any, profile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out: list[int] = []

    def note(profiles: Any, connector_id: int, *rest: Any, **facts: Any) -> Any:
        worked_out.append(connector_id)
        return charging_limit(profiles, connector_id, *rest, **facts)

    monkeypatch.setattr(charging_limits, "charging_limit", note)
    async with open_bench() as bench:
        for session in ("s1", "s2"):
            worked_out.clear()
            bench.begin(session_id=session)
            await trio.sleep(1)
            bench.charge_point.on_transaction_stopped(1, session, Reason.LOCAL, 1500)
            await trio.sleep(1)
            assert bool(worked_out) is (session == "s2")
            await bench.install(1, profile(1, 10))


@pytest.mark.skipif(not IS_COMPILED, reason="as an object of Python an entry is larger")
@pytest.mark.parametrize("is_on_disk", [True, False])
async def test_a_message_that_waits_costs_little_beside_its_text(
    open_bench: Any, make_config: Any, tmp_path: Path, is_on_disk: bool
) -> None:
    document = make_config(Internal__MessageQueueSizeThreshold=1_000_000)
    store = None if is_on_disk else MemoryStore()
    options = {"database_path": tmp_path} if is_on_disk else {"store": store}
    async with open_bench(document=document, **options) as bench:
        bench.begin()
        await trio.sleep(1)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)  # what was under way is back in the queue
        outbox = bench.charge_point._runtime.ctx.session.outbox

        async def queue(count: int) -> None:
            for number in range(count):
                bench.measure(1, 2000.0 + number)
                bench.charge_point.sample_now(1)
            await bench.charge_point.stored()
            gc.collect()

        await queue(100)
        tracemalloc.start()
        try:
            depth, payloads, rows = outbox.depth, payload_bytes(outbox), weight_of_rows(store)
            before = tracemalloc.get_traced_memory()[0]
            await queue(1000)
            weight = tracemalloc.get_traced_memory()[0] - before
            each = (weight - payload_bytes(outbox) + payloads - weight_of_rows(store) + rows) / 1000
        finally:
            tracemalloc.stop()
        assert outbox.depth - depth == 1000
        assert each < 300

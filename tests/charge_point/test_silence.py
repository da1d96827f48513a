"""A Central System that leaves some things unanswered: the link is asked, and the station goes on."""

from itertools import pairwise
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.observer import ConnectionStateChanged, MessageSetAside
from ocpp16.rpc.policy import MAX_WAITING_CALLS
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem

HOUR = 3600.0
DAY = 24 * HOUR


def answered_but(csms: CentralSystem, id_tag: str) -> None:
    """StartTransaction is answered, but for this id tag."""
    numbers = iter(range(1, 1000))
    csms.answers["StartTransaction"] = lambda payload, call: (
        None if payload["idTag"] == id_tag else {"transactionId": next(numbers), "idTagInfo": {"status": "Accepted"}}
    )


def csms_broke_the_rules(bench: Any) -> None:
    """What it does is not what a charge point may expect; that is what the test is about."""
    bench.csms.violations.clear()


async def sessions(bench: Any, connector_id: int, id_tag: str, count: int) -> None:
    for number in range(count):
        bench.begin(connector_id, f"{id_tag} {number}", id_tag)
        await trio.sleep(HOUR / 2)
        bench.charge_point.on_transaction_stopped(connector_id, f"{id_tag} {number}", Reason.LOCAL, 2000)
        await trio.sleep(HOUR / 2)


async def test_a_start_that_is_never_answered_silences_nobody_else(open_bench: Any) -> None:
    csms = CentralSystem()
    answered_but(csms, "POISON")
    async with open_bench(csms=csms) as bench:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sessions, bench, 1, "POISON", 8)
            nursery.start_soon(sessions, bench, 2, "GOOD", 8)
        good = [start for start in bench.sent("StartTransaction") if start["idTag"] == "GOOD"]
        assert len(good) == 8
        assert sorted(stop["transactionId"] for stop in bench.sent("StopTransaction")) == list(range(1, 9))
        assert bench.charge_point.connection.queue_depth == 16
        told = bench.events.of(MessageSetAside)
        assert [(event.action, event.connector_id) for event in told] == [("StartTransaction", 1)] * 8
        assert bench.charge_point.counters.dead_letters == 0
        assert bench.charge_point.counters.set_aside == 8

        answered_but(csms, "NOBODY")
        await trio.sleep(2 * HOUR)
        assert bench.charge_point.connection.queue_depth == 0
        assert len(bench.sent("StopTransaction")) == 16
        assert all(stop["transactionId"] > 0 for stop in bench.sent("StopTransaction"))


async def test_a_central_system_without_meter_values_gets_every_start_and_stop(
    open_bench: Any, make_config: Any
) -> None:
    csms = CentralSystem()
    csms.answers["MeterValues"] = None
    document = make_config(Core__MeterValueSampleInterval=60)
    async with open_bench(csms=csms, document=document) as bench:
        for connector_id in (1, 2):
            bench.measure(connector_id, 1000)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sessions, bench, 1, "A", 6)
            nursery.start_soon(sessions, bench, 2, "B", 6)
        await trio.sleep(HOUR / 2)
        assert len(bench.sent("StartTransaction")) == 12
        assert len(bench.sent("StopTransaction")) == 12
        assert bench.charge_point.counters.dead_letters == 0
        del csms.answers["MeterValues"]
        await trio.sleep(2 * HOUR)
        assert bench.charge_point.connection.queue_depth == 0


async def test_readings_that_outlive_their_transaction_name_it_after_a_restart(
    until_power_fails: Any, open_bench: Any, make_config: Any, tmp_path: Any
) -> None:
    csms = CentralSystem()
    csms.answers["MeterValues"] = None
    document = make_config(Core__MeterValueSampleInterval=600)
    async with until_power_fails(database_path=tmp_path, csms=csms, document=document) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(1.5 * HOUR + 1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(HOUR)
        (stop,) = bench.sent("StopTransaction")
        assert not list(bench.charge_point._runtime.ctx.transactions)
        waiting = bench.charge_point.connection.queue_depth
        assert waiting == 9
        csms_broke_the_rules(bench)
    async with until_power_fails(database_path=tmp_path, csms=csms, document=document) as bench:
        bench.begin(2, "s2", "ANOTHER")  # has not the key of the one that is over
        await trio.sleep(HOUR)
        csms_broke_the_rules(bench)
        await bench.charge_point.stored()
    async with open_bench(database_path=tmp_path, document=document) as bench:
        await trio.sleep(HOUR)
        told = [payload.get("transactionId") for payload in bench.sent("MeterValues") if payload["connectorId"] == 1]
        assert told == [stop["transactionId"]] * waiting


async def test_nor_do_those_lose_it_that_are_back_in_a_lane_that_is_held_up(
    until_power_fails: Any, open_bench: Any, make_config: Any, tmp_path: Any
) -> None:
    csms = CentralSystem()
    csms.answers["MeterValues"] = csms.answers["StopTransaction"] = None
    answered_but(csms, "POISON")
    document = make_config(Core__MeterValueSampleInterval=600, Core__TransactionMessageRetryInterval=300)
    async with until_power_fails(database_path=tmp_path, csms=csms, document=document) as bench:
        bench.measure(1, 1000)
        bench.begin(2, "s2", "POISON")
        await trio.sleep(HOUR)
        bench.begin()
        await trio.sleep(HOUR)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(HOUR)
        csms.answers["StartTransaction"] = CallErrorAnswer("InternalError")
        del csms.answers["MeterValues"], csms.answers["StopTransaction"]
        answered = len(bench.sent("MeterValues"))
        csms.abort("cp001")
        await trio.sleep(60)
        assert len(bench.sent("MeterValues")) == answered + 1
        assert [transaction.session_id for transaction in bench.charge_point._runtime.ctx.transactions] == ["s2"]
        waiting = bench.charge_point.connection.queue_depth - 1
        assert waiting >= 4
        csms_broke_the_rules(bench)
    async with open_bench(database_path=tmp_path, document=document) as bench:
        await trio.sleep(HOUR)
        told = [reading for reading in bench.sent("MeterValues") if reading["connectorId"] == 1]
        assert [reading.get("transactionId") for reading in told] == [1] * waiting


async def test_a_link_that_answers_pings_is_kept(open_bench: Any) -> None:
    csms = CentralSystem(interval=86_400)
    csms.answers["StartTransaction"] = None
    async with open_bench(csms=csms) as bench:
        bench.begin()
        await trio.sleep(DAY / 2)
        assert bench.charge_point.counters.connects == 1
        assert len(bench.events.of(MessageSetAside)) == 1


@pytest.mark.parametrize(("configured", "expected"), [(5, 5.0), (0, 30.0)])
async def test_a_dead_link_without_pings_is_met_with_one_before_it_is_given_up(
    open_bench: Any, make_config: Any, configured: int, expected: float
) -> None:
    document = make_config(Internal__WebsocketPongTimeout=configured)
    async with open_bench(csms=CentralSystem(interval=86_400), document=document) as bench:
        await trio.sleep(10)
        bench.csms.go_half_open("cp001")
        bench.begin()
        await trio.sleep(30 + expected - 0.5)
        assert bench.charge_point.connection.is_connected
        await trio.sleep(1)
        assert not bench.charge_point.connection.is_connected
        await trio.sleep(60)
        assert bench.charge_point.connection.queue_depth == 0
        assert "after a ping" in str(bench.events.of(ConnectionStateChanged)[1])


@pytest.mark.parametrize("sign", ["call", "ping"])
async def test_anything_received_after_the_ping_will_do(open_bench: Any, sign: str) -> None:
    """Also of a Central System that answers no ping."""
    csms = CentralSystem(interval=86_400)
    csms.answers["StartTransaction"] = None
    async with open_bench(csms=csms) as bench:
        await trio.sleep(10)
        websocket = csms.connected["cp001"].websocket
        websocket.answers_pings = False
        bench.begin()
        for _ in range(100):
            await trio.sleep(3)
            if sign == "call":
                await bench.call("GetConfiguration", {"key": ["HeartbeatInterval"]})
            else:
                websocket.send_ping()
                await websocket.flush()
        assert bench.charge_point.counters.connects == 1
        assert len(bench.events.of(MessageSetAside)) == 1


async def test_where_pongs_are_waited_for_for_ever_a_silence_ends_nothing(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__WebSocketPingInterval=60, Internal__WebsocketPongTimeout=0)
    csms = CentralSystem(interval=86_400)
    csms.answers["StartTransaction"] = None
    async with open_bench(csms=csms, document=document) as bench:
        await trio.sleep(10)
        csms.connected["cp001"].websocket.answers_pings = False
        bench.begin()
        await trio.sleep(HOUR)
        assert bench.charge_point.counters.connects == 1


async def test_many_calls_in_one_read_are_answered(open_bench: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(10)
        websocket = bench.csms.connected["cp001"].websocket
        for number in range(MAX_WAITING_CALLS - 1):
            websocket.send_text(f'[2,"q{number}","GetConfiguration",{{"key":["HeartbeatInterval"]}}]')
        await websocket.flush()
        await trio.sleep(10)
        answers = [record.text for record in bench.csms.traffic if record.text.startswith('[3,"q')]
        assert len(answers) == MAX_WAITING_CALLS - 1
        assert bench.charge_point.counters.connects == 1
        csms_broke_the_rules(bench)


async def test_many_calls_in_one_read_leave_other_tasks_their_turn(open_bench: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(10)
        dispatcher = bench.charge_point._runtime.features.dispatcher
        websocket = bench.csms.connected["cp001"].websocket
        for number in range(100):
            websocket.send_text(f'[2,"q{number}","GetConfiguration",{{}}]')
        await websocket.flush()
        waiting = []
        for _ in range(1000):
            waiting.append(dispatcher._waiting)
            await trio.lowlevel.checkpoint()
        assert max(waiting) > 10
        assert waiting[-1] == 0
        assert max(before - after for before, after in pairwise(waiting)) <= 2
        csms_broke_the_rules(bench)


async def test_a_boot_notification_answered_by_a_bare_status_is_an_answer(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.answers["BootNotification"] = {"status": "Accepted"}
    csms.answers["Heartbeat"] = {"currentTime": "soon"}
    async with open_bench(csms=csms) as bench:
        await trio.sleep(HOUR)
        assert len(bench.sent("BootNotification")) == 1
        assert bench.charge_point.connection.is_connected
        bench.begin()
        await trio.sleep(1)
        assert len(bench.sent("StartTransaction")) == 1
        assert bench.charge_point.counters.internal_errors == 0
        csms_broke_the_rules(bench)


@pytest.mark.parametrize("status", ["Invalid", "blocked"])
async def test_a_refusal_without_an_id_is_obeyed(open_bench: Any, make_config: Any, status: str) -> None:
    csms = CentralSystem()
    csms.answers["StartTransaction"] = {"idTagInfo": {"status": status}}
    document = make_config(Core__StopTransactionOnInvalidId=True)
    async with open_bench(csms=csms, document=document) as bench:
        bench.begin()
        await trio.sleep(100)
        assert bench.charge_point.transaction(1) is None
        assert [stop["transactionId"] for stop in bench.sent("StopTransaction")] == [-1]
        assert len(bench.sent("StartTransaction")) == 3

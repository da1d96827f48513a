"""Transactions from fact to answer (charge-point behaviour 9, 12; G-14, G-31, G-65, G-78, G-82, G-83; R1-R5, R35)."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.observer import MessageGivenUp, TransactionStarted, TransactionStopped, TransactionUpdated
from ocpp16.testing.answers import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.misbehaviour import Fault


async def test_a_transaction_online(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(10)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1234.6, id_tag_end="TAG2")
        await trio.sleep(1)
        assert bench.sent("StartTransaction") == [
            {"connectorId": 1, "idTag": "TAG1", "meterStart": 1000, "timestamp": "2026-01-01T00:00:00.100Z"}
        ]
        assert bench.sent("StopTransaction") == [
            {
                "transactionId": 1,
                "idTag": "TAG2",
                "meterStop": 1235,
                "timestamp": "2026-01-01T00:00:10.100Z",
                "reason": "Local",
            }
        ]
        assert len(bench.charge_point._runtime.ctx.transactions) == 0
        assert [type(event) for event in bench.events.seen if "Transaction" in type(event).__name__] == [
            TransactionStarted,
            TransactionUpdated,
            TransactionStopped,
        ]


async def test_what_happens_offline_is_delivered_in_order_with_the_real_id(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__MeterValueSampleInterval=10)
    async with open_bench(document=document) as bench:
        bench.csms.is_reachable = False
        bench.csms.abort("cp001")
        await trio.sleep(1)
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(25)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 1500)
        bench.charge_point.on_session_stopped(1, "s1")
        assert bench.charge_point.connection.queue_depth == 4
        bench.csms.is_reachable = True
        await trio.sleep(120)
        related = [call for call in bench.csms.calls() if call.action.endswith(("Transaction", "MeterValues"))]
        assert [call.action for call in related] == [
            "StartTransaction",
            "MeterValues",
            "MeterValues",
            "StopTransaction",
        ]
        assert [call.payload.get("transactionId") for call in related] == [None, 1, 1, 1]
        assert bench.charge_point.connection.queue_depth == 0


async def test_times_taken_before_the_clock_was_set_are_corrected(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, anchor=1000.0) as bench:
        await trio.sleep(100)
        bench.begin()
        await trio.sleep(50)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        await trio.sleep(50)
        csms.is_reachable = True
        await trio.sleep(60)
        start, stop = bench.sent("StartTransaction")[0], bench.sent("StopTransaction")[0]
        assert start["timestamp"].startswith("2026-01-01T00:01:40")
        assert stop["timestamp"].startswith("2026-01-01T00:02:30")


async def test_three_refusals_give_a_start_up_and_the_stop_is_still_sent(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.answers["StartTransaction"] = CallErrorAnswer("InternalError", "database down")
    async with open_bench(csms=csms) as bench:
        bench.begin()
        await trio.sleep(100)
        starts = csms.calls("StartTransaction")
        assert len(starts) == 3
        assert len({call.unique_id for call in starts}) == 3
        assert len({str(call.payload) for call in starts}) == 1
        waits = [round(later.time - earlier.time) for earlier, later in itertools.pairwise(starts)]
        assert waits == [10, 20]
        assert bench.charge_point.counters.dead_letters == 1
        assert bench.events.of(MessageGivenUp)[0].action == "StartTransaction"
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["transactionId"] == -1


async def test_silence_is_no_refusal(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.misbehave(Fault.DROP, "StartTransaction", times=8)
    async with open_bench(csms=csms) as bench:
        bench.begin()
        await trio.sleep(3 * 3600)
        starts = csms.calls("StartTransaction")
        assert len(starts) == 9
        waits = [round(later.time - earlier.time) for earlier, later in itertools.pairwise(starts)]
        assert waits == [40, 50, 150, 270, 510, 990, 1950, 3630]  # apart after three, then at growing intervals
        assert len({str(call.payload) for call in csms.calls("StartTransaction")}) == 1
        assert bench.charge_point.counters.dead_letters == 0
        assert bench.events.of(TransactionUpdated)[0].transaction_id == 1


async def test_an_unreadable_confirmation_is_asked_for_again(open_bench: Any) -> None:
    csms = CentralSystem()
    answers: Iterator[dict[str, Any]] = iter(
        [
            {"idTagInfo": {"status": "Accepted"}, "transactionId": "five"},
            {"idTagInfo": {"status": "Accepted"}, "transactionId": 6},
        ]
    )
    csms.answers["StartTransaction"] = lambda payload, call: next(answers)
    async with open_bench(csms=csms) as bench:
        bench.begin()
        await trio.sleep(20)
        assert bench.charge_point.transaction(1).transaction_id == 6


@pytest.mark.parametrize("stops", [True, False])
async def test_a_refused_tag_pauses_and_stops_if_configured(open_bench: Any, make_config: Any, stops: bool) -> None:
    csms = CentralSystem()
    csms.answers["StartTransaction"] = {"idTagInfo": {"status": "Invalid"}, "transactionId": 9}
    document = make_config(Core__StopTransactionOnInvalidId=stops)
    async with open_bench(csms=csms, document=document) as bench:
        bench.begin()
        await trio.sleep(1)
        assert bench.station.asked("pause_charging") == [(1,)]
        reasons = [stop["reason"] for stop in bench.sent("StopTransaction")]
        assert reasons == (["DeAuthorized"] if stops else [])


async def test_a_late_refusal_leaves_the_next_transaction_alone(open_bench: Any) -> None:
    csms = CentralSystem()
    answers = iter(
        [
            {"idTagInfo": {"status": "Blocked"}, "transactionId": 1},
            {"idTagInfo": {"status": "Accepted"}, "transactionId": 2},
        ]
    )
    csms.answers["StartTransaction"] = lambda payload, call: next(answers)
    async with open_bench(csms=csms) as bench:
        csms.is_reachable = False
        csms.abort("cp001")
        await trio.sleep(1)
        bench.begin()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        bench.begin(session_id="s2", id_tag="TAG2", meter_start=1100)
        csms.is_reachable = True
        await trio.sleep(60)
        assert bench.station.asked("pause_charging") == []
        assert [stop["transactionId"] for stop in bench.sent("StopTransaction")] == [1]
        assert bench.charge_point.transaction(1).transaction_id == 2


async def test_wrong_facts_are_refused_and_change_nothing(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        with pytest.raises(ValueError, match="no connector 3"):
            bench.begin(3)
        with pytest.raises(ValueError, match="1 to 20 characters"):
            bench.begin(id_tag="X" * 21)
        with pytest.raises(ValueError, match="no running transaction"):
            charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1)
        bench.begin()
        with pytest.raises(ValueError, match="running transaction"):
            bench.begin(session_id="s2")
        with pytest.raises(ValueError, match="no running transaction of session 'other'"):
            charge_point.on_transaction_stopped(1, "other", Reason.LOCAL, 1)
        await trio.sleep(1)
        assert len(bench.sent("StartTransaction")) == 1


async def test_power_loss_stops_with_the_last_reading(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__MeterValueSampleInterval=10)
    async with CentralSystem() as shared:
        pass  # only to show that a Central System can be left and another used on the same data
    csms = CentralSystem()
    async with until_power_fails(csms=csms, document=document, database_path=tmp_path) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(5)
        bench.measure(1, 1700)
        await trio.sleep(12)
    later = CentralSystem(first_transaction_id=50)
    async with open_bench(csms=later, document=document, database_path=tmp_path) as bench:
        await trio.sleep(1)
        stop = bench.sent("StopTransaction")
        assert [(s["transactionId"], s["meterStop"], s["reason"]) for s in stop] == [(1, 1700, "PowerLoss")]
        assert bench.sent("StartTransaction") == []
        assert shared is not later


async def test_a_start_is_found_with_its_transaction_after_a_power_cut(
    open_bench: Any, until_power_fails: Any, tmp_path: Any
) -> None:
    """The power goes before anything was measured or answered."""
    away = CentralSystem()
    away.is_reachable = False
    async with until_power_fails(csms=away, database_path=tmp_path) as bench:
        bench.begin()
    async with open_bench(database_path=tmp_path) as bench:
        await trio.sleep(1)
        (start,), (stop,) = bench.sent("StartTransaction"), bench.sent("StopTransaction")
        assert (start["meterStart"], stop["meterStop"], stop["reason"]) == (1000, 1000, "PowerLoss")
        assert stop["transactionId"] == 1


async def test_a_resumed_transaction_goes_on_sampling(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__MeterValueSampleInterval=10)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(1)
    async with open_bench(start=False, document=document, database_path=tmp_path) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        bench.measure(1, 1200)
        await trio.sleep(15)
        assert bench.sent("StopTransaction") == []
        assert [values["transactionId"] for values in bench.sent("MeterValues")] == [1]
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1300)
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["transactionId"] == 1


async def test_fewer_connectors_than_before_close_what_is_left(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    async with until_power_fails(database_path=tmp_path) as bench:
        bench.begin(2)
        await trio.sleep(1)
    document = make_config(Core__NumberOfConnectors=1)
    async with open_bench(start=False, document=document, database_path=tmp_path) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["reason"] == "PowerLoss"


async def test_orderly_stop_ends_transactions_and_sends_them(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        await bench.charge_point.stop()
        assert [stop["reason"] for stop in bench.sent("StopTransaction")] == ["Other"]


async def test_a_stop_that_waits_for_the_station_does_not_meet_the_next_transaction(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        transaction_id = bench.charge_point.transaction(1).transaction_id
        bench.station.delays["provide_token"] = 10
        assert await bench.call("RemoteStartTransaction", {"idTag": "T"}) == {"status": "Accepted"}
        assert await bench.call("RemoteStopTransaction", {"transactionId": transaction_id}) == {"status": "Accepted"}
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.begin(session_id="s2")
        await trio.sleep(30)
        assert bench.station.asked("stop_transaction") == []
        assert bench.charge_point.transaction(1).session_id == "s2"


async def test_charging_is_not_told_before_its_start_is_on_disk(open_bench: Any, disk: Any) -> None:
    async with open_bench(store=disk) as bench:
        disk.is_full = True
        before = len(bench.sent())
        bench.begin()
        bench.charge_point.on_resume_charging(1)
        await trio.sleep(10)
        assert len(bench.sent()) == before
        disk.is_full = False
        await trio.sleep(10)
        assert [call.action for call in bench.csms.calls()[before:]] == ["StartTransaction", "StatusNotification"]


async def test_a_transaction_is_of_the_session_that_began_there(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        with pytest.raises(ValueError, match="session_id: connector 1 has the session 's1', not 's2'"):
            bench.begin(1, "s2")
        bench.begin(1, "s1")
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1200)
        bench.begin(1, "s2")  # a host that does not tell of sessions

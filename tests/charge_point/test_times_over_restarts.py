"""Times of a transaction that goes on over a power cut: by two clocks, one of which may never have been set."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import Measurement, PhaseValues
from ocpp16.state.clock import to_datetime
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.misbehaviour import Fault

DAY = 86_400
ENERGY = "Energy.Active.Import.Register"


def true_time() -> int:
    return START + round(trio.current_time() * 1e6)


async def test_a_stop_of_before_the_boot_is_not_told_before_its_start_of_an_earlier_one(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    """While the clock is not set nobody can tell; when the message goes out everybody can."""
    document = make_config(Core__StopTxnSampledData=ENERGY)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        await trio.sleep(100)
        bench.begin()
        await trio.sleep(1)
    csms = CentralSystem()
    csms.is_reachable = False
    options: dict[str, Any] = {"csms": csms, "document": document, "database_path": tmp_path}
    async with open_bench(start=False, **options) as again:
        await again.charge_point.start(resuming_session_ids=["s1"])
        again.charge_point.on_transaction_stopped(
            1,
            "s1",
            Reason.LOCAL,
            1100,
            timestamp=again.charge_point.for_station.clock.now_datetime() - timedelta(hours=1),
        )
        csms.is_reachable = True
        await trio.sleep(60)
        (begin,), (stop,) = bench.sent("StartTransaction"), again.sent("StopTransaction")
        assert stop["timestamp"] == begin["timestamp"]
        assert [value["timestamp"] for value in stop["transactionData"]] == [begin["timestamp"]] * 2
        assert again.sent("MeterValues") == []


@pytest.mark.parametrize("is_cut_again", [False, True])
@pytest.mark.parametrize("off", [timedelta(), timedelta(days=3), timedelta(days=-20_000), timedelta(seconds=-0.9)])
async def test_data_of_a_transaction_over_two_clocks_is_told_in_order_and_once(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path, off: timedelta, is_cut_again: bool
) -> None:
    """It begins with a clock that is set, and ends after a power cut, offline, by one that is not and may be wrong."""
    document = make_config(Core__MeterValueSampleInterval=10, Core__StopTxnSampledData=ENERGY)
    options: dict[str, Any] = {"document": document, "database_path": tmp_path}

    async with until_power_fails(csms=CentralSystem(now=true_time), **options) as bench:
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(trio.current_time() + 1000))
        await trio.sleep(2)
        bench.begin()
        await trio.sleep(25)
    csms = CentralSystem(now=true_time)
    csms.is_reachable = False
    options |= {"csms": csms, "anchor": true_time() / 1e6 + off.total_seconds()}
    opened = until_power_fails if is_cut_again else open_bench
    async with opened(start=False, **options) as again:
        again.station.measurement = lambda number: Measurement(energy_import=PhaseValues(trio.current_time() + 1000))
        await again.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(25)
        again.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        if is_cut_again:
            await again.charge_point.stored()
        else:
            csms.is_reachable = True
            await trio.sleep(90)
    if is_cut_again:
        csms.is_reachable = True
        async with open_bench(**options):
            await trio.sleep(90)
    (begin,), (stop,) = bench.sent("StartTransaction"), again.sent("StopTransaction")
    data = [value["timestamp"] for value in stop["transactionData"]]
    assert len(data) == 6
    assert data == sorted(data)
    assert (data[0], data[-1]) == (begin["timestamp"], stop["timestamp"])
    assert abs((datetime.fromisoformat(data[-1]) - to_datetime(START + 52_000_000)).total_seconds()) < 2
    values = [
        value for told in (*bench.sent("MeterValues"), *again.sent("MeterValues")) for value in told["meterValue"]
    ]
    assert [value["timestamp"] for value in values] == data[1:-1]


async def test_data_of_before_a_power_cut_is_not_told_after_an_end_by_a_clock_that_is_a_little_slow(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    """So little that the Central System's time does not put it right (SMALLEST_SHIFT)."""
    document = make_config(Core__MeterValueSampleInterval=10, Core__StopTxnSampledData=ENERGY)
    options: dict[str, Any] = {"document": document, "database_path": tmp_path}

    async with until_power_fails(csms=CentralSystem(now=true_time), **options) as bench:
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(1000.0))
        await trio.sleep(2)
        bench.begin()
        await trio.sleep(10.1)
    csms = CentralSystem(now=true_time)
    csms.is_reachable = False
    async with open_bench(csms=csms, anchor=true_time() / 1e6 - 0.9, start=False, **options) as again:
        await again.charge_point.start(resuming_session_ids=["s1"])
        again.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        csms.is_reachable = True
        await trio.sleep(90)
        (stop,) = again.sent("StopTransaction")
        data = [value["timestamp"] for value in stop["transactionData"]]
        assert len(data) == 3
        assert data[1:] == [stop["timestamp"]] * 2


async def test_a_stop_made_up_does_not_lie_ahead_of_a_clock_that_was_put_right(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__MeterValueSampleInterval=10)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(1000.0))
        bench.begin()
        await trio.sleep(5)
        await bench.put_clock(DAY)
        await trio.sleep(20)
        await bench.put_clock(0)
    async with open_bench(document=document, database_path=tmp_path) as bench:
        await trio.sleep(1)
        (stop,) = bench.sent("StopTransaction")
        assert stop["timestamp"][:18] == "2026-01-01T00:00:2"


async def test_data_taken_offline_is_not_told_before_its_start_when_the_clock_turns_out_to_be_behind(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    """The Central System has set its clock back: nobody could tell when it was taken, but at the end."""
    document = make_config(Core__MeterValueSampleInterval=10, Core__StopTxnSampledData=ENERGY)
    options: dict[str, Any] = {"document": document, "database_path": tmp_path}
    reading = Measurement(energy_import=PhaseValues(1000.0))
    async with until_power_fails(**options) as bench:
        bench.station.measurement = lambda number: reading
        await trio.sleep(2)
        bench.begin()
        await trio.sleep(1)
    csms = CentralSystem(now=lambda: START - 3_600_000_000 + round(trio.current_time() * 1e6))
    csms.is_reachable = False
    async with open_bench(start=False, csms=csms, anchor=START / 1e6 + 60, **options) as again:
        again.station.measurement = lambda number: reading
        await again.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(15)
        csms.is_reachable = True
        await trio.sleep(90)
        again.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        await trio.sleep(5)
        (begin,), (stop,) = bench.sent("StartTransaction"), again.sent("StopTransaction")
        data = [value["timestamp"] for value in stop["transactionData"]]
        assert len(data) == 12
        assert {stop["timestamp"], *data} == {begin["timestamp"]}


@pytest.mark.parametrize("off", [timedelta(), timedelta(hours=5), timedelta(days=-400), timedelta(days=-20_000)])
@pytest.mark.parametrize("wrong", [{}, {"currentTime": "0001-01-01T00:00:00Z"}])
@pytest.mark.parametrize("is_told_later", [False, True])
async def test_a_repeat_after_a_power_cut_says_the_same_though_the_time_was_told_since(
    open_bench: Any,
    until_power_fails: Any,
    make_config: Any,
    tmp_path: Path,
    off: timedelta,
    wrong: dict[str, str],
    is_told_later: bool,
) -> None:
    """Accepted without a time: what has been told by the clock as it was is the same transaction for ever."""

    csms = CentralSystem(now=true_time)
    options: dict[str, Any] = {
        "csms": csms,
        "document": make_config(Core__StopTxnSampledData=ENERGY),
        "database_path": tmp_path,
    }

    csms.answers["BootNotification"] = {"status": "Accepted", "interval": 300, **wrong}
    csms.misbehave(Fault.DROP, "StartTransaction", times=None)
    csms.is_reachable = False
    first = {"anchor": true_time() / 1e6 + off.total_seconds()}
    async with until_power_fails(**options, **first) as bench:
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(trio.current_time() + 1000))
        bench.begin()
        await trio.sleep(5)
        csms.is_reachable = True
        await trio.sleep(10)
        assert len(csms.calls("StartTransaction")) == 1
        if is_told_later:
            await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
            await trio.sleep(40)  # until the StartTransaction has had its time
            assert bench.charge_point.for_station.clock.is_set
        await bench.charge_point.stored()
    csms.answers.clear()
    for _ in range(2):
        await trio.sleep(3600)
        async with until_power_fails(**options, anchor=true_time() / 1e6 + 77) as again:
            await trio.sleep(60)
            await again.charge_point.stored()
    csms.faults.rules.clear()
    async with open_bench(**options, anchor=true_time() / 1e6):
        await trio.sleep(120)
    starts = [call.payload for call in csms.calls("StartTransaction")]
    assert len(starts) >= 4
    assert all(start == starts[0] for start in starts)
    (stop,) = [call.payload for call in csms.calls("StopTransaction")]
    data = [value["timestamp"] for value in stop["transactionData"]]
    assert starts[0]["timestamp"] <= data[0] <= data[-1] <= stop["timestamp"]


async def test_readings_that_outlive_their_transaction_keep_their_times(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    """Taken by a clock that was days ahead, and told as of the begin of their transaction: so they are ever after."""
    csms = CentralSystem()
    options: dict[str, Any] = {
        "csms": csms,
        "document": make_config(Core__MeterValueSampleInterval=10),
        "database_path": tmp_path,
    }
    async with until_power_fails(**options) as bench:
        await trio.sleep(1)
        bench.begin()
        await trio.sleep(5)
        csms.is_reachable = False
        csms.abort("cp001")
    csms.answers["MeterValues"] = None
    now = csms.standard_answers.now
    csms.standard_answers.now = lambda: now() - 3 * DAY * 1_000_000
    async with until_power_fails(start=False, **options) as bench:
        bench.measure(1, 1000)
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(35)
        csms.is_reachable = True
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(600)
        assert len(csms.calls("StopTransaction")) == 1
        await bench.charge_point.stored()
        waiting = bench.charge_point.connection.queue_depth
        assert waiting >= 3
    del csms.answers["MeterValues"]
    (begin,) = [call.payload["timestamp"] for call in csms.calls("StartTransaction")]
    before = len(csms.calls("MeterValues"))
    async with open_bench(**options):
        await trio.sleep(600)
    told = [call.payload for call in csms.calls("MeterValues")][before:]
    assert [reading["meterValue"][0]["timestamp"] for reading in told] == [begin] * waiting

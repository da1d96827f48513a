"""Which messages wait, and which go when too much waits: with a database, over the loss of power and back online."""

import gc
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.models import PhaseValues
from ocpp16.rpc.pending import Entry
from ocpp16.testing import CallErrorAnswer, CentralSystem

SAMPLES = 100
INTERVAL = 10
ENERGY = "Energy.Active.Import.Register"
OTHER = "Energy.Active.Export.Register,Energy.Reactive.Import.Register,Power.Factor"


def rows(folder: Path) -> list[str]:
    """The actions of what is stored to be sent, in order."""
    [path] = folder.glob("*.db")
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute("SELECT action FROM message_queue ORDER BY sequence")]


def size_of(path: Path) -> int:
    """Bytes of a database with what is still in its log."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def unreachable() -> CentralSystem:
    csms = CentralSystem()
    csms.is_reachable = False
    return csms


async def charge(bench: Any) -> None:
    """A whole transaction with a hundred readings, 1000 Wh to 1500 Wh; nobody is asked."""
    charge_point = bench.charge_point
    bench.measure(1, 1000)
    charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
    bench.begin()
    for number in range(1, SAMPLES + 1):
        bench.measure(1, 1000 + number)
        await trio.sleep(INTERVAL)
    charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
    await trio.sleep(1)


def energies(bench: Any) -> list[float]:
    return [
        float(sample["value"])
        for request in bench.sent("MeterValues")
        for reading in request["meterValue"]
        for sample in reading["sampledValue"]
    ]


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        ({"Internal__MessageQueueSizeThreshold": 12}, 12),
        ({"Internal__MessageQueueByteLimit": 15_000}, 40),
        ({"Internal__MessageQueueSizeThreshold": 1}, 6),
    ],
    ids=["count", "bytes", "less than must stay"],
)
async def test_readings_are_thinned_and_the_transaction_stays(
    until_power_fails: Any, make_config: Any, tmp_path: Path, limit: dict[str, int], most: int
) -> None:
    """What is dropped is dropped on the disk too; what is left covers the whole time, the newest reading included."""
    database = tmp_path / "database"
    document = make_config(
        Core__MeterValueSampleInterval=INTERVAL,
        Core__MeterValuesSampledData="Energy.Active.Import.Register",
        Core__AllowOfflineTxForUnknownId=True,
        **limit,
    )
    options: dict[str, Any] = {"document": document, "database_path": database}
    async with until_power_fails(csms=unreachable(), **options) as bench:
        await charge(bench)
        depth = bench.charge_point.connection.queue_depth
    stored = rows(database)
    assert stored.count("StartTransaction") == stored.count("StopTransaction") == 1
    assert stored[0] == "StartTransaction"
    assert 1 <= stored.count("MeterValues") <= most
    assert depth == len(stored) + 1, "BootNotification waits, and is not stored"
    async with until_power_fails(**options) as bench:
        await trio.sleep(5)
        [start], [stop] = bench.sent("StartTransaction"), bench.sent("StopTransaction")
        assert (start["meterStart"], stop["meterStop"]) == (1000, 1500)
        told = energies(bench)
        assert len(bench.sent("MeterValues")) == stored.count("MeterValues")
        assert told == sorted(told)
        assert told[-1] >= 1000 + SAMPLES - 1
        assert {one["transactionId"] for one in bench.sent("MeterValues")} == {stop["transactionId"]}
        order = [call.action for call in bench.csms.calls() if call.action in set(stored)]
        assert order == stored
    assert rows(database) == []


@pytest.mark.parametrize(
    ("measurands", "readings"),
    [
        (ENERGY, 4000),
        (f"{ENERGY},Power.Active.Import", 3000),
        (f"{ENERGY},Power.Active.Import,Current.Import,Voltage", 2000),
        (f"{ENERGY},Power.Active.Import,Current.Import,Voltage,Power.Reactive.Import,Frequency,{OTHER}", 2000),
    ],
    ids=["one value", "five values", "ten values", "thirty values"],
)
async def test_what_is_queued_takes_no_more_of_the_disk_than_it_may(
    until_power_fails: Any, make_config: Any, tmp_path: Path, measurands: str, readings: int
) -> None:
    """The file, with what is free in it and between its rows, over many rounds of thinning; not the payloads alone."""
    database = tmp_path / "database"
    empty = make_config()
    async with until_power_fails(csms=unreachable(), document=empty, database_path=database):
        await trio.sleep(1)
    [path] = database.glob("*.db")
    before = size_of(path)
    limit = 500_000
    phases = PhaseValues(1000.0, 333.0, 333.0, 334.0, 0.5)
    document = make_config(
        Internal__SupportedMeasurands=measurands,
        Core__MeterValuesSampledData=measurands,
        Core__MeterValueSampleInterval=0,
        Core__AllowOfflineTxForUnknownId=True,
        Internal__MessageQueueByteLimit=limit,
    )
    async with until_power_fails(csms=unreachable(), document=document, database_path=database) as bench:
        bench.begin()
        for number in range(readings):
            bench.measure(
                1,
                1000 + number,
                power=phases,
                current=phases,
                voltage=phases,
                reactive_power=phases,
                frequency=phases,
                energy_export=phases,
                reactive_energy_import=phases,
                power_factor=PhaseValues(0.99),
            )
            bench.charge_point.sample_now(1)
            if number % 50 == 0:
                await bench.charge_point.stored()
        await bench.charge_point.stored()
        assert bench.charge_point.counters.dropped > 0
    assert limit // 4 < size_of(path) - before < limit


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({}, []),
        ({"Internal__QueueAllMessages": True}, ["StatusNotification"]),
        (
            {
                "Internal__QueueAllMessages": True,
                "Internal__MessageTypesDiscardForQueueing": "StatusNotification,Heartbeat",
            },
            [],
        ),
        ({"Internal__MessageTypesDiscardForQueueing": "StatusNotification"}, []),
    ],
    ids=["off", "all", "all but some", "none of none"],
)
async def test_which_messages_outlive_the_power(
    until_power_fails: Any, make_config: Any, tmp_path: Path, keys: dict[str, Any], kept: list[str]
) -> None:
    """With QueueAllMessages a status is stored, unless MessageTypesDiscardForQueueing names it. What somebody waits
    for never is, nor is BootNotification."""
    database = tmp_path / "database"
    options: dict[str, Any] = {"document": make_config(**keys), "database_path": database}
    async with until_power_fails(csms=unreachable(), **options) as bench:
        await trio.sleep(1)
        bench.charge_point.on_session_started(2, "s1", SessionStartedReason.EV_CONNECTED)
        began = trio.current_time()
        await bench.charge_point.authorize_id_token("TAG")
        assert await bench.charge_point.data_transfer("V") is None
        assert trio.current_time() == began
    assert sorted(set(rows(database))) == kept
    async with until_power_fails(**options) as bench:
        await trio.sleep(5)
        assert len(bench.sent("BootNotification")) == 1
        assert bench.sent("Authorize") == bench.sent("DataTransfer") == []
        told = [one["status"] for one in bench.sent("StatusNotification") if one["connectorId"] == 2]
        assert ("Preparing" in told) is bool(kept)
        assert told[-1] == "Available", "the car is not known to the next start"
    assert rows(database) == []


async def test_what_waited_leaves_at_the_replay_rate(open_bench: Any, make_config: Any) -> None:
    """What happens now does not wait behind it, and nor is it paced."""
    document = make_config(
        Internal__MessageReplayRate=2,
        Core__MeterValueSampleInterval=INTERVAL,
        Core__AllowOfflineTxForUnknownId=True,
    )
    csms = unreachable()
    async with open_bench(csms=csms, document=document) as bench:
        await charge(bench)
        csms.is_reachable = True
        charge_point = bench.charge_point
        charge_point.connection.disconnect()
        charge_point.connection.connect()
        await trio.sleep(20)
        first = len(bench.sent("MeterValues"))
        assert 38 <= first <= 42
        began = trio.current_time()
        await bench.charge_point.authorize_id_token("TAG")
        assert trio.current_time() - began < 0.5
        await trio.sleep(10)
        assert 18 <= len(bench.sent("MeterValues")) - first <= 22
        await trio.sleep(60)
        assert len(bench.sent("StopTransaction")) == 1
        assert bench.charge_point.connection.queue_depth == 0


async def test_offline_nothing_is_kept_of_what_was_dropped(open_bench: Any, make_config: Any) -> None:
    """While no clock is set, either."""
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(document=make_config(Internal__MessageQueueSizeThreshold=20), csms=csms) as bench:
        bench.begin(1)
        gc.collect()
        before = sum(type(one) is Entry for one in gc.get_objects())
        for number in range(300):
            bench.measure(1, 1000 + number)
            bench.charge_point.sample_now(1)
        await bench.charge_point.stored()
        gc.collect()
        kept = sum(type(one) is Entry for one in gc.get_objects()) - before
        assert bench.charge_point.connection.queue_depth <= 20
        assert kept <= 30


async def test_a_status_of_before_a_restart_is_not_told_as_the_present(
    until_power_fails: Any, open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    """QueueAllMessages keeps it; refused, it would come behind what is true by now."""
    document = make_config(Internal__QueueAllMessages=True, Core__TransactionMessageRetryInterval=20)
    options: dict[str, Any] = {"document": document, "database_path": tmp_path / "database"}
    csms = CentralSystem()
    async with until_power_fails(csms=csms, **options) as bench:
        await trio.sleep(1)
        csms.is_reachable = False
        csms.abort("cp001")
        await trio.sleep(1)
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
    assert rows(options["database_path"]) == ["StatusNotification"]
    csms = CentralSystem()
    refused: list[str] = []

    def answer(payload: dict[str, Any], call: Any) -> Any:
        if payload["status"] == "Preparing" and len(refused) < 2:
            refused.append(payload["status"])
            return CallErrorAnswer("InternalError")
        return {}

    csms.answers["StatusNotification"] = answer
    async with open_bench(csms=csms, **options) as bench:
        await trio.sleep(300)
    assert refused
    told = [payload["status"] for payload in bench.sent("StatusNotification") if payload["connectorId"] == 1]
    assert told[-1] == "Available"

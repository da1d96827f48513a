"""What charge points, connectors and messages cost in memory, as slopes, each figure from a process of its own.

    python benchmarks/run.py memory [--quick]
    python benchmarks/memory.py KIND COUNT        # one child: prints KiB in use with so many
    python benchmarks/memory.py KIND LOW HIGH     # the same of messages that wait: prints bytes of each one more

A charge point here is the whole thing: features, simulated station with a meter, its end of a stream in memory and its
tasks; booted, accepted, idle. The Central System's share is measured with clients that are nothing but the bytes of a
handshake, and subtracted. What one costs over TCP is measured by `fleet.py`.

A message that waits is a MeterValues of ten sampled values, told offline. What it costs is given without its payload,
whose text is there once, and without its row: on disk that is not in memory, and of a store in memory it is the
store's, which is measured by itself.
"""

import gc
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path

import trio
import trio.testing
from children import measured, memory_in_use, progress, tell
from figures import note
from fleet import ID_TAG, configuration

from ocpp16 import ChargePoint, open_charge_point, open_charge_points
from ocpp16.enums import Reason
from ocpp16.models import Measurement, PhaseValues
from ocpp16.simulation import SimulatedStation
from ocpp16.store.base import Store
from ocpp16.store.memory import MemoryStore
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import message_queue
from ocpp16.testing import CentralSystem

HANDSHAKE = (
    "GET /ocpp/raw{number} HTTP/1.1\r\nHost: csms.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


async def together(count: int) -> None:
    """Charge points of one block, on one store."""
    async with CentralSystem(record_limit=0) as csms, open_charge_points() as charge_points:
        for number in range(count):
            station = SimulatedStation(meter_interval=0, seed=number)
            document = configuration(number, 1)
            await _boot(await charge_points.open(document, station, connector=csms.connector), station)
        _tell()


async def apart(count: int) -> None:
    """Charge points each of which has a block and a store of its own."""
    async with CentralSystem(record_limit=0) as csms, AsyncExitStack() as stack:
        for number in range(count):
            station = SimulatedStation(meter_interval=0, seed=number)
            block = open_charge_point(configuration(number, 1), station, connector=csms.connector)
            await _boot(await stack.enter_async_context(block), station)
        _tell()


async def raw_clients(count: int) -> None:
    """Connections of the Central System, and nothing on their other end."""
    async with CentralSystem(record_limit=0) as csms:
        streams = []
        for number in range(count):
            stream = csms.stream()
            await stream.send_all(HANDSHAKE.format(number=number).encode())
            streams.append(stream)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(csms.connected) == count
        _tell()


async def connectors(count: int) -> None:
    """Of one idle station."""
    async with CentralSystem(record_limit=0) as csms:
        station = SimulatedStation(meter_interval=0, seed=1, fuse_limit=10_000)
        document = configuration(1, 1)
        document["Core"]["NumberOfConnectors"] = count
        async with open_charge_point(document, station, connector=csms.connector) as charge_point:
            await _boot(charge_point, station)
            _tell()


async def messages(count: int) -> None:
    """That wait in a store in memory, of transactions that were told offline."""
    document = configuration(1, 1)
    document["Internal"]["MessageQueueSizeThreshold"] = 1_000_000
    async with open_charge_point(document, SimulatedStation(meter_interval=0)) as charge_point:
        await charge_point.start()
        charge_point.connection.disconnect()
        for number in range(count // 2):
            charge_point.on_transaction_started(1, f"s{number}", ID_TAG, 0)
            charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1)
        await trio.testing.wait_all_tasks_blocked(0.05)
        _tell()


async def queued_on_disk(low: int, high: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.db"

        def payloads() -> int:
            with sqlite3.connect(path) as connection:
                (found,) = connection.execute("SELECT sum(length(CAST(payload AS BLOB))) FROM message_queue").fetchone()
                return int(found)

        await _queued(SqliteStore.open(path), low, high, payloads)


async def queued_in_memory(low: int, high: int) -> None:
    store = MemoryStore()
    payload = message_queue.TABLE.narrowed("payload")
    identity = str(configuration(1, 1)["Internal"]["ChargePointId"])
    await _queued(store, low, high, lambda: sum(len(str(row[-1])) for row in store.load(identity, payload)))


async def _queued(store: Store, low: int, high: int, payloads: Callable[[], int]) -> None:
    """One process sees both numbers: what it shares with others, and so the pages it is said to have, changes."""
    document = configuration(1, 1)
    document["Internal"]["MessageQueueSizeThreshold"] = 1_000_000
    async with open_charge_point(document, SimulatedStation(meter_interval=0), store=store) as charge_point:
        await charge_point.start()
        charge_point.connection.disconnect()
        charge_point.on_transaction_started(1, "s", ID_TAG, 0)
        found: list[tuple[int, int, int]] = []
        for number in range(high):
            charge_point.on_meter_values(
                1,
                Measurement(
                    energy_import=PhaseValues(total=float(number)),
                    power=PhaseValues(11_000.0, 3667.0, 3667.0, 3666.0),
                    current=PhaseValues(l1=16.0, l2=16.0, l3=16.0),
                    voltage=PhaseValues(l1=230.0, l2=230.0, l3=230.0),
                ),
            )
            charge_point.sample_now(1)
            if number % 100 == 0:
                await charge_point.stored()
            if number + 1 in (low, high):
                await charge_point.stored()
                gc.collect()
                found.append((charge_point.connection.queue_depth, memory_in_use(), payloads()))
        (few, before, short), (many, after, long) = found
        count = many - few
        tell(bytes_each=(after - before) / count, payload=(long - short) / count)
        os._exit(0)


async def stored_rows(low: int, high: int) -> None:
    """Of such messages in a store in memory, by themselves, their payload's text included."""
    store, found = MemoryStore(), []
    payload = "x" * 1400
    for number in range(high):
        text = payload + str(number)
        store.apply([("CP", [message_queue.put_written(number + 1000, 1, "MeterValues", text, 0, 1000, 0)])])
        if number + 1 in (low, high):
            gc.collect()
            found.append(memory_in_use())
    tell(bytes_each=(found[1] - found[0]) / (high - low), payload=1400 + len(str(high)))
    os._exit(0)


async def _boot(charge_point: ChargePoint, station: SimulatedStation) -> None:
    await charge_point.start()
    station.power_up()
    await charge_point.wait_all_answered()


def _tell() -> None:
    gc.collect()
    tell(kib=memory_in_use() / 1024)
    os._exit(0)  # to close thousands in order takes its time, and nobody asks for it


KINDS: dict[str, Callable[..., Coroutine[None, None, None]]] = {
    function.__name__: function
    for function in (
        together,
        apart,
        raw_clients,
        connectors,
        messages,
        queued_on_disk,
        queued_in_memory,
        stored_rows,
    )
}


def slope(kind: str, low: int, high: int) -> float:
    """KiB for each one more."""
    found = []
    for count in (low, high):
        progress(f"memory: {count} {kind}")
        found.append(float(measured("memory.py", kind, count)["kib"]))
    return (found[1] - found[0]) / (high - low)


def run(*, is_quick: bool) -> None:
    low, high = (20, 100) if is_quick else (200, 1000)
    server = slope("raw_clients", low, high)
    text = "an idle charge point of a block of many, with station and its end of a stream in memory"
    note("memory.together", text, slope("together", low, high) - server, "KiB", at_most=32)
    text = "the same, with a block and a store of its own"
    note("memory.apart", text, slope("apart", low, high) - server, "KiB")
    note("memory.connector", "a further connector, idle", slope("connectors", low, high), "KiB", at_most=4)
    each = slope("messages", 10 * low, 10 * high) * 1024
    note("memory.message", "a message of a transaction that waits, with its payload, rows included", each, "bytes")
    low, high = (200, 1000) if is_quick else (5000, 15_000)
    beside = {kind: _beside_payload(kind, low, high) for kind in ("queued_on_disk", "queued_in_memory", "stored_rows")}
    text = "a MeterValues that waits and is on disk, beside its payload"
    note("memory.queued_on_disk", text, beside["queued_on_disk"], "bytes", at_most=300)
    text = "the same with a store in memory, beside the store's row, too"
    note("memory.queued_in_memory", text, beside["queued_in_memory"] - beside["stored_rows"], "bytes", at_most=300)
    note("memory.stored_row", "that row, beside its payload", beside["stored_rows"], "bytes")


def _beside_payload(kind: str, low: int, high: int) -> float:
    """Bytes of each one more but for the text of its payload."""
    progress(f"memory: {high} {kind}")
    found = measured("memory.py", kind, low, high)
    return float(found["bytes_each"] - found["payload"])


if __name__ == "__main__":
    trio.run(KINDS[sys.argv[1]], *map(int, sys.argv[2:]))

"""What charge points, connectors and messages cost in memory, as slopes, each figure from a process of its own.

    python benchmarks/run.py memory [--quick]
    python benchmarks/memory.py KIND COUNT    # one child: prints KiB in use with so many

A charge point here is the whole thing: features, simulated station with a meter, its end of a stream in memory and its
tasks; booted, accepted, idle. The Central System's share is measured with clients that are nothing but the bytes of a
handshake, and subtracted. What one costs over TCP is measured by `fleet.py`.
"""

import gc
import os
import sys
from contextlib import AsyncExitStack

import trio
import trio.testing
from children import measured, memory_in_use, progress, tell
from figures import note
from fleet import ID_TAG, configuration

from ocpp16 import ChargePoint, open_charge_point, open_charge_points
from ocpp16.enums import Reason
from ocpp16.simulation import SimulatedStation
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


async def _boot(charge_point: ChargePoint, station: SimulatedStation) -> None:
    await charge_point.start()
    station.power_up()
    await charge_point.wait_all_answered()


def _tell() -> None:
    gc.collect()
    tell(kib=memory_in_use() / 1024)
    os._exit(0)  # to close thousands in order takes its time, and nobody asks for it


KINDS = {function.__name__: function for function in (together, apart, raw_clients, connectors, messages)}


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


if __name__ == "__main__":
    trio.run(KINDS[sys.argv[1]], int(sys.argv[2]))

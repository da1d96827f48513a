"""What an idle charge point costs in memory, as a slope, each figure from a process of its own.

    python benchmarks/memory.py                 # the table
    python benchmarks/memory.py charge_points 1000   # one child: prints KiB of memory in use

A charge point here is the whole thing: session, features, connectors, simulated station with a meter, its end of the
stream and its tasks; booted, accepted, idle. The Central System's share is measured with clients that are nothing but
the bytes of a handshake, and subtracted.
"""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import trio
import trio.testing

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.keeper import StoredConfiguration
from ocpp16.charge_point.runtime import Runtime
from ocpp16.configuration.configuration import Configuration
from ocpp16.models import Counters
from ocpp16.rpc.ids import uuid_ids
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.simulation.station import SimulatedStation
from ocpp16.state.clock import Clock
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.dial import Endpoint

DOCUMENT: dict[str, dict[str, object]] = {
    "Internal": {
        "CentralSystemURI": "ws://csms.example/ocpp/",
        "ChargePointModel": "M1",
        "ChargePointVendor": "V1",
    },
    "Core": {"NumberOfConnectors": 1, "HeartbeatInterval": 300},
    "Security": {"SecurityProfile": 0},
}
HANDSHAKE = (
    "GET /ocpp/raw{number} HTTP/1.1\r\nHost: csms.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


def memory_in_use() -> int:
    """Bytes of this process that are its own."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this kernel tells no Pss")


async def charge_points(count: int) -> float:
    """KiB in use with this many idle charge points."""
    journal = Journal(MemoryStore())
    async with CentralSystem(record_limit=0) as csms, trio.open_nursery() as nursery:

        async def connector(endpoint: Endpoint) -> trio.abc.Stream:
            return await csms.connector(endpoint)

        for number in range(count):
            document = {**DOCUMENT, "Internal": {**DOCUMENT["Internal"], "ChargePointId": f"cp{number}"}}
            station = SimulatedStation(meter_interval=0, seed=number)
            configuration = Configuration.load(document)
            runtime = Runtime(
                configuration=configuration,
                station=station,
                journal=journal,
                nursery=nursery,
                clock=Clock(trio.current_time, 0),
                connector=connector,
                keeper=StoredConfiguration(configuration, journal),
                feed=None,
                counters=Counters(),
                new_id=uuid_ids(None),
                random=RANDOM,
                tolerance=Tolerance.DEFAULT,
                trace_messages=False,
            )
            await runtime.prepare()
            nursery.start_soon(runtime.run_pump)
            charge_point = ChargePoint(runtime)
            station.attach(charge_point)
            await charge_point.start()
            station.power_up()
            if number % 50 == 0:
                await trio.testing.wait_all_tasks_blocked()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(csms.connected) == count
        gc.collect()
        print(json.dumps(memory_in_use() / 1024), flush=True)
        os._exit(0)  # the tasks of a charge point are shielded from a mere cancellation


async def raw_clients(count: int) -> float:
    """KiB in use with this many connections of the Central System and nothing on their other end."""
    async with CentralSystem(record_limit=0) as csms:
        streams = []
        for number in range(count):
            stream = csms.stream()
            await stream.send_all(HANDSHAKE.format(number=number).encode())
            streams.append(stream)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(csms.connected) == count
        gc.collect()
        return memory_in_use() / 1024


def measured(kind: str, count: int) -> float:
    """The figure of one child process."""
    child = [sys.executable, __file__, kind, str(count)]
    return float(json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout))


def slope(kind: str, low: int = 200, high: int = 1000) -> float:
    """KiB for each one more."""
    return (measured(kind, high) - measured(kind, low)) / (high - low)


RANDOM = Random(0)

if __name__ == "__main__":
    if len(sys.argv) == 3:
        kind = {"charge_points": charge_points, "raw_clients": raw_clients}[sys.argv[1]]
        print(json.dumps(trio.run(kind, int(sys.argv[2]))))
    else:
        both, server = slope("charge_points"), slope("raw_clients")
        print(f"charge point with both ends of the stream  {both:6.1f} KiB")
        print(f"the Central System's share                 {server:6.1f} KiB")
        print(f"idle charge point                          {both - server:6.1f} KiB   (target: 32)")

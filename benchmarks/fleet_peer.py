"""The child of `fleet.py` for the peer: so many charge points of `ocpp` on `websockets` and asyncio.

    python benchmarks/fleet_peer.py PORT COUNT [unvalidated]

Each connects, boots, and says the status of its connector; when all have, each sends Heartbeat, StartTransaction, ten
MeterValues of ten values, StopTransaction. `unvalidated`: with `skip_schema_validation`.
"""

import asyncio
import sys
from typing import Any

import websockets
from children import allow_files, cpu_seconds, memory_in_use, tell
from fleet import METER_VALUES, VALUES
from ocpp.v16 import ChargePoint, call
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus
from payloads import sampled_values

TIME = "2026-01-05T10:15:30Z"
ID_TAG = "044943121F1D80"
AT_ONCE = 200
"""Handshakes at a time."""
CALLS = METER_VALUES + 3
"""Of each in the transaction phase."""


class Fleet:
    def __init__(self, port: int, count: int, *, is_validated: bool) -> None:
        self.port = port
        self.count = count
        self.options = {"skip_schema_validation": not is_validated}
        self.limit = asyncio.Semaphore(AT_ONCE)
        self.up = 0
        self.all_up = asyncio.Event()
        self.ready: dict[str, float] = {}

    async def run(self) -> None:
        base, began = memory_in_use(), cpu_seconds()
        async with asyncio.TaskGroup() as group:
            for number in range(self.count):
                group.create_task(self.drive(number))
        seconds = cpu_seconds() - self.ready["cpu"]
        tell(
            cpu_us_per_call=seconds / self.count / CALLS * 1e6,
            kib=(self.ready["memory"] - base) / self.count / 1024,
            memory_kib=self.ready["memory"] / 1024,
            boot_ms=(self.ready["cpu"] - began) / self.count * 1e3,
        )

    async def drive(self, number: int) -> None:
        identity = f"CP{number:05}"
        async with self.limit:
            websocket = await websockets.connect(
                f"ws://127.0.0.1:{self.port}/{identity}",
                subprotocols=[websockets.Subprotocol("ocpp1.6")],
                compression=None,
                ping_interval=None,
                open_timeout=120,
            )
        charge_point = ChargePoint(identity, websocket, response_timeout=300)
        reading = asyncio.create_task(charge_point.start())
        await self.ask(charge_point, call.BootNotification("Single", "Example"))
        status = call.StatusNotification(1, ChargePointErrorCode.no_error, ChargePointStatus.available)
        await self.ask(charge_point, status)
        self.up += 1
        if self.up == self.count:
            self.ready = {"cpu": cpu_seconds(), "memory": memory_in_use()}
            self.all_up.set()
        await self.all_up.wait()
        await self.ask(charge_point, call.Heartbeat())
        started = await self.ask(charge_point, call.StartTransaction(1, ID_TAG, 0, TIME))
        for _ in range(METER_VALUES):
            value = [{"timestamp": TIME, "sampled_value": sampled_values(VALUES)}]
            await self.ask(charge_point, call.MeterValues(1, value, started.transaction_id))
        await self.ask(charge_point, call.StopTransaction(100, TIME, started.transaction_id))
        reading.cancel()
        await websocket.close()

    async def ask(self, charge_point: Any, request: Any) -> Any:
        return await charge_point.call(request, **self.options)


async def main() -> None:
    await Fleet(int(sys.argv[1]), int(sys.argv[2]), is_validated="unvalidated" not in sys.argv).run()


if __name__ == "__main__":
    allow_files(int(sys.argv[2]) + 100)
    asyncio.run(main())

"""Whole paths in µs: a CALL to its CALLRESULT, a StartTransaction to its answer with the disk in between.

One process holds both ends, so the Central System's half is in the figures; `ocpp` 2.1.0 does the first beside ours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import trio
import trio.testing
from figures import note

from ocpp16.charge_point.open import open_charge_point
from ocpp16.codec import Call as CallFrame
from ocpp16.codec import CallResult, parse, serialize
from ocpp16.enums import Reason
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.stations import RecordingStation
from ocpp16.transport.websocket import WebSocket

CONFIG = {
    "Internal": {
        "ChargePointId": "cp001",
        "CentralSystemURI": "ws://csms.example/ocpp/",
        "ChargePointModel": "M1",
        "ChargePointVendor": "V1",
    },
    "Core": {"NumberOfConnectors": 1},
    "Security": {"SecurityProfile": 0, "DisableSecurityEventNotifications": True},
}
ROUNDS, CALLS = 15, 200


async def round_trips(count: int) -> float:
    """Seconds for each TriggerMessage-sized CALL (UnlockConnector) over a memory stream and back."""
    async with (
        CentralSystem(record_limit=0) as csms,
        open_charge_point(CONFIG, RecordingStation(), connector=csms.connector) as charge_point,
    ):
        await charge_point.start()
        await trio.testing.wait_all_tasks_blocked()
        websocket: WebSocket = csms.connected["cp001"].websocket
        best = float("inf")
        for _ in range(ROUNDS):
            began = perf_counter()
            for _ in range(count):
                await csms.call("cp001", "UnlockConnector", {"connectorId": 1})
            best = min(best, (perf_counter() - began) / count)
        assert websocket.is_open
    return best


async def peer_round_trips(count: int) -> float:
    """The same with `ocpp` on asyncio: its own `route_message`, an in-memory connection, no WebSocket frames at all."""
    from ocpp.routing import on
    from ocpp.v16 import ChargePoint, call_result
    from ocpp.v16.enums import UnlockStatus

    class Connection:
        def __init__(self) -> None:
            self.sent: list[str] = []

        async def send(self, text: str) -> None:
            self.sent.append(text)

    class Peer(ChargePoint):
        @on("UnlockConnector")
        async def unlock(self, **kwargs: Any) -> Any:
            return call_result.UnlockConnector(status=UnlockStatus.unlocked)

    connection = Connection()
    peer = Peer("cp001", connection)
    best = float("inf")
    for _ in range(ROUNDS):
        texts = [f'[2,"{number}","UnlockConnector",{{"connectorId":1}}]' for number in range(count)]
        began = perf_counter()
        for text in texts:
            await peer.route_message(text)
        best = min(best, (perf_counter() - began) / count)
    assert len(connection.sent) == ROUNDS * count
    return best


async def durable_starts(folder: Path, count: int) -> float:
    """Seconds from `on_transaction_started` to the confirmed transaction id, on disk before it was sent (FULL)."""
    async with (
        CentralSystem(record_limit=0) as csms,
        open_charge_point(CONFIG, RecordingStation(), connector=csms.connector, database_path=folder) as charge_point,
    ):
        await charge_point.start()
        await trio.sleep(0.2)
        best = float("inf")
        for number in range(count):
            began = perf_counter()
            transaction = charge_point.on_transaction_started(1, f"s{number}", "TAG1", 1000)
            while transaction.transaction_id is None:
                await trio.lowlevel.checkpoint()
            best = min(best, perf_counter() - began)
            charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1100)
            while len(charge_point._runtime.ctx.transactions):
                await trio.lowlevel.checkpoint()
    return best


def test_codec_floor_of_a_round_trip(benchmark: Any) -> None:
    """What of it is parsing and serializing, both ends."""
    text = serialize(CallFrame("19223201", "UnlockConnector", {"connectorId": 1}))
    answer = CallResult("19223201", {"status": "Unlocked"})

    def both() -> None:
        parse(text)
        parse(serialize(answer))

    benchmark(both)


def measure(benchmark: Any, name: str, text: str, seconds: Callable[[], float], at_most: float | None = None) -> None:
    """Put a best-of figure into the table of pytest-benchmark, and into the report."""
    benchmark.extra_info["microseconds"] = round(seconds() * 1e6, 1)
    benchmark.pedantic(lambda: None, rounds=1)
    print()
    note(f"round_trip.{name}", text, benchmark.extra_info["microseconds"], "µs", at_most=at_most)


def in_trio(function: Callable[..., Awaitable[float]], *arguments: Any) -> Callable[[], float]:
    return lambda: trio.run(function, *arguments)


def test_call_to_call_result(benchmark: Any) -> None:
    text = "a CALL of the Central System, handled and answered"
    measure(benchmark, "call", text, in_trio(round_trips, CALLS), at_most=120)


def test_call_to_call_result_in_ocpp_without_a_websocket(benchmark: Any) -> None:
    text = "the same in `ocpp`, without a WebSocket"
    measure(benchmark, "peer", text, lambda: asyncio.run(peer_round_trips(CALLS)))


def test_start_transaction_durable_and_acknowledged(benchmark: Any, tmp_path: Path) -> None:
    text = "StartTransaction told, on disk (FULL), sent and confirmed"
    measure(benchmark, "start", text, in_trio(durable_starts, tmp_path, 100))

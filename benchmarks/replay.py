"""Messages that waited on disk: what they cost in memory when they are read, and how fast they go out.

python benchmarks/run.py replay [--quick]
python benchmarks/replay.py fill FOLDER COUNT      # one child: transactions told offline, two messages each
python benchmarks/replay.py drain FOLDER PORT      # another: opens, connects, sends all; prints JSON
"""

import logging
import sys
import tempfile
import time

import trio
from children import central_system, cpu_seconds, measured, memory_in_use, progress, tell
from figures import note
from fleet import ID_TAG, configuration

from ocpp16 import open_charge_point
from ocpp16.enums import Reason
from ocpp16.testing.stations import RecordingStation


def document(port: int) -> dict[str, dict[str, object]]:
    found = configuration(1, port)
    found["Internal"] |= {"MessageQueueSizeThreshold": 1_000_000, "StopTimeout": 1}
    return found


async def fill(folder: str, count: int) -> None:
    async with open_charge_point(document(1), RecordingStation(), database_path=folder) as charge_point:
        await charge_point.start()
        charge_point.connection.disconnect()
        for number in range(count // 2):
            charge_point.on_transaction_started(1, f"s{number}", ID_TAG, 0)
            charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1)
            if number % 100 == 0:
                await charge_point.stored()
        await charge_point.stored()
        tell()


async def drain(folder: str, port: int) -> None:
    base, began = memory_in_use(), time.perf_counter()
    async with open_charge_point(document(port), RecordingStation(), database_path=folder) as charge_point:
        depth, loaded = charge_point.connection.queue_depth, memory_in_use()
        await charge_point.start()
        while charge_point.counters.calls_sent < 2:  # noqa: ASYNC110 - the first is BootNotification
            await trio.sleep(0.002)
        first, cpu = time.perf_counter(), cpu_seconds()
        await charge_point.wait_all_answered()
        seconds = time.perf_counter() - first
        tell(
            depth=depth,
            first_s=first - began,
            per_second=depth / seconds,
            cpu_us=(cpu_seconds() - cpu) / depth * 1e6,
            bytes_each=(loaded - base) / depth,
        )


def run(*, is_quick: bool) -> None:
    count = 400 if is_quick else 10_000
    with tempfile.TemporaryDirectory() as folder:
        progress(f"replay: {count} messages are told")
        measured("replay.py", "fill", folder, count)
        progress("replay: they are sent")
        with central_system() as server:
            found = measured("replay.py", "drain", folder, server.port)
            seen = server.finish()["calls"]
    assert found["depth"] >= count, found
    assert seen["StartTransaction"] == seen["StopTransaction"] == count // 2, seen
    note(
        "replay.first",
        f"{count:,} stored messages: opened, read, connected, the first sent after",
        found["first_s"],
        "s",
    )
    note("replay.rate", f"{count:,} stored messages: sent and answered", found["per_second"], "a second")
    note("replay.cpu", f"{count:,} stored messages: CPU of each", found["cpu_us"], "µs")
    note("replay.bytes", f"{count:,} stored messages: memory of each, with its payload", found["bytes_each"], "bytes")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    if sys.argv[1] == "fill":
        trio.run(fill, sys.argv[2], int(sys.argv[3]))
    else:
        trio.run(drain, sys.argv[2], int(sys.argv[3]))

"""StartTransactions that are on disk (SQLite, synchronous=FULL) before they are sent: alone, and many on one store.

    python benchmarks/run.py durable [--quick]
    python benchmarks/durable.py PORT COUNT EACH FOLDER    # one child: measures itself, prints JSON

Each charge point does this so often: a transaction is told, stored, sent and answered; then its end is.
"""

import logging
import sys
import tempfile
import time
from statistics import median

import trio
from children import allow_files, central_system, cpu_seconds, measured, progress, tell
from figures import note
from fleet import ID_TAG, configuration

from ocpp16 import ChargePoint, open_charge_points
from ocpp16.enums import Reason
from ocpp16.testing.stations import RecordingStation


class Fleet:
    """The child's work."""

    def __init__(self, port: int, count: int, each: int) -> None:
        self.port = port
        self.count = count
        self.each = each
        self.seconds: list[float] = []

    async def run(self, folder: str) -> None:
        async with open_charge_points(database_path=f"{folder}/all.db") as charge_points:
            for number in range(self.count):
                charge_point = await charge_points.open(configuration(number, self.port), RecordingStation())
                await charge_point.start()
            for charge_point in charge_points:
                await charge_point.wait_all_answered()
            began, cpu = time.perf_counter(), cpu_seconds()
            async with trio.open_nursery() as nursery:
                for charge_point in charge_points:
                    nursery.start_soon(self.charge, charge_point)
            count = self.count * self.each
            tell(
                starts_per_second=count / (time.perf_counter() - began),
                cpu_us=(cpu_seconds() - cpu) / count * 1e6,
                start_ms=median(self.seconds) * 1e3,
            )

    async def charge(self, charge_point: ChargePoint) -> None:
        for number in range(self.each):
            began = time.perf_counter()
            charge_point.on_transaction_started(1, f"s{number}", ID_TAG, 0)
            await charge_point.wait_all_answered()
            self.seconds.append(time.perf_counter() - began)
            charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1)
            await charge_point.wait_all_answered()


def of(count: int, each: int) -> dict[str, float]:
    progress(f"durable: {count} charge points")
    with central_system() as server, tempfile.TemporaryDirectory() as folder:
        found = measured("durable.py", server.port, count, each, folder)
        assert server.finish()["calls"]["StartTransaction"] == count * each
    return found


def run(*, is_quick: bool) -> None:
    many, each = (20, 5) if is_quick else (200, 20)
    alone = of(1, 20 if is_quick else 300)
    # A disk has its moments: the median, as of all that is compared with a demand.
    found = [of(many, each) for _ in range(1 if is_quick else 3)]
    together = {name: median([one[name] for one in found]) for name in found[0]}
    note("durable.alone_ms", "one StartTransaction: told, on disk, sent, answered", alone["start_ms"], "ms")
    note("durable.alone", "one charge point alone: starts, each with its stop", alone["starts_per_second"], "a second")
    text = f"{many} charge points on one store: starts, each with its stop"
    note("durable.many", text, together["starts_per_second"], "a second", at_least=2000)
    note("durable.many_cpu", f"{many} charge points on one store: CPU of a start and stop", together["cpu_us"], "µs")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    allow_files(int(sys.argv[2]) + 100)
    trio.run(Fleet(*map(int, sys.argv[1:4])).run, sys.argv[4])

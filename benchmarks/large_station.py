"""One station of many connectors over TCP: what an event of one costs beside the others, and how long the loop is held.

    python benchmarks/run.py large_station [--quick]
    python benchmarks/large_station.py PORT CONNECTORS INTERVAL    # one child: measures itself, prints JSON

It boots, and the program calls `settle_memory`, as one that is to be quick at all times does; then a car comes to each
connector and a card is held before each reader, all at once; then all charge, with a sample every INTERVAL seconds, for
two intervals, of which the second measures how late a task that sleeps 5 ms is.
"""

import logging
import sys
import time
from statistics import quantiles

import trio
from children import central_system, cpu_seconds, measured, memory_in_use, progress, tell
from figures import note
from fleet import MEASURANDS

from ocpp16 import ChargePoint, open_charge_point, settle_memory
from ocpp16.simulation import Operation, SimulatedStation

PAUSE = 0.005
LIMIT = 90.0
"""Seconds until which all have to charge."""


def configuration(port: int, connectors: int, interval: int) -> dict[str, dict[str, object]]:
    return {
        "Internal": {
            "ChargePointId": "LARGE",
            "CentralSystemURI": f"ws://127.0.0.1:{port}/",
            "ChargePointVendor": "Example",
            "ChargePointModel": "Hub",
            "StopTimeout": 1,
        },
        "Core": {
            "NumberOfConnectors": connectors,
            "MeterValueSampleInterval": interval,
            "HeartbeatInterval": 0,
            "MeterValuesSampledData": MEASURANDS,
            "StopTxnSampledData": "",
        },
        "SmartCharging": {
            "ChargeProfileMaxStackLevel": 10,
            "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
            "ChargingScheduleMaxPeriods": 24,
            "MaxChargingProfilesInstalled": 100,
        },
        "Security": {"SecurityProfile": 0, "DisableSecurityEventNotifications": True},
    }


class Steps(trio.abc.Instrument):
    """The longest time for which a task held the loop, by its own CPU time; the host's, which makes this, apart."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._host = trio.lowlevel.current_task()
        self._began = time.thread_time()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._began = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        took = time.thread_time() - self._began
        if task is not self._host and took > self.longest:
            self.longest = took


class Spent:
    """CPU time and CALLs since it was made."""

    def __init__(self, charge_point: ChargePoint) -> None:
        self._counters = charge_point.counters
        self._calls = self._counters.calls_sent
        self._cpu = cpu_seconds()

    def us_per_call(self) -> float:
        return (cpu_seconds() - self._cpu) / max(1, self._counters.calls_sent - self._calls) * 1e6


async def child(port: int, connectors: int, interval: int) -> None:
    base = memory_in_use()
    station = SimulatedStation(meter_interval=0, fuse_limit=10_000)
    async with open_charge_point(configuration(port, connectors, interval), station) as charge_point:
        began = cpu_seconds()
        await Operation(station, charge_point).start()
        await charge_point.wait_all_answered()
        boot_ms = (cpu_seconds() - began) * 1e3
        idle = memory_in_use()
        settle_memory()
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        spent, plugged_at = Spent(charge_point), time.monotonic()
        numbers = range(1, connectors + 1)
        for number in numbers:
            station.plug_in(number, plug_after=0, draw_after=0, draw_for=100_000, current=16, phases=3)
            station.present_id_tag(f"TAG{number}", [number])
        with trio.fail_after(LIMIT):
            for number in numbers:
                while not _is_charging(charge_point, number):  # noqa: ASYNC110 - nothing tells of the id
                    await trio.sleep(0.02)
            await charge_point.wait_all_answered()
        start_us = spent.us_per_call()
        spent = Spent(charge_point)
        await trio.sleep(interval)
        meter_us = spent.us_per_call()
        late = await _lateness(interval)
        trio.lowlevel.remove_instrument(steps)
        tell(
            boot_ms=boot_ms,
            idle_kib=(idle - base) / 1024,
            plugged_at=plugged_at,
            start_us=start_us,
            meter_us=meter_us,
            late_ms=late * 1e3,
            step_ms=steps.longest * 1e3,
        )


def _is_charging(charge_point: ChargePoint, number: int) -> bool:
    transaction = charge_point.transaction(number)
    return transaction is not None and transaction.transaction_id is not None


async def _lateness(seconds: float) -> float:
    """The 99th percentile, in seconds."""
    found, end = [], trio.current_time() + seconds
    while trio.current_time() < end:
        began = trio.current_time()
        await trio.sleep(PAUSE)
        found.append(trio.current_time() - began - PAUSE)
    return quantiles(found, n=100)[98]


def of(connectors: int, interval: int) -> dict[str, float]:
    progress(f"large station: {connectors} connectors")
    with central_system() as server:
        found = measured("large_station.py", server.port, connectors, interval)
        seen = server.finish()
    assert seen["calls"]["StartTransaction"] == connectors, seen
    return {**found, "started_s": seen["last"]["StartTransaction"] - found["plugged_at"]}


def run(*, is_quick: bool) -> None:
    sizes, interval = ((10, 20, 40), 2) if is_quick else ((10, 100, 500), 10)
    found = {size: of(size, interval) for size in sizes}
    few, _, many = sizes
    for size in sizes:
        one, name = found[size], f"large_station.{size}"
        note(f"{name}.boot", f"{size} connectors: start and boot, CPU", one["boot_ms"], "ms")
        note(f"{name}.start", f"{size} connectors, all cars at once: CPU of a CALL", one["start_us"], "µs")
        note(f"{name}.meter", f"{size} connectors, all charging: CPU of a CALL", one["meter_us"], "µs")
    one = found[many]
    for phase, text in (("start", "all cars at once"), ("meter", "all charging")):
        growth = one[f"{phase}_us"] / found[few][f"{phase}_us"]
        note(f"large_station.{phase}_growth", f"a CALL at {many} beside {few}, {text}", growth, "times", at_most=1.3)
    text = f"{many} cars at once: until the last StartTransaction is there"
    note("large_station.started", text, one["started_s"], "s", at_most=2)
    text = f"{many} connectors: longest step of the loop after boot"
    note("large_station.step", text, one["step_ms"], "ms", at_most=10)
    text = f"{many} charging, a sample every {interval} s: how late the loop is, p99"
    note("large_station.late", text, one["late_ms"], "ms", at_most=10)
    kib = (one["idle_kib"] - found[few]["idle_kib"]) / (many - few)
    note("large_station.kib", f"a further connector, idle, slope {few} → {many}", kib, "KiB", at_most=4)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    trio.run(child, int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

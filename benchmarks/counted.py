"""The paths of the gate, in the child of `gate.py`: run under callgrind for their instructions, else for their memory.

    python benchmarks/counted.py instructions PORT FOLDER   # FOLDER has the unit `counter`, and gets the counts
    python benchmarks/counted.py memory PORT                # prints bytes of each more, by name

All is deterministic: the clock stands still, chance has a seed, the garbage collector does not run, and the Central
System is a process of its own, whose answers do not depend on time.
"""

import gc
import logging
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import trio
import trio.testing
from bench_schedule import calculation, installed
from children import tell
from compiled import imported
from fleet import ID_TAG, configuration
from payloads import REQUESTS, UNIQUE_ID

from ocpp16 import ChargePoint, ChargePoints, open_charge_points
from ocpp16.codec import Call, parse, serialize, validate
from ocpp16.enums import Reason
from ocpp16.simulation import SimulatedStation

CASES = ("Heartbeat", "StatusNotification", "StartTransaction", "MeterValues(20)", "StopTransaction(50)")
SIZES = (1, 10, 100, 300)
WARM = 3
"""Times that a path runs before it counts: caches are filled, tables made."""
TIMES = 50
TOGETHER = 20
"""Charge points of which a CALL is counted together. The gate names it in its bars."""
FEW, MANY = 10, 410
"""Connectors between which the slope is taken."""
START = 1_767_225_600.0
"""The wall clock: 2026-01-01."""


def receiving(action: str, payload: dict[str, Any]) -> Callable[[], None]:
    text = orjson.dumps([2, UNIQUE_ID, action, payload])

    def receive() -> None:
        frame = parse(text)
        assert isinstance(frame, Call)
        validate(frame.action, "request", frame.payload)

    return receive


def sending(action: str, payload: dict[str, Any]) -> Callable[[], None]:
    def send() -> None:
        validate(action, "request", payload)
        serialize(Call(UNIQUE_ID, action, payload))

    return send


def synchronous_paths() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    for case in CASES:
        found[f"receive {case}"] = receiving(*REQUESTS[case])
        found[f"send {case}"] = sending(*REQUESTS[case])
    for size in SIZES:
        found[f"composite schedule of {size}"] = calculation(installed("mixed", size), 1)
    return found


class Fleet:
    """Charge points with simulated stations over TCP, one after another."""

    def __init__(self, charge_points: ChargePoints, port: int) -> None:
        self._charge_points = charge_points
        self._port = port
        self._number = 0

    async def boot(self, connectors: int = 1) -> ChargePoint:
        """Open, connect, boot, say the status of all connectors."""
        charge_point = await self.open(connectors)
        await charge_point.wait_all_answered()
        return charge_point

    async def open(self, connectors: int = 1) -> ChargePoint:
        self._number += 1
        document = configuration(self._number, self._port)
        document["Core"]["NumberOfConnectors"] = connectors
        station = SimulatedStation(meter_interval=0, seed=self._number, fuse_limit=10_000)
        charge_point = await self._charge_points.open(document, station, seed=self._number, anchor=START)
        await charge_point.start()
        station.power_up()
        return charge_point


# Instructions


class Counter:
    """Between the paths and callgrind."""

    def __init__(self, unit: Any) -> None:
        self._unit = unit
        unit.start()

    def of(self, name: str, path: Callable[[], Any], times: int = TIMES) -> None:
        for _ in range(WARM):
            path()
        self._unit.toggle()
        for _ in range(times):
            path()
        self._unit.toggle()
        self._unit.dump(f"{name}/{times}".encode())

    async def of_async(
        self,
        name: str,
        path: Callable[[], Awaitable[Any]],
        *,
        after: Callable[[], Awaitable[Any]] | None = None,
        times: int = TIMES,
        at_once: int = 1,
    ) -> None:
        """`after` each, something that does not count; `at_once`: so many of what is counted are in one."""
        for number in range(WARM + times):
            if number >= WARM:
                self._unit.toggle()
            await path()
            if number >= WARM:
                self._unit.toggle()
            if after is not None:
                await after()
        self._unit.dump(f"{name}/{times * at_once}".encode())


async def count_charge_point(counter: Counter, port: int) -> None:
    async with open_charge_points() as charge_points:
        fleet = Fleet(charge_points, port)
        await counter.of_async("boot", fleet.boot, times=10)
        charge_point = await fleet.boot()

        async def start() -> None:
            charge_point.on_transaction_started(1, "s", ID_TAG, 0)
            await charge_point.wait_all_answered()

        async def stop() -> None:
            charge_point.on_transaction_stopped(1, "s", Reason.LOCAL, 0)
            await charge_point.wait_all_answered()

        async def sample() -> None:
            charge_point.sample_now(1)
            await charge_point.wait_all_answered()

        await counter.of_async("StartTransaction", start, after=stop)
        await start()
        await counter.of_async("MeterValues", sample)
        await stop()  # or leaving would wait for a time that does not come
        await count_together(counter, fleet)


async def count_together(counter: Counter, fleet: Fleet) -> None:
    """A CALL where others come in the same turn of the loop, which is as fleets have it."""
    charge_points = [await fleet.boot() for _ in range(TOGETHER)]
    for charge_point in charge_points:
        charge_point.on_transaction_started(1, "s", ID_TAG, 0)
        await charge_point.wait_all_answered()

    async def sample() -> None:
        for charge_point in charge_points:
            charge_point.sample_now(1)
        for charge_point in charge_points:
            await charge_point.wait_all_answered()

    await counter.of_async(f"MeterValues, {TOGETHER} at once", sample, times=TIMES // 2, at_once=TOGETHER)
    for charge_point in charge_points:
        charge_point.on_transaction_stopped(1, "s", Reason.LOCAL, 0)
        await charge_point.wait_all_answered()


def count(port: int, unit: Any) -> None:
    counter = Counter(unit)
    for name, path in synchronous_paths().items():
        counter.of(name, path)
    _run(count_charge_point, counter, port)


# Memory


async def weigh(port: int) -> None:
    async with open_charge_points() as charge_points:
        fleet = Fleet(charge_points, port)
        await fleet.boot()
        tracemalloc.start()
        idle = await _each(fleet.boot, 9, 10)
        few = await _each(lambda: fleet.boot(FEW), 5, 1)
        many = await _each(lambda: fleet.boot(MANY), 5, 1)
        offline = await fleet.open()
        offline.connection.disconnect()

        async def tell_two() -> None:
            offline.on_transaction_started(1, "s", ID_TAG, 0)
            offline.on_transaction_stopped(1, "s", Reason.LOCAL, 0)

        queued = await _each(tell_two, 11, 50)
        tell(**{"charge point": idle, "connector": (many - few) / (MANY - FEW), "queued message": queued / 2})
        tracemalloc.stop()


async def _each(path: Callable[[], Awaitable[Any]], chunks: int, times: int) -> float:
    """Bytes that each costs: of so many chunks of so many times the median, which no table that grew once moves."""
    found = []
    before = await _traced()
    for _ in range(chunks):
        for _ in range(times):
            await path()
        now = await _traced()
        found.append((now - before) / times)
        before = now
    return median(found)


async def _traced() -> int:
    await trio.testing.wait_all_tasks_blocked()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


class _InOrder:
    """In place of trio's chance: tasks that may run take turns in the order in which they were woken."""

    def random(self) -> float:
        return 1.0


def _run(main: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """trio with a clock that stands still, and without chance."""
    runner: Any = trio._core._run
    runner._r = _InOrder()
    trio.run(main, *arguments, clock=trio.testing.MockClock())


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    gc.disable()
    if sys.argv[1] == "instructions":
        count(int(sys.argv[2]), imported("counter", Path(sys.argv[3])))
        tell()
    else:
        _run(weigh, int(sys.argv[2]))

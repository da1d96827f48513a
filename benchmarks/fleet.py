"""Many charge points in one process over TCP, beside the peer in one run: the figure that a whole CALL costs.

    python benchmarks/run.py fleet [--quick]
    python benchmarks/fleet.py PORT COUNT [FOLDER]    # one child: measures itself, prints JSON; over TLS with a folder

Each charge point has a simulated station and, with all others, one store in memory. It connects, boots, and says the
status of its connectors; when all have, each has one transaction with ten MeterValues of ten sampled values. Counted is
the CPU time of the client's process, system calls included, per CALL of that phase; memory is counted when all are up.
Everything goes through the public door; memory is settled at every 20 that are up, as is documented for fleets. The
first charge point of a process, which loads what is not loaded yet, is opened before, and counted by itself. Sizes that
are compared are measured three times, by turns with the peer, and told by their medians, for machines drift; the
smallest, which takes a tenth of a second, nine times.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

import trio
from children import allow_files, central_system, cpu_seconds, measured, memory_in_use, progress, tell
from figures import note
from laboratory import Certificates

from ocpp16 import ChargePoint, ChargePoints, open_charge_points, settle_memory
from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.simulation import SimulatedStation

METER_VALUES, VALUES = 10, 10
ID_TAG = "044943121F1D80"
REPEATS = 3
SHORT_REPEATS = 3
"""Of the smallest in each of these: one disturbance is half of what it takes."""
AT_ONCE = 200
"""Charge points that connect at a time."""
SETTLED = 20
"""Memory is settled at every so many that are up."""
MEASURANDS = "Power.Active.Import,Current.Import,Voltage"
"""Ten sampled values of a three-phase meter: power in all and by phase, current and voltage by phase."""


def configuration(number: int, port: int, *, is_tls: bool = False) -> dict[str, dict[str, object]]:
    security = (
        {"SecurityProfile": 2, "AuthorizationKey": "text:of-a-benchmark-01"} if is_tls else {"SecurityProfile": 0}
    )
    return {
        "Internal": {
            "ChargePointId": f"CP{number:05}",
            "CentralSystemURI": f"{'wss' if is_tls else 'ws'}://127.0.0.1:{port}/",
            "ChargePointVendor": "Example",
            "ChargePointModel": "Single",
        },
        "Core": {
            "NumberOfConnectors": 1,
            "MeterValueSampleInterval": 3600,
            "HeartbeatInterval": 0,
            "MeterValuesSampledData": MEASURANDS,
            "StopTxnSampledData": "",
        },
        "Security": {"DisableSecurityEventNotifications": True, **security},
    }


class Fleet:
    """The child's work."""

    def __init__(self, port: int, count: int, folder: Path | None = None) -> None:
        """folder: of certificates, for TLS."""
        self.port = port
        self.folder = folder
        self.count = count
        self.limit = trio.CapacityLimiter(AT_ONCE)
        self.up: list[ChargePoint] = []
        self.all_up = trio.Event()
        self.done = 0
        self.ready: dict[str, float] = {}
        self.end = 0.0

    async def run(self) -> None:
        began = cpu_seconds()
        async with open_charge_points() as charge_points:
            await self.boot(charge_points, self.count)
        first_ms = (cpu_seconds() - began) * 1e3
        base, began = memory_in_use(), cpu_seconds()
        async with open_charge_points() as charge_points, trio.open_nursery() as nursery:
            for number in range(self.count):
                nursery.start_soon(self.drive, charge_points, number)
        calls = sum(charge_point.counters.calls_sent for charge_point in self.up) - self.ready["calls"]
        tell(
            cpu_us_per_call=(self.end - self.ready["cpu"]) / calls * 1e6,
            calls=calls / self.count,
            kib=(self.ready["memory"] - base) / self.count / 1024,
            memory_kib=self.ready["memory"] / 1024,
            boot_ms=(self.ready["cpu"] - began) / self.count * 1e3,
            first_ms=first_ms,
        )

    async def boot(self, charge_points: ChargePoints, number: int) -> ChargePoint:
        station = SimulatedStation(meter_interval=0)
        document = configuration(number, self.port, is_tls=self.folder is not None)
        charge_point = await charge_points.open(document, station, certificates_path=self.folder)
        await charge_point.start()
        station.power_up()
        await charge_point.wait_all_answered()
        return charge_point

    async def drive(self, charge_points: ChargePoints, number: int) -> None:
        async with self.limit:
            charge_point = await self.boot(charge_points, number)
        self.up.append(charge_point)
        if len(self.up) == self.count:
            self.all_are_up()
        elif len(self.up) % SETTLED == 0:
            settle_memory()
        await self.all_up.wait()
        await self.charge(charge_point)
        self.done += 1
        if self.done == self.count:
            self.end = cpu_seconds()

    def all_are_up(self) -> None:
        boot = cpu_seconds()
        settle_memory()
        calls = sum(charge_point.counters.calls_sent for charge_point in self.up)
        self.ready = {"memory": memory_in_use(), "calls": calls, "boot": boot, "cpu": cpu_seconds()}
        self.all_up.set()

    async def charge(self, charge_point: ChargePoint) -> None:
        charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
        await charge_point.authorize_id_token(ID_TAG)
        charge_point.on_transaction_started(1, "s", ID_TAG, 0)
        await charge_point.wait_all_answered()
        for _ in range(METER_VALUES):
            charge_point.sample_now(1)
            await charge_point.wait_all_answered()
        charge_point.on_transaction_stopped(1, "s", Reason.LOCAL, 100)
        charge_point.on_session_stopped(1, "s")
        await charge_point.wait_all_answered()


def of_ours(count: int, certificates: Certificates | None = None) -> dict[str, float]:
    """certificates: those with which TLS is spoken, None: it is not."""
    progress(f"fleet: {count} charge points{'' if certificates is None else ' over TLS'}")
    files, folder = ((), ()) if certificates is None else (certificates[1:], certificates[:1])
    with central_system(*files) as server:
        found = measured("fleet.py", server.port, count, *folder)
        seen = server.finish()["calls"]
    assert seen["BootNotification"] - 1 == seen["StartTransaction"] == seen["StopTransaction"] == count, seen
    assert seen["MeterValues"] == METER_VALUES * count, seen
    return found


def of_the_peer(count: int, *options: str) -> dict[str, float]:
    progress(f"fleet: {count} of the peer {' '.join(options)}")
    with central_system() as server:
        return measured("fleet_peer.py", server.port, count, *options)


def of_bare_sockets(count: int) -> float:
    """CPU µs for a frame there and one back, with nothing behind them."""
    progress(f"fleet: {count} bare sockets")
    with central_system() as server:
        return float(measured("fleet_bare.py", server.port, count)["cpu_us_per_call"])


def sizes(*, is_quick: bool) -> Iterator[int]:
    """Small, the size of the comparison, and those between which the slope of the memory is taken; the largest last."""
    yield from (20, 100, 200, 400) if is_quick else (100, 1000, 3000, 5000)


def _round(counts: Iterable[int], compared: int) -> dict[int | str, dict[str, float]]:
    """What is compared, one after another: machines drift."""
    found: dict[int | str, dict[str, float]] = {count: of_ours(count) for count in counts}
    found["default"] = of_the_peer(compared)
    found["unvalidated"] = of_the_peer(compared, "unvalidated")
    return found


def _median(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: median([one[name] for one in found]) for name in found[0]}


def run(*, is_quick: bool) -> None:
    small, middle, _, large = counts = tuple(sizes(is_quick=is_quick))
    repeats, short_repeats = (1, 1) if is_quick else (REPEATS, SHORT_REPEATS)
    short: list[dict[str, float]] = []
    rounds = []
    for _ in range(repeats):
        short += [of_ours(small) for _ in range(short_repeats)]
        rounds.append(_round((middle, large), middle))
    default, unvalidated = _median([one["default"] for one in rounds]), _median([one["unvalidated"] for one in rounds])
    ours = {small: _median(short)} | {count: _median([one[count] for one in rounds]) for count in (middle, large)}
    ours[counts[2]] = of_ours(counts[2])
    many = of_the_peer(large)
    cpu = {count: found["cpu_us_per_call"] for count, found in ours.items()}
    at_most = {middle: 150}
    for count in counts:
        text = f"a CALL of {count:,} charge points: CPU, {ours[count]['calls']:g} CALLs each"
        note(f"fleet.cpu.{count}", text, cpu[count], "µs", at_most=at_most.get(count))
    note("fleet.peer", f"the same with `ocpp` and `websockets`, {middle:,}", default["cpu_us_per_call"], "µs")
    note("fleet.peer_unvalidated", "the same, its validation off", unvalidated["cpu_us_per_call"], "µs")
    ratio = default["cpu_us_per_call"] / cpu[middle]
    note("fleet.ratio", "ours beside the peer", ratio, "times as fast", at_least=12)
    ratio = unvalidated["cpu_us_per_call"] / cpu[middle]
    note("fleet.ratio_unvalidated", "ours beside the peer, its validation off", ratio, "times as fast", at_least=4)
    ratio = many["cpu_us_per_call"] / cpu[large]
    note("fleet.ratio_many", f"ours beside the peer, {large:,} each", ratio, "times as fast", at_least=10)
    note("fleet.growth", f"a CALL of {large:,} beside one of {small:,}", cpu[large] / cpu[small], "times", at_most=1.3)
    for count in (small, large):
        bare = median([of_bare_sockets(count) for _ in rounds])
        note(f"fleet.bare.{count}", f"bare sockets on trio: {count:,} send such frames and read an answer", bare, "µs")
    low, high = counts[1:3]
    kib = (ours[high]["memory_kib"] - ours[low]["memory_kib"]) / (high - low)
    note("fleet.kib", f"a connected charge point with station, slope {low:,} → {high:,}", kib, "KiB", at_most=32)
    boot = ours[middle]["boot_ms"]
    note("fleet.boot", "opening, connecting, booting: CPU of each", boot, "ms", at_most=1.5)
    first = ours[middle]["first_ms"]
    note("fleet.first", "the first one of a process, which loads what is not loaded yet", first, "ms")
    note("fleet.peer_boot", "connecting and booting, the peer", default["boot_ms"], "ms")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    allow_files(int(sys.argv[2]) + 100)
    trio.run(Fleet(int(sys.argv[1]), int(sys.argv[2]), *map(Path, sys.argv[3:])).run)

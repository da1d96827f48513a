"""A fleet of thousands in one process, over TCP and TLS: memory, how soon all are up, and what they need at work.

    python benchmarks/run.py large_fleet [--quick]
    python benchmarks/large_fleet.py KIND COUNT PORT [FOLDER]    # one child: measures itself, prints JSON

Everything goes through `ocpp16.fleet`. A charge point has two connectors and heartbeats; the Central System is another
process. At work each has a car at its first connector, a transaction, and MeterValues of ten sampled values every
minute; what that takes is measured over a minute in which all of them charge.
"""

import logging
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import trio
from children import allow_files, central_system, cpu_seconds, measured, memory_in_use, progress, tell
from figures import note
from fleet import ID_TAG, MEASURANDS
from laboratory import certificates

from ocpp16 import settle_memory
from ocpp16.fleet import Fleet, identities, open_fleet
from ocpp16.simulation import CarPlan

HEARTBEAT, SAMPLE = 300, 60
CONNECTORS = 2
KEYS = {
    "Core": {
        "HeartbeatInterval": HEARTBEAT,
        "MeterValueSampleInterval": SAMPLE,
        "MeterValuesSampledData": MEASURANDS,
        "StopTxnSampledData": "",
    },
    "Security": {"DisableSecurityEventNotifications": True, "AuthorizationKey": "text:of-a-benchmark-01"},
}
MOST_TO_ACCEPT = 600.0
"""Seconds after which a fleet that is not up has failed."""
ROUNDS, EACH = 30, 10
"""Of reconnecting: so many rounds, in each of which every charge point reconnects so often."""
WHILE_YOUNG = 10
"""Rounds in which the heap of a process still finds its size, over TLS most of all."""
EARLY, LATE = slice(1, 4), slice(-3, None)
"""The rounds whose memory is compared: not the first, in which what is kept for the first time is made."""


async def _up(fleet: Fleet, count: int) -> float:
    """Seconds until all are accepted, and have said the status of their connectors."""
    began = time.monotonic()
    with trio.fail_after(MOST_TO_ACCEPT):
        await fleet.add_all(identities("CP{number:05}", count))
        await fleet.wait_registered()
        for member in fleet:
            await member.charge_point.wait_all_answered()
    return time.monotonic() - began


async def held(count: int, csms: str, folder: Path | None) -> None:
    async with open_fleet(csms, "ac-22kw-twin", keys=KEYS, certificates_path=folder) as fleet:
        seconds = await _up(fleet, count)
        settle_memory()
        tell(kib=memory_in_use() / 1024, seconds=seconds)
        fleet.close()


async def at_work(count: int, csms: str, folder: Path | None) -> None:
    async with open_fleet(csms, "ac-22kw-twin", keys=KEYS, certificates_path=folder) as fleet:
        await _up(fleet, count)
        settle_memory()
        began = trio.current_time()
        for number, member in enumerate(fleet):
            await trio.sleep_until(began + SAMPLE * number / count)  # as cars come: not all at once
            member.station.plug_in(1, CarPlan(plug_after=0.0, draw_after=0.0, draw_for=86_400.0))
            member.station.present_id_tag(ID_TAG, [1])
        settle_memory()
        await trio.sleep(SAMPLE / 2)
        calls, cpu, at = _calls(fleet), cpu_seconds(), time.monotonic()
        await trio.sleep(SAMPLE)
        calls, cpu, at = _calls(fleet) - calls, cpu_seconds() - cpu, time.monotonic() - at
        charging = sum(member.charge_point.transaction(1) is not None for member in fleet)
        tell(share=100 * cpu / at, calls_per_second=calls / at, charging=charging)
        fleet.close()


def _calls(fleet: Fleet) -> int:
    return sum(member.charge_point.counters.calls_sent for member in fleet)


async def reconnecting(count: int, csms: str, folder: Path | None) -> None:
    """Memory has to stay as it is, with the collector as the program leaves it. The least of three rounds counts: what
    the collector has not come to yet is no growth."""
    async with open_fleet(csms, "ac-22kw-twin", keys=KEYS, certificates_path=folder) as fleet:
        await _up(fleet, count)
        settle_memory()
        after: list[int] = []
        for _ in range(ROUNDS):
            for _ in range(EACH):
                await _reconnect(fleet)
            after.append(memory_in_use())
        connects = sum(member.charge_point.counters.connects for member in fleet)
        tell(growth=_growth(after[:WHILE_YOUNG]), later=_growth(after[WHILE_YOUNG:]), reconnects=connects - count)
        fleet.close()


def _growth(after: list[int]) -> float:
    """Per cent, of the memory after each of some rounds."""
    return 100 * (min(after[LATE]) / min(after[EARLY]) - 1)


async def _reconnect(fleet: Fleet) -> None:
    wanted = {member.charge_point: member.charge_point.counters.connects + 1 for member in fleet}
    for charge_point in wanted:
        charge_point.connection.reconnect()
    with trio.fail_after(MOST_TO_ACCEPT):
        for charge_point, connects in wanted.items():
            while charge_point.counters.connects < connects:  # noqa: ASYNC110 - an observer would be measured, too
                await trio.sleep(0.01)
            await charge_point.wait_all_answered()


KINDS: dict[str, Callable[[int, str, Path | None], Coroutine[None, None, None]]] = {
    function.__name__: function for function in (held, at_work, reconnecting)
}


def of(kind: str, count: int, *, is_tls: bool = False, has_intermediate: bool = False) -> dict[str, float]:
    """What a child measured."""
    progress(f"large fleet: {count} {kind}{' over TLS' if is_tls else ''}")
    if not is_tls:
        with central_system() as server:
            return measured("large_fleet.py", kind, count, server.port)
    with certificates(has_intermediate=has_intermediate) as (folder, chain, key), central_system(chain, key) as server:
        return measured("large_fleet.py", kind, count, server.port, folder)


def run(*, is_quick: bool) -> None:
    low, high = (20, 60) if is_quick else (2_000, 10_000)
    few, many = of("held", low), of("held", high)
    kib = (many["kib"] - few["kib"]) / (high - low)
    note(
        "large_fleet.kib",
        f"a charge point of {CONNECTORS} connectors, slope {low:,} → {high:,}",
        kib,
        "KiB",
        at_most=32,
    )
    note("large_fleet.up", f"until all {high:,} are accepted", many["seconds"], "s", at_most=60)
    if not is_quick:
        work = of("at_work", high)
        assert work["charging"] == high, work
        text = f"{high:,} at work ({work['calls_per_second']:.0f} CALLs/s): CPU of one core"
        note("large_fleet.work", text, work["share"], "%", at_most=50)
    low, high = (20, 60) if is_quick else (200, 2_000)
    for name, text, has_intermediate, bar in (
        ("tls", "the same over TLS, its certificate by a root", False, 60),
        ("tls_chain", "the same over TLS, its certificate by an intermediate of a root", True, None),
    ):
        few, many = (of("held", count, is_tls=True, has_intermediate=has_intermediate) for count in (low, high))
        kib = (many["kib"] - few["kib"]) / (high - low)
        note(f"large_fleet.kib.{name}", f"{text}, slope {low:,} → {high:,}", kib, "KiB", at_most=bar)
    for name, is_tls in (("growth", False), ("growth.tls", True)):
        again = of("reconnecting", 3 if is_quick else 100, is_tls=is_tls)
        over, young = " over TLS" if is_tls else "", again["reconnects"] * WHILE_YOUNG // ROUNDS
        text = f"growth of the process over {young:,} reconnects{over}"
        note(f"large_fleet.{name}", text, again["growth"], "%", at_most=5)
        text = f"its growth over the next {again['reconnects'] - young:,}"
        note(f"large_fleet.{name}.later", text, again["later"], "%", at_most=5)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    kind, count, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    certs = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    allow_files(count + 100)
    trio.run(KINDS[kind], count, f"{'wss' if certs else 'ws'}://127.0.0.1:{port}/", certs)

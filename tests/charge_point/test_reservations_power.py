"""The power goes at each commit of a reservation, before and after it: the next start finds what was, or was asked."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
import trio
from reserving import cancel, reserve

from ocpp16.errors import CallFailed, StoreError
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore

Kept = dict[int, tuple[int, str]]
"""Reservation id → connector and id tag."""

STATES: list[Kept] = [
    {},
    {1: (1, "A")},
    {1: (1, "A"), 2: (2, "B")},
    {1: (1, "A"), 2: (2, "C")},
    {2: (2, "C")},
    {2: (2, "C"), 3: (1, "A")},
    {2: (2, "C")},
]
"""After each step of the story."""


class Disk(MemoryStore):
    """Nothing is written from the commit number `at` of a reservation on, but that one if it `is_written`."""

    def __init__(self, at: int, is_written: bool) -> None:
        super().__init__(is_volatile=False)
        self.at = at
        self.is_written = is_written
        self.commits = 0
        self.is_off = self.is_full = False

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        is_counted = any(change.table.name == "reservations" for _, changes in batches for change in changes)
        self.commits += is_counted
        if self.commits < self.at:
            return super().apply(batches)
        if self.commits == self.at and is_counted and self.is_written and not self.is_off:
            super().apply(batches)
        self.is_off = True
        raise StoreError("the power is off")


async def story(bench: Any) -> int:
    """Returns how many steps were answered."""
    steps: tuple[Callable[[], Awaitable[str]], ...] = (
        lambda: reserve(bench, 1, "A", number=1),
        lambda: reserve(bench, 2, "B", number=2),
        lambda: reserve(bench, 2, "C", number=2),
        lambda: cancel(bench, 1),
        lambda: reserve(bench, 1, "A", number=3),
    )
    done = 0
    with suppress(CallFailed, StoreError):
        for step in steps:
            assert await step() == "Accepted"
            done += 1
        bench.begin(1, id_tag="A")
        await bench.charge_point.stored()
        done += 1
    return done


async def found(open_bench: Any, disk: Disk) -> tuple[Kept, bool]:
    """What the next start finds, and whether it tells of a transaction that used one."""
    after = MemoryStore(is_volatile=False)
    after._rows = deepcopy(disk._rows)
    async with open_bench(store=after) as bench:
        every = bench.charge_point.for_station.reservations.all()
        await trio.sleep(10)
        started = [one.get("reservationId") for one in bench.sent("StartTransaction")]
        assert started in ([], [3])
        return {one.reservation_id: (one.connector_id, one.id_tag) for one in every}, bool(started)


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("at", range(1, len(STATES)))
async def test_one_story(open_bench: Any, make_config: Any, at: int, is_written: bool) -> None:
    disk = Disk(at, is_written)
    async with open_bench(store=disk, document=make_config(Internal__StoreTimeout=1)) as bench:
        assert await story(bench) == at - 1
    number = at if is_written else at - 1
    assert await found(open_bench, disk) == (STATES[number], number == len(STATES) - 1)


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
async def test_what_was_answered_is_there_though_another_asked_for_the_same_connector(
    open_bench: Any, make_config: Any, numbers: tuple[int, int]
) -> None:
    """Both at once, by the host; the power goes before anything else is written."""
    disk, answers = Disk(2, False), {}

    async def ask(bench: Any, number: int) -> None:
        expiry = bench.charge_point.for_station.clock.now_datetime() + timedelta(hours=1)
        with suppress(StoreError):
            answers[number] = await bench.charge_point.for_station.reservations.reserve(1, f"T{number}", expiry, number)

    document = make_config(Internal__StoreTimeout=1)
    async with open_bench(store=disk, document=document) as bench, trio.open_nursery() as nursery:
        disk.is_full = True
        for number in numbers:
            nursery.start_soon(ask, bench, number)
            await trio.sleep(0.1)
        disk.is_full = False
    accepted = {number: (1, f"T{number}") for number, answer in answers.items() if answer == "Accepted"}
    assert len(accepted) == 1
    assert (await found(open_bench, disk))[0] == accepted

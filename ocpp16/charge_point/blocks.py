"""The blocks that the doors of `open` enter: a journal, tasks, and in them one charge point or many.

This is where the wall clock is read, once, as the first anchor, where chance gets its seed, and where files are opened.
Who opens, closes: a store or a journal that is lent is left as it is, for whoever lent it.

However a block is left (by its end, an exception, cancellation, Ctrl-C), its charge points stop in order: what that
takes is shielded, and bounded by one deadline for all of it. The tasks of the charge points enclose the journal: a task
that cannot be cancelled holds up the end of the block, but not what is to be stored.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.charge_points import ChargePoints
from ocpp16.charge_point.opened import opened
from ocpp16.charge_point.orderly_stop import FLUSH_TIMEOUT
from ocpp16.charge_point.plan import Plan
from ocpp16.charge_point.shared_tasks import SharedTasks
from ocpp16.log import log
from ocpp16.message_log.writer import Writer
from ocpp16.patience import calendar_rate
from ocpp16.state.clock import Clock, Steady
from ocpp16.store.base import Store
from ocpp16.store.commit import in_a_thread
from ocpp16.store.journal import Journal
from ocpp16.store.leaving import Leaving
from ocpp16.store.memory import MemoryStore
from ocpp16.store.open import is_virtual_clock, open_store, shared_journal
from ocpp16.values import finite


@asynccontextmanager
async def one_opened(
    plan: Plan, store: Store | Journal | None, database_path: str | Path | None
) -> AsyncIterator[ChargePoint]:
    """The charge point of a plan; the other arguments as of `open_charge_point`, checked. Raises as it does."""
    leaving = Leaving()
    async with (
        _nursery() as nursery,
        _log_writer(leaving) as log_writer,
        _journal(store, database_path, plan.identity, plan.clock, leaving) as journal,
    ):
        shared = SharedTasks(nursery, _monotonic(), log_writer, are_many=False)
        try:
            one = await opened(plan, journal, nursery, shared, leaving)
            try:
                yield one.charge_point
            finally:
                await one.leave()
        finally:
            shared.end()


@asynccontextmanager
async def many_opened(
    store: Store | Journal | None, database_path: str | Path | None, most_connecting: int | None
) -> AsyncIterator[ChargePoints]:
    """Of `open_charge_points`, whose arguments these are, checked. Raises as it does."""
    leaving = Leaving()
    async with (
        _nursery() as nursery,
        _log_writer(leaving) as log_writer,
        _journal(store, database_path, "charge_points", clock_of(None), leaving) as journal,
    ):
        has_store = store is not None or database_path is not None
        shared = SharedTasks(nursery, _monotonic(), log_writer, are_many=True, attempts=most_connecting)
        charge_points = ChargePoints(journal, nursery, shared, clock_of, has_store=has_store)
        try:
            yield charge_points
        finally:
            try:
                leaving.by = trio.current_time()
                leaving.by = await charge_points.leave()
            finally:
                shared.end()


@asynccontextmanager
async def _nursery() -> AsyncIterator[trio.Nursery]:
    """One that lets out as it is what its block raises: the host need not unpack a group of our making."""
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        except BaseException as error:
            failure = error
    if failure is not None:
        raise failure


@asynccontextmanager
async def _log_writer(leaving: Leaving) -> AsyncIterator[Writer]:
    """What writes the message logs; at the end it has the time that is left for that."""
    writer = Writer(_monotonic(), soon_in_trio(), inline=is_virtual_clock())
    try:
        yield writer
    finally:
        if writer.close():
            is_over = trio.Event()
            seconds = leaving.seconds(FLUSH_TIMEOUT)
            in_a_thread(lambda: writer.join(seconds), is_over.set)
            with trio.CancelScope(shield=True):  # bounded by `join`
                await is_over.wait()
            if not writer.join(0):
                log.error("the message log is not written to its end: the disk does not take it in time")


def soon_in_trio() -> Callable[[Callable[[], object]], None]:
    """What has something done by the present trio, once if it is told the same before that: to be called in any thread,
    and in vain when trio is over."""
    token = trio.lowlevel.current_trio_token()

    def soon(news: Callable[[], object]) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(news, idempotent=True)

    return soon


def clock_of(anchor: float | None) -> Clock:
    """Of one charge point, that goes on from `anchor`, or the time of the system. Raises ValueError for an anchor that
    is no number.

    A clock of trio that runs faster than the world may say by `calendar_rate` how fast the days pass in it.
    """
    source = time.time if anchor is None else partial(_anchor, anchor)
    return Clock.started(_monotonic(), source, rate=calendar_rate())


def _monotonic() -> Callable[[], float]:
    """The time of trio's clock, which is asked for many times in each turn: of a plain one without its Python code."""
    clock = trio.lowlevel.current_clock()
    offset = getattr(clock, "offset", None)
    if type(clock).__name__ == "SystemClock" and type(offset) is float:
        steady = Steady(offset)
        if steady() <= clock.current_time() <= steady():
            return steady
    return clock.current_time


def _anchor(value: Any) -> float:
    """Seconds since 1970, or the nearest within the years that there are. Raises ValueError."""
    return min(max(finite(value, "anchor"), _FIRST_SECOND), _LAST_SECOND)


_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799


@asynccontextmanager
async def _journal(
    store: Store | Journal | None, database_path: str | Path | None, identity: str, clock: Clock, leaving: Leaving
) -> AsyncIterator[Journal]:
    """The journal of this charge point: lent, of a store that is lent, or one of its own."""
    if isinstance(store, Journal):
        yield store
    elif store is not None:
        async with shared_journal(store, leaving=leaving) as journal:
            yield journal
    elif database_path is None:
        # Nobody else can close it, so it never fails and need not be served.
        yield Journal(MemoryStore(), inline=is_virtual_clock())
    else:
        path = Path(database_path)
        if path.suffix != ".db":
            path = path / f"{quote(identity, safe=' @+=,')}.db"
        async with open_store(path, now=clock.now(), leaving=leaving) as journal:
            yield journal

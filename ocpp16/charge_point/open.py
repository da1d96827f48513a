"""`open_charge_point`: from a configuration and a station to a charge point ready to start; `open_charge_points`: many.

This is where the wall clock is read, once, as the first anchor, where chance gets its seed, and where files are opened.
Who opens, closes: a store or a journal that is lent is left as it is, for whoever lent it.

However a block is left (by its end, an exception, cancellation, Ctrl-C), its charge points stop in order: what that
takes is shielded, and bounded by one deadline for all of it. The tasks of the charge points enclose the journal: a task
that cannot be cancelled holds up the end of the block, but not what is to be stored.
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import trio

from ocpp16.charge_point.argument_check import check_arguments
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.charge_points import ChargePoints
from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.charge_point.opened import opened
from ocpp16.charge_point.plan import planned
from ocpp16.charge_point.shared_tasks import SharedTasks
from ocpp16.configuration.configuration import Configuration
from ocpp16.ctrl_c import entered_and_left_whole
from ocpp16.observer import Observer
from ocpp16.state.clock import Clock
from ocpp16.station import CoreStation
from ocpp16.store.base import Store
from ocpp16.store.journal import Journal
from ocpp16.store.leaving import Leaving
from ocpp16.store.memory import MemoryStore
from ocpp16.store.open import is_virtual_clock, open_store, shared_journal
from ocpp16.values import finite


@entered_and_left_whole
@asynccontextmanager
async def open_charge_point(
    config: str | Path | Mapping[str, Any] | Configuration,
    station: CoreStation,
    *,
    user_config_path: str | Path | None = None,
    database_path: str | Path | None = None,
    store: Store | Journal | None = None,
    share_path: str | Path | None = None,
    custom_schema_path: str | Path | None = None,
    certificates_path: str | Path | None = None,
    security_configuration: Mapping[str, Any] | None = None,
    observer: Observer | None = None,
    connector: StreamOpener | None = None,
    tolerances: Iterable[str] | None = None,
    anchor: float | None = None,
    seed: int | None = None,
    trace_messages: bool = False,
) -> AsyncIterator[ChargePoint]:
    """Open a charge point; it begins with `await charge_point.start()`, and leaving the block stops it in order.

    config: path of a JSON file, a mapping of the same form, or a Configuration; what was changed over it earlier comes
    on top, from `user_config_path` or the store.
    station: the hardware; if it has a method `attach`, that is given the charge point. user_config_path: JSON file
    that holds what was changed over the configuration (made when needed; secrets go to a file of mode 0600 beside it);
    without it, changes go to the store. database_path: folder of the database `<ChargePointId>.db`, or a path ending
    in `.db`. store: instead, a journal of `open_store`, or a driver of your own; either may be lent to many charge
    points, and is not closed here. With neither, nothing outlives the block. share_path: data files instead of the
    package's. custom_schema_path: JSON Schema of your own keys instead of the Custom.json there.
    certificates_path: folder `certs`, whose `ca/csms` is trusted for wss://. security_configuration: single paths of
    that layout elsewhere, by libocpp's names; `csms_ca_bundle` is a PEM file or a folder. observer: is told what
    happens (see `ocpp16.observer`). connector: opens the stream to an endpoint, for tests and tunnels. tolerances:
    names of the repairs made on what the Central System sends (`Tolerance.parse`); None: as key Tolerances says.
    anchor: wall time now in seconds since 1970 instead of the system's clock. seed: makes message ids and waits
    repeatable. trace_messages: tells the observer every text frame.

    Raises ConfigurationError naming every problem of the arguments and the station, or else of the configuration;
    ValueError for an anchor that is no number; StoreError (SchemaTooNew) when the database belongs to somebody else,
    when the store cannot be read, and when a charge point of this identity is open on it already. One that cannot be
    written now (full disk, read-only) is no reason not to start: the charge point then works from memory, says so, and
    stores when it can. What the block raises is raised as it is, not in a group.
    """
    clock = _clock(anchor)
    check_arguments(locals())
    plan = planned(
        config,
        station,
        clock,
        has_store=store is not None or database_path is not None,
        user_config_path=user_config_path,
        share_path=share_path,
        custom_schema_path=custom_schema_path,
        certificates_path=certificates_path,
        security_configuration=security_configuration,
        observer=observer,
        connector=connector,
        tolerances=tolerances,
        seed=seed,
        trace_messages=trace_messages,
    )
    leaving = Leaving()
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            async with _journal(store, database_path, plan.identity, clock, leaving) as journal:
                shared = SharedTasks(nursery, are_many=False)
                try:
                    one = await opened(plan, journal, nursery, shared, leaving)
                    try:
                        yield one.charge_point
                    finally:
                        await one.leave()
                finally:
                    shared.end()
        except BaseException as error:
            failure = error
    if failure is not None:
        raise failure


@entered_and_left_whole
@asynccontextmanager
async def open_charge_points(
    *, store: Store | Journal | None = None, database_path: str | Path | None = None
) -> AsyncIterator[ChargePoints]:
    """A block for many charge points, which `ChargePoints.open` opens: they share one store, its journal and a nursery.

    store, database_path: as of `open_charge_point`, for all of them; of a folder, the database is `charge_points.db`.
    With neither, nothing outlives the block. Leaving the block stops those that are open, all at the same time, each in
    order. Raises ConfigurationError for arguments that cannot be meant, StoreError when the database cannot be used.
    What the block raises is raised as it is, not in a group.
    """
    check_arguments(locals())
    leaving = Leaving()
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            async with _journal(store, database_path, "charge_points", _clock(None), leaving) as journal:
                has_store = store is not None or database_path is not None
                shared = SharedTasks(nursery, are_many=True)
                charge_points = ChargePoints(journal, nursery, shared, _clock, has_store=has_store)
                try:
                    yield charge_points
                finally:
                    try:
                        leaving.by = trio.current_time()
                        leaving.by = await charge_points.leave()
                    finally:
                        shared.end()
        except BaseException as error:
            failure = error
    if failure is not None:
        raise failure


def _clock(anchor: float | None) -> Clock:
    """Raises ValueError for an anchor that is no number."""
    monotonic = trio.lowlevel.current_clock().current_time  # asked for many times in each turn
    return Clock.started(monotonic, time.time if anchor is None else partial(_anchor, anchor))


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

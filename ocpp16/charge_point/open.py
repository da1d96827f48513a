"""`open_charge_point`: from a configuration and a station to a charge point ready to start.

This is where the wall clock is read, once, as the first anchor, where chance gets its seed, and where files are opened.
Who opens, closes: a store or a journal that is lent is left as it is, for whoever lent it.

However the block is left (by its end, an exception, cancellation, Ctrl-C), the charge point stops in order: what it
takes for that is shielded, and bounded by one deadline for all of it. The tasks of the charge point enclose the
journal: a task that cannot be cancelled holds up the end of the block, but not what is to be stored. Whatever fails
while it is opened, and at which moment, what was opened before is closed.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import Any
from urllib.parse import quote

import trio

from ocpp16.charge_point.argument_check import check_arguments
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.connectivity import Connector
from ocpp16.charge_point.feed import ObserverFeed
from ocpp16.charge_point.keeper import FiledConfiguration, StoredConfiguration
from ocpp16.charge_point.restored import CONFIGURATION
from ocpp16.charge_point.store_reports import StoreReports, reported
from ocpp16.ctrl_c import entered_and_left_whole
from ocpp16.errors import ConfigurationError
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog, log
from ocpp16.models import Counters
from ocpp16.observer import Observer
from ocpp16.rpc.ids import uuid_ids
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.security.tls import client_context, prepare_keylog
from ocpp16.state.clock import Clock
from ocpp16.state.configuration import Configuration
from ocpp16.state.configuration_file import read_json_object
from ocpp16.state.keys import internal, security
from ocpp16.station import CoreStation
from ocpp16.store.base import Store
from ocpp16.store.files import FileKeeper
from ocpp16.store.journal import Journal
from ocpp16.store.leaving import Leaving
from ocpp16.store.loading import load_rows
from ocpp16.store.memory import MemoryStore
from ocpp16.store.open import OPEN_TIMEOUT, open_store, shared_journal
from ocpp16.store.overlay import Overlay
from ocpp16.store.tables import settings
from ocpp16.texts import shown
from ocpp16.transport.dial import Endpoint, open_stream
from ocpp16.values import finite, items, pairs


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
    connector: Connector | None = None,
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
    clock = Clock.started(trio.current_time, time.time if anchor is None else partial(_anchor, anchor))
    check_arguments(locals())
    overlay = None if user_config_path is None else Overlay(user_config_path)
    is_complete = overlay is not None or (store is None and database_path is None)
    configuration = _configuration(config, overlay, share_path, custom_schema_path, is_complete)
    identity = configuration[internal.CHARGE_POINT_ID]
    tolerance = _tolerance(configuration, tolerances)
    roots = _csms_roots(certificates_path, security_configuration or {})
    if connector is None:
        _check_tls(configuration, roots)
    counters = Counters()
    random = SystemRandom() if seed is None else Random(seed)  # noqa: S311 - repeatable, not secret
    told = FoldingLog(identity, clock.monotonic)
    leaving = Leaving()
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            async with _journal(store, database_path, identity, clock, leaving) as journal:
                if overlay is None:
                    configuration = await _with_stored_changes(configuration, journal)
                feed = None if observer is None else ObserverFeed(observer, counters, lambda: journal.durable, told)
                reports = StoreReports(told, journal, counters, feed)
                files = FileKeeper(
                    inline=journal.is_inline,
                    on_failing=reports.files_failing,
                    on_recovered=reports.files_recovered,
                    log=told,
                )
                charge_point = ChargePoint(
                    configuration=configuration,
                    station=station,
                    journal=journal,
                    nursery=nursery,
                    clock=clock,
                    connector=connector or partial(_dial, configuration, roots, told),
                    keeper=(
                        StoredConfiguration(configuration, journal)
                        if overlay is None
                        else FiledConfiguration(configuration, overlay, files)
                    ),
                    feed=feed,
                    counters=counters,
                    new_id=uuid_ids(random),
                    random=random,
                    tolerance=tolerance,
                    trace_messages=trace_messages,
                    log=told,
                )
                files.on_internal_error = charge_point.second_line.failed
                kept = _Kept(nursery)
                with reported(journal, charge_point, reports, identity):
                    try:
                        kept.start(partial(files.run, leaving))
                        await charge_point.prepare(timeout=OPEN_TIMEOUT)
                        for warning in configuration.warnings:  # some are about what this station has built
                            log.warning("%s: %s", identity, shown(warning, 1000))
                        kept.start(charge_point.run_pump)
                        if feed is not None:
                            kept.start(feed.run)
                        reports.look()
                        attach = getattr(station, "attach", None)
                        if callable(attach):
                            attach(charge_point)
                        yield charge_point
                    finally:
                        await _leave(charge_point, feed, kept, leaving)
        except BaseException as error:
            failure = error
    if failure is not None:
        raise failure


async def _leave(charge_point: ChargePoint, feed: ObserverFeed | None, kept: "_Kept", leaving: Leaving) -> None:
    """Stop in order, and set the time until which all that follows is to be done. A second Ctrl-C means at once."""
    leaving.by = trio.current_time()
    try:
        with trio.CancelScope(shield=True):  # bounded inside
            leaving.by = await charge_point.close()
            if feed is not None:
                with trio.CancelScope(deadline=leaving.by):
                    await feed.finish()
    finally:
        charge_point.abandon()
        kept.end()


class _Kept:
    """Tasks that no cancellation of the block ends, since leaving it in order needs them; `end` does.

    Nor does Ctrl-C: that is the program's, which then leaves the block.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._scopes: list[trio.CancelScope] = []

    def start(self, async_fn: Callable[[], Awaitable[None]]) -> None:
        scope = trio.CancelScope(shield=True)
        self._scopes.append(scope)
        self._nursery.start_soon(self._run, scope, async_fn)

    @staticmethod
    @trio.lowlevel.enable_ki_protection
    async def _run(scope: trio.CancelScope, async_fn: Callable[[], Awaitable[None]]) -> None:
        with scope:
            await async_fn()

    def end(self) -> None:
        for scope in self._scopes:
            scope.cancel()


def _anchor(value: Any) -> float:
    """Seconds since 1970, or the nearest within the years that there are. Raises ValueError."""
    return min(max(finite(value, "anchor"), _FIRST_SECOND), _LAST_SECOND)


_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799


def _configuration(
    config: str | Path | Mapping[str, Any] | Configuration,
    overlay: Overlay | None,
    share_path: str | Path | None,
    custom_schema_path: str | Path | None,
    is_complete: bool,
) -> Configuration:
    if isinstance(config, Configuration):
        return config if overlay is None else config.with_changes(overlay.merged())
    document = _mapping(config) if isinstance(config, Mapping) else read_json_object(config)
    patch = {} if overlay is None else overlay.merged()
    try:
        configuration = Configuration.load(
            document,
            overlay=patch,
            share_path=share_path,
            custom_schema_path=custom_schema_path,
            is_complete=is_complete,
        )
    except BaseException as error:
        if type(config) is dict or isinstance(error, ConfigurationError):
            raise
        obey_exit(error)  # of a mapping of the host's own kind
        raise ConfigurationError([f"config cannot be read: {sentence(error)}"]) from error
    if overlay is not None:
        configuration.warnings += overlay.warnings
    return configuration


def _mapping(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sections of a mapping of the host's own kind, read once. Raises ConfigurationError."""
    if type(config) is dict:
        return config
    try:
        return dict(pairs(config, "config"))
    except (TypeError, ValueError) as error:  # a name may be nothing that a dict can have
        raise ConfigurationError([str(error)]) from error


def _tolerance(configuration: Configuration, names: Iterable[str] | None) -> Tolerance:
    try:
        configured: tuple[str, ...] = configuration[internal.TOLERANCES]
        return Tolerance.parse(configured if names is None else items(names, "the repairs", "names"))
    except ValueError as error:
        raise ConfigurationError([f"tolerances: {error}"]) from error


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
        yield Journal(MemoryStore())  # nobody else can close it, so it never fails and need not be served
    else:
        path = Path(database_path)
        if path.suffix != ".db":
            path = path / f"{quote(identity, safe=' @+=,')}.db"
        async with open_store(path, now=clock.now(), leaving=leaving) as journal:
            yield journal


async def _with_stored_changes(configuration: Configuration, journal: Journal) -> Configuration:
    """The same configuration with the changes that lie in the store, where there is no file for them."""
    identity = configuration[internal.CHARGE_POINT_ID]
    found = await journal.in_turn(
        lambda store: load_rows(store, identity, settings.TABLE, (CONFIGURATION,)), timeout=OPEN_TIMEOUT
    )
    changed = next((row.value for row in settings.read(found, lambda row, error: None)), None)
    return configuration.with_changes(changed if isinstance(changed, dict) else {})


def _csms_roots(certificates_path: str | Path | None, security_configuration: Mapping[str, Any]) -> Path | None:
    bundle = security_configuration.get("csms_ca_bundle")
    if bundle:
        return Path(bundle)
    return None if certificates_path is None else Path(certificates_path) / "ca" / "csms"


def _check_tls(configuration: Configuration, roots: Path | None) -> None:
    """Raises ConfigurationError if TLS is asked for and nothing could be trusted, or its secrets cannot be logged."""
    if configuration[security.SECURITY_PROFILE] < 2:
        return
    if roots is None and not configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS]:
        raise ConfigurationError(["certificates_path: wss:// needs the root certificates of the Central System"])
    keylog = _keylog_file(configuration)
    if keylog is not None:
        prepare_keylog(keylog)


def _keylog_file(configuration: Configuration) -> Path | None:
    path = configuration[internal.TLS_KEYLOG_FILE]
    return Path(path) if path and configuration[internal.ENABLE_TLS_KEYLOG] else None


async def _dial(
    configuration: Configuration, roots: Path | None, log: FoldingLog, endpoint: Endpoint
) -> trio.abc.Stream:
    """The stream the configuration asks for: TCP, or TLS that trusts `certs/ca/csms` only, unless told otherwise."""
    context = None
    if endpoint.is_tls:
        _check_tls(configuration, roots)
        suites12 = configuration[internal.SUPPORTED_CIPHERS12]
        suites13 = configuration[internal.SUPPORTED_CIPHERS13]
        context = client_context(
            roots,
            ciphers12=":".join(suites12),
            ciphers13=":".join(suites13),
            use_default_verify_paths=configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS],
            verify_name=configuration[internal.VERIFY_CSMS_COMMON_NAME],
            allow_wildcards=configuration[internal.VERIFY_CSMS_ALLOW_WILDCARDS],
            keylog_file=_keylog_file(configuration),
            warn=log.warning,
        )
    return await open_stream(endpoint, ssl_context=context, interface=configuration[internal.IFACE])

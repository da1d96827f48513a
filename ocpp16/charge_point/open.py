"""`open_charge_point`: from a configuration and a station to a charge point ready to start.

This is where the wall clock is read, once, as the first anchor, where chance gets its seed, and where files are opened.
The journal's task encloses the charge point's: whatever ends first, what was told is committed.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import Any
from urllib.parse import quote

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.connectivity import Connector
from ocpp16.charge_point.feed import ObserverFeed
from ocpp16.charge_point.restored import CONFIGURATION
from ocpp16.errors import ConfigurationError
from ocpp16.models import Counters
from ocpp16.observer import Observer, StoreFailing, StoreRecovered
from ocpp16.profiles.base import log
from ocpp16.rpc.ids import uuid_ids
from ocpp16.security.tls import client_context
from ocpp16.state.configuration import Configuration
from ocpp16.state.configuration_file import read_json_object
from ocpp16.state.keys import internal
from ocpp16.station import CoreStation
from ocpp16.store.base import Change, Store
from ocpp16.store.journal import Journal
from ocpp16.store.memory import MemoryStore
from ocpp16.store.overlay import Overlay
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings
from ocpp16.transport.dial import Endpoint, open_stream

STORE_FLUSH_TIMEOUT = 10.0
"""Seconds at most that leaving the block waits for the disk."""


@asynccontextmanager
async def open_charge_point(
    config: str | Path | Mapping[str, Any] | Configuration,
    station: CoreStation,
    *,
    user_config_path: str | Path | None = None,
    database_path: str | Path | None = None,
    store: Store | None = None,
    share_path: str | Path | None = None,
    certificates_path: str | Path | None = None,
    security_configuration: Mapping[str, Any] | None = None,
    observer: Observer | None = None,
    connector: Connector | None = None,
    anchor: float | None = None,
    seed: int | None = None,
    trace_messages: bool = False,
) -> AsyncIterator[ChargePoint]:
    """Open a charge point; it begins with `await charge_point.start()`, and leaving the block stops it in order.

    config: path of a JSON file, a mapping of the same form, or a Configuration. user_config_path: JSON file that holds
    what was changed over it (made when needed; secrets go to a file of mode 0600 beside it); without it, changes go to
    the store. database_path: folder of the database `<ChargePointId>.db`, or a path ending in `.db`; store: a driver of
    your own instead; with neither, nothing outlives the block. share_path: data files instead of the package's.
    certificates_path: folder `certs`, whose `ca/csms` is trusted for wss://. security_configuration: single paths of
    that layout elsewhere, by libocpp's names; `csms_ca_bundle` is a PEM file or a folder. observer: is told what
    happens (see `ocpp16.observer`). connector: opens the stream to an endpoint, for tests and tunnels. anchor: wall
    time now in seconds since 1970 instead of the system's clock. seed: makes message ids and waits repeatable.
    trace_messages: tells the observer every text frame.

    Raises ConfigurationError naming every problem, StoreError (SchemaTooNew) when the database cannot be used.
    """
    virtual = _is_virtual_clock()
    started_at = round((time.time() if anchor is None else anchor) * 1e6)
    overlay = None if user_config_path is None else Overlay(user_config_path)
    configuration = _configuration(config, overlay, share_path)
    roots = _csms_roots(certificates_path, security_configuration or {})
    charge_point_id = configuration[internal.CHARGE_POINT_ID]
    if store is None:
        store = await _open_store(database_path, charge_point_id, started_at, virtual)
    try:
        if overlay is None and not isinstance(config, Configuration):
            configuration = await _with_stored_changes(configuration, config, store, share_path, virtual)
        counters = Counters()
        journal = Journal(store, inline=virtual, flush_timeout=STORE_FLUSH_TIMEOUT)
        feed = None if observer is None else ObserverFeed(observer, counters, lambda: journal.durable)
        _report_store(journal, store, feed, counters, charge_point_id)
        random = SystemRandom() if seed is None else Random(seed)  # noqa: S311 - repeatable, not secret
        async with trio.open_nursery() as journal_nursery:
            journal_nursery.start_soon(journal.run)
            try:
                async with trio.open_nursery() as nursery:
                    charge_point = ChargePoint(
                        configuration=configuration,
                        station=station,
                        journal=journal,
                        nursery=nursery,
                        anchor=started_at,
                        connector=connector or partial(_dial, configuration, roots),
                        persist=partial(_persisted, overlay),
                        feed=feed,
                        counters=counters,
                        new_id=uuid_ids(random),
                        random=random,
                        trace_messages=trace_messages,
                    )
                    for warning in configuration.warnings:  # some are about what this station has built
                        log.warning("%s: %s", charge_point_id, warning)
                    unsubscribe = journal.subscribe(charge_point.durable_rose, charge_point_id)
                    await charge_point.prepare()
                    nursery.start_soon(charge_point.run_pump)
                    if feed is not None:
                        nursery.start_soon(feed.run)
                    try:
                        yield charge_point
                        await charge_point.stop()
                    finally:
                        charge_point.close()
                        nursery.cancel_scope.cancel()
                unsubscribe()
            finally:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + STORE_FLUSH_TIMEOUT):
                    if journal.durable < journal.number:
                        await journal.wait_durable(journal.number)
                    if feed is not None:
                        await feed.drain()
                journal_nursery.cancel_scope.cancel()
    finally:
        store.close()


def _is_virtual_clock() -> bool:
    """A clock that jumps does not see a busy thread: then commits are made in the trio thread itself."""
    return hasattr(trio.lowlevel.current_clock(), "autojump_threshold")


def _configuration(
    config: str | Path | Mapping[str, Any] | Configuration, overlay: Overlay | None, share_path: str | Path | None
) -> Configuration:
    if isinstance(config, Configuration):
        return config
    document = config if isinstance(config, Mapping) else read_json_object(config)
    patch = {} if overlay is None else overlay.merged()
    configuration = Configuration.load(document, overlay=patch, share_path=share_path)
    if overlay is not None:
        configuration.warnings += overlay.warnings
    return configuration


async def _open_store(database_path: str | Path | None, charge_point_id: str, now: int, virtual: bool) -> Store:
    if database_path is None:
        return MemoryStore()
    path = Path(database_path)
    if path.suffix != ".db":
        path = path / f"{quote(charge_point_id, safe=' @+=,')}.db"
    opened = partial(SqliteStore.open, path, now=now)
    return opened() if virtual else await trio.to_thread.run_sync(opened)


async def _with_stored_changes(
    configuration: Configuration,
    config: str | Path | Mapping[str, Any],
    store: Store,
    share_path: str | Path | None,
    virtual: bool,
) -> Configuration:
    """The same configuration with the changes that lie in the store, where there is no file for them."""
    load = partial(store.load, configuration[internal.CHARGE_POINT_ID])
    loaded = load() if virtual or store.is_volatile else await trio.to_thread.run_sync(load)
    rows = settings.read(loaded[settings.TABLE.name], lambda row, error: None)
    changed = next((row.value for row in rows if row.key == CONFIGURATION), None)
    if not isinstance(changed, dict) or not changed:
        return configuration
    document = config if isinstance(config, Mapping) else read_json_object(config)
    return Configuration.load(document, overlay=changed, share_path=share_path)


def _persisted(overlay: Overlay | None, configuration: Configuration) -> Sequence[Change]:
    overrides, secrets = configuration.overrides, configuration.secrets
    if overlay is not None:
        return overlay.changes(overrides, secrets)
    for section, keys in secrets.items():
        overrides.setdefault(section, {}).update(keys)
    return [settings.put(settings.SettingRow(CONFIGURATION, overrides))]


def _report_store(
    journal: Journal, store: Store, feed: ObserverFeed | None, counters: Counters, charge_point_id: str
) -> None:
    def failing(reason: str) -> None:
        counters.store_failures += 1
        log.error("%s: the store cannot be written, what depends on it waits: %s", charge_point_id, reason)
        if feed is not None:
            feed.tell_now(StoreFailing(reason))

    def recovered() -> None:
        log.warning("%s: the store can be written again", charge_point_id)
        if feed is not None:
            feed.tell_now(StoreRecovered())

    journal.on_failing = failing
    journal.on_recovered = recovered
    for text in (getattr(store, "detail", ""), *getattr(store, "warnings", ())):
        if text:
            log.warning("%s: %s", charge_point_id, text)
            if feed is not None:
                feed.tell_now(StoreRecovered(text))


def _csms_roots(certificates_path: str | Path | None, security_configuration: Mapping[str, Any]) -> Path | None:
    bundle = security_configuration.get("csms_ca_bundle")
    if bundle:
        return Path(bundle)
    return None if certificates_path is None else Path(certificates_path) / "ca" / "csms"


async def _dial(configuration: Configuration, roots: Path | None, endpoint: Endpoint) -> trio.abc.Stream:
    """The stream the configuration asks for: TCP, or TLS that trusts `certs/ca/csms` only, unless told otherwise."""
    context = None
    if endpoint.is_tls:
        if roots is None and not configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS]:
            raise ConfigurationError(["certificates_path: wss:// needs the root certificates of the Central System"])
        suites12 = configuration[internal.SUPPORTED_CIPHERS12]
        suites13 = configuration[internal.SUPPORTED_CIPHERS13]
        context = client_context(
            roots,
            ciphers12=":".join(suites12),
            ciphers13=":".join(suites13),
            use_default_verify_paths=configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS],
            verify_name=configuration[internal.VERIFY_CSMS_COMMON_NAME],
            allow_wildcards=configuration[internal.VERIFY_CSMS_ALLOW_WILDCARDS],
            keylog_file=Path(configuration[internal.TLS_KEYLOG_FILE])
            if configuration[internal.ENABLE_TLS_KEYLOG]
            else None,
        )
    return await open_stream(endpoint, ssl_context=context, interface=configuration[internal.IFACE])

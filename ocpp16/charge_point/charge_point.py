"""The charge point: puts features, session, store and connection together, and starts and stops them.

It decides nothing itself. What lasts from opening to closing is made once (clock, timers, pump, journal, connectivity);
what belongs to a start is made anew by each start from what is stored (session, transactions, features), so that a
restart cannot inherit anything by accident.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any

import trio

from ocpp16.charge_point.assembly import assemble
from ocpp16.charge_point.connectivity import Connectivity, Connector
from ocpp16.charge_point.feed import ObserverFeed
from ocpp16.charge_point.pump import Pump
from ocpp16.charge_point.questions import Questions
from ocpp16.charge_point.redaction import redacted
from ocpp16.charge_point.restored import BOOT, restored
from ocpp16.charge_point.writer import JournalWriter
from ocpp16.enums import BootReason, ChargePointStatus, Reason
from ocpp16.errors import ChargePointStopped
from ocpp16.models import Counters
from ocpp16.observer import MessageExchanged, ObserverEvent, SecurityEvent
from ocpp16.profiles.base import log
from ocpp16.profiles.data_transfer import DataTransferHandler
from ocpp16.schedule.sharing import Strategy
from ocpp16.state.clock import Clock
from ocpp16.state.configuration import Configuration
from ocpp16.state.keys import core, internal
from ocpp16.state.signals import ConfigurationChanged
from ocpp16.state.timers import Timers
from ocpp16.station import CoreStation
from ocpp16.store.base import Change
from ocpp16.store.journal import Journal
from ocpp16.store.tables import clock_corrections, settings


class ChargePoint(Questions):
    """One OCPP 1.6J charge point; made by `open_charge_point`."""

    __slots__ = (
        "_availability",
        "_connect",
        "_connection_ended",
        "_connection_scope",
        "_connectivity",
        "_data_transfer_handlers",
        "_features",
        "_feed",
        "_is_closed",
        "_journal",
        "_key_callbacks",
        "_meter_values",
        "_meters",
        "_nursery",
        "_persist",
        "_pump",
        "_random",
        "_resume_delay",
        "_sharing",
        "_trace",
        "_transactions",
        "clock",
        "configuration",
        "counters",
        "ctx",
        "is_running",
        "new_id",
        "station",
        "timers",
        "writer",
    )

    def __init__(
        self,
        *,
        configuration: Configuration,
        station: CoreStation,
        journal: Journal,
        nursery: trio.Nursery,
        anchor: int,
        connector: Connector,
        persist: Callable[[Configuration], Sequence[Change]],
        feed: ObserverFeed | None,
        counters: Counters,
        new_id: Callable[[], str],
        random: Random,
        trace_messages: bool,
    ) -> None:
        self.configuration = configuration
        self.counters = counters
        self.timers = Timers()
        self.clock = Clock(trio.current_time, anchor)
        self.station = station
        self._journal = journal
        self.writer = JournalWriter(journal, configuration[internal.CHARGE_POINT_ID])
        self._nursery = nursery
        self._connect = connector
        self._persist = persist
        self._feed = feed
        self.new_id = new_id
        self._random = random
        self._trace = self._traced if trace_messages and feed is not None else None
        self._pump = Pump(self.clock, self.timers, self._durable)
        self._connectivity: Connectivity | None = None
        self._connection_scope = trio.CancelScope()
        self._connection_ended = trio.Event()
        self._resume_delay = 0.0
        self._key_callbacks: dict[str, list[Callable[[], None]]] = {}
        self._data_transfer_handlers: dict[tuple[str, str | None], DataTransferHandler] = {}
        self._meters: dict[int, int] = {}
        self._sharing: tuple[Strategy | None, float | None] = (None, None)
        self._is_closed = False
        self.is_running = False

    # Life

    async def prepare(self) -> None:
        """Read what is stored and make everything that belongs to a start; for `open_charge_point` and `restart`."""
        loaded = await self._load()
        found = restored(loaded)
        boot = found.boot + 1
        self.clock.boot = boot
        self.clock.corrections.update(found.corrections)
        found.note_times(self.clock)
        unused = [clock_corrections.delete(number) for number in self.clock.prune()]
        self.writer.append(settings.put(settings.SettingRow(BOOT, boot)), *unused)
        self._meters = {row.connector_id: row.energy for row in found.meters.values()}
        self._features = features = assemble(self, found)
        self.ctx = features.ctx
        self._availability = features.availability
        self._meter_values = features.meter_values
        self._transactions = features.transactions
        for (vendor_id, message_id), handler in self._data_transfer_handlers.items():
            features.data_transfer.register(vendor_id, message_id, handler)
        self.share_limits(*self._sharing)
        self.ctx.signals.on(ConfigurationChanged, self._configuration_changed)
        self._pump.session = self.ctx.session

    async def start(
        self,
        connector_status: Mapping[int, ChargePointStatus] | None = None,
        boot_reason: BootReason = BootReason.POWER_UP,
        resuming_session_ids: Collection[str] = (),
    ) -> None:
        """Begin: close or resume stored transactions, announce the charge point, connect. Does not wait for any of it.

        connector_status: what the connectors are (all of 0..n), where the station knows it; without it they are
        Available or Unavailable as ChangeAvailability left them. resuming_session_ids: sessions of stored transactions
        that go on; the other transactions are stopped with reason PowerLoss.
        Raises ValueError for a wrong map, RuntimeError if it runs.
        """
        if self.is_running:
            raise RuntimeError("the charge point runs already")
        features = self._features
        if connector_status:
            features.seed_connectors(connector_status)
        self.is_running = True
        features.transactions.recover(resuming_session_ids)
        for feature in features.all:
            feature.start()
        self.ctx.ask_later(self.station.set_connection_timeout, self.configuration[core.CONNECTION_TIME_OUT])
        self._connectivity = Connectivity(
            self.ctx,
            self._pump,
            connector=self._connect,
            accept=features.dispatcher.accept,
            trace=self._trace,
            random=self._random,
        )
        self._connectivity.set_resume_delay(self._resume_delay)
        self._connectivity.connect()
        self._connection_scope = trio.CancelScope()
        self._connection_ended = trio.Event()
        self._nursery.start_soon(self._stay_connected, self._connectivity, self._connection_scope)
        self._pump.kick()

    async def _stay_connected(self, connectivity: Connectivity, scope: trio.CancelScope) -> None:
        try:
            with scope:
                await connectivity.run()
        finally:
            self._connection_ended.set()

    async def stop(self) -> bool:
        """End in order: transactions stopped, what can be sent sent (StopTimeout seconds), socket closed.

        False if it does not run. What could not be sent is on disk and goes out after the next start.
        """
        if not self.is_running:
            return False
        ctx = self.ctx
        with trio.move_on_after(self.configuration[internal.STOP_TIMEOUT]):
            for transaction in ctx.transactions.all_running():
                await ctx.ask(self.station.stop_transaction, transaction.connector_id, Reason.OTHER, safe=False)
            await self._settled()
        self.is_running = False
        for feature in reversed(self._features.all):
            feature.stop()
        self._connection_scope.cancel()
        with trio.CancelScope(shield=True):  # bounded: the closing handshake has its own limit
            await self._connection_ended.wait()
        ctx.session.stop(self.clock.monotonic())
        await self.stored()
        return True

    async def _settled(self) -> None:
        """Wait until transactions are over and everything is answered, or there is nobody to answer."""
        settled = trio.Event()

        def look() -> None:
            if self._has_settled():
                settled.set()

        self._pump.on_turn = look
        self._pump.kick()
        try:
            await settled.wait()
        finally:
            self._pump.on_turn = None

    def _has_settled(self) -> bool:
        session = self.ctx.session
        if self.ctx.transactions.all_running():
            return False
        return not self.ctx.is_online or (session.outbox.depth == 0 and session.in_flight is None)

    async def restart(
        self,
        connector_status: Mapping[int, ChargePointStatus] | None = None,
        boot_reason: BootReason = BootReason.APPLICATION_RESET,
    ) -> bool:
        """Start anew after `stop`, boot included, from what is stored. False if it was not stopped."""
        if self.is_running or self._is_closed:
            return False
        await self.stored()
        self.clock = Clock(trio.current_time, self.clock.now())
        self._pump.clock = self.clock
        await self.prepare()
        await self.start(connector_status, boot_reason)
        return True

    def connect_websocket(self) -> None:
        """Connect at once, and stay connected. Raises ChargePointStopped if it does not run."""
        self._running().connect()

    def disconnect_websocket(self) -> None:
        """Close the connection and stay away until `connect_websocket`; the charge point works on offline."""
        self._running().disconnect()

    def reconnect_websocket(self) -> None:
        """Close the connection and open another at once, with what is configured now; nothing while disconnected."""
        if self._connectivity is not None:
            self._connectivity.reconnect()

    def set_message_queue_resume_delay(self, seconds: float) -> None:
        """How long queued messages wait after a reconnect, so that the Central System may speak first."""
        self._resume_delay = seconds
        if self._connectivity is not None:
            self._connectivity.set_resume_delay(seconds)

    def _running(self) -> Connectivity:
        if not self.is_running or self._connectivity is None:
            raise ChargePointStopped("the charge point is not running")
        return self._connectivity

    def _keep_sharing(self, sharing: tuple[Strategy | None, float | None]) -> None:
        """It holds over a restart of the charge point as well."""
        self._sharing = sharing

    # Tasks and the disk

    async def stored(self) -> None:
        """Wait until all that was told so far is on disk. Raises StoreError if it was refused."""
        await self.writer.wait_durable(self.writer.last)

    def spawn(self, async_fn: Callable[..., Any], *args: Any) -> None:
        """Run a task that ends with the charge point."""
        if not self._is_closed:
            self._nursery.start_soon(async_fn, *args)

    # Inside

    def tell(self, event: ObserverEvent, number: int) -> None:
        """Give an event to the observer once journal number `number` is on disk."""
        if self._feed is not None:
            self._feed.tell(event, number)

    def close(self) -> None:
        """No new tasks from here on."""
        self._is_closed = True

    async def run_pump(self) -> None:
        await self._pump.run()

    def kick(self) -> None:
        """Something may be ready to be sent, or has just been answered."""
        self._pump.kick()

    def persisted(self) -> Sequence[Change]:
        """The writes that keep the configuration as it is now."""
        return self._persist(self.configuration)

    def invalid_received(self, text: str, why: str) -> None:
        """The peer sent something that cannot be used (security event InvalidMessages)."""
        log.warning("%s: received something unusable: %s", self.ctx.charge_point_id, why)
        self.tell(SecurityEvent("InvalidMessages", f"{why}: {redacted(text)}"[:255]), 0)

    def durable_rose(self) -> None:
        self._pump.kick()
        if self._feed is not None:
            self._feed.kick()

    def _durable(self) -> int:
        return self._journal.durable

    async def _load(self) -> dict[str, list[Any]]:
        store, charge_point_id = self._journal.store, self.configuration[internal.CHARGE_POINT_ID]
        if store.is_volatile or self._journal.is_inline:
            return store.load(charge_point_id)
        return await trio.to_thread.run_sync(store.load, charge_point_id)

    def _configuration_changed(self, signal: ConfigurationChanged) -> None:
        self._features.retune(signal.key)
        if self._connectivity is not None:
            self._connectivity.key_changed(signal.key)
        if signal.key == core.CONNECTION_TIME_OUT.name:
            self.ctx.ask_later(self.station.set_connection_timeout, self.configuration[core.CONNECTION_TIME_OUT])
        for callback in self._key_callbacks.get(signal.key, ()):
            try:
                callback()
            except Exception:
                log.exception("a callback for %s failed", signal.key)

    def _traced(self, direction: str, text: str) -> None:
        self.tell(MessageExchanged(direction, redacted(text)), 0)

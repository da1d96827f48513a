"""The charge point: puts features, session, store and connection together, and starts and stops them.

It decides nothing itself. What lasts from opening to closing is made once (clock, pump, journal, observer's feed); what
belongs to a start is a `Life`, made anew by each start from what is stored, so that a restart cannot inherit anything
by accident.

Rules of this file:
1. Starts, stops and restarts happen one after another. A stop, once begun, goes to its end, whoever asked for it and
   whatever becomes of the asker; it waits for nobody's turn, since nothing can begin before it is over.
2. Every wait of a stop has an end (`orderly_stop`).
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import inf
from random import Random
from typing import Any

import trio

from ocpp16.charge_point.argument_check import known_before
from ocpp16.charge_point.assembly import Features, assemble, built_profiles
from ocpp16.charge_point.connectivity import Connectivity, Connector
from ocpp16.charge_point.feed import ObserverFeed
from ocpp16.charge_point.life import Life
from ocpp16.charge_point.orderly_stop import FLUSH_TIMEOUT, end_for_good, stop_in_order
from ocpp16.charge_point.pump import Pump
from ocpp16.charge_point.questions import KeyCallback, Questions
from ocpp16.charge_point.restored import BOOT, Restored, restored
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.charge_point.turns import Turns
from ocpp16.charge_point.writer import JournalWriter
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import core, internal
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import BootReason, ChargePointStatus
from ocpp16.errors import ChargePointStopped, StoreError
from ocpp16.faults import obey
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import MessageExchanged, ObserverEvent, SecurityEvent
from ocpp16.profiles.asked import ConfigurationKeeper
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.base import Context
from ocpp16.profiles.data_transfer import DataTransferHandler
from ocpp16.profiles.turn import Turn
from ocpp16.redaction import redacted
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.schedule.sharing import Strategy
from ocpp16.state.clock import Clock
from ocpp16.state.signals import ConfigurationChanged
from ocpp16.state.timers import Timers
from ocpp16.station import CoreStation
from ocpp16.store.base import Row
from ocpp16.store.journal import Journal
from ocpp16.store.tables import clock_corrections, settings
from ocpp16.texts import shown
from ocpp16.values import finite, member


@only_at_waits
class ChargePoint(Questions):
    """One OCPP 1.6J charge point; made by `open_charge_point`."""

    __slots__ = (
        "_connect",
        "_data_transfer_handlers",
        "_feed",
        "_is_closed",
        "_is_closing",
        "_journal",
        "_key_callbacks",
        "_key_texts",
        "_life",
        "_meters",
        "_nursery",
        "_outside",
        "_pump",
        "_random",
        "_resume_delay",
        "_sharing",
        "_stop_scope",
        "_stopped",
        "_token",
        "_trace",
        "_turn",
        "_turns",
        "asked_station",
        "built_profiles",
        "clock",
        "configuration",
        "counters",
        "keeper",
        "new_id",
        "second_line",
        "station",
        "timers",
        "tolerance",
        "writer",
    )

    def __init__(
        self,
        *,
        configuration: Configuration,
        station: CoreStation,
        journal: Journal,
        nursery: trio.Nursery,
        clock: Clock,
        connector: Connector,
        keeper: ConfigurationKeeper,
        feed: ObserverFeed | None,
        counters: Counters,
        new_id: Callable[[], str],
        random: Random,
        tolerance: Tolerance,
        trace_messages: bool,
        log: FoldingLog | None = None,
    ) -> None:
        self.configuration = configuration
        self.counters = counters
        self.timers = Timers()
        """Of the station, if it likes: they go on over starts and stops."""
        self.clock = clock
        self.station = station
        self.asked_station = AskedStation(station)
        self.built_profiles = built_profiles(station)
        self.keeper = keeper
        self.tolerance = tolerance
        self.new_id = new_id
        self._journal = journal
        self.writer = JournalWriter(journal, configuration[internal.CHARGE_POINT_ID])
        self._nursery = nursery
        self._connect = connector
        self._feed = feed
        self.second_line = SecondLine(
            configuration[internal.CHARGE_POINT_ID], counters, clock.monotonic, self._tell_at_once, log
        )
        self.timers.on_error = self.second_line.failed
        self._random = random
        self._trace = self._traced if trace_messages and feed is not None else None
        self._pump = Pump(clock, self.timers, self._durable, self.second_line.failed)
        self._turns = Turns(self._pump)
        self._life = Life(nursery, self.second_line)
        self._outside: Life | None = None
        """Of tasks that go on over stops and starts; made with the first."""
        self._turn = Turn()
        self._stopped: trio.Event | None = None
        self._stop_scope: trio.CancelScope | None = None
        self._resume_delay = 0.0
        self._key_callbacks: dict[str, list[KeyCallback]] = {}
        self._key_texts: dict[str, str | None] = {}
        self._data_transfer_handlers: dict[tuple[str, str | None], DataTransferHandler] = {}
        self._meters: dict[int, int] = {}
        self._sharing: tuple[Strategy | None, float | None] = (None, None)
        self._is_closing = False
        """Nothing begins any more."""
        self._is_closed = False
        self._token = trio.lowlevel.current_trio_token()

    @property
    def ctx(self) -> Context:
        """What the features of the present start share."""
        return self._life.features.ctx

    @property
    def _features(self) -> Features:
        return self._life.features

    @property
    def is_running(self) -> bool:
        """Was it started, and is it neither stopped nor stopping?"""
        return self._life.is_running

    # Life

    async def prepare(self, *, timeout: float | None = None) -> None:
        """Read what is stored, within `timeout` seconds, and make everything that belongs to a start; for
        `open_charge_point`. Raises StoreError."""
        self._make_life(restored(await self._loaded(timeout), self.clock.now(), self.second_line))

    async def _loaded(self, timeout: float | None = None) -> dict[str, list[Row]]:
        return await self._journal.load_all(self.configuration[internal.CHARGE_POINT_ID], timeout=timeout)

    def _make_life(self, found: Restored) -> None:
        stored_at = self._journal.append(self.configuration[internal.CHARGE_POINT_ID])
        if stored_at > self._journal.durable:  # told before, and not on disk yet: not to be sent before it is
            for entry in found.messages:
                entry.number = stored_at
        life = Life(self._nursery, self.second_line)
        life.features = features = assemble(self, life, found)
        self._note_boot(found)
        self._meters = {row.connector_id: row.energy for row in found.meters.values()}
        for (vendor_id, message_id), handler in self._data_transfer_handlers.items():
            features.data_transfer.register(vendor_id, message_id, handler)
        if features.smart_charging is not None:
            features.smart_charging.limits.share(*self._sharing)
        features.ctx.signals.on(ConfigurationChanged, self._configuration_changed)
        self._life = life
        self._pump.take_over(features.ctx.session, features.ctx.timers)

    def _note_boot(self, found: Restored) -> None:
        """Count this start, and tell the clock what is known of the times of earlier ones."""
        self.counters.times_ignored += found.times_ignored
        boot = found.boot + 1
        self.clock.boot = boot
        self.clock.corrections.update(found.corrections)
        found.note_times(self.clock)
        unused = [clock_corrections.delete(number) for number in self.clock.prune()]
        self.writer.append(settings.put(settings.SettingRow(BOOT, boot)), *unused)

    async def start(
        self,
        connector_status: Mapping[int, ChargePointStatus] | None = None,
        boot_reason: BootReason = BootReason.POWER_UP,
        resuming_session_ids: Collection[str] = (),
    ) -> None:
        """Begin: close or resume stored transactions, announce the charge point, connect. Does not wait for any of it;
        `wait_registered` does.

        connector_status: what the connectors are, where the station knows it; the others are Available or Unavailable
        as ChangeAvailability left them, and SuspendedEVSE where a transaction is resumed. resuming_session_ids:
        sessions of stored transactions that go on; the others are stopped with reason PowerLoss, but for those that
        were told since the charge point was opened or stopped.
        Raises ValueError for a wrong map, reason or text, RuntimeError if it runs, StoreError if the store cannot be
        read; then nothing has changed.
        """
        self._check_usable()
        member(BootReason, boot_reason, "boot_reason")
        known = self._known_before(connector_status, resuming_session_ids)
        async with self._turn:
            await self._stop_is_over()
            if self._life.is_running:
                raise RuntimeError("the charge point runs already")
            if self._life.was_started:
                await self._begin_anew()
            self._begin(*known)

    def _known_before(
        self, connector_status: Any, resuming_session_ids: Any
    ) -> tuple[dict[int, ChargePointStatus], list[str]]:
        """What the station knows of connectors and sessions, checked for `start` and `restart`. Raises ValueError."""
        highest = self.number_of_connectors
        if self._life.was_started:  # what waits for a reboot is in force then
            highest = self.configuration.pending.get(core.NUMBER_OF_CONNECTORS, highest)
        return known_before(connector_status, resuming_session_ids, highest)

    async def _stop_is_over(self) -> None:
        if self._stopped is not None:
            await self._stopped.wait()
        self._check_may_begin()

    def _check_may_begin(self) -> None:
        self._check_usable()
        if self._is_closing:
            raise ChargePointStopped("the charge point is being closed: its `async with` block is left")

    async def _begin_anew(self) -> None:
        """After a stop: everything from what is stored, and from what waits to be. Raises StoreError; then nothing has
        changed."""
        asked = self.ctx.asked
        asked.is_over = True
        asked.withdraw()
        try:
            loaded = await self._loaded()
            self._check_may_begin()
        except BaseException:
            asked.is_over = False
            raise
        self.clock = self.clock.continued()
        self._pump.clock = self.clock
        self.configuration.reboot()
        found = restored(loaded, self.clock.now(), self.second_line)
        found.transactions.first_new = self.ctx.transactions.first_new
        self._make_life(found)

    def _begin(self, connector_status: Mapping[int, ChargePointStatus], resuming: Collection[str]) -> None:
        life, features = self._life, self._life.features
        features.seed_connectors(connector_status)
        features.seed_resumed(resuming)
        life.was_started = life.is_running = True
        self._stopped = None
        features.transactions.recover(resuming)
        for feature in features.all:
            self.second_line.guarded(f"start of {type(feature).__name__}", feature.start)
        self._tell_connection_timeout()
        life.connectivity = Connectivity(
            features.ctx,
            self._pump,
            connector=self._connect,
            accept=features.dispatcher.accept,
            trace=self._trace,
            random=self._random,
        )
        life.connectivity.set_resume_delay(self._resume_delay)
        life.connectivity.connect()
        life.begin()
        self._pump.kick()

    def _tell_connection_timeout(self) -> None:
        self.ctx.command(
            self.asked_station.set_connection_timeout,
            self.configuration[core.CONNECTION_TIME_OUT],
            connectors=("set_connection_timeout",),
            topic="set_connection_timeout",
        )

    async def stop(self) -> bool:
        """End in order: transactions stopped, what can be sent sent (StopTimeout seconds), socket closed, all on disk.

        False if it does not run; asked for twice, both wait for the one end. It takes StopTimeout and 10 s at most,
        whatever disk and network do. What could not be sent is on disk and goes out after the next start; what could
        not be stored is said in the log. A caller that is cancelled leaves it going on.
        """
        self._check_usable()
        return await self._end()

    async def _end(self) -> bool:
        life = self._life
        was_running = life.is_running
        if was_running:
            life.is_running = False
            self._stopped = trio.Event()
            self._nursery.start_soon(self._stop, life, self._stopped)
            self._turns.look()
        if self._stopped is not None:
            await self._stopped.wait()
        return was_running

    @trio.lowlevel.enable_ki_protection
    async def _stop(self, life: Life, stopped: trio.Event) -> None:
        try:
            with trio.CancelScope(shield=True) as self._stop_scope:  # bounded inside
                try:
                    await stop_in_order(life, self._turns, self.writer, self.second_line)
                except BaseException as error:  # of ours; it ends all the same
                    obey(error)
                    self.second_line.failed("stop", error)
                    with trio.move_on_after(FLUSH_TIMEOUT):
                        await life.end()
        finally:
            life.features.ctx.asked.withdraw()
            stopped.set()
            self._turns.look()

    async def restart(
        self,
        connector_status: Mapping[int, ChargePointStatus] | None = None,
        boot_reason: BootReason = BootReason.APPLICATION_RESET,
        resuming_session_ids: Collection[str] = (),
    ) -> bool:
        """Start anew after `stop`, boot included, from what is stored. False if it was not stopped, or runs again.

        Parameters as of `start`. Raises ValueError and StoreError as it does; then it is stopped as before.
        """
        self._check_usable()
        member(BootReason, boot_reason, "boot_reason")
        known = self._known_before(connector_status, resuming_session_ids)
        async with self._turn:
            await self._stop_is_over()
            if self._life.is_running or not self._life.was_started:
                return False
            await self._begin_anew()
            self._begin(*known)
        return True

    async def close(self) -> float:
        """The block ends: stop, and take no more. Returns trio's time until which the rest of leaving it may take."""
        began = trio.current_time()
        self._is_closing = True
        await self._end()
        self._is_closed = True
        if self._life.has_features:
            self.ctx.asked.is_over = True
            self.ctx.asked.withdraw()
        return await end_for_good(self._life, self._outside, self.writer, began, self.second_line.log)

    def abandon(self) -> None:
        """Cut short: no task goes on, and leaving the block, all that is left to do, waits a second for the disk."""
        self._is_closing = self._is_closed = True
        self._life.flush_by = -inf
        self._life.abandon()
        if self._outside is not None:
            self._outside.abandon()
        if self._stop_scope is not None:
            self._stop_scope.cancel()
        self._turns.look()

    def connect_websocket(self) -> None:
        """Connect at once, and stay connected. Raises ChargePointStopped if it does not run."""
        self._running().connect()

    def disconnect_websocket(self) -> None:
        """Close the connection and stay away until `connect_websocket`; the charge point works on offline."""
        self._running().disconnect()

    def reconnect_websocket(self) -> None:
        """Close the connection and open another at once, with what is configured now; nothing while disconnected."""
        self._check_usable()
        self.reconnect_if_connected()

    def set_message_queue_resume_delay(self, seconds: float) -> None:
        """How long queued messages wait after a reconnect, so that the Central System may speak first.

        Raises ValueError unless it is a number from 0 to 3600.
        """
        self._check_usable()
        if not 0 <= finite(seconds, "seconds") <= 3600:
            raise ValueError(f"seconds must be from 0 to 3600, not {seconds}")
        self._resume_delay = seconds
        if self._life.connectivity is not None:
            self._life.connectivity.set_resume_delay(seconds)

    def _running(self) -> Connectivity:
        self._check_usable()
        if not self._life.is_running or self._life.connectivity is None:
            raise ChargePointStopped("the charge point is not running")
        return self._life.connectivity

    def _keep_sharing(self, sharing: tuple[Strategy | None, float | None]) -> None:
        """It holds over a restart of the charge point as well."""
        self._sharing = sharing

    # Tasks and the disk

    async def stored(self) -> None:
        """Wait until all that was told so far is on disk.

        Raises StoreError if that takes longer than StoreTimeout: what was told is kept, and stored when it can be.
        """
        self._check_usable()
        seconds = self.configuration[internal.STORE_TIMEOUT]
        with trio.move_on_after(seconds) as limit:
            await self._journal.wait_durable(self.writer.last)
        if limit.cancelled_caught:
            raise StoreError(f"not on disk after {seconds} s")

    def spawn(self, async_fn: Callable[..., Any], *args: Any) -> None:
        """Run a task that ends when the charge point is stopped. What it raises is logged and ends nothing else."""
        self._check_usable()
        self._life.spawn(async_fn, *args)

    # Inside

    def spawn_outside(self, async_fn: Callable[..., Any], *args: Any) -> None:
        """Run a task that ends with the block, over stops and starts. What it raises ends nothing else."""
        if not self._is_closed:
            if self._outside is None:
                self._outside = Life(self._nursery, self.second_line)
            self._outside.spawn(async_fn, *args)

    def reconnect_if_connected(self) -> None:
        """`reconnect_websocket`, for features: after an answer that may come with the end of everything."""
        if self._life.connectivity is not None:
            self._life.connectivity.reconnect()

    def tell(self, event: ObserverEvent, number: int) -> None:
        """Give an event to the observer once journal number `number` is on disk."""
        if self._feed is not None:
            self._feed.tell(event, number)

    def _tell_at_once(self, event: ObserverEvent) -> None:
        if self._feed is not None:
            self._feed.tell_now(event)

    async def run_pump(self) -> None:
        """The task in which time passes; runs until cancelled."""
        await self._pump.run()

    def kick(self) -> None:
        """Something may be ready to be sent, or has just been answered."""
        self._pump.kick()

    def overran(self, name: str, seconds: float) -> None:
        """The station took too long to answer."""
        self.second_line.log.warning("station overran %s s in %s", seconds, name, about=name)

    def invalid_received(self, received: str, why: str) -> None:
        """The peer sent something that cannot be used (security event InvalidMessages)."""
        harmless = redacted(received)
        if harmless is not received:  # it names a secret, which may be what is wrong with it
            why = "a frame that names a secret"
        self.second_line.log.warning("received something unusable: %s", why)
        self.tell(SecurityEvent("InvalidMessages", shown(f"{why}: {harmless}")), 0)

    def durable_rose(self) -> None:
        """More is on disk: what waited for it may go."""
        self._pump.kick()
        if self._feed is not None:
            self._feed.kick()

    def _durable(self) -> int:
        return self._journal.durable

    def _configuration_changed(self, signal: ConfigurationChanged) -> None:
        self._features.retune(signal.key)
        if self._life.connectivity is not None:
            self._life.connectivity.key_changed(signal.key)
        if signal.key == core.CONNECTION_TIME_OUT.name:
            self._tell_connection_timeout()
        for callback in tuple(self._key_callbacks.get(signal.key, ())):
            self.second_line.guarded(f"callback for {signal.key}", partial(callback, signal.old, signal.new))

    def _traced(self, direction: str, frame: str) -> None:
        self.tell(MessageExchanged(direction, redacted(frame)), 0)

"""What is behind a `ChargePoint`: features, session, store and connection put together, started and stopped.

It decides nothing itself. What lasts from opening to closing is made once (clock, pump, journal, observer's feed); what
belongs to a start is a `Life`, made anew by each start from what is stored, so that a restart cannot inherit anything
by accident. No host sees it: what hosts may ask is `charge_point.py` and its doors.

Rules of this file:
1. Starts, stops and restarts happen one after another. A stop, once begun, goes to its end, whoever asked for it and
   whatever becomes of the asker; it waits for nobody's turn, since nothing can begin before it is over.
2. Every wait of a stop has an end (`orderly_stop`).
3. Whatever a host may call asks the guard first.
"""

from collections.abc import Callable, Collection, Coroutine, Mapping
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import trio

from ocpp16.charge_point.argument_check import known_before
from ocpp16.charge_point.assembly import Features, assemble
from ocpp16.charge_point.built_in_security import Present
from ocpp16.charge_point.connectivity import Connectivity, StreamOpener
from ocpp16.charge_point.dialing import Dialer, connector_of
from ocpp16.charge_point.features import possible
from ocpp16.charge_point.guard import Guard
from ocpp16.charge_point.key_callbacks import KeyCallbacks
from ocpp16.charge_point.life import NOT_RUNNING, Life, missed
from ocpp16.charge_point.orderly_stop import end_for_good, flush_time, stop_in_order
from ocpp16.charge_point.pump import Pump
from ocpp16.charge_point.restored import BOOT, Restored, restored
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.charge_point.shared_tasks import SharedTasks
from ocpp16.charge_point.traffic import Traffic
from ocpp16.charge_point.turns import Condition, Turns
from ocpp16.charge_point.watching import Feed, has_observer
from ocpp16.charge_point.writer import JournalWriter
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import core, internal
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import BootReason, ChargePointStatus
from ocpp16.errors import ChargePointStopped, StoreError
from ocpp16.faults import obey
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import ObserverEvent
from ocpp16.profiles.asked import ConfigurationKeeper
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.base import Context, FeatureProfile
from ocpp16.profiles.data_transfer import DataTransferHandler
from ocpp16.profiles.turn import Turn
from ocpp16.redaction import redacted
from ocpp16.rpc.calls import NOBODY, Listeners
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.schedule.sharing import Strategy
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.state.clock import Clock
from ocpp16.state.signals import ConfigurationChanged, SecurityEventRaised
from ocpp16.state.timers import Timers
from ocpp16.station import CoreStation
from ocpp16.store.base import Row
from ocpp16.store.journal import Journal
from ocpp16.store.tables import clock_corrections, settings
from ocpp16.texts import shown
from ocpp16.values import member


@only_at_waits
class Runtime:
    """Of one charge point, from its opening to its end."""

    __slots__ = (
        "_connect",
        "_is_closing",
        "_journal",
        "_nursery",
        "_outside",
        "_present",
        "_pump",
        "_random",
        "_shared",
        "_stop_scope",
        "_stopped",
        "_turn",
        "asked_station",
        "clock",
        "configuration",
        "counters",
        "data_transfer_handlers",
        "failed",
        "feed",
        "guard",
        "keeper",
        "key_callbacks",
        "kick",
        "kinds",
        "life",
        "listeners",
        "meters",
        "new_id",
        "others_first",
        "resume_delay",
        "second_line",
        "security",
        "sharing",
        "station",
        "timers",
        "tolerance",
        "traffic",
        "turns",
        "writer",
    )

    def __init__(
        self,
        *,
        configuration: Configuration,
        station: CoreStation,
        journal: Journal,
        nursery: trio.Nursery,
        shared: SharedTasks,
        present: Present,
        connector: StreamOpener | None,
        certificates: EvseSecurity | None,
        keeper: ConfigurationKeeper,
        feed: Feed | None,
        counters: Counters,
        new_id: Callable[[], str],
        random: Random,
        tolerance: Tolerance | None,
        traffic: Traffic,
        log: FoldingLog | None = None,
        listeners: Listeners = NOBODY,
    ) -> None:
        self.listeners: Listeners = listeners
        self.configuration: Configuration = configuration
        self.counters: Counters = counters
        self.timers: Timers = Timers()
        """Of the station, if it likes: they go on over starts and stops."""
        self.clock: Clock = present.clock
        self._present = present
        self.station: CoreStation = station
        self.asked_station: AskedStation = AskedStation(station)
        self.kinds: tuple[type[FeatureProfile], ...] = possible(station)
        self.keeper: ConfigurationKeeper = keeper
        self.tolerance: Tolerance | None = tolerance
        self.new_id: Callable[[], str] = new_id
        self._journal = journal
        self.writer: JournalWriter = JournalWriter(journal, configuration[internal.CHARGE_POINT_ID])
        self._nursery = nursery
        self._shared = shared
        self.others_first: Callable[[], Coroutine[Any, Any, None]] = shared.pumps.others_first
        self.feed: Feed | None = feed
        self.second_line: SecondLine = SecondLine(
            configuration[internal.CHARGE_POINT_ID], counters, self.clock.monotonic, self.tell_at_once, log
        )
        self.failed: Callable[[str, BaseException], None] = self.second_line.failed
        """Bound once for whoever keeps it: bound anew it costs 64 bytes each time."""
        self.timers.on_error = self.failed
        self.security: AskedSecurity | None = None
        if certificates is not None:
            self.security = AskedSecurity(certificates, self.failed, self.overran)
        self._connect = connector_of(
            connector, Dialer(configuration, self.security, self.second_line.log, self.others_first)
        )
        self._random = random
        self.traffic: Traffic = traffic
        traffic.listen(listeners, self.failed)
        self._pump = Pump(self.clock, shared.pumps, self.timers, journal, self.failed)
        self.kick: Callable[[], None] = self._pump.kick
        """Something may be ready to be sent, or has just been answered."""
        self.turns: Turns = Turns(self._pump)
        self.life: Life = Life(nursery, self.second_line)
        self._outside: Life | None = None
        """Of tasks that go on over stops and starts; made with the first."""
        self._turn = Turn()
        self._stopped: trio.Event | None = None
        self._stop_scope: trio.CancelScope | None = None
        self.resume_delay: float = 0.0
        self.key_callbacks: KeyCallbacks = KeyCallbacks(self.second_line)
        self.data_transfer_handlers: dict[tuple[str, str | None], DataTransferHandler] = {}
        self.meters: dict[int, int] = {}
        self.sharing: tuple[Strategy | None, float | None] = (None, None)
        self._is_closing = False
        """Nothing begins any more."""
        self.guard: Guard = Guard()

    @property
    def ctx(self) -> Context:
        """What the features of the present start share."""
        return self.life.features.ctx

    @property
    def features(self) -> Features:
        return self.life.features

    @property
    def journal(self) -> Journal:
        return self._journal

    # Who waits

    def until(self, condition: Condition | None = None) -> Coroutine[Any, Any, Any]:
        """To be awaited at once: until it holds, None: until all is answered; or until this life is over, which
        `check_life` tells then. It is no coroutine of its own, for thousands wait at a time."""
        self.guard.check()
        return missed() if self._is_over(self.life) else self.turns.until(condition)

    def check_life(self, life: Life) -> None:
        """Raises ChargePointStopped if this life is over."""
        if self._is_over(life):
            raise ChargePointStopped(NOT_RUNNING)

    def _is_over(self, life: Life) -> bool:
        return self.guard.is_closed or life is not self.life or not life.is_running

    @property
    def is_running(self) -> bool:
        """Was it started, and is it neither stopped nor stopping?"""
        return self.life.is_running

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
        self.meters = {row.connector_id: row.energy for row in found.meters.values()}
        for (vendor_id, message_id), handler in self.data_transfer_handlers.items():
            features.data_transfer.register(vendor_id, message_id, handler)
        if features.smart_charging is not None:
            features.smart_charging.limits.share(*self.sharing)
        features.ctx.signals.on(ConfigurationChanged, self._configuration_changed)
        self.life = life
        self.guard.highest = len(features.ctx.connectors) - 1
        self._pump.take_over(features.ctx.session, features.ctx.timers, features.availability.reports)

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
        """`ChargePoint.start`."""
        self.guard.check()
        boot_reason = member(BootReason, boot_reason, "boot_reason")
        known = self._known_before(connector_status, resuming_session_ids)
        async with self._turn:
            await self._stop_is_over()
            if self.life.is_running:
                raise RuntimeError("the charge point runs already")
            if self.life.was_started:
                await self._begin_anew()
            self._begin(*known, boot_reason)

    def _known_before(
        self, connector_status: Any, resuming_session_ids: Any
    ) -> tuple[dict[int, ChargePointStatus], list[str]]:
        """What the station knows of connectors and sessions, checked for `start` and `restart`. Raises ValueError."""
        highest = self.configuration[core.NUMBER_OF_CONNECTORS]
        if self.life.was_started:  # what waits for a reboot is in force then
            highest = self.configuration.pending.get(core.NUMBER_OF_CONNECTORS, highest)
        return known_before(connector_status, resuming_session_ids, highest)

    async def _stop_is_over(self) -> None:
        if self._stopped is not None:
            await self._stopped.wait()
        self._check_may_begin()

    def _check_may_begin(self) -> None:
        self.guard.check()
        if self._is_closing:
            raise ChargePointStopped("the charge point is being closed: its block is left")

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
        self.clock = self._pump.clock = self._present.clock = self.clock.continued()
        waited = {key.name: self.configuration.text(key.name) for key in self.configuration.pending}
        self.configuration.reboot()
        found = restored(loaded, self.clock.now(), self.second_line)
        found.transactions.first_new = self.ctx.transactions.first_new
        self._make_life(found)
        for name, old in waited.items():
            self.key_callbacks.tell(name, old, self.configuration.text(name))

    def _begin(
        self, connector_status: Mapping[int, ChargePointStatus], resuming: Collection[str], boot_reason: BootReason
    ) -> None:
        life, features = self.life, self.life.features
        features.seed_connectors(connector_status)
        features.seed_resumed(resuming)
        life.was_started = life.is_running = True
        self._stopped = None
        features.transactions.recover(resuming)
        features.start(self.second_line)
        self._tell_connection_timeout()
        self.traffic.begin(features.ctx, self.tell if has_observer(self.feed) else None)
        features.security_events.started(boot_reason)
        life.connectivity = Connectivity(
            features.ctx,
            self._pump,
            connector=self._connect,
            accept=features.dispatcher.accept,
            trace=self.traffic.trace,
            note=self.traffic.event,
            random=self._random,
            readiness=self._shared.readiness,
            attempts=self._shared.attempts,
            credentials=features.security_profile.credentials,
        )
        life.connectivity.set_resume_delay(self.resume_delay)
        life.connectivity.connect()
        life.begin()
        self._pump.kick()

    def _tell_connection_timeout(self) -> None:
        self.ctx.station_side.command(
            self.asked_station.set_connection_timeout,
            self.configuration[core.CONNECTION_TIME_OUT],
            connectors=("set_connection_timeout",),
            topic="set_connection_timeout",
        )

    async def stop(self) -> bool:
        """`ChargePoint.stop`."""
        self.guard.check()
        return await self._end()

    async def _end(self) -> bool:
        life = self.life
        was_running = life.is_running
        if was_running:
            life.is_running = False
            self._stopped = trio.Event()
            self._nursery.start_soon(self._stop, life, self._stopped)
            self.turns.release()
        if self._stopped is not None:
            await self._stopped.wait()
        return was_running

    @trio.lowlevel.enable_ki_protection
    async def _stop(self, life: Life, stopped: trio.Event) -> None:
        try:
            with trio.CancelScope(shield=True) as self._stop_scope:  # bounded inside
                try:
                    if life.flush_by == -inf:  # abandoned before this task had its first turn
                        self._stop_scope.cancel()
                    await stop_in_order(life, self.turns, self.writer, self.second_line)
                except BaseException as error:  # of ours; it ends all the same
                    obey(error)
                    self.second_line.failed("stop", error)
                    with trio.move_on_after(flush_time()):
                        await life.end()
        finally:
            life.features.ctx.asked.withdraw()
            stopped.set()

    async def restart(
        self,
        connector_status: Mapping[int, ChargePointStatus] | None = None,
        boot_reason: BootReason = BootReason.APPLICATION_RESET,
        resuming_session_ids: Collection[str] = (),
    ) -> bool:
        """`ChargePoint.restart`."""
        self.guard.check()
        boot_reason = member(BootReason, boot_reason, "boot_reason")
        known = self._known_before(connector_status, resuming_session_ids)
        async with self._turn:
            await self._stop_is_over()
            if self.life.is_running or not self.life.was_started:
                return False
            await self._begin_anew()
            self._begin(*known, boot_reason)
        return True

    async def close(self) -> float:
        """The block ends: stop, and take no more. Returns trio's time until which the rest of leaving it may take."""
        began = trio.current_time()
        self._is_closing = True
        await self._end()
        self.guard.is_closed = True
        if self.life.has_features:
            self.ctx.asked.is_over = True
            self.ctx.asked.withdraw()
        return await end_for_good(self.life, self._outside, self.writer, began, self.second_line.log)

    def abandon(self) -> None:
        """`ChargePoint.abandon`."""
        self._is_closing = self.guard.is_closed = True
        self.life.is_running = False  # it is not stopped: that would wait for transactions that nobody can end any more
        self.life.flush_by = -inf
        self.life.abandon()
        if self._outside is not None:
            self._outside.abandon()
        if self._stop_scope is not None:
            self._stop_scope.cancel()
        self._pump.end()
        self.turns.release()

    def connectivity(self) -> Connectivity:
        """What looks after the connection. Raises ChargePointStopped if there is none, for it does not run."""
        self.guard.check()
        if not self.life.is_running or self.life.connectivity is None:
            raise ChargePointStopped(NOT_RUNNING)
        return self.life.connectivity

    def delay_resuming(self, seconds: float) -> None:
        """How long queued messages wait after a reconnect; over restarts, too."""
        self.resume_delay = seconds
        if self.life.connectivity is not None:
            self.life.connectivity.set_resume_delay(seconds)

    # Tasks and the disk

    async def stored(self) -> None:
        """`ChargePoint.stored`."""
        self.guard.check()
        seconds = self.configuration[internal.STORE_TIMEOUT]
        with trio.move_on_after(seconds) as limit:
            await self._journal.wait_durable(self.writer.last)
        if limit.cancelled_caught:
            raise StoreError(f"not on disk after {seconds} s")

    def spawn(self, async_fn: Callable[..., Any], *args: Any) -> None:
        """Run a task that ends when the charge point is stopped. What it raises is logged and ends nothing else."""
        self.guard.check()
        self.life.spawn(async_fn, *args)

    # Inside

    def spawn_outside(self, async_fn: Callable[..., Any], *args: Any) -> None:
        """Run a task that ends with the block, over stops and starts. What it raises ends nothing else."""
        if not self.guard.is_closed:
            if self._outside is None:
                self._outside = Life(self._nursery, self.second_line)
            self._outside.spawn(async_fn, *args)

    def reconnect_if_connected(self) -> None:
        """For features too: after an answer that may come with the end of everything."""
        if self.life.connectivity is not None:
            self.life.connectivity.reconnect()

    def tell(self, event: ObserverEvent, number: int) -> None:
        """Give an event to the observer once journal number `number` is on disk."""
        self.traffic.happened(event)
        if self.feed is not None:
            self.feed.tell(event, number)

    def tell_at_once(self, event: ObserverEvent) -> None:
        """Give it to the observer ahead of what waits for the store."""
        if self.feed is not None:
            self.feed.tell_now(event)

    def overran(self, name: str, seconds: float) -> None:
        """The station took too long to answer."""
        self.second_line.log.warning("station overran %s s in %s", seconds, name, about=name)

    def invalid_received(self, received: str, why: str) -> None:
        """The peer sent something that cannot be used (security event InvalidMessages)."""
        harmless = redacted(received, self.configuration.secret_names)
        if harmless is not received:  # it names a secret, which may be what is wrong with it
            why = "a frame that names a secret"
        self.second_line.log.warning("received something unusable: %s", why)
        self.ctx.signals.emit(SecurityEventRaised("InvalidMessages", shown(f"{why}: {harmless}")))

    def log_session(self, connector_id: int, session_id: str, folder: Path | None) -> None:
        """Log the messages of a session by themselves, where it has a folder."""
        running, connectivity = self.ctx.transactions.running(connector_id), self.life.connectivity
        if self.traffic.session_started(connector_id, session_id, folder, running) and connectivity is not None:
            connectivity.tell_frames(self.traffic.trace)

    def durable_rose(self) -> None:
        """More is on disk: what waited for it may go."""
        self._pump.kick()
        if self.feed is not None:
            self.feed.kick()

    def _configuration_changed(self, signal: ConfigurationChanged) -> None:
        self.features.retune(signal.key)
        if self.life.connectivity is not None:
            self.life.connectivity.key_changed(signal.key)
        if signal.key == core.CONNECTION_TIME_OUT.name:
            self._tell_connection_timeout()
        self.key_callbacks.tell(signal.key, signal.old, signal.new)

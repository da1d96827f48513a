"""What one start is made of: its features, how they are joined, and the session under them.

The order of `all` is the order in which features start and hear of signals. Those of Core get their peers here, by
constructor; none of them finds another by itself. Which there are besides is the list in `features`.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from ocpp16 import messages
from ocpp16._core.by_number import ByNumber
from ocpp16.charge_point.delivery import StoredDelivery
from ocpp16.charge_point.dispatcher import Dispatcher
from ocpp16.charge_point.feature_tables import tables_of
from ocpp16.charge_point.features import profile_names
from ocpp16.charge_point.restored import Restored
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.charge_point.session_rules import RETRY_KEYS, outbox_limits, retry_rules
from ocpp16.charge_point.writer import JournalWriter
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import core, internal
from ocpp16.enums import AvailabilityType, ChargePointStatus, ErrorCode
from ocpp16.models import Counters, IdTagInfo
from ocpp16.observer import ObserverEvent
from ocpp16.profiles.asked import AskedChanges, ConfigurationKeeper
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.authorization import Authorization
from ocpp16.profiles.availability import Availability
from ocpp16.profiles.base import (
    Context,
    FeatureProfile,
    FirmwareKeeper,
    Reply,
    Trigger,
    UserPriceKeeper,
)
from ocpp16.profiles.boot import Boot
from ocpp16.profiles.certificate_signing import CertificateSigning
from ocpp16.profiles.certificates import Certificates
from ocpp16.profiles.configuration_changes import ConfigurationChanges
from ocpp16.profiles.context import Start
from ocpp16.profiles.data_transfer import DataTransfer
from ocpp16.profiles.dead_letters import DeadLetters
from ocpp16.profiles.diagnostics import Diagnostics
from ocpp16.profiles.firmware_updates import FirmwareUpdates
from ocpp16.profiles.free_charging import FreeCharging
from ocpp16.profiles.local_auth_list import LocalAuthList
from ocpp16.profiles.log_upload import LogUpload
from ocpp16.profiles.meter_values import MeterValues
from ocpp16.profiles.plug_and_charge import PlugAndCharge
from ocpp16.profiles.pricing import Pricing
from ocpp16.profiles.remote_control import RemoteControl
from ocpp16.profiles.reservation import KeptReservations
from ocpp16.profiles.reset import Reset
from ocpp16.profiles.security_events import SecurityEvents
from ocpp16.profiles.security_profile import SecurityProfile
from ocpp16.profiles.sender import Sender
from ocpp16.profiles.settings import Settings
from ocpp16.profiles.smart_charging import SmartCharging
from ocpp16.profiles.station_side import StationSide
from ocpp16.profiles.transaction_data import TransactionData
from ocpp16.profiles.transactions import TransactionMessages
from ocpp16.rpc.calls import CallWatch, Listeners
from ocpp16.rpc.session import Session
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.state.clock import Clock
from ocpp16.state.connector import Connector, initial_status
from ocpp16.state.signals import Signals
from ocpp16.state.timers import Timers

F = TypeVar("F", bound=FeatureProfile)


class Surroundings(Protocol):
    """What outlives a start, as far as what is made for a start needs it."""

    asked_station: AskedStation
    kinds: tuple[type[FeatureProfile], ...]
    """Features that it can have besides those of Core."""
    clock: Clock
    configuration: Configuration
    counters: Counters
    keeper: ConfigurationKeeper
    listeners: Listeners
    new_id: Callable[[], str]
    second_line: SecondLine
    security: AskedSecurity | None
    timers: Timers
    tolerance: Tolerance | None
    writer: JournalWriter

    def invalid_received(self, received: str, why: str) -> None: ...

    def failed(self, place: str, error: BaseException) -> None: ...

    def kick(self) -> None: ...

    def overran(self, name: str, seconds: float) -> None: ...

    def reconnect_if_connected(self) -> None: ...

    async def others_first(self) -> None: ...

    def spawn_outside(self, async_fn: Callable[..., Any], *args: Any) -> None: ...

    def tell(self, event: ObserverEvent, number: int) -> None: ...


class Features:
    """The features of one start, by name, with what they share. Implements `profiles.base.Others`.

    Those of Core are always there and need each other; `kinds` are those that it can have besides.
    """

    __slots__ = (
        "_remote_control",
        "_tables",
        "all",
        "authorization",
        "availability",
        "boot",
        "connectors",
        "ctx",
        "data_transfer",
        "dead_letters",
        "diagnostics",
        "dispatcher",
        "evse_security",
        "firmware_updates",
        "local_list",
        "log_upload",
        "meter_values",
        "plug_and_charge",
        "prices",
        "reservations",
        "security_events",
        "security_profile",
        "settings",
        "smart_charging",
        "transactions",
    )

    def __init__(
        self,
        ctx: Context,
        connectors: ByNumber[Connector],
        found: Restored,
        reconnect: Callable[[], None],
        security: AskedSecurity | None,
        kinds: Sequence[type[FeatureProfile]],
        others_first: Callable[[], Awaitable[None]],
    ) -> None:
        data = TransactionData(ctx)
        data.restore(found.samples)
        self.ctx: Context = ctx
        self.connectors: ByNumber[Connector] = connectors
        changes = ConfigurationChanges(ctx)
        self.dead_letters: DeadLetters = DeadLetters(ctx, found.dead_letters)
        self.boot: Boot = Boot(ctx, changes=changes)
        ctx.session.on_boot_wanted = self.boot.send_boot_notification
        self.availability: Availability = Availability(ctx)
        self.authorization: Authorization = Authorization(ctx, self)
        self.security_profile: SecurityProfile = SecurityProfile(
            ctx,
            changes=changes,
            security=security,
            reconnect=reconnect,
            send_boot=self.boot.send_triggered_boot,
        )
        self.security_events: SecurityEvents = SecurityEvents(ctx)
        self.settings: Settings = Settings(ctx, changes=changes, credentials=self.security_profile)
        self.meter_values: MeterValues = MeterValues(ctx, data, found.settings)
        self.transactions: TransactionMessages = TransactionMessages(
            ctx, meter_values=self.meter_values, sessions=self.availability.sessions
        )
        self.data_transfer: DataTransfer = DataTransfer(ctx)
        keeping: tuple[FeatureProfile, ...] = ()
        if security is not None:
            keeping = (Certificates(ctx, security), CertificateSigning(ctx, security, reconnect))
        self.evse_security: AskedSecurity | None = security
        optional = {kind: kind.build(ctx, self) for kind in kinds if kind.is_wanted(ctx.configuration)}
        self.smart_charging: SmartCharging | None = _one_of(optional, SmartCharging)
        self.local_list: LocalAuthList | None = _one_of(optional, LocalAuthList)
        self.reservations: KeptReservations | None = _one_of(optional, KeptReservations)
        self.firmware_updates: FirmwareUpdates | None = _one_of(optional, FirmwareUpdates)
        self.plug_and_charge: PlugAndCharge | None = _one_of(optional, PlugAndCharge)
        pricing = _one_of(optional, Pricing)
        self.prices: UserPriceKeeper | None = None if pricing is None else pricing.users
        self.diagnostics: Diagnostics | None = _one_of(optional, Diagnostics)
        self.log_upload: LogUpload | None = _one_of(optional, LogUpload)
        self._remote_control = RemoteControl(ctx, profiles=self.smart_charging, reservations=self.reservations)
        self.all: tuple[FeatureProfile, ...] = (
            self.boot,
            self.security_profile,  # before availability: whether it sends a BootNotification, that has to know
            self.availability,
            self.authorization,
            self.settings,
            self.security_events,
            self.transactions,
            self._remote_control,
            FreeCharging(ctx, reservations=self.reservations),
            Reset(ctx),
            self.meter_values,
            self.data_transfer,
            *optional.values(),
            *keeping,
        )
        self._tables = tables_of(tuple(map(type, self.all)))
        for position in self._tables.restoring:
            self.all[position].restore(found.stored)
        ctx.signals.tell_features(self.all, self._tables.hearers)
        for position in self._tables.attaching:
            self.all[position].attach()
        self.dispatcher: Dispatcher = Dispatcher(ctx, self.all, self._tables.routes, others_first)

    def start(self, second_line: SecondLine) -> None:
        """All of them; what one raises ends none of the others."""
        for position, place in self._tables.starting:
            second_line.guarded(place, self.all[position].start)

    def trigger(self, message: str) -> Trigger | None:
        found = self._tables.triggers.get(message)
        if found is None:
            return None
        position, method = found
        trigger: Trigger = getattr(self.all[position], method)
        return trigger

    def listed(self, id_tag: str) -> IdTagInfo | None:
        for position in self._tables.lists:
            info = self.all[position].listed(id_tag)
            if info is not None:
                return info
        return None

    @property
    def firmware(self) -> FirmwareKeeper:
        if self.firmware_updates is None:
            raise AssertionError("asked for by a feature that is there without it")
        return self.firmware_updates

    async def set_keys(self, values: Callable[[], Mapping[Key[Any], Any]]) -> None:
        await self.settings.set_all(values)

    def remote_start(
        self, request: "messages.RemoteStartTransactionRequest", is_open: Callable[[int], bool]
    ) -> "Reply[messages.RemoteStartTransactionResponse]":
        return self._remote_control.start_remotely(request, is_open)

    def seed_connectors(self, status: Mapping[int, ChargePointStatus]) -> None:
        """Take the states the station knows, of connectors that are there."""
        for connector_id, initial in status.items():
            known = self.connectors[connector_id]
            self.connectors[connector_id] = Connector(connector_id, initial, known.availability, self.ctx.clock.now())

    def seed_resumed(self, resuming_session_ids: Collection[str]) -> None:
        """The connector of a transaction that goes on is not Available: until the station tells more, energy is held
        back (OCPP 1.6 ed. 2 §4.9)."""
        for transaction in self.ctx.transactions.that_go_on(resuming_session_ids):
            connector = self.connectors.get(transaction.connector_id)
            if connector is not None:
                self.availability.sessions[transaction.connector_id] = transaction.session_id
                if connector.base in _IDLE and not connector.errors:
                    self.connectors[transaction.connector_id] = Connector(
                        transaction.connector_id,
                        ChargePointStatus.SUSPENDED_EVSE,
                        connector.availability,
                        self.ctx.clock.now(),
                    )

    def retune(self, key: str) -> None:
        """A configuration key that the session works by has changed."""
        if key in RETRY_KEYS:
            session = self.ctx.session
            session.retry = retry_rules(self.ctx.configuration, session.retry)
            if key == core.TRANSACTION_MESSAGE_RETRY_INTERVAL.name:
                session.interval_changed(self.ctx.clock.monotonic())
            self.ctx.kick()


_IDLE = frozenset({ChargePointStatus.AVAILABLE, ChargePointStatus.UNAVAILABLE, ChargePointStatus.RESERVED})


def assemble(charge_point: Surroundings, life: Start, found: Restored) -> Features:
    """Make session, context and features for one start, from what was stored."""
    second_line = charge_point.second_line
    configuration = charge_point.configuration
    configuration.built_profiles = profile_names(charge_point.kinds)
    delivery = StoredDelivery()
    timers, signals = Timers(), Signals()
    timers.on_error = signals.on_error = charge_point.failed
    session = Session(
        delivery=delivery,
        new_id=charge_point.new_id,
        counters=charge_point.counters,
        retry=retry_rules(configuration),
        limits=outbox_limits(configuration),
        tolerance=charge_point.tolerance or _repairs(configuration[internal.TOLERANCES]),
        specific_codes=configuration[internal.SCHEMA_VIOLATION_ERRORS] != ErrorCode.FORMATION_VIOLATION,
        on_invalid=charge_point.invalid_received,
        on_internal_error=charge_point.failed,
        calls=_watch(charge_point, timers),
    )
    connectors = _connectors(configuration, found, charge_point.clock.now())
    writer, station = charge_point.writer, charge_point.asked_station
    sender = Sender(session, charge_point.clock, writer, charge_point.kick, found.next_sequence)
    timeout = configuration[internal.STATION_TIMEOUT]
    ctx = Context(
        charge_point_id=configuration[internal.CHARGE_POINT_ID],
        clock=charge_point.clock,
        timers=timers,
        configuration=configuration,
        signals=signals,
        connectors=connectors,
        transactions=found.transactions,
        journal=writer,
        asked=AskedChanges(writer, configuration, charge_point.keeper),
        sender=sender,
        session=session,
        station=station,
        station_side=StationSide(
            station, timeout, life.spawn_within, charge_point.failed, charge_point.overran, len(connectors) - 1
        ),
        counters=charge_point.counters,
        kick=charge_point.kick,
        start=life,
        spawn_outside=charge_point.spawn_outside,
        tell=charge_point.tell,
        failed=charge_point.failed,
        log=second_line.log,
    )
    delivery.ctx = ctx
    session.outbox.restore(found.messages)
    if found.messages:
        ctx.log.info("%d messages wait from before", len(found.messages))
    features = Features(
        ctx,
        connectors,
        found,
        charge_point.reconnect_if_connected,
        charge_point.security,
        charge_point.kinds,
        charge_point.others_first,
    )
    delivery.dead_letters = features.dead_letters
    return features


def _watch(charge_point: Surroundings, timers: Timers) -> CallWatch | None:
    """Of its calls, and of what answers them, where somebody listens."""
    listeners = charge_point.listeners
    if listeners.calls is None and listeners.violations is None:
        return None
    of_host = charge_point.timers
    return CallWatch(
        charge_point.configuration[internal.CHARGE_POINT_ID],
        listeners.calls,
        charge_point.clock.monotonic,
        lambda: min(timers.running_due, of_host.running_due),
        charge_point.failed,
        listeners.violations,
    )


@lru_cache(maxsize=64)
def _repairs(names: tuple[str, ...]) -> Tolerance:
    """What is configured: of thousands of charge points one set."""
    return Tolerance.parse(names)


def _one_of(features: Mapping[type[FeatureProfile], FeatureProfile], kind: type[F]) -> F | None:
    feature = features.get(kind)
    assert feature is None or isinstance(feature, kind), "what `build` makes is of its own kind"
    return feature


def _connectors(configuration: Configuration, found: Restored, now: int) -> ByNumber[Connector]:
    connectors: ByNumber[Connector] = ByNumber()
    for connector_id in range(configuration[core.NUMBER_OF_CONNECTORS] + 1):
        availability = found.availability.get(connector_id, AvailabilityType.OPERATIVE)
        connectors[connector_id] = Connector(connector_id, initial_status(availability), availability, now)
    return connectors

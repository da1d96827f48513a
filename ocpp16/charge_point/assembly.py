"""Which features a charge point has, and how they are joined: the one list of them.

The order of `all` is the order in which features start and hear of signals. A feature gets its peers here, by
constructor; none of them finds another by itself.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

from ocpp16.charge_point.delivery import StoredDelivery
from ocpp16.charge_point.dispatcher import Dispatcher
from ocpp16.charge_point.restored import Restored
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.charge_point.writer import JournalWriter
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import core, internal
from ocpp16.enums import AvailabilityType, ChargePointStatus, ErrorCode
from ocpp16.models import Counters
from ocpp16.observer import ObserverEvent
from ocpp16.profiles.asked import ConfigurationKeeper
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.authorization import Authorization
from ocpp16.profiles.availability import Availability
from ocpp16.profiles.base import Context, FeatureProfile
from ocpp16.profiles.boot import Boot
from ocpp16.profiles.charging_limits import ChargingLimits
from ocpp16.profiles.charging_profiles import ChargingProfiles
from ocpp16.profiles.configuration_changes import ConfigurationChanges
from ocpp16.profiles.context import Start
from ocpp16.profiles.data_transfer import DataTransfer
from ocpp16.profiles.dead_letters import DeadLetters
from ocpp16.profiles.meter_values import MeterValues
from ocpp16.profiles.remote_control import RemoteControl
from ocpp16.profiles.remote_trigger import RemoteTrigger
from ocpp16.profiles.reset import Reset
from ocpp16.profiles.settings import Settings
from ocpp16.profiles.smart_charging import SmartCharging
from ocpp16.profiles.station_side import StationSide
from ocpp16.profiles.transaction_data import TransactionData
from ocpp16.profiles.transactions import TransactionMessages
from ocpp16.rpc.pending import Lane
from ocpp16.rpc.policy import OutboxLimits, RetryRules
from ocpp16.rpc.session import Session
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.state.clock import Clock
from ocpp16.state.connector import Connector, initial_status
from ocpp16.state.signals import Signals
from ocpp16.state.timers import Timers
from ocpp16.station import CoreStation, SmartChargingStation

BUILT_PROFILES = frozenset({"Core", "RemoteTrigger"})
"""Feature profiles that need nothing of the station beyond CoreStation."""


_WITH_SMART_CHARGING = BUILT_PROFILES | {"SmartCharging"}


def built_profiles(station: CoreStation) -> frozenset[str]:
    """The feature profiles that this version has and this station can do; found out once, when it is opened."""
    return _WITH_SMART_CHARGING if isinstance(station, SmartChargingStation) else BUILT_PROFILES


class Surroundings(Protocol):
    """What outlives a start, as far as what is made for a start needs it."""

    asked_station: AskedStation
    built_profiles: frozenset[str]
    clock: Clock
    configuration: Configuration
    counters: Counters
    keeper: ConfigurationKeeper
    new_id: Callable[[], str]
    second_line: SecondLine
    tolerance: Tolerance
    writer: JournalWriter

    def invalid_received(self, received: str, why: str) -> None: ...

    def kick(self) -> None: ...

    def overran(self, name: str, seconds: float) -> None: ...

    def reconnect_if_connected(self) -> None: ...

    def spawn_outside(self, async_fn: Callable[..., Any], *args: Any) -> None: ...

    def tell(self, event: ObserverEvent, number: int) -> None: ...


class Features:
    """The features of one start, by name, with what they share."""

    __slots__ = (
        "all",
        "authorization",
        "availability",
        "boot",
        "connectors",
        "ctx",
        "data_transfer",
        "dead_letters",
        "dispatcher",
        "meter_values",
        "settings",
        "smart_charging",
        "transactions",
    )

    def __init__(
        self,
        ctx: Context,
        connectors: dict[int, Connector],
        found: Restored,
        reconnect: Callable[[], None],
    ) -> None:
        data = TransactionData(ctx)
        data.restore(found.samples)
        self.ctx = ctx
        self.connectors = connectors
        changes = ConfigurationChanges(ctx)
        self.dead_letters = DeadLetters(ctx, found.dead_letters)
        self.boot = Boot(ctx, changes=changes)
        self.availability = Availability(ctx)
        self.authorization = Authorization(ctx)
        self.settings = Settings(ctx, changes=changes, reconnect=reconnect)
        self.meter_values = MeterValues(ctx, data, found.settings)
        self.transactions = TransactionMessages(
            ctx, meter_values=self.meter_values, sessions=self.availability.sessions
        )
        self.data_transfer = DataTransfer(ctx)
        self.smart_charging = _smart_charging(ctx, found)
        optional = () if self.smart_charging is None else (self.smart_charging,)
        self.all: tuple[FeatureProfile, ...] = (
            self.boot,
            self.availability,
            self.authorization,
            self.settings,
            self.transactions,
            RemoteControl(ctx, profiles=self.smart_charging),
            Reset(ctx),
            self.meter_values,
            self.data_transfer,
            RemoteTrigger(ctx, boot=self.boot, status=self.availability, meter_values=self.meter_values),
            *optional,
        )
        for feature in self.all:
            feature.attach()
        routes = _routes(tuple(type(feature) for feature in self.all), ctx.configuration.active_profiles)
        self.dispatcher = Dispatcher(ctx, self.all, routes)

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
        if key in _RETRY_KEYS:
            retry, configuration = self.ctx.session.retry, self.ctx.configuration
            retry.attempts = configuration[core.TRANSACTION_MESSAGE_ATTEMPTS]
            retry.interval = configuration[core.TRANSACTION_MESSAGE_RETRY_INTERVAL]
            self.ctx.kick()


def _smart_charging(ctx: Context, found: Restored) -> SmartCharging | None:
    """The feature, if it is asked for and the station can do it."""
    if "SmartCharging" not in ctx.configuration.active_profiles:
        return None
    profiles = ChargingProfiles(ctx)
    profiles.restore(found.charging_profiles)
    return SmartCharging(ctx, profiles, ChargingLimits(ctx, profiles, ctx.station), ctx.station)


@cache
def _routes(features: tuple[type[FeatureProfile], ...], active: tuple[str, ...]) -> Mapping[str, tuple[int, str]]:
    """Action → position of the feature that answers it, and its method: the same for all charge points of a kind."""
    return MappingProxyType(
        {
            action: (position, method)
            for position, feature in enumerate(features)
            if feature.name in active
            for action, method in feature.handlers.items()
        }
    )


_IDLE = frozenset({ChargePointStatus.AVAILABLE, ChargePointStatus.UNAVAILABLE, ChargePointStatus.RESERVED})
_NOTHING: frozenset[str] = frozenset()
_RETRY_KEYS = frozenset({core.TRANSACTION_MESSAGE_ATTEMPTS.name, core.TRANSACTION_MESSAGE_RETRY_INTERVAL.name})


def assemble(charge_point: Surroundings, life: Start, found: Restored) -> Features:
    """Make session, context and features for one start, from what was stored."""
    second_line = charge_point.second_line
    configuration = charge_point.configuration
    configuration.built_profiles = charge_point.built_profiles
    delivery = StoredDelivery()
    discarded = configuration[internal.MESSAGE_TYPES_DISCARD_FOR_QUEUEING]
    session = Session(
        delivery=delivery,
        new_id=charge_point.new_id,
        counters=charge_point.counters,
        retry=RetryRules(
            attempts=configuration[core.TRANSACTION_MESSAGE_ATTEMPTS],
            interval=configuration[core.TRANSACTION_MESSAGE_RETRY_INTERVAL],
        ),
        limits=OutboxLimits(
            threshold=configuration[internal.MESSAGE_QUEUE_SIZE_THRESHOLD],
            byte_limit=configuration[internal.MESSAGE_QUEUE_BYTE_LIMIT],
            replay_rate=configuration[internal.MESSAGE_REPLAY_RATE],
            queue_all=configuration[internal.QUEUE_ALL_MESSAGES],
            discard=frozenset(discarded) if discarded else _NOTHING,
        ),
        tolerance=charge_point.tolerance,
        specific_codes=configuration[internal.SCHEMA_VIOLATION_ERRORS] != ErrorCode.FORMATION_VIOLATION,
        on_invalid=charge_point.invalid_received,
        on_internal_error=second_line.failed,
    )
    timers, signals = Timers(), Signals()
    timers.on_error = signals.on_error = second_line.failed
    connectors = _connectors(configuration, found, charge_point.clock.now())
    ctx = Context(
        charge_point_id=configuration[internal.CHARGE_POINT_ID],
        clock=charge_point.clock,
        timers=timers,
        configuration=configuration,
        signals=signals,
        connectors=connectors,
        transactions=found.transactions,
        journal=charge_point.writer,
        session=session,
        station=charge_point.asked_station,
        station_side=StationSide(
            configuration[internal.STATION_TIMEOUT], life.spawn, second_line.failed, charge_point.overran
        ),
        counters=charge_point.counters,
        kick=charge_point.kick,
        start=life,
        spawn_outside=charge_point.spawn_outside,
        tell=charge_point.tell,
        failed=second_line.failed,
        log=second_line.log,
        keeper=charge_point.keeper,
    )
    ctx.next_sequence = found.next_sequence
    delivery.ctx = ctx
    session.outbox.restore(found.messages)
    ctx.marked = [entry for entry in found.messages if entry.has_marks and entry.lane is Lane.TRANSACTION]
    if found.messages:
        ctx.log.info("%d messages wait from before", len(found.messages))
    features = Features(ctx, connectors, found, charge_point.reconnect_if_connected)
    delivery.dead_letters = features.dead_letters
    session.on_boot_wanted = features.boot.send_boot_notification
    return features


def _connectors(configuration: Configuration, found: Restored, now: int) -> dict[int, Connector]:
    connectors = {}
    for connector_id in range(configuration[core.NUMBER_OF_CONNECTORS] + 1):
        availability = found.availability.get(connector_id, AvailabilityType.OPERATIVE)
        connectors[connector_id] = Connector(connector_id, initial_status(availability), availability, now)
    return connectors

"""Connector states and ChangeAvailability (OCPP 1.6 ed. 2 §4.9, §5.2).

Owns the connectors: whatever happens at one goes through `submit` or one of the error methods, the state machine
decides, and the notification it yields is told to the observer at once and to the Central System when it may be
(status_notifications.py).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ocpp16 import messages
from ocpp16.configuration.keys import core
from ocpp16.enums import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointStatus,
    MessageTrigger,
    RegistrationStatus,
    SessionStartedReason,
)
from ocpp16.models import ErrorInfo
from ocpp16.profiles.base import Context, FeatureProfile, Reply, hears, on, triggered
from ocpp16.profiles.status_notifications import StatusNotifications
from ocpp16.state.availability import AvailabilityChange, availability_change, availability_status
from ocpp16.state.connector import Connector
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.round import Round
from ocpp16.state.signals import (
    ClockSet,
    ConfigurationChanged,
    Connected,
    PutInService,
    RegistrationChanged,
    SessionStarted,
    SessionStopped,
    TransactionAcknowledged,
)
from ocpp16.store.base import RowChange
from ocpp16.store.tables import availability as availability_table

AT_ONCE = 16
"""Connectors that the station is told to enable or disable in one turn."""
_STAYS_AT_SESSION_END = frozenset({ChargePointStatus.RESERVED, ChargePointStatus.UNAVAILABLE})


class Availability(FeatureProfile):
    """Reports what connectors do and puts them in and out of service."""

    __slots__ = ("_commands", "_is_withheld", "_notifications", "_out_at_start", "sessions")

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._notifications = StatusNotifications(ctx)
        self._commands = Round(ctx.timers, ctx.clock, self._command)
        self._is_withheld = False
        self.sessions: dict[int, str] = {}
        """Connector → the session that is there, as far as the station told of one."""
        self._out_at_start: frozenset[int] = frozenset()
        """Connectors that were out of service when this start began, and of which nothing else was asked since."""
        ctx.session.tell_missed_boots(self._boot_missed)

    def start(self) -> None:
        inoperative = AvailabilityType.INOPERATIVE
        self._out_at_start = frozenset(
            number for number, connector in self.ctx.connectors.items() if connector.availability is inoperative
        )
        if self._is_withheld:
            self._withheld_now()
        self._commands.begin(filter(None, self.ctx.connectors), AT_ONCE)

    def stop(self) -> None:
        self._commands.stop()
        self._notifications.stop()

    # What the station tells

    def submit(self, connector_id: int, event: ConnectorEvent, info: str | None = None) -> None:
        if (
            event is ConnectorEvent.RESERVE_CONNECTOR
            and self.ctx.connectors[connector_id].base is ChargePointStatus.AVAILABLE
            and self.ctx.transactions.running(connector_id) is None
        ):
            self.sessions.pop(connector_id, None)  # one whose end was not told
        self._notifications.tell(self.ctx.connectors[connector_id].submit(event, self.ctx.clock.now(), info))

    def enabled(self, connector_id: int) -> None:
        """Only one that is out of service comes back by it: a station that is asked again, in the middle of a session,
        may say so again. It is asked to enable what it never was told to disable, too, where that was superseded.
        """
        if self.ctx.connectors[connector_id].base is ChargePointStatus.UNAVAILABLE:
            self.submit(connector_id, ConnectorEvent.BECOME_AVAILABLE)

    def session_started(self, connector_id: int, session_id: str, reason: SessionStartedReason) -> None:
        """A plug on a reserved connector leaves it Reserved until somebody authorizes (as libocpp)."""
        self.sessions[connector_id] = session_id
        self.ctx.signals.emit(SessionStarted(connector_id, reason))
        # The base status: what is under a fault shows again when that is over.
        is_reserved = self.ctx.connectors[connector_id].base is ChargePointStatus.RESERVED
        if not (is_reserved and reason is SessionStartedReason.EV_CONNECTED):
            self.submit(connector_id, ConnectorEvent.USAGE_INITIATED, str(reason))

    def transaction_started(self, connector_id: int, session_id: str) -> None:
        """A start on a connector that is still Reserved uses the reservation up: it reports Preparing first."""
        self.sessions[connector_id] = session_id
        if self.ctx.connectors[connector_id].base is ChargePointStatus.RESERVED:
            self.submit(connector_id, ConnectorEvent.USAGE_INITIATED)

    def session_stopped(self, connector_id: int) -> None:
        self.sessions.pop(connector_id, None)
        self.ctx.signals.emit(SessionStopped(connector_id))
        self._carry_out_scheduled(connector_id)
        # The base status: what is out of service under a fault stays so.
        if self.ctx.connectors[connector_id].base not in _STAYS_AT_SESSION_END:
            self.submit(connector_id, ConnectorEvent.BECOME_AVAILABLE)

    def raise_error(self, connector_id: int, error: ErrorInfo) -> None:
        self._notifications.tell(self.ctx.connectors[connector_id].raise_error(error, self.ctx.clock.now()))

    def clear_error(self, connector_id: int, uuid: str) -> None:
        self._notifications.tell(self.ctx.connectors[connector_id].clear_error(uuid, self.ctx.clock.now()))

    def clear_all_errors(self, connector_id: int) -> None:
        self._notifications.tell(self.ctx.connectors[connector_id].clear_all_errors(self.ctx.clock.now()))

    def reset(self, status: Mapping[int, ChargePointStatus]) -> None:
        """Connectors are what the station says, whatever was told of them before; what is new is reported.

        Raises ValueError, and changes nothing, for a status that a connector cannot have.
        """
        for number, initial in status.items():
            Connector(number, initial)
        for number, initial in status.items():
            self._notifications.tell(self.ctx.connectors[number].reset(initial, self.ctx.clock.now()))

    # StatusNotification

    @property
    def reports(self) -> StatusNotifications:
        """What reports the status of connectors."""
        return self._notifications

    @triggered(MessageTrigger.STATUS_NOTIFICATION)
    def _triggered(self, connector_ids: Sequence[int]) -> Callable[[], None]:
        return partial(self._notifications.report, connector_ids, is_triggered=True)

    @hears(RegistrationChanged)
    def _registered(self, signal: RegistrationChanged) -> None:
        if signal.status is RegistrationStatus.ACCEPTED and self.ctx.session.is_connected:
            self._notifications.report_all()

    @hears(Connected)
    def _connected(self, signal: Connected) -> None:
        # A BootNotification that waits is answered first, or missed, and then it is done.
        if self.ctx.sender.is_accepted and self.ctx.session.outbox.boot is None:
            self._notifications.report_all()

    def _boot_missed(self) -> None:
        if self.ctx.sender.is_online:
            self._notifications.report_all()

    @hears(ClockSet)
    def _clock_set(self, signal: ClockSet) -> None:
        self._notifications.clock_set(signal)

    @hears(ConfigurationChanged)
    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == core.MINIMUM_STATUS_DURATION.name:
            self._notifications.duration_changed()

    # ChangeAvailability

    @on("ChangeAvailability")
    async def change_availability(
        self, request: "messages.ChangeAvailabilityRequest"
    ) -> "Reply[messages.ChangeAvailabilityResponse]":
        status, act = await self.change(request["connectorId"], AvailabilityType(request["type"]))
        return Reply({"status": str(status)}, then=act)

    async def change(self, connector_id: int, kind: AvailabilityType) -> tuple[AvailabilityStatus, Callable[[], None]]:
        """Keep a change of availability, then decide what it does where; what the second value does follows the answer.

        connector_id: 0 for the charge point and all its connectors. Raises StoreError if it could not be stored; then
        nothing has changed.
        """
        outcome: list[tuple[AvailabilityStatus, list[int]]] = []

        def restore() -> list[RowChange]:
            return [self._row(number, self.ctx.connectors[number].commanded) for number in concerned]

        concerned = list(self._changes(connector_id, kind))
        if not concerned:
            return AvailabilityStatus.REJECTED, partial(self.carry_out, (), kind)
        await self.ctx.asked.commit(
            [self._row(number, kind) for number in concerned],
            # Decided once it is on disk: a transaction may have begun, or ended, while the disk took its time.
            apply=lambda: outcome.append(self._decided(connector_id, kind)),
            restore=restore,
        )
        status, now = outcome[0]
        return status, partial(self.carry_out, now, kind)

    @staticmethod
    def _row(connector_id: int, kind: AvailabilityType) -> RowChange:
        return availability_table.put(availability_table.AvailabilityRow(connector_id, kind))

    def _changes(self, connector_id: int, kind: AvailabilityType) -> dict[int, AvailabilityChange]:
        ctx = self.ctx
        return availability_change(
            ctx.connectors, connector_id, kind, lambda number: ctx.transactions.running(number) is not None
        )

    def _decided(self, connector_id: int, kind: AvailabilityType) -> tuple[AvailabilityStatus, list[int]]:
        """In force from here on. Returns the answer, and the connectors that are to change now."""
        changes = self._changes(connector_id, kind)
        now: list[int] = []
        self._out_at_start -= changes.keys()
        for number, change in changes.items():
            connector = self.ctx.connectors[number]
            if change is AvailabilityChange.SCHEDULED:
                connector.scheduled = kind
                continue
            connector.scheduled = None
            connector.availability = kind
            if change is AvailabilityChange.NOW:
                now.append(number)
        return availability_status(changes), now

    def carry_out(self, connector_ids: Sequence[int], kind: AvailabilityType) -> None:
        if 0 in connector_ids:
            self.submit(0, _EVENT_OF[kind])
        self._commands.begin(filter(None, connector_ids), AT_ONCE)

    def _command(self, connector_id: int) -> None:
        """Have the station make the connector what it is to be when this one's turn comes."""
        self._commands.discard(connector_id)
        is_operative = self.ctx.connectors[connector_id].availability is AvailabilityType.OPERATIVE
        in_service = is_operative and not self._is_withheld
        question = self.ctx.station.enable_evse if in_service else self._disable_evse
        self.ctx.station_side.command(question, connector_id, connectors=(connector_id,), topic="availability")
        if in_service:
            self.ctx.signals.emit(PutInService(connector_id))

    async def _disable_evse(self, connector_id: int) -> None:
        """Its turn may come late: a transaction that began meanwhile goes on to its end, and a car that came meanwhile
        is waited for, as if they had been there. It is scheduled then, as any other, and asked for once more so
        answered. A car that a start finds at a connector out of service changes nothing of that.
        """
        connector = self.ctx.connectors[connector_id]
        is_charging = self.ctx.transactions.running(connector_id) is not None
        is_out = connector.is_withheld or connector_id in self._out_at_start
        is_occupied = connector.base is ChargePointStatus.PREPARING and not is_out
        if not (is_charging or is_occupied):
            await self.ctx.station.disable_evse(connector_id)
        elif connector.scheduled is None and connector.availability is AvailabilityType.INOPERATIVE:
            connector.availability = AvailabilityType.OPERATIVE
            connector.scheduled = AvailabilityType.INOPERATIVE

    @property
    def is_behind_with_commands(self) -> bool:
        """Are there connectors that the station is yet to be told to enable or disable?"""
        return len(self._commands) > 0

    def withhold(self) -> None:
        """Until `release` no connector is in service: those without a transaction from now on, or from the start that
        is to come, the others when it has ended (`withhold` again). What ChangeAvailability asks for is kept, and holds
        afterwards."""
        self._is_withheld = True
        if self.ctx.is_current():
            self._commands.begin(self._withheld_now(), AT_ONCE)

    def _withheld_now(self) -> list[int]:
        """Those that nobody uses, and that are not withheld yet: they are from now on."""
        found = []
        for number, connector in self.ctx.connectors.items():
            if number and not connector.is_withheld and self.ctx.transactions.running(number) is None:
                connector.is_withheld = True
                found.append(number)
        return found

    def release(self) -> None:
        """Those that are to be in service are, as the end of `withhold`."""
        self._is_withheld = False
        back = []
        for number, connector in self.ctx.connectors.items():
            if connector.is_withheld:
                connector.is_withheld = False
                if connector.availability is AvailabilityType.OPERATIVE:
                    back.append(number)
        self._commands.begin(back, AT_ONCE)

    def _carry_out_scheduled(self, connector_id: int) -> None:
        if self.ctx.connectors[connector_id].apply_scheduled() is not None:
            self._command(connector_id)

    @hears(TransactionAcknowledged)
    def _transaction_acknowledged(self, signal: TransactionAcknowledged) -> None:
        connector_id = signal.transaction.connector_id
        connector = self.ctx.connectors.get(connector_id)
        if (
            connector is not None
            and connector.scheduled is not None
            and connector.base is not ChargePointStatus.PREPARING
            and self.ctx.transactions.running(connector_id) is None
        ):
            self._carry_out_scheduled(connector_id)


_EVENT_OF = {
    AvailabilityType.OPERATIVE: ConnectorEvent.BECOME_AVAILABLE,
    AvailabilityType.INOPERATIVE: ConnectorEvent.CHANGE_AVAILABILITY_TO_UNAVAILABLE,
}

"""Connector states, StatusNotification and ChangeAvailability (OCPP 1.6 ed. 2 §4.9, §5.2).

Owns the connectors: whatever happens at one goes through `submit` or one of the error methods, the state machine
decides, and the notification it yields is told to the observer at once and to the Central System when it may be.
While offline nothing is kept: after a reconnect, and after every accepted boot, each connector is reported as it is,
with the time since when it is so.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import inf

from ocpp16.configuration.keys import core
from ocpp16.enums import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointStatus,
    RegistrationStatus,
    SessionStartedReason,
)
from ocpp16.models import ErrorInfo
from ocpp16.observer import StatusChanged
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply, on
from ocpp16.state.availability import AvailabilityChange, availability_change, availability_status
from ocpp16.state.connector import Notification
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.signals import (
    ClockSet,
    Connected,
    ConnectorStatusChanged,
    RegistrationChanged,
    TransactionAcknowledged,
)
from ocpp16.state.status_throttle import StatusThrottle
from ocpp16.state.timers import Timer
from ocpp16.store.base import RowChange
from ocpp16.store.tables import availability as availability_table

_STAYS_AT_SESSION_END = frozenset({ChargePointStatus.RESERVED, ChargePointStatus.UNAVAILABLE})


class Availability(FeatureProfile):
    """Reports what connectors do and puts them in and out of service."""

    __slots__ = ("_release", "_throttle", "sessions")

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._throttle = StatusThrottle()
        self._release: Timer | None = None
        self.sessions: dict[int, str] = {}
        """Connector → the session that is there, as far as the station told of one."""

    def attach(self) -> None:
        self.ctx.signals.on(RegistrationChanged, self._registered)
        self.ctx.signals.on(Connected, self._connected)
        self.ctx.signals.on(TransactionAcknowledged, self._transaction_acknowledged)
        self.ctx.signals.on(ClockSet, self._clock_set)

    def start(self) -> None:
        for connector_id, connector in self.ctx.connectors.items():
            if connector_id:
                self._command(connector_id, connector.availability)

    def stop(self) -> None:
        if self._release is not None:
            self._release.cancel()
            self._release = None

    # What the station tells

    def submit(self, connector_id: int, event: ConnectorEvent, info: str | None = None) -> None:
        self._notify(self.ctx.connectors[connector_id].submit(event, self.ctx.clock.now(), info))

    def session_started(self, connector_id: int, session_id: str, reason: SessionStartedReason) -> None:
        """A plug on a reserved connector leaves it Reserved until somebody authorizes (as libocpp)."""
        self.sessions[connector_id] = session_id
        is_reserved = self.ctx.connectors[connector_id].status is ChargePointStatus.RESERVED
        if not (is_reserved and reason is SessionStartedReason.EV_CONNECTED):
            self.submit(connector_id, ConnectorEvent.USAGE_INITIATED, str(reason))

    def transaction_started(self, connector_id: int, session_id: str) -> None:
        """A start on a connector that is still Reserved uses the reservation up: it reports Preparing first."""
        self.sessions[connector_id] = session_id
        if self.ctx.connectors[connector_id].status is ChargePointStatus.RESERVED:
            self.submit(connector_id, ConnectorEvent.USAGE_INITIATED)

    def session_stopped(self, connector_id: int) -> None:
        self.sessions.pop(connector_id, None)
        self._carry_out_scheduled(connector_id)
        if self.ctx.connectors[connector_id].status not in _STAYS_AT_SESSION_END:
            self.submit(connector_id, ConnectorEvent.BECOME_AVAILABLE)

    def raise_error(self, connector_id: int, error: ErrorInfo) -> None:
        self._notify(self.ctx.connectors[connector_id].raise_error(error, self.ctx.clock.now()))

    def clear_error(self, connector_id: int, uuid: str) -> None:
        self._notify(self.ctx.connectors[connector_id].clear_error(uuid, self.ctx.clock.now()))

    def clear_all_errors(self, connector_id: int) -> None:
        self._notify(self.ctx.connectors[connector_id].clear_all_errors(self.ctx.clock.now()))

    # StatusNotification

    def report(self, connector_ids: Sequence[int], *, is_triggered: bool) -> None:
        """Send the present status of these connectors, without delay. One that waits already is replaced."""
        now = self.ctx.clock.now()
        for connector_id in connector_ids:
            notification = self.ctx.connectors[connector_id].report(now)
            self._throttle.reported(notification)
            self._send(notification, is_triggered=is_triggered)

    def _notify(self, notification: Notification | None) -> None:
        if notification is None:
            return
        ctx = self.ctx
        ctx.tell(
            StatusChanged(notification.connector_id, notification.status, notification.error_code, notification.info),
            0,
        )
        if notification.is_status_change:
            ctx.signals.emit(ConnectorStatusChanged(notification.connector_id, notification.status))
        if not ctx.is_online and not ctx.session.outbox.limits.queue_all:
            return
        now = ctx.clock.monotonic()
        if self._throttle.offer(notification, now, ctx.configuration[core.MINIMUM_STATUS_DURATION]):
            self._send(notification)
        self._arm()

    def _arm(self) -> None:
        due = self._throttle.due
        if self._release is not None:
            if self._release.when == due and self._release.is_active:
                return
            self._release.cancel()
            self._release = None
        if due != inf:
            self._release = self.ctx.timers.at(due, self._release_held)

    def _release_held(self) -> None:
        for notification in self._throttle.release(self.ctx.clock.monotonic()):
            self._send(notification)
        self._arm()

    def _send(self, notification: Notification, *, is_triggered: bool = False) -> None:
        payload: Payload = {
            "connectorId": notification.connector_id,
            "errorCode": str(notification.error_code),
            "status": str(notification.status),
            "timestamp": self.ctx.time_text(notification.timestamp),
        }
        if notification.info is not None:
            payload["info"] = notification.info
        if notification.vendor_id is not None:
            payload["vendorId"] = notification.vendor_id
        if notification.vendor_error_code is not None:
            payload["vendorErrorCode"] = notification.vendor_error_code
        # A change that follows a transaction's start must not overtake the StartTransaction that waits for the disk.
        number = self.ctx.journal.last if notification.is_status_change and not is_triggered else 0
        if notification.status is ChargePointStatus.FAULTED:
            number = 0
        # Of what waits for the connection only the newest status of a connector is of interest.
        topic = ("StatusNotification", notification.connector_id)
        self.ctx.send("StatusNotification", payload, number=number, is_triggered=is_triggered, topic=topic)

    def _registered(self, signal: RegistrationChanged) -> None:
        if signal.status is RegistrationStatus.ACCEPTED and self.ctx.session.is_connected:
            self.report(sorted(self.ctx.connectors), is_triggered=False)

    def _clock_set(self, signal: ClockSet) -> None:
        now = self.ctx.clock.now()
        for number, connector in self.ctx.connectors.items():
            if signal.is_first:
                connector.clock_moved(signal.shift)
            elif signal.shift < 0:
                connector.clock_set_back(now, signal.shift)
            self._throttle.redate(number, connector.look(now).timestamp)

    def _connected(self, signal: Connected) -> None:
        if self.ctx.is_accepted:
            self.report(sorted(self.ctx.connectors), is_triggered=False)

    # ChangeAvailability

    @on("ChangeAvailability")
    async def change_availability(self, request: Payload) -> Reply[Payload]:
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
        for connector_id in connector_ids:
            if connector_id:
                self._command(connector_id, kind)
            else:
                self.submit(0, _EVENT_OF[kind])

    def _command(self, connector_id: int, kind: AvailabilityType) -> None:
        question = self.ctx.station.enable_evse if kind is AvailabilityType.OPERATIVE else self._disable_evse
        self.ctx.command(question, connector_id, connectors=(connector_id,), topic="availability")

    async def _disable_evse(self, connector_id: int) -> None:
        """Its turn may come late: a transaction that began meanwhile goes on to its end, as if it had been there."""
        connector = self.ctx.connectors[connector_id]
        if self.ctx.transactions.running(connector_id) is None:
            await self.ctx.station.disable_evse(connector_id)
        elif connector.scheduled is None:
            connector.scheduled = AvailabilityType.INOPERATIVE

    def _carry_out_scheduled(self, connector_id: int) -> None:
        kind = self.ctx.connectors[connector_id].apply_scheduled()
        if kind is not None:
            self._command(connector_id, kind)

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

"""The `on_…` handlers: what station code tells the charge point. Each is one line of delegation to its feature.

All are synchronous, never wait, and may be called at any time from the trio thread, connected or not. What is told is
on disk a commit later; `await charge_point.stored()` returns when all told so far is. Unknown connectors raise
ValueError, before anything is changed. Names and parameters are libocpp's.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from ocpp16.enums import AvailabilityStatus, AvailabilityType, Reason, SessionStartedReason
from ocpp16.models import ErrorInfo, Measurement
from ocpp16.profiles.availability import Availability
from ocpp16.profiles.base import Context
from ocpp16.profiles.meter_values import MeterValues
from ocpp16.profiles.transactions import TransactionMessages
from ocpp16.state.clock import to_micros
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.transaction import Transaction


class StationEvents:
    """Mixed into ChargePoint, which sets the features."""

    __slots__ = ()

    if TYPE_CHECKING:  # an annotation alone would forbid the slots of the subclass
        _availability: Availability
        _meter_values: MeterValues
        _transactions: TransactionMessages
        ctx: Context

    def _connector(self, connector_id: int, lowest: int = 1) -> int:
        if not lowest <= connector_id <= len(self.ctx.connectors) - 1:
            raise ValueError(
                f"no connector {connector_id}: this charge point has {lowest}..{len(self.ctx.connectors) - 1}"
            )
        return connector_id

    def _submit(self, connector_id: int, event: ConnectorEvent, info: str | None = None, lowest: int = 1) -> None:
        self._availability.submit(self._connector(connector_id, lowest), event, info)

    # Sessions and transactions

    def on_session_started(self, connector_id: int, session_id: str, reason: SessionStartedReason) -> None:
        """The first interaction: a plug, or an authorization. The connector becomes Preparing.

        A plug on a Reserved connector leaves it Reserved until somebody authorizes.
        """
        self._availability.session_started(self._connector(connector_id), reason)

    def on_session_stopped(self, connector_id: int, session_id: str) -> None:
        """The car is gone. The connector becomes Available, or Unavailable if that was asked for meanwhile."""
        self._availability.session_stopped(self._connector(connector_id))

    def on_transaction_started(
        self,
        connector_id: int,
        session_id: str,
        id_token: str,
        meter_start: float,
        *,
        reservation_id: int | None = None,
        timestamp: datetime | None = None,
        signed_meter_value: str | None = None,
    ) -> Transaction:
        """A transaction began: StartTransaction is queued (OCPP 1.6 ed. 2 §4.8).

        `meter_start`: register in Wh. `timestamp`: aware; now if None. `signed_meter_value`: text of the meter, kept
        for StopTransaction.transactionData. Raises ValueError if `id_token` is not 1 to 20 characters, if `timestamp`
        has no zone, or if the connector has a running transaction.
        """
        self._connector(connector_id)
        at = None if timestamp is None else to_micros(timestamp)
        if self.ctx.transactions.running(connector_id) is not None:
            raise ValueError(f"connector {connector_id} has a running transaction")
        transaction = self._transactions.begin(
            connector_id,
            session_id,
            id_token,
            meter_start,
            reservation_id=reservation_id,
            at=at,
            signed=signed_meter_value,
        )
        self._availability.transaction_started(connector_id)
        return transaction

    def on_transaction_stopped(
        self,
        connector_id: int,
        session_id: str,
        reason: Reason,
        energy_wh: float,
        *,
        timestamp: datetime | None = None,
        id_tag_end: str | None = None,
        signed_meter_value: str | None = None,
    ) -> None:
        """A transaction is over: StopTransaction is queued (OCPP 1.6 ed. 2 §4.10); the connector becomes Finishing,
        unless the reason is EVDisconnected.

        Raises ValueError if no transaction of this session runs on the connector.
        """
        transaction = self.ctx.transactions.running(self._connector(connector_id))
        if transaction is None or transaction.session_id != session_id:
            raise ValueError(f"connector {connector_id} has no running transaction of session {session_id!r}")
        self._transactions.end(
            transaction,
            reason,
            energy_wh,
            at=None if timestamp is None else to_micros(timestamp),
            id_tag_end=id_tag_end,
            signed=signed_meter_value,
        )
        if reason is not Reason.EV_DISCONNECTED:
            self._submit(connector_id, ConnectorEvent.TRANSACTION_STOPPED)

    # What the connector does

    def on_resume_charging(self, connector_id: int) -> None:
        """Energy flows, for the first time or again: Charging."""
        self._submit(connector_id, ConnectorEvent.START_CHARGING)

    def on_suspend_charging_ev(self, connector_id: int, info: str | None = None) -> None:
        """The car takes no energy though it is offered: SuspendedEV."""
        self._submit(connector_id, ConnectorEvent.PAUSE_CHARGING_EV, info)

    def on_suspend_charging_evse(self, connector_id: int, info: str | None = None) -> None:
        """The station offers no energy: SuspendedEVSE."""
        self._submit(connector_id, ConnectorEvent.PAUSE_CHARGING_EVSE, info)

    def on_plugin_timeout(self, connector_id: int) -> None:
        """The car is plugged in but nobody authorized in time: Finishing, with info `ConnectionTimeout`."""
        self._submit(connector_id, ConnectorEvent.TRANSACTION_STOPPED, "ConnectionTimeout")

    def on_reservation_start(self, connector_id: int) -> None:
        self._submit(connector_id, ConnectorEvent.RESERVE_CONNECTOR)

    def on_reservation_end(self, connector_id: int) -> None:
        self._submit(connector_id, ConnectorEvent.RESERVATION_END)

    def on_enabled(self, connector_id: int) -> None:
        """The connector is in service. Call it for a real change only, not in the middle of a session."""
        self._submit(connector_id, ConnectorEvent.BECOME_AVAILABLE)

    def on_disabled(self, connector_id: int) -> None:
        """The connector is out of service."""
        self._submit(connector_id, ConnectorEvent.CHANGE_AVAILABILITY_TO_UNAVAILABLE)

    def on_error(self, connector_id: int, error: ErrorInfo) -> None:
        """An error began; one whose uuid is active already is ignored. Connector 0 is the charge point itself."""
        self._availability.raise_error(self._connector(connector_id, 0), error)

    def on_error_cleared(self, connector_id: int, uuid: str) -> None:
        """The error with this uuid is over; an unknown one is ignored."""
        self._availability.clear_error(self._connector(connector_id, 0), uuid)

    def on_all_errors_cleared(self, connector_id: int) -> None:
        self._availability.clear_all_errors(self._connector(connector_id, 0))

    async def on_change_availability(self, connector_id: int, kind: AvailabilityType) -> AvailabilityStatus:
        """What ChangeAvailability does, asked for by somebody at the station."""
        status, act = self._availability.change(connector_id, kind)
        await self.ctx.journal.wait_durable(self.ctx.journal.last)
        act()
        return status

    # What is measured

    def on_meter_values(self, connector_id: int, measurement: Measurement) -> None:
        """The meter's latest values. Nothing is sent: samples are taken by the configured intervals."""
        self._meter_values.measured(self._connector(connector_id, 0), measurement)

    def on_max_current_offered(self, connector_id: int, amperes: float) -> None:
        """For the measurand Current.Offered."""
        self._meter_values.offered_current(self._connector(connector_id, 0), amperes)

    def on_max_power_offered(self, connector_id: int, watts: float) -> None:
        """For the measurand Power.Offered."""
        self._meter_values.offered_power(self._connector(connector_id, 0), watts)

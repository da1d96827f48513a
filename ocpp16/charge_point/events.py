"""The `on_…` handlers: what station code tells the charge point. Each checks its values and delegates to its feature.

All are synchronous, never wait, and may be called at any time from the trio thread, connected or not. What is told is
on disk a commit later; `await charge_point.stored()` returns when all told so far is. A value that cannot mean what its
argument says raises ValueError that names the argument, before anything is changed; after the block has ended they
raise ChargePointStopped. A fact is taken whole: Ctrl-C comes after a handler, never in it. Names and parameters are
libocpp's.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from ocpp16.charge_point.argument_check import folder
from ocpp16.charge_point.runtime import Runtime
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointStatus,
    DiagnosticsStatus,
    FirmwareStatusEnumType,
    Reason,
    SessionStartedReason,
    UploadLogStatusEnumType,
)
from ocpp16.errors import FeatureNotBuilt
from ocpp16.models import UNSIGNED, ErrorInfo, Measurement, SignedMeterValue
from ocpp16.profiles.id_tags import check_id_tag
from ocpp16.profiles.security_events import LONGEST_INFO, LONGEST_TYPE
from ocpp16.state.clock import SMALLEST_SHIFT, plausible, to_micros
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.signals import SecurityEventRaised
from ocpp16.state.transaction import Transaction
from ocpp16.texts import shown
from ocpp16.values import aware, described, exactly, finite, flag, is_a, member, register, text, whole

_BEFORE_A_TRANSACTION = (ChargePointStatus.PREPARING, ChargePointStatus.RESERVED)
_SESSION_ID_LENGTH = 255


@only_at_waits
class StationEvents:
    """The telling half of ChargePoint."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def _submit(self, connector_id: int, event: ConnectorEvent, info: str | None = None, lowest: int = 1) -> None:
        number = self._runtime.guard.connector(connector_id, lowest)
        self._runtime.features.availability.submit(number, event, None if info is None else text(info, "info"))

    # Sessions and transactions

    def on_session_started(
        self,
        connector_id: int,
        session_id: str,
        reason: SessionStartedReason,
        session_logging_path: str | Path | None = None,
    ) -> None:
        """The first interaction: a plug, or an authorization. The connector becomes Preparing.

        A plug on a Reserved connector leaves it Reserved until somebody authorizes. `session_logging_path`: folder in
        which the messages of this session are logged, `incomplete-ocpp.html` until it ends and `ocpp.html` then, if
        LogMessagesFormat has session_logging; made when needed. Raises ValueError while a transaction of another
        session runs there, and for a path that no folder can have.
        """
        number = self._runtime.guard.connector(connector_id)
        session = _session_id(session_id)
        why = member(SessionStartedReason, reason, "reason")
        log_folder = None if session_logging_path is None else folder(session_logging_path, "session_logging_path")
        transaction = self._runtime.ctx.transactions.running(number)
        if transaction is not None and transaction.session_id != session:
            raise ValueError(f"connector {number} has a running transaction of session {transaction.session_id!r}")
        self._runtime.log_session(number, session, log_folder)
        self._runtime.features.availability.session_started(number, session, why)

    def on_session_stopped(self, connector_id: int, session_id: str) -> None:
        """The car is gone. The connector becomes Available, or Unavailable if that was asked for meanwhile.

        Raises ValueError while a transaction runs there (tell its end first), and for the id of another session.
        """
        number = self._runtime.guard.connector(connector_id)
        session = _session_id(session_id)
        if self._runtime.ctx.transactions.running(number) is not None:
            raise ValueError(f"connector {number} has a running transaction: tell on_transaction_stopped first")
        known = self._runtime.features.availability.sessions.get(number)
        if known is not None and known != session:
            raise ValueError(f"session_id: connector {number} has the session {known!r}, not {session!r}")
        self._runtime.features.availability.session_stopped(number)
        self._runtime.traffic.session_stopped(number)

    def on_transaction_started(
        self,
        connector_id: int,
        session_id: str,
        id_token: str,
        meter_start: float,
        *,
        reservation_id: int | None = None,
        timestamp: datetime | None = None,
        signed_meter_value: str | SignedMeterValue | None = None,
    ) -> Transaction:
        """A transaction began: StartTransaction is queued (OCPP 1.6 ed. 2 §4.8).

        `meter_start`: register in Wh. `timestamp`: aware; now if None, or if it lies ahead. `signed_meter_value`: what
        the meter says under its signature, kept for StopTransaction.transactionData, and told as the keys of the
        section SignedMeterValues say; two of its length must fit into MaxMessageSize.
        `reservation_id`: of the reservation that is used by it; None: one that the library keeps for this id tag, if
        there is one. Raises
        ValueError if `id_token` is not 1 to 20 characters, if a value cannot be sent, if the connector has a running
        transaction, and for the id of another session than the one that began there.
        """
        number = self._runtime.guard.connector(connector_id)
        session = _session_id(session_id)
        token = check_id_tag(id_token, "id_token")
        energy = register(meter_start, "meter_start")
        reservation = None if reservation_id is None else whole(reservation_id, "reservation_id")
        at = self._instant(timestamp)
        signed = self._signed(number, signed_meter_value)
        if self._runtime.ctx.transactions.running(number) is not None:
            raise ValueError(f"connector {number} has a running transaction")
        known = self._runtime.features.availability.sessions.get(number)
        if known not in (None, session) and self._runtime.ctx.connectors[number].base in _BEFORE_A_TRANSACTION:
            raise ValueError(f"session_id: connector {number} has the session {known!r}, not {session!r}")
        kept = self._runtime.features.reservations
        if reservation is None and kept is not None and (found := kept.usable(number, token)) is not None:
            reservation = found.reservation_id
        transaction = self._runtime.features.transactions.begin(
            number, session, token, energy, reservation_id=reservation, at=at, signed=signed
        )
        self._runtime.traffic.transaction_started(transaction)
        self._runtime.features.availability.transaction_started(number, session)
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
        signed_meter_value: str | SignedMeterValue | None = None,
        start_signed_meter_value: str | SignedMeterValue | None = None,
    ) -> None:
        """A transaction is over: StopTransaction is queued (OCPP 1.6 ed. 2 §4.10); the connector becomes Finishing,
        unless the reason is EVDisconnected: then its lock is to be released, if UnlockConnectorOnEVSideDisconnect.
        `start_signed_meter_value`: what the meter signed at the begin, where it tells that only now; where
        `on_transaction_started` had one, that one is kept.

        Raises ValueError if no transaction of this session runs on the connector, or if a value cannot be sent.
        """
        number = self._runtime.guard.connector(connector_id)
        session = _session_id(session_id)
        why = member(Reason, reason, "reason")
        energy = register(energy_wh, "energy_wh")
        at = self._instant(timestamp)
        tag = None if id_tag_end is None else check_id_tag(id_tag_end, "id_tag_end")
        signed = self._signed(number, signed_meter_value)
        begin = self._signed(number, start_signed_meter_value, "start_signed_meter_value")
        transaction = self._runtime.ctx.transactions.running(number)
        if transaction is None or transaction.session_id != session:
            raise ValueError(f"connector {number} has no running transaction of session {session!r}")
        self._runtime.features.transactions.end(
            transaction, why, energy, at=at, id_tag_end=tag, signed=signed, signed_begin=begin
        )
        if why is not Reason.EV_DISCONNECTED:
            self._submit(number, ConnectorEvent.TRANSACTION_STOPPED)

    def _signed(
        self, connector_id: int, value: str | SignedMeterValue | None, name: str = "signed_meter_value"
    ) -> SignedMeterValue | None:
        return None if value is None else self._runtime.features.meter_values.signed(connector_id, value, name)

    def _instant(self, timestamp: datetime | None) -> int | None:
        """A time of the host in µs, on the charge point's clock: one that lies ahead of it is now."""
        if timestamp is None:
            return None
        at = to_micros(aware(timestamp, "timestamp"))
        now = self._runtime.ctx.clock.now()
        # Where nobody knows the date, host and charge point may agree on a year long past; not on one before 1970.
        if at < 0 or (plausible(now) and not plausible(at)):
            raise ValueError(f"timestamp: {shown(timestamp)} cannot be the time of anything here")
        if at - now >= SMALLEST_SHIFT:
            self._runtime.ctx.counters.readings_clamped += 1
        return min(at, now)

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
        """The connector is reserved: Reserved."""
        self._submit(connector_id, ConnectorEvent.RESERVE_CONNECTOR)

    def on_reservation_end(self, connector_id: int) -> None:
        """The reservation was used, cancelled, or is over: Available, if the connector was Reserved."""
        self._submit(connector_id, ConnectorEvent.RESERVATION_END)

    def on_enabled(self, connector_id: int) -> None:
        """The connector is in service: Available, if it was Unavailable. Anywhere else it says nothing new, and ends no
        session: it may always be told.
        """
        self._runtime.features.availability.enabled(self._runtime.guard.connector(connector_id))

    def on_disabled(self, connector_id: int) -> None:
        """The connector is out of service."""
        self._submit(connector_id, ConnectorEvent.CHANGE_AVAILABILITY_TO_UNAVAILABLE)

    def on_error(self, connector_id: int, error: ErrorInfo) -> None:
        """An error began; one whose uuid is active already is ignored. Connector 0 is the charge point itself.

        256 of a connector are kept: another one takes the place of the oldest.
        """
        self._runtime.features.availability.raise_error(
            self._runtime.guard.connector(connector_id, 0), exactly(ErrorInfo, error, "error")
        )

    def on_error_cleared(self, connector_id: int, uuid: str) -> None:
        """The error with this uuid is over; an unknown one is ignored."""
        self._runtime.features.availability.clear_error(
            self._runtime.guard.connector(connector_id, 0), text(uuid, "uuid")
        )

    def on_all_errors_cleared(self, connector_id: int) -> None:
        """No error of the connector is left."""
        self._runtime.features.availability.clear_all_errors(self._runtime.guard.connector(connector_id, 0))

    async def on_change_availability(self, connector_id: int, kind: AvailabilityType) -> AvailabilityStatus:
        """What ChangeAvailability does, asked for by somebody at the station; returns once it is on disk and in force.

        Raises ValueError for an unknown connector or kind, StoreError if it could not be stored within StoreTimeout,
        ChargePointStopped if the charge point is stopped before: then nothing has changed.
        """
        number = self._runtime.guard.connector(connector_id, 0)
        status, act = await self._runtime.features.availability.change(number, member(AvailabilityType, kind, "kind"))
        act()
        return status

    def on_security_event(
        self,
        kind: str,
        tech_info: str | None = None,
        critical: bool | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        """Something that matters for security has happened at the station (security white paper ed. 3, A04).

        `kind`: the name of the event, of the white paper or of your own, 1 to 50 characters. `critical`: whether it is
        told to the Central System, None: as the white paper has it. `timestamp`: when, None: now. It is in the security
        log in any case. Raises ValueError that names the argument.
        """
        self._runtime.guard.check()
        raised = SecurityEventRaised(
            text(kind, "kind", LONGEST_TYPE, least=1),
            "" if tech_info is None else text(tech_info, "tech_info", LONGEST_INFO),
            None if critical is None else flag(critical, "critical"),
            None if timestamp is None else to_micros(aware(timestamp, "timestamp")),
        )
        self._runtime.ctx.signals.emit(raised)

    # Firmware and logs

    def on_firmware_update_status_notification(self, request_id: int, status: FirmwareStatusEnumType) -> None:
        """How far an update of the firmware is: FirmwareStatusNotification, or with a request id that is not -1
        SignedFirmwareStatusNotification, once it is on disk; offline the last status when there is a connection again,
        and before it the end of an update that was asked for.

        `request_id`: of the `FirmwareUpdate`. The same status again is ignored. An update that nobody asked for may be
        told, too. Raises ValueError for the id of another update than the one that is under way, for Idle, and for a
        status that does not fit what was told before; FeatureNotBuilt if the station is no FirmwareStation, for an
        unsigned one also where SupportedFeatureProfiles lacks FirmwareManagement, for others if it is no
        SecurityStation.
        """
        self._runtime.guard.check()
        number = whole(request_id, "request_id")
        told = member(FirmwareStatusEnumType, status, "status")
        features = self._runtime.features
        updates = features.firmware_updates
        # Who takes firmware uploads, too: both are of FirmwareManagement if unsigned, else of a SecurityStation.
        is_built = (features.diagnostics if number == UNSIGNED else features.log_upload) is not None
        if updates is None or not (is_built or updates.request_id == number):
            raise FeatureNotBuilt("the station takes no such firmware, or FirmwareManagement is not listed")
        if told is FirmwareStatusEnumType.IDLE:
            raise ValueError("status: Idle is what there is to say without an update")
        updates.told(number, told)

    def on_log_status_notification(self, request_id: int, status: UploadLogStatusEnumType | DiagnosticsStatus) -> None:
        """How far an upload is: DiagnosticsStatusNotification for the request id -1, otherwise LogStatusNotification.

        UploadFailed and UploadFailure are the same; of diagnostics every failure is told as UploadFailed. Otherwise as
        `on_firmware_update_status_notification`; a LogStatusNotification needs a SecurityStation.
        """
        self._runtime.guard.check()
        number = whole(request_id, "request_id")
        is_failed = isinstance(status, str) and str(status) == DiagnosticsStatus.UPLOAD_FAILED
        told = member(
            UploadLogStatusEnumType, UploadLogStatusEnumType.UPLOAD_FAILURE if is_failed else status, "status"
        )
        features = self._runtime.features
        feature = features.diagnostics if number == UNSIGNED else features.log_upload
        if feature is None:
            raise FeatureNotBuilt("the station uploads no logs, or SupportedFeatureProfiles lacks FirmwareManagement")
        if told is UploadLogStatusEnumType.IDLE:
            raise ValueError("status: Idle is what there is to say without an upload")
        feature.upload.told(number, told)

    # What is measured

    def on_meter_values(self, connector_id: int, measurement: Measurement) -> None:
        """The meter's latest values. Nothing is sent: samples are taken by the configured intervals.

        Connector 0 is the main meter of the charge point.
        """
        number = self._runtime.guard.connector(connector_id, 0)
        if not is_a(measurement, Measurement):
            raise ValueError(f"measurement must be a Measurement, not {described(measurement)}")
        self._runtime.features.meter_values.measured(number, measurement)

    def on_max_current_offered(self, connector_id: int, amperes: float) -> None:
        """For the measurand Current.Offered."""
        self._runtime.features.meter_values.offered_current(
            self._runtime.guard.connector(connector_id, 0), finite(amperes, "amperes")
        )

    def on_max_power_offered(self, connector_id: int, watts: float) -> None:
        """For the measurand Power.Offered."""
        self._runtime.features.meter_values.offered_power(
            self._runtime.guard.connector(connector_id, 0), finite(watts, "watts")
        )


def _session_id(session_id: Any) -> str:
    return text(session_id, "session_id", _SESSION_ID_LENGTH, least=1)

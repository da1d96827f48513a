"""Every observer event, with the record that the control interface makes of it."""

from datetime import UTC, datetime
from typing import Any

from ocpp16 import enums, observer
from ocpp16.contracts import (
    CertificateAction,
    ContractAuthorization,
    ContractCertificateStatus,
    ContractIdTokenInfo,
    ContractStatus,
    EvCertificateResponse,
    EvCertificateStatus,
)
from ocpp16.enums import AuthorizationStatus, ChargePointErrorCode, ChargePointStatus, Reason, ResetType
from ocpp16.models import ChargingLimit, IdTagInfo, Reservation
from ocpp16.simulation.reservation_commands import described

NOW = datetime(2024, 1, 1, tzinfo=UTC)
ACCEPTED, INVALID = (IdTagInfo(status) for status in (AuthorizationStatus.ACCEPTED, AuthorizationStatus.INVALID))
WHY = {"source": "local list", "rule": "known", "key": "K"}
CONTRACT = ContractAuthorization(
    ContractIdTokenInfo(ContractStatus.EXPIRED, NOW), ContractCertificateStatus.CERTIFICATE_EXPIRED, *WHY.values()
)
TRANSACTION = {"event": "transaction", "connector": 1, "session_id": "s"}
KEPT = Reservation(7, 0, "TAG", None, datetime(2030, 1, 1, tzinfo=UTC))
RESERVED = {"event": "reservation", **described(KEPT)}
EVENTS: list[tuple[observer.ObserverEvent, dict[str, Any]]] = [
    (observer.ConnectionStateChanged(True), {"event": "connection", "connected": True}),
    (
        observer.BootNotificationResponse(enums.RegistrationStatus.ACCEPTED, 300, NOW),
        {"event": "boot", "status": "Accepted", "interval": 300},
    ),
    (
        observer.StatusChanged(1, ChargePointStatus.FAULTED, ChargePointErrorCode.GROUND_FAILURE, "x"),
        {"event": "status", "connector": 1, "status": "Faulted", "error_code": "GroundFailure"},
    ),
    (
        observer.TransactionStarted(1, "s", "TAG"),
        {**TRANSACTION, "transaction_id": None, "phase": "started", "id_tag": "TAG"},
    ),
    (observer.TransactionUpdated(1, "s", 5, ACCEPTED), {**TRANSACTION, "transaction_id": 5, "phase": "confirmed"}),
    (observer.TransactionUpdated(1, "s", 5, INVALID), {**TRANSACTION, "transaction_id": 5, "phase": "refused"}),
    (
        observer.TransactionStopped(1, "s", None, Reason.LOCAL),
        {**TRANSACTION, "transaction_id": None, "phase": "stopped", "reason": "Local"},
    ),
    (
        observer.ChargingLimitChanged(1, ChargingLimit(8.0, "A", 3, NOW)),
        {
            "event": "charging_limit",
            "connector": 1,
            "limit": 8.0,
            "unit": "A",
            "phases": 3,
            "until": "2024-01-01T00:00:00Z",
        },
    ),
    (
        observer.ChargingLimitChanged(2, ChargingLimit(None, "W", None, None)),
        {"event": "charging_limit", "connector": 2, "limit": None, "unit": "W", "phases": None, "until": None},
    ),
    (observer.ChargingProfilesChanged(), {"event": "charging_profiles"}),
    (observer.CentralSystemChanged("b"), {"event": "central_system", "uri": "b"}),
    (observer.ConfigurationKeyChanged("K", None), {"event": "configuration", "key": "K", "value": None}),
    (observer.ResetRequested(ResetType.HARD), {"event": "reset", "type": "Hard"}),
    (observer.SecurityEvent("T", "info"), {"event": "security_event", "type": "T", "tech_info": "info"}),
    (observer.MessageExchanged("sent", "[2]"), {"event": "message", "direction": "sent", "text": "[2]"}),
    (
        observer.IdTagAuthorized("TAG", IdTagInfo(AuthorizationStatus.ACCEPTED, None, None, *WHY.values())),
        {"event": "authorization", "id_tag": "TAG", "status": "Accepted", **WHY},
    ),
    (
        observer.ContractAuthorized("E1", CONTRACT),
        {
            "event": "contract",
            "emaid": "E1",
            "status": "Expired",
            "certificate_status": "CertificateExpired",
            "cache_expiry_date_time": "2024-01-01T00:00:00Z",
            **WHY,
            "reason": None,
        },
    ),
    (
        observer.EvCertificateAnswered(
            1, EvCertificateResponse(EvCertificateStatus.FAILED, "", "late"), CertificateAction.UPDATE
        ),
        {"event": "ev_certificate", "connector": 1, "action": "Update", "status": "Failed", "reason": "late"},
    ),
    (observer.StoreFailing("disk full"), {"event": "store", "state": "failing", "detail": "disk full"}),
    (observer.StoreRecovered("x.db"), {"event": "store", "state": "recovered", "detail": "x.db"}),
    (
        observer.MessageGivenUp("StopTransaction", "refused"),
        {"event": "message_given_up", "action": "StopTransaction", "reason": "refused"},
    ),
    (
        observer.MessageSetAside("StopTransaction", 1, "s", 2),
        {"event": "message_set_aside", "action": "StopTransaction", "connector": 1, "session_id": "s", "waiting": 2},
    ),
    (observer.ReservationMade(KEPT), {**RESERVED, "state": "made"}),
    (observer.ReservationEnded(KEPT, enums.ReservationEndReason.USED), {**RESERVED, "state": "used"}),
    (observer.InternalError("timer", "bad"), {"event": "internal_error", "place": "timer", "reason": "bad"}),
]

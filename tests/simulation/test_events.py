"""What the control interface tells of each event: the members of its record."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from sys import modules
from typing import Any

import orjson
import pytest

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
from ocpp16.prices import (
    DisplayMessage,
    DisplayMessageContent,
    IdentifierType,
    RunningCost,
    RunningCostState,
    TariffMessage,
)
from ocpp16.simulation import ControlInterface
from ocpp16.simulation.events import DESCRIPTIONS
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
    (
        observer.TariffTold(TariffMessage((DisplayMessageContent("0.45", "en"),), "TAG", IdentifierType.ID_TOKEN)),
        {
            "event": "tariff_message",
            "identifier": "TAG",
            "identifier_type": "IdToken",
            "transaction_id": None,
            "texts": [{"language": "en", "text": "0.45"}],
        },
    ),
    (
        observer.SessionCostTold(RunningCost(1, "s", RunningCostState.IDLE, Decimal("1.005"), 7, qr_code_text="q"), 2),
        {
            "event": "session_cost",
            "connector": 1,
            "session_id": "s",
            "transaction_id": 7,
            "state": "Idle",
            "cost": "1.005",
            "displayed": "1.01",
            "is_estimate": False,
            "texts": [],
            "qr_code": "q",
        },
    ),
    (
        observer.DefaultPriceTold(TariffMessage((DisplayMessageContent("x"),))),
        {"event": "default_price", "texts": [{"language": None, "text": "x"}]},
    ),
    (
        observer.DisplayMessageTold(DisplayMessage((), "s", IdentifierType.SESSION_ID, "q")),
        {"event": "display_message", "session_id": "s", "texts": [], "qr_code": "q"},
    ),
    (observer.TimeOffsetChanged(timedelta(hours=-3, minutes=-30)), {"event": "time_offset", "minutes": -210}),
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


@pytest.mark.parametrize(("event", "record"), EVENTS)
async def test_events(make_bench: Callable[..., Any], event: observer.ObserverEvent, record: dict[str, Any]) -> None:
    bench = make_bench(2)
    out: list[bytes] = []
    control = ControlInterface(out.append)
    control.follow(bench.charge_point)
    bench.advance(1.5)
    await control.notify(event)
    assert [orjson.loads(line) for line in out] == [{"time": "2023-11-14T22:13:21.500Z", **record}]


def kinds(event: type[observer.ObserverEvent]) -> Iterator[type[observer.ObserverEvent]]:
    """All that are told, which are those without others below them."""
    # A class with slots is made twice by its decorator, and the first one may still be there.
    below = [kind for kind in event.__subclasses__() if getattr(modules[kind.__module__], kind.__name__, None) is kind]
    for kind in below:
        yield from kinds(kind)
    if not below:
        yield event


def test_every_event_has_a_face() -> None:
    assert set(DESCRIPTIONS) == {type(event) for event, _ in EVENTS} == set(kinds(observer.ObserverEvent))


def test_every_event_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulated-station.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", page.split("\n## JSON lines\n")[1], re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == {record["event"] for _, record in EVENTS} | {"events_dropped", "exit"}

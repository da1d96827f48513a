"""What the control interface tells of each observer event: a table from event to the members of one JSON object.

The table has every event of `ocpp16.observer`. A state that did not change (connection lost again while it is lost) is
not told again. Each record has the time of the charge point's clock at which it was told, and how many events were lost
before it, because they were not taken fast enough, is a record of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ocpp16.codec import format_datetime
from ocpp16.observer import (
    BootNotificationResponse,
    CentralSystemChanged,
    ChargingLimitChanged,
    ChargingProfilesChanged,
    ConfigurationKeyChanged,
    ConnectionStateChanged,
    ContractAuthorized,
    DefaultPriceTold,
    DisplayMessageTold,
    EvCertificateAnswered,
    IdTagAuthorized,
    InternalError,
    MessageExchanged,
    MessageGivenUp,
    MessageSetAside,
    ObserverEvent,
    ReservationEnded,
    ReservationMade,
    ResetRequested,
    SecurityEvent,
    SessionCostTold,
    StatusChanged,
    StoreFailing,
    StoreRecovered,
    TariffTold,
    TimeOffsetChanged,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)
from ocpp16.prices import DisplayMessageContent, RunningCost, TariffMessage
from ocpp16.simulation.authorization_commands import contract_decided
from ocpp16.simulation.charging_commands import time_text
from ocpp16.simulation.reservation_commands import described

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint


class Events:
    """Turns observer events into records; remembers whether the charge point is connected."""

    __slots__ = ("_charge_point", "_connected", "_dropped")

    def __init__(self) -> None:
        self._charge_point: ChargePoint | None = None
        self._connected: bool | None = None
        self._dropped = 0

    def follow(self, charge_point: "ChargePoint") -> None:
        """Whose events they are: its clock gives the times from now on, which are null until then."""
        self._charge_point = charge_point

    def records(self, event: ObserverEvent) -> Iterator[dict[str, Any]]:
        """The records to print for an event: one or none, and one for what was lost before it."""
        if self._charge_point is not None:
            dropped = self._charge_point.counters.observer_events_dropped
            if dropped > self._dropped:
                yield self.record("events_dropped", count=dropped - self._dropped)
                self._dropped = dropped
        if isinstance(event, ConnectionStateChanged):
            if event.connected == self._connected:
                return
            self._connected = event.connected
        members = DESCRIPTIONS[type(event)](event)
        yield self.record(members.pop("event"), **members)

    def record(self, name: str, /, **members: Any) -> dict[str, Any]:
        """A record of this name, with the time."""
        charge_point = self._charge_point
        time = None if charge_point is None else format_datetime(charge_point.for_station.clock.now(), 3)
        return {"event": name, "time": time, **members}


def _transaction(
    event: TransactionStarted | TransactionUpdated | TransactionStopped, phase: str, **members: Any
) -> dict[str, Any]:
    return {
        "event": "transaction",
        "connector": event.connector_id,
        "session_id": str(event.session_id),
        "transaction_id": None if isinstance(event, TransactionStarted) else event.transaction_id,
        "phase": phase,
        **members,
    }


def _answered(event: TransactionUpdated) -> dict[str, Any]:
    return _transaction(event, "confirmed" if event.id_tag_info.is_accepted else "refused")


def _texts(messages: Iterable[DisplayMessageContent]) -> list[dict[str, Any]]:
    return [{"language": one.language, "text": one.message} for one in messages]


def _tariff(message: TariffMessage) -> dict[str, Any]:
    return {
        "identifier": message.identifier_id,
        "identifier_type": message.identifier_type,
        "transaction_id": message.ocpp_transaction_id,
        "texts": _texts(message.message),
    }


def _cost(cost: RunningCost, decimals: int) -> dict[str, Any]:
    """`cost`: with all its digits; `displayed`: as a driver reads it."""
    return {
        "connector": cost.connector_id,
        "session_id": cost.transaction_id,
        "transaction_id": cost.ocpp_transaction_id,
        "state": cost.state,
        "cost": format(cost.cost, "f"),
        "displayed": cost.displayed(decimals),
        "is_estimate": cost.is_estimate,
        "texts": _texts(cost.cost_messages),
        "qr_code": cost.qr_code_text,
    }


DESCRIPTIONS: Mapping[type[ObserverEvent], Callable[[Any], dict[str, Any]]] = {
    CentralSystemChanged: lambda event: {"event": "central_system", "uri": event.uri},
    ConnectionStateChanged: lambda event: {"event": "connection", "connected": event.connected},
    BootNotificationResponse: lambda event: {"event": "boot", "status": event.status, "interval": event.interval},
    StatusChanged: lambda event: {
        "event": "status",
        "connector": event.connector_id,
        "status": event.status,
        "error_code": event.error_code,
    },
    TransactionStarted: lambda event: _transaction(event, "started", id_tag=event.id_tag),
    TransactionUpdated: _answered,
    TransactionStopped: lambda event: _transaction(event, "stopped", reason=event.reason),
    ChargingLimitChanged: lambda event: {
        "event": "charging_limit",
        "connector": event.connector_id,
        "limit": event.limit.limit,
        "unit": event.limit.unit,
        "phases": event.limit.phases,
        "until": time_text(event.limit.until),
    },
    ChargingProfilesChanged: lambda event: {"event": "charging_profiles"},
    TariffTold: lambda event: {"event": "tariff_message", **_tariff(event.message)},
    SessionCostTold: lambda event: {"event": "session_cost", **_cost(event.cost, event.number_of_decimals)},
    DefaultPriceTold: lambda event: {"event": "default_price", "texts": _texts(event.message.message)},
    DisplayMessageTold: lambda event: {
        "event": "display_message",
        "session_id": event.message.identifier_id,
        "texts": _texts(event.message.message),
        "qr_code": event.message.qr_code,
    },
    TimeOffsetChanged: lambda event: {"event": "time_offset", "minutes": event.offset // timedelta(minutes=1)},
    SecurityEvent: lambda event: {"event": "security_event", "type": event.type, "tech_info": event.tech_info},
    ConfigurationKeyChanged: lambda event: {"event": "configuration", "key": event.key, "value": event.value},
    ReservationMade: lambda event: {"event": "reservation", "state": "made", **described(event.reservation)},
    ReservationEnded: lambda event: {"event": "reservation", "state": event.reason, **described(event.reservation)},
    ResetRequested: lambda event: {"event": "reset", "type": event.kind},
    IdTagAuthorized: lambda event: {
        "event": "authorization",
        "id_tag": event.id_tag,
        "status": event.id_tag_info.status,
        "source": event.id_tag_info.source,
        "rule": event.id_tag_info.rule,
        "key": event.id_tag_info.key or None,
    },
    ContractAuthorized: lambda event: {
        "event": "contract",
        "emaid": event.emaid,
        **contract_decided(event.authorization),
    },
    EvCertificateAnswered: lambda event: {
        "event": "ev_certificate",
        "connector": event.connector_id,
        "action": event.action,
        "status": event.response.status,
        "reason": event.response.reason or None,
    },
    StoreFailing: lambda event: {"event": "store", "state": "failing", "detail": event.reason},
    StoreRecovered: lambda event: {"event": "store", "state": "recovered", "detail": event.detail},
    MessageGivenUp: lambda event: {"event": "message_given_up", "action": event.action, "reason": event.reason},
    MessageSetAside: lambda event: {
        "event": "message_set_aside",
        "action": event.action,
        "connector": event.connector_id,
        "session_id": str(event.session_id),
        "waiting": event.waiting,
    },
    InternalError: lambda event: {"event": "internal_error", "place": event.place, "reason": event.reason},
    MessageExchanged: lambda event: {"event": "message", "direction": event.direction, "text": event.text},
}

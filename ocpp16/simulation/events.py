"""What the control interface tells of each observer event: a table from event to the members of one JSON object.

A state that did not change (connection lost again while it is lost) is not told again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ocpp16.observer import (
    BootNotificationResponse,
    ChargingLimitChanged,
    ChargingProfilesChanged,
    ConfigurationKeyChanged,
    ConnectionStateChanged,
    MessageExchanged,
    ObserverEvent,
    ResetRequested,
    SecurityEvent,
    StatusChanged,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)
from ocpp16.simulation.charging_commands import time_text


class Events:
    """Turns observer events into records; remembers whether the charge point is connected."""

    __slots__ = ("_connected",)

    def __init__(self) -> None:
        self._connected: bool | None = None

    def records(self, event: ObserverEvent) -> Iterator[dict[str, Any]]:
        """The records to print for an event: one, or none."""
        describe = _DESCRIPTIONS.get(type(event))
        if describe is None:
            return
        if isinstance(event, ConnectionStateChanged):
            if event.connected == self._connected:
                return
            self._connected = event.connected
        yield describe(event)


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


_DESCRIPTIONS: Mapping[type[ObserverEvent], Callable[[Any], dict[str, Any]]] = {
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
    SecurityEvent: lambda event: {"event": "security_event", "type": event.type, "tech_info": event.tech_info},
    ConfigurationKeyChanged: lambda event: {"event": "configuration", "key": event.key, "value": event.value},
    ResetRequested: lambda event: {"event": "reset", "type": event.kind},
    MessageExchanged: lambda event: {"event": "message", "direction": event.direction, "text": event.text},
}

"""What happens in the charge point, as variables of the module: EVENTS is the table, event → what is published.

Told by the observer, one event after another, in a thread of the charge point's.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from ocpp16.everest.authorization import validation_result
from ocpp16.everest.border import rfc3339
from ocpp16.everest.side import EverestSide
from ocpp16.everest.topology import Topology
from ocpp16.observer import (
    BootNotificationResponse,
    ConnectionStateChanged,
    MessageExchanged,
    ObserverEvent,
    SecurityEvent,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)

__all__ = ["EVENTS", "Publications"]

Published = Iterator[tuple[str, str, Any]]
"""Implementation, variable, value."""
VERSION: Final = "1.6"
MOST_KNOWN: Final = 100
"""Security events of EVerest's that the charge point has not told the observer yet."""
DIRECTIONS: Final = {"sent": "ChargingStationToCSMS", "received": "CSMSToChargingStation"}


class Publications:
    """The observer of the charge point."""

    def __init__(self, side: EverestSide, topology: Topology) -> None:
        self._side = side
        self._topology = topology
        self._known: deque[tuple[str, str | None]] = deque(maxlen=MOST_KNOWN)
        self._lock = threading.Lock()

    def known(self, kind: str, info: str | None) -> None:
        """A security event that EVerest itself tells: it is not told back."""
        with self._lock:
            self._known.append((kind, info or None))

    def notify(self, event: ObserverEvent) -> None:
        if isinstance(event, SecurityEvent) and self._is_known(event):
            return
        published = EVENTS.get(type(event))
        if published is not None:
            for implementation, variable, value in published(event, self._topology):
                self._side.publish(implementation, variable, value)

    def _is_known(self, event: SecurityEvent) -> bool:
        with self._lock:
            try:
                self._known.remove((event.type, event.tech_info or None))
            except ValueError:
                return False
            return True


def _connection(event: ConnectionStateChanged, topology: Topology) -> Published:
    yield "main", "is_connected", event.connected
    yield "ocpp_generic", "is_connected", event.connected


def _boot(event: BootNotificationResponse, topology: Topology) -> Published:
    value = {"status": str(event.status), "current_time": rfc3339(event.current_time), "interval": event.interval}
    yield "ocpp_generic", "boot_notification_response", value


def _security(event: SecurityEvent, topology: Topology) -> Published:
    value = {"type": event.type, **({"info": event.tech_info} if event.tech_info else {})}
    yield "main", "security_event", value
    yield "ocpp_generic", "security_event", value


def _started(event: TransactionStarted, topology: Topology) -> Published:
    yield _transaction("Started", event, topology)


def _updated(event: TransactionUpdated, topology: Topology) -> Published:
    yield _transaction("Updated", event, topology, event.transaction_id)
    if event.id_tag_info.parent_id_tag:
        result = {
            "validation_result": validation_result(event.id_tag_info),
            "connector_id": topology.evse(event.connector_id),
        }
        yield "auth_validator", "validate_result_update", result


def _stopped(event: TransactionStopped, topology: Topology) -> Published:
    yield _transaction("Ended", event, topology, event.transaction_id)


def _message(event: MessageExchanged, topology: Topology) -> Published:
    value = {"message": event.text, "direction": DIRECTIONS[event.direction], "version": VERSION}
    yield "ocpp_generic", "ocpp_message", value


def _transaction(
    word: str,
    event: TransactionStarted | TransactionUpdated | TransactionStopped,
    topology: Topology,
    transaction_id: int | None = None,
) -> tuple[str, str, Any]:
    evse, connector = topology.place(event.connector_id)
    value: dict[str, Any] = {
        "transaction_event": word,
        "session_id": str(event.session_id),
        "evse": {"id": evse, "connector_id": connector},
    }
    if transaction_id is not None:
        value["transaction_id"] = str(transaction_id)
    return "ocpp_generic", "ocpp_transaction_event", value


EVENTS: Final[Mapping[type[ObserverEvent], Callable[[Any, Topology], Published]]] = MappingProxyType(
    {
        ConnectionStateChanged: _connection,
        BootNotificationResponse: _boot,
        SecurityEvent: _security,
        TransactionStarted: _started,
        TransactionUpdated: _updated,
        TransactionStopped: _stopped,
        MessageExchanged: _message,
    }
)

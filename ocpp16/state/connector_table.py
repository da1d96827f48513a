"""What a connector's status does on which event (OCPP 1.6 ed. 2 §4.9), as tables.

Rules of this file:
1. A cell that is not there ignores the event: no change, no notification. There is no edge from a state to itself,
   so a repeated event never reports twice.
2. Faulted is no base state: an error with `is_fault` covers the base state for as long as it lasts
   (`state.connector`), so the clause's transitions to and from Faulted need no cells.
3. The tables hold for any order of plug, authorization and start. What depends on more than state and event (a
   reservation, a scheduled change of availability) is not decided here.
4. `docs/state-machine.md` is made of these tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from ocpp16.enums import ChargePointStatus


class ConnectorEvent(StrEnum):
    """What happens to a connector; the names are libocpp's."""

    USAGE_INITIATED = "UsageInitiated"
    """Somebody plugged in or authorized."""
    START_CHARGING = "StartCharging"
    PAUSE_CHARGING_EV = "PauseChargingEV"
    PAUSE_CHARGING_EVSE = "PauseChargingEVSE"
    TRANSACTION_STOPPED = "TransactionStoppedAndUserActionRequired"
    """The transaction is over (or never came: plug-in timeout), the cable is still in."""
    BECOME_AVAILABLE = "BecomeAvailable"
    """The session is over, or the connector was put into service."""
    RESERVE_CONNECTOR = "ReserveConnector"
    RESERVATION_END = "ReservationEnd"
    CHANGE_AVAILABILITY_TO_UNAVAILABLE = "ChangeAvailabilityToUnavailable"
    """The connector was taken out of service."""


Table = Mapping[ChargePointStatus, Mapping[ConnectorEvent, ChargePointStatus]]

_E = ConnectorEvent
_S = ChargePointStatus

TRANSITIONS: Table = MappingProxyType(
    {
        _S.AVAILABLE: {
            _E.USAGE_INITIATED: _S.PREPARING,
            _E.START_CHARGING: _S.CHARGING,
            _E.PAUSE_CHARGING_EV: _S.SUSPENDED_EV,
            _E.PAUSE_CHARGING_EVSE: _S.SUSPENDED_EVSE,
            _E.RESERVE_CONNECTOR: _S.RESERVED,
            _E.CHANGE_AVAILABILITY_TO_UNAVAILABLE: _S.UNAVAILABLE,
        },
        # No edge to Unavailable: the clause has none, ChangeAvailability is scheduled until the session ends.
        _S.PREPARING: {
            _E.START_CHARGING: _S.CHARGING,
            _E.PAUSE_CHARGING_EV: _S.SUSPENDED_EV,
            _E.PAUSE_CHARGING_EVSE: _S.SUSPENDED_EVSE,
            _E.TRANSACTION_STOPPED: _S.FINISHING,
            _E.BECOME_AVAILABLE: _S.AVAILABLE,
        },
        _S.CHARGING: {
            _E.PAUSE_CHARGING_EV: _S.SUSPENDED_EV,
            _E.PAUSE_CHARGING_EVSE: _S.SUSPENDED_EVSE,
            _E.TRANSACTION_STOPPED: _S.FINISHING,
            _E.BECOME_AVAILABLE: _S.AVAILABLE,
            _E.CHANGE_AVAILABILITY_TO_UNAVAILABLE: _S.UNAVAILABLE,
        },
        _S.SUSPENDED_EV: {
            _E.START_CHARGING: _S.CHARGING,
            _E.PAUSE_CHARGING_EVSE: _S.SUSPENDED_EVSE,
            _E.TRANSACTION_STOPPED: _S.FINISHING,
            _E.BECOME_AVAILABLE: _S.AVAILABLE,
            _E.CHANGE_AVAILABILITY_TO_UNAVAILABLE: _S.UNAVAILABLE,
        },
        _S.SUSPENDED_EVSE: {
            _E.START_CHARGING: _S.CHARGING,
            _E.PAUSE_CHARGING_EV: _S.SUSPENDED_EV,
            _E.TRANSACTION_STOPPED: _S.FINISHING,
            _E.BECOME_AVAILABLE: _S.AVAILABLE,
            _E.CHANGE_AVAILABILITY_TO_UNAVAILABLE: _S.UNAVAILABLE,
        },
        # Charging again needs a new session, which begins with UsageInitiated.
        _S.FINISHING: {
            _E.USAGE_INITIATED: _S.PREPARING,
            _E.BECOME_AVAILABLE: _S.AVAILABLE,
            _E.CHANGE_AVAILABILITY_TO_UNAVAILABLE: _S.UNAVAILABLE,
        },
        _S.RESERVED: {
            _E.USAGE_INITIATED: _S.PREPARING,
            _E.BECOME_AVAILABLE: _S.AVAILABLE,
            _E.RESERVATION_END: _S.AVAILABLE,
            _E.CHANGE_AVAILABILITY_TO_UNAVAILABLE: _S.UNAVAILABLE,
        },
        # A session may go on, or begin, while the connector is out of service.
        _S.UNAVAILABLE: {
            _E.USAGE_INITIATED: _S.PREPARING,
            _E.START_CHARGING: _S.CHARGING,
            _E.PAUSE_CHARGING_EV: _S.SUSPENDED_EV,
            _E.PAUSE_CHARGING_EVSE: _S.SUSPENDED_EVSE,
            _E.BECOME_AVAILABLE: _S.AVAILABLE,
        },
    }
)
"""Connectors 1..n: base state → event → next base state."""

TRANSITIONS_ZERO: Table = MappingProxyType(
    {
        _S.AVAILABLE: {_E.CHANGE_AVAILABILITY_TO_UNAVAILABLE: _S.UNAVAILABLE},
        _S.UNAVAILABLE: {_E.BECOME_AVAILABLE: _S.AVAILABLE},
    }
)
"""Connector 0, which stands for the charge point itself and knows no sessions."""

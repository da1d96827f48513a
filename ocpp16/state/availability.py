"""What ChangeAvailability does to which connector (OCPP 1.6 ed. 2 §5.2): one table, no effects.

Rules of this file:
1. A connector is occupied while a transaction runs on it or while it is Preparing. The clause asks to wait only for a
   transaction; Preparing waits too, as in libocpp: somebody is being served, and the status machine has no way from
   Preparing to Unavailable.
2. An occupied connector that already has what is asked for is left alone (Accepted, as the clause wants for a state the
   charge point is in already); an opposite change that was scheduled is thereby withdrawn. It must not be told to
   enable itself in the middle of a transaction.
3. An idle connector is always told, even if nothing changes: a station may have come to another mind meanwhile.
4. Connector 0 means the charge point and all connectors, also those that were changed one by one before. It is itself
   never occupied.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import AvailabilityStatus, AvailabilityType, ChargePointStatus
from ocpp16.state.connector import Connector


class AvailabilityChange(StrEnum):
    """What becomes of the request on one connector."""

    NOW = "now"
    """Persist it, then have the station enable or disable the connector."""
    SCHEDULED = "scheduled"
    """Persist it as scheduled; carried out when the session ends."""
    UNCHANGED = "unchanged"
    """Nothing to do but to forget what was scheduled."""


CHANGES: Mapping[tuple[bool, bool], AvailabilityChange] = MappingProxyType(
    {
        (False, False): AvailabilityChange.NOW,
        (False, True): AvailabilityChange.NOW,
        (True, False): AvailabilityChange.SCHEDULED,
        (True, True): AvailabilityChange.UNCHANGED,
    }
)
"""(is occupied, has that availability already) → change."""


def availability_change(
    connectors: ByNumber[Connector], target: int, kind: AvailabilityType, has_transaction: Callable[[int], bool]
) -> dict[int, AvailabilityChange]:
    """What to do on each connector that `target` means, connector 0 first; empty if there is no such connector.

    Parameters: `connectors` has all of them, 0 included; `has_transaction` tells for an id >= 1 if one runs there.
    """
    if target not in connectors:
        return {}
    changes: dict[int, AvailabilityChange] = {}
    for connector_id in sorted(connectors) if target == 0 else (target,):
        connector = connectors[connector_id]
        is_occupied = connector_id != 0 and (
            has_transaction(connector_id) or connector.base is ChargePointStatus.PREPARING
        )
        changes[connector_id] = CHANGES[is_occupied, connector.availability == kind]
    return changes


def availability_status(changes: Mapping[int, AvailabilityChange]) -> AvailabilityStatus:
    """The answer that goes with the result of `availability_change`."""
    if not changes:
        return AvailabilityStatus.REJECTED
    if AvailabilityChange.SCHEDULED in changes.values():
        return AvailabilityStatus.SCHEDULED
    return AvailabilityStatus.ACCEPTED

"""Handlers of the commands about reservations; without the feature profile they raise FeatureNotBuilt, a refusal."""

from datetime import timedelta
from typing import Any

from ocpp16.configuration.keys.reservation import RESERVE_CONNECTOR_ZERO_SUPPORTED
from ocpp16.models import Reservation
from ocpp16.simulation.charging_commands import time_text
from ocpp16.simulation.controlled import Controlled


async def reserve(
    on: Controlled, connector: int, id_tag: str, seconds: int, reservation_id: int, parent_id_tag: str | None
) -> str:
    on.require_running()
    station = on.charge_point.for_station
    expiry_date = station.clock.now_datetime() + timedelta(seconds=seconds)
    return str(await station.reservations.reserve(connector, id_tag, expiry_date, reservation_id, parent_id_tag))


def why_not_reserved(on: Controlled, connector: int, **arguments: Any) -> str:
    """Of a Rejected one; the other statuses say themselves what the connector is."""
    if connector == 0 and not on.charge_point.configuration[RESERVE_CONNECTOR_ZERO_SUPPORTED]:
        return "ReserveConnectorZeroSupported is not true"
    return "it would be over already"


async def cancel_reservation(on: Controlled, reservation_id: int) -> bool:
    on.require_running()
    return await on.charge_point.for_station.reservations.cancel(reservation_id)


def reservations(on: Controlled) -> list[dict[str, Any]]:
    """The one that ends first first."""
    return [described(reservation) for reservation in on.charge_point.for_station.reservations.all()]


def described(reservation: Reservation) -> dict[str, Any]:
    """As results and events have it."""
    return {
        "reservation_id": reservation.reservation_id,
        "connector": reservation.connector_id,
        "id_tag": reservation.id_tag,
        "parent_id_tag": reservation.parent_id_tag,
        "expiry_date": time_text(reservation.expiry_date),
    }

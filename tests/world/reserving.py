"""What tests of reservations ask of a bench."""

from typing import Any

import trio

from ocpp16._core import format_datetime
from ocpp16.enums import ReservationEndReason
from ocpp16.observer import ReservationEnded
from ocpp16.testing.central_system import START

ZERO = {"Reservation__ReserveConnectorZeroSupported": True}


async def reserve(
    bench: Any, connector_id: int = 1, id_tag: str = "TAG1", seconds: float = 600, number: int = 7, **members: Any
) -> str:
    """ReserveNow for so many seconds of the true time: the status."""
    expiry = format_datetime(START + round((trio.current_time() + seconds) * 1e6), 3)
    request = {
        "connectorId": connector_id,
        "expiryDate": expiry,
        "idTag": id_tag,
        "reservationId": number,
        **members,
    }
    return str((await bench.csms.call("cp001", "ReserveNow", request, validated=False))["status"])


async def cancel(bench: Any, number: int = 7) -> str:
    return str((await bench.call("CancelReservation", {"reservationId": number}))["status"])


def kept(bench: Any) -> list[int]:
    return [one.reservation_id for one in bench.charge_point.for_station.reservations.all()]


def status(bench: Any, connector_id: int = 1) -> str:
    return str(bench.charge_point.connector_status(connector_id).status)


async def told(bench: Any, connector_id: int = 1) -> list[str]:
    """The statuses of a connector that the Central System was told."""
    await trio.sleep(1)
    return [one["status"] for one in bench.sent("StatusNotification") if one["connectorId"] == connector_id]


def ends(bench: Any) -> list[tuple[int, ReservationEndReason]]:
    return [(event.reservation.reservation_id, event.reason) for event in bench.events.of(ReservationEnded)]

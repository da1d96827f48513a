"""Reservations (OCPP 1.6 ed. 2 §5.13), until they are used, cancelled or expired."""

from typing import Final, NamedTuple

from ocpp16.models import Reservation
from ocpp16.state.clock import to_micros
from ocpp16.store.base import RowChange
from ocpp16.store.rows import Rows


class ReservationRow(NamedTuple):
    reservation_id: int
    connector_id: int
    id_tag: str
    parent_id_tag: str | None
    expires_at: int
    """µs UTC."""


ROWS = Rows("reservations", ReservationRow)
TABLE: Final = ROWS.table
put: Final = ROWS.put
delete: Final = ROWS.delete
read: Final = ROWS.read


def put_reservation(reservation: Reservation) -> RowChange:
    return put(
        ReservationRow(
            reservation.reservation_id,
            reservation.connector_id,
            reservation.id_tag,
            reservation.parent_id_tag,
            to_micros(reservation.expiry_date),
        )
    )

"""ReserveNow between the wire and the domain (OCPP 1.6 ed. 2 §6.33), for both features that answer it."""

from ocpp16 import messages
from ocpp16._core import parse_datetime
from ocpp16.models import Reservation
from ocpp16.state.clock import to_datetime, within


def wanted_reservation(request: "messages.ReserveNowRequest") -> Reservation | None:
    """What ReserveNow asks for; None for numbers beyond 32 bits, which StartTransaction could not tell, and for texts
    that cannot be sent back."""
    try:
        return Reservation(
            request["reservationId"],
            request["connectorId"],
            request["idTag"],
            request.get("parentIdTag") or None,
            to_datetime(within(parse_datetime(request["expiryDate"]))),
        )
    except ValueError:
        return None

"""IdTagInfo between the wire and the domain (OCPP 1.6 ed. 2 §7.27), for the features that meet it."""

from datetime import datetime

from ocpp16._core import parse_datetime
from ocpp16.enums import AuthorizationStatus
from ocpp16.models import IdTagInfo
from ocpp16.profiles.base import Payload
from ocpp16.state.clock import to_datetime
from ocpp16.values import text

ID_TAG_LENGTH = 20
"""Characters of an IdToken (OCPP 1.6 ed. 2 §7.28)."""

AUTHORIZE_TIMEOUT = 60.0
"""Seconds a person at the charge point is made to wait at most (libocpp)."""


_UNSET = 365 * 86_400_000_000
"""µs: an expiry date before 1971 is one that was never set, the year 1 of .NET or the zero of C."""


def read_id_tag_info(wire: Payload) -> IdTagInfo:
    """The domain's value of a validated `idTagInfo`. An expiry date that was never set is none."""
    return IdTagInfo(AuthorizationStatus(wire["status"]), read_expiry(wire.get("expiryDate")), wire.get("parentIdTag"))


def read_expiry(told: str | None) -> datetime | None:
    """The domain's value of a validated date of expiry; None where there is none."""
    expiry = None if told is None else parse_datetime(told)
    return None if expiry is None or expiry < _UNSET else to_datetime(expiry)


def check_id_tag(id_tag: str, name: str = "id_tag") -> str:
    """Refuse what no Central System may be sent. Raises ValueError that names the parameter."""
    return text(id_tag, name, ID_TAG_LENGTH, least=1)

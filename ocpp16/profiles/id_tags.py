"""IdTagInfo between the wire and the domain (OCPP 1.6 ed. 2 §7.27), for the features that meet it."""

from ocpp16._core import parse_datetime
from ocpp16.enums import AuthorizationStatus
from ocpp16.models import IdTagInfo
from ocpp16.profiles.base import Payload
from ocpp16.state.clock import to_datetime

ID_TAG_LENGTH = 20
"""Characters of an IdToken (OCPP 1.6 ed. 2 §7.28)."""

AUTHORIZE_TIMEOUT = 60.0
"""Seconds a person at the charge point is made to wait at most (libocpp)."""


def read_id_tag_info(wire: Payload) -> IdTagInfo:
    """The domain's value of a validated `idTagInfo`."""
    expiry = wire.get("expiryDate")
    return IdTagInfo(
        AuthorizationStatus(wire["status"]),
        None if expiry is None else to_datetime(parse_datetime(expiry)),
        wire.get("parentIdTag"),
    )


def check_id_tag(id_tag: str, name: str = "id_tag") -> str:
    """Refuse what no Central System may be sent. Raises ValueError that names the parameter."""
    if not isinstance(id_tag, str) or not 1 <= len(id_tag) <= ID_TAG_LENGTH:
        raise ValueError(f"{name} must be text of 1 to {ID_TAG_LENGTH} characters, not {id_tag!r}")
    return id_tag

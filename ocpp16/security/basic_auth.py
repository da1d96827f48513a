"""HTTP Basic authentication, as security profiles 1 and 2 use it (RFC 7617).

The password is a key of raw bytes, not text: any byte may occur in it, a colon as well, and hexadecimal is only how it
is written in ChangeConfiguration. Where the key is kept is not known here.
"""

import hmac
from base64 import b64decode, b64encode

from ocpp16.errors import ConfigurationError

__all__ = ["authorization_header", "credentials", "is_same_key"]


def authorization_header(identity: str, key: bytes) -> str:
    """Value of the Authorization header for a charge point.

    Parameters: `identity` as configured, before percent-encoding; `key` the decoded AuthorizationKey (16 to 20 bytes).
    Raises `ConfigurationError` without a key, and for an identity with a colon: no server could tell it from the key.
    """
    if not key:
        raise ConfigurationError(["AuthorizationKey: missing, and security profiles 1 and 2 need it"])
    if ":" in identity:
        raise ConfigurationError([f"ChargePointId: {identity!r} has a colon, which HTTP Basic authentication forbids"])
    try:
        name = identity.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(["ChargePointId: has a character that is no Unicode character"]) from None
    return "Basic " + b64encode(name + b":" + key).decode()


def credentials(header: str | None) -> tuple[str, bytes] | None:
    """Identity and key in an Authorization header; None if it is absent or cannot be read."""
    if header is None:
        return None
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        identity, colon, key = b64decode(encoded.strip(), validate=True).partition(b":")
        return (identity.decode(), key) if colon else None
    except ValueError:
        return None


def is_same_key(one: bytes, other: bytes) -> bool:
    """Compare in a time that does not tell how much is equal."""
    return hmac.compare_digest(one, other)

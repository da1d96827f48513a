"""Where a charge point connects to, as far as it can be judged without a network.

CentralSystemURI, ChargePointId and SecurityProfile make one address (OCPP-J 1.6 §3.1). What can never work is found
here: when a configuration is loaded, and when somebody dials. Reasons name no value: a URI may hold a password.
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

LONGEST_IDENTITY: Final = 240
"""Bytes of a percent-encoded identity: it names a file, with `.db-journal` behind it, and file systems take 255."""

_NOT_IN_A_HOST: Final = re.compile(r"[\s\"<>\\\\^`{|}]")


def scheme_of(uri: str) -> str:
    """The scheme in lower case, "" if it is left out."""
    scheme, separator, _ = uri.strip().partition("://")
    return scheme.lower() if separator else ""


def scheme_for(security_profile: int) -> str:
    """`wss` for profiles with TLS (2 and 3), `ws` for the others (security white paper ed. 3 §3)."""
    return "wss" if security_profile >= 2 else "ws"


def profile_for(uri: str, *, has_password: bool) -> int:
    """The SecurityProfile of a charge point without a certificate of its own at this address."""
    return 2 if scheme_of(uri) == "wss" else int(has_password)


@lru_cache(maxsize=64)  # thousands of charge points have one Central System
def address_problems(uri: str) -> tuple[str, ...]:
    """Why this CentralSystemURI can never be connected to, whatever the security profile; empty if it can."""
    text = uri.strip()
    if not text:
        return ("must not be empty",)
    if not _is_plain(text):
        return ("has a control character or a character that is no Unicode character",)
    scheme = scheme_of(text)
    problems = [] if scheme in {"", "ws", "wss"} else ["must begin with ws:// or wss:// or with the host"]
    try:
        parts = urlsplit(text if scheme else f"ws://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return (*problems, "has no usable host and port")
    if port == 0 or not _is_host(host):
        problems.append("has no usable host and port")
    if parts.username is not None or parts.password is not None:
        problems.append("must not hold credentials, the password is AuthorizationKey")
    if parts.fragment or text.endswith("#"):
        problems.append("must not have a fragment (#)")
    return tuple(problems)


def proxy_problems(uri: str) -> tuple[str, ...]:
    """Why this can be no proxy of HTTP; empty if it can. It may hold a user name and a password."""
    if not _is_plain(uri):
        return ("has a control character or a character that is no Unicode character",)
    if scheme_of(uri) != "http":
        return ("must begin with http://",)
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ("has no usable host and port",)
    problems = []
    if not port or not _is_host(host):
        problems.append("must name host and port")
    if parts.path.strip("/") or parts.query or parts.fragment:
        problems.append("must end behind the port")
    return tuple(problems)


def identity_problems(identity: str) -> list[str]:
    """Why this ChargePointId can never be connected with; empty if it can."""
    if not identity:
        return ["must not be empty"]
    if not _is_plain(identity):
        return ["has a control character or a character that is no Unicode character"]
    problems = []
    if identity in {".", ".."}:
        problems.append("is no name of a path segment")
    if len(quote(identity, safe="")) > LONGEST_IDENTITY:
        problems.append(f"has more than {LONGEST_IDENTITY} bytes when percent-encoded")
    return problems


def scheme_problem(uri: str, security_profile: int) -> str:
    """Why this CentralSystemURI does not go with the security profile, "" if it does; without a scheme it does."""
    expected, scheme = scheme_for(security_profile), scheme_of(uri)
    if scheme == expected or scheme not in {"ws", "wss"}:
        return ""
    wants = "2 (an AuthorizationKey) or 3 (a certificate)" if scheme == "wss" else "0 or 1 (an AuthorizationKey)"
    return f"must be {expected}:// with SecurityProfile {security_profile}; {scheme}:// needs SecurityProfile {wants}"


def user_name_problem(identity: str, security_profile: int) -> str:
    """Why this ChargePointId does not go with the security profile, "" if it does."""
    if security_profile in {1, 2} and ":" in identity:
        # RFC 7617 §2: the user name ends at the first colon.
        return f"must not have a colon with SecurityProfile {security_profile}, it is the user name"
    return ""


def without_credentials(uri: str) -> str:
    """The URI as it may be shown: what may be user and password is left out, also where the rest is no URI."""
    head, at, tail = uri.rpartition("@")
    if not at:
        return uri
    scheme, separator, _ = head.partition("://")
    return f"{scheme}://…@{tail}" if separator else f"…@{tail}"


def _is_host(host: str) -> bool:
    if not host or _NOT_IN_A_HOST.search(host):
        return False
    try:
        host.rstrip(".").encode("idna")
    except UnicodeError:
        return False
    return bool(host.strip("."))


def _is_plain(text: str) -> bool:
    """No control characters, line separators or lone surrogates."""
    if text.isascii():
        return text.isprintable()
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not any(ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 or one in "\u2028\u2029" for one in text)

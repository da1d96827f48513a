"""From the configured URI to a stream: name, TCP, TLS, each failing step by its name.

This is the seam where the errors of sockets, resolver and OpenSSL become `ConnectionFailed`. What TLS trusts comes in
as a ready context; the WebSocket handshake follows elsewhere.
"""

import math
import os
import socket
import ssl
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import trio

from ocpp16.address import (
    address_problems,
    identity_problems,
    scheme_for,
    scheme_problem,
    user_name_problem,
)
from ocpp16.errors import ConfigurationError, ConnectionFailed
from ocpp16.transport.interface import bind_to_interface

__all__ = ["DialFailed", "Endpoint", "endpoint", "open_stream"]

DIAL_TIMEOUT = 30.0  # seconds for all steps together
ADDRESS_TIMEOUT = 5.0  # seconds for one address when the name has more of them

# What may stand in a path segment as it is (RFC 3986 §3.3). No more is encoded: some servers do not decode.
_SEGMENT = "!$&'()*+,;=:@~"
_DEFAULT_PORTS = {False: 80, True: 443}

_Address = tuple[socket.AddressFamily, tuple[Any, ...]]

# OpenSSL's reason -> what it means here, and the security event (security white paper) that tells of it.
_PLAIN_SERVER = ("the server does not speak TLS on this port", "")
_OLD_VERSION = ("no common TLS version; at least TLS 1.2 is needed", "InvalidTLSVersion")
_NO_CIPHER = ("no common cipher suite, or a client certificate is missing", "InvalidTLSCipherSuite")
_TLS_REASONS = {
    "WRONG_VERSION_NUMBER": _PLAIN_SERVER,
    "RECORD_LAYER_FAILURE": _PLAIN_SERVER,
    "HTTP_REQUEST": _PLAIN_SERVER,
    "UNSUPPORTED_PROTOCOL": _OLD_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_VERSION,
    "NO_PROTOCOLS_AVAILABLE": _OLD_VERSION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _NO_CIPHER,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": _NO_CIPHER,
    "NO_CIPHERS_AVAILABLE": _NO_CIPHER,
    "WRONG_CIPHER_RETURNED": _NO_CIPHER,
    "UNKNOWN_CIPHER_RETURNED": _NO_CIPHER,
}


class Endpoint(NamedTuple):
    """Where the Central System is. `target` is the request target: path with the identity, and any query."""

    is_tls: bool
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Value of the Host header: without the port if it is the scheme's own (RFC 6455 §4.1)."""
        # A zone means something on this machine only, and no label of a header (RFC 6874 §4).
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.is_tls] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'wss' if self.is_tls else 'ws'}://{self.authority}{self.target}"


class DialFailed(ConnectionFailed):
    """A step of dialling failed.

    `step` is "name", "interface", "TCP" or "TLS"; `security_event` the type of the SecurityEventNotification that
    tells of it, or "".
    """

    def __init__(self, step: str, text: str, security_event: str = "") -> None:
        super().__init__(text)
        self.step = step
        self.security_event = security_event


def endpoint(uri: str, identity: str, security_profile: int) -> Endpoint:
    """The endpoint of a charge point from CentralSystemURI, ChargePointId and SecurityProfile (0 to 2).

    Needs no network: it may be asked before anything is dialled. The scheme may be left out; one that is given must
    fit the profile: wss for 2, ws for 0 and 1. The identity is appended percent-encoded, and not twice if the URI ends
    in it (OCPP-J 1.6 §3.1.1).
    Raises `ConfigurationError` naming every reason why this can never work (see `ocpp16.address`). No reason shows the
    URI: it may hold a password.
    """
    problems = [f"ChargePointId: {reason}" for reason in identity_problems(identity)]
    problems += [f"CentralSystemURI: {reason}" for reason in address_problems(uri)]
    if security_profile == 3:
        problems.append("SecurityProfile: 3 (client certificates) is not built yet")
    elif security_profile not in {0, 1, 2}:
        problems.append("SecurityProfile: must be 0, 1 or 2")
    else:
        if scheme := scheme_problem(uri, security_profile):
            problems.append(f"CentralSystemURI: {scheme}")
        if user_name := user_name_problem(identity, security_profile):
            problems.append(f"ChargePointId: {user_name}")
    if problems:
        raise ConfigurationError(problems)
    is_tls = security_profile >= 2
    text = uri.strip()
    parts = urlsplit(text if "://" in text else f"{scheme_for(security_profile)}://{text}")
    assert parts.hostname is not None
    # In a URI the percent sign before a zone is written %25 (RFC 6874 §2).
    host = parts.hostname.replace("%25", "%", 1) if ":" in parts.hostname else parts.hostname
    segments = parts.path.rstrip("/").split("/")
    if len(segments) > 1 and unquote(segments[-1]) == identity:
        segments.pop()
    target = quote("/".join(segments), safe=_SEGMENT + "/%") + "/" + quote(identity, safe=_SEGMENT)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SEGMENT + "/?%")
    return Endpoint(is_tls, host, parts.port or _DEFAULT_PORTS[is_tls], target)


async def open_stream(
    endpoint: Endpoint,
    *,
    ssl_context: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    interface: str | None = None,
    timeout: float = DIAL_TIMEOUT,
) -> trio.abc.Stream:
    """Connect to the endpoint and return the stream for the WebSocket handshake: plain TCP, or TLS for wss.

    Parameters: `ssl_context` needed for wss; `server_hostname` name to ask for (SNI) and to verify, the endpoint's
    host unless given; `interface` name of a network interface or a local address to use; `timeout` seconds.
    Raises `DialFailed` (a `ConnectionFailed`) that says which step failed, and why.
    """
    if endpoint.is_tls and ssl_context is None:
        raise ConfigurationError(["wss:// needs a TLS context"])
    step = "name"
    tcp: trio.SocketStream | None = None
    try:
        with trio.move_on_after(timeout) as scope:
            addresses = await _resolve(endpoint)
            step = "TCP"
            tcp = await _connect(endpoint, addresses, interface)
            if not endpoint.is_tls:
                return tcp
            assert ssl_context is not None
            step = "TLS"
            return await _start_tls(tcp, ssl_context, server_hostname or endpoint.host)
        assert scope.cancelled_caught
        raise DialFailed(step, f"{step}: no answer from {endpoint.authority} within {timeout:g} s")
    except BaseException:
        if tcp is not None:
            await trio.aclose_forcefully(tcp)
        raise


async def _resolve(endpoint: Endpoint) -> list[_Address]:
    try:
        found = await trio.socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise DialFailed("name", f"name: cannot resolve {endpoint.host}: {reason}") from exc
    return [(family, address) for family, _, _, _, address in found]


async def _connect(endpoint: Endpoint, addresses: list[_Address], interface: str | None) -> trio.SocketStream:
    problems: list[str] = []
    for number, (family, address) in enumerate(addresses, 1):
        limit = ADDRESS_TIMEOUT if number < len(addresses) else math.inf
        try:
            with trio.move_on_after(limit):
                return await _connect_address(family, address, interface)
            problem = f"no answer within {limit:g} s"
        except OSError as exc:
            problem = os.strerror(exc.errno) if exc.errno else str(exc)
        problems.append(problem if address[0] == endpoint.host else f"{address[0]}: {problem}")
    raise DialFailed("TCP", f"TCP: cannot connect to {endpoint.authority}: {'; '.join(problems)}")


async def _connect_address(
    family: socket.AddressFamily, address: tuple[Any, ...], interface: str | None
) -> trio.SocketStream:
    sock = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        if interface is not None:
            try:
                await bind_to_interface(sock, interface)
            except OSError as exc:
                raise DialFailed("interface", f"interface: cannot use {interface}: {exc.strerror or exc}") from exc
        await sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)


async def _start_tls(tcp: trio.SocketStream, context: ssl.SSLContext, name: str) -> trio.abc.Stream:
    # https_compatible: WebSocket has a closing handshake of its own, so nobody needs to wait for TLS to close as well.
    stream = trio.SSLStream(tcp, context, server_hostname=name, https_compatible=True)
    try:
        await stream.do_handshake()
    except (trio.BrokenResourceError, ValueError) as exc:
        raise _tls_failure(name, exc.__cause__ or exc) from exc
    return stream


def _tls_failure(name: str, cause: BaseException) -> DialFailed:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return DialFailed(
            "TLS",
            f"TLS: the certificate of {name} is refused: {cause.verify_message}",
            "InvalidCentralSystemCertificate",
        )
    reason = getattr(cause, "reason", None) or ""
    text, security_event = _TLS_REASONS.get(reason, (reason or str(cause) or type(cause).__name__, ""))
    return DialFailed("TLS", f"TLS: handshake with {name} failed: {text}", security_event)

"""From the configured URI to a stream: name, TCP, TLS, each failing step by its name.

This is the seam where the errors of sockets, resolver and OpenSSL become `ConnectionFailed`. What TLS trusts comes in
as a ready context; the WebSocket handshake follows elsewhere.
"""

import hashlib
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
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
from ocpp16.faults import obey
from ocpp16.patience import calendar_rate, of_others
from ocpp16.texts import shown
from ocpp16.transport.dial_failures import DialFailed, tls_failure
from ocpp16.transport.interface import bind_to_interface
from ocpp16.transport.proxy import ProxyAddress, open_tunnel
from ocpp16.transport.streams import close_forcefully, said
from ocpp16.transport.tls_stream import TlsStream

__all__ = ["DialFailed", "Endpoint", "endpoint", "open_stream", "trusted_root"]

DIAL_TIMEOUT = 30.0  # seconds for all steps together
ADDRESS_TIMEOUT = 5.0  # seconds for one address when the name has more of them, at most
SHORTEST_ADDRESS_TIMEOUT = 1.0  # the same at least

# What may stand in a path segment as it is (RFC 3986 §3.3). No more is encoded: some servers do not decode.
_SEGMENT = "!$&'()*+,;=:@~"
_DEFAULT_PORTS = {False: 80, True: 443}

_Address = tuple[socket.AddressFamily, tuple[Any, ...]]

_DER = 2  # _ssl.ENCODING_DER, which the ssl module has no public name for


class Endpoint(NamedTuple):
    """Where the Central System is: `host` and `port` of TCP, and whether TLS is spoken there (`is_tls`). `target` is
    the request target: path with the identity, and any query. `wants_certificate`: it lets nobody in without a client
    certificate (security profile 3)."""

    is_tls: bool
    host: str
    port: int
    target: str
    wants_certificate: bool = False

    @property
    def authority(self) -> str:
        """Value of the Host header: without the port if it is the scheme's own (RFC 6455 §4.1)."""
        # A zone means something on this machine only, and no label of a header (RFC 6874 §4).
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.is_tls] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'wss' if self.is_tls else 'ws'}://{self.authority}{self.target}"


def endpoint(uri: str, identity: str, security_profile: int) -> Endpoint:
    """The endpoint of a charge point from CentralSystemURI, ChargePointId and SecurityProfile (0 to 3).

    Needs no network: it may be asked before anything is dialled. The scheme may be left out; one that is given must
    fit the profile: wss for 2 and 3, ws for 0 and 1. The identity is appended percent-encoded, and not twice if the URI
    ends in it (OCPP-J 1.6 §3.1.1).
    Raises `ConfigurationError` naming every reason why this can never work (see `ocpp16.address`). No reason shows the
    URI: it may hold a password.
    """
    problems = [f"ChargePointId: {reason}" for reason in identity_problems(identity)]
    problems += [f"CentralSystemURI: {reason}" for reason in address_problems(uri)]
    if security_profile not in {0, 1, 2, 3}:
        problems.append("SecurityProfile: must be 0, 1, 2 or 3")
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
    return Endpoint(is_tls, host, parts.port or _DEFAULT_PORTS[is_tls], target, security_profile == 3)


async def open_stream(
    endpoint: Endpoint,
    *,
    ssl_context: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    interface: str | None = None,
    proxy: ProxyAddress | None = None,
    others_first: Callable[[], Awaitable[None]] | None = None,
    timeout: float = DIAL_TIMEOUT,
) -> trio.abc.Stream:
    """Connect to the endpoint and return the stream for the WebSocket handshake: plain TCP, or TLS for wss.

    Parameters: `ssl_context` needed for wss; `server_hostname` name to ask for (SNI) and to verify, the endpoint's
    host unless given; `interface` name of a network interface or a local address to use; `proxy` to go
    through; `others_first` waits until other tasks had their turn, for where handshakes are many; `timeout` seconds of
    the world. Raises `DialFailed` (a `ConnectionFailed`) that says which step failed, and why.
    """
    if endpoint.is_tls and ssl_context is None:
        raise ConfigurationError(["wss:// needs a TLS context"])
    step = "name"
    tcp: trio.SocketStream | None = None
    try:
        with trio.move_on_after(of_others(timeout)) as scope:
            host, port = (endpoint.host, endpoint.port) if proxy is None else (proxy.host, proxy.port)
            addresses = await _resolve(host, port)
            step = "TCP"
            tcp = await _connect(host, port, addresses, interface)
            if proxy is not None:
                step = "proxy"
                await _tunnel(tcp, proxy, endpoint)
            if not endpoint.is_tls:
                return tcp
            assert ssl_context is not None
            step = "TLS"
            # A zone (fe80::1%eth0) is no part of the name that a certificate can have.
            return await _start_tls(tcp, ssl_context, server_hostname or endpoint.host.partition("%")[0], others_first)
        assert scope.cancelled_caught
        raise DialFailed(step, f"{step}: no answer from {endpoint.authority} within {timeout:g} s")
    except BaseException as exc:
        if tcp is not None:
            await close_forcefully(tcp)
        if isinstance(exc, ConnectionFailed):
            raise
        obey(exc)
        # Of a resolver or socket factory that somebody set, or of a library at a value it was not made for.
        raise DialFailed(step, f"{step}: {shown(said(exc))}") from exc


async def _tunnel(tcp: trio.SocketStream, proxy: ProxyAddress, endpoint: Endpoint) -> None:
    try:
        await open_tunnel(tcp, proxy, endpoint.host, endpoint.port)
    except ConnectionFailed as failure:
        raise DialFailed("proxy", str(failure)) from failure
    except trio.BrokenResourceError as exc:
        raise DialFailed("proxy", f"proxy: {_reason(exc.__cause__ or exc)}") from exc


async def _resolve(host: str, port: int) -> list[_Address]:
    try:
        found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses: list[_Address] = [(family, address) for family, _, _, _, address in found]
    except BaseException as exc:
        obey(exc)
        reason = getattr(exc, "strerror", None) or said(exc)
        raise DialFailed("name", f"name: cannot resolve {host}: {shown(reason)}") from exc
    if not addresses:
        raise DialFailed("name", f"name: {host} has no address")
    return addresses


async def _connect(host: str, port: int, addresses: list[_Address], interface: str | None) -> trio.SocketStream:
    problems: list[str] = []
    unusable: list[DialFailed] = []
    # The other half is for the last address, and for what follows.
    half_time = (trio.current_time() + trio.current_effective_deadline()) / 2
    for number, (family, address) in enumerate(addresses, 1):
        try:
            if number == len(addresses):  # it has all the time that is left
                return await _connect_address(family, address, interface)
            left = half_time - trio.current_time()
            longest, shortest = of_others(ADDRESS_TIMEOUT), of_others(SHORTEST_ADDRESS_TIMEOUT)
            patience = max(shortest, min(longest, left / (len(addresses) - number)))
            with trio.move_on_after(patience):
                return await _connect_address(family, address, interface)
            problem = f"no answer within {patience * calendar_rate():.2g} s"
        except DialFailed as failure:  # the interface: it may have an address of another family
            unusable.append(failure)
            problem = str(failure)
        except BaseException as exc:
            obey(exc)
            problem = _reason(exc)
        problems.append(problem if address[0] == host else f"{address[0]}: {problem}")
    if len(unusable) == len(addresses):
        raise unusable[0]
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    raise DialFailed("TCP", f"TCP: cannot connect to {where}: {'; '.join(problems)}")


def _reason(exc: BaseException) -> str:
    if isinstance(exc, OSError) and exc.errno:
        with suppress(ValueError, OverflowError, TypeError):
            return os.strerror(exc.errno)
    return shown(said(exc))


async def _connect_address(
    family: socket.AddressFamily, address: tuple[Any, ...], interface: str | None
) -> trio.SocketStream:
    sock = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        if interface is not None:
            try:
                await bind_to_interface(sock, interface)
            except Exception as exc:
                reason = getattr(exc, "strerror", None) or said(exc)
                raise DialFailed("interface", f"interface: cannot use {shown(interface)}: {shown(reason)}") from exc
        await sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)


async def _start_tls(
    tcp: trio.SocketStream, context: ssl.SSLContext, name: str, others_first: Callable[[], Awaitable[None]] | None
) -> trio.abc.Stream:
    stream: TlsStream | None = None
    try:
        stream = TlsStream(tcp, context, name)
        await stream.do_handshake(others_first)
    except Exception as exc:
        raise tls_failure(name, exc.__cause__ or exc, stream) from exc
    return stream


def trusted_root(stream: trio.abc.Stream) -> str:
    """Fingerprint (SHA-256, hexadecimal) of the root by which a TLS stream was verified; "" where that is not known."""
    found = stream.records.ssl_object if isinstance(stream, TlsStream) else None
    for holder in (found, getattr(found, "_sslobj", None)):  # the first from Python 3.13 on
        with suppress(Exception):
            root = holder.get_verified_chain()[-1]  # type: ignore[union-attr]
            der = root if isinstance(root, bytes) else root.public_bytes(_DER)
            return hashlib.sha256(der).hexdigest()
    return ""

"""Attempts to connect that a script makes beside the charge point's own: whom the Central System lets in, and how.

Rules of this file:
1. An attempt ends as soon as it is known how it went, and says nothing of OCPP. The Central System takes it for the
   charge point all the same, so a script disconnects that before.
2. Refused is what the Central System refused. What was never reached, or failed on this side, is neither: else a wrong
   address would pass a test.
3. Old versions of TLS are offered by hand, and no further than the first word of the other side: the OpenSSL here may
   not know them any more, and no password may go over them.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import trio

from ocpp16.charge_point.configuration_door import ConfigurationDoor
from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.charge_point.dialing import connector_of
from ocpp16.configuration.keys import internal, security
from ocpp16.errors import ConfigurationError, ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.patience import of_others
from ocpp16.security.basic_auth import authorization_header
from ocpp16.security.tls import SSLContext, client_context
from ocpp16.texts import shown
from ocpp16.transport.dial import DialFailed, Endpoint, endpoint, open_stream
from ocpp16.transport.proxy import ProxyAddress
from ocpp16.transport.streams import close_forcefully, said
from ocpp16.transport.websocket import WebSocket

SUBPROTOCOL: Final = "ocpp1.6"
OLD_VERSIONS: Final[Mapping[str, int]] = {"1.0": 0x0301, "1.1": 0x0302}
"""Of TLS, by name: what stands for them in a hello (RFC 2246, RFC 4346). Security white paper ed. 3: at least 1.2."""
GOODBYE: Final = 5.0
"""Seconds within which a Central System closes what it has upgraded without a subprotocol (OCPP-J 1.6 §3.1.2)."""
_OF_A_GATEWAY: Final = frozenset({500, 502, 503, 504})
"""Statuses that say nothing of whom somebody lets in."""
_ALERT, _HANDSHAKE, _SERVER_HELLO, _WARNING = 21, 22, 2, 1
_ALERTS: Final = {40: "handshake_failure", 47: "illegal_parameter", 70: "protocol_version", 71: "insufficient_security"}
_MOST_READ: Final = 1 << 14
_OLD_SUITES: Final = (0xC009, 0xC00A, 0xC013, 0xC014, 0x002F, 0x0035, 0x000A, 0x00FF)
"""Those that TLS 1.0 and 1.1 were used with: ECDHE and RSA with AES and 3DES (RFC 8422 §6, RFC 5246 §A.5)."""
_GROUPS: Final = (0x001D, 0x0017, 0x0018)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """security_profile: None: the one in force; is_lowered: one lower. ciphers: suites of TLS 1.2 by OpenSSL's names,
    none: those configured. old_tls: only this version, of `OLD_VERSIONS`; "": those of today. within: seconds."""

    security_profile: int | None = None
    is_lowered: bool = False
    subprotocols: tuple[str, ...] = (SUBPROTOCOL,)
    ciphers: tuple[str, ...] = ()
    old_tls: str = ""
    within: float = 20.0


class Found(NamedTuple):
    """is_accepted: None: neither accepted nor refused. text: how it came to that."""

    is_accepted: bool | None
    text: str


class Attempts:
    """`connector` opens the streams of the charge points, None: they do it; `certificates`: their folder."""

    def __init__(self, connector: StreamOpener | None, certificates: str | Path | None) -> None:
        self._connector = connector
        self._certificates = certificates

    async def make(self, wanted: Attempt, configuration: ConfigurationDoor, chance: Random) -> Found:
        """As the charge point of this configuration, but for what is wanted. Raises ConfigurationError for what cannot
        be tried."""
        identity = configuration[internal.CHARGE_POINT_ID]
        profile = configuration[security.SECURITY_PROFILE]
        if wanted.security_profile is not None:
            profile = wanted.security_profile
        if wanted.is_lowered:
            profile -= 1
            if profile < 0:
                raise ConfigurationError(["there is no security profile below 0"])
        where = endpoint(configuration[internal.CENTRAL_SYSTEM_URI], identity, profile)
        if (wanted.old_tls or wanted.ciphers) and not where.is_tls:
            raise ConfigurationError([f"there is no TLS with security profile {profile}"])
        if (wanted.old_tls or wanted.ciphers) and self._connector is not None:
            raise ConfigurationError(["TLS is not ours to choose where somebody else opens the streams"])
        headers = []
        key = configuration[security.AUTHORIZATION_KEY]
        if profile in {1, 2} and key:
            headers.append(("Authorization", authorization_header(identity, key)))
        with trio.move_on_after(of_others(wanted.within)):
            if wanted.old_tls:
                return await self._greeted(wanted, where, configuration, chance)
            return await self._upgraded(wanted, where, configuration, headers)
        return Found(None, f"no answer within {wanted.within:g} s")

    # A whole one

    async def _upgraded(
        self,
        wanted: Attempt,
        where: Endpoint,
        configuration: ConfigurationDoor,
        headers: Sequence[tuple[str, str]],
    ) -> Found:
        opener = connector_of(self._connector, partial(self._open, wanted, configuration))
        try:
            stream = await opener(where)
        except DialFailed as failed:
            is_theirs = failed.step == "TLS" and failed.security_event != "InvalidCentralSystemCertificate"
            return Found(False if is_theirs else None, str(failed))
        except ConnectionFailed as failed:
            return Found(None, str(failed))
        try:
            websocket = await WebSocket.connect(
                stream,
                host=where.authority,
                target=where.target,
                headers=headers,
                subprotocols=wanted.subprotocols,
                require_subprotocol=False,
                timeout=2 * wanted.within,  # ours ends before
            )
        except HandshakeRefused as refused:
            is_known = refused.status >= 300 and refused.status not in _OF_A_GATEWAY
            return Found(False if is_known else None, str(refused))
        except ConnectionFailed as failed:
            is_alert = isinstance(failed, DialFailed)  # of TLS, that came late
            is_theirs = is_alert or isinstance(failed.__cause__, (ConnectionError, trio.BrokenResourceError))
            return Found(False if is_theirs else None, str(failed))
        try:
            return await _judged(websocket)
        finally:
            with trio.CancelScope(shield=True):  # bounded inside
                await websocket.aclose()

    async def _open(self, wanted: Attempt, configuration: ConfigurationDoor, where: Endpoint) -> trio.abc.Stream:
        context = await self._context(wanted, configuration, where) if where.is_tls else None
        return await _dialled(where, configuration, context, wanted.within)

    async def _context(self, wanted: Attempt, configuration: ConfigurationDoor, where: Endpoint) -> SSLContext:
        roots = chain = key = None
        if self._certificates is not None:
            from ocpp16.security.evse_security import CaCertificateType, LeafCertificateType
            from ocpp16.security.file_evse_security import FileEvseSecurity  # cryptography only where it is asked for

            keeper = FileEvseSecurity(self._certificates)
            roots = await keeper.get_verify_location(CaCertificateType.CSMS)
            if where.wants_certificate:
                leaf = await keeper.get_leaf_certificate_info(LeafCertificateType.CSMS)
                chain, key = leaf.chain or leaf.certificate, leaf.key
        if where.wants_certificate and chain is None:
            raise ConfigurationError(["SecurityProfile 3: there is no client certificate that can be used"])
        suites12 = configuration[internal.SUPPORTED_CIPHERS12]
        suites13 = configuration[internal.SUPPORTED_CIPHERS13]
        return client_context(
            roots,
            ciphers12=":".join(wanted.ciphers or suites12),
            ciphers13="" if wanted.ciphers else ":".join(suites13),
            use_default_verify_paths=configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS],
            verify_name=configuration[internal.VERIFY_CSMS_COMMON_NAME],
            allow_wildcards=configuration[internal.VERIFY_CSMS_ALLOW_WILDCARDS],
            successors_are_roots=bool(configuration[security.ADDITIONAL_ROOT_CERTIFICATE_CHECK]),
            certificate_chain=chain,
            private_key=key,
        )

    # The first word only

    async def _greeted(
        self, wanted: Attempt, where: Endpoint, configuration: ConfigurationDoor, chance: Random
    ) -> Found:
        try:
            stream = await _dialled(where._replace(is_tls=False), configuration, None, wanted.within)
        except ConnectionFailed as failed:
            return Found(None, str(failed))
        name = configuration[internal.CENTRAL_SYSTEM_NAME] or where.host
        try:
            await stream.send_all(client_hello(OLD_VERSIONS[wanted.old_tls], name, chance))
            return await first_word(stream, wanted.old_tls)
        except trio.BrokenResourceError as error:
            return Found(False, f"the connection was cut: {shown(said(error), 100)}")
        finally:
            await close_forcefully(stream)


async def _dialled(
    where: Endpoint, configuration: ConfigurationDoor, context: SSLContext | None, within: float
) -> trio.abc.Stream:
    proxy = configuration[internal.HTTP_PROXY]
    return await open_stream(
        where,
        ssl_context=context,
        server_hostname=configuration[internal.CENTRAL_SYSTEM_NAME],
        interface=configuration[internal.IFACE],
        proxy=None if proxy is None else ProxyAddress.of(proxy),
        timeout=2 * within,
    )


async def _judged(websocket: WebSocket) -> Found:
    """Of an upgrade that is complete."""
    if websocket.subprotocol is not None:
        is_ours = websocket.subprotocol == SUBPROTOCOL
        return Found(True if is_ours else None, f"it chose the subprotocol {shown(websocket.subprotocol, 60)}")
    with trio.move_on_after(of_others(GOODBYE)):
        with suppress(ConnectionClosed):
            while True:
                await websocket.receive()
        return Found(False, "it chose no subprotocol, and closed the connection")
    return Found(None, f"it chose no subprotocol, and left the connection open for {GOODBYE:g} s")


async def first_word(stream: trio.abc.Stream, version: str) -> Found:
    """What a server says to a hello."""
    data = b""
    while len(data) < _MOST_READ:
        more = await stream.receive_some(_MOST_READ)
        if not more:
            return Found(False, "it ended the connection")
        data += more
        while len(data) >= 7 and data[0] == _ALERT and data[5] == _WARNING:  # such as of a name it does not know
            data = data[5 + int.from_bytes(data[3:5], "big") :]
        if len(data) >= 7 and data[0] == _ALERT:
            return Found(False, f"TLS alert {_ALERTS.get(data[6], data[6])}")
        if len(data) >= 11 and data[0] == _HANDSHAKE and data[5] == _SERVER_HELLO:
            chosen = int.from_bytes(data[9:11], "big")
            if chosen <= OLD_VERSIONS[version]:
                return Found(
                    True, f"it goes on with TLS {version if chosen == OLD_VERSIONS[version] else 'older still'}"
                )
            return Found(None, f"it answers TLS {version} with version {chosen:#06x}, which it was not offered")
        if data[0] not in (_ALERT, _HANDSHAKE):
            return Found(None, "it does not speak TLS")
    return Found(None, "its first word has no end")


def client_hello(version: int, name: str, chance: Random) -> bytes:
    """The hello of a client that speaks this version of TLS and no other (RFC 5246 §7.4.1.2). name: of the server."""
    extensions = _extension(10, _counted(b"".join(_two(one) for one in _GROUPS))) + _extension(11, b"\x01\x00")
    if not _is_address(name):  # RFC 6066 §3: addresses are no names
        extensions = _extension(0, _counted(b"\x00" + _counted(name.encode("idna")))) + extensions
    body = (
        _two(version)
        + chance.randbytes(32)
        + b"\x00"
        + _counted(b"".join(_two(one) for one in _OLD_SUITES))
        + b"\x01\x00"
        + _counted(extensions)
    )
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + _counted(hello)


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _counted(content: bytes) -> bytes:
    return _two(len(content)) + content


def _extension(kind: int, content: bytes) -> bytes:
    return _two(kind) + _counted(content)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True

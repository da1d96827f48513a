"""What works between here and a Central System, step by step, each with what to do where it does not.

Nothing is changed, here or there, but that the Central System sees a connection and a BootNotification.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from ssl import cert_time_to_seconds
from typing import Any, Final, NamedTuple

import orjson
import trio

from ocpp16.charge_point.dialing import Dialer
from ocpp16.codec import Call, CallResult, parse, serialize
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal, security
from ocpp16.errors import ConfigurationError, ConnectionClosed, ConnectionFailed, FramingError, HandshakeRefused
from ocpp16.log import FoldingLog
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.security.basic_auth import authorization_header
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.texts import shown
from ocpp16.transport.dial import DialFailed, Endpoint, endpoint
from ocpp16.transport.tls_stream import TlsStream
from ocpp16.transport.websocket import WebSocket

BOOT_TIMEOUT = 30.0
"""Seconds for the answer to BootNotification."""
EXPIRES_SOON = 30
"""Days before the expiry of a certificate from which on that is said."""


class Step(StrEnum):
    """In the order in which they are taken."""

    CONFIGURATION = "configuration"
    NAME = "name"
    INTERFACE = "interface"
    TCP = "TCP"
    PROXY = "proxy"
    TLS = "TLS"
    HTTP = "HTTP"
    PASSWORD = "password"  # noqa: S105 - a name
    SUBPROTOCOL = "subprotocol"
    BOOT = "boot"


class Finding(NamedTuple):
    """`remedy`: what to do; "" where it works."""

    step: Step
    text: str
    remedy: str = ""
    is_warning: bool = False

    @property
    def is_good(self) -> bool:
        return not self.remedy or self.is_warning


_REMEDIES: Final = {
    Step.CONFIGURATION: "mend the configuration file; docs/configuration.md and docs/keys.md say what each key takes",
    Step.NAME: "look at the host in CentralSystemURI, and at the DNS of this machine",
    Step.INTERFACE: "IFace must be the name of an interface that is up (ip link), or an address of this machine",
    Step.TCP: "is the port right, does the Central System run, does a firewall stand between?",
    Step.PROXY: "look at HttpProxy: host, port, user and password; may it connect to this host and port?",
    Step.TLS: "look at the certificate there, and at the roots here, in ca/csms of the folder of certificates",
    Step.HTTP: "the path of CentralSystemURI or the ChargePointId is another one there",
    Step.PASSWORD: "the Central System has another AuthorizationKey, or none, for this ChargePointId",
    Step.SUBPROTOCOL: "the Central System must speak ocpp1.6 at this address",
    Step.BOOT: "register this ChargePointId at the Central System",
}
_TLS_REMEDIES: Final = (
    ("does not speak TLS", "the port is not one for wss://; or use ws:// with security profile 0 or 1"),
    ("expired", "the certificate of the Central System must be renewed; or the clock here is wrong"),
    ("not yet valid", "the clock here is wrong, or the certificate of the Central System is for later"),
    ("Hostname mismatch", "use the name that is in the certificate in CentralSystemURI, or CentralSystemName"),
    ("IP address mismatch", "use the name that is in the certificate in CentralSystemURI, or CentralSystemName"),
    ("revoked", "the certificate of the Central System was revoked: it must have another"),
    ("TLS version", "the Central System must offer TLS 1.2 or 1.3"),
    (
        "cipher suite",
        "offer a suite of SupportedCiphers12; with profile 3, is the client certificate known there?",
    ),
    ("client certificate", "install a client certificate (profile 3): ocpp16 certificates"),
    (
        "no server could be trusted",
        "put the root of the Central System into ca/csms of the folder of certificates: ocpp16 certificates",
    ),
    (
        "trusted roots",
        "put the root of that chain into ca/csms of the folder of certificates; or the server must send all of it",
    ),
    ("self-signed", "put that certificate into ca/csms of the folder of certificates, if it is the right one"),
)


async def examine(
    configuration: Configuration, certificates: EvseSecurity | None, tell: Callable[[Finding], None]
) -> None:
    """Tell the steps as they are taken; the last one is the first that failed, if any did."""
    identity = configuration[internal.CHARGE_POINT_ID]
    profile = configuration[security.SECURITY_PROFILE]
    uri = configuration[internal.CENTRAL_SYSTEM_URI]
    try:
        where = endpoint(uri, identity, profile)
    except ConfigurationError as error:
        tell(_failed(Step.CONFIGURATION, "; ".join(error.problems)))
        return
    tell(Finding(Step.CONFIGURATION, f"{identity} at {where}, security profile {profile}"))
    log = FoldingLog(identity, time.monotonic)
    asked = None
    if certificates is not None:
        asked = AskedSecurity(certificates, lambda place, error: None, lambda name, seconds: None)
    dialer = Dialer(configuration, asked, log)
    try:
        if configuration[internal.HTTP_PROXY] is None:
            tell(Finding(Step.NAME, await _addresses(where)))
        stream = await dialer(where)
    except DialFailed as error:
        if error.step == "TLS":
            tell(Finding(Step.TCP, f"connected to {where.host}, port {where.port}"))
        text = str(error).removeprefix(f"{error.step}: ")
        tell(_failed(Step(error.step), text, _tls_remedy(text) if error.step == "TLS" else ""))
        return
    except ConfigurationError as error:
        text = "; ".join(error.problems)
        tell(_failed(Step.TLS, text, _tls_remedy(text)))
        return
    try:
        for finding in _of_stream(where, stream, configuration):
            tell(finding)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    websocket: WebSocket | None = None
    try:
        websocket = await WebSocket.connect(
            stream, host=where.authority, target=where.target, headers=_headers(configuration, identity, profile)
        )
    except (HandshakeRefused, ConnectionFailed, ConfigurationError) as error:
        tell(_refused(error, profile))
        return
    try:
        tell(Finding(Step.HTTP, "101, the connection is a WebSocket"))
        if profile in {1, 2}:
            tell(Finding(Step.PASSWORD, "taken"))
        tell(Finding(Step.SUBPROTOCOL, "ocpp1.6"))
        tell(await _boot(websocket, configuration))
    finally:
        with trio.CancelScope(shield=True):  # bounded inside
            await websocket.aclose()


async def _addresses(where: Endpoint) -> str:
    try:
        found = await trio.socket.getaddrinfo(where.host, where.port, type=trio.socket.SOCK_STREAM)
    except OSError as error:
        raise DialFailed("name", f"name: cannot resolve {where.host}: {error.strerror or error}") from error
    return f"{where.host} is {', '.join(dict.fromkeys(str(one[4][0]) for one in found))}"


def _of_stream(where: Endpoint, stream: trio.abc.Stream, configuration: Configuration) -> Sequence[Finding]:
    """What is known of a stream that is open."""
    findings = [Finding(Step.TCP, f"connected to {where.host}, port {where.port}")]
    if configuration[internal.IFACE]:
        findings.insert(0, Finding(Step.INTERFACE, f"by {configuration[internal.IFACE]}"))
    if configuration[internal.HTTP_PROXY]:
        findings.append(Finding(Step.PROXY, "it connected us"))
    if isinstance(stream, TlsStream):
        tls = stream.records.ssl_object
        cipher = tls.cipher()
        certificate: Any = tls.getpeercert() or {}
        seconds = cert_time_to_seconds(certificate.get("notAfter", "Jan 1 00:00:00 2100 GMT")) - time.time()
        days = int(seconds // 86_400)  # whole ones, as `ocpp16 certificates` counts
        names = [_common_name(certificate.get(member, ())) for member in ("subject", "issuer")]
        text = f"{tls.version()}, {cipher[0] if cipher else '?'}; certificate of {names[0]}, issued by {names[1]}"
        findings.append(Finding(Step.TLS, f"{text}, for {days} more days"))
        if days < EXPIRES_SOON:
            findings.append(
                Finding(Step.TLS, f"that certificate expires in {days} days", "have it renewed", is_warning=True)
            )
        if not configuration[internal.VERIFY_CSMS_COMMON_NAME]:
            findings.append(
                Finding(Step.TLS, "its name is not verified", "VerifyCsmsCommonName should be true", is_warning=True)
            )
    return findings


def _common_name(name: Sequence[Sequence[tuple[str, str]]]) -> str:
    return shown(", ".join(value for part in name for key, value in part if key == "commonName") or "?")


def _headers(configuration: Configuration, identity: str, profile: int) -> list[tuple[str, str]]:
    """Those of the charge point."""
    headers = []
    if profile in {1, 2}:
        key = configuration[security.AUTHORIZATION_KEY] or b""
        headers.append(("Authorization", authorization_header(identity, key)))
    if host_name := configuration[internal.HOST_NAME]:
        headers.append(("User-Host", host_name))
    return headers


def _refused(error: Exception, profile: int) -> Finding:
    if not isinstance(error, HandshakeRefused):
        text = str(error)
        remedy = "the Central System may not know the client certificate (profile 3)" if profile == 3 else ""
        return _failed(Step.HTTP, text, remedy)
    if error.status == 401:
        remedy = "the Central System wants a password: security profile 1 or 2" if profile in {0, 3} else ""
        return _failed(Step.PASSWORD, str(error), remedy)
    if error.status == 101:
        return _failed(Step.SUBPROTOCOL, str(error))
    remedies = {
        403: "this ChargePointId is not allowed there, or its certificate belongs to another",
        503: "the Central System has too much to do: later",
    }
    return _failed(Step.HTTP, str(error), remedies.get(error.status, ""))


async def _boot(websocket: WebSocket, configuration: Configuration) -> Finding:
    payload = {
        "chargePointVendor": configuration[internal.CHARGE_POINT_VENDOR],
        "chargePointModel": configuration[internal.CHARGE_POINT_MODEL],
    }
    began = trio.current_time()
    try:
        with trio.fail_after(BOOT_TIMEOUT):
            websocket.send_text(serialize(Call("doctor", "BootNotification", payload)))
            await websocket.flush()
            answer = await _answer(websocket)
    except trio.TooSlowError:
        return _failed(Step.BOOT, f"BootNotification is not answered within {BOOT_TIMEOUT:g} s")
    except ConnectionClosed as error:
        return _failed(Step.BOOT, f"{error}, instead of an answer to BootNotification")
    if not isinstance(answer, CallResult):
        return _failed(Step.BOOT, f"BootNotification is answered {shown(str(answer))}")
    status, told = answer.payload.get("status"), answer.payload.get("currentTime")
    text = f"{shown(str(status))} after {trio.current_time() - began:.2f} s"
    if status == "Accepted":
        return Finding(Step.BOOT, text + _clock(told))
    if status == "Pending":
        return Finding(Step.BOOT, text, "the Central System is not done with this charge point yet", is_warning=True)
    return _failed(Step.BOOT, text)


async def _answer(websocket: WebSocket) -> object:
    while True:
        for text in await websocket.receive():
            try:
                frame = parse(text)
            except FramingError:
                continue
            if not isinstance(frame, Call) and frame.unique_id == "doctor":
                return frame


def _clock(told: object) -> str:
    """How far the clock here is off, where that is more than a few seconds."""
    try:
        ahead = datetime.now(UTC) - datetime.fromisoformat(str(told))
    except (ValueError, TypeError):
        return f"; its time {shown(str(told), 60)} cannot be read"
    seconds = ahead.total_seconds()
    return (
        "" if abs(seconds) < 10 else f"; the clock here is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
    )


def _failed(step: Step, text: str, remedy: str = "") -> Finding:
    return Finding(step, text, remedy or _REMEDIES[step])


def _tls_remedy(text: str) -> str:
    return next((remedy for words, remedy in _TLS_REMEDIES if words in text), "")


def as_json(finding: Finding) -> str:
    document = {"step": str(finding.step), "ok": finding.is_good, "text": finding.text, "remedy": finding.remedy}
    return orjson.dumps(document).decode()

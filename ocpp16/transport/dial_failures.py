"""Why a step of dialling failed: what OpenSSL reports, in words, and the security event that tells of it.

With TLS 1.3 a client is done with the handshake before the server has looked at its certificate: what the server then
has to say comes while the WebSocket handshake is under way, and may lie unread behind a connection that was reset.
"""

import ssl
from contextlib import suppress
from typing import Final

import trio

from ocpp16.errors import ConnectionFailed
from ocpp16.texts import shown
from ocpp16.transport.streams import said
from ocpp16.transport.tls_stream import TlsStream

__all__ = ["DialFailed", "late_refusal", "tls_failure"]

_PLAIN_SERVER: Final = ("the server does not speak TLS on this port", "")
_OLD_VERSION: Final = ("no common TLS version; at least TLS 1.2 is needed", "InvalidTLSVersion")
_NO_CIPHER: Final = ("no common cipher suite", "InvalidTLSCipherSuite")
_CUT: Final = ("the server ended the connection in the middle of the handshake", "")
_NOT_AUTHENTICATED: Final = "FailedToAuthenticateAtCentralSystem"
_NO_CERTIFICATE: Final = (
    "the Central System wants a client certificate (SecurityProfile 3), and got none",
    _NOT_AUTHENTICATED,
)
_REASONS: Final = {
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
    "UNEXPECTED_EOF_WHILE_READING": _CUT,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _NO_CERTIFICATE,
}
"""OpenSSL's reason → what it means here, and the type of the security event (security white paper ed. 3), or ""."""
_OF_OUR_CERTIFICATE: Final = {
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV1_ALERT_DECRYPT_ERROR",
    "TLSV1_ALERT_UNKNOWN_CA",
}
_NO_ISSUER: Final = {2, 20, 21}
"""OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, …_LOCALLY, …_VERIFY_LEAF_SIGNATURE."""
_NO_KEY: Final = "EVP lib"
"""What OpenSSL says of whatever a provider of keys refuses."""


class DialFailed(ConnectionFailed):
    """A step of dialling failed.

    `step` is "name", "interface", "TCP", "proxy" or "TLS"; `security_event` the type of the SecurityEventNotification
    that tells of it, or "".
    """

    def __init__(self, step: str, text: str, security_event: str = "") -> None:
        super().__init__(text)
        self.step = step
        self.security_event = security_event


def tls_failure(name: str, cause: BaseException, stream: TlsStream | None) -> DialFailed:
    """Of a handshake with the server of this name; `stream` is the one that failed."""
    name = shown(name)
    if isinstance(cause, ssl.SSLCertVerificationError):
        text = cause.verify_message
        if cause.verify_code in _NO_ISSUER:
            text += ": " + _who_is_missing(_chain_length(stream))
        return DialFailed(
            "TLS", f"TLS: the certificate of {name} is refused: {text}", "InvalidCentralSystemCertificate"
        )
    known = _known(cause, has_cipher=_has_cipher(stream))
    reason = getattr(cause, "reason", None) or ""
    text, security_event = known or (reason or shown(said(cause)), "")
    if not reason and _NO_KEY in text:
        text += ": OpenSSL cannot use a key; one that lies in a TPM needs the set-up of docs/certificates.md"
    return DialFailed("TLS", f"TLS: handshake with {name} failed: {text}", security_event)


def late_refusal(error: BaseException) -> DialFailed | None:
    """What the server said of our certificate, where `error` is what the first use of a TLS stream raised.

    None: it is no TLS, or the server said nothing of the kind.
    """
    cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) else None
    known = _known(cause, has_cipher=True) if isinstance(cause, ssl.SSLError) else None
    return None if known is None or known is _CUT else DialFailed("TLS", f"TLS: {known[0]}", known[1])


def _known(cause: BaseException, *, has_cipher: bool) -> tuple[str, str] | None:
    """`has_cipher`: the server has chosen a cipher suite already, so that cannot be what it misses."""
    reason = getattr(cause, "reason", None) or ""
    if reason in _OF_OUR_CERTIFICATE:
        alert = reason.partition("_ALERT_")[2].replace("_", " ").lower()
        return f"the Central System does not accept the client certificate, or got none: {alert}", _NOT_AUTHENTICATED
    if reason == "SSLV3_ALERT_HANDSHAKE_FAILURE" and has_cipher:
        return _NO_CERTIFICATE
    return _REASONS.get(reason)


def _has_cipher(stream: TlsStream | None) -> bool:
    return stream is not None and stream.records.ssl_object.cipher() is not None


def _who_is_missing(count: int) -> str:
    """What a chain without a known issuer means; `count` certificates were sent (0: not known)."""
    if count == 1:
        return (
            "the server sent only its own certificate, so either the intermediate one is missing there, or the one who "
            "issued it is none of the trusted roots"
        )
    if count > 1:
        return f"the {count} certificates that the server sent lead to none of the trusted roots"
    return "either the server does not send its intermediate certificates, or its root is none of the trusted ones"


def _chain_length(stream: TlsStream | None) -> int:
    """How many certificates the server sent, as far as this version of Python tells; 0 if it does not."""
    found = None if stream is None else stream.records.ssl_object
    for holder in (found, getattr(found, "_sslobj", None)):  # the first from Python 3.13 on
        with suppress(Exception):
            return len(holder.get_unverified_chain())  # type: ignore[union-attr]
    return 0

"""Whom the Central System of csms_process.py lets in: TLS, client certificates, HTTP Basic, by the standard library."""

import ssl
from base64 import b64encode
from collections.abc import Sequence
from typing import Any


class Gate:
    """Open to all, until it is told otherwise."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.context: ssl.SSLContext | None = None
        self.takes_subprotocol = True
        self._passwords: dict[str, list[bytes]] = {}
        self._serials: dict[str, list[str]] = {}

    def secure(self, chain: str | None, key: str, client_ca: str | None, version: str | None) -> None:
        """With TLS from now on, or without where there is no `chain`. Raises OSError."""
        self.context = None
        if chain is None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        if version is not None:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")  # without it there is nothing under TLS 1.2
            context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        self.context = context

    def demand(self, identity: str, keys: Sequence[str] | None, serials: list[str] | None = None) -> None:
        """Let this charge point in by HTTP Basic with one of these keys (hex) and by a client certificate with one of
        these numbers; None: whatever it has."""
        self._passwords.pop(identity, None)
        self._serials.pop(identity, None)
        if keys is not None:
            self._passwords[identity] = [bytes.fromhex(key) for key in keys]
        if serials is not None:
            self._serials[identity] = serials

    def lets_in(self, identity: str, connection: Any, request: Any) -> bool:
        if identity in self._serials and serial(connection) not in self._serials[identity]:
            return False
        if identity not in self._passwords:
            return True
        return request.headers.get("Authorization") in [basic(identity, key) for key in self._passwords[identity]]

    def choose(self, connection: Any, offered: Sequence[Any]) -> Any:
        """The subprotocol (OCPP-J 1.6 §3.1.2)."""
        return "ocpp1.6" if self.takes_subprotocol and "ocpp1.6" in offered else None


def seen(connection: Any) -> dict[str, Any]:
    """Of a connection that was opened: what the charge point offered, and how it proved itself."""
    headers = connection.request.headers
    tls: ssl.SSLObject | None = connection.transport.get_extra_info("ssl_object")
    return {
        "offered": headers.get("Sec-WebSocket-Protocol"),
        "authorization": headers.get("Authorization"),
        "has_password": "Authorization" in headers,
        "tls": tls and tls.version(),
        "serial": serial(connection),
    }


def serial(connection: Any) -> str | None:
    """The number of its client certificate."""
    return (connection.transport.get_extra_info("peercert") or {}).get("serialNumber")


def basic(identity: str, password: bytes) -> str:
    """The header Authorization (RFC 7617)."""
    return "Basic " + b64encode(identity.encode() + b":" + password).decode()

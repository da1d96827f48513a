"""Whom the Central System of csms_process.py lets in. No code of the charge point is used."""

import base64
import ssl


class Door:
    """Parameters: `certificate` and `key` are files for TLS, without them it is plain; `client_ca` the file of who
    signs client certificates, which are demanded then; `serials` are the numbers of those that are taken, None: all;
    `passwords` of HTTP Basic, hexadecimal, None: anybody may come.
    """

    def __init__(
        self,
        certificate: str | None = None,
        key: str | None = None,
        client_ca: str | None = None,
        serials: list[str] | None = None,
        passwords: list[str] | None = None,
    ) -> None:
        self._passwords = passwords
        self._serials = serials
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
            if client_ca is not None:
                self.tls.load_verify_locations(client_ca)
                self.tls.verify_mode = ssl.CERT_REQUIRED

    def lets_in(self, identity: str, authorization: str, serial: str) -> bool:
        """By the header Authorization (RFC 7617) and the number of the client certificate, as far as that is asked."""
        if self._serials is not None and serial not in self._serials:
            return False
        return self._passwords is None or any(
            authorization == basic(identity, bytes.fromhex(password)) for password in self._passwords
        )


def basic(identity: str, password: bytes) -> str:
    """The header Authorization."""
    return "Basic " + base64.b64encode(identity.encode() + b":" + password).decode()

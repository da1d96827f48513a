"""Whom the Central System of csms_process.py lets in. No code of the charge point is used."""

import base64
import binascii
import ssl


class Door:
    """Parameters: `certificate` and `key` are files for TLS, without them it is plain; `client_ca` the file of who
    signs client certificates, which are demanded then; `passwords` of HTTP Basic, hexadecimal, None: anybody may come.
    """

    def __init__(
        self,
        certificate: str | None = None,
        key: str | None = None,
        client_ca: str | None = None,
        passwords: list[str] | None = None,
    ) -> None:
        self._passwords = passwords
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
            if client_ca is not None:
                self.tls.load_verify_locations(client_ca)
                self.tls.verify_mode = ssl.CERT_REQUIRED

    def lets_in(self, identity: str, authorization: str) -> bool:
        """By the header Authorization (RFC 7617), as far as that is asked for."""
        if self._passwords is None:
            return True
        kind, _, code = authorization.partition(" ")
        try:
            name, _, password = base64.b64decode(code, validate=True).partition(b":")
        except binascii.Error:
            return False
        return kind == "Basic" and name == identity.encode() and password.hex() in self._passwords

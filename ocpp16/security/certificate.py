"""A certificate as it is read once, where it enters: what the rest asks of it, decoded, and nothing half read.

Certificates come in texts of a Central System, in files of anybody, in PEM with line ends of either kind, several in a
file with anything between them, and in DER. One that cannot be read whole, its extensions and key included, is no
certificate: it is left out, and spoils no other.
"""

import binascii
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID

from ocpp16.der import field_at, fields_of, is_der
from ocpp16.pem import CERTIFICATE_LABELS, pem_blocks

__all__ = ["Block", "Certificate", "blocks_in", "certificates_in", "pem_of"]

MOST_IN_A_TEXT: Final = 1_000
"""Certificates that are read of one text; bundles of operating systems have some hundreds."""
LONGEST: Final = 64 * 1024
"""Bytes of one certificate."""


class Certificate:
    """What is needed of a certificate.

    `fingerprint`: SHA-256 of its DER; `name`: its subject, for people; `subject`, `issuer`: names as they are in it, in
    DER; `key`: its public key as a SubjectPublicKeyInfo in DER, `key_bits`: what of it hashes are made of; `starts_at`,
    `expires_at`: seconds since 1970, UTC; `is_ca`: None where it does not say (no basicConstraints); `usage`,
    `extended_usage`: None where it is not limited. Raises ValueError for what is no readable certificate.
    """

    __slots__ = (
        "authority_key_identifier",
        "der",
        "expires_at",
        "extended_usage",
        "fingerprint",
        "has_unknown_critical",
        "is_ca",
        "issuer",
        "key",
        "key_bits",
        "name",
        "path_length",
        "public_key",
        "responder_url",
        "serial_number",
        "starts_at",
        "subject",
        "subject_key_identifier",
        "usage",
        "x509",
    )

    def __init__(self, der: bytes) -> None:
        if len(der) > LONGEST:
            raise ValueError("a certificate that is far too long")
        try:
            self._read(der)
        except Exception as error:  # of many kinds, and which ones depends on the version of the library
            raise ValueError("no readable certificate") from error

    def _read(self, der: bytes) -> None:
        certificate = x509.load_der_x509_certificate(der)
        self.x509: x509.Certificate = certificate
        self.der: bytes = der
        self.fingerprint: str = hashlib.sha256(der).hexdigest()
        tbs = fields_of(certificate.tbs_certificate_bytes)[0].content
        fields = list(fields_of(tbs))
        if fields[0].tag == 0xA0:  # the version, which certificates of the first one do not have
            del fields[0]
        self.issuer: bytes = fields[2].whole
        self.subject: bytes = fields[4].whole
        self.key_bits: bytes = fields_of(fields[5].content)[1].content[1:]
        self.public_key: CertificatePublicKeyTypes = certificate.public_key()
        self.key: bytes = self.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.name: str = certificate.subject.rfc4514_string()
        self.serial_number: int = certificate.serial_number
        self.starts_at: float = _seconds(certificate.not_valid_before_utc)
        self.expires_at: float = _seconds(certificate.not_valid_after_utc)
        self.is_ca: bool | None = None
        self.path_length: int | None = None
        self.usage: x509.KeyUsage | None = None
        self.extended_usage: frozenset[str] | None = None
        self.authority_key_identifier: bytes | None = None
        self.subject_key_identifier: bytes | None = None
        self.responder_url: str = ""
        self.has_unknown_critical: bool = False
        for extension in certificate.extensions:
            self._note(extension)

    def _note(self, extension: "x509.Extension[x509.ExtensionType]") -> None:
        match extension.value:
            case x509.BasicConstraints() as found:
                self.is_ca, self.path_length = found.ca, found.path_length
            case x509.KeyUsage() as usage:
                self.usage = usage
            case x509.ExtendedKeyUsage() as extended:
                self.extended_usage = frozenset(use.dotted_string for use in extended)
            case x509.AuthorityKeyIdentifier() as authority:
                self.authority_key_identifier = authority.key_identifier
            case x509.SubjectKeyIdentifier() as subject:
                self.subject_key_identifier = subject.digest
            case x509.AuthorityInformationAccess() as access:
                self.responder_url = _responder(access)
            case x509.SubjectAlternativeName() | x509.CertificatePolicies() | x509.IssuerAlternativeName():
                pass  # decide nothing here, critical or not
            case _:
                self.has_unknown_critical |= extension.critical

    @property
    def is_self_issued(self) -> bool:
        return self.subject == self.issuer

    @property
    def is_self_signed(self) -> bool:
        """Was it signed by its own key? Computed each time."""
        return self.is_self_issued and self.is_signed_by(self)

    def is_signed_by(self, issuer: "Certificate") -> bool:
        """Does the key of `issuer` prove the signature, and is it the name that is told?"""
        if self.issuer != issuer.subject:
            return False
        try:
            self.x509.verify_directly_issued_by(issuer.x509)
        except (
            Exception
        ):  # InvalidSignature, and TypeError, ValueError, UnsupportedAlgorithm for kinds it does not know
            return False
        return True

    def is_valid_at(self, now: float, tolerance: float = 0) -> bool:
        return self.starts_at - tolerance <= now <= self.expires_at + tolerance

    @property
    def pem(self) -> str:
        return self.x509.public_bytes(Encoding.PEM).decode("ascii")

    def __repr__(self) -> str:
        return f"<Certificate {self.fingerprint[:16]}>"


class Block(NamedTuple):
    """A certificate in a text: where it is, and what it is (None: cannot be read)."""

    start: int
    end: int
    certificate: Certificate | None


def blocks_in(content: bytes) -> list[Block]:
    """All certificates of a text or file, PEM or DER."""
    return list(_der_blocks(content) if is_der(content) else _pem_blocks(content))


def certificates_in(content: bytes | str) -> list[Certificate]:
    """Those of them that can be read."""
    whole = content.encode("utf-8", "replace") if isinstance(content, str) else content
    return [block.certificate for block in blocks_in(whole) if block.certificate is not None]


def pem_of(certificates: Sequence[Certificate]) -> bytes:
    """As a text, in this order."""
    return "".join(certificate.pem for certificate in certificates).encode()


def _pem_blocks(content: bytes) -> Iterator[Block]:
    for number, found in enumerate(pem_blocks(content, *CERTIFICATE_LABELS)):
        if number >= MOST_IN_A_TEXT:
            return
        try:
            der = binascii.a2b_base64(found.body, strict_mode=True)
            yield Block(found.start, found.end, Certificate(der))
        except ValueError:
            yield Block(found.start, found.end, None)


def _der_blocks(content: bytes) -> Iterator[Block]:
    at = 0
    for _ in range(MOST_IN_A_TEXT):
        if at >= len(content):
            return
        try:
            field, end = field_at(content, at)
        except ValueError:
            yield Block(at, len(content), None)
            return
        try:
            yield Block(at, end, Certificate(field.whole))
        except ValueError:
            yield Block(at, end, None)
        at = end


def _responder(access: x509.AuthorityInformationAccess) -> str:
    for description in access:
        location = description.access_location
        if description.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            location, x509.UniformResourceIdentifier
        ):
            return location.value
    return ""


def _seconds(time: datetime) -> float:
    return time.astimezone(UTC).timestamp()

"""How messages name certificates: by hashes of the issuer (security white paper, CertificateHashDataType)."""

import hashlib
from collections.abc import Iterable

from ocpp16.security.certificate import Certificate
from ocpp16.security.evse_security import CertificateHashData

__all__ = ["equal", "hash_data_of", "named"]

ALGORITHM = "SHA256"


def named(certificate: Certificate, issuer: Certificate) -> CertificateHashData:
    """The name of a certificate, of which `issuer` is the issuer's."""
    return CertificateHashData(
        ALGORITHM,
        hashlib.sha256(certificate.issuer).hexdigest(),
        hashlib.sha256(issuer.key_bits).hexdigest(),
        format(certificate.serial_number, "x"),
    )


def hash_data_of(certificate: Certificate, known: Iterable[Certificate]) -> CertificateHashData | None:
    """The name of a certificate whose issuer is it itself, or among `known`; None where the issuer is not there."""
    if certificate.is_self_issued:
        return named(certificate, certificate)
    for issuer in known:
        if certificate.is_signed_by(issuer):
            return named(certificate, issuer)
    return None


def equal(one: CertificateHashData, other: CertificateHashData) -> bool:
    """Do both name the same certificate? Digits of either case, and zeros before a serial number, mean the same."""
    return _plain(one) == _plain(other)


def _plain(data: CertificateHashData) -> tuple[str, ...]:
    algorithm, *hashes, serial = (part.strip().lower() for part in data)
    return algorithm.replace("-", ""), *hashes, serial.removeprefix("0x").lstrip("0")

"""Lists of revoked certificates (RFC 5280 §5) that lie with the roots: is this certificate on one of them?

A list counts when its issuer's key proves it. That one is out of date does not make a certificate good that is on it;
that one is not on any list proves nothing, and is not asked for here.
"""

from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from cryptography import x509

from ocpp16.pem import pem_blocks
from ocpp16.security.certificate import Certificate

__all__ = ["lists_in", "revoked"]

MOST_LISTS: Final = 50
"""Lists of one file that are looked at."""
LONGEST: Final = 4 * 1024 * 1024
"""Bytes of one list."""

RevocationList = x509.CertificateRevocationList


def lists_in(content: bytes) -> Iterator[RevocationList]:
    """The lists in a file of PEM blocks; what cannot be read is left out."""
    for number, found in enumerate(pem_blocks(content, b"X509 CRL")):
        if number >= MOST_LISTS:
            return
        one = _read(found.body)
        if one is not None:
            yield one


def _read(text: bytes) -> RevocationList | None:
    try:
        der = a2b_base64(text, strict_mode=True)
        return x509.load_der_x509_crl(der) if len(der) <= LONGEST else None
    except Exception:  # of many kinds, and which ones depends on the version of the library
        return None


def revoked(path: Sequence[Certificate], lists: Iterable[RevocationList]) -> Certificate | None:
    """Of a path from leaf to root the first certificate that its issuer has taken back; None: no list says so."""
    known = list(lists)
    for certificate, issuer in pairwise(path):
        if any(_names(one, certificate, issuer) for one in known):
            return certificate
    return None


def _names(one: RevocationList, certificate: Certificate, issuer: Certificate) -> bool:
    key: Any = issuer.public_key
    try:
        if one.issuer.public_bytes() != issuer.subject or not one.is_signature_valid(key):
            return False
        return one.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
    except Exception:  # of kinds of keys and lists that the library does not know
        return False

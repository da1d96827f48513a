"""What a certificate must be for the use that is asked of it: its role, its algorithms, its key, its time.

A rule answers with what is wrong, in words for a log, or "".
"""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from ocpp16.security.certificate import Certificate
from ocpp16.security.evse_security import LeafCertificateType

__all__ = ["ca_fault", "is_root", "key_fault", "leaf_fault", "root_fault", "signature_fault"]

SMALLEST_RSA: Final = 2048
"""Bits (security white paper, on key lengths)."""
SMALLEST_CURVE: Final = 224
_ANY_USE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string
_WANTED_USE: Final = {
    LeafCertificateType.CSMS: ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
    LeafCertificateType.V2G: ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,
    LeafCertificateType.MF: ExtendedKeyUsageOID.CODE_SIGNING.dotted_string,
    LeafCertificateType.MO: ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
}
"""What one must be for that limits what it is for. Contracts mostly do not (ISO 15118-2): what is limited to serving,
or to signing firmware, is none."""


def key_fault(certificate: Certificate) -> str:
    """Is its key too weak?"""
    key = certificate.public_key
    match key:
        case rsa.RSAPublicKey():
            return "" if key.key_size >= SMALLEST_RSA else f"an RSA key of {key.key_size} bits"
        case ec.EllipticCurvePublicKey():
            return "" if key.curve.key_size >= SMALLEST_CURVE else f"a key on the curve {key.curve.name}"
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return ""
        case dsa.DSAPublicKey():
            return "a DSA key"
    return "a key of an unknown kind"


def signature_fault(certificate: Certificate) -> str:
    """Was it signed with a hash that can be forged?"""
    try:
        found = certificate.x509.signature_hash_algorithm
    except Exception:  # of an algorithm that the library does not know
        return "a signature of an unknown kind"
    if isinstance(found, hashes.SHA1 | hashes.MD5):
        return f"a signature with {found.name.upper()}"
    return ""


def is_root(certificate: Certificate, *, successors_are_roots: bool) -> bool:
    """Does a chain end at it, if it lies with the roots? One that somebody else signed is none but the successor of a
    root (AdditionalRootCertificateCheck): others there only help to build chains."""
    return certificate.is_self_issued or (successors_are_roots and certificate.is_ca is True)


def ca_fault(certificate: Certificate, *, strict: bool) -> str:
    """May it sign others? `strict`: only if it says so (basicConstraints, RFC 5280 §4.2.1.9)."""
    if certificate.is_ca is False:
        return "not the certificate of a CA"
    if certificate.is_ca is None and (strict or certificate.extended_usage is not None):
        return "not said to be the certificate of a CA"
    if certificate.usage is not None and not certificate.usage.key_cert_sign:
        return "not for signing certificates"
    if certificate.has_unknown_critical:
        return "it has a critical extension that is unknown here"
    return ""


def root_fault(certificate: Certificate, *, strict: bool) -> str:
    """May it be trusted as the beginning of chains, as far as its role goes?"""
    if not certificate.is_self_issued:
        return "not self-signed: an intermediate certificate"
    return ca_fault(certificate, strict=strict)


def leaf_fault(certificate: Certificate, leaf_type: LeafCertificateType) -> str:
    """May it be used for this?"""
    if certificate.is_ca:
        return "the certificate of a CA where a leaf was expected"
    if certificate.usage is not None and not certificate.usage.digital_signature:
        return "not for digital signatures"
    wanted = _WANTED_USE.get(leaf_type)
    limited = certificate.extended_usage
    if wanted is not None and limited is not None and wanted not in limited and _ANY_USE not in limited:
        return "not for this use (extended key usage)"
    if certificate.has_unknown_critical:
        return "it has a critical extension that is unknown here"
    return ""

"""What a person, or a program that reads JSON, is told of a certificate."""

from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ocpp16.security.certificate import Certificate, certificates_in
from ocpp16.security.certificate_rules import key_fault, signature_fault
from ocpp16.security.evse_security import CertificateHashData
from ocpp16.security.store_rules import DAY

__all__ = ["common_name_of", "facts_of", "hash_data_facts"]


def facts_of(certificate: Certificate, now: float) -> dict[str, Any]:
    """Nothing in it is a secret; all texts are those of the certificate, and foreign. `days_left` is negative of one
    that is expired. `now`: seconds since 1970, UTC."""
    return {
        "subject": certificate.name,
        "issuer": certificate.x509.issuer.rfc4514_string(),
        "serial": format(certificate.serial_number, "x"),
        "fingerprint": certificate.fingerprint,
        "not_before": _time(certificate.starts_at),
        "not_after": _time(certificate.expires_at),
        "days_left": int((certificate.expires_at - now) // DAY),
        "valid": certificate.is_valid_at(now),
        "key": _key(certificate),
        "is_ca": certificate.is_ca,
        "names": _names(certificate),
        "ocsp": certificate.responder_url or None,
        "weak": key_fault(certificate) or signature_fault(certificate) or None,
    }


def common_name_of(text: str) -> str | None:
    """Of the first certificate in a text, its common name, "" without one; None: there is no certificate in it."""
    found = certificates_in(text)
    if not found:
        return None
    names = found[0].x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def hash_data_facts(data: CertificateHashData | None) -> dict[str, str] | None:
    """As messages have it."""
    if data is None:
        return None
    names = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
    return dict(zip(names, data, strict=True))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(certificate: Certificate) -> str:
    match certificate.public_key:
        case rsa.RSAPublicKey() as key:
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() as key:
            return f"EC {key.curve.name}"
    return type(certificate.public_key).__name__.strip("_").removesuffix("PublicKey")


def _names(certificate: Certificate) -> list[str]:
    try:
        found = certificate.x509.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in found]

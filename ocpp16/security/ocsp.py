"""Answers about revocation (OCSP, RFC 6960): of which certificates to ask, and whether an answer is what it says.

An answer is kept only when it proved to be of the certificate it was asked for, signed by the issuer or by whom the
issuer named for it, and of now. Nothing is fetched here: the Central System asks, and hands the answer on.
"""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from ocpp16.security.certificate import Certificate
from ocpp16.security.evse_security import CertificateHashData, OcspRequestData
from ocpp16.security.hash_data import equal, named

__all__ = ["OcspAnswer", "checked_answer", "next_update", "request_data"]

LONGEST_ANSWER: Final = 64 * 1024
"""Bytes."""


class OcspAnswer(NamedTuple):
    """`next_update`: seconds since 1970, UTC, until which it may be believed; None: it does not say.
    `is_revoked`: the issuer has taken the certificate back; `this_update`: as the issuer knew it then, seconds since
    1970, UTC."""

    der: bytes
    next_update: float | None
    is_revoked: bool
    this_update: float


def request_data(path: Sequence[Certificate]) -> Iterator[OcspRequestData]:
    """Of a path from leaf to root those below the root that name a responder."""
    for certificate, issuer in pairwise(path):
        if certificate.responder_url:
            yield OcspRequestData(named(certificate, issuer), certificate.responder_url)


def checked_answer(
    der: bytes, hash_data: CertificateHashData, issuer: Certificate, now: float, tolerance: float
) -> OcspAnswer:
    """The answer, if it is good. Raises ValueError that says why it is not.

    Parameters: `issuer` signed the certificate that `hash_data` names; `now`: seconds since 1970; `tolerance`: seconds
    that the clock may be wrong.
    """
    if len(der) > LONGEST_ANSWER:
        raise ValueError("an OCSP answer that is far too long")
    try:
        return _checked(der, hash_data, issuer, now, tolerance)
    except ValueError:
        raise
    except Exception as error:  # of many kinds, also where one is looked at: algorithms that the library does not know
        raise ValueError("no OCSP answer that can be read") from error


def _checked(
    der: bytes, hash_data: CertificateHashData, issuer: Certificate, now: float, tolerance: float
) -> OcspAnswer:
    answer = ocsp.load_der_ocsp_response(der)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError(f"the responder says {answer.response_status.name}")
    singles = list(answer.responses)
    signers = [Certificate(one.public_bytes(Encoding.DER)) for one in answer.certificates]
    single = next((one for one in singles if _is_of(one, hash_data, issuer)), None)
    if single is None:
        raise ValueError("the answer is of another certificate")
    if not any(_signed(answer, signer) for signer in _responders(issuer, signers, now, tolerance)):
        raise ValueError("the signature of the answer is not of the issuer, or of whom it named")
    until = None if single.next_update_utc is None else single.next_update_utc.timestamp()
    since = single.this_update_utc.timestamp()
    if since > now + tolerance or (until is not None and until < now - tolerance):
        raise ValueError("the answer is not of now")
    return OcspAnswer(der, until, single.certificate_status is ocsp.OCSPCertStatus.REVOKED, since)


def next_update(text: str) -> float | None:
    """Until when what a responder said (base64 of its DER) may be believed, seconds since 1970, UTC; None: it does not
    say, or cannot be read. Nothing is proved here: that is the keeper's."""
    try:
        answer = ocsp.load_der_ocsp_response(b64decode("".join(text.split()), validate=True))
        times = [one.next_update_utc for one in answer.responses]
    except Exception:  # of many kinds
        return None
    return min((time.timestamp() for time in times if time is not None), default=None)


def _is_of(single: ocsp.OCSPSingleResponse, hash_data: CertificateHashData, issuer: Certificate) -> bool:
    """Hashes of the answer may be of another algorithm than those of the message."""
    algorithm = single.hash_algorithm
    if not isinstance(algorithm, hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        return False
    if single.issuer_name_hash != hashlib.new(algorithm.name, issuer.subject).digest():
        return False
    if single.issuer_key_hash != hashlib.new(algorithm.name, issuer.key_bits).digest():
        return False
    found = CertificateHashData(
        "SHA256",
        hashlib.sha256(issuer.subject).hexdigest(),
        hashlib.sha256(issuer.key_bits).hexdigest(),
        format(single.serial_number, "x"),
    )
    return equal(found, hash_data)


def _responders(
    issuer: Certificate, sent: Sequence[Certificate], now: float, tolerance: float
) -> Iterator[Certificate]:
    """Whose signatures count (RFC 6960 §4.2.2.2)."""
    yield issuer
    for one in sent:
        uses = one.extended_usage or ()
        is_named = ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string in uses and one.is_signed_by(issuer)
        if is_named and one.is_valid_at(now, tolerance):
            yield one


def _signed(answer: ocsp.OCSPResponse, signer: Certificate) -> bool:
    key: Any = signer.public_key
    algorithm = answer.signature_hash_algorithm
    try:
        match key:
            case rsa.RSAPublicKey() if algorithm is not None:
                scheme = padding.PKCS1v15()
                key.verify(answer.signature, answer.tbs_response_bytes, scheme, algorithm)
            case ec.EllipticCurvePublicKey() if algorithm is not None:
                key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(answer.signature, answer.tbs_response_bytes)
            case _:
                return False
    except Exception:  # InvalidSignature, and what the library says of kinds it does not know
        return False
    return not isinstance(algorithm, hashes.SHA1 | hashes.MD5)

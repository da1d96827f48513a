"""Private keys and requests for certificates: made, written down, found again by the public key.

A key is named after its public key, so that the key of a certificate is found without trying all. Keys that only a
provider of OpenSSL can use are those of `tpm`.
"""

import hashlib
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

__all__ = ["KeyType", "MadeKey", "Subject", "digest_of", "made_key", "public_key_of", "request_for"]

DOMAIN_COMPONENT: Final = "CPO"
"""As libocpp has it in requests for certificates."""
_DIGITS: Final = 32


class KeyType(StrEnum):
    """What keys are made (security white paper, on keys: P-256, or RSA of at least 2048 bits)."""

    EC_P256 = "EC P-256"
    """On the curve P-256 (secp256r1)."""
    RSA_2048 = "RSA 2048"
    """RSA, 2048 bits."""
    RSA_3072 = "RSA 3072"
    """RSA, 3072 bits."""
    RSA_4096 = "RSA 4096"
    """RSA, 4096 bits."""


class Subject:
    """Whom a certificate is asked for; what is "" is left out."""

    __slots__ = ("common_name", "country", "organization")

    def __init__(self, country: str, organization: str, common_name: str) -> None:
        self.country: str = country
        self.organization: str = organization
        self.common_name: str = common_name

    def parts(self) -> list[tuple[x509.ObjectIdentifier, str]]:
        """In the order of the request. Raises ValueError without a common name."""
        if not self.common_name:
            raise ValueError("a request needs a common name")
        wanted = [
            (NameOID.COUNTRY_NAME, self.country),
            (NameOID.ORGANIZATION_NAME, self.organization),
            (NameOID.COMMON_NAME, self.common_name),
            (NameOID.DOMAIN_COMPONENT, DOMAIN_COMPONENT),
        ]
        return [(kind, value) for kind, value in wanted if value]


_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_SIZES: Final = {KeyType.RSA_2048: 2048, KeyType.RSA_3072: 3072, KeyType.RSA_4096: 4096}


class MadeKey:
    """A new private key. `pem`: how it is written down, encrypted where there is a password."""

    __slots__ = ("_key", "pem", "public")

    def __init__(self, key: _Key, password: str | None) -> None:
        protection: KeySerializationEncryption = NoEncryption()
        if password:
            protection = BestAvailableEncryption(password.encode())
        self._key = key
        self.pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
        self.public: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def signed(self, builder: x509.CertificateSigningRequestBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


def made_key(kind: KeyType, password: str | None) -> MadeKey:
    if kind is KeyType.EC_P256:
        return MadeKey(ec.generate_private_key(ec.SECP256R1()), password)
    return MadeKey(rsa.generate_private_key(65537, _SIZES[kind]), password)


def request_for(key: MadeKey, subject: Subject) -> str:
    """The request in PEM. Raises ValueError for names that a certificate cannot have."""
    name = x509.Name([x509.NameAttribute(kind, value) for kind, value in subject.parts()])
    builder = x509.CertificateSigningRequestBuilder(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=True,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return key.signed(builder.add_extension(usage, critical=False)).decode("ascii")


def digest_of(public: bytes) -> str:
    """The part of a file name that says which public key (SubjectPublicKeyInfo in DER) it is of."""
    return hashlib.sha256(public).hexdigest()[:_DIGITS]


def public_key_of(pem: bytes, password: str | None) -> bytes | None:
    """The public key of a private one; None where it cannot be opened. Raises nothing, and tells nobody why."""
    for attempt in (None, password.encode()) if password else (None,):
        try:
            key = load_pem_private_key(pem, attempt)
        except Exception:  # no key, a wrong password, an unknown kind: all the same here  # noqa: S112
            continue
        if isinstance(
            key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
        ):
            return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return None

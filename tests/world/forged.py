"""Certificates of every kind of wrongness, made in the test."""

from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = 1_790_000_000.0
DAY = 86_400.0
USES = {
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "code": ExtendedKeyUsageOID.CODE_SIGNING,
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "ocsp": ExtendedKeyUsageOID.OCSP_SIGNING,
}


@lru_cache
def _slow_key(kind: str) -> Any:
    if kind == "dsa":
        return dsa.generate_private_key(2048)
    return rsa.generate_private_key(65537, {"rsa": 2048, "rsa1024": 1024}[kind])


def new_key(kind: str = "ec") -> Any:
    """ "ec", "p192", "rsa", "rsa1024" or "dsa"."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return ec.generate_private_key(ec.SECP192R1()) if kind == "p192" else _slow_key(kind)


class Forged:
    """A certificate and its key. `signed_by` None: self-signed.

    `ca` None: no basicConstraints; `usage` None: no keyUsage, else names of what is allowed; `issuer`: the name of the
    issuer, where that is not who signs; `now`: what `start` and `end` count from, in days; `address`: its IP address.
    """

    def __init__(
        self,
        name: str,
        signed_by: "Forged | None" = None,
        *,
        ca: bool | None = None,
        path_length: int | None = None,
        key: Any = "ec",
        now: float = NOW,
        start: float = -1,
        end: float = 365,
        usage: tuple[str, ...] | None = None,
        uses: tuple[str, ...] = (),
        identifiers: bool = False,
        unknown_critical: bool = False,
        issuer: str | None = None,
        responder: str = "",
        address: str = "",
    ) -> None:
        self.name = name
        self.private = new_key(key) if isinstance(key, str) else key
        signer = self if signed_by is None else signed_by
        builder = x509.CertificateBuilder(
            subject_name=_name(name),
            issuer_name=_name(issuer or signer.name),
            public_key=self.private.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=datetime.fromtimestamp(now + start * DAY, UTC),
            not_valid_after=datetime.fromtimestamp(now + end * DAY, UTC),
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        if usage is not None:
            builder = builder.add_extension(_usage(usage), critical=True)
        if uses:
            builder = builder.add_extension(x509.ExtendedKeyUsage([USES[use] for use in uses]), critical=False)
        if identifiers:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.private.public_key())
            builder = builder.add_extension(identifier, critical=False)
            own = x509.SubjectKeyIdentifier.from_public_key(self.private.public_key())
            builder = builder.add_extension(own, critical=False)
        if unknown_critical:
            unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
            builder = builder.add_extension(unknown, critical=True)
        if responder:
            place = x509.AccessDescription(
                x509.oid.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(responder)
            )
            builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
        if address:
            alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
            builder = builder.add_extension(alternative, critical=False)
        self.x509 = builder.sign(signer.private, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.x509.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.x509.public_bytes(Encoding.DER)

    def key_pem(self, password: str = "") -> bytes:
        protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        found: bytes = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
        return found


def root(name: str = "Root", **options: Any) -> Forged:
    return Forged(name, **{"ca": True, "usage": ("key_cert_sign",), "end": 3650, **options})


def below(above: Forged, name: str = "Below", **options: Any) -> Forged:
    return Forged(name, above, **{"ca": True, "usage": ("key_cert_sign",), **options})


def leaf(above: Forged, name: str = "leaf", **options: Any) -> Forged:
    return Forged(name, above, **{"ca": False, "usage": ("digital_signature",), **options})


def tampered(certificate: Forged) -> str:
    """The same with another signature of the same form."""
    der = bytearray(certificate.der)
    der[-1] ^= 1
    return x509.load_der_x509_certificate(bytes(der)).public_bytes(Encoding.PEM).decode()


def with_sha1(certificate: Forged, signer: Forged) -> bytes:
    """The same in DER, signed with SHA-1 by the RSA key of `signer`; the library would not make one."""
    sha256, sha1 = (bytes.fromhex("06092a864886f70d0101") + last for last in (b"\x0b", b"\x05"))
    tbs = certificate.x509.tbs_certificate_bytes
    changed = tbs.replace(sha256, sha1, 1)
    signature = signer.private.sign(changed, padding.PKCS1v15(), hashes.SHA1())
    whole = certificate.der.replace(tbs, changed).replace(certificate.x509.signature, signature)
    return whole.replace(sha256, sha1)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(allowed: tuple[str, ...]) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    further = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in allowed for name in (*names, *further)})

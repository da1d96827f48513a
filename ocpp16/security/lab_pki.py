"""Certificate authorities to try things with: for `ocpp16 pki`, for tests, and for who tests with our test kit.

Not for a product: keys lie about in files, nothing is revoked, and nobody watches the authority.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from ocpp16.security.store_rules import DAY

__all__ = ["Authority", "Issued", "Use"]


class Use:
    """What a certificate is for; names of extended key usages."""

    SERVER = ExtendedKeyUsageOID.SERVER_AUTH
    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
    CODE = ExtendedKeyUsageOID.CODE_SIGNING


class Issued(NamedTuple):
    """A certificate with what belongs to it, all PEM: `chain` is it and the intermediate ones, leaf first; `key` is ""
    where the key is somebody else's."""

    certificate: str
    chain: str
    key: str

    @property
    def serial(self) -> str:
        """Its serial number, as messages have it: hexadecimal in lower case."""
        return format(x509.load_pem_x509_certificate(self.certificate.encode()).serial_number, "x")


class Authority:
    """A certificate authority; a root, if nobody is above it.

    Parameters: `name` its common name; `now` seconds since 1970, UTC; `days` how long its certificate lasts; `above`
    who signs it; `path_length` how many authorities may be below it.
    """

    def __init__(
        self,
        name: str,
        now: float,
        *,
        days: float = 3650,
        above: "Authority | None" = None,
        path_length: int | None = None,
    ) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._now = now
        self._above = above
        builder = _builder(_name(name), self._key.public_key(), now, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        builder = builder.add_extension(_usage(is_authority=True), critical=True)
        self._subject: x509.Name = _name(name)
        issuer, key = (_name(name), self._key) if above is None else (above._subject, above._key)
        self._certificate = _signed(builder, issuer, key)

    @classmethod
    def loaded(cls, certificate: str, key: str, now: float) -> "Authority":
        """A root that was made before, of its PEM texts. now: seconds since 1970, UTC. Raises ValueError for what is
        none."""
        made = cls.__new__(cls)
        found: Any = load_pem_private_key(key.encode(), None)
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise ValueError("its key is of another kind")
        made._key, made._now, made._above = found, now, None
        made._certificate = x509.load_pem_x509_certificate(certificate.encode())
        made._subject = made._certificate.subject
        return made

    @property
    def certificate(self) -> str:
        """Its own, in PEM."""
        return _pem(self._certificate)

    @property
    def key(self) -> str:
        """Its private key, in PEM."""
        return _pem_key(self._key)

    @property
    def intermediates(self) -> str:
        """Those between what it signs and the root, its own first; "" of a root."""
        return "" if self._above is None else self.certificate + self._above.intermediates

    def issue(
        self,
        common_name: str,
        *,
        names: Sequence[str] = (),
        use: x509.ObjectIdentifier | None = None,
        organization: str = "",
        starts_in: float = 0,
        days: float = 365,
        responder_url: str = "",
    ) -> Issued:
        """A certificate with a key of its own.

        Parameters: `names` DNS names and IP addresses; `use` one of `Use`; `starts_in` days; `responder_url` of OCSP.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name, organization), key.public_key(), self._now + starts_in * DAY, days)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), False)
        return self._leaf(_with_responder(builder, responder_url), use, _pem_key(key))

    def sign_request(
        self,
        csr: str,
        *,
        use: x509.ObjectIdentifier | None = Use.CLIENT,
        starts_in: float = 0,
        days: float = 365,
        responder_url: str = "",
    ) -> Issued:
        """The certificate that a request (PEM) asks for. It is valid for so many days, beginning in `starts_in`
        seconds. Raises ValueError for what is no request, or is not signed by the key it names."""
        request = x509.load_pem_x509_csr(csr.encode())
        try:
            is_signed, key = request.is_signature_valid, request.public_key()
        except UnsupportedAlgorithm as error:
            raise ValueError(f"the key of the request: {error}") from error
        if not is_signed:
            raise ValueError("the signature of the request is wrong")
        builder = _builder(request.subject, key, self._now + starts_in * DAY, days)
        return self._leaf(_with_responder(builder, responder_url), use, "")

    def certificate_status(
        self, certificate: str, now: float, *, days: float | None = 7, is_revoked: bool = False
    ) -> str:
        """What a responder says of one that it has signed: base64 of its DER, valid from `now` (seconds since 1970) for
        `days`; None: it does not say until when."""
        since = datetime.fromtimestamp(int(now), UTC)
        status = ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=x509.load_pem_x509_certificate(certificate.encode()),
            issuer=self._certificate,
            algorithm=hashes.SHA256(),
            cert_status=status,
            this_update=since,
            next_update=None if days is None else datetime.fromtimestamp(int(now + days * DAY), UTC),
            revocation_time=since if is_revoked else None,
            revocation_reason=None,
        )
        signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self._certificate)
        return b64encode(signed.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)).decode("ascii")

    def _leaf(self, builder: x509.CertificateBuilder, use: x509.ObjectIdentifier | None, key: str) -> Issued:
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(is_authority=False), critical=True)
        if use is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([use]), False)
        certificate = _pem(_signed(builder, self._subject, self._key))
        return Issued(certificate, certificate + self.intermediates, key)


def _name(common_name: str, organization: str = "") -> x509.Name:
    parts = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts if value])


def _builder(subject: x509.Name, public_key: Any, starts_at: float, days: float) -> x509.CertificateBuilder:
    begin, end = (datetime.fromtimestamp(int(time), UTC) for time in (starts_at, starts_at + days * DAY))
    builder = x509.CertificateBuilder(
        subject_name=subject,
        public_key=public_key,
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=end,
    )
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)


def _with_responder(builder: x509.CertificateBuilder, url: str) -> x509.CertificateBuilder:
    if not url:
        return builder
    description = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
    return builder.add_extension(x509.AuthorityInformationAccess([description]), False)


def _signed(builder: x509.CertificateBuilder, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.issuer_name(issuer).add_extension(identifier, False).sign(key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _pem_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")

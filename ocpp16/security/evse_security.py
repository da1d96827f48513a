"""EvseSecurity: what a charge point needs of whoever keeps its certificates and keys, as a Protocol.

Names are libocpp's. The built-in one keeps files (`ocpp16.security.file_evse_security`); a host may bring its own, for
keys that never leave a chip, say: `open_charge_point(evse_security=…)`. The methods are async, since files, chips and
keys of RSA take their time; each is awaited under a deadline, and one that overruns, raises, or answers something of
another type, yields the safe answer its docstring names. None may wait for the Central System.

Texts are PEM, in UTF-8, with line ends of either kind. Whoever answers has checked what he was given: nothing here is
trusted because of who sent it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = [
    "CaCertificateType",
    "CertificateExamination",
    "CertificateHashData",
    "CertificateHashDataChain",
    "CertificateSigningRequest",
    "CertificateType",
    "CertificateValidationResult",
    "CsrStatus",
    "DeleteCertificateResult",
    "EvseSecurity",
    "InstallCertificateResult",
    "LeafCertificate",
    "LeafCertificateStatus",
    "LeafCertificateType",
    "OcspRequestData",
]


class CaCertificateType(StrEnum):
    """Whom a root certificate vouches for."""

    CSMS = "CSMS"
    """The Central System."""
    V2G = "V2G"
    """Charging stations towards cars (ISO 15118)."""
    MO = "MO"
    """Contracts of mobility operators."""
    MF = "MF"
    """Firmware of the manufacturer."""


class LeafCertificateType(StrEnum):
    """What a certificate that signs no others is for."""

    CSMS = "CSMS"
    """The charge point towards the Central System: the client certificate of security profile 3."""
    V2G = "V2G"
    """The charging station towards cars."""
    MO = "MO"
    """A contract."""
    MF = "MF"
    """The signature of firmware."""


class CertificateType(StrEnum):
    """What may be listed of the installed certificates."""

    V2G_ROOT_CERTIFICATE = "V2GRootCertificate"
    """Of cars and of stations towards them."""
    MO_ROOT_CERTIFICATE = "MORootCertificate"
    """Of contracts."""
    CSMS_ROOT_CERTIFICATE = "CSMSRootCertificate"
    """Of the Central System."""
    V2G_CERTIFICATE_CHAIN = "V2GCertificateChain"
    """The station's own towards cars."""
    MF_ROOT_CERTIFICATE = "MFRootCertificate"
    """Of the manufacturer, who signs firmware."""


class InstallCertificateResult(StrEnum):
    """What became of a certificate to be installed."""

    ACCEPTED = "Accepted"
    """It is installed, or was already."""
    INVALID_SIGNATURE = "InvalidSignature"
    """A signature is wrong, or a key or signature too weak."""
    INVALID_CERTIFICATE_CHAIN = "InvalidCertificateChain"
    """It may not be used for this, or one of its chain is revoked."""
    INVALID_FORMAT = "InvalidFormat"
    """It cannot be read."""
    INVALID_COMMON_NAME = "InvalidCommonName"
    """It is of another one."""
    NO_ROOT_CERTIFICATE_INSTALLED = "NoRootCertificateInstalled"
    """It leads to no root that is installed."""
    EXPIRED = "Expired"
    """It is expired, or not valid yet."""
    CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED = "CertificateStoreMaxLengthExceeded"
    """There is no room for another one."""
    WRITE_ERROR = "WriteError"
    """It cannot be written, or its private key is not here."""


class DeleteCertificateResult(StrEnum):
    """What became of a certificate to be deleted."""

    ACCEPTED = "Accepted"
    """It is deleted."""
    FAILED = "Failed"
    """It must not be deleted, or cannot."""
    NOT_FOUND = "NotFound"
    """There is none with this hash data."""


class CertificateValidationResult(StrEnum):
    """What became of a check of a certificate, with its chain."""

    VALID = "Valid"
    """It leads to a trusted root, and may be used for this."""
    EXPIRED = "Expired"
    """One of the chain is expired, or not valid yet."""
    INVALID_SIGNATURE = "InvalidSignature"
    """Of one between the leaf and the root, or too weak."""
    ISSUER_NOT_FOUND = "IssuerNotFound"
    """It leads to no root that is installed."""
    INVALID_LEAF_SIGNATURE = "InvalidLeafSignature"
    """Of the leaf."""
    INVALID_CHAIN = "InvalidChain"
    """One of it may not be used for this."""
    REVOKED = "Revoked"
    """One of the chain was taken back by its issuer. Only here: libocpp does not look."""
    UNKNOWN = "Unknown"
    """It cannot be read, or nobody could look."""


class CertificateExamination(NamedTuple):
    """What a chain is worth, and why, in words for a log; `reason` is "" where it is Valid."""

    result: CertificateValidationResult
    reason: str = ""


class CsrStatus(StrEnum):
    """Why there is a request to sign a certificate, or none."""

    ACCEPTED = "Accepted"
    """There is a request."""
    INVALID_REQUESTED_TYPE = "InvalidRequestedType"
    """No keys are made for this use."""
    KEY_GEN_ERROR = "KeyGenError"
    """No key could be made, or not be written."""
    GENERATION_ERROR = "GenerationError"
    """A key could, the request could not."""


class LeafCertificateStatus(StrEnum):
    """Is there a certificate of our own to be used?"""

    ACCEPTED = "Accepted"
    """There is one, with its key."""
    REJECTED = "Rejected"
    """None of this use is kept, or nobody could look."""
    NOT_FOUND = "NotFound"
    """There is no certificate."""
    NOT_FOUND_VALID = "NotFoundValid"
    """There is none that is valid now."""
    PRIVATE_KEY_NOT_FOUND = "PrivateKeyNotFound"
    """There is one, and no key that opens."""


class CertificateHashData(NamedTuple):
    """Names a certificate by hashes (security white paper, CertificateHashDataType).

    `issuer_name_hash`: SHA-256 of the issuer's name in DER; `issuer_key_hash`: of the bits of the issuer's public key;
    `serial_number`: hexadecimal without leading zeros. All in lower case; they compare without case.
    """

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


class CertificateHashDataChain(NamedTuple):
    """An installed certificate, and for a chain those between it and the root, leaf first."""

    certificate_type: CertificateType
    hash_data: CertificateHashData
    child_hash_data: tuple[CertificateHashData, ...] = ()
    """Of the certificates between it and the root, leaf first."""


class OcspRequestData(NamedTuple):
    """Of which certificate to ask whether it is revoked, and where (an URL)."""

    hash_data: CertificateHashData
    responder_url: str
    """Of the responder that its issuer names (AIA), http:// or https://."""


class CertificateSigningRequest(NamedTuple):
    """`csr`: the request in PEM where `status` is Accepted, otherwise ""."""

    status: CsrStatus
    csr: str = ""


@dataclass(frozen=True, slots=True)
class LeafCertificate:
    """The certificate in use, by files that OpenSSL can read; all but `status` None unless that is Accepted.

    `chain`: leaf first, with its intermediate ones; `certificate`: the leaf alone; `key`: the private key, which may be
    one that only a provider of OpenSSL can use; `key_password`: opens it; `expires_at`: seconds since 1970, UTC;
    `fingerprint`: SHA-256 of the certificate, in hexadecimal.
    """

    status: LeafCertificateStatus
    chain: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    fingerprint: str = ""


class EvseSecurity(Protocol):
    """Keeps roots, certificates and keys, and proves them (security white paper, edition 3).

    It may have a method `examine_certificate`, with the parameters of `verify_certificate`, that answers with a
    `CertificateExamination`: then a refused contract is told with its reason.
    """

    async def install_ca_certificate(
        self, certificate: str, certificate_type: CaCertificateType
    ) -> InstallCertificateResult:
        """Trust one more root from now on, once it is durable. Safe answer: WriteError."""
        ...

    async def delete_certificate(self, hash_data: CertificateHashData) -> DeleteCertificateResult:
        """Safe answer: Failed. Failed, too, for the last root of the Central System, and for the certificate of the
        charge point itself."""
        ...

    async def get_installed_certificates(
        self, certificate_types: Sequence[CertificateType]
    ) -> Sequence[CertificateHashDataChain]:
        """Safe answer: none."""
        ...

    async def is_ca_certificate_installed(self, certificate_type: CaCertificateType) -> bool:
        """Is there a root that is valid now? Safe answer: False."""
        ...

    async def verify_certificate(
        self, certificate_chain: str, leaf_types: Sequence[LeafCertificateType]
    ) -> CertificateValidationResult:
        """Does a chain, leaf first, lead to an installed root of one of these uses, and is it valid now? Safe answer:
        Unknown."""
        ...

    async def update_leaf_certificate(
        self, certificate_chain: str, leaf_type: LeafCertificateType
    ) -> InstallCertificateResult:
        """Install a certificate, leaf first, for a key that is here. Older ones stay until they are of no use. Safe
        answer: WriteError."""
        ...

    async def generate_certificate_signing_request(
        self, leaf_type: LeafCertificateType, country: str, organization: str, common_name: str, use_tpm: bool
    ) -> CertificateSigningRequest:
        """Make a key, durable before this answers, and a request for its certificate. Safe answer: GenerationError."""
        ...

    async def get_leaf_certificate_info(
        self, leaf_type: LeafCertificateType, refused: Sequence[str] = ()
    ) -> LeafCertificate:
        """The certificate to use now: of those valid, with a key, the one that expires last. Safe answer: Rejected.

        `refused`: fingerprints of those that the Central System did not take; of these only where there is no other.
        """
        ...

    async def get_leaf_expiry_days_count(self, leaf_type: LeafCertificateType) -> int:
        """Whole days until the certificate in use expires, 0 without one. Safe answer: 0."""
        ...

    async def get_verify_location(self, certificate_type: CaCertificateType) -> Path | None:
        """A PEM file, or a folder of files .pem and .der, with the roots to trust; None: none. Safe answer: None."""
        ...

    async def get_v2g_ocsp_request_data(self) -> Sequence[OcspRequestData]:
        """Of the installed V2G chains, those that name a responder. Safe answer: none."""
        ...

    async def get_mo_ocsp_request_data(self, certificate_chain: str) -> Sequence[OcspRequestData]:
        """Of a contract chain that leads to an installed root; none if it does not. Safe answer: none."""
        ...

    async def update_ocsp_cache(self, hash_data: CertificateHashData, ocsp_response: str) -> None:
        """Keep what a responder said, base64 of its DER, once it proved to be of this certificate."""
        ...

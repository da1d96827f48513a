"""Plug & Charge as a host sees it (application note on ISO 15118, over OCPP 1.6): contracts, and what is said of them.

Statuses are those of the application note, and of OCPP 2.0.1 where a charge point decides itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = [
    "CertificateAction",
    "ContractAuthorization",
    "ContractCertificateStatus",
    "ContractIdTokenInfo",
    "ContractStatus",
    "EvCertificateResponse",
    "EvCertificateStatus",
]


class ContractStatus(StrEnum):
    """May the contract charge? (`idTokenInfo.status`)"""

    ACCEPTED = "Accepted"
    """It may."""
    BLOCKED = "Blocked"
    """It is blocked: it may not."""
    CONCURRENT_TX = "ConcurrentTx"
    """It charges elsewhere: it may not."""
    EXPIRED = "Expired"
    """It is expired: it may not."""
    INVALID = "Invalid"
    """Nobody knows it: it may not."""
    NOT_AT_THIS_TIME = "NotAtThisTime"
    """Nobody can be asked, and nothing is decided here then."""
    UNKNOWN = "Unknown"
    """It could not be found out."""


class ContractCertificateStatus(StrEnum):
    """What its certificate is worth (`certificateStatus`)."""

    ACCEPTED = "Accepted"
    SIGNATURE_ERROR = "SignatureError"
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CERTIFICATE_REVOKED = "CertificateRevoked"
    NO_CERTIFICATE_AVAILABLE = "NoCertificateAvailable"
    CERT_CHAIN_ERROR = "CertChainError"
    CONTRACT_CANCELLED = "ContractCancelled"


class CertificateAction(StrEnum):
    """What a car wants of a contract certificate."""

    INSTALL = "Install"
    UPDATE = "Update"


class EvCertificateStatus(StrEnum):
    """Was the certificate given?"""

    ACCEPTED = "Accepted"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class ContractIdTokenInfo:
    """`cache_expiry_date_time`: until when the Central System says that this holds; None where it does not say."""

    status: ContractStatus
    cache_expiry_date_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContractAuthorization:
    """The answer to a car that wants to charge with a contract.

    `certificate_status`: None where nobody looked at a certificate. `source`: on whose word; `rule`: by which rule;
    `key`: the configuration key that had a say, empty where none had; `reason`: what is wrong, in words, where that is
    known.
    """

    id_token_info: ContractIdTokenInfo
    certificate_status: ContractCertificateStatus | None = None
    source: str = ""
    rule: str = ""
    key: str = ""
    reason: str = ""

    @property
    def is_accepted(self) -> bool:
        """May it charge? Not where the certificate is refused, whatever is said of the contract."""
        is_good = self.certificate_status in (None, ContractCertificateStatus.ACCEPTED)
        return is_good and self.id_token_info.status is ContractStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class EvCertificateResponse:
    """What a car is answered that wants a contract certificate.

    `exi_response`: base64 of the EXI that the car is given, "" where there is none. `reason`: why it is Failed, in
    words; "" where the Central System said so.
    """

    status: EvCertificateStatus
    exi_response: str = ""
    reason: str = ""

    @property
    def is_accepted(self) -> bool:
        """Is there something for the car?"""
        return self.status is EvCertificateStatus.ACCEPTED

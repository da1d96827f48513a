"""May this contract charge? The ladder of local check, hash data, Central System and offline rules, as one table.

Rules of this file (application note on ISO 15118; OCPP 2.0.1 part 2, C07):
1. Pure: what is known comes in, a decision with its reason comes out. Verifying, asking and looking up are the feature
   profile's work.
2. The table is read from above; the first row whose conditions all hold decides. What a row does not name may be
   anything.
3. A chain that does not hold is told to be so, by `certificate_status`, whoever refuses.
4. What can be named to a responder is asked of the Central System by hashes; a chain as such only where
   CentralContractValidationAllowed. One that does not hold here is never reduced to its hashes: these say nothing of
   what is wrong with it.
5. Offline, a chain that holds is good for a contract that is known here, as an id tag is (LocalAuthorizeOffline).
6. An answer that is an error, unreadable or not there is no permission: Unknown.
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, NamedTuple

from ocpp16.contracts import ContractCertificateStatus as Certificate
from ocpp16.contracts import ContractStatus as Status
from ocpp16.state.authorization import CENTRAL_SYSTEM

__all__ = [
    "ROWS",
    "Ask",
    "ContractDecision",
    "ContractSituation",
    "Row",
    "certificate_status",
    "decide_contract",
    "decide_unanswered_contract",
]


class Ask(Enum):
    """What the Central System is asked with."""

    GIVEN_HASHES = auto()
    HASHES_OF_CHAIN = auto()
    CHAIN = auto()


class ContractSituation(NamedTuple):
    """What is known. `chain`: what the local check made of the chain (`CertificateValidationResult`), "" without one;
    `has_hashes`: OCSP request data came with the question; `is_nameable`: OCSP request data of the chain can be made;
    `is_known`: local list or cache accept the eMAID offline. The others are the keys of these names."""

    is_enabled: bool
    is_connected: bool
    has_hashes: bool = False
    chain: str = ""
    is_nameable: bool = False
    is_known: bool = False
    central_contract_validation_allowed: bool = False
    contract_validation_offline: bool = False
    local_authorize_offline: bool = False


class Row(NamedTuple):
    """`when`: field of the situation → what it is. `decides`: what the Central System is asked with, or the status that
    `source` gives by this `rule` of that `key`."""

    when: Mapping[str, object]
    decides: Ask | Status
    source: str
    rule: str
    key: str = ""


class ContractDecision(NamedTuple):
    """`ask`: what to ask the Central System with; None: `status` is the answer."""

    ask: Ask | None
    status: Status
    certificate_status: Certificate | None
    source: str
    rule: str
    key: str


HERE: Final = "the check of the contract certificate here"
OFFLINE: Final = "offline, nothing allows this contract"
NO_USABLE_ANSWER: Final = "the Central System gave no usable answer"

_PNC, _CENTRAL, _VALIDATED_OFFLINE, _LOCAL = (
    "ISO15118PnCEnabled",
    "CentralContractValidationAllowed",
    "ContractValidationOffline",
    "LocalAuthorizeOffline",
)


def _row(decides: Ask | Status, source: str, rule: str, key: str = "", /, **when: object) -> Row:
    return Row(MappingProxyType(when), decides, source, rule, key)


ROWS: Final[tuple[Row, ...]] = (
    _row(Status.INVALID, "Plug & Charge is off", "nothing is asked", _PNC, is_enabled=False),
    # Connected
    _row(Ask.GIVEN_HASHES, CENTRAL_SYSTEM, "asked with the hash data given", "", is_connected=True, has_hashes=True),
    _row(Status.INVALID, HERE, "neither a chain nor hash data that can be used", "", chain=""),
    _row(
        Ask.CHAIN,
        CENTRAL_SYSTEM,
        "asked with the chain: its issuer is not known here",
        _CENTRAL,
        is_connected=True,
        chain="IssuerNotFound",
        central_contract_validation_allowed=True,
    ),
    _row(
        Status.INVALID,
        HERE,
        "connected, its issuer is not known here",
        _CENTRAL,
        is_connected=True,
        chain="IssuerNotFound",
    ),
    _row(
        Ask.HASHES_OF_CHAIN,
        CENTRAL_SYSTEM,
        "asked with the hash data of the chain, which holds here",
        is_connected=True,
        chain="Valid",
        is_nameable=True,
    ),
    _row(
        Ask.CHAIN,
        CENTRAL_SYSTEM,
        "asked with the chain: it cannot be named by hashes",
        _CENTRAL,
        is_connected=True,
        central_contract_validation_allowed=True,
    ),
    _row(
        Status.INVALID,
        HERE,
        "connected, the chain holds, and names no responder that could be asked",
        _CENTRAL,
        is_connected=True,
        chain="Valid",
    ),
    _row(Status.INVALID, HERE, "connected, the chain does not hold here", _CENTRAL, is_connected=True),
    # Offline
    _row(
        Status.NOT_AT_THIS_TIME,
        OFFLINE,
        "offline, nothing is checked here",
        _VALIDATED_OFFLINE,
        contract_validation_offline=False,
    ),
    _row(
        Status.ACCEPTED,
        HERE,
        "offline, the chain holds, and the contract is known here as accepted",
        _LOCAL,
        chain="Valid",
        local_authorize_offline=True,
        is_known=True,
    ),
    _row(
        Status.INVALID,
        OFFLINE,
        "offline, the chain holds, and the contract is not known here as accepted",
        _LOCAL,
        chain="Valid",
        local_authorize_offline=True,
    ),
    _row(
        Status.UNKNOWN,
        OFFLINE,
        "offline, the chain holds, and nothing is looked up here",
        _LOCAL,
        chain="Valid",
    ),
    _row(Status.EXPIRED, HERE, "offline, the chain is out of date", "", chain="Expired"),
    _row(Status.UNKNOWN, HERE, "offline, the chain does not hold here", ""),
)

_CERTIFICATE: Final[Mapping[str, Certificate]] = MappingProxyType(
    {
        "Valid": Certificate.ACCEPTED,
        "Expired": Certificate.CERTIFICATE_EXPIRED,
        "Revoked": Certificate.CERTIFICATE_REVOKED,
        "InvalidSignature": Certificate.SIGNATURE_ERROR,
        "InvalidLeafSignature": Certificate.SIGNATURE_ERROR,
        "IssuerNotFound": Certificate.NO_CERTIFICATE_AVAILABLE,
        "InvalidChain": Certificate.CERT_CHAIN_ERROR,
        "Unknown": Certificate.NO_CERTIFICATE_AVAILABLE,
    }
)
_NOT_LOOKED_AT: Final = frozenset({Status.NOT_AT_THIS_TIME})


def certificate_status(chain: str) -> Certificate | None:
    """What the application note calls the result of a local check; None without a chain."""
    return _CERTIFICATE.get(chain)


def decide_contract(situation: ContractSituation) -> ContractDecision:
    """Decide by the table."""
    known = situation._asdict()
    for row in ROWS:
        if all(known[name] == value for name, value in row.when.items()):
            return _decision(row, situation)
    raise AssertionError("the last row holds for everything")


def _decision(row: Row, situation: ContractSituation) -> ContractDecision:
    if isinstance(row.decides, Ask):
        return ContractDecision(row.decides, Status.UNKNOWN, None, row.source, row.rule, row.key)
    is_looked_at = situation.is_enabled and row.decides not in _NOT_LOOKED_AT
    status = certificate_status(situation.chain) if is_looked_at else None
    return ContractDecision(None, row.decides, status, row.source, row.rule, row.key)


_UNANSWERED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "offline": "asked: the connection ended",
        "timeout": "asked: no answer in time",
        "stopped": "asked: the charge point was stopped",
        "dropped": "asked: too much waits to be sent",
        "callerror": "asked: an error",
        "unreadable": "asked: an answer that cannot be read",
        "refused": "asked: the Central System does not take part in this",
        "invalid": "not asked: it cannot be put into a message",
    }
)
"""`CallFailed.reason` of an Authorize → the rule."""


def decide_unanswered_contract(reason: str) -> ContractDecision:
    """Decide after Authorize got no confirmation that can be used; `reason` is that of `CallFailed`."""
    rule = _UNANSWERED.get(reason, "asked: no answer")
    return ContractDecision(None, Status.UNKNOWN, None, NO_USABLE_ANSWER, rule, "")

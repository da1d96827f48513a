"""The ladder of contracts, row by row and as a whole."""

from itertools import product
from typing import Any

import pytest

from ocpp16.contracts import ContractStatus
from ocpp16.security.evse_security import CertificateValidationResult
from ocpp16.state.contract_authorization import (
    ROWS,
    Ask,
    ContractSituation,
    certificate_status,
    decide_contract,
    decide_unanswered_contract,
)

ONLINE = {"is_enabled": True, "is_connected": True}
OFFLINE = {"is_enabled": True, "is_connected": False}
RESULTS = tuple(map(str, CertificateValidationResult))


def situation(**members: Any) -> ContractSituation:
    return ContractSituation(**{"is_enabled": True, "is_connected": True, **members})


# Situation, what is asked with or answered, certificate, key.
LADDER: list[tuple[dict[str, Any], Any, str | None, str]] = [
    ({"is_enabled": False}, "Invalid", None, "ISO15118PnCEnabled"),
    ({"is_enabled": False, "chain": "Valid", "has_hashes": True}, "Invalid", None, "ISO15118PnCEnabled"),
    ({**ONLINE, "has_hashes": True}, Ask.GIVEN_HASHES, None, ""),
    ({**ONLINE, "has_hashes": True, "chain": "Expired"}, Ask.GIVEN_HASHES, None, ""),
    (ONLINE, "Invalid", None, ""),
    (
        {**ONLINE, "chain": "IssuerNotFound", "central_contract_validation_allowed": True},
        Ask.CHAIN,
        None,
        "CentralContractValidationAllowed",
    ),
    (
        {**ONLINE, "chain": "IssuerNotFound"},
        "Invalid",
        "NoCertificateAvailable",
        "CentralContractValidationAllowed",
    ),
    ({**ONLINE, "chain": "Valid", "is_nameable": True}, Ask.HASHES_OF_CHAIN, None, ""),
    (
        {**ONLINE, "chain": "Valid", "is_nameable": True, "central_contract_validation_allowed": True},
        Ask.HASHES_OF_CHAIN,
        None,
        "",
    ),
    (
        {**ONLINE, "chain": "Valid", "central_contract_validation_allowed": True},
        Ask.CHAIN,
        None,
        "CentralContractValidationAllowed",
    ),
    ({**ONLINE, "chain": "Valid"}, "Invalid", "Accepted", "CentralContractValidationAllowed"),
    (
        {**ONLINE, "chain": "Expired", "central_contract_validation_allowed": True},
        Ask.CHAIN,
        None,
        "CentralContractValidationAllowed",
    ),
    ({**ONLINE, "chain": "Expired"}, "Invalid", "CertificateExpired", "CentralContractValidationAllowed"),
    # Hashes say nothing of what is wrong with a chain.
    (
        {**ONLINE, "chain": "Revoked", "is_nameable": True},
        "Invalid",
        "CertificateRevoked",
        "CentralContractValidationAllowed",
    ),
    ({**ONLINE, "chain": "InvalidSignature"}, "Invalid", "SignatureError", "CentralContractValidationAllowed"),
    ({**ONLINE, "chain": "InvalidChain"}, "Invalid", "CertChainError", "CentralContractValidationAllowed"),
    (OFFLINE, "Invalid", None, ""),
    ({**OFFLINE, "has_hashes": True, "contract_validation_offline": True}, "Invalid", None, ""),
    ({**OFFLINE, "chain": "Valid", "is_known": True}, "NotAtThisTime", None, "ContractValidationOffline"),
    (
        {
            **OFFLINE,
            "chain": "Valid",
            "contract_validation_offline": True,
            "local_authorize_offline": True,
            "is_known": True,
        },
        "Accepted",
        "Accepted",
        "LocalAuthorizeOffline",
    ),
    (
        {**OFFLINE, "chain": "Valid", "contract_validation_offline": True, "local_authorize_offline": True},
        "Invalid",
        "Accepted",
        "LocalAuthorizeOffline",
    ),
    (
        {**OFFLINE, "chain": "Valid", "contract_validation_offline": True, "is_known": True},
        "Unknown",
        "Accepted",
        "LocalAuthorizeOffline",
    ),
    (
        {**OFFLINE, "chain": "Expired", "contract_validation_offline": True},
        "Expired",
        "CertificateExpired",
        "",
    ),
    (
        {**OFFLINE, "chain": "Revoked", "contract_validation_offline": True, "is_known": True},
        "Unknown",
        "CertificateRevoked",
        "",
    ),
]


@pytest.mark.parametrize(("members", "expected", "certificate", "key"), LADDER)
def test_the_ladder(members: dict[str, Any], expected: Any, certificate: str | None, key: str) -> None:
    found = decide_contract(situation(**members))
    if isinstance(expected, Ask):
        assert found.ask is expected
    else:
        assert (found.ask, found.status) == (None, expected)
    assert found.certificate_status == certificate
    assert found.key == key
    assert found.source
    assert found.rule


def everything() -> list[ContractSituation]:
    fields = ContractSituation._fields
    values: list[tuple[Any, ...]] = [("", *RESULTS) if name == "chain" else (False, True) for name in fields]
    return [ContractSituation(*one) for one in product(*values)]


def test_every_row_decides_something_and_none_is_hidden() -> None:
    used = {(found.ask or found.status, found.source, found.rule) for found in map(decide_contract, everything())}
    assert used == {(row.decides, row.source, row.rule) for row in ROWS}


def test_what_may_charge_without_being_asked_about() -> None:
    """Nobody but who is known here, with a chain that holds, offline, and by leave of three keys."""
    accepted = [one for one in everything() if decide_contract(one).status == ContractStatus.ACCEPTED]
    assert accepted
    for one in accepted:
        assert one.chain == "Valid"
        assert one.is_known
        assert not one.is_connected
        assert one.is_enabled
        assert one.contract_validation_offline
        assert one.local_authorize_offline


def test_nothing_is_asked_offline_and_a_bad_chain_is_never_asked_by_hashes() -> None:
    for one in everything():
        found = decide_contract(one)
        if found.ask is not None:
            assert one.is_connected
            assert one.is_enabled
        if found.ask is Ask.HASHES_OF_CHAIN:
            assert (one.chain, one.is_nameable) == ("Valid", True)
        if found.ask is Ask.CHAIN:
            assert one.chain
            assert one.central_contract_validation_allowed


@pytest.mark.parametrize("result", RESULTS)
def test_every_result_of_a_check_has_a_name_on_the_wire(result: str) -> None:
    assert certificate_status(result) is not None
    assert certificate_status("") is None


@pytest.mark.parametrize("reason", ["offline", "timeout", "callerror", "unreadable", "refused", "invalid", "x"])
def test_no_answer_is_no_permission(reason: str) -> None:
    found = decide_unanswered_contract(reason)
    assert (found.ask, found.status, found.certificate_status) == (None, "Unknown", None)
    assert found.rule.startswith("not asked" if reason == "invalid" else "asked")

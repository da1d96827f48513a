"""Plug & Charge over DataTransfer (application note on ISO 15118): contracts, certificates, a process that is killed.

All certificates, lists of revoked ones and answers of responders are made by the command openssl.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_site import (
    VENDOR,
    Contracts,
    answer,
    asked,
    chains,
    signed_request,
    transfer,
    wait_for_an_answer_kept,
)
from outside import Outside

EMAID = "NLABCC00000001"
ACCEPTED = {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"}
PNC = {
    "ISO15118PnCEnabled": True,
    "ISO15118CertificateManagementEnabled": True,
    "ContractValidationOffline": True,
    "CentralContractValidationAllowed": False,
}

Make = Callable[..., Outside]


@pytest.fixture
def contracts(tmp_path: Path) -> Contracts:
    return Contracts(tmp_path / "openssl", tmp_path / "certs")


@pytest.fixture
def street(without_power: Make, contracts: Contracts) -> Make:
    """A charge point with Plug & Charge, switched on and accepted; keyword arguments: keys of the section PnC."""

    def begin(*, is_trusting: bool = True, **pnc: bool) -> Outside:
        one = without_power(PnC={**PNC, **pnc}, Security={"CpoName": "Operator", "SecurityProfile": 0})
        if is_trusting:
            contracts.trust()
        one.power_up()
        one.booted()
        return one

    return begin


# Contracts


def test_a_contract_charges_without_a_card(street: Make, contracts: Contracts) -> None:
    """Asked about by the hashes of its chain; the transaction is the contract's, and ends with the plug."""
    one = street()
    answer(one, ACCEPTED)
    one.plug_in(contract=contracts.file(contracts.mo_sub.contract()))
    request = asked(one, "Authorize")
    assert request["idToken"] == {"idToken": EMAID}
    [named] = request["iso15118CertificateHashData"]
    assert named["responderURL"] == "http://ocsp.example/"
    assert set(named) == {"hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber", "responderURL"}
    assert "certificate" not in request
    one.charges(1, EMAID)
    one.unplug()
    one.expect("StopTransaction", reason="EVDisconnected")
    one.settle()


@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "ConcurrentTx", "NoCredit", "Unknown"])
def test_a_contract_that_is_refused(street: Make, contracts: Contracts, status: str) -> None:
    """Nothing begins; a card charges."""
    one = street()
    answer(one, {"idTokenInfo": {"status": status}})
    one.plug_in(contract=contracts.file(contracts.mo_sub.contract()))
    asked(one, "Authorize")
    one.told("contract", emaid=EMAID)
    one.card("CARD", 1)
    one.charges(1, "CARD")


@pytest.mark.parametrize("is_allowed", [False, True])
def test_an_issuer_that_is_not_known_here(street: Make, contracts: Contracts, is_allowed: bool) -> None:
    """The Central System gets the chain where it may, and is not asked where it may not."""
    one = street(CentralContractValidationAllowed=is_allowed)
    chain = contracts.stranger.contract()
    answer(one, ACCEPTED)
    found = one.do("authorize_contract", contract=contracts.file(chain))
    assert found["key"] == "CentralContractValidationAllowed"
    if is_allowed:
        assert asked(one, "Authorize") == {"idToken": {"idToken": EMAID}, "certificate": chain}
        assert found["status"] == "Accepted"
    else:
        assert (found["status"], found["certificate_status"]) == ("Invalid", "NoCertificateAvailable")
        assert one.calls("DataTransfer") == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_offline_a_contract_that_is_listed_charges(street: Make, contracts: Contracts, is_listed: bool) -> None:
    """Checked here, without any Authorize; it is told once there is somebody."""
    one = street()
    entries = [{"idTag": EMAID, "idTagInfo": {"status": "Accepted"}}] if is_listed else []
    answered = one.ask("SendLocalList", listVersion=1, updateType="Full", localAuthorizationList=entries)
    assert answered == "Accepted"
    one.offline()
    one.plug_in(contract=contracts.file(contracts.mo_sub.contract()))
    told = one.told("contract", emaid=EMAID)
    assert (told["status"], told["certificate_status"]) == ("Accepted" if is_listed else "Invalid", "Accepted")
    one.online()
    if is_listed:
        one.charges(1, EMAID)
    one.settle()
    assert one.calls("DataTransfer") == []
    assert len(one.calls("StartTransaction")) == is_listed


def test_offline_nothing_is_decided_where_it_may_not(street: Make, contracts: Contracts) -> None:
    one = street(ContractValidationOffline=False)
    one.offline()
    found = one.do("authorize_contract", contract=contracts.file(contracts.mo_sub.contract()))
    assert (found["status"], found["key"]) == ("NotAtThisTime", "ContractValidationOffline")


@pytest.mark.parametrize("fault", ["expired", "not yet valid", "revoked", "foreign", "of a server"])
def test_offline_a_chain_that_does_not_hold(street: Make, contracts: Contracts, fault: str) -> None:
    one = street()
    one.offline()
    made: dict[str, Callable[[], str]] = {
        "expired": lambda: contracts.mo_sub.contract(start=-9, end=-1),
        "not yet valid": lambda: contracts.mo_sub.contract(start=2),
        "revoked": contracts.mo_sub.contract,
        "foreign": contracts.stranger.contract,
        "of a server": lambda: contracts.mo_sub.contract(uses="serverAuth"),
    }
    chain = made[fault]()
    if fault == "revoked":
        contracts.mo_sub.revoke(chain)
        contracts.put("ca/mo/revoked.pem", contracts.mo_sub.list_of_revoked())
    found = one.do("authorize_contract", contract=contracts.file(chain))
    assert (found["status"], found["certificate_status"]) == {
        "expired": ("Expired", "CertificateExpired"),
        "not yet valid": ("Expired", "CertificateExpired"),
        "revoked": ("Unknown", "CertificateRevoked"),
        "foreign": ("Unknown", "NoCertificateAvailable"),
        "of a server": ("Unknown", "CertChainError"),
    }[fault]
    assert found["reason"]


@pytest.mark.parametrize("data", ["{", "[]", "null", "{}", '{"idTokenInfo": {"status": 5}}', "received"])
def test_an_answer_that_is_none(street: Make, contracts: Contracts, data: str) -> None:
    """Unknown; a charge at the other connector goes on, and the next question is answered."""
    one = street()
    one.charge(2, "CARD")
    path = contracts.file(contracts.mo_sub.contract())
    answer(one, data, ACCEPTED)
    assert one.do("authorize_contract", contract=path)["status"] == "Unknown"
    assert one.do("authorize_contract", contract=path)["status"] == "Accepted"
    one.settle()
    assert one.calls("StopTransaction") == []


@pytest.mark.parametrize("status", ["Rejected", "UnknownVendorId", "UnknownMessageId"])
def test_a_transfer_that_is_refused(street: Make, contracts: Contracts, status: str) -> None:
    one = street()
    answer(one, ACCEPTED, status=status)
    found = one.do("authorize_contract", contract=contracts.file(contracts.mo_sub.contract()))
    assert found["status"] == "Unknown"


# A certificate for the car


@pytest.mark.parametrize("status", ["Accepted", "Failed"])
def test_a_contract_is_installed_first(street: Make, contracts: Contracts, status: str) -> None:
    one = street()
    answer(one, {"status": status, "exiResponse": "gJkC"}, ACCEPTED)
    one.plug_in(contract=contracts.file(contracts.mo_sub.contract()), installs=True)
    request = asked(one, "Get15118EVCertificate")
    assert (request["action"], request["iso15118SchemaVersion"]) == ("Install", "urn:iso:15118:2:2013:MsgDef")
    assert one.told("ev_certificate", connector=1)["status"] == status
    if status == "Accepted":
        one.charges(1, EMAID)
    else:
        one.card("CARD", 1)
        one.charges(1, "CARD")


def test_a_car_does_not_wait_for_ever(street: Make, contracts: Contracts) -> None:
    """No answer is a refusal in the time that the car has, and others go on."""
    one = street()
    answer(one, None)
    one.is_answered = False
    one.plug_in(contract=contracts.file(contracts.mo_sub.contract()), installs=True)
    asked(one, "Get15118EVCertificate")
    assert one.told("ev_certificate", connector=1)["status"] == "Failed"
    one.card("CARD", 1)
    one.charges(1, "CARD")


# Certificates of the station


def test_a_certificate_towards_cars(street: Make, contracts: Contracts) -> None:
    """Asked for, signed by openssl, installed, asked about at once, and there after a power failure."""
    one = street()
    csr = signed_request(one)
    chain = contracts.cpo.station(csr)
    answer(one, {"status": "Accepted", "ocspResult": contracts.cpo.status(chain)})
    assert transfer(one, "CertificateSigned", {"certificateChain": chain}) == ("Accepted", {"status": "Accepted"})
    request = asked(one, "GetCertificateStatus")["ocspRequestData"]
    [listed] = chains(one)
    assert listed["certificateHashData"].items() <= request.items()
    assert len(listed["childCertificateHashData"]) == 1
    wait_for_an_answer_kept(contracts)
    one.power_cut()
    one.power_up()
    one.booted()
    assert chains(one) == [listed]
    wait_for_an_answer_kept(contracts)
    deletion = {"certificateHashData": listed["certificateHashData"]}
    assert transfer(one, "DeleteCertificate", deletion) == ("Accepted", {"status": "Accepted"})
    assert transfer(one, "DeleteCertificate", deletion) == ("Accepted", {"status": "NotFound"})
    assert chains(one) == []


@pytest.mark.parametrize("fault", ["foreign", "expired", "not asked for", "of a contract"])
def test_a_certificate_that_is_not_taken(street: Make, contracts: Contracts, fault: str) -> None:
    one = street()
    csr = signed_request(one)
    made: dict[str, Callable[[], str]] = {
        "foreign": lambda: contracts.stranger.station(csr),
        "expired": lambda: contracts.cpo.station(csr, start=-9, end=-1),
        "not asked for": lambda: contracts.cpo.contract(uses="serverAuth"),
        "of a contract": contracts.mo_sub.contract,
    }
    chain = made[fault]()
    assert transfer(one, "CertificateSigned", {"certificateChain": chain}) == ("Accepted", {"status": "Rejected"})
    one.told("security_event", type="InvalidChargePointCertificate")
    assert chains(one) == []


def test_roots_come_and_go(street: Make, contracts: Contracts) -> None:
    """An empty store is NotFound in an Accepted DataTransfer; what is installed proves contracts from then on."""
    one = street(is_trusting=False)
    assert transfer(one, "GetInstalledCertificateIds", {}) == ("Accepted", {"status": "NotFound"})
    chain = contracts.file(contracts.mo_sub.contract())
    assert one.do("authorize_contract", contract=chain)["certificate_status"] == "NoCertificateAvailable"
    root = {"certificateType": "MORootCertificate", "certificate": contracts.mo.certificate}
    assert transfer(one, "InstallCertificate", root) == ("Accepted", {"status": "Accepted"})
    answer(one, ACCEPTED)
    assert one.do("authorize_contract", contract=chain)["status"] == "Accepted"
    wrong = {"certificateType": "V2GRootCertificate", "certificate": contracts.mo_sub.contract()}
    assert transfer(one, "InstallCertificate", wrong) == ("Accepted", {"status": "Rejected"})
    _, listed = transfer(one, "GetInstalledCertificateIds", {})
    [only] = listed["certificateHashDataChain"]
    assert only["certificateType"] == "MORootCertificate"
    deletion = {"certificateHashData": only["certificateHashData"]}
    assert transfer(one, "DeleteCertificate", deletion) == ("Accepted", {"status": "Accepted"})
    assert transfer(one, "GetInstalledCertificateIds", {}) == ("Accepted", {"status": "NotFound"})


@pytest.mark.parametrize("data", [None, "", "{", "[]", "null", '{"certificateHashData": {"hashAlgorithm": "MD5"}}'])
def test_data_that_is_no_message(street: Make, contracts: Contracts, data: str | None) -> None:
    """Each is Rejected, and the charge goes on."""
    one = street()
    one.charge(1, "CARD")
    for message in ("CertificateSigned", "DeleteCertificate", "InstallCertificate"):
        assert transfer(one, message, data)[0] == "Rejected"
    assert transfer(one, "Invented", data) == ("UnknownMessageId", None)
    one.settle()
    assert one.calls("StopTransaction") == []


def test_it_is_switched_by_its_keys(street: Make, contracts: Contracts) -> None:
    one = street(ISO15118CertificateManagementEnabled=False, ISO15118PnCEnabled=False)
    path = contracts.file(contracts.mo_sub.contract())
    assert transfer(one, "GetInstalledCertificateIds", {}) == ("UnknownVendorId", None)
    assert one.do("authorize_contract", contract=path)["key"] == "ISO15118PnCEnabled"
    for key in ("ISO15118CertificateManagementEnabled", "ISO15118PnCEnabled"):
        assert one.ask("ChangeConfiguration", key=key, value="true") == "Accepted"
    assert transfer(one, "GetInstalledCertificateIds", {})[0] == "Accepted"
    answer(one, ACCEPTED)
    assert one.do("authorize_contract", contract=path)["status"] == "Accepted"


# kill -9


def test_killed_while_a_contract_is_asked_about(street: Make, contracts: Contracts) -> None:
    """Nothing of it is left; the car that comes then is asked about anew."""
    one = street()
    path = contracts.file(contracts.mo_sub.contract())
    answer(one, None)
    one.plug_in(contract=path)
    asked(one, "Authorize")
    one.power_cut()
    one.power_up()
    one.booted()
    answer(one, ACCEPTED)
    one.plug_in(contract=path)
    asked(one, "Authorize")
    one.charges(1, EMAID)
    assert len(one.calls("StartTransaction")) == 1


@pytest.mark.parametrize("is_answered", [True, False])
def test_killed_while_a_certificate_is_installed(street: Make, contracts: Contracts, is_answered: bool) -> None:
    """What was Accepted is there, whole, with its key; what was not answered is there or is taken again."""
    one = street()
    chain = contracts.cpo.station(signed_request(one))
    data = json.dumps({"certificateChain": chain})
    request = {"vendorId": VENDOR, "messageId": "CertificateSigned", "data": data}
    one.post(json.dumps([2, "signed", "DataTransfer", request]))
    if is_answered:
        assert json.loads(one.answer("signed")[2]["data"]) == {"status": "Accepted"}
    one.power_cut()
    one.power_up()
    one.booted()
    found = chains(one)
    assert len(found) == 1 if is_answered else len(found) <= 1
    assert transfer(one, "CertificateSigned", {"certificateChain": chain}) == ("Accepted", {"status": "Accepted"})
    assert len(chains(one)) == 1


def test_killed_while_a_status_is_asked_for(street: Make, contracts: Contracts) -> None:
    """The certificate is there, no half of an answer is, and it is asked for again."""
    one = street()
    chain = contracts.cpo.station(signed_request(one))
    answer(one, None)
    assert transfer(one, "CertificateSigned", {"certificateChain": chain})[1] == {"status": "Accepted"}
    asked(one, "GetCertificateStatus")
    one.power_cut()
    assert list((contracts.certificates / "client" / "cso").rglob("*.der")) == []
    one.power_up()
    one.booted()
    assert len(chains(one)) == 1
    answer(one, {"status": "Accepted", "ocspResult": contracts.cpo.status(chain)})
    again = {"certificateChain": chain}
    assert transfer(one, "CertificateSigned", again) == ("Accepted", {"status": "Accepted"})
    asked(one, "GetCertificateStatus")
    wait_for_an_answer_kept(contracts)

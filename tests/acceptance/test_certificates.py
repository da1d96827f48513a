"""Certificates of a charge point and its roots (security white paper ed. 3, A02, A03, M03 to M05).

What the charge point wants signed is signed here, as it should be or not.
"""

import json
from collections.abc import Callable
from time import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from lab import DAY, Lab, serial_of
from outside import Outside
from secured import change, profile_of, secure

from ocpp16.security.lab_pki import Authority, Use

CSMS, MAKER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"
LATER = 0.5
"""Days that a certificate lasted which began yesterday: it has expired."""

Make = Callable[..., Outside]


# A02, A03: the certificate of the charge point


def signed_request(one: Outside) -> str:
    """Ask for a request, and take it."""
    assert one.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "Accepted"
    csr: str = one.expect("SignCertificate")["csr"]
    return csr


def test_tc_074_update_the_certificate(begun: Make, lab: Lab) -> None:
    """It asks, gets it, comes back with it, and has it after a power failure."""
    one = begun(3)
    before = one.expect_connection()["serial"]
    csr = signed_request(one)
    subject = x509.load_pem_x509_csr(csr.encode()).subject.rfc4514_string()
    assert one.identity in subject
    assert "O=Operator" in subject
    issued = lab.csms.sign_request(csr, days=400)
    assert one.ask("CertificateSigned", certificateChain=issued.chain) == "Accepted"
    after = one.expect_connection()["serial"]
    assert int(after, 16) == serial_of(issued.certificate)
    assert after != before
    one.settle()
    one.power_cut()
    one.power_up()
    one.booted()
    assert one.expect_connection()["serial"] == after


def test_a_certificate_for_profile_2(begun: Make, lab: Lab) -> None:
    """Kept for later; the connection stays. With it profile 3 is to be had."""
    one = begun(2)
    issued = lab.csms.sign_request(signed_request(one))
    assert one.ask("CertificateSigned", certificateChain=issued.chain) == "Accepted"
    one.settle()
    assert [what for what, _ in one.lines() if what == "closed"] == []
    secure(one, lab, 3)
    assert change(one, "SecurityProfile", "3") == "Accepted"
    assert int(one.expect_connection(has_password=False)["serial"], 16) == serial_of(issued.certificate)
    one.settle()


def test_a_request_that_is_refused(begun: Make) -> None:
    """SignCertificate is answered Rejected: the certificate there is goes on, and another trigger asks anew."""
    one = begun(3)
    one.answer_next("SignCertificate", {"status": "Rejected"})
    first = signed_request(one)
    one.settle()
    assert signed_request(one) != first
    one.settle()
    assert len(one.calls("SignCertificate")) == 2


def test_a_request_that_nobody_is_for(made: Make) -> None:
    """Without CpoName there is no request: Rejected."""
    one = made(2, CpoName="")
    one.power_up()
    one.booted()
    assert one.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "Rejected"


def chain_that_is_wrong(lab: Lab, fault: str, csr: str) -> str:
    made: dict[str, Callable[[], str]] = {
        "stranger": lambda: lab.stranger.sign_request(csr).chain,
        "expired": lambda: lab.csms.sign_request(csr, days=LATER).chain,
        "other key": lambda: lab.csms.issue("cp", organization="Operator", use=Use.CLIENT).chain,
        "no certificate": lambda: "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
        "too long": lambda: lab.csms.sign_request(csr).chain + "\n" * 5_000,
    }
    return made[fault]()


@pytest.mark.parametrize("fault", ["stranger", "expired", "other key", "no certificate", "too long"])
def test_tc_077_invalid_charge_point_certificate(begun: Make, lab: Lab, fault: str) -> None:
    """Rejected, a critical event, and the certificate before goes on."""
    one = begun(3)
    chain = chain_that_is_wrong(lab, fault, signed_request(one))
    one.post(json.dumps([2, "signed", "CertificateSigned", {"certificateChain": chain}]))
    assert one.answer("signed")[2] == {"status": "Rejected"}
    one.expect("SecurityEventNotification", type="InvalidChargePointCertificate")
    one.settle()
    assert [what for what, _ in one.lines() if what == "closed"] == []


# M03 to M05: roots


def ids(one: Outside, use: str) -> list[dict[str, str]]:
    answer = one.call("GetInstalledCertificateIds", certificateType=use)
    found: list[dict[str, str]] = answer.get("certificateHashData", [])
    assert answer["status"] == ("Accepted" if found else "NotFound")
    return found


def hash_data(certificate: str) -> dict[str, str]:
    """As the white paper has it, of a root: its own name and key."""
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    point = loaded.public_key().public_bytes(
        serialization.Encoding.X962,
        serialization.PublicFormat.UncompressedPoint,
    )
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": sha256(loaded.issuer.public_bytes()),
        "issuerKeyHash": sha256(point),
        "serialNumber": format(loaded.serial_number, "x"),
    }


def sha256(content: bytes) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize().hex()


@pytest.mark.parametrize("use", [MAKER, CSMS])
def test_tc_075_install_a_certificate(begun: Make, lab: Lab, use: str) -> None:
    """Accepted, and listed with its hashes, after a power failure, too; of the other use there is none."""
    one = begun(1, is_trusting=False)
    assert ids(one, use) == []
    root = lab.maker.certificate
    assert one.ask("InstallCertificate", certificateType=use, certificate=root) == "Accepted"
    assert ids(one, use) == [hash_data(root)]
    assert ids(one, CSMS if use == MAKER else MAKER) == []
    one.power_cut()
    one.power_up()
    one.booted()
    assert ids(one, use) == [hash_data(root)]


def test_a_root_that_is_installed_is_believed(begun: Make, lab: Lab) -> None:
    """The Central System installs its root, raises the profile, and comes with a certificate of it."""
    one = begun(1, is_trusting=False)
    assert one.ask("InstallCertificate", certificateType=CSMS, certificate=lab.csms.certificate) == "Accepted"
    secure(one, lab, 2)
    assert change(one, "SecurityProfile", "2") == "Accepted"
    one.booted()
    assert profile_of(one) == "2"


def test_tc_076_delete_a_certificate(begun: Make, lab: Lab) -> None:
    """Accepted, and gone; then NotFound. The last root of the Central System stays: Failed."""
    one = begun(2)
    assert one.ask("InstallCertificate", certificateType=CSMS, certificate=lab.stranger.certificate) == "Accepted"
    data = hash_data(lab.stranger.certificate)
    assert one.ask("DeleteCertificate", certificateHashData=data) == "Accepted"
    assert ids(one, CSMS) == [hash_data(lab.csms.certificate)]
    assert one.ask("DeleteCertificate", certificateHashData=data) == "NotFound"
    assert one.ask("DeleteCertificate", certificateHashData=hash_data(lab.csms.certificate)) == "Failed"
    assert ids(one, CSMS) == [hash_data(lab.csms.certificate)]


@pytest.mark.parametrize("fault", ["expired", "later", "leaf", "two", "no certificate"])
def test_tc_078_invalid_root(begun: Make, lab: Lab, fault: str) -> None:
    """Rejected, and an event, which is not critical: told here, in the security log, not sent. Nothing is installed."""
    one = begun(1, is_trusting=False)
    made: dict[str, Callable[[], str]] = {
        "expired": lambda: Authority("Old", time() - DAY, days=LATER).certificate,
        "later": lambda: Authority("New", time() + DAY).certificate,
        "leaf": lambda: lab.csms.issue("csms").certificate,
        "two": lambda: lab.csms.certificate + lab.maker.certificate,
        "no certificate": lambda: "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
    }
    root = made[fault]()
    assert one.ask("InstallCertificate", certificateType=CSMS, certificate=root) == "Rejected"
    one.told("security_event", type="InvalidCentralSystemCertificate")
    assert ids(one, CSMS) == []

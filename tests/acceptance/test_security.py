"""Security profiles, keys, certificates and security events (security white paper ed. 3, A01 to A05, M03 to M05, 2).

The Central System asks for passwords, has certificates and demands them; what it is asked to sign is signed here.
"""

import json
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from lab import DAY, Lab, serial_of
from outside import Outside

from ocpp16.security.lab_pki import Authority, Issued, Use

KEY, NEW_KEY, OTHER_KEY = ("00" + bytes(range(1, 16)).hex(), "ff" * 20, "3a" * 16)
CSMS, MAKER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"
LATER = 0.5
"""Days that a certificate lasted which began yesterday: it has expired."""

Make = Callable[..., Outside]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab", tmp_path / "certs")


@pytest.fixture
def made(without_power: Make, lab: Lab) -> Make:
    """Makes a charge point of a security profile that trusts the root of the Central System, and one that demands what
    the profile has; without power."""

    def make(profile: int, *, is_trusting: bool = True, **security: Any) -> Outside:
        keys = {
            "SecurityProfile": profile,
            "AuthorizationKey": f"hex:{KEY}",
            "CpoName": "Operator",
            "CertificateSignedMaxChainSize": 5_000,
        }
        one = without_power(Security={**keys, **security}, Internal={"RetryBackoffWaitMinimum": 0})
        if is_trusting:
            lab.trust()
        if profile == 3:
            lab.prove(one.identity)
        one.script("demand", identity=one.identity, keys=[KEY] if profile else None)
        if profile >= 2:
            secure(one, lab, profile)
        return one

    return make


def secure(one: Outside, lab: Lab, profile: int) -> None:
    """The Central System has TLS from now on, and demands what this security profile has."""
    one.script("secure", **(lab.server() if profile == 2 else lab.server_that_demands()))
    if profile == 3:
        one.script("demand", identity=one.identity, keys=None)


@pytest.fixture
def begun(made: Make) -> Make:
    """The same, switched on and accepted."""

    def begin(profile: int, **members: Any) -> Outside:
        one = made(profile, **members)
        one.power_up()
        one.booted()
        return one

    return begin


def profile_of(one: Outside) -> str:
    (found,) = one.call("GetConfiguration", key=["SecurityProfile"])["configurationKey"]
    value: str = found["value"]
    return value


def change(one: Outside, key: str, value: str) -> str:
    return one.ask("ChangeConfiguration", key=key, value=value)


def event(one: Outside, kind: str) -> None:
    one.expect("SecurityEventNotification", type=kind)


# Connections


def test_tc_085_basic_authentication(begun: Make) -> None:
    """Let in by identity and key; the key holds a byte 0."""
    one = begun(1)
    assert one.expect_connection()["has_password"]
    one.settle()


def test_a_key_that_is_wrong(made: Make) -> None:
    """401: it does not get in, tells the event, and tries again; when the key is right there, it does."""
    one = made(1)
    one.script("demand", identity=one.identity, keys=[OTHER_KEY])
    one.power_up()
    for _ in range(2):
        one.expect_connection("refused", status=401)
    one.told("security_event", type="FailedToAuthenticateAtCentralSystem")
    one.script("demand", identity=one.identity, keys=[KEY])
    one.booted()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_tc_086_server_certificate(made: Make, lab: Lab, version: str) -> None:
    """TLS 1.2 and 1.3, the chain over an authority between, and Basic."""
    one = made(2)
    between = Authority("Between", time() - DAY, above=lab.csms, path_length=0)
    issued = between.issue("csms", names=["127.0.0.1"], use=Use.SERVER)
    one.script("secure", **lab.server(issued), version=version)
    one.power_up()
    one.booted()
    assert one.expect_connection(has_password=True)["tls"] == version.replace("_", ".")


BAD: dict[str, Callable[[Lab], Issued]] = {
    "expired": lambda lab: lab.csms.issue("csms", names=["127.0.0.1"], use=Use.SERVER, days=LATER),
    "later": lambda lab: lab.csms.issue("csms", names=["127.0.0.1"], use=Use.SERVER, starts_in=30),
    "stranger": lambda lab: lab.stranger.issue("csms", names=["127.0.0.1"], use=Use.SERVER),
    "other name": lambda lab: lab.csms.issue("csms", names=["192.0.2.1", "csms.example"], use=Use.SERVER),
    "of a client": lambda lab: lab.csms.issue("csms", names=["127.0.0.1"], use=Use.CLIENT),
    "self-signed": lambda lab: Issued(lab.stranger.certificate, lab.stranger.certificate, lab.stranger.key),
}


@pytest.mark.parametrize("fault", BAD)
def test_an_invalid_server_certificate(made: Make, lab: Lab, fault: str) -> None:
    """It sends nothing to such a server, and tries again. The event is told to whom it believes."""
    one = made(2)
    one.script("secure", **lab.server(BAD[fault](lab)))
    one.power_up()
    one.told("security_event", type="InvalidCentralSystemCertificate")
    secure(one, lab, 2)
    one.booted()
    event(one, "InvalidCentralSystemCertificate")
    assert [what for what, _ in one.lines() if what in ("opened", "refused")] == ["opened"]


def test_tls_that_is_too_old(made: Make, lab: Lab) -> None:
    """Nothing under TLS 1.2."""
    one = made(2)
    one.script("secure", **lab.server(), version="TLSv1_1")
    one.power_up()
    one.told("security_event", type="InvalidTLSVersion")
    secure(one, lab, 2)
    one.booted()


def test_tc_087_client_certificate(begun: Make) -> None:
    """Mutual TLS, and no password."""
    one = begun(3)
    found = one.expect_connection()
    assert found["serial"] is not None
    assert not found["has_password"]
    one.settle()


def test_tc_088_subprotocol(made: Make) -> None:
    """It offers ocpp1.6; where nothing is agreed on it closes, and tries again."""
    one = made(0)
    one.script("subprotocol", is_taken=False)
    one.power_up()
    for _ in range(2):
        assert "ocpp1.6" in one.expect_connection()["offered"].split(", ")
        one.expect_connection("closed")
    assert one.calls("BootNotification") == []
    one.script("subprotocol", is_taken=True)
    one.booted()


# A01: the key


def test_tc_073_update_the_password(begun: Make) -> None:
    """Accepted; it comes back with the new key, by which it still gets in after a power failure."""
    one = begun(1)
    one.script("demand", identity=one.identity, keys=[NEW_KEY])
    assert change(one, "AuthorizationKey", NEW_KEY) == "Accepted"
    one.booted()
    one.settle()
    one.power_cut()
    one.power_up()
    one.booted()
    assert [what for what, _ in one.lines() if what == "refused"] == []
    assert NEW_KEY not in str(one.call("GetConfiguration"))


def test_a_password_that_the_central_system_forgets(begun: Make) -> None:
    """Accepted, and then not let in with it: back to the one before, which is told."""
    one = begun(1)
    assert change(one, "AuthorizationKey", NEW_KEY) == "Accepted"
    one.expect_connection("refused", status=401)
    one.booted()
    one.told("security_event", type="ReconfigurationOfSecurityParameters")
    one.settle()
    one.power_cut()
    one.power_up()
    one.booted()


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_password_over_kill(begun: Make, is_taken: bool) -> None:
    """The power fails right after Accepted: it gets in, whichever of the two keys the Central System has."""
    one = begun(1)
    one.script("demand", identity=one.identity, keys=[NEW_KEY if is_taken else KEY])
    assert change(one, "AuthorizationKey", NEW_KEY) == "Accepted"
    one.power_cut()
    one.power_up()
    one.booted()
    one.settle()


@pytest.mark.parametrize("value", ["0123", "no hexadecimal digits, though long", "ab" * 21])
def test_a_password_that_is_none(begun: Make, value: str) -> None:
    """Rejected; the one before goes on."""
    one = begun(1)
    assert change(one, "AuthorizationKey", value) == "Rejected"
    one.settle()
    assert one.call("GetConfiguration", key=["AuthorizationKey"])["unknownKey"] == ["AuthorizationKey"]


# A05: the security profile


def test_tc_083_upgrade_the_security_profile(begun: Make, lab: Lab) -> None:
    """From 0 to 3, one step after the other: each time it comes back with what the profile has."""
    one = begun(0)
    lab.prove(one.identity)
    assert not one.expect_connection()["has_password"]
    assert change(one, "SecurityProfile", "1") == "Accepted"
    one.booted()
    assert one.expect_connection()["has_password"]
    secure(one, lab, 2)
    assert change(one, "SecurityProfile", "2") == "Accepted"
    one.booted()
    found = one.expect_connection()
    assert found["has_password"]
    assert found["tls"]
    secure(one, lab, 3)
    assert change(one, "SecurityProfile", "3") == "Accepted"
    one.booted()
    assert one.expect_connection()["serial"]
    one.settle()
    assert profile_of(one) == "3"
    one.power_cut()
    one.power_up()
    one.booted()
    assert one.expect_connection()["serial"]


@pytest.mark.parametrize(("before", "wanted"), [(1, "2"), (2, "3")])
def test_an_upgrade_that_does_not_work(begun: Make, lab: Lab, before: int, wanted: str) -> None:
    """Accepted, but the Central System is not of that profile: it comes back with the one before."""
    one = begun(before)
    lab.prove(one.identity)
    assert change(one, "SecurityProfile", wanted) == "Accepted"
    one.booted()
    one.told("security_event", type="ReconfigurationOfSecurityParameters")
    one.settle()
    assert profile_of(one) == str(before)


def test_an_upgrade_without_root(begun: Make) -> None:
    """Without a root of the Central System: Rejected, and nothing changes."""
    one = begun(1, is_trusting=False)
    assert change(one, "SecurityProfile", "2") == "Rejected"
    one.settle()
    assert profile_of(one) == "1"


def test_an_upgrade_without_client_certificate(begun: Make) -> None:
    """Without a certificate of its own: Rejected, and nothing changes."""
    one = begun(2)
    assert change(one, "SecurityProfile", "3") == "Rejected"
    one.settle()
    assert profile_of(one) == "2"


@pytest.mark.parametrize("value", ["1", "0", "4", "high"])
def test_tc_084_downgrade_the_security_profile(begun: Make, value: str) -> None:
    """Rejected, as anything that is no profile; the connection stays."""
    one = begun(2)
    assert change(one, "SecurityProfile", value) == "Rejected"
    one.settle()
    assert profile_of(one) == "2"
    assert [what for what, _ in one.lines() if what == "closed"] == []


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
    event(one, "InvalidChargePointCertificate")
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


# A04: security events


def test_events_of_starts(begun: Make) -> None:
    """StartupOfTheDevice; after a Reset, ResetOrReboot."""
    one = begun(1)
    event(one, "StartupOfTheDevice")
    assert one.ask("Reset", type="Soft") == "Accepted"
    one.booted()
    event(one, "ResetOrReboot")
    one.settle()


def test_an_event_of_an_outage_is_told_after_it(begun: Make) -> None:
    """Over a power failure, too, and once, with the time at which it was."""
    one = begun(1)
    one.offline()
    one.do("security_event", type="TamperDetectionActivated", tech_info="lid")
    one.do("security_event", type="InvalidMessages")
    one.told("security_event", type="InvalidMessages")
    one.do("change_configuration", key="HeartbeatInterval", value="299")  # what came before is on disk with it
    one.power_cut()
    one.script("listen")
    one.power_up()
    event(one, "TamperDetectionActivated")
    one.settle()
    assert len(one.calls("SecurityEventNotification", type="TamperDetectionActivated", techInfo="lid")) == 1
    assert one.calls("SecurityEventNotification", type="InvalidMessages") == [], "which is not critical"


def test_events_that_nobody_wants(begun: Make) -> None:
    """DisableSecurityEventNotifications: told here, not there."""
    one = begun(1)
    one.settle()
    before = len(one.calls("SecurityEventNotification"))
    assert change(one, "DisableSecurityEventNotifications", "true") == "Accepted"
    one.do("security_event", type="TamperDetectionActivated")
    one.told("security_event", type="TamperDetectionActivated")
    one.settle()
    assert len(one.calls("SecurityEventNotification")) == before

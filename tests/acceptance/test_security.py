"""Security profiles, keys and security events (security white paper ed. 3, 2, A01, A04, A05).

The Central System asks for passwords, has certificates and demands them.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from time import sleep, time

import pytest
from lab import DAY, Lab
from outside import Outside
from secured import KEY, change, profile_of, secure

from ocpp16.security.lab_pki import Authority, Issued, Use

NEW_KEY, OTHER_KEY = "ff" * 20, "3a" * 16
LATER = 0.5
"""Days that a certificate lasted which began yesterday: it has expired."""

Make = Callable[..., Outside]


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
    one.expect("SecurityEventNotification", type="InvalidCentralSystemCertificate")
    assert [what for what, _ in one.lines() if what in ("opened", "refused")] == ["opened"]


def test_tls_that_is_too_old(made: Make, lab: Lab) -> None:
    """Nothing under TLS 1.2: it does not get in, and tries again."""
    one = made(2)
    one.script("secure", **lab.server(), version="TLSv1_1")
    one.power_up()
    one.told("connection", connected=False)  # asyncio breaks off before it has said why, so no event names it
    secure(one, lab, 2)
    one.booted()
    assert one.expect_connection()["tls"] == "TLSv1.3"


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


# A04: security events


def test_events_of_starts(begun: Make) -> None:
    """StartupOfTheDevice; after a Reset, ResetOrReboot."""
    one = begun(1)
    one.expect("SecurityEventNotification", type="StartupOfTheDevice")
    assert one.ask("Reset", type="Soft") == "Accepted"
    one.booted()
    one.expect("SecurityEventNotification", type="ResetOrReboot")
    one.settle()


def waits_on_disk(one: Outside, text: str) -> bool:
    (path,) = one.folder.rglob("*.db")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        return any(text in payload for (payload,) in database.execute("SELECT payload FROM message_queue"))


def test_an_event_of_an_outage_is_told_after_it(begun: Make) -> None:
    """Over a power failure, too, and once, with the time at which it was."""
    one = begun(1)
    one.offline()
    one.do("security_event", type="TamperDetectionActivated", tech_info="lid")
    one.do("security_event", type="InvalidMessages")
    one.told("security_event", type="InvalidMessages")
    while not waits_on_disk(one, "TamperDetectionActivated"):
        sleep(0.01)
    one.power_cut()
    one.script("listen")
    one.power_up()
    one.expect("SecurityEventNotification", type="TamperDetectionActivated")
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

"""Secure firmware updates (security white paper ed. 3, L01, L02): real files, real certificates, real signatures."""

from collections.abc import Callable, Iterator
from time import time
from typing import Any

import pytest
from http_file_server import HttpFileServer
from lab import DAY, Lab, signed_by
from outside import Outside

from ocpp16.security.lab_pki import Authority, Issued, Use

FIRMWARE = bytes(range(256)) * 500
PAST, FUTURE = "2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"
CORE = {"SupportedFeatureProfiles": "Core,FirmwareManagement,RemoteTrigger"}
FETCHED = ("Downloading", "Downloaded", "SignatureVerified")
DONE = (*FETCHED, "Installing", "Installed")

Begin = Callable[..., Outside]


@pytest.fixture
def server() -> Iterator[HttpFileServer]:
    with HttpFileServer() as running:
        running.files["/firmware.bin"] = FIRMWARE
        yield running


@pytest.fixture
def begin_here(begin: Begin, lab: Lab) -> Begin:
    """As `begin`; it moves files for real, and has the root of its manufacturer by InstallCertificate."""

    def make() -> Outside:
        made = begin(station={"transfer_step": 0}, options=("--transfer", "url"), Core=CORE)
        root = {"certificateType": "ManufacturerRootCertificate", "certificate": lab.maker.certificate}
        assert made.ask("InstallCertificate", **root) == "Accepted"
        return made

    return make


@pytest.fixture
def one(begin_here: Begin) -> Outside:
    return begin_here()


def signer(authority: Authority, **members: Any) -> Issued:
    return authority.issue("Firmware signing", **{"use": Use.CODE, **members})


def request(server: HttpFileServer, issued: Issued, number: int = 1, **members: Any) -> dict[str, Any]:
    firmware = {"location": f"{server.base}/firmware.bin", "retrieveDateTime": PAST, **signed_by(issued, FIRMWARE)}
    return {"requestId": number, "firmware": {**firmware, **members}}


def steps(one: Outside, *statuses: str, number: int = 1) -> None:
    for status in statuses:
        one.expect("SignedFirmwareStatusNotification", status=status, requestId=number)
    one.settle()
    told = [payload["status"] for payload in one.calls("SignedFirmwareStatusNotification", requestId=number)]
    assert told[-len(statuses) :] == [*statuses]


@pytest.mark.parametrize("is_between", [False, True])
def test_tc_080_secure_firmware_update(one: Outside, lab: Lab, server: HttpFileServer, is_between: bool) -> None:
    """Accepted; fetched, proved, installed, each told with the id; then a start with the new firmware, which is told.
    Signed by the root of the manufacturer, or by an authority between."""
    authority = Authority("Between", time() - DAY, above=lab.maker) if is_between else lab.maker
    assert one.ask("SignedUpdateFirmware", **request(server, signer(authority))) == "Accepted"
    for status in DONE:
        one.expect("SignedFirmwareStatusNotification", status=status, requestId=1)
    one.booted()
    one.expect("SecurityEventNotification", type="FirmwareUpdated")
    one.settle()
    assert len(one.calls("SignedFirmwareStatusNotification")) == len(DONE)
    assert one.statuses(1)[-1] == "Available"
    assert server.served == len(FIRMWARE)


@pytest.mark.parametrize("fault", ["file", "signature", "other key", "no signature"])
def test_tc_081_invalid_signature(one: Outside, lab: Lab, server: HttpFileServer, fault: str) -> None:
    """Downloaded, then InvalidSignature and a critical event; nothing is installed."""
    issued = signer(lab.maker)
    members: dict[str, Any] = {}
    if fault == "file":
        server.files["/firmware.bin"] = FIRMWARE[:-1] + b"!"
    elif fault == "signature":
        members = {"signature": signed_by(issued, b"something else")["signature"]}
    elif fault == "other key":
        members = {"signature": signed_by(signer(lab.maker), FIRMWARE)["signature"]}
    else:
        members = {"signature": "none"}
    assert one.ask("SignedUpdateFirmware", **request(server, issued, **members)) == "Accepted"
    steps(one, "Downloading", "Downloaded", "InvalidSignature")
    one.expect("SecurityEventNotification", type="InvalidFirmwareSignature")
    assert one.statuses(1) == ["Available"]


@pytest.mark.parametrize("fault", ["stranger", "expired", "later", "for servers", "authority", "no certificate"])
def test_an_invalid_signing_certificate(one: Outside, lab: Lab, server: HttpFileServer, fault: str) -> None:
    """InvalidCertificate and a security event; nothing is fetched."""
    issued = {
        "stranger": lambda: signer(lab.stranger),
        "expired": lambda: signer(lab.maker, days=0.5),
        "later": lambda: signer(lab.maker, starts_in=30),
        "for servers": lambda: signer(lab.maker, use=Use.SERVER),
    }.get(fault, lambda: signer(lab.maker))()
    members: dict[str, Any] = {
        "authority": {"signingCertificate": lab.maker.certificate},
        "no certificate": {"signingCertificate": "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"},
    }.get(fault, {})
    assert one.ask("SignedUpdateFirmware", **request(server, issued, **members)) == "InvalidCertificate"
    one.told("security_event", type="InvalidFirmwareSigningCertificate")
    one.settle()
    assert one.calls("SignedFirmwareStatusNotification") == []
    assert server.requests == []


def test_without_a_root_of_the_manufacturer(begin: Begin, lab: Lab, server: HttpFileServer) -> None:
    """Whoever signed it, nobody is believed: InvalidCertificate."""
    one = begin(options=("--transfer", "url"), Core=CORE)
    assert one.ask("SignedUpdateFirmware", **request(server, signer(lab.maker))) == "InvalidCertificate"
    one.told("security_event", type="InvalidFirmwareSigningCertificate")


def test_the_download_fails(one: Outside, lab: Lab, server: HttpFileServer) -> None:
    """After the retries DownloadFailed, and the next request is taken."""
    issued = signer(lab.maker)
    wrong = request(server, issued, location=f"{server.base}/other.bin")
    assert one.ask("SignedUpdateFirmware", retries=2, retryInterval=0, **wrong) == "Accepted"
    steps(one, "Downloading", "DownloadFailed")
    assert [path for _, path, _ in server.requests] == ["/other.bin"] * 3
    assert one.ask("SignedUpdateFirmware", **request(server, issued, 2)) == "Accepted"
    one.expect("SignedFirmwareStatusNotification", status="Installed", requestId=2)
    one.booted()
    one.settle()


@pytest.mark.parametrize("status", ["InstallationFailed", "InstallVerificationFailed"])
def test_the_installation_fails(one: Outside, lab: Lab, server: HttpFileServer, status: str) -> None:
    """It is told as it is, and the connectors come back."""
    one.do("overrule", question="update_firmware", answer=None)
    assert one.ask("SignedUpdateFirmware", **request(server, signer(lab.maker))) == "Accepted"
    for step in (*FETCHED, "Installing"):
        one.do("firmware_status", status=step, request_id=1)
    one.status(1, "Unavailable")
    one.do("firmware_status", status=status, request_id=1)
    steps(one, *FETCHED, "Installing", status)
    one.status(1, "Available")


def test_dates_ahead_are_told(one: Outside, lab: Lab, server: HttpFileServer) -> None:
    """DownloadScheduled before the retrieve date; InstallScheduled before the install date; a newer request takes the
    place of both."""
    issued = signer(lab.maker)
    later = request(server, issued, 1, retrieveDateTime=FUTURE)
    assert one.ask("SignedUpdateFirmware", **later) == "Accepted"
    steps(one, "DownloadScheduled")
    assert server.requests == []
    waiting = request(server, issued, 2, installDateTime=FUTURE)
    assert one.ask("SignedUpdateFirmware", **waiting) == "AcceptedCanceled"
    steps(one, *FETCHED, "InstallScheduled", number=2)
    assert one.statuses(1) == ["Available"]
    assert one.ask("ExtendedTriggerMessage", requestedMessage="FirmwareStatusNotification") == "Accepted"
    one.expect("SignedFirmwareStatusNotification", status="InstallScheduled", requestId=2)
    assert one.ask("SignedUpdateFirmware", **request(server, issued, 3)) == "AcceptedCanceled"
    for status in DONE:
        one.expect("SignedFirmwareStatusNotification", status=status, requestId=3)
    one.booted()
    one.settle()


def test_a_transaction_is_waited_for_over_kill(one: Outside, lab: Lab, server: HttpFileServer) -> None:
    """The firmware is there and proved, a car charges, the power fails: then it is installed, and told once."""
    one.charge()
    assert one.ask("SignedUpdateFirmware", **request(server, signer(lab.maker))) == "Accepted"
    one.expect("SignedFirmwareStatusNotification", status="SignatureVerified")
    one.status(2, "Unavailable")
    one.settle()
    assert one.calls("SignedFirmwareStatusNotification", status="Installing") == []
    one.power_cut()
    one.power_up()
    one.booted()
    one.expect("StopTransaction", reason="PowerLoss")
    one.expect("SignedFirmwareStatusNotification", status="Installed", requestId=1)
    one.expect("SecurityEventNotification", type="FirmwareUpdated")
    one.settle()
    told = [payload["status"] for payload in one.calls("SignedFirmwareStatusNotification")]
    assert [status for status in told if status != "Installing"] == [*FETCHED, "Installed"]


def test_offline_the_end_is_told_later(one: Outside, lab: Lab, server: HttpFileServer) -> None:
    """A file that nobody signed is found out while nobody listens: told, with its event, when somebody does."""
    issued = signer(lab.maker)
    server.files["/firmware.bin"] = b"something else"

    def away(handler: Any) -> None:
        del server.scripts["/firmware.bin"]
        is_asked.append(True)
        server.is_over.wait(0)
        while not is_offline:
            server.is_over.wait(0.01)
        handler.do_GET()

    is_asked: list[bool] = []
    is_offline: list[bool] = []
    server.scripts["/firmware.bin"] = away
    assert one.ask("SignedUpdateFirmware", **request(server, issued)) == "Accepted"
    one.expect("SignedFirmwareStatusNotification", status="Downloading")
    one.offline()
    is_offline.append(True)
    one.told("security_event", type="InvalidFirmwareSignature")
    one.online()
    steps(one, "InvalidSignature")
    one.expect("SecurityEventNotification", type="InvalidFirmwareSignature")

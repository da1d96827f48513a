"""Firmware Management, and of the security white paper what needs no certificates: GetLog, ExtendedTriggerMessage."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]

LOCATION = "ftp://user:p4ssw0rd@127.0.0.1/files/"
CORE = {"SupportedFeatureProfiles": "Core,FirmwareManagement,RemoteTrigger"}
QUICK = {"transfer_step": 0.1}
PAST, FUTURE = "2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"
FIRMWARE = {"location": LOCATION, "retrieveDateTime": PAST, "signingCertificate": "PEM", "signature": "c2ln"}


@pytest.fixture
def begin_here(begin: Begin) -> Begin:
    """As `begin`, with the feature profile and a station that does its steps quickly."""

    def make(station: dict[str, Any] | None = None, **keys: Any) -> Outside:
        return begin(station={**QUICK, **(station or {})}, Core={**CORE, **keys.pop("Core", {})}, **keys)

    return make


@pytest.fixture
def one(begin_here: Begin) -> Iterator[Outside]:
    made = begin_here()
    yield made
    assert made.program.lines
    assert "p4ssw0rd" not in str(made.program.lines), "of what it tells"


def update(one: Outside, **members: Any) -> None:
    assert one.call("UpdateFirmware", **{"location": LOCATION, "retrieveDate": PAST, **members}) == {}


def steps(one: Outside, *statuses: str, action: str = "FirmwareStatusNotification", **members: Any) -> None:
    for status in statuses:
        one.expect(action, status=status, **members)
    one.settle()
    assert [payload["status"] for payload in one.calls(action)][-len(statuses) :] == [*statuses]


def test_tc_044_1_download_and_install(one: Outside) -> None:
    """Downloading, Downloaded; every connector Unavailable; Installing, Installed; every connector back."""
    update(one)
    one.expect("FirmwareStatusNotification", status="Downloading")
    one.expect("FirmwareStatusNotification", status="Downloaded")
    steps(one, "Installing", "Installed")
    one.wait_for_count("StatusNotification", 3 + 4)  # both connectors, in any order
    assert one.statuses(1) == one.statuses(2) == ["Available", "Unavailable", "Available"]
    assert len(one.calls("FirmwareStatusNotification")) == 4


def test_tc_044_2_the_download_fails(one: Outside) -> None:
    """After the last of the retries DownloadFailed, and nothing more."""
    update(one, location="gopher://127.0.0.1/x", retries=2, retryInterval=0)
    steps(one, "Downloading", "DownloadFailed")
    assert one.statuses(1) == ["Available"]


def test_tc_044_3_the_installation_fails(one: Outside) -> None:
    """InstallationFailed: the connectors come back."""
    one.do("overrule", question="update_firmware", answer=None)
    update(one)
    for status in ("Downloading", "Downloaded", "Installing"):
        one.do("firmware_status", status=status)
        one.expect("FirmwareStatusNotification", status=status)
    one.status(1, "Unavailable")
    one.do("firmware_status", status="InstallationFailed")
    steps(one, "InstallationFailed")
    one.status(1, "Available")


def test_it_waits_for_a_transaction(one: Outside) -> None:
    """The connector with a transaction goes on charging; the installation begins when that has ended."""
    one.charge()
    update(one)
    one.expect("FirmwareStatusNotification", status="Downloaded")
    one.status(2, "Unavailable")
    one.settle()
    assert one.calls("FirmwareStatusNotification", status="Installing") == []
    one.unplug()
    steps(one, "Installing", "Installed")
    one.status(2, "Available")


def test_an_update_over_kill(begin_here: Begin) -> None:
    """kill -9 between Downloaded and Installed: it goes on, and the end is told."""
    one = begin_here(station={"transfer_step": 3600})
    update(one)
    one.expect("FirmwareStatusNotification", status="Downloading")
    one.do("firmware_status", status="Downloaded")
    one.expect("FirmwareStatusNotification", status="Downloaded")
    one.power_cut()
    one._station["transfer_step"] = 0.1
    one.power_up()
    one.expect("BootNotification")
    steps(one, "Installing", "Installed")
    one.status(1, "Available")


def test_a_date_far_ahead_is_waited_for_over_kill(begin_here: Begin) -> None:
    """Nothing is fetched before retrieveDate, whatever happens meanwhile; a newer request takes the place."""
    one = begin_here()
    update(one, retrieveDate=FUTURE)
    one.power_cut()
    one.power_up()
    one.booted()
    one.settle()
    assert one.calls("FirmwareStatusNotification") == []
    assert one.do("maintenance")["firmware"] == {"request_id": -1, "status": "Idle"}
    update(one)
    steps(one, "Downloading", "Downloaded", "Installing", "Installed")


def test_offline_the_end_is_told_later(begin_here: Begin) -> None:
    """What happened while nobody listened is told when somebody does: the last of it."""
    one = begin_here()
    one.do("overrule", question="update_firmware", answer=None)
    update(one)
    one.do("firmware_status", status="Downloading")
    one.expect("FirmwareStatusNotification", status="Downloading")
    one.offline()
    for status in ("Downloaded", "Installing", "Installed"):
        one.do("firmware_status", status=status)
    one.online()
    steps(one, "Installed")


def test_signed_firmware_only(begin_here: Begin) -> None:
    """SignedFirmwareRequired: UpdateFirmware is answered NotSupported."""
    one = begin_here(FirmwareManagement={"SignedFirmwareRequired": True})
    answer = one.call("UpdateFirmware", location=LOCATION, retrieveDate=PAST)
    assert answer["error"] == "NotSupported"


def test_tc_045_1_get_diagnostics(one: Outside) -> None:
    """The name of the file in the answer, Uploading, Uploaded."""
    answer = one.call("GetDiagnostics", location=LOCATION, startTime=PAST, stopTime=FUTURE)
    assert answer["fileName"].startswith(f"{one.identity}-diagnostics-")
    assert answer["fileName"].endswith(".tar.gz")
    steps(one, "Uploading", "Uploaded", action="DiagnosticsStatusNotification")


def test_tc_045_2_the_upload_fails(one: Outside) -> None:
    """After the last of the retries UploadFailed."""
    one.call("GetDiagnostics", location="gopher://127.0.0.1/", retries=1, retryInterval=0)
    steps(one, "Uploading", "UploadFailed", action="DiagnosticsStatusNotification")


def test_diagnostics_that_the_station_does_not_have(one: Outside) -> None:
    """No file name, no status."""
    one.do("overrule", question="upload_diagnostics", answer="Rejected")
    assert one.call("GetDiagnostics", location=LOCATION) == {}
    one.settle()
    assert one.calls("DiagnosticsStatusNotification") == []


@pytest.mark.parametrize("log_type", ["SecurityLog", "DiagnosticsLog"])
def test_tc_079_get_log(one: Outside, log_type: str) -> None:
    """Accepted with a name; LogStatusNotification with the id of the request."""
    log = {"remoteLocation": LOCATION, "oldestTimestamp": PAST}
    answer = one.call("GetLog", requestId=7, logType=log_type, log=log)
    assert answer["status"] == "Accepted"
    assert answer["filename"]
    steps(one, "Uploading", "Uploaded", action="LogStatusNotification", requestId=7)


def test_a_second_log_takes_the_place_of_the_first(begin_here: Begin) -> None:
    """AcceptedCanceled; from there on the second id is told."""
    one = begin_here(station={"transfer_step": 3600})
    log = {"remoteLocation": LOCATION}
    assert one.ask("GetLog", requestId=7, logType="SecurityLog", log=log) == "Accepted"
    one.expect("LogStatusNotification", status="Uploading", requestId=7)
    assert one.ask("GetLog", requestId=8, logType="SecurityLog", log=log) == "AcceptedCanceled"
    one.expect("LogStatusNotification", status="Uploading", requestId=8)
    one.do("log_status", status="Uploaded", request_id=8)
    one.expect("LogStatusNotification", status="Uploaded", requestId=8)


def test_a_certificate_that_nobody_can_prove(one: Outside) -> None:
    """SignedUpdateFirmware without a root of the manufacturer: InvalidCertificate, a security event, no download."""
    assert one.ask("SignedUpdateFirmware", requestId=9, firmware=FIRMWARE) == "InvalidCertificate"
    one.told("security_event", type="InvalidFirmwareSigningCertificate")
    one.settle()
    assert one.calls("SignedFirmwareStatusNotification") == []


@pytest.mark.parametrize("message", ["FirmwareStatusNotification", "DiagnosticsStatusNotification"])
def test_tc_054_trigger_what_is_idle(one: Outside, message: str) -> None:
    """Idle without an update or upload."""
    assert one.ask("TriggerMessage", requestedMessage=message) == "Accepted"
    one.expect(message, status="Idle")


def test_trigger_what_is_under_way(begin_here: Begin) -> None:
    """The present status, and nothing follows from it."""
    one = begin_here(station={"transfer_step": 3600})
    update(one)
    one.call("GetDiagnostics", location=LOCATION)
    for message, status in (
        ("FirmwareStatusNotification", "Downloading"),
        ("DiagnosticsStatusNotification", "Uploading"),
    ):
        one.expect(message, status=status)
        assert one.ask("TriggerMessage", requestedMessage=message) == "Accepted"
        one.expect(message, status=status)


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ("BootNotification", "BootNotification"),
        ("Heartbeat", "Heartbeat"),
        ("MeterValues", "MeterValues"),
        ("StatusNotification", "StatusNotification"),
        ("FirmwareStatusNotification", "SignedFirmwareStatusNotification"),
        ("LogStatusNotification", "LogStatusNotification"),
    ],
)
def test_extended_trigger(one: Outside, message: str, sent: str) -> None:
    """Accepted, then the message; what is idle has no requestId."""
    before = len(one.calls(sent))
    assert one.ask("ExtendedTriggerMessage", requestedMessage=message) == "Accepted"
    one.wait_for_count(sent, before + 1)
    payload = one.calls(sent)[-1]
    if sent in ("SignedFirmwareStatusNotification", "LogStatusNotification"):
        assert payload == {"status": "Idle"}


def test_extended_trigger_of_what_there_is_not(one: Outside) -> None:
    """No such connector: Rejected. No such message: NotImplemented."""
    answer = one.ask("ExtendedTriggerMessage", requestedMessage="StatusNotification", connectorId=3)
    assert answer == "Rejected"
    assert one.ask_badly("ExtendedTriggerMessage", {"requestedMessage": "Joke"})[2] == {"status": "NotImplemented"}

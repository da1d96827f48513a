"""Firmware and logs: asked of EVerest's system module, told by it."""

from collections.abc import Callable
from typing import Any

import pytest
from everest_double import Nonsense
from everest_site import Site, warnings

from ocpp16.errors import CallFailed

UPDATE = {"location": "ftp://u:p@h/fw", "retrieveDate": "2020-01-01T00:00:00Z", "retries": 2, "retryInterval": 7}
SIGNED = {
    "requestId": 42,
    "retries": 0,
    "firmware": {
        "location": "https://h/fw",
        "retrieveDateTime": "2020-01-01T00:00:00Z",
        "installDateTime": "2020-01-01T00:00:01Z",
        "signingCertificate": "a certificate",
        "signature": "c2lnbmVk",
    },
}


def tell(here: Site, status: str, request_id: int = -1) -> None:
    value = {"firmware_update_status": status, "request_id": request_id}
    here.everest.tell("system", "firmware_update_status", value)


def test_an_unsigned_update(site: Callable[..., Site]) -> None:
    here = site().start()
    assert here.ask("UpdateFirmware", UPDATE) == {}
    request = here.everest.wait_called("system", "update_firmware")["firmware_update_request"]
    assert request == {
        "location": "ftp://u:p@h/fw",
        "request_id": -1,
        "retries": 3,
        "retry_interval_s": 7,
        "retrieve_timestamp": "2020-01-01T00:00:00.000Z",
    }
    for status in ("Downloading", "Downloaded"):
        tell(here, status)
    assert here.wait_call("FirmwareStatusNotification", 2) == {"status": "Downloaded"}
    here.everest.wait_called("connector_2", "enable_disable", 2)
    here.everest.wait_called("system", "allow_firmware_installation")
    tell(here, "Idle")
    tell(here, "Installing")
    tell(here, "Installed")
    assert here.wait_call("FirmwareStatusNotification", 4) == {"status": "Installed"}
    here.status(1, "Available")


def test_a_signed_update_is_handed_over_once(site: Callable[..., Site]) -> None:
    here = site().start()
    assert here.ask("SignedUpdateFirmware", SIGNED) == {"status": "Accepted"}
    assert here.everest.called("security", "verify_certificate")[0] == {
        "certificate_chain": "a certificate",
        "certificate_types": ["MF"],
    }
    request = here.everest.wait_called("system", "update_firmware")["firmware_update_request"]
    assert (request["request_id"], request["retries"]) == (42, 1)
    assert (request["signing_certificate"], request["signature"]) == ("a certificate", "c2lnbmVk")
    assert request["install_timestamp"] == "2020-01-01T00:00:01.000Z"
    for status in ("Downloading", "Downloaded", "SignatureVerified"):
        tell(here, status, 42)
    here.everest.wait_called("system", "allow_firmware_installation")
    found = here.wait_call("SignedFirmwareStatusNotification", 3)
    assert found == {"status": "SignatureVerified", "requestId": 42}
    assert len(here.everest.called("system", "update_firmware")) == 1
    tell(here, "Installing", 42)
    here.wait_call("SignedFirmwareStatusNotification", 4)
    with pytest.raises(CallFailed, match="GenericError"):
        here.ask("UpdateFirmware", UPDATE)  # it is installed: nobody gives it up any more
    assert len(here.everest.called("system", "update_firmware")) == 1


def test_a_newer_update_takes_the_place_of_one_that_is_not_installed_yet(site: Callable[..., Site]) -> None:
    here = site().start()
    assert here.ask("SignedUpdateFirmware", SIGNED) == {"status": "Accepted"}
    tell(here, "Downloading", 42)
    here.wait_call("SignedFirmwareStatusNotification")
    here.everest.answers["system", "update_firmware"] = "AcceptedCanceled"
    assert here.ask("SignedUpdateFirmware", {**SIGNED, "requestId": 43}) == {"status": "AcceptedCanceled"}


@pytest.mark.parametrize("answer", ["Rejected", "InvalidCertificate", "RevokedCertificate"])
def test_the_system_refuses(site: Callable[..., Site], answer: str) -> None:
    here = site()
    here.everest.answers["system", "update_firmware"] = answer
    here.start()
    assert here.ask("SignedUpdateFirmware", SIGNED) == {"status": answer}
    assert here.ask("UpdateFirmware", UPDATE) == {}
    assert here.wait_call("FirmwareStatusNotification") == {"status": "DownloadFailed"}


def test_an_update_goes_on_over_a_restart_of_everest(site: Callable[..., Site]) -> None:
    first = site().start()
    assert first.ask("UpdateFirmware", UPDATE) == {}
    tell(first, "Downloading")
    first.wait_call("FirmwareStatusNotification")
    first.close()
    second = site().start()
    second.everest.wait_called("system", "update_firmware")
    tell(second, "Downloaded")
    tell(second, "Installing")
    second.until(lambda: second.server.payload("FirmwareStatusNotification") == {"status": "Installing"})
    second.close()
    third = site()
    third.everest.answers["system", "get_boot_reason"] = "FirmwareUpdate"
    third.begin()
    tell(third, "Installed")  # by the new firmware, before the charge point is there
    third.everest.all_ready()
    third.everest.evses_ready()
    third.until(lambda: third.server.payload("FirmwareStatusNotification") == {"status": "Installed"})
    assert third.everest.called("system", "update_firmware") == []


def test_a_stop_in_between_hands_nothing_over_twice(site: Callable[..., Site]) -> None:
    here = site().start()
    assert here.ask("UpdateFirmware", UPDATE) == {}
    tell(here, "Downloading")
    here.wait_call("FirmwareStatusNotification")
    assert here.everest.call("main", "stop") is True
    tell(here, "Downloaded")  # it goes on meanwhile
    assert here.everest.call("main", "restart") is True
    here.everest.wait_called("system", "allow_firmware_installation")
    assert len(here.everest.called("system", "update_firmware")) == 1


def test_diagnostics_and_logs(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site()
    here.everest.answers["system", "upload_logs"] = {"upload_logs_status": "Accepted", "file_name": "l" * 300}
    here.start()
    wanted = {"location": "ftp://h/", "retries": 1, "retryInterval": 5, "startTime": "2026-01-01T00:00:00Z"}
    assert here.ask("GetDiagnostics", wanted) == {"fileName": "l" * 255}
    assert here.everest.called("system", "upload_logs")[0]["upload_logs_request"] == {
        "location": "ftp://h/",
        "request_id": -1,
        "type": "DiagnosticsLog",
        "retries": 2,
        "retry_interval_s": 5,
        "oldest_timestamp": "2026-01-01T00:00:00.000Z",
    }

    def told(status: str, request_id: int) -> None:
        here.everest.tell("system", "log_status", {"log_status": status, "request_id": request_id})

    told("Uploading", -1)
    told("Uploaded", -1)
    assert here.wait_call("DiagnosticsStatusNotification", 2) == {"status": "Uploaded"}
    log = {"requestId": 9, "logType": "SecurityLog", "log": {"remoteLocation": "ftp://h/"}}
    assert here.ask("GetLog", log)["status"] == "Accepted"
    assert here.everest.called("system", "upload_logs")[1]["upload_logs_request"]["type"] == "SecurityLog"
    here.everest.answers["system", "upload_logs"] = {"upload_logs_status": "AcceptedCanceled"}
    assert here.ask("GetLog", {**log, "requestId": 10})["status"] == "AcceptedCanceled"
    told("AcceptedCanceled", 9)
    told("Idle", 10)
    told("Uploading", 10)
    told("PermissionDenied", 10)
    assert here.wait_call("LogStatusNotification", 2) == {"status": "PermissionDenied", "requestId": 10}
    told("Uploaded", 999)
    here.everest.tell("system", "log_status", Nonsense({"log_status": "Exploded", "request_id": "x"}))
    here.everest.tell("system", "firmware_update_status", Nonsense({"firmware_update_status": 3}))
    here.everest.answers["system", "upload_logs"] = {"upload_logs_status": "Rejected"}
    assert here.ask("GetLog", log)["status"] == "Rejected"
    here.until(lambda: "log_status.log_status must be one of" in text(caplog))
    here.until(lambda: "firmware_update_status.firmware_update_status must be one of" in text(caplog))


def text(caplog: pytest.LogCaptureFixture) -> str:
    return warnings(caplog.records)


@pytest.mark.parametrize("kind", ["Hard", "Soft"])
def test_a_reset_stops_and_resets_the_system(site: Callable[..., Site], kind: str) -> None:
    here = site(config={"ResetStopDelay": 0}).start()
    assert here.ask("Reset", {"type": kind}) == {"status": "Accepted"}
    assert here.everest.called("system", "is_reset_allowed") == [{"type": kind}]
    assert here.everest.wait_called("system", "reset") == {"type": kind, "scheduled": False}
    here.server.do(here.server.system.wait_disconnected, "CP1")
    here.plug_in()  # too late: it is stopped
    here.everest.wait(lambda: here.everest.values("ocpp_generic", "is_connected")[-1] is False)
    assert "StartTransaction" not in here.server.actions()


def test_a_reset_that_waits_ends_with_the_module(site: Callable[..., Site]) -> None:
    here = site(config={"ResetStopDelay": 3600}).start()
    assert here.ask("Reset", {"type": "Soft"}) == {"status": "Accepted"}
    here.close()
    assert here.code == 0
    assert here.everest.called("system", "reset") == []


def test_a_reset_that_is_not_allowed(site: Callable[..., Site]) -> None:
    here = site()
    here.everest.answers["system", "is_reset_allowed"] = False
    here.start()
    assert here.ask("Reset", {"type": "Soft"}) == {"status": "Rejected"}


def test_a_system_that_does_not_reset_has_the_charge_point_back(site: Callable[..., Site]) -> None:
    here = site()

    def fail(arguments: Any) -> None:
        raise RuntimeError("no such module")

    here.everest.answers["system", "reset"] = fail
    here.start()
    assert here.ask("Reset", {"type": "Soft"}) == {"status": "Accepted"}
    here.wait_call("BootNotification", 2)
    here.plug_in()
    here.wait_call("StartTransaction")


def test_a_reset_that_is_taken_and_not_done_does_not_stop_it_for_good(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ocpp16.everest.opened.LONGEST_RESET", 0.01)
    here = site().start()
    assert here.ask("Reset", {"type": "Hard"}) == {"status": "Accepted"}
    here.wait_call("BootNotification", 2)
    assert "system.reset was answered, and nothing is reset" in text(caplog)


def test_the_time_of_the_central_system_and_the_connection_timeout(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(document={"Core": {"ConnectionTimeOut": 60}}).start()
    assert here.everest.wait_called("system", "set_system_time")["timestamp"].startswith("2026-01-01T00:0")
    assert here.everest.wait_called("auth", "set_connection_timeout") == {"connection_timeout": 60}
    assert here.ask("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "5"}) == {"status": "Accepted"}
    assert here.everest.wait_called("auth", "set_connection_timeout", 2) == {"connection_timeout": 10}
    assert "ConnectionTimeOut 5 s: auth of EVerest takes 10 to 300 s" in text(caplog)

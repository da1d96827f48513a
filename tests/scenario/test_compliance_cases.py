"""The scenarios for the cases of the compliance tool: each passes against a Central System that does what it should,
with somebody who operates it where that is waited for, and fails against one that does not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ocpp16.scenario import READY_MADE, Outcome, Progress, load_scenario
from ocpp16.security.lab_pki import Authority, Use
from ocpp16.testing import CallErrorAnswer, CentralSystem
from ocpp16.testing.recording import ReceivedCall

WITH_TLS = ("TC_074_CSMS", "TC_083_CSMS", "TC_086_CSMS", "TC_087_CSMS")
"""Those that are played over TLS, in test_tls_cases.py."""
CASES = [name for name in READY_MADE if name.startswith("TC_") and name not in WITH_TLS]
TAG = "CARD000001"
SOON = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
WHOLE_LIST = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": []}
ENTRY = {"idTag": TAG, "idTagInfo": {"status": "Accepted"}}
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}]},
}
TX_PROFILE = {**PROFILE, "chargingProfilePurpose": "TxProfile"}
RESERVATION = {"connectorId": 1, "expiryDate": SOON, "idTag": TAG, "reservationId": 7}
FIRMWARE = {"location": "https://example.com/firmware.bin", "retrieveDate": "2026-01-01T00:00:00Z"}
START = {"connectorId": 1, "idTag": TAG}
STOP = {"transactionId": 1}
UNLOCK = {"connectorId": 1}
DIAGNOSTICS = {"location": "ftp://example.com/"}
LOG = {"logType": "SecurityLog", "requestId": 3, "log": {"remoteLocation": "https://example.com/log"}}

ROOT = Authority("Root", datetime(2026, 1, 1, tzinfo=UTC).timestamp())
SIGNER = ROOT.issue("Firmware", use=Use.CODE)
SIGNED_FIRMWARE: dict[str, Any] = {
    "requestId": 5,
    "firmware": {
        "location": "https://example.com/firmware.bin",
        "retrieveDateTime": "2026-01-01T00:00:00Z",
        "signingCertificate": SIGNER.certificate,
        "signature": "c2lnbmVk",
    },
}
OTHER_ROOT = Authority("Other root", datetime(2026, 1, 1, tzinfo=UTC).timestamp())
FIRMWARE_OF_NOBODY = {
    **SIGNED_FIRMWARE["firmware"],
    "signingCertificate": OTHER_ROOT.issue("Firmware", use=Use.CODE).certificate,
}
A_CERTIFICATE = {"requestedMessage": "SignChargePointCertificate"}


def signed(csms: CentralSystem) -> dict[str, Any]:
    """What the charge point asked for last."""
    csr = csms.calls("SignCertificate")[-1].payload["csr"]
    return {"certificateChain": ROOT.sign_request(csr).chain}


def certificates(kind: str) -> "Asked":
    """A root is installed, and what is installed asked for."""
    install = {"certificateType": kind, "certificate": ROOT.certificate}
    return [("InstallCertificate", install), ("GetInstalledCertificateIds", {"certificateType": kind})]


Asked = list[tuple[str, dict[str, Any] | Callable[[CentralSystem], dict[str, Any]]]]
OPERATED: dict[str, Asked] = {
    "TC_010": [("RemoteStartTransaction", START)],
    "TC_011_1": [("RemoteStartTransaction", START)],
    "TC_011_2": [("RemoteStartTransaction", START)],
    "TC_012": [("RemoteStopTransaction", STOP)],
    "TC_013": [("Reset", {"type": "Hard"})],
    "TC_014": [("Reset", {"type": "Soft"})],
    "TC_017_1": [("UnlockConnector", UNLOCK)],
    "TC_017_2": [("UnlockConnector", UNLOCK)],
    "TC_018_1": [("UnlockConnector", UNLOCK)],
    "TC_019_1": [("GetConfiguration", {})],
    "TC_019_2": [("GetConfiguration", {"key": ["SupportedFeatureProfiles"]})],
    "TC_021": [("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"})],
    "TC_026": [("RemoteStartTransaction", START)],
    "TC_028": [("RemoteStopTransaction", STOP)],
    "TC_030": [("UnlockConnector", UNLOCK)],
    "TC_031": [("UnlockConnector", {"connectorId": 5})],
    "TC_040_1": [("ChangeConfiguration", {"key": "NoSuchKey", "value": "1"})],
    "TC_040_2": [("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "often"})],
    "TC_042_1": [("GetLocalListVersion", {})],
    "TC_042_2": [("GetLocalListVersion", {})],
    "TC_043_1": [("SendLocalList", WHOLE_LIST)],
    "TC_043_3": [("SendLocalList", {**WHOLE_LIST, "localAuthorizationList": [ENTRY, {**ENTRY, "idTag": "OTHER"}]})],
    "TC_043_4": [("SendLocalList", {**WHOLE_LIST, "localAuthorizationList": [ENTRY]})],
    "TC_043_5": [
        ("SendLocalList", WHOLE_LIST),
        ("SendLocalList", {"listVersion": 2, "updateType": "Differential", "localAuthorizationList": [ENTRY]}),
    ],
    "TC_044_1": [("UpdateFirmware", FIRMWARE)],
    "TC_044_2": [("UpdateFirmware", FIRMWARE)],
    "TC_044_3": [("UpdateFirmware", FIRMWARE)],
    "TC_045_1": [("GetDiagnostics", DIAGNOSTICS)],
    "TC_045_2": [("GetDiagnostics", DIAGNOSTICS)],
    "TC_046": [("ReserveNow", RESERVATION)],
    "TC_047": [("ReserveNow", RESERVATION)],
    "TC_048_1": [("ReserveNow", RESERVATION)],
    "TC_048_2": [("ReserveNow", RESERVATION)],
    "TC_048_3": [("ReserveNow", RESERVATION)],
    "TC_048_4": [("ReserveNow", RESERVATION)],
    "TC_049": [("ReserveNow", {**RESERVATION, "connectorId": 0})],
    "TC_051": [("ReserveNow", RESERVATION), ("CancelReservation", {"reservationId": 7})],
    "TC_052": [("CancelReservation", {"reservationId": 8})],
    "TC_053": [("ReserveNow", {**RESERVATION, "parentIdTag": "FAMILY"})],
    "TC_054": [
        ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
        ("TriggerMessage", {"requestedMessage": "Heartbeat"}),
        ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}),
    ],
    "TC_055": [("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 9})],
    "TC_056": [("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE})],
    "TC_057": [("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {**TX_PROFILE, "transactionId": 1}})],
    "TC_059": [("RemoteStartTransaction", {**START, "chargingProfile": TX_PROFILE})],
    "TC_061": [("ClearCache", {})],
    "TC_066": [("GetCompositeSchedule", {"connectorId": 1, "duration": 300})],
    "TC_067": [("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE}), ("ClearChargingProfile", {})],
    "TC_073": [("ChangeConfiguration", {"key": "AuthorizationKey", "value": "61" * 20})],
    "TC_075_1": certificates("ManufacturerRootCertificate"),
    "TC_075_2": certificates("CentralSystemRootCertificate"),
    "TC_076": [*certificates("ManufacturerRootCertificate"), ("DeleteCertificate", {})],
    "TC_077": [("ExtendedTriggerMessage", A_CERTIFICATE), ("CertificateSigned", signed)],
    "TC_078": certificates("CentralSystemRootCertificate")[:1],
    "TC_079": [("GetLog", LOG)],
    "TC_080": [("SignedUpdateFirmware", SIGNED_FIRMWARE)],
    "TC_081": [("SignedUpdateFirmware", SIGNED_FIRMWARE)],
}
"""Case → what somebody asks for at the Central System, when it is waited for."""


def furnished(folder: Path) -> Path:
    """With the root of the manufacturer."""
    root = folder / "ca/mf/MF_ROOT_CA.pem"
    root.parent.mkdir(parents=True)
    root.write_text(ROOT.certificate)
    return folder


class Operator:
    """Reads what a scenario waits for, and asks the Central System for it."""

    def __init__(self, csms: CentralSystem, asked: Asked) -> None:
        self._csms = csms
        self._asked = list(asked)
        self.read: list[str] = []
        self._installed: dict[str, Any] = {}

    def __call__(self, progress: Progress) -> None:
        if progress.waiting and progress.waiting not in self.read[-1:]:
            self.read.append(progress.waiting)
        if self._asked and f"waiting for {self._asked[0][0]} of the Central System" in progress.waiting:
            action, payload = self._asked.pop(0)
            for identity in list(self._csms.connected):
                self._csms.spawn(self._ask, identity, action, payload)

    async def _ask(self, identity: str, action: str, payload: Any) -> None:
        if callable(payload):
            payload = payload(self._csms)
        if action == "DeleteCertificate":
            payload = {"certificateHashData": self._installed}
        try:
            answer = await self._csms.call(identity, action, payload)
            self._installed = (answer.get("certificateHashData") or [{}])[0]
        except Exception as error:  # the answer is looked at by the scenario
            self.read.append(repr(error))


def knows_cards(payload: dict[str, Any], call: ReceivedCall) -> dict[str, Any]:
    """The answer to Authorize of a Central System that has an opinion of cards."""
    words = {"INVALID": "Invalid", "EXPIRED": "Expired", "BLOCKED": "Blocked"}
    info = {"status": words.get(str(payload["idTag"])[:7], "Accepted")}
    if payload["idTag"].startswith("GROUP"):
        info["parentIdTag"] = "FAMILY"
    return {"idTagInfo": info}


def with_opinions(csms: CentralSystem) -> CentralSystem:
    csms.answers["Authorize"] = knows_cards
    csms.answers["StartTransaction"] = lambda payload, call: {"transactionId": 1, **knows_cards(payload, call)}
    return csms


@pytest.mark.parametrize("name", CASES)
async def test_each_passes_where_all_is_as_it_should_be(
    name: str, csms: CentralSystem, play: Any, whys: Any, tmp_path: Path
) -> None:
    operator = Operator(with_opinions(csms), OPERATED.get(name.removesuffix("_CSMS"), []))
    options = {}
    if "--certs" in load_scenario(name).text:
        is_of_firmware = name in ("TC_080_CSMS", "TC_081_CSMS")
        options["certificates_path"] = furnished(tmp_path) if is_of_firmware else tmp_path
    outcome: Outcome = await play(load_scenario(name), csms, progress=operator, **options)
    assert whys(outcome) == {}, operator.read
    assert outcome.is_passed
    assert not csms.violations


@pytest.mark.parametrize("name", CASES[::6])
async def test_each_fails_where_boots_are_refused(name: str, csms: CentralSystem, play: Any, whys: Any) -> None:
    csms.answers["BootNotification"] = CallErrorAnswer("InternalError", "no")
    outcome: Outcome = await play(load_scenario(name), csms)
    assert not outcome.is_passed
    found = whys(outcome)
    assert found["step 1: wait_registered"] == ["it was not registered within 60 s"]
    assert found["the boot is accepted"][0].startswith("BootNotification was answered with CALLERROR InternalError")


BROKEN: dict[str, tuple[str, Callable[..., Any] | dict[str, Any] | None, str]] = {
    "TC_003": (
        "StartTransaction",
        {"transactionId": 1, "idTagInfo": {"status": "Blocked"}},
        "is 'Blocked', not 'Accept",
    ),
    "TC_004_1": ("Authorize", {"idTagInfo": {"status": "Invalid"}}, "is 'Invalid', not 'Accepted'"),
    "TC_005_1": ("StopTransaction", None, "StopTransaction was not answered within 60 s"),
    "TC_023_1": ("Authorize", {"idTagInfo": {"status": "Accepted"}}, "is 'Accepted', not 'Invalid'"),
    "TC_024": ("StatusNotification", None, "StatusNotification was not answered within 60 s"),
    "TC_064": ("DataTransfer", {"status": "Perhaps"}, "status is 'Perhaps', not one of"),
}


BADLY_ASKED: dict[str, tuple[Asked, str]] = {
    "TC_077": ([("ExtendedTriggerMessage", {**A_CERTIFICATE, "connectorId": 1})], "connectorId is there"),
    "TC_078": (certificates("ManufacturerRootCertificate")[:1], "is 'ManufacturerRootCertificate', not 'Central"),
    "TC_080": (
        [("SignedUpdateFirmware", {**SIGNED_FIRMWARE, "firmware": {**FIRMWARE_OF_NOBODY}})],
        "status is 'InvalidCertificate', not 'Accepted'",
    ),
}


@pytest.mark.parametrize("case", BADLY_ASKED)
async def test_what_is_asked_wrongly_is_the_reason(
    case: str, csms: CentralSystem, play: Any, whys: Any, tmp_path: Path
) -> None:
    asked, why = BADLY_ASKED[case]
    outcome: Outcome = await play(
        load_scenario(f"{case}_CSMS"), csms, progress=Operator(csms, asked), certificates_path=furnished(tmp_path)
    )
    assert not outcome.is_passed
    assert any(why in reason for reasons in whys(outcome).values() for reason in reasons), whys(outcome)


REFUSING: dict[str, str] = {
    "TC_077": "SecurityEventNotification",
    "TC_078": "SecurityEventNotification",
    "TC_080": "SignedFirmwareStatusNotification",
    "TC_081": "SignedFirmwareStatusNotification",
}
"""Case → what a Central System cannot take."""


@pytest.mark.parametrize("case", REFUSING)
async def test_a_central_system_that_cannot_take_what_it_is_told(
    case: str, csms: CentralSystem, play: Any, whys: Any, tmp_path: Path
) -> None:
    csms.answers[REFUSING[case]] = CallErrorAnswer("InternalError", "no")
    outcome: Outcome = await play(
        load_scenario(f"{case}_CSMS"),
        csms,
        progress=Operator(csms, OPERATED[case]),
        certificates_path=furnished(tmp_path),
    )
    assert not outcome.is_passed
    (reasons,) = whys(outcome).values()
    assert "it was answered with CALLERROR InternalError" in reasons[0]


async def test_a_request_for_a_certificate_that_is_rejected(
    csms: CentralSystem, play: Any, whys: Any, tmp_path: Path
) -> None:
    csms.answers["SignCertificate"] = {"status": "Rejected"}
    outcome: Outcome = await play(
        load_scenario("TC_077_CSMS"),
        csms,
        progress=Operator(csms, OPERATED["TC_077"]),
        certificates_path=furnished(tmp_path),
    )
    assert "status is 'Rejected', not 'Accepted'" in whys(outcome)["step 4: wait_sent SignCertificate"][0]


async def test_a_central_system_that_speaks_whatever_it_is_asked(csms: CentralSystem, play: Any, whys: Any) -> None:
    csms.subprotocols = ("ocpp1.6", "ocpp0.1")
    outcome: Outcome = await play(load_scenario("TC_088_CSMS"), csms)
    (found,) = whys(outcome).items()
    assert found[0].endswith(": ocpp0.1 alone is refused")
    assert found[1] == ["the attempt was neither accepted nor refused, not refused: it chose the subprotocol ocpp0.1"]


@pytest.mark.parametrize("case", BROKEN)
async def test_what_a_central_system_does_wrong_is_the_reason(
    case: str, csms: CentralSystem, play: Any, whys: Any
) -> None:
    action, answer, why = BROKEN[case]
    csms.answers[action] = answer
    outcome: Outcome = await play(load_scenario(f"{case}_CSMS"), csms)
    assert any(why in reason for reasons in whys(outcome).values() for reason in reasons), whys(outcome)


@pytest.mark.parametrize("case", [*OPERATED][::6])
async def test_what_nobody_asks_for_is_said(case: str, csms: CentralSystem, play: Any, whys: Any) -> None:
    """A waiting scenario says what it waits for, and fails with it."""
    action = OPERATED[case][0][0]
    operator = Operator(with_opinions(csms), [])
    outcome: Outcome = await play(load_scenario(f"{case}_CSMS"), csms, progress=operator)
    waited = f"1 × waiting for {action} of the Central System, which somebody has to ask for there"
    assert waited in operator.read
    assert not outcome.is_passed
    assert [f"{action} was not received within 600 s"] in whys(outcome).values()


def test_all_that_wait_for_the_central_system_are_operated() -> None:
    waiting = {
        name.removesuffix("_CSMS")
        for name in CASES
        if any(step.do == "wait_received" for step in load_scenario(name).steps)
    }
    assert waiting == set(OPERATED)

"""The certificate messages, over an EvseSecurity that does what it is told, or lies, hangs and raises."""

from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
import trio
from scripted_security import CSR, ScriptedSecurity

from ocpp16.charge_point.dialing import MOST_REFUSED, Dialer
from ocpp16.configuration.configuration import Configuration
from ocpp16.log import FoldingLog
from ocpp16.observer import SecurityEvent
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateHashDataChain,
    CertificateSigningRequest,
    CertificateType,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificate,
    LeafCertificateStatus,
    LeafCertificateType,
)
from ocpp16.security.lab_pki import Authority
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.misbehaviour import Fault

HASH = CertificateHashData("SHA256", "ab" * 32, "cd" * 32, "1f")
ON_THE_WIRE = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab" * 32,
    "issuerKeyHash": "cd" * 32,
    "serialNumber": "1f",
}
CSMS, MF = "CentralSystemRootCertificate", "ManufacturerRootCertificate"


def events(bench: Any) -> list[str]:
    return [event.type for event in bench.events.of(SecurityEvent) if event.type != "StartupOfTheDevice"]


async def test_without_certificates_the_messages_are_not_there(open_bench: Any) -> None:
    async with open_bench() as bench:
        for action, payload in (
            ("InstallCertificate", {"certificateType": CSMS, "certificate": "x"}),
            ("DeleteCertificate", {"certificateHashData": ON_THE_WIRE}),
            ("GetInstalledCertificateIds", {"certificateType": CSMS}),
            ("CertificateSigned", {"certificateChain": "x"}),
        ):
            with pytest.raises(Exception, match=r"NotSupported|NotImplemented"):
                await bench.call(action, payload)


@pytest.mark.parametrize(("use", "kind"), [(CSMS, CaCertificateType.CSMS), (MF, CaCertificateType.MF)])
@pytest.mark.parametrize("result", [*InstallCertificateResult, "Accepted", "nonsense", None, 5, OSError("disk"), ...])
async def test_install(open_bench: Any, use: str, kind: CaCertificateType, result: Any) -> None:
    security = ScriptedSecurity(install_ca_certificate=result)
    async with open_bench(evse_security=security) as bench:
        with trio.fail_after(120):
            answer = await bench.csms.call(
                "cp001", "InstallCertificate", {"certificateType": use, "certificate": "PEM"}, timeout=100
            )
        assert security.of("install_ca_certificate") == [["PEM", kind]]
        is_rejected = isinstance(result, InstallCertificateResult) and result not in ("Accepted", "WriteError")
        expected = "Accepted" if result == "Accepted" else "Rejected" if is_rejected else "Failed"
        assert answer == {"status": expected}
        told = {"Accepted": ["ReconfigurationOfSecurityParameters"], "Rejected": ["InvalidCentralSystemCertificate"]}
        assert events(bench) == told.get(expected, [])


async def test_a_full_store_takes_no_more(open_bench: Any, make_config: Any) -> None:
    one = CertificateHashDataChain(CertificateType.MF_ROOT_CERTIFICATE, HASH)
    security = ScriptedSecurity(get_installed_certificates=[one] * 3)
    for most, expected in ((3, "Rejected"), (4, "Accepted")):
        document = make_config(Security__CertificateStoreMaxLength=most)
        async with open_bench(evse_security=security, document=document) as bench:
            answer = await bench.call("InstallCertificate", {"certificateType": CSMS, "certificate": "PEM"})
            assert answer == {"status": expected}


async def test_what_needs_no_further_room_is_taken_by_a_full_store(
    open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    """A root that is there already, and the successor of one, which takes the place of the one before."""
    first = Authority("First", START / 1e6)
    second = Authority("Second", START / 1e6, above=first)
    third = Authority("Third", START / 1e6, above=second)
    stranger = Authority("Stranger", START / 1e6)
    installed = [(first, CSMS), (second, CSMS), (second, CSMS), (stranger, MF), (third, CSMS), (third, CSMS)]
    document = make_config(Security__CertificateStoreMaxLength=2, Security__AdditionalRootCertificateCheck=True)
    async with open_bench(certificates_path=tmp_path, document=document) as bench:
        answers = []
        for root, kind in installed:
            request = {"certificateType": kind, "certificate": root.certificate}
            answers.append((await bench.call("InstallCertificate", request))["status"])
        assert answers == ["Accepted"] * 3 + ["Rejected"] + ["Accepted"] * 2


@pytest.mark.parametrize("result", [*DeleteCertificateResult, "lies", RuntimeError("x"), ...])
async def test_delete(open_bench: Any, result: Any) -> None:
    security = ScriptedSecurity(delete_certificate=result)
    async with open_bench(evse_security=security) as bench:
        answer = await bench.csms.call("cp001", "DeleteCertificate", {"certificateHashData": ON_THE_WIRE}, timeout=100)
        expected = str(result) if isinstance(result, DeleteCertificateResult) else "Failed"
        assert answer == {"status": expected}
        assert security.of("delete_certificate") == [[HASH]]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], {"status": "NotFound"}),
        (
            [CertificateHashDataChain(CertificateType.CSMS_ROOT_CERTIFICATE, HASH)] * 2,
            {"status": "Accepted", "certificateHashData": [ON_THE_WIRE] * 2},
        ),
        ([CertificateHashDataChain(CertificateType.MF_ROOT_CERTIFICATE, HASH)], {"status": "NotFound"}),
        ([CertificateHashDataChain(CertificateType.CSMS_ROOT_CERTIFICATE, HASH._replace(serial_number=5))], None),  # type: ignore[arg-type]
        ([CertificateHashDataChain(CertificateType.CSMS_ROOT_CERTIFICATE, ("a",))], None),  # type: ignore[arg-type]
        ([CertificateHashDataChain("x", HASH)], None),  # type: ignore[arg-type]
        ("text", None),
        (None, None),
        ([5], None),
    ],
)
async def test_list(open_bench: Any, found: Any, expected: Any) -> None:
    async with open_bench(evse_security=ScriptedSecurity(get_installed_certificates=found)) as bench:
        answer = await bench.call("GetInstalledCertificateIds", {"certificateType": CSMS})
        assert answer == (expected or {"status": "NotFound"})


# The client certificate


def on_profile_3(make_config: Any, **keys: Any) -> Any:
    wanted = {
        "Internal__CentralSystemURI": "csms.example/ocpp",
        "Internal__ChargeBoxSerialNumber": "SN1",
        "Security__SecurityProfile": 3,
        "Security__CpoName": "CPO",
        **keys,
    }
    return make_config(**wanted)


@pytest.mark.parametrize(
    ("days", "is_asked"), [(400, False), (30, False), (29, True), (0, True), (-5, True), ("x", True), (..., True)]
)
async def test_a_certificate_is_renewed_in_time(open_bench: Any, make_config: Any, days: Any, is_asked: bool) -> None:
    security = ScriptedSecurity(get_leaf_expiry_days_count=days)
    async with open_bench(evse_security=security, document=on_profile_3(make_config)) as bench:
        await trio.sleep(55)
        assert bench.sent("SignCertificate") == []
        await trio.sleep(75)
        assert bench.sent("SignCertificate")[:1] == [{"csr": CSR}] * is_asked
        if is_asked:
            assert security.of("generate_certificate_signing_request")[0] == [
                LeafCertificateType.CSMS,
                "DE",
                "CPO",
                "SN1",
                False,
            ]


async def test_looks_go_on_over_disconnects(open_bench: Any, make_config: Any) -> None:
    """A timer that a disconnect ends is never armed again without a boot."""
    security = ScriptedSecurity()
    async with open_bench(evse_security=security, document=on_profile_3(make_config)) as bench:
        await trio.sleep(100)
        await bench.csms.close("cp001")
        security.answers["get_leaf_expiry_days_count"] = 3
        await trio.sleep(43_300)
        assert bench.sent("SignCertificate")[:1] == [{"csr": CSR}]


@pytest.mark.parametrize("profile", [0, 3])
async def test_only_profile_3_looks(open_bench: Any, make_config: Any, profile: int) -> None:
    security = ScriptedSecurity(get_leaf_expiry_days_count=0)
    document = on_profile_3(make_config, Security__SecurityProfile=profile)
    async with open_bench(evse_security=security, document=document) as bench:
        await trio.sleep(100)
        assert bool(bench.sent("SignCertificate")) == (profile == 3)


async def test_it_is_asked_for_again_with_the_same_request(open_bench: Any, make_config: Any) -> None:
    """After 60, 120, 240, 480 s; then not before the next look."""
    security = ScriptedSecurity(get_leaf_expiry_days_count=0)
    async with open_bench(evse_security=security, document=on_profile_3(make_config)) as bench:
        await trio.sleep(2000)
        asked = bench.csms.calls("SignCertificate")
        waits = [round(later.time - earlier.time) for earlier, later in pairwise(asked)]
        assert waits == [60, 120, 240]
        assert len(security.of("generate_certificate_signing_request")) == 1
        await trio.sleep(43_200)
        assert len(bench.csms.calls("SignCertificate")) == 8
        assert len(security.of("generate_certificate_signing_request")) == 2


async def test_one_that_comes_ends_the_asking(open_bench: Any, make_config: Any) -> None:
    security = ScriptedSecurity(get_leaf_expiry_days_count=0)
    async with open_bench(evse_security=security, document=on_profile_3(make_config)) as bench:
        await trio.sleep(65)
        security.answers["get_leaf_expiry_days_count"] = 400
        connections = len([event for event in bench.csms.traffic if event.direction == "opened"])
        assert await bench.call("CertificateSigned", {"certificateChain": "PEM"}) == {"status": "Accepted"}
        await trio.sleep(1000)
        assert len(bench.sent("SignCertificate")) == 1
        assert security.of("update_leaf_certificate") == [["PEM", LeafCertificateType.CSMS]]
        opened = len([event for event in bench.csms.traffic if event.direction == "opened"])
        assert opened == connections + 1, "the new one is used at once"


async def test_a_central_system_that_refuses_is_not_asked_on_and_on(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem()
    csms.answers["SignCertificate"] = {"status": "Rejected"}
    security = ScriptedSecurity(get_leaf_expiry_days_count=0)
    async with open_bench(csms=csms, evse_security=security, document=on_profile_3(make_config)) as bench:
        await trio.sleep(5000)
        assert len(bench.sent("SignCertificate")) == 1


@pytest.mark.parametrize(
    ("keys", "answer", "why"),
    [
        ({"Security__CpoName": ""}, CertificateSigningRequest(CsrStatus.ACCEPTED, CSR), "CpoName is not set"),
        ({}, CertificateSigningRequest(CsrStatus.KEY_GEN_ERROR), "KeyGenError"),
        ({}, None, "GenerationError"),
        ({}, OSError("x"), "GenerationError"),
        ({}, CertificateSigningRequest(CsrStatus.ACCEPTED, "x" * 5501), "GenerationError"),
    ],
)
async def test_no_request_can_be_made(
    open_bench: Any, make_config: Any, keys: dict[str, Any], answer: Any, why: str
) -> None:
    security = ScriptedSecurity(get_leaf_expiry_days_count=0, generate_certificate_signing_request=answer)
    async with open_bench(evse_security=security, document=on_profile_3(make_config, **keys)) as bench:
        await trio.sleep(200)
        assert bench.sent("SignCertificate") == []
        [event] = bench.events.of(SecurityEvent)[1:]
        assert event.type == "CSRGenerationFailed"
        assert event.tech_info.startswith(why)


@pytest.mark.parametrize("result", [*InstallCertificateResult, "lies", ValueError("x"), ...])
async def test_a_signed_certificate_that_is_not_taken(open_bench: Any, make_config: Any, result: Any) -> None:
    document = on_profile_3(make_config, Security__DisableSecurityEventNotifications=False)
    security = ScriptedSecurity(update_leaf_certificate=result)
    async with open_bench(evse_security=security, document=document) as bench:
        answer = await bench.csms.call("cp001", "CertificateSigned", {"certificateChain": "PEM"}, timeout=100)
        assert answer == {"status": "Accepted" if result == "Accepted" else "Rejected"}
        await trio.sleep(5)
        sent = [event["type"] for event in bench.sent("SecurityEventNotification")]
        assert ("InvalidChargePointCertificate" in sent) == (result != "Accepted")


async def test_a_chain_that_is_too_long_is_not_even_looked_at(open_bench: Any, make_config: Any) -> None:
    security = ScriptedSecurity()
    document = on_profile_3(make_config, Security__CertificateSignedMaxChainSize=100)
    async with open_bench(evse_security=security, document=document) as bench:
        assert await bench.call("CertificateSigned", {"certificateChain": "x" * 101}) == {"status": "Rejected"}
        assert security.of("update_leaf_certificate") == []
        assert await bench.call("CertificateSigned", {"certificateChain": "x" * 100}) == {"status": "Accepted"}


async def test_a_cut_while_asking(open_bench: Any, make_config: Any) -> None:
    """What waits for its answer when the connection ends is asked again, once it is there."""
    csms = CentralSystem()
    security = ScriptedSecurity(get_leaf_expiry_days_count=0)
    csms.misbehave(Fault.DROP, action="SignCertificate")
    async with open_bench(csms=csms, evse_security=security, document=on_profile_3(make_config)) as bench:
        await trio.sleep(61)
        await bench.csms.close("cp001")
        await trio.sleep(200)
        assert len(bench.sent("SignCertificate")) >= 2


async def test_without_a_wait_it_is_not_asked_without_a_pause(open_bench: Any, make_config: Any) -> None:
    security = ScriptedSecurity(get_leaf_expiry_days_count=0)
    document = on_profile_3(make_config, PnC__CertSigningWaitMinimum=0)
    async with open_bench(evse_security=security, document=document) as bench:
        await trio.sleep(200)
        asked = bench.csms.calls("SignCertificate")
        assert [round(later.time - earlier.time) for earlier, later in pairwise(asked)] == [1, 2, 4]


async def test_a_keeper_with_another_certificate_each_time_fills_no_memory(make_config: Any) -> None:
    number = count()

    class Another(ScriptedSecurity):
        async def get_leaf_certificate_info(self, leaf_type: Any, refused: Any = ()) -> LeafCertificate:
            return LeafCertificate(LeafCertificateStatus.ACCEPTED, fingerprint=str(next(number)))

    keeper = AskedSecurity(Another(), lambda place, error: None, lambda name, seconds: None)
    dialer = Dialer(Configuration.load(on_profile_3(make_config)), keeper, FoldingLog("cp001", trio.current_time))
    for _ in range(3 * MOST_REFUSED):
        await dialer._client_certificate(keeper)
        dialer.refused()
    assert len(dialer._refused) == MOST_REFUSED
    assert dialer._refused[-1] == str(3 * MOST_REFUSED - 1)


async def test_a_renewal_waits_while_the_charge_point_is_pending(open_bench: Any, make_config: Any) -> None:
    """OCPP 1.6 ed. 2 §4.2: no request of its own but what was triggered."""
    document = make_config(
        Security__SecurityProfile=3, Security__CpoName="CPO", Internal__CentralSystemURI="wss://csms.example/ocpp/"
    )
    security = ScriptedSecurity(get_leaf_expiry_days_count=5)
    async with open_bench(document=document, evse_security=security) as bench:
        bench.csms.answers["BootNotification"] = {
            "status": "Pending",
            "currentTime": "2026-01-01T00:00:05Z",
            "interval": 300,
        }
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(200)
        assert bench.sent("SignCertificate") == []
        await bench.call("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
        await trio.sleep(1)
        assert len(bench.sent("SignCertificate")) == 1


async def test_certificates_are_judged_by_the_clock_of_the_present_start(open_bench: Any, tmp_path: Path) -> None:
    """The first one never heard the time; a root that is valid since the year before is not one of the future."""
    csms = CentralSystem()
    csms.is_reachable = False
    root = Authority("Root", START / 1e6 - 30 * 86_400).certificate
    async with open_bench(csms=csms, certificates_path=tmp_path, anchor=1_577_836_800.0) as bench:
        await bench.charge_point.stop()
        csms.is_reachable = True
        await bench.charge_point.restart()
        await bench.charge_point.wait_registered()
        request = {"certificateType": "ManufacturerRootCertificate", "certificate": root}
        assert await bench.call("InstallCertificate", request) == {"status": "Accepted"}

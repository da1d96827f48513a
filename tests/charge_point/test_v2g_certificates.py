"""What the Central System asks in DataTransfer about certificates towards cars, well and badly; and the certificate
that the charge point asks for itself."""

from itertools import pairwise
from typing import Any

import pytest
import trio
from contract_bench import NOW, VENDOR, Pki, PncCentralSystem, on_wire, transfer
from cryptography import x509

from ocpp16.enums import DataTransferStatus
from ocpp16.models import DataTransferResponse
from ocpp16.observer import SecurityEvent
from ocpp16.security.evse_security import LeafCertificateType
from ocpp16.security.lab_pki import Use

DAY = 86_400.0
MESSAGES = [
    "TriggerMessage",
    "CertificateSigned",
    "GetInstalledCertificateIds",
    "DeleteCertificate",
    "InstallCertificate",
]
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "ab" * 32, "issuerKeyHash": "cd" * 32, "serialNumber": "1f"}


def keys(**more: Any) -> dict[str, Any]:
    return {**on_wire(), "Security__CpoName": "Operator", "Internal__SeccLeafSubjectCommonName": "DECPOE12345", **more}


@pytest.fixture
async def pki() -> Pki:
    return await Pki().trust()


def told(bench: Any) -> list[str]:
    return [event.type for event in bench.events.of(SecurityEvent)[1:]]


async def signed(bench: Any, csms: PncCentralSystem) -> str:
    """The request that follows TriggerMessage."""
    before = len(csms.of("SignCertificate"))
    assert await transfer(bench, "TriggerMessage", {}) == ("Accepted", {"status": "Accepted"})
    await trio.sleep(1)
    requests = csms.of("SignCertificate")[before:]
    assert [sorted(request) for request in requests] == [["csr"]]
    csr: str = requests[0]["csr"]
    return csr


async def test_a_certificate_towards_cars(open_bench: Any, make_config: Any, pki: Pki) -> None:
    """Triggered, signed, installed, listed, asked about, and deleted."""
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"})
    async with open_bench(csms=csms, document=make_config(**keys()), evse_security=pki.keeper) as bench:
        issued = pki.cpo.sign_request(await signed(bench, csms), use=Use.SERVER)
        assert "CN=DECPOE12345" in x509.load_pem_x509_certificate(issued.certificate.encode()).subject.rfc4514_string()
        answer = await transfer(bench, "CertificateSigned", {"certificateChain": issued.chain})
        assert answer == ("Accepted", {"status": "Accepted"})
        assert await pki.keeper.get_leaf_expiry_days_count(LeafCertificateType.V2G) > 300
        status, listed = await transfer(bench, "GetInstalledCertificateIds", {})
        kinds = [chain["certificateType"] for chain in listed["certificateHashDataChain"]]
        assert (status, listed["status"]) == ("Accepted", "Accepted")
        assert kinds == ["V2GRootCertificate", "MORootCertificate", "V2GCertificateChain"]
        chain = listed["certificateHashDataChain"][2]
        assert len(chain["childCertificateHashData"]) == 1
        deletion = {"certificateHashData": chain["certificateHashData"]}
        assert await transfer(bench, "DeleteCertificate", deletion) == ("Accepted", {"status": "Accepted"})
        assert await transfer(bench, "DeleteCertificate", deletion) == ("Accepted", {"status": "NotFound"})
        wanted = {"certificateType": ["V2GCertificateChain"]}
        assert await transfer(bench, "GetInstalledCertificateIds", wanted) == ("Accepted", {"status": "NotFound"})
        assert told(bench)[:2] == ["ReconfigurationOfSecurityParameters"] * 2


async def test_roots_come_and_are_listed(open_bench: Any, make_config: Any) -> None:
    pki = Pki()
    async with open_bench(document=make_config(**keys()), evse_security=pki.keeper) as bench:
        assert await transfer(bench, "GetInstalledCertificateIds", {}) == ("Accepted", {"status": "NotFound"})
        for kind, root in (("V2GRootCertificate", pki.v2g), ("MORootCertificate", pki.mo)):
            request = {"certificateType": kind, "certificate": root.certificate}
            assert await transfer(bench, "InstallCertificate", request) == ("Accepted", {"status": "Accepted"})
            _, listed = await transfer(bench, "GetInstalledCertificateIds", {"certificateType": [kind]})
            assert [one["certificateType"] for one in listed["certificateHashDataChain"]] == [kind]
        leaf = {"certificateType": "MORootCertificate", "certificate": pki.contract()}
        assert await transfer(bench, "InstallCertificate", leaf) == ("Accepted", {"status": "Rejected"})
        pki.keeper.files.error = OSError("disk")
        stranger = {"certificateType": "MORootCertificate", "certificate": pki.stranger.certificate}
        assert await transfer(bench, "InstallCertificate", stranger) == ("Accepted", {"status": "Failed"})
        assert told(bench) == ["ReconfigurationOfSecurityParameters"] * 2


async def test_no_more_roots_than_there_may_be(open_bench: Any, make_config: Any, pki: Pki) -> None:
    document = make_config(**keys(Security__CertificateStoreMaxLength=2))
    async with open_bench(document=document, evse_security=pki.keeper) as bench:
        request = {"certificateType": "MORootCertificate", "certificate": pki.stranger.certificate}
        assert await transfer(bench, "InstallCertificate", request) == ("Accepted", {"status": "Rejected"})


WRONG_DATA: list[Any] = [
    "",
    " ",
    "{",
    "null",
    "[]",
    '"x"',
    "1e999",
    "[" * 50_000,
    '{"certificateChain": 5, "certificateHashData": 5, "certificateType": 5, "requestedMessage": ',
    {"certificateChain": None, "certificateHashData": None, "certificateType": 7, "certificate": None},
    {"certificateChain": "x" * 10_001, "certificate": "x" * 5_501, "certificateType": "CSMSRootCertificate"},
    {"certificateHashData": {**HASH, "hashAlgorithm": "MD5"}, "certificateType": ["OEMRootCertificate"]},
    {"certificateHashData": {**HASH, "serialNumber": "1" * 41}, "certificateType": {"a": 1}},
]


@pytest.mark.parametrize("data", WRONG_DATA)
@pytest.mark.parametrize("message", MESSAGES[1:])
async def test_what_is_no_such_message_is_rejected(
    open_bench: Any, make_config: Any, pki: Pki, message: str, data: Any
) -> None:
    """And a charge that runs goes on; nothing has changed."""
    async with open_bench(document=make_config(**keys()), evse_security=pki.keeper) as bench:
        bench.begin()
        before = dict(pki.keeper.files.content)
        assert await transfer(bench, message, data) == ("Rejected", None)
        assert pki.keeper.files.content == before
        assert bench.charge_point.transaction(1) is not None
        assert bench.charge_point.counters.internal_errors == 0


@pytest.mark.parametrize("message", MESSAGES[1:])
async def test_without_data_it_is_rejected(open_bench: Any, make_config: Any, pki: Pki, message: str) -> None:
    async with open_bench(document=make_config(**keys()), evse_security=pki.keeper) as bench:
        assert await transfer(bench, message, None) == ("Rejected", None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, ("Accepted", {"status": "Accepted"})),
        ("", ("Accepted", {"status": "Accepted"})),
        ({}, ("Accepted", {"status": "Accepted"})),
        ({"requestedMessage": "SignV2GCertificate"}, ("Accepted", {"status": "Accepted"})),
        ({"requestedMessage": "SignV2GCertificate", "customData": {}}, ("Accepted", {"status": "Accepted"})),
        ({"requestedMessage": "BootNotification"}, ("Accepted", {"status": "NotImplemented"})),
        ({"requestedMessage": 5}, ("Accepted", {"status": "NotImplemented"})),
        ("[]", ("Rejected", None)),
        ("{", ("Rejected", None)),
    ],
)
async def test_what_is_to_be_triggered_is_looked_at(
    open_bench: Any, make_config: Any, pki: Pki, data: Any, expected: Any
) -> None:
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"})
    async with open_bench(csms=csms, document=make_config(**keys()), evse_security=pki.keeper) as bench:
        assert await transfer(bench, "TriggerMessage", data) == expected
        await trio.sleep(5)
        assert len(csms.of("SignCertificate")) == (expected[1] == {"status": "Accepted"})


@pytest.mark.parametrize(
    ("more", "is_possible"),
    [
        ({"Security__CpoName": ""}, False),
        ({"Security__CpoName": "", "Internal__SeccLeafSubjectOrganization": "Us"}, True),
        ({}, True),
    ],
)
async def test_who_a_certificate_is_for(
    open_bench: Any, make_config: Any, pki: Pki, more: dict[str, Any], is_possible: bool
) -> None:
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"})
    async with open_bench(csms=csms, document=make_config(**keys(**more)), evse_security=pki.keeper) as bench:
        answer = await transfer(bench, "TriggerMessage", {})
        assert answer == (("Accepted", {"status": "Accepted"}) if is_possible else ("Rejected", {"status": "Rejected"}))
        await trio.sleep(61)
        assert bool(csms.of("SignCertificate")) == is_possible
        assert ("CSRGenerationFailed" in told(bench)) != is_possible


@pytest.mark.parametrize(
    "fault", ["another type", "too long", "foreign", "not asked for", "no certificate", "of a contract"]
)
async def test_a_signed_certificate_that_is_not_taken(open_bench: Any, make_config: Any, pki: Pki, fault: str) -> None:
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"})
    document = make_config(**keys(Security__CertificateSignedMaxChainSize=3_000))
    async with open_bench(csms=csms, document=document, evse_security=pki.keeper) as bench:
        csr = await signed(bench, csms)
        good = pki.cpo.sign_request(csr, use=Use.SERVER).chain
        request: dict[str, Any] = {"certificateChain": good}
        if fault == "another type":
            request["certificateType"] = "ChargingStationCertificate"
        elif fault == "too long":
            request["certificateChain"] = good + "\n" * 3_000
        elif fault == "foreign":
            request["certificateChain"] = pki.stranger.sign_request(csr, use=Use.SERVER).chain
        elif fault == "not asked for":
            request["certificateChain"] = pki.cpo.issue("station", use=Use.SERVER).chain
        elif fault == "no certificate":
            request["certificateChain"] = "certificate"
        else:
            request["certificateChain"] = pki.cpo.sign_request(csr, use=Use.CLIENT).chain
        assert await transfer(bench, "CertificateSigned", request) == ("Accepted", {"status": "Rejected"})
        assert told(bench) == ["InvalidChargePointCertificate"]
        request = {"certificateChain": good, "certificateType": "V2GCertificate"}
        assert await transfer(bench, "CertificateSigned", request) == ("Accepted", {"status": "Accepted"})


async def test_off_means_that_nobody_is_here(open_bench: Any, make_config: Any, pki: Pki) -> None:
    """Switched by ChangeConfiguration, at once; what is not known is the host's, then nobody's."""
    document = make_config(**keys(PnC__ISO15118CertificateManagementEnabled=False))
    async with open_bench(document=document, evse_security=pki.keeper) as bench:
        for message in MESSAGES:
            assert await transfer(bench, message, {}) == ("UnknownVendorId", None)
        request = {"key": "ISO15118CertificateManagementEnabled", "value": "true"}
        assert await bench.call("ChangeConfiguration", request) == {"status": "Accepted"}
        assert (await transfer(bench, "GetInstalledCertificateIds", {}))[0] == "Accepted"
        assert await transfer(bench, "Invented", {}) == ("UnknownMessageId", None)
        bench.station.answers["data_transfer"] = DataTransferResponse(DataTransferStatus.ACCEPTED, "mine")
        answer = await bench.call("DataTransfer", {"vendorId": VENDOR, "messageId": "Invented"})
        assert answer == {"status": "Accepted", "data": "mine"}
        await bench.call("ChangeConfiguration", {**request, "value": "false"})
        del bench.station.answers["data_transfer"]
        assert await transfer(bench, "GetInstalledCertificateIds", {}) == ("UnknownVendorId", None)


async def test_a_handler_of_the_host_does_not_get_in_the_way(open_bench: Any, make_config: Any, pki: Pki) -> None:
    async def handler(data: str | None) -> DataTransferResponse:
        return DataTransferResponse(DataTransferStatus.ACCEPTED, "host")

    async with open_bench(document=make_config(**keys()), evse_security=pki.keeper) as bench:
        bench.charge_point.on_data_transfer(VENDOR, "TriggerMessage", handler)
        assert await transfer(bench, "TriggerMessage", {}) == ("Accepted", {"status": "Accepted"})


# The certificate of our own


async def test_it_is_renewed_before_it_expires(open_bench: Any, make_config: Any) -> None:
    """A minute after the registration, and twice a day; also after the connection was cut."""
    pki = await Pki(lambda: NOW + trio.current_time()).trust()
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"})
    async with open_bench(csms=csms, document=make_config(**keys()), evse_security=pki.keeper) as bench:
        await trio.sleep(61)
        [first] = csms.of("SignCertificate")
        issued = pki.cpo.sign_request(first["csr"], use=Use.SERVER, days=40)
        await transfer(bench, "CertificateSigned", {"certificateChain": issued.chain})
        await trio.sleep(8 * DAY)
        assert len(csms.of("SignCertificate")) == 1
        await csms.close("cp001")
        await trio.sleep(3 * DAY)
        assert len(csms.of("SignCertificate")) > 1
        assert csms.of("SignCertificate")[1]["csr"] != first["csr"]


async def test_it_is_asked_for_again_with_the_same_request(open_bench: Any, make_config: Any, pki: Pki) -> None:
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"})
    document = make_config(**keys(PnC__CertSigningWaitMinimum=30, PnC__CertSigningRepeatTimes=2))
    async with open_bench(csms=csms, document=document, evse_security=pki.keeper):
        await trio.sleep(1000)
        assert len({request["csr"] for request in csms.of("SignCertificate")}) == 1
        times = [call.time for call in csms.calls("DataTransfer") if call.payload["messageId"] == "SignCertificate"]
        assert [round(later - earlier) for earlier, later in pairwise(times)] == [30, 60]


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, "outer"])
async def test_a_refusal_ends_the_asking(open_bench: Any, make_config: Any, pki: Pki, answer: Any) -> None:
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"} if answer == "outer" else answer)
    if answer == "outer":
        csms.outer = "UnknownVendorId"
    async with open_bench(csms=csms, document=make_config(**keys()), evse_security=pki.keeper):
        await trio.sleep(5_000)
        assert len(csms.of("SignCertificate")) == 1


@pytest.mark.parametrize("answer", [None, "nonsense", {"status": 5}, ...])
async def test_an_answer_that_is_none_is_asked_for_again(
    open_bench: Any, make_config: Any, pki: Pki, answer: Any
) -> None:
    csms = PncCentralSystem(SignCertificate=answer)
    async with open_bench(csms=csms, document=make_config(**keys()), evse_security=pki.keeper):
        await trio.sleep(1_000)
        assert len(csms.of("SignCertificate")) == 4


async def test_switched_off_nothing_is_asked_for(open_bench: Any, make_config: Any, pki: Pki) -> None:
    csms = PncCentralSystem(SignCertificate={"status": "Accepted"})
    async with open_bench(csms=csms, document=make_config(**keys()), evse_security=pki.keeper) as bench:
        await trio.sleep(61)
        await bench.call("ChangeConfiguration", {"key": "ISO15118CertificateManagementEnabled", "value": "false"})
        await trio.sleep(3 * DAY)
        assert len(csms.of("SignCertificate")) == 1
        await bench.call("ChangeConfiguration", {"key": "ISO15118CertificateManagementEnabled", "value": "true"})
        await trio.sleep(61)
        assert len(csms.of("SignCertificate")) == 2

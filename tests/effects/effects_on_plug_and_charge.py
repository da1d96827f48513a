"""Keys of Plug & Charge, and those of the certificate towards cars."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import trio
from contract_bench import EMAID, URL, PncCentralSystem, on_wire, transfer
from key_effect import Changing, effect

from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import internal, pnc
from ocpp16.security.evse_security import (
    CertificateHashData,
    CertificateSigningRequest,
    CertificateValidationResult,
    CsrStatus,
    OcspRequestData,
)

HASHES = [OcspRequestData(CertificateHashData("SHA256", "ab" * 32, "cd" * 32, "1f"), URL)]


class Keeping:
    """An EvseSecurity that knows no issuer, has one certificate to ask about, and notes for whom it makes requests."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    async def generate_certificate_signing_request(self, *subject: Any) -> CertificateSigningRequest:
        self.made.append(subject)
        return CertificateSigningRequest(CsrStatus.ACCEPTED, "PEM")

    async def verify_certificate(self, *arguments: Any) -> CertificateValidationResult:
        return CertificateValidationResult.ISSUER_NOT_FOUND

    async def get_leaf_expiry_days_count(self, *arguments: Any) -> int:
        return 400

    async def get_v2g_ocsp_request_data(self) -> list[OcspRequestData]:
        return HASHES

    async def update_ocsp_cache(self, *arguments: Any) -> None:
        pass

    async def get_installed_certificates(self, *arguments: Any) -> list[Any]:
        return []

    def __getattr__(self, name: str) -> Any:
        async def question(*arguments: Any) -> Any:
            raise LookupError(name)

        return question


KEEPING = Keeping()


def central_system() -> PncCentralSystem:
    return PncCentralSystem(
        Authorize={"idTokenInfo": {"status": "Accepted"}},
        SignCertificate={"status": "Accepted"},
        GetCertificateStatus={"status": "Accepted", "ocspResult": "MAMKAQA="},
    )


def pnc_effect(key: Key[Any], **document: Any) -> Callable[[Any], Any]:
    """With a Central System that takes part, and everything switched on but what `document` says."""
    values = {**on_wire(), "Internal__SeccLeafSubjectOrganization": "Us", **document}
    return effect(key, csms=central_system, security=KEEPING, **values)


async def contract(on: Changing, chain: str | None = None) -> str:
    found = await on.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, chain, () if chain else HASHES)
    return str(found.id_token_info.status)


@pnc_effect(pnc.ISO15118_PNC_ENABLED, PnC__ISO15118PnCEnabled=False)
async def whether_contracts_charge(on: Changing) -> None:
    assert await contract(on) == "Invalid"
    await on.change("true")
    assert await contract(on) == "Accepted"


@pnc_effect(pnc.CENTRAL_CONTRACT_VALIDATION_ALLOWED)
async def whether_foreign_chains_are_sent(on: Changing) -> None:
    assert await contract(on, "PEM") == "Invalid"
    await on.change("true")
    assert await contract(on, "PEM") == "Accepted"


@pnc_effect(pnc.CONTRACT_VALIDATION_OFFLINE, PnC__ContractValidationOffline=False)
async def whether_contracts_are_checked_offline(on: Changing) -> None:
    async with on.offline():
        assert await contract(on, "PEM") == "NotAtThisTime"
    await on.change("true")
    async with on.offline():
        assert await contract(on, "PEM") == "Unknown"


@pnc_effect(pnc.ISO15118_CERTIFICATE_MANAGEMENT_ENABLED, PnC__ISO15118CertificateManagementEnabled=False)
async def whether_certificates_are_talked_of(on: Changing) -> None:
    assert await transfer(on.bench, "GetInstalledCertificateIds", {}) == ("UnknownVendorId", None)
    await on.change("true")
    assert await transfer(on.bench, "GetInstalledCertificateIds", {}) == ("Accepted", {"status": "NotFound"})


async def waits(on: Changing, message: str, seconds: float) -> list[int]:
    """Between what is sent of this message from now on, for so long."""
    before = len(on.csms.of(message))
    await trio.sleep(seconds)
    sent = [call.time for call in on.csms.calls("DataTransfer") if call.payload["messageId"] == message][before:]
    return [round(later - earlier) for earlier, later in pairwise(sent)]


async def signing(on: Changing, seconds: float = 1000) -> list[int]:
    assert (await transfer(on.bench, "TriggerMessage", {}))[0] == "Accepted"
    return await waits(on, "SignCertificate", seconds)


@pnc_effect(pnc.CERT_SIGNING_WAIT_MINIMUM, PnC__CertSigningWaitMinimum=30, PnC__CertSigningRepeatTimes=1)
async def how_long_a_certificate_is_waited_for(on: Changing) -> None:
    assert await signing(on) == [30]
    await on.change("50")
    assert await signing(on) == [50]


@pnc_effect(pnc.CERT_SIGNING_REPEAT_TIMES, PnC__CertSigningWaitMinimum=10, PnC__CertSigningRepeatTimes=1)
async def how_often_a_certificate_is_asked_for(on: Changing) -> None:
    assert await signing(on) == [10]
    await on.change("3")
    assert await signing(on) == [10, 20, 40]


@pnc_effect(internal.OCSP_REQUEST_INTERVAL, Internal__OcspRequestInterval=90_000)
async def how_often_a_status_is_asked_for(on: Changing) -> None:
    assert await waits(on, "GetCertificateStatus", 200_000) == [90_000, 90_000]
    await on.change("86400")
    assert await waits(on, "GetCertificateStatus", 180_000) == [86_400]


async def subject(on: Changing) -> tuple[Any, ...]:
    """Whose name a certificate is asked for now."""
    await signing(on, 1)
    return KEEPING.made[-1]


@pnc_effect(internal.SECC_LEAF_SUBJECT_ORGANIZATION)
async def for_which_organization(on: Changing) -> None:
    assert (await subject(on))[2] == "Us"
    await on.change("Them")
    assert (await subject(on))[2] == "Them"


@pnc_effect(internal.SECC_LEAF_SUBJECT_COMMON_NAME, Internal__SeccLeafSubjectCommonName="station1")
async def by_which_name(on: Changing) -> None:
    assert (await subject(on))[3] == "station1"
    await on.change("station2")
    assert (await subject(on))[3] == "station2"

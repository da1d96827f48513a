"""Root certificates: InstallCertificate, DeleteCertificate, GetInstalledCertificateIds (security white paper ed. 3, M03
to M05). Who keeps them is the EvseSecurity; here is who may send what, and how much of it.
"""

from collections.abc import Sequence
from typing import Final

from ocpp16 import messages
from ocpp16.configuration.keys.security import CERTIFICATE_STORE_MAX_LENGTH
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Context, FeatureProfile, on
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateHashDataChain,
    CertificateType,
    DeleteCertificateResult,
    InstallCertificateResult,
)
from ocpp16.state.signals import SecurityEventRaised

_USES: Final = {
    "CentralSystemRootCertificate": (CaCertificateType.CSMS, CertificateType.CSMS_ROOT_CERTIFICATE),
    "ManufacturerRootCertificate": (CaCertificateType.MF, CertificateType.MF_ROOT_CERTIFICATE),
}
_ROOTS: Final = (
    CertificateType.CSMS_ROOT_CERTIFICATE,
    CertificateType.MF_ROOT_CERTIFICATE,
    CertificateType.V2G_ROOT_CERTIFICATE,
    CertificateType.MO_ROOT_CERTIFICATE,
)


class CertificateRequests:
    """What is asked about installed certificates, in whatever message. `told_if_refused`: the security event that tells
    of a root that is refused, "" for none."""

    __slots__ = ("_ctx", "_security", "_told_if_refused")

    def __init__(self, ctx: Context, security: AskedSecurity, told_if_refused: str = "") -> None:
        self._ctx = ctx
        self._security = security
        self._told_if_refused = told_if_refused

    async def install(self, certificate: str, kind: CaCertificateType) -> str:
        """Failed: a good certificate that could not be stored; Rejected: a bad one, or no place for it."""
        if await self._is_full():
            result = InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
        else:
            result = await self._security.install_ca_certificate(certificate, kind)
        if result is InstallCertificateResult.ACCEPTED:
            self._ctx.log.info("a root certificate was installed for %s", kind)
            self._tell("ReconfigurationOfSecurityParameters", f"a root certificate was installed for {kind}")
            return "Accepted"
        self._ctx.log.warning("a root certificate for %s is not installed: %s", kind, result)
        if result is InstallCertificateResult.WRITE_ERROR:
            return "Failed"
        if self._told_if_refused:
            self._tell(self._told_if_refused, f"InstallCertificate for {kind}: {result}")
        return "Rejected"

    async def _is_full(self) -> bool:
        """A keeper that counts itself knows better: one that it has already, or puts in the place of another, needs no
        room."""
        most, its_own = self._ctx.configuration[CERTIFICATE_STORE_MAX_LENGTH], self._security.most_certificates
        if most is None or (its_own is not None and its_own <= most):
            return False
        return len(await self._security.get_installed_certificates(_ROOTS)) >= most

    async def delete(self, wire: "messages.CertificateHashDataType") -> str:
        hash_data = CertificateHashData(
            wire["hashAlgorithm"], wire["issuerNameHash"], wire["issuerKeyHash"], wire["serialNumber"]
        )
        result = await self._security.delete_certificate(hash_data)
        if result is DeleteCertificateResult.ACCEPTED:
            self._tell("ReconfigurationOfSecurityParameters", f"certificate {hash_data.serial_number} was deleted")
        self._ctx.log.info("to delete certificate %s: %s", hash_data.serial_number, result)
        return str(result)

    async def installed(self, kinds: Sequence[CertificateType]) -> list[CertificateHashDataChain]:
        """Of these types, whatever else the keeper tells."""
        found = await self._security.get_installed_certificates(kinds)
        return [one for one in found if one.certificate_type in kinds]

    def _tell(self, kind: str, info: str) -> None:
        self._ctx.signals.emit(SecurityEventRaised(kind, info))


class Certificates(FeatureProfile):
    __slots__ = ("_requests",)

    name = ""

    def __init__(self, ctx: Context, security: AskedSecurity) -> None:
        super().__init__(ctx)
        self._requests = CertificateRequests(ctx, security, "InvalidCentralSystemCertificate")

    @on("InstallCertificate")
    async def install_certificate(
        self, request: "messages.InstallCertificateRequest"
    ) -> "messages.InstallCertificateResponse":
        kind, _ = _USES[request["certificateType"]]
        return {"status": await self._requests.install(request["certificate"], kind)}

    @on("DeleteCertificate")
    async def delete_certificate(
        self, request: "messages.DeleteCertificateRequest"
    ) -> "messages.DeleteCertificateResponse":
        return {"status": await self._requests.delete(request["certificateHashData"])}

    @on("GetInstalledCertificateIds")
    async def get_installed_certificate_ids(
        self, request: "messages.GetInstalledCertificateIdsRequest"
    ) -> "messages.GetInstalledCertificateIdsResponse":
        _, kind = _USES[request["certificateType"]]
        found = [one.hash_data for one in await self._requests.installed([kind])]
        if not found:
            return {"status": "NotFound"}
        return {"status": "Accepted", "certificateHashData": [on_the_wire(one) for one in found]}


def on_the_wire(hash_data: CertificateHashData) -> "messages.CertificateHashDataType":
    return {
        "hashAlgorithm": hash_data.hash_algorithm,
        "issuerNameHash": hash_data.issuer_name_hash,
        "issuerKeyHash": hash_data.issuer_key_hash,
        "serialNumber": hash_data.serial_number,
    }

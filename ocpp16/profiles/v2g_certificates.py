"""Certificates towards cars over DataTransfer: the one of the charging station, asked for and renewed, and the roots of
cars and contracts (application note on ISO 15118). When one is asked for, and how often, is `certificate_renewal`.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from ocpp16.configuration.keys import internal
from ocpp16.configuration.keys.security import CPO_NAME
from ocpp16.enums import DataTransferStatus
from ocpp16.errors import CallFailed
from ocpp16.models import DataTransferResponse
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Carried, Context, Payload
from ocpp16.profiles.certificate_renewal import CertificateRenewal, Subject
from ocpp16.profiles.certificates import CertificateRequests, on_the_wire
from ocpp16.profiles.plug_and_charge_messages import answer, read, read_answer, sendable
from ocpp16.security.evse_security import CaCertificateType, CertificateType, LeafCertificateType

__all__ = ["V2gCertificates"]

MOST_CHILDREN: Final = 4
"""Certificates of a chain below the root that can be listed (application note, CertificateHashDataChainType)."""
_SIGN: Final = "SignV2GCertificate"
_LEAF: Final = "V2GCertificate"
_ROOTS: Final = {
    "V2GRootCertificate": CaCertificateType.V2G,
    "MORootCertificate": CaCertificateType.MO,
}
_LISTED: Final = (
    CertificateType.V2G_ROOT_CERTIFICATE,
    CertificateType.MO_ROOT_CERTIFICATE,
    CertificateType.V2G_CERTIFICATE_CHAIN,
)
_REJECTED: Final = DataTransferResponse(DataTransferStatus.REJECTED)
_Answer = Callable[[Payload, dict[str, object]], Awaitable[Carried]]


class _StationCertificate:
    """What is its own of the certificate towards cars: a `CertificateUse`."""

    kind = LeafCertificateType.V2G
    what = "certificate towards cars"

    def __init__(self, ctx: Context, is_on: Callable[[], bool]) -> None:
        self._ctx = ctx
        self.is_looked_after = is_on

    def subject(self) -> Subject:
        configuration = self._ctx.configuration
        return Subject(
            configuration[internal.SECC_LEAF_SUBJECT_ORGANIZATION] or configuration[CPO_NAME] or "",
            configuration[internal.SECC_LEAF_SUBJECT_COMMON_NAME]
            or configuration[internal.CHARGE_BOX_SERIAL_NUMBER]
            or configuration[internal.CHARGE_POINT_ID],
            configuration[internal.USE_TPM_SECC_LEAF_CERTIFICATE],
            "neither SeccLeafSubjectOrganization nor CpoName is set",
        )

    def send(
        self,
        csr: str,
        answered: Callable[[str], None],
        not_taken: Callable[[CallFailed], None],
        *,
        is_triggered: bool,
    ) -> None:
        self._ctx.sender.send(
            "DataTransfer",
            sendable("SignCertificate", {"csr": csr}),
            is_triggered=is_triggered,
            on_confirmation=partial(self._confirmed, answered, not_taken),
            on_failure=not_taken,
        )

    def _confirmed(
        self, answered: Callable[[str], None], not_taken: Callable[[CallFailed], None], confirmation: Payload
    ) -> None:
        try:
            answered(read_answer(self._ctx, "SignCertificate", confirmation)["status"])
        except CallFailed as failure:
            if failure.reason == "refused":
                answered(confirmation["status"])
            else:
                not_taken(failure)


class V2gCertificates:
    """`is_on`: does the key switch this on? `installed`: called when there is a new certificate towards cars."""

    __slots__ = ("_ctx", "_installed", "_renewal", "_requests", "_subject")

    def __init__(
        self, ctx: Context, security: AskedSecurity, is_on: Callable[[], bool], installed: Callable[[], None]
    ) -> None:
        use = _StationCertificate(ctx, is_on)
        self._ctx = ctx
        self._installed = installed
        self._subject = use.subject
        self._renewal = CertificateRenewal(ctx, security, use, is_critical=None)
        self._requests = CertificateRequests(ctx, security)

    def begin(self) -> None:
        """From now on; a first look after a minute."""
        self._renewal.look_from_now_on()

    def stop(self) -> None:
        self._renewal.stop()
        self._renewal.give_up()

    # What the Central System asks

    def handlers(self) -> dict[str | None, Callable[[str | None], Awaitable[Carried]]]:
        """By message id."""
        answers: dict[str, _Answer] = {
            "TriggerMessage": self._trigger_message,
            "CertificateSigned": self._certificate_signed,
            "GetInstalledCertificateIds": self._get_installed_certificate_ids,
            "DeleteCertificate": self._delete_certificate,
            "InstallCertificate": self._install_certificate,
        }
        return {message: partial(self._handle, message, handler) for message, handler in answers.items()}

    async def _handle(self, message: str, handler: _Answer, data: str | None) -> Carried:
        """What is not this message is Rejected as a whole, without anything inside."""
        try:
            request, other = read(self._ctx, message, data or ("{}" if message == "TriggerMessage" else None))
        except ValueError as error:
            self._ctx.log.warning("%s in DataTransfer cannot be read: %s", message, error, about=message)
            return Carried(_REJECTED)
        return await handler(request, other)

    async def _trigger_message(self, request: Payload, other: dict[str, object]) -> Carried:
        """Nothing else can be triggered so. Without an organization there is nothing to ask with."""
        if other.get("requestedMessage", _SIGN) != _SIGN:
            return Carried(answer("TriggerMessage", {"status": "NotImplemented"}))
        if not self._subject().organization:
            status = DataTransferStatus.REJECTED
            return Carried(answer("TriggerMessage", {"status": "Rejected"}, status))
        return Carried(answer("TriggerMessage", {"status": "Accepted"}), self._renewal.begin)

    async def _certificate_signed(self, request: Payload, other: dict[str, object]) -> Carried:
        kind = other.get("certificateType", _LEAF)
        if kind != _LEAF:
            self._renewal.refused("of another type than V2GCertificate")
            is_installed = False
        else:
            is_installed = await self._renewal.install(request["certificateChain"])
        status = "Accepted" if is_installed else "Rejected"
        return Carried(answer("CertificateSigned", {"status": status}), self._installed if is_installed else None)

    async def _get_installed_certificate_ids(self, request: Payload, other: dict[str, object]) -> Carried:
        wanted = request.get("certificateType")
        kinds = tuple(map(CertificateType, dict.fromkeys(wanted))) if wanted else _LISTED
        payload: Payload = {"status": "NotFound"}
        chains = []
        for one in await self._requests.installed(kinds):
            chain: Payload = {
                "certificateType": str(one.certificate_type),
                "certificateHashData": on_the_wire(one.hash_data),
            }
            if one.child_hash_data:
                chain["childCertificateHashData"] = [*map(on_the_wire, one.child_hash_data[:MOST_CHILDREN])]
            chains.append(chain)
        if chains:
            payload = {"status": "Accepted", "certificateHashDataChain": chains}
        return Carried(answer("GetInstalledCertificateIds", payload))

    async def _delete_certificate(self, request: Payload, other: dict[str, object]) -> Carried:
        status = await self._requests.delete(request["certificateHashData"])
        return Carried(answer("DeleteCertificate", {"status": status}))

    async def _install_certificate(self, request: Payload, other: dict[str, object]) -> Carried:
        status = await self._requests.install(request["certificate"], _ROOTS[request["certificateType"]])
        return Carried(answer("InstallCertificate", {"status": status}))

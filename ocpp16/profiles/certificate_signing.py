"""The client certificate of the charge point: SignCertificate, CertificateSigned (security white paper ed. 3, A02,
A03). When it is asked for, and how often, is `certificate_renewal`.
"""

from collections.abc import Callable, Sequence

from ocpp16 import messages
from ocpp16.configuration.keys import internal
from ocpp16.configuration.keys.security import CPO_NAME, SECURITY_PROFILE
from ocpp16.enums import RegistrationStatus
from ocpp16.errors import CallFailed
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply, hears, on, triggered
from ocpp16.profiles.certificate_renewal import CertificateRenewal, Subject
from ocpp16.security.evse_security import LeafCertificateType
from ocpp16.state.signals import RegistrationChanged


class _ClientCertificate:
    """What is its own of it: a `CertificateUse`."""

    kind = LeafCertificateType.CSMS
    what = "client certificate"

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def is_looked_after(self) -> bool:
        return self._ctx.configuration[SECURITY_PROFILE] == 3

    def subject(self) -> Subject:
        configuration = self._ctx.configuration
        name = configuration[internal.CHARGE_BOX_SERIAL_NUMBER] or configuration[internal.CHARGE_POINT_ID]
        return Subject(configuration[CPO_NAME] or "", name, configuration[internal.USE_TPM], "CpoName is not set")

    def send(
        self,
        csr: str,
        answered: Callable[[str], None],
        not_taken: Callable[[CallFailed], None],
        *,
        is_triggered: bool,
    ) -> None:
        def confirmed(payload: Payload) -> None:
            answered(payload["status"])

        self._ctx.sender.send(
            "SignCertificate", {"csr": csr}, is_triggered=is_triggered, on_confirmation=confirmed, on_failure=not_taken
        )


class CertificateSigning(FeatureProfile):
    """`reconnect` closes the connection and opens another, with the certificate of then."""

    __slots__ = ("_reconnect", "_renewal")

    name = ""

    def __init__(self, ctx: Context, security: AskedSecurity, reconnect: Callable[[], None]) -> None:
        super().__init__(ctx)
        self._reconnect = reconnect
        self._renewal = CertificateRenewal(ctx, security, _ClientCertificate(ctx), is_critical=True)

    def stop(self) -> None:
        self._renewal.stop()

    @hears(RegistrationChanged)
    def _registered(self, signal: RegistrationChanged) -> None:
        if signal.status is RegistrationStatus.ACCEPTED:
            self._renewal.look_from_now_on()

    @triggered("SignChargePointCertificate")
    def _triggered_signing(self, connector_ids: Sequence[int]) -> Callable[[], None] | None:
        """None without CpoName: there is nothing to ask with."""
        return self._renewal.begin if self.ctx.configuration[CPO_NAME] else None

    @on("CertificateSigned")
    async def certificate_signed(
        self, request: "messages.CertificateSignedRequest"
    ) -> "Reply[messages.CertificateSignedResponse]":
        if not await self._renewal.install(request["certificateChain"]):
            return Reply({"status": "Rejected"})
        is_used = self.ctx.configuration[SECURITY_PROFILE] == 3
        return Reply({"status": "Accepted"}, then=self._reconnect if is_used else None)

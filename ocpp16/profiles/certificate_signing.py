"""The client certificate of the charge point: SignCertificate, CertificateSigned, renewal (security white paper ed. 3,
A02, A03).

States: idle → asked (SignCertificate is sent, and sent again while nothing comes) → idle, with a certificate or not. A
request is made once, and sent as often as it takes: each one of its own would leave a key behind. The certificate in
use stays until a new one is there; which of them the connection takes is the EvseSecurity's to say.
"""

from collections.abc import Callable, Sequence
from typing import Final

from ocpp16 import messages
from ocpp16.configuration.keys import internal
from ocpp16.configuration.keys.pnc import CERT_SIGNING_REPEAT_TIMES, CERT_SIGNING_WAIT_MINIMUM
from ocpp16.configuration.keys.security import CERTIFICATE_SIGNED_MAX_CHAIN_SIZE, CPO_NAME, SECURITY_PROFILE
from ocpp16.enums import RegistrationStatus
from ocpp16.errors import CallFailed
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply, hears, on, triggered
from ocpp16.security.evse_security import CsrStatus, InstallCertificateResult, LeafCertificateType
from ocpp16.state.signals import RegistrationChanged, SecurityEventRaised
from ocpp16.state.timers import Timer

FIRST_LOOK: Final = 60.0
"""Seconds from an accepted BootNotification to the first look at the expiry."""
LOOK_INTERVAL: Final = 43_200.0
"""Seconds between two looks."""
RENEWED_BEFORE: Final = 30
"""Days before the expiry from which on a new certificate is asked for."""

SHORTEST_WAIT: Final = 1
"""Seconds before it is asked again, whatever CertSigningWaitMinimum says."""


class CertificateSigning(FeatureProfile):
    """`reconnect` closes the connection and opens another, with the certificate of then."""

    __slots__ = ("_csr", "_is_making", "_look", "_reconnect", "_repeat", "_repeats", "_security")

    name = ""

    def __init__(self, ctx: Context, security: AskedSecurity, reconnect: Callable[[], None]) -> None:
        super().__init__(ctx)
        self._security = security
        self._reconnect = reconnect
        self._look: Timer | None = None
        self._repeat: Timer | None = None
        self._repeats = 0
        self._csr = ""
        self._is_making = False

    def stop(self) -> None:
        for timer in (self._look, self._repeat):
            if timer is not None:
                timer.cancel()
        self._look = self._repeat = None

    # When

    @hears(RegistrationChanged)
    def _registered(self, signal: RegistrationChanged) -> None:
        """The looks go on over disconnects: a charge point that is offline for long needs its certificate the more."""
        if signal.status is RegistrationStatus.ACCEPTED and self._look is None:
            first = self.ctx.clock.monotonic() + FIRST_LOOK
            self._look = self.ctx.timers.every(LOOK_INTERVAL, self._look_at_expiry, first)

    def _look_at_expiry(self) -> None:
        if self.ctx.configuration[SECURITY_PROFILE] == 3 and not self._csr:
            self.ctx.spawn(self._renew_if_due)

    async def _renew_if_due(self) -> None:
        days = await self._security.get_leaf_expiry_days_count(LeafCertificateType.CSMS)
        if days < RENEWED_BEFORE:
            self.ctx.log.info("the client certificate expires in %d days: a new one is asked for", days)
            await self._ask()

    @triggered("SignChargePointCertificate")
    def _triggered_signing(self, connector_ids: Sequence[int]) -> Callable[[], None] | None:
        """None without CpoName: there is nothing to ask with."""
        return self.begin if self.ctx.configuration[CPO_NAME] else None

    def begin(self) -> None:
        """Ask for a certificate, with a request of its own."""
        self._csr = ""
        self.ctx.spawn(self._ask)

    # Asking

    async def _ask(self) -> None:
        if self._is_making:
            return
        self._is_making = True
        try:
            self._csr = await self._new_request()
        finally:
            self._is_making = False
        if self._csr:
            self._repeats = 0
            self._send()

    async def _new_request(self) -> str:
        """PEM; empty where none can be made, which is told."""
        configuration = self.ctx.configuration
        organization = configuration[CPO_NAME]
        if not organization:
            self._failed("CpoName is not set")
            return ""
        name = configuration[internal.CHARGE_BOX_SERIAL_NUMBER] or configuration[internal.CHARGE_POINT_ID]
        made = await self._security.generate_certificate_signing_request(
            LeafCertificateType.CSMS,
            configuration[internal.SECC_LEAF_SUBJECT_COUNTRY] or "DE",
            organization,
            name,
            configuration[internal.USE_TPM],
        )
        if made.status is not CsrStatus.ACCEPTED or not made.csr:
            self._failed(str(made.status))
            return ""
        return made.csr

    def _failed(self, why: str) -> None:
        self.ctx.log.warning("no certificate can be asked for: %s", why)
        self.ctx.signals.emit(SecurityEventRaised("CSRGenerationFailed", why))

    def _send(self) -> None:
        """Now, and again after a while, unless the certificate comes: twice as long each time."""
        ctx = self.ctx
        ctx.sender.send(
            "SignCertificate",
            {"csr": self._csr},
            is_triggered=True,
            on_confirmation=self._answered,
            on_failure=self._not_taken,
        )
        wait = max(SHORTEST_WAIT, ctx.configuration[CERT_SIGNING_WAIT_MINIMUM]) * 2**self._repeats
        self._set_repeat(ctx.clock.monotonic() + wait)

    def _set_repeat(self, at: float | None) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
        if at is not None:
            self._repeat = self.ctx.timers.at(at, self._send_again)

    def _send_again(self) -> None:
        self._repeat = None
        if self._repeats >= self.ctx.configuration[CERT_SIGNING_REPEAT_TIMES]:
            self.ctx.log.warning("no certificate came; it will be asked for again when it is due")
            self._csr = ""
            return
        self._repeats += 1
        self._send()

    def _answered(self, payload: Payload) -> None:
        if payload["status"] != "Accepted":
            self._set_repeat(None)
            self._csr = ""
            self.ctx.log.warning("the Central System does not have the certificate signed: %s", payload["status"])

    def _not_taken(self, error: CallFailed) -> None:
        """Offline, or not understood: the repeats go on."""
        self.ctx.log.info("SignCertificate: %s", error)

    # What comes of it

    @on("CertificateSigned")
    async def certificate_signed(
        self, request: "messages.CertificateSignedRequest"
    ) -> "Reply[messages.CertificateSignedResponse]":
        chain = request["certificateChain"]
        most = self.ctx.configuration[CERTIFICATE_SIGNED_MAX_CHAIN_SIZE]
        if most is not None and len(chain.encode()) > most:
            result = InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
        else:
            result = await self._security.update_leaf_certificate(chain, LeafCertificateType.CSMS)
        if result is not InstallCertificateResult.ACCEPTED:
            self.ctx.log.warning("the signed certificate is not taken: %s", result)
            self.ctx.signals.emit(
                SecurityEventRaised("InvalidChargePointCertificate", f"CertificateSigned: {result}", is_critical=True)
            )
            return Reply({"status": "Rejected"})
        self._set_repeat(None)
        self._csr = ""
        self.ctx.log.info("a new client certificate is installed")
        self.ctx.signals.emit(
            SecurityEventRaised("ReconfigurationOfSecurityParameters", "a new client certificate is installed")
        )
        is_used = self.ctx.configuration[SECURITY_PROFILE] == 3
        return Reply({"status": "Accepted"}, then=self._reconnect if is_used else None)

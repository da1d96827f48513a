"""A certificate of the charge point that is renewed in time: one for the Central System, one towards cars (security
white paper ed. 3, A02, A03; application note on ISO 15118).

States: idle → asked (a request is sent, and sent again while nothing comes) → idle, with a certificate or not. A
request is made once, and sent as often as it takes: each one of its own would leave a key behind. The certificate in
use stays until a new one is there; which of them is used is the EvseSecurity's to say.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from ocpp16.configuration.keys import internal
from ocpp16.configuration.keys.pnc import CERT_SIGNING_REPEAT_TIMES, CERT_SIGNING_WAIT_MINIMUM
from ocpp16.configuration.keys.security import CERTIFICATE_SIGNED_MAX_CHAIN_SIZE
from ocpp16.errors import CallFailed
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.context import Context
from ocpp16.security.evse_security import CsrStatus, InstallCertificateResult, LeafCertificateType
from ocpp16.state.signals import SecurityEventRaised
from ocpp16.state.timers import Timer

FIRST_LOOK: Final = 60.0
"""Seconds from an accepted BootNotification to the first look at the expiry."""
LOOK_INTERVAL: Final = 43_200.0
"""Seconds between two looks."""
RENEWED_BEFORE: Final = 30
"""Days before the expiry from which on a new certificate is asked for."""

SHORTEST_WAIT: Final = 1
"""Seconds before it is asked again, whatever CertSigningWaitMinimum says."""


class Subject(NamedTuple):
    """Whom a certificate is for; `organization` is "" where nobody is configured, which `missing` names."""

    organization: str
    common_name: str
    use_tpm: bool
    missing: str


class CertificateUse(Protocol):
    """What the two certificates have of their own."""

    kind: LeafCertificateType
    what: str
    """For people."""

    def is_looked_after(self) -> bool:
        """Is it to be renewed in time?"""
        ...

    def subject(self) -> Subject: ...

    def send(
        self,
        csr: str,
        answered: Callable[[str], None],
        not_taken: Callable[[CallFailed], None],
        *,
        is_triggered: bool,
    ) -> None:
        """Ask the Central System; `answered` is given its status. `is_triggered`: as it asked us to."""
        ...


class CertificateRenewal:
    """Of one use. `is_critical`: whether a chain that is not taken is a critical event; None: as the list has it."""

    __slots__ = (
        "_csr",
        "_is_critical",
        "_is_making",
        "_is_over",
        "_is_triggered",
        "_look",
        "_repeat",
        "_repeats",
        "_security",
        "_use",
        "ctx",
    )

    def __init__(self, ctx: Context, security: AskedSecurity, use: CertificateUse, is_critical: bool | None) -> None:
        self.ctx: Context = ctx
        self._security = security
        self._use = use
        self._is_critical = is_critical
        self._look: Timer | None = None
        self._repeat: Timer | None = None
        self._repeats = 0
        self._csr = ""
        self._is_making = False
        self._is_over = False
        """Nobody wants the request any more that is being made."""
        self._is_triggered = False
        """Was the present request asked for? Only that goes out while we are Pending (OCPP 1.6 ed. 2 §4.2)."""

    def stop(self) -> None:
        self._is_over = True
        for timer in (self._look, self._repeat):
            if timer is not None:
                timer.cancel()
        self._look = self._repeat = None

    # When

    def look_from_now_on(self) -> None:
        """The looks go on over disconnects: a charge point that is offline for long needs its certificate the more."""
        self._is_over = False
        if self._look is None:
            first = self.ctx.clock.monotonic() + FIRST_LOOK
            self._look = self.ctx.timers.every(LOOK_INTERVAL, self._look_at_expiry, first)

    def _look_at_expiry(self) -> None:
        if self._use.is_looked_after() and not self._csr:
            self.ctx.spawn(self._renew_if_due)

    async def _renew_if_due(self) -> None:
        days = await self._security.get_leaf_expiry_days_count(self._use.kind)
        if days < RENEWED_BEFORE:
            self.ctx.log.info("the %s expires in %d days: a new one is asked for", self._use.what, days)
            self._is_triggered = False
            await self._ask()

    def begin(self) -> None:
        """Ask for a certificate, with a request of its own."""
        self._is_over = False
        self._is_triggered = True
        self._csr = ""
        self.ctx.spawn(self._ask)

    # Asking

    async def _ask(self) -> None:
        if self._is_making:
            return
        self._is_making = True
        try:
            csr = await self._new_request()
        finally:
            self._is_making = False
        if csr and not self._is_over:
            self._csr = csr
            self._repeats = 0
            self._send()

    async def _new_request(self) -> str:
        """PEM; empty where none can be made, which is told."""
        subject = self._use.subject()
        if not subject.organization:
            self._failed(subject.missing)
            return ""
        made = await self._security.generate_certificate_signing_request(
            self._use.kind,
            self.ctx.configuration[internal.SECC_LEAF_SUBJECT_COUNTRY] or "DE",
            subject.organization,
            subject.common_name,
            subject.use_tpm,
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
        self._use.send(self._csr, self._answered, self._not_taken, is_triggered=self._is_triggered)
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

    def _answered(self, status: str) -> None:
        if status != "Accepted":
            self.give_up()
            self.ctx.log.warning("the Central System does not have the certificate signed: %s", status)

    def _not_taken(self, error: CallFailed) -> None:
        """Offline, or not understood: the repeats go on."""
        self.ctx.log.info("SignCertificate: %s", error)

    def give_up(self) -> None:
        """Nothing more is sent of the present request."""
        self._set_repeat(None)
        self._csr = ""

    # What comes of it

    async def install(self, chain: str) -> bool:
        """Take the signed certificate, leaf first, in PEM; False: refused, which is told."""
        most = self.ctx.configuration[CERTIFICATE_SIGNED_MAX_CHAIN_SIZE]
        if most is not None and len(chain.encode()) > most:
            result = InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
        else:
            result = await self._security.update_leaf_certificate(chain, self._use.kind)
        if result is not InstallCertificateResult.ACCEPTED:
            self.refused(str(result))
            return False
        self.give_up()
        self.ctx.log.info("a new %s is installed", self._use.what)
        self.ctx.signals.emit(
            SecurityEventRaised("ReconfigurationOfSecurityParameters", f"a new {self._use.what} is installed")
        )
        return True

    def refused(self, why: str) -> None:
        """A certificate that came is not taken."""
        self.ctx.log.warning("the signed certificate is not taken: %s", why)
        self.ctx.signals.emit(SecurityEventRaised("InvalidChargePointCertificate", why, self._is_critical))

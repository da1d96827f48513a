"""Plug & Charge: cars that charge with a contract (application note on ISO 15118, over DataTransfer).

Two switches, each of which acts at once. ISO15118PnCEnabled: contracts are authorized, and certificates for cars
fetched. ISO15118CertificateManagementEnabled: the certificate towards cars is asked for and renewed, roots come and
go, and what responders say of our certificates is kept fresh; off, the Central System finds nobody here to talk of it.
"""

from typing import Self

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys.internal import OCSP_REQUEST_INTERVAL
from ocpp16.configuration.keys.pnc import ISO15118_CERTIFICATE_MANAGEMENT_ENABLED
from ocpp16.enums import RegistrationStatus
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Context, FeatureProfile, Others, hears
from ocpp16.profiles.contract_authorization import ContractAuthorizing
from ocpp16.profiles.ev_certificates import EvCertificates
from ocpp16.profiles.ocsp_refresh import OcspRefresh
from ocpp16.profiles.plug_and_charge_messages import VENDOR
from ocpp16.profiles.v2g_certificates import V2gCertificates
from ocpp16.state.signals import ConfigurationChanged, Connected, RegistrationChanged

__all__ = ["PlugAndCharge"]


class PlugAndCharge(FeatureProfile):
    """`certificates` and `ocsp` are None where nobody keeps certificates."""

    __slots__ = ("_others", "certificates", "contracts", "ev_certificates", "ocsp")

    name = "PnC"

    def __init__(self, ctx: Context, security: AskedSecurity | None, others: Others) -> None:
        super().__init__(ctx)
        self._others = others
        self.contracts: ContractAuthorizing = ContractAuthorizing(ctx, security, others)
        self.ev_certificates: EvCertificates = EvCertificates(ctx)
        self.ocsp: OcspRefresh | None = None if security is None else OcspRefresh(ctx, security)
        self.certificates: V2gCertificates | None = (
            None if security is None else V2gCertificates(ctx, security, self._manages, self._new_certificate)
        )

    @classmethod
    def is_wanted(cls, configuration: Configuration) -> bool:
        """Where the configuration has its section; SupportedFeatureProfiles has no word for it (OCPP 1.6 ed. 2
        §9.1.21)."""
        return cls.name in configuration.sections

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others.evse_security, others)

    def start(self) -> None:
        self._switch()

    def stop(self) -> None:
        if self.ocsp is not None:
            self.ocsp.stop()
        if self.certificates is not None:
            self.certificates.stop()

    def _manages(self) -> bool:
        return self.ctx.configuration[ISO15118_CERTIFICATE_MANAGEMENT_ENABLED]

    def _new_certificate(self) -> None:
        if self.ocsp is not None:
            self.ocsp.at_once()

    def _switch(self) -> None:
        """As the key has it now."""
        is_on = self._manages() and self.certificates is not None
        handlers = self.certificates.handlers() if is_on and self.certificates is not None else {}
        self._others.data_transfer.carry(VENDOR, handlers)
        if not is_on:
            self.stop()
        elif self.ctx.sender.is_accepted:
            self._begin()

    def _begin(self) -> None:
        if self.ocsp is not None:
            self.ocsp.begin()
        if self.certificates is not None:
            self.certificates.begin()

    @hears(RegistrationChanged)
    def _registered(self, signal: RegistrationChanged) -> None:
        if signal.status is RegistrationStatus.ACCEPTED and self._manages():
            self._begin()
            self._made_up_for()

    @hears(Connected)
    def _connected(self, signal: Connected) -> None:
        self._made_up_for()

    def _made_up_for(self) -> None:
        if self.ocsp is not None:
            self.ocsp.can_ask()

    @hears(ConfigurationChanged)
    def _configuration_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == ISO15118_CERTIFICATE_MANAGEMENT_ENABLED.name:
            self._switch()
        elif signal.key == OCSP_REQUEST_INTERVAL.name and self.ocsp is not None:
            self.ocsp.interval_changed()

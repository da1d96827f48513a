"""`charge_point.plug_and_charge`: cars that charge with a contract (application note on ISO 15118)."""

from collections.abc import Sequence

from ocpp16.charge_point.runtime import Runtime
from ocpp16.contracts import CertificateAction, ContractAuthorization, EvCertificateResponse
from ocpp16.ctrl_c import only_at_waits
from ocpp16.errors import FeatureNotBuilt
from ocpp16.profiles.contract_authorization import MOST_HASHES
from ocpp16.profiles.ev_certificates import BUDGET, LONGEST_BUDGET
from ocpp16.profiles.plug_and_charge import PlugAndCharge
from ocpp16.security.evse_security import CertificateHashData, OcspRequestData
from ocpp16.values import described, finite, items, member, text

EMAID_LENGTH = 36
"""Characters of an eMAID (IdToken of OCPP 2.0.1)."""
SCHEMA_LENGTH = 50
"""Characters."""
EXI_LENGTH = 5600
"""Characters of base64."""


@only_at_waits
class PlugAndChargeDoor:
    """Made anew each time it is asked for. Where the configuration has no section PnC there is no Plug & Charge:
    `is_built` is False, and the methods raise FeatureNotBuilt."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def is_built(self) -> bool:
        """Has the configuration its section, PnC?"""
        return self._runtime.features.plug_and_charge is not None

    @property
    def next_certificate_status_at(self) -> float | None:
        """Monotonic seconds of `for_station.clock` at which our certificates are asked about next; None: that is off,
        due, or under way."""
        feature = self._runtime.features.plug_and_charge
        return None if feature is None or feature.ocsp is None else feature.ocsp.next_at

    async def data_transfer_pnc_authorize(
        self,
        emaid: str,
        certificate: str | None = None,
        ocsp_request_data: Sequence[OcspRequestData] = (),
    ) -> ContractAuthorization:
        """May this contract charge? Waits for the Central System where it has to be asked (at most 60 s).

        emaid: 1 to 36 characters. certificate: the contract chain, leaf first, PEM. ocsp_request_data: names of its
        certificates with their responders, at most 4, from the ISO 15118 side. Whatever the Central System does, there
        is an answer, which says why. That the car holds the key of the chain, and that the eMAID is the chain's, is
        what the ISO 15118 side has found out before. Raises ValueError that names the argument, FeatureNotBuilt.
        """
        self._runtime.guard.check()
        token = text(emaid, "emaid", EMAID_LENGTH, least=1)
        chain = None if certificate is None else text(certificate, "certificate")
        hashes = _hashes(ocsp_request_data)
        return await self._feature.contracts.authorize(token, chain, hashes)

    async def data_transfer_pnc_get_15118_ev_certificate(
        self,
        connector_id: int,
        exi_request: str,
        iso15118_schema_version: str,
        certificate_action: CertificateAction | str = CertificateAction.INSTALL,
        budget: float = BUDGET,
    ) -> EvCertificateResponse:
        """Have the Central System answer a car that wants a contract certificate, or a newer one.

        exi_request: base64 of its EXI, up to 5600 characters. iso15118_schema_version: up to 50. budget: seconds, more
        than 0 to 60, that the car waits; then the answer is Failed. The observer is told the same, as
        `EvCertificateAnswered`. Raises ValueError that names the argument, FeatureNotBuilt.
        """
        connector = self._runtime.guard.connector(connector_id)
        request = text(exi_request, "exi_request", EXI_LENGTH)
        version = text(iso15118_schema_version, "iso15118_schema_version", SCHEMA_LENGTH)
        action = member(CertificateAction, certificate_action, "certificate_action")
        seconds = finite(budget, "budget")
        if not 0 < seconds <= LONGEST_BUDGET:
            raise ValueError(f"budget must be more than 0 and at most {LONGEST_BUDGET:g} s, not {described(budget)}")
        return await self._feature.ev_certificates.get(connector, request, version, action, seconds)

    @property
    def _feature(self) -> PlugAndCharge:
        feature = self._runtime.features.plug_and_charge
        if feature is None:
            raise FeatureNotBuilt("there is no Plug & Charge: the configuration has no section PnC")
        return feature


def _hashes(given: object) -> list[OcspRequestData]:
    found = items(given, "ocsp_request_data", "values of OcspRequestData")
    if len(found) > MOST_HASHES:
        raise ValueError(f"ocsp_request_data must be at most {MOST_HASHES}, not {len(found)}")
    return [_hash(one) for one in found]


def _hash(one: object) -> OcspRequestData:
    name = one.hash_data if isinstance(one, OcspRequestData) else None
    if not isinstance(one, OcspRequestData) or not isinstance(name, CertificateHashData):
        raise ValueError(f"ocsp_request_data must be of OcspRequestData, not {described(one)}")
    return OcspRequestData(
        CertificateHashData(
            text(name.hash_algorithm, "hash_algorithm", 6),
            text(name.issuer_name_hash, "issuer_name_hash", 128),
            text(name.issuer_key_hash, "issuer_key_hash", 128),
            text(name.serial_number, "serial_number", 40),
        ),
        text(one.responder_url, "responder_url", 512),
    )

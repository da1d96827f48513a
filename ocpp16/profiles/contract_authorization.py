"""May a car charge with its contract? Plug & Charge over DataTransfer, Authorize (application note on ISO 15118).

The ladder itself is `state.contract_authorization`; here the chain is verified, what is known is looked up, and the
Central System is asked where the ladder says so. Results are not cached.
"""

from collections.abc import Sequence
from typing import Final

from ocpp16.configuration.keys import core, pnc
from ocpp16.contracts import (
    ContractAuthorization,
    ContractCertificateStatus,
    ContractIdTokenInfo,
    ContractStatus,
)
from ocpp16.errors import CallFailed
from ocpp16.observer import ContractAuthorized
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.profiles.base import Context, Others, Payload
from ocpp16.profiles.id_tags import ID_TAG_LENGTH, read_expiry
from ocpp16.profiles.plug_and_charge_messages import ask
from ocpp16.security.evse_security import (
    CertificateExamination,
    CertificateValidationResult,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.state.contract_authorization import (
    Ask,
    ContractDecision,
    ContractSituation,
    decide_contract,
    decide_unanswered_contract,
)
from ocpp16.state.signals import IdTagDecided

MOST_HASHES: Final = 4
"""Certificates that Authorize can name (application note, Authorize.req)."""
_ROOTS: Final = (LeafCertificateType.MO, LeafCertificateType.V2G)
"""Whose roots vouch for contracts (OCPP 2.0.1 part 2, C07)."""
_NOT_EXAMINED: Final = CertificateExamination(CertificateValidationResult.ISSUER_NOT_FOUND, "nobody keeps roots here")


class ContractAuthorizing:
    """`security`: None where nobody keeps certificates; then a chain cannot be proved here."""

    __slots__ = ("_ctx", "_others", "_security")

    def __init__(self, ctx: Context, security: AskedSecurity | None, others: Others) -> None:
        self._ctx = ctx
        self._security = security
        self._others = others

    async def authorize(
        self, emaid: str, chain: str | None, hashes: Sequence[OcspRequestData]
    ) -> ContractAuthorization:
        """Decide. Whatever keeper and Central System do, there is an answer."""
        found = await self._decided(emaid, chain or "", hashes)
        self._tell(emaid, found)
        return found

    async def _decided(self, emaid: str, chain: str, hashes: Sequence[OcspRequestData]) -> ContractAuthorization:
        configuration = self._ctx.configuration
        examined = named = None
        is_enabled = configuration[pnc.ISO15118_PNC_ENABLED]
        if is_enabled and chain and not (self._ctx.sender.is_online and hashes):
            examined = await self._examined(chain)
            if examined.result is CertificateValidationResult.VALID and self._security is not None:
                named = (await self._security.get_mo_ocsp_request_data(chain))[:MOST_HASHES]
        # Connection and keys are those of now, not of when the question was put.
        decision = decide_contract(
            ContractSituation(
                is_enabled=configuration[pnc.ISO15118_PNC_ENABLED],
                is_connected=self._ctx.sender.is_online,
                has_hashes=bool(hashes),
                chain="" if examined is None else str(examined.result),
                is_nameable=bool(named),
                is_known=self._is_known(emaid),
                central_contract_validation_allowed=bool(configuration[pnc.CENTRAL_CONTRACT_VALIDATION_ALLOWED]),
                contract_validation_offline=configuration[pnc.CONTRACT_VALIDATION_OFFLINE],
                local_authorize_offline=configuration[core.LOCAL_AUTHORIZE_OFFLINE],
            )
        )
        reason = "" if examined is None else examined.reason
        if decision.ask is None:
            return _said(decision, reason)
        payload: Payload = {"idToken": {"idToken": emaid}}
        if decision.ask is Ask.CHAIN:
            payload["certificate"] = chain
        else:
            data = hashes if decision.ask is Ask.GIVEN_HASHES else named or ()
            payload["iso15118CertificateHashData"] = [on_the_wire(one) for one in data]
        try:
            answer = await ask(self._ctx, "Authorize", payload)
        except CallFailed as failure:
            return _said(decide_unanswered_contract(failure.reason), str(failure))
        return _answered(answer, decision, reason)

    async def _examined(self, chain: str) -> CertificateExamination:
        return _NOT_EXAMINED if self._security is None else await self._security.examine_certificate(chain, _ROOTS)

    def _is_known(self, emaid: str) -> bool:
        """A local list and a cache hold no longer ones."""
        return len(emaid) <= ID_TAG_LENGTH and self._others.authorization.accepts_offline(emaid)

    def _tell(self, emaid: str, found: ContractAuthorization) -> None:
        ctx = self._ctx
        ctx.log.info(
            "contract is %s: %s (%s%s%s)",
            found.id_token_info.status,
            found.source,
            found.rule,
            found.key and f"; {found.key}",
            found.reason and f"; {found.reason}",
        )
        if len(emaid) <= ID_TAG_LENGTH:
            ctx.signals.emit(IdTagDecided(emaid, found.is_accepted))
        ctx.tell(ContractAuthorized(emaid, found), 0)


def _said(decision: ContractDecision, reason: str) -> ContractAuthorization:
    return ContractAuthorization(
        ContractIdTokenInfo(decision.status),
        decision.certificate_status,
        decision.source,
        decision.rule,
        decision.key,
        reason,
    )


def _answered(answer: Payload, decision: ContractDecision, reason: str) -> ContractAuthorization:
    info = answer["idTokenInfo"]
    status = answer.get("certificateStatus")
    return ContractAuthorization(
        ContractIdTokenInfo(ContractStatus(info["status"]), read_expiry(info.get("cacheExpiryDateTime"))),
        None if status is None else ContractCertificateStatus(status),
        decision.source,
        decision.rule,
        decision.key,
        reason,
    )


def on_the_wire(data: OcspRequestData) -> Payload:
    """As messages name a certificate and who knows of it."""
    name = data.hash_data
    return {
        "hashAlgorithm": name.hash_algorithm,
        "issuerNameHash": name.issuer_name_hash,
        "issuerKeyHash": name.issuer_key_hash,
        "serialNumber": name.serial_number,
        "responderURL": data.responder_url,
    }

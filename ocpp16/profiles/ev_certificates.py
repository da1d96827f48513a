"""A car wants a contract certificate, or a newer one: Get15118EVCertificate (application note on ISO 15118).

The car waits for some seconds and then goes away (ISO 15118-2, V2G_EVCC_Msg_Timeout of CertificateInstallationReq is
5 s), so there is an answer in that time, if need be a refusal.
"""

from typing import Final

import trio

from ocpp16.configuration.keys import pnc
from ocpp16.contracts import CertificateAction, EvCertificateResponse, EvCertificateStatus
from ocpp16.errors import CallFailed
from ocpp16.observer import EvCertificateAnswered
from ocpp16.patience import of_others
from ocpp16.profiles.base import Context, Payload
from ocpp16.profiles.plug_and_charge_messages import ANSWER_TIME, ask

BUDGET: Final = 5.0
"""Seconds that a car waits (ISO 15118-2, table of message timers)."""
LONGEST_BUDGET: Final = ANSWER_TIME

_FAILED: Final = EvCertificateStatus.FAILED


class EvCertificates:
    __slots__ = ("_ctx",)

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def get(
        self, connector_id: int, exi_request: str, schema_version: str, action: CertificateAction, budget: float
    ) -> EvCertificateResponse:
        """What the car is to be answered; told to the observer as well, however it ends."""
        response = await self._asked(exi_request, schema_version, action, budget)
        if response.is_accepted:
            self._ctx.log.info("the car of connector %d gets a contract certificate", connector_id, about=connector_id)
        else:
            why = response.reason or "the Central System has none for it"
            self._ctx.log.warning("the car of connector %d gets no contract certificate: %s", connector_id, why)
        self._ctx.tell(EvCertificateAnswered(connector_id, response, action), 0)
        return response

    async def _asked(
        self, exi_request: str, schema_version: str, action: CertificateAction, budget: float
    ) -> EvCertificateResponse:
        if not self._ctx.configuration[pnc.ISO15118_PNC_ENABLED]:
            return EvCertificateResponse(_FAILED, reason="ISO15118PnCEnabled is false")
        payload: Payload = {
            "iso15118SchemaVersion": schema_version,
            "action": str(action),
            "exiRequest": exi_request,
        }
        with trio.move_on_after(of_others(budget)):
            try:
                answer = await ask(self._ctx, "Get15118EVCertificate", payload, timeout=budget, mend=_with_exi_response)
            except CallFailed as failure:
                return EvCertificateResponse(_FAILED, reason=str(failure))
            status = EvCertificateStatus(answer["status"])
            if status is EvCertificateStatus.ACCEPTED and not answer["exiResponse"]:
                return EvCertificateResponse(_FAILED, reason="Accepted, and nothing for the car")
            return EvCertificateResponse(status, answer["exiResponse"])
        return EvCertificateResponse(_FAILED, reason=f"no answer in {budget:g} s")


def _with_exi_response(payload: Payload) -> None:
    """Required also with Failed; many leave it out then."""
    if payload.get("status") != "Accepted" and payload.get("exiResponse") is None:
        payload["exiResponse"] = ""

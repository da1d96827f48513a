"""What a Central System answers to Plug & Charge (ISO 15118 over DataTransfer), with the authorities of a laboratory.

    async with CentralSystem() as csms:
        answers = PlugAndChargeAnswers(csms, Authority("V2G root", time()))
        answers.contracts["NLABCC00000001"] = "Blocked"

A request for a certificate is signed, and what was signed can be asked about. It proves no contract: that is done by
the charge point.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ocpp16.errors import Ocpp16Error
from ocpp16.testing.answers import Answer, CallErrorAnswer, readable
from ocpp16.testing.contract_answers import PLUG_AND_CHARGE, Payload, authorize, plug_and_charge_answer
from ocpp16.testing.recording import ReceivedCall

if TYPE_CHECKING:
    from ocpp16.security.lab_pki import Authority
    from ocpp16.testing.central_system import CentralSystem

__all__ = ["RESPONDER", "PlugAndChargeAnswers"]

RESPONDER: Final = "http://ocsp.example/"
"""Named in what is signed here; nobody fetches anything from it."""
CLOCKS_DIFFER: Final = 60.0
"""Seconds before now from which on an answer about a certificate holds."""
MOST_SIGNED: Final = 10_000
"""Certificates that can be asked about."""


class PlugAndChargeAnswers:
    """Joins a Central System, whose `answers["DataTransfer"]` it becomes; other vendors get Accepted.

    Parameters: `v2g` signs certificates towards cars; `days` how long they last. `contracts`: eMAID → status, of those
    that are not Accepted; `revoked`: serial numbers, lower-case hexadecimal, of which a responder says so.
    """

    def __init__(self, central_system: "CentralSystem", v2g: "Authority", *, days: float = 365) -> None:
        self.contracts: dict[str, str] = {}
        self.revoked: set[str] = set()
        self._central_system = central_system
        self._v2g = v2g
        self._days = days
        self._signed: dict[str, str] = {}
        central_system.answers["DataTransfer"] = self._answer

    def know(self, serial: str, certificate: str) -> None:
        """One that was signed before by the same authority (PEM), and may be asked about."""
        if len(self._signed) >= MOST_SIGNED:
            del self._signed[next(iter(self._signed))]
        self._signed[serial] = certificate

    def _answer(self, payload: Payload, call: ReceivedCall) -> Answer:
        read = readable(call)
        if isinstance(read, CallErrorAnswer):
            return read
        answers: dict[str, Callable[[Payload], Payload]] = {
            "Authorize": self._authorize,
            "GetCertificateStatus": self._status,
            "SignCertificate": lambda request: self._sign(call.identity, request),
        }
        return plug_and_charge_answer(read, answers) or {"status": "Accepted"}

    def _authorize(self, request: Payload) -> Payload:
        answer = authorize(request)
        answer["idTokenInfo"]["status"] = self.contracts.get(request["idToken"]["idToken"], "Accepted")
        return answer

    def _status(self, request: Payload) -> Payload:
        serial = request["ocspRequestData"]["serialNumber"].lower()
        certificate = self._signed.get(serial)
        if certificate is None:
            return {"status": "Failed"}
        now = self._central_system.standard_answers.now() / 1e6
        said = self._v2g.certificate_status(certificate, now - CLOCKS_DIFFER, is_revoked=serial in self.revoked)
        return {"status": "Accepted", "ocspResult": said}

    def _sign(self, identity: str, request: Payload) -> Payload:
        from ocpp16.security.lab_pki import Use

        try:
            issued = self._v2g.sign_request(request["csr"], use=Use.SERVER, days=self._days, responder_url=RESPONDER)
        except ValueError:
            return {"status": "Rejected"}
        self.know(issued.serial, issued.certificate)
        self._central_system.spawn(self._hand_over, identity, issued.chain)
        return {"status": "Accepted"}

    async def _hand_over(self, identity: str, chain: str) -> None:
        """CertificateSigned, once the request is answered; a charge point that is gone asks again."""
        from json import dumps

        data = dumps({"certificateChain": chain})
        request = {"vendorId": PLUG_AND_CHARGE, "messageId": "CertificateSigned", "data": data}
        try:
            await self._central_system.call(identity, "DataTransfer", request)
        except Ocpp16Error:
            return

"""What a Central System without any authority answers to Plug & Charge: one that accepts everything."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from json import dumps, loads
from typing import Any, Final

from ocpp16.codec import ValidationError, validate
from ocpp16.testing.recording import ReceivedCall

__all__ = ["PLUG_AND_CHARGE", "Payload", "authorize", "plug_and_charge_answer"]

PLUG_AND_CHARGE: Final = "org.openchargealliance.iso15118pnc"

Payload = dict[str, Any]


def plug_and_charge_answer(
    call: ReceivedCall, answers: Mapping[str, Callable[[Payload], Payload]] | None = None
) -> Payload | None:
    """The answer to a DataTransfer.req of Plug & Charge, None to any other. `answers`: message → what is answered to
    its request, in place of the usual: contracts are Accepted, cars get what they want, and nothing is signed."""
    if call.payload.get("vendorId") != PLUG_AND_CHARGE:
        return None
    message = call.payload.get("messageId", "")
    answer = {**_USUAL, **(answers or {})}.get(message)
    if answer is None:
        return {"status": "UnknownMessageId"}
    try:
        request = loads(call.payload.get("data", ""))
        validate(f"PnC.{message}", "request", request)
    except (ValidationError, ValueError, RecursionError):
        return {"status": "Rejected"}
    return {"status": "Accepted", "data": dumps(answer(request))}


def authorize(request: Payload) -> Payload:
    """Accepted, and so is the certificate, where one is named."""
    is_named = "certificate" in request or "iso15118CertificateHashData" in request
    return {"idTokenInfo": {"status": "Accepted"}, **({"certificateStatus": "Accepted"} if is_named else {})}


def _ev_certificate(request: Payload) -> Payload:
    said = f"{request['action']}: a contract".encode()
    return {"status": "Accepted", "exiResponse": b64encode(said).decode("ascii")}


_USUAL: Final[Mapping[str, Callable[[Payload], Payload]]] = {
    "Authorize": authorize,
    "Get15118EVCertificate": _ev_certificate,
    "GetCertificateStatus": lambda request: {"status": "Failed"},
    "SignCertificate": lambda request: {"status": "Rejected"},
}

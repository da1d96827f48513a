"""The messages of Plug & Charge as they travel: JSON text in the data of DataTransfer (application note on ISO 15118).

What is sent is checked as strictly as any message of ours, what is received as leniently (`rpc.tolerance`). Fields of
the 2.0.1 form, which others send, are no fault of a message.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ocpp16._core import json_text, json_value, validate_sending
from ocpp16.enums import DataTransferStatus
from ocpp16.errors import CallFailed
from ocpp16.models import DataTransferResponse
from ocpp16.patience import of_others
from ocpp16.profiles.call import call
from ocpp16.profiles.context import Context, Payload
from ocpp16.rpc.tolerance import repair_payload

__all__ = ["VENDOR", "answer", "ask", "read", "read_answer", "sendable"]

VENDOR: Final = "org.openchargealliance.iso15118pnc"
ANSWER_TIME: Final = 60.0
"""Seconds that an answer is waited for."""

_OTHER_FORM: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("CertificateSigned", "request"): ("certificateType",),
    ("TriggerMessage", "request"): ("requestedMessage",),
}
"""Fields that only the 2.0.1 form has, and that are looked at."""


def sendable(message: str, payload: Payload) -> Payload:
    """The DataTransfer.req that carries this. Raises ValueError for what the message cannot hold."""
    validate_sending(f"PnC.{message}", "request", payload)
    return {"vendorId": VENDOR, "messageId": message, "data": json_text(payload)}


async def ask(
    ctx: Context,
    message: str,
    payload: Payload,
    *,
    timeout: float = ANSWER_TIME,
    line_time: float | None = None,
    mend: Callable[[Payload], None] | None = None,
) -> Payload:
    """Ask the Central System, and wait for what it says. Parameters as of `call`; `mend` may complete the answer.

    Raises CallFailed: as `call`, and with the reasons "invalid" (the message cannot hold this), "refused" (the
    DataTransfer is not Accepted) and "unreadable" (what it carries is not this message).
    """
    try:
        request = sendable(message, payload)
    except ValueError as error:
        raise CallFailed(message, "invalid", description=str(error)) from error
    confirmation = await call(ctx.sender, "DataTransfer", request, timeout=of_others(timeout), line_time=line_time)
    return read_answer(ctx, message, confirmation, mend)


def read_answer(
    ctx: Context, message: str, confirmation: Payload, mend: Callable[[Payload], None] | None = None
) -> Payload:
    """What a DataTransfer.conf carries. Raises CallFailed as `ask`."""
    if confirmation["status"] != DataTransferStatus.ACCEPTED:
        raise CallFailed(message, "refused", description=confirmation["status"])
    try:
        return _read(ctx, message, "response", confirmation.get("data"), mend)
    except ValueError as error:
        ctx.log.warning("the answer to %s cannot be read: %s", message, error, about=message)
        raise CallFailed(message, "unreadable", description=str(error)) from error


def read(ctx: Context, message: str, data: str | None) -> tuple[Payload, dict[str, Any]]:
    """A request of the Central System, and what it has of the 2.0.1 form. Raises ValueError."""
    other: dict[str, Any] = {}

    def take_out(payload: Payload) -> None:
        for name in _OTHER_FORM.get((message, "request"), ()):
            if name in payload:
                other[name] = payload.pop(name)

    return _read(ctx, message, "request", data, take_out), other


def _read(ctx: Context, message: str, kind: Any, data: str | None, mend: Callable[[Payload], None] | None) -> Payload:
    if data is None:
        raise ValueError("it carries nothing")
    payload = json_value(data)
    if type(payload) is not dict:
        raise ValueError("it carries no JSON object")
    if mend is not None:
        mend(payload)
    return repair_payload(f"PnC.{message}", kind, payload, ctx.session.tolerance)[0]


def answer(
    message: str, payload: Payload, status: DataTransferStatus = DataTransferStatus.ACCEPTED
) -> DataTransferResponse:
    """What a request of the Central System is answered with."""
    validate_sending(f"PnC.{message}", "response", payload)
    return DataTransferResponse(status, json_text(payload))

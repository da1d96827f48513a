"""How a trigger is answered, for both messages that ask for one (OCPP 1.6 ed. 2 §5.17; security white paper)."""

from collections.abc import Callable

from ocpp16._core import ValidationError
from ocpp16.enums import TriggerMessageStatus
from ocpp16.profiles.base import Context, Payload, Trigger


def answer_to_trigger(
    ctx: Context, trigger: Trigger | None, connector_id: int | None
) -> tuple[TriggerMessageStatus, Callable[[], None] | None]:
    """The answer, and what is to follow it. `trigger` is None where nobody has such a message."""
    if trigger is None:
        return TriggerMessageStatus.NOT_IMPLEMENTED, None
    if connector_id is not None and connector_id not in ctx.connectors:
        return TriggerMessageStatus.REJECTED, None
    send = trigger(sorted(ctx.connectors) if connector_id is None else [connector_id])
    return TriggerMessageStatus.REJECTED if send is None else TriggerMessageStatus.ACCEPTED, send


def answer_to_unknown(error: ValidationError) -> Payload | None:
    """A message that OCPP does not know to be triggered is one that is not implemented (§5.17)."""
    if error.path == ("requestedMessage",) and error.rule == "enum":
        return {"status": str(TriggerMessageStatus.NOT_IMPLEMENTED)}
    return None

"""TriggerMessage (OCPP 1.6 ed. 2 §5.17): first the answer, then the message.

What can be triggered each feature says itself (`@triggered`); a message of a feature that is not built is
NotImplemented, as the clause asks.
"""

from typing import Self

from ocpp16 import messages
from ocpp16._core import ValidationError
from ocpp16.enums import TriggerMessageStatus
from ocpp16.profiles.base import Context, FeatureProfile, Others, Payload, Reply, on


class RemoteTrigger(FeatureProfile):
    __slots__ = ("_others",)

    name = "RemoteTrigger"

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    @on("TriggerMessage")
    def trigger_message(self, request: "messages.TriggerMessageRequest") -> "Reply[messages.TriggerMessageResponse]":
        connector_id = request.get("connectorId")
        trigger = self._others.trigger(request["requestedMessage"])
        if trigger is None:
            return Reply({"status": str(TriggerMessageStatus.NOT_IMPLEMENTED)})
        if connector_id is not None and connector_id not in self.ctx.connectors:
            return Reply({"status": str(TriggerMessageStatus.REJECTED)})
        send = trigger(sorted(self.ctx.connectors) if connector_id is None else [connector_id])
        status = TriggerMessageStatus.REJECTED if send is None else TriggerMessageStatus.ACCEPTED
        return Reply({"status": str(status)}, then=send)

    def answer_to_invalid(self, action: str, error: ValidationError) -> Payload | None:
        """A message that OCPP 1.6 does not know to be triggered is one that is not implemented (§5.17)."""
        if error.path == ("requestedMessage",) and error.rule == "enum":
            return {"status": str(TriggerMessageStatus.NOT_IMPLEMENTED)}
        return None

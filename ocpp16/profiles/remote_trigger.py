"""TriggerMessage (OCPP 1.6 ed. 2 §5.17): first the answer, then the message.

What can be triggered each feature says itself (`@triggered`); a message of a feature that is not built is
NotImplemented, as the clause asks.
"""

from typing import Self

from ocpp16 import messages
from ocpp16._core import ValidationError
from ocpp16.profiles.base import Context, FeatureProfile, Others, Payload, Reply, on
from ocpp16.profiles.triggering import answer_to_trigger, answer_to_unknown


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
        status, send = answer_to_trigger(
            self.ctx, self._others.trigger(request["requestedMessage"]), request.get("connectorId")
        )
        return Reply({"status": str(status)}, then=send)

    def answer_to_invalid(self, action: str, error: ValidationError) -> Payload | None:
        return answer_to_unknown(error)

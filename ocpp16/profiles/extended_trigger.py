"""ExtendedTriggerMessage (security white paper ed. 3): TriggerMessage with the messages of the extension.

What can be triggered each feature says itself, as for `remote_trigger`; FirmwareStatusNotification means the one of
signed firmware here. It is answered in every charge point, for no feature profile names it.
"""

from typing import Self

from ocpp16 import messages
from ocpp16._core import ValidationError
from ocpp16.enums import MessageTrigger
from ocpp16.profiles.base import Context, FeatureProfile, Others, Payload, Reply, on
from ocpp16.profiles.triggering import answer_to_trigger, answer_to_unknown

_MEANS = {str(MessageTrigger.FIRMWARE_STATUS_NOTIFICATION): "SignedFirmwareStatusNotification"}


class ExtendedTrigger(FeatureProfile):
    __slots__ = ("_others",)

    name = ""

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    @on("ExtendedTriggerMessage")
    def extended_trigger_message(
        self, request: "messages.ExtendedTriggerMessageRequest"
    ) -> "Reply[messages.ExtendedTriggerMessageResponse]":
        message = request["requestedMessage"]
        status, send = answer_to_trigger(
            self.ctx, self._others.trigger(_MEANS.get(message, message)), request.get("connectorId")
        )
        return Reply({"status": str(status)}, then=send)

    def answer_to_invalid(self, action: str, error: ValidationError) -> Payload | None:
        return answer_to_unknown(error)

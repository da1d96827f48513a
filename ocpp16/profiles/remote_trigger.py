"""TriggerMessage (OCPP 1.6 ed. 2 §5.17): first the answer, then the message.

What can be triggered is a table; a message of a feature that is not built is NotImplemented, as the clause asks.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ocpp16._core import ValidationError
from ocpp16.enums import MessageTrigger, TriggerMessageStatus
from ocpp16.profiles.base import (
    BootSender,
    Context,
    FeatureProfile,
    MeterSampler,
    Payload,
    Reply,
    StatusReporter,
    on,
)


class RemoteTrigger(FeatureProfile):
    __slots__ = ("_boot", "_meter_values", "_status")

    name = "RemoteTrigger"

    def __init__(self, ctx: Context, *, boot: BootSender, status: StatusReporter, meter_values: MeterSampler) -> None:
        super().__init__(ctx)
        self._boot = boot
        self._status = status
        self._meter_values = meter_values

    @on("TriggerMessage")
    async def trigger_message(self, request: Payload) -> Reply[Payload]:
        requested = request["requestedMessage"]
        connector_id = request.get("connectorId")
        trigger = _TRIGGERS.get(requested)
        if trigger is None:
            return Reply({"status": str(TriggerMessageStatus.NOT_IMPLEMENTED)})
        if connector_id is not None and connector_id not in self.ctx.connectors:
            return Reply({"status": str(TriggerMessageStatus.REJECTED)})
        connector_ids = sorted(self.ctx.connectors) if connector_id is None else [connector_id]
        if requested == MessageTrigger.METER_VALUES and not any(
            self._meter_values.has_values(number) for number in connector_ids
        ):
            return Reply({"status": str(TriggerMessageStatus.REJECTED)})
        return Reply({"status": str(TriggerMessageStatus.ACCEPTED)}, then=partial(trigger, self, connector_ids))

    def answer_to_invalid(self, action: str, error: ValidationError) -> Payload | None:
        """A message that OCPP 1.6 does not know to be triggered is one that is not implemented (§5.17)."""
        if error.path == ("requestedMessage",) and error.rule == "enum":
            return {"status": str(TriggerMessageStatus.NOT_IMPLEMENTED)}
        return None

    def _send_boot_notification(self, connector_ids: Sequence[int]) -> None:
        self._boot.send_boot_notification()

    def _send_heartbeat(self, connector_ids: Sequence[int]) -> None:
        self._boot.send_heartbeat(is_triggered=True)

    def _send_meter_values(self, connector_ids: Sequence[int]) -> None:
        self._meter_values.trigger(connector_ids)

    def _send_status(self, connector_ids: Sequence[int]) -> None:
        self._status.report(connector_ids, is_triggered=True)


_TRIGGERS: Mapping[str, Callable[[RemoteTrigger, Sequence[int]], None]] = {
    MessageTrigger.BOOT_NOTIFICATION: RemoteTrigger._send_boot_notification,
    MessageTrigger.HEARTBEAT: RemoteTrigger._send_heartbeat,
    MessageTrigger.METER_VALUES: RemoteTrigger._send_meter_values,
    MessageTrigger.STATUS_NOTIFICATION: RemoteTrigger._send_status,
}

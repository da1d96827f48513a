"""UpdateFirmware and FirmwareStatusNotification (OCPP 1.6 ed. 2 §5.19, §4.5). The update itself: `firmware_updates`."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Self

import trio

from ocpp16 import messages
from ocpp16.configuration.keys.firmware_management import SIGNED_FIRMWARE_REQUIRED
from ocpp16.configuration.keys.internal import STATION_TIMEOUT
from ocpp16.enums import ErrorCode, MessageTrigger
from ocpp16.errors import Refusal
from ocpp16.models import UNSIGNED, FirmwareUpdate
from ocpp16.profiles.base import Context, FeatureProfile, Others, Reply, Taken, on, triggered
from ocpp16.profiles.transfer_request import attempts, time_of
from ocpp16.station import FirmwareStation


class Firmware(FeatureProfile):
    __slots__ = ("_others",)

    name = "FirmwareManagement"
    protocol: ClassVar[type | None] = FirmwareStation

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    @on("UpdateFirmware")
    async def update_firmware(
        self, request: "messages.UpdateFirmwareRequest"
    ) -> "Reply[messages.UpdateFirmwareResponse]":
        """Its answer has no status, so what is refused is a CALLERROR."""
        if self.ctx.configuration[SIGNED_FIRMWARE_REQUIRED]:
            raise Refusal(ErrorCode.NOT_SUPPORTED, "this charge point takes signed firmware only")
        if not request["location"]:
            raise Refusal(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "location is empty")
        update = FirmwareUpdate(
            UNSIGNED,
            request["location"],
            time_of(request["retrieveDate"]),
            *attempts(request.get("retries"), request.get("retryInterval")),
        )
        by = trio.current_time() + self.ctx.configuration[STATION_TIMEOUT]
        if await self._others.firmware.take(update, by) is Taken.REFUSED:
            raise Refusal(ErrorCode.GENERIC_ERROR, "an update is under way that cannot be given up")
        return Reply({}, then=self._others.firmware.begin)

    @triggered(MessageTrigger.FIRMWARE_STATUS_NOTIFICATION)
    def _triggered(self, connector_ids: Sequence[int]) -> Callable[[], None]:
        return partial(self._others.firmware.report, is_signed=False)

"""Stations for tests: one that records what it is asked and answers what it is told to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import trio

from ocpp16.enums import (
    DataTransferStatus,
    LogStatusEnumType,
    Reason,
    ReservationCheckStatus,
    ReservationStatus,
    ResetType,
    UnlockStatus,
    UpdateFirmwareStatusEnumType,
)
from ocpp16.models import (
    ChargingLimit,
    DataTransferResponse,
    FirmwareUpdate,
    GetLogResponse,
    LogRequest,
    Measurement,
)
from ocpp16.prices import DisplayMessage, RunningCost, TariffMessage

_DEFAULTS: dict[str, Any] = {
    "enable_evse": True,
    "disable_evse": True,
    "pause_charging": True,
    "provide_token": None,
    "stop_transaction": True,
    "unlock_connector": UnlockStatus.UNLOCKED,
    "is_reset_allowed": True,
    "reset": None,
    "set_system_time": None,
    "set_connection_timeout": None,
    "data_transfer": DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID),
    "charging_limit_changed": None,
    "signal_set_charging_profiles": None,
    "reserve_now": ReservationStatus.ACCEPTED,
    "cancel_reservation": True,
    "is_token_reserved_for_connector": ReservationCheckStatus.RESERVED_FOR_TOKEN,
    "update_firmware": None,
    "cancel_firmware_update": True,
    "all_connectors_unavailable": None,
    "upload_diagnostics": GetLogResponse(LogStatusEnumType.ACCEPTED, "diagnostics.tar.gz"),
    "signed_update_firmware": UpdateFirmwareStatusEnumType.ACCEPTED,
    "upload_logs": GetLogResponse(LogStatusEnumType.ACCEPTED, "log.tar.gz"),
    "tariff_message": DataTransferResponse(DataTransferStatus.ACCEPTED),
    "session_cost": DataTransferResponse(DataTransferStatus.ACCEPTED),
    "default_price": None,
    "set_display_message": DataTransferResponse(DataTransferStatus.ACCEPTED),
}


class RecordingStation:
    """Implements CoreStation and SmartChargingStation.

    `calls`: (name, *arguments) of every question, in order. `answers`: name → value, exception to raise, or a function
    of the arguments; what is not there gets a friendly default. `delays`: name → seconds on trio's clock before the
    answer. `measurements`: connector → what the meter says now. `limits`: connector → the charging limit told last.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}
        self.delays: dict[str, float] = {}
        self.measurements: dict[int, Measurement] = {}
        self.limits: dict[int, ChargingLimit] = {}

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every question of this name."""
        return [call[1:] for call in self.calls if call[0] == name]

    async def _answer(self, name: str, *arguments: Any) -> Any:
        self.calls.append((name, *arguments))
        if name in self.delays:
            with trio.move_on_after(self.delays[name]):
                await trio.sleep_forever()
        return self._scripted(name, *arguments)

    def _scripted(self, name: str, *arguments: Any) -> Any:
        answer = self.answers.get(name, _DEFAULTS[name])
        if isinstance(answer, BaseException):
            raise answer
        return answer(*arguments) if callable(answer) else answer

    def measurement(self, connector_id: int) -> Measurement | None:
        return self.measurements.get(connector_id)

    async def enable_evse(self, connector_id: int) -> bool:
        return bool(await self._answer("enable_evse", connector_id))

    async def disable_evse(self, connector_id: int) -> bool:
        return bool(await self._answer("disable_evse", connector_id))

    async def pause_charging(self, connector_id: int) -> bool:
        return bool(await self._answer("pause_charging", connector_id))

    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        await self._answer("provide_token", id_tag, tuple(connectors), prevalidated)

    async def stop_transaction(self, connector_id: int, reason: Reason) -> bool:
        return bool(await self._answer("stop_transaction", connector_id, reason))

    async def unlock_connector(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus(await self._answer("unlock_connector", connector_id))

    async def is_reset_allowed(self, kind: ResetType) -> bool:
        return bool(await self._answer("is_reset_allowed", kind))

    async def reset(self, kind: ResetType) -> object:
        return await self._answer("reset", kind)

    async def set_system_time(self, time: datetime) -> None:
        await self._answer("set_system_time", time)

    async def set_connection_timeout(self, seconds: int) -> None:
        await self._answer("set_connection_timeout", seconds)

    async def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        answer = await self._answer("data_transfer", vendor_id, message_id, data)
        assert isinstance(answer, DataTransferResponse)
        return answer

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        self.calls.append(("charging_limit_changed", connector_id, limit))
        self.limits[connector_id] = limit
        self._scripted("charging_limit_changed", connector_id, limit)

    async def signal_set_charging_profiles(self) -> None:
        await self._answer("signal_set_charging_profiles")


class ReservingStation(RecordingStation):
    """Implements ReservationStation as well: it keeps reservations itself. Answers go out as scripted."""

    async def reserve_now(
        self, reservation_id: int, connector_id: int, expiry_date: datetime, id_tag: str, parent_id_tag: str | None
    ) -> Any:
        return await self._answer("reserve_now", reservation_id, connector_id, expiry_date, id_tag, parent_id_tag)

    async def cancel_reservation(self, reservation_id: int) -> Any:
        return await self._answer("cancel_reservation", reservation_id)

    async def is_token_reserved_for_connector(self, connector_id: int, id_tag: str) -> Any:
        return await self._answer("is_token_reserved_for_connector", connector_id, id_tag)


class UpdatableStation(RecordingStation):
    """Implements FirmwareStation and SecurityStation as well. Answers go out as scripted."""

    async def update_firmware(self, update: FirmwareUpdate) -> Any:
        return await self._answer("update_firmware", update)

    async def cancel_firmware_update(self, request_id: int) -> Any:
        return await self._answer("cancel_firmware_update", request_id)

    async def all_connectors_unavailable(self) -> Any:
        return await self._answer("all_connectors_unavailable")

    async def upload_diagnostics(self, request: LogRequest) -> Any:
        return await self._answer("upload_diagnostics", request)

    async def signed_update_firmware(self, update: FirmwareUpdate) -> Any:
        return await self._answer("signed_update_firmware", update)

    async def upload_logs(self, request: LogRequest) -> Any:
        return await self._answer("upload_logs", request)


class PriceShowingStation(RecordingStation):
    """Implements PricingStation as well. Answers go out as scripted."""

    async def tariff_message(self, message: TariffMessage) -> Any:
        return await self._answer("tariff_message", message)

    async def session_cost(self, cost: RunningCost, number_of_decimals: int) -> Any:
        return await self._answer("session_cost", cost, number_of_decimals)

    async def default_price(self, message: TariffMessage) -> Any:
        return await self._answer("default_price", message)


class DisplayingStation(PriceShowingStation):
    """Implements DisplayStation as well."""

    async def set_display_message(self, messages: Sequence[DisplayMessage]) -> Any:
        return await self._answer("set_display_message", messages)

"""The station as the features see it: looking up a method is part of asking.

A method of the host's object is looked up when it is awaited, not when it is mentioned: what the look-up raises (a
property, a proxy whose object is gone) is then a fault of that one question, which has its safe answer, and not of the
change in the middle of which the station is told of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ocpp16.enums import Reason, ResetType
from ocpp16.models import ChargingLimit


class AskedStation:
    """A CoreStation, and a SmartChargingStation if the host's is one. Answers are as they come: `ask` checks them."""

    __slots__ = ("_station",)

    def __init__(self, station: Any) -> None:
        self._station = station

    def measurement(self, connector_id: int) -> Any:
        return self._station.measurement(connector_id)

    async def enable_evse(self, connector_id: int) -> Any:
        return await self._station.enable_evse(connector_id)

    async def disable_evse(self, connector_id: int) -> Any:
        return await self._station.disable_evse(connector_id)

    async def pause_charging(self, connector_id: int) -> Any:
        return await self._station.pause_charging(connector_id)

    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> Any:
        return await self._station.provide_token(id_tag, connectors, prevalidated)

    async def stop_transaction(self, connector_id: int, reason: Reason) -> Any:
        return await self._station.stop_transaction(connector_id, reason)

    async def unlock_connector(self, connector_id: int) -> Any:
        return await self._station.unlock_connector(connector_id)

    async def is_reset_allowed(self, kind: ResetType) -> Any:
        return await self._station.is_reset_allowed(kind)

    async def reset(self, kind: ResetType) -> Any:
        return await self._station.reset(kind)

    async def set_system_time(self, time: datetime) -> Any:
        return await self._station.set_system_time(time)

    async def set_connection_timeout(self, seconds: int) -> Any:
        return await self._station.set_connection_timeout(seconds)

    async def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> Any:
        return await self._station.data_transfer(vendor_id, message_id, data)

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> Any:
        return self._station.charging_limit_changed(connector_id, limit)

    async def signal_set_charging_profiles(self) -> Any:
        return await self._station.signal_set_charging_profiles()

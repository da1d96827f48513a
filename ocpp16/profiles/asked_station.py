"""The station as the features see it: looking up a method is part of asking.

A method of the host's object is looked up when it is awaited, not when it is mentioned: what the look-up raises (a
property, a proxy whose object is gone) is then a fault of that one question, which has its safe answer, and not of the
change in the middle of which the station is told of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ocpp16.enums import Reason, ResetType


class AskedStation:
    """What of a CoreStation is awaited; `measurement`, which waits for nothing, is asked of `host`.

    Answers are as they come: `ask` checks them. A feature whose station has more asks `host` by a class of its own, in
    the same manner.
    """

    __slots__ = ("host",)

    def __init__(self, station: Any) -> None:
        self.host: Any = station

    async def enable_evse(self, connector_id: int) -> Any:
        return await self.host.enable_evse(connector_id)

    async def disable_evse(self, connector_id: int) -> Any:
        return await self.host.disable_evse(connector_id)

    async def pause_charging(self, connector_id: int) -> Any:
        return await self.host.pause_charging(connector_id)

    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> Any:
        return await self.host.provide_token(id_tag, connectors, prevalidated)

    async def stop_transaction(self, connector_id: int, reason: Reason) -> Any:
        return await self.host.stop_transaction(connector_id, reason)

    async def unlock_connector(self, connector_id: int) -> Any:
        return await self.host.unlock_connector(connector_id)

    async def is_reset_allowed(self, kind: ResetType) -> Any:
        return await self.host.is_reset_allowed(kind)

    async def reset(self, kind: ResetType) -> Any:
        return await self.host.reset(kind)

    async def set_system_time(self, time: datetime) -> Any:
        return await self.host.set_system_time(time)

    async def set_connection_timeout(self, seconds: int) -> Any:
        return await self.host.set_connection_timeout(seconds)

    async def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> Any:
        return await self.host.data_transfer(vendor_id, message_id, data)

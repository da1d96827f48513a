"""A firmware with asyncio: coroutine functions and plain ones, in the loop of the host."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import assert_type

from ocpp16 import ChargePoint, DataTransferResponse, Measurement, ObserverEvent, PhaseValues, aio
from ocpp16.charge_point.charge_points import ChargePoints
from ocpp16.enums import DataTransferStatus, Reason, ResetType, SessionStartedReason, UnlockStatus
from ocpp16.state.transaction import Transaction

CONFIG = {"Internal": {"ChargePointId": "asyncio"}, "Core": {"NumberOfConnectors": 1}}


class Station:
    """One connector. What returns at once is plain, the rest is awaited."""

    charge_point: ChargePoint

    def __init__(self) -> None:
        self.energy = 1000.0

    def attach(self, charge_point: ChargePoint) -> None:
        """Called when the charge point is opened."""
        self.charge_point = charge_point

    def measurement(self, connector_id: int) -> Measurement | None:
        """What the meter shows."""
        return Measurement(energy_import=PhaseValues(total=self.energy))

    def enable_evse(self, connector_id: int) -> None:
        self.charge_point.on_enabled(connector_id)

    def disable_evse(self, connector_id: int) -> None:
        self.charge_point.on_disabled(connector_id)

    async def pause_charging(self, connector_id: int) -> None:
        await asyncio.sleep(0.1)
        self.charge_point.on_suspend_charging_evse(connector_id)

    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        await self.charge_point.authorize_id_token(id_tag)

    def stop_transaction(self, connector_id: int, reason: Reason) -> None:
        running = self.charge_point.transaction(connector_id)
        assert_type(running, Transaction | None)
        if running is not None:
            self.charge_point.on_transaction_stopped(connector_id, running.session_id, reason, self.energy)

    async def unlock_connector(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.UNLOCKED

    def is_reset_allowed(self, kind: ResetType) -> bool:
        return False

    def reset(self, kind: ResetType) -> None:
        """Never asked for."""

    async def set_system_time(self, time: datetime) -> None:
        """There is a clock."""

    def set_connection_timeout(self, seconds: int) -> None:
        """Cards are forgotten after so long."""

    def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        return DataTransferResponse(DataTransferStatus.UNKNOWN_MESSAGE_ID)


class Watcher:
    """An observer may be plain here."""

    def notify(self, event: ObserverEvent) -> None:
        """What happened."""


async def main() -> None:
    """The program."""
    async with aio.open_charge_point(CONFIG, Station(), observer=Watcher(), meter_interval=5.0) as charge_point:
        assert_type(charge_point, ChargePoint)
        await charge_point.start()
        await asyncio.wait_for(charge_point.wait_registered(), 10)
        charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        assert_type(charge_point.on_transaction_started(1, "s1", "CARD-1", 1000), Transaction)
        assert_type(await charge_point.stop(), bool)
    async with aio.open_charge_points(database_path="data") as charge_points:
        assert_type(charge_points, ChargePoints)


if __name__ == "__main__":
    asyncio.run(main())

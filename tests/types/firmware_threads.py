"""A firmware with threads: plain functions everywhere."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_type

from ocpp16 import DataTransferResponse, IdTagInfo, Measurement, ObserverEvent, PhaseValues, blocking
from ocpp16.enums import ConfigurationStatus, DataTransferStatus, Reason, ResetType, SessionStartedReason, UnlockStatus
from ocpp16.state.transaction import Transaction

if TYPE_CHECKING:
    from ocpp16.blocking import ChargePoint

CONFIG = {"Internal": {"ChargePointId": "threads"}, "Core": {"NumberOfConnectors": 1}}


class Station:
    """One connector."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.energy = 1000.0
        self.charge_point: ChargePoint | None = None

    def attach(self, charge_point: "ChargePoint") -> None:
        """Called when the charge point is opened."""
        self.charge_point = charge_point

    def measurement(self, connector_id: int) -> Measurement | None:
        """What the meter shows."""
        with self.lock:
            return Measurement(energy_import=PhaseValues(total=self.energy))

    def enable_evse(self, connector_id: int) -> None:
        if self.charge_point is not None:
            self.charge_point.on_enabled(connector_id)

    def disable_evse(self, connector_id: int) -> None:
        if self.charge_point is not None:
            self.charge_point.on_disabled(connector_id)

    def pause_charging(self, connector_id: int) -> None:
        """The contactor opens."""

    def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        """A card from afar."""

    def stop_transaction(self, connector_id: int, reason: Reason) -> None:
        if self.charge_point is not None and (running := self.charge_point.transaction(connector_id)) is not None:
            assert_type(running, Transaction)
            self.charge_point.on_transaction_stopped(connector_id, running.session_id, reason, self.energy)

    def unlock_connector(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.NOT_SUPPORTED

    def is_reset_allowed(self, kind: ResetType) -> bool:
        return True

    def reset(self, kind: ResetType) -> None:
        """The watchdog does it."""

    def set_system_time(self, time: datetime) -> None:
        """There is a clock."""

    def set_connection_timeout(self, seconds: int) -> None:
        """Cards are forgotten after so long."""

    def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        return DataTransferResponse(DataTransferStatus.REJECTED)


class Watcher:
    """What is told goes to a log."""

    def notify(self, event: ObserverEvent) -> None:
        """What happened."""


def price(data: str | None) -> DataTransferResponse:
    """A message of the host's own, from the Central System."""
    return DataTransferResponse(DataTransferStatus.ACCEPTED, data=data)


def main() -> None:
    """The program."""
    with blocking.open_charge_point(CONFIG, Station(), observer=Watcher(), database_path="data") as charge_point:
        charge_point.on_data_transfer("vendor", None, price)
        charge_point.start()
        charge_point.wait_registered()
        charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        told = charge_point.authorize_id_token("CARD-1")
        assert_type(told, IdTagInfo)
        if told.is_accepted:
            assert_type(charge_point.on_transaction_started(1, "s1", "CARD-1", 1000), Transaction)
        assert_type(charge_point.configuration.set("HeartbeatInterval", "60"), ConfigurationStatus)
        threading.Thread(target=charge_point.on_resume_charging, args=(1,)).start()
        charge_point.stored()
        assert_type(charge_point.stop(), bool)


if __name__ == "__main__":
    main()

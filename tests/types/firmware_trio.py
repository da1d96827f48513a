"""A firmware with trio, as its author would write it for a strict type checker: nothing ignored, nothing cast."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

import trio

from ocpp16 import (
    CallFailed,
    ChargePoint,
    ChargePointStopped,
    ChargingLimit,
    Configuration,
    ConfigurationError,
    DataTransferResponse,
    ErrorInfo,
    FeatureNotBuilt,
    IdTagInfo,
    Measurement,
    ObserverEvent,
    PhaseValues,
    open_charge_point,
    open_charge_points,
    open_store,
    preload,
    settle_memory,
)
from ocpp16.configuration.keys import core
from ocpp16.enums import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointErrorCode,
    ChargePointStatus,
    ConfigurationStatus,
    DataTransferStatus,
    Reason,
    RegistrationStatus,
    ResetType,
    SessionStartedReason,
    UnlockStatus,
)
from ocpp16.models import AuthorizationDecision, Counters, DeadLetter, WaitingMessage
from ocpp16.observer import ConnectionStateChanged, StatusChanged
from ocpp16.schedule import CompositeSchedule, Limit
from ocpp16.state.transaction import Transaction


class Socket:
    """One connector: its contactor and its meter."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.amperes: float = 0.0
        self.energy: float = 1000.0
        self.session: str | None = None


class Station:
    """The hardware, with the questions of the Core and the Smart Charging profile."""

    def __init__(self, sockets: Sequence[Socket]) -> None:
        self.sockets: Mapping[int, Socket] = {socket.number: socket for socket in sockets}
        self.charge_point: ChargePoint | None = None
        self.wants_restart = trio.Event()

    def attach(self, charge_point: ChargePoint) -> None:
        """Called when the charge point is opened."""
        self.charge_point = charge_point

    @property
    def attached(self) -> ChargePoint:
        """The charge point, which is there once it is open."""
        assert self.charge_point is not None
        return self.charge_point

    def measurement(self, connector_id: int) -> Measurement | None:
        """What the meter shows."""
        socket = self.sockets.get(connector_id)
        if socket is None:
            return None
        return Measurement(energy_import=PhaseValues(total=socket.energy), current=PhaseValues(l1=socket.amperes))

    async def enable_evse(self, connector_id: int) -> None:
        self.attached.on_enabled(connector_id)

    async def disable_evse(self, connector_id: int) -> None:
        self.attached.on_disabled(connector_id)

    async def pause_charging(self, connector_id: int) -> None:
        self.attached.on_suspend_charging_evse(connector_id, info="refused")

    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        for connector_id in connectors:
            if prevalidated or (await self.attached.authorize_id_token(id_tag)).is_accepted:
                self.begin(connector_id, id_tag)
                return

    async def stop_transaction(self, connector_id: int, reason: Reason) -> bool:
        running = self.attached.transaction(connector_id)
        assert_type(running, Transaction | None)
        if running is None:
            return False
        self.attached.on_transaction_stopped(
            connector_id, running.session_id, reason, self.sockets[connector_id].energy
        )
        return True

    async def unlock_connector(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.UNLOCKED if connector_id in self.sockets else UnlockStatus.UNLOCK_FAILED

    async def is_reset_allowed(self, kind: ResetType) -> bool:
        return kind is ResetType.SOFT

    async def reset(self, kind: ResetType) -> None:
        self.wants_restart.set()

    async def set_system_time(self, time: datetime) -> None:
        assert_type(time.timestamp(), float)

    async def set_connection_timeout(self, seconds: int) -> None:
        """Cards are forgotten after so long."""

    async def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        """Of the Smart Charging profile."""
        assert_type(limit.limit, float | None)
        self.sockets[connector_id].amperes = 16.0 if limit.limit is None else limit.limit

    async def signal_set_charging_profiles(self) -> None:
        """Nothing is kept here."""

    def begin(self, connector_id: int, id_tag: str) -> None:
        """Energy flows."""
        session = self.sockets[connector_id].session or f"session-{connector_id}"
        transaction = self.attached.on_transaction_started(
            connector_id, session, id_tag, meter_start=self.sockets[connector_id].energy
        )
        assert_type(transaction, Transaction)
        self.attached.on_resume_charging(connector_id)


class Watcher:
    """What is told goes to a log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def notify(self, event: ObserverEvent) -> None:
        match event:
            case ConnectionStateChanged(connected, reason):
                assert_type(connected, bool)
                assert_type(reason, str)
                self.lines.append(reason)
            case StatusChanged(connector_id=connector_id, status=status):
                assert_type(connector_id, int)
                assert_type(status, ChargePointStatus)
                self.lines.append(f"{connector_id}: {status.value}")
            case _:
                self.lines.append(type(event).__name__)


async def price_of_energy(data: str | None) -> DataTransferResponse:
    """A message of the host's own, from the Central System."""
    return DataTransferResponse(DataTransferStatus.ACCEPTED, data=data)


def interval_changed(before: str | None, after: str | None) -> None:
    """MeterValueSampleInterval is another one."""


async def charge(charge_point: ChargePoint, card: str) -> None:
    """A car comes, charges, and goes."""
    charge_point.on_session_started(1, "session-1", SessionStartedReason.EV_CONNECTED)
    told = await charge_point.authorize_id_token(card)
    assert_type(told, IdTagInfo)
    assert_type(told.is_accepted, bool)
    charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid="1"))
    charge_point.on_error_cleared(1, "1")
    charge_point.on_session_stopped(1, "session-1")
    await charge_point.stored()


async def look(charge_point: ChargePoint) -> None:
    """What can be asked."""
    assert_type(charge_point.is_running, bool)
    assert_type(charge_point.counters, Counters)
    assert_type(charge_point.connection.is_connected, bool)
    assert_type(charge_point.connection.registration, RegistrationStatus | None)
    assert_type(charge_point.connection.waiting(), tuple[WaitingMessage, ...])
    assert_type(charge_point.configuration[core.HEARTBEAT_INTERVAL], int)
    assert_type(charge_point.configuration.text("HeartbeatInterval"), str | None)
    assert_type(await charge_point.configuration.set("HeartbeatInterval", "60"), ConfigurationStatus)
    assert_type(charge_point.for_station.authorization.decisions, Sequence[AuthorizationDecision])
    assert_type(await charge_point.dead_letters(), tuple[DeadLetter, ...])
    assert_type(charge_point.connector_status(1).status, ChargePointStatus)
    assert_type(await charge_point.on_change_availability(1, AvailabilityType.INOPERATIVE), AvailabilityStatus)
    try:
        assert_type(charge_point.smart_charging.charging_limit(1), ChargingLimit)
        assert_type(charge_point.smart_charging.explain_limit(1), Limit)
        schedule = charge_point.smart_charging.composite_schedule(1, 3600, "A")
        assert_type(schedule, CompositeSchedule)
    except FeatureNotBuilt as error:
        print(error)
    try:
        answer = await charge_point.data_transfer("vendor", "tariff", data="{}")
        assert_type(answer, DataTransferResponse | None)
    except CallFailed as error:
        assert_type(error.code, str)


async def serve(config: Mapping[str, Any], folder: Path) -> None:
    """The program."""
    station = Station([Socket(1), Socket(2)])
    watcher = Watcher()
    async with (
        open_store(folder / "charge_points.db") as store,
        open_charge_point(config, station, store=store, observer=watcher, message_log_path=folder) as charge_point,
    ):
        assert_type(charge_point, ChargePoint)
        charge_point.on_data_transfer("vendor", "price", price_of_energy)
        forget = charge_point.on_change(core.METER_VALUE_SAMPLE_INTERVAL, interval_changed)
        await charge_point.start({1: ChargePointStatus.AVAILABLE})
        with trio.move_on_after(5):
            await charge_point.wait_registered()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(charge, charge_point, "CARD-1")
            nursery.start_soon(look, charge_point)
            await station.wants_restart.wait()
        forget()
        assert_type(await charge_point.restart(), bool)
    async with open_charge_points(database_path=folder) as charge_points:
        another = await charge_points.open(config, Station([Socket(1)]))
        assert_type(another, ChargePoint)
        assert_type([one.is_running for one in charge_points], list[bool])


def main() -> None:
    """Raises nothing that is not told."""
    try:
        config = Configuration.load({"Core": {"NumberOfConnectors": 2}})
        assert_type(config.warnings, list[str])
    except ConfigurationError as error:
        assert_type(error.problems, tuple[str, ...])
    preload()
    settle_memory()
    try:
        trio.run(serve, {"Core": {"NumberOfConnectors": 2}}, Path("data"))
    except ChargePointStopped as error:
        print(error)


if __name__ == "__main__":
    main()

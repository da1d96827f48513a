"""The simulated station: EVSEs, supply and card reader behind the station Protocols, told and asked as firmware is.

It answers the charge point's questions, and offers what people do in front of a station (plug in, present a card). All
time is the charge point's: timers are entries in its heap, so an idle station costs no task and, with `meter_interval`
0, no tick. It never waits for the Central System: what has to be asked goes into a task of the charge point.

Order of use: make it, open a charge point with it (which calls `attach`), then let `Operation` start both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from ocpp16.enums import (
    BootReason,
    ChargePointErrorCode,
    DataTransferStatus,
    Reason,
    ResetType,
    UnlockStatus,
)
from ocpp16.models import (
    ChargingLimit,
    DataTransferResponse,
    Measurement,
)
from ocpp16.simulation.access import Token
from ocpp16.simulation.car import Car, CarPlan
from ocpp16.simulation.card_reader import CardReader
from ocpp16.simulation.contract_car import identify
from ocpp16.simulation.display import WithDisplays
from ocpp16.simulation.evse import Evse
from ocpp16.simulation.faults import Faults
from ocpp16.simulation.maintained import Maintained
from ocpp16.simulation.maintenance import Maintenance
from ocpp16.simulation.noise import Noise
from ocpp16.simulation.options import PowerLossPolicy, StationOptions, options_of
from ocpp16.simulation.overrule import Overrules, question
from ocpp16.simulation.parked_cars import ParkedCars
from ocpp16.simulation.patience import Patience, Wait
from ocpp16.simulation.signed_energy import publish_keys
from ocpp16.simulation.supply import Supply
from ocpp16.simulation.transfer import PlayedTransfer, Transfer
from ocpp16.state.round import Round

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.charge_point.station_door import StationDoor
    from ocpp16.simulation.signing_meter import SigningMeters

_USUAL = CarPlan()


class SimulatedStation(WithDisplays, Maintained):
    """A whole station without hardware.

    Options: a `StationOptions` or a mapping as JSON has it, and keyword arguments of the same names, which come before
    them (ConfigurationError for a bad one). `random` makes the noise; a fleet hands one to all its stations.
    `session_log`: folder that gets one for the messages of each session, None: none. `logs`: folder whose files go into
    diagnostics. `meters`: folder in which meters that sign keep their key, None: it is made of the seed. `cars`: file
    with the cars that are plugged in, for a process that resumes their transactions, None: there are simple ones then.
    `transfer` brings firmware and takes diagnostics away; by default it is played. Implements `CoreStation`,
    `SmartChargingStation`, `FirmwareStation`, `SecurityStation`, `PricingStation` and `DisplayStation`.
    """

    __slots__ = (
        "_maintenance",
        "_meters",
        "_meters_are_external",
        "_patience",
        "_sessions",
        "_supply",
        "_transfer",
        "boot_reason",
        "charge_point",
        "door",
        "evses",
        "faults",
        "is_powered",
        "logs",
        "meters",
        "noise",
        "on_reset",
        "options",
        "overrules",
        "parked",
        "reader",
        "session_log",
        "signing",
    )

    charge_point: "ChargePoint"
    """Present once attached, as are `door`, `evses` and `faults`."""
    door: "StationDoor"
    is_powered: bool
    """False while its power is cut."""
    evses: tuple[Evse, ...]
    faults: Faults
    """Of connector 0, the charge point as a whole."""

    def __init__(
        self,
        options: StationOptions | Mapping[str, Any] | None = None,
        *,
        random: Random | None = None,
        session_log: Path | None = None,
        logs: Path | None = None,
        meters: Path | None = None,
        cars: Path | None = None,
        transfer: Transfer | None = None,
        **named: Any,
    ) -> None:
        super().__init__()
        self.options: StationOptions = options_of(options, named)
        self.overrules: Overrules = Overrules()
        self.session_log: Path | None = session_log
        self.logs: Path | None = logs
        self.meters: Path | None = meters
        self.parked: ParkedCars = ParkedCars(cars, self._warn)
        self.signing: SigningMeters | None = None
        """None: the meters do not sign."""
        self._transfer = transfer
        self._maintenance: Maintenance | None = None
        self.boot_reason: BootReason = BootReason.REMOTE_RESET
        """Of the start that follows a reset."""
        self.reader: CardReader = CardReader(self)
        self._supply: Supply | None = None
        """None where there is only one connector: it has all there is."""
        self.on_reset: Callable[[ResetType], None] | None = None
        """Called for an accepted Reset once all transactions are over: whoever runs the two restarts them."""
        self.is_powered: bool = True
        """False from `power_down` to `power_up`: the charge point is stopped and the world stands still."""
        self.noise: Noise = Noise(self.options.meter_noise, self.options.seed, random)
        self._meters_are_external = self.options.meter_is_external
        self._sessions = 0
        self._patience = Patience(self)

    def _warn(self, text: str) -> None:
        self.door.log.warning("%s", text)

    def attach(self, charge_point: "ChargePoint") -> None:
        """Connect the station with its charge point, before that is started; `open_charge_point` does it.

        Again with the same one changes nothing. Another one finds cars, meters and faults as they are. Raises
        ConfigurationError if the options ask for another number of connectors.
        """
        if getattr(self, "charge_point", None) is charge_point:
            return
        count = self.options.for_connectors(charge_point.for_station.number_of_connectors)
        formerly = dict(enumerate(getattr(self, "evses", ()), 1))
        self.charge_point = charge_point
        self.door = charge_point.for_station
        self.is_powered = not formerly
        self.faults = Faults(charge_point, 0, self.faults.active) if formerly else Faults(charge_point, 0)
        if self.options.meters_sign and self.signing is None:
            from ocpp16.simulation.signing_meter import SigningMeters  # cryptography only where something is signed

            self.signing = SigningMeters(self.meters, self.options.seed, partial(self.door.log.warning, "%s"))
        self.evses = tuple(Evse(self, number, formerly.get(number)) for number in range(1, count + 1))
        interval = self.options.meter_interval
        if not isinstance(interval, str) and interval > 0:
            self._meters = Round(self.door.timers, self.door.clock, self._report_meter)
            self.door.timers.every(interval, self._report_meters, self.door.clock.monotonic() + interval)
        self._supply = None
        if count > 1:
            self._supply = Supply(self.options, charge_point, tuple(evse.outlet for evse in self.evses))

    def evse(self, connector_id: int) -> Evse:
        """The EVSE of a connector. Raises ValueError if there is none."""
        if not 1 <= connector_id <= len(self.evses):
            raise ValueError(f"no connector {connector_id}: this station has 1..{len(self.evses)}")
        return self.evses[connector_id - 1]

    # What people and cars do

    def plug_in(self, connector_id: int, plan: CarPlan | None = None, **changes: Any) -> None:
        """A car comes with this plan, or the usual one, with `changes` to it; ignored while a car is there.

        Raises ValueError for a plan that no car has.
        """
        self.evse(connector_id).plug_in(replace(_USUAL if plan is None else plan, **changes))

    def unplug(self, connector_id: int) -> None:
        """The car is unplugged now, whatever its plan."""
        self.evse(connector_id).unplug()

    def pause_drawing(self, connector_id: int) -> None:
        """The car ceases to draw; without a car nothing happens."""
        car = self.evse(connector_id).car
        if car is not None:
            car.pause()

    def resume_drawing(self, connector_id: int, current: float | None = None, phases: int | None = None) -> None:
        """The car draws again, with another current (A) or other phases if given; without a car nothing happens.

        Raises ValueError for what no car draws.
        """
        car = self.evse(connector_id).car
        if car is not None:
            car.resume(current, phases)

    def present_id_tag(self, id_tag: str, connectors: Sequence[int] = ()) -> None:
        """A card is held before the reader, which serves `connectors` (none given: all).

        Raises ValueError for an id tag that is not 1 to 20 characters, and for an unknown connector.
        """
        self.reader.present(Token(id_tag), connectors or self._all_connectors())

    def raise_fault(self, connector_id: int, code: ChargePointErrorCode, is_fault: bool = True) -> None:
        """A board error of a connector (0: of the whole charge point); a fault makes it Faulted."""
        if connector_id == 0:
            self.faults.raise_error(code, is_fault)
        else:
            self.evse(connector_id).raise_fault(code, is_fault)

    def clear_fault(self, connector_id: int, code: ChargePointErrorCode) -> None:
        """The board error is gone."""
        if connector_id == 0:
            self.faults.tell_cleared(code, self.faults.forget(code))
        else:
            self.evse(connector_id).clear_fault(code)

    def meter_reading(self, connector_id: int, measurement: Measurement) -> None:
        """The host's reading, for a station whose `meter_interval` is external."""
        evse = self.evse(connector_id)
        self.charge_point.on_meter_values(connector_id, measurement)
        evse.outlet.take_reading(measurement)  # what was refused leaves nothing behind

    # What the rest of the station uses

    @property
    def number_of_connectors(self) -> int:
        """Without connector 0."""
        return len(self.evses)

    def wishes_changed(self, connector_id: int) -> None:
        """What the car there would draw, or may, is something else now: offer it what there is."""
        self.evse(connector_id).outlet.look_anew()
        if self._supply is not None:
            self._supply.changed(connector_id)
        else:
            outlet = self.evse(connector_id).outlet
            outlet.offer(outlet.ceiling)

    def car_came(self, connector_id: int) -> None:
        """A car was plugged in; a tag may wait for it, or it says itself who it is."""
        self.reader.plugged(connector_id)
        car = self.car_at(connector_id)
        if car is not None and self.evse(connector_id).is_free:
            identify(self, connector_id, car)

    def car_at(self, connector_id: int) -> Car | None:
        """The car before or at this connector; None: there is none."""
        return self.evse(connector_id).car

    def admit(self, token: Token, connector_id: int) -> None:
        """Whom this token belongs to may have the connector, by the access rules."""
        self.reader.present(token, (connector_id,))

    def connection_timer(self, expired: Callable[[], None]) -> Wait:
        """A wait of ConnectionTimeOut seconds, as that is by then; 0 means to wait for ever."""
        return self._patience.wait(expired)

    def new_session_id(self, connector_id: int) -> str:
        """An id that no earlier run of the station gave: connector, count, time in µs."""
        self._sessions += 1
        return f"{connector_id}-{self._sessions}-{self.charge_point.for_station.clock.now()}"

    def resuming_session_ids(self) -> list[str]:
        """Sessions of stored transactions that go on after a power loss, for `ChargePoint.start`."""
        if self.options.power_loss_policy is PowerLossPolicy.STOP:
            return []
        return self.charge_point.for_station.running_sessions()

    def reboot(self, kind: ResetType, reason: BootReason) -> None:
        """Have whoever runs the station restart it."""
        if self.on_reset is not None:
            self.boot_reason = reason
            self.on_reset(kind)

    @property
    def maintenance(self) -> Maintenance:
        """Firmware and files."""
        if self._maintenance is None:
            self._maintenance = Maintenance(self, self._transfer or PlayedTransfer())
        return self._maintenance

    def power_up(self) -> None:
        """The charge point was started: tell it how things stand."""
        self.is_powered = True
        self.faults.tell_again()
        for evse in self.evses:
            transaction = self.charge_point.transaction(evse.connector_id)
            if transaction is not None and not evse.has_transaction:
                evse.resume(transaction)
            elif not evse.outlet.is_known:
                self.parked.leave(evse.connector_id)  # of a process before, with which it has gone
            evse.power_up()
        for evse in self.evses:
            self.wishes_changed(evse.connector_id)
        if self.signing is not None:
            self.door.spawn(publish_keys, self.charge_point, self.signing)

    def power_down(self) -> None:
        """The charge point was stopped: the world stands still."""
        self.is_powered = False
        self.reader.power_down()
        if self._supply is not None:
            self._supply.power_down()
        for evse in self.evses:
            evse.power_down()

    def _all_connectors(self) -> Sequence[int]:
        return range(1, len(self.evses) + 1)

    def _report_meters(self) -> None:
        """It is time to; those of the time before may not be through yet."""
        if self.is_powered and not self._meters:
            self._meters.begin(self._all_connectors())

    def _report_meter(self, connector_id: int) -> None:
        if self.is_powered:
            self.charge_point.on_meter_values(connector_id, self.evse(connector_id).measurement())

    # What the charge point asks: CoreStation

    def measurement(self, connector_id: int) -> Measurement | None:
        """Connector 0 has no meter of its own."""
        if connector_id == 0 or self._meters_are_external:
            return None
        evse = self.evse(connector_id)
        return evse.outlet.measurement() if self.signing is None else evse.signed_measurement()

    @question
    async def enable_evse(self, connector_id: int) -> bool:
        if connector_id:
            self.evse(connector_id).enable()
        return True

    @question
    async def disable_evse(self, connector_id: int) -> bool:
        if connector_id:
            self.evse(connector_id).disable()
        return True

    @question
    async def pause_charging(self, connector_id: int) -> bool:
        return self.evse(connector_id).pause()

    @question
    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        if id_tag:  # the schema of RemoteStartTransaction lets an empty one pass; nobody is meant by it
            self.reader.present(Token(id_tag, is_remote=True, is_prevalidated=prevalidated), connectors)

    @question
    async def stop_transaction(self, connector_id: int, reason: Reason) -> bool:
        return self.evse(connector_id).stop_transaction(reason)

    @question
    async def unlock_connector(self, connector_id: int) -> UnlockStatus:
        if not self.options.has_lock(connector_id):
            return UnlockStatus.NOT_SUPPORTED
        self.evse(connector_id).stop_transaction(Reason.UNLOCK_COMMAND)
        return UnlockStatus.UNLOCKED

    @question
    async def is_reset_allowed(self, kind: ResetType) -> bool:
        return True

    @question
    async def reset(self, kind: ResetType) -> None:
        self.reboot(kind, BootReason.REMOTE_RESET)

    @question
    async def set_system_time(self, time: datetime) -> None:
        """The station's clock is the charge point's."""

    @question
    async def set_connection_timeout(self, seconds: int) -> None:
        self._patience.set_timeout(seconds)

    @question
    async def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)

    # What the charge point asks: SmartChargingStation

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        """It holds from this moment on. At each start of the charge point all are told, before `power_up`."""
        self.evse(connector_id).outlet.take_limit(limit)
        if self.is_powered:
            self.wishes_changed(connector_id)

    @question
    async def signal_set_charging_profiles(self) -> None:
        """Limits are told as they change; the station plans nothing ahead."""

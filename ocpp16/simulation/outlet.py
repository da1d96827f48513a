"""What flows at one connector: its meter, its car, what it may offer, and how the charge point is told.

Rules of this file:
1. Current flows if there is a transaction, nothing is paused or faulted, something is offered and the car draws. How
   much may be offered is decided by the supply of the whole station (supply.py), told through `offer`.
2. Where no current may flow, or nobody is plugged in, nothing is offered, and that is told.
3. Only changes of the energy flow are told (flow.py), and none while a fault hides them.

It decides on no transaction and no pause: its `Evse` does, and says so.
"""

from typing import TYPE_CHECKING, Protocol

from ocpp16.models import ChargingLimit, Measurement
from ocpp16.simulation.car import Car, state_of_charge
from ocpp16.simulation.faults import Faults
from ocpp16.simulation.flow import Flow, flow_of, tell
from ocpp16.simulation.meter import Meter
from ocpp16.simulation.options import StationOptions

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.charge_point.station_door import StationDoor
    from ocpp16.simulation.noise import Noise


class Wiring(Protocol):
    """The station as its outlets see it."""

    @property
    def options(self) -> StationOptions: ...

    @property
    def charge_point(self) -> "ChargePoint": ...

    @property
    def door(self) -> "StationDoor": ...

    @property
    def noise(self) -> "Noise": ...


class Outlet:
    """The electrical part of a connector. `former`: the same with an earlier charge point, whose meter, faults and car
    are still there.
    """

    __slots__ = (
        "_energy_at_plug_in",
        "_station",
        "car",
        "connector_id",
        "external",
        "faults",
        "flow",
        "is_known",
        "is_paused",
        "limit",
        "meter",
        "offered",
        "phase_limit",
        "plugged_at",
        "share",
        "transaction_at",
    )

    def __init__(self, station: Wiring, connector_id: int, former: "Outlet | None" = None) -> None:
        self._station = station
        self.connector_id = connector_id
        self.external: Measurement | None = None
        """The last reading told by the host."""
        self.transaction_at: int | None = None
        """When the transaction began that runs, µs UTC."""
        self.is_known = former is not None
        """Is it known who is plugged in, or is the world here only beginning?"""
        self.is_paused = False
        """Is no more energy to be given in this transaction?"""
        self.limit: float | None = None
        self.phase_limit: int | None = None
        """Amperes per phase, and phases, that smart charging allows; None: as many as there are."""
        self.offered: float | None = None
        """Amperes offered, as last told; None: not told yet."""
        self.flow = Flow.NOT_YET
        self.share = 0.0
        """Amperes of the supply that it may offer."""
        if former is None:
            self._energy_at_plug_in = 0.0
            self.plugged_at: float | None = None
            self.car: Car | None = None
            self.meter = self._new_meter()
            self.faults = Faults(station.charge_point, connector_id)
        else:
            self._energy_at_plug_in = former._energy_at_plug_in
            self.plugged_at, self.car, self.meter = former.plugged_at, former.car, former.meter
            self.faults = Faults(station.charge_point, connector_id, former.faults.active)

    def _new_meter(self) -> Meter:
        options = self._station.options
        meter = Meter(options.phases, options.voltage, self.now)
        stored = self._station.charge_point.for_station.meter_checkpoint(self.connector_id)
        if stored is not None:
            meter.start_from(stored, self.now)
        return meter

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self._station.door.clock.monotonic()

    @property
    def is_plugged(self) -> bool:
        return self.plugged_at is not None

    @property
    def has_transaction(self) -> bool:
        return self.transaction_at is not None

    # What may flow

    def take_limit(self, limit: ChargingLimit) -> None:
        """What smart charging allows from now on; the supply is then to be told."""
        self.limit, self.phase_limit = self._station.options.amperes(limit), limit.phases

    @property
    def ceiling(self) -> float:
        """The most this connector may give, A: fuse, cable and the limit in force."""
        capacity = self._station.options.capacity
        return capacity if self.limit is None else min(capacity, self.limit)

    @property
    def wish(self) -> float:
        """What the car would draw now, A, were there neither limits nor other cars."""
        if self.car is None or not self._may_flow or not self.car.is_drawing:
            return 0.0
        return min(self.car.current, self._station.options.capacity)

    @property
    def demand(self) -> float:
        """What the car would draw now, A, were the connector alone on the fuse."""
        return min(self.wish, self.ceiling)

    def offer(self, amperes: float) -> None:
        """The share of the supply that this connector has from now on, and offers to a car that may charge."""
        self.share = amperes
        offered = amperes if self._may_flow and self.is_plugged else 0.0
        if offered != self.offered:
            self.offered = offered
            options, charge_point = self._station.options, self._station.charge_point
            charge_point.on_max_current_offered(self.connector_id, offered)
            watts = offered * options.voltage * self._usable(options.phases)
            charge_point.on_max_power_offered(self.connector_id, watts)
        self._let_flow()
        self._tell_flow()

    # What happens

    def plug_in(self) -> None:
        """A car is plugged in that begins anew; the meter does, too, if the options say so."""
        if self._station.options.meter_reset_at_plug_in:
            self.meter.start_from(0.0, self.now)
        self._energy_at_plug_in = self.meter.energy(self.now)

    def resume(self, energy: int, began_at: int, car: Car | None) -> None:
        """After a power loss: the transaction goes on, of which at least `energy` Wh was on the meter; with its car, or
        without one where it was unplugged. `car`: the one that is there where that is not known.
        """
        now = self.now
        self.meter.start_from(max(self.meter.register(now), energy), now)
        if car is not None:
            self.car = car
            self.plugged_at = now
            self._energy_at_plug_in = self.meter.energy(now)
        self.transaction_at = began_at

    def power_down(self) -> None:
        """The charge point stopped: nothing flows, and the car stands still where it is."""
        self.transaction_at = None
        self.is_known = True
        self.is_paused = False
        self.flow = Flow.NOT_YET
        self._let_flow()
        if self.car is not None:
            self.car.hold()

    # What is shown

    def register(self) -> float:
        """The import register now, Wh."""
        if self._station.options.meter_is_external:
            return 0.0 if self.external is None else self.external.energy_import.total or 0.0
        return float(self.meter.register(self.now))

    def measurement(self) -> Measurement:
        """All the simulated meter and the car tell now."""
        now = self.now
        soc = state_of_charge(self.meter.energy(now) - self._energy_at_plug_in) if self.is_plugged else None
        return self.meter.measurement(now, self._station.noise, soc)

    @property
    def _may_flow(self) -> bool:
        return self.has_transaction and not self.is_paused and not self.faults.is_faulted

    def _let_flow(self) -> None:
        """Bring the meter's load, and the car's plan, up to date."""
        car, share, amperes = self.car, self.share, 0.0
        if car is not None and car.is_plugged and self._may_flow and share > 0:
            car.current_offered(self.now)
            amperes = min(car.current, share) if car.is_drawing else 0.0
        self.meter.set_load(amperes, 0 if car is None else self._usable(car.phases), self.now, share)

    def _usable(self, phases: int) -> int:
        """How many of so many phases the limit leaves."""
        return phases if self.phase_limit is None else min(phases, self.phase_limit)

    def _tell_flow(self) -> None:
        flow = Flow.NOT_YET
        if self.has_transaction:
            if self.faults.is_faulted:
                return  # hidden behind Faulted; once that is cleared the former status shows again
            flow = flow_of(self.car, is_offered=self.share > 0 and not self.is_paused, told=self.flow)
            if flow is Flow.SUSPENDED_EV and self.car is not None and self.car.is_about_to_draw(self.now):
                return  # nobody is suspended for no time at all
        if flow is not self.flow:
            self.flow = flow
            tell(self._station.charge_point, self.connector_id, flow)

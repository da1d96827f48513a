"""What flows at one connector: its meter, its car, what it may offer, and how the charge point is told.

Rules of this file:
1. Current flows if there is a transaction, nothing is paused or faulted, something is offered and the car draws. How
   much may be offered is decided by the supply of the whole station (supply.py), told through `offer`.
2. Where no current may flow, or nobody is plugged in, nothing is offered, and that is told.
3. Only changes of the energy flow are told (flow.py), and none while a fault hides them.
"""

from typing import TYPE_CHECKING

from ocpp16.models import ChargingLimit, Measurement
from ocpp16.simulation.car import Car, state_of_charge
from ocpp16.simulation.faults import Faults
from ocpp16.simulation.flow import Flow, flow_of, tell
from ocpp16.simulation.meter import Meter

if TYPE_CHECKING:
    from ocpp16.simulation.station import SimulatedStation


class Outlet:
    """The electrical part of an `Evse`, which decides on transactions and pauses. `former`: as there."""

    __slots__ = (
        "_charge_point",
        "_energy_at_plug_in",
        "_is_paused",
        "_share",
        "_station",
        "car",
        "connector_id",
        "external",
        "faults",
        "flow",
        "has_transaction",
        "limit",
        "meter",
        "offered",
        "phase_limit",
        "plugged_at",
    )

    def __init__(self, station: "SimulatedStation", connector_id: int, former: "Outlet | None") -> None:
        options = station.options
        self._station = station
        self._charge_point = station.charge_point
        self.connector_id = connector_id
        self.meter = Meter(options.phases, options.voltage, self._now)
        stored = self._charge_point.for_station.meter_checkpoint(connector_id)
        if stored is not None:
            self.meter.start_from(stored, self._now)
        self.external: Measurement | None = None
        """The last reading told by the host."""
        self.faults: Faults = Faults(self._charge_point, connector_id, None if former is None else former.faults.active)
        self.car: Car | None = None
        self.plugged_at: float | None = None
        self.has_transaction = False
        self.limit: float | None = None
        self.phase_limit: int | None = None
        """Amperes per phase, and phases, that smart charging allows; None: as many as there are."""
        self.offered: float | None = None
        """Amperes offered, as last told; None: not told yet."""
        self.flow = Flow.NOT_YET
        self._share = 0.0
        """Amperes of the supply that it may offer."""
        self._is_paused = False
        self._energy_at_plug_in = 0.0
        if former is not None:
            self.meter, self.car, self.plugged_at = former.meter, former.car, former.plugged_at
            self._energy_at_plug_in = former._energy_at_plug_in

    @property
    def is_plugged(self) -> bool:
        return self.plugged_at is not None

    @property
    def _now(self) -> float:
        return self._charge_point.for_station.clock.monotonic()

    def take_limit(self, limit: ChargingLimit) -> None:
        """What smart charging allows from now on; the supply is then to be told."""
        self.limit, self.phase_limit = self._station.supply.amperes(limit), limit.phases

    @property
    def ceiling(self) -> float:
        """The most this connector may give, A: fuse, cable and the limit in force."""
        capacity = self._station.supply.capacity
        return capacity if self.limit is None else min(capacity, self.limit)

    @property
    def wish(self) -> float:
        """What the car would draw now, A, were there neither limits nor other cars."""
        if self.car is None or not self._may_flow or not self.car.is_drawing:
            return 0.0
        return min(self.car.current, self._station.supply.capacity)

    @property
    def demand(self) -> float:
        """What the car would draw now, A, were the connector alone on the fuse."""
        return min(self.wish, self.ceiling)

    def offer(self, amperes: float) -> None:
        """The share of the supply that this connector has from now on, and offers to a car that may charge."""
        self._share = amperes
        offered = amperes if self._may_flow and self.is_plugged else 0.0
        if offered != self.offered:
            self.offered = offered
            watts = offered * self._station.options.voltage * self._usable(self._station.options.phases)
            self._charge_point.on_max_current_offered(self.connector_id, offered)
            self._charge_point.on_max_power_offered(self.connector_id, watts)
        self._let_flow()
        self._tell_flow()

    def register(self) -> float:
        """The import register now, Wh."""
        if self._station.options.meter_is_external:
            return 0.0 if self.external is None else self.external.energy_import.total or 0.0
        return float(self.meter.register(self._now))

    def measurement(self) -> Measurement:
        """All the simulated meter and the car tell now."""
        now = self._now
        soc = state_of_charge(self.meter.energy(now) - self._energy_at_plug_in) if self.is_plugged else None
        return self.meter.measurement(now, self._station.noise, soc)

    @property
    def _may_flow(self) -> bool:
        return self.has_transaction and not self._is_paused and not self.faults.is_faulted

    def _let_flow(self) -> None:
        """Bring the meter's load, and the car's plan, up to date."""
        car, share, amperes = self.car, self._share, 0.0
        if car is not None and car.is_plugged and self._may_flow and share > 0:
            car.current_offered(self._now)
            amperes = min(car.current, share) if car.is_drawing else 0.0
        self.meter.set_load(amperes, 0 if car is None else self._usable(car.phases), self._now, share)

    def _usable(self, phases: int) -> int:
        """How many of so many phases the limit leaves."""
        return phases if self.phase_limit is None else min(phases, self.phase_limit)

    def _tell_flow(self) -> None:
        flow = Flow.NOT_YET
        if self.has_transaction:
            if self.faults.is_faulted:
                return  # hidden behind Faulted; once that is cleared the former status shows again
            flow = flow_of(self.car, is_offered=self._share > 0 and not self._is_paused, told=self.flow)
            if flow is Flow.SUSPENDED_EV and self.car is not None and self.car.is_about_to_draw(self._now):
                return  # nobody is suspended for no time at all
        if flow is not self.flow:
            self.flow = flow
            tell(self._charge_point, self.connector_id, flow)

"""What flows at one connector: its meter, its car, what it may offer, and how the charge point is told.

Rules of this file:
1. Current flows if there is a transaction, nothing is paused or faulted, something is offered and the car draws. How
   much may be offered is decided by the supply of the whole station (supply.py), told through `offer`.
2. Where no current may flow, or nobody is plugged in, nothing is offered, and that is told.
3. Only changes of the energy flow are told (flow.py), and none while a fault hides them.
4. A battery (battery.py) gets what the meter counts. Its steps happen at the moment at which they are due, however late
   anybody looks (`catch_up`): a timer only wakes the connector for them. But it takes no more than was claimed for it
   when somebody last asked what is wanted (`look_anew`), since others may have the rest.
5. A car with a battery is offered nothing below the 6 A that a control pilot can say (IEC 61851-1), so that less is a
   pause of the station. A car that needs more than that, and is offered less than it needs, pauses itself. A simple
   car, one without a battery, draws whatever it is offered.

What is shared and limited is a number in the unit of the kind: amperes on each phase of AC, as here, watts of DC
(dc_outlet.py). It decides on no transaction and no pause: its `Evse` does, and says so.
"""

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Protocol

from ocpp16.models import ChargingLimit, Measurement, PhaseValues
from ocpp16.simulation.battery import PILOT_MINIMUM, Pack
from ocpp16.simulation.car import Car, CarPlan, state_of_charge
from ocpp16.simulation.dc_meter import DcMeter
from ocpp16.simulation.faults import Faults
from ocpp16.simulation.flow import Flow, flow_of, tell
from ocpp16.simulation.meter import Meter, Noise
from ocpp16.simulation.options import StationOptions
from ocpp16.values import INT32_HIGH, INT32_LOW

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.charge_point.station_door import StationDoor


class Wiring(Protocol):
    """The station as its outlets see it."""

    @property
    def options(self) -> StationOptions: ...

    @property
    def charge_point(self) -> "ChargePoint": ...

    @property
    def door(self) -> "StationDoor": ...

    @property
    def noise(self) -> Noise: ...


_ROUNDING = 1e-6
"""Amperes that a conversion may lack."""


def _shows(energy: int) -> Measurement:
    """A reading of which only the register is known, Wh; of a damaged row the nearest that one can show."""
    return Measurement(energy_import=PhaseValues(float(min(max(energy, INT32_LOW), INT32_HIGH))))


class Outlet:
    """The electrical part of a connector, which gives AC. `former`: the same with an earlier charge point, whose meter,
    faults and car are still there.
    """

    __slots__ = (
        "_clock",
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
        "plugged_at",
        "share",
        "transaction_at",
    )

    def __init__(self, station: Wiring, connector_id: int, former: "Outlet | None" = None) -> None:
        self._station = station
        self._clock = station.door.clock
        """Whose monotonic time is the same over all starts."""
        self.connector_id: int = connector_id
        self.external: Measurement | None = None
        """The last reading told by the host, with the last register; before the first one, the stored register."""
        self.transaction_at: int | None = None
        """When the transaction began that runs, µs UTC."""
        self.is_known: bool = former is not None
        """Is it known who is plugged in, or is the world here only beginning?"""
        self.is_paused: bool = False
        """Is no more energy to be given in this transaction?"""
        self.limit: ChargingLimit | None = None
        """What smart charging allows; None: as much as there is."""
        self.offered: float | None = None
        """Offered, as last told, in the unit of the kind; None: not told yet."""
        self.flow: Flow = Flow.NOT_YET
        self.share: float = 0.0
        """Of the supply, that it may offer."""
        if former is None:
            self._energy_at_plug_in = 0.0
            self.plugged_at: float | None = None
            self.car: Car | None = None
            self.meter: Meter | DcMeter = self._new_meter()
            stored = station.charge_point.for_station.meter_checkpoint(connector_id)
            if stored is not None:
                self.meter.start_from(stored, self.now)
                if station.options.meter_is_external:
                    self.external = _shows(stored)
            self.faults: Faults = Faults(station.charge_point, connector_id)
        else:
            self._energy_at_plug_in = former._energy_at_plug_in
            self.plugged_at, self.car, self.meter = former.plugged_at, former.car, former.meter
            self.external = former.external
            self.faults = Faults(station.charge_point, connector_id, former.faults.active)

    def _new_meter(self) -> Meter | DcMeter:
        return Meter(self._station.options.phases, self._station.options.voltage, self.now)

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()

    @property
    def is_plugged(self) -> bool:
        return self.plugged_at is not None

    @property
    def has_transaction(self) -> bool:
        return self.transaction_at is not None

    @property
    def is_dc(self) -> bool:
        """Does it give DC?"""
        return False

    def refuse(self, plan: CarPlan) -> None:
        """Raises ValueError, naming what of a plan does not go with this outlet: with one of AC, every plan does."""

    # What may flow

    @property
    def limit_amperes(self) -> float | None:
        """What smart charging allows, A; None: as many as there are."""
        return None if self.limit is None else self._station.options.amperes(self.limit)

    @property
    def ceiling(self) -> float:
        """The most this connector may give: fuse, cable and the limit in force."""
        capacity, limit = self._station.options.capacity, self.limit_amperes
        return capacity if limit is None else min(capacity, limit)

    @property
    def wish(self) -> float:
        """What must be there for the car now, were there neither limits nor other cars. A battery that is nearly full
        draws less than that.
        """
        car = self.car
        if car is None or not self._may_flow or not car.is_drawing:
            return 0.0
        wanted = min(self._wanted(car), self._station.options.capacity)
        return wanted if car.pack is None else max(wanted, car.pack.battery.minimum_current)

    def converted(self, amount: float, *, is_power: bool, phases: int | None) -> float:
        """A wish in the unit of a limit that says so many `phases`: W or A."""
        return amount * self._station.options.watts_per_ampere(phases) if is_power else amount

    @property
    def least(self) -> float:
        """Less than this is of no use to the car."""
        pack = self._pack
        return 0.0 if pack is None else pack.battery.minimum_current - _ROUNDING

    @property
    def least_offer(self) -> float:
        """Less than this cannot be offered to the car."""
        return 0.0 if self._pack is None else PILOT_MINIMUM - _ROUNDING

    @property
    def demand(self) -> float:
        """What would have to be there for the car now, were the connector alone."""
        demand = min(self.wish, self.ceiling)
        return demand if demand >= self.least else 0.0

    def take_limit(self, limit: ChargingLimit) -> None:
        """What smart charging allows from now on; the supply is then to be told."""
        self.catch_up()
        self.limit = None if limit.limit is None and limit.phases is None else limit

    def offer(self, amount: float) -> None:
        """The share of the supply that this connector has from now on, and offers to a car that may charge."""
        is_offer = amount >= self.least_offer
        is_drawing = self.car is not None and self.car.is_drawing
        self.share = amount if is_offer or not is_drawing else 0.0
        offered = amount if is_offer and self._may_flow and self.is_plugged else 0.0
        if offered != self.offered:
            self.offered = offered
            self._tell_offer(offered)
        self._let_flow()
        self._tell_flow()

    def look_anew(self) -> None:
        """Something is different here, and what is wanted for the car may be."""
        self.catch_up()
        if self._pack is not None:
            self._pack.claimed = self.demand

    def catch_up(self) -> None:
        """What became due of the battery since somebody last looked happens now, each at its time."""
        car = self.car
        if car is None or car.pack is None:
            return
        pack, now = car.pack, self.now
        while pack.until <= now:
            at = pack.until
            pack.reach(self.meter.energy(at))
            self._flow_from(car, at, is_flowing=not pack.is_full)
            if pack.is_full:
                car.is_filled(at)

    # What happens

    def plug_in(self) -> None:
        """A car is plugged in that begins anew; the meter does, too, if the options say so."""
        if self._station.options.meter_reset_at_plug_in:
            self.meter.start_from(0.0, self.now)
        self._energy_at_plug_in = self.meter.energy(self.now)

    def connect_battery(self) -> None:
        """The battery of the car that was plugged in counts from here."""
        if self._pack is not None:
            self._pack.connect(self.meter.energy(self.now))

    def resume(self, energy: int, began_at: int, car: Car | None, plugged_at: float | None = None) -> None:
        """After a power loss: the transaction goes on, of which at least `energy` Wh was on the meter; with its car, or
        without one where it was unplugged. `car`: the one that is there where that is not known; `plugged_at`: Wh that
        the meter showed when it was plugged in, None if that is not known either.
        """
        now = self.now
        self.catch_up()
        if self._pack is not None:
            self._pack.take(self.meter.energy(now))
        self.meter.start_from(max(self.meter.register(now), energy), now)
        self.connect_battery()
        if self._station.options.meter_is_external and self.register() < energy:
            self.external = _shows(energy)
        if car is not None:
            self.car = car
            self.plugged_at = now
            self._energy_at_plug_in = self.meter.energy(now) if plugged_at is None else plugged_at
            if car.pack is not None:
                car.pack.found(self._energy_at_plug_in, self.meter.energy(now))
                if car.pack.is_full:
                    car.is_filled(now)
        self.transaction_at = began_at

    def power_down(self) -> None:
        """The charge point stopped: nothing flows, and the car stands still where it is."""
        self.catch_up()
        self.transaction_at = None
        self.is_known = True
        self.is_paused = False
        self.flow = Flow.NOT_YET
        self._let_flow()
        if self.car is not None:
            self.car.hold()

    # What is shown

    def take_reading(self, measurement: Measurement) -> None:
        """What the meter of the host says. A reading without the register leaves that as it was told last."""
        known = self.external
        if known is not None and measurement.energy_import.total is None:
            energy = replace(measurement.energy_import, total=known.energy_import.total)
            measurement = replace(measurement, energy_import=energy)
        self.external = measurement

    def register(self) -> float:
        """The import register now, Wh; of a meter of the host of which nothing is known yet 0."""
        if self._station.options.meter_is_external:
            return 0.0 if self.external is None else self.external.energy_import.total or 0.0
        self.catch_up()
        return float(self.meter.register(self.now))

    def measurement(self) -> Measurement:
        """All the simulated meter and the car tell now."""
        self.catch_up()
        now, soc = self._clock.monotonic(), None
        if self.plugged_at is not None:
            soc = self._state_of_charge(now)
        return self.meter.measurement(now, self._station.noise, soc)

    def _state_of_charge(self, now: float) -> float:
        pack, energy = self._pack, self.meter.energy(now)
        if pack is None:
            return state_of_charge(energy - self._energy_at_plug_in)
        pack.take(energy)
        return pack.soc

    @property
    def _pack(self) -> Pack | None:
        """The battery of the car that is there, if it has one that is simulated."""
        return None if self.car is None else self.car.pack

    @property
    def _may_flow(self) -> bool:
        return self.has_transaction and not self.is_paused and not self.faults.is_faulted

    def _let_flow(self) -> None:
        """Bring the meter's load, the battery, and the car's plan, up to date."""
        self.catch_up()
        car, is_flowing = self.car, False
        if car is not None and car.is_plugged and self._may_flow and self.share > 0:
            car.current_offered(self.now)
            is_flowing = car.is_drawing
        self._flow_from(car, self.now, is_flowing=is_flowing)
        if car is not None and car.pack is not None:
            car.wake_at(car.pack.until)

    def _flow_from(self, car: Car | None, at: float, *, is_flowing: bool) -> None:
        pack = None if car is None else car.pack
        if pack is not None:
            pack.take(self.meter.energy(at))
        watts = self._load(car, at, is_flowing=is_flowing)
        if pack is not None:
            pack.flow(watts, at)

    def _tell_offer(self, offered: float) -> None:
        """Tell the charge point, in amperes and in watts."""
        options, charge_point = self._station.options, self._station.charge_point
        charge_point.on_max_current_offered(self.connector_id, offered)
        watts = offered * options.voltage * self._usable(options.phases)
        charge_point.on_max_power_offered(self.connector_id, watts)

    def _load(self, car: Car | None, at: float, *, is_flowing: bool) -> float:
        """Bring the meter's load up to date; returns the watts that flow."""
        options = self._station.options
        phases = 0 if car is None else self._usable(car.phases)
        watts_per_ampere = options.voltage * min(phases, options.phases)
        amperes = 0.0
        if car is not None and is_flowing and self.share >= self.least:
            amperes = min(self._wanted(car), self.share, inf if car.pack is None else car.pack.claimed)
        assert isinstance(self.meter, Meter)
        self.meter.set_load(amperes, phases, at, self.share)
        return amperes * watts_per_ampere

    def _wanted(self, car: Car) -> float:
        """What the car would draw, A: its on-board charger, and its battery."""
        pack = car.pack
        if pack is None:
            return car.current
        options = self._station.options
        phases = max(1, min(self._usable(car.phases), options.phases))
        return min(car.current, pack.bound / (options.voltage * phases))

    def _usable(self, phases: int) -> int:
        """How many of so many phases the limit leaves."""
        limit = None if self.limit is None else self.limit.phases
        return phases if limit is None else min(phases, limit)

    def _tell_flow(self) -> None:
        flow = Flow.NOT_YET
        if self.has_transaction:
            if self.faults.is_faulted:
                return  # hidden behind Faulted; once that is cleared the former status shows again
            flow = flow_of(
                self.car,
                is_offered=self.share > 0 and not self.is_paused,
                told=self.flow,
                is_enough=self.share >= self.least,
            )
            if flow is Flow.SUSPENDED_EV and self.car is not None and self.car.is_about_to_draw(self.now):
                return  # nobody is suspended for no time at all
        if flow is not self.flow:
            self.flow = flow
            tell(self._station.charge_point, self.connector_id, flow)

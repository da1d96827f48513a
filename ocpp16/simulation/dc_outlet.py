"""A connector that gives DC: what is shared and limited there is watts, at the outlet.

A limit in amperes holds twice: for the current at the outlet, whose watts come and go with the voltage of the battery;
and for the power that it is at the supply of the station, since a charge point that tells amperes may have made them of
watts so. A simple car, one without a battery, is given its amperes at `SIMPLE_VOLTAGE`. DC has no control pilot to say
amperes with: any offer is one.
"""

from math import inf
from typing import Final

from ocpp16.models import ChargingLimit
from ocpp16.simulation.car import Car, CarPlan
from ocpp16.simulation.dc_meter import DcMeter
from ocpp16.simulation.options import StationOptions
from ocpp16.simulation.outlet import Outlet, Wiring

SIMPLE_VOLTAGE: Final = 400.0
"""Volts of a car of which no more is known."""


class DcOutlet(Outlet):
    """The electrical part of a connector of DC."""

    __slots__ = ("_told_amperes",)

    def __init__(self, station: Wiring, connector_id: int, former: Outlet | None = None) -> None:
        super().__init__(station, connector_id, former)
        self._told_amperes = 0.0
        """Of what is offered; they change with the voltage, too."""

    def _new_meter(self) -> DcMeter:
        return DcMeter(self.now)

    @property
    def is_dc(self) -> bool:
        return True

    def refuse(self, plan: CarPlan) -> None:
        """Raises ValueError for a car that cannot be charged here."""
        refuse_at_dc(self._station.options, self.connector_id, plan)

    @property
    def limit_amperes(self) -> float | None:
        if self.limit is None or self.limit.limit is None:
            return None
        return self.limit.limit if self.limit.unit == "A" else self.limit.limit / self._volts

    @property
    def ceiling(self) -> float:
        """Watts: electronics, cable and the limit in force."""
        options = self._station.options
        return min(options.dc_capacity, options.dc_current * self._volts, self._limit(self.limit))

    @property
    def wish(self) -> float:
        """Watts."""
        if self.car is None or not self._may_flow or not self.car.is_drawing:
            return 0.0
        return min(self._wanted(self.car), self._station.options.dc_capacity)

    def converted(self, amount: float, *, is_power: bool, phases: int | None) -> float:
        return amount if is_power else amount / self._watts_per_ampere(phases)

    @property
    def least(self) -> float:
        return 0.0

    @property
    def least_offer(self) -> float:
        return 0.0

    def offer(self, amount: float) -> None:
        super().offer(amount)
        if self.offered and self._amperes(self.offered) != self._told_amperes:
            self._tell_current(self.offered)

    def _tell_offer(self, offered: float) -> None:
        self._tell_current(offered)
        self._station.charge_point.on_max_power_offered(self.connector_id, offered)

    def _tell_current(self, offered: float) -> None:
        self._told_amperes = self._amperes(offered)
        self._station.charge_point.on_max_current_offered(self.connector_id, self._told_amperes)

    def _load(self, car: Car | None, at: float, *, is_flowing: bool) -> float:
        volts, watts = self._volts, 0.0
        if car is not None and is_flowing:
            watts = min(self._wanted(car), self.share, inf if car.pack is None else car.pack.claimed)
        amperes = self._amperes(watts)
        assert isinstance(self.meter, DcMeter)
        self.meter.set_load(amperes, volts, at, self._amperes(self.share), self.share)
        return amperes * volts

    def _wanted(self, car: Car) -> float:
        """What the car would draw, W: its battery, its inlet and the cable."""
        cable = self._station.options.dc_current
        if car.pack is None:
            return min(car.current, cable) * SIMPLE_VOLTAGE
        return min(car.pack.bound, min(car.pack.battery.dc_current or 0.0, cable) * self._volts)

    def _amperes(self, watts: float) -> float:
        """Of so many watts, of which there are no more than cable and limit let through as amperes."""
        return watts / self._volts

    @property
    def _volts(self) -> float:
        """Of the battery that is there, until its next edge."""
        pack = self._pack
        return SIMPLE_VOLTAGE if pack is None else pack.volts

    def _limit(self, limit: ChargingLimit | None) -> float:
        """Watts."""
        if limit is None or limit.limit is None:
            return inf
        return limit.limit if limit.unit == "W" else limit.limit * self._watts_per_ampere(limit.phases)

    def _watts_per_ampere(self, phases: int | None) -> float:
        """Of a limit that says so many phases."""
        return min(self._volts, self._station.options.watts_per_ampere(phases))


def refuse_at_dc(options: StationOptions, connector_id: int, plan: CarPlan) -> None:
    """Raises ValueError for a car without an inlet for DC, or with a battery of other voltages than there are here."""
    low, high = options.dc_voltage
    if plan.battery is None:
        if not low <= SIMPLE_VOLTAGE <= high:
            raise ValueError(
                f"battery: connector {connector_id} gives {low:g} to {high:g} V, "
                f"and a car without a battery is one of {SIMPLE_VOLTAGE:g} V"
            )
        return
    if plan.battery.dc_current is None:
        raise ValueError(f"dc_current: the car has no inlet for DC, and connector {connector_id} gives DC")
    empty, full = plan.battery.voltage
    if empty < low or full > high:
        raise ValueError(
            f"voltage: the battery has {empty:g} to {full:g} V, and connector {connector_id} "
            f"gives {low:g} to {high:g} V"
        )

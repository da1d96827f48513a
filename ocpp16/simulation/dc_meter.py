"""The energy meter of a DC connector: one register, the voltage and the current of the outlet, no phases.

As the meter of AC (meter.py) it adds up power times time where the load changes, so nothing ticks and nothing drifts,
and its noise lifts nothing above what is offered. It measures at the outlet, behind the rectifier: what is lost in
there is not in the register. Times are monotonic seconds; the register is whole Wh.
"""

from math import floor, inf

from ocpp16.measurement import Measurement, PhaseValues, reading
from ocpp16.simulation.meter import AMBIENT_TEMPERATURE, WARMING, Noise


class DcMeter:
    """The meter behind one connector."""

    __slots__ = ("_amperes", "_energy", "_most_amperes", "_most_watts", "_since", "_volts")

    def __init__(self, now: float) -> None:
        self._energy = 0.0
        self._since = now
        self._amperes = self._volts = 0.0
        self._most_amperes = self._most_watts = inf

    def start_from(self, total: float, now: float) -> None:
        """Show `total` Wh now."""
        self._energy = float(_whole(total))
        self._since = now

    def set_load(self, amperes: float, volts: float, now: float, most_amperes: float, most_watts: float) -> None:
        """From now on `amperes` flow at `volts`. The two limits are held: the meter never shows more."""
        self._add_up(now)
        self._amperes, self._volts = amperes, volts if amperes else 0.0
        self._most_amperes, self._most_watts = most_amperes, most_watts

    def energy(self, now: float) -> float:
        """The import with its fractions, Wh."""
        self._add_up(now)
        return self._energy

    def register(self, now: float) -> int:
        """The import register, whole Wh."""
        return _whole(self.energy(now))

    def measurement(self, now: float, noise: Noise, soc: float | None) -> Measurement:
        """Everything the meter shows at `now`, which is now; `soc` (percent) is what the car tells."""
        volts = self._volts * noise()
        amperes = min(self._amperes * noise(), self._most_amperes)
        watts = min(volts * amperes, self._most_watts)
        if volts * amperes > watts:  # who holds a limit in watts lets less flow at a higher voltage
            amperes = watts / volts
        warmth = AMBIENT_TEMPERATURE + WARMING * self._amperes / _WIDER
        return Measurement(
            energy_import=PhaseValues(_whole(self.energy(now))),
            power=PhaseValues(watts),
            voltage=PhaseValues(volts),
            current=PhaseValues(amperes),
            soc=None if soc is None else reading(soc, "EV"),
            temperatures=(reading(warmth * noise(), "Body"),),
        )

    def _add_up(self, now: float) -> None:
        self._energy += self._volts * self._amperes * (now - self._since) / 3600.0
        self._since = now


def _whole(energy: float) -> int:
    return floor(energy + _ROUNDING)


_ROUNDING = 1e-6
"""Wh that binary fractions may lack of a whole one."""
_WIDER = 8.0
"""A housing for DC is that much better cooled, for its amperes."""

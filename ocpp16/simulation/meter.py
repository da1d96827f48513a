"""The energy meter of one connector: registers that add up exactly, and noisy instantaneous values.

Energy is power times time, summed only where the load changes and computed when somebody asks, so nothing ticks and
nothing drifts. Noise is on what a meter shows of the moment (voltage, current, power), never on a register, and never
lifts a current, or its power, above what is offered. The total register is the sum of those of the phases, exactly.
Times are monotonic seconds; registers are whole Wh.
"""

from collections.abc import Callable
from math import inf

from ocpp16.measurement import measured, phase_values, reading
from ocpp16.models import Measurement, PhaseValues

FREQUENCY = 50.0
"""Hz."""
AMBIENT_TEMPERATURE = 20.0
"""Degrees Celsius; the housing warms by `WARMING` per ampere."""
WARMING = 0.25

_ROUNDING = 1e-6
"""Wh that binary fractions may lack of a whole one."""
_FREQUENCY = PhaseValues(l1=FREQUENCY)

Noise = Callable[[], float]
"""A factor near 1."""


class Meter:
    """The meter behind one connector of `phases` phases at `voltage` volts."""

    __slots__ = ("_amperes", "_energies", "_loaded", "_most", "_since", "_voltage")

    def __init__(self, phases: int, voltage: float, now: float) -> None:
        self._voltage = voltage
        self._energies = [0.0] * phases
        self._since = now
        self._amperes = self._most = 0.0
        self._loaded = 0

    def start_from(self, total: float, now: float) -> None:
        """Show `total` Wh now. The phases, of which nothing is known, get equal parts of whole Wh."""
        count = len(self._energies)
        part, rest = divmod(int(_whole(total)), count)
        self._energies = [float(part + (index < rest)) for index in range(count)]
        self._since = now

    def set_load(self, amperes: float, phases: int, now: float, most: float | None = None) -> None:
        """From now on `amperes` flow on each of the first `phases` phases (more than there are: on all).

        `most` is the limit that is held, A, which the meter never shows more than; None: there is none.
        """
        self._add_up(now)
        self._amperes = amperes
        self._most = inf if most is None else most
        self._loaded = min(phases, len(self._energies))

    def energy(self, now: float) -> float:
        """The total import with its fractions, Wh."""
        self._add_up(now)
        return sum(self._energies)

    def register(self, now: float) -> int:
        """The total import register, whole Wh."""
        self._add_up(now)
        return int(sum([_whole(energy) for energy in self._energies]))

    def measurement(self, now: float, noise: Noise, soc: float | None) -> Measurement:
        """Everything the meter shows at `now`, which is now; `soc` (percent) is what the car tells."""
        self._add_up(now)
        voltage, loaded, most = self._voltage, self._loaded, self._most * self._voltage
        energies: list[float | None] = [None, None, None]
        powers: list[float | None] = [None, None, None]
        voltages: list[float | None] = [None, None, None]
        currents: list[float | None] = [None, None, None]
        total, power = 0.0, 0.0
        for phase, energy in enumerate(self._energies):
            volts = voltage * noise()
            amperes = self._current(volts, noise()) if phase < loaded else 0.0
            watts = min(volts * amperes, most)
            voltages[phase], currents[phase], powers[phase] = volts, amperes, watts
            energies[phase] = whole = _whole(energy)
            total += whole
            power += watts
        warmth = AMBIENT_TEMPERATURE + WARMING * self._amperes
        return measured(
            phase_values(total, energies[0], energies[1], energies[2]),
            phase_values(power, powers[0], powers[1], powers[2]),
            phase_values(None, voltages[0], voltages[1], voltages[2]),
            phase_values(None, currents[0], currents[1], currents[2]),
            _FREQUENCY,
            None if soc is None else reading(soc, "EV"),
            (reading(warmth * noise(), "Body"),),
        )

    def _current(self, voltage: float, noise: float) -> float:
        """What is shown of one phase. A station that holds a limit holds it in amperes and in watts: at a higher
        voltage less flows. Rounding may make a little too much of the product, so the power has that bound itself.
        """
        most = self._most * self._voltage / voltage if voltage > self._voltage else self._most
        return min(self._amperes * noise, most)

    def _add_up(self, now: float) -> None:
        added = self._voltage * self._amperes * (now - self._since) / 3600.0
        for phase in range(self._loaded):
            self._energies[phase] += added
        self._since = now


def _whole(energy: float) -> float:
    return (energy + _ROUNDING) // 1.0

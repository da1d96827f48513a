"""From where interval energies are counted (Energy.….Interval, OCPP 1.6 ed. 2 §7.31).

Rules of this file:
1. Every reading context of a connector is a series of its own: its interval begins at its previous sample.
2. A transaction begins all series anew, at its first register; its end begins them anew, at its last. So no interval
   reaches back over the begin or the end of a transaction, and the intervals of one series, with the one that the end
   closes, add up to what the transaction used.
3. A sample that lacks a register leaves the place from where that register is counted.
4. A register that fell a little lags behind (one that was told rounded, noise): it is counted on from where it was. One
   that fell below half was reset: it is counted on from where it is.
"""

from ocpp16.enums import ReadingContext
from ocpp16.models import Measurement, PhaseValues

_RESET = 0.5
"""Part of its former value below which a register has been reset."""


class IntervalBases:
    """The readings from which the intervals of each connector are counted."""

    __slots__ = ("_begun", "_sampled")

    def __init__(self) -> None:
        self._begun: dict[int, Measurement] = {}
        self._sampled: dict[tuple[int, ReadingContext], Measurement] = {}

    def base(self, connector_id: int, context: ReadingContext) -> Measurement | None:
        """The reading at the beginning of the interval that ends now; None if none began."""
        return self._sampled.get((connector_id, context)) or self._begun.get(connector_id)

    def begin(self, connector_id: int, registers: Measurement) -> None:
        """All series of the connector begin here: a transaction begins or has ended."""
        for key in [key for key in self._sampled if key[0] == connector_id]:
            del self._sampled[key]
        self._begun[connector_id] = registers

    def sampled(self, connector_id: int, context: ReadingContext, measurement: Measurement) -> None:
        """An interval of this series ends here, and the next one begins."""
        base = self.base(connector_id, context)
        self._sampled[connector_id, context] = measurement if base is None else _moved(base, measurement)

    def restore(self, connector_id: int, context: ReadingContext, energy: float) -> None:
        """After a restart: this series stood at `energy` Wh imported."""
        self._sampled[connector_id, context] = Measurement(energy_import=PhaseValues(energy))


def _moved(base: Measurement, measurement: Measurement) -> Measurement:
    energy_import = _register(base.energy_import, measurement.energy_import)
    energy_export = _register(base.energy_export, measurement.energy_export)
    reactive_import = _register(base.reactive_energy_import, measurement.reactive_energy_import)
    reactive_export = _register(base.reactive_energy_export, measurement.reactive_energy_export)
    if (
        energy_import is measurement.energy_import
        and energy_export is measurement.energy_export
        and reactive_import is measurement.reactive_energy_import
        and reactive_export is measurement.reactive_energy_export
    ):
        return measurement
    assert energy_import is not None, "a measurement has one, be it empty"
    return Measurement(
        energy_import=energy_import,
        energy_export=energy_export,
        reactive_energy_import=reactive_import,
        reactive_energy_export=reactive_export,
    )


def _register(before: PhaseValues | None, after: PhaseValues | None) -> PhaseValues | None:
    if before is None or after is None:
        return after if before is None else before
    numbers = [
        _counted_from(earlier, later)
        for earlier, later in (
            (before.total, after.total),
            (before.l1, after.l1),
            (before.l2, after.l2),
            (before.l3, after.l3),
        )
    ]
    return after if numbers == [after.total, after.l1, after.l2, after.l3] else PhaseValues(*numbers)


def _counted_from(before: float | None, after: float | None) -> float | None:
    if before is None or after is None:
        return after if before is None else before
    return before if before * _RESET <= after < before else after

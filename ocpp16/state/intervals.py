"""From where interval energies are counted (Energy.….Interval, OCPP 1.6 ed. 2 §7.31).

Rules of this file:
1. Every reading context of a connector is a series of its own: its interval begins at its previous sample.
2. A transaction begins all series anew, at its first register; its end begins them anew, at its last. So no interval
   reaches back over the begin or the end of a transaction, and the intervals of one series, with the one that the end
   closes, add up to what the transaction used.
3. A sample that lacks a register leaves the place from where that register is counted.
4. A register that fell a little lags behind (one that was told rounded, noise): it is counted on from where it was. One
   that fell by more than half of its value was reset: it is counted on from where it is (`counted_from`).
5. `stored` is what a restart needs to go on exactly there.
"""

from collections.abc import Mapping
from typing import Any

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import ReadingContext
from ocpp16.measurement import REGISTERS
from ocpp16.models import Measurement, PhaseValues

_RESET = 0.5
"""Part of its former value by which a register has fallen at least that has been reset."""


class IntervalBases:
    """The readings from which the intervals of each connector are counted."""

    __slots__ = ("_begun", "_sampled")

    def __init__(self) -> None:
        self._begun: ByNumber[Measurement] = ByNumber()
        self._sampled: dict[tuple[int, ReadingContext], Measurement] = {}

    def base(self, connector_id: int, context: ReadingContext) -> Measurement | None:
        """The reading at the beginning of the interval that ends now; None if none began."""
        # An enumeration's hash is Python code: there is no asking for what is not there.
        found = self._sampled.get((connector_id, context)) if self._sampled else None
        return found or self._begun.get(connector_id)

    def is_known(self, connector_id: int) -> bool:
        """Is there a begin for any series of the connector?"""
        return connector_id in self._begun

    def begin(self, connector_id: int, registers: Measurement) -> None:
        """All series of the connector begin here: a transaction begins or has ended."""
        for key in [key for key in self._sampled if key[0] == connector_id]:
            del self._sampled[key]
        self._begun[connector_id] = registers

    def sampled(self, connector_id: int, context: ReadingContext, measurement: Measurement) -> None:
        """An interval of this series ends here, and the next one begins."""
        base = self.base(connector_id, context)
        self._sampled[connector_id, context] = measurement if base is None else _moved(base, measurement)

    def forget(self, connector_id: int) -> None:
        """No series of the connector is known any more."""
        for context in ReadingContext:
            self._sampled.pop((connector_id, context), None)
        self._begun.pop(connector_id)

    def stored(self, connector_id: int) -> dict[str, Any]:
        """All series of a connector, as JSON can hold them."""
        begun = self._begun.get(connector_id)
        series = {} if begun is None else {"begun": _stored(begun)}
        for context in ReadingContext:
            measurement = self._sampled.get((connector_id, context))
            if measurement is not None:
                series[str(context)] = _stored(measurement)
        return series

    def restore(self, connector_id: int, stored: Mapping[str, Any]) -> None:
        """Go on from what `stored` gave. Raises ValueError, and changes nothing, if it is not of that kind."""
        try:
            read = {name: _read(registers) for name, registers in stored.items()}
            begun = read.pop("begun")
            sampled = {(connector_id, ReadingContext(name)): measurement for name, measurement in read.items()}
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("the stored begin of intervals cannot be read") from error
        self._begun[connector_id] = begun
        self._sampled |= sampled


def _stored(measurement: Measurement) -> dict[str, list[float | None]]:
    kept = {name: getattr(measurement, name) for name in REGISTERS}
    return {name: [it.total, it.l1, it.l2, it.l3] for name, it in kept.items() if it is not None}


def _read(registers: Mapping[str, Any]) -> Measurement:
    kept: dict[str, Any] = {name: PhaseValues(*registers[name]) for name in REGISTERS if name in registers}
    return Measurement(**kept)


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
        later if earlier is None else earlier if later is None else counted_from(earlier, later)
        for earlier, later in (
            (before.total, after.total),
            (before.l1, after.l1),
            (before.l2, after.l2),
            (before.l3, after.l3),
        )
    ]
    return after if numbers == [after.total, after.l1, after.l2, after.l3] else PhaseValues(*numbers)


def counted_from(before: float, after: float) -> float:
    """From where a register that was counted from `before` is counted once it shows `after` (rule 4)."""
    return before if before - abs(before) * _RESET <= after < before else after

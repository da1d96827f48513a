"""Voltages by the two conductors between which they were measured: what a meter may tell besides those of its lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ocpp16.values import finite, finite_or_none

CONDUCTORS = {"L1-N": "l1_n", "L2-N": "l2_n", "L3-N": "l3_n", "L1-L2": "l1_l2", "L2-L3": "l2_l3", "L3-L1": "l3_l1"}
"""Phase on the wire, attribute of `VoltagesBetween`."""


@dataclass(frozen=True, slots=True)
class VoltagesBetween:
    """Voltages of the meter between two conductors each, in V: finite numbers, or None."""

    l1_n: float | None = None
    l2_n: float | None = None
    l3_n: float | None = None
    l1_l2: float | None = None
    l2_l3: float | None = None
    l3_l1: float | None = None

    def __post_init__(self) -> None:
        for name in CONDUCTORS.values():
            object.__setattr__(self, name, finite_or_none(getattr(self, name), name))


def voltages_between(document: Any, place: str) -> VoltagesBetween | None:
    """Those that are between two conductors of an object that may hold others; None if there is none. Raises ValueError
    that names what is no number, and is at `place`."""
    if not isinstance(document, Mapping):
        return None
    found = {
        CONDUCTORS[name]: float(finite(number, f"{place}.{name}"))
        for name, number in document.items()
        if name in CONDUCTORS
    }
    return VoltagesBetween(**found) if found else None

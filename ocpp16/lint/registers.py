"""Energy registers in meter values, in Wh, with how far they are rounded."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ocpp16.lint.members import rows, text, time

REGISTER: Final = "Energy.Active.Import.Register"
_FACTORS: Final = {None: 1.0, "Wh": 1.0, "kWh": 1000.0}
_LONGEST: Final = 40


class Reading(NamedTuple):
    """at: µs, None if it does not say; energy: Wh; step: Wh by which it may be rounded."""

    at: int | None
    energy: float
    step: float


def readings(payload: Any, name: str) -> Iterator[Reading]:
    """Of the whole outlet, from a list of MeterValue."""
    for value in rows(payload, name):
        at = time(value)
        for sampled in rows(value, "sampledValue"):
            found = _energy(sampled)
            if found is not None:
                yield Reading(at, *found)


def times(payload: Any, name: str) -> list[int]:
    """When the values of a list of MeterValue were taken, of those that say so."""
    return [at for value in rows(payload, name) if (at := time(value)) is not None]


def _energy(sampled: dict[str, Any]) -> tuple[float, float] | None:
    if sampled.get("measurand", REGISTER) != REGISTER or "phase" in sampled or sampled.get("format", "Raw") != "Raw":
        return None
    factor = _FACTORS.get(sampled.get("unit")) if sampled.get("location", "Outlet") == "Outlet" else None
    value = (text(sampled, "value") or "").strip()
    if factor is None or not value or len(value) > _LONGEST:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if number != number or abs(number) == float("inf"):
        return None
    decimals = len(value.partition(".")[2]) if "e" not in value.lower() else 0
    return number * factor, factor / 10**decimals

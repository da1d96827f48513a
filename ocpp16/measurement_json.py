"""Members of libocpp's form of a measurement, checked: what of it is no number."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ocpp16.values import aware, described


def members(value: Any, place: str, known: tuple[str, ...]) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{place} must be an object")
    for name in value:
        if name not in known:
            raise ValueError(f"{place} has no member {described(name)}")


def time(stamp: Any, now: datetime | None) -> datetime | None:
    if stamp is None:
        return now
    try:
        return aware(datetime.fromisoformat(stamp), "measurement.power_meter.timestamp")
    except TypeError:
        raise ValueError(f"measurement.power_meter.timestamp must be text, not {described(stamp)}") from None
    except ValueError as error:
        if str(error).startswith("measurement"):
            raise
        raise ValueError(
            f"measurement.power_meter.timestamp must be an RFC 3339 time, not {described(stamp)}"
        ) from None

"""The command of a host that has a meter of its own, in place of the simulated one."""

from math import isfinite
from typing import Any

from ocpp16.models import Measurement
from ocpp16.simulation.command import CommandError
from ocpp16.simulation.controlled import Controlled
from ocpp16.texts import shown


def meter_reading(on: Controlled, connector: int, measurement: dict[str, Any]) -> None:
    if not on.station.options.meter_is_external:
        raise CommandError("refused", "the meter is simulated: the option meter_interval is not external")
    try:
        _all_finite(measurement)
        reading = Measurement.from_json(measurement, on.charge_point.for_station.clock.now_datetime())
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CommandError("bad_value", shown(error)) from None
    on.station.meter_reading(connector, reading)


def meter_public_key(on: Controlled, connector: int) -> dict[str, str]:
    if on.station.signing is None:
        raise CommandError("refused", "the meters do not sign: the option signed_meter is not true")
    meters = on.station.signing
    return {"serial_number": meters.serial_number(connector), "public_key": meters.public_key(connector)}


def _all_finite(value: Any) -> None:
    """Python callers may hand in what JSON cannot say."""
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("measurement must hold finite numbers")
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _all_finite(member)

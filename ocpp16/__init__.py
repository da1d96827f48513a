"""OCPP 1.6J charge point: durable, typed, async-native, with a compiled core.

General layout, from the bottom up; each storey imports only those below it:

- `_core`: compiled; frames, date-times, validation
- `enums`, `models`, `errors`, `messages`, `station`, `observer`: the vocabulary
- `rpc`, `state`, `configuration`, `codec`, `schedule`: decide, synchronously, and are told the time
- `store`, `security`, `transport`, `transfer`: disk, keys, network, files by URL
- `profiles`: the features
- `charge_point`: puts them together
- `metrics`, `simulation`, `testing`, `cli`: built on it

Public names are imported on first use, so that `ocpp16.codec` alone costs no trio, ssl or sqlite3; what is behind
`open_charge_point` when that is first entered, or by `preload()`.
"""

from ocpp16._version import __version__

TYPE_CHECKING = False  # type checkers take it as true; importing it would cost the codec as much as all of its units

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.charge_point.charge_points import ChargePoints
    from ocpp16.charge_point.open import open_charge_point, open_charge_points, preload
    from ocpp16.configuration.configuration import Configuration
    from ocpp16.errors import (
        CallFailed,
        ChargePointStopped,
        ConfigurationError,
        FeatureNotBuilt,
        FramingError,
        Ocpp16Error,
        StoreError,
        ValidationError,
    )
    from ocpp16.garbage import settle_memory
    from ocpp16.models import (
        ChargingLimit,
        DataTransferResponse,
        DeadLetter,
        ErrorInfo,
        IdTagInfo,
        Measurement,
        PhaseValues,
    )
    from ocpp16.observer import Observer, ObserverEvent
    from ocpp16.station import CoreStation, ReservationStation, SmartChargingStation
    from ocpp16.store.open import open_store

_HOMES = {
    "CallFailed": "ocpp16.errors",
    "ChargePoint": "ocpp16.charge_point.charge_point",
    "ChargePointStopped": "ocpp16.errors",
    "ChargePoints": "ocpp16.charge_point.charge_points",
    "ChargingLimit": "ocpp16.models",
    "Configuration": "ocpp16.configuration.configuration",
    "ConfigurationError": "ocpp16.errors",
    "CoreStation": "ocpp16.station",
    "DataTransferResponse": "ocpp16.models",
    "DeadLetter": "ocpp16.models",
    "ErrorInfo": "ocpp16.models",
    "FeatureNotBuilt": "ocpp16.errors",
    "FramingError": "ocpp16.errors",
    "IdTagInfo": "ocpp16.models",
    "Measurement": "ocpp16.models",
    "Observer": "ocpp16.observer",
    "ObserverEvent": "ocpp16.observer",
    "Ocpp16Error": "ocpp16.errors",
    "PhaseValues": "ocpp16.models",
    "ReservationStation": "ocpp16.station",
    "SmartChargingStation": "ocpp16.station",
    "StoreError": "ocpp16.errors",
    "ValidationError": "ocpp16.errors",
    "open_charge_point": "ocpp16.charge_point.open",
    "open_charge_points": "ocpp16.charge_point.open",
    "open_store": "ocpp16.store.open",
    "preload": "ocpp16.charge_point.open",
    "settle_memory": "ocpp16.garbage",
}

_DOORS = ("aio", "blocking")
"""Modules that are found without having been imported."""

__all__ = [
    "CallFailed",
    "ChargePoint",
    "ChargePointStopped",
    "ChargePoints",
    "ChargingLimit",
    "Configuration",
    "ConfigurationError",
    "CoreStation",
    "DataTransferResponse",
    "DeadLetter",
    "ErrorInfo",
    "FeatureNotBuilt",
    "FramingError",
    "IdTagInfo",
    "Measurement",
    "Observer",
    "ObserverEvent",
    "Ocpp16Error",
    "PhaseValues",
    "ReservationStation",
    "SmartChargingStation",
    "StoreError",
    "ValidationError",
    "__version__",
    "open_charge_point",
    "open_charge_points",
    "open_store",
    "preload",
    "settle_memory",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _DOORS:
        return import_module(f"{__name__}.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, *_DOORS]

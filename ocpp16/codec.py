"""Frames and payloads of OCPP 1.6J, for those who want nothing else: no trio, no sockets, no disk.

    from ocpp16 import codec

    call = codec.parse(text)                                    # Call, CallResult or CallError; FramingError
    codec.validate(call.action, "request", call.payload)        # ValidationError names the member and the code
    data = codec.serialize(codec.CallResult(call.unique_id, {"currentTime": "2024-05-01T12:00:00Z"}))

All of it is compiled; nothing here stands between the caller and the core. Strict unless told otherwise:
`validate(…, tolerant=True)` mends a payload in place by the default set of `ocpp16.rpc.tolerance`; `repair_frame` and
`repair_payload` take any set and tell what they mended.
"""

from ocpp16._core import (
    Call,
    CallError,
    CallResult,
    EchoedId,
    FramingError,
    ValidationError,
    Violation,
    check,
    duplicate_members,
    format_datetime,
    parse,
    parse_datetime,
    parse_datetime_tolerant,
    serialize,
    tolerant_validate,
    validate_sending,
)

TYPE_CHECKING = False  # type checkers take it as true

if TYPE_CHECKING:
    from typing import Any

    from ocpp16._core import Kind
    from ocpp16._core.validation import Validate
    from ocpp16.messages.actions import ACTIONS, CARRIED
    from ocpp16.rpc.tolerance import Repair, Tolerance, repair_frame, repair_payload

__all__ = [
    "ACTIONS",
    "CARRIED",
    "Call",
    "CallError",
    "CallResult",
    "EchoedId",
    "FramingError",
    "Kind",
    "Repair",
    "Tolerance",
    "ValidationError",
    "Violation",
    "check",
    "duplicate_members",
    "format_datetime",
    "parse",
    "parse_datetime",
    "parse_datetime_tolerant",
    "repair_frame",
    "repair_payload",
    "serialize",
    "validate",
    "validate_sending",
]


# What not every user of the codec needs is imported on first use.
_HOMES = {
    "ACTIONS": "ocpp16.messages.actions",
    "CARRIED": "ocpp16.messages.actions",
    "Kind": "ocpp16._core.kinds",
    "Repair": "ocpp16.rpc.tolerance",
    "Tolerance": "ocpp16.rpc.tolerance",
    "repair_frame": "ocpp16.rpc.tolerance",
    "repair_payload": "ocpp16.rpc.tolerance",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return __all__


def _repair(action: str, kind: "Kind", payload: "Any") -> None:
    from ocpp16.rpc.tolerance import Tolerance, repair_payload

    repair_payload(action, kind, payload, Tolerance.DEFAULT)


validate: "Validate" = tolerant_validate(_repair)

"""Errors of EVerest's modules, as StatusNotification tells them (OCPP 1.6 ed. 2 §4.9).

The framework's Error is an object of its own kind, and an attribute of it that cannot be read is as good as not there:
an error is told in any case.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ocpp16.enums import ChargePointErrorCode
from ocpp16.faults import obey_exit
from ocpp16.models import ErrorInfo
from ocpp16.values import aware, is_a, whole

__all__ = ["MREC", "PlacedError", "placed", "uuid_of"]

VENDOR: Final = "https://chargex.inl.gov"
"""Whose codes the MREC are (Minimum Required Error Codes of the ChargeX consortium)."""
EVEREST: Final = "EVerest"
"""Whose the others are, unless they say: the framework does not tell it to Python."""
INOPERATIVE: Final = "evse_manager/Inoperative"
"""Its description is the code of its cause."""
METER_LOST: Final = "powermeter/CommunicationFault"
_NUMBER: Final = re.compile(r"/MREC(\d+)")

_OTHER: Final = ChargePointErrorCode.OTHER_ERROR
MREC: Final[Mapping[int, ChargePointErrorCode]] = MappingProxyType(
    {
        1: ChargePointErrorCode.CONNECTOR_LOCK_FAILURE,
        2: ChargePointErrorCode.GROUND_FAILURE,
        3: ChargePointErrorCode.HIGH_TEMPERATURE,
        4: ChargePointErrorCode.OVER_CURRENT_FAILURE,
        5: ChargePointErrorCode.OVER_VOLTAGE,
        6: ChargePointErrorCode.UNDER_VOLTAGE,
        **dict.fromkeys((8, 10, 11, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25, 26), _OTHER),
    }
)


class PlacedError(NamedTuple):
    """`evse` 0: the charge point. `connector` None: all of the EVSE."""

    evse: int
    connector: int | None
    info: ErrorInfo


def placed(error: Any, evse: int) -> PlacedError:
    """What the error is, and where: without a mapping it is of the charge point.

    `evse`: whose connection told of it (0: of none), which holds where the framework cannot give the mapping to Python.
    """
    origin = _attribute(error, "origin")
    try:
        mapping = getattr(origin, "mapping", None)
    except BaseException as failure:
        obey_exit(failure)
        return PlacedError(evse, None, _info(error))
    number = _whole(_attribute(mapping, "evse"))
    return PlacedError(number or 0, _whole(_attribute(mapping, "connector")) if number else None, _info(error))


def uuid_of(error: Any) -> str:
    """The framework has it as a text, or as an object with one."""
    found = _attribute(error, "uuid")
    return _text(found) or _text(_attribute(found, "uuid"))


def _info(error: Any) -> ErrorInfo:
    kind, sub_kind = _text(_attribute(error, "type")), _text(_attribute(error, "sub_type"))
    message, uuid = _text(_attribute(error, "message")), uuid_of(error)
    common: dict[str, Any] = {"timestamp": _time(_attribute(error, "timestamp")), **({"uuid": uuid} if uuid else {})}
    found = _NUMBER.search(kind)
    number = int(found[1]) if found and len(found[1]) < 4 else 0
    if number in MREC:
        return ErrorInfo(
            MREC[number], info=message or None, vendor_id=VENDOR, vendor_error_code=f"CX{number:03}", **common
        )
    if kind == INOPERATIVE:
        return ErrorInfo(
            _OTHER,
            is_fault=True,
            info=f"caused_by:{message}",
            vendor_id=_text(_attribute(error, "vendor_id")) or EVEREST,
            vendor_error_code=_text(_attribute(error, "description")) or None,
            **common,
        )
    code = kind.partition("/")[2] or kind
    return ErrorInfo(
        ChargePointErrorCode.POWER_METER_FAILURE if kind == METER_LOST else _OTHER,
        info=_origin(error) or None,
        vendor_id=message or None,
        vendor_error_code=f"{code}/{sub_kind}" if code else None,
        **common,
    )


def _origin(error: Any) -> str:
    origin = _attribute(error, "origin")
    module, implementation = _text(_attribute(origin, "module_id")), _text(_attribute(origin, "implementation_id"))
    return f"{module}->{implementation}" if module and implementation else module


def _attribute(of: Any, name: str) -> Any:
    if of is None:
        return None
    try:
        return getattr(of, name, None)
    except BaseException as failure:  # of a type that the framework cannot give to Python
        obey_exit(failure)
        return None


def _text(value: Any) -> str:
    return str(value) if is_a(value, str) else ""


def _whole(value: Any) -> int | None:
    try:
        return whole(value, "it", 0)
    except ValueError:
        return None


def _time(value: Any) -> datetime | None:
    try:
        return aware(datetime.fromisoformat(value) if is_a(value, str) else value, "it")
    except ValueError:
        return None

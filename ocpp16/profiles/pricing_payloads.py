"""What a Central System says of prices, from the JSON text in a DataTransfer to values (California pricing note).

Rules of this file:
1. Numbers are read as the decimal numbers they are written as; none goes through a float.
2. What the note asks for and cannot be missed (whose price it is, which session, how much) must be there. The rest may
   be missing; what is there must be what it says, or the whole message is refused: a ValueError that says why in words
   that a Central System may read.
3. A transaction id may be a number or its text. Statuses nobody can be triggered by are passed over.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from ocpp16._core import parse_datetime_tolerant
from ocpp16.enums import ChargePointStatus
from ocpp16.prices import (
    FORMAT_LENGTH,
    LANGUAGE_LENGTH,
    ChargingPrice,
    DisplayMessageContent,
    IdlePrice,
    NextPeriod,
    RunningCostState,
    amount,
)
from ocpp16.profiles.id_tags import check_id_tag
from ocpp16.state.clock import to_datetime
from ocpp16.state.price_triggers import WantedReports
from ocpp16.values import member, no_json_number, text

T = TypeVar("T")
MOST_TEXTS = 100
"""Texts in other languages of one message."""
_INT64 = 2**63
_TRIGGER_STATUSES = frozenset(
    {
        ChargePointStatus.AVAILABLE,
        ChargePointStatus.PREPARING,
        ChargePointStatus.CHARGING,
        ChargePointStatus.SUSPENDED_EVSE,
        ChargePointStatus.SUSPENDED_EV,
        ChargePointStatus.FINISHING,
    }
)


class UserPrice(NamedTuple):
    """`texts`: those in other languages follow the station's own, which has none."""

    id_tag: str
    texts: tuple[DisplayMessageContent, ...]


class CostReport(NamedTuple):
    """RunningCost or FinalCost. `state` None: it does not say. `meter_value` in Wh."""

    transaction_id: int
    cost: Decimal
    state: RunningCostState | None
    timestamp: int | None
    meter_value: Decimal | None
    charging_price: ChargingPrice | None
    idle_price: IdlePrice | None
    next_period: NextPeriod | None
    texts: tuple[DisplayMessageContent, ...]
    qr_code_text: str | None
    wanted: WantedReports


def read_user_price(data: str | None) -> UserPrice:
    """SetUserPrice. Raises ValueError."""
    members = _members(data)
    if "idToken" not in members:
        raise ValueError("idToken is missing")
    id_tag = check_id_tag(members["idToken"], "idToken")
    texts = _texts(members)
    if not texts:
        raise ValueError("priceText is missing")
    return UserPrice(id_tag, texts)


def read_cost(data: str | None) -> CostReport:
    """RunningCost and FinalCost. Raises ValueError."""
    members = _members(data)
    for name in ("transactionId", "cost"):
        if name not in members:
            raise ValueError(f"{name} is missing")
    return CostReport(
        transaction_id=_transaction_id(members["transactionId"]),
        cost=amount(members["cost"], "cost"),
        state=_optional(members, "state", _state),
        timestamp=_optional(members, "timestamp", _time),
        meter_value=_optional(members, "meterValue", amount),
        charging_price=_optional(members, "chargingPrice", _charging_price),
        idle_price=_optional(members, "idlePrice", _idle_price),
        next_period=_optional(members, "nextPeriod", _next_period),
        texts=_texts(members),
        qr_code_text=_optional(members, "qrCodeText", lambda value, name: text(value, name, least=1)),
        wanted=_optional(members, "triggerMeterValue", _wanted) or WantedReports(),
    )


def _members(data: str | None) -> dict[str, Any]:
    if data is None:
        raise ValueError("data is missing")
    try:
        found = json.loads(data, parse_float=Decimal, parse_int=Decimal, parse_constant=no_json_number)
    except (ArithmeticError, RecursionError, ValueError):
        raise ValueError("json parsing failed") from None
    return _object(found, "data")


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a JSON object")
    return value


def _optional(members: dict[str, Any], name: str, read: Callable[[Any, str], T]) -> T | None:
    """None where it is missing; null is as good."""
    value = members.get(name)
    return None if value is None else read(value, name)


def _transaction_id(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20:
        value = Decimal(value)
    if not isinstance(value, Decimal) or (value and value.adjusted() > 19) or value != value.to_integral_value():
        raise ValueError("transactionId must be a whole number")
    number = int(value)
    if not -_INT64 <= number < _INT64:
        raise ValueError("transactionId must be a whole number")
    return number


def _state(value: Any, name: str) -> RunningCostState:
    found = member(RunningCostState, value, name)
    if found is RunningCostState.FINISHED:
        raise ValueError("state must be one of Charging, Idle")
    return found


def _time(value: Any, name: str) -> int:
    try:
        return parse_datetime_tolerant(text(value, name, 64))
    except ValueError:
        raise ValueError(f"{name} must be a date and time") from None


def _charging_price(value: Any, name: str) -> ChargingPrice:
    members = _object(value, name)
    return ChargingPrice(*(_optional(members, part, amount) for part in ("kWhPrice", "hourPrice", "flatFee")))


def _idle_price(value: Any, name: str) -> IdlePrice:
    members = _object(value, name)
    return IdlePrice(_optional(members, "graceMinutes", _minutes), _optional(members, "hourPrice", amount))


def _minutes(value: Any, name: str) -> int:
    number = amount(value, name)
    if number != number.to_integral_value() or not 0 <= number < 2**31:
        raise ValueError(f"{name} must be a whole number of minutes")
    return int(number)


def _next_period(value: Any, name: str) -> NextPeriod:
    members = _object(value, name)
    at_time, price = _optional(members, "atTime", _time), _optional(members, "chargingPrice", _charging_price)
    if at_time is None or price is None:
        raise ValueError("nextPeriod needs atTime and chargingPrice")
    return NextPeriod(to_datetime(at_time), price, _optional(members, "idlePrice", _idle_price))


def _texts(members: dict[str, Any]) -> tuple[DisplayMessageContent, ...]:
    own = _optional(members, "priceText", lambda value, name: DisplayMessageContent(text(value, name, least=1)))
    extra = _optional(members, "priceTextExtra", _extra_texts)
    return (() if own is None else (own,)) + (extra or ())


def _extra_texts(value: Any, name: str) -> tuple[DisplayMessageContent, ...]:
    if not isinstance(value, list) or len(value) > MOST_TEXTS:
        raise ValueError(f"{name} must be a list of {MOST_TEXTS} texts at most")
    return tuple(_extra_text(_object(one, name), name) for one in value)


def _extra_text(members: dict[str, Any], name: str) -> DisplayMessageContent:
    language, content = members.get("language"), members.get("content")
    if language is None or content is None:
        raise ValueError(f"{name} needs language and content")
    return DisplayMessageContent(
        text(content, f"content of {name}", least=1),
        text(language, f"language of {name}", LANGUAGE_LENGTH, least=1),
        _optional(members, "format", lambda value, member: text(value, f"{member} of {name}", FORMAT_LENGTH)),
    )


def _wanted(value: Any, name: str) -> WantedReports:
    members = _object(value, name)
    return WantedReports(
        energy=_optional(members, "atEnergykWh", amount),
        power=_optional(members, "atPowerkW", amount),
        statuses=_optional(members, "atCPStatus", _statuses) or frozenset(),
        at_time=_optional(members, "atTime", _time),
    )


def _statuses(value: Any, name: str) -> frozenset[ChargePointStatus]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name} must be a list of statuses")
    return frozenset(status for status in _TRIGGER_STATUSES if str(status) in value)

"""Prices and costs in the form of EVerest's session_cost and display_message.

An amount there is a whole number of minor units: so many decimals as are displayed, rounded as they are then.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from ocpp16.everest.border import rfc3339
from ocpp16.everest.texts import contents
from ocpp16.prices import (
    MOST_DECIMALS,
    ChargingPrice,
    DisplayMessage,
    IdlePrice,
    NextPeriod,
    RunningCost,
    RunningCostState,
    TariffMessage,
    displayed,
)

__all__ = ["default_price", "display_messages", "session_cost", "tariff_message"]

STATUS: Final = {
    RunningCostState.CHARGING: "Running",
    RunningCostState.IDLE: "Idle",
    RunningCostState.FINISHED: "Finished",
}
LONGEST_IDENTIFIER: Final = 36


def session_cost(cost: RunningCost, decimals: int) -> dict[str, Any]:
    """A SessionCost. OCPP names no currency: only its decimals are told."""
    chunk: dict[str, Any] = {"cost": {"value": _minor(cost.cost, decimals)}}
    if cost.timestamp is not None:
        chunk["timestamp_to"] = rfc3339(cost.timestamp)
    if cost.meter_value is not None:
        chunk["metervalue_to"] = int(cost.meter_value)
    found: dict[str, Any] = {
        "session_id": cost.transaction_id,
        "currency": {"decimals": decimals},
        "status": STATUS[cost.state],
        "cost_chunks": [chunk],
    }
    if cost.charging_price is not None:
        found["charging_price"] = _charging_price(cost.charging_price, decimals)
    if cost.idle_price is not None:
        found["idle_price"] = _idle_price(cost.idle_price, decimals)
    if cost.next_period is not None:
        found["next_period"] = _next_period(cost.next_period, decimals)
    if cost.cost_messages:
        found["message"] = contents(cost.cost_messages)
        found["message"][0].pop("language", None)  # as of EVerest's own module: in the language of the station
    if cost.qr_code_text is not None:
        found["qr_code"] = cost.qr_code_text
    return found


def tariff_message(message: TariffMessage) -> dict[str, Any]:
    """A TariffMessage."""
    found: dict[str, Any] = {"messages": contents(message.message)}
    if message.identifier_id is not None:
        found |= {"identifier_id": message.identifier_id, "identifier_type": str(message.identifier_type)}
    if message.ocpp_transaction_id is not None:
        found["ocpp_transaction_id"] = str(message.ocpp_transaction_id)
    return found


def default_price(message: TariffMessage) -> dict[str, Any]:
    """A DefaultPrice."""
    return {"messages": contents(message.message)}


def display_messages(messages: Iterable[DisplayMessage]) -> list[dict[str, Any]]:
    """DisplayMessages, each with one text: a message in several languages is several there, and a QR code without a
    text one of its own."""
    found = []
    for message in messages:
        common: dict[str, Any] = {}
        if message.identifier_id is not None and len(message.identifier_id) <= LONGEST_IDENTIFIER:
            common = {"identifier_id": message.identifier_id, "identifier_type": str(message.identifier_type)}
        if message.qr_code is not None:
            common["qr_code"] = message.qr_code
        texts = contents(message.message)
        if not texts and message.qr_code is not None:
            texts = [{"content": message.qr_code, "format": "QRCODE"}]
        found += [{"message": text, **common} for text in texts]
    return found


def _minor(value: Decimal, decimals: int) -> int:
    return int(Decimal(displayed(value, decimals)).scaleb(decimals))


def _price(value: Decimal, decimals: int) -> dict[str, Any]:
    """With the decimals that it has: of a kWh it has often more than of what is paid."""
    own = -int(value.as_tuple().exponent)
    decimals = min(max(decimals, own), MOST_DECIMALS)
    return {"currency": {"decimals": decimals}, "value": {"value": _minor(value, decimals)}}


def _charging_price(price: ChargingPrice, decimals: int) -> list[dict[str, Any]]:
    parts = (("Time", price.hour_price), ("Energy", price.kwh_price), ("FlatFee", price.flat_fee))
    return [{"category": name, "price": _price(value, decimals)} for name, value in parts if value is not None]


def _idle_price(price: IdlePrice, decimals: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if price.grace_minutes is not None:
        found["grace_minutes"] = price.grace_minutes
    if price.hour_price is not None:
        found["hour_price"] = _price(price.hour_price, decimals)
    return found


def _next_period(period: NextPeriod, decimals: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "timestamp_from": rfc3339(period.at_time),
        "charging_price": _charging_price(period.charging_price, decimals),
    }
    if period.idle_price is not None:
        found["idle_price"] = _idle_price(period.idle_price, decimals)
    return found

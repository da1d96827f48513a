"""A Central System of the test kit that sends prices and costs (California pricing note), by one tariff for all.

    async with CentralSystem() as csms:
        SessionPricing(csms, kwh_price="0.45", flat_fee="1").begin()

After Authorize it sends SetUserPrice, after each MeterValues with a register RunningCost, after StopTransaction
FinalCost. It calculates with decimals; what it sends has two of them.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from typing import Any, NamedTuple

import orjson

from ocpp16.codec import parse_datetime
from ocpp16.errors import CallFailed, ConnectionClosed, Offline
from ocpp16.prices import displayed
from ocpp16.testing.answers import Answer, CallErrorAnswer, readable
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.recording import ReceivedCall

__all__ = ["SessionPricing"]

VENDOR = "org.openchargealliance.costmsg"
DECIMALS = 2
MOST_SESSIONS = 10_000
"""Transactions that are remembered, of all charge points; beyond it the oldest goes."""
_REGISTER = "Energy.Active.Import.Register"
_HOUR = 3_600_000_000
MOST_DIGITS = 15
"""Of a reading in Wh, before the point: what has more is none."""


class _Begun(NamedTuple):
    meter_start: Decimal
    at: int


class SessionPricing:
    """Prices the sessions of a Central System.

    kwh_price, hour_price, flat_fee: texts of decimal numbers, None: nothing. currency: as it stands in texts.
    qr_code: link of a final cost, to which the transaction id is added; None: there is none. Raises ValueError for a
    price that is no number.
    """

    def __init__(
        self,
        central: CentralSystem,
        *,
        kwh_price: str | None = "0.45",
        hour_price: str | None = None,
        flat_fee: str | None = None,
        currency: str = "EUR",
        qr_code: str | None = None,
    ) -> None:
        self._central = central
        given = {"kWhPrice": kwh_price, "hourPrice": hour_price, "flatFee": flat_fee}
        self._prices = {name: _price(name, value) for name, value in given.items() if value is not None}
        self._currency = currency
        self._qr_code = qr_code
        self._begun: OrderedDict[tuple[str, Any], _Begun] = OrderedDict()
        self.costs: dict[tuple[str, Any], str] = {}
        """Charge point and transaction id → the cost that was sent last."""

    def begin(self) -> None:
        """Answer from now on; what a script says of these four actions is replaced."""
        told = {
            "Authorize": self._authorize,
            "StartTransaction": self._start,
            "MeterValues": self._meter_values,
            "StopTransaction": self._stop,
        }
        self._central.answers.update({action: partial(self._answer, tell) for action, tell in told.items()})

    @property
    def price_text(self) -> str:
        """The tariff in words."""
        words = {"kWhPrice": "{} {} a kWh", "hourPrice": "{} {} an hour", "flatFee": "{} {} a session"}
        return ", ".join(
            words[name].format(self._currency, displayed(price, DECIMALS)) for name, price in self._prices.items()
        )

    def cost(self, energy: Decimal, duration: int) -> Decimal:
        """Of `energy` Wh in `duration` µs, rounded half up."""
        prices = self._prices
        exact = prices.get("flatFee", Decimal(0)) + prices.get("kWhPrice", Decimal(0)) * energy / 1000
        exact += prices.get("hourPrice", Decimal(0)) * duration / _HOUR
        return exact.quantize(Decimal(1).scaleb(-DECIMALS), rounding=ROUND_HALF_UP)

    def _answer(self, tell: Callable[[ReceivedCall, Any], None], payload: object, call: ReceivedCall) -> Answer:
        """As usual; what has no price is answered all the same."""
        read = readable(call)
        if isinstance(read, CallErrorAnswer):
            return read
        answer = self._central.standard_answers(read)
        with suppress(ArithmeticError, ValueError):  # numbers and times that a schema lets pass
            tell(read, answer)
        return answer

    def _authorize(self, call: ReceivedCall, answer: Any) -> None:
        self._send(call.identity, "SetUserPrice", {"idToken": call.payload["idTag"], "priceText": self.price_text})

    def _start(self, call: ReceivedCall, answer: Any) -> None:
        begun = _Begun(Decimal(call.payload["meterStart"]), parse_datetime(call.payload["timestamp"]))
        self._begun[call.identity, answer["transactionId"]] = begun
        while len(self._begun) > MOST_SESSIONS:
            self.costs.pop(self._begun.popitem(last=False)[0], None)

    def _meter_values(self, call: ReceivedCall, answer: Any) -> None:
        key = (call.identity, call.payload.get("transactionId"))
        reading = _newest(call.payload["meterValue"])
        if key in self._begun and reading is not None:
            energy, at = reading
            cost = self._cost(key, energy, at)
            data = {
                "transactionId": key[1],
                "timestamp": call.payload["meterValue"][-1]["timestamp"],
                "meterValue": round(energy),
                "cost": cost,
                "state": "Charging",
                "chargingPrice": {name: float(price) for name, price in self._prices.items()},
            }
            self._send(call.identity, "RunningCost", data)

    def _stop(self, call: ReceivedCall, answer: Any) -> None:
        key = (call.identity, call.payload["transactionId"])
        if key in self._begun:
            cost = self._cost(key, Decimal(call.payload["meterStop"]), parse_datetime(call.payload["timestamp"]))
            data = {"transactionId": key[1], "cost": cost, "priceText": f"{self._currency} {self.costs[key]} in all"}
            if self._qr_code is not None:
                data["qrCodeText"] = f"{self._qr_code}{key[1]}"
            self._send(call.identity, "FinalCost", data)

    def _cost(self, key: tuple[str, Any], energy: Decimal, at: int) -> float:
        begun = self._begun[key]
        cost = self.cost(max(Decimal(0), energy - begun.meter_start), max(0, at - begun.at))
        self.costs[key] = displayed(cost, DECIMALS)
        return float(cost)  # of two decimals: its shortest digits are those

    def _send(self, identity: str, message_id: str, data: dict[str, Any]) -> None:
        payload = {"vendorId": VENDOR, "messageId": message_id, "data": orjson.dumps(data).decode()}
        self._central.start_soon(self._sent, identity, payload)

    async def _sent(self, identity: str, payload: dict[str, Any]) -> None:
        """A charge point that is gone, or does not answer, is none of our business."""
        try:
            await self._central.call(identity, "DataTransfer", payload)
        except (CallFailed, ConnectionClosed, Offline):
            return


def _price(name: str, value: str) -> Decimal:
    try:
        price = Decimal(value)
        displayed(price, DECIMALS)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f"{name} must be a decimal number") from None
    return price


def _newest(values: list[dict[str, Any]]) -> tuple[Decimal, int] | None:
    """The import register in Wh that was read last, and when (µs); None: there is none."""
    for value in reversed(values):
        for sampled in value["sampledValue"]:
            if sampled.get("measurand", _REGISTER) == _REGISTER and "phase" not in sampled:
                try:
                    read = Decimal(sampled["value"])
                except InvalidOperation:
                    continue
                if read.is_finite() and read.adjusted() < MOST_DIGITS:
                    energy = read * (1000 if sampled.get("unit") == "kWh" else 1)
                    return energy, parse_datetime(value["timestamp"])
    return None

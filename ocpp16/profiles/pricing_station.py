"""The station that shows prices, as a feature asks it; what it lacks is not asked for."""

from collections.abc import Sequence
from typing import Any

from ocpp16.enums import DataTransferStatus
from ocpp16.models import DataTransferResponse
from ocpp16.observer import DefaultPriceTold, DisplayMessageTold, SessionCostTold, TariffTold
from ocpp16.prices import DisplayMessage, RunningCost, TariffMessage
from ocpp16.profiles.context import Context
from ocpp16.profiles.station_side import data_transfer_response

REJECTED = DataTransferResponse(DataTransferStatus.REJECTED)


def refused(why: str) -> DataTransferResponse:
    """Rejected, and why, for a person to read."""
    return DataTransferResponse(DataTransferStatus.REJECTED, why)


class _AskedPricingStation:
    """A PricingStation and DisplayStation as `AskedStation` is a CoreStation."""

    __slots__ = ("_host",)

    def __init__(self, host: Any) -> None:
        self._host = host

    async def tariff_message(self, message: TariffMessage) -> Any:
        return await self._host.tariff_message(message)

    async def session_cost(self, cost: RunningCost, number_of_decimals: int) -> Any:
        return await self._host.session_cost(cost, number_of_decimals)

    async def default_price(self, message: TariffMessage) -> Any:
        return await self._host.default_price(message)

    async def set_display_message(self, messages: Sequence[DisplayMessage]) -> Any:
        return await self._host.set_display_message(messages)


class PricingDisplay:
    """Asks, and tells, the station's display. A question is bounded by StationTimeout; what is told waits its turn, and
    what came later of the same takes its place."""

    __slots__ = ("_asked", "_ctx", "has_messages", "shows_prices")

    def __init__(self, ctx: Context, *, shows_prices: bool, has_messages: bool) -> None:
        self._ctx = ctx
        self._asked = _AskedPricingStation(ctx.station.host)
        self.shows_prices: bool = shows_prices
        self.has_messages: bool = has_messages

    async def ask_tariff(self, message: TariffMessage) -> DataTransferResponse:
        self._ctx.tell(TariffTold(message), 0)
        return await self._ctx.station_side.ask(
            self._asked.tariff_message, message, accept=data_transfer_response, safe=REJECTED
        )

    async def ask_cost(self, cost: RunningCost, decimals: int) -> DataTransferResponse:
        self._ctx.tell(SessionCostTold(cost, decimals), 0)
        return await self._ctx.station_side.ask(
            self._asked.session_cost, cost, decimals, accept=data_transfer_response, safe=REJECTED
        )

    async def ask_messages(self, messages: Sequence[DisplayMessage]) -> DataTransferResponse:
        for message in messages:
            self._ctx.tell(DisplayMessageTold(message), 0)
        return await self._ctx.station_side.ask(
            self._asked.set_display_message, messages, accept=data_transfer_response, safe=REJECTED
        )

    def tell_tariff(self, message: TariffMessage) -> None:
        self._ctx.tell(TariffTold(message), 0)
        topic = ("tariff_message", message.identifier_id)
        self._ctx.station_side.command(self._asked.tariff_message, message, connectors=(topic,), topic="tariff_message")

    def tell_cost(self, cost: RunningCost, decimals: int) -> None:
        self._ctx.tell(SessionCostTold(cost, decimals), 0)
        topic = ("session_cost", cost.transaction_id)
        self._ctx.station_side.command(
            self._asked.session_cost, cost, decimals, connectors=(topic,), topic="session_cost"
        )

    def tell_default_price(self, message: TariffMessage) -> None:
        if self.shows_prices:
            self._ctx.tell(DefaultPriceTold(message), 0)
            self._ctx.station_side.command(
                self._asked.default_price, message, connectors=("default_price",), topic="default_price"
            )

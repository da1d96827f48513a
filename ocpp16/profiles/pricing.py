"""Prices and costs that a driver is shown (California pricing note, over DataTransfer).

The feature is there where CustomDisplayCostAndPrice is true. What a station that is no `PricingStation` is sent is
Rejected, and nothing waits for it. The parts, each with a file: the price of a driver (`pricing_user`), the cost of a
session (`pricing_costs`), the meter reports that costs ask for (`pricing_reports`), sessions and the end of their idle
fee (`pricing_sessions`), estimates while offline (`pricing_estimates`), local time (`pricing_local_time`); the default
price is told here.
"""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Self

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import cost_and_price as keys
from ocpp16.models import DataTransferResponse
from ocpp16.profiles.base import Carried, Context, FeatureProfile, Others, Stored, hears
from ocpp16.profiles.pricing_costs import SessionCosts
from ocpp16.profiles.pricing_estimates import CostEstimates
from ocpp16.profiles.pricing_local_time import TimeOffsets
from ocpp16.profiles.pricing_reports import PriceReports
from ocpp16.profiles.pricing_sessions import VENDOR, PricedSessions
from ocpp16.profiles.pricing_station import PricingDisplay
from ocpp16.profiles.pricing_texts import default_tariff
from ocpp16.profiles.pricing_user import UserPrices
from ocpp16.state.signals import (
    ClockSet,
    ClockSettled,
    ConfigurationChanged,
    Connected,
    ConnectorStatusChanged,
    Disconnected,
    SessionStopped,
    TransactionAcknowledged,
    TransactionEnded,
    TransactionIdAssigned,
    TransactionStarted,
)
from ocpp16.station import DisplayStation, PricingStation

_DEFAULT_KEYS = (keys.DEFAULT_PRICE.name, keys.DEFAULT_PRICE_TEXT.name)


class Pricing(FeatureProfile):
    """`display` is what the station shows; `users`, `sessions` and the others see the head of this file."""

    __slots__ = ("_others", "costs", "display", "estimates", "offsets", "reports", "sessions", "users")

    name = "CostAndPrice"
    extras: ClassVar[tuple[type, ...]] = (PricingStation, DisplayStation)

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others
        host = ctx.station.host
        self.display: PricingDisplay = PricingDisplay(
            ctx,
            shows_prices=isinstance(host, PricingStation),
            has_messages=isinstance(host, DisplayStation),
        )
        meter = others.meter_values
        self.users: UserPrices = UserPrices(ctx, self.display)
        self.sessions: PricedSessions = PricedSessions(ctx)
        self.reports: PriceReports = PriceReports(ctx, self.sessions, meter)
        self.estimates: CostEstimates = CostEstimates(ctx, self.display, self.sessions, meter)
        self.costs: SessionCosts = SessionCosts(ctx, self.display, self.sessions, self.reports, self.estimates)
        self.offsets: TimeOffsets = TimeOffsets(ctx, others)

    @classmethod
    def is_wanted(cls, configuration: Configuration) -> bool:
        return configuration[keys.CUSTOM_DISPLAY_COST_AND_PRICE]

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    def restore(self, stored: Stored) -> None:
        self.sessions.restore(stored)
        self.offsets.restore(stored)

    def attach(self) -> None:
        self._others.meter_values.on_measured = self.reports.measured
        self._others.data_transfer.carry(
            VENDOR,
            {
                "SetUserPrice": _carried(self.users.set_user_price),
                "RunningCost": _carried(self.costs.running_cost),
                "FinalCost": _carried(self.costs.final_cost),
            },
        )

    def start(self) -> None:
        self.sessions.start()
        self.reports.begin_anew()
        self.estimates.begin()
        self.offsets.start()
        self._tell_default_price()

    def stop(self) -> None:
        self.reports.stop()
        self.estimates.stop()
        self.offsets.stop()

    # The default price

    def _tell_default_price(self) -> None:
        message = default_tariff(self.ctx, is_online=self.ctx.session.is_connected)
        if message is not None:
            self.display.tell_default_price(message)

    # What happens

    @hears(Connected)
    def _connected(self, signal: Connected) -> None:
        self._tell_default_price()

    @hears(Disconnected)
    def _disconnected(self, signal: Disconnected) -> None:
        self.users.nothing_comes()
        self.estimates.begin()
        self._tell_default_price()

    @hears(ClockSet)
    def _clock_set(self, signal: ClockSet) -> None:
        self.reports.begin_anew()
        self.offsets.begin()

    @hears(ClockSettled)
    def _clock_settled(self, signal: ClockSettled) -> None:
        self.sessions.clock_settled()
        self.offsets.begin()

    @hears(ConfigurationChanged)
    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key in _DEFAULT_KEYS:
            self._tell_default_price()
        self.offsets.changed(signal)

    @hears(ConnectorStatusChanged)
    def _status_changed(self, signal: ConnectorStatusChanged) -> None:
        if signal.connector_id:
            self.reports.status_changed(signal.connector_id)

    @hears(SessionStopped)
    def _session_stopped(self, signal: SessionStopped) -> None:
        self.sessions.unplugged(signal.connector_id)

    @hears(TransactionStarted)
    def _transaction_started(self, signal: TransactionStarted) -> None:
        self.sessions.unplugged(signal.transaction.connector_id, but=signal.transaction.session_id)
        self.estimates.begin()

    @hears(TransactionIdAssigned, TransactionAcknowledged)
    def _transaction_changed(self, signal: TransactionIdAssigned | TransactionAcknowledged) -> None:
        self.sessions.transaction_changed(signal.transaction)

    @hears(TransactionEnded)
    def _transaction_ended(self, signal: TransactionEnded) -> None:
        self.reports.end(signal.transaction.connector_id)
        self.sessions.ended(signal.transaction)
        self.estimates.ended(signal.transaction)


def _carried(
    answer: Callable[[str | None], Awaitable[DataTransferResponse]],
) -> Callable[[str | None], Awaitable[Carried]]:
    async def carried(data: str | None) -> Carried:
        return Carried(await answer(data))

    return carried

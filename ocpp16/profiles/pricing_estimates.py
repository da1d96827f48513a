"""What a running session costs while nobody can say so (California pricing note, offline): an estimate, told to the
station each `ESTIMATE_INTERVAL` as long as the charge point is offline, and once more at the end.

It goes on from the last cost that the Central System told, by the price that came with it; where none came, it begins
with the transaction, by chargingPrice of DefaultPrice. Without either there is no estimate, and none while idle time is
charged for, or of what is no amount.

The last cost outlives a restart with its session. It is stored where its price is another one: by the same price an
estimate comes to the same from any cost before.
"""

from decimal import Decimal
from typing import Any

from ocpp16.configuration.keys import cost_and_price as keys
from ocpp16.prices import MOST_WHOLE_DIGITS, ChargingPrice, RunningCost, RunningCostState
from ocpp16.profiles.base import MeterReports
from ocpp16.profiles.context import Context
from ocpp16.profiles.pricing_payloads import CostReport
from ocpp16.profiles.pricing_sessions import KnownCost, PricedSession, PricedSessions
from ocpp16.profiles.pricing_station import PricingDisplay
from ocpp16.profiles.pricing_texts import default_texts
from ocpp16.state.clock import dated, to_datetime
from ocpp16.state.cost_estimate import estimated
from ocpp16.state.timers import Timer
from ocpp16.state.transaction import Transaction

ESTIMATE_INTERVAL = 10.0
"""Seconds between two estimates of a session."""


class CostEstimates:
    """Of one start."""

    __slots__ = ("_ctx", "_display", "_meter", "_sessions", "_timer")

    def __init__(self, ctx: Context, display: PricingDisplay, sessions: PricedSessions, meter: MeterReports) -> None:
        self._ctx = ctx
        self._display = display
        self._sessions = sessions
        self._meter = meter
        self._timer: Timer | None = None

    def known(self, session: PricedSession, report: CostReport, *, is_final: bool) -> None:
        """The Central System told a cost."""
        transaction = self._sessions.transaction(session)
        if transaction is None:
            return
        before, session.known = session.known, None if is_final else self._found(transaction, report)
        if _price(before) != _price(session.known):
            self._ctx.journal.append(session.row())

    def _found(self, transaction: Transaction, report: CostReport) -> KnownCost:
        register = self._register(transaction) if report.meter_value is None else report.meter_value
        now = self._ctx.clock.now()
        at = now if report.timestamp is None else dated(report.timestamp, now)
        price = None if report.state is RunningCostState.IDLE else report.charging_price
        return KnownCost(report.cost, price, register, at)

    def begin(self) -> None:
        """There may be something to be estimated from now on."""
        if self._timer is None and not self._ctx.sender.is_online and self._ctx.transactions.all_running():
            first = self._ctx.clock.monotonic() + ESTIMATE_INTERVAL
            self._timer = self._ctx.timers.every(ESTIMATE_INTERVAL, self._tell_all, first)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def ended(self, transaction: Transaction) -> None:
        if not self._ctx.sender.is_online:
            register, at = transaction.meter_stop, transaction.stopped_at
            if register is not None and at is not None:
                self._tell(transaction, Decimal(register), at, RunningCostState.FINISHED)
        self._sessions.of(transaction).known = None

    def _tell_all(self) -> None:
        running = self._ctx.transactions.all_running()
        if self._ctx.sender.is_online or not running:
            self.stop()
            return
        for transaction in running:
            self._tell(transaction, self._register(transaction), self._ctx.clock.now(), RunningCostState.CHARGING)

    def _register(self, transaction: Transaction) -> Decimal:
        measurement = self._meter.present(transaction.connector_id)
        energy = None if measurement is None else measurement.energy_import.total
        return Decimal(transaction.meter_last) if energy is None else Decimal(str(round(energy, 3)))

    def _tell(self, transaction: Transaction, register: Decimal, at: int, state: RunningCostState) -> None:
        if not self._display.shows_prices:
            return
        ctx = self._ctx
        known = self._sessions.of(transaction).known
        if known is None:
            price = _default_price(ctx.configuration[keys.DEFAULT_PRICE])
            started_at = ctx.clock.settled(transaction.started_at, transaction.clock_boot)[0]
            before, begun, since = (
                (price and price.flat_fee) or Decimal(0),
                Decimal(transaction.meter_start),
                started_at,
            )
        else:
            price, before, begun, since = known.price, known.cost, known.register, known.at
        if price is None:
            return
        decimals = ctx.configuration[keys.NUMBER_OF_DECIMALS_FOR_COST_VALUES]
        cost = estimated(before, price, max(Decimal(0), register - begun), max(0, at - since), decimals)
        if cost.adjusted() >= MOST_WHOLE_DIGITS:
            return
        told = RunningCost(
            transaction.connector_id,
            transaction.session_id,
            state,
            cost,
            ocpp_transaction_id=transaction.transaction_id,
            timestamp=to_datetime(at),
            meter_value=register,
            charging_price=price,
            cost_messages=default_texts(ctx, is_online=False) if known is None else (),
            is_estimate=True,
        )
        self._display.tell_cost(told, decimals)


def _price(known: KnownCost | None) -> tuple[ChargingPrice | None] | None:
    """None where no cost is known; with one, its price or that it has none."""
    return None if known is None else (known.price,)


def _default_price(default: dict[str, Any] | None) -> ChargingPrice | None:
    """The digits of a number that JSON has as a float are its shortest ones: up to 15 of them are those written."""
    given = None if default is None else default.get("chargingPrice")
    if given is None:
        return None
    numbers = [given.get(name) for name in ("kWhPrice", "hourPrice", "flatFee")]
    try:
        return ChargingPrice(*(None if number is None else Decimal(str(number)) for number in numbers))
    except ValueError:  # of an amount that is none, as 1e300
        return None

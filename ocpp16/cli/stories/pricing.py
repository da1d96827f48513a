"""A driver and what the display says: the price, the cost while it charges, and in the end.

The Central System prices sessions. At each connector, one a little after the other, a driver reads the default price,
shows a card, reads his own price and the running cost, and drives away with a final cost and a QR code. The story waits
for what the charge point and the Central System say, and at the end it counts.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.stories.story import Story
from ocpp16.observer import ObserverEvent, SessionCostTold, TariffTold
from ocpp16.prices import RunningCostState
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.testing import CentralSystem
from ocpp16.testing.pricing import SessionPricing

BETWEEN_CARS: Final = 20.0
"""Seconds of the story, as those below."""
UNTIL_CARD: Final = 8.0
CHARGE: Final = 90.0
CAR: Final = CarPlan(plug_after=1.0, draw_after=2.0, current=32.0, phases=3, draw_for=86_400.0)


class Pricing(Story):
    """A driver for each connector."""

    text = "drivers who read a price, what it costs so far, and what it cost"

    def __init__(self, central_system: CentralSystem, narrate: Callable[[str], None], patience: float) -> None:
        super().__init__(central_system, narrate, patience)
        self._pricing = SessionPricing(
            central_system, kwh_price="0.45", hour_price="1.20", flat_fee="0.50", qr_code="https://pay.example/"
        )
        self._prices: set[str] = set()
        """Id tags that were told a price."""
        self._running: dict[int, str] = {}
        self._final: dict[int, str] = {}
        """By connector, the costs that were displayed."""

    def __enter__(self) -> Self:
        self._pricing.begin()
        return self

    def keys(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "CostAndPrice": {
                "CustomDisplayCostAndPrice": True,
                "NumberOfDecimalsForCostValues": 2,
                "Language": "en",
                "WaitForSetUserPriceTimeout": 30_000,
                "DefaultPrice": {"priceText": "EUR 0.60 a kWh"},
            }
        }

    def notice(self, event: ObserverEvent) -> None:
        if isinstance(event, TariffTold) and event.message.identifier_id is not None:
            self._prices.add(event.message.identifier_id)
        elif isinstance(event, SessionCostTold):
            cost = event.cost
            told = self._final if cost.state is RunningCostState.FINISHED else self._running
            told[cost.connector_id] = cost.displayed(event.number_of_decimals)
        super().notice(event)

    async def run(self, charge_point: ChargePoint, station: SimulatedStation) -> None:
        if not await self._booted():
            return
        async with trio.open_nursery() as nursery:
            for evse in station.evses:
                nursery.start_soon(self._visit, charge_point, station, evse.connector_id)

    async def _visit(self, charge_point: ChargePoint, station: SimulatedStation, connector_id: int) -> None:
        card, place = _card(connector_id), f"connector {connector_id}"

        def read(what: str) -> None:
            transaction, session = charge_point.transaction(connector_id), station.evse(connector_id).session_id
            id_tag = None if transaction is None else transaction.id_tag
            shown = station.displays.shown(connector_id, session, id_tag)
            lines = [shown[name] for name in ("price", "cost", "text", "qr_code") if shown[name]]
            self._narrate(f"{place}: {what} the driver reads: {' | '.join(lines)}")

        await self._pass(charge_point, 1.0 + BETWEEN_CARS * (connector_id - 1))
        station.plug_in(connector_id, CAR)
        await self._pass(charge_point, UNTIL_CARD)
        read("before the card")
        station.present_id_tag(card, [connector_id])
        if not await self._happens(f"{place}: no price for {card}", lambda: card in self._prices):
            return
        if not await self._happens(f"{place}: no running cost", lambda: connector_id in self._running):
            return
        read("while it charges")
        await self._pass(charge_point, CHARGE)
        station.unplug(connector_id)
        if await self._happens(f"{place}: no final cost", lambda: connector_id in self._final):
            read("in the end")

    async def _happens(self, otherwise: str, is_so: Callable[[], bool]) -> bool:
        if await self._until(is_so):
            return True
        self._failures.append(otherwise)
        return False

    def problems(self, connectors: int) -> list[str]:
        found = [*self._failures]
        sent = sorted(self._pricing.costs.values())
        displayed = sorted(self._final.values())
        if len(displayed) != connectors or displayed != sent:
            found.append(f"displayed were {', '.join(displayed) or 'no costs'}; sent were {', '.join(sent) or 'none'}")
        return found + self._violations()

    def result(self, connectors: int) -> str:
        costs = ", ".join(f"EUR {self._final[number]}" for number in sorted(self._final))
        return f"{connectors} drivers paid {costs}"


def _card(connector_id: int) -> str:
    return f"DRIVER{connector_id}"

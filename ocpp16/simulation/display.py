"""The displays of a simulated station, one for each connector: what a driver reads there of prices and costs.

What is told is kept; what a connector shows is found when somebody looks. A price belongs to a session, or to the id
tag that began it, or to everybody; a cost and its texts stay until the next session begins there.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from ocpp16.enums import DataTransferStatus
from ocpp16.models import DataTransferResponse
from ocpp16.prices import DisplayMessage, IdentifierType, RunningCost, TariffMessage
from ocpp16.simulation.overrule import Overrules, question
from ocpp16.state.authorization import id_tag_key

MOST_TARIFFS = 64
"""Prices of id tags and sessions that are kept; beyond it the oldest goes."""
_SHOWN = DataTransferResponse(DataTransferStatus.ACCEPTED)


class Displays:
    """Of all connectors of a station."""

    __slots__ = ("_costs", "_default", "_messages", "_tariffs")

    def __init__(self) -> None:
        self._default: TariffMessage | None = None
        self._tariffs: OrderedDict[tuple[IdentifierType | None, str], TariffMessage] = OrderedDict()
        self._costs: dict[int, tuple[RunningCost, int]] = {}
        self._messages: OrderedDict[str, DisplayMessage] = OrderedDict()
        """By session id."""

    def take_default(self, message: TariffMessage) -> None:
        self._default = message

    def take_tariff(self, message: TariffMessage) -> None:
        key = _key(message.identifier_type, message.identifier_id or "")
        self._tariffs.pop(key, None)
        self._tariffs[key] = message
        if len(self._tariffs) > MOST_TARIFFS:
            self._tariffs.popitem(last=False)

    def take_cost(self, cost: RunningCost, decimals: int) -> None:
        self._costs[cost.connector_id] = (cost, decimals)

    def take_message(self, message: DisplayMessage) -> None:
        session = message.identifier_id or ""
        self._messages.pop(session, None)
        self._messages[session] = message
        if len(self._messages) > MOST_TARIFFS:
            self._messages.popitem(last=False)

    def shown(
        self, connector_id: int, session: str | None, id_tag: str | None, language: str | None = None
    ) -> dict[str, Any]:
        """What a driver at this connector reads, in this language where there is a text of it.

        session, id_tag: those that are there now, None: none.
        """
        tariff = None if session is None else self._tariffs.get((IdentifierType.SESSION_ID, session))
        if tariff is None and id_tag is not None:
            tariff = self._tariffs.get(_key(IdentifierType.ID_TOKEN, id_tag))
        cost, decimals = self._costs.get(connector_id, (None, 0))
        if cost is not None and session is not None and cost.transaction_id != session:
            cost = None
        message = None if cost is None else self._messages.get(cost.transaction_id)
        texts = None if cost is None else TariffMessage(cost.cost_messages if message is None else message.message)
        price = tariff or self._default
        return {
            "connector": connector_id,
            "price": None if price is None else price.text(language),
            "cost": None if cost is None else cost.displayed(decimals),
            "state": None if cost is None else str(cost.state),
            "is_estimate": cost is not None and cost.is_estimate,
            "text": None if texts is None else texts.text(language),
            "qr_code": None if cost is None else (cost.qr_code_text if message is None else message.qr_code),
        }


def _key(kind: IdentifierType | None, identifier: str) -> tuple[IdentifierType | None, str]:
    return kind, id_tag_key(identifier) if kind is IdentifierType.ID_TOKEN else identifier


class WithDisplays:
    """The part of a station that shows prices: implements `PricingStation` and `DisplayStation`."""

    __slots__ = ("_displays",)

    overrules: Overrules

    def __init__(self) -> None:
        self._displays: Displays | None = None

    @property
    def displays(self) -> Displays:
        """Made with the first look: most stations show nothing."""
        if self._displays is None:
            self._displays = Displays()
        return self._displays

    @question
    async def tariff_message(self, message: TariffMessage) -> DataTransferResponse:
        self.displays.take_tariff(message)
        return _SHOWN

    @question
    async def session_cost(self, cost: RunningCost, number_of_decimals: int) -> DataTransferResponse:
        self.displays.take_cost(cost, number_of_decimals)
        return _SHOWN

    @question
    async def default_price(self, message: TariffMessage) -> None:
        self.displays.take_default(message)

    @question
    async def set_display_message(self, messages: Sequence[DisplayMessage]) -> DataTransferResponse:
        for message in messages:
            self.displays.take_message(message)
        return _SHOWN

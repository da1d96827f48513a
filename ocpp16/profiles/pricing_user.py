"""SetUserPrice, and the price that an accepted id tag is told (California pricing note).

Rules of this file:
1. A price may come before, during and after the answer to Authorize. One that nobody waits for is kept for the next
   authorization of its id tag: `KEPT_FOR` seconds, `MOST_KEPT` of them. So is that of a session: the tag may be on its
   way to another connector.
2. Only an authorization that the Central System accepted waits, WaitForSetUserPriceTimeout at most, and only where
   somebody would show the price: without a connection, or a display, nothing can come. Each waits for itself.
3. Who gets no price of his own is told the default price, if there is one.
4. Id tags are compared as everywhere.
"""

from collections import OrderedDict

import trio

from ocpp16.configuration.keys.cost_and_price import WAIT_FOR_SET_USER_PRICE_TIMEOUT
from ocpp16.models import DataTransferResponse
from ocpp16.prices import DisplayMessageContent, IdentifierType, TariffMessage
from ocpp16.profiles.context import Context
from ocpp16.profiles.pricing_payloads import read_user_price
from ocpp16.profiles.pricing_station import REJECTED, PricingDisplay, refused
from ocpp16.profiles.pricing_texts import default_texts, sent_texts
from ocpp16.state.authorization import id_tag_key

KEPT_FOR = 120.0
"""Seconds: as long as somebody with a card may look for a connector."""
MOST_KEPT = 64
"""Prices that nobody waits for; beyond it the oldest goes."""


class _Waiting:
    """An authorization that waits for its price; `price` None: none comes any more."""

    __slots__ = ("event", "price")

    def __init__(self) -> None:
        self.event = trio.Event()
        self.price: TariffMessage | None = None

    def end(self, price: TariffMessage | None) -> None:
        self.price = price
        self.event.set()


class UserPrices:
    """Of one start. Implements `base.UserPriceKeeper`."""

    __slots__ = ("_ctx", "_display", "_kept", "_waiting")

    def __init__(self, ctx: Context, display: PricingDisplay) -> None:
        self._ctx = ctx
        self._display = display
        self._kept: OrderedDict[str, tuple[float, TariffMessage]] = OrderedDict()
        """By key of the id tag: monotonic seconds until which it is kept, and the price."""
        self._waiting: dict[str, tuple[_Waiting, ...]] = {}

    async def set_user_price(self, data: str | None) -> DataTransferResponse:
        if not self._display.shows_prices:
            return REJECTED
        try:
            price = read_user_price(data)
        except ValueError as error:
            self._ctx.log.info("SetUserPrice refused: %s", error)
            return refused(str(error))
        texts = sent_texts(self._ctx, price.texts)
        message = self._message(price.id_tag, texts)
        if not self._hand_out(id_tag_key(price.id_tag), message):
            self._keep(id_tag_key(price.id_tag), TariffMessage(texts, price.id_tag, IdentifierType.ID_TOKEN))
        return await self._display.ask_tariff(message)

    def _message(self, id_tag: str, texts: tuple[DisplayMessageContent, ...]) -> TariffMessage:
        """For the session of this id tag, if it has one, else for the tag."""
        key = id_tag_key(id_tag)
        found = [one for one in self._ctx.transactions if id_tag_key(one.id_tag) == key]
        if not found:
            return TariffMessage(texts, id_tag, IdentifierType.ID_TOKEN)
        newest = max(found, key=lambda one: (one.is_running, one.key))
        return TariffMessage(
            texts,
            newest.session_id,
            IdentifierType.SESSION_ID,
            newest.transaction_id,
        )

    def _hand_out(self, key: str, message: TariffMessage) -> bool:
        """Give it to whom it is waited for by; does anybody?"""
        waiting = self._waiting.pop(key, ())
        for one in waiting:
            one.end(message)
        return bool(waiting)

    def _keep(self, key: str, message: TariffMessage) -> None:
        self._kept.pop(key, None)
        self._kept[key] = (self._ctx.clock.monotonic() + KEPT_FOR, message)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _kept_price(self, key: str) -> TariffMessage | None:
        """The one that came before, which is used up."""
        until, price = self._kept.pop(key, (0.0, None))
        return price if price is not None and self._ctx.clock.monotonic() < until else None

    async def tariff(self, id_tag: str, *, was_asked: bool) -> TariffMessage | None:
        """What an id tag that may charge is to pay, None: nobody knows. `was_asked`: the Central System said so."""
        if not self._display.shows_prices:
            return None
        key = id_tag_key(id_tag)
        price = self._kept_price(key)
        if price is None and was_asked and self._ctx.sender.is_online:
            price = await self._awaited(key)
        if price is None:
            texts = default_texts(self._ctx, is_online=self._ctx.session.is_connected)
            if texts:
                price = TariffMessage(texts, id_tag, IdentifierType.ID_TOKEN)
                self._display.tell_tariff(price)
        return price

    async def _awaited(self, key: str) -> TariffMessage | None:
        timeout = self._ctx.configuration[WAIT_FOR_SET_USER_PRICE_TIMEOUT] / 1000
        if timeout <= 0:
            return None
        waiting = _Waiting()
        self._waiting[key] = (*self._waiting.get(key, ()), waiting)
        try:
            with trio.move_on_after(timeout):
                await waiting.event.wait()
        finally:
            left = tuple(one for one in self._waiting.get(key, ()) if one is not waiting)
            if left:
                self._waiting[key] = left
            else:
                self._waiting.pop(key, None)
        return waiting.price

    def nothing_comes(self) -> None:
        """There is no connection any more: nobody waits for what cannot come."""
        waiting, self._waiting = self._waiting, {}
        for those in waiting.values():
            for one in those:
                one.end(None)

"""Keys that say what a driver is shown of prices, and of the time."""

from datetime import timedelta
from typing import Any

import trio
from key_effect import Changing, effect
from pricing import default_prices

from ocpp16.configuration.keys import cost_and_price
from ocpp16.observer import TimeOffsetChanged
from ocpp16.testing.stations import DisplayingStation

SHOWN: dict[str, Any] = {"CostAndPrice__CustomDisplayCostAndPrice": True}
TEXTS: dict[str, Any] = {
    **SHOWN,
    "CostAndPrice__CustomMultiLanguageMessages": True,
    "CostAndPrice__SupportedLanguages": "en,de",
}


@effect(
    cost_and_price.DEFAULT_PRICE,
    station=DisplayingStation,
    CostAndPrice__DefaultPrice={"priceText": "one"},
    **SHOWN,
)
async def the_default_price(on: Changing) -> None:
    await on.change('{"priceText":"two"}')
    await trio.sleep(0.1)
    assert default_prices(on.bench) == [["one"], ["two"]]


@effect(
    cost_and_price.DEFAULT_PRICE_TEXT,
    station=DisplayingStation,
    CostAndPrice__DefaultPrice={"priceText": "one"},
    CostAndPrice__DefaultPriceText={"priceTexts": [{"language": "en", "priceText": "one"}]},
    **TEXTS,
)
async def a_text_of_the_default_price(on: Changing) -> None:
    await on.change('{"priceText":"eins"}', "DefaultPriceText,de")
    await trio.sleep(0.1)
    assert default_prices(on.bench) == [["one", "one"], ["one", "one", "eins"]]


@effect(
    cost_and_price.WAIT_FOR_SET_USER_PRICE_TIMEOUT,
    station=DisplayingStation,
    CostAndPrice__WaitForSetUserPriceTimeout=0,
    **SHOWN,
)
async def how_long_a_price_is_waited_for(on: Changing) -> None:
    for value, seconds in (("3000", 3), ("0", 0)):
        await on.change(value)
        before = trio.current_time()
        assert await on.authorize("TAG") == "Accepted"
        assert seconds <= trio.current_time() - before < seconds + 1


@effect(
    cost_and_price.CUSTOM_IDLE_FEE_AFTER_STOP,
    station=DisplayingStation,
    CostAndPrice__CustomIdleFeeAfterStop=False,
    **SHOWN,
)
async def the_unplugging_is_told(on: Changing) -> None:
    for value, told in (("true", 1), ("false", 1)):
        await on.change(value)
        on.bench.begin()
        await trio.sleep(0.5)
        on.end(1, "s1")
        on.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(0.5)
        assert on.count("DataTransfer") == told


@effect(cost_and_price.TIME_OFFSET, CostAndPrice__TimeOffset="+01:00", **SHOWN)
async def the_local_time(on: Changing) -> None:
    local_time = on.charge_point.for_station.local_time
    assert local_time().utcoffset() == timedelta(hours=1)
    await on.change("-03:30")
    await trio.sleep(0.1)
    assert local_time().utcoffset() == -timedelta(hours=3, minutes=30)
    assert [event.offset for event in on.bench.events.of(TimeOffsetChanged)] == [-timedelta(hours=3, minutes=30)]


CHANGING: dict[str, Any] = {
    "CostAndPrice__TimeOffset": "+01:00",
    "CostAndPrice__TimeOffsetNextTransition": "+02:00",
    "CostAndPrice__NextTimeOffsetTransitionDateTime": "2026-01-01T01:00:00Z",
    **SHOWN,
}


@effect(cost_and_price.NEXT_TIME_OFFSET_TRANSITION_DATE_TIME, **CHANGING)
async def when_the_local_time_changes(on: Changing) -> None:
    await on.change("2026-01-01T00:10:00Z")
    await trio.sleep(650)
    assert on.charge_point.for_station.local_time().utcoffset() == timedelta(hours=2)


@effect(cost_and_price.TIME_OFFSET_NEXT_TRANSITION, **CHANGING)
async def what_the_local_time_changes_to(on: Changing) -> None:
    await on.change("+05:45")
    await trio.sleep(3700)
    assert on.charge_point.for_station.local_time().utcoffset() == timedelta(hours=5, minutes=45)

"""What tests of prices share: a Central System that sets them, and a station that shows them."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from ocpp16.prices import RunningCost, TariffMessage
from ocpp16.testing.stations import DisplayingStation

VENDOR = "org.openchargealliance.costmsg"


def priced(make_config: Callable[..., dict[str, Any]], **keys: Any) -> dict[str, Any]:
    """A configuration that shows prices; `keys` are those of CostAndPrice, or `Section__Key`."""
    own = {name if "__" in name else f"CostAndPrice__{name}": value for name, value in keys.items()}
    return make_config(CostAndPrice__CustomDisplayCostAndPrice=True, **own)


async def transfer(bench: Any, message_id: str, data: Any) -> tuple[str, str | None]:
    """A DataTransfer of the Central System: status and data of the answer. A text is sent as it is."""
    payload = {"vendorId": VENDOR, "messageId": message_id}
    if data is not None:
        payload["data"] = data if isinstance(data, str) else json.dumps(data)
    answer = await bench.call("DataTransfer", payload)
    return answer["status"], answer.get("data")


def cost(transaction_id: Any = 1, amount: Any = 1.5, **members: Any) -> dict[str, Any]:
    """RunningCost, complete; None leaves a member out."""
    data = {
        "transactionId": transaction_id,
        "timestamp": "2026-01-01T00:00:05Z",
        "meterValue": 1200,
        "cost": amount,
        "state": "Charging",
        "chargingPrice": {"kWhPrice": 0.45, "hourPrice": 0.2, "flatFee": 1},
        **members,
    }
    return {name: value for name, value in data.items() if value is not None}


def costs(bench: Any) -> list[RunningCost]:
    """What the station was told."""
    return [asked[0] for asked in bench.station.asked("session_cost")]


def tariffs(bench: Any) -> list[TariffMessage]:
    return [asked[0] for asked in bench.station.asked("tariff_message")]


def default_prices(bench: Any) -> list[list[str]]:
    """The texts of each default price."""
    return [[one.message for one in asked[0].message] for asked in bench.station.asked("default_price")]


def others(bench: Any, transaction_id: int | None = 1) -> list[set[str]]:
    """The measurands of each MeterValues with context Other, of this transaction."""
    values = [
        value["sampledValue"]
        for payload in bench.sent("MeterValues")
        for value in payload["meterValue"]
        if payload.get("transactionId") == transaction_id
    ]
    return [
        {one.get("measurand", "Energy.Active.Import.Register") for one in value}
        for value in values
        if value[0].get("context") == "Other"
    ]


OpenBench = Callable[..., AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def opened(
    open_bench: OpenBench, make_config: Callable[..., dict[str, Any]], *, options: Any = None, **keys: Any
) -> AsyncIterator[Any]:
    """A bench that shows prices, with the options of the fixture."""
    given = {"station": DisplayingStation(), **(options or {})}
    async with open_bench(document=priced(make_config, **keys), **given) as bench:
        yield bench

"""What a Central System may say wrongly of prices: each is Rejected with a reason, and the charge goes on."""

import json
from typing import Any

import pytest
import trio
from pricing import cost, costs, opened, tariffs, transfer

from ocpp16.prices import RunningCostState


async def started(bench: Any) -> None:
    bench.begin()
    await trio.sleep(0.5)


NO_AMOUNTS = ["NaN", "1e12", "-1e400", "1e-31", '"1.5"', "true", "null", "[]", "{}", "1" * 5000, "0.1" + "1" * 31]
WRONG_IDS: list[Any] = ["x", "1.5", 1.5, True, [], {}, 2**64, "", "\u0967", 1e300]
MALFORMED: list[Any] = [
    None,
    "",
    "{",
    "[]",
    "12",
    "null",
    '"text"',
    "[" * 100_000,
    '{"transactionId": 1, "cost": Infinity}',
    {"cost": 1},
    {"transactionId": 1},
    *(cost(number) for number in WRONG_IDS),
    *(json.dumps(cost(amount="AMOUNT")).replace('"AMOUNT"', text) for text in NO_AMOUNTS),
    cost(state="Sleeping"),
    cost(state="Finished"),
    cost(state=1),
    cost(timestamp="yesterday"),
    cost(timestamp=7),
    cost(meterValue="much"),
    cost(chargingPrice=0.45),
    cost(chargingPrice={"kWhPrice": "0.45"}),
    cost(idlePrice={"graceMinutes": 1.5}),
    cost(idlePrice={"graceMinutes": -1}),
    cost(nextPeriod={"chargingPrice": {}}),
    cost(nextPeriod={"atTime": "2026-01-01T01:00:00Z"}),
    cost(nextPeriod={"atTime": "soon", "chargingPrice": {}}),
    cost(priceText=5),
    cost(priceText=""),
    cost(priceTextExtra={"language": "de", "content": "x"}),
    cost(priceTextExtra=[{"language": "de"}]),
    cost(priceTextExtra=[{"content": "x"}]),
    cost(priceTextExtra=["x"]),
    cost(priceTextExtra=[{"language": 5, "content": "x"}]),
    cost(priceTextExtra=[{"language": "de", "content": "x"}] * 101),
    cost(priceText="\ud800"),
    cost(qrCodeText=5),
    cost(triggerMeterValue=[]),
    cost(triggerMeterValue={"atTime": "soon"}),
    cost(triggerMeterValue={"atEnergykWh": "7"}),
    cost(triggerMeterValue={"atPowerkW": True}),
    cost(triggerMeterValue={"atCPStatus": "Charging"}),
    cost(triggerMeterValue={"atCPStatus": [1]}),
]


@pytest.mark.parametrize("message_id", ["RunningCost", "FinalCost"])
async def test_malformed_costs(open_bench: Any, make_config: Any, message_id: str) -> None:
    """Each is Rejected; the station hears of none, and the charge goes on."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        for data in MALFORMED:
            status, why = await transfer(bench, message_id, data)
            assert status == "Rejected", data
            assert why, data
        assert costs(bench) == []
        assert (await transfer(bench, message_id, cost()))[0] == "Accepted"
        assert bench.charge_point.transaction(1) is not None
        assert bench.charge_point.counters.internal_errors == 0


async def test_malformed_prices(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        for data in (
            None,
            "x",
            "[]",
            {"priceText": "x"},
            {"idToken": "TAG1"},
            {"idToken": "", "priceText": "x"},
            {"idToken": "T" * 21, "priceText": "x"},
            {"idToken": 5, "priceText": "x"},
            {"idToken": "TAG1", "priceText": 5},
            {"idToken": "TAG1", "priceText": ["x"]},
            {"idToken": "TAG1", "priceText": "\udc00"},
            {"idToken": "TAG1", "priceText": "x", "priceTextExtra": "y"},
            {"idToken": "TAG1", "priceText": "x", "priceTextExtra": [{"language": "l" * 34, "content": "y"}]},
        ):
            assert (await transfer(bench, "SetUserPrice", data))[0] == "Rejected", data
        assert tariffs(bench) == []
        assert bench.charge_point.counters.internal_errors == 0


@pytest.mark.parametrize("member", ["language", "content", "format"])
async def test_the_member_of_a_text_is_named(open_bench: Any, make_config: Any, member: str) -> None:
    async with opened(open_bench, make_config) as bench:
        extra = [{"language": "de", "content": "x", member: 5}]
        status, why = await transfer(bench, "SetUserPrice", {"idToken": "TAG1", "priceTextExtra": extra})
        assert (status, (why or "").partition(" must")[0]) == ("Rejected", f"{member} of priceTextExtra")


async def test_what_is_missing_but_not_needed(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        assert await transfer(bench, "RunningCost", {"transactionId": 1, "cost": 0}) == ("Accepted", None)
        assert costs(bench)[0].state is RunningCostState.CHARGING
        extra = [{"language": "de", "content": "x"}]
        assert (await transfer(bench, "SetUserPrice", {"idToken": "A", "priceTextExtra": extra}))[0] == "Accepted"

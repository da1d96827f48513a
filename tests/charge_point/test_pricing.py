"""Prices and costs: who is told what, and what is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
import trio
from pricing import cost, costs, opened, tariffs, transfer

from ocpp16.enums import DataTransferStatus, Reason
from ocpp16.models import DataTransferResponse
from ocpp16.prices import IdentifierType, RunningCostState
from ocpp16.testing.stations import DisplayingStation, PriceShowingStation, RecordingStation

PRICE = {"idToken": "TAG1", "priceText": "0.45 a kWh"}


async def started(bench: Any, connector: int = 1, id_tag: str = "TAG1") -> None:
    bench.begin(connector, f"s{connector}", id_tag)
    await trio.sleep(0.5)


def end(bench: Any, reason: Reason = Reason.LOCAL, connector: int = 1) -> None:
    bench.charge_point.on_transaction_stopped(connector, f"s{connector}", reason, 2000)


# SetUserPrice


async def test_a_price_before_the_answer_to_authorize(open_bench: Any, make_config: Any) -> None:
    """It is kept for the authorization that follows, and that waits for nothing."""
    async with opened(open_bench, make_config, WaitForSetUserPriceTimeout=30_000) as bench:
        assert await transfer(bench, "SetUserPrice", {**PRICE, "idToken": "tag1"}) == ("Accepted", None)
        before = trio.current_time()
        info = await bench.charge_point.authorize_id_token("TAG1")
        assert trio.current_time() - before < 1
        assert info.tariff.text() == "0.45 a kWh"
        assert (info.tariff.identifier_id, info.tariff.identifier_type) == ("tag1", IdentifierType.ID_TOKEN)
        assert len(tariffs(bench)) == 1
        again = await bench.charge_point.authorize_id_token("TAG1")
        assert again.tariff is None, "it was used up"


async def test_a_price_while_authorize_is_answered(open_bench: Any, make_config: Any) -> None:
    """SetUserPrice comes, and is answered, before Authorize.conf."""
    async with opened(open_bench, make_config, WaitForSetUserPriceTimeout=5000) as bench:
        answers: list[Any] = []

        async def authorize(payload: Any, call: Any) -> dict[str, Any]:
            answers.append(await transfer(bench, "SetUserPrice", PRICE))
            return {"idTagInfo": {"status": "Accepted"}}

        bench.csms.answers["Authorize"] = authorize
        before = trio.current_time()
        info = await bench.charge_point.authorize_id_token("TAG1")
        assert answers == [("Accepted", None)]
        assert trio.current_time() - before < 1
        assert info.tariff.text() == "0.45 a kWh"


async def test_a_price_after_the_answer_to_authorize(open_bench: Any, make_config: Any) -> None:
    """An authorization waits for it, and for no other one; neither holds up the other."""
    async with opened(open_bench, make_config, WaitForSetUserPriceTimeout=10_000) as bench:
        found: dict[str, tuple[float, str | None]] = {}

        async def authorize(id_tag: str) -> None:
            info = await bench.charge_point.authorize_id_token(id_tag)
            found[id_tag] = (trio.current_time(), None if info.tariff is None else info.tariff.text())

        before = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(authorize, "TAG1")
            nursery.start_soon(authorize, "TAG2")
            await trio.sleep(3)
            await transfer(bench, "SetUserPrice", PRICE)
        assert found["TAG1"][1] == "0.45 a kWh"
        assert 3 <= found["TAG1"][0] - before < 4
        assert found["TAG2"][1] is None
        assert 10 <= found["TAG2"][0] - before < 11


@pytest.mark.parametrize("answer", ["Blocked", "Invalid"])
async def test_a_refused_id_tag_waits_for_no_price(open_bench: Any, make_config: Any, answer: str) -> None:
    async with opened(open_bench, make_config, WaitForSetUserPriceTimeout=10_000) as bench:
        bench.csms.answers["Authorize"] = {"idTagInfo": {"status": answer}}
        before = trio.current_time()
        info = await bench.charge_point.authorize_id_token("TAG1")
        assert (str(info.status), info.tariff) == (answer, None)
        assert trio.current_time() - before < 1


async def test_nobody_waits_without_a_display_or_a_connection(open_bench: Any, make_config: Any) -> None:
    """No callback is no reason to refuse anybody, or to make him wait."""
    for station in (RecordingStation(), DisplayingStation()):
        async with opened(
            open_bench,
            make_config,
            options={"station": station},
            WaitForSetUserPriceTimeout=30_000,
            Core__AllowOfflineTxForUnknownId=True,
        ) as bench:
            if isinstance(station, DisplayingStation):
                bench.charge_point.connection.disconnect()
                await bench.csms.wait_disconnected("cp001")
            before = trio.current_time()
            info = await bench.charge_point.authorize_id_token("TAG1")
            assert info.is_accepted
            assert trio.current_time() - before < 1


async def test_a_lost_connection_ends_the_wait(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config, WaitForSetUserPriceTimeout=30_000) as bench:
        before = trio.current_time()

        async def cut() -> None:
            await trio.sleep(2)
            bench.csms.abort("cp001")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(cut)
            info = await bench.charge_point.authorize_id_token("TAG1")
        assert info.is_accepted
        assert trio.current_time() - before < 5


async def test_the_default_price_where_no_other_comes(open_bench: Any, make_config: Any) -> None:
    """With the id tag it is for; the authorization does not wait for the display."""
    station = DisplayingStation()
    station.delays["tariff_message"] = 20
    price = {"priceText": "0.50 a kWh", "priceTextOffline": "0.60 a kWh"}
    async with opened(
        open_bench, make_config, options={"station": station}, DefaultPrice=price, WaitForSetUserPriceTimeout=1000
    ) as bench:
        before = trio.current_time()
        info = await bench.charge_point.authorize_id_token("TAG1")
        assert 1 <= trio.current_time() - before < 2
        assert (info.tariff.text(), info.tariff.identifier_id) == ("0.50 a kWh", "TAG1")
        await trio.sleep(0.1)
        assert tariffs(bench) == [info.tariff]


async def test_an_early_price_is_kept_for_a_while_and_so_many(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await transfer(bench, "SetUserPrice", PRICE)
        await trio.sleep(121)
        assert (await bench.charge_point.authorize_id_token("TAG1")).tariff is None
        for number in range(65):
            await transfer(bench, "SetUserPrice", {"idToken": f"T{number}", "priceText": f"{number}"})
        assert (await bench.charge_point.authorize_id_token("T0")).tariff is None
        for number in (1, 64):
            info = await bench.charge_point.authorize_id_token(f"T{number}")
            assert info.tariff.text() == f"{number}"


async def test_a_price_of_a_session(open_bench: Any, make_config: Any) -> None:
    """It names the session and the transaction, also after its end, until that is answered."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await transfer(bench, "SetUserPrice", PRICE)
        message = tariffs(bench)[-1]
        assert (message.identifier_type, message.identifier_id) == (IdentifierType.SESSION_ID, "s1")
        assert message.ocpp_transaction_id == 1
        bench.csms.answers["StopTransaction"] = None
        end(bench)
        await transfer(bench, "SetUserPrice", PRICE)
        assert tariffs(bench)[-1].identifier_id == "s1"


async def test_a_price_for_another_connector(open_bench: Any, make_config: Any) -> None:
    """It comes before the answer to Authorize as any other; that the tag charges elsewhere already makes it no late."""
    async with opened(open_bench, make_config, WaitForSetUserPriceTimeout=30_000) as bench:
        await started(bench)
        await transfer(bench, "SetUserPrice", PRICE)
        before = trio.current_time()
        info = await bench.charge_point.authorize_id_token("TAG1")
        assert trio.current_time() - before < 1
        assert info.tariff.text() == "0.45 a kWh"
        assert (info.tariff.identifier_id, info.tariff.identifier_type) == ("TAG1", IdentifierType.ID_TOKEN)


EXTRA = [{"format": "UTF8", "language": "de-AT", "content": "deutsch"}, {"language": "fr", "content": "français"}]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, [(None, "english")]),
        ({"Language": "en"}, [("en", "english")]),
        (
            {"Language": "en", "CustomMultiLanguageMessages": True},
            [("en", "english"), ("de-AT", "deutsch"), ("fr", "français")],
        ),
        (
            {"Language": "en", "CustomMultiLanguageMessages": True, "SupportedLanguages": "en,de"},
            [("en", "english"), ("de-AT", "deutsch")],
        ),
        (
            {"Language": "en", "CustomMultiLanguageMessages": False, "SupportedLanguages": "en,de"},
            [("en", "english")],
        ),
    ],
)
async def test_languages(open_bench: Any, make_config: Any, keys: Any, expected: Any) -> None:
    async with opened(open_bench, make_config, **keys) as bench:
        await transfer(bench, "SetUserPrice", {"idToken": "TAG1", "priceText": "english", "priceTextExtra": EXTRA})
        message = tariffs(bench)[0]
        assert [(one.language, one.message) for one in message.message] == expected
        if len(expected) == 3:
            assert [message.text(tag) for tag in ("de-at-1996", "fr-CA", "it", None)] == [
                "deutsch",
                "français",
                "english",
                "english",
            ]


# RunningCost and FinalCost


async def test_a_running_cost(open_bench: Any, make_config: Any) -> None:
    """Every digit arrives, with the session it is of, and in the state that was sent."""
    async with opened(open_bench, make_config, NumberOfDecimalsForCostValues=2) as bench:
        await started(bench)
        text = json.dumps(cost("1", 0, state="Idle", qrCodeText="https://pay.example/1"))
        text = text.replace('"cost": 0', '"cost": 12.345000000000000001')
        assert await transfer(bench, "RunningCost", text) == ("Accepted", None)
        told = costs(bench)[0]
        assert told.cost == Decimal("12.345000000000000001")
        assert (told.connector_id, told.transaction_id, told.ocpp_transaction_id) == (1, "s1", 1)
        assert told.state is RunningCostState.IDLE
        assert told.charging_price is not None
        assert told.charging_price.kwh_price == Decimal("0.45")
        assert told.qr_code_text == "https://pay.example/1"
        assert bench.station.asked("session_cost")[0][1] == 2
        assert told.displayed(2) == "12.35"
        assert not told.is_estimate


async def test_all_that_a_running_cost_may_say(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        await transfer(
            bench,
            "RunningCost",
            cost(
                idlePrice={"graceMinutes": 30, "hourPrice": 1.0},
                nextPeriod={
                    "atTime": "2026-01-01T01:00:00Z",
                    "chargingPrice": {"kWhPrice": 0.6},
                    "idlePrice": {"hourPrice": 2},
                },
            ),
        )
        told = costs(bench)[0]
        assert told.idle_price is not None
        assert told.idle_price.grace_minutes == 30
        assert told.idle_price.hour_price == Decimal(1)
        assert told.next_period is not None
        assert told.next_period.at_time.isoformat() == "2026-01-01T01:00:00+00:00"
        assert told.next_period.charging_price.kwh_price == Decimal("0.6")
        assert told.meter_value == Decimal(1200)
        assert told.timestamp is not None
        assert told.timestamp.isoformat() == "2026-01-01T00:00:05+00:00"
        assert bench.station.asked("session_cost")[0][1] == 3, "without the key"


async def test_a_final_cost_after_the_end(open_bench: Any, make_config: Any) -> None:
    """While StopTransaction waits, when it is answered, and when another transaction runs there already."""
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        bench.csms.answers["StopTransaction"] = None
        end(bench)
        await trio.sleep(0.2)
        assert await transfer(bench, "FinalCost", cost(priceText="all")) == ("Accepted", None)
        del bench.csms.answers["StopTransaction"]
        await trio.sleep(200)
        bench.begin(1, "s2", "TAG2")
        await trio.sleep(0.5)
        assert await transfer(bench, "FinalCost", cost(amount=3, priceText="all")) == ("Accepted", None)
        told = costs(bench)[-1]
        assert (told.state, told.transaction_id, told.cost) == (RunningCostState.FINISHED, "s1", Decimal(3))
        assert await transfer(bench, "RunningCost", cost(chargingPrice=None, state="Idle")) == ("Accepted", None)
        assert costs(bench)[-1].state is RunningCostState.IDLE
        await trio.sleep(50_000)
        await trio.sleep(50_000)
        assert (await transfer(bench, "FinalCost", cost(priceText="all")))[0] == "Rejected"


async def test_a_final_cost_is_displayed(open_bench: Any, make_config: Any) -> None:
    """Texts and QR code go to `set_display_message`, whose answer is the answer."""
    async with opened(open_bench, make_config, Language="en") as bench:
        await started(bench)
        end(bench)
        await trio.sleep(0.5)
        final = {"transactionId": 1, "cost": 3.31, "priceText": "EUR 3.31", "qrCodeText": "https://pay.example"}
        assert await transfer(bench, "FinalCost", final) == ("Accepted", None)
        (message,) = bench.station.asked("set_display_message")[0][0]
        assert [(one.language, one.message) for one in message.message] == [("en", "EUR 3.31")]
        assert (message.identifier_id, message.qr_code) == ("s1", "https://pay.example")
        answer = DataTransferResponse(DataTransferStatus.REJECTED, "no room")
        bench.station.answers["set_display_message"] = answer
        assert await transfer(bench, "FinalCost", final) == ("Rejected", "no room")


async def test_what_the_station_answers_is_sent(open_bench: Any, make_config: Any) -> None:
    answer = DataTransferResponse(DataTransferStatus.UNKNOWN_MESSAGE_ID, "later")
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        bench.station.answers["session_cost"] = bench.station.answers["tariff_message"] = answer
        assert await transfer(bench, "RunningCost", cost()) == ("UnknownMessageId", "later")
        assert await transfer(bench, "SetUserPrice", PRICE) == ("UnknownMessageId", "later")


@pytest.mark.parametrize("fault", [RuntimeError("display"), True, None, "Accepted"])
@pytest.mark.parametrize("message_id", ["SetUserPrice", "RunningCost", "FinalCost"])
async def test_a_display_that_raises_or_lies(open_bench: Any, make_config: Any, message_id: str, fault: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        await started(bench)
        for name in ("session_cost", "tariff_message"):
            bench.station.answers[name] = fault
        data = PRICE if message_id == "SetUserPrice" else cost(priceText="x", triggerMeterValue={"atPowerkW": 1})
        assert (await transfer(bench, message_id, data))[0] == "Rejected"
        bench.station.answers.clear()
        assert (await transfer(bench, message_id, data))[0] == "Accepted"


async def test_a_display_that_blocks(open_bench: Any, make_config: Any) -> None:
    """The answer comes after StationTimeout; authorizations do not wait for it, nor does the end."""
    async with opened(open_bench, make_config, Internal__StationTimeout=20) as bench:
        await started(bench)
        bench.station.delays = {"session_cost": 1000, "tariff_message": 1000}
        before = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(transfer, bench, "RunningCost", cost())
            await trio.sleep(0.5)
            assert (await bench.charge_point.authorize_id_token("TAG3")).is_accepted
            assert trio.current_time() - before < 2
        assert 20 <= trio.current_time() - before < 22
        end(bench)
        await trio.sleep(0.5)
        assert len(bench.sent("StopTransaction")) == 1


async def test_a_station_without_a_display(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config, options={"station": RecordingStation()}) as bench:
        await started(bench)
        for message_id, data in (("SetUserPrice", PRICE), ("RunningCost", cost()), ("FinalCost", cost())):
            assert (await transfer(bench, message_id, data))[0] == "Rejected"
    async with opened(open_bench, make_config, options={"station": PriceShowingStation()}) as bench:
        await started(bench)
        assert (await transfer(bench, "FinalCost", cost(priceText="no texts there")))[0] == "Accepted"


async def test_a_charge_point_that_shows_no_prices(open_bench: Any, make_config: Any) -> None:
    document = make_config(CostAndPrice__CustomDisplayCostAndPrice=False)
    async with open_bench(document=document, station=DisplayingStation()) as bench:
        await started(bench)
        assert (await transfer(bench, "RunningCost", cost()))[0] == "UnknownVendorId"
        assert costs(bench) == []


async def test_what_nobody_knows(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        assert (await transfer(bench, "Unheard", "{}"))[0] == "UnknownMessageId"
        assert await transfer(bench, "RunningCost", cost(77)) == ("Rejected", "no such transaction")

"""Prices and costs: from the Central System to EVerest's session_cost and display_message."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from everest_double import Nonsense
from everest_site import Site, token, warnings

from ocpp16.everest.prices import display_messages, session_cost
from ocpp16.prices import (
    ChargingPrice,
    DisplayMessage,
    DisplayMessageContent,
    IdlePrice,
    NextPeriod,
    RunningCost,
    RunningCostState,
)

VENDOR = "org.openchargealliance.costmsg"
PRICES: dict[str, Any] = {
    "CustomDisplayCostAndPrice": True,
    "NumberOfDecimalsForCostValues": 2,
    "DefaultPrice": {"priceText": "0.30 a kWh", "priceTextOffline": "ask us"},
    "CustomMultiLanguageMessages": True,
    "Language": "en",
    "WaitForSetUserPriceTimeout": 5000,
}


def transfer(here: Site, message: str, data: str) -> Any:
    return here.ask("DataTransfer", {"vendorId": VENDOR, "messageId": message, "data": data})


def test_prices_and_costs_of_a_session(site: Callable[..., Site]) -> None:
    here = site(document={"CostAndPrice": PRICES}, optional=("display_message",)).start()
    everest = here.everest
    here.until(
        lambda: (
            {"messages": [{"content": "0.30 a kWh", "language": "en"}]}
            in everest.values("session_cost", "default_price")
        )
    )
    data = '{"idToken": "TAG1", "priceText": "0.45 a kWh", "priceTextExtra": [{"format": "UTF8", "language": "de",'
    data += ' "content": "0,45 je kWh"}]}'
    assert transfer(here, "SetUserPrice", data)["status"] == "Accepted"
    told = everest.wait_published("session_cost", "tariff_message")
    assert (told["identifier_id"], told["identifier_type"]) == ("TAG1", "IdToken")
    assert told["messages"][0] == {"content": "0.45 a kWh", "language": "en"}
    assert told["messages"][1] == {"content": "0,45 je kWh", "language": "de", "format": "UTF8"}
    found = everest.call("auth_validator", "validate_token", provided_token=token("TAG1"))
    assert [it["content"] for it in found["tariff_messages"]] == ["0.45 a kWh", "0,45 je kWh"]
    here.plug_in(tag="TAG1")
    here.wait_call("StartTransaction")
    here.until(lambda: len(everest.values("ocpp_generic", "ocpp_transaction_event")) > 1)
    cost = '{"transactionId": 1, "timestamp": "2026-01-01T00:01:00Z", "meterValue": 1100, "cost": 1.235,'
    cost += ' "state": "Charging", "chargingPrice": {"kWhPrice": 0.4567, "hourPrice": 2, "flatFee": 1}}'
    assert transfer(here, "RunningCost", cost)["status"] == "Accepted"
    running = everest.wait_published("session_cost", "session_cost")
    assert running == {
        "session_id": "s1",
        "currency": {"decimals": 2},
        "status": "Running",
        "cost_chunks": [
            {"cost": {"value": 124}, "timestamp_to": "2026-01-01T00:01:00.000Z", "metervalue_to": 1100},
        ],
        "charging_price": [  # in the order of EVerest's own module
            {"category": "Time", "price": {"currency": {"decimals": 2}, "value": {"value": 200}}},
            {"category": "Energy", "price": {"currency": {"decimals": 4}, "value": {"value": 4567}}},
            {"category": "FlatFee", "price": {"currency": {"decimals": 2}, "value": {"value": 100}}},
        ],
    }
    final = '{"transactionId": 1, "cost": 3.31, "priceText": "3.31 in all", "qrCodeText": "https://pay.example/1"}'
    assert transfer(here, "FinalCost", final)["status"] == "Accepted"
    finished = everest.wait_published("session_cost", "session_cost", 2)
    assert (finished["status"], finished["cost_chunks"][0]["cost"]) == ("Finished", {"value": 331})
    shown = everest.wait_called("display_message", "set_display_message")["request"]
    assert shown[0]["message"]["content"] == "3.31 in all"
    assert (shown[0]["qr_code"], shown[0]["identifier_id"]) == ("https://pay.example/1", "s1")
    for answer in ({"status": "Rejected"}, Nonsense({"status": "Perhaps"}), Nonsense(None)):
        everest.answers["display_message", "set_display_message"] = answer
        assert transfer(here, "FinalCost", final)["status"] == "Rejected"


def test_without_a_display_a_final_cost_is_told_all_the_same(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(document={"CostAndPrice": PRICES}).start()
    here.plug_in()
    here.until(lambda: len(here.everest.values("ocpp_generic", "ocpp_transaction_event")) > 1)
    final = '{"transactionId": 1, "cost": 3, "priceText": "3 in all"}'
    assert transfer(here, "FinalCost", final)["status"] == "Accepted"
    told = here.everest.wait_published("session_cost", "session_cost")
    assert (told["status"], told["message"]) == ("Finished", [{"content": "3 in all"}])
    assert "told by session_cost only: no display_message is connected" in warnings(caplog.records)


def test_all_that_a_cost_can_have() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    cost = RunningCost(
        1,
        "s1",
        RunningCostState.IDLE,
        Decimal("-0.125"),
        idle_price=IdlePrice(5, Decimal("4.5")),
        next_period=NextPeriod(at, ChargingPrice(hour_price=Decimal("1e1")), IdlePrice(hour_price=Decimal(2))),
        cost_messages=(DisplayMessageContent("text", None, "PLAIN"),),
        qr_code_text="link",
    )
    price = {"currency": {"decimals": 2}, "value": {"value": 1000}}
    assert session_cost(cost, 2) == {
        "session_id": "s1",
        "currency": {"decimals": 2},
        "status": "Idle",
        "cost_chunks": [{"cost": {"value": -13}}],
        "idle_price": {
            "grace_minutes": 5,
            "hour_price": {"currency": {"decimals": 2}, "value": {"value": 450}},
        },
        "next_period": {
            "timestamp_from": "2026-01-01T00:00:00.000Z",
            "charging_price": [{"category": "Time", "price": price}],
            "idle_price": {"hour_price": {"currency": {"decimals": 2}, "value": {"value": 200}}},
        },
        "message": [{"content": "text"}],
        "qr_code": "link",
    }


def test_a_qr_code_without_a_text_is_a_message_of_its_own() -> None:
    assert display_messages([DisplayMessage((), qr_code="link")]) == [
        {"message": {"content": "link", "format": "QRCODE"}, "qr_code": "link"}
    ]

"""The Central System that prices sessions, with a charge point and a simulated station that shows them."""

from typing import Any

import pytest
import trio

from ocpp16 import open_charge_point
from ocpp16.simulation import Commands, Operation, SimulatedStation
from ocpp16.testing import CallErrorAnswer, CentralSystem, ReceivedCall
from ocpp16.testing.pricing import SessionPricing

CONFIG: dict[str, Any] = {
    "Internal": {
        "ChargePointId": "cp001",
        "CentralSystemURI": "ws://csms.example/ocpp/",
        "ChargePointModel": "M1",
        "ChargePointVendor": "V1",
    },
    "Core": {"NumberOfConnectors": 1, "MeterValueSampleInterval": 60},
    "CostAndPrice": {
        "CustomDisplayCostAndPrice": True,
        "NumberOfDecimalsForCostValues": 2,
        "WaitForSetUserPriceTimeout": 5000,
        "DefaultPrice": {"priceText": "EUR 0.50 a kWh"},
        "TimeOffset": "+02:00",
    },
    "Security": {"SecurityProfile": 0},
}


async def test_a_session_as_a_driver_sees_it(autojump_clock: Any) -> None:
    """Price, running cost, final cost with its QR code."""
    station = SimulatedStation()
    async with CentralSystem() as csms:
        pricing = SessionPricing(csms, kwh_price="0.45", flat_fee="1", qr_code="https://pay.example/")
        pricing.begin()
        assert pricing.price_text == "EUR 0.45 a kWh, EUR 1.00 a session"
        async with open_charge_point(CONFIG, station, connector=csms.connector, anchor=1_767_225_600) as charge_point:
            operation = Operation(station, charge_point)
            await operation.start()
            commands = Commands(station, charge_point, operation)
            await trio.sleep(1)
            shown = await commands.run("display", {"connector": 1})
            assert shown == {
                "connector": 1,
                "time": "2026-01-01T02:00+02:00",
                "price": "EUR 0.50 a kWh",
                "cost": None,
                "state": None,
                "is_estimate": False,
                "text": None,
                "qr_code": None,
            }
            station.plug_in(1)
            station.present_id_tag("TAG1")
            await trio.sleep(150)
            shown = await commands.run("display", {"connector": 1})
            assert shown["price"] == "EUR 0.45 a kWh, EUR 1.00 a session"
            assert (shown["cost"], shown["state"]) == (pricing.costs["cp001", 1], "Charging")
            assert float(shown["cost"]) > 1
            station.unplug(1)
            await trio.sleep(5)
            shown = await commands.run("display", {"connector": 1})
            final = pricing.costs["cp001", 1]
            assert (shown["cost"], shown["state"]) == (final, "Finished")
            assert (shown["text"], shown["qr_code"]) == (f"EUR {final} in all", "https://pay.example/1")
            told = csms.calls("StopTransaction")[0].payload
            start = csms.calls("StartTransaction")[0].payload
            watt_hours = told["meterStop"] - start["meterStart"]
            cents = (2 * (100 * 1000 + 45 * watt_hours) + 1000) // 2000
            assert final == f"{cents // 100}.{cents % 100:02}"
            assert charge_point.counters.internal_errors == 0
            await operation.stop()
        assert list(csms.violations) == []


@pytest.mark.parametrize("price", ["much", "NaN", "1e40"])
async def test_no_price(price: str) -> None:
    async with CentralSystem() as csms:
        with pytest.raises(ValueError, match="kWhPrice must be a decimal number"):
            SessionPricing(csms, kwh_price=price)


def reading(value: str, **members: str) -> dict[str, Any]:
    sampled = {"value": value, **members}
    return {
        "connectorId": 1,
        "transactionId": 1,
        "meterValue": [{"timestamp": "2026-01-01T01:00:00Z", "sampledValue": [sampled]}],
    }


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("MeterValues", reading("NaN"), {}),
        ("MeterValues", reading("Infinity"), {}),
        ("MeterValues", reading("1e9999999", unit="kWh"), {}),
        ("MeterValues", reading("1e30"), {}),
        ("StopTransaction", {"transactionId": 1, "meterStop": 10**40, "timestamp": "2026-01-01T02:00:00Z"}, {}),
        ("StopTransaction", {"transactionId": [1]}, CallErrorAnswer),
        ("Authorize", {}, CallErrorAnswer),
        ("StartTransaction", {"connectorId": 1}, CallErrorAnswer),
        ("MeterValues", {"connectorId": 1, "meterValue": 5}, CallErrorAnswer),
    ],
)
async def test_what_has_no_price_is_answered_all_the_same(
    autojump_clock: Any, action: str, payload: dict[str, Any], answer: Any
) -> None:
    """Nothing that a charge point sends ends a Central System."""
    async with CentralSystem() as csms:
        pricing = SessionPricing(csms)
        pricing.begin()
        start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"}

        def told(action: str, payload: dict[str, Any]) -> Any:
            return csms.answer(ReceivedCall(0.0, "CP1", "1", action, payload), None)

        assert told("StartTransaction", start)["transactionId"] == 1
        found = told(action, payload)
        assert isinstance(found, answer) if isinstance(answer, type) else found == answer
        assert pricing.costs == {}
        assert told("MeterValues", reading("1", unit="kWh")) == {}
        assert pricing.costs == {("CP1", 1): "0.45"}

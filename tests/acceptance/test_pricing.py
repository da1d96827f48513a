"""California pricing over DataTransfer: prices, costs, meter reports, idle fees, the default price and local time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]

VENDOR = "org.openchargealliance.costmsg"
PRICES = {
    "CustomDisplayCostAndPrice": True,
    "NumberOfDecimalsForCostValues": 2,
    "WaitForSetUserPriceTimeout": 0,
    "CustomIdleFeeAfterStop": True,
    "CustomMultiLanguageMessages": True,
    "SupportedLanguages": "en,de",
    "Language": "en",
    "DefaultPrice": {"priceText": "0.50 a kWh", "priceTextOffline": "0.60 a kWh", "chargingPrice": {"kWhPrice": 0.6}},
    "TimeOffset": "-03:30",
    "TimeOffsetNextTransition": "-02:30",
    "NextTimeOffsetTransitionDateTime": "2099-03-28T01:00:00Z",
}
RESUMED = {"power_loss_policy": "resume"}


def transfer(one: Outside, message_id: str, data: Any) -> tuple[str, str | None]:
    """Status and data of the answer; a text is sent as it is, None not at all."""
    members = {} if data is None else {"data": data if isinstance(data, str) else json.dumps(data)}
    answer = one.call("DataTransfer", vendorId=VENDOR, messageId=message_id, **members)
    assert "error" not in answer
    return answer["status"], answer.get("data")


def cost(number: int, amount: Any = 1.25, **members: Any) -> dict[str, Any]:
    return {
        "transactionId": number,
        "timestamp": in_seconds(0),
        "meterValue": 100,
        "cost": amount,
        "state": "Charging",
        "chargingPrice": {"kWhPrice": 0.45},
        **members,
    }


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def accepted(one: Outside, message_id: str, data: Any) -> None:
    assert transfer(one, message_id, data)[0] == "Accepted"


def report(one: Outside, number: int) -> set[str]:
    """The measurands of the next MeterValues with context Other."""
    while True:
        values = one.expect("MeterValues", transactionId=number)["meterValue"][0]["sampledValue"]
        if values[0].get("context") == "Other":
            return {sampled.get("measurand", "Energy.Active.Import.Register") for sampled in values}


ENERGY = {"Energy.Active.Import.Register"}


@pytest.fixture
def shown(begin: Begin) -> Begin:
    """Makes one that shows prices, with other values of these keys."""

    def make(station: dict[str, Any] | None = None, speed: float = 1, **keys: Any) -> Outside:
        return begin(CostAndPrice={**PRICES, **keys}, station=station or {}, speed=speed)

    return make


def test_a_price_before_the_card(shown: Begin) -> None:
    """It is kept, and told to whom it is for, whatever the case of the tag."""
    one = shown(WaitForSetUserPriceTimeout=30_000)
    accepted(one, "SetUserPrice", {"idToken": "card", "priceText": "0.30 a kWh"})
    one.told("tariff_message", identifier="card", identifier_type="IdToken")
    one.charge()
    assert one.do("display", connector=1)["price"] == "0.30 a kWh"


def test_a_price_after_the_card(shown: Begin) -> None:
    """The start waits for it, and begins when it comes."""
    one = shown(WaitForSetUserPriceTimeout=30_000)
    one.plug_in()
    one.status(1, "Preparing")
    one.card("CARD", 1)
    one.expect("Authorize", idTag="CARD")
    accepted(one, "SetUserPrice", {"idToken": "CARD", "priceText": "0.31 a kWh"})
    one.charges()
    assert one.do("display", connector=1)["price"] == "0.31 a kWh"


def test_a_price_that_never_comes(shown: Begin) -> None:
    """The default price is told, and the card starts."""
    one = shown(WaitForSetUserPriceTimeout=1000)
    one.charge()
    (told,) = one.program.events("tariff_message")
    assert told["identifier"] == "CARD"
    assert told["texts"] == [{"language": "en", "text": "0.50 a kWh"}]


def test_a_price_during_the_session(shown: Begin) -> None:
    """It is of the session, with the transaction id."""
    one = shown()
    number = one.charge()
    accepted(one, "SetUserPrice", {"idToken": "CARD", "priceText": "0.32 a kWh"})
    told = one.told("tariff_message", identifier_type="SessionId")
    assert told["transaction_id"] == number
    assert one.do("display", connector=1)["price"] == "0.32 a kWh"


def test_a_price_in_several_languages(shown: Begin) -> None:
    """Those that the station supports; others get its own."""
    one = shown()
    one.charge()
    extra = [{"format": "UTF8", "language": "de", "content": "0,33 je kWh"}, {"language": "fr", "content": "0,33"}]
    accepted(one, "SetUserPrice", {"idToken": "CARD", "priceText": "0.33 a kWh", "priceTextExtra": extra})
    told = one.told("tariff_message", identifier_type="SessionId")
    assert [text["language"] for text in told["texts"]] == ["en", "de"]
    assert one.do("display", connector=1, language="de-AT")["price"] == "0,33 je kWh"
    assert one.do("display", connector=1, language="fr")["price"] == "0.33 a kWh"


@pytest.mark.parametrize("state", ["Charging", "Idle"])
def test_a_running_cost(shown: Begin, state: str) -> None:
    """Every digit, the state that was sent, rounded for the display alone."""
    one = shown()
    number = one.charge()
    text = json.dumps(cost(number, state=state)).replace("1.25", "12.3450000000000000001")
    accepted(one, "RunningCost", text)
    told = one.told("session_cost", connector=1, state=state)
    assert (told["cost"], told["displayed"], told["transaction_id"]) == ("12.3450000000000000001", "12.35", number)
    assert one.do("display", connector=1)["cost"] == "12.35"


def test_a_final_cost_after_the_stop_was_answered(shown: Begin) -> None:
    """With its text and QR code; and while another session runs there."""
    one = shown()
    number = one.charge()
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    one.settle()
    final = {"transactionId": number, "cost": 3.31, "priceText": "USD 3.31", "qrCodeText": "https://pay.example/3"}
    accepted(one, "FinalCost", final)
    one.told("session_cost", state="Finished", displayed="3.31")
    one.told("display_message", qr_code="https://pay.example/3")
    display = one.do("display", connector=1)
    assert (display["cost"], display["text"], display["qr_code"]) == ("3.31", "USD 3.31", "https://pay.example/3")
    one.unplug()
    one.status(1, "Available")
    one.charge(1, "OTHER")
    accepted(one, "FinalCost", final)


def test_a_final_cost_before_the_stop_is_answered(shown: Begin) -> None:
    one = shown()
    number = one.charge()
    one.is_answered = False
    one.answer_next("StopTransaction", None)
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    accepted(one, "FinalCost", {"transactionId": number, "cost": 2, "priceText": "2"})
    one.power_cut()  # in order it would wait for the answer


def test_costs_of_nobody(shown: Begin) -> None:
    one = shown()
    one.charge()
    assert transfer(one, "RunningCost", cost(999_999)) == ("Rejected", "no such transaction")
    assert transfer(one, "Unheard", "{}")[0] == "UnknownMessageId"


MALFORMED: list[Any] = [
    None,
    "",
    "no json",
    "[]",
    "{}",
    {"cost": 1},
    {"transactionId": "x", "cost": 1},
    {"transactionId": 1.5, "cost": 1},
    {"transactionId": 1},
    {"transactionId": 1, "cost": "1"},
    '{"transactionId": 1, "cost": NaN}',
    '{"transactionId": 1, "cost": 1e999999999}',
    cost(1, state="Sleeping"),
    cost(1, timestamp="soon"),
    cost(1, chargingPrice=[]),
    cost(1, priceText=1),
    cost(1, priceTextExtra=[{}]),
    cost(1, triggerMeterValue={"atEnergykWh": "x"}),
    cost(1, triggerMeterValue={"atCPStatus": [1]}),
    "[" * 20_000,
]


@pytest.mark.parametrize("message_id", ["SetUserPrice", "RunningCost", "FinalCost"])
def test_malformed_data(shown: Begin, message_id: str) -> None:
    """Each is Rejected, and none a CALLERROR; the charge goes on."""
    one = shown()
    number = one.charge()
    for data in MALFORMED:
        assert transfer(one, message_id, data)[0] == "Rejected", data
    accepted(one, "RunningCost", cost(number))
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)


def test_a_report_at_a_time(shown: Begin) -> None:
    """That of the clock, whatever local time is."""
    one = shown()
    number = one.charge()
    accepted(one, "RunningCost", cost(number, triggerMeterValue={"atTime": in_seconds(2)}))
    assert report(one, number) == ENERGY


def test_a_report_at_a_time_that_has_just_passed(shown: Begin) -> None:
    one = shown()
    number = one.charge()
    accepted(one, "RunningCost", cost(number, triggerMeterValue={"atTime": in_seconds(-5)}))
    assert report(one, number) == ENERGY


def test_a_report_at_an_energy(shown: Begin) -> None:
    """Not a whole number of kWh."""
    one = shown(speed=60)
    number = one.charge()
    accepted(one, "RunningCost", cost(number, triggerMeterValue={"atEnergykWh": 0.0405}))
    assert report(one, number) == ENERGY
    one.settle()
    reports = [values for values in one.calls("MeterValues") if "Other" in json.dumps(values)]
    assert len(reports) == 1


def test_reports_at_a_power(shown: Begin) -> None:
    """At once, and when the car ceases to draw."""
    one = shown()
    number = one.charge()
    accepted(one, "RunningCost", cost(number, triggerMeterValue={"atPowerkW": 0.5}))
    assert report(one, number) == {*ENERGY, "Power.Active.Import"}
    one.do("pause_drawing", connector=1)
    assert report(one, number) == {*ENERGY, "Power.Active.Import"}


def test_reports_at_a_status(shown: Begin) -> None:
    one = shown()
    number = one.charge()
    accepted(one, "RunningCost", cost(number, triggerMeterValue={"atCPStatus": ["SuspendedEV", "Charging"]}))
    one.do("pause_drawing", connector=1)
    one.status(1, "SuspendedEV")
    assert report(one, number) == ENERGY
    one.do("resume_drawing", connector=1)
    one.status(1, "Charging")
    assert report(one, number) == ENERGY


def test_a_new_cost_removes_what_the_last_one_wanted(shown: Begin) -> None:
    one = shown()
    number = one.charge()
    accepted(one, "RunningCost", cost(number, triggerMeterValue={"atCPStatus": ["SuspendedEV"]}))
    accepted(one, "RunningCost", cost(number))
    one.do("pause_drawing", connector=1)
    one.status(1, "SuspendedEV")
    one.settle()
    assert one.calls("MeterValues") == []


def test_kill_while_a_cost_wants_reports(shown: Begin) -> None:
    """kill -9 after RunningCost was accepted: the reports come in the session that goes on."""
    one = shown(RESUMED)
    number = one.charge()
    accepted(one, "RunningCost", cost(number, triggerMeterValue={"atTime": in_seconds(3)}))
    one.power_cut()
    one.power_up()
    one.booted()
    assert report(one, number) == ENERGY
    accepted(one, "RunningCost", cost(number, 2))


def test_kill_during_running_costs(shown: Begin) -> None:
    """What was being answered may be repeated; the charge goes on."""
    one = shown(RESUMED)
    number = one.charge()
    for amount in range(5):
        data = json.dumps(cost(number, amount, triggerMeterValue={"atEnergykWh": 1 + amount}))
        payload = {"vendorId": VENDOR, "messageId": "RunningCost", "data": data}
        one.post(json.dumps([2, f"kill-{amount}", "DataTransfer", payload]))
    one.power_cut()
    one.power_up()
    one.booted()
    accepted(one, "RunningCost", cost(number, 7))
    one.told("session_cost", displayed="7.00", transaction_id=number)


def test_kill_before_the_final_cost(shown: Begin) -> None:
    """StopTransaction was answered; the cost comes after kill -9."""
    one = shown()
    number = one.charge()
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    one.settle()
    one.power_cut()
    one.power_up()
    one.booted()
    accepted(one, "FinalCost", {"transactionId": number, "cost": 4.5, "priceText": "4.50"})
    one.told("session_cost", state="Finished", displayed="4.50")


def unplugged(one: Outside, number: int) -> None:
    payload = one.expect("DataTransfer", vendorId=VENDOR, messageId="ConnectorUnplugged")
    data = json.loads(payload["data"])
    assert data["transactionId"] == number
    assert abs(datetime.fromisoformat(data["timestamp"]) - datetime.now(UTC)) < timedelta(hours=1)


def test_the_unplugging_after_the_stop(shown: Begin) -> None:
    """Told once; not where the car ended the transaction itself."""
    one = shown()
    number = one.charge()
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    one.unplug()
    unplugged(one, number)
    one.status(1, "Available")
    one.charge(1, "OTHER")
    one.unplug()
    one.expect("StopTransaction", reason="EVDisconnected")
    one.settle()
    assert len(one.calls("DataTransfer")) == 1


def test_kill_while_an_unplugging_waits(shown: Begin) -> None:
    """Offline, then kill -9: it is told after the next start."""
    one = shown()
    number = one.charge()
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    one.settle()
    one.offline()
    one.unplug()
    one.told("status", connector=1, status="Available")
    assert one.do("status")["queue_depth"] >= 1
    # Answered when it is on disk, as is all that was told before: that of an unplugging nobody else says.
    assert one.do("change_availability", connector=1, kind="Operative") == "Accepted"
    one.power_cut()
    one.script("listen")
    one.power_up()
    unplugged(one, number)


def test_the_default_price(shown: Begin) -> None:
    """Online, offline, and changed, in each language."""
    one = shown()
    one.told("default_price", texts=[{"language": "en", "text": "0.50 a kWh"}])
    assert one.ask("ChangeConfiguration", key="DefaultPrice", value='{"priceText":"0.55"}') == "Accepted"
    one.told("default_price", texts=[{"language": "en", "text": "0.55"}])
    assert one.ask("ChangeConfiguration", key="DefaultPriceText,de", value='{"priceText":"0,55"}') == "Accepted"
    one.told("default_price", texts=[{"language": "en", "text": "0.55"}, {"language": "de", "text": "0,55"}])
    assert one.ask("ChangeConfiguration", key="DefaultPriceText,fr", value='{"priceText":"0,55"}') != "Accepted"
    assert one.ask("ChangeConfiguration", key="DefaultPrice", value="{}") == "Rejected"


def test_offline(shown: Begin) -> None:
    """The offline price, and an estimate by it."""
    one = shown(speed=60)
    one.charge()
    one.offline()
    one.told("default_price", texts=[{"language": "en", "text": "0.60 a kWh"}])
    told = one.told("session_cost", is_estimate=True, state="Charging")
    assert float(told["cost"]) >= 0
    one.online()


def test_local_time(shown: Begin) -> None:
    """Its offset, with the sign of hours and minutes, and its next change."""
    one = shown()
    offset = datetime.fromisoformat(one.do("display", connector=1)["time"]).utcoffset()
    assert offset == -timedelta(hours=3, minutes=30)
    value = in_seconds(-1)
    assert one.ask("ChangeConfiguration", key="NextTimeOffsetTransitionDateTime", value=value) == "Rejected"
    value = in_seconds(3)
    assert one.ask("ChangeConfiguration", key="NextTimeOffsetTransitionDateTime", value=value) == "Accepted"
    one.told("time_offset", minutes=-150)
    offset = datetime.fromisoformat(one.do("display", connector=1)["time"]).utcoffset()
    assert offset == -timedelta(hours=2, minutes=30)


def test_a_charge_point_that_shows_nothing(begin: Begin) -> None:
    """Without CustomDisplayCostAndPrice nobody answers, and nothing else is different."""
    one = begin()
    number = one.charge()
    assert transfer(one, "RunningCost", cost(number))[0] == "UnknownVendorId"

"""Amounts, what is calculated from them, and when a meter is to be told: exactly."""

from decimal import Decimal, localcontext
from random import Random
from typing import Any

import pytest

from ocpp16.enums import ChargePointStatus
from ocpp16.prices import (
    ChargingPrice,
    DisplayMessage,
    DisplayMessageContent,
    IdentifierType,
    RunningCost,
    RunningCostState,
    TariffMessage,
    amount,
    displayed,
    is_supported,
)
from ocpp16.profiles.pricing_payloads import read_cost
from ocpp16.state.cost_estimate import estimated
from ocpp16.state.price_triggers import PriceTriggers, WantedReports

SESSIONS = 10_000


def in_units(numerator: int, denominator: int) -> int:
    """Rounded half up, away from nought."""
    whole, rest = divmod(abs(numerator), denominator)
    whole += 2 * rest >= denominator
    return whole if numerator >= 0 else -whole


def written(units: int, places: int) -> str:
    """So many units of 10^-places, as a decimal number."""
    digits = str(abs(units)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if units < 0 and int(digits) else text


def test_the_costs_of_ten_thousand_sessions() -> None:
    """What arrives is what was written, and what is displayed its rounding, by a calculation with whole numbers."""
    random = Random(1)
    for _ in range(SESSIONS):
        places, decimals = random.randrange(0, 19), random.randrange(0, 11)
        units = random.randrange(-(10 ** random.randrange(1, places + 12)), 10 ** random.randrange(1, places + 12))
        text = written(units, places)
        report = read_cost(f'{{"transactionId": 7, "cost": {text}}}')
        assert report.cost * 10**places == units if places + len(str(units)) < 28 else report.cost == Decimal(text)
        expected = in_units(units * 10**decimals, 10**places)
        assert displayed(report.cost, decimals) == written(expected, decimals)


def test_the_estimates_of_ten_thousand_sessions() -> None:
    """Prices of six decimals, registers of one, times in µs, against whole numbers."""
    random = Random(2)
    for _ in range(SESSIONS):
        before, kwh, hour = (random.randrange(0, 10**8) for _ in range(3))
        energy, duration = random.randrange(0, 10**7), random.randrange(0, 10**12)
        decimals = random.randrange(0, 11)
        price = ChargingPrice(Decimal(kwh).scaleb(-6), Decimal(hour).scaleb(-6))
        cost = estimated(Decimal(before).scaleb(-6), price, Decimal(energy).scaleb(-1), duration, decimals)
        # In units of 10^-6 / (10 x 1000 x 3.6e9)
        under = 10_000 * 3_600_000_000
        over = before * under + kwh * energy * 3_600_000_000 + hour * duration * 10_000
        expected = in_units(over * 10**decimals, under * 10**6)
        assert displayed(cost, decimals) == written(expected, decimals)


def test_rounding_is_half_up_whatever_the_host_has_set() -> None:
    with localcontext() as context:
        context.prec = 3
        context.rounding = "ROUND_DOWN"
        assert displayed(Decimal("123456.785"), 2) == "123456.79"
        assert displayed(Decimal("-0.125"), 2) == "-0.13"
        assert displayed(Decimal("-0.004"), 2) == "0.00"
        assert displayed(Decimal("2.5"), 0) == "3"
    with pytest.raises(ValueError, match="decimals must be a whole number from 0 to 10"):
        displayed(Decimal(1), 11)


@pytest.mark.parametrize(
    ("given", "expected"), [(Decimal("1.500"), "1.5"), (Decimal("0E-99"), "0"), (7, "7"), (Decimal("1E+3"), "1E+3")]
)
def test_amounts(given: Any, expected: str) -> None:
    assert str(amount(given, "cost")) == expected


@pytest.mark.parametrize(
    "given",
    [1.5, True, "1", None, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+12"), Decimal("1E-31")],
)
def test_no_amounts(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^cost "):
        amount(given, "cost")


@pytest.mark.parametrize(
    "make",
    [
        lambda: RunningCost(0, "s", RunningCostState.IDLE, Decimal(1)),
        lambda: RunningCost(1, "", RunningCostState.IDLE, Decimal(1)),
        lambda: RunningCost(1, "s", "Sleeping", Decimal(1)),  # type: ignore[arg-type]
        lambda: RunningCost(1, "s", RunningCostState.IDLE, None),  # type: ignore[arg-type]
        lambda: RunningCost(1, "s", RunningCostState.IDLE, 1.5),  # type: ignore[arg-type]
        lambda: TariffMessage((), "TAG"),
        lambda: TariffMessage(("x",)),  # type: ignore[arg-type]
        lambda: DisplayMessage((), qr_code=""),
        lambda: DisplayMessageContent(""),
        lambda: DisplayMessageContent("x", "l" * 34),
    ],
)
def test_values_are_right_once_made(make: Any) -> None:
    with pytest.raises(ValueError, match=r"must|belong"):
        make()


def test_words_become_members() -> None:
    made = RunningCost(1, "s", "Idle", Decimal("1.50"))  # type: ignore[arg-type]
    assert made.state is RunningCostState.IDLE
    message = TariffMessage([DisplayMessageContent("x")], "T", "IdToken")  # type: ignore[arg-type]
    assert message.identifier_type is IdentifierType.ID_TOKEN
    assert message.message == (DisplayMessageContent("x"),)


def test_supported_languages() -> None:
    assert is_supported("de-CH", ["en", "DE"])
    assert not is_supported("de", ["de-CH"])
    assert is_supported("tlh", None)


def test_a_threshold_among_powers_that_a_car_gives_back() -> None:
    """5 % of it on either side: what moves beneath it reports nothing."""
    triggers = PriceTriggers()
    triggers.wanted = WantedReports(power=Decimal(-5))
    powers = (-6000.0, -5240.0, -5100.0, -4751.0, -4750.0, -5249.0, -5250.0, -5100.0)
    reported = [power for power in powers if triggers.measured(None, power)]
    assert reported == [-6000.0, -4750.0, -5250.0]


def test_triggers_over_a_restart() -> None:
    triggers = PriceTriggers(ChargePointStatus.PREPARING)
    statuses = frozenset({ChargePointStatus.CHARGING})
    triggers.wanted = WantedReports(Decimal("1.2345"), Decimal("7.4"), statuses, 1_800_000_000_000_000)
    assert triggers.measured(None, 7400.0) == "power"
    other = PriceTriggers()
    other.restore(triggers.stored(triggers.wanted))
    assert (other.wanted, other.reported_power) == (triggers.wanted, Decimal(7400))
    assert other.time_has_come(1_800_000_000_000_000)
    assert not other.time_has_come(1_800_000_000_000_001)
    assert other.replaced(WantedReports(at_time=1_800_000_000_000_000)) == WantedReports(), "a repeat"
    for wrong in ({"energy": "NaN"}, {"statuses": ["Asleep"]}, {"atTime": 1.5}, {"statuses": 5}, 7):
        with pytest.raises(ValueError, match="triggers of a price cannot be read"):
            other.restore(wrong)  # type: ignore[arg-type]
    assert other.reported_power == Decimal(7400)

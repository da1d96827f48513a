"""What a session costs by a price that is known here, while the Central System cannot be reached. Exact but for the one
rounding to the decimals that are displayed, half up."""

from decimal import Decimal

from ocpp16.prices import ChargingPrice

_HOUR = 3_600_000_000
"""µs."""
_NOTHING = Decimal(0)


def estimated(before: Decimal, price: ChargingPrice, energy: Decimal, duration: int, decimals: int) -> Decimal:
    """`before`, and what `energy` Wh and `duration` µs cost besides; the flat fee is not among it."""
    parts = (
        before.as_integer_ratio(),
        _product((price.kwh_price or _NOTHING).as_integer_ratio(), energy.as_integer_ratio(), 1000),
        _product((price.hour_price or _NOTHING).as_integer_ratio(), (duration, 1), _HOUR),
    )
    over, under = 0, 1
    for numerator, denominator in parts:
        over, under = over * denominator + numerator * under, under * denominator
    scaled = abs(over) * 10**decimals
    whole = (2 * scaled + under) // (2 * under)
    return Decimal(whole if over >= 0 else -whole).scaleb(-decimals)


def _product(one: tuple[int, int], other: tuple[int, int], divisor: int) -> tuple[int, int]:
    return one[0] * other[0], one[1] * other[1] * divisor

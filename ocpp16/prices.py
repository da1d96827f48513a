"""Prices and costs as a station is told of them (California pricing note), with libocpp's names.

As the values of `models`: right once made, frozen. An amount is a `decimal.Decimal` with every digit that came over the
wire, in the currency of the texts, for OCPP names none; it is rounded once, when it is displayed (`displayed`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from typing import Any

from ocpp16.values import aware, described, exactly, flag, is_a, items, member, text, whole

MOST_WHOLE_DIGITS = 12
"""Digits of an amount before its decimal point: more than any session costs in any currency."""
MOST_PLACES = 30
"""Digits behind it: more than a Central System writes that calculates with floats."""
MOST_DECIMALS = 10
"""Decimals of a displayed amount, as NumberOfDecimalsForCostValues has it."""
LANGUAGE_LENGTH = 33
"""Characters of a language tag (RFC 5646, as far as anybody uses it)."""
FORMAT_LENGTH = 50
"""Characters of the name of a format."""
_CONTEXT = Context(prec=MOST_WHOLE_DIGITS + MOST_PLACES + 2, rounding=ROUND_HALF_UP)


class RunningCostState(StrEnum):
    """What a cost is for."""

    CHARGING = "Charging"
    """The session so far, while energy flows."""
    IDLE = "Idle"
    """The session so far, while none does."""
    FINISHED = "Finished"
    """The whole of it: it is over."""


class IdentifierType(StrEnum):
    """What a tariff belongs to."""

    ID_TOKEN = "IdToken"  # noqa: S105 - no secret
    """To an id tag, before there is a session."""
    SESSION_ID = "SessionId"
    """To a session."""


def amount(value: Any, name: str) -> Decimal:
    """`value`, a Decimal or an int, without zeros at its end. Raises ValueError that names it for what is no amount:
    no finite number, a trillion or more, or of more than `MOST_PLACES` decimals."""
    if is_a(value, bool) or not is_a(value, (Decimal, int)):
        raise ValueError(f"{name} must be a decimal number, not {described(value)}")
    number = Decimal(value)
    if not number.is_finite() or (number and number.adjusted() >= MOST_WHOLE_DIGITS):
        raise ValueError(f"{name} is no amount")
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int), "it is finite"
    if not number:
        return Decimal(0)
    kept = len(digits)
    while digits[kept - 1] == 0 and exponent < 0:
        kept -= 1
        exponent += 1
    if exponent < -MOST_PLACES:
        raise ValueError(f"{name} has more than {MOST_PLACES} decimals")
    return Decimal((sign, digits[:kept], exponent))


def displayed(value: Decimal, decimals: int) -> str:
    """An amount (`value`) as a driver reads it, as "12.50": rounded to so many decimals (0 to 10), half up, away from
    nought.

    Raises ValueError for what is no amount.
    """
    places = Decimal((0, (1,), -whole(decimals, "decimals", 0, MOST_DECIMALS)))
    rounded = amount(value, "value").quantize(places, context=_CONTEXT)
    return format(rounded if rounded else abs(rounded), "f")


@dataclass(frozen=True, slots=True)
class DisplayMessageContent:
    """A text to be shown. `language`: its RFC 5646 tag, None: not known. `message_format`: as "UTF8", None: plain."""

    message: str
    """The text, not empty."""
    language: str | None = None
    message_format: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", text(self.message, "message", least=1))
        if self.language is not None:
            object.__setattr__(self, "language", text(self.language, "language", LANGUAGE_LENGTH, least=1))
        if self.message_format is not None:
            object.__setattr__(self, "message_format", text(self.message_format, "message_format", FORMAT_LENGTH))


def in_language(messages: Sequence[DisplayMessageContent], language: str | None) -> DisplayMessageContent | None:
    """The text for a reader of `language`: of this tag, else of a shorter one ("de" for "de-CH", RFC 4647), else the
    first, which is that of the station's own language. None: there are no texts."""
    wanted = "" if language is None else language.lower()
    while wanted:
        for one in messages:
            if one.language is not None and one.language.lower() == wanted:
                return one
        wanted = wanted.rpartition("-")[0]
    return messages[0] if messages else None


def is_supported(language: str, supported: Iterable[str] | None) -> bool:
    """Can a station show it that names these languages (None: any)? One that knows "de" shows "de-CH", too."""
    if supported is None:
        return True
    known = {one.lower() for one in supported}
    wanted = language.lower()
    while wanted:
        if wanted in known:
            return True
        wanted = wanted.rpartition("-")[0]
    return False


def _contents(of: Any, name: str) -> None:
    found = [exactly(DisplayMessageContent, one, name) for one in items(getattr(of, name), name, "texts")]
    object.__setattr__(of, name, tuple(found))


def _identified(of: Any) -> None:
    if of.identifier_id is not None:
        object.__setattr__(of, "identifier_id", text(of.identifier_id, "identifier_id", 255, least=1))
    if of.identifier_type is not None:
        object.__setattr__(of, "identifier_type", member(IdentifierType, of.identifier_type, "identifier_type"))
    if (of.identifier_id is None) != (of.identifier_type is None):
        raise ValueError("identifier_id and identifier_type belong together")


@dataclass(frozen=True, slots=True)
class TariffMessage:
    """A price in words, in one language or several; the first is that of the station.

    identifier_id, identifier_type: the id tag it is for, or the session once there is one; None: for everybody (the
    default price). ocpp_transaction_id: the Central System's id of the session's transaction, None while unknown.
    """

    message: tuple[DisplayMessageContent, ...]
    identifier_id: str | None = None
    identifier_type: IdentifierType | None = None
    ocpp_transaction_id: int | None = None

    def __post_init__(self) -> None:
        _contents(self, "message")
        _identified(self)
        if self.ocpp_transaction_id is not None:
            whole(self.ocpp_transaction_id, "ocpp_transaction_id", -(2**63), 2**63 - 1)

    def text(self, language: str | None = None) -> str | None:
        """As `in_language`; None: there are no texts."""
        found = in_language(self.message, language)
        return None if found is None else found.message


@dataclass(frozen=True, slots=True)
class DisplayMessage:
    """What is to be shown at the connector of a session: texts, and a link as QR code."""

    message: tuple[DisplayMessageContent, ...]
    identifier_id: str | None = None
    """Of the session or id token that it is for; with `identifier_type`."""
    identifier_type: IdentifierType | None = None
    qr_code: str | None = None
    """The text to be drawn as one: a link."""

    def __post_init__(self) -> None:
        _contents(self, "message")
        _identified(self)
        if self.qr_code is not None:
            object.__setattr__(self, "qr_code", text(self.qr_code, "qr_code", least=1))


@dataclass(frozen=True, slots=True)
class ChargingPrice:
    """What charging costs, in parts that add up. None: nothing.

    kwh_price: for a kWh; hour_price: for an hour; flat_fee: once.
    """

    kwh_price: Decimal | None = None
    hour_price: Decimal | None = None
    flat_fee: Decimal | None = None

    def __post_init__(self) -> None:
        _amounts(self, "kwh_price", "hour_price", "flat_fee")


@dataclass(frozen=True, slots=True)
class IdlePrice:
    """What staying without charging costs: `hour_price` for an hour, after `grace_minutes` that are free."""

    grace_minutes: int | None = None
    hour_price: Decimal | None = None

    def __post_init__(self) -> None:
        if self.grace_minutes is not None:
            whole(self.grace_minutes, "grace_minutes")
        _amounts(self, "hour_price")


@dataclass(frozen=True, slots=True)
class NextPeriod:
    """Prices that hold from `at_time` on."""

    at_time: datetime
    charging_price: ChargingPrice
    idle_price: IdlePrice | None = None

    def __post_init__(self) -> None:
        aware(self.at_time, "at_time")
        exactly(ChargingPrice, self.charging_price, "charging_price")
        if self.idle_price is not None:
            exactly(IdlePrice, self.idle_price, "idle_price")


def _amounts(of: Any, *names: str) -> None:
    for name in names:
        if getattr(of, name) is not None:
            object.__setattr__(of, name, amount(getattr(of, name), name))


@dataclass(frozen=True, slots=True)
class RunningCost:
    """What a session costs: so far, or in the end (`state` Finished).

    transaction_id: the station's session id, as libocpp has it. connector_id: where it is. ocpp_transaction_id: the
    Central System's id, None where it is not known. cost: the amount, with all its digits. timestamp, meter_value: when
    it was calculated, and from which register in Wh. charging_price, idle_price, next_period: the prices behind it.
    cost_messages: texts in the station's language and others. qr_code_text: a link. Each None, or empty, where it was
    not told. is_estimate: calculated here by DefaultPrice or the last prices, for the Central System cannot be reached.
    """

    connector_id: int
    transaction_id: str
    state: RunningCostState
    cost: Decimal
    ocpp_transaction_id: int | None = None
    timestamp: datetime | None = None
    meter_value: Decimal | None = None
    charging_price: ChargingPrice | None = None
    idle_price: IdlePrice | None = None
    next_period: NextPeriod | None = None
    cost_messages: tuple[DisplayMessageContent, ...] = ()
    qr_code_text: str | None = None
    is_estimate: bool = False

    def __post_init__(self) -> None:
        whole(self.connector_id, "connector_id", 1)
        object.__setattr__(self, "transaction_id", text(self.transaction_id, "transaction_id", 255, least=1))
        object.__setattr__(self, "state", member(RunningCostState, self.state, "state"))
        _amounts(self, "cost", "meter_value")
        if self.cost is None:
            raise ValueError("cost must be a decimal number")
        if self.ocpp_transaction_id is not None:
            whole(self.ocpp_transaction_id, "ocpp_transaction_id", -(2**63), 2**63 - 1)
        if self.timestamp is not None:
            aware(self.timestamp, "timestamp")
        for kind, name in ((ChargingPrice, "charging_price"), (IdlePrice, "idle_price"), (NextPeriod, "next_period")):
            if getattr(self, name) is not None:
                exactly(kind, getattr(self, name), name)
        _contents(self, "cost_messages")
        if self.qr_code_text is not None:
            object.__setattr__(self, "qr_code_text", text(self.qr_code_text, "qr_code_text", least=1))
        flag(self.is_estimate, "is_estimate")

    def displayed(self, decimals: int) -> str:
        """The cost as a driver reads it (`prices.displayed`)."""
        return displayed(self.cost, decimals)

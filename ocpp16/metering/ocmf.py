"""Reading OCMF, the Open Charge Metering Format 1.x: `OCMF|{payload}|{signature}`.

Rules of this file:
1. What is signed is the text of the payload as it is, so it is kept as it is; nothing is written again to be verified.
2. A member may be left out of a reading if it is that of the reading before (OCMF 1.x, section on readings).
3. Members that the format does not know are ignored, and so are those that nobody here needs. Those that are read are
   checked: a wrong type, a name that is there twice, a number beyond any meter are errors, for whoever reads the same
   text in another way would see other values under the same signature.
4. Whatever the text, it is bounded: in its length, and in the number of its readings.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from ocpp16.metering.failure import SignedDataError
from ocpp16.texts import shown

LONGEST: Final = 65_536
"""Characters of a text."""
MOST_READINGS: Final = 256
"""In one text; those of a transaction are two, or as many as there were changes of tariff."""
HEADER: Final = "OCMF|"

TIME_STATUS: Final = {"U": "not synchronised", "I": "informative", "S": "synchronised", "R": "relative"}
TRANSACTION: Final = frozenset("BCXELRAPSTO")
"""Why a reading was taken: B begin, E end, L and R ended here and from afar, A aborted, P power failure, T tariff…"""
BEGINS: Final = frozenset("B")
ENDS: Final = frozenset("ELRAP")
METER_STATUS: Final = frozenset("NGTDRMXIOSEF")
"""G good; every other letter says why a reading is none."""
GOOD: Final = "G"
_WH: Final = {"Wh": Decimal(1), "kWh": Decimal(1000), "MWh": Decimal(1_000_000)}
_LARGEST: Final = Decimal(10) ** 15
_FINEST: Final = -12
_PAGE: Final = re.compile(r"[TF][0-9]{1,20}", re.ASCII)
_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})[,.]([0-9]{3})([+-])([0-9]{2})([0-9]{2})(?: ([UISR]))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class OcmfReading:
    """One reading of the register.

    time, time_status: when, and how far that may be trusted (`TIME_STATUS`); transaction: one of `TRANSACTION`, "" for
    none; value: None where there is none; obis: RI; unit: RU; current: RT, AC or DC; error_flags: EF; status: one of
    `METER_STATUS`.
    """

    time: datetime
    time_status: str
    transaction: str
    value: Decimal | None
    obis: str
    unit: str
    current: str
    error_flags: str
    status: str

    @property
    def energy(self) -> Decimal | None:
        """The register in Wh, exactly; None where the reading is none of energy."""
        factor = _WH.get(self.unit)
        return None if self.value is None or factor is None else self.value * factor


@dataclass(frozen=True, slots=True)
class Ocmf:
    """A text, read. `payload` is what is signed, as it is; `signature` the bytes, `algorithm` SA, `mime_type` SM.

    page: PG, a letter (T transaction, F fiscal) and a number; vendor, model, serial, firmware: of the meter; gateway,
    gateway_serial, gateway_version: of what signs, if that is another device; is_identified: IS; level: IL; flags: IF;
    id_type: IT; identification: ID; tariff: TT; evse_type, evse: CT and CI. What the text does not have is "".
    """

    payload: str
    signature: bytes
    algorithm: str
    mime_type: str
    version: str
    """FV, the version of the format."""
    page: str
    vendor: str
    model: str
    serial: str
    firmware: str
    gateway: str
    gateway_serial: str
    gateway_version: str
    is_identified: bool | None
    level: str
    flags: tuple[str, ...]
    id_type: str
    identification: str
    tariff: str
    evse_type: str
    evse: str
    readings: tuple[OcmfReading, ...]

    @property
    def page_number(self) -> int:
        """The number of the page, without the letter before it."""
        return int(self.page[1:])

    @property
    def meter(self) -> str:
        """What names the meter: its serial number, else that of the gateway that signs for it."""
        return self.serial or self.gateway_serial


def parse(text: str) -> Ocmf:
    """Read a text. Raises SignedDataError for whatever is none; verifies nothing (`signature.verify`)."""
    if type(text) is not str:
        raise SignedDataError("OCMF must be text")
    if len(text) > LONGEST:
        raise SignedDataError(f"OCMF text must have {LONGEST} characters at most, not {len(text)}")
    if not text.startswith(HEADER):
        raise SignedDataError(f"OCMF text must begin with {HEADER!r}, not {shown(text, 20)!r}")
    payload, last = _split(text)
    members = _object(payload, "payload")
    signature = _object(last, "signature")
    known = {name: _text(members, member, "payload") for name, member in _TEXTS.items()}
    page = known["page"]
    if not _PAGE.fullmatch(page):
        raise SignedDataError(f"payload: PG must be T or F and a number, not {shown(page, 40)!r}")
    if not known["serial"] and not known["gateway_serial"]:
        raise SignedDataError("payload: one of MS and GS must be there, for nothing else names the meter")
    return Ocmf(
        payload=payload,
        signature=_signature(signature),
        algorithm=_text(signature, "SA", "signature") or DEFAULT_ALGORITHM,
        mime_type=_text(signature, "SM", "signature") or DEFAULT_MIME_TYPE,
        is_identified=_is_identified(members),
        flags=_flags(members),
        readings=_readings(members),
        **known,
    )


DEFAULT_ALGORITHM: Final = "ECDSA-secp256r1-SHA256"
DEFAULT_MIME_TYPE: Final = "application/x-der"

_TEXTS: Final = {
    "version": "FV",
    "page": "PG",
    "vendor": "MV",
    "model": "MM",
    "serial": "MS",
    "firmware": "MF",
    "gateway": "GI",
    "gateway_serial": "GS",
    "gateway_version": "GV",
    "level": "IL",
    "id_type": "IT",
    "identification": "ID",
    "tariff": "TT",
    "evse_type": "CT",
    "evse": "CI",
}


def _split(text: str) -> tuple[str, str]:
    """Payload and signature. A bar within a text of the payload does not end it: its JSON does."""
    begin = len(HEADER)
    after_space = len(text) - len(text[begin:].lstrip())
    try:
        _, end = _SCANNER.raw_decode(text, after_space)
    except (ValueError, RecursionError) as error:
        raise SignedDataError(f"payload: {_reason(error)}") from None
    between, bar, last = text[end:].partition("|")
    if not bar:
        raise SignedDataError("OCMF text has no signature: it must be OCMF|{payload}|{signature}")
    if between.strip():
        raise SignedDataError(f"payload: {shown(between.strip(), 20)!r} behind its JSON object")
    return text[begin : end + len(between)], last


def _object(text: str, part: str) -> Mapping[str, Any]:
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise SignedDataError(f"{part}: {_reason(error)}") from None
    if not isinstance(value, dict):
        raise SignedDataError(f"{part}: must be a JSON object")
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, SignedDataError):
        return str(error)
    return "no JSON: nested too deeply" if isinstance(error, RecursionError) else f"no JSON: {shown(error, 120)}"


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise SignedDataError(f"{shown(name, 40)} is there twice")
        members[name] = value
    return members


def _number(text: str) -> Decimal:
    if len(text) > 40:
        raise SignedDataError(f"a number of {len(text)} characters")
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent beyond all that Decimal can hold
        raise SignedDataError(f"{shown(text, 40)} is no number of a meter") from None
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if abs(exponent) > 40 or abs(value) >= _LARGEST or exponent < _FINEST:
        raise SignedDataError(f"{shown(text, 40)} is no number of a meter")
    return value


def _no_number(text: str) -> NoReturn:
    raise SignedDataError(f"{text} is no number of JSON")


_SCANNER: Final = json.JSONDecoder(parse_float=len, parse_int=len)
"""Only finds where JSON ends."""
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_number, parse_int=_number, parse_constant=_no_number
)


def _text(members: Mapping[str, Any], name: str, part: str) -> str:
    """A member that is text; "" where it is not there."""
    value = members.get(name)
    if value is None:
        return ""
    if isinstance(value, Decimal) and value == value.to_integral_value() and name in _MAY_BE_NUMBERS:
        return str(int(value))
    if not isinstance(value, str):
        raise SignedDataError(f"{part}: {name} must be text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SignedDataError(f"{part}: {name} must be text that UTF-8 can carry") from None
    return value


_MAY_BE_NUMBERS: Final = frozenset({"CT", "FV", "MS", "GS"})
"""Some devices write these as numbers."""


def _is_identified(members: Mapping[str, Any]) -> bool | None:
    value = members.get("IS")
    if value is None or isinstance(value, bool):
        return value
    if value in _OLD_STATUS:  # OCMF 0.x had words here
        return bool(value == "VERIFIED" or value == "TRUSTED")
    raise SignedDataError("payload: IS must be true or false")


_OLD_STATUS: Final = ("NOT_ASSIGNED", "UNASSIGNED", "VERIFIED", "TRUSTED", "")


def _flags(members: Mapping[str, Any]) -> tuple[str, ...]:
    value = members.get("IF", [])
    if not isinstance(value, list) or not all(isinstance(flag, str) for flag in value) or len(value) > 16:
        raise SignedDataError("payload: IF must be a list of 16 texts at most")
    return tuple(value)


def _signature(members: Mapping[str, Any]) -> bytes:
    text, encoding = _text(members, "SD", "signature"), _text(members, "SE", "signature") or "hex"
    if not text:
        raise SignedDataError("signature: SD is missing")
    if encoding not in DECODERS:
        raise SignedDataError(f"signature: SE must be hex or base64, not {shown(encoding, 40)!r}")
    try:
        return DECODERS[encoding](text)
    except ValueError:
        raise SignedDataError(f"signature: SD is no {encoding}") from None


def _from_base64(text: str) -> bytes:
    from base64 import b64decode

    return b64decode(text, validate=True)


DECODERS: Final[Mapping[str, Callable[[str], bytes]]] = {"hex": bytes.fromhex, "base64": _from_base64}


def _readings(members: Mapping[str, Any]) -> tuple[OcmfReading, ...]:
    found = members.get("RD")
    if not isinstance(found, list) or not found:
        raise SignedDataError("payload: RD must be a list of readings, one at least")
    if len(found) > MOST_READINGS:
        raise SignedDataError(f"payload: RD must have {MOST_READINGS} readings at most, not {len(found)}")
    readings: list[OcmfReading] = []
    before: dict[str, Any] = {}
    for number, row in enumerate(found):
        part = f"payload: RD[{number}]"
        if not isinstance(row, dict):
            raise SignedDataError(f"{part} must be an object")
        before |= row
        if "RV" not in row:
            before.pop("RV", None)  # a value is never that of the reading before
        readings.append(_reading(before, part))
    return tuple(readings)


def _reading(row: Mapping[str, Any], part: str) -> OcmfReading:
    time, status = _time(_text(row, "TM", part), part)
    transaction, meter_status = _text(row, "TX", part), _text(row, "ST", part)
    if transaction and transaction not in TRANSACTION:
        raise SignedDataError(
            f"{part}: TX must be one of {', '.join(sorted(TRANSACTION))}, not {shown(transaction, 20)!r}"
        )
    if meter_status not in METER_STATUS:
        raise SignedDataError(
            f"{part}: ST must be one of {', '.join(sorted(METER_STATUS))}, not {shown(meter_status, 20)!r}"
        )
    value = row.get("RV")
    if value is not None and not isinstance(value, Decimal):
        raise SignedDataError(f"{part}: RV must be a number")
    unit = _text(row, "RU", part)
    if not unit:
        raise SignedDataError(f"{part}: RU is missing")
    return OcmfReading(
        time=time,
        time_status=status,
        transaction=transaction,
        value=value,
        obis=_text(row, "RI", part),
        unit=unit,
        current=_text(row, "RT", part),
        error_flags=_text(row, "EF", part),
        status=meter_status,
    )


def _time(text: str, part: str) -> tuple[datetime, str]:
    found = _TIME.fullmatch(text)
    if found is not None:
        stamp, millis, sign, hours, minutes, status = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        try:
            zone = timezone(-offset if sign == "-" else offset)
            moment = datetime.fromisoformat(stamp).replace(microsecond=int(millis) * 1000, tzinfo=zone)
            moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        else:
            return moment, status or ""
    raise SignedDataError(f"{part}: TM must be a time as 2018-07-24T13:22:04,000+0200 S, not {shown(text, 60)!r}")

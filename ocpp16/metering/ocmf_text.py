"""Writing the payload of an OCMF 1.x text, in the order of the format; whoever has the key signs it.

Registers are written with the decimals they are given with: Decimal("0.500") stays 0.500, which says how finely the
meter measures.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.ocmf import HEADER, LONGEST

VERSION: Final = "1.0"
"""Of the format that is written."""
IMPORT_REGISTER: Final = "01-00:B2.08.00*FF"
"""OBIS code of the import register of a transaction."""


@dataclass(frozen=True, slots=True)
class MeterIdentity:
    """Who measures, and at which charge point. What is "" is left out; `serial` must be there."""

    serial: str
    vendor: str = ""
    """MV."""
    model: str = ""
    """MM."""
    firmware: str = ""
    """MF, its version."""
    evse_type: str = ""
    """CT, the kind of id in `evse`: EVSEID, CBIDC."""
    evse: str = ""
    """CI, the id of the charge point."""


@dataclass(frozen=True, slots=True)
class UserAssignment:
    """For whom is measured. `identification`: the id tag, "" for nobody; `id_type`: IT; `level`: IL; `flags`: IF."""

    identification: str = ""
    id_type: str = "NONE"
    level: str = "NONE"
    flags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WrittenReading:
    """One reading to be written. time: aware; time_status: S, I, U or R; transaction: TX, or ""; value: in `unit`."""

    time: datetime
    time_status: str
    transaction: str
    value: Decimal
    unit: str = "kWh"
    status: str = "G"
    """ST, the state of the meter; G: it works."""


def payload(page: str, meter: MeterIdentity, user: UserAssignment, readings: Sequence[WrittenReading]) -> str:
    """The JSON text that is to be signed. `page`: PG, as `T12`."""
    members = [("FV", VERSION), ("PG", page)]
    members += [
        (name, value)
        for name, value in (
            ("MV", meter.vendor),
            ("MM", meter.model),
            ("MS", meter.serial),
            ("MF", meter.firmware),
        )
        if value
    ]
    parts = [f"{_json(name)}:{_json(value)}" for name, value in members]
    parts.append(f'"IS":{"true" if user.identification else "false"}')
    parts.append(f'"IL":{_json(user.level)}')
    parts.append(f'"IF":[{",".join(map(_json, user.flags))}]')
    parts.append(f'"IT":{_json(user.id_type)}')
    parts.append(f'"ID":{_json(user.identification)}')
    if meter.evse:
        parts.append(f'"CT":{_json(meter.evse_type or "EVSEID")}')
        parts.append(f'"CI":{_json(meter.evse)}')
    parts.append(f'"RD":[{",".join(map(_reading, readings))}]')
    return "{" + ",".join(parts) + "}"


def text(signed: str, signature: bytes, algorithm: str, encoding: str = "hex") -> str:
    """The whole text; `encoding` of the signature: hex or base64. Raises SignedDataError for one that is too long."""
    if encoding == "hex":
        written = signature.hex()
    elif encoding == "base64":
        from base64 import b64encode

        written = b64encode(signature).decode()
    else:
        raise SignedDataError(f"encoding must be hex or base64, not {encoding!r}")
    se = "" if encoding == "hex" else f'"SE":{_json(encoding)},'
    whole = f'{HEADER}{signed}|{{"SA":{_json(algorithm)},{se}"SD":{_json(written)}}}'
    if len(whole) > LONGEST:
        raise SignedDataError(f"OCMF text must have {LONGEST} characters at most, not {len(whole)}")
    return whole


def _reading(reading: WrittenReading) -> str:
    parts = [f'"TM":{_json(time_text(reading.time, reading.time_status))}']
    if reading.transaction:
        parts.append(f'"TX":{_json(reading.transaction)}')
    parts.append(f'"RV":{reading.value:f}')
    parts.append(f'"RI":{_json(IMPORT_REGISTER)}')
    parts.append(f'"RU":{_json(reading.unit)}')
    parts.append('"RT":"AC","EF":""')
    parts.append(f'"ST":{_json(reading.status)}')
    return "{" + ",".join(parts) + "}"


def time_text(time: datetime, status: str) -> str:
    """`2018-07-24T13:22:04,000+0200 S`. `time` is aware."""
    offset = time.strftime("%z")[:5]
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S')},{time.microsecond // 1000:03d}{offset} {status}"


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)

"""How signed data travels in `SampledValue.value`: written, and recognised in the forms that are seen.

OCPP 1.6 ed. 2 §7.48 wants hexadecimal text under SignedData; the application note *Signed Meter Values in OCPP* v1.0
puts JSON text of SignedMeterValueType there, with the meter's data set in base64; and the plain text of the meter, OCMF
above all, is seen as well. What is sent is decided by a key; what is read is any of them.
"""

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from ocpp16.metering import ocmf
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.public_key import oca_text
from ocpp16.texts import shown

LONGEST: Final = 262_144
"""Characters of a value that comes from elsewhere; the data set in it is bounded by its own format."""
OCMF: Final = "OCMF"
"""How an OCMF text begins, and what its encoding is called."""
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
_MEMBERS: Final = ("signedMeterData", "signingMethod", "encodingMethod", "publicKey")
_ALGORITHM: Final = re.compile(r'"SA"\s*:\s*"([A-Za-z0-9-]{1,50})"')


class Form(StrEnum):
    """How a value is written."""

    NOTE = "SignedMeterValueType"
    """The JSON object of the OCA's application note on signed meter values."""
    PLAIN = "text"
    """The data set itself, as text."""
    BASE64 = "base64"
    """The data set in base64."""
    HEX = "hexadecimal"
    """The data set in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class SignedData:
    """A value, recognised. data_set: what the meter signed, with its signature, as bytes; the others are "" where the
    form has no place for them."""

    form: Form
    data_set: bytes
    signing_method: str = ""
    """As ECDSA-secp256r1-SHA256."""
    encoding_method: str = ""
    """How the data set is written, as OCMF."""
    public_key: str = ""
    """That of the meter, as the value brings it."""

    def ocmf(self) -> ocmf.Ocmf:
        """The data set as OCMF. Raises SignedDataError if it is none."""
        try:
            text = self.data_set.decode()
        except UnicodeDecodeError:
            raise SignedDataError("the data set is no text, so it is no OCMF") from None
        return ocmf.parse(text)


def recognised(value: str) -> SignedData:
    """Read a value in whichever form it is. Raises SignedDataError for what is in none."""
    if len(value) > LONGEST:
        raise SignedDataError(f"a signed value must have {LONGEST} characters at most, not {len(value)}")
    return _read(value.strip())


def _read(text: str) -> SignedData:
    if text.startswith("{"):
        return _read_note(text)
    if text.startswith(ocmf.HEADER):
        return SignedData(Form.PLAIN, text.encode(errors="replace"), encoding_method=OCMF)
    if _HEX.fullmatch(text):
        return SignedData(Form.HEX, bytes.fromhex(text))
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise SignedDataError(f"{shown(text, 40)!r} is neither JSON of the note, OCMF, hexadecimal nor base64")
    return SignedData(Form.BASE64, data)


def _read_note(text: str) -> SignedData:
    try:
        found: Any = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise SignedDataError(f"SignedMeterValueType: no JSON: {shown(error, 120)}") from None
    if not isinstance(found, dict):
        raise SignedDataError("SignedMeterValueType: must be a JSON object")
    for name in _MEMBERS:
        if not isinstance(found.get(name), str):
            raise SignedDataError(f"SignedMeterValueType: {name} must be there, and text")
    try:
        data = b64decode("".join(found["signedMeterData"].split()), validate=True)
    except (binascii.Error, ValueError):
        raise SignedDataError("SignedMeterValueType: signedMeterData is no base64") from None
    if not data:
        raise SignedDataError("SignedMeterValueType: signedMeterData is empty")
    return SignedData(Form.NOTE, data, found["signingMethod"], found["encodingMethod"], found["publicKey"])


def note_text(data: str, signing_method: str, encoding_method: str, public_key: str) -> str:
    """JSON text of SignedMeterValueType. `data`: as the meter gives it; base64 and hexadecimal are the bytes they
    stand for. Methods that are "" are those that an OCMF text says. `public_key`: in any form, "" to leave it out."""
    if data.startswith(ocmf.HEADER):
        encoding_method = encoding_method or OCMF
        found = _ALGORITHM.search(data, data.rfind("|"))
        signing_method = signing_method or (ocmf.DEFAULT_ALGORITHM if found is None else found[1])
    return orjson.dumps(
        {
            "signedMeterData": _base64(data),
            "signingMethod": signing_method,
            "encodingMethod": encoding_method,
            "publicKey": oca_text(public_key) if public_key else "",
        }
    ).decode()


def _base64(data: str) -> str:
    try:
        known = _read(data.strip())  # however long: the host's own meter says it
    except SignedDataError:
        known = None
    whole = data.encode() if known is None or known.form is Form.NOTE else known.data_set
    return b64encode(whole).decode()

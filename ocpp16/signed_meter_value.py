"""What a meter says under its signature, as it says it.

As all values of the public API (`models`): right once it is made, and unchanged from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ocpp16.values import described, is_a, text

METHOD_LENGTH = 50
"""Characters of the name of a method, of signing or encoding."""
PUBLIC_KEY_LENGTH = 8_192
"""Characters."""
LONGEST = 8_388_608
"""Characters: half of the longest message that can be configured."""


@dataclass(frozen=True, slots=True)
class SignedMeterValue:
    """Signed data of a meter (application note *Signed Meter Values in OCPP*).

    signed_meter_data: text as the meter gives it: OCMF, base64 or hexadecimal; two must fit into MaxMessageSize.
    signing_method: as `ECDSA-secp256r1-SHA256`; encoding_method: as `OCMF`; 50 characters at most, "" for what the data
    itself says. public_key: PEM, hexadecimal or base64; "" for that of MeterPublicKeys.
    """

    signed_meter_data: str
    signing_method: str = ""
    encoding_method: str = ""
    public_key: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "signed_meter_data", text(self.signed_meter_data, "signed_meter_data", LONGEST))
        for name in ("signing_method", "encoding_method"):
            object.__setattr__(self, name, text(getattr(self, name), name, METHOD_LENGTH))
        object.__setattr__(self, "public_key", text(self.public_key, "public_key", PUBLIC_KEY_LENGTH))

    @classmethod
    def from_json(cls, document: Any, place: str) -> "SignedMeterValue":
        """Read a text, or EVerest's form: `{"signed_meter_data", "signing_method", "encoding_method", "public_key"}`;
        its "timestamp" is that of the reading. Raises ValueError naming `place` and the member that is wrong.
        """
        if is_a(document, str):
            return signed(document, place)
        if not isinstance(document, Mapping) or "signed_meter_data" not in document:
            raise ValueError(f"{place} must be text, or an object with signed_meter_data")
        for name in document:
            if name not in (*_MEMBERS, "timestamp"):
                raise ValueError(f"{place} has no member {described(name)}")
        try:
            return cls(**{name: document[name] for name in _MEMBERS if name in document})
        except ValueError as error:
            raise ValueError(f"{place}.{error}") from None


_MEMBERS = ("signed_meter_data", "signing_method", "encoding_method", "public_key")


def signed(value: Any, name: str) -> SignedMeterValue:
    """`value`, if it is a SignedMeterValue; a text is one that says all itself. Raises ValueError that names it."""
    if type(value) is SignedMeterValue:
        return value
    if is_a(value, str):
        return SignedMeterValue(text(value, name))
    if is_a(value, SignedMeterValue):
        return SignedMeterValue(*[getattr(value, member) for member in _MEMBERS])
    raise ValueError(f"{name} must be text or a SignedMeterValue, not {described(value)}")
